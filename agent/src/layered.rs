//! Two planners, one behind the other: the rules settle what they understand, a model gets the rest.

use std::sync::Arc;

use async_trait::async_trait;
use patchbay_core::patch::ProjectPatch;

use crate::{
    builtin,
    planner::{Context, Failure, Mode, Outcome, Planned, Planner, Progress, ProgressSender},
};

/// What the person is told where the model is not there.
const NOT_REACHED: &str = "The model could not be reached, so this is from the built-in rules.";

/// The built-in rules before another planner.
pub struct Layered {
    model: Arc<dyn Planner>,
}

impl Layered {
    pub fn new(model: Arc<dyn Planner>) -> Self {
        Self { model }
    }
}

#[async_trait]
impl Planner for Layered {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn get_diff(&self, mode: Mode, context: &Context, message: &str, progress: &ProgressSender) -> Result<Planned, Failure> {
        let understood = builtin::understand(mode, context, message);
        if !understood.is_guess && !matches!(understood.outcome, Outcome::NotUnderstood { .. }) {
            show(&understood.outcome, progress);
            return Ok(Planned { outcome: understood.outcome, exchanges: Vec::new() });
        }
        match self.model.get_diff(mode, context, message, progress).await {
            Err(Failure::Unreachable { why, exchanges }) => {
                tracing::warn!(why, "no model answered: the built-in rules do");
                show(&understood.outcome, progress);
                Ok(Planned { outcome: told(understood.outcome), exchanges })
            }
            answer => answer,
        }
    }
}

fn show(outcome: &Outcome, progress: &ProgressSender) {
    if let Outcome::Patch { patch, .. } = outcome {
        let ProjectPatch { tasks, .. } = patch.as_ref();
        for operation in tasks {
            // Nobody may listen any more; the outcome counts.
            let _ = progress.send(Progress::Operation(Box::new(operation.clone())));
        }
    }
}

/// The same, saying that the model was not there.
fn told(outcome: Outcome) -> Outcome {
    let with = |say: String| format!("{NOT_REACHED} {say}");
    match outcome {
        Outcome::Patch { patch, say } => Outcome::Patch { patch, say: with(say) },
        Outcome::NotUnderstood { say, examples } => Outcome::NotUnderstood { say: with(say), examples },
        Outcome::Question(text) => Outcome::Question(with(text)),
        Outcome::Answer(text) => Outcome::Answer(with(text)),
    }
}

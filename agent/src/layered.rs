//! The rules first, and a model for what they do not settle.

use async_trait::async_trait;

use crate::{
    builtin,
    model::ModelPlanner,
    planner::{Context, Failure, Mode, Outcome, Planned, Planner, Progress, ProgressSender},
};

/// Ordinary edits are settled by the rules in no time and for nothing; all else is the model's.
pub struct Layered {
    model: ModelPlanner,
}

impl Layered {
    pub const fn new(model: ModelPlanner) -> Self {
        Self { model }
    }
}

#[async_trait]
impl Planner for Layered {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn get_diff(&self, mode: Mode, context: &Context, message: &str, progress: &ProgressSender) -> Result<Planned, Failure> {
        let rules = builtin::understand(mode, context, message);
        let is_settled = !rules.is_guess && !matches!(rules.outcome, Outcome::NotUnderstood { .. });
        if is_settled {
            return Ok(tell(rules.outcome, progress, Vec::new()));
        }
        match self.model.get_diff(mode, context, message, progress).await {
            // Better the rules' outline than nothing, as long as it is said.
            Err(Failure::Unreachable { why, exchanges }) if matches!(rules.outcome, Outcome::Patch { .. }) => {
                tracing::warn!(why, "no model answered; the built-in rules do");
                let _ = progress.send(Progress::StartedOver);
                let outcome = match rules.outcome {
                    Outcome::Patch { patch, say } => {
                        Outcome::Patch { patch, say: format!("The model cannot be reached just now, so the built-in rules answer. {say}") }
                    }
                    other => other,
                };
                Ok(tell(outcome, progress, exchanges))
            }
            other => other,
        }
    }
}

fn tell(outcome: Outcome, progress: &ProgressSender, exchanges: Vec<crate::planner::Exchange>) -> Planned {
    if let Outcome::Patch { patch, .. } = &outcome {
        for operation in &patch.tasks {
            let _ = progress.send(Progress::Operation(Box::new(operation.clone())));
        }
    }
    Planned { outcome, exchanges }
}

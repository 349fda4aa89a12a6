//! The model planner: any endpoint that speaks `OpenAI`'s chat completions.
//!
//! ```text
//! context + prompts --> messages --ask--> words --read--> patch that passed the gates
//!                          ^                        |
//!                          +------ repair, twice ---+ faults
//! ```
//!
//! Invariants: what a model says can only become a [`Planned`] that passed gates 1 and 2, or words; each request is an
//! [`Exchange`], also those that failed; no key is ever in one.

mod ask;
mod context;
mod fence;
mod options;
mod prompt;
mod provider;
mod read;
mod schema;
mod stream;
mod talk;
mod wire;
mod writer;

use async_trait::async_trait;
use patchbay_core::{
    patch::{
        Fault, TaskPatch,
        check::{MAX_MODEL_ROOTS, Rules},
    },
    tenancy::Secret,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

pub use options::{Limits, Price, Provider, Unusable};
pub use prompt::Unfit;

use crate::planner::{Context, Exchange, Failure, Mode, Planned, Planner, Progress, ProgressSender};
use ask::{Asked, Asking};
pub use writer::Writer;

use fence::Fence;
use prompt::Prompts;

/// How often an answer that does not fit goes back with its faults.
const REPAIRS: usize = 2;
/// How many faults go back.
const MAX_FAULTS: usize = 20;

/// Plans by asking a model.
pub struct Model {
    /// In the order in which they are tried.
    providers: Vec<provider::Provider>,
    limits: Limits,
    prompts: Prompts,
}

/// The model planner cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("no model provider is configured")]
    NoProvider,
    #[error(transparent)]
    Provider(#[from] Unusable),
    #[error(transparent)]
    Prompt(#[from] Unfit),
}

impl Model {
    /// Checks the prompts and the providers; asks none of them.
    pub fn new(providers: Vec<Provider>, limits: Limits) -> Result<Self, SetupError> {
        let providers: Vec<_> = providers.into_iter().map(|options| provider::Provider::new(options, limits.connect)).collect::<Result<_, _>>()?;
        if providers.is_empty() {
            return Err(SetupError::NoProvider);
        }
        Ok(Self { providers, limits, prompts: Prompts::load()? })
    }

    /// The messages that begin a talk, and the label of their prompt.
    fn begin(&self, mode: Mode, context: &Context, message: &str, rules: &Rules, fence: &Fence) -> Result<(Vec<Value>, String), Unfit> {
        let (system, name) = match mode {
            Mode::Project => {
                let max_roots = rules.max_new_roots.unwrap_or(MAX_MODEL_ROOTS);
                (self.prompts.render(&prompt::Project { max_roots }, fence)?, "project")
            }
            Mode::Task(id) => (self.prompts.render(&prompt::Task { task: context.plan.reference_of(id) }, fence)?, "task"),
        };
        let request = context::request(mode, context, message, fence.mark(), self.limits.context_tokens);
        let user = self.prompts.render(&request, fence)?;
        Ok((vec![json!({ "role": "system", "content": system }), json!({ "role": "user", "content": user })], self.prompts.label(name)))
    }

    fn repair(&self, faults: &[Fault], fence: &Fence) -> Result<Value, Unfit> {
        let told: Vec<String> = faults.iter().take(MAX_FAULTS).map(|fault| format!("- {fault}")).collect();
        let text = self.prompts.render(&prompt::Repair { count: faults.len(), faults: told.join("\n") }, fence)?;
        Ok(json!({ "role": "user", "content": text }))
    }
}

#[async_trait]
impl Planner for Model {
    #[expect(clippy::misnamed_getters, reason = "a planner is known by its model, a provider by the name it was given")]
    fn name(&self) -> &str {
        &self.providers[0].model
    }

    async fn get_diff(&self, mode: Mode, context: &Context, message: &str, progress: &ProgressSender) -> Result<Planned, Failure> {
        // [`Prompts::load`] has filled each prompt with the same struct.
        let unfit = |error: Unfit, exchanges| Failure::Unreachable { why: error.to_string(), exchanges };
        let fence = Fence::new(Secret::generate("").text.expose_secret()[..16].to_owned());
        let rules = rules(mode, context);
        let (mut messages, mut label) = self.begin(mode, context, message, &rules, &fence).map_err(|error| unfit(error, Vec::new()))?;
        let mut asking = Asking::new(&self.providers, &self.limits, progress);
        let mut repairs = 0;
        loop {
            let (text, is_cut) = match asking.ask(&messages, &label).await {
                Asked::Text { text, is_cut } => (text, is_cut),
                Asked::Refusal(why) => return Err(Failure::Refused { why, exchanges: asking.exchanges }),
                Asked::Nobody(why) => return Err(Failure::Unreachable { why, exchanges: asking.exchanges }),
            };
            let mut faults = match read::answer(&text, context, &rules) {
                Ok(outcome) => return Ok(Planned { outcome, exchanges: asking.exchanges }),
                Err(faults) => faults,
            };
            if is_cut {
                faults = vec![Fault::new("", "the answer is too long: it was cut off").fix("say it in fewer operations and shorter texts")];
            }
            if let Some(exchange) = asking.exchanges.last_mut() {
                exchange.problem = Some(summary(&faults));
            }
            if repairs == REPAIRS {
                return Err(Failure::Unusable { faults, exchanges: asking.exchanges });
            }
            repairs += 1;
            // Only the last try goes along: the context stays within its budget.
            messages.truncate(2);
            messages.push(json!({ "role": "assistant", "content": text }));
            messages.push(self.repair(&faults, &fence).map_err(|error| unfit(error, std::mem::take(&mut asking.exchanges)))?);
            label = self.prompts.label("repair");
            // Nobody may listen any more; the outcome counts.
            let _ = progress.send(Progress::StartedOver);
        }
    }
}

/// What the patch is held against: the author's rules, and what a model may not do.
fn rules(mode: Mode, context: &Context) -> Rules {
    match mode {
        Mode::Task(focus) => Rules { focus: Some(focus), ..context.rules },
        Mode::Project => {
            // A proposal that a person wrote with more stays as large as it is.
            let drafted = context.draft.iter().flat_map(|draft| &draft.patch.tasks);
            let drafted = drafted.filter(|operation| matches!(operation, TaskPatch::Create(create) if create.body.parent_id.is_none())).count();
            Rules { max_new_roots: Some(drafted.max(MAX_MODEL_ROOTS)), ..context.rules }
        }
    }
}

fn summary(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

//! The one door to everything that thinks: free text in, a patch or a question or an answer out.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_core::patch::{ProjectPatch, TaskId, TaskPatch, check::Rules, plan::Plan};
use tokio::sync::mpsc;

/// What a planner may see. It is read before the planner is called; a planner reads nothing itself.
#[derive(Clone, Debug)]
pub struct Context {
    /// The project, or the parts of a large one that matter: its upper levels, the focus and what is below it, and what
    /// the message was found to speak of. At version 0 and empty for a project that is yet to be made.
    pub plan: Plan,
    /// How many tasks the project has, where `plan` holds fewer.
    pub total_tasks: usize,
    /// Tasks that full-text search found for the message, best first. All are in `plan`.
    pub found: Vec<TaskId>,
    /// The open proposal that the message refines.
    pub draft: Option<Draft>,
    /// What was said before in this conversation, oldest first.
    pub conversation: Vec<Turn>,
    /// The time of the message.
    pub now: DateTime<Utc>,
    /// The author's time zone: what "friday" is.
    pub zone: Tz,
    /// The author's handle, for "assign it to me".
    pub author: Option<String>,
    /// What gate 2 will hold the patch against.
    pub rules: Rules,
    /// Whether the message comes from somebody who is known. What is not trusted is quoted to a model as data.
    pub trusted: bool,
}

/// The whole plan, or one task and what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// At most 6 new root tasks, 1–2 weeks of work, dependencies.
    Project,
    /// Children of one task: technical steps with acceptance criteria.
    Task(TaskId),
}

/// A proposal as it stands before a refinement.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What people call it: `#12`.
    pub number: i32,
    /// Flat; operation `n` is `tasks[n - 1]`.
    pub patch: ProjectPatch,
}

/// Something that was said.
#[derive(Clone, Debug)]
pub struct Turn {
    pub voice: Voice,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    Person,
    Patchbay,
}

/// What a planner made of a message.
#[derive(Clone, Debug)]
pub struct Planned {
    pub outcome: Outcome,
    /// The raw talk with a model, kept for inspection. Empty where none was asked.
    pub exchanges: Vec<Exchange>,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    /// The whole new patch: a refinement gives the draft as it should be now, not the difference to it.
    /// It has passed gates 1 and 2 (against the context's plan and rules).
    Patch {
        patch: Box<ProjectPatch>,
        /// A sentence for the person, in Markdown: what was understood, or that it is only an outline.
        say: String,
    },
    /// It needs to know something first.
    Question(String),
    /// The message asked for words, not for a change.
    Answer(String),
    /// It understood nothing, or not enough; nothing changes.
    NotUnderstood {
        /// What could not be made sense of, for the person.
        say: String,
        /// Messages that would work, on this plan.
        examples: Vec<String>,
    },
}

/// What is known while a planner works.
#[derive(Clone, Debug)]
pub enum Progress {
    /// An operation is complete. It is only shown: what counts is the outcome.
    Operation(Box<TaskPatch>),
    /// What was shown so far no longer holds: a repair begins from nothing.
    StartedOver,
    /// Words for the person.
    Text(String),
}

/// Where progress goes. A planner does not wait for a slow reader, and stops when it is dropped.
pub type ProgressSender = mpsc::UnboundedSender<Progress>;

/// One request to a model and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub provider: String,
    pub model: String,
    /// Name and version of the prompt, `project@3`.
    pub prompt: String,
    pub request: serde_json::Value,
    /// As it came, whole or cut off.
    pub response: String,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    /// Millionths of the price list's currency, where the price is known.
    pub cost_micros: Option<i64>,
    pub latency: Duration,
    /// Why it was no use, where it was not.
    pub problem: Option<String>,
}

/// Why there is no outcome at all.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Every provider was tried.
    #[error("no model answered: {why}")]
    Unreachable { why: String, exchanges: Vec<Exchange> },
    /// The model answered, but never with a patch that fits, also after two repairs.
    #[error("the model's answer does not fit the plan")]
    Unusable { faults: Vec<patchbay_core::patch::Fault>, exchanges: Vec<Exchange> },
    /// The model refused.
    #[error("the model refused: {why}")]
    Refused { why: String, exchanges: Vec<Exchange> },
}

/// Turns free text into a patch. It can change nothing.
#[async_trait]
pub trait Planner: Send + Sync {
    /// `built-in rules`, or the model's name.
    fn name(&self) -> &str;

    /// Whether it wants to be told which tasks a message speaks of, which costs a look at all of them.
    fn looks_up(&self) -> bool {
        true
    }

    /// Dropping the future stops the work, also at the provider.
    async fn get_diff(&self, mode: Mode, context: &Context, message: &str, progress: &ProgressSender) -> Result<Planned, Failure>;
}

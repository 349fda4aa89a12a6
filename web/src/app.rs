//! What every handler can reach.

use std::{ops::Deref, sync::Arc};

use patchbay_channels::{
    hub::Hub,
    webhook::{client::Client, intake::Intake},
};
use patchbay_core::patch::check::Rules;
use patchbay_core::{
    channel::Channel,
    collab::lease::Leases,
    db::Db,
    documents::files::Files,
    ids::{Context, OrganizationId},
    jobs::Bell,
    patch::ProjectPatch,
    tenancy::{Actor, Safe},
    workflow::{Apply, Change, Lanes, Origin, Trees},
};
use tokio_util::sync::CancellationToken;

use crate::{auth::Doors, live::Live, metrics::Metrics, platforms::Platforms, problem::Problem, receipts::Receipts};

/// The running service. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of the service.
pub struct Parts {
    pub db: Db,
    pub ctx: Arc<dyn Context>,
    pub hub: Hub,
    pub live: Live,
    /// Rung after each commit that enqueued a job.
    pub bell: Bell,
    pub platforms: Platforms,
    /// For secrets that must be read again.
    pub safe: Arc<Safe>,
    /// Takes deliveries of webhooks in.
    pub intake: Intake,
    /// Calls addresses that people give.
    pub client: Client,
    /// What is too large for a row.
    pub files: Files,
    pub doors: Doors,
    pub trees: Trees,
    pub lanes: Lanes,
    pub leases: Leases,
    pub metrics: Metrics,
    pub receipts: Receipts,
    /// Where people reach it, without a slash at the end.
    pub public_url: String,
    pub planner: PlannerInfo,
    /// Which channels this Patchbay has what it needs for.
    pub channels: Vec<Channel>,
    /// Cancelled when the service stops taking work.
    pub stopping: CancellationToken,
}

/// Which planner answers, for people.
#[derive(Clone, Debug)]
pub struct PlannerInfo {
    /// `builtin` or `model`.
    pub kind: &'static str,
    pub name: String,
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Whether cookies must only travel by TLS.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Something was committed for this organisation: those who watch look now, and so do workers.
    pub fn committed(&self, organization: OrganizationId) {
        self.live.wake(organization);
        self.bell.ring();
    }

    /// Applies a patch at once and wakes those who watch.
    pub async fn apply(&self, actor: &Actor, patch: ProjectPatch, origin: Origin) -> Result<Change, Problem> {
        self.apply_as(actor, patch, origin, Rules::of(actor.role), None).await
    }

    /// Applies a patch under the given rules, perhaps one that takes a revision back.
    pub async fn apply_as(&self, actor: &Actor, patch: ProjectPatch, origin: Origin, rules: Rules, reverts: Option<i32>) -> Result<Change, Problem> {
        let change = self.lanes.apply(Apply { actor, patch, rules, origin, proposal: None, reverts }).await?;
        self.live.wake(actor.organization);
        Ok(change)
    }
}

//! Running a command: what it means, what it does, how it ends. Its effect and its end are one transaction.

use patchbay_core::{
    audit,
    channel::{self, Channel, store::Address},
    collab,
    command::{Command, Outcome, Reply, store},
    db::{self, Tx},
    ids::{CommandId, OrganizationId},
    patch::Fault,
    review::DecideError,
    tenancy::Actor,
    workflow::ApplyError,
};
use serde_json::{Value, json};

use super::{
    Hub, explicit,
    free::{self, Aim},
    grammar::{self, Parsed},
    replies, several,
};

/// Why a command did not end as it was meant.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// For the person: what was wrong and how to say it right.
    #[error("{}", .0.text)]
    Refused(Reply),
    /// The same, with every fault for programs.
    #[error("{}", .0.text)]
    Faults(Reply, Vec<Fault>),
    /// Ours.
    #[error("the database failed")]
    Database(#[from] db::Error),
    /// Somebody else ended it, or it is to be given back.
    #[error("not ours to end")]
    Left,
}

impl From<Reply> for Stop {
    fn from(reply: Reply) -> Self {
        Self::Refused(reply)
    }
}

impl From<ApplyError> for Stop {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Database(error) => Self::Database(error),
            ApplyError::Faults(faults) => Self::Faults(replies::faults(&faults), faults),
            ApplyError::NoProject(name) => Self::Refused(replies::no_project(&name)),
            ApplyError::Stale { project, base, version, since } => Self::Refused(replies::stale(&project, base, version, &since)),
        }
    }
}

impl From<DecideError> for Stop {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Apply(error) => error.into(),
            DecideError::NotFound(number) => Self::Refused(replies::no_proposal(number)),
            DecideError::Decided(proposal) => Self::Refused(replies::decided_already(&proposal)),
            DecideError::Refined { number, revision } => Self::Refused(replies::refined_since(number, revision)),
            DecideError::Conflicted(draft) => Self::Refused(replies::conflicted(&draft)),
            DecideError::NotAllowed(why) => Self::Refused(Reply::new(capitalised(&why))),
            DecideError::Choice(faults) | DecideError::Invalid(faults) => Self::Faults(replies::faults(&faults), faults),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", chars.as_str())
}

/// What a command is run with.
pub(super) struct Run<'a> {
    pub(super) hub: &'a Hub,
    pub(super) actor: &'a Actor,
    pub(super) command: &'a Command,
}

/// Runs a command to its end.
pub(super) async fn run(hub: &Hub, organization: OrganizationId, id: CommandId) {
    match attempt(hub, organization, id).await {
        Ok(()) | Err(Stop::Left) => {}
        Err(Stop::Refused(reply)) => end_badly(hub, organization, id, Outcome { failed: true, ..reply.into() }).await,
        Err(Stop::Faults(reply, faults)) => {
            let problem = problem("invalid", "The request is not valid", 422, &reply.text, &faults);
            end_badly(hub, organization, id, Outcome { failed: true, problem: Some(problem), ..reply.into() }).await;
        }
        Err(Stop::Database(error)) => {
            // Where the database is away, so is the command's row: it is taken up again when its claim runs out.
            tracing::error!(%error, command = %id, "a command failed");
            let reply = replies::ours(&id.to_string());
            let problem = problem("internal", "Something went wrong on our side", 500, &reply.text, &[]);
            end_badly(hub, organization, id, Outcome { failed: true, problem: Some(problem), ..reply.into() }).await;
        }
    }
}

fn problem(kind: &str, title: &str, status: u16, detail: &str, errors: &[Fault]) -> Value {
    json!({ "type": format!("/problems/{kind}"), "title": title, "status": status, "detail": detail, "errors": errors })
}

async fn attempt(hub: &Hub, organization: OrganizationId, id: CommandId) -> Result<(), Stop> {
    let mut tx = hub.db.begin(organization).await?;
    let Some(command) = store::find(&mut tx, id).await?.filter(|command| !command.status.is_final()) else { return Err(Stop::Left) };
    let Some(actor) = store::author(&mut tx, organization, id).await? else {
        return Err(Stop::Refused(Reply::new("You are no longer a member here.")));
    };
    let keys = patchbay_core::workflow::store::keys(&mut tx, actor.project).await?;
    tx.rollback().await?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let run = Run { hub, actor: &actor, command: &command };
    if command.from_thread.is_some() {
        // What people said to each other commands nothing.
        return free::run(&run, Aim::Here, &command.text).await;
    }
    match grammar::parse(&command.text, &keys) {
        Parsed::Command(parsed) => explicit::run(&run, parsed).await,
        Parsed::Several(lines) => several::run(&run, &lines).await,
        Parsed::Mistake(mistake) => Err(Stop::Refused(replies::mistake(&mistake))),
        Parsed::Free => free::run(&run, Aim::Here, &command.text).await,
    }
}

impl Run<'_> {
    /// Begins the transaction of the command's effect; holds the project's lock, and the command's. `Left` where it is over already.
    pub(super) async fn begin(&self, project: Option<&str>) -> Result<Tx, Stop> {
        let mut tx = patchbay_core::workflow::begin(&self.hub.db, self.actor.organization, project).await?;
        if store::lock(&mut tx, self.command.id).await? { Ok(tx) } else { Err(Stop::Left) }
    }

    /// Ends the command in the transaction of its effect.
    pub(super) async fn end(&self, tx: Tx, outcome: Outcome) -> Result<(), Stop> {
        finish(self.hub, tx, self.actor.organization, self.command.id, &self.actor.handle, &outcome).await.map_err(Stop::Database)
    }
}

async fn end_badly(hub: &Hub, organization: OrganizationId, id: CommandId, outcome: Outcome) {
    let ended = async {
        let mut tx = hub.db.begin(organization).await?;
        let actor = store::author(&mut tx, organization, id).await?;
        let handle = actor.map_or_else(|| "patchbay".to_owned(), |actor| actor.handle);
        finish(hub, tx, organization, id, &handle, &outcome).await
    };
    if let Err(error) = ended.await {
        tracing::error!(%error, command = %id, "a command could not be ended; it is taken up again");
    }
}

async fn finish(hub: &Hub, mut tx: Tx, organization: OrganizationId, id: CommandId, handle: &str, outcome: &Outcome) -> db::Result<()> {
    let now = hub.ctx.now();
    let mut outcome = outcome.clone();
    if outcome.revision.is_some() {
        outcome.reply.receipt = audit::store::receipt(&mut tx).await?;
    }
    let Some(reply_to) = store::finish(&mut tx, id, &outcome, now).await? else { return tx.rollback().await };
    if let Some((channel, to)) = reply_to.and_then(|to| Some((Channel::parse(&to.channel)?, to))) {
        let address = Address { channel, thread: &to.thread, address: &to.address };
        let proposal = outcome.proposal.filter(|_| !outcome.failed);
        // Only a mail brings anything with it.
        let files = if channel == Channel::Email { channel::received::store::of_command(&mut tx, id).await? } else { Vec::new() };
        let reply = replies::with_files(&outcome.reply, &files);
        channel::store::answer(&mut tx, hub.ctx.as_ref(), organization, &address, &reply, id, proposal).await?;
    }
    let details = json!({ "command": id, "proposal": outcome.proposal, "revision": outcome.revision, "failed": outcome.failed });
    collab::store::append(&mut tx, organization, now, "command.finished", handle, &id.to_string(), &details).await?;
    tx.commit().await?;
    (hub.committed)(organization);
    Ok(())
}

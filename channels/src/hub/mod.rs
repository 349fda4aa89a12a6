//! From a message to an answer, whatever the channel.
//!
//! Invariants: a message is stored before it is acknowledged; a command ends once, in the transaction of its effect; what a
//! process does not end is given back or taken up again.

mod deadlines;
pub mod effects;
mod explicit;
mod free;
pub mod grammar;
pub mod inbox;
mod jobs;
mod leases;
pub mod limits;
pub(crate) mod looking;
mod malformed;
pub mod material;
pub mod outbox;
mod partly;
mod past;
pub mod postman;
pub mod replies;
mod run;
pub mod schedule;
mod several;
mod showing;
pub(crate) mod thread;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patchbay_agent::planner::Planner;
use patchbay_core::{
    audit,
    channel::{
        self, Entrance,
        received::{self, Attached},
    },
    command::store::{self, NewCommand, Topic},
    db::{self, Db},
    ids::{CommandId, Context, ConversationId, OrganizationId},
    jobs::Bell,
    patch::{Reference, diff::Entry},
    review,
    tenancy::{Actor, Trust},
    workflow::{self, store as plans},
};
use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use limits::{Limits, Over};

/// How often commands whose process died are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// Takes messages in and runs them. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Parts>);

/// What a hub works with.
pub struct Parts {
    pub db: Db,
    pub ctx: Arc<dyn Context>,
    pub planner: Arc<dyn Planner>,
    /// Told after each commit of an organisation.
    pub committed: Box<dyn Fn(OrganizationId) + Send + Sync>,
    /// Rung after each commit that enqueued a job.
    pub bell: Bell,
    /// Where people reach the console, without a slash at the end.
    pub public_url: String,
    pub tracker: TaskTracker,
    pub stopping: CancellationToken,
    pub runs: Runs,
    pub limits: Limits,
}

/// What runs in this process.
pub struct Runs {
    running: Mutex<HashMap<CommandId, Running>>,
    progress: broadcast::Sender<Progress>,
}

struct Running {
    over: watch::Receiver<bool>,
    cancel: CancellationToken,
}

impl Default for Runs {
    fn default() -> Self {
        Self { running: Mutex::default(), progress: broadcast::channel(1024).0 }
    }
}

/// What is known while a planner works: to be shown, not to be kept.
#[derive(Clone, Debug)]
pub struct Progress {
    pub organization: OrganizationId,
    pub command: CommandId,
    pub news: News,
}

#[derive(Clone, Debug)]
pub enum News {
    /// An operation is complete.
    Operation(Arc<Entry>),
    /// What was shown so far no longer holds.
    StartedOver,
    Text(String),
    Finished,
}

/// A message that comes in.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub text: String,
    pub about: About,
    /// The client's name for it: the same again is the same message.
    pub client_id: Option<String>,
    /// `web`, `api`, `terminal`.
    pub origin: &'static str,
    /// What came with it beside its words; what of it can be planned from stands in `text`.
    pub attached: Vec<Attached>,
}

impl Incoming {
    /// Names exactly what was sent.
    fn digest(&self) -> blake3::Hash {
        let About { project, task, conversation, proposal } = &self.about;
        let attached: Vec<_> =
            self.attached.iter().map(|attached| (&attached.name, &attached.media_type, attached.size_bytes, attached.kept.as_ref().ok())).collect();
        blake3::hash(json!([self.text, project, task, conversation, proposal, attached]).to_string().as_bytes())
    }
}

/// What a message is about, as far as its sender says.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Id or key.
    pub project: Option<String>,
    /// Id or reference.
    pub task: Option<String>,
    pub conversation: Option<ConversationId>,
    /// The number of the proposal that it refines.
    pub proposal: Option<i32>,
}

/// Why a message cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// It names something that is not there; `path` is the field of the request.
    #[error("{message}")]
    NotFound { path: &'static str, message: String },
    /// It has the name of another message.
    #[error("the client's name for it was given to another message before")]
    Reused,
    #[error("{}", .0.limit)]
    TooMany(Over),
    #[error("the database failed")]
    Database(#[from] db::Error),
}

/// A message that was taken.
pub struct Ticket {
    pub id: CommandId,
    /// `false` where it had come before.
    pub is_new: bool,
    over: Option<watch::Receiver<bool>>,
}

impl Ticket {
    /// Waits for the end; whether it came in time.
    pub async fn finished(self, wait: Duration) -> bool {
        let Some(mut over) = self.over else { return false };
        tokio::time::timeout(wait, over.wait_for(|over| *over)).await.is_ok()
    }
}

impl std::ops::Deref for Hub {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Hub {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Stores a message and begins to run it. What is answered by `Ok` is not lost, whatever happens to this process.
    pub async fn submit(&self, actor: &Actor, incoming: Incoming) -> Result<Ticket, SubmitError> {
        self.admit(actor, incoming.origin).await?;
        let request_hash = incoming.digest();
        let mut tx = self.db.begin(actor.organization).await?;
        let (topic, conversation) = self.place(&mut tx, actor, &incoming.about).await?;
        let new = NewCommand {
            conversation,
            origin: incoming.origin,
            client_id: incoming.client_id.as_deref(),
            text: &incoming.text,
            topic,
            on_proposal: incoming.about.proposal,
            trust: Trust::Verified,
            shown: None,
            from_thread: None,
            reply_to: None,
            request_hash: Some(request_hash.as_bytes()),
        };
        let (id, is_new) = store::insert(&mut tx, self.ctx.as_ref(), actor, &new).await?;
        if is_new {
            received::store::insert(&mut tx, self.ctx.as_ref(), actor.organization, id, &incoming.attached).await?;
        } else if !store::came_with(&mut tx, id, request_hash.as_bytes(), &incoming.text).await? {
            return Err(SubmitError::Reused);
        }
        tx.commit().await?;
        let over = if is_new { Some(self.start(actor.organization, id)) } else { self.watch(id) };
        Ok(Ticket { id, is_new, over })
    }

    /// Holds somebody who has signed in to the limits of where they come in, before anything is stored of what they say.
    async fn admit(&self, actor: &Actor, origin: &str) -> Result<(), SubmitError> {
        let (organization, entrance) = (actor.organization, Entrance::of_origin(origin));
        let gate = if let Some(gate) = self.limits.known(organization, entrance) {
            gate
        } else {
            let mut tx = self.db.begin(organization).await?;
            let settings = channel::store::settings(&mut tx, entrance).await?;
            tx.rollback().await?;
            self.limits.gate(organization, entrance, &settings)
        };
        let Some(over) = gate.admit(&actor.member.to_string()) else { return Ok(()) };
        if over.is_first {
            let details = json!({ "channel": entrance, "sender": actor.handle, "seconds": over.wait.as_secs() });
            let mut tx = self.db.begin(organization).await?;
            audit::store::append(&mut tx, self.ctx.as_ref(), actor, "channel.limited", entrance.as_str(), &details).await?;
            tx.commit().await?;
        }
        Err(SubmitError::TooMany(over))
    }

    /// What a conversation is about, from the names of a project and a task.
    pub async fn topic(&self, actor: &Actor, project: Option<&str>, task: Option<&str>) -> Result<Topic, SubmitError> {
        let mut tx = self.db.begin(actor.organization).await?;
        let topic = named(&mut tx, actor, project, task).await?;
        tx.rollback().await?;
        Ok(topic)
    }

    async fn place(&self, conn: &mut db::Connection, actor: &Actor, about: &About) -> Result<(Topic, ConversationId), SubmitError> {
        let not_found = |path, message: &str| SubmitError::NotFound { path, message: message.to_owned() };
        let on_proposal = match about.proposal {
            None => None,
            Some(number) => {
                let proposal = review::store::find(&mut *conn, number).await?.filter(|proposal| actor.project.is_none() || actor.project == proposal.project);
                Some(proposal.ok_or_else(|| SubmitError::NotFound { path: "/proposal", message: format!("there is no proposal #{number}") })?)
            }
        };
        let conversation = about.conversation.or_else(|| on_proposal.as_ref().and_then(|proposal| proposal.conversation));
        if let Some(conversation) = conversation {
            let topic = store::topic(&mut *conn, conversation).await?.filter(|topic| actor.project.is_none() || actor.project == topic.project);
            let topic = topic.ok_or_else(|| not_found("/conversation", "there is no such conversation"))?;
            return Ok((topic, conversation));
        }
        let mut topic = named(&mut *conn, actor, about.project.as_deref(), about.task.as_deref()).await?;
        if let (None, Some(proposal)) = (topic.project, &on_proposal) {
            topic.project = proposal.project;
        }
        let conversation = store::conversation(conn, self.ctx.as_ref(), actor, topic).await?;
        Ok((topic, conversation))
    }

    fn watch(&self, id: CommandId) -> Option<watch::Receiver<bool>> {
        self.runs.running.lock().unwrap_or_else(PoisonError::into_inner).get(&id).map(|running| running.over.clone())
    }

    /// Begins to run a stored command.
    pub(crate) fn start(&self, organization: OrganizationId, id: CommandId) -> watch::Receiver<bool> {
        let (tx, over) = watch::channel(false);
        let cancel = self.stopping.child_token();
        let running = Running { over: over.clone(), cancel };
        self.runs.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id, running);
        let hub = self.clone();
        self.tracker.spawn(async move {
            run::run(&hub, organization, id).await;
            hub.runs.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            hub.tell(organization, id, News::Finished);
            // Nobody waiting is no fault.
            let _ = tx.send(true);
        });
        over
    }

    fn tell(&self, organization: OrganizationId, command: CommandId, news: News) {
        // Nobody watching is no fault.
        let _ = self.runs.progress.send(Progress { organization, command, news });
    }

    /// What is known while planners work, of all organisations: the watcher picks its own.
    pub fn progress(&self) -> broadcast::Receiver<Progress> {
        self.runs.progress.subscribe()
    }

    /// Stops a command that a planner works on in this process: its author has no more use for it.
    pub fn cancel(&self, id: CommandId) {
        if let Some(running) = self.runs.running.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            running.cancel.cancel();
        }
    }

    fn cancellation(&self, id: CommandId) -> CancellationToken {
        let running = self.runs.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(&id).map_or_else(|| self.stopping.child_token(), |running| running.cancel.clone())
    }

    /// How many commands run in this process.
    pub fn running(&self) -> usize {
        self.runs.running.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes up the commands of processes that died, until the service stops.
    pub async fn take_over(&self) {
        loop {
            match self.db.organizations().await {
                Ok(organizations) => {
                    for organization in organizations {
                        if let Err(error) = self.take_over_in(organization).await {
                            tracing::warn!(%error, "commands could not be taken over; trying again");
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "organisations could not be listed; trying again"),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    }

    async fn take_over_in(&self, organization: OrganizationId) -> db::Result<()> {
        let mut tx = self.db.begin(organization).await?;
        let taken = store::take_over(&mut tx, 50).await?;
        tx.commit().await?;
        for id in taken {
            if self.watch(id).is_none() {
                self.start(organization, id);
            }
        }
        Ok(())
    }
}

/// What the names of a project and a task mean.
async fn named(conn: &mut db::Connection, actor: &Actor, project: Option<&str>, task: Option<&str>) -> Result<Topic, SubmitError> {
    let key = task.and_then(Reference::parse).map(|reference| reference.key);
    let of_task = match (task, &key) {
        (Some(task), None) => match task.parse() {
            Ok(id) => plans::project_of(&mut *conn, id).await?.map(|project| project.to_string()),
            Err(_) => None,
        },
        _ => None,
    };
    let no_task = |task: &str| SubmitError::NotFound { path: "/task", message: format!("there is no task {task}") };
    let Some(name) = project.map(str::to_owned).or(key).or(of_task) else {
        return match task {
            Some(task) => Err(no_task(task)),
            None => Ok(Topic { project: None, task: None }),
        };
    };
    let row = plans::find_project(&mut *conn, &name).await?.filter(|row| actor.sees(row.project.id));
    let Some(row) = row else {
        return Err(match task {
            Some(task) if project.is_none() => no_task(task),
            _ => SubmitError::NotFound { path: "/project", message: format!("there is no project {name}") },
        });
    };
    let task = match task {
        None => None,
        Some(task) => {
            let plan = workflow::around(conn, &row, &[task.to_owned()]).await?;
            Some(plan.find(task).ok_or_else(|| no_task(task))?.id)
        }
    };
    Ok(Topic { project: Some(row.project.id), task })
}

//! The ids of Patchbay: newtypes over uuid v7, one for each kind of row, so that one cannot be passed for another.

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

pub use crate::patch::{ProjectId, TaskId};

crate::patch::uuid_newtype! {
    /// A person's sign-in, in however many organisations.
    AccountId
}
crate::patch::uuid_newtype! {
    /// An API key (its public part; the secret is never stored).
    KeyId
}
crate::patch::uuid_newtype! {
    /// One message and what became of it.
    CommandId
}
crate::patch::uuid_newtype! {
    /// A piece of work in the queue.
    JobId
}
crate::patch::uuid_newtype! {
    /// A message that goes out on a channel.
    MessageId
}
crate::patch::uuid_newtype! {
    /// A mail that is held back.
    QuarantineId
}
crate::patch::uuid_newtype! {
    /// Something that came on a channel and could not be read.
    MalformedId
}
crate::patch::uuid_newtype! {
    /// A file that came with a message.
    ReceivedFileId
}
crate::patch::uuid_newtype! {
    /// A thread on a channel, as we know it.
    ConversationId
}
crate::patch::uuid_newtype! {
    /// One holding of a lease: the next holder's is another.
    LockId
}
crate::patch::uuid_newtype! {
    /// An account's place in one organisation.
    MemberId
}
crate::patch::uuid_newtype! {
    /// A tenant.
    OrganizationId
}
crate::patch::uuid_newtype! {
    /// A patch under review; people see its number, `#12`.
    ProposalId
}
crate::patch::uuid_newtype! {
    /// Something that a member is told.
    NotificationId
}
crate::patch::uuid_newtype! {
    /// One time of a schedule and what became of it.
    RunId
}
crate::patch::uuid_newtype! {
    /// Something that is done at times to come.
    ScheduleId
}
crate::patch::uuid_newtype! {
    /// A file at a document.
    AttachmentId
}
crate::patch::uuid_newtype! {
    /// A text or an image on its way to being published.
    DocumentId
}
crate::patch::uuid_newtype! {
    /// A file that was written for somebody to fetch.
    ExportId
}
crate::patch::uuid_newtype! {
    /// Something that a job made to be chosen from.
    VariantId
}
crate::patch::uuid_newtype! {
    /// A signed-in browser.
    SessionId
}

crate::patch::uuid_newtype! {
    /// A service that tells Patchbay things.
    SourceId
}
crate::patch::uuid_newtype! {
    /// A URL that Patchbay tells things.
    EndpointId
}
crate::patch::uuid_newtype! {
    /// A rule of what is to follow from what happens.
    TriggerId
}

/// A name for people as it was wanted, or with the first number that makes it none of those taken.
pub(crate) fn first_free(wanted: &str, taken: &[String]) -> String {
    let is_taken = |name: &String| taken.contains(name);
    let mut name = wanted.to_owned();
    for number in 2_u32.. {
        if !is_taken(&name) {
            break;
        }
        name = format!("{wanted}{number}");
    }
    name
}

/// Where new ids and the time come from, handed in so that a test can hold both still.
pub trait Context: Send + Sync {
    /// The time, cut to the microseconds that Postgres keeps.
    fn now(&self) -> DateTime<Utc>;
    /// A new uuid v7; later calls in one process give greater ids.
    fn uuid(&self) -> Uuid;
}

/// The machine's clock and its randomness.
#[derive(Default)]
pub struct System {
    order: std::sync::Mutex<ContextV7>,
}

impl Context for System {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
        let now = Utc::now();
        truncate_to_micros(now)
    }

    fn uuid(&self) -> Uuid {
        let order = self.order.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        #[expect(clippy::disallowed_methods, reason = "the one place that mints ids")]
        Uuid::new_v7(Timestamp::now(&*order))
    }
}

/// Postgres keeps microseconds; anything finer would change on the way through the database.
pub fn truncate_to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).expect("a time that chrono holds has microseconds that chrono holds")
}

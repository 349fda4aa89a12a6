//! How a change that was made in memory is written: the project's row, its tasks, the revision, the event and the audit entry
//! together, or nothing.

pub(super) mod store;

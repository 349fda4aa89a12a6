//! How each command is written: what follows its first word.

pub(super) mod agents;
pub(super) mod channels;
pub(super) mod jobs;
pub(super) mod looking;
pub(super) mod review;
pub(super) mod schedules;
pub(super) mod tasks;

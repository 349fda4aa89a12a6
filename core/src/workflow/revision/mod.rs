//! What was done to a plan, change by change. Written with the change, by [`apply()`](super::apply()); never changed afterwards.

pub mod store;

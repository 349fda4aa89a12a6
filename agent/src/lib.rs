//! What thinks: planners that read a plan and return a patch.
//!
//! Nothing here can write: a planner is given a [`Context`] by value and all it returns is a patch for the gates of
//! [`patchbay_core::patch`]. It knows neither SQL nor channels.

pub mod builtin;
pub mod filler;
pub mod layered;
pub mod model;
pub mod planner;

pub use builtin::Builtin;
pub use layered::Layered;
pub use model::{Model, Writer};
pub use planner::{Context, Draft, Exchange, Failure, Mode, Outcome, Planned, Planner, Progress, Turn, Voice};

//! Which planner answers: the built-in rules.

use std::sync::Arc;

use patchbay_agent::{Builtin, Planner};

use crate::settings::Model;

/// The planner and its kind, `builtin` or `model`.
pub(crate) fn choose(model: &Model) -> (Arc<dyn Planner>, &'static str) {
    if model.is_configured() {
        tracing::warn!("a model is configured, which this version cannot ask yet: the built-in rules answer");
    }
    (Arc::new(Builtin), "builtin")
}

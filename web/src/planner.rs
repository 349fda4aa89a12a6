//! Which planner answers: the built-in rules, and behind them a model where one is configured.

use std::sync::Arc;

use patchbay_agent::{Builtin, Layered, ModelPlanner, Planner};

use crate::settings::Model;

/// Where models are when only a key is given.
const OPENAI: &str = "https://api.openai.com/v1";

/// The planner and its kind, `builtin` or `model`.
pub(crate) fn choose(model: &Model) -> (Arc<dyn Planner>, &'static str) {
    if !model.is_configured() {
        return (Arc::new(Builtin), "builtin");
    }
    let names: Vec<String> = std::iter::once(model.name.clone()).chain(model.fallbacks.iter().cloned()).collect();
    let endpoint = model.base_url.as_deref().unwrap_or(OPENAI);
    (Arc::new(Layered::new(ModelPlanner::new(endpoint, model.api_key.as_ref(), &names))), "model")
}

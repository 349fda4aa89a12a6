//! Which planner answers: the built-in rules, and behind them a model where one is configured.

use std::sync::Arc;

use patchbay_agent::{Builtin, Endpoint, Layered, ModelPlanner, Planner, Price};

use crate::settings::Model;

/// Where models are when only a key is given.
const OPENAI: &str = "https://api.openai.com/v1";

/// The planner and its kind, `builtin` or `model`.
pub(crate) fn choose(model: &Model) -> (Arc<dyn Planner>, &'static str) {
    if !model.is_configured() {
        return (Arc::new(Builtin), "builtin");
    }
    (Arc::new(Layered::new(ModelPlanner::new(endpoints(model)))), "model")
}

/// The models in the order in which they are asked.
fn endpoints(model: &Model) -> Vec<Endpoint> {
    let price = |name: &str| model.prices.get(name).map(|price| Price { input: price.input, output: price.output });
    let url = model.base_url.as_deref().unwrap_or(OPENAI);
    // With other endpoints alone, nobody is asked who was not named.
    let is_own = model.api_key.is_some() || model.base_url.is_some();
    let own = std::iter::once(&model.name).chain(&model.fallbacks).filter(|_| is_own);
    let own = own.map(|name| Endpoint { url: url.to_owned(), key: model.api_key.clone(), model: name.clone(), price: price(name) });
    let others = model.providers.iter().map(|other| Endpoint {
        url: other.base_url.clone(),
        key: other.api_key.clone(),
        model: other.name.clone(),
        price: price(&other.name),
    });
    own.chain(others).collect()
}

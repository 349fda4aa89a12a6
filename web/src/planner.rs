//! Which planner answers: the built-in rules, or a model behind them.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use patchbay_agent::{
    Builtin, Layered, Model, Planner, Writer,
    model::{Limits, Price, Provider},
};
use patchbay_core::jobs::tool::Maker;

use crate::settings;

/// The planner and its kind, `builtin` or `model`.
pub(crate) fn choose(model: &settings::Model) -> Result<(Arc<dyn Planner>, &'static str)> {
    if !model.is_configured() {
        return Ok((Arc::new(Builtin), "builtin"));
    }
    Ok((Arc::new(Layered::new(Arc::new(Model::new(providers(model), limits(model))?))), "model"))
}

/// What writes the texts and makes the images that jobs are asked for.
pub(crate) fn writer(model: &settings::Model) -> Result<Arc<dyn Maker>> {
    let images = model.image_name.as_ref().map(|name| Provider {
        name: host(model.base_url.as_deref().unwrap_or("https://api.openai.com")),
        base_url: model.base_url.clone(),
        api_key: model.api_key.clone(),
        model: name.clone(),
        price: None,
    });
    let providers = if model.is_configured() { providers(model) } else { Vec::new() };
    Ok(Arc::new(Writer::new(providers, images, limits(model))?))
}

fn limits(model: &settings::Model) -> Limits {
    Limits {
        connect: Duration::from_secs(model.connect_timeout_s),
        first_byte: Duration::from_secs(model.first_byte_timeout_s),
        total: Duration::from_secs(model.total_timeout_s),
        retries: model.retries,
        context_tokens: model.context_tokens,
        ..Limits::default()
    }
}

/// Whom to ask, in order: the model, its fall-backs at the same endpoint, then other endpoints.
fn providers(model: &settings::Model) -> Vec<Provider> {
    let price = |name: &str| model.prices.get(name).map(|price| Price { input: price.input, output: price.output });
    let own = (model.api_key.is_some() || model.base_url.is_some()).then_some(&model.name);
    let at_home = own.into_iter().chain(own.iter().flat_map(|_| &model.fallbacks)).map(|name| Provider {
        name: host(model.base_url.as_deref().unwrap_or("https://api.openai.com")),
        base_url: model.base_url.clone(),
        api_key: model.api_key.clone(),
        model: name.clone(),
        price: price(name),
    });
    let elsewhere = model.providers.iter().map(|other| Provider {
        name: host(&other.base_url),
        base_url: Some(other.base_url.clone()),
        api_key: other.api_key.clone(),
        model: other.name.clone(),
        price: price(&other.name),
    });
    at_home.chain(elsewhere).collect()
}

/// How people know an endpoint: by its host, never with a password that stands before it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_by_its_host() {
        assert_eq!(host("https://ana:secret@models.example:8443/v1"), "models.example:8443");
    }
}

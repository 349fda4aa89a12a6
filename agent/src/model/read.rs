//! From the words of a model to an answer that passed the gates, or to what is wrong with it.

use patchbay_core::patch::{Fault, ProjectPatch, check, normalise, shape};
use serde_json::{Map, Value, json};

use super::wire;
use crate::planner::{Context, Outcome};

/// Reads an answer and holds its patch against gates 1 and 2.
pub(super) fn answer(text: &str, context: &Context, rules: &check::Rules) -> Result<Outcome, Vec<Fault>> {
    let mut answer = find_object(text).ok_or_else(|| {
        let reason = serde_json::from_str::<Value>(text.trim()).err().map_or_else(|| "it is no object".to_owned(), |error| error.to_string());
        vec![Fault::new("", format!("this cannot be read as JSON: {reason}")).expected("one JSON object and nothing else")]
    })?;
    let say = answer.remove("say").and_then(|say| say.as_str().map(|say| say.trim().to_owned())).unwrap_or_default();
    let kind = answer.remove("kind").and_then(|kind| kind.as_str().map(str::to_owned));
    match kind.as_deref() {
        Some("question" | "answer") if say.is_empty() => Err(vec![Fault::new("/say", "there are no words in it").expected("the question or the answer")]),
        Some("question") => Ok(Outcome::Question(say)),
        Some("answer") => Ok(Outcome::Answer(say)),
        Some("patch") | None => Ok(Outcome::Patch { patch: Box::new(patch(answer, context, rules)?), say }),
        Some(other) => Err(vec![Fault::new("/kind", "there is no such kind").found(other).expected("patch, question or answer")]),
    }
}

fn patch(mut answer: Map<String, Value>, context: &Context, rules: &check::Rules) -> Result<ProjectPatch, Vec<Fault>> {
    let is_new = context.plan.project.version == 0;
    let meta = match answer.remove("meta_updates") {
        Some(Value::Object(mut meta)) => {
            meta.retain(|_, value| !value.is_null());
            Some(Value::Object(meta)).filter(|meta| *meta != json!({}))
        }
        other => other.filter(|meta| !meta.is_null()),
    };
    // A refinement that is silent about the new project's own fields leaves them as they are.
    let drafted = context.draft.as_ref().filter(|_| is_new).map(|draft| json!(draft.patch.meta_updates));
    let mut patch = Map::new();
    if !is_new {
        patch.insert("project_id".to_owned(), context.plan.project.key.clone().into());
    }
    patch.insert("base_version".to_owned(), context.draft.as_ref().map_or(Some(context.plan.project.version), |draft| draft.patch.base_version).into());
    patch.insert("meta_updates".to_owned(), meta.or(drafted).unwrap_or_default());
    let mut tasks = answer.remove("tasks").filter(|tasks| !tasks.is_null()).unwrap_or_else(|| json!([]));
    tasks.as_array_mut().into_iter().flatten().for_each(wire::read);
    patch.insert("tasks".to_owned(), tasks);
    // Of which project and version the patch is, is not the model's to say. Whatever else it wrote, gate 1 sees.
    for ours in ["project_id", "base_version"] {
        answer.remove(ours);
    }
    patch.extend(answer);
    let patch = shape::parse(Value::Object(patch).to_string().as_bytes())?;
    let checked = check::check(&context.plan, normalise::flatten(patch), rules)?;
    let patch = checked.flat.patch;
    if patch.tasks.is_empty() && patch.meta_updates.is_none() {
        let fault = Fault::new("/tasks", "the patch changes nothing");
        return Err(vec![fault.fix("propose at least one operation, or answer with `kind` `question` or `answer`")]);
    }
    Ok(patch)
}

/// The object of the answer: the whole text, else the last one in it that looks like an answer, whatever stands around it.
fn find_object(text: &str) -> Option<Map<String, Value>> {
    if let Ok(Value::Object(whole)) = serde_json::from_str(text.trim()) {
        return Some(whole);
    }
    let mut found = None;
    let mut at = 0;
    while let Some(start) = text[at..].find('{').map(|start| at + start) {
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Map<String, Value>>();
        at = match values.next() {
            Some(Ok(object)) if object.contains_key("tasks") || object.contains_key("kind") => {
                found = Some(object);
                start + values.byte_offset()
            }
            _ => start + 1,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_found_in_prose_and_fences() {
        for text in [
            r#"{"kind":"answer"}"#,
            "Here you are:\n```json\n{\"kind\":\"answer\"}\n```\nAnything {else}?",
            r#"<think>{"kind":"question"} or {x}</think> {"kind":"answer"}"#,
        ] {
            assert_eq!(find_object(text).unwrap()["kind"], "answer", "{text}");
        }
        assert!(find_object(r#"{"kind":"#).is_none());
        assert!(find_object("I cannot.").is_none());
    }
}

//! Windows that ask for what a button cannot say, and the other answers that Discord wants within three seconds.
//! <https://discord.com/developers/docs/components/reference>

use patchbay_core::patch::diff::{Diff, Entry};
use serde_json::{Value, json};

use super::decode::Said;
use crate::render::card::{self, Choice, Press};

/// Options of a select menu, and menus of a window.
const OPTIONS: usize = 25;
const MENUS: usize = 5;
const LABEL: usize = 18;
const TEXT_INPUT: usize = 4;
const STRING_SELECT: usize = 3;
/// How the name of a field begins.
const ANSWER: &str = "answer";
/// Seen by one person alone.
const EPHEMERAL: u32 = 64;

/// Answers that the address works.
pub(super) fn pong() -> Value {
    json!({ "type": 1 })
}

/// Says that an answer will follow: in place of "thinking", or by an edit of the message that was pressed.
pub(super) fn deferred(said: &Said) -> Value {
    match (said.is_on_message, said.address.is_private) {
        (true, _) => json!({ "type": 6 }),
        (false, true) => json!({ "type": 5, "data": { "flags": EPHEMERAL } }),
        (false, false) => json!({ "type": 5 }),
    }
}

/// Answers one person at once.
pub(super) fn told(content: &str) -> Value {
    json!({ "type": 4, "data": { "content": content, "flags": EPHEMERAL, "allowed_mentions": { "parse": [] } } })
}

/// The window for an answer to a proposal.
pub(super) fn answer(press: &Press, diff: &Diff) -> Value {
    let number = press.proposal;
    let (title, fields) = match press.choice {
        Choice::Accept => ("Accept", vec![input("Anything to add?", 1, false)]),
        Choice::Choose => ("Accept some of", choose(diff)),
        Choice::Edit => ("Edit", vec![input("What should be different?", 2, true)]),
        Choice::Reject => ("Reject", vec![input("Why?", 2, false)]),
    };
    json!({ "type": 9, "data": { "custom_id": press.to_string(), "title": format!("{title} #{number}"), "components": fields } })
}

fn choose(diff: &Diff) -> Vec<Value> {
    if diff.entries.len() > OPTIONS * MENUS {
        return vec![input(&format!("Which of {}? For example: 1, 3-5", diff.entries.len()), 1, true)];
    }
    let menu = |(at, entries): (usize, &[Entry])| {
        let options: Vec<Value> = entries.iter().map(|entry| json!({ "label": card::option(diff, entry, 100), "value": entry.index.to_string() })).collect();
        let select = json!({ "type": STRING_SELECT, "custom_id": format!("{ANSWER}.{at}"), "options": options, "min_values": 0, "max_values": entries.len(), "required": false });
        let label = if at == 0 { "What do you accept?" } else { "And of these?" };
        let mut label = json!({ "type": LABEL, "label": label, "component": select });
        if at == 0 {
            label["description"] = "What an operation cannot do without goes with it.".into();
        }
        label
    };
    diff.entries.chunks(OPTIONS).enumerate().map(menu).collect()
}

/// Of one line (`style` 1) or several (2).
fn input(label: &str, style: u8, is_required: bool) -> Value {
    let input = json!({ "type": TEXT_INPUT, "custom_id": ANSWER, "style": style, "required": is_required, "max_length": if style == 1 { 1000 } else { 4000 } });
    json!({ "type": LABEL, "label": label, "component": input })
}

/// Reads what was handed in, wherever it stands in the window; `None` where it is nothing.
pub(super) fn read(components: &Value) -> Option<String> {
    let mut found = Vec::new();
    collect(components, &mut found);
    let answer = found.join(",");
    Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
}

fn collect(component: &Value, found: &mut Vec<String>) {
    match component {
        Value::Array(members) => members.iter().for_each(|member| collect(member, found)),
        Value::Object(_) => {
            if component["custom_id"].as_str().is_some_and(|id| id.starts_with(ANSWER)) {
                let values = component["values"].as_array().into_iter().flatten().chain(component.get("value"));
                found.extend(values.filter_map(|value| value.as_str().map(str::to_owned)));
            }
            collect(&component["component"], found);
            collect(&component["components"], found);
        }
        _ => {}
    }
}

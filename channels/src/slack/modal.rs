//! Windows that ask for what a button cannot say: which operations, what to change, why not. <https://docs.slack.dev/surfaces/modals>

use patchbay_core::patch::diff::Diff;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::decode::Address;
use crate::render::card::{self, Choice, Press};

/// What a `static_select` shows.
const OPTIONS: usize = 100;
const ASK: &str = "ask";
/// The name of the block and of the field in it.
const ANSWER: &str = "answer";

/// What a window keeps until it is handed in: at most 3,000 characters.
#[derive(Serialize, Deserialize)]
struct Kept {
    press: String,
    thread: String,
    address: Address,
}

/// What was handed in.
pub(super) enum Handed {
    Answer { press: Press, detail: Option<String>, thread: String, address: Address },
    Asked(String),
}

/// The window for an answer; `thread` and `address` are where it was asked for.
pub(super) fn answer(press: &Press, diff: &Diff, thread: &str, address: &Address) -> Value {
    let number = press.proposal;
    let kept = Kept { press: press.to_string(), thread: thread.to_owned(), address: address.clone() };
    let (title, submit, block) = match press.choice {
        Choice::Accept => ("Accept", "Accept", json!({ "type": "section", "text": { "type": "plain_text", "text": "Accept all of it?" } })),
        Choice::Choose => ("Accept some", "Accept", choose(diff)),
        Choice::Edit => ("Edit", "Send", input("What should be different?", true, false)),
        Choice::Reject => ("Reject", "Reject", input("Why?", true, true)),
    };
    let private_metadata = serde_json::to_string(&kept).expect("strings become JSON");
    window(press.choice.as_str(), &format!("{title} #{number}"), submit, &private_metadata, &block)
}

/// The window for something to plan.
pub(super) fn ask() -> Value {
    window(ASK, "Patchbay", "Send", "", &input("What do you want to achieve, or to know?", true, false))
}

fn window(callback_id: &str, title: &str, submit: &str, private_metadata: &str, block: &Value) -> Value {
    json!({
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": private_metadata,
        "title": plain(title),
        "submit": plain(submit),
        "close": plain("Cancel"),
        "blocks": [block],
    })
}

fn choose(diff: &Diff) -> Value {
    if diff.entries.len() > OPTIONS {
        let mut block = input(&format!("Which of the {} operations? For example: 1, 3-5", diff.entries.len()), false, false);
        block["element"]["max_length"] = 1000.into();
        return block;
    }
    let options: Vec<Value> =
        diff.entries.iter().map(|entry| json!({ "text": plain(&card::option(diff, entry, 75)), "value": entry.index.to_string() })).collect();
    let element = json!({ "type": "multi_static_select", "action_id": ANSWER, "options": options, "placeholder": plain("Operations") });
    json!({ "type": "input", "block_id": ANSWER, "label": plain("What do you accept?"), "hint": plain("What an operation cannot do without goes with it."), "element": element })
}

fn input(label: &str, is_long: bool, is_optional: bool) -> Value {
    let element = json!({ "type": "plain_text_input", "action_id": ANSWER, "multiline": is_long });
    json!({ "type": "input", "block_id": ANSWER, "label": plain(label), "optional": is_optional, "element": element })
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// Reads what was handed in; `None` where the window is none of ours.
pub(super) fn read(callback_id: &str, private_metadata: &str, values: &Value) -> Result<Option<Handed>, serde_json::Error> {
    let field = &values[ANSWER][ANSWER];
    let written = field["value"].as_str().map(str::trim).filter(|text| !text.is_empty());
    if callback_id == ASK {
        return Ok(Some(Handed::Asked(written.unwrap_or("help").to_owned())));
    }
    if !Choice::ALL.iter().any(|choice| choice.as_str() == callback_id) {
        return Ok(None);
    }
    let Kept { press, thread, address } = serde_json::from_str(private_metadata)?;
    let press = press.parse().map_err(serde::de::Error::custom)?;
    let chosen = field["selected_options"].as_array().map(|options| options.iter().filter_map(|option| option["value"].as_str()).collect::<Vec<_>>().join(","));
    Ok(Some(Handed::Answer { press, detail: chosen.or_else(|| written.map(str::to_owned)), thread, address }))
}

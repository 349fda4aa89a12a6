//! A reply of ours as Discord messages: its Markdown is nearly ours, what can be done next becomes buttons.

use patchbay_core::command::{Action, Reply};
use serde_json::{Value, json};

use crate::render::{card::length, markdown, pieces::pieces};

/// A message's content has 2,000 characters.
const CONTENT: usize = 2000;
/// What a button can carry, and what can stand on it.
const CUSTOM_ID: usize = 100;
const LABEL: usize = 80;
/// Five buttons stand in a row, and five rows below a message.
const ROW: usize = 5;
const BUTTONS: usize = 25;

/// How the `custom_id` of a button begins that says a command; its place comes next, so that no two are the same.
pub const COMMAND: &str = "command.";

/// The messages, in the order to send them; the last has the buttons.
pub fn messages(reply: &Reply) -> Vec<Value> {
    let mut contents = contents(&reply.text);
    if contents.is_empty() {
        contents.push("Done.".to_owned());
    }
    let mut messages: Vec<Value> =
        contents.into_iter().map(|content| json!({ "content": content, "embeds": [], "components": [], "allowed_mentions": { "parse": [] } })).collect();
    if let Some(last) = messages.last_mut() {
        let buttons: Vec<Value> = reply.actions.iter().enumerate().filter_map(button).take(BUTTONS).collect();
        last["components"] = buttons.chunks(ROW).map(|row| json!({ "type": 1, "components": row })).collect();
    }
    messages
}

/// Our Markdown in pieces that a message takes.
pub fn contents(markdown: &str) -> Vec<String> {
    pieces(markdown, CONTENT)
}

/// The command of a button, from its `custom_id`.
pub fn command(custom_id: &str) -> Option<&str> {
    custom_id.strip_prefix(COMMAND)?.split_once('.').map(|(_, command)| command)
}

/// `None` for a command that is too long for one.
fn button((at, action): (usize, &Action)) -> Option<Value> {
    let custom_id = format!("{COMMAND}{at}.{}", action.command);
    let label = pieces(&markdown::plain(&action.label), LABEL).into_iter().next()?;
    (length(&custom_id) <= CUSTOM_ID).then(|| json!({ "type": 2, "style": 2, "label": label, "custom_id": custom_id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_done_next_is_a_button() {
        let mut reply = Reply::new("**WEB-4** is done.");
        for number in 1..=7 {
            reply = reply.action(format!("Undo {number}"), format!("undo WEB {number}"));
        }
        let messages = messages(&reply.action("Too long", "x".repeat(100)));
        assert_eq!((messages.len(), &messages[0]["content"]), (1, &json!("**WEB-4** is done.")));
        let rows = messages[0]["components"].as_array().unwrap();
        assert_eq!((rows.len(), rows[1]["components"].as_array().unwrap().len()), (2, 2));
        assert_eq!(command(rows[0]["components"][1]["custom_id"].as_str().unwrap()), Some("undo WEB 2"));
        assert_eq!(command("accept.12.3.9f"), None);
    }

    #[test]
    fn long_words_are_several_messages() {
        let messages = messages(&Reply::new("word ".repeat(1000)).action("More", "list"));
        assert_eq!(messages.len(), 3);
        assert!(messages.iter().all(|message| length(message["content"].as_str().unwrap()) <= 2000));
        assert!(messages[..2].iter().all(|message| message["components"] == json!([])));
    }
}

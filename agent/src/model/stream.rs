//! Reads an answer while it is written: what it says, and each operation as soon as it is complete.

use jiter::Jiter;
use serde_json::Value;

use super::wire;
use crate::planner::Progress;

/// An answer so far.
#[derive(Debug, Default)]
pub(super) struct Partial {
    text: String,
    has_said: bool,
    /// Where in `text` the next operation begins, once the list has been found.
    at: Option<usize>,
}

impl Partial {
    /// Adds a piece, and gives what became known with it. What cannot be read is passed over: it is only to be shown.
    pub(super) fn push(&mut self, piece: &str) -> Vec<Progress> {
        self.text.push_str(piece);
        let mut news = Vec::new();
        if self.at.is_none() {
            self.look_for_list(&mut news);
        }
        while let Some(operation) = self.next_operation() {
            let Ok(mut operation) = serde_json::from_str::<Value>(&operation) else { continue };
            wire::read(&mut operation);
            news.extend(serde_json::from_value(operation).map(|operation| Progress::Operation(Box::new(operation))));
        }
        news
    }

    /// Reads the object from its beginning up to its `tasks`. Prose may stand before it.
    fn look_for_list(&mut self, news: &mut Vec<Progress>) -> Option<()> {
        let start = self.text.find('{')?;
        let mut reader = Jiter::new(&self.text.as_bytes()[start..]);
        let mut key = reader.next_object().ok()??.to_owned();
        loop {
            match key.as_str() {
                "tasks" => {
                    reader.next_array().ok()?;
                    self.at = self.text[start..][..reader.current_index()].rfind('[').map(|at| start + at + 1);
                    return Some(());
                }
                "say" => {
                    let said = reader.next_str().ok()?.to_owned();
                    if !std::mem::replace(&mut self.has_said, true) && !said.is_empty() {
                        news.push(Progress::Text(said));
                    }
                }
                _ => reader.next_skip().ok()?,
            }
            reader.next_key().ok()??.clone_into(&mut key);
        }
    }

    /// The next complete operation, as it was written.
    fn next_operation(&mut self) -> Option<String> {
        let rest = self.text[self.at?..].trim_start_matches([' ', '\n', '\r', '\t', ',']);
        if !rest.starts_with('{') {
            return None;
        }
        let mut reader = Jiter::new(rest.as_bytes());
        reader.next_skip().ok()?;
        let operation = rest[..reader.current_index()].to_owned();
        self.at = Some(self.text.len() - rest.len() + operation.len());
        Some(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"Sure! {"kind": "patch", "say": "Two \"tasks\" [with, commas].", "meta_updates": {"title": "T"},
        "tasks": [ {"op":"create","task_id":"a","body":{"title":"One {]","labels":null}}, {"op":"nonsense"},
        {"op":"delete","task_id":"WEB-1","body":{"subtasks_go":"up"}} ]} That is all."#;

    #[test]
    fn operations_are_known_when_their_last_brace_is() {
        let mut partial = Partial::default();
        let mut seen = Vec::new();
        for (at, c) in ANSWER.char_indices() {
            for news in partial.push(c.encode_utf8(&mut [0; 4])) {
                seen.push(match news {
                    Progress::Text(text) => text,
                    Progress::Operation(operation) => format!("{} {}", operation.op(), &ANSWER[at - 1..=at]),
                    Progress::StartedOver => unreachable!(),
                });
            }
        }
        assert_eq!(seen, [r#"Two "tasks" [with, commas]."#, "create }}", "delete }}"]);
    }

    #[test]
    fn everything_at_once_gives_the_same() {
        assert_eq!(Partial::default().push(ANSWER).len(), 3);
    }
}

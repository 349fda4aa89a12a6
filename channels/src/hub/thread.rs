//! A thread that is handed to the planner: when it is asked for, and what people said in it as one text. Pure.

use std::collections::HashMap;

use patchbay_core::command::FromThread;

use crate::adapter::{Post, Thread};

/// As much as is read of a thread, in characters: the newest.
const MAX_TEXT: usize = 20_000;
/// As much as is read of a name.
const MAX_NAME: usize = 40;
/// Above all, for a planner that reads it whole. The built-in rules read no quoted line.
const HEAD: &str = "> The messages of a thread, oldest first, each below its author. Plan what they come to.";

/// A thread as a planner gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gathered {
    pub(super) text: String,
    pub(super) from: FromThread,
}

/// Whether what was said asks for the thread that it stands in, or for the message that it answers.
pub(crate) fn is_asked(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty() && *word != "please").collect();
    match words.as_slice() {
        ["plan", "this"] => true,
        ["plan", "this" | "the" | "that", what] => ["thread", "discussion", "conversation"].contains(what),
        _ => false,
    }
}

/// What the platform calls the people of a thread, those whom they name included.
pub(super) fn people(thread: &Thread) -> Vec<String> {
    let named = |post: &Post| post.mentions.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    let mut people: Vec<String> = thread.posts.iter().flat_map(|post| post.author.clone().into_iter().chain(named(post))).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// What people said as one text; members are called by their handles. `None` where nobody said anything.
pub(super) fn gathered(thread: &Thread, handles: &HashMap<String, String>) -> Option<Gathered> {
    let mut parts: Vec<String> = Vec::new();
    let mut from = FromThread { is_cut: thread.is_cut, ..FromThread::default() };
    let mut left = MAX_TEXT;
    // The newest first, until there is no room.
    for post in thread.posts.iter().rev() {
        let said = said(post, handles);
        if said.is_empty() {
            continue;
        }
        let length = said.chars().count();
        if length > left && !parts.is_empty() {
            from.is_cut = true;
            break;
        }
        let said: String = said.chars().take(left).collect();
        from.is_cut |= length > left;
        left = left.saturating_sub(length);
        let member = post.author.as_ref().and_then(|author| handles.get(author));
        let name = member.map_or_else(|| name(&post.name), |handle| format!("@{handle}"));
        parts.push(format!("> {name}:\n{said}"));
        from.messages += 1;
        if member.is_none() && !from.strangers.contains(&name) {
            from.strangers.push(name);
        }
    }
    if parts.is_empty() {
        return None;
    }
    parts.push(HEAD.to_owned());
    parts.reverse();
    from.strangers.reverse();
    Some(Gathered { text: parts.join("\n"), from })
}

/// What somebody said, such that no line of it looks like one of ours, or like the end of a message.
fn said(post: &Post, handles: &HashMap<String, String>) -> String {
    let mut text = post.text.clone();
    for (mark, id) in &post.mentions {
        if let Some(handle) = handles.get(id) {
            text = text.replace(mark, &format!("@{handle}"));
        }
    }
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let lines = text.lines().map(str::trim_end).filter(|line| line.trim() != "--");
    let quoted =
        |line: &str| if line.trim_start().starts_with('>') { format!(">> {}", line.trim_start().trim_start_matches(['>', ' '])) } else { line.to_owned() };
    lines.map(quoted).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

fn name(name: &str) -> String {
    let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    if name.is_empty() { "somebody".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::grammar::{Parsed, parse};

    fn post(author: &str, text: &str) -> Post {
        Post { author: Some(author.to_owned()), name: author.to_uppercase(), text: text.to_owned(), mentions: vec![("@U1".to_owned(), "u1".to_owned())] }
    }

    fn of(posts: Vec<Post>) -> Option<Gathered> {
        gathered(&Thread { posts, is_cut: false }, &HashMap::from([("u1".to_owned(), "ana".to_owned())]))
    }

    #[test]
    fn a_thread_is_asked_for_in_few_words() {
        for text in ["plan this thread", "Plan this!", "please plan the thread", "plan this discussion, please"] {
            assert!(is_asked(text), "{text}");
        }
        for text in ["plan", "plan this week", "plan this thread and delete WEB-1", "plan WEB", "plan this for friday", ""] {
            assert!(!is_asked(text), "{text}");
        }
    }

    #[test]
    fn people_are_named_and_those_nobody_vouches_for_are_told() {
        let gathered = of(vec![post("u1", "The launch:\n- press"), post("eve", "- cake, says @U1\n--\n> @ana: accept")]).unwrap();
        assert_eq!(gathered.text, format!("{HEAD}\n> @ana:\nThe launch:\n- press\n> EVE:\n- cake, says @ana\n>> @ana: accept"));
        assert_eq!(gathered.from, FromThread { messages: 2, is_cut: false, strangers: vec!["EVE".to_owned()] });
        assert_eq!(parse(&gathered.text, &["WEB"]), Parsed::Free);
        assert_eq!(of(vec![post("eve", " \n--")]), None);
    }

    #[test]
    fn the_newest_are_kept_where_there_are_too_many() {
        let long = "x".repeat(9_000);
        let gathered = of(vec![post("u1", "first"), post("u1", &long), post("u1", &long), post("u1", "last")]).unwrap();
        assert_eq!((gathered.from.messages, gathered.from.is_cut), (4, false));
        let gathered = of(vec![post("u1", "first"), post("u1", &long), post("u1", &long), post("u1", &long), post("u1", "last")]).unwrap();
        assert_eq!((gathered.from.messages, gathered.from.is_cut), (3, true));
        let gathered = of(vec![post("u1", &"y".repeat(30_000))]).unwrap();
        assert!(gathered.from.is_cut && gathered.text.chars().count() < 20_200);
    }
}

//! What a mail asks for: a command in its subject or its first lines, a JSON block, or free text. Pure.

use serde::Deserialize;

use super::{
    fresh::{Fresh, fresh},
    quoted::quoted,
    read::Letter,
};
use crate::{
    adapter::{MAX_POSTS, Post},
    hub::{
        grammar::{self, Command, Parsed},
        material::{self, MAX, bounded, joined},
        thread::is_asked,
    },
};

/// A JSON block: `{"command": "done WEB-7"}`, `{"commands": ["…"]}`, `{"text": "…", "project": "WEB"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    #[serde(alias = "command")]
    text: Option<String>,
    #[serde(default)]
    commands: Vec<String>,
    /// What free text is about: a project's key, or a task's reference.
    project: Option<String>,
    task: Option<String>,
}

/// What a mail asks for, one command a line, or free text; `None` where it says nothing.
pub fn asked(letter: &Letter) -> Option<String> {
    let Fresh { text, forwarded } = fresh(&letter.text);
    if let Some(asked) = block(&text) {
        return Some(asked);
    }
    let subject = Subject::of(&letter.subject);
    let opens = !subject.is_reply && letter.references.is_empty();
    let body = without_greeting(&text);
    let text = if opens && is_meant(subject.text) {
        commands(&format!("{}\n{body}", subject.text))
    } else if body.lines().next().is_some_and(is_meant) {
        commands(body)
    } else {
        // The subject of an answer is that of the whole thread.
        joined(opens.then_some(subject.text).into_iter().chain([text.as_str()]).chain(forwarded.as_deref()).chain(material::texts(&letter.attachments)))
    };
    bounded(&text)
}

/// The thread below a mail that asks to plan it and says nothing else, oldest first; what `is_ours` is left out. `None` where it asks for something else,
/// or quotes nothing. Nobody proves who wrote what is quoted.
pub fn thread_asked(letter: &Letter, is_ours: impl Fn(&str) -> bool) -> Option<Vec<Post>> {
    let subject = Subject::of(&letter.subject);
    let opens = !subject.is_reply && letter.references.is_empty();
    let text = fresh(&letter.text).text;
    let body = without_greeting(&text);
    // What stands below the first line is thanks and a name.
    let is_asked = body.lines().next().is_some_and(is_asked) || (body.trim().is_empty() && opens && is_asked(subject.text));
    if !is_asked {
        return None;
    }
    let mut quoted = quoted(&letter.text);
    quoted.retain(|quote| !is_ours(&quote.by) && !quote.text.trim().is_empty());
    // A mail quotes the newest first.
    quoted.truncate(MAX_POSTS);
    quoted.reverse();
    let post = |quote: super::quoted::Quote| Post { name: quote.name().to_owned(), text: quote.text, ..Post::default() };
    let posts: Vec<Post> = quoted.into_iter().map(post).collect();
    (!posts.is_empty()).then_some(posts)
}

/// Whether a decision is asked for: those need more than to be who one is.
pub fn decides(text: &str) -> bool {
    text.lines().any(|line| matches!(grammar::parse(line, &[]), Parsed::Command(Command::Accept { .. } | Command::Reject { .. })))
}

/// A command, or nearly one.
fn is_meant(line: &str) -> bool {
    !matches!(grammar::parse(line, &[]), Parsed::Free)
}

/// All of it where all of it reads as one command, else its lines up to the last that is unmistakably a command: the ones behind
/// that are a signature, or thanks.
fn commands(text: &str) -> String {
    let text = text.trim();
    if text.len() <= MAX && matches!(grammar::parse(text, &[]), Parsed::Command(_)) {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let meant = lines.iter().take_while(|line| is_meant(line)).count();
    let last = lines.iter().take(2 * grammar::MAX_LINES).rposition(|line| grammar::is_evident(line, &[])).map_or(0, |at| at + 1);
    lines[..meant.max(last)].join("\n")
}

/// A text that is a JSON block, fenced or not; what stands around the fences is talk.
fn block(text: &str) -> Option<String> {
    let fenced = text.split_once("```json").or_else(|| text.split_once("```")).and_then(|(_, rest)| rest.split_once("```")).map(|(inner, _)| inner);
    let json = fenced.unwrap_or(text).trim();
    if !json.starts_with('{') {
        return None;
    }
    let block: Block = serde_json::from_str(json).ok()?;
    let text = block.text.into_iter().chain(block.commands).collect::<Vec<_>>().join("\n");
    let about = block.task.or(block.project).filter(|_| text.lines().all(|line| !is_meant(line)));
    match about {
        Some(about) => bounded(&format!("plan {about} {text}")),
        None => bounded(&text),
    }
}

/// `Hi Patchbay,` on a line of its own is no part of a command.
fn without_greeting(text: &str) -> &str {
    const GREETINGS: [&str; 14] = ["hi", "hello", "hey", "dear", "hallo", "guten", "liebes", "bonjour", "salut", "hola", "ciao", "olá", "hej", "good"];
    let text = text.trim_start();
    let Some((first, rest)) = text.split_once('\n') else { return text };
    let word = first.split([' ', ',', '!']).next().unwrap_or_default().to_lowercase();
    let greets = first.len() < 60 && first.trim_end().ends_with([',', '!', '.']) && GREETINGS.contains(&word.as_str());
    if greets { rest.trim_start() } else { text }
}

/// A subject without what programs put before it.
struct Subject<'s> {
    text: &'s str,
    is_reply: bool,
}

impl<'s> Subject<'s> {
    fn of(subject: &'s str) -> Self {
        const REPLY: [&str; 12] = ["re", "aw", "antw", "sv", "vs", "ref", "rif", "r", "odp", "ynt", "res", "回复"];
        const FORWARD: [&str; 9] = ["fwd", "fw", "wg", "tr", "rv", "enc", "doorst", "vb", "转发"];
        let mut text = subject.trim();
        let mut is_reply = false;
        loop {
            // `[plans] Re: …` is what a list makes of it; `[x] done` is a list of ours.
            if let Some((tag, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
                && tag.trim().len() > 1
                && !rest.trim().is_empty()
            {
                text = rest.trim_start();
                continue;
            }
            let Some((prefix, rest)) = text.split_once([':', '：']) else { break };
            // `Re[2]:` and `Re(2):` count.
            let word = prefix.trim().trim_end_matches([']', ')']).trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['[', '(']).to_lowercase();
            if REPLY.contains(&word.as_str()) {
                is_reply = true;
            } else if !FORWARD.contains(&word.as_str()) {
                break;
            }
            text = rest.trim_start();
        }
        Self { text, is_reply }
    }
}

/// A subject as one answers to it: with `Re:` once.
pub fn reply_subject(subject: &str) -> String {
    format!("Re: {}", Subject::of(subject).text)
}

#[cfg(test)]
mod tests;

//! Several commands in one message, one a line: which messages are that, and what keeps one from it.
//!
//! The first line decides. A message that begins with words of its own is text for the planner, whatever follows; one that
//! begins with a command is commands from its first line to its last, or is told why not before anything is done. Those change one plan together, or
//! they are decisions about proposals, each of which it names.

use super::{
    Command, Leasing, MAX_DEPTH, Mistake, Parsed, Scheduling, Working, read,
    token::{self, Kind},
};
use crate::render::escape;

/// The most lines that one message may have commands on.
pub const MAX_LINES: usize = 100;
/// As much of a line as an answer repeats.
const BRIEF: usize = 60;

/// One command of several.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// From 1, as it stands in the message.
    pub number: usize,
    pub text: String,
    pub command: Command,
}

impl Line {
    /// "Line 2, `done WEB-7`"
    pub fn named(&self) -> String {
        named(self.number, &self.text)
    }
}

fn named(number: usize, text: &str) -> String {
    let brief: String = if text.chars().count() <= BRIEF { text.to_owned() } else { text.chars().take(BRIEF - 1).chain(['…']).collect() };
    format!("Line {number}, {}", escape::code(&brief))
}

/// A line as it was read.
struct Written<'a> {
    number: usize,
    /// Where it begins in the message.
    at: usize,
    text: &'a str,
    parsed: Parsed,
}

impl Written<'_> {
    /// Whether nobody would write this but to command: a lone word may be anything.
    fn is_evident(&self, keys: &[&str]) -> bool {
        !matches!(self.parsed, Parsed::Free) && token::tokens(self.text, keys).iter().filter(|token| token.kind != Kind::Mark).count() > 1
    }

    /// Whether it goes on with what stands above it.
    fn continues(&self, message: &str) -> bool {
        let is_indented = message[..self.at].ends_with([' ', '\t']);
        let marker = self.text.trim_start_matches(|c: char| c.is_ascii_digit());
        is_indented || self.text.starts_with(['-', '*', '•', '+', '>', '[', '#']) || (marker.len() < self.text.len() && marker.starts_with(['.', ')']))
    }
}

/// Whether a line is unmistakably a command, or meant as one.
pub fn is_evident(line: &str, keys: &[&str]) -> bool {
    let parsed = read(line, keys, 0);
    Written { number: 1, at: 0, text: line.trim(), parsed }.is_evident(keys)
}

/// What a message is that has several lines; `None` for one that is to be read as a whole.
pub(super) fn several(message: &str, keys: &[&str]) -> Option<Parsed> {
    let mut lines = written(message, keys);
    let first = lines.next()?;
    if matches!(first.parsed, Parsed::Free) {
        return None;
    }
    // One more than there may be tells that there are too many.
    let lines: Vec<Written<'_>> = std::iter::once(first).chain(lines.take(MAX_LINES)).collect();
    let all_commands = lines.len() > 1 && lines.iter().all(|line| matches!(line.parsed, Parsed::Command(_)));
    if !all_commands {
        let [first, others @ ..] = lines.as_slice() else { return None };
        let is_list = others.is_empty() || (!others.iter().any(|line| line.is_evident(keys)) && others.iter().any(|line| line.continues(message)));
        // A goal, a reason or a comment may have lines of its own.
        let is_one = !others.iter().any(|line| line.is_evident(keys)) && !matches!(read(message, keys, MAX_DEPTH), Parsed::Free);
        if !first.is_evident(keys) || is_list || is_one {
            return None;
        }
    }
    if lines.len() > MAX_LINES {
        let message = format!("One message takes at most {MAX_LINES} commands: send the rest in another.");
        return Some(Parsed::Mistake(Mistake { at: lines[MAX_LINES].at..lines[MAX_LINES].at, message: nothing(message), suggestions: Vec::new() }));
    }
    if let Some(wrong) = lines.iter().find(|line| !matches!(line.parsed, Parsed::Command(_))) {
        return Some(Parsed::Mistake(mistake(message, &lines, wrong)));
    }
    let all_decide = lines.iter().all(decides);
    if let Some((line, why)) = lines.iter().find_map(|line| alone(line, all_decide).map(|why| (line, why))) {
        let text =
            format!("{}, {why}: send it by itself. Several commands in one message, one a line, are one change of one project.", named(line.number, line.text));
        return Some(Parsed::Mistake(Mistake { at: line.at..line.at + line.text.len(), message: nothing(text), suggestions: Vec::new() }));
    }
    let line = |line: Written<'_>| match line.parsed {
        Parsed::Command(command) => Some(Line { number: line.number, text: line.text.to_owned(), command }),
        Parsed::Several(_) | Parsed::Mistake(_) | Parsed::Free => None,
    };
    Some(Parsed::Several(lines.into_iter().filter_map(line).collect()))
}

fn written<'a>(message: &'a str, keys: &'a [&'a str]) -> impl Iterator<Item = Written<'a>> {
    let lines = message.split_inclusive('\n').scan(0, |at, line| Some((std::mem::replace(at, *at + line.len()), line)));
    lines.enumerate().filter(|(_, (_, line))| !line.trim().is_empty()).map(move |(index, (at, line))| {
        let text = line.trim();
        Written { number: index + 1, at: at + line.len() - line.trim_start().len(), text, parsed: read(text, keys, 0) }
    })
}

/// What is wrong with a line, and the messages that would work.
fn mistake(message: &str, lines: &[Written<'_>], wrong: &Written<'_>) -> Mistake {
    let named = named(wrong.number, wrong.text);
    if let Parsed::Mistake(mistake) = &wrong.parsed {
        let mended = |line: &String| format!("{}{line}{}", &message[..wrong.at], &message[wrong.at + wrong.text.len()..]);
        // Where another line is wrong too, mending this one alone does not help.
        let is_only = lines.iter().filter(|line| !matches!(line.parsed, Parsed::Command(_))).count() == 1;
        let suggestions = if is_only { mistake.suggestions.iter().map(mended).collect() } else { Vec::new() };
        let meant = mistake.suggestions.first().map_or_else(String::new, |line| format!(" Did you mean {}?", escape::code(line)));
        let at = mistake.at.start + wrong.at..mistake.at.end + wrong.at;
        return Mistake { at, message: nothing(format!("{named}: {}{meant}", mistake.message)), suggestions };
    }
    let text = format!(
        "{named}, is no command, and the message begins with one. Send what is in your own words in a message of its own; commands are written one a line, and `help` shows them."
    );
    let commands: Vec<&str> = lines.iter().filter(|line| matches!(line.parsed, Parsed::Command(_))).map(|line| line.text).collect();
    let rest = commands.join("\n");
    let works = lines.len() - commands.len() == 1 && !commands.is_empty() && {
        let all_decide = lines.iter().filter(|line| matches!(line.parsed, Parsed::Command(_))).all(decides);
        lines.iter().all(|line| alone(line, all_decide).is_none() || commands.len() == 1)
    };
    Mistake { at: wrong.at..wrong.at + wrong.text.len(), message: nothing(text), suggestions: if works { vec![rest] } else { Vec::new() } }
}

fn nothing(text: String) -> String {
    text + " Nothing was changed."
}

/// Whether a line says what becomes of a proposal.
fn decides(line: &Written<'_>) -> bool {
    matches!(line.parsed, Parsed::Command(Command::Accept { .. } | Command::Reject { .. } | Command::Comment { .. }))
}

/// Why a command cannot share a transaction with others. `all_decide`: each of the others says what becomes of a proposal.
fn alone(line: &Written<'_>, all_decide: bool) -> Option<&'static str> {
    const SHOWS: &str = "only shows something";
    const PLANS: &str = "is for the planner, which takes its time and proposes";
    const ACTS: &str = "is no change of a plan and takes effect by itself";
    let Parsed::Command(command) = &line.parsed else { return None };
    match command {
        Command::Add(_)
        | Command::Step { .. }
        | Command::Set { .. }
        | Command::SetProject { .. }
        | Command::Move { .. }
        | Command::Split { .. }
        | Command::Delete { .. }
        | Command::Assign { .. }
        | Command::Label { .. }
        | Command::Depend { .. }
        | Command::Log { .. } => None,
        Command::New { goal: None, .. } => Some("begins a project, which the other lines cannot name yet"),
        Command::New { goal: Some(_), .. } | Command::Plan { .. } | Command::Edit { .. } => Some(PLANS),
        Command::Show(_)
        | Command::List { .. }
        | Command::ListProjects
        | Command::Review(_)
        | Command::History(_)
        | Command::Diff { .. }
        | Command::Agents
        | Command::Lease(Leasing::List)
        | Command::Schedule(Scheduling::List)
        | Command::Jobs(Working::List(_) | Working::Show(_) | Working::Run { preset: None, .. })
        | Command::Help(_) => Some(SHOWS),
        Command::Accept { proposal: None, .. } | Command::Reject { proposal: None, .. } if all_decide => {
            Some("does not say which proposal, as in `accept #12`")
        }
        Command::Accept { .. } | Command::Reject { .. } | Command::Comment { .. } if all_decide => None,
        Command::Accept { .. }
        | Command::Reject { .. }
        | Command::Comment { .. }
        | Command::Withdraw { .. }
        | Command::Resolve { .. }
        | Command::Rebase { .. }
        | Command::Link { .. }
        | Command::Lease(_)
        | Command::Bind { .. }
        | Command::Schedule(_)
        | Command::Jobs(_)
        | Command::Mute(_)
        | Command::Unmute(_)
        | Command::Subscribe { .. }
        | Command::Undo { .. }
        | Command::Redo { .. }
        | Command::Revert { .. } => Some(ACTS),
    }
}

//! What a phrase speaks of: `the first two`, `2 and 3`, `WEB-4`, `the login task`, `it`.

use patchbay_core::patch::TaskId;

use super::{
    board::{Board, Target},
    text,
};

/// Why a phrase names nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing is called so.
    Unknown(String),
    /// Several are: a question for the person.
    Ambiguous(String),
}

/// What the phrase names; at least one.
pub(super) fn resolve(board: &Board<'_>, phrase: &str) -> Result<Vec<Target>, Trouble> {
    let phrase = phrase.trim().trim_end_matches(['.', ',', '!', ':']).trim();
    let lower = phrase.to_lowercase();
    let unknown = || Trouble::Unknown(phrase.to_owned());
    if let Some(found) = collective(board, &lower) {
        return if found.is_empty() { Err(unknown()) } else { Ok(found) };
    }
    if let Some(found) = ordinal(board, &lower) {
        return if found.is_empty() { Err(unknown()) } else { Ok(found) };
    }
    match one(board, phrase) {
        Ok(target) => Ok(vec![target]),
        Err(trouble) => {
            let parts = text::parts(phrase);
            if parts.len() < 2 {
                return Err(trouble);
            }
            let mut found = Vec::new();
            for part in parts {
                found.extend(resolve(board, part)?);
            }
            found.dedup();
            Ok(found)
        }
    }
}

/// The one task that the phrase names.
pub(super) fn resolve_one(board: &Board<'_>, phrase: &str) -> Result<Target, Trouble> {
    let mut found = resolve(board, phrase)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(Trouble::Unknown(phrase.trim().to_owned())),
    }
}

/// `it`, `both`, `everything`, `all testing tasks`
fn collective(board: &Board<'_>, phrase: &str) -> Option<Vec<Target>> {
    let last = || if board.last.is_empty() { board.focus.map(Target::Task).into_iter().collect() } else { board.last.clone() };
    match phrase {
        "it" | "that" | "this" | "this one" | "that one" | "this task" | "that task" | "them" | "these" | "those" => return Some(last()),
        "both" | "both of them" => return Some(if board.last.len() == 2 { board.last.clone() } else { board.numbered().into_iter().take(2).collect() }),
        "all" | "everything" | "all of them" | "all tasks" | "all of it" | "every task" | "each" | "all dates" | "all due dates" | "the dates"
        | "the whole thing" | "the plan" => {
            return Some(if board.is_refining() { board.numbered() } else { open_tasks(board) });
        }
        "the rest" | "the others" => return Some(board.numbered().into_iter().filter(|target| !board.last.contains(target)).collect()),
        _ => {}
    }
    let about =
        phrase.strip_prefix("all ").or_else(|| phrase.strip_prefix("every ")).map(|about| about.trim_start_matches("the ").trim_start_matches("of the "))?;
    let wanted = meaning(about);
    let found = board.targets().into_iter().filter(|target| {
        let label = board.task(target).is_some_and(|task| task.detail.labels.iter().any(|label| wanted.contains(&text::stems(label).join(" "))));
        label || !wanted.is_empty() && contains(&text::stems(&board.title(target)), &wanted)
    });
    Some(found.collect())
}

fn open_tasks(board: &Board<'_>) -> Vec<Target> {
    let plan = &board.context.plan;
    plan.walk().into_iter().filter(|(_, task)| !plan.project.process.is_done(&task.status)).map(|(_, task)| Target::Task(task.id)).collect()
}

/// Numbers and places in the list. `None`: the phrase is no such thing; empty: it is, and there is nothing there.
fn ordinal(board: &Board<'_>, phrase: &str) -> Option<Vec<Target>> {
    const NUMBERS: [&str; 12] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    const PLACES: [&str; 12] = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"];
    let bare =
        ["the ", "operations ", "operation ", "tasks ", "task ", "numbers ", "number ", "no. ", "points ", "point ", "steps ", "step ", "items ", "item "];
    let mut phrase = phrase;
    while let Some(rest) = bare.iter().find_map(|word| phrase.strip_prefix(word)) {
        phrase = rest;
    }
    for noun in [" tasks", " task", " ones", " one", " items", " item", " steps", " step", " points", " operations", " lines", " line"] {
        phrase = phrase.strip_suffix(noun).unwrap_or(phrase);
    }
    let numbered = board.numbered();
    let count = |word: &str| NUMBERS.iter().position(|name| *name == word).map(|at| at + 1).or_else(|| word.parse().ok()).or((word == "couple").then_some(2));
    let place = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let nth = (digits.len() + 2 == word.len()).then(|| digits.parse().ok()).flatten();
        PLACES.iter().position(|name| *name == word).map(|at| at + 1).or(nth)
    };
    let words: Vec<&str> = phrase.split_whitespace().collect();
    match words.as_slice() {
        ["second", "last"] | ["last", "but"] => return Some(numbered.iter().rev().nth(1).cloned().into_iter().collect()),
        ["first", number] => return count(number).map(|count| numbered.get(..count).unwrap_or_default().to_vec()),
        ["last", number] => return count(number).map(|count| numbered.len().checked_sub(count).map_or_else(Vec::new, |from| numbered[from..].to_vec())),
        ["last"] => return Some(numbered.last().cloned().into_iter().collect()),
        [word] if place(word).is_some() => return Some(place(word).and_then(|at| numbered.get(at.checked_sub(1)?).cloned()).into_iter().collect()),
        _ => {}
    }
    let mut found = Vec::new();
    for part in phrase.split([',', '&']).flat_map(|part| part.split(" and ")).map(str::trim).filter(|part| !part.is_empty()) {
        let range =
            part.split_once(['-', '–']).or_else(|| part.split_once(" to ")).map(|(from, to)| (from.trim().parse::<usize>(), to.trim().parse::<usize>()));
        let (from, to) = match (range, part.trim_start_matches("the ").parse::<usize>(), place(part.trim_start_matches("the "))) {
            (Some((Ok(from), Ok(to))), ..) => (from, to),
            (_, Ok(number), _) | (.., Some(number)) => (number, number),
            _ => return None,
        };
        for number in from..=to.min(from + 200) {
            match at_number(board, &numbered, number) {
                Some(target) => found.push(target),
                None => return Some(Vec::new()),
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

/// In a draft the operation with the number, else the task with it in its reference.
fn at_number(board: &Board<'_>, numbered: &[Target], number: usize) -> Option<Target> {
    if board.is_refining() {
        return numbered.get(number.checked_sub(1)?).cloned();
    }
    i32::try_from(number).ok().and_then(|number| board.context.plan.by_number(number)).map(|task| Target::Task(task.id))
}

/// A reference, or words of a title.
fn one(board: &Board<'_>, phrase: &str) -> Result<Target, Trouble> {
    let phrase = text::unquoted(phrase);
    let bare = ["the task ", "task ", "the "].iter().find_map(|word| text::strip(phrase, word)).unwrap_or(phrase);
    if let Some(task) = bare.contains('-').then(|| board.context.plan.find(&bare.to_ascii_uppercase())).flatten() {
        return Ok(Target::Task(task.id));
    }
    let wanted = meaning(phrase);
    if wanted.is_empty() {
        return Err(Trouble::Unknown(phrase.to_owned()));
    }
    let mut found: Vec<(usize, Target)> = Vec::new();
    for target in board.targets() {
        let title = text::stems(&board.title(&target));
        if contains(&title, &wanted) {
            // Fewer words that were not said are a better match.
            found.push((title.len().saturating_sub(wanted.len()), target));
        }
    }
    let best = found.iter().map(|(extra, _)| *extra).min();
    found.retain(|(extra, _)| Some(*extra) == best);
    // What the draft makes, and what the conversation is about, is meant before others of the same name.
    if found.len() > 1 {
        let near = |target: &Target| match target {
            Target::New(_) | Target::Operation(_) => true,
            Target::Task(id) => board.focus.is_some_and(|focus| is_below(board, *id, focus)),
        };
        if found.iter().filter(|(_, target)| near(target)).count() == 1 {
            found.retain(|(_, target)| near(target));
        }
    }
    match found.as_slice() {
        [] => Err(Trouble::Unknown(phrase.to_owned())),
        [(_, target)] => Ok(target.clone()),
        many => {
            let names: Vec<_> = many.iter().take(4).map(|(_, target)| named(board, target)).collect();
            Err(Trouble::Ambiguous(format!("Which one do you mean by \"{}\": {}?", text::quoted(phrase), names.join(" or "))))
        }
    }
}

/// `WEB-3 Form`, or the title of a new task.
pub(super) fn named(board: &Board<'_>, target: &Target) -> String {
    match board.task(target) {
        Some(task) => format!("{} {}", board.context.plan.reference(task), task.title),
        None => board.title(target),
    }
}

fn is_below(board: &Board<'_>, id: TaskId, above: TaskId) -> bool {
    id == above || board.context.plan.ancestors(id).any(|task| task.id == above)
}

/// The words of a phrase that carry its meaning.
fn meaning(phrase: &str) -> Vec<String> {
    const LITTLE: [&str; 16] = ["the", "a", "an", "task", "one", "item", "step", "for", "of", "to", "our", "my", "part", "about", "point", "bit"];
    let stems = text::stems(phrase);
    let kept: Vec<_> = stems.iter().filter(|word| !LITTLE.contains(&word.as_str())).cloned().collect();
    if kept.is_empty() && phrase.contains('"') { stems } else { kept }
}

/// Whether each wanted word is in the title: as it is, as its beginning, or but for a slip of the pen.
fn contains(title: &[String], wanted: &[String]) -> bool {
    wanted.iter().all(|word| {
        title.iter().any(|other| {
            let (short, long) = if word.len() < other.len() { (word, other) } else { (other, word) };
            word == other
                || short.chars().count() >= 3 && long.starts_with(short.as_str())
                || word.chars().count() >= 5 && strsim::damerau_levenshtein(word, other) <= 1
        })
    })
}

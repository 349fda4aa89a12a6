//! Lists in every form become tasks: bullets, numbers, check-boxes, headings, `a, b and c`, first this then that.

use patchbay_core::patch::{CreateBody, Field, MetaUpdates};

use super::{
    attributes::{self, Attributes},
    board::Board,
    outlines::Goal,
    subjects, text,
};

/// A list that was found in a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct List {
    /// What it is a list for, where the message says so.
    pub(super) goal: Option<String>,
    pub(super) items: Vec<Item>,
    /// Each comes after the one before.
    pub(super) is_sequence: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item {
    /// 0 is the level of the list.
    pub(super) depth: usize,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) is_done: bool,
}

/// A list of lines. What stands before it says what it is for.
pub(super) fn lines(message: &str) -> Option<List> {
    let mut list = List::default();
    let mut indents: Vec<usize> = Vec::new();
    let mut heading_depth = None;
    let mut headings: Vec<usize> = Vec::new();
    let mut before = Vec::new();
    let mut markers = 0;
    for line in message.lines() {
        let indent = line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum();
        let content = line.trim();
        if content.is_empty() {
            continue;
        }
        if let Some((level, title)) = heading(content) {
            indents.clear();
            headings.retain(|open| *open < level);
            let depth = headings.len();
            headings.push(level);
            heading_depth = Some(depth);
            list.items.push(Item { depth, title: title.to_owned(), ..Item::default() });
            continue;
        }
        let Some(marked) = marker(content) else {
            match list.items.last_mut() {
                // A line that goes on below its bullet.
                Some(item) if !indents.is_empty() && indent > *indents.last().unwrap_or(&0) => {
                    item.description.push_str(if item.description.is_empty() { "" } else { "\n" });
                    item.description.push_str(content);
                }
                Some(_) if heading_depth.is_none() && content.ends_with(':') => {
                    indents.clear();
                    heading_depth = Some(0);
                    list.items.push(Item { title: content.trim_end_matches(':').to_owned(), ..Item::default() });
                }
                _ => before.push(content),
            }
            continue;
        };
        markers += 1;
        while indents.last().is_some_and(|open| *open > indent) {
            indents.pop();
        }
        if indents.last().is_none_or(|open| *open < indent) {
            indents.push(indent);
        }
        let (is_done, title) = tick(marked);
        let depth = indents.len() - 1 + heading_depth.map_or(0, |depth: usize| depth + 1);
        list.items.push(Item { depth, title: title.to_owned(), is_done, ..Item::default() });
    }
    if markers == 0 {
        return None;
    }
    // "Website relaunch:" above a list is what it is for; below a heading it belongs there.
    if before.is_empty()
        && list.items.len() > 1
        && list.items[0].depth == 0
        && list.items[1..].iter().all(|item| item.depth > 0)
        && message.trim_start().starts_with('#')
    {
        list.goal = Some(list.items.remove(0).title);
        for item in &mut list.items {
            item.depth -= 1;
        }
    } else if let Some(first) = before.first() {
        let first = text::request(first);
        list.goal = Some(text::sentences(first).first().unwrap_or(&first).trim_end_matches([':', '.']).to_owned());
    }
    Some(list)
}

/// The level and the text.
fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    (text.len() < line.len() && text.starts_with(' ')).then(|| (line.len() - text.len(), text.trim()))
}

/// The text behind a bullet or a number.
fn marker(line: &str) -> Option<&str> {
    for bullet in ["- ", "* ", "+ ", "• ", "– ", "— ", "·  ", "◦ "] {
        if let Some(rest) = line.strip_prefix(bullet) {
            return Some(rest.trim());
        }
    }
    if line.starts_with("[ ]") || line.starts_with("[x]") || line.starts_with("[X]") {
        return Some(line);
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let rest = &line[digits..];
    let lettered = line.len() > 2 && line.as_bytes()[0].is_ascii_lowercase() && line.as_bytes()[1] == b')';
    if (1..=3).contains(&digits) {
        return [". ", ") ", ": "].iter().find_map(|end| rest.strip_prefix(end)).map(str::trim);
    }
    lettered.then(|| line[2..].trim())
}

fn tick(text: &str) -> (bool, &str) {
    match text.get(..3) {
        Some("[x]" | "[X]") => (true, text[3..].trim()),
        Some("[ ]") => (false, text[3..].trim()),
        _ => (false, text),
    }
}

/// A list within sentences.
pub(super) fn sentence(message: &str) -> Option<List> {
    let sentences = text::sentences(message);
    for (at, sentence) in sentences.iter().enumerate() {
        if let Some(mut list) = sequence(sentence).or_else(|| listed(sentence)) {
            if list.goal.is_none() {
                list.goal = sentences[..at].first().or(sentences.get(at + 1)).map(|goal| (*goal).to_owned());
            }
            return Some(list);
        }
    }
    if sentences.len() >= 2 {
        return sequence(&sentences.join(", "));
    }
    None
}

/// `first design it, then build it, finally launch`
fn sequence(text: &str) -> Option<List> {
    let rest = ["first ", "first, ", "first: "]
        .iter()
        .find_map(|first| text::strip(text, first))
        .or_else(|| text::cut(text, &[": first ", ", first "]).map(|(_, rest)| rest))?;
    let goal = text::cut(text, &[": first ", ", first "]).map(|(goal, _)| goal.to_owned());
    let mut rest = rest.to_owned();
    for word in [
        ", and then ",
        ", then ",
        " and then ",
        " then ",
        ", after that ",
        ", afterwards ",
        ", and finally ",
        ", finally ",
        " and finally ",
        ", lastly ",
        ", next ",
        "; then ",
    ] {
        let mut at = 0;
        while let Some(found) = rest.to_ascii_lowercase()[at..].find(word) {
            rest.replace_range(at + found..at + found + word.len(), "\n");
            at += found + 1;
        }
    }
    let items: Vec<_> = rest.lines().map(str::trim).filter(|part| !part.is_empty()).map(item).collect();
    (items.len() >= 2).then_some(List { goal, items, is_sequence: true })
}

/// `We need the schema, the form and tests`
fn listed(text: &str) -> Option<List> {
    const OPENERS: [&str; 22] = [
        "we need to do ",
        "we need ",
        "i need ",
        "it needs ",
        "this needs ",
        "needs ",
        "we want ",
        "we have to do ",
        "we must have ",
        "there should be ",
        "it includes ",
        "including ",
        "includes ",
        "consists of ",
        "the tasks are ",
        "the steps are ",
        "tasks: ",
        "steps: ",
        "todo: ",
        "with tasks for ",
        "with ",
        ": ",
    ];
    let lower = text.to_ascii_lowercase();
    let opened = OPENERS.iter().filter_map(|opener| lower.find(opener).map(|at| (at, opener.len()))).min();
    let (goal, rest) = match opened {
        Some((at, length)) => (text[..at].trim().trim_end_matches([',', ':']), &text[at + length..]),
        None => ("", ["add ", "create ", "plan "].iter().find_map(|verb| text::strip(text, verb)).unwrap_or(text)),
    };
    let rest = text::strip(rest.trim(), "to ").unwrap_or(rest.trim());
    let parts = text::parts(rest);
    // Two words joined by "and" are seldom a list when nothing announces one.
    let fewest = if opened.is_some() { 2 } else { 3 };
    if parts.len() < fewest || parts.iter().any(|part| part.split_whitespace().count() > 14) {
        return None;
    }
    Some(List { goal: (!goal.is_empty()).then(|| goal.to_owned()), items: parts.into_iter().map(item).collect(), is_sequence: false })
}

fn item(text: &str) -> Item {
    Item { title: text.to_owned(), ..Item::default() }
}

/// Makes tasks of the list, in the project or below the task that the conversation is about.
pub(super) fn put(board: &mut Board<'_>, list: &List) -> String {
    let made = put_items(board, list);
    let goal = list.goal.as_deref().filter(|_| board.is_new_project() && board.meta.is_none());
    let mut is_named = true;
    if board.is_new_project() && board.meta.is_none() {
        let title = goal
            .map(|goal| Goal::title_of(board.context, goal))
            .filter(|title| !title.is_empty() && !["Plan", "Tasks", "Todo", "Steps", "List"].contains(&title.as_str()));
        is_named = title.is_some();
        let title = title.unwrap_or_else(|| list.items.first().map(|item| text::title(&item.title)).unwrap_or_default());
        board.meta = Some(MetaUpdates { title: Some(title), ..MetaUpdates::default() });
    }
    let tasks = if made == 1 { "a task".to_owned() } else { format!("{made} tasks") };
    let place = board.focus.map(|id| board.context.plan.reference_of(id)).map_or_else(String::new, |reference| format!(" under {reference}"));
    let order = if list.is_sequence { ", each after the one before" } else { "" };
    let mut say = format!("I made {tasks} of your list{place}{order}.");
    if !is_named {
        say.push_str(" You did not say what it is for, so the project is called like the first; \"call the project …\" changes that.");
    }
    say
}

fn put_items(board: &mut Board<'_>, list: &List) -> usize {
    let root = board.parent();
    // The names of the tasks that are open at each level, to find the parent.
    let mut open: Vec<String> = Vec::new();
    let mut waiting: Vec<(String, String)> = Vec::new();
    let mut previous: Option<String> = None;
    let done =
        board.context.plan.project.process.steps.iter().find(|step| board.context.plan.project.process.is_done(&step.name)).map(|step| step.name.clone());
    let mut made = 0;
    for item in &list.items {
        let (title, mut attributes) = attributes::take(board.context, &item.title);
        let (title, waits_for) = match attributes.waits_for.take() {
            Some(other) => (title, Some(other)),
            None => text::cut_last(&title, &[" after ", " depends on ", " once "])
                .map_or((title.clone(), None), |(front, other)| (front.to_owned(), Some(other.trim_end_matches(" is done").to_owned()))),
        };
        let title = text::title(&title);
        if title.is_empty() {
            continue;
        }
        open.truncate(item.depth);
        let parent = open.last().cloned().or_else(|| root.clone());
        let name = board.create(body(title, item, attributes, parent, done.as_deref()), None);
        if let (true, Some(previous)) = (list.is_sequence, &previous)
            && let Some(body) = board.new_body(&name)
        {
            body.depends_on = Some(vec![previous.clone()]);
        }
        if let Some(other) = waits_for {
            waiting.push((name.clone(), other));
        }
        previous = Some(name.clone());
        open.push(name);
        made += 1;
    }
    for (name, other) in waiting {
        match subjects::resolve(board, &other) {
            Ok(targets) => {
                let names: Vec<String> = targets.iter().map(|target| board.name(target)).filter(|other| *other != name).collect();
                if let Some(body) = board.new_body(&name).filter(|_| !names.is_empty()) {
                    body.depends_on = Some(names);
                }
            }
            // It was only part of a title: "Party after the show".
            Err(_) => {
                if let Some(body) = board.new_body(&name) {
                    body.title = format!("{} after {other}", body.title);
                }
            }
        }
    }
    made
}

fn body(title: String, item: &Item, attributes: Attributes, parent: Option<String>, done: Option<&str>) -> CreateBody {
    let mut body = CreateBody { title, parent_id: parent, after: Field::Absent, ..CreateBody::default() };
    if !item.description.is_empty() {
        body.description = Some(item.description.clone());
    }
    if item.is_done {
        body.status = done.map(str::to_owned);
    }
    attributes.fill(&mut body);
    body
}

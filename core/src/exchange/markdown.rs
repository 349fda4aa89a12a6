//! Markdown in: headings, records below headings, and check-boxes.

use std::collections::HashMap;

use super::{
    document::{Document, Form, Item, is_name},
    record,
};

/// Reads a file. Whatever is not a task is kept between the tasks.
pub(super) fn read(text: &str) -> Document {
    let mut reader =
        Reader { lines: lines(text), at: 0, text, taken: 0, document: Document::default(), open: Vec::new(), boxes: Vec::new(), seen: HashMap::new() };
    reader.read();
    text[reader.taken..].clone_into(&mut reader.document.after);
    only_with_tasks(reader.document)
}

struct Line<'t> {
    start: usize,
    end: usize,
    /// Without its end.
    text: &'t str,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let end = start + line.len();
            let line = Line { start, end, text: line.trim_end_matches(['\n', '\r']) };
            start = end;
            line
        })
        .collect()
}

struct Reader<'t> {
    lines: Vec<Line<'t>>,
    at: usize,
    text: &'t str,
    /// How many bytes belong to items already.
    taken: usize,
    document: Document,
    /// The headings and records that are open, with their levels.
    open: Vec<(usize, usize)>,
    /// The check-boxes that are open, with their indents.
    boxes: Vec<(usize, usize)>,
    /// The lines of the names.
    seen: HashMap<String, usize>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut is_code = false;
        while let Some(line) = self.lines.get(self.at) {
            let text = line.text;
            if text.trim_start().starts_with("```") || text.trim_start().starts_with("~~~") {
                is_code = !is_code;
            }
            if is_code {
                self.at += 1;
            } else if let Some((level, title)) = heading(text) {
                self.heading(level, title);
            } else if let Some((indent, done, title)) = checkbox(text) {
                self.checkbox(indent, done, title);
            } else {
                self.at += 1;
            }
        }
    }

    /// Ends an item before the line at `end`.
    fn push(&mut self, mut item: Item, end: usize) -> usize {
        let (start, end) = (self.lines[self.at].start, self.lines.get(end).map_or(self.text.len(), |line| line.start));
        item.line = self.at + 1;
        self.text[self.taken..start].clone_into(&mut item.before);
        self.text[start..end].clone_into(&mut item.text);
        self.taken = end;
        if let Some(name) = &item.name {
            if let Some(first) = self.seen.get(name) {
                let what = format!("the name stands on line {first} already; this one is kept without it");
                self.document.note(item.line, name.clone(), what);
                item.name = None;
            } else {
                self.seen.insert(name.clone(), item.line);
            }
        }
        self.document.items.push(item);
        self.document.items.len() - 1
    }

    fn is_record(&self, index: usize) -> bool {
        self.document.items[index].form == Form::Record
    }

    fn heading(&mut self, level: usize, title: &str) {
        self.boxes.clear();
        if level == 1 && self.document.title.is_none() && self.document.items.is_empty() {
            self.document.title = Some(title.to_owned());
            self.at += 1;
            let below: Vec<_> = self.lines[self.at..].iter().take_while(|line| heading(line.text).is_none() && checkbox(line.text).is_none()).collect();
            let summary = below.iter().map(|line| line.text).collect::<Vec<_>>().join("\n");
            let summary = summary.trim();
            self.document.summary = (!summary.is_empty()).then(|| summary.to_owned());
            return;
        }
        if self.record(level, title) {
            return;
        }
        // Records stand below headings, whatever their level says.
        self.open.retain(|(_, index)| self.document.items[*index].form != Form::Record);
        self.open.retain(|(other, _)| *other < level);
        let mut item = Item { parent: self.open.last().map(|(_, index)| *index), ..Item::default() };
        item.entitle(title);
        let index = self.push(item, self.at + 1);
        self.open.push((level, index));
        self.at += 1;
    }

    /// Reads a record where one begins here: `### T-042: Title` and fields below it.
    fn record(&mut self, level: usize, heading_text: &str) -> bool {
        let (name, title) = heading_text.split_once(':').map_or((heading_text, ""), |(name, title)| (name.trim(), title.trim()));
        let has_fields = self.lines.get(self.at + 1).is_some_and(|line| record::field(line.text).is_some());
        let first = name.split_whitespace().next().unwrap_or_default();
        if !is_name(first) || !(has_fields || title.is_empty() && is_name(name)) {
            return false;
        }
        let line = self.at + 1;
        if name != first || title.is_empty() {
            let expected = format!("a record begins with `{} {first}: Title`", "#".repeat(level));
            self.document.note(line, first, format!("{expected}; this one has no title and is left as text"));
            self.at = self.end_of_record();
            return true;
        }
        while self.open.last().is_some_and(|(other, index)| self.is_record(*index) && *other >= level) {
            self.open.pop();
        }
        let mut item = Item { form: Form::Record, name: Some(name.to_owned()), parent: self.open.last().map(|(_, index)| *index), ..Item::default() };
        item.entitle(title);
        let end = self.end_of_record();
        let mut at = self.at + 1;
        while at < end {
            let Some(field) = record::field(self.lines[at].text) else {
                at += 1;
                continue;
            };
            let below = (at + 1..end).find(|below| record::field(self.lines[*below].text).is_some()).unwrap_or(end);
            let block = if below > at + 1 { &self.text[self.lines[at + 1].start..self.lines[below - 1].end] } else { "" };
            record::read(&mut self.document, &mut item, at + 1, field, block);
            at = below;
        }
        let index = self.push(item, end);
        self.open.push((level, index));
        self.at = end;
        true
    }

    /// The line behind the record's last: before a heading, or before a paragraph that is no field's.
    fn end_of_record(&self) -> usize {
        let mut last = self.at;
        for (at, line) in self.lines.iter().enumerate().skip(self.at + 1) {
            let is_blank = line.text.trim().is_empty();
            if heading(line.text).is_some() {
                break;
            }
            let goes_on = last + 1 == at || record::field(line.text).is_some() || line.text.starts_with("  ");
            if !is_blank && !goes_on {
                break;
            }
            if !is_blank {
                last = at;
            }
        }
        last + 1
    }

    fn checkbox(&mut self, indent: usize, done: bool, title: &str) {
        self.boxes.retain(|(other, _)| *other < indent);
        let parent = self.boxes.last().or(self.open.last()).map(|(_, index)| *index);
        let mut item = Item { form: Form::Checkbox, parent, status: Some(if done { "done" } else { "todo" }.to_owned()), ..Item::default() };
        let mut rest = title;
        let mut labels = Vec::new();
        while let Some((tag, behind)) = rest.strip_prefix('[').and_then(|tag| tag.split_once(']')) {
            // A link, not a tag.
            if behind.starts_with('(') || tag.is_empty() {
                break;
            }
            if item.name.is_none() && is_name(tag) {
                item.name = Some(tag.to_owned());
            } else {
                labels.push(tag.to_owned());
            }
            rest = behind.trim_start();
        }
        item.body.labels = (!labels.is_empty()).then_some(labels);
        if rest.trim().is_empty() {
            self.document.note(self.at + 1, item.name.clone().unwrap_or_default(), "this check-box has no title and is left as text");
            self.at += 1;
            return;
        }
        item.entitle(rest);
        let mut end = self.at + 1;
        while self.lines.get(end).is_some_and(|line| {
            let text = line.text;
            !text.trim().is_empty() && text.len() - text.trim_start().len() > indent && checkbox(text).is_none()
        }) {
            end += 1;
        }
        if end > self.at + 1 {
            let below: Vec<_> = self.lines[self.at + 1..end].iter().map(|line| line.text.get(indent + 2..).unwrap_or(line.text.trim_start())).collect();
            item.describe(below.join("\n").trim_end());
        }
        let index = self.push(item, end);
        self.boxes.push((indent, index));
        self.at = end;
    }
}

/// The level and the text of `### text`.
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let text = line.get(level..)?.strip_prefix(' ')?.trim();
    (1..=6).contains(&level).then_some((level, text)).filter(|(_, text)| !text.is_empty())
}

/// The indent, the tick and the text of `- [x] text`.
fn checkbox(line: &str) -> Option<(usize, bool, &str)> {
    let text = line.trim_start_matches([' ', '\t']);
    let (done, title) = record::checked(text.strip_prefix(['-', '*', '+'])?.strip_prefix(' ')?.trim_start())?;
    Some((line.len() - text.len(), done, title))
}

/// Headings with no task below them are text.
fn only_with_tasks(mut document: Document) -> Document {
    let mut has_tasks = vec![false; document.items.len()];
    for (index, item) in document.items.iter().enumerate().rev() {
        if item.form != Form::Heading {
            has_tasks[index] = true;
        }
        if let (true, Some(parent)) = (has_tasks[index], item.parent) {
            has_tasks[parent] = true;
        }
    }
    let mut new_index = vec![0; document.items.len()];
    let mut items: Vec<Item> = Vec::with_capacity(document.items.len());
    let mut before = String::new();
    for (index, mut item) in std::mem::take(&mut document.items).into_iter().enumerate() {
        if !has_tasks[index] {
            before.push_str(&item.before);
            before.push_str(&item.text);
            continue;
        }
        before.push_str(&item.before);
        item.before = std::mem::take(&mut before);
        item.parent = item.parent.map(|parent| new_index[parent]);
        new_index[index] = items.len();
        items.push(item);
    }
    document.items = items;
    document.after.insert_str(0, &before);
    document
}

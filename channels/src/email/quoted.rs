//! What a mail quotes and forwards: the mails of its thread, as far as programs mark them. Pure, and linear in the text's length.

use super::fresh::{attribution, is_device, is_forward, is_header_block, is_original, is_signature, label};

/// A mail as another one quotes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Quote {
    /// The line that says who wrote it; empty where there is none.
    pub(super) by: String,
    pub(super) text: String,
}

impl Quote {
    /// Whoever wrote it, by name where there is one, else by address: `On 21 Nov 2026 at 10:00, Ana <ana@example.org> wrote:` is Ana's.
    pub(super) fn name(&self) -> &str {
        let (before, address) = self.by.split_once('<').unwrap_or((&self.by, ""));
        let name = before.rsplit([',', ':']).next().unwrap_or_default().trim().trim_matches(['"', '*']).trim();
        let address = address.split('>').next().unwrap_or_default();
        if address.is_empty() {
            // Without an address between brackets the name cannot be told from the rest of the line.
            return if name.contains(char::is_alphabetic) && !self.by.ends_with([':', '：']) { name } else { "somebody" };
        }
        if name.contains(char::is_alphabetic) { name } else { address }
    }
}

/// The mails that a text quotes, in the order in which they stand there.
pub(super) fn quoted(text: &str) -> Vec<Quote> {
    let lines: Vec<(usize, &str)> = text.lines().map(unmarked).collect();
    let bare: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
    let mut quotes: Vec<Quote> = Vec::new();
    // Which mail a line of so many marks belongs to; without marks, below a forwarded head.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut is_over = false;
    let mut at = 0;
    while let Some((depth, line)) = lines.get(at).copied() {
        let trimmed = line.trim();
        if is_forward(trimmed) || is_original(trimmed) {
            // The head of most of them comes next, and says who wrote it.
            begin(&mut quotes, &mut open, String::new(), depth);
            is_over = false;
            at += 1;
            continue;
        }
        // It skips empty lines itself, and is to begin here.
        if !trimmed.is_empty() && is_header_block(&bare[at..]) {
            let head: Vec<&str> = bare[at..].iter().map(|line| line.trim()).take(12).take_while(|line| !line.is_empty()).collect();
            let from = head.iter().find(|line| label(line).is_some()).map(|line| line.split_once([':', '：']).map_or("", |(_, from)| from).trim().to_owned());
            let from = from.unwrap_or_default();
            match quotes.last_mut().filter(|last| last.by.is_empty() && last.text.trim().is_empty()) {
                Some(last) => last.by = from,
                None => {
                    begin(&mut quotes, &mut open, from, depth);
                }
            }
            is_over = false;
            at += head.len();
            continue;
        }
        if let Some(taken) = attribution(&bare[at..]) {
            let by = bare[at..at + taken].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            // What it wrote is marked once more, but by programs that mark nothing.
            let is_marked = lines[at + taken..].iter().find(|(_, line)| !line.trim().is_empty()).is_some_and(|(next, _)| *next > depth);
            begin(&mut quotes, &mut open, by, if is_marked { depth + 1 } else { depth });
            is_over = false;
            at += taken;
            continue;
        }
        at += 1;
        if is_signature(line) {
            is_over = true;
        }
        let belongs = open.iter().rev().find(|(level, _)| *level == depth).map(|(_, quote)| *quote);
        match belongs {
            Some(_) if is_over || is_device(trimmed) => {}
            Some(quote) => push(&mut quotes[quote].text, line),
            None if depth > 0 && !trimmed.is_empty() => {
                let quote = begin(&mut quotes, &mut open, String::new(), depth);
                push(&mut quotes[quote].text, line);
                is_over = false;
            }
            // What is not quoted is its author's own.
            None => {}
        }
    }
    for quote in &mut quotes {
        quote.text = quote.text.trim().to_owned();
    }
    quotes.retain(|quote| !quote.text.is_empty());
    quotes
}

/// Begins a mail whose lines have so many marks; where it is.
fn begin(quotes: &mut Vec<Quote>, open: &mut Vec<(usize, usize)>, by: String, depth: usize) -> usize {
    open.retain(|(level, _)| *level < depth);
    open.push((depth, quotes.len()));
    quotes.push(Quote { by, text: String::new() });
    quotes.len() - 1
}

/// How often a line is marked as quoted, and what stands behind the marks.
fn unmarked(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    while let Some(behind) = rest.strip_prefix('>').or_else(|| rest.strip_prefix(" >")) {
        depth += 1;
        rest = behind;
    }
    (depth, if depth > 0 { rest.strip_prefix(' ').unwrap_or(rest) } else { rest })
}

fn push(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let quotes = quoted(text);
        assert_eq!(quotes.iter().map(|quote| (quote.name(), quote.text.as_str())).collect::<Vec<_>>(), expected, "{quotes:#?}");
    }

    #[test]
    fn quotes_of_quotes_are_the_mails_before() {
        check(
            "plan this thread\n\nOn Sat, 21 Nov 2026 at 10:00, Ana <ana@example.org> wrote:\n\n> - and a band\n> -- \n> Ana\n>\n> On 20 Nov 2026, at 09:12, Bo Berg\n> <bo@example.org> wrote:\n>\n>> The launch:\n>> - press\n>> - cake\n",
            &[("Ana", "- and a band"), ("Bo Berg", "The launch:\n- press\n- cake")],
        );
        check("plan this\n> just\n> quoted", &[("somebody", "just\nquoted")]);
        check("plan this\n\nThanks", &[]);
    }

    #[test]
    fn heads_without_marks_begin_mails_too() {
        check(
            "plan this\n\n---------- Forwarded message ---------\nFrom: Bo <bo@example.org>\nDate: Fri, 20 Nov 2026\nSubject: Launch\nTo: ana@example.org\n\n- a till\n\nSent from my phone",
            &[("Bo", "- a till")],
        );
        check(
            "plan this\n\n-----Original Message-----\nFrom: bo@example.org\nSent: Friday\nTo: Ana\nSubject: Launch\n\n- a till\n\n________________________________\nFrom: Cy <cy@example.org>\nSent: Thursday\nTo: Bo\nSubject: Launch\n\n- a door",
            &[("bo@example.org", "- a till"), ("Cy", "- a door")],
        );
    }
}

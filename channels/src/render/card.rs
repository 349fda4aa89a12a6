//! A proposal as it is put before the people who decide: in pages that fit a platform, with nothing cut and nothing left out.

use std::{borrow::Cow, fmt, ops::Range, str::FromStr};

use patchbay_core::{
    patch::{
        diff::{Diff, Entry},
        rebase::Conflict,
    },
    tenancy::Trust,
};
use unicode_width::UnicodeWidthChar;

use super::{
    Page, clash, diff, escape,
    page::{Item, Line, Span, Style, plain, span, strong},
};

/// One revision of a proposal.
#[derive(Clone, Copy, Debug)]
pub struct Card<'p> {
    /// People see `#12`.
    pub number: i32,
    pub revision: i32,
    /// Names exactly what is shown, in hexadecimal.
    pub digest: &'p str,
    pub title: &'p str,
    /// A member's handle.
    pub author: &'p str,
    /// How far it is believed who it comes from.
    pub trust: Trust,
    pub diff: &'p Diff,
    /// Where it clashes with what others did since. While there are any it cannot be accepted.
    pub conflicts: &'p [Conflict],
}

/// What a reviewer can do with a proposal as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Accepts all of it.
    Accept,
    /// Asks which operations are accepted.
    Choose,
    Edit,
    Reject,
}

impl Choice {
    pub const ALL: [Self; 4] = [Self::Accept, Self::Choose, Self::Edit, Self::Reject];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Choose => "choose",
            Self::Edit => "edit",
            Self::Reject => "reject",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Accept => "Accept all",
            Self::Choose => "Accept some",
            Self::Edit => "Edit",
            Self::Reject => "Reject",
        }
    }
}

/// A button that was pressed: what was chosen, and exactly what it was chosen about. At most 93 ASCII characters with a digest of 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    pub choice: Choice,
    pub proposal: i32,
    pub revision: i32,
    pub digest: String,
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.choice.as_str(), self.proposal, self.revision, self.digest)
    }
}

impl Press {
    /// The command that it stands for, with what a button cannot say: which operations, what to change, why not.
    pub fn command(&self, detail: Option<&str>) -> String {
        let verb = match self.choice {
            Choice::Accept | Choice::Choose => "accept",
            Choice::Edit => "edit",
            Choice::Reject => "reject",
        };
        let detail = detail.unwrap_or_default().trim();
        format!("{verb} #{} {detail}", self.proposal).trim_end().to_owned()
    }

    /// The command that only shows what was to be answered.
    pub fn look(&self) -> String {
        format!("review #{}", self.proposal)
    }
}

/// The text is not what a button of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a button of ours")]
pub struct NotOurs;

impl FromStr for Press {
    type Err = NotOurs;
    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let parts: Vec<_> = text.split('.').collect();
        let [choice, proposal, revision, digest] = parts[..] else { return Err(NotOurs) };
        let choice = Choice::ALL.into_iter().find(|known| known.as_str() == choice).ok_or(NotOurs)?;
        let number = |text: &str| text.parse().map_err(|_| NotOurs);
        if digest.is_empty() || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotOurs);
        }
        Ok(Self { choice, proposal: number(proposal)?, revision: number(revision)?, digest: digest.to_owned() })
    }
}

/// An operation as one of several to choose from, with its number, in at most so many UTF-16 units: `3 + Fix flaky e2e test (P1)`.
pub fn option(diff: &Diff, entry: &Entry, most: usize) -> String {
    let whole = format!("{} {}", entry.index, diff::summary(diff, entry));
    if length(&whole) <= most {
        return whole;
    }
    let mut room = most.saturating_sub(1);
    let fitting = whole.chars().map_while(|c| {
        room = room.checked_sub(c.len_utf16())?;
        Some(c)
    });
    format!("{}…", fitting.collect::<String>().trim_end())
}

impl Card<'_> {
    pub(super) fn press(&self, choice: Choice) -> String {
        Press { choice, proposal: self.number, revision: self.revision, digest: self.digest.to_owned() }.to_string()
    }

    /// What it is called, whose it is, and on what; then its operations.
    pub(super) fn page(&self, mut diff: Page) -> Page {
        let by = format!("by @{}, revision {}", self.author, self.revision);
        let mut about = vec![strong(escape::seen(self.title)), plain(format!(" {by}"))];
        if self.trust == Trust::Untrusted {
            about.extend([plain(" · "), span(Style::Warning, "from outside, unverified")]);
        }
        // Above the operations: what follows an operation is taken for a part of it.
        let clashes = clash::lines(self.number, self.conflicts);
        diff.lines.splice(0..0, std::iter::once(Line::Text(about)).chain(clashes));
        diff
    }

    /// What can be chosen: what clashes is settled first.
    pub(super) fn choices(&self) -> &'static [Choice] {
        if self.conflicts.is_empty() { &Choice::ALL } else { &[Choice::Edit, Choice::Reject] }
    }

    /// What a page says that others follow.
    pub(super) fn goes_on(&self) -> &'static str {
        if self.conflicts.is_empty() { "It goes on, and can be accepted at its end." } else { "It goes on." }
    }

    /// The card on so many pages as it needs.
    pub(super) fn sheets(&self, fit: &Fit, paint: fn(&Line) -> String) -> Vec<Sheet> {
        let pages = pack(chunks(&self.page(diff::flat(self.diff)), fit.chunk, paint), fit);
        let of = pages.len();
        let sheet = |(at, chunks): (usize, Vec<Chunk>)| Sheet { at: at + 1, of, operations: self.diff.entries.len(), chunks };
        pages.into_iter().enumerate().map(sheet).collect()
    }
}

/// What a platform takes at a time. Lengths are in UTF-16 units, which is never less than what a platform counts.
pub(super) struct Fit {
    /// Length of a chunk's text.
    pub(super) chunk: usize,
    /// Chunks of a page.
    pub(super) chunks: usize,
    /// Length of a page's chunks, each with [`Fit::beside`].
    pub(super) page: usize,
    /// Length of what stands beside a chunk: its name.
    pub(super) beside: usize,
}

/// One message.
pub(super) struct Sheet {
    /// From 1.
    pub(super) at: usize,
    pub(super) of: usize,
    /// How many operations there are on all pages.
    operations: usize,
    pub(super) chunks: Vec<Chunk>,
}

impl Sheet {
    pub(super) const fn is_last(&self) -> bool {
        self.at == self.of
    }

    /// `page 2 of 3, operations 4 to 9 of 12`; `None` where one page has it all.
    pub(super) fn whereabouts(&self) -> Option<String> {
        if self.of == 1 {
            return None;
        }
        let page = format!("page {} of {}", self.at, self.of);
        let operations = self.numbers().map(|Range { start, end }| {
            let numbers = if start == end { format!("operation {start}") } else { format!("operations {start} to {end}") };
            format!(", {numbers} of {}", self.operations)
        });
        Some(page + &operations.unwrap_or_default())
    }

    /// The first operation on it, and the last.
    fn numbers(&self) -> Option<Range<usize>> {
        let mut numbers = self.chunks.iter().filter_map(|chunk| chunk.number);
        let start = numbers.next()?;
        Some(start..numbers.next_back().unwrap_or(start))
    }
}

/// An operation, or as much of it as fits.
pub(super) struct Chunk {
    /// The operation's; of what is said of the project there is none.
    pub(super) number: Option<usize>,
    /// Whether its beginning stands in the chunk before.
    pub(super) is_continued: bool,
    pub(super) text: String,
}

/// The page in chunks, each with lines of one operation.
fn chunks(page: &Page, most: usize, paint: fn(&Line) -> String) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    for line in &page.lines {
        let begins = match line {
            Line::Item(item) => item.number,
            _ => None,
        };
        if begins.is_some() || chunks.is_empty() {
            chunks.push(Chunk { number: begins, is_continued: false, text: String::new() });
        }
        for text in fitting(line, most, paint).into_iter().filter(|text| !text.is_empty()) {
            let Some(last) = chunks.last_mut() else { continue };
            if last.text.is_empty() {
                last.text = text;
            } else if length(&last.text) + 1 + length(&text) <= most {
                last.text.push('\n');
                last.text.push_str(&text);
            } else {
                let next = Chunk { is_continued: true, text, ..*last };
                chunks.push(next);
            }
        }
    }
    chunks
}

/// A line painted, on several lines where it is too long for one.
fn fitting(line: &Line, most: usize, paint: fn(&Line) -> String) -> Vec<String> {
    let mut fitting = Vec::new();
    let mut rest = vec![Cow::Borrowed(line)];
    while let Some(line) = rest.pop() {
        let text = paint(&line);
        match halves(&line) {
            Some((head, tail)) if length(&text) > most => rest.extend([Cow::Owned(tail), Cow::Owned(head)]),
            _ => fitting.push(text),
        }
    }
    fitting
}

pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A line as two; `None` where it is too short for that.
fn halves(line: &Line) -> Option<(Line, Line)> {
    Some(match line {
        Line::Heading(spans) => {
            let (head, tail) = spans_halves(spans)?;
            (Line::Heading(head), Line::Heading(tail))
        }
        Line::Text(spans) => {
            let (head, tail) = spans_halves(spans)?;
            (Line::Text(head), Line::Text(tail))
        }
        Line::Item(item) => {
            let (head, tail) = spans_halves(&item.spans)?;
            (Line::Item(Item { spans: head, ..item.clone() }), Line::Item(Item { level: item.level, spans: tail, ..Item::default() }))
        }
        Line::Quote { level, text } => {
            let (head, tail) = text.split_at(middle(text)?);
            (Line::Quote { level: *level, text: head.to_owned() }, Line::Quote { level: *level, text: tail.to_owned() })
        }
    })
}

fn spans_halves(spans: &[Span]) -> Option<(Vec<Span>, Vec<Span>)> {
    let longest = (0..spans.len()).max_by_key(|at| spans[*at].text.len())?;
    let Span { style, text } = &spans[longest];
    let whole: usize = spans.iter().map(|span| span.text.len()).sum();
    if 2 * text.len() > whole || spans.len() == 1 {
        let (head, tail) = text.split_at(middle(text)?);
        let head = [&spans[..longest], &[span(*style, head)]].concat();
        return Some((head, [&[span(*style, tail)], &spans[longest + 1..]].concat()));
    }
    let (head, tail) = spans.split_at(spans.len() / 2);
    Some((head.to_vec(), tail.to_vec()))
}

/// Where a text is best broken in two: behind a blank that is not far from its middle, else between two letters.
fn middle(text: &str) -> Option<usize> {
    let (from, to) = (text.len() / 4, text.len() - text.len() / 4);
    let far = |at: &usize| at.abs_diff(text.len() / 2);
    let blanks = text.match_indices(' ').map(|(at, _)| at + 1).filter(|at| (from..=to).contains(at) && *at < text.len());
    let mut before = None;
    let letters = text.char_indices().filter_map(|(at, c)| {
        let is_break = before.is_some_and(|before| before != escape::JOINER) && c.width() != Some(0);
        before = Some(c);
        is_break.then_some(at)
    });
    blanks.min_by_key(far).or_else(|| letters.min_by_key(far)).or_else(|| text.char_indices().map(|(at, _)| at).skip(1).min_by_key(far))
}

/// Chunks on pages; an operation that fits on one page is on one page.
fn pack(chunks: Vec<Chunk>, fit: &Fit) -> Vec<Vec<Chunk>> {
    let cost = |chunks: &[Chunk]| chunks.iter().map(|chunk| length(&chunk.text) + fit.beside).sum::<usize>();
    let fits = |page: &[Chunk], more: &[Chunk]| page.len() + more.len() <= fit.chunks && cost(page) + cost(more) <= fit.page;
    let mut operations: Vec<Vec<Chunk>> = Vec::new();
    for chunk in chunks {
        match operations.last_mut() {
            Some(operation) if chunk.is_continued => operation.push(chunk),
            _ => operations.push(vec![chunk]),
        }
    }
    let mut pages: Vec<Vec<Chunk>> = vec![Vec::new()];
    for operation in operations {
        let is_short = fits(&[], &operation);
        if is_short && pages.last().is_some_and(|page| !fits(page, &operation)) {
            pages.push(Vec::new());
        }
        for chunk in operation {
            if pages.last().is_some_and(|page| !page.is_empty() && !fits(page, std::slice::from_ref(&chunk))) {
                pages.push(Vec::new());
            }
            pages.last_mut().expect("there is one from the start").push(chunk);
        }
    }
    pages
}

#[cfg(test)]
pub(super) mod tests;

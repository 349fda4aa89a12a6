//! What is wrong with a text, line by line: Markdown, JSON, YAML, TOML.

use async_trait::async_trait;
use comrak::{Arena, nodes::NodeValue, parse_document};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::format::{MAX_TEXT, markdown as dialect};
use crate::jobs::{Failure, Held, Job, Work};

/// So many findings are told; who has more knows enough.
const MAX_FINDINGS: usize = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    #[schemars(length(max = MAX_TEXT))]
    text: String,
    format: Format,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Format {
    Markdown,
    Json,
    Yaml,
    Toml,
}

/// One thing that is wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    rule: &'static str,
    message: String,
}

/// Says what is wrong with a text.
pub struct Lint;

#[async_trait]
impl Work for Lint {
    async fn run(&self, job: &Job, held: &Held) -> Result<Value, Failure> {
        let input: Input = super::input(job)?;
        let mut findings = lint(&input.text, input.format);
        let count = findings.len();
        findings.truncate(MAX_FINDINGS);
        held.say(match count {
            0 => "Nothing was found.".to_owned(),
            1 => "1 thing was found.".to_owned(),
            count => format!("{count} things were found."),
        });
        Ok(json!({ "ok": count == 0, "count": count, "findings": findings }))
    }
}

fn lint(text: &str, format: Format) -> Vec<Finding> {
    let syntax = |line: usize, column: usize, message: String| vec![Finding { line: line.max(1), column: column.max(1), rule: "syntax", message }];
    match format {
        Format::Markdown => markdown(text),
        Format::Json => {
            serde_json::from_str::<serde::de::IgnoredAny>(text).err().map_or_else(Vec::new, |error| syntax(error.line(), error.column(), error.to_string()))
        }
        Format::Yaml => serde_saphyr::from_str::<Value>(text).err().map_or_else(Vec::new, |error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let number = |number: u64| usize::try_from(number).unwrap_or(1);
            // The rest of the message draws the place.
            let message = error.to_string().lines().next().unwrap_or_default().to_owned();
            syntax(number(line), number(column), message)
        }),
        Format::Toml => text.parse::<toml::Table>().err().map_or_else(Vec::new, |error| {
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            syntax(before.matches('\n').count() + 1, column, error.message().to_owned())
        }),
    }
}

fn markdown(text: &str) -> Vec<Finding> {
    let mut found = structure(text);
    let code = code_lines(text);
    let mut blank = 0;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if code.contains(&number) {
            blank = 0;
            continue;
        }
        let mut find = |column, rule, message: &str| found.push(Finding { line: number, column, rule, message: message.to_owned() });
        let body = line.trim_end();
        // Two blanks break a line; anything else at its end does nothing.
        if body.len() < line.len() && &line[body.len()..] != "  " {
            find(body.chars().count() + 1, "trailing-blanks", "blanks at the end of the line");
        }
        if let Some(at) = line.chars().position(|c| c == '\t') {
            find(at + 1, "tab", "a tab, which is of a different width everywhere");
        }
        blank = if body.is_empty() { blank + 1 } else { 0 };
        if blank == 2 {
            find(1, "blank-lines", "more than one empty line in a row");
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        let line = text.lines().count();
        found.push(Finding {
            line,
            column: text.lines().last().map_or(1, |last| last.chars().count() + 1),
            rule: "last-line",
            message: "the last line does not end".into(),
        });
    }
    found.sort_by_key(|finding| (finding.line, finding.column));
    found
}

/// The lines that are code and so have rules of their own.
fn code_lines(text: &str) -> std::collections::BTreeSet<usize> {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &dialect(0));
    root.descendants()
        .filter(|node| matches!(node.data().value, NodeValue::CodeBlock(_)))
        .flat_map(|node| {
            let at = node.data().sourcepos;
            at.start.line..=at.end.line
        })
        .collect()
}

/// What is wrong with headings, code, images and links.
fn structure(text: &str) -> Vec<Finding> {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &dialect(0));
    let mut found = Vec::new();
    let mut level = 0;
    let mut titles = 0;
    for node in root.descendants() {
        let data = node.data();
        let at = data.sourcepos.start;
        let mut find = |rule, message: String| found.push(Finding { line: at.line, column: at.column, rule, message });
        match &data.value {
            NodeValue::Heading(heading) => {
                if level > 0 && heading.level > level + 1 {
                    find("heading-step", format!("a heading of level {} below one of level {level}", heading.level));
                }
                level = heading.level;
                if level == 1 {
                    titles += 1;
                    if titles == 2 {
                        find("one-title", "a second heading of level 1".to_owned());
                    }
                }
                if node.first_child().is_none() {
                    find("empty-heading", "a heading without words".to_owned());
                }
            }
            NodeValue::CodeBlock(code) if code.fenced && code.info.trim().is_empty() => find("code-language", "code that does not say its language".to_owned()),
            NodeValue::Image(_) if node.first_child().is_none() => find("image-text", "an image that nothing stands for where it is not seen".to_owned()),
            NodeValue::Link(link) if link.url.trim().is_empty() => find("empty-link", "a link that leads nowhere".to_owned()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, text: &str, expected: &[(usize, usize, &str)]) {
        let found = lint(text, format);
        let shown: Vec<_> = found.iter().map(|finding| (finding.line, finding.column, finding.rule)).collect();
        assert_eq!(shown, expected, "{text:?}: {found:?}");
    }

    #[test]
    fn findings_are_told_with_their_place() {
        check(Format::Markdown, "# Title\n\nText with a [link](https://example.org).\n\n```rust\nlet a = 1;   \n\n\n```\n", &[]);
        check(
            Format::Markdown,
            "# A\n\n### C \n\n\n# B",
            &[(3, 1, "heading-step"), (3, 6, "trailing-blanks"), (5, 1, "blank-lines"), (6, 1, "one-title"), (6, 4, "last-line")],
        );
        check(
            Format::Markdown,
            "![](a.png) and [here]()\n\n```\ncode\n```\na\tb\n",
            &[(1, 1, "image-text"), (1, 16, "empty-link"), (3, 1, "code-language"), (6, 2, "tab")],
        );
        check(Format::Json, "{\n  \"a\": 1,\n}", &[(3, 1, "syntax")]);
        check(Format::Json, "{}", &[]);
        check(Format::Yaml, "a: 1\n", &[]);
        check(Format::Toml, "a = 1\n", &[]);
        for (format, text) in [(Format::Yaml, "a: 1\nb: [1, 2\n"), (Format::Toml, "a = 1\nb = \n")] {
            let found = lint(text, format);
            assert!(matches!(found.as_slice(), [Finding { line: 2.., rule: "syntax", .. }]), "{found:?}");
        }
    }
}

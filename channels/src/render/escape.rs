//! Other people's text in our text: it stays what it is, and never becomes markup, a mention or an escape sequence.

use std::borrow::Cow;

/// On one line, without control characters and signs that turn the direction of writing. What is left out of the middle of a line becomes a blank.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| is_unsafe(c) || c.is_whitespace() && c != ' ') {
        let kept: String =
            text.chars().map(|c| if c.is_whitespace() || is_unsafe(c) && !is_invisible(c) { ' ' } else { c }).filter(|c| !is_invisible(*c)).collect();
        Cow::Owned(kept.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(text.trim())
    }
}

/// Part of a line: like [`line()`], but a blank at either end stays.
pub fn inline(text: &str) -> String {
    padded(text, str::to_owned)
}

/// Part of a line through an escape that works on whole lines; a blank at either end stays.
pub(super) fn padded(text: &str, escape: impl FnOnce(&str) -> String) -> String {
    let blank = |is: bool| if is { " " } else { "" };
    let inner = escape(&line(text));
    if inner.is_empty() {
        return blank(!text.is_empty()).to_owned();
    }
    format!("{}{inner}{}", blank(text.starts_with(char::is_whitespace)), blank(text.ends_with(char::is_whitespace)))
}

/// Puts signs around a text; blanks at its ends stay outside, and signs around nothing are left out.
pub(super) fn around(text: &str, before: &str, after: &str) -> String {
    let inner = text.trim();
    if inner.is_empty() {
        return text.to_owned();
    }
    let start = text.len() - text.trim_start().len();
    format!("{}{before}{inner}{after}{}", &text[..start], &text[start + inner.len()..])
}

/// A line as plain text within Markdown.
pub fn markdown(text: &str) -> String {
    let text = line(text);
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' => true,
            // Within a word an underscore is no emphasis.
            '_' => !before.is_alphanumeric(),
            '#' | '+' | '-' | '=' => escaped.is_empty(),
            '.' | ')' => !escaped.is_empty() && escaped.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(c);
        before = c;
    }
    escaped
}

/// A line as code within Markdown, with as many backticks around it as it needs.
pub fn code(text: &str) -> String {
    let text = line(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A line as text within HTML, also within an attribute.
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Control characters, and what is invisible or turns the direction of writing (the "Trojan Source" signs).
fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_of_visible_text() {
        assert_eq!(line("Fix it"), "Fix it");
        assert_eq!(line("\x1b[31mred\x1b[0m\nnext\t\u{202e}txt.exe\u{200b}"), "[31mred [0m next txt.exe");
        assert_eq!(line("  a \r\n b  "), "a b");
        assert_eq!(line("Größe 日本 👩\u{200d}💻"), "Größe 日本 👩\u{200d}💻", "joiners hold emoji together");
    }

    #[test]
    fn markdown_stays_text() {
        assert_eq!(markdown("**bold** [x](http://e.vil) `code` <img src=x>"), r"\*\*bold\*\* \[x\](http://e.vil) \`code\` \<img src=x\>");
        assert_eq!(markdown("# no heading"), r"\# no heading");
        assert_eq!(markdown("1. no list"), r"1\. no list");
        assert_eq!(markdown("- no list\n- none"), r"\- no list - none");
        assert_eq!(markdown("snake_case _em_"), r"snake_case \_em_");
        assert_eq!(markdown("Ship v1.2 (beta)!"), "Ship v1.2 (beta)!");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("move WEB-3"), "`move WEB-3`");
        assert_eq!(code("a ``b`` `"), "``` a ``b`` ` ```");
    }

    #[test]
    fn html_stays_text() {
        assert_eq!(html(r#"<script>alert("x")</script> & 'y'"#), "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;");
    }
}

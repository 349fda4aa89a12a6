//! Other people's text in our text: it stays what it is, and never becomes markup, a mention or an escape sequence.

use std::{borrow::Cow, fmt::Write};

use unicode_width::UnicodeWidthChar;

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

/// A line as plain text within Slack's mrkdwn, which knows no escape but for `&`, `<` and `>`: a sign of its own stands between two blanks without
/// width, so that it neither begins nor ends anything. <https://docs.slack.dev/messaging/formatting-message-text>
pub fn mrkdwn(text: &str) -> String {
    let text = line(text);
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().next().unwrap_or(' ');
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Within a word an underscore is no emphasis.
            '_' if before.is_alphanumeric() && next.is_alphanumeric() => escaped.push(c),
            '*' | '_' | '~' | '`' => escaped.extend([BREAK, c, BREAK]),
            // `:tada:`
            ':' if is_shortcode(rest.as_str()) => escaped.extend([c, BREAK]),
            _ => escaped.push(c),
        }
        before = c;
    }
    escaped
}

/// A place between two letters where a word may end.
pub(super) const BREAK: char = '\u{200b}';

/// Whether the text behind a colon goes on like the name of an emoji.
fn is_shortcode(rest: &str) -> bool {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '\'');
    rest.split_once(':').is_some_and(|(inner, _)| !inner.is_empty() && inner.chars().all(name))
}

/// A line as plain text within Discord's Markdown, where an underscore within a word may be emphasis, and an address alone a link.
pub fn discord(text: &str) -> String {
    markdown(text).replace(r"\_", "_").replace('_', r"\_").replace("://", r"\://")
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

/// With what nobody sees written as JSON writes it (`\u202e`): control characters, signs that turn the direction of writing, what has no width,
/// unusual blanks. Letters of every script and emoji stay as they are, with the signs that hold them together.
pub fn visible(text: &str) -> String {
    without_hidden(text, |_| false)
}

/// Like [`visible`], but line breaks and tabs stay: they are for a painter to place.
pub fn seen(text: &str) -> String {
    without_hidden(text, |c| matches!(c, '\n' | '\r' | '\t'))
}

fn without_hidden(text: &str, stays: fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if stays(c) || is_seen(before, c, chars.peek().copied()) {
            shown.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(shown, "\\u{unit:04x}");
            });
        }
        // Of one that is written as an escape its last digit: so that what is shown stays as it is when it is looked at again.
        before = shown.chars().next_back();
    }
    shown
}

/// Whether a sign can be seen between its neighbours, or they look different for it.
fn is_seen(before: Option<char>, c: char, after: Option<char>) -> bool {
    let is = |neighbour: Option<char>, what: fn(char) -> bool| neighbour.is_some_and(what);
    match c {
        JOINER => (is(before, is_pictograph) || before == Some(AS_EMOJI)) && is(after, is_pictograph) || is(before, is_virama),
        NON_JOINER => is(before, joins_next) && is(after, is_arabic) || is(before, is_virama),
        AS_EMOJI => is(before, is_pictograph) || after == Some(KEYCAP),
        // A sign that stands on a letter is seen where there is one.
        _ if c.width() == Some(0) => !is_hidden(c) && is(before, |before| before != ' ' && !before.is_ascii_punctuation()),
        _ => !is_hidden(c),
    }
}

/// Holds emoji together: a woman and a computer are a programmer.
pub(super) const JOINER: char = '\u{200d}';
/// Keeps two letters apart that are else written as one, as Persian needs it: <https://www.rfc-editor.org/rfc/rfc5892#appendix-A>.
const NON_JOINER: char = '\u{200c}';
/// Asks for an emoji in place of a letter-like sign.
const AS_EMOJI: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';

/// Where the emoji are, roughly: <https://www.unicode.org/Public/emoji/latest/emoji-data.txt>.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn is_arabic(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{63f}' | '\u{641}'..='\u{64a}' | '\u{66e}'..='\u{6d3}' | '\u{6fa}'..='\u{6ff}' | '\u{750}'..='\u{77f}')
}

/// Arabic letters that are joined to the letter behind them.
fn joins_next(c: char) -> bool {
    is_arabic(c)
        && !matches!(c,
            '\u{621}'..='\u{625}' | '\u{627}' | '\u{629}' | '\u{62f}'..='\u{632}' | '\u{648}' | '\u{671}'..='\u{677}' | '\u{688}'..='\u{699}' | '\u{6c0}' | '\u{6c3}'..='\u{6cb}'
            | '\u{6cd}' | '\u{6cf}' | '\u{6d2}' | '\u{6d3}' | '\u{759}'..='\u{75b}' | '\u{76b}' | '\u{76c}' | '\u{771}' | '\u{773}' | '\u{774}' | '\u{778}' | '\u{779}')
}

/// Takes the vowel from a letter of an Indian script; a joiner behind it changes how they are written.
fn is_virama(c: char) -> bool {
    matches!(c, '\u{94d}' | '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}' | '\u{dca}')
}

/// What cannot be seen wherever it stands: <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>, and `Default_Ignorable_Code_Point`.
fn is_hidden(c: char) -> bool {
    is_unsafe(c)
        || c.is_whitespace() && c != ' '
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{206a}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Control characters, and what is invisible or turns the direction of writing (the "Trojan Source" signs).
fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_stays_as_it_is_when_it_is_looked_at_again() {
        let shown = visible("\u{fe0f}\u{200d}👩 is at work");
        assert_eq!(shown, r"\ufe0f\u200d👩 is at work", "there is nothing before it that it could join");
        assert_eq!(visible(&shown), shown);
    }

    #[test]
    fn a_line_is_one_line_of_visible_text() {
        assert_eq!(line("Fix it"), "Fix it");
        assert_eq!(line("\x1b[31mred\x1b[0m\nnext\t\u{202e}txt.exe\u{200b}"), "[31mred [0m next txt.exe");
        assert_eq!(line("  a \r\n b  "), "a b");
        assert_eq!(line("Größe 日本 👩\u{200d}💻"), "Größe 日本 👩\u{200d}💻", "joiners hold emoji together");
    }

    #[test]
    fn what_nobody_sees_is_shown() {
        for (text, expected) in [
            ("Fix it", "Fix it"),
            ("a\u{202e}b\u{200b}\u{61c}", r"a\u202eb\u200b\u061c"),
            ("a\u{a0}b\tc\u{3000}\n", r"a\u00a0b\u0009c\u3000\u000a"),
            ("👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3} 👍🏽", "👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3} 👍🏽"),
            ("ad\u{200d}min\u{200c}", r"ad\u200dmin\u200c"),
            ("שָׁלוֹם مَرْحَبًا", "שָׁלוֹם مَرْحَبًا"),
            ("نمی\u{200c}خواهم क्\u{200d}ष", "نمی\u{200c}خواهم क्\u{200d}ष"),
            ("دا\u{200c}ر", r"دا\u200cر"),
            ("\u{301}e\u{301}", "\\u0301e\u{301}"),
            ("x\u{e0041}", r"x\udb40\udc41"),
        ] {
            assert_eq!(visible(text), expected);
        }
        assert_eq!(seen("a\n\tb\u{200b}\u{b}"), "a\n\tb\\u200b\\u000b");
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
    fn chat_stays_text() {
        assert_eq!(mrkdwn("<@U1> a_b *x* 10:30 :tada:").replace(BREAK, "|"), "&lt;@U1&gt; a_b |*|x|*| 10:30 :|tada:");
        assert_eq!(discord(r"<@1> a_b_ \_ **x** https://e.vil"), r"\<@1\> a\_b\_ \\\_ \*\*x\*\* https\://e.vil");
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

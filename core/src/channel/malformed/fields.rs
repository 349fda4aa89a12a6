//! The fields of a text that nobody could parse: names with a colon or an equals sign behind them, and what follows.

use std::ops::Range;

/// The values of the fields whose names are wanted, without quotes; not those within the values of others of them. Linear in the text.
pub(super) fn values(text: &str, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(|byte| is_name(*byte))?;
            at = start + bytes[start..].iter().take_while(|byte| is_name(**byte)).count();
            if !is_wanted(&text[start..at]) {
                continue;
            }
            if let Some(value) = value(text, start..at) {
                at = value.end;
                return Some(value);
            }
        }
    })
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The value behind a name, where one is given.
fn value(text: &str, name: Range<usize>) -> Option<Range<usize>> {
    let rest = &text[name.end..];
    let behind = rest.trim_start_matches('\\').trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
    let behind = behind.strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
    let start = text.len() - behind.len();
    let escape = behind.len() - behind.trim_start_matches('\\').len();
    let Some(quote) = behind[escape..].chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        if behind.starts_with(['{', '[']) {
            return None;
        }
        let is_header = rest.starts_with(':') && (name.start == 0 || text[..name.start].ends_with('\n'));
        let length = if is_header { header(behind) } else { behind.find(['&', ',', ';', '\n', '}', ']', '"', '\\']).unwrap_or(behind.len()) };
        return Some(start..start + behind[..length].trim_end().len());
    };
    let from = start + escape + quote.len_utf8();
    // The end is written as the beginning is: `"` with no backslash before it, `\"` with one.
    let mut slashes = 0;
    for (at, c) in text[from..].char_indices() {
        if c == quote && slashes == escape {
            return Some(from..from + at - escape);
        }
        slashes = if c == '\\' { slashes + 1 } else { 0 };
    }
    Some(from..text.len())
}

/// How long the value of a header is, which goes on in lines that are indented.
fn header(behind: &str) -> usize {
    let ends = behind.match_indices('\n').map(|(at, _)| at);
    ends.into_iter().find(|at| !behind[at + 1..].starts_with([' ', '\t'])).unwrap_or(behind.len())
}

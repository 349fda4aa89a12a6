//! A message in clauses: one edit each.

use super::text;

/// The words that begin an edit.
const VERBS: [&str; 62] = [
    "add",
    "also",
    "append",
    "assign",
    "begin",
    "block",
    "break",
    "bring",
    "call",
    "cancel",
    "change",
    "close",
    "combine",
    "complete",
    "create",
    "cut",
    "delay",
    "delete",
    "divide",
    "don't",
    "drop",
    "estimate",
    "exchange",
    "finish",
    "fold",
    "forget",
    "get",
    "give",
    "include",
    "insert",
    "join",
    "label",
    "leave",
    "make",
    "mark",
    "merge",
    "move",
    "no",
    "please",
    "postpone",
    "prioritise",
    "prioritize",
    "push",
    "put",
    "remove",
    "rename",
    "reopen",
    "replace",
    "schedule",
    "set",
    "shift",
    "skip",
    "split",
    "start",
    "swap",
    "tag",
    "take",
    "then",
    "unassign",
    "unblock",
    "we",
    "without",
];

/// Cuts where a sentence ends, and at a comma or "and" before another edit.
pub(super) fn clauses(message: &str) -> Vec<&str> {
    text::sentences(message).into_iter().flat_map(|sentence| cut(sentence)).collect()
}

fn cut(sentence: &str) -> Vec<&str> {
    let lower = sentence.to_ascii_lowercase();
    let mut clauses = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut is_quoted = false;
    while at < sentence.len() {
        let rest = &lower[at..];
        let c = rest.chars().next().unwrap_or_default();
        if c == '"' {
            is_quoted = !is_quoted;
        }
        if !is_quoted
            && let Some(separator) =
                [", and then ", ", and ", ", then ", " and then ", " and ", ", but ", " but ", ", "].into_iter().find(|separator| rest.starts_with(*separator))
            && begins_edit(&rest[separator.len()..])
            && begins_edit(lower[start..at].trim_start())
        {
            clauses.push(&sentence[start..at]);
            at += separator.len();
            start = at;
            continue;
        }
        at += c.len_utf8();
    }
    clauses.push(&sentence[start..]);
    clauses.into_iter().map(str::trim).filter(|clause| !clause.is_empty()).collect()
}

/// An edit's verb, or "4 should …", "WEB-3 is done".
fn begins_edit(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else { return false };
    let first = first.trim_end_matches([',', ':']);
    if VERBS.contains(&first) {
        return true;
    }
    let says = [" is ", " are ", " should ", " takes ", " depends ", " needs ", " waits ", " goes ", " comes ", " instead", " no longer "];
    let clause = text.split([',', ';']).next().unwrap_or_default();
    says.iter().any(|say| clause.contains(say))
        || clause.ends_with(" first")
        || clause.ends_with(" last")
        || words.count() < 6 && (clause.ends_with(" later") || clause.ends_with(" earlier"))
}

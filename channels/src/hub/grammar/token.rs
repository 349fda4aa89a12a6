//! A message as words, quoted titles and marks.

use std::ops::Range;

use patchbay_core::patch::Reference;

/// A piece of a message.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As written, without quotes.
    pub(super) text: &'a str,
    /// Where it stands, quotes included.
    pub(super) at: Range<usize>,
    /// The message from here on, without the blanks at its end.
    pub(super) tail: &'a str,
    /// The task that the word names: in capitals any, in small letters one of a known project, so that `utf-8` stays a word.
    pub(super) task: Option<Reference>,
    /// The project that the word names, in the same way.
    pub(super) project: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Quoted,
    /// A quotation mark that has no partner.
    Unclosed,
    /// One sign of punctuation.
    Mark,
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind != Kind::Quoted && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether a project's key was written as one.
    pub(super) fn in_capitals(&self) -> bool {
        !self.text.bytes().any(|b| b.is_ascii_lowercase())
    }
}

/// Reads a message; `keys` are the projects' keys.
pub(super) fn tokens<'a>(text: &'a str, keys: &[&str]) -> Vec<Token<'a>> {
    let text = text.trim_end();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let start = at;
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let token = |kind, range: Range<usize>, end: usize| Token { kind, text: &text[range], at: start..end, tail: &text[start..], task: None, project: None };
        if let Some(open) = quote(first) {
            let inner = start + first.len_utf8();
            if let Some((close, after)) = closing(text, inner, open) {
                found.push(token(Kind::Quoted, inner..close, after));
                at = after;
                continue;
            } else if first != '\'' {
                found.push(token(Kind::Unclosed, inner..text.len(), text.len()));
                break;
            }
        }
        if is_mark(first) {
            at += first.len_utf8();
            found.push(token(Kind::Mark, start..at, at));
            continue;
        }
        let end = text[start..].find(|c: char| c.is_whitespace() || is_mark(c)).map_or(text.len(), |length| start + length);
        let bare = start + text[start..end].trim_end_matches(['.', ':']).len();
        // `3..` is a range that is open at its end, `...` a word of dots.
        let end = if bare == start || text[bare..end].starts_with("..") { end } else { bare };
        let mut word = token(Kind::Word, start..end, end);
        name(&mut word, keys);
        found.push(word);
        at = end;
        for mark in text[end..].chars().take_while(|c| matches!(c, '.' | ':')) {
            found.push(Token { kind: Kind::Mark, text: &text[at..=at], at: at..at + 1, tail: &text[at..], task: None, project: None });
            at += mark.len_utf8();
        }
    }
    found
}

fn is_mark(c: char) -> bool {
    matches!(c, ',' | ';' | '[' | ']' | '(' | ')' | '=' | '!' | '?' | '–' | '—')
}

/// The sign that closes a quotation, if the sign opens one.
fn quote(open: char) -> Option<&'static [char]> {
    match open {
        '"' => Some(&['"']),
        '“' => Some(&['”', '“']),
        '„' => Some(&['“', '”']),
        '«' => Some(&['»']),
        '\'' => Some(&['\'']),
        _ => None,
    }
}

/// Where the quotation's text ends and where what follows it begins. A closing sign has no letter behind it: that is an apostrophe.
fn closing(text: &str, from: usize, signs: &[char]) -> Option<(usize, usize)> {
    text[from..].match_indices(signs).map(|(at, sign)| (from + at, from + at + sign.len())).find(|(_, after)| {
        let next = text[*after..].chars().next();
        next.is_none_or(|next| !next.is_alphanumeric())
    })
}

fn name(word: &mut Token<'_>, keys: &[&str]) {
    let known = |key: &str| keys.contains(&key);
    let capitals = word.in_capitals();
    word.task = Reference::parse(word.text).filter(|task| capitals || known(&task.key));
    let key = word.text.to_ascii_uppercase();
    let is_key = key.len() <= 10 && key.starts_with(|c: char| c.is_ascii_uppercase()) && key.bytes().all(|b| b.is_ascii_alphanumeric());
    word.project = (is_key && (known(&key) || (capitals && key.len() > 1))).then_some(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = tokens(text, &["WEB"]).iter().map(|token| format!("{:?} {}", token.kind, token.text)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_message_falls_into_words_and_marks() {
        check(r#"add "Fix it" to @ana"#, &["Word add", "Quoted Fix it", "Word to", "Word @ana"]);
        check("done WEB-4, WEB-5.", &["Word done", "Word WEB-4", "Mark ,", "Word WEB-5", "Mark ."]);
        check("accept #12 [1,3-5]", &["Word accept", "Word #12", "Mark [", "Word 1", "Mark ,", "Word 3-5", "Mark ]"]);
        check("diff WEB 3..", &["Word diff", "Word WEB", "Word 3.."]);
        check("block WEB-7: e.g. …", &["Word block", "Word WEB-7", "Mark :", "Word e.g", "Mark .", "Word …"]);
        check("„Größe“ don't", &["Quoted Größe", "Word don't"]);
        check("'Ana's list' it's", &["Quoted Ana's list", "Word it's"]);
        check(r#"add "Fix"#, &["Word add", "Unclosed Fix"]);
        check("...", &["Word ..."]);
        check("", &[]);
    }

    #[test]
    fn small_letters_name_only_what_is_known() {
        let found = tokens("web-4 utf-8 UTF-8 web sso SSO I", &["WEB"]);
        let names: Vec<_> = found.iter().map(|token| token.task.as_ref().map(ToString::to_string).or(token.project.clone()).unwrap_or_default()).collect();
        assert_eq!(names, ["WEB-4", "", "UTF-8", "WEB", "", "SSO", ""]);
    }
}

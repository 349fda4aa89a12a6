//! Texts of people: what is manners and what is meant.

/// The message without greeting, signature and quoted lines.
pub(super) fn clean(message: &str) -> String {
    let message = message.replace("\r\n", "\n").replace('\u{a0}', " ");
    let mut lines: Vec<&str> = message.lines().take_while(|line| line.trim_end() != "--").filter(|line| !line.trim_start().starts_with('>')).collect();
    let is_blank = |line: &&str| line.trim().is_empty();
    while lines.first().is_some_and(is_blank) || lines.len() > 1 && lines.first().is_some_and(|line| is_greeting(line)) {
        lines.remove(0);
    }
    while lines.last().is_some_and(is_blank) {
        lines.pop();
    }
    // "Thanks,", with at most a name below it.
    for back in 1..=3.min(lines.len().saturating_sub(1)) {
        let at = lines.len() - back;
        if is_closing(lines[at]) && lines[at + 1..].iter().all(|line| line.split_whitespace().count() <= 3) {
            lines.truncate(at);
            break;
        }
    }
    while lines.last().is_some_and(is_blank) {
        lines.pop();
    }
    lines.join("\n")
}

const GREETINGS: [&str; 9] = ["hi", "hello", "hey", "dear", "good morning", "good afternoon", "good evening", "morning", "hallo"];
const CLOSINGS: [&str; 10] = ["thanks", "thank you", "thx", "cheers", "best", "best regards", "kind regards", "regards", "many thanks", "best wishes"];

fn is_greeting(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    line.split_whitespace().count() <= 4
        && !line.ends_with(':')
        && GREETINGS.iter().any(|word| line.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',', '!', '.'])))
}

fn is_closing(line: &str) -> bool {
    let line = line.trim().trim_end_matches([',', '!', '.']).to_lowercase();
    CLOSINGS.contains(&line.as_str()) || line.strip_prefix("thanks ").is_some_and(|rest| rest.split_whitespace().count() <= 3)
}

/// A friendly word for a message that is nothing but one.
pub(super) fn courtesy(text: &str) -> Option<String> {
    let text = text.trim();
    if text.split_whitespace().count() > 4 || text.lines().count() > 1 {
        return None;
    }
    if is_closing(text) {
        return Some("You are welcome.".to_owned());
    }
    if ["ok", "okay", "great", "perfect", "nice", "good", "cool"].contains(&text.trim_end_matches(['!', '.']).to_lowercase().as_str()) {
        return Some("Good. A proposal takes effect when you accept it.".to_owned());
    }
    is_greeting(text)
        .then(|| "Hello. Tell me what you want to achieve, or what should change; I propose a plan, and nothing changes before you accept it.".to_owned())
}

/// What is asked for, without the asking: `please`, `can you`, `let's`.
pub(super) fn request(text: &str) -> &str {
    const ASKING: [&str; 20] = [
        "hi ",
        "hello ",
        "hey ",
        "patchbay, ",
        "patchbay: ",
        "please ",
        "pls ",
        "can you ",
        "could you ",
        "would you ",
        "let's ",
        "lets ",
        "let us ",
        "now ",
        "ok, ",
        "okay, ",
        "and ",
        "then ",
        "also, ",
        "i'd like you to ",
    ];
    let mut text = text.trim();
    loop {
        let Some(rest) = ASKING.iter().find_map(|asking| strip(text, asking)) else { return text };
        text = rest.trim_start_matches([',', '!', ' ']);
    }
}

/// The rest behind a prefix, whatever its case.
pub(super) fn strip<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.get(..prefix.len()).filter(|front| front.eq_ignore_ascii_case(prefix)).map(|_| &text[prefix.len()..])
}

/// What stands before and behind the first of the separators, outside of quotes.
pub(super) fn cut<'t>(text: &'t str, separators: &[&str]) -> Option<(&'t str, &'t str)> {
    let lower = text.to_ascii_lowercase();
    let found = separators.iter().filter_map(|separator| find_outside(&lower, separator).map(|at| (at, separator.len())));
    let (at, length) = found.min_by_key(|(at, length)| (*at, std::cmp::Reverse(*length)))?;
    Some((text[..at].trim(), text[at + length..].trim()))
}

/// Like [`cut`], at the last of them.
pub(super) fn cut_last<'t>(text: &'t str, separators: &[&str]) -> Option<(&'t str, &'t str)> {
    let lower = text.to_ascii_lowercase();
    let found = separators.iter().filter_map(|separator| {
        let at = lower.rfind(separator)?;
        lower[..at].matches('"').count().is_multiple_of(2).then_some((at, separator.len()))
    });
    let (at, length) = found.max_by_key(|(at, _)| *at)?;
    Some((text[..at].trim(), text[at + length..].trim()))
}

fn find_outside(lower: &str, separator: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = lower[from..].find(separator) {
        let at = from + found;
        if lower[..at].matches('"').count().is_multiple_of(2) {
            return Some(at);
        }
        from = at + separator.len();
    }
    None
}

/// A title as people would write it: a capital first, no article, no full stop, no quotes around it.
pub(super) fn title(text: &str) -> String {
    let text = unquoted(text.trim().trim_end_matches(['.', ',', ';', ':', '!']).trim());
    let bare = ["the ", "a ", "an ", "some ", "our "].iter().find_map(|article| strip(text, article)).unwrap_or(text).trim();
    let mut chars = bare.chars();
    let title: String = chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default();
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.chars().count() > patchbay_core::patch::check::MAX_TITLE {
        let cut: String = title.chars().take(patchbay_core::patch::check::MAX_TITLE - 1).collect();
        return format!("{}…", cut.trim_end());
    }
    title
}

/// Without quotes around the whole.
pub(super) fn unquoted(text: &str) -> &str {
    for (open, close) in [('"', '"'), ('\'', '\''), ('“', '”'), ('„', '“'), ('`', '`'), ('«', '»')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|text| text.strip_suffix(close)) {
            return inner;
        }
    }
    text
}

/// A part of the message, short enough to say back.
pub(super) fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 80 { line } else { format!("{}…", line.chars().take(79).collect::<String>().trim_end()) }
}

/// The words of a phrase as they are compared: lower case, without endings.
pub(super) fn stems(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(stem).collect()
}

fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let long = |rest: &str| rest.chars().count() >= 3;
    for (ending, instead) in [("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")] {
        if let Some(rest) = word.strip_suffix(ending).filter(|rest| long(rest) && !(ending == "s" && rest.ends_with('s'))) {
            return format!("{rest}{instead}");
        }
    }
    word
}

/// The parts of `a, b and c`, `a; b`, `a & b`. Commas inside of brackets and quotes do not count.
pub(super) fn parts(text: &str) -> Vec<&str> {
    let text = text.trim().trim_end_matches('.');
    let mut parts = Vec::new();
    let (mut depth, mut is_quoted, mut start, mut at) = (0_usize, false, 0, 0);
    let lower = text.to_ascii_lowercase();
    while at < text.len() {
        let rest = &lower[at..];
        let c = rest.chars().next().unwrap_or_default();
        match c {
            '"' => is_quoted = !is_quoted,
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !is_quoted {
            let separators = [", and ", ", then ", "; and ", ",", ";", " and then ", " and ", " & ", " then ", " plus ", "\n"];
            if let Some(separator) = separators.iter().find(|separator| rest.starts_with(*separator)) {
                parts.push(&text[start..at]);
                at += separator.len();
                start = at;
                continue;
            }
        }
        at += c.len_utf8();
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The sentences of a text. A dot within a word or a number ends none.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let behind = &text[at + c.len_utf8()..];
        let ends = match c {
            '.' | '!' | '?' => behind.is_empty() || behind.starts_with(char::is_whitespace) && !text[..at].ends_with("e.g") && !text[..at].ends_with("i.e"),
            ';' => behind.starts_with(char::is_whitespace),
            '\n' => true,
            _ => false,
        };
        if ends {
            sentences.push(&text[start..at]);
            start = at + c.len_utf8();
        }
    }
    sentences.push(&text[start..]);
    sentences.into_iter().map(str::trim).filter(|sentence| !sentence.is_empty()).collect()
}

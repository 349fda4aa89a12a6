//! Where a proposal clashes with what others did since: what it was, who made it what and when, what is proposed, and how to settle it.

use patchbay_core::patch::rebase::{Conflict, Way};

use super::{
    page::{Item, Line, Page, Span, Style, faint, plain, span, strong},
    words,
};

/// `2 conflicts`
pub fn count(conflicts: &[Conflict]) -> String {
    words::count(conflicts.len(), "conflict")
}

/// The conflicts of a proposal as a list; none: an empty page.
pub fn page(number: i32, conflicts: &[Conflict]) -> Page {
    let item = |conflict: &Conflict| Line::Item(Item { number: Some(conflict.number), spans: line(number, conflict), ..Item::default() });
    Page { lines: conflicts.iter().map(item).collect() }.seen()
}

/// The same with a heading, to stand above the operations that are not in conflict. The numbers are the conflicts' own.
pub(super) fn lines(number: i32, conflicts: &[Conflict]) -> Vec<Line> {
    if conflicts.is_empty() {
        return Vec::new();
    }
    let lead = format!("{} with what others did since. While there are any, nothing of it can be accepted.", count(conflicts));
    let item = |conflict: &Conflict| {
        let spans = [vec![plain(format!("Conflict {}: ", conflict.number))], line(number, conflict)].concat();
        Line::Item(Item { spans, ..Item::default() })
    };
    let lines = std::iter::once(Line::Text(vec![span(Style::Warning, lead)])).chain(conflicts.iter().map(item)).collect();
    Page { lines }.seen().lines
}

/// One conflict on one line.
fn line(number: i32, conflict: &Conflict) -> Vec<Span> {
    let field = conflict.path.split_once("/body/").map(|(_, field)| field).or_else(|| conflict.path.strip_prefix("/meta_updates/"));
    let (name, entry) = field.map_or(("", ""), |field| field.split_once('/').unwrap_or((field, "")));
    let mut spans = vec![strong(conflict.task.clone())];
    if !name.is_empty() {
        let entry = if entry.is_empty() { String::new() } else { format!(" ({entry})") };
        spans.push(plain(format!(" {}{entry}", words::field(name))));
    }
    let by = conflict.by.as_ref();
    let when = by.map_or_else(String::new, |by| format!("version {}, {}", by.revision, by.at.format("%-d %b at %H:%M UTC")));
    // Where there is no value to speak of, the reason says what happened.
    if !conflict.choices.contains(&Way::Ours) || name.is_empty() || !entry.is_empty() || !conflict.path.contains("/body/") {
        let by = by.map_or_else(String::new, |by| format!(" ({}, {when})", by.actor));
        spans.push(plain(format!(": {}{by}.", conflict.why)));
    } else {
        let value = |value| words::value(name, value);
        let (actor, when) = by.map_or_else(|| ("somebody".to_owned(), String::new()), |by| (by.actor.clone(), format!(" in {when}")));
        let (base, theirs, ours) = (value(&conflict.base), value(&conflict.theirs), value(&conflict.ours));
        spans.push(plain(format!(": it was {base}; {actor} made it {theirs}{when}; the proposal wants {ours}.")));
    }
    let way = |way: &Way| match way {
        Way::Ours => "ours",
        Way::Theirs => "theirs",
        Way::Value => "VALUE",
    };
    let ways: Vec<&str> = conflict.choices.iter().map(way).collect();
    spans.push(faint(match ways.as_slice() {
        [] => " · withdraw it, and propose anew".to_owned(),
        ways => format!(" · resolve #{number} {} {}", conflict.number, ways.join(", ")),
    }));
    spans
}

#[cfg(test)]
pub(super) mod tests {
    use patchbay_core::patch::rebase::Blame;
    use serde_json::{Value, json};

    use super::*;

    pub(in crate::render) fn due() -> Conflict {
        Conflict {
            number: 1,
            operation: 1,
            path: "/tasks/0/body/due_on".into(),
            task: "WEB-3".into(),
            base: json!("2026-12-01"),
            theirs: json!("2026-12-04"),
            ours: json!("2026-11-28"),
            why: "the due date of WEB-3 was changed".into(),
            choices: vec![Way::Ours, Way::Theirs, Way::Value],
            by: Some(Blame { actor: "bo".into(), at: "2026-11-27T13:40:00Z".parse().unwrap(), revision: 6 }),
        }
    }

    #[test]
    fn a_conflict_says_what_it_was_who_changed_it_when_and_what_is_wanted() {
        let gone = Conflict {
            number: 2,
            path: "/tasks/1".into(),
            task: "WEB-4".into(),
            theirs: Value::Null,
            why: "WEB-4 was deleted".into(),
            choices: vec![Way::Theirs],
            ..due()
        };
        insta::assert_snapshot!(page(12, &[due(), gone]).text(), @"
        1 WEB-3 due: it was Tue 1 Dec 2026; bo made it Fri 4 Dec 2026 in version 6, 27 Nov at 13:40 UTC; the proposal wants Sat 28 Nov 2026. · resolve #12 1 ours, theirs, VALUE
        2 WEB-4: WEB-4 was deleted (bo, version 6, 27 Nov at 13:40 UTC). · resolve #12 2 theirs
        ");
        assert_eq!(page(12, &[]).text(), "");
    }
}

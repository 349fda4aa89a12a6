use serde_json::{Value, json};

use super::*;

pub(in crate::render) const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(in crate::render) fn card(diff: &Diff) -> Card<'_> {
    Card { number: 12, revision: 3, digest: DIGEST, title: "Sign-in, the shop & <more>", author: "ana", trust: Trust::Verified, diff, conflicts: &[] }
}

/// Everything that there is to read is on the pages, in its order.
pub(in crate::render) fn assert_nothing_is_missing(card: &Card<'_>, sheets: &[Sheet], paint: fn(&Line) -> String) {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let whole: String = card.page(diff::flat(card.diff)).lines.iter().map(paint).collect();
    let shown: String = sheets.iter().flat_map(|sheet| &sheet.chunks).map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(letters(&shown), letters(&whole));
    let mut numbers: Vec<_> = sheets.iter().flat_map(|sheet| &sheet.chunks).filter_map(|chunk| chunk.number).collect();
    numbers.dedup();
    assert_eq!(numbers, (1..=card.diff.entries.len()).collect::<Vec<_>>());
}

pub(in crate::render) const WORDS: usize = 2000;

/// 120 new tasks; the description of the fiftieth has [`WORDS`] words, each with its number.
pub(in crate::render) fn long() -> Diff {
    let words: Vec<_> = (1..=WORDS).map(|number| format!("word{number}")).collect();
    let operations: Vec<_> = (1..=120)
        .map(|number| {
            let description = if number == 50 { words.join(" ") } else { format!("It is number {number}.") };
            json!({ "op": "create", "task_id": format!("t{number}"), "body": { "title": format!("Task {number}"), "description": description } })
        })
        .collect();
    diff::tests::shown(&operations.into(), &Value::Null)
}

#[test]
fn a_button_says_what_it_is_about() {
    let press = Press { choice: Choice::Reject, proposal: i32::MAX, revision: i32::MAX, digest: DIGEST.to_owned() };
    assert_eq!(press.to_string().parse(), Ok(press.clone()));
    assert_eq!(press.to_string().len(), 93);
    for text in ["", "accept", "accept.12.3.", "accept.12.3.xyz", "accept.12.x.9f", "delete.12.3.9f", "accept.12.3.9f.1"] {
        assert_eq!(text.parse::<Press>(), Err(NotOurs), "{text}");
    }
}

#[test]
fn a_line_that_is_too_long_is_broken_between_words() {
    let paint = |line: &Line| match line {
        Line::Text(spans) => spans.iter().map(|span| span.text.as_str()).collect(),
        _ => String::new(),
    };
    let broken = |text: &str, most| fitting(&Line::Text(vec![plain(text)]), most, paint);
    assert_eq!(broken("one two three four", 20), ["one two three four"]);
    assert_eq!(broken("one two three four", 10), ["one two ", "three four"]);
    assert_eq!(broken("abcdefgh", 4), ["abcd", "efgh"]);
    assert_eq!(broken("👩\u{200d}💻👩\u{200d}💻", 5), ["👩\u{200d}💻", "👩\u{200d}💻"]);
}

#[test]
fn an_operation_to_choose_fits() {
    let diff = diff::tests::shown(&json!([{ "op": "create", "task_id": "t1", "body": { "title": "Write the 👩\u{200d}💻 handbook" } }]), &Value::Null);
    assert_eq!(option(&diff, &diff.entries[0], 75), "1 + Write the 👩\u{200d}💻 handbook");
    assert_eq!(option(&diff, &diff.entries[0], 16), "1 + Write the…");
}

#[test]
fn a_proposal_with_conflicts_is_not_offered_to_be_accepted() {
    let (diff, conflicts) = (diff::tests::everything(), [clash::tests::due()]);
    let card = Card { trust: Trust::Untrusted, conflicts: &conflicts, ..card(&diff) };
    let slack = Value::from(crate::render::slack::messages(&card)).to_string();
    let discord = Value::from(crate::render::discord::messages(&card)).to_string();
    let mail = crate::render::email::mail(&card, None).text.split_whitespace().collect::<Vec<_>>().join(" ");
    for shown in [&slack, &discord, &mail] {
        for said in [
            "from outside, unverified",
            "bo made it Fri 4 Dec 2026 in version 6, 27 Nov at 13:40 UTC",
            "the proposal wants Sat 28 Nov 2026",
            "resolve #12 1 ours",
        ] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
        assert!(!shown.contains("Accept") && !shown.contains("accept #12"), "{shown}");
    }
    assert!(slack.contains("reject.12.3.") && discord.contains("edit.12.3."));
    let settled = Card { conflicts: &[], ..card };
    assert!(Value::from(crate::render::slack::messages(&settled)).to_string().contains("Accept all"));
}

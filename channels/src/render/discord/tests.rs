use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::render::{
    card::tests::{WORDS, assert_nothing_is_missing, card, long},
    diff::tests::{everything, shown},
    generate,
};

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.encode_utf16().count())
}

/// What the platform takes.
fn assert_fits(message: &Value) {
    let embeds = message["embeds"].as_array().unwrap();
    assert!((1..=10).contains(&embeds.len()));
    let mut all = 0;
    for embed in embeds {
        let fields = embed["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(fields.len() <= 25);
        assert!(length(&embed["title"]) <= 256 && length(&embed["description"]) <= 4096 && length(&embed["footer"]["text"]) <= 2048);
        all += length(&embed["title"]) + length(&embed["description"]) + length(&embed["footer"]["text"]);
        for field in fields {
            assert!((1..=256).contains(&length(&field["name"])) && (1..=1024).contains(&length(&field["value"])));
            all += length(&field["name"]) + length(&field["value"]);
        }
    }
    assert!((1..=6000).contains(&all), "{all}");
    let rows = message["components"].as_array().unwrap();
    assert!(rows.len() <= 5);
    for button in rows.iter().flat_map(|row| row["components"].as_array().unwrap()) {
        assert!(length(&button["custom_id"]) <= 100 && length(&button["label"]) <= 80);
    }
}

fn has_buttons(message: &Value) -> bool {
    !message["components"].as_array().unwrap().is_empty()
}

#[test]
fn a_proposal_is_one_message() {
    let messages = messages(&card(&everything()));
    messages.iter().for_each(assert_fits);
    insta::assert_json_snapshot!(messages);
}

#[test]
fn hostile_text_stays_text() {
    let title = "@everyone <@1> **x** __y__ ~~z~~ ||w|| `rm` [a](https://e.vil) https://e.vil a_b \u{202e}gnp.exe";
    let diff = shown(
        &json!([{ "op": "create", "task_id": "t1", "body": { "title": title, "description": "# Heading\n> quoted\n- item\n-# small\n```\ncode\n```" } }]),
        &Value::Null,
    );
    let message = &messages(&card(&diff))[0];
    insta::assert_snapshot!(message["embeds"][0]["fields"][0]["value"].as_str().unwrap(), @r"
    **+** **@everyone \<@1\> \*\*x\*\* \_\_y\_\_ \~\~z\~\~ \|\|w\|\| \`rm\` \[a\](https\://e.vil) https\://e.vil a\_b \\u202egnp.exe**
    - description:
    > \# Heading
    > \> quoted
    > \- item
    > \-# small
    > \`\`\`
    > code
    > \`\`\`
    ");
    assert_eq!(message["allowed_mentions"], json!({ "parse": [] }));
}

#[test]
fn a_long_proposal_has_pages_and_an_answer_at_its_end() {
    let diff = long();
    let messages = messages(&card(&diff));
    messages.iter().for_each(assert_fits);
    let says: Vec<_> = messages.iter().map(|message| message["embeds"].as_array().unwrap().last().unwrap()["footer"]["text"].as_str().unwrap()).collect();
    insta::assert_snapshot!(says.join("\n"), @"
    page 1 of 6, operations 1 to 50 of 120. It goes on, and can be accepted at its end.
    page 2 of 6, operation 50 of 120. It goes on, and can be accepted at its end.
    page 3 of 6, operation 50 of 120. It goes on, and can be accepted at its end.
    page 4 of 6, operation 50 of 120. It goes on, and can be accepted at its end.
    page 5 of 6, operations 50 to 85 of 120. It goes on, and can be accepted at its end.
    page 6 of 6, operations 86 to 120 of 120
    ");
    let (last, rest) = messages.split_last().unwrap();
    assert!(has_buttons(last) && !rest.iter().any(has_buttons));
    let text: String = messages.iter().map(ToString::to_string).collect();
    assert!((1..=WORDS).all(|number| text.contains(&format!("word{number}"))));
}

proptest! {
    #![proptest_config(generate::fewer_cases())]

    #[test]
    fn any_proposal_fits_and_nothing_is_missing(diff in generate::diff()) {
        let card = card(&diff);
        let messages = messages(&card);
        messages.iter().for_each(assert_fits);
        prop_assert_eq!(messages.iter().map(has_buttons).collect::<Vec<_>>(), (1..=messages.len()).map(|at| at == messages.len()).collect::<Vec<_>>());
        assert_nothing_is_missing(&card, &card.sheets(&FIT, line), line);
    }
}

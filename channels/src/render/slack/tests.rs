use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::render::{
    card::tests::{WORDS, assert_nothing_is_missing, card, long},
    diff::tests::{everything, shown},
    generate,
};

fn length(value: &Value) -> usize {
    value.as_str().unwrap().encode_utf16().count()
}

/// What the platform takes.
fn assert_fits(message: &Value) {
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    assert!((1..=4000).contains(&length(&message["text"])));
    let mut all = 0;
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => assert!((1..=150).contains(&length(&block["text"]["text"]))),
            "section" => {
                assert!((1..=3000).contains(&length(&block["text"]["text"])));
                all += length(&block["text"]["text"]);
            }
            "context" => assert!((1..=10).contains(&block["elements"].as_array().unwrap().len())),
            "actions" => {
                assert!(length(&block["block_id"]) <= 255);
                for button in block["elements"].as_array().unwrap() {
                    assert!(length(&button["action_id"]) <= 255 && length(&button["text"]["text"]) <= 75 && length(&button["value"]) <= 2000);
                }
            }
            other => panic!("{other}"),
        }
    }
    assert!(all <= 10_000);
}

fn has_buttons(message: &Value) -> bool {
    message["blocks"].as_array().unwrap().iter().any(|block| block["type"] == "actions")
}

#[test]
fn a_proposal_is_one_message() {
    let messages = messages(&card(&everything()));
    messages.iter().for_each(assert_fits);
    insta::assert_json_snapshot!(messages);
}

#[test]
fn hostile_text_stays_text() {
    let title = "<!channel> <@U1> *x* _y_ ~z~ `rm` :tada: https://e.vil a_b 10:30 & \u{202e}gnp.exe";
    let diff =
        shown(&json!([{ "op": "create", "task_id": "t1", "body": { "title": title, "description": "> quoted\n*bold*\n```\ncode\n```" } }]), &Value::Null);
    let message = &messages(&card(&diff))[0];
    insta::assert_snapshot!(message["blocks"][2]["text"]["text"].as_str().unwrap().replace(escape::BREAK, "|"), @r"
    `1 +` *&lt;!channel&gt; &lt;@U1&gt; |*|x|*| |_|y|_| |~|z|~| |`|rm|`| :|tada: https://e.vil a_b 10:30 &amp; \u202egnp.exe*
     • description:
    > &gt; quoted
    > |*|bold|*|
    > |`||`||`|
    > code
    > |`||`||`|
    ");
    assert_eq!(message["blocks"][2]["text"]["verbatim"], true);
}

#[test]
fn a_long_proposal_has_pages_and_an_answer_at_its_end() {
    let diff = long();
    let messages = messages(&card(&diff));
    messages.iter().for_each(assert_fits);
    let says: Vec<_> = messages.iter().map(|message| message["text"].as_str().unwrap()).collect();
    insta::assert_snapshot!(says.join("\n"), @"
    #12: 120 new (page 1 of 5, operations 1 to 45 of 120)
    #12: 120 new (page 2 of 5, operations 46 to 50 of 120)
    #12: 120 new (page 3 of 5, operation 50 of 120)
    #12: 120 new (page 4 of 5, operations 50 to 95 of 120)
    #12: 120 new (page 5 of 5, operations 96 to 120 of 120)
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

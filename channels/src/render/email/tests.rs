use serde_json::{Value, json};

use super::*;
use crate::render::{
    card::tests::card,
    diff::tests::{everything, shown},
};

#[test]
fn a_mail_tells_everything_and_how_to_answer() {
    let mail = mail(&card(&everything()), Some("https://plan.example.org/proposals/12"));
    assert_eq!(mail.subject, "#12 Sign-in, the shop & <more> (3 new, 2 changed, 1 moved, 1 removed)");
    insta::assert_snapshot!("text", mail.text);
    insta::assert_snapshot!("html", mail.html);
}

#[test]
fn hostile_text_stays_text_and_nothing_is_fetched() {
    let title = "\u{202e}</title><script>alert(1)</script><img src=https://e.vil/x>";
    let diff = shown(
        &json!([{ "op": "create", "task_id": "t1", "body": { "title": title, "description": "<ins>\n</blockquote><style>*{}</style>\r\nBcc: all@e.vil" } }]),
        &Value::Null,
    );
    let mail = mail(&Card { title, ..card(&diff) }, None);
    for tag in ["<script", "<img", "<style", "<link", "<ins>", "src=\"", "url(", "href"] {
        assert!(!mail.html.contains(tag), "{tag}: {}", mail.html);
    }
    assert_eq!(mail.html.matches("</title>").count(), 1);
    assert_eq!(mail.html.matches("</blockquote>").count(), 1);
    for text in [&mail.subject, &mail.text, &mail.html] {
        assert!(!text.contains('\u{202e}') && !text.contains('\r'), "{text}");
    }
    assert!(!mail.subject.contains('\n'));
}

#[test]
fn an_answer_says_what_can_be_done_next() {
    let reply = Reply::new("**WEB-4** Tests is in *Done* now.\n\n- one <b>\n- two").action("Undo", "undo WEB 7");
    let plain = answer(&reply, None, None);
    assert_eq!(plain.text, "WEB-4 Tests is in Done now.\n\n- one <b>\n- two\n\nUndo: answer with \"undo WEB 7\".\n");
    assert_eq!(plain.subject, "WEB-4 Tests is in Done now.");
    assert!(
        plain.html.contains("<strong>WEB-4</strong>") && plain.html.contains("one &lt;b&gt;") && plain.html.contains(">undo WEB 7</code>"),
        "{}",
        plain.html
    );
    let everything = everything();
    let shown = answer(&reply, Some(&card(&everything)), Some("https://plan.example.org/proposals/12"));
    assert!(shown.text.starts_with("WEB-4 Tests") && shown.text.contains("1,3-5\", with") && !shown.text.contains("undo"), "{}", shown.text);
    assert!(shown.subject.starts_with("#12 Sign-in"));
}

use super::*;
use patchbay_core::channel::received::Brought;

use crate::email::read::Letter;

fn letter(subject: &str, text: &str) -> Letter {
    Letter {
        from: "ana@example.org".into(),
        name: None,
        to: vec!["plan@example.org".into()],
        subject: subject.into(),
        message_id: Some("a@example.org".into()),
        references: if subject.starts_with("Re:") { vec!["b@example.org".into()] } else { Vec::new() },
        date: None,
        text: text.into(),
        attachments: Vec::new(),
    }
}

fn check(subject: &str, text: &str, expected: &str) {
    assert_eq!(asked(&letter(subject, text)).unwrap_or_default(), expected, "{subject} / {text}");
}

#[test]
fn a_command_stands_in_the_subject() {
    check("done WEB-7", "", "done WEB-7");
    check("[plans] done WEB-7", "-- \nAna", "done WEB-7");
    check("done WEB-7", "done WEB-8\nThanks!", "done WEB-7\ndone WEB-8");
    check("list mine", "Hello there, how are you?", "list mine");
}

#[test]
fn a_command_stands_in_the_first_lines() {
    check("two things", "done WEB-7\nstart WEB-8\n\nBest, Ana", "done WEB-7\nstart WEB-8");
    check("three", "done WEB-7\nstrat it\nstart WEB-8\n\nBest, Ana", "done WEB-7\nstrat it\nstart WEB-8");
    check("a thing", "Hi Patchbay,\n\ndone WEB-7\n\nBest, Ana", "done WEB-7");
    check("Re: #12 Shop (3 new)", "accept 1,3\n\nOn 21 Nov 2026, Patchbay wrote:\n> all", "accept 1,3");
    check("Re: done WEB-7", "reopen WEB-7", "reopen WEB-7");
    check("Re: shop", "edit #12 combine the first two\nand rename the third", "edit #12 combine the first two\nand rename the third");
}

#[test]
fn a_mistake_is_told_and_not_planned() {
    check("Re: #12", "acept #12", "acept #12");
}

#[test]
fn free_text_goes_with_its_subject_and_what_came_with_it() {
    check("A shop", "- a till\n- a door\n\n-- \nAna", "A shop\n\n- a till\n- a door");
    check("Re: A shop", "combine the first two", "combine the first two");
    check("Fwd: A shop", "plan this\n\n---------- Forwarded message ---------\nFrom: Bo\n\n- a till", "A shop\n\nplan this\n\nFrom: Bo\n\n- a till");
    let attachment = Brought { name: "plan.md".into(), media_type: "text/markdown".into(), bytes: b"- a till\n".to_vec() };
    let with = Letter { attachments: vec![attachment], ..letter("A shop", "as attached") };
    assert_eq!(asked(&with).unwrap(), "A shop\n\nas attached\n\n- a till");
    check("", "- a\u{0}\u{1b}[2J till", "- a[2J till");
    check("", " \n", "");
}

#[test]
fn a_thread_is_planned_from_its_beginning_without_our_own_mails() {
    let quoted = "On 21 Nov 2026 at 10:00, Ana <ana@example.org> wrote:\n\n> - a band\n>\n> On 20 Nov 2026 at 10:00, Plans <plan@example.org> wrote:\n>\n>> I know no plan.\n>>\n>> On 19 Nov 2026 at 10:00, Bo <bo@example.org> wrote:\n>>\n>>> - cake";
    let ours = |by: &str| by.contains("plan@example.org");
    let posts = thread_asked(&letter("Re: Launch", &format!("Hi,\n\nPlan this thread, please.\n\nThanks, Cy\n\n{quoted}")), ours).unwrap();
    assert_eq!(posts.iter().map(|post| (post.name.as_str(), post.text.as_str())).collect::<Vec<_>>(), [("Bo", "- cake"), ("Ana", "- a band")]);
    assert_eq!(thread_asked(&letter("Fwd: plan this thread", quoted), ours).unwrap().len(), 2);
    for (subject, text) in [("Re: Launch", "accept 1"), ("Re: plan this thread", "thanks"), ("plan this thread", ""), ("Re: Launch", "plan this thread")] {
        assert_eq!(thread_asked(&letter(subject, text), ours), None, "{subject} / {text}");
    }
}

#[test]
fn a_json_block_is_a_command() {
    let block = "Please do:\n```json\n{\"commands\": [\"done WEB-7\", \"start WEB-8\"]}\n```\nThanks";
    check("x", block, "done WEB-7\nstart WEB-8");
    check("x", "{\"text\": \"add a till\", \"project\": \"WEB\"}", "plan WEB add a till");
    check("x", "{\"text\": \"split it\", \"project\": \"WEB\", \"task\": \"WEB-7\"}", "plan WEB-7 split it");
}

#[test]
fn decisions_are_known() {
    assert!(decides("accept 1,3") && decides("done WEB-7\nreject #12: no"));
    assert!(!decides("done WEB-7") && !decides("accept it or not, the shop is open"));
}

#[test]
fn subjects_lose_what_programs_put_before_them() {
    for (subject, text, is_reply) in [
        ("Re: AW: [plans] Fwd: Shop", "Shop", true),
        ("RE[2]: Shop", "Shop", true),
        ("Re(3): Shop", "Shop", true),
        ("WG: Shop", "Shop", false),
        ("Release: Shop", "Release: Shop", false),
        ("[x] done", "[x] done", false),
        ("回复：商店", "商店", true),
    ] {
        let found = Subject::of(subject);
        assert_eq!((found.text, found.is_reply), (text, is_reply), "{subject}");
    }
    assert_eq!(reply_subject("Re: Re: Shop"), "Re: Shop");
}

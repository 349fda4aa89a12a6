use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: &str) {
    assert_eq!(fresh(text).text, expected, "{text}");
}

#[test]
fn what_is_answered_is_not_said_again() {
    check("accept 1,3\n\nOn Sat, Nov 21, 2026 at 10:00 AM Patchbay <plan@example.org> wrote:\n\n> Answer with accept\n> #12\n", "accept 1,3");
    check("accept\r\n\r\nOn Sat, 21 Nov 2026 at 10:00, Patchbay\r\n<plan@example.org>\r\nwrote:\r\n> all of it\r\n", "accept");
    check("accept\n\nAm 21.11.26 um 10:00 schrieb Patchbay:\n> alles", "accept");
    check("accept\n\nAm Sa., 21. Nov. 2026 um 10:00 Uhr schrieb Patchbay <plan@example.org>:\n\n> alles", "accept");
    check("accept\n\nLe sam. 21 nov. 2026 à 10:00, Patchbay <plan@example.org> a écrit :\n\n> tout", "accept");
    check("accept\n\nEl sáb, 21 nov 2026 a las 10:00, Patchbay (<plan@example.org>) escribió:\n> todo", "accept");
    check("accept\n\nIl giorno sab 21 nov 2026 alle ore 10:00 Patchbay <plan@example.org> ha scritto:\n> tutto", "accept");
    check("accept\n\nOp za 21 nov 2026 om 10:00 schreef Patchbay <plan@example.org>:\n> alles", "accept");
    check("accept\n\nDen lör 21 nov. 2026 kl 10:00 skrev Patchbay <plan@example.org>:\n> allt", "accept");
    check("accept\n\nW dniu 21.11.2026 o 10:00, Patchbay pisze:\n> wszystko", "accept");
    check("accept\n\nсб, 21 нояб. 2026 г. в 10:00, Patchbay <plan@example.org>:\n> все", "accept");
    check("accept\n\n21.11.2026 10:00, Patchbay пишет:\n> все", "accept");
    check("accept\n\n在 2026年11月21日,10:00,Patchbay <plan@example.org> 写道：\n> 全部", "accept");
}

#[test]
fn outlook_has_heads_instead_of_quotes() {
    check(
        "accept 2\n\n________________________________\nFrom: Patchbay <plan@example.org>\nSent: Saturday, November 21, 2026 10:00 AM\nTo: Ana\nSubject: #12\n\nall",
        "accept 2",
    );
    check("accept 2\n\nFrom: Patchbay <plan@example.org> \nSent: Saturday\nTo: Ana <ana@example.org>\nSubject: RE: #12\n\nall", "accept 2");
    check("accept 2\n\nVon: Patchbay <plan@example.org>\nGesendet: Samstag\nAn: Ana\nBetreff: AW: #12\n\nalles", "accept 2");
    check("accept 2\n\n*De :* Patchbay\n*Envoyé :* samedi\n*À :* Ana\n*Objet :* #12\n\ntout", "accept 2");
    check("accept 2\n\n-----Original Message-----\nFrom: Patchbay\n\nall", "accept 2");
    check("accept 2\n\n-----Ursprüngliche Nachricht-----\nVon: Patchbay\n\nalles", "accept 2");
}

#[test]
fn answers_between_and_below_quotes_stay() {
    check("> Do you want 1?\nYes, 1.\n> And 2?\nNo.\n\n-- \nAna", "Yes, 1.\nNo.");
    check("On 21 Nov 2026, Patchbay wrote:\n> Do you want it?\n\naccept", "accept");
}

#[test]
fn signatures_and_telephones_are_no_words() {
    check("done WEB-7\n\n-- \nAna\n+49 30 1234", "done WEB-7");
    check("done WEB-7\n--\nAna", "done WEB-7");
    check("done WEB-7\n\nSent from my iPhone", "done WEB-7");
    check("done WEB-7\n\nVon meinem iPhone gesendet\n\nAm 21.11.2026 um 10:00 schrieb Patchbay:\n\n> x", "done WEB-7");
    check("done WEB-7\n\nGet Outlook for iOS<https://example.org/ol>", "done WEB-7");
}

#[test]
fn what_looks_alike_stays() {
    for text in [
        "On Monday Bob wrote:\nfix the login",
        "add tasks:\n- write the guide\n- a -- b",
        "From: the garden\nthe roses",
        "Am Montag schrieb ich nichts.",
        "---\nfront\n---",
        "On 3 machines: install it",
        "Le plan:\n1. a\n2. b",
    ] {
        check(text, text);
    }
}

#[test]
fn what_is_passed_on_is_kept_apart() {
    let gmail = fresh(
        "plan this\n\n---------- Forwarded message ---------\nFrom: Bo <bo@example.org>\nDate: Sat, 21 Nov 2026\nSubject: Shop\nTo: Ana\n\n- a shop\n- a till\n",
    );
    assert_eq!(gmail.text, "plan this");
    assert!(gmail.forwarded.unwrap().ends_with("- a shop\n- a till"));
    let apple = fresh("-- \nAna\n\nBegin forwarded message:\n\nFrom: Bo\n\na shop");
    assert_eq!(apple, Fresh { text: String::new(), forwarded: Some("From: Bo\n\na shop".into()) });
}

#[test]
fn long_quotes_are_read_in_a_moment() {
    let mut worst = Vec::new();
    for line in [
        "> a long thread of quotes, one after the other\n",
        "On 21 Nov 2026 somebody wrote\n",
        "From: a\nTo: b\n",
        "____________\n\n",
        "-- x\n",
        "\n",
        "------",
        "On 1 wrote: ",
    ] {
        worst.push(line.repeat(766 * 1024 / line.len()));
    }
    let mut nested = String::new();
    for depth in 0..1200 {
        let _ = writeln!(nested, "{} text", ">".repeat(depth));
    }
    worst.push(nested);
    for text in worst {
        // Quadratic ways take minutes here: the test would not end.
        let _ = fresh(&format!("accept\n{text}"));
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_apart(text in "(>|-|_| |\n|On 21 |wrote:|From: |To: |Sent: |-- |Begin forwarded message:|é|\\PC){0,60}") {
        let found = fresh(&text);
        // Nothing is made up.
        for line in found.text.lines().filter(|line| !line.is_empty()) {
            prop_assert!(text.contains(line));
        }
    }
}

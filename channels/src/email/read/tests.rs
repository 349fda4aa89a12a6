use proptest::prelude::*;

use super::*;

fn mail(lines: &[&str]) -> Letter {
    read(lines.join("\r\n").as_bytes()).unwrap()
}

#[test]
fn a_mail_is_read() {
    let letter = mail(&[
        "From: =?utf-8?q?Ana_M=C3=BCller?= <Ana@Example.org>",
        "To: Patchbay <plan@example.org>, bo@example.org",
        "Subject: =?utf-8?b?UGzDpG5l?=",
        "Date: Sat, 21 Nov 2026 10:00:00 +0100",
        "Message-ID: <a1@example.org>",
        "In-Reply-To: <b2@example.org>",
        "References: <c3@example.org> <b2@example.org>",
        "Content-Type: text/plain; charset=iso-8859-1",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "add \"K=E4se\"",
    ]);
    assert_eq!((letter.from.as_str(), letter.name.as_deref()), ("ana@example.org", Some("Ana Müller")));
    assert_eq!(letter.to, ["plan@example.org", "bo@example.org"]);
    assert_eq!((letter.subject.as_str(), letter.text.trim()), ("Pläne", "add \"Käse\""));
    assert_eq!(
        (letter.message_id.as_deref(), letter.references.as_slice()),
        (Some("a1@example.org"), ["c3@example.org".to_owned(), "b2@example.org".to_owned()].as_slice())
    );
    assert_eq!(letter.date.unwrap().to_rfc3339(), "2026-11-21T09:00:00+00:00");
}

#[test]
fn html_is_read_where_there_is_no_text() {
    let html = "<html><body><p>accept 1,3</p><div class=\"gmail_quote\"><div>On Sat, 21 Nov 2026, Patchbay &lt;plan@example.org&gt; wrote:</div><blockquote>All &amp; everything<ul><li>one</li></ul></blockquote></div></body></html>";
    let letter = mail(&["From: ana@example.org", "Content-Type: text/html; charset=utf-8", "", html]);
    assert_eq!(crate::email::fresh::fresh(&letter.text).text, "accept 1,3");
    let list = mail(&["From: ana@example.org", "Content-Type: text/html", "", "<h1>Shop</h1><ul><li>a till</li><li>a door</li></ul>"]);
    assert_eq!(list.text.trim(), "# Shop\n* a till\n* a door");
}

#[test]
fn lines_that_were_broken_to_be_sent_are_whole() {
    assert_eq!(unflowed("add a task \nfor the shop\n> quoted \n> text\n-- \nAna"), "add a task for the shop\n> quoted text\n-- \nAna");
}

#[test]
fn text_and_markdown_can_be_planned_from() {
    let letter = mail(&[
        "From: ana@example.org",
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "plan the attached",
        "--b",
        "Content-Type: application/octet-stream; name=\"../../plans.md\"",
        "Content-Disposition: attachment; filename=\"../../plans.md\"",
        "Content-Transfer-Encoding: base64",
        "",
        "LSBhIHNob3AKLSBhIHRpbGwK",
        "--b",
        "Content-Type: image/png; name=logo.png",
        "Content-Disposition: attachment",
        "Content-Transfer-Encoding: base64",
        "",
        "iVBORw0KGgo=",
        "--b--",
    ]);
    assert_eq!(letter.text.trim(), "plan the attached");
    let [plans, logo] = letter.attachments.as_slice() else { panic!("{:?}", letter.attachments) };
    assert_eq!((plans.name.as_str(), plans.text()), ("plans.md", Some("- a shop\n- a till\n")));
    assert_eq!((logo.name.as_str(), logo.text()), ("logo.png", None));
}

#[test]
fn nobody_and_two_people_send_nothing() {
    for from in ["From: ana@example.org, bo@example.org", "From: ana", "From: Ana <>", "X-From: ana@example.org"] {
        assert_eq!(read(format!("{from}\r\nSubject: x\r\n\r\ny").as_bytes()), Err(Unreadable::NoSender), "{from}");
    }
    assert_eq!(read(&vec![b'x'; MAX_BYTES + 1]), Err(Unreadable::TooLarge));
}

#[test]
fn hostile_ids_do_not_come_into_headers() {
    let letter = mail(&["From: ana@example.org", "Message-ID: <a b@example.org>", "References: <x@example.org> <é@example.org> <x@example.org>", "", "y"]);
    assert_eq!((letter.message_id, letter.references), (None, vec!["x@example.org".to_owned()]));
}

#[test]
fn html_as_no_program_writes_it_is_read_in_a_moment() {
    let size = 766 * 1024;
    for html in [
        "<div>".repeat(size / 5),
        "<blockquote>x".repeat(size / 13),
        "<table><tr><td>".repeat(size / 15),
        "<b><i>".repeat(size / 6),
        "<ul><li>".repeat(size / 8),
        format!("<p>accept</p>{}", "<blockquote><p>quoted text &amp; more of it</p></blockquote>".repeat(size / 58)),
        format!("<table>{}</table>", "<tr><td>a</td><td>b</td></tr>".repeat(size / 29)),
    ] {
        let letter = mail(&["From: ana@example.org", "Content-Type: text/html", "", &html]);
        assert!(letter.text.len() < 64 * size);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
        let mut mail = b"From: ana@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".to_vec();
        mail.extend(bytes);
        let _ = read(&mail);
    }

    #[test]
    fn any_head_is_judged(head in "(From: a@b.c|Subject:|DKIM-Signature: v=1; |a=rsa-sha256;|d=b.c;|l=5;|h=from;|b=;|bh=;|Date: x|Message-ID: <a>|\r\n|\n| |:|\t|é|x){0,60}", body in "\\PC{0,20}") {
        let raw = format!("{head}\r\n\r\n{body}");
        if let Ok(message) = parse(raw.as_bytes()) {
            let _ = mail_auth::AuthenticatedMessage::from_parsed(&message, raw.as_bytes(), true);
        }
    }

    #[test]
    fn any_html_is_read(html in "(<|>|/|div|table|td|tr|a href=|blockquote|ul|li|pre|&amp;|\"| |\n|x|é){0,80}") {
        let _ = of_html(&html);
    }

    #[test]
    fn any_flowed_text_is_made_whole(text in "(>| |\n|-- |x){0,60}") {
        let _ = unflowed(&text);
    }
}

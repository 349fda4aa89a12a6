use super::*;
use crate::email::read;

fn why(headers: &str) -> Option<Automatic> {
    let from = if headers.contains("From:") { "" } else { "From: ana@example.org\r\n" };
    let subject = if headers.contains("Subject:") { "" } else { "Subject: done WEB-7\r\n" };
    let raw = format!("{from}{subject}{headers}\r\n\r\nx");
    let message = read::parse(raw.as_bytes()).unwrap();
    automatic(&message, &read::letter(&message).unwrap(), &["plan@example.org".to_owned()])
}

#[test]
fn what_programs_send_is_told_by_its_headers() {
    for (headers, expected) in [
        ("Auto-Submitted: auto-replied", Automatic::Submitted),
        ("Auto-Submitted: auto-generated (vacation)", Automatic::Submitted),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", Automatic::Report),
        ("Content-Type: Multipart/Report; boundary=x", Automatic::Report),
        ("X-Failed-Recipients: bo@example.org", Automatic::Report),
        ("Return-Path: <>", Automatic::NoReturnPath),
        ("Return-Path: < >", Automatic::NoReturnPath),
        ("Precedence: Bulk", Automatic::Bulk),
        ("Precedence: auto_reply", Automatic::Bulk),
        ("Precedence: list", Automatic::List),
        ("List-Id: <plans.example.org>", Automatic::List),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply", Automatic::Suppressed),
        ("X-Autoreply: yes", Automatic::Submitted),
        ("From: plan@example.org", Automatic::Ours),
        ("From: Plan+t1@Example.org", Automatic::Ours),
    ] {
        assert_eq!(why(headers), Some(expected), "{headers}");
    }
}

#[test]
fn the_sender_and_the_subject_tell_the_rest() {
    for from in [
        "MAILER-DAEMON@example.org",
        "postmaster@example.org",
        "noreply@example.org",
        "no-reply+7@example.org",
        "github-noreply@example.org",
        "plans-bounces@example.org",
        "DoNotReply@example.org",
    ] {
        assert_eq!(why(&format!("From: {from}")), Some(Automatic::SenderName), "{from}");
    }
    for subject in [
        "Automatic reply: Shop",
        "Out of Office: Re: Shop",
        "=?utf-8?q?R=C3=A9ponse_automatique_=3A?= Shop",
        "Abwesenheitsnotiz",
        "Undelivered Mail Returned to Sender",
    ] {
        assert_eq!(why(&format!("Subject: {subject}")), Some(Automatic::Away), "{subject}");
    }
}

#[test]
fn people_are_answered() {
    for headers in [
        "Auto-Submitted: no",
        "Return-Path: <ana@example.org>",
        "Precedence: first-class",
        "From: ana.norris@example.org",
        "From: reply@example.org",
        "Subject: add \"Out of office page\"",
        "X-Auto-Response-Suppress: None",
    ] {
        assert_eq!(why(headers), None, "{headers}");
    }
}

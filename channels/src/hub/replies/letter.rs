//! What members are told unasked: each thing with what can be done next, or several in one list.

use patchbay_core::{
    command::Reply,
    notify::{Kind, Letter, Notification},
};

use super::{count, plain};

/// A letter as it is sent.
pub struct Piece {
    pub reply: Reply,
    /// The proposal that it shows, to be decided there.
    pub proposal: Option<i32>,
    /// What it is about.
    pub about: String,
}

/// Writes a letter. `public_url` is where people reach the console.
pub fn letter(letter: &Letter, public_url: &str) -> Piece {
    if let [note] = letter.notes.as_slice() {
        let reply = actions(note, Reply::new(line(note, public_url)));
        let about = if note.target.is_empty() { note.id.to_string() } else { note.target.clone() };
        return Piece { reply, proposal: note.proposal.filter(|_| note.kind == Kind::Review), about };
    }
    let lines: Vec<String> = letter.notes.iter().map(|note| format!("- {}", line(note, public_url))).collect();
    let text = format!("{} for you\n\n{}", count(letter.notes.len(), "thing", "things"), lines.join("\n"));
    let about = letter.notes.last().map_or_else(String::new, |note| note.id.to_string());
    Piece { reply: Reply::new(text), proposal: None, about }
}

/// `@ana asks you to review [#12](…): Sign-in flow`
fn line(note: &Notification, public_url: &str) -> String {
    let words = plain(&note.words);
    let words = words.strip_suffix(':').unwrap_or(&words);
    let link = format!("[{}]({public_url}{})", plain(&note.target), note.path);
    let title = plain(&note.title);
    let colon = if title.is_empty() { "" } else { ": " };
    format!("{words} {link}{colon}{title}")
}

fn actions(note: &Notification, reply: Reply) -> Reply {
    let target = &note.target;
    match note.kind {
        Kind::Assigned => reply.action("Start", format!("start {target}")).action("Show", format!("show {target}")),
        Kind::Due => reply.action("Done", format!("done {target}")).action("Show", format!("show {target}")),
        Kind::Mentioned | Kind::Decided | Kind::Subscribed => reply.action("Show", format!("show {target}")),
        Kind::Review | Kind::Failed => reply,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use patchbay_core::{
        ids::{MemberId, NotificationId},
        notify::Kind,
    };
    use uuid::Uuid;

    use super::*;

    fn note(kind: Kind, words: &str, target: &str, title: &str, path: &str, proposal: Option<i32>) -> Notification {
        Notification {
            id: NotificationId(Uuid::nil()),
            kind,
            actor: None,
            words: words.into(),
            target: target.into(),
            title: title.into(),
            path: path.into(),
            project: Some("WEB".into()),
            proposal,
            at: DateTime::UNIX_EPOCH,
            read_at: None,
        }
    }

    #[test]
    fn one_thing_comes_with_what_can_be_done_and_several_as_a_list() {
        let review = note(Kind::Review, "@ana asks you to review", "#12", "Sign-in *flow*", "/proposals/12", Some(12));
        let due = note(Kind::Due, "Due today:", "WEB-7", "Tests", "/p/WEB?task=WEB-7", None);
        let write = |notes: &[&Notification]| {
            let notes = notes.iter().map(|note| (*note).clone()).collect();
            letter(&Letter { member: MemberId(Uuid::nil()), addresses: Vec::new(), notes }, "https://plan.example.org")
        };
        let piece = write(&[&review]);
        assert_eq!(piece.reply.text, r"@ana asks you to review [\#12](https://plan.example.org/proposals/12): Sign-in \*flow\*");
        assert_eq!((piece.proposal, piece.about.as_str()), (Some(12), "#12"));
        let piece = write(&[&due]);
        assert_eq!(piece.reply.text, "Due today [WEB-7](https://plan.example.org/p/WEB?task=WEB-7): Tests");
        assert_eq!(piece.reply.actions[0].command, "done WEB-7");
        let piece = write(&[&review, &due]);
        assert!(piece.reply.text.starts_with("2 things for you\n\n- @ana asks"), "{}", piece.reply.text);
        assert_eq!(piece.proposal, None);
    }
}

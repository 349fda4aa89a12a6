//! Threads: what a Message-ID of ours says, so that an answer to it finds its way back. Pure.
//!
//! `<MESSAGE.THREAD.PROPOSAL.REVISION.TOKEN@host>`: the token is a keyed digest of the rest and of the one address that the mail
//! went to, so that nobody else's answer carries it.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::read::{Letter, hex};

/// Bytes of a token: 80 bits, tried only by sending mails.
const TOKEN: usize = 10;
/// Bytes of a thread's name.
const THREAD: usize = 8;

/// Names our mails and knows them again.
pub struct Threads {
    key: SecretBox<[u8; 32]>,
    /// What our Message-IDs end with.
    host: String,
}

/// A proposal as a mail showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Showed {
    pub number: i32,
    pub revision: i32,
}

/// What an answer to a mail of ours tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub thread: String,
    /// What that mail asked to decide about.
    pub showed: Option<Showed>,
}

impl Threads {
    pub fn new(key: [u8; 32], host: impl Into<String>) -> Self {
        Self { key: SecretBox::new(Box::new(key)), host: host.into() }
    }

    /// The Message-ID of an outgoing mail, without angle brackets. The same again gives the same.
    pub fn message_id(&self, message: Uuid, thread: &str, showed: Option<Showed>, to: &str) -> String {
        let Showed { number, revision } = showed.unwrap_or(Showed { number: 0, revision: 0 });
        let said = format!("{}.{thread}.{number}.{revision}", message.simple());
        let token = hex(&self.mac(&said, to).finalize().into_bytes()[..TOKEN]);
        format!("{said}.{token}@{}", self.host)
    }

    /// The newest mail of ours that this one answers, where it went to the same person.
    pub fn known(&self, letter: &Letter) -> Option<Known> {
        letter.references.iter().rev().find_map(|id| self.read(id, &letter.from))
    }

    /// Whether an id is one that we give, whoever it was for.
    pub fn is_ours(&self, id: &str) -> bool {
        id.rsplit_once('@').is_some_and(|(local, host)| host.eq_ignore_ascii_case(&self.host) && local.split('.').count() == 5)
    }

    fn read(&self, id: &str, to: &str) -> Option<Known> {
        let (local, host) = id.rsplit_once('@')?;
        let (said, token) = local.rsplit_once('.').filter(|_| host.eq_ignore_ascii_case(&self.host))?;
        self.mac(said, to).verify_truncated_left(&unhex(token)?).ok()?;
        let mut parts = said.split('.').skip(1);
        let (thread, number, revision) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Known { thread: thread.to_owned(), showed: (number > 0).then_some(Showed { number, revision }) })
    }

    fn mac(&self, said: &str, to: &str) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.key.expose_secret()).expect("a key of any length is one");
        mac.update(said.as_bytes());
        mac.update(b"\0");
        mac.update(to.to_lowercase().as_bytes());
        mac
    }
}

/// The name of the thread that a mail of somebody else begins or belongs to.
pub fn name(letter: &Letter, key: &str) -> String {
    let root = letter.references.first().map_or(key, String::as_str);
    hex(&Sha256::digest(root.as_bytes())[..THREAD])
}

/// The name of the thread that a mail of ours begins.
pub fn begun(to: &str, about: &str) -> String {
    hex(&Sha256::digest(format!("{to}\0{about}").as_bytes())[..THREAD])
}

/// Exactly a token.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_one = text.len() == 2 * TOKEN && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| text.as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(from: &str, references: &[&str]) -> Letter {
        let raw = format!(
            "From: {from}\r\nMessage-ID: <m@example.org>\r\nReferences: {}\r\n\r\nx",
            references.iter().map(|id| format!("<{id}>")).collect::<Vec<_>>().join(" ")
        );
        crate::email::read::read(raw.as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_finds_its_thread_and_its_proposal() {
        let threads = Threads::new([7; 32], "example.org");
        let showed = Showed { number: 12, revision: 3 };
        let id = threads.message_id(Uuid::nil(), "00ff", Some(showed), "Ana@example.org");
        assert_eq!(id, threads.message_id(Uuid::nil(), "00ff", Some(showed), "ana@example.org"));
        assert!(id.len() < 120, "{id}");
        let known = Known { thread: "00ff".into(), showed: Some(showed) };
        assert_eq!(threads.known(&letter("ana@example.org", &["first@example.net", &id])), Some(known));
        let plain = threads.message_id(Uuid::nil(), "00ff", None, "ana@example.org");
        assert_eq!(threads.known(&letter("ana@example.org", &[&id, &plain])), Some(Known { thread: "00ff".into(), showed: None }));
        assert!(threads.is_ours(&id) && !threads.is_ours("a@example.org"));
    }

    #[test]
    fn a_token_is_one_persons_and_cannot_be_made() {
        let threads = Threads::new([7; 32], "example.org");
        let id = threads.message_id(Uuid::nil(), "00ff", Some(Showed { number: 12, revision: 3 }), "ana@example.org");
        for (from, id) in [
            ("bo@example.org", id.clone()),
            ("ana@example.org", id.replace(".12.", ".13.")),
            ("ana@example.org", id.replace("@example.org", "@example.net")),
            ("ana@example.org", format!("{}@example.org", id.split('@').next().unwrap().trim_end_matches(|c: char| c != '.'))),
            ("ana@example.org", "....é@example.org".to_owned()),
        ] {
            assert_eq!(threads.known(&letter(from, &[&id])), None, "{id}");
        }
        let others = Threads::new([8; 32], "example.org");
        assert_eq!(others.known(&letter("ana@example.org", &[&id])), None);
    }

    #[test]
    fn a_thread_is_named_by_its_first_mail() {
        let first = letter("ana@example.org", &[]);
        let answer = letter("bo@example.org", &["first@example.org", "n@example.org"]);
        assert_eq!(name(&first, "first@example.org"), name(&answer, "o@example.org"));
    }
}

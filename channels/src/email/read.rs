//! A mail as it came, read: who wrote it, in which thread, and what it says. Pure.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mail_parser::{Address, HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use patchbay_core::channel::received::Brought;
use sha2::{Digest, Sha256};

use crate::hub::material::file_name;

/// Larger mails are not read.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Text beyond this is cut off: longer than any plan that a person writes.
const MAX_TEXT: usize = 2 * 1024 * 1024;
const MAX_ATTACHMENTS: usize = 20;
/// Ids in References: the first, and the last of these.
const MAX_REFERENCES: usize = 50;
/// As long as a header line may be (RFC 5322, section 2.1.1).
const MAX_ID: usize = 998;
/// Levels of nested elements that HTML is laid out to; mail programs nest a few dozen.
const MAX_DEPTH: usize = 100;

/// A mail from one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// In small letters.
    pub from: String,
    pub name: Option<String>,
    /// To whom, in To and Cc; in small letters.
    pub to: Vec<String>,
    pub subject: String,
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// The mails before it in the thread, oldest first, each once: References and In-Reply-To.
    pub references: Vec<String>,
    pub date: Option<DateTime<Utc>>,
    /// All that it says, quotes included, with plain line feeds.
    pub text: String,
    pub attachments: Vec<Brought>,
}

/// Why a mail cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it has more than {} MB", MAX_BYTES / 1024 / 1024)]
    TooLarge,
    #[error("it is no mail")]
    NoMail,
    /// A mail of nobody, or of several, is nobody's command.
    #[error("it does not say who wrote it, as one address")]
    NoSender,
}

/// Reads a mail.
pub fn read(raw: &[u8]) -> Result<Letter, Unreadable> {
    let message = parse(raw)?;
    letter(&message)
}

/// The message as the parser has it.
pub(super) fn parse(raw: &[u8]) -> Result<Message<'_>, Unreadable> {
    if raw.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge);
    }
    MessageParser::default().parse(raw).ok_or(Unreadable::NoMail)
}

/// What a message says.
pub(super) fn letter(message: &Message<'_>) -> Result<Letter, Unreadable> {
    let mut writers = message.from().into_iter().flat_map(Address::iter);
    let (Some(writer), None) = (writers.next(), writers.next()) else { return Err(Unreadable::NoSender) };
    let from = writer.address().map(address).filter(|address| is_address(address)).ok_or(Unreadable::NoSender)?;
    let to = [message.to(), message.cc()].into_iter().flatten().flat_map(Address::iter).filter_map(|to| to.address().map(address)).collect();
    let message_id = message.message_id().and_then(id);
    let replied = [message.references(), message.in_reply_to()].into_iter().flat_map(ids);
    let mut references: Vec<String> = Vec::new();
    for id in replied {
        if !references.contains(&id) && Some(&id) != message_id.as_ref() && references.len() < 2 * MAX_REFERENCES {
            references.push(id);
        }
    }
    if references.len() > MAX_REFERENCES {
        references.drain(1..=references.len() - MAX_REFERENCES);
    }
    Ok(Letter {
        from,
        name: writer.name().map(|name| crate::render::escape::line(name).into_owned()).filter(|name| !name.is_empty()),
        to,
        subject: crate::render::escape::line(message.subject().unwrap_or_default()).into_owned(),
        message_id,
        references,
        date: message.date().and_then(|date| DateTime::from_timestamp(date.to_timestamp(), 0)),
        text: text(message),
        attachments: attachments(message),
    })
}

/// Names a mail for good: its Message-ID, or what it consists of where it has none; with its sender, who alone chose it.
pub fn key(letter: &Letter, raw: &[u8]) -> String {
    match &letter.message_id {
        Some(id) => format!("{} {id}", letter.from),
        None => digest(raw),
    }
}

/// Names what is no letter.
pub(super) fn digest(raw: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(raw)))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn address(address: &str) -> String {
    address.trim().to_lowercase()
}

fn is_address(address: &str) -> bool {
    let (Some((local, domain)), true) = (address.rsplit_once('@'), address.len() <= 254) else { return false };
    !local.is_empty() && !domain.is_empty() && !address.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';'))
}

/// An id that may stand in a header of ours.
fn id(id: &str) -> Option<String> {
    let id = id.trim().trim_matches(['<', '>']);
    (!id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')).then(|| id.to_owned())
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(text) => id(text).into_iter().collect(),
        HeaderValue::TextList(list) => list.iter().filter_map(|text| id(text)).collect(),
        _ => Vec::new(),
    }
}

/// The text of all parts that are read one after the other.
fn text(message: &Message<'_>) -> String {
    let mut text = String::new();
    for part in message.text_bodies() {
        let said = match &part.body {
            PartType::Text(said) if is_flowed(part) => unflowed(said),
            PartType::Text(said) => said.replace("\r\n", "\n"),
            PartType::Html(html) => of_html(html),
            _ => continue,
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&said);
        if text.len() > MAX_TEXT {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            break;
        }
    }
    // Some programs send an empty plain text beside the HTML that they mean.
    if text.trim().is_empty() {
        let html = message.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(of_html(html)),
            _ => None,
        });
        return html.unwrap_or_default();
    }
    text
}

fn is_flowed(part: &MessagePart<'_>) -> bool {
    part.content_type().and_then(|kind| kind.attribute("format")).is_some_and(|format| format.eq_ignore_ascii_case("flowed"))
}

/// Lines that were broken only to be sent are whole again (RFC 3676, section 4).
fn unflowed(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut flows_from = None;
    for (at, line) in text.lines().enumerate() {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let said = &line[depth..];
        let said = said.strip_prefix(' ').unwrap_or(said);
        if flows_from == Some(depth) {
            whole.push_str(said);
        } else {
            if at > 0 {
                whole.push('\n');
            }
            whole.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                whole.push(' ');
            }
            whole.push_str(said);
        }
        // The line before a signature is `-- `, which does not flow.
        flows_from = (said.ends_with(' ') && said != "-- ").then_some(depth);
    }
    whole
}

/// HTML as a person would read it. Quotes begin with `> `.
fn of_html(html: &str) -> String {
    let html = &html[..html.floor_char_boundary(MAX_TEXT)];
    // Where elements are nested too deep, laying them out takes quadratic time.
    if depth(html) > MAX_DEPTH {
        return stripped(html);
    }
    let config = html2text::config::plain_no_decorate().allow_width_overflow().no_table_borders().no_link_wrapping();
    match config.string_from_read(html.as_bytes(), 10_000) {
        Ok(text) => text,
        Err(_) => stripped(html),
    }
}

/// At least as many levels as elements are nested: those that were begun and not ended, by name. An end closes only its own kind.
fn depth(html: &str) -> usize {
    /// Elements without an end, and those that another of their kind ends.
    const FLAT: [&str; 14] = ["br", "img", "hr", "meta", "link", "input", "col", "wbr", "p", "li", "option", "area", "base", "source"];
    let mut open: HashMap<String, usize> = HashMap::new();
    let (mut depth, mut deepest) = (0, 0);
    for tag in html.split('<').skip(1) {
        let (is_end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let end = tag.bytes().take(20).take_while(u8::is_ascii_alphanumeric).count();
        let name = tag[..end].to_ascii_lowercase();
        if name.is_empty() || FLAT.contains(&name.as_str()) {
            continue;
        }
        let count = open.entry(name).or_default();
        if !is_end {
            *count += 1;
            depth += 1;
        } else if *count > 0 {
            *count -= 1;
            depth -= 1;
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The text between tags: for what is no HTML that anybody means to be read.
fn stripped(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        let said = piece.split_once('>').map_or("", |(_, said)| said);
        if !said.trim().is_empty() {
            text.push_str(said);
            text.push('\n');
        }
    }
    text
}

fn attachments(message: &Message<'_>) -> Vec<Brought> {
    message.attachments().take(MAX_ATTACHMENTS).filter_map(attachment).collect()
}

fn attachment(part: &MessagePart<'_>) -> Option<Brought> {
    let kind = part.content_type().map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase());
    let named = part.attachment_name().map(file_name).filter(|name| !name.is_empty());
    let (name, media_type, bytes) = match &part.body {
        // A mail that is forwarded as an attachment is what it says.
        PartType::Message(inner) => {
            let subject = inner.subject().map(file_name).filter(|subject| !subject.is_empty()).unwrap_or_else(|| "mail".to_owned());
            (Some(format!("{subject}.txt")), Some("text/plain".to_owned()), text(inner).into_bytes())
        }
        PartType::Text(said) | PartType::Html(said) => (named, kind, said.as_bytes().to_vec()),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => (named, kind, bytes.to_vec()),
        PartType::Multipart(_) => return None,
    };
    let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    Some(Brought { name: name.unwrap_or_else(|| "attachment".to_owned()), media_type, bytes })
}

/// The value of a header as it stands there, unfolded.
pub(super) fn header<'m>(message: &'m Message<'_>, name: &'static str) -> Option<&'m str> {
    message.header_raw(HeaderName::from(name)).map(str::trim)
}

#[cfg(test)]
mod tests;

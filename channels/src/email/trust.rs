//! Whose mail it is: proved by the domain of its sender, or not believed.
//!
//! A DKIM signature counts only where it covers what the mail is read for. Seen to pass a common verifier, and refused here:
//! text appended behind the length that a signature gives (`l=`), a Subject that it does not cover, and a second Subject.

use std::net::SocketAddr;

use chrono::{DateTime, TimeDelta, Utc};
use mail_auth::{
    AuthenticatedMessage, DkimResult, DmarcResult, Error, MessageAuthenticator, SpfOutput, SpfResult,
    common::crypto::Algorithm,
    dkim::DkimError,
    dmarc::verify::DmarcParameters,
    hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig, ResolverOpts},
};
use mail_parser::Message;

use super::{automatic::is_ours, read::Letter};

/// What a signature has to cover, and what has to be there exactly once.
const SIGNED: [&str; 4] = ["From", "Subject", "Date", "Message-ID"];
/// What may be there only once: two of them are two mails in one.
const SINGLE: [&str; 4] = ["To", "Cc", "Reply-To", "Content-Type"];
/// A mail that is older is no command any more. Repetitions are known for this long.
const MAX_AGE: TimeDelta = TimeDelta::days(7);
/// Clocks differ by this much.
const MAX_AHEAD: TimeDelta = TimeDelta::days(1);
/// Each signature costs a look-up in DNS.
const MAX_SIGNATURES: usize = 8;

/// How it is told whose a mail is.
pub struct Trust {
    authenticator: MessageAuthenticator,
    /// The server whose Authentication-Results are believed, for SPF.
    authserv_id: Option<String>,
    /// Our addresses, in small letters.
    ours: Vec<String>,
}

/// Whether a mail is its sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sender's domain vouches for it.
    Aligned,
    /// It is not proved; why, for people.
    Refused(String),
    /// It cannot be told now; why, for the log.
    Unknown(String),
}

impl Trust {
    /// With a name server of its own, else with the system's.
    pub fn new(dns: Option<SocketAddr>, authserv_id: Option<String>, ours: Vec<String>) -> anyhow::Result<Self> {
        let authenticator = match dns {
            None => MessageAuthenticator::new_system_conf()?,
            Some(address) => {
                let connection = |protocol| {
                    let mut connection = ConnectionConfig::new(protocol);
                    connection.port = address.port();
                    connection
                };
                let server = NameServerConfig::new(address.ip(), true, vec![connection(ProtocolConfig::Udp), connection(ProtocolConfig::Tcp)]);
                MessageAuthenticator::new(ResolverConfig::from_parts(None, Vec::new(), vec![server]), ResolverOpts::default())?
            }
        };
        Ok(Self { authenticator, authserv_id, ours })
    }

    /// Judges a mail.
    pub async fn judge(&self, raw: &[u8], message: &Message<'_>, letter: &Letter, now: DateTime<Utc>) -> Verdict {
        let parsed = AuthenticatedMessage::from_parsed(message, raw, true);
        if let Some(why) = self.malformed(message, &parsed, letter, now) {
            return Verdict::Refused(why);
        }
        if parsed.dkim_headers.len() + parsed.errors.len() > MAX_SIGNATURES {
            return Verdict::Refused(format!("it has more than {MAX_SIGNATURES} signatures"));
        }
        let results = self.authenticator.verify_dkim(&parsed).await;
        let domain = letter.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mut refused = None;
        let mut usable = Vec::new();
        for result in results {
            let Some(signature) = result.signature() else {
                refused.get_or_insert_with(|| why(result.result()));
                continue;
            };
            let missing = SIGNED.iter().find(|name| !signature.h.iter().any(|signed| signed.eq_ignore_ascii_case(name)));
            if let Some(name) = missing {
                refused.get_or_insert_with(|| format!("the signature of {} does not cover the {name}", signature.d));
            } else if signature.a == Algorithm::RsaSha1 {
                refused.get_or_insert_with(|| format!("the signature of {} is made with SHA-1", signature.d));
            } else {
                match result.result() {
                    DkimResult::Pass if signature.d.eq_ignore_ascii_case(domain) => return Verdict::Aligned,
                    DkimResult::Pass | DkimResult::TempError(_) => usable.push(result),
                    other => {
                        refused.get_or_insert_with(|| format!("{} vouches for something else: {}", signature.d, why(other)));
                    }
                }
            }
        }
        let spf = self.authserv_id.as_deref().and_then(|id| spf_passed(message, id));
        if usable.is_empty() && spf.is_none() {
            return Verdict::Refused(refused.unwrap_or_else(|| format!("{domain} did not sign it")));
        }
        let sent_by = spf.unwrap_or_default();
        let result = if sent_by.is_empty() { SpfResult::None } else { SpfResult::Pass };
        let spf = SpfOutput::new(sent_by.clone()).with_result(result);
        let parameters = DmarcParameters { message: &parsed, dkim_output: &usable, dkim2_output: None, rfc5321_mail_from_domain: &sent_by, spf_output: &spf };
        let dmarc = self.authenticator.verify_dmarc(parameters).await;
        match (dmarc.dkim_result(), dmarc.spf_result()) {
            (DmarcResult::Pass, _) | (_, DmarcResult::Pass) => Verdict::Aligned,
            (DmarcResult::TempError(error), _) | (_, DmarcResult::TempError(error)) => Verdict::Unknown(error.to_string()),
            // Without a policy only the very domain of the sender speaks for it.
            (DmarcResult::None, DmarcResult::None) if sent_by.eq_ignore_ascii_case(domain) => Verdict::Aligned,
            _ if usable.iter().any(|result| matches!(result.result(), DkimResult::TempError(_))) => {
                Verdict::Unknown("a signature's key could not be asked for".to_owned())
            }
            _ => Verdict::Refused(format!("what vouches for it is not {domain}")),
        }
    }

    /// What is wrong with a mail before any signature is looked at.
    fn malformed(&self, message: &Message<'_>, parsed: &AuthenticatedMessage<'_>, letter: &Letter, now: DateTime<Utc>) -> Option<String> {
        // Counted twice, as they are read and as they are signed: where the two differ, one could be shown and the other signed.
        let read = |name: &str| message.headers().iter().filter(|header| header.name().eq_ignore_ascii_case(name)).count();
        let signed = |name: &str| parsed.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).count();
        for name in SIGNED {
            match (read(name), signed(name)) {
                (1, 1) => {}
                (0, _) => return Some(format!("it has no {name}")),
                _ => return Some(format!("it has more than one {name}")),
            }
        }
        for name in SINGLE {
            if read(name) > 1 || read(name) != signed(name) {
                return Some(format!("it has more than one {name}"));
            }
        }
        if parsed.from.as_slice() != [letter.from.as_str()] {
            return Some("its From can be read in two ways".to_owned());
        }
        if !letter.to.iter().any(|to| self.ours.iter().any(|ours| is_ours(to, ours))) {
            return Some("it was written to somebody else".to_owned());
        }
        match letter.date {
            None => Some("its Date cannot be read".to_owned()),
            Some(date) if date < now - MAX_AGE => {
                Some(format!("it was written on {}, which is more than {} days ago", date.format("%-d %B %Y"), MAX_AGE.num_days()))
            }
            Some(date) if date > now + MAX_AHEAD => Some(format!("it says that it was written on {}", date.format("%-d %B %Y"))),
            Some(_) => None,
        }
    }
}

fn why(result: &DkimResult) -> String {
    match result {
        DkimResult::Neutral(Error::Dkim(DkimError::SignatureLength)) => "its signature covers only the beginning of the text".to_owned(),
        DkimResult::Neutral(Error::Dkim(DkimError::FailedBodyHashMatch)) => "the text is not the one that was signed".to_owned(),
        DkimResult::Fail(Error::Crypto(_)) => "it is not the mail that was signed".to_owned(),
        DkimResult::Neutral(error) | DkimResult::Fail(error) | DkimResult::PermError(error) | DkimResult::TempError(error) => error.to_string(),
        DkimResult::Pass | DkimResult::None => "it says nothing".to_owned(),
    }
}

/// The domain that SPF passed for, in the topmost Authentication-Results, where those are of the server that is believed (RFC 8601).
fn spf_passed(message: &Message<'_>, authserv_id: &str) -> Option<String> {
    let (_, value) = message.headers_raw().find(|(name, _)| name.eq_ignore_ascii_case("Authentication-Results"))?;
    let parts = results(value);
    let (id, results) = parts.split_first()?;
    if !id.first()?.eq_ignore_ascii_case(authserv_id) {
        return None;
    }
    let mut of_spf = results.iter().filter(|words| words.first().is_some_and(|word| word.to_ascii_lowercase().starts_with("spf=")));
    let (Some(spf), None) = (of_spf.next(), of_spf.next()) else { return None };
    if !spf.first()?.eq_ignore_ascii_case("spf=pass") {
        return None;
    }
    let sender = spf.iter().find_map(|word| word.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("smtp.mailfrom")).map(|(_, sender)| sender))?;
    let domain = sender.rsplit_once('@').map_or(sender, |(_, domain)| domain).to_lowercase();
    (!domain.is_empty()).then_some(domain)
}

/// The parts between semicolons, each in words, without comments and with what is quoted as it is.
fn results(value: &str) -> Vec<Vec<String>> {
    let mut parts = Vec::new();
    let (mut part, mut word) = (Vec::new(), String::new());
    let (mut comment, mut quoted) = (0_usize, false);
    let mut chars = value.chars().chain([';']);
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || comment > 0 => word.extend(chars.next().filter(|_| quoted)),
            '"' if comment == 0 => quoted = !quoted,
            '(' if !quoted => comment += 1,
            ')' if comment > 0 => comment -= 1,
            _ if comment > 0 => {}
            ';' | ' ' | '\t' | '\r' | '\n' if !quoted => {
                if !word.is_empty() {
                    part.push(std::mem::take(&mut word));
                }
                if c == ';' {
                    parts.push(std::mem::take(&mut part));
                }
            }
            _ => word.push(c),
        }
    }
    // What is not closed is not believed: it ends inside a comment or a quotation.
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::read;

    fn check(headers: &str, expected: Option<&str>) {
        let raw = format!("{headers}\r\nFrom: ana@example.org\r\n\r\nx");
        let message = read::parse(raw.as_bytes()).unwrap();
        assert_eq!(spf_passed(&message, "mx.example.net").as_deref(), expected, "{headers}");
    }

    #[test]
    fn only_the_topmost_results_of_the_server_that_is_believed_count() {
        let pass = "Authentication-Results: mx.example.net; dkim=none; spf=pass (mx.example.net: permitted (really)) smtp.mailfrom=ana@example.org";
        check(pass, Some("example.org"));
        check("Authentication-Results: MX.example.net 1; spf=pass smtp.mailfrom=example.org", Some("example.org"));
        check(&format!("Authentication-Results: mx.example.net; spf=fail smtp.mailfrom=ana@example.org\r\n{pass}"), None);
        check(&format!("Authentication-Results: e.vil; spf=pass smtp.mailfrom=ana@example.org\r\n{pass}"), None);
        check("Authentication-Results: mx.example.net.e.vil; spf=pass smtp.mailfrom=ana@example.org", None);
        check("Authentication-Results: mx.example.net; spf=none smtp.mailfrom=\"x; spf=pass smtp.mailfrom=ana\"@example.org", None);
        check("Authentication-Results: mx.example.net; none (; spf=pass smtp.mailfrom=ana@example.org)", None);
        check("Authentication-Results: mx.example.net; spf=fail smtp.mailfrom=b@e.vil; spf=pass smtp.mailfrom=ana@example.org", None);
        check("Subject: none", None);
    }
}

//! Whether a request comes from Discord, which sends bad signatures on purpose to see them refused:
//! <https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers>.

use serenity::interactions_endpoint;

/// Why a request is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFromDiscord {
    #[error("the headers X-Signature-Ed25519 and X-Signature-Timestamp are needed")]
    Missing,
    #[error("the signature is wrong")]
    Signature,
}

/// The key is not 64 hexadecimal digits that name a point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the public key of the application is 64 hexadecimal digits, as its page at Discord shows it")]
pub struct InvalidKey;

/// Checks signatures by an application's public key.
#[derive(Clone)]
pub struct Verifier(interactions_endpoint::Verifier);

impl Verifier {
    pub fn new(public_key: &str) -> Result<Self, InvalidKey> {
        let digits = public_key.trim();
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(InvalidKey);
        }
        let mut key = [0; 32];
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).map_err(|_| InvalidKey)?;
        }
        interactions_endpoint::Verifier::try_new(key).map(Self).map_err(|_| InvalidKey)
    }

    /// Checks a body as it came, before anything reads it.
    pub fn verify(&self, timestamp: Option<&str>, signature: Option<&str>, body: &[u8]) -> Result<(), NotFromDiscord> {
        let (timestamp, signature) = timestamp.zip(signature).ok_or(NotFromDiscord::Missing)?;
        self.0.verify(signature, timestamp, body).map_err(|()| NotFromDiscord::Signature)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use patchbay_core::review::view::hex;

    use super::*;

    #[test]
    fn only_what_discord_signed_is_believed() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let verifier = Verifier::new(&hex(key.verifying_key().as_bytes())).unwrap();
        let signature = hex(&key.sign(b"1700000000{\"type\":1}").to_bytes());
        assert_eq!(verifier.verify(Some("1700000000"), Some(&signature), b"{\"type\":1}"), Ok(()));
        assert_eq!(verifier.verify(Some("1700000001"), Some(&signature), b"{\"type\":1}"), Err(NotFromDiscord::Signature));
        assert_eq!(verifier.verify(Some("1700000000"), Some(&signature), b"{\"type\":2}"), Err(NotFromDiscord::Signature));
        assert_eq!(verifier.verify(Some("1700000000"), Some("zz"), b"{\"type\":1}"), Err(NotFromDiscord::Signature));
        assert_eq!(verifier.verify(None, Some(&signature), b""), Err(NotFromDiscord::Missing));
        for key in ["", "abc", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(Verifier::new(key).is_err(), "{key}");
        }
    }
}

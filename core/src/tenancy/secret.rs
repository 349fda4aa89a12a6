//! Secrets that are shown once: keys, session cookies, sign-in links. Only their hash is stored.

use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretString};

/// A secret and the hash by which it is found again.
pub struct Secret {
    pub text: SecretString,
    pub hash: String,
}

impl Secret {
    /// 256 bits from the operating system, after a prefix that tells what it is.
    pub fn generate(prefix: &str) -> Self {
        let mut bytes = [0; 32];
        OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness");
        let text = format!("{prefix}{}", hex(&bytes));
        let hash = hash_secret(&text);
        Self { text: text.into(), hash }
    }

    /// The first characters, enough to recognise it in a list.
    pub fn hint(&self) -> String {
        self.text.expose_secret().chars().take(9).collect()
    }
}

/// Base 64 would be shorter, but hex is never broken by a double click.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// The hash of a secret as it is stored. A fast one, because the secret itself cannot be guessed.
pub fn hash_secret(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

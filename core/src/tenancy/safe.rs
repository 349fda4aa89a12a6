//! Secrets that must be read again: signing keys and tokens of other services. Encrypted at rest under a key that is not in the database.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use rand::{TryRngCore, rngs::OsRng};
use secrecy::SecretString;

use super::secret::hex;
use crate::ids::OrganizationId;

/// The first byte of what is sealed, so that another way of sealing can be told from this one.
const VERSION: u8 = 1;
const NONCE: usize = 12;
const KEY: usize = 32;

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SafeError {
    #[error("the key file {} cannot be used", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the key file {} does not hold 64 hexadecimal digits", .0.display())]
    NoKey(PathBuf),
    /// It was sealed under another key, or for another purpose.
    #[error("a secret cannot be opened with this key")]
    Sealed,
}

/// Seals and opens secrets (AES-256-GCM).
pub struct Safe(Aes256Gcm);

impl Safe {
    /// The safe whose key is in a file, which is made where it is missing. Only its owner can read the file.
    ///
    /// Processes that share a database must share the file.
    pub fn open_or_create(path: &Path) -> Result<Self, SafeError> {
        let failed = |source| SafeError::File { path: path.to_owned(), source };
        match fs::read_to_string(path) {
            Ok(text) => Self::from_hex(&text).ok_or_else(|| SafeError::NoKey(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(path).map_err(failed)?;
                // Of two processes that start at once one has made it.
                let text = fs::read_to_string(path).map_err(failed)?;
                Self::from_hex(&text).ok_or_else(|| SafeError::NoKey(path.to_owned()))
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn from_hex(text: &str) -> Option<Self> {
        let text = text.trim().as_bytes();
        if text.len() != 2 * KEY {
            return None;
        }
        let mut key = [0; KEY];
        for (byte, digits) in key.iter_mut().zip(text.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(Aes256Gcm::new(&key.into())))
    }

    /// Seals a secret for one purpose of one organisation: moved into another row it does not open.
    pub fn seal(&self, organization: OrganizationId, purpose: &str, secret: &str) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        OsRng.try_fill_bytes(&mut nonce).expect("the operating system gives randomness");
        let aad = context(organization, purpose);
        let payload = Payload { msg: secret.as_bytes(), aad: aad.as_bytes() };
        let sealed = self.0.encrypt(&nonce.into(), payload).expect("a secret is shorter than what AES-GCM can take");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`Safe::seal`] gave for the same purpose.
    pub fn open(&self, organization: OrganizationId, purpose: &str, sealed: &[u8]) -> Result<SecretString, SafeError> {
        let (nonce, sealed) = match sealed.split_first() {
            Some((&VERSION, rest)) => rest.split_first_chunk::<NONCE>().ok_or(SafeError::Sealed)?,
            _ => return Err(SafeError::Sealed),
        };
        let aad = context(organization, purpose);
        let opened = self.0.decrypt(&(*nonce).into(), Payload { msg: sealed, aad: aad.as_bytes() }).map_err(|_| SafeError::Sealed)?;
        String::from_utf8(opened).map(Into::into).map_err(|_| SafeError::Sealed)
    }
}

fn context(organization: OrganizationId, purpose: &str) -> String {
    format!("{organization}/{purpose}")
}

/// Writes a new key beside its place and links it there, so that nobody ever reads half of it, nor replaces one that is there.
fn create(path: &Path) -> io::Result<()> {
    let mut key = [0; KEY];
    OsRng.try_fill_bytes(&mut key).expect("the operating system gives randomness");
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let _ = fs::remove_file(&beside);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    writeln!(file, "{}", hex(&key))?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_secret_opens_with_the_same_file_for_the_same_purpose_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        let (ours, theirs) = (OrganizationId(Uuid::from_u128(1)), OrganizationId(Uuid::from_u128(2)));
        let sealed = Safe::open_or_create(&path).unwrap().seal(ours, "webhook", "whsec_1");
        let again = Safe::open_or_create(&path).unwrap();
        assert_eq!(again.open(ours, "webhook", &sealed).unwrap().expose_secret(), "whsec_1");
        assert!(matches!(again.open(theirs, "webhook", &sealed), Err(SafeError::Sealed)));
        assert!(matches!(again.open(ours, "slack", &sealed), Err(SafeError::Sealed)));
        let other = Safe::open_or_create(&dir.path().join("other.key")).unwrap();
        assert!(matches!(other.open(ours, "webhook", &sealed), Err(SafeError::Sealed)));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let safe = Safe::open_or_create(&dir.path().join("secrets.key")).unwrap();
        let organization = OrganizationId(Uuid::from_u128(1));
        assert_ne!(safe.seal(organization, "webhook", "x"), safe.seal(organization, "webhook", "x"));
    }

    #[test]
    fn a_broken_key_file_is_told_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        fs::write(&path, "abc").unwrap();
        assert!(matches!(Safe::open_or_create(&path), Err(SafeError::NoKey(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "abc");
    }
}

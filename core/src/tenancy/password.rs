//! Passwords: argon2id with its recommended parameters.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};

/// The fewest characters of a password (NIST SP 800-63B asks for 8 with a second factor, 15 without; people accept 10).
const MIN_PASSWORD: usize = 10;
const MAX_PASSWORD: usize = 200;

/// Why a password cannot be taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    #[error("a password has at least {MIN_PASSWORD} characters")]
    TooShort,
    #[error("a password has at most {MAX_PASSWORD} characters")]
    TooLong,
}

/// Whether a password can be taken. Cheap, unlike hashing it.
pub fn check_password(password: &SecretString) -> Result<(), PasswordError> {
    match password.expose_secret().chars().count() {
        ..MIN_PASSWORD => Err(PasswordError::TooShort),
        MIN_PASSWORD..=MAX_PASSWORD => Ok(()),
        _ => Err(PasswordError::TooLong),
    }
}

/// Hashes a new password. Takes some 20 ms of a core on purpose: call it where blocking is allowed.
pub fn hash_password(password: &SecretString) -> Result<String, PasswordError> {
    check_password(password)?;
    Ok(Argon2::default().hash_password(password.expose_secret().as_bytes()).expect("argon2 takes a password of this length").to_string())
}

/// Whether the password is the one that was hashed. Without a hash the same work is done, so that nobody can time which
/// addresses exist.
pub fn verify_password(password: &SecretString, hash: Option<&str>) -> bool {
    static NOBODY: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| Argon2::default().hash_password(b"nobody has this password").expect("argon2 takes it").to_string());
    let known = hash.is_some();
    PasswordHash::new(hash.unwrap_or(&NOBODY)).is_ok_and(|hash| Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()) && known
}

//! The names of projects and tasks: uuids for machines, references (`WEB-7`) for people.

use std::{fmt, str::FromStr};

/// Declares a newtype over a uuid that serde, schemars and sqlx see as the uuid.
macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema, sqlx::Type,
        )]
        #[serde(transparent)]
        #[schemars(inline)]
        #[sqlx(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}
pub(crate) use uuid_newtype;

uuid_newtype! {
    /// A project. People see its key, `WEB`.
    ProjectId
}
uuid_newtype! {
    /// A task. People see its [`Reference`], `WEB-7`.
    TaskId
}

/// A task's name for people: the project's key and a number that is never used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The project's key, 1–10 capital letters and digits, a letter first.
    pub key: String,
    /// From 1.
    pub number: i32,
}

impl Reference {
    /// Reads `WEB-7`, in any case; `None` where the text is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (key, number) = text.rsplit_once('-')?;
        if !is_key(&key.to_ascii_uppercase()) || number.is_empty() || number.starts_with('0') || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { key: key.to_ascii_uppercase(), number: number.parse().ok()? })
    }
}

impl FromStr for Reference {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::parse(text).ok_or(())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.key, self.number)
    }
}

/// Whether the text is a project key: 1–10 capital letters and digits, a letter first.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=10).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

//! Where reading stopped, and what would have gone on.

use std::fmt;

use winnow::{error::ErrMode, error::ParserError, stream::TokenSlice};

use super::token::Token;

pub(super) type Input<'t, 'a> = TokenSlice<'t, Token<'a>>;
/// Backtracks where the line may yet be no command at all; cuts where it is one, with a mistake.
pub(super) type Read<T> = Result<T, ErrMode<Stuck>>;

/// The furthest place that reading came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stuck {
    /// How many tokens are left; none: the line ended too early.
    pub(super) left: usize,
    pub(super) expected: Vec<Expected>,
    /// What is wrong, where that is known better than by what was expected.
    pub(super) message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Word(&'static str),
    Task,
    Project,
    Proposal,
    Title,
    Date,
    Person,
    Duration,
    Text,
    Versions,
    Operations,
    Conflict,
    Code,
    Rule,
    Number,
    Job,
    Preset,
    Given,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Task => f.write_str("a task such as `WEB-7`"),
            Self::Project => f.write_str("a project such as `WEB`"),
            Self::Proposal => f.write_str("a proposal such as `#12`"),
            Self::Title => f.write_str("a title in quotes"),
            Self::Date => f.write_str("a date such as `friday` or `2026-12-01`"),
            Self::Person => f.write_str("a person such as `@ana`"),
            Self::Duration => f.write_str("a time such as `2h` or `90m`"),
            Self::Text => f.write_str("some words"),
            Self::Versions => f.write_str("versions such as `3..9`"),
            Self::Operations => f.write_str("numbers such as `1,3-5`"),
            Self::Conflict => f.write_str("the number of a conflict such as `2`"),
            Self::Rule => f.write_str("when, in quotes, such as `\"every weekday 9:00\"`"),
            Self::Number => f.write_str("a number such as `3`"),
            Self::Job => f.write_str("a job such as `3f2a91c4`, as `jobs` shows them"),
            Self::Preset => f.write_str("a preset such as `release-notes`"),
            Self::Given => f.write_str("a field with its value such as `count=3`"),
            Self::Code => f.write_str("a code such as `K7PM-2QXW`"),
        }
    }
}

pub(super) fn expected<T>(input: &Input<'_, '_>, expected: &[Expected]) -> Read<T> {
    Err(ErrMode::Backtrack(Stuck { left: input.len(), expected: expected.to_vec(), message: None }))
}

/// The line is a command, and the word that comes next is wrong.
pub(super) fn wrong<T>(input: &Input<'_, '_>, message: impl Into<String>) -> Read<T> {
    Err(ErrMode::Cut(Stuck { left: input.len(), expected: Vec::new(), message: Some(message.into()) }))
}

impl<'t, 'a> ParserError<Input<'t, 'a>> for Stuck {
    type Inner = Self;

    fn from_input(input: &Input<'t, 'a>) -> Self {
        Self { left: input.len(), expected: Vec::new(), message: None }
    }

    fn or(mut self, mut other: Self) -> Self {
        match self.left.cmp(&other.left) {
            std::cmp::Ordering::Less => self,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal => {
                self.expected.append(&mut other.expected);
                self.message = self.message.or(other.message);
                self
            }
        }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

//! What a file was found to say, before it meets a plan.

use crate::patch::CreateBody;

/// A file, cut into tasks. Put together again, `before` and `text` of each and `after` are its bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub title: Option<String>,
    /// What is said about the whole.
    pub summary: Option<String>,
    /// In the order of the file, parents before children.
    pub items: Vec<Item>,
    /// The bytes behind the last task.
    pub after: String,
    pub notes: Vec<Note>,
}

/// One task of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// From 1.
    pub line: usize,
    pub form: Form,
    /// The index of the task that it is part of.
    pub parent: Option<usize>,
    /// Its name in the file: `T-042`.
    pub name: Option<String>,
    /// As the file has it; a step is chosen when the process is known.
    pub status: Option<String>,
    /// Names in the file.
    pub waits_for: Vec<String>,
    /// All other fields.
    pub body: CreateBody,
    /// The bytes between the task before and this one.
    pub before: String,
    /// Its own bytes.
    pub text: String,
}

/// How a task stands in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A heading with tasks below it.
    #[default]
    Heading,
    /// A heading with a name and lines of fields.
    Record,
    /// `- [ ] title`
    Checkbox,
    Yaml,
}

/// What could not be taken as it stands, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// From 1.
    pub line: usize,
    /// The task's name, or its title.
    pub task: String,
    pub what: String,
}

impl Item {
    /// What to call it when speaking of the file.
    pub fn called(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.body.title.clone())
    }

    /// Keeps what has no field of its own.
    pub fn keep(&mut self, key: &str, value: impl Into<serde_json::Value>) {
        let key: String = key.trim().to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).take(60).collect();
        self.body.metadata.get_or_insert_default().insert(key, value.into());
    }

    /// Sets the title; one that is too long is cut, and stands whole in the description.
    pub fn entitle(&mut self, title: &str) {
        let title = title.trim();
        if title.chars().count() <= crate::patch::check::MAX_TITLE {
            title.clone_into(&mut self.body.title);
            return;
        }
        let cut: String = title.chars().take(crate::patch::check::MAX_TITLE - 1).collect();
        self.body.title = format!("{}…", cut.trim_end());
        self.describe(title);
    }

    /// Adds a paragraph to the description.
    pub fn describe(&mut self, text: &str) {
        let description = self.body.description.get_or_insert_default();
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(text);
    }
}

impl Document {
    /// Notes something about the item, in its words.
    pub(super) fn note(&mut self, line: usize, task: impl Into<String>, what: impl Into<String>) {
        self.notes.push(Note { line, task: task.into(), what: what.into() });
    }
}

/// The names of tasks in a text: `T-042 (platform), T-050`.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(|word| is_name(word))
}

/// Whether a word is a task's name: capitals, then a number, with or without a dash.
pub(super) fn is_name(word: &str) -> bool {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let letters = digits.strip_suffix('-').unwrap_or(digits);
    digits.len() < word.len()
        && letters.starts_with(|c: char| c.is_ascii_uppercase())
        && letters.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && letters.len() <= 12
}

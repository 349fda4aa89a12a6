//! The prompts: files with a header, filled with typed parameters. A parameter that a prompt names and nobody fills is an error.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// A prompt that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    Project,
    Task,
    Repair,
}

/// What the prompts of a project and of a task are filled with.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Ask {
    pub(super) today: String,
    pub(super) author: Option<String>,
    pub(super) task: Option<String>,
    pub(super) max_roots: usize,
    pub(super) fence: String,
    pub(super) plan: String,
    pub(super) draft: Option<String>,
    pub(super) conversation: Option<String>,
    pub(super) message: String,
}

/// What a repair is asked with.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Repair {
    pub(super) faults: Vec<String>,
}

impl Prompt {
    const fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Project => ("project", include_str!("../../../prompts/project.md")),
            Self::Task => ("task", include_str!("../../../prompts/task.md")),
            Self::Repair => ("repair", include_str!("../../../prompts/repair.md")),
        }
    }

    /// `project@1`, for the record.
    pub(super) fn name(self) -> String {
        let (name, text) = self.file();
        let version = header(text).lines().find_map(|line| line.strip_prefix("version: ")).unwrap_or_default();
        format!("{name}@{version}")
    }

    /// The text for these parameters.
    pub(super) fn fill(self, parameters: impl Serialize) -> Result<String, minijinja::Error> {
        static PROMPTS: LazyLock<Environment<'static>> = LazyLock::new(|| {
            let mut environment = Environment::new();
            environment.set_undefined_behavior(UndefinedBehavior::Strict);
            for prompt in [Prompt::Project, Prompt::Task, Prompt::Repair] {
                let (name, text) = prompt.file();
                environment.add_template(name, body(text)).expect("the prompts of the program are templates");
            }
            environment
        });
        PROMPTS.get_template(self.file().0)?.render(minijinja::Value::from(minijinja::value::Serde(parameters)))
    }
}

/// What stands between the dashes.
fn header(text: &str) -> &str {
    text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n")).map_or("", |(header, _)| header)
}

fn body(text: &str) -> &str {
    text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n")).map_or(text, |(_, body)| body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_has_a_header_and_is_filled_completely() {
        let ask = Ask { task: Some("WEB-1".into()), draft: Some("[]".into()), conversation: Some("x".into()), ..Ask::default() };
        for prompt in [Prompt::Project, Prompt::Task] {
            let text = prompt.fill(&ask).unwrap();
            assert!(!text.contains("{{") && !text.contains("---\n"), "{text}");
        }
        assert_eq!(Prompt::Project.name(), "project@1");
        for prompt in [Prompt::Project, Prompt::Task, Prompt::Repair] {
            for name in ["name: ", "version: ", "purpose: ", "inputs: ", "output: "] {
                assert!(header(prompt.file().1).lines().any(|line| line.starts_with(name)), "{prompt:?} has no {name}");
            }
        }
        assert!(Prompt::Repair.fill(&ask).is_err(), "a parameter that is missing is an error");
    }
}

//! Events: what happened, and which of it somebody wants to hear.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Greater for later ones; with gaps.
    pub seq: i64,
    pub ts: DateTime<Utc>,
    /// `project.changed`
    pub event: String,
    /// A member's handle.
    pub actor: String,
    /// What it happened to: a project's key, a proposal's `#12`.
    pub target: String,
    pub details: Value,
}

/// The subjects that Patchbay itself tells of: nobody else's events may be taken for these.
const OWN: [&str; 26] = [
    "agent",
    "audit",
    "channel",
    "command",
    "conversation",
    "delivery",
    "document",
    "execution",
    "export",
    "import",
    "job",
    "key",
    "lease",
    "member",
    "message",
    "node",
    "organization",
    "policy",
    "project",
    "proposal",
    "schedule",
    "session",
    "task",
    "template",
    "variant",
    "webhook",
];

/// Why an event of somebody cannot be called so; `None` where it can.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let is_part =
        |part: &str| part.starts_with(|c: char| c.is_ascii_lowercase()) && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if name.len() > 100 || !name.split('.').all(is_part) {
        return Some("a name is made of small letters, digits and _, in parts with dots between, at most 100");
    }
    let subject = name.split('.').next().unwrap_or_default();
    OWN.contains(&subject).then_some("Patchbay tells of this subject itself: begin with another word")
}

/// Which events somebody wants: those that fit all that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Names (`lease.expired`) or subjects (`lease`); none: all.
    pub kinds: Vec<String>,
    /// A task's reference.
    pub task: Option<String>,
    /// A member's handle.
    pub actor: Option<String>,
    pub target: Option<String>,
    /// A project's key.
    pub project: Option<String>,
}

impl Filter {
    /// Whether it wants everything.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it wants this one. The store's query says the same.
    pub fn wants(&self, event: &Event) -> bool {
        let subject = event.event.split('.').next().unwrap_or_default();
        let is_kind = self.kinds.is_empty() || self.kinds.iter().any(|kind| *kind == event.event || kind == subject);
        let is_actor = self.actor.as_ref().is_none_or(|actor| *actor == event.actor);
        let is_target = self.target.as_ref().is_none_or(|target| *target == event.target);
        let is_project = self.project.as_ref().is_none_or(|project| event.details["project"].as_str() == Some(project));
        let is_task = self.task.as_ref().is_none_or(|task| {
            event.target == *task
                || event.details["task"].as_str() == Some(task)
                || event.details["tasks"].as_array().is_some_and(|tasks| tasks.iter().any(|known| known.as_str() == Some(task)))
        });
        is_kind && is_actor && is_target && is_project && is_task
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobody_forges_what_patchbay_tells() {
        for name in ["build.failed", "note", "ci.run_2.done"] {
            assert_eq!(name_fault(name), None, "{name}");
        }
        for name in ["project.changed", "lease", "", "Build", "a..b", "a b", ".a", "1a", "lease.expired"] {
            assert!(name_fault(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_filter_wants_what_fits_all_that_it_says() {
        let event = Event {
            seq: 1,
            ts: DateTime::UNIX_EPOCH,
            event: "lease.acquired".into(),
            actor: "one".into(),
            target: "task:WEB-7".into(),
            details: json!({ "project": "WEB", "task": "WEB-7" }),
        };
        let check = |filter: Filter, expected: bool| assert_eq!(filter.wants(&event), expected, "{filter:?}");
        check(Filter::default(), true);
        check(Filter { kinds: vec!["lease".into()], ..Filter::default() }, true);
        check(Filter { kinds: vec!["project".into(), "lease.acquired".into()], ..Filter::default() }, true);
        check(Filter { kinds: vec!["lease.expired".into()], ..Filter::default() }, false);
        check(Filter { task: Some("WEB-7".into()), actor: Some("one".into()), project: Some("WEB".into()), ..Filter::default() }, true);
        check(Filter { task: Some("WEB-8".into()), ..Filter::default() }, false);
        check(Filter { task: Some("WEB-7".into()), actor: Some("two".into()), ..Filter::default() }, false);
    }
}

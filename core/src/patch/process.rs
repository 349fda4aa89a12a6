//! Processes: versioned state machines of the steps that a project's tasks move through.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a member may do, from most to least; `agent` is a program's member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Role {
    Owner,
    Admin,
    Member,
    Viewer,
    Agent,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer, Self::Agent];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
            Self::Agent => "agent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A state machine of steps and transitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    pub name: String,
    /// From 1; a project keeps the version that it was made with.
    pub version: i32,
    /// In the order of a board; the first is where tasks begin.
    pub steps: Vec<Step>,
    pub transitions: Vec<Transition>,
}

/// A state that a task can be in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// As it stands in patches: `in_progress`.
    pub name: String,
    /// As people read it: `In progress`.
    pub title: String,
    pub kind: StepKind,
}

/// What a step means to those who do not know the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum StepKind {
    /// Not begun.
    Open,
    /// Somebody is at it.
    Active,
    /// It waits for something.
    Waiting,
    Done,
}

/// A permitted move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    pub from: String,
    pub to: String,
    /// Who may; empty: everyone who may change the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Requirement>,
}

/// What must hold for a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Requirement {
    /// Every acceptance criterion is done.
    CriteriaDone,
    /// Every task it depends on is done.
    NoOpenDependency,
    /// The patch has a note, or the task a blocker.
    Reason,
}

impl Process {
    /// The processes that every organisation has.
    pub fn builtin() -> &'static [Self] {
        static BUILTIN: std::sync::LazyLock<Vec<Process>> = std::sync::LazyLock::new(|| vec![simple(), agents()]);
        &BUILTIN
    }

    pub fn find(name: &str) -> Option<&'static Self> {
        Self::builtin().iter().find(|process| process.name == name)
    }

    pub fn first(&self) -> &Step {
        self.steps.first().expect("a process has a step")
    }

    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    pub fn is_done(&self, step: &str) -> bool {
        self.step(step).is_some_and(|step| step.kind == StepKind::Done)
    }

    pub fn transition(&self, from: &str, to: &str) -> Option<&Transition> {
        self.transitions.iter().find(|t| t.from == from && t.to == to)
    }

    /// Whether who took a task is still at it: it is active, and not yet handed on to a review.
    pub fn is_in_work(&self, step: &str) -> bool {
        let handed_on = self.steps.iter().position(|step| step.name == "review").unwrap_or(self.steps.len());
        self.steps.iter().take(handed_on).any(|known| known.name == step && known.kind == StepKind::Active)
    }

    /// The step that a task comes to when somebody takes it up.
    pub fn taken_up(&self, from: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.kind == StepKind::Active && self.transition(from, &step.name).is_some())
    }

    /// Where a task can go from a step.
    pub fn reachable<'a>(&'a self, from: &'a str) -> impl Iterator<Item = &'a str> {
        self.transitions.iter().filter(move |t| t.from == from).map(|t| t.to.as_str())
    }
}

fn step(name: &str, title: &str, kind: StepKind) -> Step {
    Step { name: name.into(), title: title.into(), kind }
}

fn moves(from: &str, to: &[&str]) -> impl Iterator<Item = Transition> {
    to.iter().map(move |to| Transition { from: from.into(), to: (*to).into(), roles: Vec::new(), requires: Vec::new() })
}

/// For people: nearly everything goes, but what is blocked or done is first taken up again.
fn simple() -> Process {
    Process {
        name: "simple".into(),
        version: 1,
        steps: vec![
            step("todo", "To do", StepKind::Open),
            step("doing", "Doing", StepKind::Active),
            step("review", "Review", StepKind::Active),
            step("done", "Done", StepKind::Done),
            step("blocked", "Blocked", StepKind::Waiting),
        ],
        transitions: moves("todo", &["doing", "review", "done", "blocked"])
            .chain(moves("doing", &["todo", "review", "done", "blocked"]))
            .chain(moves("review", &["todo", "doing", "done", "blocked"]))
            .chain(moves("done", &["todo", "doing"]))
            .chain(moves("blocked", &["todo", "doing"]))
            .collect(),
    }
}

/// For coding agents: work is claimed when nothing is in its way, and a person approves it.
fn agents() -> Process {
    let people = vec![Role::Owner, Role::Admin, Role::Member];
    let transition = |from: &str, to: &str, roles: &[Role], requires: &[Requirement]| Transition {
        from: from.into(),
        to: to.into(),
        roles: roles.to_vec(),
        requires: requires.to_vec(),
    };
    Process {
        name: "agents".into(),
        version: 1,
        steps: vec![
            step("queued", "Queued", StepKind::Open),
            step("claimed", "Claimed", StepKind::Active),
            step("in_progress", "In progress", StepKind::Active),
            step("review", "Review", StepKind::Active),
            step("approved", "Approved", StepKind::Active),
            step("merging", "Merging", StepKind::Active),
            step("done", "Done", StepKind::Done),
        ],
        transitions: vec![
            transition("queued", "claimed", &[], &[Requirement::NoOpenDependency]),
            transition("claimed", "in_progress", &[], &[]),
            transition("claimed", "queued", &[], &[]),
            transition("in_progress", "review", &[], &[Requirement::CriteriaDone]),
            transition("in_progress", "queued", &[], &[Requirement::Reason]),
            transition("review", "approved", &people, &[]),
            transition("review", "in_progress", &[], &[Requirement::Reason]),
            transition("approved", "merging", &[], &[]),
            transition("merging", "done", &[], &[Requirement::CriteriaDone, Requirement::NoOpenDependency]),
            transition("merging", "in_progress", &[], &[Requirement::Reason]),
            transition("done", "queued", &people, &[Requirement::Reason]),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_names_steps_that_exist() {
        for process in Process::builtin() {
            for transition in &process.transitions {
                assert!(process.step(&transition.from).is_some(), "{}: {}", process.name, transition.from);
                assert!(process.step(&transition.to).is_some(), "{}: {}", process.name, transition.to);
            }
        }
    }

    #[test]
    fn work_begins_where_a_task_is_taken_up_and_ends_with_the_review() {
        let check = |process: &str, first: &str, in_work: &[&str]| {
            let process = Process::find(process).unwrap();
            assert_eq!(process.taken_up(&process.first().name).unwrap().name, first);
            let steps: Vec<&str> = process.steps.iter().map(|step| step.name.as_str()).filter(|step| process.is_in_work(step)).collect();
            assert_eq!(steps, in_work);
        };
        check("simple", "doing", &["doing"]);
        check("agents", "claimed", &["claimed", "in_progress"]);
    }

    #[test]
    fn every_step_leads_to_done() {
        for process in Process::builtin() {
            for step in &process.steps {
                let mut seen = vec![step.name.as_str()];
                let mut at = 0;
                while let Some(&from) = seen.get(at) {
                    for to in process.reachable(from) {
                        if !seen.contains(&to) {
                            seen.push(to);
                        }
                    }
                    at += 1;
                }
                assert!(seen.iter().any(|step| process.is_done(step)), "{}: {} is a dead end", process.name, step.name);
            }
        }
    }
}

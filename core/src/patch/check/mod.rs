//! Gate 2, meaning: does the patch make sense on this plan? All faults are told, not the first.

mod fields;
mod names;
mod operation;
mod outcome;
mod project;
mod structure;
mod transition;

use std::collections::{HashMap, HashSet};

use super::{Fault, TaskId, TaskPatch, normalise::Flat, plan::Plan, process::Role};
use outcome::Outcome;

/// The most levels of a plan: root tasks are level 0.
pub const MAX_DEPTH: usize = 5;
/// The most new root tasks in a proposal that a model makes in project mode.
pub const MAX_MODEL_ROOTS: usize = 6;
/// The most characters of a title.
pub const MAX_TITLE: usize = 200;

/// Who asks, and what that allows.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Transitions are allowed by role.
    pub role: Role,
    /// The most new root tasks.
    pub max_new_roots: Option<usize>,
    /// Task mode: only this task and what is below it may be touched.
    pub focus: Option<TaskId>,
    /// Reapplying history: transitions and members were checked when it was made.
    pub history: bool,
}

impl Rules {
    pub const fn of(role: Role) -> Self {
        Self { role, max_new_roots: None, focus: None, history: false }
    }
}

/// A task that exists, or the one that an operation (from 0) makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    Task(TaskId),
    New(usize),
}

/// An operation whose names are resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    pub node: Node,
    /// The parent, where the operation gives one.
    pub parent: Option<Option<Node>>,
    /// The sibling it follows, where the operation gives a place.
    pub after: Option<Option<Node>>,
    /// The tasks it will depend on, where that changes.
    pub depends_on: Option<Vec<Node>>,
}

/// A patch that fits its plan: it can be applied without any further question.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub flat: Flat,
    /// For each operation, in order.
    pub resolved: Vec<Resolved>,
}

impl Checked {
    pub fn tasks(&self) -> &[TaskPatch] {
        &self.flat.patch.tasks
    }
}

/// Checks a patch against the plan it was made for.
pub fn check(plan: &Plan, flat: Flat, rules: &Rules) -> Result<Checked, Vec<Fault>> {
    let mut checker =
        Checker { plan, flat: &flat, rules, names: HashMap::with_capacity(flat.patch.tasks.len()), unresolved: HashSet::new(), faults: Vec::new() };
    checker.project();
    checker.name_operations();
    let resolved: Vec<_> = (0..flat.patch.tasks.len()).map(|index| checker.operation(index)).collect();
    checker.structure(&Outcome::new(plan, &flat.patch.tasks, &resolved));
    let mut faults = checker.faults;
    if faults.is_empty() {
        return Ok(Checked { flat, resolved });
    }
    // In the order of the patch, whatever was found first.
    faults.sort_by_key(|(index, _)| *index);
    Err(faults.into_iter().map(|(_, fault)| fault).collect())
}

struct Checker<'a> {
    plan: &'a Plan,
    flat: &'a Flat,
    rules: &'a Rules,
    /// The temporary names and the operations that they belong to.
    names: HashMap<&'a str, usize>,
    /// The operations that name something that is not there, which has been told: of their place nothing more can be said.
    unresolved: HashSet<usize>,
    /// With the operations that they are in; `None` for the patch as a whole.
    faults: Vec<(Option<usize>, Fault)>,
}

impl Checker<'_> {
    fn fault(&mut self, index: usize, below: &str, message: impl Into<String>) -> &mut Fault {
        self.faults.push((Some(index), self.flat.fault(index, below, message)));
        &mut self.faults.last_mut().expect("one was just pushed").1
    }

    fn whole_fault(&mut self, fault: Fault) {
        self.faults.push((None, fault));
    }

    /// A node as its author names it.
    fn name(&self, node: Node) -> String {
        match node {
            Node::Task(id) => self.plan.reference_of(id),
            Node::New(index) => format!("`{}`", self.flat.patch.tasks[index].task_id()),
        }
    }

    /// `WEB-1 → t2 → WEB-1`
    fn way(&self, nodes: &[Node]) -> String {
        nodes.iter().map(|node| self.name(*node)).collect::<Vec<_>>().join(" → ")
    }
}

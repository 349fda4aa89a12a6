//! The tree and the dependencies as they will be.

use std::collections::HashMap;

use super::{
    super::{SubtasksGo, TaskId, TaskPatch, plan::Plan},
    Node, Resolved,
};

/// How far a walk has come with a node.
enum State {
    /// It is on the way.
    Open,
    /// All that it leads to has been seen.
    Done,
}

pub(super) struct Outcome<'a> {
    plan: &'a Plan,
    tasks: &'a [TaskPatch],
    pub(super) resolved: &'a [Resolved],
    /// The first operation on each task that exists.
    by_task: HashMap<TaskId, usize>,
    /// The operations on a task that an earlier one is on too, with that.
    pub(super) repeated: Vec<(usize, usize)>,
    has_deletes: bool,
    has_dependencies: bool,
}

impl<'a> Outcome<'a> {
    pub(super) fn new(plan: &'a Plan, tasks: &'a [TaskPatch], resolved: &'a [Resolved]) -> Self {
        let mut by_task = HashMap::new();
        let mut repeated = Vec::new();
        for (index, operation) in resolved.iter().enumerate() {
            if let Node::Task(id) = operation.node {
                let first = *by_task.entry(id).or_insert(index);
                if first != index {
                    repeated.push((index, first));
                }
            }
        }
        Self {
            plan,
            tasks,
            resolved,
            by_task,
            repeated,
            has_deletes: tasks.iter().any(|task| matches!(task, TaskPatch::Delete(_))),
            has_dependencies: resolved.iter().any(|operation| operation.depends_on.as_ref().is_some_and(|nodes| !nodes.is_empty())),
        }
    }

    /// The operation on a node.
    pub(super) fn operation(&self, node: Node) -> Option<usize> {
        match node {
            Node::New(index) => Some(index),
            Node::Task(id) => self.by_task.get(&id).copied(),
        }
    }

    pub(super) fn parent(&self, node: Node) -> Option<Node> {
        if let Some(parent) = self.operation(node).and_then(|index| self.resolved[index].parent) {
            return parent;
        }
        match node {
            Node::Task(id) => self.plan.get(id).and_then(|task| task.parent).map(Node::Task),
            Node::New(_) => None,
        }
    }

    /// What is above a node, nearest first. A circle ends it when everything must have been seen.
    pub(super) fn above(&self, node: Node) -> impl Iterator<Item = Node> {
        std::iter::successors(self.parent(node), |above| self.parent(*above)).take(self.plan.len() + self.tasks.len() + 1)
    }

    /// Whether something is above itself, at or over a node.
    pub(super) fn is_endless(&self, depth: usize) -> bool {
        depth > self.plan.len() + self.tasks.len()
    }

    /// How many levels are below a node and come along with it.
    pub(super) fn height(&self, node: Node) -> usize {
        let Node::Task(id) = node else { return 0 };
        let stays = |child: &TaskId| {
            !self.by_task.get(child).is_some_and(|index| self.resolved[*index].parent.is_some() || matches!(self.tasks[*index], TaskPatch::Delete(_)))
        };
        let mut level = vec![id];
        let mut height = 0;
        loop {
            level = level.iter().flat_map(|id| self.plan.children(Some(*id))).copied().filter(stays).collect();
            if level.is_empty() {
                return height;
            }
            height += 1;
        }
    }

    /// The operation that deletes a node, itself or with what it is below.
    pub(super) fn deleted_by(&self, node: Node) -> Option<usize> {
        if !self.has_deletes {
            return None;
        }
        let delete = |node: Node| match (self.operation(node)?, node) {
            (index, Node::Task(_)) => match &self.tasks[index] {
                TaskPatch::Delete(delete) => Some((index, delete.body.subtasks_go)),
                TaskPatch::Create(_) | TaskPatch::Update(_) => None,
            },
            (_, Node::New(_)) => None,
        };
        if let Some((index, _)) = delete(node) {
            return Some(index);
        }
        self.above(node).filter_map(delete).find(|(_, go)| *go == SubtasksGo::WithIt).map(|(index, _)| index)
    }

    pub(super) fn depends_on(&self, node: Node) -> impl Iterator<Item = Node> {
        let given = self.operation(node).and_then(|index| self.resolved[index].depends_on.as_deref());
        let kept = match (given, node) {
            (None, Node::Task(id)) => self.plan.get(id),
            _ => None,
        };
        given.into_iter().flatten().copied().chain(kept.into_iter().flat_map(|task| &task.depends_on).map(|id| Node::Task(*id)))
    }

    /// The circles that new dependencies close. Each is as short as the walk found it, and ends where it begins.
    pub(super) fn circles(&self) -> Vec<Vec<Node>> {
        let mut circles = Vec::new();
        if !self.has_dependencies {
            return circles;
        }
        let mut seen: HashMap<Node, State> = HashMap::new();
        for start in self.resolved.iter().filter(|operation| operation.depends_on.is_some()).map(|operation| operation.node) {
            let mut path: Vec<(Node, Vec<Node>)> = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(node) = next.take() {
                    match seen.get(&node) {
                        None => {
                            seen.insert(node, State::Open);
                            path.push((node, self.depends_on(node).collect()));
                        }
                        Some(State::Open) => {
                            let from = path.iter().position(|(above, _)| *above == node).unwrap_or_default();
                            circles.push(path[from..].iter().map(|(node, _)| *node).chain([node]).collect());
                        }
                        Some(State::Done) => {}
                    }
                }
                let Some((node, ahead)) = path.last_mut() else { break };
                next = ahead.pop();
                if next.is_none() {
                    seen.insert(*node, State::Done);
                    path.pop();
                }
            }
        }
        circles
    }

    pub(super) fn will_be_done(&self, node: Node) -> bool {
        let process = self.plan.project.process;
        let given = self.operation(node).and_then(|index| match &self.tasks[index] {
            TaskPatch::Create(create) => create.body.status.as_deref(),
            TaskPatch::Update(update) => update.body.status.set().map(String::as_str),
            TaskPatch::Delete(_) => None,
        });
        match (given, node) {
            (Some(status), _) => process.is_done(status),
            // A part of the plan has what its named tasks depend on; whatever else is missing counts as open.
            (None, Node::Task(id)) => self.plan.get(id).is_some_and(|task| process.is_done(&task.status)),
            (None, Node::New(_)) => false,
        }
    }
}

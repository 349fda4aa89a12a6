//! What only the whole patch tells: the tree, the order and the dependencies as they will be.

use super::{
    super::{Fault, TaskId, TaskPatch},
    Checker, MAX_DEPTH, Node, Outcome,
};

impl Checker<'_> {
    pub(super) fn structure(&mut self, outcome: &Outcome<'_>) {
        for (index, first) in &outcome.repeated {
            let message = format!("{} is changed twice", self.name(outcome.resolved[*index].node));
            self.fault(*index, "/task_id", message).fix = Some(format!("put both changes into operation {}", first + 1));
        }
        self.parents(outcome);
        self.dependencies(outcome);
        self.order(outcome);
        self.roots(outcome);
        self.focus(outcome);
        if !self.rules.history {
            for (index, operation) in outcome.resolved.iter().enumerate() {
                self.transition(index, operation, outcome);
            }
        }
    }

    fn parents(&mut self, outcome: &Outcome<'_>) {
        for (index, operation) in outcome.resolved.iter().enumerate() {
            let node = operation.node;
            if let Some(by) = outcome.deleted_by(node).filter(|by| outcome.operation(node) != Some(*by)) {
                let name = self.name(node);
                if operation.parent.is_some() {
                    let message = format!("{name} would go with what operation {} deletes", by + 1);
                    self.fault(index, "/body/parent_id", message).fix = Some("put it elsewhere".into());
                } else {
                    let message = format!("{name} is deleted by operation {}", by + 1);
                    self.fault(index, "/task_id", message).fix = Some("leave out one of the two, or move it elsewhere with parent_id".into());
                }
                continue;
            }
            if operation.parent.is_none() {
                continue;
            }
            let mut depth = 0;
            let is_circle = outcome.above(node).inspect(|_| depth += 1).any(|above| above == node);
            if is_circle {
                let mut way = vec![node];
                way.extend(outcome.above(node).take(depth));
                let (message, found) = (format!("{} would be below itself", self.name(node)), self.way(&way));
                self.fault(index, "/body/parent_id", message).found = Some(found);
            } else if !outcome.is_endless(depth) {
                let deepest = depth + outcome.height(node);
                if deepest > MAX_DEPTH {
                    let fault = self.fault(index, "/body/parent_id", "this is too deep");
                    fault.found = Some(format!("level {deepest}"));
                    fault.expected = Some(format!("at most level {MAX_DEPTH}, where root tasks are level 0"));
                }
            }
        }
    }

    fn dependencies(&mut self, outcome: &Outcome<'_>) {
        for (index, operation) in outcome.resolved.iter().enumerate() {
            let waits_already = |node: Node| match (operation.node, node) {
                (Node::Task(task), Node::Task(id)) => self.plan.get(task).is_some_and(|task| task.depends_on.contains(&id)),
                _ => false,
            };
            let gone: Vec<_> = operation
                .depends_on
                .iter()
                .flatten()
                // What it waits for already goes from its list by itself.
                .filter_map(|target| Some((*target, outcome.deleted_by(*target)?)).filter(|(target, _)| !waits_already(*target)))
                .collect();
            for (target, by) in gone {
                let message = format!("{} is deleted by operation {}", self.name(target), by + 1);
                self.fault(index, "/body/depends_on", message).fix = Some("leave out one of the two".into());
            }
        }
        for mut circle in outcome.circles() {
            circle.pop();
            // The plan had no circle, so that an operation of this patch closes it; the last one is told.
            let gives = |node: &Node| outcome.operation(*node).filter(|index| outcome.resolved[*index].depends_on.is_some());
            let Some((at, index)) = circle.iter().enumerate().filter_map(|(at, node)| Some((at, gives(node)?))).max_by_key(|(_, index)| *index) else {
                continue;
            };
            circle.rotate_left(at);
            circle.push(circle[0]);
            let found = self.way(&circle);
            let fault = self.fault(index, "/body/depends_on", "tasks would wait for each other");
            fault.found = Some(found);
            fault.fix = Some("leave out one of these dependencies".into());
        }
    }

    /// `after` names a sibling, and tasks do not follow each other in a circle.
    fn order(&mut self, outcome: &Outcome<'_>) {
        for (index, operation) in outcome.resolved.iter().enumerate() {
            let Some(Some(after)) = operation.after else {
                continue;
            };
            let is_unresolved = |node| outcome.operation(node).is_some_and(|index| self.unresolved.contains(&index));
            if is_unresolved(operation.node) || is_unresolved(after) {
                continue;
            }
            if outcome.parent(after) != outcome.parent(operation.node) {
                let message = format!("{} cannot follow {}, which has another parent", self.name(operation.node), self.name(after));
                self.fault(index, "/body/after", message).fix = Some("name a sibling, or give parent_id too".into());
                continue;
            }
            let follows = |node: &Node| outcome.operation(*node).and_then(|index| outcome.resolved[index].after).flatten();
            let mut way = vec![operation.node];
            way.extend(std::iter::successors(Some(after), follows).take(outcome.resolved.len()));
            if let Some(round) = way.iter().skip(1).position(|node| *node == operation.node) {
                let (message, found) = (format!("{} would follow itself", self.name(operation.node)), self.way(&way[..=round + 1]));
                self.fault(index, "/body/after", message).found = Some(found);
            }
        }
    }

    fn roots(&mut self, outcome: &Outcome<'_>) {
        let Some(limit) = self.rules.max_new_roots else {
            return;
        };
        let roots = outcome.resolved.iter().filter(|operation| matches!(operation.node, Node::New(_)) && operation.parent == Some(None)).count();
        if roots > limit {
            self.whole_fault(
                Fault::new("/tasks", "too many new tasks at the top")
                    .found(roots.to_string())
                    .expected(format!("at most {limit}"))
                    .fix("group them under fewer deliverables"),
            );
        }
    }

    fn focus(&mut self, outcome: &Outcome<'_>) {
        let Some(focus) = self.rules.focus else {
            return;
        };
        let name = self.plan.reference_of(focus);
        let message = format!("only {name} and what is below it may change here");
        if self.flat.patch.meta_updates.is_some() {
            self.whole_fault(Fault::new("/meta_updates", message.clone()).fix("ask in the project's conversation"));
        }
        let below = |id: TaskId| id == focus || self.plan.ancestors(id).any(|task| task.id == focus);
        let mut outside = Vec::new();
        for (index, operation) in outcome.resolved.iter().enumerate() {
            let is_inside = |node: Node| match node {
                Node::Task(id) => below(id),
                Node::New(_) => true,
            };
            let is_focus = operation.node == Node::Task(focus);
            let goes = operation.parent.is_some() || matches!(self.flat.patch.tasks[index], TaskPatch::Delete(_));
            if !is_inside(operation.node) || (is_focus && goes) {
                outside.push((index, "/task_id"));
            } else if operation.parent.is_some_and(|parent| !parent.is_some_and(is_inside)) {
                outside.push((index, "/body/parent_id"));
            }
        }
        for (index, path) in outside {
            let fix = format!("put new tasks below {name} with parent_id, or ask in the project's conversation");
            self.fault(index, path, message.clone()).fix = Some(fix);
        }
    }
}

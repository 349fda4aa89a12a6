//! Names: which task each one means.

use std::collections::HashSet;

use super::{
    super::{
        Field, ListEdit, TaskPatch,
        fault::nearest,
        plan::{Plan, Task},
    },
    Checker, Node,
    fields::MAX_WORD,
};

impl<'a> Checker<'a> {
    /// Learns the temporary names.
    pub(super) fn name_operations(&mut self) {
        for (index, task) in self.flat.patch.tasks.iter().enumerate() {
            let TaskPatch::Create(create) = task else {
                continue;
            };
            let name = create.task_id.as_str();
            let length = name.chars().count();
            if !(1..=MAX_WORD).contains(&length) || name.contains(char::is_control) {
                let fault = self.fault(index, "/task_id", "this cannot be a temporary name");
                fault.found = Some(if length > MAX_WORD { format!("{length} characters") } else { format!("{name:?}") });
                fault.expected = Some(format!("1–{MAX_WORD} characters on one line"));
                fault.fix = Some("call it `t1`, or the like".into());
            } else if let Some(first) = self.names.get(name) {
                let fix = format!("operation {} has the name already; take another", first + 1);
                self.fault(index, "/task_id", format!("two new tasks are called `{name}`")).fix = Some(fix);
            } else {
                if create.id.is_none() && self.plan.find(name).is_some() {
                    self.fault(index, "/task_id", format!("{name} is the name of a task that exists")).fix =
                        Some("give the new task a temporary name such as `t1`, or use op `update`".into());
                }
                self.names.insert(name, index);
            }
        }
    }

    /// The task that an operation changes or deletes. One that is not there has been told.
    pub(super) fn existing(&mut self, index: usize, name: &str) -> Option<&'a Task> {
        // The plan outlives the checker's own borrow.
        let plan: &'a Plan = self.plan;
        if let Some(first) = self.names.get(name) {
            let message = format!("`{name}` is made by operation {} of this patch", first + 1);
            self.fault(index, "/task_id", message).fix = Some("put these fields into that operation".into());
            self.unresolved.insert(index);
            return None;
        }
        let found = plan.find(name);
        if found.is_none() {
            self.unknown(index, "/task_id", name);
        }
        found
    }

    /// A place that an operation gives: what it comes below, or behind.
    #[expect(clippy::option_option, reason = "not given, given as none, given as a task: three things")]
    pub(super) fn place(&mut self, index: usize, below: &str, field: &Field<String>) -> Option<Option<Node>> {
        match field {
            Field::Absent => None,
            Field::Clear => Some(None),
            Field::Set(name) => self.node(index, below, name).map(Some),
        }
    }

    /// What a name means. One that means nothing has been told.
    pub(super) fn node(&mut self, index: usize, below: &str, name: &str) -> Option<Node> {
        let found = match self.names.get(name) {
            Some(at) => Some(Node::New(*at)),
            None => self.plan.find(name).map(|task| Node::Task(task.id)),
        };
        if found.is_none() {
            self.unknown(index, below, name);
        }
        found
    }

    fn unknown(&mut self, index: usize, below: &str, name: &str) {
        self.unresolved.insert(index);
        let near = nearest(name, self.names.keys().copied()).map(|near| format!("did you mean `{near}`?"));
        let key = &self.plan.project.key;
        let message = if key.is_empty() { format!("there is no task {name} in this patch") } else { format!("there is no task {name} in {key}") };
        let fault = self.fault(index, below, message);
        fault.found = Some(name.to_owned());
        fault.fix = Some(near.unwrap_or_else(|| "name a task of the project by its reference, or a new one by its temporary name".to_owned()));
    }

    /// The tasks that a list names, each once.
    pub(super) fn nodes(&mut self, index: usize, names: &[String]) -> Vec<Node> {
        let mut seen = HashSet::with_capacity(names.len());
        names.iter().filter_map(|name| self.node(index, "/body/depends_on", name)).filter(|node| seen.insert(*node)).collect()
    }

    /// The dependencies of a task after an edit.
    pub(super) fn depend(&mut self, index: usize, task: &Task, edit: &Field<ListEdit<String>>) -> Option<Vec<Node>> {
        match edit {
            Field::Absent => None,
            Field::Clear => Some(Vec::new()),
            Field::Set(ListEdit::Replace(names)) => Some(self.nodes(index, names)),
            Field::Set(ListEdit::Change { add, remove }) => {
                let remove: HashSet<_> = self.nodes(index, remove).into_iter().collect();
                let mut nodes: Vec<_> = task.depends_on.iter().map(|id| Node::Task(*id)).filter(|node| !remove.contains(node)).collect();
                for node in self.nodes(index, add) {
                    if !nodes.contains(&node) {
                        nodes.push(node);
                    }
                }
                Some(nodes)
            }
        }
    }
}

//! Gate 2, meaning: does the patch make sense on this plan? All faults are told, not the first.

use std::collections::{HashMap, HashSet};

use super::{
    Create, Fault, Field, ListEdit, NewCriterion, SubtasksGo, TaskId, TaskPatch, UpdateBody,
    fault::nearest,
    id::is_key,
    normalise::Flat,
    plan::{Plan, Task},
    process::{Process, Requirement, Role},
};

/// The most levels of a plan: root tasks are level 0.
pub const MAX_DEPTH: usize = 5;
/// The most new root tasks in a proposal that a model makes in project mode.
pub const MAX_MODEL_ROOTS: usize = 6;
/// The most characters of a title.
pub const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 20_000;
const MAX_LINE: usize = 500;
const MAX_WORD: usize = 60;
const MAX_LIST: usize = 100;
const MAX_MINUTES: u32 = 10_000_000;

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
    let mut checker = Checker { plan, flat: &flat, rules, names: HashMap::new(), faults: Vec::new() };
    checker.project();
    checker.name_operations();
    let resolved: Vec<_> = (0..flat.patch.tasks.len()).filter_map(|index| checker.operation(index)).collect();
    if resolved.len() == flat.patch.tasks.len() {
        checker.structure(&resolved);
    }
    if checker.faults.is_empty() { Ok(Checked { flat, resolved }) } else { Err(checker.faults) }
}

struct Checker<'a> {
    plan: &'a Plan,
    flat: &'a Flat,
    rules: &'a Rules,
    /// The temporary names and the operations that they belong to.
    names: HashMap<&'a str, usize>,
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    fn fault(&mut self, index: usize, below: &str, message: impl Into<String>) -> &mut Fault {
        self.faults.push(self.flat.fault(index, below, message));
        self.faults.last_mut().expect("one was just pushed")
    }

    fn project(&mut self) {
        let Some(meta) = &self.flat.patch.meta_updates else {
            if self.plan.project.version == 0 && !self.rules.history {
                self.faults.push(Fault::new("/meta_updates/title", "a new project needs a title"));
            }
            return;
        };
        let new = self.plan.project.version == 0;
        match meta.title.as_deref().map(|title| title.chars().count()) {
            None if new => self.faults.push(Fault::new("/meta_updates/title", "a new project needs a title")),
            Some(length) if length > MAX_TITLE => self.faults.push(too_long("/meta_updates/title", length, MAX_TITLE)),
            _ => {}
        }
        if let Some(summary) = &meta.summary {
            self.length("/meta_updates/summary", summary, MAX_TEXT);
        }
        for (field, given) in [("key", meta.key.is_some()), ("process", meta.process.is_some())] {
            if given && !new {
                self.faults.push(Fault::new(format!("/meta_updates/{field}"), format!("the {field} of a project never changes")).fix("leave it out"));
            }
        }
        if let Some(key) = &meta.key
            && !is_key(key)
        {
            self.faults.push(
                Fault::new("/meta_updates/key", "this cannot be a project's key")
                    .found(key.clone())
                    .expected("1–10 capital letters and digits, a letter first, such as WEB"),
            );
        }
        if let Some(name) = &meta.process
            && Process::find(name).is_none()
        {
            let known: Vec<_> = Process::builtin().iter().map(|process| process.name.as_str()).collect();
            self.faults.push(Fault::new("/meta_updates/process", "there is no such process").found(name.clone()).expected(known.join(" or ")));
        }
        if let Some(zone) = &meta.time_zone
            && zone.parse::<chrono_tz::Tz>().is_err()
        {
            self.faults
                .push(Fault::new("/meta_updates/time_zone", "there is no such time zone").found(zone.clone()).expected("an IANA name such as Europe/Berlin"));
        }
    }

    fn name_operations(&mut self) {
        for (index, task) in self.flat.patch.tasks.iter().enumerate() {
            let TaskPatch::Create(create) = task else {
                continue;
            };
            let name = create.task_id.as_str();
            if name.is_empty() || name.chars().count() > MAX_WORD {
                self.fault(index, "/task_id", format!("a temporary name has 1–{MAX_WORD} characters")).found = Some(format!("{}", name.chars().count()));
            } else if let Some(first) = self.names.insert(name, index) {
                let first = first + 1;
                self.fault(index, "/task_id", format!("two new tasks are called `{name}`")).fix =
                    Some(format!("operation {first} has the name already; take another"));
            } else if create.id.is_none() && self.plan.find(name).is_some() {
                self.fault(index, "/task_id", format!("{name} is the name of a task that exists")).fix =
                    Some("give the new task a temporary name such as `t1`, or use op `update`".into());
            }
        }
    }

    fn node(&mut self, index: usize, below: &str, name: &str) -> Option<Node> {
        if let Some(at) = self.names.get(name) {
            return Some(Node::New(*at));
        }
        if let Some(task) = self.plan.find(name) {
            return Some(Node::Task(task.id));
        }
        let near = nearest(name, self.names.keys().copied()).map(str::to_owned);
        let key = &self.plan.project.key;
        let message = if key.is_empty() { format!("there is no task {name} in this patch") } else { format!("there is no task {name} in {key}") };
        let fix = near.map_or_else(
            || "name a task of the project by its reference, or a new one by its temporary name".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let fault = self.fault(index, below, message);
        fault.found = Some(name.to_owned());
        fault.fix = Some(fix);
        None
    }

    /// Checks what can be told from one operation, and resolves its names.
    fn operation(&mut self, index: usize) -> Option<Resolved> {
        match &self.flat.patch.tasks[index] {
            TaskPatch::Create(create) => self.create(index, create),
            TaskPatch::Update(update) => {
                let task = self.existing(index, &update.task_id)?;
                self.update(index, task, &update.body)
            }
            TaskPatch::Delete(delete) => {
                let task = self.existing(index, &delete.task_id)?;
                Some(Resolved { node: Node::Task(task.id), parent: None, after: None, depends_on: None })
            }
        }
    }

    fn existing(&mut self, index: usize, name: &str) -> Option<&'a Task> {
        if let Some(first) = self.names.get(name) {
            let first = first + 1;
            self.fault(index, "/task_id", format!("`{name}` is made by operation {first} of this patch")).fix =
                Some("put these fields into that operation".into());
            return None;
        }
        if let Some(task) = self.plan.find(name) {
            return Some(task);
        }
        self.node(index, "/task_id", name);
        None
    }

    fn create(&mut self, index: usize, create: &Create) -> Option<Resolved> {
        let body = &create.body;
        self.title(index, &body.title);
        if let Some(text) = &body.description {
            self.length(&self.at(index, "description"), text, MAX_TEXT);
        }
        if let Some(status) = &body.status
            && self.plan.project.process.step(status).is_none()
        {
            self.no_such_step(index, status);
        }
        self.word(index, "kind", body.kind.as_deref());
        self.line(index, "blocker", body.blocker.as_deref());
        self.minutes(index, body.estimate_minutes);
        self.assignee(index, body.assignee.as_deref());
        self.list(index, "labels", body.labels.as_deref(), MAX_WORD);
        self.list(index, "references", body.references.as_deref(), MAX_LINE);
        self.criteria(index, body.acceptance_criteria.as_deref(), None);
        if let Some(refs) = &body.external_refs {
            self.map(index, "external_refs", refs.iter().map(|(key, value)| (key, value.as_str())));
        }
        if let Some(metadata) = &body.metadata {
            self.metadata(index, metadata);
        }
        let parent = body.parent_id.as_deref().map(|name| self.node(index, "/body/parent_id", name));
        let after = body.after.given().map(|name| name.map(|name| self.node(index, "/body/after", name)));
        let depends_on = body.depends_on.as_ref().map(|names| self.nodes(index, names));
        Some(Resolved {
            node: Node::New(index),
            parent: Some(match parent {
                None => None,
                Some(found) => Some(found?),
            }),
            after: place(after)?,
            depends_on: match depends_on {
                None => None,
                Some(found) => Some(found?),
            },
        })
    }

    fn update(&mut self, index: usize, task: &'a Task, body: &UpdateBody) -> Option<Resolved> {
        match &body.title {
            Field::Absent => {}
            Field::Clear => {
                self.fault(index, "/body/title", "a task always has a title");
            }
            Field::Set(title) => self.title(index, title),
        }
        if let Field::Set(text) = &body.description {
            self.length(&self.at(index, "description"), text, MAX_TEXT);
        }
        self.word(index, "kind", body.kind.set().map(String::as_str));
        self.line(index, "blocker", body.blocker.set().map(String::as_str));
        self.minutes(index, body.estimate_minutes.set().copied());
        self.assignee(index, body.assignee.set().map(String::as_str));
        for (field, edit, longest) in [("labels", &body.labels, MAX_WORD), ("references", &body.references, MAX_LINE)] {
            match edit.set() {
                Some(ListEdit::Replace(list)) => self.list(index, field, Some(list), longest),
                Some(ListEdit::Change { add, .. }) => self.list(index, field, Some(add), longest),
                None => {}
            }
        }
        match body.acceptance_criteria.set() {
            Some(ListEdit::Replace(list)) => self.criteria(index, Some(list), None),
            Some(ListEdit::Change { add, remove }) => {
                self.criteria(index, Some(add), Some(task));
                for id in remove {
                    if !task.detail.acceptance_criteria.iter().any(|criterion| criterion.id == *id) {
                        let reference = self.plan.reference(task);
                        self.fault(index, "/body/acceptance_criteria/remove", format!("{reference} has no criterion `{id}`"));
                    }
                }
            }
            None => {}
        }
        if let Some(refs) = body.external_refs.set() {
            self.map(index, "external_refs", refs.iter().map(|(key, value)| (key, value.as_deref().unwrap_or_default())));
        }
        if let Some(metadata) = body.metadata.set() {
            self.metadata(index, metadata);
        }
        let parent = body.parent_id.given().map(|name| name.map(|name| self.node(index, "/body/parent_id", name)));
        let after = body.after.given().map(|name| name.map(|name| self.node(index, "/body/after", name)));
        let depends_on = match &body.depends_on {
            Field::Absent => None,
            Field::Clear => Some(Some(Vec::new())),
            Field::Set(ListEdit::Replace(names)) => Some(self.nodes(index, names)),
            Field::Set(ListEdit::Change { add, remove }) => Some(self.depend(index, task, add, remove)),
        };
        Some(Resolved {
            node: Node::Task(task.id),
            parent: place(parent)?,
            after: place(after)?,
            depends_on: match depends_on {
                None => None,
                Some(found) => Some(found?),
            },
        })
    }

    fn nodes(&mut self, index: usize, names: &[String]) -> Option<Vec<Node>> {
        let found: Vec<_> = names.iter().filter_map(|name| self.node(index, "/body/depends_on", name)).collect();
        let mut seen = HashSet::new();
        (found.len() == names.len()).then(|| found.into_iter().filter(|node| seen.insert(*node)).collect())
    }

    fn depend(&mut self, index: usize, task: &Task, add: &[String], remove: &[String]) -> Option<Vec<Node>> {
        let remove: HashSet<_> = self.nodes(index, remove)?.into_iter().collect();
        let mut nodes: Vec<_> = task.depends_on.iter().map(|id| Node::Task(*id)).filter(|node| !remove.contains(node)).collect();
        for node in self.nodes(index, add)? {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        Some(nodes)
    }

    fn at(&self, index: usize, field: &str) -> String {
        format!("{}/body/{field}", self.flat.path(index))
    }

    fn length(&mut self, path: &str, text: &str, limit: usize) {
        // Bytes first: counting characters is only needed where they may be too many.
        if text.len() > limit {
            let length = text.chars().count();
            if length > limit {
                self.faults.push(too_long(path, length, limit));
            }
        }
    }

    fn title(&mut self, index: usize, title: &str) {
        if title.is_empty() {
            self.fault(index, "/body/title", "a title is missing").expected = Some(format!("1–{MAX_TITLE} characters"));
        } else if title.len() > MAX_TITLE {
            self.length(&self.at(index, "title"), title, MAX_TITLE);
        }
        if title.contains(['\n', '\r']) {
            self.fault(index, "/body/title", "a title is one line").fix = Some("put the rest into the description".into());
        }
    }

    fn word(&mut self, index: usize, field: &str, word: Option<&str>) {
        if let Some(word) = word.filter(|word| word.len() > MAX_WORD) {
            self.length(&self.at(index, field), word, MAX_WORD);
        }
    }

    fn line(&mut self, index: usize, field: &str, line: Option<&str>) {
        if let Some(line) = line.filter(|line| line.len() > MAX_LINE) {
            self.length(&self.at(index, field), line, MAX_LINE);
        }
    }

    fn minutes(&mut self, index: usize, minutes: Option<u32>) {
        if let Some(minutes) = minutes.filter(|minutes| *minutes > MAX_MINUTES) {
            let fault = self.fault(index, "/body/estimate_minutes", "this is more than a person can work");
            fault.found = Some(minutes.to_string());
            fault.expected = Some(format!("at most {MAX_MINUTES}"));
        }
    }

    fn assignee(&mut self, index: usize, handle: Option<&str>) {
        let Some(handle) = handle.filter(|handle| !self.rules.history && !self.plan.members.contains(*handle)) else {
            return;
        };
        let near = nearest(handle, self.plan.members.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        let mut members: Vec<_> = self.plan.members.iter().take(10).cloned().collect();
        if self.plan.members.len() > members.len() {
            members.push("…".into());
        }
        let fault = self.fault(index, "/body/assignee", format!("`{handle}` is not a member"));
        fault.expected = Some(format!("one of {}", members.join(", ")));
        fault.fix = near;
    }

    fn list(&mut self, index: usize, field: &str, list: Option<&[String]>, longest: usize) {
        let Some(list) = list else { return };
        if list.len() > MAX_LIST {
            self.fault(index, &format!("/body/{field}"), "this list is too long").expected = Some(format!("at most {MAX_LIST}"));
        }
        for item in list.iter().filter(|item| item.len() > longest) {
            self.length(&self.at(index, field), item, longest);
        }
    }

    fn criteria(&mut self, index: usize, list: Option<&[NewCriterion]>, added_to: Option<&Task>) {
        let Some(list) = list else { return };
        let present = added_to.map_or(0, |task| task.detail.acceptance_criteria.len());
        if list.len() + present > MAX_LIST {
            self.fault(index, "/body/acceptance_criteria", "there are too many criteria").expected = Some(format!("at most {MAX_LIST}"));
        }
        let mut seen = HashSet::new();
        for (at, criterion) in list.iter().enumerate() {
            let path = format!("/body/acceptance_criteria/{at}");
            if criterion.text.trim().is_empty() {
                self.fault(index, &path, "a criterion needs a text");
            } else if criterion.text.len() > MAX_LINE {
                self.length(&format!("{}{path}", self.flat.path(index)), &criterion.text, MAX_LINE);
            }
            if let Some(id) = &criterion.id {
                let plain = (1..=40).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if !plain {
                    self.fault(index, &path, "this cannot be a criterion's id").expected = Some("1–40 of a-z, A-Z, 0-9, - and _".into());
                } else if !seen.insert(id) {
                    self.fault(index, &path, format!("two criteria have the id `{id}`"));
                }
            }
        }
    }

    fn map<'m>(&mut self, index: usize, field: &str, entries: impl Iterator<Item = (&'m String, &'m str)>) {
        let mut count = 0;
        for (key, value) in entries {
            count += 1;
            if key.is_empty() || key.len() > MAX_WORD {
                self.fault(index, &format!("/body/{field}"), format!("a name here has 1–{MAX_WORD} characters")).found = Some(key.clone());
            }
            self.length(&self.at(index, field), value, MAX_LINE);
        }
        if count > MAX_LIST {
            self.fault(index, &format!("/body/{field}"), "there are too many entries").expected = Some(format!("at most {MAX_LIST}"));
        }
    }

    fn metadata(&mut self, index: usize, metadata: &std::collections::BTreeMap<String, serde_json::Value>) {
        let size: usize = metadata.iter().map(|(key, value)| key.len() + value.to_string().len()).sum();
        if size > MAX_TEXT {
            let fault = self.fault(index, "/body/metadata", "this is too much metadata");
            fault.found = Some(format!("{size} bytes"));
            fault.expected = Some(format!("at most {MAX_TEXT}"));
        }
    }

    fn no_such_step(&mut self, index: usize, status: &str) {
        let steps: Vec<_> = self.plan.project.process.steps.iter().map(|step| step.name.as_str()).collect();
        let near = nearest(status, steps.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let process = &self.plan.project.process.name;
        let fault = self.fault(index, "/body/status", format!("the process `{process}` has no step `{status}`"));
        fault.expected = Some(steps.join(", "));
        fault.fix = near;
    }

    /// Checks what only the whole patch tells.
    fn structure(&mut self, resolved: &[Resolved]) {
        let mut first: HashMap<Node, usize> = HashMap::with_capacity(resolved.len());
        for (index, operation) in resolved.iter().enumerate() {
            if let Some(earlier) = first.insert(operation.node, index) {
                let name = self.flat.patch.tasks[index].task_id().to_owned();
                let earlier = earlier + 1;
                self.fault(index, "/task_id", format!("{name} is changed twice")).fix = Some(format!("put both changes into operation {earlier}"));
            }
        }
        let shape = Shape::new(self.plan, &self.flat.patch.tasks, resolved);
        self.parents(resolved, &shape);
        self.dependencies(resolved, &shape);
        self.order(resolved, &shape);
        self.roots(resolved);
        self.focus(resolved);
        if !self.rules.history {
            for (index, operation) in resolved.iter().enumerate() {
                self.transition(index, operation, &shape, resolved);
            }
        }
    }

    fn parents(&mut self, resolved: &[Resolved], shape: &Shape<'_>) {
        for (index, operation) in resolved.iter().enumerate() {
            if let Some(by) = shape.deleted_by(operation.node).filter(|by| *by != index) {
                let (name, by) = (self.name(operation.node), by + 1);
                self.fault(index, "/task_id", format!("{name} is deleted by operation {by}")).fix = Some("leave out one of the two".into());
                continue;
            }
            let Some(parent) = operation.parent else {
                continue;
            };
            match shape.depth(operation.node) {
                None => {
                    let (name, parent) = (self.name(operation.node), parent.map_or_else(String::new, |node| self.name(node)));
                    self.fault(index, "/body/parent_id", format!("{name} cannot go below {parent}, which is below it or is itself"));
                }
                Some(depth) => {
                    let deepest = depth + shape.height(operation.node);
                    if deepest > MAX_DEPTH {
                        let fault = self.fault(index, "/body/parent_id", "this is too deep");
                        fault.found = Some(format!("level {deepest}"));
                        fault.expected = Some(format!("at most {MAX_DEPTH}, where root tasks are level 0"));
                    }
                }
            }
        }
    }

    fn dependencies(&mut self, resolved: &[Resolved], shape: &Shape<'_>) {
        for (index, operation) in resolved.iter().enumerate() {
            let Some(targets) = &operation.depends_on else {
                continue;
            };
            for target in targets {
                if let Some(by) = shape.deleted_by(*target) {
                    let (name, by) = (self.name(*target), by + 1);
                    self.fault(index, "/body/depends_on", format!("{name} is deleted by operation {by}"));
                } else if let Some(way) = shape.way(*target, operation.node) {
                    let mut names = vec![self.name(operation.node)];
                    names.extend(way.into_iter().map(|node| self.name(node)));
                    self.fault(index, "/body/depends_on", "tasks would wait for each other").found = Some(names.join(" → "));
                }
            }
        }
    }

    /// `after` names a sibling, and new tasks do not follow each other in a circle.
    fn order(&mut self, resolved: &[Resolved], shape: &Shape<'_>) {
        for (index, operation) in resolved.iter().enumerate() {
            let Some(Some(after)) = operation.after else {
                continue;
            };
            if shape.parent(after) != shape.parent(operation.node) {
                let (name, after) = (self.name(operation.node), self.name(after));
                self.fault(index, "/body/after", format!("{name} cannot follow {after}, which has another parent")).fix =
                    Some("name a sibling, or give parent_id too".into());
                continue;
            }
            let mut at = after;
            for _ in 0..=resolved.len() {
                if at == operation.node {
                    let name = self.name(at);
                    self.fault(index, "/body/after", format!("{name} would follow itself"));
                    break;
                }
                let Node::New(next) = at else { break };
                let Some(Some(next)) = resolved[next].after else {
                    break;
                };
                at = next;
            }
        }
    }

    fn roots(&mut self, resolved: &[Resolved]) {
        let Some(limit) = self.rules.max_new_roots else {
            return;
        };
        let roots = resolved.iter().filter(|operation| matches!(operation.node, Node::New(_)) && operation.parent == Some(None)).count();
        if roots > limit {
            self.faults.push(
                Fault::new("/tasks", "too many new tasks at the top")
                    .found(roots.to_string())
                    .expected(format!("at most {limit}"))
                    .fix("group them under fewer deliverables"),
            );
        }
    }

    fn focus(&mut self, resolved: &[Resolved]) {
        let Some(focus) = self.rules.focus else {
            return;
        };
        let name = self.plan.reference_of(focus);
        if self.flat.patch.meta_updates.is_some() {
            self.faults.push(Fault::new("/meta_updates", format!("only {name} and what is below it may change here")));
        }
        let below = |id: TaskId| id == focus || self.plan.ancestors(id).any(|task| task.id == focus);
        let mut outside = Vec::new();
        for (index, operation) in resolved.iter().enumerate() {
            let inside = match operation.node {
                Node::Task(id) => below(id),
                Node::New(_) => true,
            };
            let parent_inside = match operation.parent {
                Some(Some(Node::Task(id))) => below(id),
                Some(Some(Node::New(_))) => true,
                Some(None) => false,
                None => true,
            };
            let is_focus = operation.node == Node::Task(focus);
            let deletes_focus = is_focus && matches!(self.flat.patch.tasks[index], TaskPatch::Delete(_));
            if !inside || deletes_focus || (is_focus && operation.parent.is_some()) {
                outside.push((index, "/task_id"));
            } else if !parent_inside {
                outside.push((index, "/body/parent_id"));
            }
        }
        for (index, path) in outside {
            self.fault(index, path, format!("only {name} and what is below it may change here")).fix =
                Some(format!("put new tasks below {name} with parent_id, or ask in the project's conversation"));
        }
    }

    fn transition(&mut self, index: usize, operation: &Resolved, shape: &Shape<'_>, resolved: &[Resolved]) {
        let TaskPatch::Update(update) = &self.flat.patch.tasks[index] else {
            return;
        };
        let Node::Task(id) = operation.node else {
            return;
        };
        let Some(task) = self.plan.get(id) else {
            return;
        };
        let process = self.plan.project.process;
        let to = match &update.body.status {
            Field::Absent => return,
            Field::Clear => {
                self.fault(index, "/body/status", "a task is always at some step").expected =
                    Some(process.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join(", "));
                return;
            }
            Field::Set(to) => to,
        };
        if *to == task.status {
            return;
        }
        if process.step(to).is_none() {
            self.no_such_step(index, to);
            return;
        }
        let reference = self.plan.reference(task);
        let Some(transition) = process.transition(&task.status, to) else {
            let reachable: Vec<_> = process.reachable(&task.status).collect();
            let (from, expected) = (task.status.clone(), reachable.join(", "));
            let fault = self.fault(index, "/body/status", format!("{reference} cannot go from {from} to {to}"));
            fault.expected = Some(expected);
            return;
        };
        if !transition.roles.is_empty() && !transition.roles.contains(&self.rules.role) {
            let roles: Vec<_> = transition.roles.iter().map(|role| role.as_str()).collect();
            let found = self.rules.role.to_string();
            let fault = self.fault(index, "/body/status", format!("{reference} is moved to {to} by someone else"));
            fault.found = Some(found);
            fault.expected = Some(roles.join(" or "));
            return;
        }
        for requirement in &transition.requires {
            match requirement {
                Requirement::CriteriaDone => {
                    let open = super::apply::criteria(&task.detail.acceptance_criteria, &update.body.acceptance_criteria);
                    if let Some(open) = open.iter().find(|criterion| !criterion.done) {
                        let text = open.text.clone();
                        self.fault(index, "/body/status", format!("{reference} has a criterion that is not done")).found = Some(text);
                    }
                }
                Requirement::NoOpenDependency => {
                    let open = shape.depends_on(operation.node).into_iter().find(|node| !shape.will_be_done(*node, resolved));
                    if let Some(open) = open {
                        let name = self.name(open);
                        self.fault(index, "/body/status", format!("{reference} waits for {name}, which is not done"));
                    }
                }
                Requirement::Reason => {
                    if self.flat.patch.note.is_none() && update.body.blocker.set().is_none() {
                        let from = task.status.clone();
                        self.fault(index, "/body/status", format!("moving {reference} from {from} to {to} needs a reason")).fix =
                            Some("say why in `note`".into());
                    }
                }
            }
        }
    }

    fn name(&self, node: Node) -> String {
        match node {
            Node::Task(id) => self.plan.reference_of(id),
            Node::New(index) => format!("`{}`", self.flat.patch.tasks[index].task_id()),
        }
    }
}

/// The tree and the dependencies as they will be.
struct Shape<'a> {
    plan: &'a Plan,
    tasks: &'a [TaskPatch],
    moved: HashMap<Node, Option<Node>>,
    depends: HashMap<Node, &'a [Node]>,
    deletes: HashMap<TaskId, (usize, SubtasksGo)>,
    new_below: HashMap<Node, Vec<Node>>,
}

impl<'a> Shape<'a> {
    fn new(plan: &'a Plan, tasks: &'a [TaskPatch], resolved: &'a [Resolved]) -> Self {
        let mut shape = Self { plan, tasks, moved: HashMap::new(), depends: HashMap::new(), deletes: HashMap::new(), new_below: HashMap::new() };
        for (index, (task, operation)) in tasks.iter().zip(resolved).enumerate() {
            if let Some(parent) = operation.parent {
                shape.moved.insert(operation.node, parent);
                if let Some(parent) = parent {
                    shape.new_below.entry(parent).or_default().push(operation.node);
                }
            }
            if let Some(nodes) = &operation.depends_on {
                shape.depends.insert(operation.node, nodes);
            }
            if let (TaskPatch::Delete(delete), Node::Task(id)) = (task, operation.node) {
                shape.deletes.insert(id, (index, delete.body.subtasks_go));
            }
        }
        shape
    }

    fn parent(&self, node: Node) -> Option<Node> {
        match (self.moved.get(&node), node) {
            (Some(parent), _) => *parent,
            (None, Node::Task(id)) => self.plan.get(id).and_then(|task| task.parent).map(Node::Task),
            (None, Node::New(_)) => None,
        }
    }

    /// How many are above a node; `None` where it is above itself.
    fn depth(&self, node: Node) -> Option<usize> {
        let mut at = node;
        let limit = self.plan.len() + self.tasks.len() + 1;
        for depth in 0..=limit {
            match self.parent(at) {
                None => return Some(depth),
                Some(parent) if parent == node => return None,
                Some(parent) => at = parent,
            }
        }
        None
    }

    /// How many levels are below a node. A circle ends at the deepest that a plan can be.
    fn height(&self, node: Node) -> usize {
        let mut height = 0;
        let mut level = vec![node];
        while height <= MAX_DEPTH {
            let mut next = Vec::new();
            for node in &level {
                if let Some(new) = self.new_below.get(node) {
                    next.extend(new);
                }
                if let Node::Task(id) = node {
                    next.extend(self.plan.children(Some(*id)).iter().map(|id| Node::Task(*id)).filter(|child| !self.moved.contains_key(child)));
                }
            }
            if next.is_empty() {
                return height;
            }
            height += 1;
            level = next;
        }
        height
    }

    /// The operation that deletes a node, itself or with what it is below.
    fn deleted_by(&self, node: Node) -> Option<usize> {
        if self.deletes.is_empty() {
            return None;
        }
        if let Node::Task(id) = node
            && let Some((index, _)) = self.deletes.get(&id)
        {
            return Some(*index);
        }
        let mut at = self.parent(node);
        for _ in 0..=self.plan.len() + self.tasks.len() {
            let above = at?;
            if let Node::Task(id) = above
                && let Some((index, SubtasksGo::WithIt)) = self.deletes.get(&id)
            {
                return Some(*index);
            }
            at = self.parent(above);
        }
        None
    }

    fn depends_on(&self, node: Node) -> Vec<Node> {
        match (self.depends.get(&node), node) {
            (Some(nodes), _) => nodes.to_vec(),
            (None, Node::Task(id)) => self.plan.get(id).into_iter().flat_map(|task| &task.depends_on).map(|id| Node::Task(*id)).collect(),
            (None, Node::New(_)) => Vec::new(),
        }
    }

    /// How a node leads to another by dependencies, both ends included.
    fn way(&self, from: Node, to: Node) -> Option<Vec<Node>> {
        let mut came_from: HashMap<Node, Node> = HashMap::new();
        let mut stack = vec![from];
        while let Some(node) = stack.pop() {
            if node == to {
                let mut way = vec![node];
                let mut at = node;
                while at != from {
                    at = came_from[&at];
                    way.push(at);
                }
                way.reverse();
                return Some(way);
            }
            for next in self.depends_on(node) {
                if next != from && !came_from.contains_key(&next) {
                    came_from.insert(next, node);
                    stack.push(next);
                }
            }
        }
        None
    }

    fn will_be_done(&self, node: Node, resolved: &[Resolved]) -> bool {
        let process = self.plan.project.process;
        let given = resolved.iter().position(|operation| operation.node == node).and_then(|index| match &self.tasks[index] {
            TaskPatch::Create(create) => create.body.status.as_deref(),
            TaskPatch::Update(update) => update.body.status.set().map(String::as_str),
            TaskPatch::Delete(_) => None,
        });
        match (given, node) {
            (Some(status), _) => process.is_done(status),
            // A part of the plan may lack it; what is missing was not loaded because it is not named, and counts as open.
            (None, Node::Task(id)) => self.plan.get(id).is_some_and(|task| process.is_done(&task.status)),
            (None, Node::New(_)) => false,
        }
    }
}

fn too_long(path: &str, length: usize, limit: usize) -> Fault {
    Fault::new(path, "this is too long").found(format!("{length} characters")).expected(format!("at most {limit}"))
}

/// A place that was given: unresolved names have been told already.
#[expect(clippy::option_option, reason = "absent, null and a name are three things")]
fn place(given: Option<Option<Option<Node>>>) -> Option<Option<Option<Node>>> {
    match given {
        None => Some(None),
        Some(None) => Some(Some(None)),
        Some(Some(None)) => None,
        Some(Some(Some(node))) => Some(Some(Some(node))),
    }
}

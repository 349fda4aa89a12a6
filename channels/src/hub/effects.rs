//! What a command does to a plan: explicit operations, for the same gates as any other patch.
//!
//! Pure. What only the gates can tell (a circle, a step that cannot be reached) is left to them.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use patchbay_core::{
    dates,
    patch::{
        Create, CreateBody, Delete, DeleteBody, Field, ListEdit, MetaUpdates, ProjectPatch, Reference, SubtasksGo, TaskId, TaskPatch, Update, UpdateBody,
        fault::nearest,
        plan::{Plan, Task},
        process::{Step, StepKind},
    },
};
use serde_json::{Value, json};

use super::grammar::{Add, Command, DatePhrase, Person, Place, ProjectSetting, Setting, Target, Verb};
use crate::render::escape;

/// Who gives the command, when and where.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// Who "me" is.
    pub handle: Option<&'a str>,
    pub now: DateTime<Utc>,
    /// What "friday" is.
    pub zone: Tz,
    /// The task that the conversation is about.
    pub focus: Option<TaskId>,
}

impl Author<'_> {
    /// The day it is for them.
    pub fn today(&self) -> NaiveDate {
        dates::today(self.now, self.zone)
    }
}

/// Why a command does nothing, told so that its author can mend it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Markdown.
    pub message: String,
    /// A word of the command, and what may have been meant.
    pub instead: Option<(String, String)>,
}

impl Refusal {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), instead: None }
    }

    /// The command as it may have been meant.
    pub fn corrected(&self, line: &str) -> Option<String> {
        let (word, instead) = self.instead.as_ref()?;
        let at = line.to_ascii_lowercase().find(&word.to_ascii_lowercase())?;
        Some(format!("{}{instead}{}", &line[..at], &line[at + word.len()..]))
    }
}

/// The operations of a command that changes the plan; `None` for one that does not.
///
/// The patch has no base version: it is meant for the plan as it is when it is applied.
pub fn patch(command: &Command, plan: &Plan, author: &Author<'_>) -> Result<Option<ProjectPatch>, Refusal> {
    let on = Effect { plan, author };
    let mut patch = ProjectPatch { project_id: Some(plan.project.key.clone()), ..ProjectPatch::default() };
    patch.tasks = match command {
        Command::New { title, .. } => {
            let meta = MetaUpdates { title: Some(title.clone()), ..MetaUpdates::default() };
            return Ok(Some(ProjectPatch { meta_updates: Some(meta), ..ProjectPatch::default() }));
        }
        Command::SetProject { setting, .. } => {
            patch.meta_updates = Some(project_setting(setting));
            Vec::new()
        }
        Command::Add(add) => vec![on.add(add)?],
        Command::Step { verb, tasks, why } => {
            patch.note.clone_from(why);
            on.step(*verb, tasks, why.as_deref())?
        }
        Command::Set { tasks, setting } => {
            let body = on.setting(setting)?;
            on.each(tasks, |_| body.clone())?
        }
        Command::Move { tasks, place } => on.move_to(tasks, place)?,
        Command::Split { task, into } => on.split(task, into)?,
        Command::Delete { tasks, keep_subtasks } => on.delete(tasks, *keep_subtasks)?,
        Command::Assign { tasks, to } => {
            let assignee = Field::to(to.as_ref().map(|person| on.handle(person)).transpose()?);
            on.each(tasks, |_| UpdateBody { assignee: assignee.clone(), ..UpdateBody::default() })?
        }
        Command::Label { tasks, add, remove } => {
            let labels = Field::Set(ListEdit::Change { add: add.clone(), remove: remove.clone() });
            on.each(tasks, |_| UpdateBody { labels: labels.clone(), ..UpdateBody::default() })?
        }
        Command::Depend { tasks, on: others, no_longer } => {
            let others: Vec<String> = on.find_all(others)?.iter().map(|task| plan.reference(task)).collect();
            let (add, remove) = if *no_longer { (Vec::new(), others) } else { (others, Vec::new()) };
            let depends_on = Field::Set(ListEdit::Change { add, remove });
            on.each(tasks, |_| UpdateBody { depends_on: depends_on.clone(), ..UpdateBody::default() })?
        }
        Command::Plan { .. }
        | Command::Show(_)
        | Command::List { .. }
        | Command::ListProjects
        | Command::Log { .. }
        | Command::Review(_)
        | Command::Accept { .. }
        | Command::Reject { .. }
        | Command::Edit { .. }
        | Command::Comment { .. }
        | Command::Link { .. }
        | Command::Agents
        | Command::Lease(_)
        | Command::Bind { .. }
        | Command::Mute(_)
        | Command::Unmute(_)
        | Command::Subscribe { .. }
        | Command::Schedule(_)
        | Command::Jobs(_)
        | Command::Withdraw { .. }
        | Command::Resolve { .. }
        | Command::Rebase { .. }
        | Command::Undo { .. }
        | Command::Redo { .. }
        | Command::Revert { .. }
        | Command::History(_)
        | Command::Diff { .. }
        | Command::Help(_) => return Ok(None),
    };
    Ok(Some(patch))
}

/// A value as people write it for the field that a path in a patch ends in.
pub fn value(path: &str, text: &str, author: &Author<'_>) -> Value {
    let field = path.split_once("/body/").map_or("", |(_, field)| field.split('/').next().unwrap_or(field));
    let text = text.trim();
    if matches!(text.to_lowercase().as_str(), "none" | "nothing" | "nobody" | "top") {
        return Value::Null;
    }
    match field {
        "due_on" => dates::parse(text, author.now, author.zone).map_or_else(|| json!(text), |when| json!(when.day)),
        "estimate_minutes" => dates::parse_duration_front(text).map_or_else(|| json!(text), |(minutes, _)| json!(minutes)),
        "priority" | "effort" | "parent_id" => json!(text.to_uppercase()),
        "assignee" => json!(text.trim_start_matches('@')),
        "labels" | "references" | "depends_on" => json!(text.split([',', ' ']).filter(|item| !item.is_empty()).collect::<Vec<_>>()),
        _ => json!(text),
    }
}

/// The task that a reference names, or who it may have meant.
pub fn find<'p>(plan: &'p Plan, reference: &Reference) -> Result<&'p Task, Refusal> {
    let key = &plan.project.key;
    if reference.key != *key {
        return Err(Refusal::new(format!("{reference} is not a task of {key}, which the rest of the command is about.")));
    }
    plan.by_number(reference.number).ok_or_else(|| {
        let number = reference.number.to_string();
        let numbers: Vec<String> = plan.tasks().map(|task| task.number.to_string()).collect();
        let slip = |other: &&String| (strsim::damerau_levenshtein(&number, other), other.parse().unwrap_or(i32::MAX).abs_diff(reference.number));
        let near = numbers.iter().min_by_key(slip).filter(|other| strsim::damerau_levenshtein(&number, other) == 1);
        let Some(task) = near.and_then(|near| plan.by_number(near.parse().ok()?)) else {
            return Refusal::new(format!("{key} has no task {reference}. `show {key}` lists its tasks."));
        };
        let near = plan.reference(task);
        Refusal {
            message: format!("{key} has no task {reference}. Did you mean {near} {}?", escape::markdown(&task.title)),
            instead: Some((reference.to_string(), near)),
        }
    })
}

struct Effect<'a> {
    plan: &'a Plan,
    author: &'a Author<'a>,
}

impl Effect<'_> {
    fn find_all(&self, references: &[Reference]) -> Result<Vec<&Task>, Refusal> {
        let mut found: Vec<&Task> = Vec::with_capacity(references.len());
        for reference in references {
            let task = find(self.plan, reference)?;
            if !found.iter().any(|other| other.id == task.id) {
                found.push(task);
            }
        }
        Ok(found)
    }

    /// One update for each task.
    fn each(&self, references: &[Reference], body: impl Fn(&Task) -> UpdateBody) -> Result<Vec<TaskPatch>, Refusal> {
        Ok(self.find_all(references)?.into_iter().map(|task| self.update(task, body(task))).collect())
    }

    fn update(&self, task: &Task, body: UpdateBody) -> TaskPatch {
        TaskPatch::Update(Update { task_id: self.plan.reference(task), body })
    }

    fn handle(&self, person: &Person) -> Result<String, Refusal> {
        match person {
            Person::Handle(handle) => Ok(handle.clone()),
            Person::Me => self.author.handle.map(str::to_owned).ok_or_else(|| Refusal::new("I do not know who you are here. Write a name, such as `@ana`.")),
        }
    }

    fn day(&self, phrase: &DatePhrase) -> Result<chrono::NaiveDate, Refusal> {
        phrase.day(self.author.now, self.author.zone).ok_or_else(|| Refusal::new("There is no such day."))
    }

    fn add(&self, add: &Add) -> Result<TaskPatch, Refusal> {
        let mut body = CreateBody {
            title: add.title.clone(),
            priority: add.priority,
            assignee: add.assignee.as_ref().map(|person| self.handle(person)).transpose()?,
            due_on: add.due.as_ref().map(|due| self.day(due)).transpose()?,
            estimate_minutes: add.estimate_minutes,
            labels: (!add.labels.is_empty()).then(|| add.labels.clone()),
            ..CreateBody::default()
        };
        if !add.depends_on.is_empty() {
            body.depends_on = Some(self.find_all(&add.depends_on)?.iter().map(|task| self.plan.reference(task)).collect());
        }
        let focus = self.author.focus.and_then(|focus| self.plan.get(focus)).map(|task| self.plan.reference(task));
        match &add.place {
            None => body.parent_id = focus,
            Some(place) => {
                let (parent, after) = self.place(place, &[])?;
                body.parent_id = parent;
                body.after = after;
            }
        }
        Ok(TaskPatch::Create(Create { task_id: "t1".to_owned(), id: None, body }))
    }

    /// The parent and the sibling before a place, where those in `moving` are gone.
    fn place(&self, place: &Place, moving: &[TaskId]) -> Result<(Option<String>, Field<String>), Refusal> {
        let name = |id: Option<TaskId>| id.map(|id| self.plan.reference_of(id));
        Ok(match place {
            Place::Under(Target::Project(_)) => (None, Field::Absent),
            Place::Under(Target::Task(parent)) => (Some(self.plan.reference(find(self.plan, parent)?)), Field::Absent),
            Place::After(sibling) => {
                let sibling = find(self.plan, sibling)?;
                (name(sibling.parent), Field::Set(self.plan.reference(sibling)))
            }
            Place::Before(sibling) => {
                let sibling = find(self.plan, sibling)?;
                let before = self.plan.children(sibling.parent).iter().take_while(|id| **id != sibling.id);
                (name(sibling.parent), Field::to(name(before.filter(|id| !moving.contains(id)).last().copied())))
            }
            Place::First | Place::Last => {
                let parent = moving.first().and_then(|id| self.plan.get(*id)).and_then(|task| task.parent);
                let last = self.plan.children(parent).iter().rfind(|id| !moving.contains(id)).copied();
                (name(parent), Field::to(name(last.filter(|_| *place == Place::Last))))
            }
        })
    }

    /// All of them go to the place, in the order in which they are named.
    fn move_to(&self, references: &[Reference], place: &Place) -> Result<Vec<TaskPatch>, Refusal> {
        let tasks = self.find_all(references)?;
        let moving: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
        if let Place::Before(sibling) | Place::After(sibling) = place
            && moving.contains(&find(self.plan, sibling)?.id)
        {
            return Err(Refusal::new(format!("{sibling} cannot go next to itself.")));
        }
        let (parent, mut after) = self.place(place, &moving)?;
        let mut operations = Vec::with_capacity(tasks.len());
        for task in tasks {
            let body = UpdateBody { parent_id: Field::to(parent.clone()), after: after.clone(), ..UpdateBody::default() };
            operations.push(self.update(task, body));
            after = Field::Set(self.plan.reference(task));
        }
        Ok(operations)
    }

    /// The task keeps the first title and the others follow it, alike in all that says what sort of work it is. What waited for the task waits for all of them.
    fn split(&self, reference: &Reference, into: &[String]) -> Result<Vec<TaskPatch>, Refusal> {
        let task = find(self.plan, reference)?;
        let [first, others @ ..] = into else { return Ok(Vec::new()) };
        let names: Vec<String> = (1..=others.len()).map(|n| format!("t{n}")).collect();
        let list = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let mut operations = vec![self.update(task, UpdateBody { title: Field::Set(first.clone()), ..UpdateBody::default() })];
        let mut after = self.plan.reference(task);
        for (title, name) in others.iter().zip(&names) {
            let body = CreateBody {
                title: title.clone(),
                priority: task.priority,
                kind: task.detail.kind.clone(),
                assignee: task.assignee.clone(),
                due_on: task.due_on,
                labels: list(task.detail.labels.clone()),
                depends_on: list(task.depends_on.iter().map(|id| self.plan.reference_of(*id)).collect()),
                parent_id: task.parent.map(|id| self.plan.reference_of(id)),
                after: Field::Set(std::mem::replace(&mut after, name.clone())),
                ..CreateBody::default()
            };
            operations.push(TaskPatch::Create(Create { task_id: name.clone(), id: None, body }));
        }
        let mut waiting: Vec<&Task> = self.plan.dependents(task.id).collect();
        waiting.sort_by_key(|task| task.number);
        let edit = Field::Set(ListEdit::Change { add: names, remove: Vec::new() });
        operations.extend(waiting.into_iter().map(|task| self.update(task, UpdateBody { depends_on: edit.clone(), ..UpdateBody::default() })));
        Ok(operations)
    }

    fn delete(&self, references: &[Reference], keep_subtasks: bool) -> Result<Vec<TaskPatch>, Refusal> {
        let tasks = self.find_all(references)?;
        let goes_anyway = |task: &Task| !keep_subtasks && self.plan.ancestors(task.id).any(|above| tasks.iter().any(|other| other.id == above.id));
        let subtasks_go = if keep_subtasks { SubtasksGo::Up } else { SubtasksGo::WithIt };
        let delete = |task: &&Task| TaskPatch::Delete(Delete { task_id: self.plan.reference(task), body: DeleteBody { subtasks_go } });
        Ok(tasks.iter().filter(|task| !goes_anyway(task)).map(delete).collect())
    }

    fn step(&self, verb: Verb, references: &[Reference], why: Option<&str>) -> Result<Vec<TaskPatch>, Refusal> {
        let mut tasks = self.find_all(references)?;
        if references.is_empty() {
            tasks.extend(self.author.focus.and_then(|focus| self.plan.get(focus)));
        }
        let word = match verb {
            Verb::Done => "done",
            Verb::Start => "start",
            Verb::Block => "block",
            Verb::Reopen => "reopen",
        };
        if tasks.is_empty() {
            return Err(Refusal::new(format!("Which task? For example `{word} {}-1`.", self.plan.project.key)));
        }
        let operations: Vec<_> = tasks.iter().filter_map(|task| Some(self.update(task, self.stepped(verb, task, why)?))).collect();
        match (operations.is_empty(), tasks.as_slice()) {
            (true, [task]) => {
                let step = self.plan.project.process.step(&task.status).map_or(task.status.as_str(), |step| step.title.as_str());
                Err(Refusal::new(format!("{} {} is at *{step}* already.", self.plan.reference(task), escape::markdown(&task.title))))
            }
            (true, _) => Err(Refusal::new("They are all there already.")),
            (false, _) => Ok(operations),
        }
    }

    /// `None` where the task is there already.
    fn stepped(&self, verb: Verb, task: &Task, why: Option<&str>) -> Option<UpdateBody> {
        let kind = match verb {
            Verb::Done => StepKind::Done,
            Verb::Start => StepKind::Active,
            Verb::Block => StepKind::Waiting,
            Verb::Reopen => StepKind::Open,
        };
        let process = self.plan.project.process;
        let current = process.step(&task.status).map(|step| step.kind);
        let mut body = UpdateBody::default();
        if current != Some(kind)
            && let Some(step) = self.step_of(kind, &task.status)
        {
            body.status = Field::Set(step.name.clone());
        }
        match (verb, why, &task.detail.blocker) {
            (Verb::Block, Some(why), before) if before.as_deref() != Some(why) => body.blocker = Field::Set(why.to_owned()),
            (Verb::Block, ..) | (_, _, None) => {}
            (_, _, Some(_)) => body.blocker = Field::Clear,
        }
        (!body.is_empty()).then_some(body)
    }

    /// The first step of a kind that can be reached; where none can, the first, and the gates say why not.
    fn step_of(&self, kind: StepKind, from: &str) -> Option<&'static Step> {
        let process = self.plan.project.process;
        let mut steps = process.steps.iter().filter(|step| step.kind == kind);
        let first = steps.clone().next();
        steps.find(|step| process.transition(from, &step.name).is_some()).or(first)
    }

    fn setting(&self, setting: &Setting) -> Result<UpdateBody, Refusal> {
        let mut body = UpdateBody::default();
        match setting {
            Setting::Title(title) => body.title = Field::Set(title.clone()),
            Setting::Description(text) => body.description = Field::to(text.clone()),
            Setting::Status(step) => body.status = Field::Set(self.status(step)?),
            Setting::Priority(priority) => body.priority = Field::to(*priority),
            Setting::Kind(kind) => body.kind = Field::to(kind.clone()),
            Setting::Effort(effort) => body.effort = Field::to(*effort),
            Setting::Estimate(minutes) => body.estimate_minutes = Field::to(*minutes),
            Setting::Assignee(person) => body.assignee = Field::to(person.as_ref().map(|person| self.handle(person)).transpose()?),
            Setting::Due(due) => body.due_on = Field::to(due.as_ref().map(|due| self.day(due)).transpose()?),
            Setting::Labels(labels) => body.labels = Field::Set(ListEdit::Replace(labels.clone())),
            Setting::Blocker(text) => body.blocker = Field::to(text.clone()),
        }
        Ok(body)
    }

    /// A step by its name or its title.
    fn status(&self, written: &str) -> Result<String, Refusal> {
        let steps = &self.plan.project.process.steps;
        let is = |step: &&Step| step.name.eq_ignore_ascii_case(written) || step.title.eq_ignore_ascii_case(written);
        if let Some(step) = steps.iter().find(is) {
            return Ok(step.name.clone());
        }
        let names: Vec<_> = steps.iter().map(|step| format!("`{}`", step.name)).collect();
        Err(Refusal {
            message: format!("{} has no step {}. It has {}.", self.plan.project.key, escape::code(written), names.join(", ")),
            instead: nearest(written, steps.iter().map(|step| step.name.as_str())).map(|near| (written.to_owned(), near.to_owned())),
        })
    }
}

fn project_setting(setting: &ProjectSetting) -> MetaUpdates {
    let mut meta = MetaUpdates::default();
    match setting {
        ProjectSetting::Title(title) => meta.title = Some(title.clone()),
        ProjectSetting::Summary(summary) => meta.summary = Some(summary.clone()),
        ProjectSetting::TimeZone(zone) => meta.time_zone = Some(zone.name().to_owned()),
    }
    meta
}

#[cfg(test)]
mod tests {
    use patchbay_core::patch::{apply::apply, check, normalise, process::Role};
    use uuid::Uuid;

    use super::*;
    use crate::{
        example,
        hub::grammar::{Parsed, parse},
    };

    fn author() -> Author<'static> {
        Author { handle: Some("bo"), now: example::now(), zone: Tz::Europe__Berlin, focus: None }
    }

    fn effect(plan: &Plan, line: &str) -> Result<ProjectPatch, Refusal> {
        let Parsed::Command(command) = parse(line, &["WEB"]) else { panic!("{line} is no command") };
        Ok(patch(&command, plan, &author())?.expect("it changes the plan"))
    }

    /// What a line makes of the example plan, through the real gates: the tasks that differ, each as one line.
    fn check(line: &str, expected: &[&str]) {
        let mut plan = example::plan();
        let before = outline(&plan);
        let patch = effect(&plan, line).unwrap_or_else(|refusal| panic!("{line}: {}", refusal.message));
        let flat = normalise::flatten(patch);
        let checked = check::check(&plan, flat, &check::Rules::of(Role::Member)).unwrap_or_else(|faults| panic!("{line}: {faults:?}"));
        let mut next = 100;
        apply(&mut plan, &checked, || {
            next += 1;
            TaskId(Uuid::from_u128(next))
        });
        let after = outline(&plan);
        let changed: Vec<_> = after.iter().filter(|task| !before.contains(task)).map(String::as_str).collect();
        assert_eq!(changed, expected, "{line}\n{}", after.join("\n"));
    }

    fn outline(plan: &Plan) -> Vec<String> {
        plan.walk()
            .into_iter()
            .map(|(_, task)| {
                let place = task.parent.map_or_else(String::new, |id| format!(" under {}", plan.reference_of(id)));
                let after = plan.previous(task).map_or_else(String::new, |id| format!(" after {}", plan.reference_of(id)));
                let mut line = format!("{} {} {}{place}{after}", plan.reference(task), task.title, task.status);
                let mut add = |text: Option<String>| line.extend(text.map(|text| format!(" {text}")));
                add(task.priority.map(|priority| priority.as_str().to_owned()));
                add(task.assignee.as_ref().map(|handle| format!("@{handle}")));
                add(task.due_on.map(|day| day.to_string()));
                add(task.detail.blocker.clone());
                add(task.detail.estimate_minutes.map(|minutes| format!("{minutes}m")));
                add((!task.detail.labels.is_empty()).then(|| task.detail.labels.join("+")));
                add((!task.depends_on.is_empty()).then(|| task.depends_on.iter().map(|id| plan.reference_of(*id)).collect::<Vec<_>>().join("+")));
                line
            })
            .collect()
    }

    #[test]
    fn tasks_come_with_all_that_was_said() {
        check(
            "add \"Guide\" under WEB-1 due friday to me p1 label:docs needs WEB-4 estimate 2h",
            &["WEB-8 Guide todo under WEB-1 after WEB-4 P1 @bo 2026-11-27 120m docs WEB-4"],
        );
        check("add \"First\" before WEB-2", &["WEB-8 First todo under WEB-1", "WEB-2 Schema done under WEB-1 after WEB-8 @ana"]);
        check("add \"Root\" in WEB", &["WEB-8 Root todo after WEB-7"]);
    }

    #[test]
    fn steps_are_found_by_what_they_mean() {
        check("done WEB-4", &["WEB-4 Tests done under WEB-1 after WEB-3 P1 @bo 2026-11-27 WEB-3"]);
        check("start WEB-4", &["WEB-4 Tests doing under WEB-1 after WEB-3 P1 @bo 2026-11-27 WEB-3"]);
        check("block WEB-4 the key is missing", &["WEB-4 Tests blocked under WEB-1 after WEB-3 P1 @bo 2026-11-27 the key is missing WEB-3"]);
        check("reopen WEB-6", &["WEB-6 Pay by card todo under WEB-5"]);
        check("set WEB-4 status Review", &["WEB-4 Tests review under WEB-1 after WEB-3 P1 @bo 2026-11-27 WEB-3"]);
    }

    #[test]
    fn tasks_move_in_the_order_named() {
        check("move WEB-4 before WEB-2", &["WEB-4 Tests todo under WEB-1 P1 @bo 2026-11-27 WEB-3", "WEB-2 Schema done under WEB-1 after WEB-4 @ana"]);
        check(
            "move WEB-4, WEB-2 under WEB-5",
            &[
                "WEB-3 Form doing under WEB-1 P1 @ana 2026-12-01 WEB-2",
                "WEB-4 Tests todo under WEB-5 after WEB-6 P1 @bo 2026-11-27 WEB-3",
                "WEB-2 Schema done under WEB-5 after WEB-4 @ana",
            ],
        );
        check(
            "move WEB-3 to top",
            &[
                "WEB-3 Form doing under WEB-1 P1 @ana 2026-12-01 WEB-2",
                "WEB-2 Schema done under WEB-1 after WEB-3 @ana",
                "WEB-4 Tests todo under WEB-1 after WEB-2 P1 @bo 2026-11-27 WEB-3",
            ],
        );
        check("move WEB-6 under WEB", &["WEB-6 Pay by card blocked after WEB-7 the bank's answer"]);
    }

    #[test]
    fn a_split_task_is_alike_and_all_of_it_is_waited_for() {
        check(
            "split WEB-3 into Form; Errors",
            &["WEB-8 Errors todo under WEB-1 after WEB-3 P1 @ana 2026-12-01 WEB-2", "WEB-4 Tests todo under WEB-1 after WEB-8 P1 @bo 2026-11-27 WEB-3+WEB-8"],
        );
    }

    #[test]
    fn fields_are_set_and_cleared() {
        check("set WEB-4 due none", &["WEB-4 Tests todo under WEB-1 after WEB-3 P1 @bo WEB-3"]);
        check("set WEB-4 title End-to-end tests", &["WEB-4 End-to-end tests todo under WEB-1 after WEB-3 P1 @bo 2026-11-27 WEB-3"]);
        check("assign WEB-4 to @ana", &["WEB-4 Tests todo under WEB-1 after WEB-3 P1 @ana 2026-11-27 WEB-3"]);
        check("label WEB-7 web, ui", &["WEB-7 Launch todo after WEB-5 web+ui"]);
        check("depend WEB-4 not on WEB-3", &["WEB-4 Tests todo under WEB-1 after WEB-3 P1 @bo 2026-11-27"]);
        check("depend WEB-7 on WEB-4, WEB-6", &["WEB-7 Launch todo after WEB-5 WEB-4+WEB-6"]);
    }

    #[test]
    fn what_goes_takes_what_is_below_it_or_not() {
        check("delete WEB-5 and WEB-6", &["WEB-7 Launch todo after WEB-1"]);
        check("delete WEB-5 keep subtasks", &["WEB-6 Pay by card blocked after WEB-1 the bank's answer", "WEB-7 Launch todo after WEB-6"]);
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_what_may_be() {
        let plan = example::plan();
        let refused = |line: &str| effect(&plan, line).expect_err("it is refused");
        let refusal = refused("done web-44");
        assert_eq!(refusal.message, "WEB has no task WEB-44. Did you mean WEB-4 Tests?");
        assert_eq!(refusal.corrected("done web-44").as_deref(), Some("done WEB-4"));
        assert_eq!(refused("done WEB-900").message, "WEB has no task WEB-900. `show WEB` lists its tasks.");
        assert_eq!(refused("done WEB-2").message, "WEB-2 Schema is at *Done* already.");
        assert_eq!(refused("done").message, "Which task? For example `done WEB-1`.");
        assert_eq!(refused("move WEB-3 under APP-1").message, "APP-1 is not a task of WEB, which the rest of the command is about.");
        assert_eq!(refused("move WEB-3 after WEB-3").message, "WEB-3 cannot go next to itself.");
        let refusal = refused("set WEB-4 status dne");
        assert_eq!(refusal.message, "WEB has no step `dne`. It has `todo`, `doing`, `review`, `done`, `blocked`.");
        assert_eq!(refusal.corrected("set WEB-4 status dne").as_deref(), Some("set WEB-4 status done"));
    }
}

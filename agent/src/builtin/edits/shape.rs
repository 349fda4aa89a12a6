//! Edits of what the plan is made of: tasks that come, go, fold into one, part, and stand elsewhere.

use patchbay_core::patch::{CreateBody, Field, ListEdit, TaskPatch};

use super::{Done, Stop, all_called, called, parent_of};
use crate::builtin::{
    attributes,
    board::{Board, Target},
    subjects, text,
};

fn behind<'t>(clause: &'t str, verbs: &[&str]) -> Option<&'t str> {
    verbs.iter().find_map(|verb| text::strip(clause, verb)).map(str::trim)
}

/// `combine the first two`, `merge docs and tests into QA`, `fold 2 into 1`
pub(super) fn combine(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let rest = behind(clause, &["combine ", "merge ", "join ", "fold ", "unite ", "put together "])?;
    Some(combined(board, rest))
}

fn combined(board: &mut Board<'_>, rest: &str) -> Done {
    let (subject, title) = text::cut(rest, &[" into one called ", " into a task called ", " into one", " into ", " as ", " called ", " to "])
        .map_or((rest, None), |(subject, title)| (subject, Some(title)));
    let (first, with) = text::cut(subject, &[" with "]).map_or((subject, None), |(first, with)| (first, Some(with)));
    let mut targets = subjects::resolve(board, first)?;
    if let Some(with) = with {
        targets.extend(subjects::resolve(board, with)?);
    }
    // "fold 2 into 1": the second is a task, not a title.
    let title = title.filter(|title| !title.is_empty());
    let into = title.and_then(|title| subjects::resolve_one(board, title).ok()).filter(|into| targets.len() == 1 || targets.contains(into));
    if let Some(into) = &into {
        targets.retain(|target| target != into);
        targets.insert(0, into.clone());
    }
    targets.dedup();
    let [first, others @ ..] = targets.as_slice() else { return Err(Stop::Refused("there is only one task to combine".to_owned())) };
    if others.is_empty() {
        return Err(Stop::Refused("there is only one task to combine".to_owned()));
    }
    let titles: Vec<String> = targets.iter().map(|target| board.title(target)).collect();
    let title = match (title, &into) {
        (Some(title), None) => text::title(title),
        _ => text::title(&joined(&titles)),
    };
    let told = all_called(board, &targets);
    if let (Target::New(_), true) = (first, others.iter().any(|target| !matches!(target, Target::New(_)))) {
        return Err(Stop::Refused("a new task cannot take in one that exists; combine into the one that exists".to_owned()));
    }
    absorb(board, first, others);
    retitle(board, first, &title);
    let heir = board.name(first);
    for other in others {
        board.remove(other, Some(&heir));
    }
    board.last = vec![first.clone()];
    Ok(format!("{told} are one now: *{title}*"))
}

/// `Schema and form`; of the second and later only the first letter is lowered, and only of plain words.
fn joined(titles: &[String]) -> String {
    let lowered = |title: &String| {
        let mut chars = title.chars();
        match (chars.next(), title.chars().nth(1)) {
            (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
            _ => title.clone(),
        }
    };
    match titles {
        [first, rest @ ..] if !rest.is_empty() => {
            let rest: Vec<String> = rest.iter().map(lowered).collect();
            match rest.as_slice() {
                [only] => format!("{first} and {only}"),
                [middle @ .., last] => format!("{first}, {} and {last}", middle.join(", ")),
                [] => first.clone(),
            }
        }
        _ => titles.first().cloned().unwrap_or_default(),
    }
}

/// The first takes over what the others say, where it says nothing itself.
fn absorb(board: &mut Board<'_>, first: &Target, others: &[Target]) {
    let Target::New(first) = first else { return };
    for other in others {
        let Target::New(name) = other else { continue };
        let Some(taken) = board.new_body(name).cloned() else { continue };
        let own = first.clone();
        let Some(body) = board.new_body(first) else { continue };
        body.assignee = body.assignee.take().or(taken.assignee);
        body.priority = body.priority.into_iter().chain(taken.priority).min();
        body.due_on = body.due_on.into_iter().chain(taken.due_on).max();
        body.estimate_minutes = body.estimate_minutes.map_or(taken.estimate_minutes, |own| Some(own + taken.estimate_minutes.unwrap_or_default()));
        for (list, more) in [(&mut body.labels, taken.labels), (&mut body.references, taken.references), (&mut body.depends_on, taken.depends_on)] {
            for value in more.into_iter().flatten().filter(|value| *value != own) {
                let list = list.get_or_insert_default();
                if !list.contains(&value) {
                    list.push(value);
                }
            }
        }
        if let Some(waits_for) = &mut body.depends_on {
            waits_for.retain(|other| other != name);
        }
        body.depends_on = body.depends_on.take().filter(|waits_for| !waits_for.is_empty());
        body.acceptance_criteria = match (body.acceptance_criteria.take(), taken.acceptance_criteria) {
            (Some(mut own), Some(more)) => {
                own.extend(more);
                Some(own)
            }
            (own, more) => own.or(more),
        };
        if let Some(description) = taken.description {
            let own = body.description.get_or_insert_default();
            if !own.is_empty() {
                own.push_str("\n\n");
            }
            own.push_str(&description);
        }
    }
}

pub(super) fn retitle(board: &mut Board<'_>, target: &Target, title: &str) {
    match target {
        Target::New(name) => {
            if let Some(body) = board.new_body(name) {
                title.clone_into(&mut body.title);
            }
        }
        Target::Task(id) | Target::Operation(id) => board.update(*id).title = Field::Set(title.to_owned()),
    }
}

/// `swap 2 and 3`
pub(super) fn swap(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let rest = behind(clause, &["swap ", "exchange ", "switch ", "reverse "])?;
    let targets = match subjects::resolve(board, &rest.replace(" with ", " and ")) {
        Ok(targets) => targets,
        Err(trouble) => return Some(Err(trouble.into())),
    };
    let [first, second] = targets.as_slice() else { return Some(Err(Stop::Refused("tell me two tasks to swap".to_owned()))) };
    let told = all_called(board, &targets);
    if let (Target::New(first), Target::New(second)) = (first, second)
        && let (Some(a), Some(b)) = (board.position(first), board.position(second))
    {
        board.operations.swap(a, b);
        return Some(Ok(format!("{told} change places")));
    }
    let plan = &board.context.plan;
    let (Some(a), Some(b)) = (board.task(first), board.task(second)) else {
        return Some(Err(Stop::Refused("a new task and one that exists cannot change places; move one of them".to_owned())));
    };
    let place = |task| (plan.previous(task).map(|id| plan.reference_of(id)), parent_of(board, &Target::Task(task.id)));
    let ((before_a, parent_a), (before_b, parent_b)) = (place(a), place(b));
    let (name_a, name_b) = (plan.reference(a), plan.reference(b));
    let (a, b) = (a.id, b.id);
    let is_pair = before_b.as_ref() == Some(&name_a);
    let to_a = if before_b.as_ref() == Some(&name_a) { Field::Set(name_b.clone()) } else { Field::to(before_b) };
    let to_b = Field::to(before_a.clone().filter(|before| *before != name_b));
    let body = board.update(b);
    body.after = to_b;
    if parent_a != parent_b {
        body.parent_id = Field::to(parent_a.clone());
    }
    // Where they are neighbours, one move is all.
    if !is_pair {
        let body = board.update(a);
        body.after = if before_a.as_ref() == Some(&name_b) { Field::Set(name_b) } else { to_a };
        if parent_a != parent_b {
            body.parent_id = Field::to(parent_b);
        }
    }
    Some(Ok(format!("{told} change places")))
}

/// `split 2 into design and build`
pub(super) fn split(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let rest = behind(clause, &["split up ", "split ", "divide ", "break up ", "break down ", "break "])?;
    let (subject, into) = text::cut(rest, &[" down into ", " up into ", " into: ", " into ", ": "])?;
    let into = text::cut(into, &[": "]).map_or(into, |(_, into)| into);
    let parts = text::parts(into);
    if parts.len() < 2 || parts.len() > 30 {
        return None;
    }
    Some(split_into(board, subject, &parts))
}

fn split_into(board: &mut Board<'_>, subject: &str, parts: &[&str]) -> Done {
    let target = subjects::resolve_one(board, subject)?;
    let told = called(board, &target);
    let made: Vec<(String, attributes::Attributes)> =
        parts.iter().map(|part| attributes::take(board.context, part)).map(|(title, rest)| (text::title(&title), rest)).collect();
    match &target {
        // Within a task's own conversation, and for what exists, the parts are what it is made of.
        Target::Task(id) | Target::Operation(id) => {
            let parent = board.context.plan.reference_of(*id);
            for (title, rest) in made {
                let mut body = CreateBody { title, parent_id: Some(parent.clone()), ..CreateBody::default() };
                rest.fill(&mut body);
                board.create(body, None);
            }
        }
        Target::New(name) => {
            let at = board.position(name).unwrap_or_default();
            let Some(whole) = board.new_body(name).cloned() else { return Err(Stop::Refused("it is no longer there".to_owned())) };
            let mut names = vec![name.clone()];
            for (index, (title, rest)) in made.into_iter().enumerate() {
                let mut body = CreateBody { title, acceptance_criteria: None, description: None, estimate_minutes: None, ..whole.clone() };
                rest.fill(&mut body);
                if index == 0 {
                    if let Some(own) = board.new_body(name) {
                        body.description.clone_from(&whole.description);
                        body.acceptance_criteria.clone_from(&whole.acceptance_criteria);
                        *own = body;
                    }
                } else {
                    names.push(board.create(body, Some(at + index)));
                }
            }
            wait_for_all(board, name, &names);
        }
    }
    board.last = vec![target];
    Ok(format!("{told} is {} tasks now", parts.len()))
}

/// Whatever waited for the whole waits for its parts.
fn wait_for_all(board: &mut Board<'_>, whole: &str, parts: &[String]) {
    for operation in &mut board.operations {
        if let TaskPatch::Create(create) = operation
            && !parts.contains(&create.task_id)
            && let Some(waits_for) = &mut create.body.depends_on
            && waits_for.iter().any(|name| name == whole)
        {
            waits_for.extend(parts.iter().filter(|part| *part != whole).cloned());
        }
    }
}

/// `make 4 depend on 2`, `4 waits for 2`, `4 no longer depends on 2`, `do tests after the form`
pub(super) fn depend(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let lost = [
        " no longer depends on ",
        " does not depend on ",
        " doesn't depend on ",
        " not depend on ",
        " no longer waits for ",
        " does not wait for ",
        " doesn't need ",
    ];
    if let Some((subject, other)) = text::cut(clause, &lost) {
        let subject = behind(subject, &["make "]).unwrap_or(subject);
        return Some(set_dependency(board, subject, other, false));
    }
    let words = [
        " depends on ",
        " depend on ",
        " dependent on ",
        " waits for ",
        " wait for ",
        " blocked by ",
        " needs ",
        " requires ",
        " comes after ",
        " come after ",
        " can only start after ",
    ];
    if let Some((subject, other)) = text::cut(clause, &words) {
        let subject = behind(subject, &["make ", "let "]).unwrap_or(subject);
        let subject = subject.trim_end_matches(" should").trim_end_matches(" is").trim_end_matches(" must");
        if subject.is_empty() || ["we", "i", "it", "this"].contains(&subject.to_ascii_lowercase().as_str()) && clause.to_ascii_lowercase().contains(" needs ") {
            return None;
        }
        let other = other.strip_suffix(" first").unwrap_or(other);
        // "The form needs validation" is no dependency where nothing is called so.
        if clause.to_ascii_lowercase().contains(" needs ") && subjects::resolve(board, other).is_err() {
            return None;
        }
        return Some(set_dependency(board, subject, other, true));
    }
    let rest = behind(clause, &["do "])?;
    let (subject, other) = text::cut(rest, &[" after ", " before "])?;
    let (subject, other) =
        if text::cut(rest, &[" before "]).is_some() && text::cut(rest, &[" after "]).is_none() { (other, subject) } else { (subject, other) };
    Some(set_dependency(board, subject, other, true))
}

fn set_dependency(board: &mut Board<'_>, subject: &str, other: &str, is_wanted: bool) -> Done {
    let targets = subjects::resolve(board, subject)?;
    board.last.clone_from(&targets);
    let others = subjects::resolve(board, other)?;
    // "make the tests depend on everything" means everything else.
    let others: Vec<Target> = if others.len() > 1 { others.into_iter().filter(|other| !targets.contains(other)).collect() } else { others };
    let names: Vec<String> = others.iter().map(|other| board.name(other)).collect();
    if targets.iter().any(|target| others.contains(target)) {
        return Err(Stop::Refused("a task cannot wait for itself".to_owned()));
    }
    for target in &targets {
        depend_on(board, target, &names, is_wanted);
    }
    let verb = if is_wanted { "waits for" } else { "no longer waits for" };
    Ok(format!("{} {verb} {}", all_called(board, &targets), all_called(board, &others)))
}

fn depend_on(board: &mut Board<'_>, target: &Target, names: &[String], is_wanted: bool) {
    match target {
        Target::New(name) => {
            if let Some(body) = board.new_body(name) {
                let list = body.depends_on.get_or_insert_default();
                list.retain(|known| !names.contains(known));
                if is_wanted {
                    list.extend(names.iter().cloned());
                }
                body.depends_on = body.depends_on.take().filter(|list| !list.is_empty());
            }
        }
        Target::Task(id) | Target::Operation(id) => {
            let field = &mut board.update(*id).depends_on;
            let (mut add, mut remove) = match std::mem::take(field) {
                Field::Set(ListEdit::Change { add, remove }) => (add, remove),
                _ => (Vec::new(), Vec::new()),
            };
            add.retain(|name| !names.contains(name));
            remove.retain(|name| !names.contains(name));
            if is_wanted {
                add.extend(names.iter().cloned());
            } else {
                remove.extend(names.iter().cloned());
            }
            *field = Field::Set(ListEdit::Change { add, remove });
        }
    }
}

/// `move 3 before 1`, `put the form under sign-in`, `docs first`
pub(super) fn relocate(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let rest = behind(clause, &["move ", "put ", "place ", "bring ", "take "]);
    let subject_first = rest.unwrap_or(clause);
    for (words, way) in WAYS {
        if let Some(subject) =
            words.iter().find_map(|word| subject_first.to_ascii_lowercase().strip_suffix(word).map(str::len)).map(|length| &subject_first[..length])
        {
            // Without a verb only what is surely a task: "documentation first".
            if rest.is_none() && subjects::resolve(board, subject).is_err() {
                return None;
            }
            return Some(place(board, subject, *way, None));
        }
    }
    let rest = rest?;
    let (way, (subject, other)) = [
        (Way::Before, text::cut(rest, &[" before ", " above ", " in front of ", " ahead of "])),
        (Way::After, text::cut(rest, &[" after ", " behind ", " right after "])),
        (Way::Under, text::cut(rest, &[" under ", " below ", " beneath ", " into ", " inside ", " to be part of "])),
    ]
    .into_iter()
    .find_map(|(way, cut)| Some((way, cut?)))?;
    Some(place(board, subject, way, Some(other)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Before,
    After,
    Under,
    First,
    Last,
    Top,
}

const WAYS: &[(&[&str], Way)] = &[
    (&[" to the top level", " to the root", " out"], Way::Top),
    (
        &[" to the top", " to the front", " to the beginning", " to the start", " first", " up front", " goes first", " should be first", " should come first"],
        Way::First,
    ),
    (&[" to the end", " to the bottom", " to the back", " last", " goes last", " should be last", " should come last"], Way::Last),
];

fn place(board: &mut Board<'_>, subject: &str, way: Way, other: Option<&str>) -> Done {
    let targets = subjects::resolve(board, subject)?;
    let other = other.map(|other| subjects::resolve_one(board, other)).transpose()?;
    if other.as_ref().is_some_and(|other| targets.contains(other)) {
        return Err(Stop::Refused("a task cannot stand beside itself".to_owned()));
    }
    board.last.clone_from(&targets);
    let told = all_called(board, &targets);
    let beside = other.as_ref().map(|other| called(board, other)).unwrap_or_default();
    let mut ahead = other.clone();
    for target in &targets {
        match (target, &ahead) {
            (Target::New(name), Some(Target::New(other))) if matches!(way, Way::Before | Way::After) => among_new(board, name, other, way),
            (Target::New(name), None) if matches!(way, Way::First | Way::Last) => to_edge(board, name, way),
            _ => by_fields(board, target, way, ahead.as_ref())?,
        }
        if way == Way::After {
            ahead = Some(target.clone());
        }
    }
    Ok(match way {
        Way::Before => format!("{told} stands before {beside}"),
        Way::After => format!("{told} stands after {beside}"),
        Way::Under => format!("{told} is part of {beside}"),
        Way::First => format!("{told} comes first"),
        Way::Last => format!("{told} comes last"),
        Way::Top => format!("{told} stands at the top level"),
    })
}

/// New tasks stand in the order of the patch.
fn among_new(board: &mut Board<'_>, name: &str, other: &str, way: Way) {
    let Some(from) = board.position(name) else { return };
    let mut operation = board.operations.remove(from);
    let to = board.position(other).map_or(board.operations.len(), |at| if way == Way::After { at + 1 } else { at });
    let parent = board.new_body(other).and_then(|body| body.parent_id.clone());
    if let TaskPatch::Create(create) = &mut operation {
        create.body.parent_id = parent;
        create.body.after = Field::Absent;
    }
    board.operations.insert(to, operation);
}

fn to_edge(board: &mut Board<'_>, name: &str, way: Way) {
    let Some(from) = board.position(name) else { return };
    let operation = board.operations.remove(from);
    if way == Way::First { board.operations.insert(0, operation) } else { board.operations.push(operation) }
}

fn by_fields(board: &mut Board<'_>, target: &Target, way: Way, other: Option<&Target>) -> Result<(), Stop> {
    let plan = &board.context.plan;
    let (parent, after) = match (way, other) {
        (Way::Under, Some(other)) => (Some(Field::Set(board.name(other))), Field::Absent),
        (Way::Top, _) => (Some(Field::Clear), Field::Absent),
        (Way::First, _) => (None, Field::Clear),
        (Way::Last, _) => {
            let siblings = plan.children(board.task(target).and_then(|task| task.parent));
            let last = siblings.iter().rev().find(|id| board.task(target).is_none_or(|task| task.id != **id));
            (None, Field::to(last.map(|id| plan.reference_of(*id))))
        }
        (Way::After, Some(other)) => (Some(Field::to(parent_of(board, other))), Field::Set(board.name(other))),
        (Way::Before, Some(other)) => {
            let Some(task) = board.task(other) else {
                return Err(Stop::Refused("a task that exists cannot stand before a new one; move the new one behind it".to_owned()));
            };
            (Some(Field::to(parent_of(board, other))), Field::to(plan.previous(task).map(|id| plan.reference_of(id))))
        }
        (Way::Under | Way::After | Way::Before, None) => return Ok(()),
    };
    let own = parent_of(board, target);
    let parent = parent.filter(|parent| parent.given() != Some(own.as_ref()));
    match target {
        Target::New(name) => {
            if let Some(body) = board.new_body(name) {
                if let Some(parent) = parent {
                    body.parent_id = parent.set().cloned();
                }
                body.after = after;
            }
        }
        Target::Task(id) | Target::Operation(id) => {
            let body = board.update(*id);
            if let Some(parent) = parent {
                body.parent_id = parent;
            }
            body.after = after;
        }
    }
    Ok(())
}

/// `remove 3`, `we don't need the survey`
pub(super) fn remove(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let verbs = [
        "remove ",
        "drop ",
        "delete ",
        "skip ",
        "leave out ",
        "take out ",
        "get rid of ",
        "forget about ",
        "forget ",
        "we don't need ",
        "we do not need ",
        "i don't need ",
        "no need for ",
        "don't do ",
        "without ",
        "cut ",
        "cancel ",
        "no ",
    ];
    let rest = behind(clause, &verbs)?;
    let rest = rest
        .strip_suffix(" out")
        .or_else(|| rest.strip_suffix(" entirely"))
        .or_else(|| rest.strip_suffix(" completely"))
        .or_else(|| rest.strip_suffix(" again"))
        .unwrap_or(rest);
    // What a task is assigned, due or labelled is not the task.
    if ["the due date", "the assignee", "the estimate", "the label", "due date", "estimate", "label"].iter().any(|field| text::strip(rest, field).is_some()) {
        return None;
    }
    let (rest, kept) = text::cut(rest, &[" but keep its subtasks", " but keep its children", " and keep its subtasks", " but keep the subtasks"])
        .map_or((rest, false), |(rest, _)| (rest, true));
    let targets = match subjects::resolve(board, rest) {
        Ok(targets) => targets,
        Err(trouble) => return Some(Err(trouble.into())),
    };
    let told = all_called(board, &targets);
    for target in &targets {
        let heir = kept.then(String::new);
        board.remove(target, heir.as_deref());
    }
    Some(Ok(format!("{told} {} out", if targets.len() == 1 { "is" } else { "are" })))
}

/// Whether a clause surely makes a task: then what is said of a task behind it is said of the new one.
pub(super) fn is_addition(clause: &str) -> bool {
    behind(clause, &["add ", "insert ", "append ", "create ", "also add "]).is_some()
}

/// `add documentation after the tests`, `also a task for the invoice`
pub(super) fn add(board: &mut Board<'_>, clause: &str) -> Option<Done> {
    let verbs = [
        "add in ",
        "add ",
        "insert ",
        "include ",
        "append ",
        "create ",
        "we also need ",
        "i also need ",
        "we need also ",
        "also add ",
        "also ",
        "don't forget ",
        "do not forget ",
        "plus ",
        "we still need ",
        "there should also be ",
        "we should also ",
        "and also ",
    ];
    let rest = behind(clause, &verbs)?;
    let rest = text::strip(rest, "to ").unwrap_or(rest);
    Some(added(board, rest))
}

fn added(board: &mut Board<'_>, rest: &str) -> Done {
    let nouns = [
        "a new task for ",
        "a task for ",
        "a task to ",
        "a task called ",
        "a new task ",
        "a task: ",
        "a task ",
        "a step for ",
        "a step to ",
        "a step ",
        "an item for ",
        "another task for ",
        "another ",
        "tasks for ",
        "tasks to ",
        "tasks: ",
        "task for ",
        "task: ",
        "task ",
        "steps for ",
        "steps: ",
        "something about ",
        "something for ",
        "a subtask for ",
        "a subtask to ",
        "a subtask ",
        "subtasks for ",
        "subtasks ",
        "subtask ",
        "the following tasks: ",
        "new task ",
    ];
    let bare = nouns.iter().find_map(|noun| text::strip(rest, noun)).unwrap_or(rest);
    let (titles, place, behind_place) = placed(board, bare)?;
    let mut made = Vec::new();
    let mut twins = Vec::new();
    let parts: Vec<&str> = if titles.contains('"') { vec![titles] } else { text::parts(titles) };
    for part in parts {
        let (title, attributes) = attributes::take(board.context, part);
        let title = text::title(["for ", "about ", "to "].iter().find_map(|word| text::strip(&title, word)).unwrap_or(&title));
        if title.is_empty() {
            return Err(Stop::Refused("tell me what the new task is called".to_owned()));
        }
        let twin = board.targets().into_iter().find(|other| board.title(other).to_lowercase() == title.to_lowercase());
        twins.extend(twin.map(|twin| match twin {
            Target::New(_) => format!("*{}* is in the proposal twice now", title.replace('*', "\\*")),
            twin => format!("{} has the same title", board.name(&twin)),
        }));
        let mut body = CreateBody { title, parent_id: board.parent(), ..CreateBody::default() };
        behind_place.clone().fill(&mut body);
        attributes.fill(&mut body);
        let name = board.create(body, None);
        made.push(Target::New(name));
    }
    if made.is_empty() {
        return Err(Stop::Refused("tell me what the new task is called".to_owned()));
    }
    let mut told = format!("{} {} new", all_called(board, &made), if made.len() == 1 { "is" } else { "are" });
    if let Some((way, other)) = place {
        let beside = called(board, &other);
        let mut ahead = other.clone();
        for target in &made {
            let Target::New(name) = target else { continue };
            match (&ahead, way) {
                (Target::New(ahead), Way::Before | Way::After) => among_new(board, name, ahead, way),
                _ => by_fields(board, target, way, Some(&ahead))?,
            }
            // What comes after something in time waits for it.
            if way == Way::After {
                let names = [board.name(&ahead)];
                depend_on(board, target, &names, true);
                ahead = target.clone();
            }
        }
        told.push_str(match way {
            Way::After => ", after ",
            Way::Before => ", before ",
            _ => ", part of ",
        });
        told.push_str(&beside);
    }
    if !twins.is_empty() {
        told = format!("{told} ({})", twins.join("; "));
    }
    board.last = made;
    Ok(told)
}

/// Titles, where they stand, and what was said behind that.
type Placed<'t> = (&'t str, Option<(Way, Target)>, attributes::Attributes);

/// Reads where the titles are to stand. A title may have "after" in it: then nothing is found by the words behind.
fn placed<'t>(board: &Board<'_>, said: &'t str) -> Result<Placed<'t>, Stop> {
    let ways = [
        (Way::After, &[" right after ", " after ", " behind ", " following "][..]),
        (Way::Before, &[" right before ", " before ", " ahead of "][..]),
        (Way::Under, &[" as part of ", " underneath ", " under ", " below ", " inside ", " to "][..]),
    ];
    for (way, words) in ways {
        let Some((titles, other)) = text::cut_last(said, words) else { continue };
        let (other, attributes) = attributes::take(board.context, other);
        match subjects::resolve(board, &other) {
            Ok(mut targets) if targets.len() == 1 => return Ok((titles, Some((way, targets.remove(0))), attributes)),
            // The last of several is the one to stand behind.
            Ok(mut targets) if way == Way::After => return Ok((titles, targets.pop().map(|target| (way, target)), attributes)),
            Err(subjects::Trouble::Ambiguous(question)) => return Err(Stop::Trouble(subjects::Trouble::Ambiguous(question))),
            _ => {}
        }
    }
    Ok((said, None, attributes::Attributes::default()))
}

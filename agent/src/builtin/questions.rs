//! Questions about the plan are answered from the plan.

use chrono::NaiveDate;
use patchbay_core::{
    dates,
    patch::{
        TaskId,
        plan::{Plan, Task},
        process::StepKind,
    },
};

use super::{
    board::{Board, Target},
    subjects, text,
};
use crate::planner::Context;

/// The most tasks that an answer lists.
const MOST: usize = 12;

/// An answer in Markdown, where the message is a question that the plan can answer.
pub(super) fn answer(context: &Context, focus: Option<TaskId>, message: &str) -> Option<String> {
    const ASKING: [&str; 14] = ["what", "who", "how", "when", "which", "is ", "are ", "does ", "do ", "show", "list", "status", "tell me", "where"];
    let asked = message.trim().trim_end_matches(['?', '.', '!', ' ']).to_lowercase();
    let asked = asked.replace("what's", "what is").replace("who's", "who is").replace("how's", "how is");
    let is_question = message.trim_end().ends_with('?') || ASKING.iter().any(|word| asked.starts_with(word));
    if !is_question || message.lines().count() > 2 {
        return None;
    }
    if ["what can you do", "what do you understand", "how does this work", "what can i say", "who are you", "what are you"].contains(&asked.as_str()) {
        return Some(
            "I plan by rules, without a model. Tell me a goal, send a list, or change a proposal by talking: \"combine the first two\", \"rename 3 to …\", \"split 2 into design and build\", \"make 4 depend on 2\", \"push everything by a week\". Ask me what is left, due, blocked, or who does what. Nothing changes before you accept it; `help` lists the commands."
                .to_owned(),
        );
    }
    let plan = &context.plan;
    if plan.is_empty() {
        return plan_is_empty(context, &asked);
    }
    let ask = Ask { plan, focus, today: dates::today(context.now, context.zone) };
    let has = |words: &[&str]| words.iter().any(|word| asked.contains(word));
    if has(&["blocked", "stuck", "waiting", "in the way", "holding"]) && !has(&["depends on", "waits for", "waiting for"]) {
        return Some(ask.list("blocked", |task| ask.is_blocked(task)));
    }
    if has(&["overdue", "late", "behind"]) {
        return Some(ask.list("overdue", |task| ask.is_open(task) && task.due_on.is_some_and(|day| day < ask.today)));
    }
    if let Some((_, subject)) = text::cut(&asked, &["depends on", "waits for", "waiting for", "depend on", "wait for"]) {
        return depends(context, focus, &asked, subject);
    }
    if has(&["due", "deadline", "coming up", "this week", "next week", "today", "tomorrow"]) {
        return Some(ask.due(&asked));
    }
    if let Some(handle) =
        plan.members.iter().find(|handle| text::stems(&asked).contains(&text::stems(handle).join(" ")) || asked.contains(&format!("@{handle}")))
    {
        return Some(ask.list(&format!("with {handle}"), |task| ask.is_open(task) && task.assignee.as_ref() == Some(handle)));
    }
    if asked.starts_with("who") || has(&["assigned", "who does", "workload"]) {
        return Some(ask.by_person());
    }
    if has(&["mine", "my task", "i have to do", "should i do", "do i do", "am i"]) {
        let me = context.author.as_ref();
        return Some(ask.list("yours", |task| ask.is_open(task) && task.assignee.as_ref() == me));
    }
    if has(&["how long", "how much work", "effort", "estimate", "hours"]) {
        return Some(ask.effort());
    }
    if has(&["next", "start with", "ready", "work on", "can i do"]) {
        return Some(ask.list("ready to be taken up", |task| ask.is_ready(task)));
    }
    if has(&["done", "finished", "completed"]) && !has(&["to be done", "how far"]) {
        return Some(ask.list("done", |task| !ask.is_open(task)));
    }
    if has(&["how far", "progress", "status", "how is it going", "how are we", "how many", "how is"]) {
        return Some(ask.progress());
    }
    if has(&["left", "open", "remaining", "to be done", "still to do", "todo", "to do", "missing", "what is there", "all tasks", "the plan", "tasks"]) {
        return Some(ask.list("open", |task| ask.is_open(task)));
    }
    None
}

fn plan_is_empty(context: &Context, asked: &str) -> Option<String> {
    let about_plan = ["left", "due", "open", "done", "progress", "status", "blocked", "who "].iter().any(|word| asked.contains(word));
    (about_plan && context.draft.is_none()).then(|| "There are no tasks yet. Tell me what you want to achieve, or send a list.".to_owned())
}

struct Ask<'c> {
    plan: &'c Plan,
    focus: Option<TaskId>,
    today: NaiveDate,
}

impl Ask<'_> {
    fn kind(&self, task: &Task) -> StepKind {
        self.plan.project.process.step(&task.status).map_or(StepKind::Open, |step| step.kind)
    }

    fn is_open(&self, task: &Task) -> bool {
        self.kind(task) != StepKind::Done
    }

    fn open_before<'t>(&'t self, task: &'t Task) -> impl Iterator<Item = &'t Task> {
        task.depends_on.iter().filter_map(|id| self.plan.get(*id)).filter(|other| self.is_open(other))
    }

    fn is_blocked(&self, task: &Task) -> bool {
        self.is_open(task) && (self.kind(task) == StepKind::Waiting || task.detail.blocker.is_some() || self.open_before(task).next().is_some())
    }

    fn is_ready(&self, task: &Task) -> bool {
        self.kind(task) == StepKind::Open && !self.is_blocked(task) && self.plan.children(Some(task.id)).is_empty()
    }

    /// The tasks that the question is about.
    fn tasks(&self) -> Vec<&Task> {
        let below = |task: &Task| self.focus.is_none_or(|focus| task.id == focus || self.plan.ancestors(task.id).any(|above| above.id == focus));
        self.plan.walk().into_iter().map(|(_, task)| task).filter(|task| below(task)).collect()
    }

    fn line(&self, task: &Task) -> String {
        let mut line = format!("- **{}** {}", self.plan.reference(task), escaped(&task.title));
        let mut facts = Vec::new();
        if matches!(self.kind(task), StepKind::Active | StepKind::Waiting) {
            facts.push(self.plan.project.process.step(&task.status).map_or_else(|| task.status.clone(), |step| step.title.to_lowercase()));
        }
        facts.extend(task.assignee.iter().map(|handle| format!("@{handle}")));
        facts.extend(task.due_on.map(|day| format!("due {}", day.format("%a %-d %b"))));
        facts.extend(task.detail.blocker.iter().map(|blocker| format!("waits for {}", escaped(blocker))));
        let before: Vec<_> = self.open_before(task).map(|other| self.plan.reference(other)).collect();
        if !before.is_empty() {
            facts.push(format!("after {}", before.join(", ")));
        }
        if !facts.is_empty() {
            line.extend([" (", &facts.join(", "), ")"]);
        }
        line
    }

    fn list(&self, what: &str, wanted: impl Fn(&Task) -> bool) -> String {
        self.listed(what, &self.tasks().into_iter().filter(|task| wanted(task)).collect::<Vec<_>>())
    }

    fn listed(&self, what: &str, tasks: &[&Task]) -> String {
        if tasks.is_empty() {
            return format!("Nothing is {what}.");
        }
        let verb = if tasks.len() == 1 { "task is" } else { "tasks are" };
        let lines: Vec<_> = tasks.iter().take(MOST).map(|task| self.line(task)).collect();
        let more = if tasks.len() > MOST { format!("\n\n… and {} more.", tasks.len() - MOST) } else { String::new() };
        format!("{} {verb} {what}:\n\n{}{more}", tasks.len(), lines.join("\n"))
    }

    fn due(&self, asked: &str) -> String {
        let week = dates::week_of(self.today);
        let (from, to, what) = if asked.contains("today") {
            (self.today, self.today, "due today")
        } else if asked.contains("tomorrow") {
            let day = self.today.succ_opt().unwrap_or(self.today);
            (day, day, "due tomorrow")
        } else if asked.contains("next week") {
            (*week.start() + chrono::Days::new(7), *week.end() + chrono::Days::new(7), "due next week")
        } else if asked.contains("week") {
            (*week.start(), *week.end(), "due this week")
        } else {
            (NaiveDate::MIN, NaiveDate::MAX, "due")
        };
        let mut tasks: Vec<_> =
            self.tasks().into_iter().filter(|task| self.is_open(task) && task.due_on.is_some_and(|day| (from..=to).contains(&day))).collect();
        tasks.sort_by_key(|task| (task.due_on, task.number));
        self.listed(what, &tasks)
    }

    fn by_person(&self) -> String {
        let tasks = self.tasks();
        let mut lines = Vec::new();
        let people: std::collections::BTreeSet<_> = tasks.iter().filter(|task| self.is_open(task)).map(|task| task.assignee.clone()).collect();
        for person in people.iter().rev() {
            let theirs: Vec<_> = tasks.iter().filter(|task| self.is_open(task) && task.assignee == *person).collect();
            let names: Vec<_> = theirs.iter().take(MOST).map(|task| format!("{} {}", self.plan.reference(task), escaped(&task.title))).collect();
            let who = person.as_ref().map_or_else(|| "nobody".to_owned(), |handle| format!("@{handle}"));
            lines.push(format!("- **{who}**: {}", names.join(", ")));
        }
        if lines.is_empty() { "Nothing is open.".to_owned() } else { lines.join("\n") }
    }

    fn progress(&self) -> String {
        let tasks = self.tasks();
        let leaves: Vec<_> = tasks.iter().filter(|task| self.plan.children(Some(task.id)).is_empty()).collect();
        let done = leaves.iter().filter(|task| !self.is_open(task)).count();
        let active = leaves.iter().filter(|task| self.kind(task) == StepKind::Active).count();
        let blocked = leaves.iter().filter(|task| self.is_blocked(task)).count();
        let late = leaves.iter().filter(|task| self.is_open(task) && task.due_on.is_some_and(|day| day < self.today)).count();
        let name = self.focus.map_or_else(|| self.plan.project.key.clone(), |id| self.plan.reference_of(id));
        format!("**{name}**: {done} of {} done, {active} being worked on, {blocked} blocked, {late} overdue.", leaves.len())
    }

    fn effort(&self) -> String {
        let open: Vec<_> = self.tasks().into_iter().filter(|task| self.is_open(task) && self.plan.children(Some(task.id)).is_empty()).collect();
        let minutes: u32 = open.iter().filter_map(|task| task.detail.estimate_minutes).sum();
        let without = open.iter().filter(|task| task.detail.estimate_minutes.is_none()).count();
        let hours = f64::from(minutes) / 60.0;
        match (open.len() - without, without) {
            (0, _) => format!(
                "None of the {} open tasks has an estimate. \"estimate {} 3h\" gives it one.",
                open.len(),
                open.first().map_or_else(String::new, |task| self.plan.reference(task))
            ),
            (_, 0) => format!("{hours:.1} hours are estimated for what is open."),
            (_, without) => format!("{hours:.1} hours are estimated for what is open; {without} more tasks have no estimate."),
        }
    }
}

/// `what depends on WEB-3`, `what does WEB-3 wait for`
fn depends(context: &Context, focus: Option<TaskId>, asked: &str, subject: &str) -> Option<String> {
    let plan = &context.plan;
    let ask = Ask { plan, focus, today: dates::today(context.now, context.zone) };
    let board = Board::new(context, focus);
    let find = |phrase: &str| match subjects::resolve_one(&board, phrase) {
        Ok(Target::Task(id) | Target::Operation(id)) => plan.get(id),
        _ => None,
    };
    if let Some(task) = Some(subject).filter(|subject| !subject.is_empty()).and_then(find) {
        let mut others: Vec<_> = plan.dependents(task.id).collect();
        others.sort_by_key(|task| task.number);
        return Some(ask.listed(&format!("waiting for {}", plan.reference(task)), &others));
    }
    let (_, subject) = text::cut(asked, &["does ", "is ", "do "])?;
    let (subject, _) = text::cut(subject, &[" depend", " wait"])?;
    let task = find(subject)?;
    let before: Vec<_> = task.depends_on.iter().filter_map(|id| plan.get(*id)).collect();
    Some(ask.listed(&format!("needed before {}", plan.reference(task)), &before))
}

/// Other people's words inside of Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_[]<>#|~".contains(c) {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped
}

//! Plans as pages: a project's outline, a task, a list of tasks.

use chrono::NaiveDate;
use patchbay_core::patch::{
    plan::{Plan, Task},
    process::StepKind,
};

use super::{
    Page,
    page::{Line, Mark, Span, Style, faint, plain, span, strong},
    words,
};

/// The most tasks that one page shows.
const MOST: usize = 200;

/// A project with its tasks. `today` tells what is late.
pub fn project(plan: &Plan, today: NaiveDate) -> Page {
    let mut page = Page::default();
    let project = &plan.project;
    let done = plan.tasks().filter(|task| kind(plan, task) == StepKind::Done).count();
    let progress = if plan.is_empty() { "no tasks yet".to_owned() } else { format!("{}, {done} done", words::count(plan.len(), "task")) };
    let heading = vec![strong(format!("{} {}", project.key, project.title)), plain(format!(", version {}: {progress}", project.version))];
    page.lines.push(Line::Heading(heading));
    if !project.summary.trim().is_empty() {
        page.lines.push(Line::Text(vec![plain(project.summary.trim())]));
    }
    let tasks = plan.walk();
    for (depth, task) in tasks.iter().take(MOST) {
        page.item(*depth, mark(plan, task), spans(plan, task, today));
    }
    more(&mut page, tasks.len());
    page
}

/// A task with all that is known of it, and what is right below it.
pub fn task(plan: &Plan, task: &Task, today: NaiveDate) -> Page {
    let mut page = Page::default();
    let detail = &task.detail;
    let mut heading = vec![strong(format!("{} {}", plan.reference(task), task.title)), plain(format!(" · {}", step_title(plan, task)))];
    heading.extend(facts(plan, task, today));
    page.lines.push(Line::Heading(heading));
    let above: Vec<_> = plan.ancestors(task.id).map(|above| format!("{} {}", plan.reference(above), above.title)).collect();
    if !above.is_empty() {
        page.lines.push(Line::Text(vec![faint(format!("part of {}", above.join(", part of ")))]));
    }
    if let Some(blocker) = &detail.blocker {
        page.lines.push(Line::Text(vec![span(Style::Warning, "blocked:"), plain(format!(" {blocker}"))]));
    }
    page.quote(0, &detail.description);
    for criterion in &detail.acceptance_criteria {
        page.item(0, if criterion.done { Mark::Done } else { Mark::Open }, vec![plain(criterion.text.clone())]);
    }
    section(&mut page, plan, "Waits for", task.depends_on.iter().filter_map(|id| plan.get(*id)), today);
    let mut waiting: Vec<&Task> = plan.dependents(task.id).collect();
    waiting.sort_by_key(|task| task.number);
    section(&mut page, plan, "Waited for by", waiting.into_iter(), today);
    section(&mut page, plan, "Below it", plan.children(Some(task.id)).iter().filter_map(|id| plan.get(*id)), today);
    if !detail.references.is_empty() {
        page.lines.push(Line::Text(vec![plain("See also")]));
        for reference in &detail.references {
            page.item(0, Mark::None, vec![plain(reference.clone())]);
        }
    }
    page
}

/// Tasks of whatever projects, in the order given.
pub fn list(tasks: &[(&Plan, &Task)], today: NaiveDate) -> Page {
    let mut page = Page::default();
    page.lines.push(Line::Heading(vec![plain(words::count(tasks.len(), "task"))]));
    for (plan, task) in tasks.iter().take(MOST) {
        page.item(0, mark(plan, task), spans(plan, task, today));
    }
    more(&mut page, tasks.len());
    page
}

fn more(page: &mut Page, count: usize) {
    if count > MOST {
        page.lines.push(Line::Text(vec![faint(format!("… and {} more", count - MOST))]));
    }
}

fn section<'p>(page: &mut Page, plan: &Plan, title: &str, tasks: impl Iterator<Item = &'p Task>, today: NaiveDate) {
    let mut tasks = tasks.peekable();
    if tasks.peek().is_some() {
        page.lines.push(Line::Text(vec![plain(title)]));
    }
    for task in tasks {
        page.item(0, mark(plan, task), spans(plan, task, today));
    }
}

fn kind(plan: &Plan, task: &Task) -> StepKind {
    plan.project.process.step(&task.status).map_or(StepKind::Open, |step| step.kind)
}

fn mark(plan: &Plan, task: &Task) -> Mark {
    match kind(plan, task) {
        StepKind::Open => Mark::Open,
        StepKind::Active => Mark::Active,
        StepKind::Waiting => Mark::Waiting,
        StepKind::Done => Mark::Done,
    }
}

fn step_title(plan: &Plan, task: &Task) -> String {
    plan.project.process.step(&task.status).map_or(task.status.as_str(), |step| step.title.as_str()).to_lowercase()
}

/// A task in a line.
fn spans(plan: &Plan, task: &Task, today: NaiveDate) -> Vec<Span> {
    let mut spans = vec![plain(format!("{} ", plan.reference(task))), strong(task.title.clone())];
    // The mark tells the others already.
    if matches!(kind(plan, task), StepKind::Active | StepKind::Waiting) {
        spans.push(plain(format!(" · {}", step_title(plan, task))));
    }
    spans.extend(facts(plan, task, today));
    spans
}

fn facts(plan: &Plan, task: &Task, today: NaiveDate) -> Vec<Span> {
    let detail = &task.detail;
    let words = [
        task.priority.map(|priority| priority.as_str().to_owned()),
        task.assignee.as_ref().map(|handle| format!("@{handle}")),
        detail.kind.clone(),
        detail.effort.map(|effort| format!("effort {}", effort.as_str())),
        detail.estimate_minutes.map(|minutes| words::minutes(minutes.into())),
        (!detail.labels.is_empty()).then(|| detail.labels.join(", ")),
    ];
    let mut spans: Vec<Span> = words.into_iter().flatten().map(|fact| plain(format!(" · {fact}"))).collect();
    if let Some(day) = task.due_on {
        let due = format!("due {}", words::date(day));
        let is_late = day < today && kind(plan, task) != StepKind::Done;
        spans.push(plain(" · "));
        spans.push(if is_late { span(Style::Warning, format!("{due}, late")) } else { plain(due) });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{example, render::Terminal};

    fn today() -> NaiveDate {
        "2026-11-28".parse().unwrap()
    }

    #[test]
    fn a_project_is_an_outline() {
        let page = project(&example::plan(), today());
        insta::assert_snapshot!(page.text(), @"
        WEB Website, version 7: 7 tasks, 1 done
        The shop, and who may enter it.

        [~] WEB-1 Sign-in · doing
          [x] WEB-2 Schema · @ana
          [~] WEB-3 Form · doing · P1 · @ana · due Tue 1 Dec 2026
          [ ] WEB-4 Tests · P1 · @bo · due Fri 27 Nov 2026, late
        [ ] WEB-5 Shop
          [!] WEB-6 Pay by card · blocked
        [ ] WEB-7 Launch
        ");
        insta::assert_snapshot!(page.markdown(), @"
        **WEB Website**, version 7: 7 tasks, 1 done

        The shop, and who may enter it.

        - [ ] WEB-1 **Sign-in** · doing
          - [x] WEB-2 **Schema** · @ana
          - [ ] WEB-3 **Form** · doing · P1 · @ana · due Tue 1 Dec 2026
          - [ ] WEB-4 **Tests** · P1 · @bo · **due Fri 27 Nov 2026, late**
        - [ ] WEB-5 **Shop**
          - [ ] WEB-6 **Pay by card** · blocked
        - [ ] WEB-7 **Launch**
        ");
    }

    #[test]
    fn a_task_is_told_whole() {
        let plan = example::plan();
        let form = plan.by_number(3).unwrap();
        insta::assert_snapshot!(task(&plan, form, today()).text(), @"
        WEB-3 Form · doing · P1 · @ana · due Tue 1 Dec 2026
        part of WEB-1 Sign-in

        | Name and password, and **nothing** else.
        [x] It works without JavaScript
        [ ] Errors are told

        Waits for

        [x] WEB-2 Schema · @ana

        Waited for by

        [ ] WEB-4 Tests · P1 · @bo · due Fri 27 Nov 2026, late
        ");
        insta::assert_snapshot!(task(&plan, form, today()).markdown(), @r"
        **WEB-3 Form** · doing · P1 · @ana · due Tue 1 Dec 2026

        part of WEB-1 Sign-in

        > Name and password, and \*\*nothing\*\* else.
        - [x] It works without JavaScript
        - [ ] Errors are told

        Waits for

        - [x] WEB-2 **Schema** · @ana

        Waited for by

        - [ ] WEB-4 **Tests** · P1 · @bo · **due Fri 27 Nov 2026, late**
        ");
    }

    #[test]
    fn a_list_fits_a_narrow_terminal() {
        let plan = example::plan();
        let tasks: Vec<_> = plan.walk().into_iter().map(|(_, task)| (&plan, task)).collect();
        insta::assert_snapshot!(list(&tasks, today()).terminal(Terminal { colour: false, width: 36 }), @"
        7 tasks

        [~] WEB-1 Sign-in · doing
        [x] WEB-2 Schema · @ana
        [~] WEB-3 Form · doing · P1 · @ana ·
            due Tue 1 Dec 2026
        [ ] WEB-4 Tests · P1 · @bo · due Fri
            27 Nov 2026, late
        [ ] WEB-5 Shop
        [!] WEB-6 Pay by card · blocked
        [ ] WEB-7 Launch
        ");
    }
}

//! A status move is a transition that the project's process allows for this person.

use super::{
    super::{Field, TaskPatch, Update, apply, fault::either, plan::Task, process::Requirement},
    Checker, Node, Outcome, Resolved,
};

impl Checker<'_> {
    pub(super) fn transition(&mut self, index: usize, operation: &Resolved, outcome: &Outcome<'_>) {
        let (TaskPatch::Update(update), Node::Task(id)) = (&self.flat.patch.tasks[index], operation.node) else {
            return;
        };
        let plan = self.plan;
        let (Some(task), process) = (plan.get(id), plan.project.process) else {
            return;
        };
        let to = match &update.body.status {
            Field::Absent => return,
            Field::Clear => {
                let steps = either(process.steps.iter().map(|step| &step.name));
                self.fault(index, "/body/status", "a task is always at some step").expected = Some(steps);
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
        let reference = plan.reference(task);
        let Some(transition) = process.transition(&task.status, to) else {
            let reachable = either(process.reachable(&task.status));
            let fault = self.fault(index, "/body/status", format!("{reference} cannot go from {} to {to}", task.status));
            fault.found = Some(to.clone());
            fault.expected = Some(reachable);
            return;
        };
        if !transition.roles.is_empty() && !transition.roles.contains(&self.rules.role) {
            let found = self.rules.role.to_string();
            let fault = self.fault(index, "/body/status", format!("it is not for you to move {reference} to {to}"));
            fault.found = Some(found);
            fault.expected = Some(either(transition.roles.iter().map(|role| role.as_str())));
            return;
        }
        for requirement in &transition.requires {
            self.requirement(index, *requirement, (task, to), update, outcome);
        }
    }

    fn requirement(&mut self, index: usize, requirement: Requirement, (task, to): (&Task, &str), update: &Update, outcome: &Outcome<'_>) {
        let reference = self.plan.reference(task);
        match requirement {
            Requirement::CriteriaDone => {
                let criteria = apply::criteria(&task.detail.acceptance_criteria, &update.body.acceptance_criteria);
                if let Some(open) = criteria.into_iter().find(|criterion| !criterion.done) {
                    self.fault(index, "/body/status", format!("{reference} has a criterion that is not done")).found = Some(open.text);
                }
            }
            Requirement::NoOpenDependency => {
                let open = outcome.depends_on(Node::Task(task.id)).find(|node| !outcome.will_be_done(*node));
                if let Some(open) = open {
                    let message = format!("{reference} waits for {}, which is not done", self.name(open));
                    self.fault(index, "/body/status", message);
                }
            }
            Requirement::Reason => {
                if self.flat.patch.note.is_none() && update.body.blocker.set().is_none() {
                    let message = format!("moving {reference} from {} to {to} needs a reason", task.status);
                    self.fault(index, "/body/status", message).fix = Some("say why in `note`".into());
                }
            }
        }
    }
}

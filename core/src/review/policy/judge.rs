//! Holding a proposal, and who has approved it, against a policy.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Policy,
    rule::{Own, PLANNER, Rule, When, always},
};
use crate::{
    ids::MemberId,
    patch::{
        diff::{Diff, Entry, Op},
        process::Role,
    },
    review::{Proposal, REVERT},
    tenancy::Trust,
    tenancy::{Scope, Scopes},
};

/// What a policy looks at.
#[derive(Clone, Debug)]
pub(in crate::review) struct Facts {
    pub(in crate::review) number: i32,
    pub(in crate::review) operations: usize,
    /// Tasks that go, with what goes with them.
    pub(in crate::review) deletes: usize,
    /// By the names that [`When::fields`] has.
    pub(in crate::review) fields: BTreeSet<String>,
    pub(in crate::review) origin: String,
    /// Whether a planner made it from somebody's words.
    pub(in crate::review) is_planned: bool,
    pub(in crate::review) trust: Trust,
    /// The project's key; none where it is yet to be made.
    pub(in crate::review) project: Option<String>,
    pub(in crate::review) author: MemberId,
    pub(in crate::review) author_role: Role,
    pub(in crate::review) others: Reviewers,
}

/// How many members may decide, by role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::review) struct Reviewers {
    pub(in crate::review) owners: i64,
    pub(in crate::review) admins: i64,
    pub(in crate::review) members: i64,
}

impl Reviewers {
    pub(super) fn add(&mut self, role: Role, count: i64) {
        match role {
            Role::Owner => self.owners += count,
            Role::Admin => self.admins += count,
            Role::Member => self.members += count,
            Role::Viewer | Role::Agent => {}
        }
    }

    /// How many have one of these roles; none given: any.
    fn with(self, roles: &[Role]) -> i64 {
        [(Role::Owner, self.owners), (Role::Admin, self.admins), (Role::Member, self.members)]
            .into_iter()
            .filter(|(role, _)| roles.is_empty() || roles.contains(role))
            .map(|(_, count)| count)
            .sum()
    }
}

/// Whether a role may decide at all.
pub(in crate::review) fn reviews(role: Role) -> bool {
    Scopes::of(role).contains(Scope::Review)
}

impl Facts {
    /// What of a whole proposal a policy looks at.
    pub(in crate::review) fn of(proposal: &Proposal, diff: &Diff, author_role: Role, others: Reviewers) -> Self {
        Self::about(proposal, diff, |_| true, author_role, others)
    }

    /// The same of some of its operations (from 1). What changes in the project itself goes with each choice.
    pub(in crate::review) fn of_some(proposal: &Proposal, diff: &Diff, operations: &[i32], author_role: Role, others: Reviewers) -> Self {
        let is_chosen = |entry: &Entry| operations.iter().any(|operation| usize::try_from(*operation) == Ok(entry.index));
        Self::about(proposal, diff, is_chosen, author_role, others)
    }

    fn about(proposal: &Proposal, diff: &Diff, is_meant: impl Fn(&Entry) -> bool, author_role: Role, others: Reviewers) -> Self {
        let entries: Vec<&Entry> = diff.entries.iter().filter(|entry| is_meant(entry)).collect();
        let project = diff.project_changes.iter().map(|change| format!("project.{}", change.field));
        let tasks = entries.iter().flat_map(|entry| {
            let place = entry.moved.is_some().then(|| "place".to_owned());
            entry.changes.iter().map(|change| change.field.clone().into_owned()).chain(place)
        });
        Self {
            number: proposal.number,
            operations: entries.len(),
            deletes: entries.iter().filter(|entry| entry.op == Op::Delete).map(|entry| 1 + entry.removes.len()).sum(),
            fields: project.chain(tasks).collect(),
            origin: proposal.origin.clone(),
            is_planned: proposal.conversation.is_some() && proposal.origin != REVERT,
            trust: proposal.trust,
            project: proposal.project_key.clone(),
            author: proposal.member,
            author_role,
            others,
        }
    }
}

/// Somebody's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::review) struct Voice {
    pub(in crate::review) member: MemberId,
    pub(in crate::review) handle: String,
    pub(in crate::review) role: Role,
}

/// What is still needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Need {
    /// The rule that asks for it, by name.
    pub rule: String,
    /// How many people have to approve.
    pub approvals: u8,
    /// How many of those who count have.
    pub have: usize,
    /// Whether the author's own approval counts.
    pub author_counts: bool,
    /// Only these roles count; empty: all who may review.
    pub by: Vec<Role>,
    /// One sentence for people, without a full stop.
    pub text: String,
}

impl Need {
    /// Whether this approval would count towards it.
    pub(in crate::review) fn counts(&self, facts: &Facts, voice: &Voice) -> bool {
        (self.author_counts || voice.member != facts.author) && (self.by.is_empty() || self.by.contains(&voice.role))
    }

    /// Whether satisfying this one satisfies the other too.
    fn covers(&self, other: &Self) -> bool {
        let roles = other.by.is_empty() || (!self.by.is_empty() && self.by.iter().all(|role| other.by.contains(role)));
        self.approvals >= other.approvals && (other.author_counts || !self.author_counts) && roles
    }

    /// What is asked for, whoever asks and whoever has answered.
    pub(super) fn what(&self) -> (u8, bool, &[Role]) {
        (self.approvals, self.author_counts, &self.by)
    }
}

/// What is still needed before a proposal with these approvals is applied; nothing: it can be.
///
/// A need that another one contains is not told.
pub(in crate::review) fn judge(policy: &Policy, facts: &Facts, voices: &[Voice]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for rule in always().iter().chain(&policy.rules).filter(|rule| is_for(&rule.when, facts)) {
        let need = need(rule, facts, voices);
        if need.have >= usize::from(need.approvals) || needs.iter().any(|other| other.covers(&need)) {
            continue;
        }
        needs.retain(|other| !need.covers(other));
        needs.push(need);
    }
    needs
}

/// After how many days people are reminded of a proposal, and after how many it expires: the shortest of the rules that are for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::review) struct Deadlines {
    pub(in crate::review) remind: Option<u16>,
    pub(in crate::review) expire: Option<u16>,
}

pub(in crate::review) fn deadlines(policy: &Policy, facts: &Facts) -> Deadlines {
    let rules = || policy.rules.iter().filter(|rule| is_for(&rule.when, facts)).map(|rule| &rule.require);
    Deadlines { remind: rules().filter_map(|require| require.remind_after_days).min(), expire: rules().filter_map(|require| require.expire_after_days).min() }
}

fn is_for(when: &When, facts: &Facts) -> bool {
    let reaches = |least: Option<u32>, count: usize| least.is_none_or(|least| count >= usize::try_from(least).unwrap_or(usize::MAX));
    reaches(when.min_operations, facts.operations)
        && reaches(when.min_deletes, facts.deletes)
        && (when.fields.is_empty() || when.fields.iter().any(|field| facts.fields.contains(field)))
        && (when.origins.is_empty() || when.origins.iter().any(|origin| *origin == facts.origin || facts.is_planned && origin == PLANNER))
        && (when.trust.is_empty() || when.trust.contains(&facts.trust))
        && (when.projects.is_empty() || facts.project.as_ref().is_some_and(|project| when.projects.contains(project)))
        && (when.authors.is_empty() || when.authors.contains(&facts.author_role))
}

fn need(rule: &Rule, facts: &Facts, voices: &[Voice]) -> Need {
    let require = &rule.require;
    let author_counts = match require.own {
        Own::Counts => true,
        Own::IfAlone => facts.others.with(&require.by) == 0,
        Own::Never => false,
    };
    let mut need = Need { rule: rule.name.clone(), approvals: require.approvals, have: 0, author_counts, by: require.by.clone(), text: String::new() };
    need.have = voices.iter().filter(|voice| need.counts(facts, voice)).map(|voice| voice.member).collect::<BTreeSet<_>>().len();
    need.text = sentence(rule, facts, &need);
    need
}

/// `#12 removes tasks: somebody other than its author has to accept it`
fn sentence(rule: &Rule, facts: &Facts, need: &Need) -> String {
    let because = because(&rule.when, facts);
    let because = if because.is_empty() { "is a proposal".to_owned() } else { because.join(" and ") };
    let other = if need.author_counts { "" } else { " other than its author" };
    let roles = |plural: bool| need.by.iter().map(|role| role_name(*role, plural)).collect::<Vec<_>>().join(" or ");
    let ask = match need.approvals {
        1 if need.by.is_empty() => format!("somebody{other} has to accept it"),
        1 => format!("{}{other} has to accept it", roles(false)),
        count => {
            let people = if need.by.is_empty() { "people".to_owned() } else { roles(true) };
            let so_far = if need.have == 0 { "none of them has".to_owned() } else { format!("{} so far", need.have) };
            format!("{count} {people}{other} have to accept it, {so_far}")
        }
    };
    let author = need.author_counts && reviews(facts.author_role) && (need.by.is_empty() || need.by.contains(&facts.author_role));
    let able = facts.others.with(&need.by) + i64::from(author);
    let short = match able {
        able if able >= i64::from(need.approvals) => String::new(),
        0 => " (and there is nobody)".to_owned(),
        1 => " (and there is only one who may)".to_owned(),
        able => format!(" (and there are only {able} who may)"),
    };
    format!("#{} {because}: {ask}{short}", facts.number)
}

/// What of a proposal made the rule apply, a few words each.
fn because(when: &When, facts: &Facts) -> Vec<String> {
    let mut because = Vec::new();
    if when.trust.contains(&facts.trust) {
        because.push(
            match facts.trust {
                Trust::Untrusted => "comes from outside and is not verified",
                Trust::Linked => "comes from an identity that is only linked",
                Trust::Verified => "comes from a verified identity",
            }
            .to_owned(),
        );
    }
    if when.min_deletes.is_some() {
        because.push("removes tasks".to_owned());
    }
    if when.min_operations.is_some() {
        because.push(format!("has {} operations", facts.operations));
    }
    let fields: Vec<&str> = when.fields.iter().filter(|field| facts.fields.contains(*field)).map(String::as_str).collect();
    if !fields.is_empty() {
        because.push(format!("touches {}", fields.join(", ")));
    }
    if when.origins.contains(&facts.origin) {
        because.push(if facts.origin == REVERT { "takes a change back".to_owned() } else { format!("came by {}", facts.origin) });
    } else if !when.origins.is_empty() {
        because.push("was made by a planner".to_owned());
    }
    if let (false, Some(project)) = (when.projects.is_empty(), &facts.project) {
        because.push(format!("is for {project}"));
    }
    if !when.authors.is_empty() {
        because.push(format!("is by {}", role_name(facts.author_role, false)));
    }
    because
}

const fn role_name(role: Role, plural: bool) -> &'static str {
    match (role, plural) {
        (Role::Owner, false) => "an owner",
        (Role::Owner, true) => "owners",
        (Role::Admin, false) => "an admin",
        (Role::Admin, true) => "admins",
        (Role::Member, false) => "a member",
        (Role::Member, true) => "members",
        (Role::Viewer, false) => "a viewer",
        (Role::Viewer, true) => "viewers",
        (Role::Agent, false) => "an agent",
        (Role::Agent, true) => "agents",
    }
}

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    rule::{FIELDS, MAX_APPROVALS, MAX_COUNT},
    *,
};
use crate::{ids::MemberId, patch::process::Role, tenancy::Trust};

/// The code that was the policy before policies were data: what the built-in one must still answer.
fn oracle(is_author: bool, trust: Trust, others: i64, deletes: usize, operations: usize) -> Option<String> {
    let number = 12;
    if !is_author {
        return None;
    }
    if trust == Trust::Untrusted {
        return Some(format!("#{number} comes from outside and is not verified: somebody else has to accept it"));
    }
    if others == 0 {
        return None;
    }
    if deletes > 0 {
        return Some(format!("#{number} removes tasks: somebody other than its author has to accept it"));
    }
    if operations > MANY {
        return Some(format!("#{number} has {operations} operations: above {MANY}, somebody other than its author has to accept it"));
    }
    None
}

fn id(n: u128) -> MemberId {
    MemberId(Uuid::from_u128(n))
}

fn voice(n: u128, role: Role) -> Voice {
    Voice { member: id(n), handle: format!("m{n}"), role }
}

fn facts() -> Facts {
    Facts {
        number: 12,
        operations: 1,
        deletes: 0,
        fields: BTreeSet::new(),
        origin: "web".into(),
        is_planned: true,
        trust: Trust::Verified,
        project: Some("WEB".into()),
        author: id(1),
        author_role: Role::Member,
        others: Reviewers { owners: 1, admins: 1, members: 1 },
    }
}

fn policy(rules: &Value) -> Policy {
    read(rules).expect("these are rules")
}

/// Everything before the colon: why.
fn reason(text: &str) -> &str {
    text.split(':').next().unwrap_or_default()
}

proptest! {
    #[test]
    fn the_built_in_policy_answers_as_the_code_before_it(
        actor in 1_u128..4, trust in select(Trust::ALL.to_vec()), owners in 0_i64..3, admins in 0_i64..2, members in 0_i64..2,
        deletes in 0_usize..3, operations in 0_usize..45, is_planned: bool, role in select(vec![Role::Owner, Role::Admin, Role::Member]),
        author_role in select(Role::ALL.to_vec()),
    ) {
        let others = Reviewers { owners, admins, members };
        let facts = Facts { operations, deletes, is_planned, trust, author_role, others, ..facts() };
        let needs = judge(&Policy::built_in(), &facts, &[voice(actor, role)]);
        let before = oracle(actor == 1, trust, owners + admins + members, deletes, operations);
        prop_assert_eq!(needs.first().map(|need| reason(&need.text)), before.as_deref().map(reason));
    }

    #[test]
    fn what_is_written_is_read_back(policy in any_policy()) {
        let written = serde_json::to_value(&policy).expect("a policy is JSON");
        prop_assert_eq!(read(&written["rules"]), Ok(policy.clone()));
        prop_assert_eq!(serde_json::from_value::<Policy>(written).expect("it is a policy"), policy);
    }

    #[test]
    fn one_more_approval_never_needs_more(policy in any_policy(), people in proptest::collection::vec((1_u128..6, select(Role::ALL.to_vec())), 0..6), deletes in 0_usize..3) {
        let facts = Facts { deletes, ..facts() };
        let voices: Vec<Voice> = people.into_iter().map(|(n, role)| voice(n, role)).collect();
        let mut missing = usize::MAX;
        for count in 0..=voices.len() {
            let now = judge(&policy, &facts, &voices[..count]).iter().map(|need| usize::from(need.approvals) - need.have).max().unwrap_or(0);
            prop_assert!(now <= missing);
            missing = now;
        }
        let twice: Vec<Voice> = voices.iter().chain(&voices).cloned().collect();
        prop_assert_eq!(judge(&policy, &facts, &twice), judge(&policy, &facts, &voices), "the same person twice counts once");
    }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let some = |all: Vec<Role>| proptest::sample::subsequence(all, 0..=2);
    let when = (
        proptest::option::of(1..=MAX_COUNT),
        proptest::option::of(1..=MAX_COUNT),
        proptest::sample::subsequence(FIELDS.to_vec(), 0..4),
        proptest::sample::subsequence(vec!["web", "planner", "slack"], 0..3),
        proptest::sample::subsequence(Trust::ALL.to_vec(), 0..3),
        proptest::sample::subsequence(vec!["WEB", "OPS"], 0..2),
        some(Role::ALL.to_vec()),
    )
        .prop_map(|(min_operations, min_deletes, fields, origins, trust, projects, authors)| {
            let words = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
            When { min_operations, min_deletes, fields: words(fields), origins: words(origins), trust, projects: words(projects), authors }
        });
    let days = || proptest::option::of(1..=365_u16);
    let require = (1..=MAX_APPROVALS, select(Own::ALL.to_vec()), some(vec![Role::Owner, Role::Admin, Role::Member]), days(), days())
        .prop_map(|(approvals, own, by, remind_after_days, expire_after_days)| Require { approvals, own, by, remind_after_days, expire_after_days });
    proptest::collection::vec((when, require), 0..6)
        .prop_map(|rules| Policy { rules: rules.into_iter().zip(1..).map(|((when, require), n)| Rule { name: format!("Rule {n}"), when, require }).collect() })
}

#[test]
fn each_condition_looks_at_its_own_fact() {
    let matching = Facts { operations: 5, deletes: 2, fields: ["due_on".to_owned()].into(), trust: Trust::Linked, author_role: Role::Agent, ..facts() };
    for (when, other, because) in [
        (json!({ "min_operations": 5 }), Facts { operations: 4, ..matching.clone() }, "has 5 operations"),
        (json!({ "min_deletes": 2 }), Facts { deletes: 1, ..matching.clone() }, "removes tasks"),
        (json!({ "fields": ["title", "due_on"] }), Facts { fields: ["place".to_owned()].into(), ..matching.clone() }, "touches due_on"),
        (json!({ "origins": ["web"] }), Facts { origin: "revert".into(), ..matching.clone() }, "came by web"),
        (json!({ "origins": ["planner"] }), Facts { is_planned: false, ..matching.clone() }, "was made by a planner"),
        (json!({ "trust": ["linked", "untrusted"] }), Facts { trust: Trust::Verified, ..matching.clone() }, "comes from an identity that is only linked"),
        (json!({ "projects": ["WEB"] }), Facts { project: None, ..matching.clone() }, "is for WEB"),
        (json!({ "authors": ["agent"] }), Facts { author_role: Role::Member, ..matching.clone() }, "is by an agent"),
    ] {
        let policy = policy(&json!([{ "name": "Two", "when": when, "require": { "approvals": 2 } }]));
        let one = [voice(2, Role::Member)];
        let needs = judge(&policy, &matching, &one);
        let text = format!("#12 {because}: 2 people have to accept it, 1 so far");
        assert_eq!(needs.iter().map(|need| need.text.as_str()).collect::<Vec<_>>(), [text], "{when}");
        assert_eq!(judge(&policy, &other, &one), [], "{when}");
    }
}

#[test]
fn all_conditions_of_a_rule_must_hold_and_all_rules_be_satisfied() {
    let rules = policy(&json!([
        { "name": "Both", "when": { "min_deletes": 1, "projects": ["WEB"] }, "require": { "approvals": 2, "own": "never" } },
        { "name": "Boss", "when": { "projects": ["WEB"] }, "require": { "by": ["owner", "admin"] } },
    ]));
    let deleting = Facts { deletes: 1, ..facts() };
    let told = |facts: &Facts, voices: &[Voice]| judge(&rules, facts, voices).into_iter().map(|need| need.rule).collect::<Vec<_>>();
    assert_eq!(told(&facts(), &[]), ["Boss"], "that somebody accepts is part of it");
    assert_eq!(told(&deleting, &[]), ["Both", "Boss"]);
    assert_eq!(told(&deleting, &[voice(1, Role::Member), voice(2, Role::Member), voice(3, Role::Member)]), ["Boss"], "two of them are not its author");
    assert_eq!(told(&deleting, &[voice(1, Role::Member), voice(2, Role::Admin)]), ["Both"]);
    assert_eq!(told(&deleting, &[voice(2, Role::Admin), voice(3, Role::Member)]), Vec::<String>::new());
}

#[test]
fn no_policy_lets_what_comes_from_outside_accept_itself() {
    let untrusted = Facts { trust: Trust::Untrusted, others: Reviewers::default(), ..facts() };
    let needs = judge(&policy(&json!([])), &untrusted, &[voice(1, Role::Owner)]);
    assert_eq!(needs.len(), 1);
    assert_eq!(needs[0].text, "#12 comes from outside and is not verified: somebody other than its author has to accept it (and there is nobody)");
}

#[test]
fn what_is_left_out_does_not_matter_and_null_is_left_out() {
    let bare = policy(&json!([{ "name": " Bare " }]));
    assert_eq!(bare.rules, [Rule { name: "Bare".into(), when: When::default(), require: Require::default() }]);
    assert_eq!(policy(&json!([{ "name": "Bare", "when": { "min_deletes": null }, "require": {} }])), bare);
}

#[test]
fn every_fault_is_told_at_its_place() {
    let faults = read(&json!([
        { "name": "One", "when": { "min_deletes": 0, "feilds": ["title"], "fields": ["due", "title", "title"] }, "require": { "approvals": "two" } },
        { "name": "one", "when": { "trust": [], "authors": ["boss"], "origins": ["No Channel"] }, "require": { "own": "nevr", "by": ["viewer"] } },
        { "when": [] },
        7,
    ]))
    .expect_err("they have faults");
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    /rules/0/when/feilds: there is no field `feilds`; expected min_operations, min_deletes, fields, origins, trust, projects or authors; did you mean `fields`?
    /rules/0/when/min_deletes: this is not such a number (found 0); expected a whole number, 1–500
    /rules/0/when/fields/0: this is not a field (found "due"); expected title, description, status, priority, kind, effort, estimate_minutes, assignee, due_on, labels, depends_on, blocker, acceptance_criteria, references, external_refs, metadata, place, project.title, project.summary, project.key, project.process or project.time_zone
    /rules/0/when/fields/2: this is in the list already (found title); expected each once
    /rules/0/require/approvals: this is not such a number (found "two"); expected a whole number, 1–10
    /rules/1/name: another rule has this name (found "one"); expected a name of its own
    /rules/1/when/origins/0: this is not an origin (found "No Channel"); expected web, api, terminal, revert, planner or a channel's name
    /rules/1/when/trust: an empty list is for nothing (found []); expected one or more; leave it out where it does not matter
    /rules/1/when/authors/0: this is not a role (found "boss"); expected owner, admin, member, viewer or agent
    /rules/1/require/own: the author's own approval cannot be this (found "nevr"); expected counts, if_alone or never; did you mean `never`?
    /rules/2/name: a rule needs a name; expected 1–80 characters
    /rules/2/when: this has the wrong type (found []); expected an object with min_operations, min_deletes, fields, origins, trust, projects or authors
    /rules/3: this has the wrong type (found 7); expected an object with name, when or require
    "#);
}

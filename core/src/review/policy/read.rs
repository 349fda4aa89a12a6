//! Reading the rules that somebody wrote: every fault is told, at its place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Own, Policy, Require, Rule, When,
    judge::reviews,
    rule::{FIELDS, MAX_APPROVALS, MAX_COUNT, MAX_DAYS, MAX_NAME, MAX_RULES},
};
use crate::{
    patch::{
        Fault,
        fault::{brief, either, escape, nearest},
        process::Role,
    },
    review::Trust,
};

/// Reads the rules of a policy, a list. The paths of faults begin with `/rules`.
pub fn read(rules: &Value) -> Result<Policy, Vec<Fault>> {
    let mut reader = Reader::default();
    let Some(list) = rules.as_array() else {
        return Err(vec![wrong("/rules", "the rules are a list", rules, "a list of rules")]);
    };
    if list.len() > MAX_RULES {
        reader.faults.push(Fault::new("/rules", "these are too many rules").found(list.len().to_string()).expected(format!("at most {MAX_RULES}")));
    }
    let rules: Vec<Rule> = list.iter().enumerate().filter_map(|(at, rule)| reader.rule(&format!("/rules/{at}"), rule)).collect();
    if reader.faults.is_empty() { Ok(Policy { rules }) } else { Err(reader.faults) }
}

/// The projects of a policy that are none of these.
pub fn unknown_projects(policy: &Policy, keys: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (rule, at) in policy.rules.iter().zip(0..) {
        for (name, place) in rule.when.projects.iter().zip(0..) {
            if !keys.contains(name) {
                let fault = Fault::new(format!("/rules/{at}/when/projects/{place}"), "there is no such project").found(name).expected("a project's key");
                faults.push(suggest(fault, name, keys.iter().map(String::as_str)));
            }
        }
    }
    faults
}

fn wrong(path: &str, message: &str, found: &Value, expected: impl Into<String>) -> Fault {
    Fault::new(path, message).found(brief(found)).expected(expected)
}

fn suggest<'a>(fault: Fault, word: &str, known: impl IntoIterator<Item = &'a str>) -> Fault {
    match nearest(word, known) {
        Some(near) => fault.fix(format!("did you mean `{near}`?")),
        None => fault,
    }
}

#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
    names: BTreeSet<String>,
}

impl Reader {
    fn rule(&mut self, path: &str, value: &Value) -> Option<Rule> {
        let fields = self.object(path, value, &["name", "when", "require"])?;
        let name = self.name(&format!("{path}/name"), fields.get("name"));
        let when = fields.get("when").map_or_else(|| Some(When::default()), |when| self.when(&format!("{path}/when"), when));
        let require = fields.get("require").map_or_else(|| Some(Require::default()), |require| self.require(&format!("{path}/require"), require));
        Some(Rule { name: name?, when: when?, require: require? })
    }

    fn name(&mut self, path: &str, value: Option<&Value>) -> Option<String> {
        let Some(value) = value else {
            self.faults.push(Fault::new(path, "a rule needs a name").expected(format!("1–{MAX_NAME} characters")));
            return None;
        };
        let name = value.as_str().map(str::trim).filter(|name| (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control));
        let Some(name) = name else {
            self.faults.push(wrong(path, "this cannot be a rule's name", value, format!("1–{MAX_NAME} characters on one line")));
            return None;
        };
        if !self.names.insert(name.to_lowercase()) {
            self.faults.push(wrong(path, "another rule has this name", value, "a name of its own"));
        }
        Some(name.to_owned())
    }

    fn when(&mut self, path: &str, value: &Value) -> Option<When> {
        let fields = self.object(path, value, &["min_operations", "min_deletes", "fields", "origins", "trust", "projects", "authors"])?;
        let at = |field: &str| format!("{path}/{field}");
        let mut count = |field: &str| fields.get(field).filter(|value| !value.is_null()).and_then(|value| self.count(&at(field), value, MAX_COUNT));
        let (min_operations, min_deletes) = (count("min_operations"), count("min_deletes"));
        Some(When {
            min_operations,
            min_deletes,
            fields: self.one_of(&at("fields"), fields.get("fields"), "a field", &FIELDS.map(|field| (field, field.to_owned()))),
            origins: self.words(
                &at("origins"),
                fields.get("origins"),
                "an origin",
                |word| is_origin(word).then(|| word.to_owned()),
                |fault, _| fault.expected("web, api, terminal, revert, planner or a channel's name"),
            ),
            trust: self.one_of(&at("trust"), fields.get("trust"), "a degree of trust", &Trust::ALL.map(|trust| (trust.as_str(), trust))),
            projects: self.words(
                &at("projects"),
                fields.get("projects"),
                "a project",
                |word| Some(word.to_owned()),
                |fault, _| fault.expected("a project's key"),
            ),
            authors: self.one_of(&at("authors"), fields.get("authors"), "a role", &Role::ALL.map(|role| (role.as_str(), role))),
        })
    }

    fn require(&mut self, path: &str, value: &Value) -> Option<Require> {
        let fields = self.object(path, value, &["approvals", "own", "by", "remind_after_days", "expire_after_days"])?;
        let at = |field: &str| format!("{path}/{field}");
        let approvals = fields.get("approvals").map_or(Some(1), |value| self.count(&at("approvals"), value, MAX_APPROVALS.into()));
        let own = match fields.get("own") {
            None => Own::default(),
            Some(value) => {
                let own = value.as_str().and_then(|word| Own::ALL.into_iter().find(|own| own.as_str() == word));
                if own.is_none() {
                    let known = Own::ALL.map(Own::as_str);
                    let fault = wrong(&at("own"), "the author's own approval cannot be this", value, either(known));
                    self.faults.push(suggest(fault, value.as_str().unwrap_or_default(), known));
                }
                own?
            }
        };
        let reviewing: Vec<_> = Role::ALL.into_iter().filter(|role| reviews(*role)).map(|role| (role.as_str(), role)).collect();
        let by = self.one_of(&at("by"), fields.get("by"), "a role that may review", &reviewing);
        let mut days = |field: &str| {
            let given = fields.get(field).filter(|value| !value.is_null())?;
            self.count(&at(field), given, MAX_DAYS).and_then(|days| u16::try_from(days).ok())
        };
        let (remind_after_days, expire_after_days) = (days("remind_after_days"), days("expire_after_days"));
        Some(Require { approvals: approvals.and_then(|count| u8::try_from(count).ok())?, own, by, remind_after_days, expire_after_days })
    }

    fn object<'v>(&mut self, path: &str, value: &'v Value, known: &[&str]) -> Option<&'v Map<String, Value>> {
        let Some(fields) = value.as_object() else {
            self.faults.push(wrong(path, "this has the wrong type", value, format!("an object with {}", either(known))));
            return None;
        };
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let fault = Fault::new(format!("{path}/{}", escape(name)), format!("there is no field `{name}`"));
            self.faults.push(suggest(fault.expected(either(known)), name, known.iter().copied()));
        }
        Some(fields)
    }

    fn count(&mut self, path: &str, value: &Value, most: u32) -> Option<u32> {
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| (1..=most).contains(count));
        if count.is_none() {
            self.faults.push(wrong(path, "this is not such a number", value, format!("a whole number, 1–{most}")));
        }
        count
    }

    /// A list of words that each mean one of the known.
    fn one_of<T: Clone>(&mut self, path: &str, value: Option<&Value>, what: &str, known: &[(&str, T)]) -> Vec<T> {
        let find = |word: &str| known.iter().find(|(name, _)| *name == word).map(|(_, meaning)| meaning.clone());
        let names = || known.iter().map(|(name, _)| *name);
        self.words(path, value, what, find, |fault, word| suggest(fault.expected(either(names())), word, names()))
    }

    /// A list of words, not empty and each there once.
    fn words<T>(
        &mut self,
        path: &str,
        value: Option<&Value>,
        what: &str,
        meaning: impl Fn(&str) -> Option<T>,
        explain: impl Fn(Fault, &str) -> Fault,
    ) -> Vec<T> {
        let Some(value) = value else { return Vec::new() };
        let Some(list) = value.as_array() else {
            self.faults.push(wrong(path, "this has the wrong type", value, "a list of words"));
            return Vec::new();
        };
        if list.is_empty() {
            self.faults.push(Fault::new(path, "an empty list is for nothing").found("[]").expected("one or more").fix("leave it out where it does not matter"));
        }
        let mut seen = BTreeSet::new();
        let mut meant = Vec::new();
        for (at, item) in list.iter().enumerate() {
            let path = format!("{path}/{at}");
            let word = item.as_str().unwrap_or_default();
            match meaning(word).filter(|_| item.is_string()) {
                None => self.faults.push(explain(Fault::new(path, format!("this is not {what}")).found(brief(item)), word)),
                Some(_) if !seen.insert(word) => self.faults.push(Fault::new(path, "this is in the list already").found(word).expected("each once")),
                Some(meaning) => meant.push(meaning),
            }
        }
        meant
    }
}

/// Channels may be added without the policy knowing: an origin is any word such as theirs.
fn is_origin(word: &str) -> bool {
    (1..=40).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
}

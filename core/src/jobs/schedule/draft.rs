//! What somebody asks for, and the plan that it becomes where nothing is wrong with it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Action, MAX_RULE, Missed, Overlap, Rule, store::Plan};
use crate::{jobs::tool, patch::Fault};

/// The most runs that make up for missed ones.
const MAX_CATCH_UP: i16 = 100;

/// A schedule as it is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "NewSchedule")]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Absent: what it does.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub name: Option<String>,
    /// Cron (`0 9 * * 1-5`, with seconds before them where there are six fields), an ISO time, `RRULE:…` lines of iCalendar, or words
    /// such as `every weekday at 9:00`.
    #[schemars(length(min = 1, max = MAX_RULE))]
    pub rule: String,
    /// IANA name; absent: that of who asks.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub zone: Option<String>,
    pub action: Action,
    #[serde(default)]
    pub missed: Missed,
    /// How many missed times are made up for at most, where each of them runs.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = MAX_CATCH_UP))]
    pub catch_up_limit: i16,
    #[serde(default)]
    pub overlap: Overlap,
}

const fn ten() -> i16 {
    10
}

impl Draft {
    /// A draft of what is given, and nothing out of the ordinary.
    pub fn new(rule: impl Into<String>, action: Action) -> Self {
        Self { name: None, rule: rule.into(), zone: None, action, missed: Missed::default(), catch_up_limit: ten(), overlap: Overlap::default() }
    }

    /// Reads the draft of somebody in a zone.
    pub fn plan(self, own_zone: &str, now: DateTime<Utc>) -> Result<Plan, Vec<Fault>> {
        let mut faults = Vec::new();
        let rule = match zone(self.zone.as_deref().unwrap_or(own_zone)) {
            Ok(zone) => match Rule::parse(&self.rule, zone, now) {
                Ok(rule) => Some((rule.next_after(now), rule)),
                Err(error) => {
                    faults.push(Fault::new("/rule", error.to_string()).found(self.rule.clone()));
                    None
                }
            },
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        if let Some((None, rule)) = &rule {
            faults.push(Fault::new("/rule", "it never comes: there is no such time from now on").found(rule.text.clone()));
        }
        let name = self.name.as_deref().map_or_else(|| self.action.to_string(), |name| name.trim().to_owned());
        if name.is_empty() || name.chars().count() > 200 {
            faults.push(Fault::new("/name", "a name has 1–200 characters"));
        }
        if !(1..=MAX_CATCH_UP).contains(&self.catch_up_limit) {
            faults.push(Fault::new("/catch_up_limit", format!("at most {MAX_CATCH_UP} are made up for")).expected(format!("1–{MAX_CATCH_UP}")));
        }
        match &self.action {
            Action::Job { tool, input } => {
                if let Err(found) = tool::check(tool, input) {
                    faults.extend(found.into_iter().map(|fault| Fault { path: format!("/action{}", fault.path), ..fault }));
                }
            }
            Action::Command { text, .. } | Action::Message { text, .. } => {
                if !(1..=4000).contains(&text.trim().chars().count()) {
                    faults.push(Fault::new("/action/text", "a text has 1–4000 characters"));
                }
            }
        }
        match rule {
            Some((next_run_at, rule)) if faults.is_empty() => Ok(Plan {
                name,
                said: self.rule,
                rule: rule.text,
                zone: rule.zone,
                action: self.action,
                missed: self.missed,
                catch_up_limit: self.catch_up_limit,
                overlap: self.overlap,
                next_run_at,
            }),
            _ => Err(faults),
        }
    }
}

/// A time zone by its name.
pub fn zone(name: &str) -> Result<Tz, Fault> {
    name.parse().map_err(|_| Fault::new("/zone", "there is no such time zone").found(name.to_owned()).expected("a name such as Europe/Berlin"))
}

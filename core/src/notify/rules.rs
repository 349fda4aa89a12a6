//! Whether somebody hears of something, and when. Pure.

use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono::{DateTime, Days, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::{
    dates::{self, When},
    patch::{Fault, id::is_key},
};

/// How many projects and proposals somebody can name.
const MOST: usize = 200;

/// When somebody is told of a kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum How {
    /// Never, and it is in no list.
    Off,
    /// Once a day, with the rest of it.
    Digest,
    /// As it happens.
    Now,
}

/// How each kind is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct Kinds {
    pub review: How,
    pub mentioned: How,
    pub assigned: How,
    pub decided: How,
    pub due: How,
    pub failed: How,
    pub subscribed: How,
}

impl Default for Kinds {
    fn default() -> Self {
        Self {
            review: How::Now,
            mentioned: How::Now,
            assigned: How::Digest,
            decided: How::Digest,
            due: How::Digest,
            failed: How::Digest,
            subscribed: How::Digest,
        }
    }
}

impl Kinds {
    pub const fn of(&self, kind: Kind) -> How {
        match kind {
            Kind::Review => self.review,
            Kind::Mentioned => self.mentioned,
            Kind::Assigned => self.assigned,
            Kind::Decided => self.decided,
            Kind::Due => self.due,
            Kind::Failed => self.failed,
            Kind::Subscribed => self.subscribed,
        }
    }

    pub const fn of_mut(&mut self, kind: Kind) -> &mut How {
        match kind {
            Kind::Review => &mut self.review,
            Kind::Mentioned => &mut self.mentioned,
            Kind::Assigned => &mut self.assigned,
            Kind::Decided => &mut self.decided,
            Kind::Due => &mut self.due,
            Kind::Failed => &mut self.failed,
            Kind::Subscribed => &mut self.subscribed,
        }
    }
}

/// A time of day on a clock on the wall, to the minute: `22:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Clock {
    minutes: u16,
}

impl Clock {
    /// The full hour; of those beyond 23 it is taken as 23.
    pub fn hour(hour: u8) -> Self {
        Self { minutes: u16::from(hour.min(23)) * 60 }
    }

    fn of(time: NaiveTime) -> Self {
        Self { minutes: u16::try_from(time.hour() * 60 + time.minute()).expect("a day has 1440 minutes") }
    }

    pub(super) fn time(self) -> NaiveTime {
        NaiveTime::from_num_seconds_from_midnight_opt(u32::from(self.minutes) * 60, 0).expect("it is within a day")
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl FromStr for Clock {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |text: &str, end: u16| text.parse::<u16>().ok().filter(|n| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) && *n < end);
        let minutes = text.split_once(':').and_then(|(hour, minute)| Some(part(hour, 24)? * 60 + part(minute, 60)?));
        minutes.map(|minutes| Self { minutes }).ok_or("a time of day is written as 22:00")
    }
}

impl TryFrom<String> for Clock {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Clock> for String {
    fn from(clock: Clock) -> Self {
        clock.to_string()
    }
}

impl JsonSchema for Clock {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Clock".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "description": "A time of day: `22:00`." })
    }
}

/// Hours in which nothing is sent: it is when they end. Across midnight where `to` is before `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Quiet {
    pub from: Clock,
    pub to: Clock,
}

/// How a member wants to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    pub kinds: Kinds,
    /// In the member's time zone.
    pub quiet: Option<Quiet>,
    /// The full hour at which what is told once a day is told.
    #[schemars(range(max = 23))]
    pub digest_hour: u8,
    /// Nothing at all is told.
    pub muted: bool,
    /// Projects (`WEB`) and proposals (`#12`) of which nothing is told.
    #[schemars(length(max = 200), inner(regex(pattern = r"^([A-Z][A-Z0-9]{0,9}|#[1-9][0-9]{0,8})$")))]
    pub mutes: Vec<String>,
    /// Projects (`WEB`) of which everything is told.
    #[schemars(length(max = 200), inner(regex(pattern = r"^[A-Z][A-Z0-9]{0,9}$")))]
    pub subscriptions: Vec<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { kinds: Kinds::default(), quiet: None, digest_hour: 8, muted: false, mutes: Vec::new(), subscriptions: Vec::new() }
    }
}

fn is_proposal(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|number| (1..=9).contains(&number.len()) && !number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit()))
}

/// The places that one can be in once, in order.
fn places(list: &mut Vec<String>, faults: &mut Vec<Fault>, field: &str, is_one: impl Fn(&str) -> bool, expected: &str) {
    if list.len() > MOST {
        faults.push(Fault::new(format!("/{field}"), format!("at most {MOST} can be named")));
    }
    for (at, wrong) in list.iter().enumerate().filter(|(_, name)| !is_one(name)) {
        faults.push(Fault::new(format!("/{field}/{at}"), "this cannot be named here").found(wrong).expected(expected));
    }
    list.sort();
    list.dedup();
}

impl Preferences {
    /// Brings what somebody wrote in order; all that is wrong with it.
    pub fn tidy(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.digest_hour > 23 {
            faults.push(Fault::new("/digest_hour", "a day has the hours 0–23").found(self.digest_hour.to_string()));
        }
        if self.quiet.is_some_and(|quiet| quiet.from == quiet.to) {
            faults.push(Fault::new("/quiet/to", "quiet hours end at another time than they begin").fix("for none, leave `quiet` out"));
        }
        places(&mut self.mutes, &mut faults, "mutes", |name| is_key(name) || is_proposal(name), "a project such as WEB, or a proposal such as #12");
        places(&mut self.subscriptions, &mut faults, "subscriptions", is_key, "a project such as WEB");
        faults
    }

    /// Whether nothing is told of a project and a proposal.
    pub fn is_muted(&self, project: Option<&str>, proposal: Option<i32>) -> bool {
        self.muted
            || project.is_some_and(|key| self.mutes.iter().any(|name| name == key))
            || (!self.mutes.is_empty() && proposal.is_some_and(|number| self.mutes.contains(&format!("#{number}"))))
    }

    /// When something of a kind is sent that happens at a time; `None`: it is not told at all.
    pub fn when(&self, kind: Kind, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let wanted = match self.kinds.of(kind) {
            How::Off => return None,
            How::Now => at,
            How::Digest => next(Clock::hour(self.digest_hour), at, zone),
        };
        Some(self.quiet.and_then(|quiet| quiet.end(wanted, zone)).unwrap_or(wanted))
    }
}

impl Quiet {
    /// When the quiet hours end in which a time falls; `None` where it falls in none.
    fn end(self, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let clock = Clock::of(at.with_timezone(&zone).time());
        let is_quiet = if self.from <= self.to { self.from <= clock && clock < self.to } else { self.from <= clock || clock < self.to };
        is_quiet.then(|| next(self.to, at, zone))
    }
}

/// The first time from a time on that a clock on the wall shows this.
fn next(clock: Clock, from: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let today = dates::today(from, zone);
    let on = |days| today.checked_add_days(Days::new(days)).map(|day| When { day, time: Some(clock.time()) }.instant(zone));
    (0..=2).filter_map(on).find(|instant| *instant >= from).unwrap_or(from)
}

/// The handles that a text names after an @, in small letters.
pub(super) fn mentions(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('@') {
        // An address has something before it.
        if text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "._%+-@/".contains(c)) {
            continue;
        }
        let handle: String = text[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
        let handle = handle.trim_end_matches(['-', '_']);
        if !handle.is_empty() {
            found.insert(handle.to_ascii_lowercase());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, to: &str) -> Preferences {
        Preferences { quiet: Some(Quiet { from: from.parse().unwrap(), to: to.parse().unwrap() }), ..Preferences::default() }
    }

    #[track_caller]
    fn check(preferences: &Preferences, kind: Kind, at: &str, zone: Tz, expected: &str) {
        let when = preferences.when(kind, at.parse().unwrap(), zone).map(|when| when.to_rfc3339());
        assert_eq!(when.as_deref(), Some(expected), "{kind:?} at {at}");
    }

    #[test]
    fn quiet_hours_go_across_midnight() {
        let night = quiet("22:00", "07:00");
        let zone = Tz::Europe__Berlin;
        check(&night, Kind::Review, "2026-11-21T20:59:00Z", zone, "2026-11-21T20:59:00+00:00");
        check(&night, Kind::Review, "2026-11-21T21:00:00Z", zone, "2026-11-22T06:00:00+00:00");
        check(&night, Kind::Review, "2026-11-22T05:59:59Z", zone, "2026-11-22T06:00:00+00:00");
        check(&night, Kind::Review, "2026-11-22T06:00:00Z", zone, "2026-11-22T06:00:00+00:00");
        let noon = quiet("12:00", "13:30");
        check(&noon, Kind::Review, "2026-11-22T11:15:00Z", zone, "2026-11-22T12:30:00+00:00");
        check(&noon, Kind::Review, "2026-11-22T12:30:00Z", zone, "2026-11-22T12:30:00+00:00");
    }

    #[test]
    fn quiet_hours_end_by_the_clock_on_the_wall_when_it_changes() {
        let zone = Tz::Europe__Berlin;
        // On 29 March 2026 the night is an hour shorter, on 25 October an hour longer.
        check(&quiet("22:00", "07:00"), Kind::Review, "2026-03-28T22:00:00Z", zone, "2026-03-29T05:00:00+00:00");
        check(&quiet("22:00", "07:00"), Kind::Review, "2026-10-24T21:00:00Z", zone, "2026-10-25T06:00:00+00:00");
        // They would end at a time that is skipped, or that comes twice.
        check(&quiet("22:00", "02:30"), Kind::Review, "2026-03-29T00:00:00Z", zone, "2026-03-29T01:30:00+00:00");
        check(&quiet("22:00", "02:30"), Kind::Review, "2026-10-25T00:00:00Z", zone, "2026-10-25T00:30:00+00:00");
    }

    #[test]
    fn a_digest_waits_for_its_hour_and_then_for_the_end_of_the_quiet_ones() {
        let zone = Tz::America__New_York;
        let plain = Preferences::default();
        check(&plain, Kind::Assigned, "2026-11-21T12:59:00Z", zone, "2026-11-21T13:00:00+00:00");
        check(&plain, Kind::Assigned, "2026-11-21T13:00:00Z", zone, "2026-11-21T13:00:00+00:00");
        check(&plain, Kind::Assigned, "2026-11-21T13:00:01Z", zone, "2026-11-22T13:00:00+00:00");
        check(&quiet("20:00", "09:30"), Kind::Assigned, "2026-11-21T12:59:00Z", zone, "2026-11-21T14:30:00+00:00");
    }

    #[test]
    fn what_is_off_or_muted_is_not_told() {
        let mut preferences = Preferences::default();
        *preferences.kinds.of_mut(Kind::Review) = How::Off;
        assert_eq!(preferences.when(Kind::Review, DateTime::UNIX_EPOCH, Tz::UTC), None);
        preferences.mutes = vec!["WEB".to_owned(), "#12".to_owned()];
        assert!(preferences.is_muted(Some("WEB"), None) && preferences.is_muted(Some("APP"), Some(12)));
        assert!(!preferences.is_muted(Some("APP"), Some(1)) && !preferences.is_muted(None, None));
        assert!(Preferences { muted: true, ..Preferences::default() }.is_muted(None, None));
    }

    #[test]
    fn a_handle_is_named_and_an_address_is_none() {
        let found = |text| mentions(text).into_iter().collect::<Vec<_>>();
        assert_eq!(found("@Ana, could you ask @bo-2? (@cy)"), ["ana", "bo-2", "cy"]);
        assert_eq!(found("ana@example.org, a/@b, @ and @@x"), Vec::<String>::new());
        assert_eq!(found("ask @bo- or @bo."), ["bo"]);
    }

    #[test]
    fn a_time_of_day_has_two_digits_twice() {
        assert_eq!("07:05".parse::<Clock>().unwrap().to_string(), "07:05");
        for bad in ["7:05", "24:00", "12:60", "12", "+1:00", "12:5"] {
            assert!(bad.parse::<Clock>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told_at_its_place() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut good = Preferences { mutes: names(&["WEB", "#12", "A1", "WEB"]), subscriptions: names(&["WEB"]), ..quiet("22:00", "07:00") };
        assert_eq!(good.tidy(), Vec::new());
        assert_eq!(good.mutes, ["#12", "A1", "WEB"]);
        let wrong = ["web", "", "#", "#0", "#x", "#+1", "WEB-7", "1A", "#1234567890"];
        let mut bad = Preferences { mutes: names(&wrong), subscriptions: names(&["#1"]), digest_hour: 24, ..quiet("22:00", "22:00") };
        assert_eq!(bad.tidy().len(), wrong.len() + 3);
    }
}

//! When something is to be done, as people write it: cron, a date, a recurrence rule, or a few words.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use rrule::RRuleSet;

use super::{calendar, phrase};
use crate::dates;

/// The longest rule that is read, in bytes.
pub const MAX_RULE: usize = 2000;
/// So many times of a recurrence rule are looked through; an hourly one lasts more than a century.
const MAX_TIMES: usize = 1_000_000;

/// A rule in a time zone.
#[derive(Clone, Debug)]
pub struct Rule {
    pub zone: Tz,
    /// The rule in its plain form: reading it again gives the same times.
    pub text: String,
    times: Times,
}

#[derive(Clone, Debug)]
enum Times {
    Once(DateTime<Utc>),
    /// Times of the clock on the wall: what a clock change skips comes right after it, what it repeats comes once.
    Clock(Pattern),
    /// Something that goes on all the time, as every quarter of an hour: a clock change neither skips nor adds anything.
    Steady(Pattern),
}

#[derive(Clone, Debug)]
enum Pattern {
    Cron(Box<Cron>),
    /// In times of the clock on the wall, which are given to it as if they were UTC.
    Recurrence(Box<RRuleSet>),
}

/// Why a text is no rule, in words for who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotARule(String);

impl Rule {
    /// Reads a rule: cron with five fields or with seconds before them, an ISO time, `RRULE:…` lines of iCalendar (RFC 5545) with
    /// `DTSTART`, `RDATE` and `EXDATE`, or words such as `every weekday at 9:00`. What says no date of its own begins at `now`.
    pub fn parse(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<Self, NotARule> {
        let text = text.trim();
        if text.len() > MAX_RULE {
            return Err(NotARule(format!("a rule has at most {MAX_RULE} characters")));
        }
        let upper = text.to_ascii_uppercase();
        if upper.contains("RRULE") || upper.starts_with("FREQ=") || upper.starts_with("DTSTART") {
            return recurrence(&upper, zone, now);
        }
        if let Some(at) = instant(text, zone) {
            return Ok(Self::once(at, zone));
        }
        if let Some(cron) = phrase::cron(text, now, zone) {
            return cron_rule(&cron, zone);
        }
        if let Some(when) = dates::parse(text, now, zone) {
            let local = when.day.and_time(when.time.unwrap_or(phrase::MORNING));
            return calendar::instant(zone, local).map(|at| Self::once(at, zone)).ok_or_else(|| NotARule("there is no such time".into()));
        }
        cron_rule(text, zone)
    }

    fn once(at: DateTime<Utc>, zone: Tz) -> Self {
        let at = DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at);
        Self { zone, text: at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), times: Times::Once(at) }
    }

    /// The times after one, in their order.
    pub fn after(&self, after: DateTime<Utc>) -> Box<dyn Iterator<Item = DateTime<Utc>> + Send + '_> {
        // Every time is a whole second.
        let after = DateTime::from_timestamp(after.timestamp(), 0).unwrap_or(after);
        match &self.times {
            Times::Once(at) => Box::new(Some(*at).filter(|at| *at > after).into_iter()),
            Times::Clock(pattern) => Box::new(calendar::on_the_clock(self.zone, after, move |from, inclusive| pattern.from(from, inclusive))),
            Times::Steady(pattern) => Box::new(calendar::steady(self.zone, after, move |from, inclusive| pattern.from(from, inclusive))),
        }
    }

    /// The first time after one; `None` where it is over.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.after(after).next()
    }
}

impl Pattern {
    /// The times of the clock on the wall from one on.
    fn from(&self, from: NaiveDateTime, inclusive: bool) -> Box<dyn Iterator<Item = NaiveDateTime> + Send + '_> {
        match self {
            Self::Cron(cron) => {
                let mut next = Some((from, inclusive));
                Box::new(std::iter::from_fn(move || {
                    let (at, inclusive) = next.take()?;
                    let found = cron.find_next_occurrence(&at, inclusive).ok()?;
                    next = Some((found, false));
                    Some(found)
                }))
            }
            Self::Recurrence(set) => {
                Box::new((&**set).into_iter().take(MAX_TIMES).map(|at| at.naive_utc()).skip_while(move |at| if inclusive { *at < from } else { *at <= from }))
            }
        }
    }
}

/// An ISO time: with an offset, or of the clock on the wall.
fn instant(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    let local = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"].iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    calendar::instant(zone, local)
}

fn cron_rule(text: &str, zone: Tz) -> Result<Rule, NotARule> {
    let cron = read_cron(text).ok_or_else(|| NotARule(no_cron(text)))?;
    // By the rule of cron: an asterisk among seconds, minutes or hours means all the time, anything else a time of the clock.
    let fields: Vec<&str> = text.split_whitespace().collect();
    let of_the_day = fields.len().saturating_sub(3);
    let is_steady = text.eq_ignore_ascii_case("@hourly") || (fields.len() > 1 && fields[..of_the_day].iter().any(|field| field.starts_with('*')));
    let pattern = Pattern::Cron(Box::new(cron));
    Ok(Rule { zone, text: text.to_owned(), times: if is_steady { Times::Steady(pattern) } else { Times::Clock(pattern) } })
}

fn read_cron(text: &str) -> Option<Cron> {
    CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build().parse(text).ok()
}

/// The fields of cron, with what each may be.
const FIELDS: [(&str, &str); 6] =
    [("second", "0–59"), ("minute", "0–59"), ("hour", "0–23"), ("day of the month", "1–31"), ("month", "1–12"), ("day of the week", "0–7, or `MON`–`SUN`")];

/// Why a text is no cron: the field at fault where it looks like cron at all, and how times are written.
fn no_cron(text: &str) -> String {
    const HOW: &str = "write cron as `0 9 * * 1-5`, a time as `2026-12-01T09:00`, an `RRULE:…`, or words as `every weekday at 9:00`";
    let fields: Vec<&str> = text.split_whitespace().collect();
    let is_cron = !fields.is_empty() && fields.iter().all(|field| field.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | '?')) || is_day(field));
    if !is_cron {
        return format!("this is no time that I can read: {HOW}");
    }
    if !matches!(fields.len(), 5 | 6) {
        return format!(
            "cron has five fields (minute, hour, day of the month, month, day of the week), or six with seconds before them, and this has {}: {HOW}",
            fields.len()
        );
    }
    let first = FIELDS.len() - fields.len();
    let wrong = fields.iter().zip(&FIELDS[first..]).enumerate().find(|(at, (field, _))| {
        let mut alone = vec!["*"; fields.len()];
        alone[*at] = field;
        read_cron(&alone.join(" ")).is_none()
    });
    match wrong {
        Some((_, (field, (name, range)))) => format!("`{field}` is no {name}, which is {range}: {HOW}"),
        None => format!("these fields do not go together: {HOW}"),
    }
}

/// `MON`, `JAN-MAR`, `@daily`
fn is_day(field: &str) -> bool {
    const NAMES: [&str; 19] =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let first = field.split([',', '-', '/', '#']).next().unwrap_or_default().to_ascii_lowercase();
    field.starts_with('@') || NAMES.contains(&first.as_str())
}

/// iCalendar's lines, whose times are made those of the clock on the wall.
fn recurrence(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<Rule, NotARule> {
    let lines: Vec<Line<'_>> = text.split_whitespace().map(Line::read).collect::<Result<_, _>>()?;
    let start = match lines.iter().find(|line| line.name == "DTSTART") {
        Some(line) => line.times(zone, NaiveTime::MIN)?.first().copied().ok_or_else(|| NotARule("`DTSTART` says no time".into()))?,
        None => now.with_timezone(&zone).naive_local(),
    };
    let mut out = vec![format!("DTSTART:{}", basic(start))];
    let mut is_steady = false;
    let mut rules = 0;
    for line in &lines {
        match line.name {
            "DTSTART" => {}
            "RRULE" => {
                rules += 1;
                let parts: Vec<String> = line.value.split(';').map(|part| until(part, zone)).collect::<Result<_, _>>()?;
                if parts.iter().any(|part| matches!(part.as_str(), "FREQ=SECONDLY" | "FREQ=MINUTELY")) {
                    return Err(NotARule("a recurrence rule is hourly or slower; for anything quicker write cron, as `*/5 * * * *`".into()));
                }
                is_steady |= parts.iter().any(|part| part == "FREQ=HOURLY");
                out.push(format!("RRULE:{}", parts.join(";")));
            }
            "RDATE" | "EXDATE" => {
                let times: Vec<String> = line.times(zone, start.time())?.into_iter().map(basic).collect();
                out.push(format!("{}:{}", line.name, times.join(",")));
            }
            name => return Err(NotARule(format!("`{name}` is not read: a recurrence has DTSTART, RRULE, RDATE and EXDATE"))),
        }
    }
    if rules != 1 {
        return Err(NotARule("a recurrence has one RRULE".into()));
    }
    // The crate's own handling of zones leaves out times that a clock change skips: it is given none.
    let floating = out.join("\n");
    let set: RRuleSet = with_utc(&floating).parse().map_err(|_| NotARule(no_recurrence(&lines, start)))?;
    let pattern = Pattern::Recurrence(Box::new(set.limit()));
    Ok(Rule { zone, text: floating, times: if is_steady { Times::Steady(pattern) } else { Times::Clock(pattern) } })
}

/// Why lines that could be read are no recurrence: the part at fault, and how one is written.
fn no_recurrence(lines: &[Line<'_>], start: NaiveDateTime) -> String {
    const HOW: &str = "a recurrence is written as `RRULE:FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=0` (RFC 5545)";
    let parts: Vec<&str> = lines.iter().filter(|line| line.name == "RRULE").flat_map(|line| line.value.split(';')).filter(|part| !part.is_empty()).collect();
    let Some(often) = parts.iter().find(|part| part.starts_with("FREQ=")) else {
        return format!("the rule does not say how often: {HOW}");
    };
    let is_read = |rule: &str| with_utc(&format!("DTSTART:{}\nRRULE:{rule}", basic(start))).parse::<RRuleSet>().is_ok();
    let wrong = parts.iter().filter(|part| *part != often && !part.starts_with("UNTIL=")).find(|part| !is_read(&format!("{often};{part}")));
    match wrong {
        _ if !is_read(often) => format!("`{often}` says no time that comes again: FREQ is YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY; {HOW}"),
        Some(part) => format!("`{part}` cannot be read, or not with `{often}`: {HOW}"),
        None => format!("the parts of the rule do not go together: {HOW}"),
    }
}

/// One line of iCalendar.
struct Line<'a> {
    name: &'a str,
    zone: Option<Tz>,
    value: &'a str,
}

impl<'a> Line<'a> {
    fn read(text: &'a str) -> Result<Self, NotARule> {
        let Some((head, value)) = text.split_once(':') else {
            return Ok(Self { name: "RRULE", zone: None, value: text });
        };
        let mut parts = head.split(';');
        let name = parts.next().unwrap_or_default();
        let zone = match parts.find_map(|part| part.strip_prefix("TZID=")) {
            // Everything is in capitals here, and names of zones are not.
            Some(named) => Some(
                chrono_tz::TZ_VARIANTS
                    .iter()
                    .copied()
                    .find(|zone| zone.name().eq_ignore_ascii_case(named))
                    .ok_or_else(|| NotARule(format!("there is no time zone {named}")))?,
            ),
            None => None,
        };
        Ok(Self { name, zone, value })
    }

    /// Its times on the clock of a zone; a day alone is at the given time of it.
    fn times(&self, zone: Tz, of_day: NaiveTime) -> Result<Vec<NaiveDateTime>, NotARule> {
        self.value.split(',').map(|text| local(text, self.zone, zone, of_day)).collect()
    }
}

/// `20261201T090000Z`, `20261201T090000`, `20261201` on the clock of a zone.
fn local(text: &str, written_in: Option<Tz>, zone: Tz, of_day: NaiveTime) -> Result<NaiveDateTime, NotARule> {
    let wrong = || NotARule(format!("{text} is no time: they are written as 20261201T090000"));
    if let Some(utc) = text.strip_suffix('Z') {
        let at = NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%S").ok().filter(|at| calendar::is_near(*at)).ok_or_else(wrong)?;
        return Ok(at.and_utc().with_timezone(&zone).naive_local());
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y%m%d") {
        return Ok(day.and_time(of_day));
    }
    let at = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok().filter(|at| calendar::is_near(*at)).ok_or_else(wrong)?;
    match written_in {
        Some(other) if other != zone => Ok(calendar::instant(other, at).ok_or_else(wrong)?.with_timezone(&zone).naive_local()),
        _ => Ok(at),
    }
}

/// A part of an RRULE, its end on the clock on the wall.
fn until(part: &str, zone: Tz) -> Result<String, NotARule> {
    let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
    match part.strip_prefix("UNTIL=") {
        Some(value) => Ok(format!("UNTIL={}", basic(local(value, None, zone, last)?))),
        None => Ok(part.to_owned()),
    }
}

fn basic(at: NaiveDateTime) -> String {
    at.format("%Y%m%dT%H%M%S").to_string()
}

/// The same lines with every time marked as UTC.
fn with_utc(lines: &str) -> String {
    let mut out = String::with_capacity(lines.len() + 16);
    for (index, line) in lines.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if line.starts_with("RRULE:") {
            let parts: Vec<String> = line.split(';').map(|part| if part.contains("UNTIL=") { format!("{part}Z") } else { part.to_owned() }).collect();
            out.push_str(&parts.join(";"));
        } else {
            out.push_str(&line.replace(',', "Z,"));
            out.push('Z');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, TimeDelta, Timelike};

    use super::*;

    const ZONES: [Tz; 4] = [Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::Asia__Kolkata];

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A year with every clock change of those zones in it.
    fn year() -> (DateTime<Utc>, DateTime<Utc>) {
        (at("2026-11-20T00:00:00Z"), at("2027-11-20T00:00:00Z"))
    }

    fn minutes() -> impl Iterator<Item = DateTime<Utc>> {
        let (from, to) = year();
        (1..).map(move |minute| from + TimeDelta::minutes(minute)).take_while(move |at| *at <= to)
    }

    fn times(text: &str, zone: Tz) -> Vec<DateTime<Utc>> {
        let (from, to) = year();
        Rule::parse(text, zone, from).unwrap().after(from).take_while(|at| *at <= to).collect()
    }

    /// By looking at the clock on the wall each minute: on each day the first at which it is so late, or later.
    fn daily(zone: Tz, hour: u32, minute: u32, on: impl Fn(NaiveDate) -> bool) -> Vec<DateTime<Utc>> {
        let mut done = year().0.with_timezone(&zone).date_naive();
        let late_already = year().0.with_timezone(&zone).time().num_seconds_from_midnight() >= (hour * 60 + minute) * 60;
        if !late_already {
            done = done.pred_opt().unwrap();
        }
        let mut found = Vec::new();
        for at in minutes() {
            let local = at.with_timezone(&zone);
            if local.date_naive() > done && (local.hour(), local.minute()) >= (hour, minute) {
                done = local.date_naive();
                if on(done) {
                    found.push(at);
                }
            }
        }
        found
    }

    #[test]
    fn a_time_of_the_day_comes_once_on_each_day_of_a_year_in_four_zones() {
        for zone in ZONES {
            for (hour, minute) in [(0, 0), (1, 45), (2, 0), (2, 15), (2, 30)] {
                let expected = daily(zone, hour, minute, |_| true);
                assert!((364..=366).contains(&expected.len()), "{zone} {hour}:{minute}: {}", expected.len());
                assert_eq!(times(&format!("{minute} {hour} * * *"), zone), expected, "cron in {zone} at {hour}:{minute}");
                let rule = format!("DTSTART:20261101T{hour:02}{minute:02}00\nRRULE:FREQ=DAILY");
                assert_eq!(times(&rule, zone), expected, "RRULE in {zone} at {hour}:{minute}");
            }
            assert_eq!(times("30 2 * * 1-5", zone), daily(zone, 2, 30, |day| day.weekday().number_from_monday() <= 5), "weekdays in {zone}");
        }
    }

    #[test]
    fn what_goes_on_all_the_time_goes_by_the_clock_and_leaves_nothing_out_of_a_year_in_four_zones() {
        for zone in ZONES {
            for (rule, is_one) in [
                ("*/20 * * * *", (|_, minute| minute % 20 == 0) as fn(u32, u32) -> bool),
                ("0 * * * *", |_, minute| minute == 0),
                ("30 * * * *", |_, minute| minute == 30),
                ("*/15 1-2 * * *", |hour, minute| (1..=2).contains(&hour) && minute % 15 == 0),
                ("DTSTART:20261101T000000\nRRULE:FREQ=HOURLY", |_, minute| minute == 0),
            ] {
                let expected: Vec<_> = minutes()
                    .filter(|at| {
                        let local = at.with_timezone(&zone);
                        is_one(local.hour(), local.minute())
                    })
                    .collect();
                assert_eq!(times(rule, zone), expected, "{rule} in {zone}");
            }
        }
    }

    #[test]
    fn every_second_of_the_hours_around_a_change_of_the_clock_is_seen() {
        let rule = Rule::parse("*/10 * * * * *", Tz::Australia__Lord_Howe, year().0).unwrap();
        // The clock goes back by half an hour at 15:00 UTC.
        let from = at("2027-04-03T14:00:00Z");
        let found: Vec<_> = rule.after(from).take_while(|at| *at <= from + TimeDelta::hours(3)).collect();
        assert_eq!(found, (1..=1080).map(|step| from + TimeDelta::seconds(10 * step)).collect::<Vec<_>>());
    }

    fn check(text: &str, zone: Tz, expected: &[&str]) {
        let now = at("2027-03-26T12:00:00Z");
        let rule = Rule::parse(text, zone, now).unwrap_or_else(|error| panic!("{text}: {error}"));
        let show = |rule: &Rule| rule.after(now).take(expected.len().max(1)).map(|at| at.format("%m-%d %H:%M").to_string()).collect::<Vec<_>>();
        assert_eq!(show(&rule), expected, "{text}");
        let again = Rule::parse(&rule.text, zone, at("2020-01-01T00:00:00Z")).unwrap_or_else(|error| panic!("{}: {error}", rule.text));
        assert_eq!(show(&again), expected, "{text}, in its plain form {}", rule.text);
    }

    #[test]
    fn rules_are_read_as_people_write_them() {
        let berlin = Tz::Europe__Berlin;
        check("every day at 2:30", berlin, &["03-27 01:30", "03-28 01:00", "03-29 00:30"]);
        check("every weekday 9:00", berlin, &["03-29 07:00", "03-30 07:00"]);
        check("every monday and friday at 5pm", berlin, &["03-26 16:00", "03-29 15:00", "04-02 15:00"]);
        check("daily", berlin, &["03-27 08:00", "03-28 07:00"]);
        check("weekly on sundays at noon", berlin, &["03-28 10:00", "04-04 10:00"]);
        check("hourly", berlin, &["03-26 13:00"]);
        check("every 15 minutes", berlin, &["03-26 12:15", "03-26 12:30"]);
        check("every month on the 1st at 8:00", berlin, &["04-01 06:00", "05-01 06:00"]);
        check("monthly", berlin, &["04-01 07:00"]);
        check("0 9 * * 1-5", berlin, &["03-29 07:00"]);
        check("30 0 9 * * *", berlin, &["03-27 08:00"]);
        check("2027-03-28T02:30", berlin, &["03-28 01:00"]);
        check("2027-03-28T02:30:00+01:00", berlin, &["03-28 01:30"]);
        check("2027-01-01T00:00:00Z", berlin, &[]);
        check("tomorrow 17:00", berlin, &["03-27 16:00"]);
        check(
            "DTSTART;TZID=America/New_York:20270326T090000\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;TZID=America/New_York:20270327T090000",
            berlin,
            &["03-26 13:00", "03-28 12:00", "03-29 12:00"],
        );
        check("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0;UNTIL=20270406", berlin, &["03-29 07:00", "04-05 07:00"]);
        check(
            "DTSTART:20270301T090000\nRRULE:FREQ=DAILY;UNTIL=20270329T070000Z\nEXDATE:20270328\nRDATE:20270401T120000",
            berlin,
            &["03-27 08:00", "03-29 07:00", "04-01 10:00"],
        );
        check("0 0 30 2 *", berlin, &[]);
    }

    #[test]
    fn what_is_no_rule_says_how_to_write_one() {
        for text in [
            "",
            "soon",
            "every 7 minutes",
            "every day at 25:00",
            "60 * * * *",
            "RRULE:FREQ=MINUTELY",
            "DTSTART:20270301T090000",
            "RRULE:FREQ=DAILY\nRRULE:FREQ=DAILY",
            "RRULE:X",
        ] {
            assert!(Rule::parse(text, Tz::UTC, year().0).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_names_the_part_at_fault_in_our_words() {
        for (text, expected) in [
            ("0 9 32 * *", "`32` is no day of the month, which is 1–31: write cron as"),
            ("60 * * * *", "`60` is no minute, which is 0–59: write cron as"),
            ("0 0 25 * * *", "`25` is no hour, which is 0–23"),
            ("0 9 * *", "cron has five fields (minute, hour, day of the month, month, day of the week), or six with seconds before them, and this has 4"),
            ("every blue moon", "this is no time that I can read: write cron as"),
            ("", "this is no time that I can read"),
            ("RRULE:FREQ=DAILY;BYHOUR=25", "`BYHOUR=25` cannot be read, or not with `FREQ=DAILY`: a recurrence is written as"),
            ("RRULE:FREQ=OFTEN", "`FREQ=OFTEN` says no time that comes again: FREQ is YEARLY"),
            ("RRULE:BYDAY=MO", "the rule does not say how often: a recurrence is written as"),
        ] {
            let told = Rule::parse(text, Tz::UTC, year().0).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.starts_with(expected), "{text}: {told}");
            for word in ["Component", "Pattern", "out of bounds", "disallowed", "error", "RRule"] {
                assert!(!told.contains(word), "{text}: {told}");
            }
        }
    }
}

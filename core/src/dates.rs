//! Dates and durations as people write them: `friday`, `tomorrow 17:00`, `in 3 days`, `1.5 days`.
//!
//! A phrase is read in the writer's zone. Weeks begin on Monday; a day of work has 8 hours and a week of it 5 days.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// The minutes of a day of work.
pub const WORK_DAY: u32 = 8 * 60;

/// A day, and the time of day where one was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    pub day: NaiveDate,
    pub time: Option<NaiveTime>,
}

impl When {
    /// The instant that it is in a zone; the begin of the day where no time was said.
    ///
    /// A time that a clock change skips is taken as long after it as it was meant after midnight; one that comes twice is the first.
    pub fn instant(self, zone: Tz) -> DateTime<Utc> {
        let local = self.day.and_time(self.time.unwrap_or(NaiveTime::MIN));
        let before_gap = || zone.from_local_datetime(&(local - TimeDelta::hours(24))).earliest().map(|day_before| day_before + TimeDelta::hours(24));
        let found = zone.from_local_datetime(&local).earliest().or_else(before_gap);
        found.map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
    }
}

impl From<NaiveDate> for When {
    fn from(day: NaiveDate) -> Self {
        Self { day, time: None }
    }
}

/// Reads a text that is a date and nothing else.
pub fn parse(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<When> {
    parse_front(text, now, zone).and_then(|(when, rest)| rest.is_empty().then_some(when))
}

/// Takes the longest date off the front of a text. The rest comes without the blanks before it.
pub fn parse_front(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<(When, &str)> {
    let words = words(text);
    let (when, used) = when(&Clock { now, zone }, &words)?;
    Some((when, rest(text, &words, used)))
}

/// Reads a text that is a duration and nothing else, as minutes: `90m`, `2h`, `1h30`, `1.5 days`, `2 weeks`.
pub fn parse_duration(text: &str) -> Option<u32> {
    parse_duration_front(text).and_then(|(minutes, rest)| rest.is_empty().then_some(minutes))
}

/// Takes the longest duration off the front of a text. The rest comes without the blanks before it.
pub fn parse_duration_front(text: &str) -> Option<(u32, &str)> {
    let words = words(text);
    let (minutes, used) = duration(&words)?;
    Some((minutes, rest(text, &words, used)))
}

/// The day that it is in a zone.
pub fn today(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// Monday to Sunday of the week that a day is in.
pub fn week_of(day: NaiveDate) -> RangeInclusive<NaiveDate> {
    let week = day.week(Weekday::Mon);
    week.first_day()..=week.last_day()
}

struct Clock {
    now: DateTime<Utc>,
    zone: Tz,
}

impl Clock {
    fn today(&self) -> NaiveDate {
        today(self.now, self.zone)
    }

    fn time(&self) -> NaiveTime {
        self.now.with_timezone(&self.zone).time()
    }
}

/// A word in lower case without the punctuation behind it, and where it ends in the text.
struct Word {
    text: String,
    end: usize,
    /// Whether a phrase may go on behind it: not after a semicolon or a bracket.
    goes_on: bool,
}

impl Word {
    fn is(&self, one_of: &[&str]) -> bool {
        one_of.contains(&self.text.as_str())
    }
}

/// The words up to the first that must be the last of a phrase. No phrase has more than twelve.
fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut at = 0;
    for raw in text.split_inclusive(char::is_whitespace) {
        let word = raw.trim_end();
        let bare = word.trim_end_matches([',', '.', ';', '!', '?', ')', ':']);
        if !bare.is_empty() {
            let goes_on = word[bare.len()..].bytes().all(|b| b == b',' || b == b'.');
            found.push(Word { text: bare.to_lowercase(), end: at + bare.len(), goes_on });
        } else if !word.is_empty() {
            break;
        }
        at += raw.len();
        if found.len() == 12 || found.last().is_some_and(|word| !word.goes_on) {
            break;
        }
    }
    found
}

fn rest<'a>(text: &'a str, words: &[Word], used: usize) -> &'a str {
    let rest = &text[used.checked_sub(1).map_or(0, |last| words[last].end)..];
    // The full stop of an ordinal (`1.12.`) and of a shortened name (`1 Dec.`) belongs to the date where nothing but a blank follows.
    let rest = rest.strip_prefix('.').filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)).unwrap_or(rest);
    rest.trim_start()
}

fn when(clock: &Clock, words: &[Word]) -> Option<(When, usize)> {
    let lead = usize::from(words.first()?.is(&["on", "by"]));
    let words = &words[lead..];
    if let Some((when, used)) = hours_ahead(clock, words) {
        return Some((when, lead + used));
    }
    if let Some((day, used)) = day(clock, words) {
        let (time, more) = time(&words[used..]).map_or((None, 0), |(time, more)| (Some(time), more));
        return Some((When { day, time }, lead + used + more));
    }
    // A time alone is the next one that a clock shows.
    let (time, used) = time(words)?;
    let day = if time > clock.time() { clock.today() } else { clock.today().checked_add_days(Days::new(1))? };
    Some((When { day, time: Some(time) }, lead + used))
}

/// `in 2 hours`, `in 45 minutes`
fn hours_ahead(clock: &Clock, words: &[Word]) -> Option<(When, usize)> {
    let [lead, count, unit, ..] = words else { return None };
    if !lead.is(&["in"]) {
        return None;
    }
    let count = i64::from(count_word(&count.text)?);
    let ahead = match unit.text.as_str() {
        "minute" | "minutes" | "min" | "mins" => TimeDelta::minutes(count),
        "hour" | "hours" | "h" => TimeDelta::hours(count),
        _ => return None,
    };
    let at = clock.now.with_timezone(&clock.zone).checked_add_signed(ahead)?;
    let time = NaiveTime::from_hms_opt(chrono::Timelike::hour(&at), chrono::Timelike::minute(&at), 0);
    Some((When { day: at.date_naive(), time }, 3))
}

fn day(clock: &Clock, words: &[Word]) -> Option<(NaiveDate, usize)> {
    let today = clock.today();
    let first = words.first()?;
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    let ahead = |days: u64| today.checked_add_days(Days::new(days));
    let simple = match first.text.as_str() {
        "today" | "tonight" | "eod" => Some(today),
        "tomorrow" => ahead(1),
        "yesterday" => today.pred_opt(),
        "eow" => coming(today, Weekday::Fri),
        "eom" => end_of_month(today),
        _ => None,
    };
    if let Some(day) = simple {
        return Some((day, 1));
    }
    if let Some(weekday) = weekday(&first.text) {
        return Some((coming(today.succ_opt()?, weekday)?, 1));
    }
    match (first.text.as_str(), text(1)) {
        ("the", "day") if (text(2), text(3)) == ("after", "tomorrow") => return Some((ahead(2)?, 4)),
        ("day", "after") if text(2) == "tomorrow" => return Some((ahead(2)?, 3)),
        ("in", count) => {
            let count = count_word(count)?;
            return Some((later(today, count, text(2))?, 3));
        }
        ("end", "of") => return end_of(today, words, 2),
        ("the", "end") if text(2) == "of" => return end_of(today, words, 3),
        ("this", name) => return Some((coming(today, weekday(name)?)?, 2)),
        ("next", "week") => return Some((today.week(Weekday::Mon).last_day().succ_opt()?, 2)),
        ("next", "month") => return Some((today.with_day(1)?.checked_add_months(Months::new(1))?, 2)),
        ("next", name) => {
            let monday = today.week(Weekday::Mon).last_day().succ_opt()?;
            return Some((coming(monday, weekday(name)?)?, 2));
        }
        _ => {}
    }
    calendar(today, words)
}

/// `end of week` is Friday, the last day of work; `end of month`, `end of next month`, `end of the year`.
fn end_of(today: NaiveDate, words: &[Word], at: usize) -> Option<(NaiveDate, usize)> {
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    let (next, at) = match text(at) {
        "next" => (true, at + 1),
        "the" | "this" => (false, at + 1),
        _ => (false, at),
    };
    let months = |count| today.with_day(1)?.checked_add_months(Months::new(count));
    let day = match (text(at), next) {
        ("day", false) => Some(today),
        ("week", false) => coming(today, Weekday::Fri),
        ("week", true) => coming(today.week(Weekday::Mon).last_day().succ_opt()?, Weekday::Fri),
        ("month", next) => end_of_month(months(u32::from(next))?),
        ("year", next) => NaiveDate::from_ymd_opt(today.year() + i32::from(next), 12, 31),
        _ => None,
    }?;
    Some((day, at + 1))
}

/// `2026-12-01`, `1.12.2026`, `1.12.`, `1 december`, `dec 1st`, `1st of december 2026`
fn calendar(today: NaiveDate, words: &[Word]) -> Option<(NaiveDate, usize)> {
    let first = words.first()?;
    if let Ok(day) = NaiveDate::parse_from_str(&first.text, "%Y-%m-%d") {
        return (first.text.len() == 10).then_some((day, 1));
    }
    if let Some(day) = dotted(today, &first.text) {
        return Some((day, 1));
    }
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    let (month, day, used) = if let Some(month) = month(&first.text) {
        (month, day_of_month(text(1))?, 2)
    } else {
        let day = day_of_month(&first.text)?;
        let of = usize::from(text(1) == "of");
        (month(text(1 + of))?, day, 2 + of)
    };
    match text(used).parse().ok().filter(|year| text(used).len() == 4 && *year >= 1900) {
        Some(year) => Some((NaiveDate::from_ymd_opt(year, month, day)?, used + 1)),
        None => Some((upcoming(today, month, day)?, used)),
    }
}

/// `1.12.2026` or `1.12`; the full stop behind a word is not part of it here.
fn dotted(today: NaiveDate, text: &str) -> Option<NaiveDate> {
    let parts: Vec<&str> = text.split('.').collect();
    if !parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    match parts[..] {
        [day, month] => upcoming(today, month.parse().ok()?, day.parse().ok()?),
        [day, month, year] if year.len() == 4 => NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?),
        _ => None,
    }
}

/// `17:00`, `at 5pm`, `5:30 pm`, `noon`
fn time(words: &[Word]) -> Option<(NaiveTime, usize)> {
    let at = usize::from(words.first()?.is(&["at"]));
    let word = words.get(at)?;
    if word.is(&["noon", "midday"]) {
        return Some((NaiveTime::from_hms_opt(12, 0, 0)?, at + 1));
    }
    let half = |text: &str| match text {
        "am" | "a.m" => Some(0),
        "pm" | "p.m" => Some(12),
        _ => None,
    };
    let digits = word.text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word.text[digits.len()..];
    let (half_day, used) = match (half(suffix), words.get(at + 1).and_then(|next| half(&next.text))) {
        (Some(half), _) => (Some(half), at + 1),
        (None, Some(half)) if suffix.is_empty() => (Some(half), at + 2),
        (None, _) if suffix.is_empty() => (None, at + 1),
        _ => return None,
    };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) => (hour, (minute.len() == 2).then(|| minute.parse().ok())??),
        None if half_day.is_some() => (digits, 0),
        None => return None,
    };
    let hour: u32 = hour.parse().ok()?;
    let hour = match half_day {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    Some((NaiveTime::from_hms_opt(hour, minute, 0)?, used))
}

fn duration(words: &[Word]) -> Option<(u32, usize)> {
    let mut total = 0.0;
    let mut used = 0;
    let mut largest = f64::INFINITY;
    while let Some((amount, unit, more)) = amount(&words[used..], largest) {
        total += amount * unit;
        used += more;
        largest = unit;
    }
    let minutes = total.round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (used > 0 && (1.0..=f64::from(u32::MAX)).contains(&minutes)).then_some((minutes as u32, used))
}

/// The next amount with a unit smaller than the one before, the unit's minutes, and the words it takes.
fn amount(words: &[Word], largest: f64) -> Option<(f64, f64, usize)> {
    let word = &words.first()?.text;
    let unit = |name: &str| unit_minutes(name).filter(|minutes| *minutes < largest);
    if let Some(count) = count_word(word).filter(|_| !word.starts_with(|c: char| c.is_ascii_digit())) {
        return Some((count.into(), unit(&words.get(1)?.text)?, 2));
    }
    let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    let suffix = &word[digits.len()..];
    if suffix.is_empty() {
        // `1h30` is an hour and thirty minutes.
        if let Some((hours, minutes)) = word.split_once('h').filter(|(_, minutes)| minutes.len() == 2 && largest.is_infinite()) {
            return Some((number(hours)? * 60.0 + number(minutes)?, 1.0, 1));
        }
        return Some((number(digits)?, unit(&words.get(1)?.text)?, 2));
    }
    if let Some((hours, minutes)) = digits.split_once('h').filter(|_| largest.is_infinite() && unit_minutes(suffix) == Some(1.0)) {
        return Some((number(hours)? * 60.0 + number(minutes)?, 1.0, 1));
    }
    Some((number(digits)?, unit(suffix)?, 1))
}

fn unit_minutes(name: &str) -> Option<f64> {
    Some(match name {
        "m" | "min" | "mins" | "minute" | "minutes" => 1.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 60.0,
        "d" | "day" | "days" => f64::from(WORK_DAY),
        "w" | "week" | "weeks" => f64::from(5 * WORK_DAY),
        _ => return None,
    })
}

/// A plain decimal number; `1,5` is as good as `1.5`.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',') && text.starts_with(|c: char| c.is_ascii_digit());
    plain.then(|| text.replace(',', ".").parse().ok())?
}

fn later(today: NaiveDate, count: u32, unit: &str) -> Option<NaiveDate> {
    match unit {
        "day" | "days" => today.checked_add_days(Days::new(count.into())),
        "week" | "weeks" => today.checked_add_days(Days::new(7 * u64::from(count))),
        "month" | "months" => today.checked_add_months(Months::new(count)),
        "year" | "years" => today.checked_add_months(Months::new(count.checked_mul(12)?)),
        _ => None,
    }
}

/// The first such weekday from a day on.
fn coming(from: NaiveDate, weekday: Weekday) -> Option<NaiveDate> {
    from.checked_add_days(Days::new(weekday.days_since(from.weekday()).into()))
}

/// The first such day of a year from today on; the 29th of February may be years away.
fn upcoming(today: NaiveDate, month: u32, day: u32) -> Option<NaiveDate> {
    (today.year()..=today.year() + 8).filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).find(|found| *found >= today)
}

fn end_of_month(day: NaiveDate) -> Option<NaiveDate> {
    day.with_day(1)?.checked_add_months(Months::new(1))?.pred_opt()
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" | "mon" => Weekday::Mon,
        "tuesday" | "tue" | "tues" => Weekday::Tue,
        "wednesday" | "wed" => Weekday::Wed,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" | "sat" => Weekday::Sat,
        "sunday" | "sun" => Weekday::Sun,
        _ => return None,
    })
}

fn month(name: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    let short = |month: &str| name == &month[..3] || (name == "sept" && month == "september");
    MONTHS.iter().position(|month| name == *month || short(month)).and_then(|at| u32::try_from(at + 1).ok())
}

/// `1`, `1st`, `22nd`
fn day_of_month(text: &str) -> Option<u32> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &text[digits.len()..];
    let day = digits.parse().ok().filter(|day| (1..=31).contains(day))?;
    matches!(suffix, "" | "st" | "nd" | "rd" | "th").then_some(day)
}

/// `3`, `three`, `a`
fn count_word(text: &str) -> Option<u32> {
    const NUMBERS: [&str; 12] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    if matches!(text, "a" | "an") {
        return Some(1);
    }
    let named = NUMBERS.iter().position(|number| *number == text).and_then(|at| u32::try_from(at + 1).ok());
    named.or_else(|| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?.filter(|count| *count <= 10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wednesday, 25 November 2026, 14:30 in Berlin.
    fn now() -> DateTime<Utc> {
        "2026-11-25T13:30:00Z".parse().unwrap()
    }

    fn show(when: When) -> String {
        when.time.map_or_else(|| when.day.to_string(), |time| format!("{} {}", when.day, time.format("%H:%M")))
    }

    fn check(text: &str, expected: &str) {
        let found = parse(text, now(), Tz::Europe__Berlin);
        assert_eq!(found.map_or_else(|| "-".to_owned(), show), expected, "{text}");
    }

    #[test]
    fn a_phrase_is_a_day() {
        for (text, expected) in [
            ("today", "2026-11-25"),
            ("Tomorrow", "2026-11-26"),
            ("yesterday", "2026-11-24"),
            ("the day after tomorrow", "2026-11-27"),
            ("friday", "2026-11-27"),
            ("fri.", "2026-11-27"),
            ("on Friday", "2026-11-27"),
            ("by mon", "2026-11-30"),
            ("wednesday", "2026-12-02"),
            ("this wednesday", "2026-11-25"),
            ("next friday", "2026-12-04"),
            ("next monday", "2026-11-30"),
            ("next week", "2026-11-30"),
            ("next month", "2026-12-01"),
            ("in 3 days", "2026-11-28"),
            ("in two weeks", "2026-12-09"),
            ("in a month", "2026-12-25"),
            ("in 1 year", "2027-11-25"),
            ("end of week", "2026-11-27"),
            ("end of next week", "2026-12-04"),
            ("end of month", "2026-11-30"),
            ("the end of the month", "2026-11-30"),
            ("end of next month", "2026-12-31"),
            ("end of year", "2026-12-31"),
            ("2026-12-01", "2026-12-01"),
            ("1 december", "2026-12-01"),
            ("dec 1", "2026-12-01"),
            ("Dec. 1st, 2027", "2027-12-01"),
            ("1st of December", "2026-12-01"),
            ("25 nov", "2026-11-25"),
            ("24 nov", "2027-11-24"),
            ("29 february", "2028-02-29"),
            ("may 1", "2027-05-01"),
            ("1.12.2026", "2026-12-01"),
            ("1.12.", "2026-12-01"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn a_time_of_day_goes_with_it() {
        for (text, expected) in [
            ("tomorrow 17:00", "2026-11-26 17:00"),
            ("friday at 5pm", "2026-11-27 17:00"),
            ("friday 5:30 PM", "2026-11-27 17:30"),
            ("today at noon", "2026-11-25 12:00"),
            ("today 12am", "2026-11-25 00:00"),
            ("2026-12-01 09:15", "2026-12-01 09:15"),
            ("17:00", "2026-11-25 17:00"),
            ("at 9:00", "2026-11-26 09:00"),
            ("in 2 hours", "2026-11-25 16:30"),
            ("in an hour", "2026-11-25 15:30"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn other_words_are_no_date() {
        for text in [
            "",
            "12",
            "next",
            "next thing",
            "in 3 steps",
            "in",
            "5 days",
            "friday evening tests",
            "december",
            "32 december",
            "30 february",
            "2026-13-01",
            "26-12-01",
            "25:00",
            "13pm",
            "1/12/2026",
            "1.2.3",
            "end of the line",
            "sunny",
            "monthly",
            "in 99999999999 days",
            "9999999 december",
        ] {
            check(text, "-");
        }
    }

    #[test]
    fn the_longest_date_is_taken_off_the_front() {
        for (text, date, rest) in [
            ("friday to @ana p1", "2026-11-27", "to @ana p1"),
            ("friday 17:00 sharp", "2026-11-27 17:00", "sharp"),
            ("next friday, please", "2026-12-04", ", please"),
            ("1 december 2027 or so", "2027-12-01", "or so"),
            ("1 december 12 tasks", "2026-12-01", "12 tasks"),
            ("1.12. for all", "2026-12-01", "for all"),
            ("end of month; 17:00", "2026-11-30", "; 17:00"),
            ("friday) at noon", "2026-11-27", ") at noon"),
        ] {
            let (when, left) = parse_front(text, now(), Tz::Europe__Berlin).unwrap();
            assert_eq!((show(when).as_str(), left), (date, rest), "{text}");
        }
    }

    #[test]
    fn the_day_is_the_writers_day() {
        let late = "2026-11-25T23:30:00Z".parse().unwrap();
        assert_eq!(parse("today", late, Tz::UTC).map(show).unwrap(), "2026-11-25");
        assert_eq!(parse("today", late, Tz::Asia__Tokyo).map(show).unwrap(), "2026-11-26");
        assert_eq!(parse("tomorrow", late, Tz::America__Los_Angeles).map(show).unwrap(), "2026-11-26");
    }

    #[test]
    fn an_instant_exists_also_where_the_clock_jumps() {
        let at = |text: &str| parse(text, now(), Tz::Europe__Berlin).unwrap().instant(Tz::Europe__Berlin).to_rfc3339();
        assert_eq!(at("2026-12-01 17:00"), "2026-12-01T16:00:00+00:00");
        assert_eq!(at("2026-12-01"), "2026-11-30T23:00:00+00:00");
        assert_eq!(at("2027-03-28 02:30"), "2027-03-28T01:30:00+00:00", "there is no 02:30: it is 03:30 in summer time");
        assert_eq!(at("2027-10-31 02:30"), "2027-10-31T00:30:00+00:00", "there are two: the first");
    }

    #[test]
    fn a_week_begins_on_monday() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(week_of(day("2026-11-25")), day("2026-11-23")..=day("2026-11-29"));
        assert_eq!(week_of(day("2026-11-29")), day("2026-11-23")..=day("2026-11-29"));
    }

    #[test]
    fn a_duration_is_minutes() {
        for (text, expected) in [
            ("90m", Some(90)),
            ("2h", Some(120)),
            ("1.5 days", Some(720)),
            ("1,5h", Some(90)),
            ("1h30", Some(90)),
            ("1h30m", Some(90)),
            ("1h 30m", Some(90)),
            ("2 hours 15 minutes", Some(135)),
            ("1d 4h", Some(720)),
            ("2 weeks", Some(4800)),
            ("half", None),
            ("an hour", Some(60)),
            ("three days", Some(1440)),
            ("90", None),
            ("2 months", None),
            ("0h", None),
            ("-2h", None),
            ("1e9h", None),
            ("99999999999999d", None),
            ("30m 1h", None),
            ("WEB-7", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn the_longest_duration_is_taken_off_the_front() {
        assert_eq!(parse_duration_front("2h WEB-7 the form"), Some((120, "WEB-7 the form")));
        assert_eq!(parse_duration_front("1h 30m: the form"), Some((90, ": the form")));
        assert_eq!(parse_duration_front("1 day 4 tasks"), Some((480, "4 tasks")));
    }
}

//! How people say when something is to be done again and again.

use chrono::{DateTime, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;

use crate::dates;

/// The time of day where none is said.
pub(super) const MORNING: NaiveTime = match NaiveTime::from_hms_opt(9, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// `every weekday at 9:00`, `daily`, `every monday and friday 5pm`, `hourly`, `every 15 minutes`, `every month on the 1st` as cron.
pub(super) fn cron(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<String> {
    let lower = text.to_lowercase().replace(',', " ");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    let (what, rest): (&str, &[&str]) = match (*first, rest) {
        ("every" | "each", [what, rest @ ..]) | ("weekly", ["on", what, rest @ ..]) => (what, rest),
        ("hourly", []) => ("hour", &[]),
        ("daily", rest) => ("day", rest),
        ("weekly", []) => ("monday", &[]),
        ("weekly", rest) => ("monday", rest),
        ("monthly", rest) => ("month", rest),
        _ => return None,
    };
    match (what, rest) {
        ("hour", []) => return Some("0 * * * *".into()),
        ("minute", []) => return Some("* * * * *".into()),
        (count, ["minutes" | "minute" | "min"]) => return divisor(count, 60).map(|count| format!("*/{count} * * * *")),
        (count, ["hours" | "hour"]) => return divisor(count, 24).map(|count| format!("0 */{count} * * *")),
        ("month", rest) => {
            let (day, rest) = match rest {
                ["on", "the", day, rest @ ..] | ["on", day, rest @ ..] => (day_of_month(day)?, rest),
                rest => ("1".to_owned(), rest),
            };
            let time = time(rest, now, zone)?;
            return Some(format!("{} {} {day} * *", time.minute(), time.hour()));
        }
        _ => {}
    }
    let mut days = vec![weekdays(what)?];
    let mut rest = rest;
    loop {
        rest = match rest {
            ["and", next, more @ ..] | [next, more @ ..] if weekdays(next).is_some() => {
                days.extend(weekdays(next));
                more
            }
            _ => break,
        };
    }
    let time = time(rest, now, zone)?;
    Some(format!("{} {} * * {}", time.minute(), time.hour(), days.join(",")))
}

/// A number that a whole is divided by without a rest: otherwise the last step would be shorter than the others.
fn divisor(text: &str, whole: u32) -> Option<u32> {
    text.parse().ok().filter(|count| (1..whole).contains(count) && whole.is_multiple_of(*count))
}

fn weekdays(word: &str) -> Option<&'static str> {
    Some(match word.trim_end_matches('s') {
        "day" => "*",
        "weekday" | "workday" => "1-5",
        "weekend" => "6,0",
        "monday" | "mon" => "1",
        "tuesday" | "tue" => "2",
        "wednesday" | "wed" => "3",
        "thursday" | "thu" => "4",
        "friday" | "fri" => "5",
        "saturday" | "sat" => "6",
        "sunday" | "sun" => "0",
        _ => return None,
    })
}

fn day_of_month(word: &str) -> Option<String> {
    if word == "last" {
        return Some("L".into());
    }
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let day: u32 = digits.parse().ok()?;
    ((1..=31).contains(&day) && matches!(&word[digits.len()..], "" | "st" | "nd" | "rd" | "th")).then(|| day.to_string())
}

/// `at 9:00`, `5pm`, `at noon`, or nothing, which is the morning.
fn time(words: &[&str], now: DateTime<Utc>, zone: Tz) -> Option<NaiveTime> {
    let words = words.strip_prefix(&["at"]).unwrap_or(words);
    if words.is_empty() {
        return Some(MORNING);
    }
    dates::parse(&format!("today at {}", words.join(" ")), now, zone)?.time
}

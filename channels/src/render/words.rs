//! The words for values: dates, times, numbers of things, fields.

use chrono::NaiveDate;
use serde_json::Value;

use super::escape;

/// `Fri 27 Nov 2026`
pub fn date(day: NaiveDate) -> String {
    day.format("%a %-d %b %Y").to_string()
}

/// `9 days later`, `1 day earlier`
pub fn days_between(from: NaiveDate, to: NaiveDate) -> String {
    let days = (to - from).num_days();
    let direction = if days < 0 { "earlier" } else { "later" };
    format!("{} {direction}", count(usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX), "day"))
}

/// Minutes of work as `45 min`, `1 h 30 min`, `12 h`.
pub fn minutes(minutes: u64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, rest) => format!("{rest} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}

/// `12 bytes`, `3 KB`, `1.5 MB`
pub fn bytes(bytes: i64) -> String {
    match bytes {
        ..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

/// `1 task`, `2 tasks`
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `a`, `a and b`, `a, b and c`
pub fn list(members: &[String]) -> String {
    match members {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// What people call a field.
pub fn field(name: &str) -> &str {
    match name {
        "estimate_minutes" => "estimate",
        "due_on" => "due",
        "depends_on" => "waits for",
        "acceptance_criteria" => "done when",
        "external_refs" => "known elsewhere as",
        "time_zone" => "time zone",
        other => other,
    }
}

/// A field's value; nothing is `none`.
pub fn value(field: &str, value: &Value) -> String {
    match (field, value) {
        (_, Value::Null) => "none".to_owned(),
        ("due_on", Value::String(day)) => day.parse().map_or_else(|_| day.clone(), date),
        ("assignee", Value::String(handle)) => format!("@{handle}"),
        ("estimate_minutes", Value::Number(number)) => minutes(number.as_u64().unwrap_or_default()),
        (_, Value::String(text)) => escape::line(&escape::seen(text)).into_owned(),
        (_, Value::Array(members)) => list(&members.iter().map(|member| self::value("", member)).collect::<Vec<_>>()),
        (_, other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_like_words() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(date(day("2026-11-27")), "Fri 27 Nov 2026");
        assert_eq!(days_between(day("2026-12-01"), day("2026-12-10")), "9 days later");
        assert_eq!(days_between(day("2026-12-01"), day("2026-11-30")), "1 day earlier");
        for (given, expected) in [(90, "1 h 30 min"), (720, "12 h"), (480, "8 h"), (0, "0 min"), (45, "45 min")] {
            assert_eq!(minutes(given), expected);
        }
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(value("labels", &json!(["ui", "web"])), "ui and web");
        assert_eq!(value("due_on", &json!("2026-11-27")), "Fri 27 Nov 2026");
        assert_eq!(value("assignee", &Value::Null), "none");
    }
}

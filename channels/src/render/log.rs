//! Events as an account that people read: a line each, by day, in Markdown.

use std::fmt::Write;

use chrono::NaiveDate;
use chrono_tz::Tz;
use patchbay_core::collab::Event;
use serde_json::Value;

use super::{escape::markdown, words};

/// The account of some events, oldest first, in somebody's time zone (an IANA name; UTC where there is no such).
pub fn log(events: &[Event], time_zone: &str) -> String {
    let zone: Tz = time_zone.parse().unwrap_or(Tz::UTC);
    let mut text = format!("# What happened\n\n{} · {zone}\n", words::count(events.len(), "event"));
    let mut day: Option<NaiveDate> = None;
    for event in events {
        let at = event.ts.with_timezone(&zone);
        if day != Some(at.date_naive()) {
            day = Some(at.date_naive());
            let _ = write!(text, "\n## {}\n\n", words::date(at.date_naive()));
        }
        let _ = writeln!(text, "- {} {}", at.format("%H:%M:%S"), sentence(event));
    }
    text
}

/// One event as a sentence.
pub fn sentence(event: &Event) -> String {
    let (actor, target) = (format!("**{}**", markdown(&event.actor)), markdown(&event.target));
    let said = |name: &str| event.details[name].as_str().map(markdown).unwrap_or_default();
    let number = |name: &str| event.details[name].as_i64().unwrap_or_default();
    let because = || if said("reason").is_empty() { String::new() } else { format!(": {}", said("reason")) };
    let holder =
        || if said("holder").is_empty() || event.details["holder"].as_str() == Some(&event.actor) { String::new() } else { format!(" as {}", said("holder")) };
    match event.event.as_str() {
        "project.created" => format!("{actor} made the project {target}"),
        "project.deleted" => format!("{actor} deleted the project {target}"),
        "project.changed" => {
            let tasks: Vec<String> = event.details["tasks"].as_array().into_iter().flatten().filter_map(Value::as_str).map(markdown).collect();
            let what = if tasks.is_empty() || tasks.len() > 5 {
                words::count(usize::try_from(number("operations")).unwrap_or_default(), "operation")
            } else {
                words::list(&tasks)
            };
            format!("{actor} changed {target} to version {}: {what}", number("version"))
        }
        "proposal.opened" => format!("{actor} proposed {target}: {}", said("title")),
        "proposal.refined" => format!("{actor} refined {target}"),
        "proposal.commented" => format!("{actor} commented on {target}"),
        "proposal.approved" => format!("{actor} approved {target}"),
        "proposal.decided" => format!("{actor} decided {target}: {}", said("state")),
        "lease.acquired" => format!("{actor} took {target}{}", holder()),
        "lease.released" => format!("{actor} gave {target} back{}{}", holder(), because()),
        "lease.expired" => format!("the lease of {actor}{} on {target} ran out", holder()),
        "lease.stolen" => format!("{actor} took {target} from {}{}", said("from"), because()),
        "agent.registered" => format!("{actor} is here as {}", said("role")),
        "agent.appeared" => format!("{actor} is back"),
        "agent.gone" => format!("{actor} has fallen silent"),
        "agent.availability" => format!("{actor} is {}", said("availability")),
        "policy.changed" => format!("{actor} changed the policy to version {}", number("version")),
        other => {
            let about = if event.target == event.actor { String::new() } else { format!(" about {target}") };
            let text = ["text", "message", "summary"].into_iter().map(said).find(|text| !text.is_empty());
            format!("{actor} told `{other}`{about}{}", text.map_or_else(String::new, |text| format!(": {text}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_is_read_day_by_day_and_lets_nobodys_text_become_markup() {
        let event = |seconds: i64, event: &str, actor: &str, target: &str, details: Value| Event {
            seq: seconds,
            ts: DateTime::from_timestamp(1_795_219_200 + seconds, 0).unwrap_or_default(),
            event: event.into(),
            actor: actor.into(),
            target: target.into(),
            details,
        };
        let events = [
            event(0, "project.changed", "ana", "WEB", json!({ "version": 3, "operations": 1, "tasks": ["WEB-7"] })),
            event(60, "lease.acquired", "one", "task:WEB-7", json!({ "holder": "one" })),
            event(90, "lease.stolen", "ana", "task:WEB-7", json!({ "holder": "ana", "from": "one", "reason": "it *hangs*" })),
            event(90_000, "build.failed", "one", "WEB-7", json!({ "text": "see [log](http://x)" })),
        ];
        insta::assert_snapshot!(log(&events, "Europe/Berlin"), @r"
        # What happened

        4 events · Europe/Berlin

        ## Sat 21 Nov 2026

        - 01:00:00 **ana** changed WEB to version 3: WEB-7
        - 01:01:00 **one** took task:WEB-7
        - 01:01:30 **ana** took task:WEB-7 from one: it \*hangs\*

        ## Sun 22 Nov 2026

        - 02:00:00 **one** told `build.failed` about WEB-7: see \[log\](http://x)
        ");
    }
}

//! What people read about agents, and about who holds what.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_core::{
    collab::{
        agent::{Agent, Availability},
        lease::Lease,
    },
    command::Reply,
    patch::Reference,
};

use super::plain;

fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// Who there is, each on a line.
pub fn agents(agents: &[Agent]) -> Reply {
    if agents.is_empty() {
        return Reply::new("No agent has registered yet.");
    }
    let line = |agent: &Agent| {
        let state = match (agent.is_present, agent.availability) {
            (false, _) => "away, not heard of lately",
            (true, Availability::Available) => "available",
            (true, Availability::Busy) => "busy",
            (true, Availability::Away) => "away",
        };
        let skills = if agent.skills.is_empty() { String::new() } else { format!(" ({})", plain(&agent.skills.join(", "))) };
        format!("- **{}** {}{skills}: {state}", plain(&agent.agent), plain(&agent.role))
    };
    Reply::new(agents.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// What is held, each on a line.
pub fn leases(leases: &[Lease], zone: Tz) -> Reply {
    if leases.is_empty() {
        return Reply::new("Nobody holds anything.");
    }
    let line = |lease: &Lease| format!("- **{}** {} until {}", plain(&lease.resource), plain(&lease.holder), clock(lease.expires_at, zone));
    Reply::new(leases.iter().map(line).collect::<Vec<_>>().join("\n"))
}

pub fn taken(task: &Reference, lease: &Lease, zone: Tz) -> Reply {
    Reply::new(format!("**{task}** is yours until {}.", clock(lease.expires_at, zone))).action("Release", format!("lease release {task}"))
}

pub fn held(task: &Reference, by: Option<&Lease>, zone: Tz) -> Reply {
    Reply::new(match by {
        Some(lease) => format!("{} holds **{task}** until {}, or longer.", plain(&lease.holder), clock(lease.expires_at, zone)),
        None => format!("Others wait for **{task}**."),
    })
}

pub fn free(task: &Reference) -> Reply {
    Reply::new(format!("Nobody holds **{task}**.")).action("Take it", format!("lease {task}"))
}

pub fn released(task: &Reference) -> Reply {
    Reply::new(format!("**{task}** is free."))
}

pub fn stolen(task: &Reference, from: &str) -> Reply {
    Reply::new(format!("**{task}** is yours, and no longer {}'s.", plain(from))).action("Release", format!("lease release {task}"))
}

pub fn too_long() -> Reply {
    Reply::new("A task is held for a minute to a day, such as `lease WEB-7 for 2h`.")
}

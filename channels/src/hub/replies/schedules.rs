//! What is said about schedules.

use std::fmt::Write as _;

use patchbay_core::{
    command::Reply,
    jobs::schedule::{ScheduleView, State},
};

use crate::render::escape::markdown as plain;

/// A schedule that runs from now on; `times` are its next ones.
pub fn scheduled(schedule: &ScheduleView, times: &[String]) -> Reply {
    let (number, zone) = (schedule.number, &schedule.zone);
    let next = if times.is_empty() { "It has no more times.".to_owned() } else { format!("Next: {} ({zone}).", times.join(", ")) };
    Reply::new(format!("Schedule {number}: **{}**, {}. {next}", plain(&schedule.name), plain(&schedule.rule)))
        .action("Pause", format!("schedule pause {number}"))
        .action("Delete", format!("schedule delete {number}"))
}

/// The newest schedules.
pub fn schedules(schedules: &[ScheduleView]) -> Reply {
    if schedules.is_empty() {
        return Reply::new("Nothing is scheduled. `schedule \"every weekday 9:00\" plan WEB-7` does something again and again.");
    }
    let mut text = String::new();
    for schedule in schedules {
        let when = match (schedule.state, schedule.next_run_at) {
            (State::Paused, _) => schedule.problem.as_ref().map_or_else(|| "paused".to_owned(), |problem| format!("paused: {}", plain(problem))),
            (_, None) => "over".to_owned(),
            (_, Some(next)) => format!("next {}", next.format("%Y-%m-%d %H:%M UTC")),
        };
        let _ = writeln!(text, "{}. **{}**, {} ({when})", schedule.number, plain(&schedule.name), plain(&schedule.rule));
    }
    Reply::new(text.trim_end())
}

pub fn schedule_paused(schedule: &ScheduleView) -> Reply {
    Reply::new(format!("Schedule {} is paused.", schedule.number)).action("Resume", format!("schedule resume {}", schedule.number))
}

pub fn schedule_deleted(schedule: &ScheduleView) -> Reply {
    Reply::new(format!("Schedule {} is gone; what runs of it runs on.", schedule.number))
}

pub fn no_schedule(number: i32) -> Reply {
    Reply::new(format!("There is no schedule {number}.")).action("List", "schedule list")
}

pub fn not_your_schedule(schedule: &ScheduleView) -> Reply {
    Reply::new(format!("Schedule {} is @{}'s: only they and those who administer may change it.", schedule.number, plain(&schedule.owner)))
}

pub fn too_many_schedules(most: i64) -> Reply {
    Reply::new(format!("There are {most} schedules, and no more are possible. Delete some that are over.")).action("List", "schedule list")
}

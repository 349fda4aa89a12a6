//! What is said about jobs and presets.

use std::fmt::Write as _;

use chrono_tz::Tz;
use patchbay_core::{
    command::Reply,
    ids::JobId,
    jobs::{JobView, State, preset::PresetView},
    patch::Fault,
};

use super::{faults, moment, plain};
use crate::render::escape::code;

/// As much of a result or of a failure as a line has room for.
const BRIEF: usize = 200;

/// What people call a job: the end of its id, which differs from job to job.
fn name(id: JobId) -> String {
    let id = id.to_string();
    id[id.len() - 8..].to_owned()
}

fn state(job: &JobView) -> String {
    let word = match job.state {
        State::Scheduled => "waits for its time",
        State::Queued => "waits",
        State::Running => "runs",
        State::Done => "is done",
        State::Dead => "is given up",
        State::Cancelled => "is cancelled",
    };
    // How far it is tells more than that it runs.
    let progress = job.progress.as_ref().filter(|_| matches!(job.state, State::Running | State::Queued));
    match progress.and_then(|progress| Some((progress["done"].as_u64()?, progress["of"].as_u64()?))) {
        Some((done, of)) => format!("{word}, {done} of {of}"),
        None => word.to_owned(),
    }
}

fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= BRIEF { plain(line) } else { format!("{}…", plain(&line.chars().take(BRIEF - 1).collect::<String>())) }
}

fn actions(reply: Reply, job: &JobView) -> Reply {
    let name = name(job.id);
    match job.state {
        State::Dead | State::Cancelled => reply.action("Send again", format!("retry {name}")),
        State::Done => reply,
        State::Scheduled | State::Queued | State::Running => reply.action("Stop", format!("stop {name}")),
    }
}

/// The newest jobs, of a state where one is named.
pub fn jobs(jobs: &[JobView], has_more: bool, of: Option<State>, zone: Tz) -> Reply {
    if jobs.is_empty() {
        return Reply::new(match of {
            None => "Nobody has run anything yet. `run` shows what there is to be run.".to_owned(),
            Some(_) => "There is none. `jobs` shows all of them.".to_owned(),
        })
        .action("Show presets", "run");
    }
    let mut text = String::new();
    for job in jobs {
        let problem = job.problem.as_deref().filter(|_| job.state == State::Dead).map_or_else(String::new, |why| format!(": {}", brief(why)));
        let _ =
            writeln!(text, "- `{}` **{}** {}{problem} ({}, {})", name(job.id), plain(&job.kind), state(job), plain(&job.author), moment(job.created_at, zone));
    }
    if has_more {
        text.push_str("- and older ones\n");
    }
    let _ = write!(text, "\n`jobs {}` shows one of them.", name(jobs[0].id));
    Reply::new(text)
}

/// One job, with what it said and gave.
pub fn job(job: &JobView, zone: Tz) -> Reply {
    let mut text = format!(
        "**{}** `{}` {}. {} ran it on {}; it was begun {}.",
        plain(&job.kind),
        name(job.id),
        state(job),
        plain(&job.author),
        moment(job.created_at, zone),
        if job.attempt == 1 { "once".to_owned() } else { format!("{} times", job.attempt) }
    );
    if let Some(problem) = job.problem.as_deref().filter(|_| job.state != State::Done) {
        let _ = write!(text, "\n\nWhat went wrong: {}", brief(problem));
    }
    let log = job.log.as_array().map(Vec::as_slice).unwrap_or_default();
    let said: Vec<String> = log.iter().rev().take(5).rev().filter_map(|line| line["text"].as_str()).map(|line| format!("- {}", brief(line))).collect();
    if !said.is_empty() {
        let _ = write!(text, "\n\nWhat it said last:\n\n{}", said.join("\n"));
    }
    if let Some(result) = job.result.as_ref().filter(|result| !result.is_null()) {
        let whole = result.as_str().map_or_else(|| result.to_string(), str::to_owned);
        let _ = write!(text, "\n\nWhat it gave: {}", brief(&whole));
    }
    actions(Reply::new(text), job)
}

pub fn no_job(name: &str) -> Reply {
    Reply::new(format!("There is no job {}: it may be done, and of its kind nothing is kept. `jobs` shows those that are there.", plain(name)))
        .action("Show jobs", "jobs")
}

pub fn which_job(name: &str, jobs: &[JobView]) -> Reply {
    let lines: Vec<String> = jobs.iter().map(|job| format!("- `{}` **{}**", job.id, plain(&job.kind))).collect();
    Reply::new(format!("There are {} jobs {}; name one in full:\n\n{}", jobs.len(), plain(name), lines.join("\n")))
}

pub fn not_your_job(job: &JobView) -> Reply {
    Reply::new(format!("Job {} is @{}'s: only they and those who administer may do that.", name(job.id), plain(&job.author)))
}

pub fn jobs_are_of_all() -> Reply {
    Reply::new("You see one project here, and jobs are the organisation's.")
}

pub fn not_to_retry(job: &JobView) -> Reply {
    Reply::new(format!("Job {} {}: only one that was given up or cancelled is sent again. Nothing was changed.", name(job.id), state(job)))
}

pub fn not_to_stop(job: &JobView) -> Reply {
    Reply::new(format!("Job {} {} already: there is nothing to stop. Nothing was changed.", name(job.id), state(job)))
}

pub fn job_retried(job: &JobView) -> Reply {
    let name = name(job.id);
    Reply::new(format!("Job `{name}`, **{}**, is sent again.", plain(&job.kind)))
        .action("How far is it?", format!("jobs {name}"))
        .action("Stop", format!("stop {name}"))
}

pub fn job_stopped(job: &JobView) -> Reply {
    let name = name(job.id);
    let how = if job.state == State::Running { "is told to stop, which takes some seconds" } else { "is cancelled" };
    Reply::new(format!("Job `{name}`, **{}**, {how}.", plain(&job.kind))).action("Send again", format!("retry {name}"))
}

pub fn job_begun(id: JobId, preset: &str, tool: &str) -> Reply {
    let name = name(id);
    Reply::new(format!("**{}** runs as job `{name}` ({}).", plain(preset), plain(tool)))
        .action("How far is it?", format!("jobs {name}"))
        .action("Stop", format!("stop {name}"))
}

fn list(presets: &[PresetView]) -> String {
    let line = |preset: &PresetView| {
        let what = if preset.description.is_empty() { String::new() } else { format!(": {}", brief(&preset.description)) };
        format!("- `{}` ({}){what}", preset.name, plain(&preset.tool))
    };
    presets.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What can be run by name.
pub fn presets(presets: &[PresetView]) -> Reply {
    match presets {
        [] => Reply::new("There is no preset yet: a tool with what is mostly given to it, by a name. The console makes one under Jobs."),
        presets => Reply::new(format!("These presets can be run, as `run {}`:\n\n{}", presets[0].name, list(presets))),
    }
}

pub fn no_preset(name: &str, near: Option<&str>, presets: &[PresetView], given: &[(String, String)]) -> Reply {
    let there_are = if presets.is_empty() { self::presets(&[]).text } else { format!("There are:\n\n{}", list(presets)) };
    let reply = Reply::new(format!("There is no preset {}. {there_are}", code(name)));
    let Some(near) = near else { return reply };
    let fields: Vec<String> = given.iter().map(|(field, value)| format!(" {field}=\"{value}\"")).collect();
    reply.action("Do it", format!("run {near}{}", fields.concat()))
}

pub fn not_your_tool(tool: &str) -> Reply {
    Reply::new(format!("You may not run {}: ask somebody who may.", code(tool)))
}

/// What a preset has and what was given do not make an input of its tool.
pub fn does_not_fit(preset: &str, tool: &str, found: &[Fault]) -> Reply {
    let reply = faults(found);
    Reply {
        text: format!(
            "{} does not run: its tool {} wants something else. {} Fields are given as `run {preset} field=value`.",
            code(preset),
            code(tool),
            reply.text
        ),
        ..reply
    }
}

//! What people type and what they read of it, on the whole service.

use anyhow::{Context as _, Result};
use patchbay_tests::service::Running;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn text(command: &Value) -> &str {
    command["reply"]["text"].as_str().unwrap_or_default()
}

fn actions(command: &Value) -> Vec<&str> {
    command["reply"]["actions"].as_array().into_iter().flatten().filter_map(|action| action["command"].as_str()).collect()
}

#[tokio::test]
async fn a_proposal_for_another_project_is_not_what_is_refined() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let party = patchbay.say("Plan a party:\n- cake\n- music", None).await?;
    assert_eq!(party["proposal"], 1, "{party}");
    let made = patchbay.say("new \"Bar\"", None).await?;
    assert_eq!(made["status"], "done", "{made}");

    let planned = patchbay.say("- glasses\n- a licence", Some("BAR")).await?;
    assert_eq!((&planned["status"], &planned["proposal"]), (&json!("done"), &json!(2)), "{planned}");
    assert!(text(&planned).contains("**#2** on BAR: 2 new"), "{planned}");
    assert_eq!(patchbay.get("/proposals/1").await?.1["revision"], 1, "the party is as it was");
    patchbay.say("accept #2", Some("BAR")).await?;
    let broken = patchbay.say("plan BAR-1 design, build and test", Some("BAR")).await?;
    assert_eq!((&broken["status"], &broken["proposal"]), (&json!("done"), &json!(3)), "{broken}");

    let refined = patchbay.say("edit #1 add balloons", Some("BAR")).await?;
    assert_eq!((&refined["status"], &refined["proposal"]), (&json!("done"), &json!(1)), "{refined}");
    assert_eq!(patchbay.get("/proposals/1").await?.1["operations"].as_array().map(Vec::len), Some(3));
    let another = patchbay.say("new \"Kiosk\"\n- newspapers\n- sweets", Some("BAR")).await?;
    assert!(text(&another).contains("for a new project, *Kiosk*"), "{another}");
    patchbay.end().await
}

#[tokio::test]
async fn some_is_accepted_and_what_is_left_is_changed_as_was_said() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Launch", "key": "LAUNCH" })).await?;
    patchbay.say("- Invite the press due tomorrow\n- Order cake due tomorrow\n- Hang posters", Some("LAUNCH")).await?;
    let accepted = patchbay.say("accept #1 1 and 3, 2 should be friday instead", Some("LAUNCH")).await?;
    assert_eq!((&accepted["status"], &accepted["proposal"], &accepted["revision"]), (&json!("done"), &json!(2), &json!(2)), "{accepted}");
    let said = text(&accepted);
    assert!(said.starts_with("1 and 3 of #1 are applied: **LAUNCH** is at version 2.") && said.contains("What was left is **#2** now"), "{said}");
    let (_, tree) = patchbay.get("/projects/LAUNCH/tree").await?;
    let titles: Vec<_> = tree["tasks"].as_array().into_iter().flatten().map(|task| task["title"].as_str().unwrap_or_default()).collect();
    assert_eq!(titles, ["Invite the press", "Hang posters"]);
    let (_, left) = patchbay.get("/proposals/2").await?;
    assert_eq!((&left["state"], left["operations"].as_array().map(Vec::len)), (&json!("open"), Some(1)), "{left}");
    let due = left["operations"][0]["patch"]["body"]["due_on"].as_str().or(left["patch"]["tasks"][0]["body"]["due_on"].as_str()).context("it is due")?;
    let day: chrono::NaiveDate = due.parse()?;
    assert_eq!(chrono::Datelike::weekday(&day), chrono::Weekday::Fri, "{left}");
    let done = patchbay.say("accept", Some("LAUNCH")).await?;
    assert_eq!((&done["status"], &done["revision"]), (&json!("done"), &json!(3)), "{done}");

    patchbay.say("- Sign the lease\n- Paint the walls", Some("LAUNCH")).await?;
    let all = patchbay.say("accept 1-2, 2 should be friday", Some("LAUNCH")).await?;
    assert!(all["status"] == "failed" && text(&all).contains("nothing is left that"), "{all}");
    let unclear = patchbay.say("accept 1, 2 wants to be blue and round", Some("LAUNCH")).await?;
    assert!(unclear["status"] == "done" && text(&unclear).contains("What was left is **#4** now, as it was"), "{unclear}");
    patchbay.end().await
}

#[tokio::test]
async fn an_accepted_part_of_a_new_project_leaves_a_proposal_on_it() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.say("Plan a party:\n- cake\n- music\n- guests", None).await?;
    let accepted = patchbay.say("accept 1 and 3, but 2 takes 3 hours", None).await?;
    assert_eq!((&accepted["status"], &accepted["proposal"]), (&json!("done"), &json!(2)), "{accepted}");
    let (_, left) = patchbay.get("/proposals/2").await?;
    assert!(left["project"].is_string() && left["operations"].as_array().map(Vec::len) == Some(1), "{left}");
    let done = patchbay.say("accept #2", None).await?;
    assert_eq!((&done["status"], &done["revision"]), (&json!("done"), &json!(2)), "{done}");
    patchbay.end().await
}

#[tokio::test]
async fn an_empty_project_is_planned_by_what_is_said_of_it_and_another_asks() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Summer party", "key": "SUN" })).await?;
    let planned = patchbay.say("plan SUN", None).await?;
    assert!(planned["status"] == "done" && text(&planned).contains("only an outline, the usual phases of an event"), "{planned}");
    patchbay.post("/projects", &json!({ "title": "Shop", "key": "SHOP" })).await?;
    patchbay.say("set SHOP summary We need a catalogue, a cart, and a till", None).await?;
    let planned = patchbay.say("plan SHOP", None).await?;
    assert!(planned["status"] == "done" && text(&planned).contains("on SHOP"), "{planned}");
    patchbay.say("add \"Catalogue\" in SHOP", None).await?;
    let asked = patchbay.say("plan SHOP", None).await?;
    assert!(asked["status"] == "failed" && text(&asked).starts_with("**SHOP** Shop has 1 task. What is to be planned in it?"), "{asked}");
    assert!(!text(&asked).contains("plan this"), "nobody said that: {asked}");
    patchbay.end().await
}

#[tokio::test]
async fn a_reply_says_what_changed_to_what() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("add \"Form\"", Some("WEB")).await?;
    for (said, answer) in [
        ("label WEB-1 backend", "**WEB-1** Form has the label backend now."),
        ("label WEB-1 urgent, -backend", "**WEB-1** Form has the label urgent now, and no longer the label backend."),
        ("set WEB-1 estimate 3h", "**WEB-1** Form has the estimate 3 h now."),
        ("set WEB-1 estimate 90m", "**WEB-1** Form has the estimate 1 h 30 min now (before: 3 h)."),
        ("set WEB-1 estimate none", "**WEB-1** Form has no estimate now (before: 1 h 30 min)."),
        ("set WEB-1 priority p1", "**WEB-1** Form has the priority P1 now."),
        ("set WEB-1 kind bug", "**WEB-1** Form has the kind bug now."),
        ("set WEB-1 due 2026-12-01", "**WEB-1** Form is due on Tue 1 Dec 2026."),
        ("set WEB-1 due 2026-12-04", "**WEB-1** Form is due on Fri 4 Dec 2026 (before: Tue 1 Dec 2026)."),
        ("block WEB-1 key missing", "**WEB-1** Form is in *Blocked* now: key missing."),
        ("block WEB-1 the bank is closed", "**WEB-1** Form waits: the bank is closed."),
        ("start WEB-1", "**WEB-1** Form is in *Doing* now."),
    ] {
        let command = patchbay.say(said, Some("WEB")).await?;
        assert_eq!(text(&command), answer, "{said}");
    }
    patchbay.end().await
}

#[tokio::test]
async fn a_slip_in_a_command_is_pointed_at_and_never_planned() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Zoo", "key": "ZOO" })).await?;
    patchbay.say("add \"Lions\"", Some("ZOO")).await?;
    for (said, answer) in [
        ("list foo in ZOO", "I know no \"foo\". There may stand `mine`"),
        ("set ZOO-1 colour red", "I know no \"colour\". There may stand `title`"),
        ("help elephants", "There is no command \"elephants\"."),
    ] {
        let command = patchbay.say(said, None).await?;
        assert!(command["status"] == "failed" && text(&command).starts_with(answer), "{said}: {command}");
    }
    assert!(text(&patchbay.say("help run", None).await?).contains("Run a job by a preset"));
    assert_eq!(patchbay.get("/proposals").await?.1["data"], json!([]));
    patchbay.end().await
}

#[tokio::test]
async fn jobs_are_run_looked_at_stopped_and_sent_again_in_words() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let none = patchbay.say("jobs", None).await?;
    assert!(text(&none).starts_with("Nobody has run anything yet."), "{none}");
    assert!(text(&patchbay.say("run", None).await?).starts_with("There is no preset yet"));
    let preset = json!({ "description": "What is wrong with a page", "tool": "lint", "input": { "format": "markdown" } });
    let (status, _) = patchbay.ask(Some(&patchbay.key), Method::PUT, "/presets/check-page", Some(&preset)).await?;
    assert_eq!(status, StatusCode::OK);

    let unknown = patchbay.say("run chek-page text=\"# A\"", None).await?;
    assert!(text(&unknown).starts_with("There is no preset `chek-page`. There are:\n\n- `check-page` (lint): What is wrong with a page"), "{unknown}");
    assert_eq!(actions(&unknown), ["run check-page text=\"# A\""]);
    let wrong = patchbay.say("run check-page txt=1", None).await?;
    assert!(wrong["status"] == "failed" && text(&wrong).starts_with("`check-page` does not run: its tool `lint` wants something else."), "{wrong}");
    let begun = patchbay.say("run check-page text=\"# A\"", None).await?;
    assert!(text(&begun).starts_with("**check-page** runs as job `"), "{begun}");
    let name = text(&begun).split('`').nth(1).context("it has a name")?.to_owned();
    let (_, listed) = patchbay.get("/jobs?tools=true").await?;
    let id = listed["data"][0]["id"].as_str().context("it is listed")?.to_owned();
    assert!(id.ends_with(&name), "{id} {name}");
    patchbay.until(&format!("/jobs/{id}"), |job| job["state"] == "done").await?;
    let jobs = patchbay.say("jobs", None).await?;
    assert!(text(&jobs).contains(&format!("- `{name}` **lint** is done")), "{jobs}");
    let one = patchbay.say(&format!("jobs {name}"), None).await?;
    assert!(text(&one).contains("Nothing was found.") || text(&one).contains("What it gave:"), "{one}");
    let late = patchbay.say(&format!("stop {name}"), None).await?;
    assert!(late["status"] == "failed" && text(&late).contains("is done already: there is nothing to stop"), "{late}");
    let early = patchbay.say(&format!("retry {id}"), None).await?;
    assert!(early["status"] == "failed" && text(&early).contains("only one that was given up or cancelled"), "{early}");

    let later = json!({ "tool": "lint", "input": { "text": "# A", "format": "markdown" }, "run_at": "2099-01-01T00:00:00Z" });
    let (status, parked) = patchbay.post("/jobs", &later).await?;
    assert_eq!(status, StatusCode::CREATED, "{parked}");
    let parked = parked["id"].as_str().context("it has an id")?;
    let stranger = patchbay.member_key("bo", &["read", "propose"]).await?;
    let name = &parked[parked.len() - 8..];
    let (_, refused) =
        patchbay.send(Some(&stranger), Method::POST, "/commands", Some(&json!({ "text": format!("stop {name}") })), &[("prefer", "wait=20")]).await?;
    assert!(text(&refused).contains("only they and those who administer may do that"), "{refused}");
    let stopped = patchbay.say(&format!("stop {name}"), None).await?;
    assert!(text(&stopped).ends_with("is cancelled.") && actions(&stopped) == [format!("retry {name}")], "{stopped}");
    assert!(text(&patchbay.say("jobs cancelled", None).await?).contains(name));
    let again = patchbay.say(&format!("retry {name}"), None).await?;
    assert!(text(&again).ends_with("is sent again."), "{again}");
    patchbay.until(&format!("/jobs/{parked}"), |job| job["state"] == "done").await?;
    assert!(text(&patchbay.say("stop 00000000", None).await?).starts_with("There is no job 00000000"));
    patchbay.end().await
}

#[tokio::test]
async fn a_schedule_is_paused_by_the_short_word_too() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("schedule \"every weekday 9:00\" list overdue in WEB", None).await?;
    assert_eq!(text(&patchbay.say("pause 1", None).await?), "Schedule 1 is paused.");
    assert!(text(&patchbay.say("resume 1", None).await?).contains("Next:"));
    let wrong = patchbay.say("schedule \"0 9 32 * *\" list overdue in WEB", None).await?;
    assert!(text(&wrong).contains("is no day of the month, which is 1–31") && !text(&wrong).contains("Component"), "{wrong}");
    patchbay.end().await
}

//! One script for every platform: a plan is made and reviewed.

use anyhow::{Context, Result};
use patchbay_tests::{service::Running, watched::Shown};
use reqwest::Method;
use serde_json::{Value, json};

/// Where people and Patchbay meet.
pub(crate) trait Stage {
    /// Somebody says something to Patchbay, in one room and always as one conversation.
    async fn say(&self, who: &str, text: &str) -> Result<()>;
    /// Somebody presses a button as they saw it.
    async fn press(&self, who: &str, message: &Shown, label: &str) -> Result<()>;
    /// Somebody fills in the window that opens, and hands it in.
    async fn hand_in(&self, who: &str, answer: &str) -> Result<()>;
    /// Waits for a message, the newest first.
    async fn message(&self, what: &str, is_it: impl Fn(&Shown) -> bool) -> Result<Shown>;
    /// What the platform calls somebody.
    fn id(&self, who: &str) -> String;
}

const BUTTONS: [&str; 4] = ["Accept all", "Accept some", "Edit", "Reject"];

pub(crate) fn labels(message: &Shown) -> Vec<&str> {
    message.buttons.iter().map(|(label, _)| label.as_str()).collect()
}

/// Pairs somebody with the member whose key it is: the code that they get is for them alone.
pub(crate) async fn link(patchbay: &Running, stage: &impl Stage, who: &str, key: &str) -> Result<()> {
    stage.say(who, "help").await?;
    let (id, mark) = (stage.id(who), "link?code=");
    let told = stage.message("a code", |message| message.text.contains(mark) && message.only_for.as_deref() == Some(id.as_str())).await?;
    let at = told.text.find(mark).context("it was found")? + mark.len();
    let code = told.text.get(at..at + 9).context("a code has nine letters")?;
    let (status, command) =
        patchbay.send(Some(key), Method::POST, "/commands", Some(&json!({ "text": format!("link {code}") })), &[("prefer", "wait=20")]).await?;
    anyhow::ensure!(status.is_success() && command["reply"]["text"].as_str().is_some_and(|text| text.contains("is you from now on")), "{status}: {command}");
    Ok(())
}

pub(crate) async fn titles(patchbay: &Running, project: &str) -> Result<Vec<String>> {
    let (_, tree) = patchbay.get(&format!("/projects/{project}/tree")).await?;
    let tasks = tree["tasks"].as_array().into_iter().flatten();
    Ok(tasks.filter_map(|task| task["title"].as_str().map(str::to_owned)).collect())
}

pub(crate) fn is_proposal(message: &Shown) -> bool {
    labels(message) == BUTTONS
}

/// Ana plans and refines, Bo accepts a part, and Ana's late click is explained.
pub(crate) async fn a_plan_is_made_and_reviewed(patchbay: &Running, stage: &impl Stage) -> Result<()> {
    let bo = patchbay.member_key("bo", &["read", "propose", "review", "apply"]).await?;
    link(patchbay, stage, "ana", &patchbay.key).await?;
    link(patchbay, stage, "bo", &bo).await?;

    stage.say("ana", "new \"Web\"").await?;
    stage.message("a new project", |message| message.text.contains("WEB")).await?;
    stage.say("ana", "- Sign-in page\n- Shop\n- Launch party").await?;
    let first = stage.message("a proposal", |message| is_proposal(message) && message.text.contains("Launch party")).await?;
    assert_eq!(first.only_for, None, "a proposal is for all: {first:?}");
    assert!(first.text.contains("Sign-in page") && first.text.contains("Shop"), "{first:?}");

    stage.press("ana", &first, "Edit").await?;
    stage.hand_in("ana", "remove 3").await?;
    let second = stage.message("a refined proposal", |message| is_proposal(message) && message.text.contains("revision 2")).await?;
    // Only the newest copy can be decided.
    stage.message("the first without buttons", |message| message.id == first.id && message.buttons.is_empty()).await?;
    assert_eq!(titles(patchbay, "WEB").await?, Vec::<String>::new(), "nothing has changed yet");

    stage.press("bo", &second, "Accept some").await?;
    stage.hand_in("bo", "1").await?;
    let decided = stage.message("the outcome", |message| message.id == second.id && message.buttons.is_empty()).await?;
    assert!(decided.text.contains("Accepted 1 of 2 changes by @bo as version"), "{decided:?}");
    assert_eq!(titles(patchbay, "WEB").await?, ["Sign-in page"]);

    for label in ["Accept all", "Reject"] {
        stage.press("ana", &second, label).await?;
        let (ana, before) = (stage.id("ana"), second.id.clone());
        let explained = stage
            .message("an explanation", |message| message.id > before && message.only_for.as_ref() == Some(&ana) && message.text.contains("already by bo"))
            .await?;
        assert!(explained.text.contains("It became version"), "{explained:?}");
    }
    assert_eq!(titles(patchbay, "WEB").await?, ["Sign-in page"]);
    settled(patchbay).await
}

/// Nothing is left undone: every command has ended.
pub(crate) async fn settled(patchbay: &Running) -> Result<()> {
    let (_, commands) = patchbay.get("/commands").await?;
    let open: Vec<&Value> = commands["data"].as_array().into_iter().flatten().filter(|command| command["finished_at"].is_null()).collect();
    anyhow::ensure!(open.is_empty(), "{open:?}");
    Ok(())
}

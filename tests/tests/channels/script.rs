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

/// The same for somebody who wants to be told nothing unasked: so that the room has the only copies.
pub(crate) async fn link_muted(patchbay: &Running, stage: &impl Stage, who: &str, key: &str) -> Result<()> {
    link(patchbay, stage, who, key).await?;
    let (status, command) = patchbay.send(Some(key), Method::POST, "/commands", Some(&json!({ "text": "mute" })), &[("prefer", "wait=20")]).await?;
    anyhow::ensure!(status.is_success() && command["status"] == "done", "{status}: {command}");
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

/// A proposal that somebody was shown.
pub(crate) struct Shows<P> {
    /// All that can be read of it.
    pub(crate) text: String,
    /// What it is decided by.
    pub(crate) by: P,
}

/// A channel as the script needs it: what people do there, in whatever way it has.
pub(crate) trait Way {
    type By;
    /// Makes somebody known who has a key.
    async fn join(&self, patchbay: &Running, who: &str, key: &str) -> Result<()>;
    /// Somebody says something that is answered with `expected` in it.
    async fn tell(&self, who: &str, text: &str, expected: &str) -> Result<()>;
    /// Somebody says what they want, and is shown a proposal.
    async fn propose(&self, who: &str, text: &str) -> Result<Shows<Self::By>>;
    /// Somebody says what should be different, and is shown that; what was shown before cannot be decided any more.
    async fn refine(&self, who: &str, shown: &Shows<Self::By>, text: &str) -> Result<Shows<Self::By>>;
    /// Somebody accepts the first operation alone.
    async fn accept_first(&self, who: &str, shown: &Shows<Self::By>) -> Result<()>;
    /// Somebody decides too late; what they read.
    async fn be_late(&self, who: &str, shown: &Shows<Self::By>, verb: &str) -> Result<String>;
}

/// Ana plans and refines, Bo accepts a part, and Ana's late decision is explained: the same on every channel.
pub(crate) async fn a_plan_is_made_and_reviewed(patchbay: &Running, way: &impl Way) -> Result<()> {
    let bo = patchbay.member_key("bo", &["read", "propose", "review", "apply"]).await?;
    way.join(patchbay, "ana", &patchbay.key).await?;
    way.join(patchbay, "bo", &bo).await?;

    way.tell("ana", "new \"Web\"", "WEB").await?;
    let first = way.propose("ana", "- Sign-in page\n- Shop\n- Launch party").await?;
    for title in ["Sign-in page", "Shop", "Launch party"] {
        assert!(first.text.contains(title), "{}", first.text);
    }

    let second = way.refine("ana", &first, "remove 3").await?;
    assert!(second.text.contains("Shop"), "{}", second.text);
    assert_eq!(titles(patchbay, "WEB").await?, Vec::<String>::new(), "nothing has changed yet");
    let (_, open) = patchbay.get("/proposals/1").await?;
    assert_eq!((&open["state"], &open["revision"], open["operations"].as_array().map(Vec::len)), (&json!("open"), &json!(2), Some(2)), "{open}");

    way.accept_first("bo", &second).await?;
    let (_, decided) = patchbay.get("/proposals/1").await?;
    assert_eq!((&decided["state"], &decided["decided"]["by"]), (&json!("applied"), &json!("bo")), "{decided}");
    assert_eq!(titles(patchbay, "WEB").await?, ["Sign-in page"]);

    for verb in ["accept", "reject"] {
        let explained = way.be_late("ana", &second, verb).await?;
        assert!(explained.contains("already by bo") && explained.contains("It became version"), "{explained}");
    }
    assert_eq!(titles(patchbay, "WEB").await?, ["Sign-in page"]);
    settled(patchbay).await
}

/// Platforms with buttons and windows, where what was sent is edited.
impl<S: Stage> Way for S {
    type By = Shown;

    async fn join(&self, patchbay: &Running, who: &str, key: &str) -> Result<()> {
        link_muted(patchbay, self, who, key).await
    }

    async fn tell(&self, who: &str, text: &str, expected: &str) -> Result<()> {
        self.say(who, text).await?;
        self.message("an answer", |message| message.text.contains(expected)).await.map(drop)
    }

    async fn propose(&self, who: &str, text: &str) -> Result<Shows<Shown>> {
        self.say(who, text).await?;
        let shown = self.message("a proposal", is_proposal).await?;
        assert_eq!(shown.only_for, None, "a proposal is for all: {shown:?}");
        Ok(Shows { text: shown.text.clone(), by: shown })
    }

    async fn refine(&self, who: &str, shown: &Shows<Shown>, text: &str) -> Result<Shows<Shown>> {
        self.press(who, &shown.by, "Edit").await?;
        self.hand_in(who, text).await?;
        let refined = self.message("a refined proposal", |message| is_proposal(message) && message.text.contains("revision 2")).await?;
        // Only the newest copy can be decided.
        self.message("the first without buttons", |message| message.id == shown.by.id && message.buttons.is_empty()).await?;
        Ok(Shows { text: refined.text.clone(), by: refined })
    }

    async fn accept_first(&self, who: &str, shown: &Shows<Shown>) -> Result<()> {
        self.press(who, &shown.by, "Accept some").await?;
        self.hand_in(who, "1").await?;
        let decided = self.message("the outcome", |message| message.id == shown.by.id && message.buttons.is_empty()).await?;
        assert!(decided.text.contains("Accepted 1 of 2 changes by @bo as version"), "{decided:?}");
        Ok(())
    }

    async fn be_late(&self, who: &str, shown: &Shows<Shown>, verb: &str) -> Result<String> {
        self.press(who, &shown.by, if verb == "accept" { "Accept all" } else { "Reject" }).await?;
        let (id, before) = (self.id(who), shown.by.id.clone());
        let is_it = |message: &Shown| message.id > before && message.only_for.as_ref() == Some(&id) && message.text.contains("already by bo");
        Ok(self.message("an explanation", is_it).await?.text)
    }
}

/// Nothing is left undone: every command has ended.
pub(crate) async fn settled(patchbay: &Running) -> Result<()> {
    let (_, commands) = patchbay.get("/commands").await?;
    let open: Vec<&Value> = commands["data"].as_array().into_iter().flatten().filter(|command| command["finished_at"].is_null()).collect();
    anyhow::ensure!(open.is_empty(), "{open:?}");
    Ok(())
}

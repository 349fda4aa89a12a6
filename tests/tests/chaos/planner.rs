//! The program dies while a planner works for somebody on a platform, who was told how far it is.

use anyhow::{Context as _, Result, ensure};
use patchbay_tests::{
    cluster::cluster,
    fake_model::{FakeModel, Turn, create, patch},
    fake_slack::{BOT_TOKEN, FakeSlack, SIGNING_SECRET},
    until::until,
    watched::Shown,
};
use reqwest::Method;
use serde_json::json;
use sqlx::ConnectOptions as _;

use crate::{people::Client, program::Program};

/// It has said how far it is, dies, and dies again when it is asked anew; the third time the model answers.
#[tokio::test]
async fn killed_while_a_planner_works() -> Result<()> {
    let whole = patch(Some("Onboarding"), &json!([create("a", "Write a welcome", &json!({})), create("b", "Measure it", &json!({}))]));
    let first = whole[..whole.find("Measure it").context("it is said")?].to_owned();
    let mut slack = FakeSlack::start().await?;
    let model = FakeModel::start([Turn::Hang(first.clone()), Turn::Hang(first), Turn::Say(whole)]).await?;
    let mut program = Program::new(Some(cluster().await.database().await?.into()))?;
    program.setting("PATCHBAY_SLACK__SIGNING_SECRET", SIGNING_SECRET);
    program.setting("PATCHBAY_SLACK__BOT_TOKEN", BOT_TOKEN);
    program.setting("PATCHBAY_SLACK__API_URL", &slack.url);
    program.setting("PATCHBAY_MODEL__BASE_URL", &model.url);
    let outcome = interrupt(&mut program, &mut slack, &model).await;
    outcome.with_context(|| format!("the program said:\n{}", program.said()))
}

async fn interrupt(program: &mut Program, slack: &mut FakeSlack, model: &FakeModel) -> Result<()> {
    program.spawn()?;
    program.ready().await?;
    slack.patchbay = program.url().borrow().clone().context("it has an address")?;
    let (_, code) = Client::new(program.key()?, program.url())?.ask(Method::POST, "/identities/codes", Some(&json!({})), Some("code")).await?;
    let ana = slack.person("U0ANA", "C0ROOM");
    ana.mention(&format!("link {}", code["code"].as_str().context("a code")?), None, 1).await?;
    slack.message("who it is", |message| message.text.contains("You are")).await?;
    let mut conn = program.superuser().await?.connect().await?;
    sqlx::query("set search_path to patchbay").execute(&mut conn).await?;

    ana.mention("plan Something that no rule can settle, so that the model has to", None, 1).await?;
    let is_working = |message: &Shown| message.text.contains("working on it");
    let said = slack.message("how far it is", |message| is_working(message) && message.text.contains("Write a welcome")).await?;
    for asked in [1, 2] {
        until("the model is asked", async || Ok(model.requests().len() == asked)).await?;
        let noted = "select exists (select from outbox where working is not null and sent is not null)";
        until("it is noted what was said", async || Ok(sqlx::query_scalar(noted).fetch_one(&mut conn).await?)).await?;
        program.kill().await?;
        // Half a minute passes: so long a dead process holds what it was working on.
        let lapse = "update command set claimed_until = now() where claimed_until > now(); update job set leased_until = now() where leased_until > now()";
        sqlx::raw_sql(lapse).execute(&mut conn).await?;
        program.spawn()?;
        program.ready().await?;
    }
    let proposal = slack.message("the proposal", |message| message.buttons.iter().any(|(label, _)| label == "Accept all")).await?;
    ensure!(proposal.id == said.id && proposal.text.contains("Measure it"), "it takes the place of what was said: {proposal:?}");
    ensure!(!slack.messages().iter().any(is_working), "{:?}", slack.messages());
    program.stop().await
}

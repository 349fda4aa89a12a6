//! Messages come from a platform, each as often as it takes to be acknowledged, while the program dies: each has one effect and one answer.

use std::{
    collections::HashMap,
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use patchbay_channels::slack::signature;
use patchbay_tests::{
    cluster::cluster,
    fake_slack::{BOT_TOKEN, FakeSlack, SIGNING_SECRET, now},
    until::until,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::sync::watch;

use crate::{people::Client, program::Program};

/// How many write at once.
const WRITERS: usize = 16;
/// A process dies after it has acknowledged about so many messages.
const ACKNOWLEDGED: u32 = 20;

#[tokio::test]
async fn killed_while_people_write_from_a_platform() -> Result<()> {
    let messages = std::env::var("CHAOS_MESSAGES").ok().map_or(Ok(60), |text| text.parse())?;
    let slack = FakeSlack::start().await?;
    let mut program = Program::new(Some(cluster().await.database().await?))?;
    program.setting("PATCHBAY_SLACK__SIGNING_SECRET", SIGNING_SECRET);
    program.setting("PATCHBAY_SLACK__BOT_TOKEN", BOT_TOKEN);
    program.setting("PATCHBAY_SLACK__API_URL", &slack.url);
    let outcome = torment(&mut program, &slack, messages).await;
    outcome.with_context(|| format!("the program said:\n{}", program.said()))
}

async fn torment(program: &mut Program, slack: &FakeSlack, messages: usize) -> Result<()> {
    let begun = Instant::now();
    let mut rng = StdRng::seed_from_u64(7);
    program.spawn()?;
    program.ready().await?;
    let client = Client::new(program.key()?, program.url())?;
    let (status, project) = client.ask(Method::POST, "/projects", Some(&json!({ "title": "Website", "key": "WEB" })), Some("project")).await?;
    ensure!(status == StatusCode::CREATED, "{project}");
    let limits = json!({ "per_sender": 10_000, "per_channel": 100_000 });
    client.ask(Method::PATCH, "/channels/slack", Some(&limits), None).await?;
    let (_, code) = client.ask(Method::POST, "/identities/codes", Some(&json!({})), Some("code")).await?;
    let _ = slack.person("U0ANA", "C0ROOM");
    let writer = Writer { http: reqwest::Client::new(), url: program.url(), acknowledged: watch::Sender::new(0) };
    writer.write("link", &format!("link {}", code["code"].as_str().context("a code")?)).await?;
    slack.message("who it is", |message| message.text.contains("You are")).await?;

    let writing = {
        let writer = writer.clone();
        let shares: Vec<Vec<usize>> = (0..WRITERS).map(|at| (at..messages).step_by(WRITERS).collect()).collect();
        let seeds: Vec<u64> = shares.iter().map(|_| rng.random()).collect();
        tokio::spawn(async move { try_join_all(shares.into_iter().zip(seeds).map(|(share, seed)| writer.write_all(share, seed))).await })
    };
    tokio::pin!(writing);
    let mut acknowledged = writer.acknowledged.subscribe();
    let mut kills = 0;
    loop {
        let enough = *acknowledged.borrow_and_update() + rng.random_range(1..=2 * ACKNOWLEDGED);
        let mercy = Duration::from_millis(rng.random_range(0..150));
        tokio::select! {
            written = &mut writing => {
                written??;
                break;
            }
            dead = async { acknowledged.wait_for(|count| *count >= enough).await.map(drop)?; tokio::time::sleep(mercy).await; anyhow::Ok(()) } => dead?,
        }
        program.kill().await?;
        kills += 1;
        program.spawn()?;
        program.ready().await?;
    }
    ensure!(kills > 0, "everything was acknowledged before the first kill: CHAOS_MESSAGES is too small for this machine");
    program.kill().await?;
    let mut conn = program.superuser().await?.connect().await?;
    sqlx::query("set search_path to patchbay").execute(&mut conn).await?;
    // Half a minute passes: so long a dead process holds what it was working on.
    sqlx::raw_sql("update command set claimed_until = now() where claimed_until > now(); update job set leased_until = now() where leased_until > now()")
        .execute(&mut conn)
        .await?;
    program.spawn()?;
    program.ready().await?;
    all_is_done(&mut conn).await?;
    let twice = prove(&mut conn, slack, messages).await?;
    slack.check()?;
    ensure!(program.run(&["verify"]).await?.contains("history and present agree"), "history and present do not agree");
    program.stop().await?;
    writeln!(std::io::stderr(), "{messages} messages from a platform through {kills} kills in {:?}; {twice} answers came twice", begun.elapsed())?;
    Ok(())
}

/// Writes to Patchbay as the platform does: signed, and again until it is acknowledged.
#[derive(Clone)]
struct Writer {
    http: reqwest::Client,
    url: watch::Receiver<Option<String>>,
    acknowledged: watch::Sender<u32>,
}

impl Writer {
    async fn write_all(&self, share: Vec<usize>, seed: u64) -> Result<()> {
        let mut rng = StdRng::seed_from_u64(seed);
        for number in share {
            // What was acknowledged may come again all the same.
            for _ in 0..rng.random_range(1..=3) {
                self.write(&number.to_string(), &format!("add \"chaos {number}.\" in WEB")).await?;
            }
            self.acknowledged.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    async fn write(&self, name: &str, text: &str) -> Result<()> {
        let ts = format!("1700000001.{:06}", name.parse::<u32>().unwrap_or(999_999));
        let event = json!({ "type": "app_mention", "user": "U0ANA", "text": format!("<@U0BOT> {text}"), "ts": ts, "channel": "C0ROOM", "event_ts": ts });
        let body = json!({
            "token": "x", "team_id": "T0TEAM", "api_app_id": "A0APP", "event": event, "type": "event_callback", "event_id": format!("EvChaos{name}"),
            "event_time": now(), "authorizations": [{ "team_id": "T0TEAM", "user_id": "U0BOT", "is_bot": true }],
        })
        .to_string();
        let mut url = self.url.clone();
        loop {
            let base = url.wait_for(Option::is_some).await?.clone().unwrap_or_default();
            let timestamp = now().to_string();
            let request = self
                .http
                .post(format!("{base}/api/v1/channels/slack/events"))
                .header("content-type", "application/json")
                .header("x-slack-signature", signature::sign(&SIGNING_SECRET.into(), &timestamp, body.as_bytes()))
                .header("x-slack-request-timestamp", timestamp)
                .body(body.clone());
            match request.send().await {
                Ok(response) => {
                    ensure!(response.status() == StatusCode::OK, "{}: {}", response.status(), response.text().await?);
                    return Ok(());
                }
                // Another process is another address.
                Err(_) => drop(url.wait_for(|url| url.as_ref() != Some(&base)).await?),
            }
        }
    }
}

async fn all_is_done(conn: &mut PgConnection) -> Result<()> {
    let open = "select exists (select from inbox where state = 'waiting') or exists (select from command where status in ('queued', 'running'))
                or exists (select from outbox where state = 'waiting')";
    until("what dead processes left is taken up", async || Ok(!sqlx::query_scalar::<_, bool>(open).fetch_one(&mut *conn).await?)).await
}

/// Each message made one task, is one command, and was answered once. How many answers came twice, as they may where the process
/// died between the platform's answer and our note of it.
async fn prove(conn: &mut PgConnection, slack: &FakeSlack, messages: usize) -> Result<usize> {
    let made: Vec<(String, i64)> = sqlx::query_as("select title, count(*) from task where title like 'chaos %' group by 1").fetch_all(&mut *conn).await?;
    ensure!(made.len() == messages, "{} of {messages} messages had an effect", made.len());
    ensure!(made.iter().all(|(_, count)| *count == 1), "some had two: {made:?}");
    let answers: Vec<(i64, i64)> = sqlx::query_as(
        "select count(*), count(*) filter (where o.state = 'sent') from command c left join outbox o using (command_id)
         where c.text like 'add \"chaos %' group by c.command_id",
    )
    .fetch_all(&mut *conn)
    .await?;
    ensure!(answers.len() == messages && answers.iter().all(|answer| *answer == (1, 1)), "not each is one command with one answer: {answers:?}");
    let mut read: HashMap<String, usize> = HashMap::new();
    for message in slack.messages() {
        if let Some((_, rest)) = message.text.split_once("chaos ") {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            *read.entry(number).or_default() += 1;
        }
    }
    ensure!(
        read.len() == messages,
        "{} of {messages} were answered where they were written: {:?}",
        read.len(),
        Value::from(read.keys().cloned().collect::<Vec<_>>())
    );
    Ok(read.values().filter(|count| **count > 1).count())
}

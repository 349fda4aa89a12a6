//! Commands come over every channel, each as often as it takes to be acknowledged, while the program dies: each has one effect and
//! one final answer.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::{SinkExt as _, StreamExt as _, future::try_join_all};
use patchbay_channels::{slack::signature, webhook::sign};
use patchbay_core::ids::{Context as _, System};
use patchbay_tests::{
    cluster::cluster,
    dns::Dns,
    dovecot::Dovecot,
    fake_discord::{self, FakeDiscord},
    fake_slack::{BOT_TOKEN, FakeSlack, SIGNING_SECRET, now},
    letter::Person,
    smtp::Smtp,
    until::until,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::sync::watch;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{people::Client, program::Program};

/// How many write at once.
const WRITERS: usize = 16;
/// A process dies after it has acknowledged about so many commands.
const ACKNOWLEDGED: u32 = 20;
/// Of one address only so many mails an hour are read.
const MAILS_EACH: usize = 40;
const PLAN: &str = "plan@patchbay.example";

/// The ways that a command comes: by turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Via {
    Slack,
    Discord,
    Mail,
    Webhook,
    Rest,
    Socket,
}

impl Via {
    const ALL: [Self; 6] = [Self::Slack, Self::Discord, Self::Mail, Self::Webhook, Self::Rest, Self::Socket];

    fn of(number: usize) -> Self {
        Self::ALL[number % Self::ALL.len()]
    }

    /// What the outbox calls it, where an answer goes out.
    const fn channel(self) -> Option<&'static str> {
        match self {
            Self::Slack => Some("slack"),
            Self::Discord => Some("discord"),
            Self::Mail => Some("email"),
            Self::Webhook | Self::Rest | Self::Socket => None,
        }
    }

    /// What a command of it says of where it was written.
    fn origin(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            // With a key, by whichever way.
            Self::Rest | Self::Socket => "api",
            Self::Slack | Self::Discord | Self::Mail => self.channel().unwrap_or_default(),
        }
    }
}

fn command(number: usize) -> String {
    format!("add \"chaos {number}.\" in WEB")
}

/// The platforms and servers that Patchbay speaks with; they live on.
struct World {
    slack: FakeSlack,
    discord: FakeDiscord,
    dovecot: Dovecot,
    smtp: Smtp,
    dns: Dns,
}

#[tokio::test]
async fn killed_while_commands_come_over_every_channel() -> Result<()> {
    let commands = std::env::var("CHAOS_MESSAGES").ok().map_or(Ok(60), |text| text.parse())?;
    let world = World {
        slack: FakeSlack::start().await?,
        discord: FakeDiscord::start().await?,
        dovecot: Dovecot::start().await?,
        smtp: Smtp::start(None).await?,
        dns: Dns::start().await?,
    };
    let mut program = Program::new(Some(Arc::new(cluster().await.database().await?)))?;
    program.setting("PATCHBAY_SLACK__SIGNING_SECRET", SIGNING_SECRET);
    program.setting("PATCHBAY_SLACK__BOT_TOKEN", BOT_TOKEN);
    program.setting("PATCHBAY_SLACK__API_URL", &world.slack.url);
    program.setting("PATCHBAY_DISCORD__PUBLIC_KEY", &world.discord.public_key());
    program.setting("PATCHBAY_DISCORD__TOKEN", fake_discord::TOKEN);
    program.setting("PATCHBAY_DISCORD__API_URL", &world.discord.url);
    program.setting("PATCHBAY_EMAIL__ADDRESS", PLAN);
    program.setting("PATCHBAY_EMAIL__IMAP_URL", &world.dovecot.url(PLAN));
    program.setting("PATCHBAY_EMAIL__SMTP_URL", &world.smtp.url());
    program.setting("PATCHBAY_EMAIL__DNS", &world.dns.address.to_string());
    let outcome = torment(&mut program, Arc::new(world), commands).await;
    outcome.with_context(|| format!("the program said:\n{}", program.said()))
}

async fn torment(program: &mut Program, world: Arc<World>, commands: usize) -> Result<()> {
    let begun = Instant::now();
    let mut rng = StdRng::seed_from_u64(7);
    program.spawn()?;
    program.ready().await?;
    let writer = Arc::new(Writer::introduced(program, world.clone(), commands).await?);
    let mut conn = program.superuser().await?.connect().await?;
    sqlx::query("set search_path to patchbay").execute(&mut conn).await?;

    let shares: Vec<Vec<usize>> = (0..WRITERS).map(|at| (at..commands).step_by(WRITERS).collect()).collect();
    let seeds: Vec<u64> = shares.iter().map(|_| rng.random()).collect();
    let mut acknowledged = writer.acknowledged.subscribe();
    let writers = shares.into_iter().zip(seeds).map(|(share, seed)| {
        let writer = writer.clone();
        async move { writer.write_all(share, seed).await }
    });
    let writing = tokio::spawn(try_join_all(writers));
    tokio::pin!(writing);
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
        time_passes(&mut conn).await?;
        program.spawn()?;
        program.ready().await?;
    }
    ensure!(kills > 0, "everything was acknowledged before the first kill: CHAOS_MESSAGES is too small for this machine");
    program.kill().await?;
    time_passes(&mut conn).await?;
    program.spawn()?;
    program.ready().await?;
    all_is_done(&mut conn, &world, commands).await?;
    let twice = prove(&mut conn, &world, commands).await?;
    world.slack.check()?;
    ensure!(program.run(&["verify"]).await?.contains("history and present agree"), "history and present do not agree");
    program.stop().await?;
    writeln!(
        std::io::stderr(),
        "{commands} commands over {} channels through {kills} kills in {:?}; {twice} answers came twice",
        Via::ALL.len(),
        begun.elapsed()
    )?;
    Ok(())
}

/// Half a minute passes: so long a dead process holds what it was working on, and the mailbox that it read.
async fn time_passes(conn: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(
        "update command set claimed_until = now() where claimed_until > now(); update job set leased_until = now() where leased_until > now();
         update mailbox set held_until = now() where held_until > now()",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes to Patchbay as people and platforms do: signed, and again until it is acknowledged.
struct Writer {
    world: Arc<World>,
    http: reqwest::Client,
    url: watch::Receiver<Option<String>>,
    acknowledged: watch::Sender<u32>,
    client: Client,
    /// What a WebSocket is opened with.
    key: String,
    /// Those who write mails.
    writers: Vec<Person>,
    /// Where the webhook delivers to, below the address, and what it signs with.
    hook: (String, String),
}

impl Writer {
    /// Makes what the commands need: a project, a source, and people whom Patchbay knows on every channel.
    async fn introduced(program: &Program, world: Arc<World>, commands: usize) -> Result<Self> {
        let key = program.key()?;
        let client = Client::new(key.clone(), program.url())?;
        let (status, project) = client.ask(Method::POST, "/projects", Some(&json!({ "title": "Website", "key": "WEB" })), Some("project")).await?;
        ensure!(status == StatusCode::CREATED, "{project}");
        for channel in ["slack", "discord", "email"] {
            let limits = json!({ "per_sender": 10_000, "per_channel": 100_000 });
            let (status, set) = client.ask(Method::PATCH, &format!("/channels/{channel}"), Some(&limits), None).await?;
            ensure!(status == StatusCode::OK, "{set}");
        }
        let source = json!({ "name": "Desk", "kind": "standard", "project": "WEB", "makes": "command", "template": "add {{ payload.title }} in WEB" });
        let (status, source) = client.ask(Method::POST, "/webhooks/sources", Some(&source), Some("source")).await?;
        ensure!(status == StatusCode::CREATED, "{source}");
        let url = source["url"].as_str().and_then(|url| url.split_once("/api/v1")).context("a source has an address")?.1.to_owned();
        let secret = source["secret"].as_str().context("a source has a secret")?.to_owned();
        let mails = commands.div_ceil(Via::ALL.len());
        let writers: Vec<Person> =
            (0..mails.div_ceil(MAILS_EACH)).map(|at| Person::new(&world.dns, &format!("ana@desk{at}.example"), PLAN)).collect::<Result<_>>()?;
        let writer =
            Self { http: reqwest::Client::new(), url: program.url(), acknowledged: watch::Sender::new(0), client, key, writers, hook: (url, secret), world };
        writer.slack("link", &writer.code().await?).await?;
        writer.world.slack.message("who it is in Slack", |message| message.text.contains("You are")).await?;
        writer.discord(&writer.code().await?).await?;
        writer.world.discord.message("who it is on Discord", |message| message.text.contains("You are")).await?;
        for person in &writer.writers {
            writer.world.dovecot.deliver(PLAN, &person.signed(&person.letter(&writer.code().await?, ""))?)?;
            let address = person.address.clone();
            writer.world.smtp.wait("who it is by mail", move |sent| sent.to.contains(&address) && sent.text().contains("You are")).await?;
        }
        Ok(writer)
    }

    /// `link K7PM-2QXW`
    async fn code(&self) -> Result<String> {
        let (_, code) = self.client.ask(Method::POST, "/identities/codes", Some(&json!({})), None).await?;
        Ok(format!("link {}", code["code"].as_str().context("a code")?))
    }

    async fn write_all(&self, share: Vec<usize>, seed: u64) -> Result<()> {
        let mut rng = StdRng::seed_from_u64(seed);
        for number in share {
            // What was acknowledged may come again all the same.
            let times = rng.random_range(1..=3);
            self.write(number, times).await.with_context(|| format!("{:?} {number}", Via::of(number)))?;
            self.acknowledged.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    async fn write(&self, number: usize, times: usize) -> Result<()> {
        let text = command(number);
        match Via::of(number) {
            Via::Slack => {
                for _ in 0..times {
                    self.slack(&number.to_string(), &text).await?;
                }
            }
            Via::Discord => {
                let person = self.world.discord.person("53908232506183680", "Ana", "645027906669510667");
                let (body, token) = person.slash(&text);
                for _ in 0..times {
                    let answer = self.insist(|base| self.world.discord.request(base, &body)).await?;
                    person.answered(&token, &answer.json().await?)?;
                }
            }
            Via::Mail => {
                let person = &self.writers[number / Via::ALL.len() / MAILS_EACH];
                let raw = person.signed(&person.letter(&text, ""))?;
                for _ in 0..times {
                    self.world.dovecot.deliver(PLAN, &raw)?;
                }
            }
            Via::Webhook => {
                let body = json!({ "title": format!("chaos {number}.") }).to_string();
                let (path, secret) = &self.hook;
                for _ in 0..times {
                    let headers = sign::headers(&format!("msg_{number}"), System::default().now(), &body, &[secret.as_str().into()])?;
                    self.insist(|base| self.http.post(format!("{base}/api/v1{path}")).headers(headers.clone()).body(body.clone())).await?;
                }
            }
            Via::Rest => {
                for _ in 0..times {
                    let body = json!({ "text": text, "project": "WEB" });
                    let (status, answer) = self.client.ask(Method::POST, "/commands", Some(&body), Some(&format!("chaos {number}"))).await?;
                    ensure!(status.is_success(), "{status}: {answer}");
                }
            }
            Via::Socket => {
                for time in 0..times {
                    self.over_socket(&format!("chaos {number}"), &text, time > 0).await?;
                }
            }
        }
        Ok(())
    }

    /// Sends a message under the client's name for it until it is acknowledged; over a connection of its own, and where it is lost over another. Once more
    /// over one that is lost at once: nobody then knows whether it was heard.
    async fn over_socket(&self, id: &str, text: &str, and_lost: bool) -> Result<()> {
        let frame = json!({ "type": "command", "id": id, "text": text, "project": "WEB" }).to_string();
        let mut url = self.url.clone();
        let mut is_to_be_lost = and_lost;
        loop {
            let base = url.wait_for(Option::is_some).await?.clone().unwrap_or_default();
            let mut request = format!("{}/api/v1/ws", base.replacen("http", "ws", 1)).into_client_request()?;
            request.headers_mut().insert("authorization", format!("Bearer {}", self.key).parse()?);
            let heard: Option<Value> = async {
                let (mut socket, _) = connect_async(request).await.ok()?;
                socket.send(Message::text(frame.clone())).await.ok()?;
                if std::mem::take(&mut is_to_be_lost) {
                    return None;
                }
                loop {
                    if let Message::Text(said) = socket.next().await?.ok()? {
                        return serde_json::from_str(&said).ok();
                    }
                }
            }
            .await;
            match heard {
                Some(said) if said["type"] == "ack" && said["id"] == id => return Ok(()),
                // "Come back later" is no acknowledgement.
                Some(said) => ensure!(said["problem"]["status"] == 503, "{said}"),
                None => tokio::task::yield_now().await,
            }
        }
    }

    async fn discord(&self, text: &str) -> Result<()> {
        let person = self.world.discord.person("53908232506183680", "Ana", "645027906669510667");
        let (body, token) = person.slash(text);
        let answer = self.insist(|base| self.world.discord.request(base, &body)).await?;
        person.answered(&token, &answer.json().await?)
    }

    async fn slack(&self, name: &str, text: &str) -> Result<()> {
        let ts = format!("1700000001.{:06}", name.parse::<u32>().unwrap_or(999_999));
        let event = json!({ "type": "app_mention", "user": "U0ANA", "text": format!("<@U0BOT> {text}"), "ts": ts, "channel": "C0ROOM", "event_ts": ts });
        let body = json!({
            "token": "x", "team_id": "T0TEAM", "api_app_id": "A0APP", "event": event, "type": "event_callback", "event_id": format!("EvChaos{name}"),
            "event_time": now(), "authorizations": [{ "team_id": "T0TEAM", "user_id": "U0BOT", "is_bot": true }],
        })
        .to_string();
        let _ = self.world.slack.person("U0ANA", "C0ROOM");
        let request = |base: &str| {
            let timestamp = now().to_string();
            let request = self.http.post(format!("{base}/api/v1/channels/slack/events")).header("content-type", "application/json");
            let request = request.header("x-slack-signature", signature::sign(&SIGNING_SECRET.into(), &timestamp, body.as_bytes()));
            request.header("x-slack-request-timestamp", timestamp).body(body.clone())
        };
        self.insist(request).await.map(drop)
    }

    /// Sends a request until it is answered, by whichever process.
    async fn insist(&self, request: impl Fn(&str) -> RequestBuilder) -> Result<Response> {
        let mut url = self.url.clone();
        loop {
            let base = url.wait_for(Option::is_some).await?.clone().unwrap_or_default();
            match request(&base).send().await {
                // "Come back later" is no acknowledgement.
                Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => tokio::task::yield_now().await,
                Ok(response) => {
                    ensure!(response.status().is_success(), "{}: {}", response.status(), response.text().await?);
                    return Ok(response);
                }
                // Another process is another address.
                Err(_) => drop(url.wait_for(|url| url.as_ref() != Some(&base)).await?),
            }
        }
    }
}

async fn all_is_done(conn: &mut PgConnection, world: &World, commands: usize) -> Result<()> {
    let open = "select exists (select from inbox where state = 'waiting') or exists (select from command where status in ('queued', 'running'))
                or exists (select from outbox where state = 'waiting') or exists (select from webhook_delivery where outcome = 'waiting')";
    let commands = i64::try_from(commands)?;
    until("what dead processes left is taken up", async || {
        let is_read = world.dovecot.seen(PLAN)?.1 == 0;
        let there: i64 = sqlx::query_scalar("select count(*) from command where text like 'add \"chaos %'").fetch_one(&mut *conn).await?;
        Ok(is_read && there >= commands && !sqlx::query_scalar::<_, bool>(open).fetch_one(&mut *conn).await?)
    })
    .await
}

/// Each command made one task, is one command, and was answered once. How many answers came twice, as they may where the process died
/// between the platform's answer and our note of it.
async fn prove(conn: &mut PgConnection, world: &World, commands: usize) -> Result<usize> {
    let made: Vec<(String, i64)> = sqlx::query_as("select title, count(*) from task where title like 'chaos %' group by 1").fetch_all(&mut *conn).await?;
    let of = |via: Via| (0..commands).filter(|number| Via::of(*number) == via).count();
    ensure!(made.len() == commands, "{} of {commands} commands had an effect", made.len());
    ensure!(made.iter().all(|(_, count)| *count == 1), "some had two: {made:?}");
    let answers: Vec<(String, i64, i64, i64)> = sqlx::query_as(
        "select c.origin, count(o.message_id), count(*) filter (where o.state = 'sent'), count(*) filter (where c.status = 'done' and c.reply is not null)
         from command c left join outbox o using (command_id) where c.text like 'add \"chaos %' group by c.command_id, c.origin",
    )
    .fetch_all(&mut *conn)
    .await?;
    ensure!(answers.len() == commands, "{} commands for {commands}", answers.len());
    for via in Via::ALL {
        let sent = i64::from(via.channel().is_some());
        let ended: Vec<_> = answers.iter().filter(|answer| answer.0 == via.origin()).collect();
        let came: usize = Via::ALL.into_iter().filter(|other| other.origin() == via.origin()).map(of).sum();
        ensure!(ended.len() == came, "{} of {came} commands came as by {via:?}", ended.len());
        ensure!(ended.iter().all(|answer| (answer.1, answer.2, answer.3) == (sent, sent, 1)), "{via:?}: not each is one command with one answer: {ended:?}");
    }
    let mut read: BTreeMap<usize, usize> = BTreeMap::new();
    let texts = world.slack.messages().into_iter().map(|message| message.text).chain(world.discord.messages().into_iter().map(|message| message.text));
    let mails = world.smtp.sent().into_iter().filter_map(|sent| sent.header("Subject"));
    for text in texts.chain(mails) {
        if let Some((_, rest)) = text.split_once("chaos ") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            *read.entry(digits.parse()?).or_default() += 1;
        }
    }
    let silent: Vec<usize> = (0..commands).filter(|number| Via::of(*number).channel().is_some() && !read.contains_key(number)).collect();
    ensure!(silent.is_empty(), "these were not answered where they were written: {:?}", Value::from(silent));
    Ok(read.values().filter(|count| **count > 1).count())
}

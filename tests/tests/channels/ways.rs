//! The script where there are no buttons: by mail, over REST and the WebSocket, and from a webhook.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, ensure};
use futures::{SinkExt as _, StreamExt as _};
use patchbay_channels::webhook::sign;
use patchbay_core::ids::{Context as _, System};
use patchbay_tests::{letter::Person, service::Running, smtp::Sent, world::World};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::script::{self, Shows, Way};

/// What is known of people by their names.
struct Known<T>(Mutex<HashMap<String, T>>);

impl<T: Clone> Known<T> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn note(&self, who: &str, what: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(who.to_owned(), what);
    }

    fn of(&self, who: &str) -> Result<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(who).cloned().with_context(|| format!("{who} is known"))
    }
}

/// People who write mails.
struct ByMail<'w> {
    world: &'w World,
    people: Known<Arc<Person>>,
    /// The last mail that somebody was sent in the thread.
    thread: Known<Sent>,
}

fn read(sent: &Sent) -> String {
    sent.text().replace("=\r\n", "")
}

impl ByMail<'_> {
    async fn answer(&self, who: &str, to: &Sent, text: &str) -> Result<Sent> {
        let person = self.people.of(who)?;
        let sent = self.world.answered(&person, &person.reply(to, text)).await?;
        self.thread.note(who, sent.clone());
        Ok(sent)
    }
}

impl Way for ByMail<'_> {
    type By = Sent;

    async fn join(&self, _: &Running, who: &str, key: &str) -> Result<()> {
        let person = self.world.known(&format!("{who}@{who}.example"), key).await?;
        self.people.note(who, Arc::new(person));
        Ok(())
    }

    async fn tell(&self, who: &str, text: &str, expected: &str) -> Result<()> {
        let person = self.people.of(who)?;
        let sent = self.world.answered(&person, &person.letter(text, "")).await?;
        ensure!(read(&sent).contains(expected), "{}", read(&sent));
        self.thread.note(who, sent);
        Ok(())
    }

    async fn propose(&self, who: &str, text: &str) -> Result<Shows<Sent>> {
        let sent = self.answer(who, &self.thread.of(who)?, text).await?;
        Ok(Shows { text: read(&sent), by: sent })
    }

    async fn refine(&self, who: &str, shown: &Shows<Sent>, text: &str) -> Result<Shows<Sent>> {
        let refined = self.answer(who, &shown.by, text).await?;
        // The mail before shows what is no longer proposed: it decides nothing.
        let stale = self.answer(who, &shown.by, "accept 1").await?;
        ensure!(!read(&stale).contains("is at version"), "{}", read(&stale));
        Ok(Shows { text: read(&refined), by: refined })
    }

    async fn accept_first(&self, who: &str, _: &Shows<Sent>) -> Result<()> {
        // A mail that asks somebody else is no mail to decide by.
        let person = self.people.of(who)?;
        let asked = self.world.answered(&person, &person.letter("review #1", "")).await?;
        let told = self.answer(who, &asked, "accept 1\n\nThanks!").await?;
        ensure!(read(&told).contains("Accepted 1 of 2"), "{}", read(&told));
        Ok(())
    }

    async fn be_late(&self, who: &str, shown: &Shows<Sent>, verb: &str) -> Result<String> {
        Ok(read(&self.answer(who, &shown.by, &format!("{verb} #1")).await?))
    }
}

#[tokio::test]
async fn a_plan_is_made_and_reviewed_by_mail() -> Result<()> {
    let mut world = World::start().await?;
    script::a_plan_is_made_and_reviewed(&world.patchbay, &ByMail { world: &world, people: Known::new(), thread: Known::new() }).await?;
    world.patchbay.end().await
}

/// What a proposal is, to be read where a channel answers in words alone.
async fn shown(patchbay: &Running, command: &Value) -> Result<Shows<i64>> {
    let number = command["proposal"].as_i64().with_context(|| format!("a proposal: {command}"))?;
    let (_, proposal) = patchbay.get(&format!("/proposals/{number}")).await?;
    Ok(Shows { text: proposal["operations"].to_string(), by: number })
}

/// People who send commands as requests.
struct OverRest<'p> {
    patchbay: &'p Running,
    keys: Known<String>,
}

impl<'p> OverRest<'p> {
    fn new(patchbay: &'p Running) -> Self {
        Self { patchbay, keys: Known::new() }
    }

    async fn ask(&self, who: &str, text: &str, project: Option<&str>) -> Result<Value> {
        let body = json!({ "text": text, "project": project });
        let (status, command) = self.patchbay.send(Some(&self.keys.of(who)?), Method::POST, "/commands", Some(&body), &[("prefer", "wait=20")]).await?;
        ensure!(status.is_success(), "{status}: {command}");
        Ok(command)
    }
}

fn answer(command: &Value) -> String {
    command["reply"]["text"].as_str().unwrap_or_default().to_owned()
}

impl Way for OverRest<'_> {
    type By = i64;

    async fn join(&self, _: &Running, who: &str, key: &str) -> Result<()> {
        self.keys.note(who, key.to_owned());
        Ok(())
    }

    async fn tell(&self, who: &str, text: &str, expected: &str) -> Result<()> {
        let command = self.ask(who, text, None).await?;
        ensure!(answer(&command).contains(expected), "{command}");
        Ok(())
    }

    async fn propose(&self, who: &str, text: &str) -> Result<Shows<i64>> {
        shown(self.patchbay, &self.ask(who, text, Some("WEB")).await?).await
    }

    async fn refine(&self, who: &str, before: &Shows<i64>, text: &str) -> Result<Shows<i64>> {
        shown(self.patchbay, &self.ask(who, &format!("edit #{} {text}", before.by), Some("WEB")).await?).await
    }

    async fn accept_first(&self, who: &str, shown: &Shows<i64>) -> Result<()> {
        // What was shown to somebody else is looked at before it is accepted.
        self.ask(who, &format!("review #{}", shown.by), None).await?;
        let command = self.ask(who, &format!("accept #{} 1", shown.by), None).await?;
        ensure!(answer(&command).contains("Accepted 1 of 2"), "{command}");
        Ok(())
    }

    async fn be_late(&self, who: &str, shown: &Shows<i64>, verb: &str) -> Result<String> {
        Ok(answer(&self.ask(who, &format!("{verb} #{}", shown.by), None).await?))
    }
}

#[tokio::test]
async fn a_plan_is_made_and_reviewed_over_rest() -> Result<()> {
    let mut patchbay = Running::start().await?;
    script::a_plan_is_made_and_reviewed(&patchbay, &OverRest::new(&patchbay)).await?;
    patchbay.end().await
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// People who keep a WebSocket open.
struct OverSocket<'p> {
    patchbay: &'p Running,
    sockets: Known<Arc<tokio::sync::Mutex<Socket>>>,
    sent: Mutex<u32>,
}

impl OverSocket<'_> {
    /// Says something over somebody's socket and waits for the reply to it.
    async fn ask(&self, who: &str, text: &str, project: Option<&str>) -> Result<Value> {
        let socket = self.sockets.of(who)?;
        let mut socket = socket.lock().await;
        let id = {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            *sent += 1;
            format!("{who}.{sent}")
        };
        socket.send(Message::text(json!({ "type": "command", "id": id, "text": text, "project": project }).to_string())).await?;
        loop {
            let message = socket.next().await.context("the socket stays open")??;
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text)?;
            ensure!(frame["type"] != "error", "{frame}");
            if frame["type"] == "reply" && frame["id"] == id.as_str() {
                return Ok(frame["command"].clone());
            }
        }
    }
}

impl Way for OverSocket<'_> {
    type By = i64;

    async fn join(&self, patchbay: &Running, who: &str, key: &str) -> Result<()> {
        let mut request = format!("{}/api/v1/ws", patchbay.url.replacen("http", "ws", 1)).into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse()?);
        let (socket, _) = connect_async(request).await?;
        self.sockets.note(who, Arc::new(tokio::sync::Mutex::new(socket)));
        Ok(())
    }

    async fn tell(&self, who: &str, text: &str, expected: &str) -> Result<()> {
        let command = self.ask(who, text, None).await?;
        ensure!(answer(&command).contains(expected), "{command}");
        Ok(())
    }

    async fn propose(&self, who: &str, text: &str) -> Result<Shows<i64>> {
        shown(self.patchbay, &self.ask(who, text, Some("WEB")).await?).await
    }

    async fn refine(&self, who: &str, before: &Shows<i64>, text: &str) -> Result<Shows<i64>> {
        shown(self.patchbay, &self.ask(who, &format!("edit #{} {text}", before.by), Some("WEB")).await?).await
    }

    async fn accept_first(&self, who: &str, shown: &Shows<i64>) -> Result<()> {
        // What was shown to somebody else is looked at before it is accepted.
        self.ask(who, &format!("review #{}", shown.by), None).await?;
        let command = self.ask(who, &format!("accept #{} 1", shown.by), None).await?;
        ensure!(answer(&command).contains("Accepted 1 of 2"), "{command}");
        Ok(())
    }

    async fn be_late(&self, who: &str, shown: &Shows<i64>, verb: &str) -> Result<String> {
        Ok(answer(&self.ask(who, &format!("{verb} #{}", shown.by), None).await?))
    }
}

#[tokio::test]
async fn a_plan_is_made_and_reviewed_over_the_websocket() -> Result<()> {
    let mut patchbay = Running::start().await?;
    script::a_plan_is_made_and_reviewed(&patchbay, &OverSocket { patchbay: &patchbay, sockets: Known::new(), sent: Mutex::default() }).await?;
    patchbay.end().await
}

/// A program that tells of things by a webhook. It can only propose: the project it proposes for is made, and what it proposed is
/// reviewed, over REST.
struct FromWebhook<'p> {
    rest: OverRest<'p>,
    source: Known<Value>,
}

impl Way for FromWebhook<'_> {
    type By = i64;

    async fn join(&self, patchbay: &Running, who: &str, key: &str) -> Result<()> {
        self.rest.join(patchbay, who, key).await
    }

    async fn tell(&self, who: &str, text: &str, expected: &str) -> Result<()> {
        self.rest.tell(who, text, expected).await?;
        let body = json!({ "name": "Desk", "kind": "standard", "project": "WEB", "template": "{% for task in payload.tasks %}\n- {{ task }}\n{% endfor %}" });
        let (status, source) = self.rest.patchbay.post("/webhooks/sources", &body).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {source}");
        self.source.note("source", source);
        Ok(())
    }

    async fn propose(&self, _: &str, text: &str) -> Result<Shows<i64>> {
        let source = self.source.of("source")?;
        let (url, secret) = (source["url"].as_str().context("an address")?, source["secret"].as_str().context("a secret")?);
        // What a payload says stays a value: the list is the template's.
        let tasks: Vec<&str> = text.lines().map(|line| line.trim_start_matches("- ")).collect();
        let body = json!({ "tasks": tasks }).to_string();
        let headers = sign::headers("msg_1", System::default().now(), &body, &[secret.into()])?;
        // What is delivered again is the same.
        for _ in 0..2 {
            let response = reqwest::Client::new().post(url).headers(headers.clone()).body(body.clone()).send().await?;
            ensure!(response.status() == StatusCode::ACCEPTED, "{}", response.status());
        }
        let proposals = self.rest.patchbay.until("/proposals", |all| all["data"].as_array().is_some_and(|all| !all.is_empty())).await?;
        assert_eq!(proposals["data"][0]["trust"], "untrusted", "{proposals}");
        shown(self.rest.patchbay, &json!({ "proposal": proposals["data"][0]["number"] })).await
    }

    async fn refine(&self, who: &str, before: &Shows<i64>, text: &str) -> Result<Shows<i64>> {
        self.rest.refine(who, before, text).await
    }

    async fn accept_first(&self, who: &str, shown: &Shows<i64>) -> Result<()> {
        self.rest.accept_first(who, shown).await
    }

    async fn be_late(&self, who: &str, shown: &Shows<i64>, verb: &str) -> Result<String> {
        self.rest.be_late(who, shown, verb).await
    }
}

#[tokio::test]
async fn a_plan_that_a_webhook_proposes_is_reviewed_over_rest() -> Result<()> {
    let mut patchbay = Running::start_with(|settings| settings.webhooks.allow_private = true).await?;
    script::a_plan_is_made_and_reviewed(&patchbay, &FromWebhook { rest: OverRest::new(&patchbay), source: Known::new() }).await?;
    patchbay.end().await
}

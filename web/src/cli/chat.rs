//! `patchbay chat`: plan in the terminal.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use patchbay_channels::{
    hub::{About, Hub, Incoming, News, SubmitError},
    render,
};
use patchbay_core::{
    command::{self, Command, Status},
    ids::CommandId,
    review,
    tenancy::Actor,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::broadcast::error::RecvError,
};

use super::look;
use crate::{
    app::App,
    service::{self, Beside, Data, Service},
    settings::Settings,
};

pub(super) async fn chat(settings: &Settings, project: Option<&str>) -> Result<()> {
    let data = Data::open(settings, Beside::Shared).await?;
    let ctx: Arc<dyn patchbay_core::ids::Context> = Arc::new(patchbay_core::ids::System::default());
    let url = crate::address::url(settings);
    let service = Service::start(settings, ctx.clone(), data, url).await?;
    service::ensure_first(&service.app.db, ctx.as_ref(), &settings.data.dir).await?;
    let actor = service::owner(&service.app.db).await?;
    let mut chat = Chat::new(&service.app, actor, project);
    let done = chat.talk().await;
    service.end().await;
    done
}

pub(super) struct Chat {
    hub: Hub,
    actor: Actor,
    project: Option<String>,
    /// The open proposal, which bare numbers accept.
    proposal: Option<i32>,
}

impl Chat {
    pub(super) fn new(app: &App, actor: Actor, project: Option<&str>) -> Self {
        Self { hub: app.hub.clone(), actor, project: project.map(str::to_owned), proposal: None }
    }

    async fn talk(&mut self) -> Result<()> {
        let is_person = std::io::stdin().is_terminal();
        if is_person {
            look::say(&format!("{} Write what you want to achieve, or `help`. Ctrl-D leaves.", look::bold("Patchbay.")));
        }
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        loop {
            if is_person {
                look::part(&format!("\n{} ", look::bold(&format!("{}>", self.project.as_deref().unwrap_or("new")))));
            }
            let Some(line) = lines.next_line().await.context("the terminal cannot be read")? else { return Ok(()) };
            let line = line.trim();
            if matches!(line, "exit" | "quit") {
                return Ok(());
            }
            if !line.is_empty() {
                self.say(&self.meant(line)).await?;
            }
        }
    }

    /// Bare numbers are the operations to accept.
    fn meant(&self, line: &str) -> String {
        match self.proposal {
            Some(number) if line.bytes().all(|byte| byte.is_ascii_digit() || b" ,-".contains(&byte)) && line.bytes().any(|byte| byte.is_ascii_digit()) => {
                format!("accept #{number} {}", line.split_whitespace().collect::<Vec<_>>().join(","))
            }
            _ => line.to_owned(),
        }
    }

    /// Sends a message, shows how far it is, and prints what came of it. Whether it was done.
    pub(super) async fn say(&mut self, text: &str) -> Result<bool> {
        let mut progress = self.hub.progress();
        let about = About { project: self.project.clone(), ..About::default() };
        let incoming = Incoming { text: text.to_owned(), about, client_id: None, origin: "terminal", attached: Vec::new() };
        let ticket = match self.hub.submit(&self.actor, incoming).await {
            Ok(ticket) => ticket,
            Err(SubmitError::Database(error)) => return Err(error.into()),
            Err(SubmitError::TooMany(over)) => {
                look::error(&format!("{}: wait {} seconds", over.limit, over.wait.as_secs()));
                return Ok(false);
            }
            Err(error) => {
                look::error(&error.to_string());
                self.project = None;
                return Ok(false);
            }
        };
        let id = ticket.id;
        let mut over = std::pin::pin!(ticket.finished(Duration::from_hours(1)));
        loop {
            tokio::select! {
                _ = &mut over => break,
                news = progress.recv() => match news {
                    Ok(news) if news.command == id => show(&news.news),
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
                _ = tokio::signal::ctrl_c() => self.hub.cancel(id),
            }
        }
        self.outcome(id).await
    }

    async fn outcome(&mut self, id: CommandId) -> Result<bool> {
        let mut tx = self.hub.db.begin(self.actor.organization).await?;
        let command: Command = command::store::find(&mut tx, id).await?.context("the message is gone")?;
        let mut is_open = false;
        if let Some(number) = command.proposal {
            let proposal = review::store::find(&mut tx, number).await?.context("the proposal is gone")?;
            is_open = proposal.state == review::State::Open;
            if is_open {
                let revision = review::store::revision(&mut tx, proposal.id, proposal.revision).await?;
                look::say("");
                look::part(&render::terminal(&revision.diff, look::has_colour(), look::width()));
            }
            self.proposal = is_open.then_some(number);
        }
        tx.rollback().await?;
        if command.project_key.is_some() {
            self.project.clone_from(&command.project_key);
        }
        if let Some(reply) = &command.reply {
            look::say("");
            look::say(&render::reply(&reply.text, look::width()));
            if let Some(receipt) = &reply.receipt {
                look::say(&look::faint(&format!("Receipt {receipt}")));
            }
            let actions: Vec<String> = reply.actions.iter().map(|action| action.command.clone()).collect();
            if is_open {
                look::say(&look::faint("`accept`, numbers such as `1 3`, `reject why`, or say what should be different"));
            } else if !actions.is_empty() {
                look::say(&look::faint(&actions.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join("  ")));
            }
        }
        Ok(command.status == Status::Done)
    }
}

fn show(news: &News) {
    match news {
        News::Operation(entry) => {
            let sign = match entry.op {
                patchbay_core::patch::diff::Op::Create => "+",
                patchbay_core::patch::diff::Op::Update => "~",
                patchbay_core::patch::diff::Op::Delete => "-",
            };
            look::say(&look::faint(&format!("{}{sign} {}", "  ".repeat(entry.depth), render::escape::line(&entry.title))));
        }
        News::StartedOver => look::say(&look::faint("… that did not fit; once more")),
        News::Text(text) => look::part(&look::faint(&render::escape::line(text))),
        News::Finished => {}
    }
}

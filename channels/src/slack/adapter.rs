//! What goes out to Slack: messages where they were asked for, edited when their proposal becomes something else.
//!
//! How fast: about one message a second in a room, with short bursts; edits and what one person sees by their methods' tiers, in a workspace.
//! <https://docs.slack.dev/apis/web-api/rate-limits>

use std::{num::NonZeroU32, time::Duration};

use async_trait::async_trait;
use governor::Quota;
use patchbay_core::{channel::Channel, command::Reply, ids::OrganizationId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    client::{Client, Failure},
    decode::{Address, Around},
    thread,
    workspaces::Workspaces,
};
use crate::{
    adapter::{Adapter, Delivered, Delivery, Direct, Shows, Thread, Undelivered, Unread},
    pace::Pace,
    render::slack::{self, reply},
};

/// Messages of a room, in a second and at once.
const POSTS: (u32, u32) = (1, 5);
/// Edits of a workspace, in a minute and at once; and those of them that say how far we are, so that answers have room.
const EDITS: (u32, u32) = (40, 10);
const WORKING: (u32, u32) = (25, 8);
/// Messages for one person's eyes in a workspace, in a minute and at once.
const WHISPERS: (u32, u32) = (100, 20);
/// Pages of threads in a workspace, in a minute and at once.
const READS: (u32, u32) = (40, 10);

/// Speaks in Slack.
pub struct Speaker {
    workspaces: Workspaces,
    posts: Pace,
    edits: Pace,
    working: Pace,
    whispers: Pace,
    reads: Pace,
}

/// What Slack calls a message of ours: several where it is long, none where only one person saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    channel: String,
    ts: Vec<String>,
    /// How many pages are as they are to be, while it is being brought there.
    #[serde(default)]
    at: usize,
}

/// Why a page does not stand there.
enum Stop {
    NotYet(Duration),
    Failed(Failure),
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn a_minute((count, burst): (u32, u32)) -> Pace {
    Pace::new(Quota::per_minute(number(count)).allow_burst(number(burst)))
}

impl Speaker {
    pub fn new(workspaces: Workspaces) -> Self {
        let posts = Pace::new(Quota::per_second(number(POSTS.0)).allow_burst(number(POSTS.1)));
        Self { workspaces, posts, edits: a_minute(EDITS), working: a_minute(WORKING), whispers: a_minute(WHISPERS), reads: a_minute(READS) }
    }
}

#[async_trait]
impl Adapter for Speaker {
    fn channel(&self) -> Channel {
        Channel::Slack
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> Result<Delivered, Undelivered> {
        let never = |error: serde_json::Error| Undelivered::Never { why: format!("an address that is not ours: {error}") };
        let address: Address = serde_json::from_value(delivery.address.clone()).map_err(never)?;
        let sent: Option<Sent> = delivery.sent.map(|sent| serde_json::from_value(sent.clone())).transpose().map_err(never)?;
        let client = self.workspaces.client(delivery.organization, &address.team).await.map_err(undelivered)?;
        if matches!(delivery.shows, Shows::Working) {
            return self.work(&client, &address, sent, delivery.reply).await.map_err(undelivered);
        }
        if sent.as_ref().is_some_and(|sent| sent.ts.is_empty() && !delivery.is_begun) {
            // What one person saw, or the room by an answer to what was said, stays as it is.
            return Ok(Delivered::Whole(json!(sent)));
        }
        let mut sent = sent.unwrap_or_default();
        if !delivery.is_begun {
            sent.at = 0;
        }
        let messages = messages(delivery.reply, &delivery.shows);
        let is_for_one = delivery.is_private || address.is_private && matches!(delivery.shows, Shows::Nothing);
        // Between two people nobody else reads it.
        let has_others = address.response_url.is_some() || address.channel.as_deref().is_some_and(|channel| !channel.starts_with('D'));
        let page = Page { client: &client, address: &address, is_for_one: is_for_one && has_others && sent.ts.is_empty(), was_working: delivery.was_working };
        match self.page(&page, &mut sent, &messages).await {
            Ok(()) if sent.at < messages.len() || sent.ts.len() > messages.len() => Ok(Delivered::Part(json!(sent))),
            Ok(()) => Ok(Delivered::Whole(json!(Sent { at: 0, ..sent }))),
            Err(Stop::NotYet(after)) => Err(Undelivered::NotYet { after }),
            Err(Stop::Failed(failure)) => Err(undelivered(failure)),
        }
    }

    async fn thread(&self, organization: OrganizationId, around: &Value) -> Result<Thread, Unread> {
        let around: Around =
            serde_json::from_value(around.clone()).map_err(|error| Unread::Never { why: format!("it is named by nothing of ours ({error})") })?;
        let client = self.workspaces.client(organization, &around.team).await.map_err(thread::unread)?;
        thread::read(&client, &self.reads, &around).await
    }

    fn direct(&self, external_id: &str, _: &str) -> Direct {
        // Names in our books begin with the workspace.
        let (team, user) = external_id.split_once('.').unwrap_or(("", external_id));
        let address = Address { team: team.to_owned(), channel: None, thread: None, user: user.to_owned(), response_url: None, is_private: false };
        Direct { thread: format!("direct/{external_id}"), address: json!(address) }
    }
}

/// What a page is sent with.
struct Page<'a> {
    client: &'a Client,
    address: &'a Address,
    is_for_one: bool,
    was_working: bool,
}

impl Speaker {
    /// Brings one page more to what it is to be, and takes back what is too much; `sent` says what stands there then.
    async fn page(&self, page: &Page<'_>, sent: &mut Sent, messages: &[Value]) -> Result<(), Stop> {
        let Page { client, address, .. } = page;
        let Some(message) = messages.get(sent.at) else {
            if let Some(ts) = sent.ts.last().cloned() {
                is_gone(turn(&self.edits, &address.team, client.delete(&sent.channel, &ts)).await)?;
                sent.ts.pop();
            }
            return Ok(());
        };
        if let Some(ts) = sent.ts.get(sent.at) {
            let is_gone = is_gone(turn(&self.edits, &address.team, client.update(&sent.channel, ts, message)).await)?;
            if !(is_gone && page.was_working && sent.at == 0) {
                sent.at += 1;
                return Ok(());
            }
            // Nobody saw more of it than that it is worked on.
            *sent = Sent::default();
        }
        if page.is_for_one {
            turn(&self.whispers, &address.team, whisper(client, address, message)).await?;
        } else {
            self.post(client, address, sent, message).await?;
        }
        sent.at += 1;
        Ok(())
    }

    async fn post(&self, client: &Client, address: &Address, sent: &mut Sent, message: &Value) -> Result<(), Stop> {
        let to = address.channel.as_deref().unwrap_or(&address.user);
        match turn(&self.posts, &room(address), client.post(to, address.thread.as_deref(), message)).await {
            Ok((channel, ts)) => {
                sent.channel = channel;
                sent.ts.push(ts);
                Ok(())
            }
            // Where we are no member, what was said to us can still be answered.
            Err(Stop::Failed(Failure::Refused { code })) if sent.ts.is_empty() && is_shut(&code) => match &address.response_url {
                Some(url) => client.respond(url, false, message).await.map_err(Stop::Failed),
                None => Err(Stop::Failed(Failure::Refused { code })),
            },
            Err(stop) => Err(stop),
        }
    }

    /// Says how far we are, where everybody sees it and it can be edited; what has no turn now is said the next time.
    async fn work(&self, client: &Client, address: &Address, sent: Option<Sent>, words: &Reply) -> Result<Delivered, Failure> {
        let messages = reply::messages(words);
        let (false, Some(message)) = (address.is_private, messages.first()) else { return Ok(Delivered::Nothing) };
        let said = if let Some((sent, ts)) = sent.as_ref().and_then(|sent| Some((sent, sent.ts.first()?))) {
            if self.working.take(&address.team).is_err() {
                return Ok(Delivered::Nothing);
            }
            let edited = turn(&self.edits, &address.team, client.update(&sent.channel, ts, message)).await;
            is_gone(edited).map(|_| sent.clone())
        } else {
            let to = address.channel.as_deref().unwrap_or(&address.user);
            let posted = turn(&self.posts, &room(address), client.post(to, address.thread.as_deref(), message)).await;
            posted.map(|(channel, ts)| Sent { channel, ts: vec![ts], at: 0 })
        };
        match said {
            Ok(sent) => Ok(Delivered::Whole(json!(sent))),
            Err(Stop::NotYet(_)) => Ok(Delivered::Nothing),
            Err(Stop::Failed(Failure::Refused { code })) if is_shut(&code) => Ok(Delivered::Nothing),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }
}

/// What Slack counts messages by.
fn room(address: &Address) -> String {
    format!("{}/{}", address.team, address.channel.as_deref().unwrap_or(&address.user))
}

/// Does something in its turn; where Slack says to wait, everything waits that it counts together.
async fn turn<T>(pace: &Pace, key: &str, calling: impl Future<Output = Result<T, Failure>>) -> Result<T, Stop> {
    pace.take(key).map_err(Stop::NotYet)?;
    match calling.await {
        Err(Failure::Later { after: Some(after), .. }) => {
            pace.hold(key, after);
            Err(Stop::NotYet(after))
        }
        called => called.map_err(Stop::Failed),
    }
}

/// Says it to the person alone.
async fn whisper(client: &Client, address: &Address, message: &Value) -> Result<(), Failure> {
    if let Some(url) = &address.response_url {
        match client.respond(url, true, message).await {
            Err(Failure::Refused { .. }) => {}
            other => return other,
        }
    }
    match &address.channel {
        Some(channel) if !channel.starts_with('D') => match client.whisper(channel, &address.user, address.thread.as_deref(), message).await {
            Err(Failure::Refused { .. }) => client.post(&address.user, None, message).await.map(drop),
            other => other,
        },
        channel => client.post(channel.as_deref().unwrap_or(&address.user), None, message).await.map(drop),
    }
}

/// Words of ours stand above what they are about.
fn messages(words: &Reply, shows: &Shows<'_>) -> Vec<Value> {
    let mut cards = match shows {
        Shows::Nothing | Shows::Working => return reply::messages(words),
        Shows::Open(card) => slack::messages(card),
        Shows::Superseded(card) => slack::closed(card, "A later message shows it as it is now."),
        Shows::Decided(card, how) => slack::closed(card, how),
    };
    let mut sections = reply::sections(&words.text);
    if let (Some(last), Some(blocks)) = (sections.pop(), cards.first_mut().and_then(|first| first["blocks"].as_array_mut())) {
        blocks.insert(0, last);
    }
    let above = sections.into_iter().map(|section| json!({ "text": section["text"]["text"], "blocks": [section] }));
    above.chain(cards).collect()
}

/// Whether a room is not open to us.
fn is_shut(code: &str) -> bool {
    matches!(code, "not_in_channel" | "channel_not_found" | "is_archived" | "restricted_action" | "no_permission")
}

/// Whether there is nothing any more to edit: what is gone stays gone.
fn is_gone(done: Result<(), Stop>) -> Result<bool, Stop> {
    match done {
        Ok(()) => Ok(false),
        Err(Stop::Failed(Failure::Refused { code }))
            if matches!(code.as_str(), "message_not_found" | "cant_update_message" | "edit_window_closed") || is_shut(&code) =>
        {
            Ok(true)
        }
        Err(stop) => Err(stop),
    }
}

fn undelivered(failure: Failure) -> Undelivered {
    match failure {
        Failure::Later { after: Some(after), .. } => Undelivered::NotYet { after },
        Failure::Later { after: None, why } => Undelivered::Later { why },
        Failure::Refused { code } => Undelivered::Never {
            why: match code.as_str() {
                "not_in_channel" | "channel_not_found" => "Patchbay is not in that channel: say /invite @Patchbay there".to_owned(),
                "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
                    format!("Slack does not take the bot token ({code}): set PATCHBAY_SLACK__BOT_TOKEN to the one that the app's page shows")
                }
                "not_installed" => "the app is not installed in that workspace: an admin installs it at /api/v1/channels/slack/install".to_owned(),
                "missing_scope" => "the app lacks a scope: compare it with the manifest in docs/guides/slack.md".to_owned(),
                _ => format!("Slack refused: {code}"),
            },
        },
    }
}

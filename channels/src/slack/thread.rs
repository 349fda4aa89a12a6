//! Reading a thread: what people said in it, as far as the app may see it. <https://docs.slack.dev/reference/methods/conversations.replies>

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    client::{Client, Failure},
    decode::Around,
    receive::sender,
    text,
};
use crate::{
    adapter::{MAX_POSTS, Post, Thread, Unread},
    pace::Pace,
};

/// How many pages are read: two thousand messages.
const PAGES: usize = 10;
/// How many people are asked after by what they are called.
const NAMES: usize = 20;
/// How long a turn is waited for between two pages; who waits longer begins anew later.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Message {
    ts: String,
    user: Option<String>,
    bot_id: Option<String>,
    username: Option<String>,
    subtype: Option<String>,
    #[serde(default)]
    text: String,
}

/// Reads the newest messages of a thread, without ours and those that were said to us.
pub(super) async fn read(client: &Client, pace: &Pace, around: &Around) -> Result<Thread, Unread> {
    let (we, program) = client.me().await.map_err(unread)?;
    let to_us = format!("<@{we}");
    // By what orders them: pages may repeat the first.
    let mut said: BTreeMap<String, Message> = BTreeMap::new();
    let (mut is_cut, mut cursor) = (false, None);
    for page in 0..PAGES {
        if let Err(after) = pace.take(&around.team) {
            if after > PATIENCE {
                return Err(Unread::Later { after: Some(after), why: "Slack asks to wait".to_owned() });
            }
            tokio::time::sleep(after).await;
        }
        let (messages, next) = match client.replies(&around.channel, &around.thread, cursor.as_deref()).await {
            Err(failure) => {
                if let Failure::Later { after: Some(after), .. } = &failure {
                    pace.hold(&around.team, *after);
                }
                return Err(unread(failure));
            }
            Ok(read) => read,
        };
        for message in messages.into_iter().filter_map(read_one) {
            let is_ours = message.user.as_ref() == Some(&we) || (!program.is_empty() && message.bot_id.as_ref() == Some(&program));
            let is_asking = around.asked.as_ref() == Some(&message.ts) || message.text.trim_start().starts_with(&to_us);
            if !is_ours && !is_asking && !message.text.trim().is_empty() {
                said.insert(message.ts.clone(), message);
            }
        }
        while said.len() > MAX_POSTS {
            said.pop_first();
            is_cut = true;
        }
        cursor = next;
        if cursor.is_none() {
            break;
        }
        is_cut |= page + 1 == PAGES;
    }
    let mut names: HashMap<String, String> = HashMap::new();
    for user in said.values().filter_map(|message| message.user.as_ref()) {
        // A name that Slack does not say is no reason to plan nothing.
        if names.len() < NAMES && !names.contains_key(user) {
            let name = client.user(user).await.ok().and_then(|person| person.name);
            names.insert(user.clone(), name.unwrap_or_else(|| user.clone()));
        }
    }
    let post = |message: Message| {
        let called = message.user.as_ref().map(|user| names.get(user).unwrap_or(user).clone());
        let mentions = text::mentions(&message.text).into_iter().map(|(mark, user)| (mark, sender(&around.team, &user)));
        Post {
            name: called.or(message.username).unwrap_or_else(|| "a program".to_owned()),
            author: message.user.map(|user| sender(&around.team, &user)),
            mentions: mentions.collect(),
            text: text::plain(&message.text),
        }
    };
    Ok(Thread { posts: said.into_values().map(post).collect(), is_cut })
}

/// A message that somebody wrote; people who come and go, and what is new to us, are none.
fn read_one(message: Value) -> Option<Message> {
    let message: Message = serde_json::from_value(message).ok()?;
    let is_written = message.subtype.as_deref().is_none_or(|subtype| matches!(subtype, "thread_broadcast" | "file_share" | "bot_message" | "me_message"));
    is_written.then_some(message)
}

pub(super) fn unread(failure: Failure) -> Unread {
    match failure {
        Failure::Later { after, why } => Unread::Later { after, why },
        Failure::Refused { code } => Unread::Never {
            why: match code.as_str() {
                "missing_scope" => {
                    "the app may not read messages here. An admin gives it the scopes channels:history (in private rooms groups:history, in direct messages im:history) as the manifest of docs/guides/slack.md has them, and installs it again".to_owned()
                }
                "not_in_channel" | "channel_not_found" => "I am not in this room; say /invite @Patchbay in it".to_owned(),
                "thread_not_found" => "it is gone".to_owned(),
                "not_installed" => "the app is not installed in this workspace; an admin installs it at /api/v1/channels/slack/install".to_owned(),
                _ => format!("Slack refuses it ({code})"),
            },
        },
    }
}

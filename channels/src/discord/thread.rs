//! Reading a thread: what people said in it, or what they answered to a message. <https://discord.com/developers/docs/resources/message#get-channel-messages>

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    adapter::{UNKNOWN_MESSAGE, is_shut},
    client::{Client, Failure, PAGE},
    decode::{Around, is_thread},
};
use crate::adapter::{MAX_POSTS, Post, Thread, Unread};

/// How many pages are read, of a hundred messages each.
const PAGES: usize = 5;
/// How long a turn is waited for between two of them; who waits longer begins anew later.
const PATIENCE: Duration = Duration::from_secs(5);
/// The kinds of messages that people write, and the one that repeats the message that a thread began with.
const DEFAULT: u8 = 0;
const REPLY: u8 = 19;
const STARTER: u8 = 21;

#[derive(Deserialize)]
struct Message {
    id: String,
    #[serde(rename = "type", default)]
    kind: u8,
    author: Author,
    #[serde(default)]
    content: String,
    #[serde(default)]
    mentions: Vec<Author>,
    #[serde(rename = "message_reference")]
    reference: Option<Reference>,
    #[serde(rename = "referenced_message")]
    referenced: Option<Box<Self>>,
}

#[derive(Deserialize)]
struct Author {
    id: String,
    #[serde(default)]
    username: String,
    global_name: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    message_id: Option<String>,
}

/// Messages by their ids, which grow with time and in length.
type Messages = BTreeMap<(usize, String), Message>;

/// Reads the newest messages of a thread, or of a message and what answers it, without ours and those that were said to us.
pub(super) async fn read(client: &Client, around: &Around) -> Result<Thread, Unread> {
    let is_thread = match around.is_thread {
        Some(is_thread) => is_thread,
        None => is_thread(patiently(|| client.kind(&around.channel)).await.map_err(unread)?),
    };
    let (messages, is_cut) = match &around.message {
        _ if is_thread => whole(client, &around.channel).await.map_err(unread)?,
        Some(first) => match answers(client, &around.channel, first).await {
            Ok(found) => found,
            // Who pointed at a message has handed it over with what it says; so much is there without any right.
            Err(Failure::Refused { code, .. }) if around.asked.is_none() && (is_shut(code) || code == UNKNOWN_MESSAGE) => return Ok(Thread::default()),
            Err(failure) => return Err(unread(failure)),
        },
        None => return Ok(Thread::default()),
    };
    let we = patiently(|| client.me()).await.map_err(unread)?;
    let to_us = [format!("<@{we}>"), format!("<@!{we}>")];
    let is_said = |message: &Message| {
        let is_to_us = to_us.iter().any(|mark| message.content.trim_start().starts_with(mark.as_str()));
        message.author.id != we && around.asked.as_ref() != Some(&message.id) && !is_to_us
    };
    let said: Vec<Message> = messages.into_values().filter(is_said).collect();
    if !said.is_empty() && said.iter().all(|message| message.content.trim().is_empty()) {
        if around.asked.is_none() && !is_thread {
            return Ok(Thread::default());
        }
        return Err(Unread::Never {
            why: "Discord hides what its messages say. Whoever owns the application turns on Message Content Intent on its page, under Bot".to_owned(),
        });
    }
    let mut posts: Vec<Post> = said.into_iter().filter(|message| !message.content.trim().is_empty()).map(post).collect();
    let older = posts.len().saturating_sub(MAX_POSTS);
    Ok(Thread { posts: posts.split_off(older), is_cut: is_cut || older > 0 })
}

/// The newest messages of a thread, and whether there are older ones.
async fn whole(client: &Client, channel: &str) -> Result<(Messages, bool), Failure> {
    let mut found = Messages::new();
    for _ in 0..PAGES {
        let before = found.keys().next().map(|(_, id)| id.clone());
        let page = patiently(|| client.messages(channel, before.as_deref().map(|id| ("before", id)))).await?;
        let is_last = page.len() < PAGE;
        found.extend(page.into_iter().filter_map(known));
        if is_last {
            return Ok((found.into_iter().filter_map(written).collect(), false));
        }
        if found.len() > MAX_POSTS {
            break;
        }
    }
    Ok((found.into_iter().filter_map(written).collect(), true))
}

/// A message, what answers it, and what answers that, as far as it comes soon after.
async fn answers(client: &Client, channel: &str, first: &str) -> Result<(Messages, bool), Failure> {
    let mut found: Messages = known(patiently(|| client.message(channel, first)).await?).into_iter().filter_map(written).collect();
    let mut belongs = HashSet::from([first.to_owned()]);
    let mut after = first.to_owned();
    for _ in 0..PAGES {
        let page = patiently(|| client.messages(channel, Some(("after", &after)))).await?;
        let is_last = page.len() < PAGE;
        let page: Messages = page.into_iter().filter_map(known).collect();
        let Some((_, newest)) = page.keys().next_back() else { break };
        newest.clone_into(&mut after);
        for (key, message) in page {
            let answered = message.reference.as_ref().and_then(|reference| reference.message_id.as_ref());
            if answered.is_some_and(|answered| belongs.contains(answered)) {
                belongs.insert(message.id.clone());
                found.extend(written((key, message)));
            }
        }
        if is_last {
            break;
        }
    }
    Ok((found, false))
}

fn known(message: Value) -> Option<((usize, String), Message)> {
    let message: Message = serde_json::from_value(message).ok()?;
    Some(((message.id.len(), message.id.clone()), message))
}

/// What somebody wrote; who comes and goes is nothing that was said.
fn written((key, message): ((usize, String), Message)) -> Option<((usize, String), Message)> {
    match message.kind {
        DEFAULT | REPLY => Some((key, message)),
        STARTER => message.referenced.map(|first| ((first.id.len(), first.id.clone()), *first)),
        _ => None,
    }
}

fn post(message: Message) -> Post {
    let mut text = message.content;
    let mut mentions = Vec::new();
    for user in message.mentions {
        let mark = format!("@{}", user.username);
        text = text.replace(&format!("<@{}>", user.id), &mark).replace(&format!("<@!{}>", user.id), &mark);
        mentions.push((mark, user.id));
    }
    let Author { id, username, global_name } = message.author;
    Post { author: Some(id), name: global_name.unwrap_or(username), text, mentions }
}

/// Asks again where it is only a turn that has to be waited for.
async fn patiently<T, F: Future<Output = Result<T, Failure>>>(ask: impl Fn() -> F) -> Result<T, Failure> {
    let mut left = PATIENCE;
    loop {
        match ask().await {
            Err(Failure::Later { after: Some(after), .. }) if after <= left => {
                left -= after;
                tokio::time::sleep(after).await;
            }
            asked => return asked,
        }
    }
}

fn unread(failure: Failure) -> Unread {
    match failure {
        Failure::Later { after, why } => Unread::Later { after, why },
        Failure::Expired => Unread::Never { why: "Discord refuses it".to_owned() },
        Failure::Refused { code: UNKNOWN_MESSAGE, .. } => Unread::Never { why: "the message is gone".to_owned() },
        Failure::Refused { code, .. } if is_shut(code) => {
            Unread::Never { why: "I may not read here. Give my role the rights View Channel and Read Message History in this room".to_owned() }
        }
        Failure::Refused { code, message } => Unread::Never { why: format!("Discord refuses it: {message} ({code})") },
    }
}

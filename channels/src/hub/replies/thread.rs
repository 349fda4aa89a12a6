//! What is said of threads: that a proposal was made of one, and why one cannot be planned.

use patchbay_core::{
    channel::Channel,
    command::{FromThread, Reply},
};

use super::{count, plain};

/// What a proposal was made of, behind what it is on, and what there is to know about that, behind everything.
pub(super) fn source(from: Option<&FromThread>) -> (String, String) {
    let Some(from) = from else { return Default::default() };
    let messages = count(from.messages, "message", "messages");
    let read = if from.is_cut { format!("the newest {messages}") } else { messages };
    let strangers: Vec<String> = from.strangers.iter().take(NAMED).map(|name| plain(name)).collect();
    let more = from.strangers.len() - strangers.len();
    let others = (more > 0).then(|| format!("{more} more"));
    let names: Vec<String> = strangers.into_iter().chain(others).collect();
    let known = match names.as_slice() {
        [] => String::new(),
        [one] => format!(" Nobody vouches for the words of {one}: look closely at what came of them."),
        [first @ .., last] => format!(" Nobody vouches for the words of {} and {last}: look closely at what came of them.", first.join(", ")),
    };
    (format!(", from this thread ({read})"), known)
}

/// How many people are called by their names.
const NAMED: usize = 3;

/// Somebody asks for a thread where there is none.
pub fn no_thread(channel: Channel) -> Reply {
    Reply::new(match channel {
        Channel::Slack => {
            "Nobody says anything here that I can plan from. Say `plan this thread` in the thread, or choose *Plan this* in the menu of one of its messages."
        }
        Channel::Discord => {
            "Nobody says anything here that I can plan from. Say `plan this thread` in the thread, or in an answer to its first message; or choose *Apps*, *Plan this* in the menu of a message."
        }
        Channel::Email => "Nobody says anything here that I can plan from. Say `plan this thread` above the mails that it is about, quoted or forwarded.",
    })
}

/// A thread that somebody asks for cannot be read; `why` is the end of a sentence.
pub fn thread_unread(why: &str) -> Reply {
    Reply::new(format!("I cannot read this thread: {}. Nothing is planned.", plain(why)))
}

//! The one table of commands: parser, forms, help and examples. What is not here is no command.

use super::{
    command::Command,
    forms::{agents, channels, looking, review, tasks},
    stuck::{Input, Read},
};

/// A command as it is written and explained.
pub struct Entry {
    /// Its first word.
    pub name: &'static str,
    /// Other first words for the same.
    pub aliases: &'static [&'static str],
    pub about: About,
    /// How it is written: `[…]` may be left out, `|` is a choice.
    pub form: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// Lines that work.
    pub examples: &'static [&'static str],
    pub(super) read: fn(&mut Input<'_, '_>) -> Read<Command>,
}

/// What a command is about; help is ordered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Projects,
    Tasks,
    Proposals,
    History,
    Agents,
    Channels,
}

impl About {
    pub const ALL: [Self; 6] = [Self::Projects, Self::Tasks, Self::Proposals, Self::History, Self::Agents, Self::Channels];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Projects => "Projects",
            Self::Tasks => "Tasks",
            Self::Proposals => "Proposals",
            Self::History => "History",
            Self::Agents => "Agents",
            Self::Channels => "Channels",
        }
    }
}

/// The command that a word begins, in any case.
pub fn find(word: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.words().any(|name| name.eq_ignore_ascii_case(word)))
}

impl Entry {
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// In the order that help shows.
pub static TABLE: &[Entry] = &[
    Entry {
        name: "new",
        aliases: &[],
        about: About::Projects,
        form: "new \"Title\" [goal]",
        help: "Begin a project. With a goal, its plan is proposed.",
        examples: &["new \"Sign-in flow\"", "new \"Sign-in flow\" We need the schema, the form, and tests"],
        read: looking::new,
    },
    Entry {
        name: "plan",
        aliases: &[],
        about: About::Projects,
        form: "plan WEB|WEB-7 [how]",
        help: "Propose a plan for a project, or the steps of a task.",
        examples: &["plan WEB", "plan WEB-7", "plan WEB-7 with a test for each step"],
        read: looking::plan,
    },
    Entry {
        name: "show",
        aliases: &["view"],
        about: About::Projects,
        form: "show [WEB [@5]|WEB-7|#12]",
        help: "Show a project, as it is or as it was at a version, a task or a proposal.",
        examples: &["show", "show WEB", "show WEB @5", "show WEB-7", "show #12"],
        read: looking::show,
    },
    Entry {
        name: "list",
        aliases: &["ls"],
        about: About::Projects,
        form: "list [mine|@ana|unassigned] [open|active|blocked|done|overdue] [due this week|by friday] [label:x] [p1] [under WEB-7] [in WEB]",
        help: "List the tasks that meet every filter. `list projects` and `list proposals` list those.",
        examples: &["list mine due this week", "list overdue in WEB", "list open label:backend @ana", "list projects"],
        read: looking::list,
    },
    Entry {
        name: "add",
        aliases: &[],
        about: About::Tasks,
        form: "add \"Title\" [under|before|after WEB-7] [in WEB] [due friday] [to @ana] [p1] [label:x] [needs WEB-3] [estimate 2h]",
        help: "Add a task.",
        examples: &["add \"Fix the login\" under WEB-7 due friday to @ana p1", "add \"Write the guide\" in WEB needs WEB-3"],
        read: tasks::add,
    },
    Entry {
        name: "done",
        aliases: &["finish", "close", "complete"],
        about: About::Tasks,
        form: "done WEB-7 [: why]",
        help: "Mark tasks as done.",
        examples: &["done WEB-7", "done WEB-4 and WEB-5: shipped with the release"],
        read: tasks::done,
    },
    Entry {
        name: "start",
        aliases: &["begin"],
        about: About::Tasks,
        form: "start WEB-7 [: why]",
        help: "Take tasks up.",
        examples: &["start WEB-7"],
        read: tasks::start,
    },
    Entry {
        name: "block",
        aliases: &[],
        about: About::Tasks,
        form: "block WEB-7 [why]",
        help: "Say that tasks wait for something.",
        examples: &["block WEB-7 the key of the payment provider is missing"],
        read: tasks::block,
    },
    Entry {
        name: "reopen",
        aliases: &["unblock"],
        about: About::Tasks,
        form: "reopen WEB-7 [why]",
        help: "Put tasks back to where work begins.",
        examples: &["reopen WEB-7 the form still loses its input"],
        read: tasks::reopen,
    },
    Entry {
        name: "set",
        aliases: &[],
        about: About::Tasks,
        form: "set WEB-7 title|description|status|priority|kind|effort|estimate|assignee|due|labels|blocker value",
        help: "Change a field of a task; `none` clears it. A project has `title`, `summary` and `zone`.",
        examples: &["set WEB-7 due 1 december", "set WEB-7 title Sign-in form", "set WEB-7 estimate 1.5 days", "set WEB zone Europe/Berlin"],
        read: tasks::set,
    },
    Entry {
        name: "move",
        aliases: &[],
        about: About::Tasks,
        form: "move WEB-7 under|before|after WEB-3",
        help: "Put a task, with what is below it, somewhere else; also `to top` and `to bottom`.",
        examples: &["move WEB-7 under WEB-3", "move WEB-7 after WEB-2", "move WEB-7 under WEB", "move WEB-7 to top"],
        read: tasks::move_,
    },
    Entry {
        name: "split",
        aliases: &[],
        about: About::Tasks,
        form: "split WEB-7 into a; b; c",
        help: "Make several tasks of one; it keeps the first title.",
        examples: &["split WEB-7 into design the form; build it; test it"],
        read: tasks::split,
    },
    Entry {
        name: "delete",
        aliases: &["remove"],
        about: About::Tasks,
        form: "delete WEB-7 [keep subtasks]",
        help: "Delete a task and what is below it, or let that take its place.",
        examples: &["delete WEB-7", "delete WEB-7 keep subtasks"],
        read: tasks::delete,
    },
    Entry {
        name: "assign",
        aliases: &[],
        about: About::Tasks,
        form: "assign WEB-7 to @ana|me|nobody",
        help: "Say who does a task.",
        examples: &["assign WEB-7 to @ana", "assign WEB-7 to me"],
        read: tasks::assign,
    },
    Entry {
        name: "unassign",
        aliases: &[],
        about: About::Tasks,
        form: "unassign WEB-7",
        help: "Let nobody be assigned to a task.",
        examples: &["unassign WEB-7"],
        read: tasks::unassign,
    },
    Entry {
        name: "label",
        aliases: &[],
        about: About::Tasks,
        form: "label WEB-7 backend, -later",
        help: "Give a task labels; a minus takes one away.",
        examples: &["label WEB-7 backend, urgent", "label WEB-7 -later"],
        read: tasks::label_,
    },
    Entry {
        name: "depend",
        aliases: &[],
        about: About::Tasks,
        form: "depend WEB-7 [not] on WEB-3",
        help: "Say that a task needs others to be done first, or no longer does.",
        examples: &["depend WEB-7 on WEB-3 and WEB-4", "depend WEB-7 not on WEB-3"],
        read: tasks::depend,
    },
    Entry {
        name: "log",
        aliases: &[],
        about: About::Tasks,
        form: "log 2h WEB-7 [note]",
        help: "Note time spent on a task; a day has 8 hours.",
        examples: &["log 2h WEB-7 the form", "log 90m WEB-7"],
        read: tasks::log,
    },
    Entry {
        name: "review",
        aliases: &[],
        about: About::Proposals,
        form: "review [#12]",
        help: "Show a proposal, or the open ones.",
        examples: &["review", "review #12"],
        read: review::review,
    },
    Entry {
        name: "accept",
        aliases: &["approve", "apply"],
        about: About::Proposals,
        form: "accept [#12] [1,3-5|all but 2]",
        help: "Accept a proposal, or only some of its operations.",
        examples: &["accept", "accept #12", "accept #12 1,3-5", "accept all but 2"],
        read: review::accept,
    },
    Entry {
        name: "reject",
        aliases: &["decline"],
        about: About::Proposals,
        form: "reject [#12] [why]",
        help: "Reject a proposal.",
        examples: &["reject #12 too much at once"],
        read: review::reject,
    },
    Entry {
        name: "edit",
        aliases: &["refine"],
        about: About::Proposals,
        form: "edit #12 what to change",
        help: "Change an open proposal, in your own words.",
        examples: &["edit #12 combine the first two"],
        read: review::edit,
    },
    Entry {
        name: "comment",
        aliases: &[],
        about: About::Proposals,
        form: "comment #12 [[2]] text",
        help: "Comment on a proposal, or on one of its operations.",
        examples: &["comment #12 who tests this?", "comment #12 [2] this one can wait"],
        read: review::comment,
    },
    Entry {
        name: "withdraw",
        aliases: &[],
        about: About::Proposals,
        form: "withdraw [#12]",
        help: "Take a proposal of yours back.",
        examples: &["withdraw #12"],
        read: review::withdraw,
    },
    Entry {
        name: "resolve",
        aliases: &["settle"],
        about: About::Proposals,
        form: "resolve [#12] N ours|theirs|value",
        help: "Settle a conflict of a proposal: as it proposes, as it is now, or with another value.",
        examples: &["resolve #12 2 ours", "resolve 1 theirs", "resolve #12 2 2026-12-01"],
        read: review::resolve,
    },
    Entry {
        name: "rebase",
        aliases: &[],
        about: About::Proposals,
        form: "rebase [#12]",
        help: "Bring a proposal to the plan as it is now. Accepting does so by itself.",
        examples: &["rebase #12"],
        read: review::rebase,
    },
    Entry {
        name: "undo",
        aliases: &[],
        about: About::History,
        form: "undo [WEB] [N]",
        help: "Take back your last change, or the one that made version N. Later changes stay.",
        examples: &["undo", "undo WEB", "undo WEB 12"],
        read: looking::undo,
    },
    Entry {
        name: "redo",
        aliases: &[],
        about: About::History,
        form: "redo [WEB]",
        help: "Make again what you last took back.",
        examples: &["redo", "redo WEB"],
        read: looking::redo,
    },
    Entry {
        name: "revert",
        aliases: &[],
        about: About::History,
        form: "revert [WEB] N",
        help: "Propose to take back the change that made version N.",
        examples: &["revert 12", "revert WEB 12"],
        read: looking::revert,
    },
    Entry {
        name: "history",
        aliases: &[],
        about: About::History,
        form: "history [WEB|WEB-7]",
        help: "Show who changed what, and when.",
        examples: &["history WEB", "history WEB-7"],
        read: looking::history,
    },
    Entry {
        name: "diff",
        aliases: &[],
        about: About::History,
        form: "diff [WEB] 3..9",
        help: "Show what changed between two versions.",
        examples: &["diff WEB 3..9", "diff WEB 11.."],
        read: looking::diff,
    },
    Entry {
        name: "lease",
        aliases: &["leases"],
        about: About::Agents,
        form: "lease [WEB-7 [for 2h]|release WEB-7|steal WEB-7 because …]",
        help: "Show who holds what; hold a task for a while; give it back; as an admin, take it from somebody.",
        examples: &["lease", "lease WEB-7 for 2h", "lease release WEB-7", "lease steal WEB-7 because it hangs"],
        read: agents::lease,
    },
    Entry {
        name: "agents",
        aliases: &[],
        about: About::Agents,
        form: "agents",
        help: "Show the agents, and which of them are there.",
        examples: &["agents"],
        read: agents::agents,
    },
    Entry {
        name: "link",
        aliases: &[],
        about: About::Channels,
        form: "link [CODE]",
        help: "Make a code to say on another channel, or say one: both are you from then on.",
        examples: &["link", "link K7PM-2QXW"],
        read: channels::link,
    },
    Entry {
        name: "bind",
        aliases: &[],
        about: About::Channels,
        form: "bind WEB|none",
        help: "This room is about a project from now on, or about none.",
        examples: &["bind WEB", "bind none"],
        read: channels::bind,
    },
    Entry {
        name: "help",
        aliases: &[],
        about: About::History,
        form: "help [command]",
        help: "Show this, or one command with examples.",
        examples: &["help", "help move"],
        read: looking::help,
    },
];

//! What a line that is a command says.

use std::{collections::BTreeSet, ops::RangeInclusive};

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use patchbay_core::{
    dates, jobs, notify,
    patch::{Effort, Priority, Reference},
};

/// One command, its arguments read but not yet held against a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A new project; the goal is for the planner.
    New {
        title: String,
        goal: Option<String>,
    },
    /// Let the planner work on a project, or break a task down.
    Plan {
        target: Target,
        how: Option<String>,
    },
    Show(Shown),
    /// Tasks that meet every filter.
    List {
        filters: Vec<Filter>,
        project: Option<String>,
    },
    ListProjects,
    Add(Box<Add>),
    /// The tasks take a step. None named: the one that the conversation is about.
    Step {
        verb: Verb,
        tasks: Vec<Reference>,
        why: Option<String>,
    },
    Set {
        tasks: Vec<Reference>,
        setting: Setting,
    },
    SetProject {
        project: String,
        setting: ProjectSetting,
    },
    Move {
        tasks: Vec<Reference>,
        place: Place,
    },
    /// At least two titles.
    Split {
        task: Reference,
        into: Vec<String>,
    },
    Delete {
        tasks: Vec<Reference>,
        keep_subtasks: bool,
    },
    /// To nobody where there is no person.
    Assign {
        tasks: Vec<Reference>,
        to: Option<Person>,
    },
    Label {
        tasks: Vec<Reference>,
        add: Vec<String>,
        remove: Vec<String>,
    },
    Depend {
        tasks: Vec<Reference>,
        on: Vec<Reference>,
        no_longer: bool,
    },
    /// Time spent on a task. None named: the one that the conversation is about.
    Log {
        minutes: u32,
        task: Option<Reference>,
        note: Option<String>,
    },
    /// One proposal, or which ones are open.
    Review(Option<i32>),
    Accept {
        proposal: Option<i32>,
        operations: Operations,
        /// Words for the planner about what is not accepted.
        rest: Option<String>,
    },
    Reject {
        proposal: Option<i32>,
        why: Option<String>,
    },
    /// Words for the planner about an open proposal.
    Edit {
        proposal: i32,
        text: String,
    },
    /// About a proposal, or about one of its operations (from 1).
    Comment {
        proposal: i32,
        operation: Option<usize>,
        text: String,
    },
    Withdraw {
        proposal: Option<i32>,
    },
    /// Settles one conflict of a proposal, from 1.
    Resolve {
        proposal: Option<i32>,
        conflict: usize,
        settlement: Settlement,
    },
    Rebase {
        proposal: Option<i32>,
    },
    /// Pairs its author with who they are elsewhere; without a code, one is made.
    Link {
        code: Option<String>,
    },
    /// Who works here beside people.
    Agents,
    Lease(Leasing),
    /// The room is about this project from now on, or about none.
    Bind {
        project: Option<String>,
    },
    Schedule(Scheduling),
    Jobs(Working),
    /// One hears nothing of this any more, or of anything.
    Mute(Option<Noise>),
    /// One hears of this again, or of everything.
    Unmute(Option<Noise>),
    /// One hears of all that happens in a project, or no longer.
    Subscribe {
        project: String,
        no_longer: bool,
    },
    /// One's own last change, or the one that made a version.
    Undo {
        project: Option<String>,
        version: Option<i32>,
    },
    /// One's own last undo, taken back.
    Redo {
        project: Option<String>,
    },
    /// A proposal that takes the change that made a version back.
    Revert {
        project: Option<String>,
        version: i32,
    },
    /// Of a project or a task; of the conversation's where none is named.
    History(Option<Target>),
    /// What happened between two versions; up to the newest where no end is said.
    Diff {
        project: Option<String>,
        from: i32,
        to: Option<i32>,
    },
    /// All commands, or the one of this name.
    Help(Option<&'static str>),
}

impl Command {
    /// The key of the project that the command is about, where it names one.
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Plan { target, .. } | Self::Show(Shown::Target(target)) | Self::History(Some(target)) => Some(target.key()),
            Self::Add(add) => add.place.as_ref().and_then(Place::key).or(add.project.as_deref()),
            Self::Step { tasks, .. }
            | Self::Set { tasks, .. }
            | Self::Move { tasks, .. }
            | Self::Delete { tasks, .. }
            | Self::Assign { tasks, .. }
            | Self::Label { tasks, .. }
            | Self::Depend { tasks, .. } => tasks.first().map(|task| task.key.as_str()),
            Self::Split { task, .. } => Some(&task.key),
            Self::Log { task, .. } => task.as_ref().map(|task| task.key.as_str()),
            Self::SetProject { project, .. } | Self::Show(Shown::Version { project, .. }) => Some(project),
            Self::List { project, .. } | Self::Undo { project, .. } | Self::Redo { project } | Self::Revert { project, .. } | Self::Diff { project, .. } => {
                project.as_deref()
            }
            _ => None,
        }
    }
}

impl Command {
    /// The tasks that the command names.
    pub fn tasks(&self) -> impl Iterator<Item = &Reference> {
        let (many, one): (&[Reference], Option<&Reference>) = match self {
            Self::Step { tasks, .. } | Self::Set { tasks, .. } | Self::Delete { tasks, .. } | Self::Assign { tasks, .. } | Self::Label { tasks, .. } => {
                (tasks, None)
            }
            Self::Move { tasks, place } => (tasks, place.task()),
            Self::Split { task, .. } => (&[], Some(task)),
            Self::Log { task, .. } => (&[], task.as_ref()),
            Self::Add(add) => (&add.depends_on, add.place.as_ref().and_then(Place::task)),
            Self::Depend { tasks, on, .. } => return tasks.iter().chain(on.iter()).chain(None),
            _ => (&[], None),
        };
        many.iter().chain([].iter()).chain(one)
    }
}

/// What is to be with schedules; they are named by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheduling {
    List,
    /// The rule as it was written, and what is to be done.
    Make {
        rule: String,
        text: String,
    },
    Pause(i32),
    Resume(i32),
    Delete(i32),
}

/// What is wanted of jobs; one is named by its id, or the end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Working {
    /// Those that people ran; none of the states: in any.
    List(Option<jobs::State>),
    Show(String),
    Retry(String),
    Stop(String),
    /// By a preset, with what is given for its fields; no preset: which ones there are.
    Run {
        preset: Option<String>,
        given: Vec<(String, String)>,
    },
}

/// A project by its key, or a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Project(String),
    Task(Reference),
}

impl Target {
    pub fn key(&self) -> &str {
        match self {
            Self::Project(key) => key,
            Self::Task(task) => &task.key,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// What the conversation is about.
    Here,
    Target(Target),
    /// A project as it was.
    Version {
        project: String,
        version: i32,
    },
    Proposal(i32),
}

/// What one may hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noise {
    Project(String),
    Proposal(i32),
    Kind(notify::Kind),
}

/// What is wanted of the leases on tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leasing {
    List,
    Take {
        task: Reference,
        minutes: Option<u32>,
    },
    Release {
        task: Reference,
        why: Option<String>,
    },
    /// An admin's: with a reason.
    Steal {
        task: Reference,
        why: String,
    },
}

/// How a conflict is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    Ours,
    Theirs,
    /// As text; what it means depends on the field.
    Value(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    Mine,
    Unassigned,
    Assignee(String),
    /// Not done.
    Open,
    Active,
    Blocked,
    Done,
    Overdue,
    Due(Due),
    Label(String),
    Priority(Priority),
    Under(Reference),
}

/// The days that `due …` means.
#[derive(Clone, Debug, PartialEq)]
pub enum Due {
    ThisWeek,
    NextWeek,
    On(DatePhrase),
    /// On that day or before.
    By(DatePhrase),
}

impl Due {
    /// `None` where the date does not exist (30 February of a year to come).
    pub fn days(&self, now: DateTime<Utc>, zone: Tz) -> Option<RangeInclusive<NaiveDate>> {
        let today = dates::today(now, zone);
        Some(match self {
            Self::ThisWeek => dates::week_of(today),
            Self::NextWeek => dates::week_of(today.checked_add_days(Days::new(7))?),
            Self::On(phrase) => {
                let day = phrase.day(now, zone)?;
                day..=day
            }
            Self::By(phrase) => NaiveDate::MIN..=phrase.day(now, zone)?,
        })
    }
}

/// A date as it was written; what it means depends on when and where it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatePhrase(pub(super) String);

impl DatePhrase {
    pub fn day(&self, now: DateTime<Utc>, zone: Tz) -> Option<NaiveDate> {
        dates::parse(&self.0, now, zone).map(|when| when.day)
    }
}

/// `add "Title" …`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Add {
    pub title: String,
    pub project: Option<String>,
    pub place: Option<Place>,
    pub due: Option<DatePhrase>,
    pub assignee: Option<Person>,
    pub priority: Option<Priority>,
    pub labels: Vec<String>,
    pub depends_on: Vec<Reference>,
    pub estimate_minutes: Option<u32>,
}

/// Where a task goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The last below a task, or of the project's root tasks.
    Under(Target),
    Before(Reference),
    After(Reference),
    /// Among its siblings.
    First,
    Last,
}

impl Place {
    /// The task that it is said by.
    fn task(&self) -> Option<&Reference> {
        match self {
            Self::Under(Target::Task(task)) | Self::Before(task) | Self::After(task) => Some(task),
            Self::Under(Target::Project(_)) | Self::First | Self::Last => None,
        }
    }

    fn key(&self) -> Option<&str> {
        match self {
            Self::Under(target) => Some(target.key()),
            Self::Before(task) | Self::After(task) => Some(&task.key),
            Self::First | Self::Last => None,
        }
    }
}

/// Steps by what they mean; which step of the process that is, the plan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Done,
    Start,
    Block,
    Reopen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    Me,
    Handle(String),
}

/// A task's field with its value; none clears it.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    Title(String),
    Description(Option<String>),
    /// The name or title of a step.
    Status(String),
    Priority(Option<Priority>),
    Kind(Option<String>),
    Effort(Option<Effort>),
    Estimate(Option<u32>),
    Assignee(Option<Person>),
    Due(Option<DatePhrase>),
    Labels(Vec<String>),
    Blocker(Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectSetting {
    Title(String),
    Summary(String),
    /// IANA name.
    TimeZone(Tz),
}

/// Which of a proposal's operations, from 1 in the order shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operations {
    All,
    Only(BTreeSet<usize>),
    Except(BTreeSet<usize>),
}

impl Operations {
    /// Those of a proposal that has so many; the ones that it does not have stay in, for the answer to name them.
    pub fn of(&self, count: usize) -> BTreeSet<usize> {
        match self {
            Self::All => (1..=count).collect(),
            Self::Only(only) => only.clone(),
            Self::Except(except) => (1..=count).filter(|index| !except.contains(index)).collect(),
        }
    }
}

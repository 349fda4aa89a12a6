//! A goal without a list becomes an outline by the kind of goal, and says that it is one.

use chrono::{Days, NaiveDate};
use patchbay_core::{
    dates,
    patch::{CreateBody, MetaUpdates, NewCriterion},
};

use super::{attributes, board::Board, text};
use crate::planner::Context;

/// Something to achieve, maybe until a day.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Goal {
    pub(super) title: String,
    pub(super) deadline: Option<NaiveDate>,
    kind: &'static Kind,
}

/// A kind of goal: the words that tell it, and its phases with their criteria.
#[derive(Debug, PartialEq)]
struct Kind {
    name: &'static str,
    words: &'static [&'static str],
    phases: &'static [(&'static str, &'static [&'static str])],
}

/// The last is for what fits nowhere else.
static KINDS: [Kind; 8] = [
    Kind {
        name: "an event",
        words: &[
            "party",
            "event",
            "conference",
            "meetup",
            "wedding",
            "offsite",
            "workshop",
            "retreat",
            "celebration",
            "festival",
            "trip",
            "webinar",
            "hackathon",
        ],
        phases: &[
            ("Agree on date, guests and budget", &["The date is fixed", "The budget is agreed"]),
            ("Book the place", &["The booking is confirmed in writing"]),
            ("Send the invitations", &["Everybody has one", "Answers are counted"]),
            ("Arrange food, equipment and helpers", &["Each has a name beside it"]),
            ("Hold it", &["A timetable for the day is known to all helpers"]),
            ("Settle the bills and say thank you", &["Nothing is unpaid"]),
        ],
    },
    Kind {
        name: "a migration",
        words: &["migrate", "migration", "upgrade", "move", "switch", "port", "replace", "convert", "transition"],
        phases: &[
            ("List what depends on the old one", &["Each use has an owner"]),
            ("Set up the new one beside it", &["It answers the same for a sample"]),
            ("Rehearse the switch with a copy of the data", &["The time it takes is known", "The way back was tried"]),
            ("Switch over", &["What people see works as before"]),
            ("Watch, then retire the old one", &["A week without a surprise", "The old one is off"]),
        ],
    },
    Kind {
        name: "a launch",
        words: &["launch", "relaunch", "campaign", "announce", "announcement", "release", "publish", "market", "marketing", "rollout"],
        phases: &[
            ("Agree on audience, message and date", &["One sentence that all agree on"]),
            ("Finish what is launched", &["Nothing open that would stop the launch"]),
            ("Prepare texts, pictures and pages", &["Each was read by a second person"]),
            ("Rehearse, and decide to go", &["A list of checks is ticked off"]),
            ("Launch", &["It can be reached by its audience"]),
            ("Measure and follow up", &["The numbers are written down", "Open questions have an owner"]),
        ],
    },
    Kind {
        name: "hiring",
        words: &["hire", "hiring", "recruit", "candidate", "position", "onboard"],
        phases: &[
            ("Write down what the person will do", &["The team agrees"]),
            ("Publish the position", &["It is where the right people look"]),
            ("Read applications and talk to candidates", &["Each gets an answer"]),
            ("Decide and make an offer", &["The offer is signed"]),
            ("Prepare the first weeks", &["Accounts, desk and a guide are ready"]),
        ],
    },
    Kind {
        name: "research",
        words: &["research", "study", "evaluate", "investigate", "compare", "survey", "analyse", "analyze", "thesis", "find out", "assess"],
        phases: &[
            ("Write down the question and what would answer it", &["What would change our mind is named"]),
            ("Collect what is known", &["Sources are listed"]),
            ("Try it, or ask people", &["Results are written down as they come"]),
            ("Draw the conclusions", &["Each rests on a result"]),
            ("Present and decide", &["The decision and its reasons are recorded"]),
        ],
    },
    Kind {
        name: "writing",
        words: &["write", "book", "article", "report", "documentation", "docs", "guide", "blog", "newsletter", "paper", "handbook", "manual"],
        phases: &[
            ("Agree on readers and purpose", &["One sentence says who learns what"]),
            ("Make an outline", &["Somebody of the readers has seen it"]),
            ("Write the first draft", &["Every part of the outline is there"]),
            ("Have it read, and revise", &["Two people have read it"]),
            ("Publish", &["Readers can find it"]),
        ],
    },
    Kind {
        name: "moving or building",
        words: &["renovate", "renovation", "office", "house", "flat", "kitchen", "garden", "furnish", "room"],
        phases: &[
            ("Measure, and list what is wanted", &["Sizes and wishes are written down"]),
            ("Get offers and fix the budget", &["At least two offers are compared"]),
            ("Order and book", &["Dates are confirmed"]),
            ("Do the work", &["Each day's end leaves it safe"]),
            ("Check, mend and clear up", &["A list of faults is empty"]),
        ],
    },
    Kind {
        name: "something to build",
        words: &[],
        phases: &[
            ("Agree on what it must do", &["What is out of scope is named", "Who decides is named"]),
            ("Design it", &["The people who will use it have seen it"]),
            ("Build the first version", &["The main path works from end to end"]),
            ("Test it", &["What must never break is tested by machine"]),
            ("Document it", &["A newcomer gets it running with the page alone"]),
            ("Hand it over", &["It is in use"]),
        ],
    },
];

const WISHES: [&str; 22] = [
    "i want to ",
    "we want to ",
    "i'd like to ",
    "we'd like to ",
    "i would like to ",
    "we would like to ",
    "i need to ",
    "we need to ",
    "we have to ",
    "i have to ",
    "we must ",
    "help me to ",
    "help me ",
    "help us ",
    "my goal is to ",
    "our goal is to ",
    "the goal is to ",
    "goal: ",
    "i want ",
    "we want ",
    "i need ",
    "we need ",
];
const VERBS: [&str; 50] = [
    "build",
    "create",
    "make",
    "develop",
    "launch",
    "relaunch",
    "plan",
    "organise",
    "organize",
    "migrate",
    "move",
    "write",
    "design",
    "redesign",
    "set up",
    "prepare",
    "host",
    "run",
    "hire",
    "research",
    "renovate",
    "ship",
    "implement",
    "introduce",
    "open",
    "publish",
    "rewrite",
    "improve",
    "start",
    "switch",
    "upgrade",
    "replace",
    "evaluate",
    "investigate",
    "refactor",
    "automate",
    "integrate",
    "port",
    "celebrate",
    "produce",
    "release",
    "deliver",
    "extend",
    "get",
    "learn",
    "find",
    "rebuild",
    "modernise",
    "modernize",
    "arrange",
];

impl Goal {
    /// Reads a goal. An order to make something is one, and so is a wish; in an empty project also a bare phrase.
    pub(super) fn read(context: &Context, message: &str) -> Option<Self> {
        let sentence = *text::sentences(message).first()?;
        let wished = WISHES.iter().find_map(|wish| text::strip(sentence, wish));
        let body = wished.unwrap_or(sentence);
        let lower = body.to_lowercase();
        let is_order = VERBS.iter().any(|verb| lower.strip_prefix(verb).is_some_and(|rest| rest.starts_with(' ')));
        // "Make it nicer" wants a change of something, and does not say which.
        if body
            .split_whitespace()
            .nth(1)
            .is_some_and(|word| ["it", "this", "that", "them", "these", "those", "everything", "me", "us"].contains(&word.to_lowercase().as_str()))
        {
            return None;
        }
        let words = body.split_whitespace().count();
        let is_phrase = context.plan.project.version == 0 && (2..=12).contains(&words) && body.chars().filter(|c| c.is_alphabetic()).count() >= 6;
        if words < 2 || message.chars().count() > 2_000 || !(wished.is_some() || is_order || is_phrase) {
            return None;
        }
        let (body, deadline) = deadline(context, body);
        let title = Self::title_of(context, body);
        let lower = format!(" {} ", text::stems(message).join(" "));
        let kind = KINDS.iter().max_by_key(|kind| kind.words.iter().filter(|word| lower.contains(&format!(" {} ", text::stems(word).join(" ")))).count())?;
        let is_known = kind.words.iter().any(|word| lower.contains(&format!(" {} ", text::stems(word).join(" "))));
        let kind = if is_known { kind } else { &KINDS[KINDS.len() - 1] };
        (!title.is_empty()).then_some(Self { title, deadline, kind })
    }

    /// What a project with this goal is called: `Build a new sign-in flow` is `New sign-in flow`.
    pub(super) fn title_of(context: &Context, goal: &str) -> String {
        let goal = WISHES.iter().find_map(|wish| text::strip(goal, wish)).unwrap_or(goal);
        let (goal, _) = deadline(context, goal);
        // These say nothing that the plan does not say itself.
        let plain =
            ["build ", "create ", "make ", "develop ", "plan ", "organise ", "organize ", "set up ", "implement ", "new project ", "a plan for ", "plan for "];
        let goal = plain.iter().find_map(|verb| text::strip(goal, verb)).unwrap_or(goal);
        let (title, _) = attributes::take(context, goal);
        text::title(&title)
    }
}

/// The day at the end of a goal.
fn deadline<'t>(context: &Context, goal: &'t str) -> (&'t str, Option<NaiveDate>) {
    let goal = goal.trim().trim_end_matches('.');
    for separator in [" by the end of ", " by ", " until ", " before ", " for ", " on ", " in "] {
        let Some((front, behind)) = text::cut_last(goal, &[separator]) else { continue };
        if let Some(day) = attributes::day(context, behind).or_else(|| month(context, behind, separator)) {
            return (front, Some(day));
        }
    }
    (goal, None)
}

/// The last day before a month, where that leaves two weeks; else the month's last.
fn month(context: &Context, words: &str, separator: &str) -> Option<NaiveDate> {
    const MONTHS: [&str; 12] = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    let at = MONTHS.iter().position(|month| words.eq_ignore_ascii_case(month))?;
    let today = dates::today(context.now, context.zone);
    let month = u32::try_from(at).ok()? + 1;
    let first = |year| NaiveDate::from_ymd_opt(year, month, 1);
    let year = chrono::Datelike::year(&today);
    let first = first(year).filter(|day| *day > today).or_else(|| first(year + 1))?;
    let last = first.checked_add_months(chrono::Months::new(1))?.checked_sub_days(Days::new(1));
    let eve = first.checked_sub_days(Days::new(1)).filter(|eve| (*eve - today).num_days() >= 14);
    if separator == " by " || separator == " before " { eve.or(last) } else { last }
}

/// Puts the outline on the board.
pub(super) fn put(board: &mut Board<'_>, goal: &Goal) -> String {
    let parent = if board.is_new_project() {
        board.meta = Some(MetaUpdates { title: Some(goal.title.clone()), ..MetaUpdates::default() });
        None
    } else if board.context.plan.is_empty() && goal.title.eq_ignore_ascii_case(board.context.plan.project.title.trim()) {
        // The project itself is what is to be achieved.
        None
    } else {
        Some(board.create(CreateBody { title: goal.title.clone(), due_on: goal.deadline, ..CreateBody::default() }, None))
    };
    let count = goal.kind.phases.len();
    let mut previous = None;
    for (at, (title, criteria)) in goal.kind.phases.iter().enumerate() {
        let body = CreateBody {
            title: (*title).to_owned(),
            parent_id: parent.clone(),
            due_on: goal.deadline.and_then(|deadline| spread(board.context, deadline, at + 1, count)),
            depends_on: previous.take().map(|name| vec![name]),
            acceptance_criteria: Some(criteria.iter().map(|text| NewCriterion { text: (*text).to_owned(), ..NewCriterion::default() }).collect()),
            ..CreateBody::default()
        };
        previous = Some(board.create(body, None));
    }
    let dates = if goal.deadline.is_some() { ", spread over the time until then" } else { "" };
    format!(
        "This is only an outline, the usual phases of {}{dates}: I plan by rules and know nothing of yours in particular. List what is to be done, or change it by talking: \"rename 2 to …\", \"remove 4\", \"split 3 into a, b and c\".",
        goal.kind.name
    )
}

/// The day of phase `at` of `count`, between today and the deadline.
fn spread(context: &Context, deadline: NaiveDate, at: usize, count: usize) -> Option<NaiveDate> {
    let today = dates::today(context.now, context.zone);
    let days = u64::try_from((deadline - today).num_days()).ok()?;
    today.checked_add_days(Days::new(days * u64::try_from(at).ok()? / u64::try_from(count).ok()?))
}

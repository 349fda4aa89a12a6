//! From what happened to who hears of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Kind, Letter, Notification,
    rules::{self, Clock},
    store::{self, Changed, New, Person},
};
use crate::{
    dates,
    ids::{Context, MemberId, NotificationId, OrganizationId},
    integrations::cursor::Happened,
    patch::{Reference, TaskPatch},
    review::{self, Comment, Proposal},
};

/// Of one batch so many are told one by one; more are told together.
const ONE_BY_ONE: usize = 3;
/// How much of a comment is shown.
const EXCERPT: usize = 200;
/// When people are told what is due.
const MORNING: u8 = 8;

/// Stores what members are to hear of what happened, in the transaction that moves the reader of the log past it. What is to be
/// sent at once comes back, noted as sent.
pub async fn follow(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId, events: &[Happened]) -> sqlx::Result<Vec<Letter>> {
    let events: Vec<&Happened> = events.iter().filter(|event| concerns(event)).collect();
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let people = store::people(&mut *conn).await?;
    let ground = Ground::read(&mut *conn, &events, &people).await?;
    let decided: Vec<i32> =
        events.iter().filter(|event| matches!(event.event.as_str(), "proposal.decided" | "proposal.expired")).filter_map(|event| number(event)).collect();
    if !decided.is_empty() {
        store::settle(&mut *conn, &decided, ctx.now()).await?;
    }
    let mut new = Vec::new();
    for event in events {
        let mut news = ground.news(event);
        news.sort_by_key(|news| news.kind);
        let mut told = BTreeSet::new();
        for news in &news {
            for person in &people {
                let is_own = news.actor.as_deref() == Some(person.handle.as_str());
                if is_own || told.contains(&person.member) || !news.to.is_for(person) {
                    continue;
                }
                if let Some(note) = notice(ctx, person, news, event.at, format!("event:{}", event.seq), ctx.now()) {
                    told.insert(person.member);
                    new.push(note);
                }
            }
        }
    }
    let sent = store::insert(conn, ctx, organization, &new).await?;
    Ok(letters(&people, sent).into_iter().flat_map(apart).collect())
}

/// Once a day, in the morning of each member, stores what of theirs is due; and takes what waited until now to be sent.
pub async fn due(conn: &mut PgConnection, ctx: &dyn Context, organization: OrganizationId) -> sqlx::Result<Vec<Letter>> {
    let people = store::people(&mut *conn).await?;
    let now = ctx.now();
    let mornings: Vec<(&Person, NaiveDate)> = people.iter().filter_map(|person| Some((person, morning(person, now)?))).collect();
    let mut sent = Vec::new();
    if let Some(until) = mornings.iter().map(|(_, today)| *today).max() {
        let handles: Vec<&str> = mornings.iter().map(|(person, _)| person.handle.as_str()).collect();
        let tasks = store::due_tasks(&mut *conn, &handles, until).await?;
        let mut new = Vec::new();
        for (person, today) in &mornings {
            // As of the hour, so that it is part of a digest of the same hour.
            let since = dates::When { day: *today, time: Some(Clock::hour(MORNING).time()) }.instant(person.zone);
            for task in tasks.iter().filter(|task| task.assignee == person.handle && task.due_on <= *today) {
                let target = format!("{}-{}", task.key, task.number);
                let news = News {
                    kind: Kind::Due,
                    to: To::One(person.member),
                    actor: None,
                    words: if task.due_on == *today { "Due today:".to_owned() } else { format!("Due since {}:", task.due_on.format("%-d %B")) },
                    path: task_path(&target),
                    target,
                    title: task.title.clone(),
                    project: Some(task.key.clone()),
                    proposal: None,
                };
                new.extend(notice(ctx, person, &news, now, format!("due:{}:{today}", task.task_id), since));
            }
        }
        sent = store::insert(&mut *conn, ctx, organization, &new).await?;
        let told: Vec<(MemberId, NaiveDate)> = mornings.iter().map(|(person, today)| (person.member, *today)).collect();
        store::told_due(&mut *conn, organization, &told).await?;
    }
    sent.extend(store::take(conn, now).await?);
    Ok(letters(&people, sent))
}

/// Today, where a member is to be told now what is due.
fn morning(person: &Person, now: DateTime<Utc>) -> Option<NaiveDate> {
    let local = now.with_timezone(&person.zone);
    let today = local.date_naive();
    (local.time() >= Clock::hour(MORNING).time() && person.due_told_on.is_none_or(|told| told < today)).then_some(today)
}

/// What a member is told of some news, unless they do not want to hear it.
fn notice<'p>(ctx: &dyn Context, to: &'p Person, news: &News, at: DateTime<Utc>, cause: String, since: DateTime<Utc>) -> Option<New<'p>> {
    if to.preferences.is_muted(news.project.as_deref(), news.proposal) {
        return None;
    }
    let send_at = to.preferences.when(news.kind, since, to.zone)?;
    let note = Notification {
        id: NotificationId(ctx.uuid()),
        kind: news.kind,
        actor: news.actor.clone(),
        words: news.words.clone(),
        target: news.target.clone(),
        title: news.title.clone(),
        path: news.path.clone(),
        project: news.project.clone(),
        proposal: news.proposal,
        at,
        read_at: None,
    };
    Some(New { to, cause, send_at, note })
}

/// One letter for each of those who are to be sent something.
fn letters(people: &[Person], sent: Vec<(MemberId, Notification)>) -> Vec<Letter> {
    let mut letters: BTreeMap<MemberId, Letter> = BTreeMap::new();
    for (member, note) in sent {
        let Some(person) = people.iter().find(|person| person.member == member && !person.addresses.is_empty()) else { continue };
        // It may have been muted while it waited.
        if !person.preferences.is_muted(note.project.as_deref(), note.proposal) {
            letters.entry(member).or_insert_with(|| Letter { member, addresses: person.addresses.clone(), notes: Vec::new() }).notes.push(note);
        }
    }
    letters.into_values().collect()
}

fn apart(letter: Letter) -> Vec<Letter> {
    if letter.notes.len() > ONE_BY_ONE {
        return vec![letter];
    }
    let Letter { member, addresses, notes } = letter;
    notes.into_iter().map(|note| Letter { member, addresses: addresses.clone(), notes: vec![note] }).collect()
}

/// Something that happened, for those whom it concerns.
struct News {
    kind: Kind,
    to: To,
    actor: Option<String>,
    words: String,
    target: String,
    title: String,
    path: String,
    project: Option<String>,
    proposal: Option<i32>,
}

/// Whom it concerns.
enum To {
    One(MemberId),
    Members(Vec<MemberId>),
    Handles(BTreeSet<String>),
    /// Whoever subscribed to the project.
    Subscribers(String),
}

impl To {
    fn is_for(&self, person: &Person) -> bool {
        match self {
            Self::One(member) => *member == person.member,
            Self::Members(members) => members.contains(&person.member),
            Self::Handles(handles) => handles.contains(&person.handle),
            Self::Subscribers(project) => person.preferences.subscriptions.contains(project),
        }
    }
}

/// Whether anybody may be told of it.
fn concerns(event: &Happened) -> bool {
    matches!(
        event.event.as_str(),
        "proposal.opened"
            | "proposal.refined"
            | "proposal.rebased"
            | "proposal.decided"
            | "proposal.expired"
            | "proposal.commented"
            | "project.created"
            | "project.changed"
            | "job.failed"
    )
}

fn number(event: &Happened) -> Option<i32> {
    event.details["number"].as_i64().and_then(|number| number.try_into().ok())
}

fn text(event: &Happened, field: &str) -> Option<String> {
    event.details[field].as_str().map(str::to_owned)
}

fn task_path(reference: &str) -> String {
    let key = reference.rsplit_once('-').map_or(reference, |(key, _)| key);
    format!("/p/{key}?task={reference}")
}

fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= EXCERPT { line } else { line.chars().take(EXCERPT - 1).chain(['…']).collect() }
}

/// What the events are about.
struct Ground {
    proposals: HashMap<i32, Proposal>,
    /// By the proposal's number.
    reviewers: HashMap<i32, Vec<MemberId>>,
    comments: HashMap<Uuid, Comment>,
    changes: HashMap<(String, i32), Changed>,
    /// By reference.
    titles: HashMap<String, String>,
}

impl Ground {
    async fn read(conn: &mut PgConnection, events: &[&Happened], people: &[Person]) -> sqlx::Result<Self> {
        let numbers: Vec<i32> = events.iter().filter_map(|event| number(event)).collect();
        let listed = if numbers.is_empty() { Vec::new() } else { review::store::list_by_number(&mut *conn, &numbers).await? };
        let proposals: HashMap<i32, Proposal> = listed.into_iter().map(|proposal| (proposal.number, proposal)).collect();
        let roles: Vec<_> = people.iter().map(|person| (person.member, person.role)).collect();
        let mut reviewers = HashMap::new();
        for event in events.iter().filter(|event| event.event == "proposal.opened") {
            if let Some(proposal) = number(event).and_then(|number| proposals.get(&number)) {
                reviewers.insert(proposal.number, review::wanted(&mut *conn, proposal, &roles).await?);
            }
        }
        let ids: Vec<Uuid> = events.iter().filter_map(|event| text(event, "comment")?.parse().ok()).collect();
        let comments = if ids.is_empty() { Vec::new() } else { review::store::list_comments_by_id(&mut *conn, &ids).await? };
        // Most changes name nobody, and are not read.
        let versions: Vec<(String, i32)> = events.iter().filter(|event| event.details["may_name"] == true).filter_map(|event| version(event)).collect();
        let changes = if versions.is_empty() { Vec::new() } else { store::changes(&mut *conn, &versions).await? };
        let updated: Vec<Reference> = changes
            .iter()
            .flat_map(|change| &change.patch.tasks)
            .filter(|task| task.op() == "update")
            .filter_map(|task| Reference::parse(task.task_id()))
            .collect();
        let titles = store::titles(conn, &updated).await?;
        Ok(Self {
            proposals,
            reviewers,
            comments: comments.into_iter().map(|comment| (comment.id, comment)).collect(),
            changes: changes.into_iter().map(|change| ((change.project.clone(), change.version), change)).collect(),
            titles: titles.into_iter().collect(),
        })
    }

    fn news(&self, event: &Happened) -> Vec<News> {
        match event.event.as_str() {
            "job.failed" => vec![failed(event)],
            "project.created" | "project.changed" => self.of_change(event),
            _ => number(event).and_then(|number| self.proposals.get(&number)).map(|proposal| self.of_proposal(event, proposal)).unwrap_or_default(),
        }
    }

    fn of_proposal(&self, event: &Happened, proposal: &Proposal) -> Vec<News> {
        let actor = &event.actor;
        let news = |kind, to, words: String, title: String| News {
            kind,
            to,
            actor: Some(actor.clone()),
            words,
            target: format!("#{}", proposal.number),
            title,
            path: format!("/proposals/{}", proposal.number),
            project: proposal.project_key.clone(),
            proposal: Some(proposal.number),
        };
        let title = || proposal.title.clone();
        let to_author = |words: String, title: String| news(Kind::Decided, To::One(proposal.member), words, title);
        match event.event.as_str() {
            "proposal.opened" => {
                let reviewers = self.reviewers.get(&proposal.number).cloned().unwrap_or_default();
                let review = news(Kind::Review, To::Members(reviewers), format!("@{actor} asks you to review"), title());
                let subscribed = proposal.project_key.clone().map(|key| news(Kind::Subscribed, To::Subscribers(key), format!("@{actor} proposed"), title()));
                std::iter::once(review).chain(subscribed).collect()
            }
            "proposal.refined" => vec![to_author(format!("@{actor} refined your proposal"), title())],
            "proposal.rebased" if event.details["conflicts"].as_u64().is_some_and(|count| count > 0) => {
                vec![to_author("What others did clashes with your proposal".to_owned(), title())]
            }
            "proposal.decided" => {
                let verb = match event.details["state"].as_str() {
                    Some("applied" | "accepted") => "accepted",
                    Some("rejected") => "rejected",
                    _ => "withdrew",
                };
                let why = text(event, "reason").filter(|why| !why.is_empty()).map_or_else(String::new, |why| format!(" ({})", excerpt(&why)));
                vec![to_author(format!("@{actor} {verb} your proposal"), format!("{}{why}", proposal.title))]
            }
            "proposal.expired" => vec![News { actor: None, ..to_author("Nobody decided your proposal in time:".to_owned(), title()) }],
            "proposal.commented" => {
                let comment = text(event, "comment").and_then(|id| id.parse().ok()).and_then(|id: Uuid| self.comments.get(&id));
                let Some(comment) = comment else { return Vec::new() };
                let mentioned =
                    news(Kind::Mentioned, To::Handles(rules::mentions(&comment.text)), format!("@{actor} mentioned you in"), excerpt(&comment.text));
                vec![mentioned, to_author(format!("@{actor} commented on your proposal"), excerpt(&comment.text))]
            }
            _ => Vec::new(),
        }
    }

    fn of_change(&self, event: &Happened) -> Vec<News> {
        let Some((project, number)) = version(event) else { return Vec::new() };
        let actor = &event.actor;
        let news = |kind, to, words: &str, target: String, title, path| News {
            kind,
            to,
            actor: Some(actor.clone()),
            words: format!("@{actor} {words}"),
            target,
            title,
            path,
            project: Some(project.clone()),
            proposal: None,
        };
        let count = event.details["operations"].as_u64().unwrap_or_default();
        let title = format!("version {number}, {count} {}", if count == 1 { "change" } else { "changes" });
        let path = format!("/p/{project}");
        let mut all = vec![news(Kind::Subscribed, To::Subscribers(project.clone()), "changed", project.clone(), title, path)];
        let Some(change) = self.changes.get(&(project.clone(), number)) else { return all };
        let named = Named::of(change);
        for (kind, words, by_handle) in [(Kind::Assigned, "assigned you", named.assigned), (Kind::Mentioned, "mentioned you in", named.mentioned)] {
            for (handle, tasks) in by_handle {
                let Some((first, own_title)) = tasks.first() else { continue };
                let title = own_title.clone().or_else(|| self.titles.get(first).cloned()).unwrap_or_default();
                let more = if tasks.len() > 1 { format!(" and {} more", tasks.len() - 1) } else { String::new() };
                all.push(news(kind, To::Handles([handle].into()), words, first.clone(), format!("{title}{more}"), task_path(first)));
            }
        }
        all
    }
}

/// The project and the version that an event tells of.
fn version(event: &Happened) -> Option<(String, i32)> {
    let is_one = matches!(event.event.as_str(), "project.created" | "project.changed");
    let number = event.details["version"].as_i64()?.try_into().ok()?;
    is_one.then(|| Some((text(event, "project")?, number))).flatten()
}

fn failed(event: &Happened) -> News {
    let problem = event.details["problem"].as_str().unwrap_or_default();
    News {
        kind: Kind::Failed,
        to: To::Handles([event.actor.clone()].into()),
        // It is theirs, and nobody's doing.
        actor: None,
        words: "A job of yours was given up:".to_owned(),
        target: text(event, "kind").unwrap_or_default(),
        title: excerpt(problem),
        path: "/settings/work".to_owned(),
        project: None,
        proposal: None,
    }
}

/// Tasks by reference, with their titles where the change has them.
type Tasks = Vec<(String, Option<String>)>;

/// Whom a change named, by handle.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    assigned: BTreeMap<String, Tasks>,
    mentioned: BTreeMap<String, Tasks>,
}

impl Named {
    fn of(change: &Changed) -> Self {
        let before: HashMap<&str, &TaskPatch> = change.inverse.tasks.iter().map(|task| (task.task_id(), task)).collect();
        let mut named = Self::default();
        for task in &change.patch.tasks {
            let (title, assignee, description) = match task {
                TaskPatch::Create(create) => (Some(create.body.title.clone()), create.body.assignee.as_ref(), create.body.description.as_ref()),
                TaskPatch::Update(update) => (update.body.title.set().cloned(), update.body.assignee.set(), update.body.description.set()),
                TaskPatch::Delete(_) => continue,
            };
            let described = match before.get(task.task_id()) {
                Some(TaskPatch::Update(update)) => update.body.description.set().map(|text| rules::mentions(text)).unwrap_or_default(),
                _ => BTreeSet::new(),
            };
            let entry = (task.task_id().to_owned(), title);
            if let Some(handle) = assignee {
                named.assigned.entry(handle.clone()).or_default().push(entry.clone());
            }
            for handle in description.map(|text| rules::mentions(text)).unwrap_or_default().difference(&described) {
                named.mentioned.entry(handle.clone()).or_default().push(entry.clone());
            }
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_change_names_whom_it_assigns_and_whom_it_newly_mentions() {
        let read = |value: Value| serde_json::from_value(value).unwrap();
        let change = Changed {
            project: "WEB".into(),
            version: 2,
            patch: read(json!({ "tasks": [
                { "op": "create", "task_id": "WEB-4", "body": { "title": "Tests", "assignee": "bo", "description": "with @cy" } },
                { "op": "update", "task_id": "WEB-2", "body": { "assignee": "bo", "title": "Form" } },
                { "op": "update", "task_id": "WEB-3", "body": { "assignee": null, "description": "ask @ana and @bo" } },
            ] })),
            inverse: read(json!({ "tasks": [{ "op": "update", "task_id": "WEB-3", "body": { "assignee": "cy", "description": "ask @ana" } }] })),
        };
        let one = |task: &str, title: Option<&str>| (task.to_owned(), title.map(str::to_owned));
        let named = Named::of(&change);
        assert_eq!(named.assigned, [("bo".to_owned(), vec![one("WEB-4", Some("Tests")), one("WEB-2", Some("Form"))])].into());
        assert_eq!(named.mentioned, [("bo".to_owned(), vec![one("WEB-3", None)]), ("cy".to_owned(), vec![one("WEB-4", Some("Tests"))])].into());
    }

    #[test]
    fn a_long_comment_is_cut() {
        assert_eq!(excerpt("a\n  b"), "a b");
        assert_eq!(excerpt(&"x".repeat(300)).chars().count(), EXCERPT);
    }
}

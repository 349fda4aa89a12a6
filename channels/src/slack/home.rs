//! What Slack shows of us beside messages: our home, and what stands behind addresses of ours.

use patchbay_core::{
    channel::{Channel, store as channels},
    db,
    ids::OrganizationId,
    review::{self, State, store::Filter},
    tenancy::{Actor, store as tenancy},
    workflow::{self, store as plans},
};
use serde_json::{Map, Value, json};

use super::{
    decode::{Links, Unfurl},
    receive::sender,
    workspaces::Workspaces,
};
use crate::{
    hub::Hub,
    render::{escape, slack::reply},
};

/// How many proposals a home lists.
const LISTED: i64 = 20;

/// Shows somebody what waits for a decision.
pub(super) async fn publish(hub: &Hub, workspaces: &Workspaces, team: &str, user: &str) -> anyhow::Result<()> {
    let Some(organization) = hub.organization_of(Channel::Slack, team).await? else { return Ok(()) };
    let view = match open_proposals(hub, organization, &sender(team, user)).await? {
        None => json!({ "type": "home", "blocks": reply::sections(
            "I do not know yet who you are. Write `link` to me under *Messages*, and I tell you how to change that.") }),
        Some(open) => home(&open, &hub.public_url),
    };
    Ok(workspaces.client(organization, team).await?.publish(user, &view).await?)
}

struct Listed {
    number: i32,
    title: String,
    author: String,
    project: Option<String>,
}

fn home(open: &[Listed], url: &str) -> Value {
    let mut blocks = vec![json!({ "type": "header", "text": { "type": "plain_text", "text": "Waiting for a decision" } })];
    if open.is_empty() {
        blocks.extend(reply::sections("Nothing waits. Tell me what you want to achieve: under *Messages*, with `/patchbay`, or by a mention."));
    }
    for proposal in open {
        let project = proposal.project.as_deref().map_or_else(|| "a new project".to_owned(), str::to_owned);
        let text = format!("*#{}* {}\nby @{}, for {project}", proposal.number, escape::mrkdwn(&proposal.title), escape::mrkdwn(&proposal.author));
        blocks.push(json!({
            "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true },
            "accessory": { "type": "button", "action_id": format!("{}{}", reply::COMMAND, proposal.number), "value": format!("review #{}", proposal.number),
                "text": { "type": "plain_text", "text": "Look" } },
        }));
    }
    blocks.extend(reply::sections(&format!("[Open the console]({url})")));
    json!({ "type": "home", "blocks": blocks })
}

/// `None`: nobody that we know.
async fn open_proposals(hub: &Hub, organization: OrganizationId, sender: &str) -> db::Result<Option<Vec<Listed>>> {
    let mut tx = hub.db.snapshot(organization).await?;
    let Some(actor) = actor(&mut tx, organization, sender).await? else { return Ok(None) };
    let open = review::store::list(&mut tx, Filter { state: Some(State::Open), ..Filter::default() }, LISTED).await?;
    tx.rollback().await?;
    let seen = open.into_iter().map(|(proposal, _)| proposal).filter(|proposal| proposal.project.is_none_or(|project| actor.sees(project)));
    let listed = |proposal: review::Proposal| Listed { number: proposal.number, title: proposal.title, author: proposal.author, project: proposal.project_key };
    Ok(Some(seen.map(listed).collect()))
}

async fn actor(conn: &mut db::Connection, organization: OrganizationId, sender: &str) -> db::Result<Option<Actor>> {
    match channels::find_identity(&mut *conn, Channel::Slack, sender).await? {
        Some(member) => tenancy::act_as(conn, organization, member).await,
        None => Ok(None),
    }
}

/// Shows what stands behind addresses of ours, as far as whoever posted them may see it.
pub(super) async fn unfurl(hub: &Hub, workspaces: &Workspaces, links: &Links) -> anyhow::Result<()> {
    let Some(organization) = hub.organization_of(Channel::Slack, &links.team).await? else { return Ok(()) };
    let mut tx = hub.db.snapshot(organization).await?;
    let Some(actor) = actor(&mut tx, organization, &sender(&links.team, &links.user)).await? else { return Ok(()) };
    let mut unfurls = Map::new();
    for url in &links.urls {
        let text = match ours(url, &hub.public_url) {
            None => None,
            Some(Ours::Proposal(number)) => proposal(&mut tx, &actor, number).await?,
            Some(Ours::Project(key)) => project(&mut tx, &actor, &key).await?,
            Some(Ours::Task(key, task)) => self::task(&mut tx, &actor, &key, &task).await?,
        };
        if let Some(text) = text {
            unfurls.insert(url.clone(), json!({ "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } }] }));
        }
    }
    tx.rollback().await?;
    if unfurls.is_empty() {
        return Ok(());
    }
    let message = match &links.unfurl {
        Unfurl::Sent { ts } => json!({ "channel": links.channel, "ts": ts }),
        Unfurl::Composed { unfurl_id, source } => json!({ "unfurl_id": unfurl_id, "source": source }),
    };
    Ok(workspaces.client(organization, &links.team).await?.unfurl(&message, &unfurls.into()).await?)
}

/// `#12 Title`, who made it, and what became of it; `None` where there is none that they may see. So for the others.
async fn proposal(conn: &mut db::Connection, actor: &Actor, number: i32) -> db::Result<Option<String>> {
    let found = review::store::find(conn, number).await?.filter(|proposal| proposal.project.is_none_or(|project| actor.sees(project)));
    Ok(found.map(|proposal| {
        let state = proposal.state.as_str();
        format!("*#{number}* {}\nby @{}, {state}", escape::mrkdwn(&proposal.title), escape::mrkdwn(&proposal.author))
    }))
}

/// `WEB Title`, at which version it is, and how much of it is done.
async fn project(conn: &mut db::Connection, actor: &Actor, key: &str) -> db::Result<Option<String>> {
    let Some(row) = plans::find_project(&mut *conn, key).await?.filter(|row| actor.sees(row.project.id)) else { return Ok(None) };
    let listed = plans::list_projects(conn, Some(row.project.id), None, 1).await?;
    Ok(listed.first().map(|listed| {
        let project = &listed.project.project;
        let (key, title) = (escape::mrkdwn(&project.key), escape::mrkdwn(&project.title));
        let waiting = match listed.open_proposals {
            0 => String::new(),
            1 => ", 1 proposal waits".to_owned(),
            many => format!(", {many} proposals wait"),
        };
        format!("*{key}* {title}\nversion {}, {} of {} tasks done{waiting}", project.version, listed.done, listed.tasks)
    }))
}

/// `WEB-7 Title`, its step, whose it is, when it is due, and in which project.
async fn task(conn: &mut db::Connection, actor: &Actor, key: &str, task: &str) -> db::Result<Option<String>> {
    let Some(row) = plans::find_project(&mut *conn, key).await?.filter(|row| actor.sees(row.project.id)) else { return Ok(None) };
    let plan = workflow::around(conn, &row, &[task.to_owned()]).await?;
    Ok(plan.find(task).map(|task| {
        let step = plan.project.process.step(&task.status).map_or(task.status.as_str(), |step| step.title.as_str());
        let facts = [
            Some(escape::mrkdwn(step)),
            task.assignee.as_ref().map(|handle| format!("@{}", escape::mrkdwn(handle))),
            task.due_on.map(|day| format!("due {day}")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        let (reference, title) = (escape::mrkdwn(&plan.reference(task)), escape::mrkdwn(&task.title));
        format!("*{reference}* {title}\n{}\nin *{}* {}", facts.join(", "), escape::mrkdwn(&plan.project.key), escape::mrkdwn(&plan.project.title))
    }))
}

/// What an address of ours shows.
#[derive(Debug, PartialEq, Eq)]
enum Ours {
    /// `…/proposals/12`
    Proposal(i32),
    /// `…/p/WEB`
    Project(String),
    /// `…/p/WEB?task=WEB-7`
    Task(String, String),
}

fn ours(url: &str, home: &str) -> Option<Ours> {
    let address = url.strip_prefix(home)?.split('#').next()?;
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if let Some(number) = path.strip_prefix("/proposals/") {
        return number.split('/').next()?.parse().ok().map(Ours::Proposal);
    }
    let key = path.strip_prefix("/p/")?.split('/').next().filter(|key| is_name(key))?.to_owned();
    let task = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "task").map(|(_, task)| task.into_owned());
    match task {
        Some(task) => is_name(&task).then_some(Ours::Task(key, task)),
        None => Some(Ours::Project(key)),
    }
}

/// Whether something may be a key, a reference, or an id.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ours_names_what_it_shows() {
        let home = "https://plans.example";
        for (url, expected) in [
            ("https://plans.example/proposals/12?x=1", Ours::Proposal(12)),
            ("https://plans.example/p/WEB", Ours::Project("WEB".into())),
            ("https://plans.example/p/WEB?view=board#top", Ours::Project("WEB".into())),
            ("https://plans.example/p/WEB/history", Ours::Project("WEB".into())),
            ("https://plans.example/p/WEB?view=board&task=WEB-7", Ours::Task("WEB".into(), "WEB-7".into())),
        ] {
            assert_eq!(ours(url, home), Some(expected), "{url}");
        }
        for url in [
            "https://plans.example.evil/proposals/12",
            "https://plans.example/proposals/x",
            "https://plans.example/p/",
            "https://plans.example/p/WEB?task=%27",
            "https://plans.example/settings",
        ] {
            assert_eq!(ours(url, home), None, "{url}");
        }
    }
}

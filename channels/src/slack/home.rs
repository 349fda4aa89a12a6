//! What Slack shows of us beside messages: our home, and what stands behind addresses of ours.

use patchbay_core::{
    channel::{Channel, store as channels},
    db,
    ids::OrganizationId,
    review::{self, State, store::Filter},
    tenancy::{Actor, store as tenancy},
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
        let Some(number) = proposal_of(url, &hub.public_url) else { continue };
        let Some(proposal) = review::store::find(&mut tx, number).await? else { continue };
        if proposal.project.is_none_or(|project| actor.sees(project)) {
            let state = proposal.state.as_str();
            let text = format!("*#{number}* {}\nby @{}, {state}", escape::mrkdwn(&proposal.title), escape::mrkdwn(&proposal.author));
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

/// The proposal that an address of ours shows: `…/proposals/12`.
fn proposal_of(url: &str, home: &str) -> Option<i32> {
    let path = url.strip_prefix(home)?.strip_prefix("/proposals/")?;
    path.split(['?', '#', '/']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ours_names_a_proposal() {
        let home = "https://plans.example";
        assert_eq!(proposal_of("https://plans.example/proposals/12?x=1", home), Some(12));
        for url in ["https://plans.example.evil/proposals/12", "https://plans.example/p/WEB", "https://plans.example/proposals/x"] {
            assert_eq!(proposal_of(url, home), None, "{url}");
        }
    }
}

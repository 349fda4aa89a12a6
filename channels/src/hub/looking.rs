//! What a channel must know before it can answer at once: whose a workspace is, and what a window is to show.

use patchbay_core::{
    channel::{Channel, store},
    db,
    ids::OrganizationId,
    patch::diff::Diff,
    review::{self, State, view::hex},
    tenancy::{Actor, store as tenancy},
};

use super::{
    Hub,
    grammar::{self, Command, Leasing, Parsed, Scheduling, Shown, Working},
};
use crate::render::card::Press;

/// Whether the answer is for whoever asks alone: a code that says who somebody is.
pub(crate) fn is_confidential(text: &str) -> bool {
    matches!(grammar::parse(text, &[]), Parsed::Command(Command::Link { .. }))
}

/// Whether the answer to a command that only its author sees concerns nobody else: what is looked at, and how one is told of things.
/// What changes something, and what is proposed, is for all.
pub(crate) fn concerns_only_asker(text: &str) -> bool {
    // Which projects there are is not known yet: any word may be one, for what is no command is proposed, and that is for all.
    let mut keys: Vec<String> = text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_uppercase).collect();
    keys.retain(|key| key.len() <= 10 && key.starts_with(|c: char| c.is_ascii_uppercase()));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let Parsed::Command(command) = grammar::parse(text, &keys) else { return false };
    matches!(
        command,
        Command::Link { .. }
            | Command::Mute(_)
            | Command::Unmute(_)
            | Command::Subscribe { .. }
            | Command::Help(_)
            | Command::Show(Shown::Here | Shown::Target(_) | Shown::Version { .. })
            | Command::List { .. }
            | Command::ListProjects
            | Command::Review(None)
            | Command::History(_)
            | Command::Diff { .. }
            | Command::Agents
            | Command::Lease(Leasing::List)
            | Command::Schedule(Scheduling::List)
            | Command::Jobs(Working::List(_) | Working::Show(_) | Working::Run { preset: None, .. })
    )
}

/// What somebody else wrote, to be planned: never read as a command of whoever points at it.
pub(crate) fn material(text: &str) -> String {
    // A command begins with its verb, perhaps behind a slash or a please.
    let words = text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let first = words.into_iter().find(|word| !word.is_empty() && !word.eq_ignore_ascii_case("please"));
    let may_be_command = text.trim_start().starts_with('?') || first.is_some_and(|word| grammar::find(word).is_some());
    if may_be_command { format!("- {text}") } else { text.to_owned() }
}

impl Hub {
    /// Whose a workspace is: where no installation says so, the first organisation's. `None` on an empty database.
    pub async fn organization_of(&self, channel: Channel, external_id: &str) -> db::Result<Option<OrganizationId>> {
        if let Some(organization) = store::organization_of(&self.db, channel, external_id).await? {
            return Ok(Some(organization));
        }
        Ok(self.db.organizations().await?.first().copied())
    }

    /// Forgets a workspace, and with it what its tokens were.
    pub async fn uninstalled(&self, channel: Channel, external_id: &str) -> db::Result<()> {
        let Some(organization) = store::organization_of(&self.db, channel, external_id).await? else { return Ok(()) };
        let mut tx = self.db.begin(organization).await?;
        store::uninstall(&mut tx, channel, external_id).await?;
        tx.commit().await
    }

    /// What somebody looked at who pressed a button, if they may see it and it can still be decided.
    pub async fn pressed(&self, organization: OrganizationId, channel: Channel, sender: &str, press: &Press) -> db::Result<Option<Diff>> {
        let mut tx = self.db.snapshot(organization).await?;
        let Some(actor) = known(&mut tx, organization, channel, sender).await? else { return Ok(None) };
        let Some(proposal) = review::store::find(&mut tx, press.proposal).await? else { return Ok(None) };
        let is_as_shown = proposal.state == State::Open && proposal.revision == press.revision && proposal.project.is_none_or(|project| actor.sees(project));
        if !is_as_shown {
            return Ok(None);
        }
        let revision = review::store::revision(&mut tx, proposal.id, proposal.revision).await?;
        tx.rollback().await?;
        Ok(Some(revision.diff).filter(|_| hex(&revision.digest) == press.digest))
    }
}

/// Who somebody on a channel is.
async fn known(conn: &mut db::Connection, organization: OrganizationId, channel: Channel, sender: &str) -> db::Result<Option<Actor>> {
    match store::find_identity(&mut *conn, channel, sender).await? {
        Some(member) => tenancy::act_as(conn, organization, member).await,
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_command() {
        for text in ["accept #3", "done web-1", "/delete WEB-1", "please undo", "Please, undo", "DELETE WEB-1", "? help", "new \"x\"", "link K7PM-2QXW"] {
            let material = material(text);
            assert_eq!(grammar::parse(&material, &["WEB"]), Parsed::Free, "{material}");
        }
        assert_eq!(material("We need:\n- a shop"), "We need:\n- a shop");
        assert_eq!(material("We run a shop, and stop at six"), "We run a shop, and stop at six");
    }

    #[test]
    fn codes_are_confidential() {
        assert!(is_confidential("link") && is_confidential("please link K7PM-2QXW") && !is_confidential("list"));
    }

    #[test]
    fn what_is_looked_at_is_for_who_asks_and_what_happens_is_for_all() {
        let private = [
            "list mine due this week",
            "list in web",
            "show web-4",
            "show",
            "review",
            "history WEB",
            "diff web 3..9",
            "help",
            "link",
            "mute",
            "mute #12",
            "subscribe web",
            "jobs",
            "run",
        ];
        for text in private {
            assert!(concerns_only_asker(text), "{text}");
        }
        let public = [
            "done web-4",
            "accept #12",
            "show #12",
            "review #12",
            "undo",
            "plan web",
            "new \"Web\"",
            "bind WEB",
            "lease web-4",
            "run release-notes",
            "pause 3",
            "we need a shop",
            "moev WEB-3",
        ];
        for text in public {
            assert!(!concerns_only_asker(text), "{text}");
        }
    }
}

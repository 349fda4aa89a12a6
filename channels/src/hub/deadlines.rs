//! Open proposals that nobody decides: who has them before them is told, in their thread.

use patchbay_core::{
    channel, db,
    ids::OrganizationId,
    review::{self, Due},
};

use super::{Hub, replies};

/// How many proposals are looked through at a time.
const BATCH: i64 = 200;

impl Hub {
    /// Does what is due for the open proposals of an organisation, each in a transaction of its own.
    pub async fn watch_deadlines(&self, organization: OrganizationId) -> db::Result<()> {
        let mut above = 0;
        loop {
            let mut tx = self.db.begin(organization).await?;
            let open = review::open_above(&mut tx, organization, above, BATCH).await?;
            tx.rollback().await?;
            let Some(last) = open.last() else { return Ok(()) };
            above = *last;
            for number in open {
                self.watch_deadline(organization, number).await?;
            }
        }
    }

    async fn watch_deadline(&self, organization: OrganizationId, number: i32) -> db::Result<()> {
        let mut tx = self.db.begin(organization).await?;
        let Some((proposal, _, due)) = review::watch(&mut tx, self.ctx.as_ref(), organization, number).await? else { return tx.rollback().await };
        let reply = match due {
            Due::Reminder(days) => replies::still_waits(&proposal, days),
            Due::Expiry(days) => replies::expired(&proposal, days),
        };
        channel::store::tell_threads(&mut tx, self.ctx.as_ref(), organization, number, &reply).await?;
        tx.commit().await?;
        (self.committed)(organization);
        Ok(())
    }
}

//! Taking back what ran out: leases whose holders are silent, and the presence of agents that are gone.
//!
//! It reads the state and takes no input: run twice, or by two processes at once, it does the same once.

use super::{agent, lease};
use crate::{db::Db, ids::OrganizationId};

/// Takes back what is due in an organisation. Answers whether something was told.
pub async fn reclaim(db: &Db, organization: OrganizationId) -> sqlx::Result<bool> {
    let mut is_told = false;
    loop {
        let expired = lease::store::expire(db, organization, None).await?;
        is_told |= expired > 0;
        if expired < 200 {
            break;
        }
    }
    let mut tx = db.begin(organization).await?;
    let gone = agent::store::tell_gone(&mut tx, organization).await?;
    tx.commit().await?;
    Ok(is_told || gone > 0)
}

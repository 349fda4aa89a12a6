//! Taking back what ran out: leases whose holders are silent, the tasks that they claimed, and the presence of agents that are gone.
//!
//! It reads the state and takes no input: run twice, or by two processes at once, it does the same once.

use super::{
    agent,
    lease::{
        self,
        store::{Abandoned, list_abandoned, settle_abandoned},
    },
    work::{WorkError, give_back},
};
use crate::{
    db::Db,
    ids::{Context, OrganizationId},
    tenancy, workflow,
};

/// Takes back what is due in an organisation. Answers whether something was told.
pub async fn reclaim(db: &Db, ctx: &dyn Context, organization: OrganizationId) -> Result<bool, WorkError> {
    let mut is_told = false;
    loop {
        let expired = lease::store::expire(db, organization, None).await?;
        is_told |= expired > 0;
        if expired < 200 {
            break;
        }
    }
    let mut tx = db.begin(organization).await?;
    is_told |= agent::store::tell_gone(&mut tx, organization).await? > 0;
    let abandoned = list_abandoned(&mut tx).await?;
    tx.commit().await?;
    for task in abandoned {
        is_told = true;
        bring_back(db, ctx, organization, &task).await?;
    }
    Ok(is_told)
}

/// Puts a claimed task back to where others find it, on behalf of who fell silent.
async fn bring_back(db: &Db, ctx: &dyn Context, organization: OrganizationId, abandoned: &Abandoned) -> Result<(), WorkError> {
    let mut tx = workflow::begin(db, organization, Some(&abandoned.project.to_string())).await?;
    if settle_abandoned(&mut tx, organization, &abandoned.resource).await?
        && let Some(holder) = tenancy::store::act_as(&mut tx, organization, abandoned.member).await?
    {
        let note = "the lease ran out without a heartbeat".to_owned();
        match give_back(&mut tx, ctx, &holder, (abandoned.project, abandoned.task), note).await {
            Err(WorkError::Apply(workflow::ApplyError::Faults(faults))) => {
                tracing::warn!(?faults, resource = abandoned.resource, "a task whose holder fell silent stays where it is");
            }
            done => done?,
        }
    }
    tx.commit().await?;
    Ok(())
}

//! What must hold when all is decided, looked at past everything that could mend or hide it.

use std::{collections::HashMap, sync::PoisonError};

use anyhow::{Context as _, Result, ensure};
use sqlx::{ConnectOptions as _, PgConnection};

use crate::{
    people::{Client, Planned, Witness},
    program::Program,
};

pub(crate) async fn prove(program: &Program, client: &Client, planned: &[Planned]) -> Result<()> {
    let mut conn = program.superuser().await?.connect().await?;
    sqlx::query("set search_path to patchbay").execute(&mut conn).await?;
    let witness = std::mem::take(&mut *client.witness.lock().unwrap_or_else(PoisonError::into_inner));
    patches_are_whole(&mut conn, planned).await?;
    answers_hold(&mut conn, &witness).await?;
    messages_act_once(&mut conn, &witness).await?;
    versions_add_up(&mut conn).await?;
    events_tell_each_change_once(&mut conn).await?;
    let text = program.run(&["verify"]).await?;
    ensure!(text.contains("history and present agree"), "{text}");
    ensure!(!program.said().contains("ERROR"), "something failed on our side");
    Ok(())
}

/// Of each proposal all is there or nothing, and it is one revision or none.
async fn patches_are_whole(conn: &mut PgConnection, planned: &[Planned]) -> Result<()> {
    let tasks: Vec<(String, i32, String, Vec<String>)> = sqlx::query_as(
        "select p.key, t.number, t.title, array(select jsonb_array_elements_text(coalesce(t.detail -> 'labels', '[]')))
         from task t join project p using (project_id)",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut made: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut labelled: HashMap<&str, Vec<String>> = HashMap::new();
    for (key, number, title, labels) in &tasks {
        if let Some((name, part)) = title.split_once(' ').filter(|(name, _)| name.starts_with("chaos")) {
            made.entry(name).or_default().push(part);
        }
        for label in labels {
            labelled.entry(label).or_default().push(format!("{key}-{number}"));
        }
    }
    let states: HashMap<i32, (String, Option<i32>, Vec<i32>, i64)> = sqlx::query_as::<_, (i32, String, Option<i32>, Vec<i32>, i64)>(
        "select number, state, applied_as, array(select r.number from revision r where r.proposal = p.number),
                (select count(*) from decision d where d.proposal_id = p.proposal_id)
         from proposal p",
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(|(number, state, applied_as, revisions, decisions)| (number, (state, applied_as, revisions, decisions)))
    .collect();
    ensure!(states.len() == planned.len(), "{} proposals of {}", states.len(), planned.len());
    for proposal in planned {
        let (state, applied_as, revisions, decisions) = states.get(&i32::try_from(proposal.number)?).with_context(|| format!("{proposal:?} is gone"))?;
        let mut parts = made.remove(proposal.name.as_str()).unwrap_or_default();
        parts.sort_unstable();
        let labels = labelled.remove(proposal.name.as_str()).unwrap_or_default();
        let what = format!("{proposal:?} is {state} as {applied_as:?}: tasks {parts:?}, label on {labels:?}, revisions {revisions:?}, {decisions} decisions");
        ensure!(*decisions == 1, "{what}");
        match state.as_str() {
            "applied" => {
                ensure!(
                    parts == ["a", "b", "c"] && labels == [proposal.target.as_str()] && applied_as.is_some_and(|version| *revisions == [version]),
                    "{what}"
                );
            }
            "rejected" => ensure!(parts.is_empty() && labels.is_empty() && revisions.is_empty() && applied_as.is_none(), "{what}"),
            _ => anyhow::bail!("{what}"),
        }
    }
    ensure!(made.is_empty() && labelled.is_empty(), "nobody asked for {made:?} and {labelled:?}");
    Ok(())
}

/// What somebody was told has happened, and is still so.
async fn answers_hold(conn: &mut PgConnection, witness: &Witness) -> Result<()> {
    for (number, told) in &witness.decided {
        let (state, applied_as): (String, Option<i32>) =
            sqlx::query_as("select state, applied_as from proposal where number = $1").bind(i32::try_from(*number)?).fetch_one(&mut *conn).await?;
        let is_so = told["state"] == state.as_str() && told["applied_as"].as_i64() == applied_as.map(i64::from);
        ensure!(is_so, "#{number} is {state} as {applied_as:?}, and somebody was told {told}");
    }
    for title in &witness.applied {
        let tasks: i64 = sqlx::query_scalar("select count(*) from task where title = $1").bind(title).fetch_one(&mut *conn).await?;
        ensure!(tasks == 1, "{title} is there {tasks} times");
    }
    Ok(())
}

/// Each message is one command, which has one effect, also where another process did it than the one that took it.
async fn messages_act_once(conn: &mut PgConnection, witness: &Witness) -> Result<()> {
    let commands: i64 = sqlx::query_scalar("select count(*) from command").fetch_one(&mut *conn).await?;
    ensure!(usize::try_from(commands)? == witness.said.len(), "{commands} commands of {} messages", witness.said.len());
    for (client_id, id) in &witness.said {
        let (status, text, proposal, problem): (String, String, Option<i32>, Option<String>) =
            sqlx::query_as("select status, text, proposal, problem ->> 'type' from command where command_id = $1::uuid and client_id = 'key:' || $2")
                .bind(id)
                .bind(client_id)
                .fetch_one(&mut *conn)
                .await
                .with_context(|| format!("the message {client_id} is {id}"))?;
        ensure!(problem.as_deref() != Some("/problems/internal"), "{text} failed on our side");
        if let Some(title) = text.strip_prefix("add \"").and_then(|rest| rest.strip_suffix('"')) {
            let tasks: i64 = sqlx::query_scalar("select count(*) from task where title = $1").bind(title).fetch_one(&mut *conn).await?;
            ensure!(status == "done" && tasks == 1, "{text} is {status}, and there {tasks} times");
        } else if status == "done" {
            // It may have been shown again instead, or others were faster; whether it is whole has been seen.
            ensure!(proposal.is_some(), "{text} is done, and tells of no proposal");
        }
    }
    Ok(())
}

/// A project's version counts what was applied to it and nothing else: two for its making, and no rebase.
async fn versions_add_up(conn: &mut PgConnection) -> Result<()> {
    let projects: Vec<(String, i32, i64, i64, i64, i64)> = sqlx::query_as(
        "select key, version, (select count(*) from revision r where r.project_id = p.project_id),
                (select count(*) from proposal q where q.project_id = p.project_id and q.state = 'applied'),
                (select count(*) from task t where t.project_id = p.project_id and t.title like 'Said %'),
                (select count(*) from task t where t.project_id = p.project_id and t.title like 'Applied %')
         from project p",
    )
    .fetch_all(conn)
    .await?;
    ensure!(!projects.is_empty(), "there are projects");
    for (key, version, revisions, proposals, said, applied) in projects {
        let version = i64::from(version);
        let what = format!("{key} is at version {version} with {revisions} revisions, of {proposals} proposals, {said} messages and {applied} patches");
        ensure!(version == revisions && version == 2 + proposals + said + applied, "{what}");
    }
    Ok(())
}

/// Every row that tells of a change has its one event, and there are no others.
async fn events_tell_each_change_once(conn: &mut PgConnection) -> Result<()> {
    const CHANGES: &str = "
        with change (event, target, version) as (
            select case r.number when 1 then 'project.created' else 'project.changed' end, p.key, r.number from revision r join project p using (project_id)
            union all select 'proposal.opened', '#' || number, 1 from proposal
            union all select 'proposal.revised', '#' || p.number, r.revision from proposal_revision r join proposal p using (proposal_id) where r.revision > 1
            union all select 'proposal.decided', '#' || number, coalesce(applied_as, 0) from proposal where state in ('applied', 'rejected')
            union all select 'command.finished', command_id::text, 0 from command where status in ('done', 'failed')
        ), told (event, target, version) as (
            select case when event in ('proposal.rebased', 'proposal.refined') then 'proposal.revised' else event end, target,
                   case event when 'proposal.decided' then coalesce((details ->> 'applied_as')::int, 0)
                              when 'command.finished' then 0
                              else coalesce((details ->> 'version')::int, (details ->> 'revision')::int) end
            from event
        )
        select 'not told once: ' || format('%s %s %s', event, target, version) from (select * from change except all select * from told) missing
        union all select 'told and not done: ' || format('%s %s %s', event, target, version) from (select * from told except all select * from change) extra";
    let wrong: Vec<String> = sqlx::query_scalar(CHANGES).fetch_all(conn).await?;
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

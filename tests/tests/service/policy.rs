//! Policies as data: who has to approve what, in whose organisation, and what other rules would have done.

use anyhow::Result;
use patchbay_core::{
    db::{Db, PoolSize},
    ids::{MemberId, System},
    patch::process::Role,
    tenancy::{
        Scopes,
        store::{self, NewKey},
    },
};
use patchbay_tests::service::{Answer, Running};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};

/// A member with a key of their own.
async fn person(patchbay: &Running, name: &str, role: Role) -> Result<String> {
    let (status, member) = patchbay.post("/members", &json!({ "name": name, "role": role })).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{member}");
    let member: MemberId = serde_json::from_value(member["id"].clone())?;
    let db = Db::open(&patchbay.database.access().await?, PoolSize { service: 2, reader: 1 });
    let organization = db.organizations().await?[0];
    let mut tx = db.begin(organization).await?;
    let new = NewKey { member, name: "theirs", scopes: Scopes::of(role), project: None, expires_at: None };
    let (_, secret) = store::create_key(&mut tx, &System::default(), organization, &new).await?;
    tx.commit().await?;
    db.close().await;
    Ok(secret.text.expose_secret().to_owned())
}

async fn put(patchbay: &Running, base: i64, rules: Value) -> Result<Answer> {
    let body = json!({ "rules": rules, "base_version": base, "note": "as we agreed" });
    patchbay.ask(Some(&patchbay.key), Method::PUT, "/policies", Some(&body)).await
}

async fn accept(patchbay: &Running, key: &str, number: i64, body: Value) -> Result<Answer> {
    patchbay.ask(Some(key), Method::POST, &format!("/proposals/{number}/accept"), Some(&body)).await
}

fn two() -> Value {
    json!([{ "name": "Four eyes", "require": { "approvals": 2 } }])
}

async fn website(patchbay: &Running) -> Result<()> {
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    for title in ["One", "Two", "Three"] {
        patchbay.say(&format!("add \"{title}\""), Some("WEB")).await?;
    }
    Ok(())
}

async fn propose(patchbay: &Running, tasks: Value) -> Result<i64> {
    let (status, proposal) = patchbay.post("/projects/WEB/patches", &json!({ "mode": "propose", "patch": { "tasks": tasks } })).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{proposal}");
    Ok(proposal["number"].as_i64().unwrap_or_default())
}

fn update(task: &str, field: &str, value: &str) -> Value {
    json!({ "op": "update", "task_id": task, "body": { field: value } })
}

#[tokio::test]
async fn a_policy_is_versioned_audited_and_nobodys_change_is_lost() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let (_, built_in) = patchbay.get("/policies").await?;
    assert_eq!((built_in["version"].as_i64(), built_in["is_active"].as_bool(), &built_in["versions"]), (Some(0), Some(true), &json!([])), "{built_in}");

    let (status, first) = put(&patchbay, 0, two()).await?;
    assert_eq!((status, first["version"].as_i64()), (StatusCode::OK, Some(1)), "{first}");
    let (_, same) = put(&patchbay, 1, two()).await?;
    assert_eq!(same["version"].as_i64(), Some(1), "the same rules again are no change");
    let (status, problem) = put(&patchbay, 0, json!([])).await?;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{problem}");
    let body = json!({ "rules": [] });
    let (status, _) = patchbay.send(Some(&patchbay.key), Method::PUT, "/policies", Some(&body), &[("if-match", "\"another\"")]).await?;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    let (status, problem) = patchbay.ask(Some(&patchbay.key), Method::PUT, "/policies", Some(&body)).await?;
    assert_eq!((status, problem["errors"][0]["path"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("/base_version")), "{problem}");

    let (status, back) = put(&patchbay, 1, built_in["rules"].clone()).await?;
    assert_eq!((status, back["version"].as_i64(), &back["rules"]), (StatusCode::OK, Some(2), &built_in["rules"]), "what is built in can be had back: {back}");
    let (_, old) = patchbay.get("/policies?version=1").await?;
    assert_eq!((&old["rules"][0]["name"], &old["is_active"], &old["note"]), (&json!("Four eyes"), &json!(false), &json!("as we agreed")));
    let versions: Vec<_> = back["versions"].as_array().into_iter().flatten().filter_map(|line| line["version"].as_i64()).collect();
    assert_eq!(versions, [2, 1]);

    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let (_, audit) = patchbay.get("/audit?action=policy&actor=owner").await?;
    let changes: Vec<&Value> = audit["data"].as_array().into_iter().flatten().filter(|entry| entry["action"] == "policy.changed").collect();
    assert_eq!((changes.len(), audit["data"].as_array().map(Vec::len)), (2, Some(2)), "{audit}");
    assert_eq!(changes[1]["details"]["after"]["rules"][0]["name"], "Four eyes");

    let mut conn = patchbay.database.options().connect().await?;
    sqlx::raw_sql("set role patchbay_service").execute(&mut conn).await?;
    let refused = sqlx::query("update patchbay.policy set note = 'x'").execute(&mut conn).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("permission denied")), "a version never changes");
    conn.close().await?;
    patchbay.end().await
}

#[tokio::test]
async fn every_fault_of_a_policy_is_told_at_its_place_and_only_admins_change_it() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    let (status, problem) = put(&patchbay, 0, json!([{ "name": "x", "when": { "min_deletes": 0 }, "require": { "own": "sometimes" } }])).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        problem["errors"][0],
        json!({ "path": "/rules/0/when/min_deletes", "message": "this is not such a number", "found": "0", "expected": "a whole number, 1–500" })
    );
    assert_eq!(problem["errors"][1]["path"], "/rules/0/require/own");
    let (status, problem) = put(&patchbay, 0, json!([{ "name": "x", "when": { "projects": ["WEB", "WEBB"] } }])).await?;
    assert_eq!(
        (status, &problem["errors"][0]["path"], &problem["errors"][0]["found"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/rules/0/when/projects/1"), &json!("WEBB"))
    );

    let ann = person(&patchbay, "Ann", Role::Member).await?;
    let body = json!({ "rules": [], "base_version": 0 });
    for (method, path, expected) in [
        (Method::GET, "/policies", StatusCode::OK),
        (Method::PUT, "/policies", StatusCode::FORBIDDEN),
        (Method::POST, "/policies/preview", StatusCode::FORBIDDEN),
    ] {
        let (status, answer) = patchbay.ask(Some(&ann), method.clone(), path, (method != Method::GET).then_some(&body)).await?;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    patchbay.end().await
}

#[tokio::test]
async fn two_people_approve_and_the_second_applies() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    let early = propose(&patchbay, json!([update("WEB-3", "title", "Third")])).await?;
    assert_eq!(accept(&patchbay, &patchbay.key, early, json!({})).await?.0, StatusCode::OK);
    put(&patchbay, 0, two()).await?;
    let (ann, bob) = (person(&patchbay, "Ann", Role::Member).await?, person(&patchbay, "Bob", Role::Member).await?);
    let number = propose(&patchbay, json!([update("WEB-1", "title", "First"), update("WEB-2", "title", "Second")])).await?;

    for _ in 0..2 {
        let (status, waits) = accept(&patchbay, &ann, number, json!({})).await?;
        assert_eq!((status, waits["state"].as_str()), (StatusCode::OK, Some("open")), "{waits}");
        assert_eq!(waits["standing"]["approvals"].as_array().map(Vec::len), Some(1), "the same person twice counts once: {waits}");
        assert_eq!((&waits["standing"]["needs"][0]["have"], &waits["standing"]["needs"][0]["rule"]), (&json!(1), &json!("Four eyes")));
    }
    let (_, task) = patchbay.get("/tasks/WEB-1").await?;
    assert_eq!(task["title"], "One", "an approval changes nothing");
    let (status, applied) = accept(&patchbay, &bob, number, json!({})).await?;
    assert_eq!((status, applied["state"].as_str(), applied["decided"]["by"].as_str()), (StatusCode::OK, Some("applied"), Some("bob")), "{applied}");
    let (_, again) = accept(&patchbay, &ann, number, json!({})).await?;
    assert_eq!(again["state"], "applied", "deciding the same again is no error");

    let mut conn = patchbay.database.options().connect().await?;
    let verdicts: Vec<(String, String, i32, i32)> =
        sqlx::query_as("select actor, verdict, revision, policy_version from patchbay.decision order by at").fetch_all(&mut conn).await?;
    let verdicts: Vec<_> = verdicts.iter().map(|(actor, verdict, revision, policy)| (actor.as_str(), verdict.as_str(), *revision, *policy)).collect();
    assert_eq!(verdicts, [("owner", "accept", 1, 0), ("ann", "approve", 1, 1), ("bob", "accept", 1, 1)], "each says by which policy it was judged");
    conn.close().await?;
    patchbay.end().await
}

#[tokio::test]
async fn of_many_who_approve_at_once_one_completes_it() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    put(&patchbay, 0, json!([{ "name": "Three", "require": { "approvals": 3 } }])).await?;
    let mut people = Vec::new();
    for name in ["Ann", "Bob", "Cem", "Dee", "Eva"] {
        people.push(person(&patchbay, name, Role::Member).await?);
    }
    let number = propose(&patchbay, json!([update("WEB-1", "title", "First")])).await?;
    let answers = futures::future::try_join_all(people.iter().map(|key| accept(&patchbay, key, number, json!({})))).await?;
    let waited = answers.iter().filter(|(_, answer)| answer["state"] == "open").count();
    assert_eq!((waited, answers.iter().all(|(status, _)| *status == StatusCode::OK)), (2, true), "{answers:?}");
    let (_, revisions) = patchbay.get("/projects/WEB/revisions").await?;
    let applied = revisions["data"].as_array().into_iter().flatten().filter(|revision| revision["proposal"] == number).count();
    assert_eq!(applied, 1, "{revisions}");
    let mut conn = patchbay.database.options().connect().await?;
    let verdicts: Vec<(String, i64)> =
        sqlx::query_as("select verdict, count(*) from patchbay.decision group by verdict order by verdict").fetch_all(&mut conn).await?;
    assert_eq!(verdicts, [("accept".to_owned(), 1), ("approve".to_owned(), 2)]);
    conn.close().await?;
    patchbay.end().await
}

#[tokio::test]
async fn a_chat_says_what_is_needed_still() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    put(&patchbay, 0, two()).await?;
    let number = propose(&patchbay, json!([update("WEB-1", "title", "First")])).await?;
    let command = patchbay.say(&format!("accept #{number}"), Some("WEB")).await?;
    let text = command["reply"]["text"].as_str().unwrap_or_default();
    assert_eq!((command["status"].as_str(), text.contains("2 people have to accept it, 1 so far")), (Some("done"), true), "{command}");
    patchbay.end().await
}

#[tokio::test]
async fn an_approval_holds_for_what_was_approved_alone() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    put(&patchbay, 0, two()).await?;
    let (ann, bob) = (person(&patchbay, "Ann", Role::Member).await?, person(&patchbay, "Bob", Role::Member).await?);
    let tasks = json!([update("WEB-1", "title", "First"), update("WEB-2", "title", "Second")]);
    let number = propose(&patchbay, tasks.clone()).await?;
    let edit = async |patch: Value| patchbay.post(&format!("/proposals/{number}/edit"), &json!({ "patch": patch })).await;

    accept(&patchbay, &ann, number, json!({})).await?;
    let (_, noted) = edit(json!({ "tasks": tasks, "note": "the same, with a note" })).await?;
    assert_eq!((&noted["revision"], &noted["standing"]["needs"][0]["have"]), (&json!(2), &json!(1)), "every operation is the same: {noted}");
    let (_, edited) = edit(json!({ "tasks": [update("WEB-1", "title", "First"), update("WEB-2", "title", "Other")] })).await?;
    assert_eq!((&edited["revision"], &edited["standing"]["needs"][0]["have"]), (&json!(3), &json!(0)), "one is another: {edited}");
    assert_eq!(edited["standing"]["approvals"][0]["holds_for"], json!([1]));

    let (_, waits) = accept(&patchbay, &ann, number, json!({ "ops": [1] })).await?;
    assert_eq!(waits["state"], "open", "{waits}");
    let (_, waits) = accept(&patchbay, &bob, number, json!({})).await?;
    assert_eq!(waits["state"], "open", "operation 2 has one approval: {waits}");
    let (_, applied) = accept(&patchbay, &bob, number, json!({ "ops": [1] })).await?;
    assert_eq!((applied["state"].as_str(), &applied["operations"][1]["state"]), (Some("applied"), &json!("rejected")), "operation 1 has two: {applied}");
    patchbay.end().await
}

#[tokio::test]
async fn an_approval_outlives_a_rebase_that_leaves_its_operations_alone() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    put(&patchbay, 0, two()).await?;
    let (ann, bob) = (person(&patchbay, "Ann", Role::Member).await?, person(&patchbay, "Bob", Role::Member).await?);
    let number = propose(&patchbay, json!([update("WEB-1", "title", "First"), update("WEB-2", "title", "Second")])).await?;
    let (status, refused) = accept(&patchbay, &ann, number, json!({ "ops": [3] })).await?;
    assert_eq!(
        (status, refused["type"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("/problems/invalid")),
        "what is not there is not approved: {refused}"
    );
    accept(&patchbay, &ann, number, json!({})).await?;
    patchbay.say("set WEB-3 title Third", Some("WEB")).await?;
    let (status, applied) = accept(&patchbay, &bob, number, json!({})).await?;
    assert_eq!((status, applied["state"].as_str(), applied["revision"].as_i64()), (StatusCode::OK, Some("applied"), Some(2)), "{applied}");
    assert_eq!(applied["standing"]["approvals"][0]["holds_for"], json!([1, 2]), "{applied}");
    let (_, as_shown) = patchbay.get(&format!("/proposals/{number}?revision=1")).await?;
    assert_eq!(as_shown["standing"], applied["standing"], "how far it is goes by its newest revision");
    patchbay.end().await
}

#[tokio::test]
async fn rules_look_at_project_fields_role_and_at_whose_it_is() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    let ann = person(&patchbay, "Ann", Role::Member).await?;
    let rules = json!([
        { "name": "Dates", "when": { "projects": ["WEB"], "fields": ["due_on"] }, "require": { "by": ["owner", "admin"] } },
        { "name": "Not one's own", "when": { "origins": ["api"], "fields": ["title"] }, "require": { "own": "never" } },
    ]);
    put(&patchbay, 0, rules).await?;
    let date = propose(&patchbay, json!([update("WEB-1", "due_on", "2027-01-31")])).await?;
    let (status, problem) = accept(&patchbay, &ann, date, json!({})).await?;
    assert_eq!(
        (status, problem["detail"].as_str()),
        (StatusCode::FORBIDDEN, Some("#1 touches due_on and is for WEB: an owner or an admin has to accept it")).clone(),
        "{problem}"
    );
    let (status, _) = accept(&patchbay, &patchbay.key, date, json!({})).await?;
    assert_eq!(status, StatusCode::OK);
    let title = propose(&patchbay, json!([update("WEB-1", "title", "First")])).await?;
    assert_eq!(accept(&patchbay, &patchbay.key, title, json!({})).await?.0, StatusCode::FORBIDDEN, "its own author");
    assert_eq!(accept(&patchbay, &ann, title, json!({})).await?.0, StatusCode::OK);
    patchbay.end().await
}

#[tokio::test]
async fn a_preview_tells_what_other_rules_would_have_done_and_changes_nothing() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    let titled = propose(&patchbay, json!([update("WEB-1", "title", "First")])).await?;
    accept(&patchbay, &patchbay.key, titled, json!({})).await?;
    let dated = propose(&patchbay, json!([update("WEB-2", "due_on", "2027-01-31")])).await?;
    accept(&patchbay, &patchbay.key, dated, json!({})).await?;
    let open = propose(&patchbay, json!([update("WEB-3", "due_on", "2027-01-31")])).await?;
    let rejected = propose(&patchbay, json!([update("WEB-3", "due_on", "2027-02-01")])).await?;
    patchbay.post(&format!("/proposals/{rejected}/reject"), &json!({})).await?;
    let (_, before) = patchbay.get("/policies").await?;

    let rules = json!([{ "name": "Dates", "when": { "fields": ["due_on"] }, "require": { "approvals": 2 } }]);
    let (status, preview) = patchbay.post("/policies/preview", &json!({ "rules": rules })).await?;
    assert_eq!(status, StatusCode::OK, "{preview}");
    assert_eq!(preview["counts"], json!({ "looked_at": 4, "differ": 2, "would_wait": 1, "would_apply": 0, "would_ask_otherwise": 1 }), "{preview}");
    let told: Vec<_> =
        preview["proposals"].as_array().into_iter().flatten().map(|one| (one["number"].as_i64(), &one["before"]["result"], &one["after"]["result"])).collect();
    assert_eq!(told, [(Some(open), &json!("waits"), &json!("waits")), (Some(dated), &json!("applies"), &json!("waits"))]);
    let why = preview["proposals"][1]["why"].as_str().unwrap_or_default();
    assert!(why.starts_with(&format!("Dates: #{dated} touches due_on: 2 people have to accept it, 1 so far")), "{why}");
    assert_eq!(patchbay.get("/policies").await?.1, before);

    put(&patchbay, 0, rules).await?;
    let (_, preview) = patchbay.post("/policies/preview", &json!({ "rules": [] })).await?;
    assert_eq!(
        (&preview["version"], &preview["counts"]["would_apply"], &preview["counts"]["would_ask_otherwise"]),
        (&json!(1), &json!(1), &json!(1)),
        "{preview}"
    );
    patchbay.end().await
}

#[tokio::test]
async fn organisations_do_not_see_each_others_policies() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    put(&patchbay, 0, two()).await?;
    propose(&patchbay, json!([update("WEB-1", "title", "First")])).await?;

    let stranger = super::tenants::second(&patchbay).await?;
    let (_, theirs) = patchbay.ask(Some(&stranger), Method::GET, "/policies", None).await?;
    assert_eq!((&theirs["version"], &theirs["versions"]), (&json!(0), &json!([])), "{theirs}");
    assert_eq!(patchbay.ask(Some(&stranger), Method::GET, "/policies?version=1", None).await?.0, StatusCode::NOT_FOUND);
    let (_, preview) = patchbay.ask(Some(&stranger), Method::POST, "/policies/preview", Some(&json!({ "rules": [] }))).await?;
    assert_eq!(preview["counts"]["looked_at"], 0, "{preview}");
    let (status, changed) = patchbay.ask(Some(&stranger), Method::PUT, "/policies", Some(&json!({ "rules": [], "base_version": 0 }))).await?;
    assert_eq!((status, &changed["version"]), (StatusCode::OK, &json!(1)), "{changed}");
    let (_, ours) = patchbay.get("/policies").await?;
    assert_eq!((&ours["version"], &ours["rules"][0]["name"]), (&json!(1), &json!("Four eyes")));
    patchbay.end().await
}

/// As if a proposal had been left alone for so many days.
async fn age(patchbay: &Running, number: i64, days: i32) -> Result<()> {
    let mut conn = patchbay.database.options().connect().await?;
    sqlx::query("update patchbay.proposal set updated_at = updated_at - make_interval(days => $2) where number = $1")
        .bind(number)
        .bind(days)
        .execute(&mut conn)
        .await?;
    Ok(conn.close().await?)
}

#[tokio::test]
async fn who_does_not_decide_is_reminded_and_in_the_end_it_is_over() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    let rules = json!([{ "name": "A week", "require": { "remind_after_days": 2, "expire_after_days": 7 } }]);
    let (status, policy) = put(&patchbay, 0, rules).await?;
    assert_eq!((status, &policy["rules"][0]["require"]["expire_after_days"]), (StatusCode::OK, &json!(7)), "{policy}");
    let (status, problem) = put(&patchbay, 1, json!([{ "name": "Never", "require": { "expire_after_days": 0 } }])).await?;
    assert_eq!((status, problem["errors"][0]["expected"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("a whole number, 1–365")), "{problem}");
    let create = || json!([{ "op": "create", "task_id": "t1", "body": { "title": "Four" } }]);
    let (fresh, waiting, old) = (propose(&patchbay, create()).await?, propose(&patchbay, create()).await?, propose(&patchbay, create()).await?);
    age(&patchbay, waiting, 3).await?;
    age(&patchbay, old, 8).await?;
    patchbay.restart().await?;
    patchbay.until(&format!("/proposals/{old}"), |proposal| proposal["state"] == "expired").await?;
    for number in [fresh, waiting] {
        assert_eq!(patchbay.get(&format!("/proposals/{number}")).await?.1["state"], "open");
    }
    let mut conn = patchbay.database.options().connect().await?;
    let told: Vec<(String, String)> =
        sqlx::query_as("select event, target from patchbay.event where event in ('proposal.reminded', 'proposal.expired') order by seq")
            .fetch_all(&mut conn)
            .await?;
    assert_eq!(told, [("proposal.reminded".to_owned(), format!("#{waiting}")), ("proposal.expired".to_owned(), format!("#{old}"))]);
    let (status, refused) = accept(&patchbay, &patchbay.key, old, json!({})).await?;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    patchbay.end().await
}

#[tokio::test]
async fn what_is_left_out_asks_for_nobody() -> Result<()> {
    let mut patchbay = Running::start().await?;
    website(&patchbay).await?;
    person(&patchbay, "Ann", Role::Member).await?;
    let number = propose(&patchbay, json!([update("WEB-1", "title", "First"), { "op": "delete", "task_id": "WEB-2" }])).await?;
    let own = patchbay.key.clone();
    let (status, refused) = accept(&patchbay, &own, number, json!({})).await?;
    assert_eq!(status, StatusCode::FORBIDDEN, "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("removes tasks")), "{refused}");
    let (status, applied) = accept(&patchbay, &own, number, json!({ "ops": [1] })).await?;
    assert_eq!((status, applied["state"].as_str()), (StatusCode::OK, Some("applied")), "{applied}");
    assert_eq!(patchbay.get("/tasks/WEB-2").await?.0, StatusCode::OK);
    patchbay.end().await
}

//! Real files in and out.

use anyhow::Result;
use patchbay_core::{
    db::{Db, PoolSize},
    exchange,
    ids::System,
    workflow::store,
};
use patchbay_tests::service::Running;
use patchbay_web::service::owner;

async fn open(patchbay: &Running) -> Result<Db> {
    Ok(Db::open(&patchbay.database.access().await?, PoolSize { service: 2, reader: 1 }))
}

async fn import(db: &Db, name: &str, text: &str, key: &str) -> Result<exchange::Imported> {
    let owner = owner(db).await?;
    let mut tx = db.begin(owner.organization).await?;
    let imported = exchange::import(&mut tx, &System::default(), &owner, exchange::read(name, text), Some(key), name).await?;
    tx.commit().await?;
    Ok(imported)
}

async fn markdown(db: &Db, key: &str) -> Result<String> {
    let mut tx = db.begin(owner(db).await?.organization).await?;
    let row = store::find_project(&mut tx, key).await?.expect("the project is there");
    let plan = store::load(&mut tx, &row).await?;
    tx.rollback().await?;
    Ok(exchange::markdown(&plan))
}

#[tokio::test]
async fn a_file_comes_back_byte_for_byte_but_for_what_changed() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let db = open(&patchbay).await?;
    for (name, key, text) in [("TODO.md", "TODO", include_str!("../../data/TODO.md")), ("tasks.md", "FLOW", include_str!("../../data/tasks.md"))] {
        let imported = import(&db, name, text, key).await?;
        assert!(imported.change.is_some());
        let (_, revisions) = patchbay.get(&format!("/projects/{key}/revisions")).await?;
        assert_eq!(revisions["data"][0]["origin"], "import");
        assert!(imported.notes.iter().all(|note| note.line > 0));
        assert_eq!(markdown(&db, key).await?, text, "{name}");
        let again = import(&db, name, text, key).await?;
        assert!(again.change.is_none(), "importing twice doubles nothing");
    }
    let done = patchbay.say("done FLOW-4", Some("FLOW")).await?;
    assert_eq!(done["status"], "done", "{done}");
    let before: Vec<_> = include_str!("../../data/tasks.md").lines().collect();
    let after = markdown(&db, "FLOW").await?;
    let changed: Vec<_> = before.iter().zip(after.lines()).filter(|(before, after)| *before != after).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].0.starts_with("- [ ] [T002]") && changed[0].1.starts_with("- [x] [T002]"), "{changed:?}");
    db.close().await;
    patchbay.end().await
}

#[tokio::test]
async fn what_was_made_here_goes_out_and_comes_in_again() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let db = open(&patchbay).await?;
    patchbay.say("new \"Website\" - Schema (3h)\n- Form p1 #ui\n- Tests due 2026-12-01 (after form)", None).await?;
    patchbay.post("/projects", &serde_json::json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.say("- Schema (3h)\n  - Tables\n- Form p1 #ui\n- Tests due 2026-12-01 (after form)", Some("WEB")).await?;
    patchbay.post("/proposals/1/accept", &serde_json::json!({})).await?;
    patchbay.post("/proposals/2/accept", &serde_json::json!({})).await?;
    let out = markdown(&db, "WEB").await?;
    assert!(out.contains("Estimate: 180 min") && out.contains("Labels: ui") && out.contains("Dependencies: WEB-3"), "{out}");
    import(&db, "WEB.md", &out, "COPY").await?;
    assert_eq!(markdown(&db, "COPY").await?, out);
    db.close().await;
    patchbay.end().await
}

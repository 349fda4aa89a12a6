//! Several commands in one message: all of them, or none.

use anyhow::Result;
use patchbay_tests::service::Running;
use serde_json::{Value, json};

async fn outline(patchbay: &Running) -> Result<Vec<String>> {
    let (_, tree) = patchbay.get("/projects/WEB/tree").await?;
    let line = |task: &Value| {
        format!("{} {} {}", task["ref"].as_str().unwrap_or_default(), task["title"].as_str().unwrap_or_default(), task["status"].as_str().unwrap_or_default())
    };
    Ok(tree["tasks"].as_array().map(|tasks| tasks.iter().map(line).collect()).unwrap_or_default())
}

async fn version(patchbay: &Running) -> Result<Option<i64>> {
    let (_, project) = patchbay.get("/projects/WEB").await?;
    Ok(project["version"].as_i64())
}

fn said(command: &Value) -> &str {
    command["reply"]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn the_commands_of_a_message_are_one_change_or_none() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.post("/projects", &json!({ "title": "App", "key": "APP" })).await?;

    // Each line finds the plan as those before it leave it, the tasks that they make included.
    let text = "add \"Schema\"\nadd \"Form\" needs WEB-1\nstart WEB-1\ndone WEB-1: drawn\nlog 2h WEB-1 with Bo\nset WEB title Web shop";
    let made = patchbay.say(text, Some("WEB")).await?;
    assert_eq!((made["status"].as_str(), made["revision"].as_i64()), (Some("done"), Some(2)), "{made}");
    insta::assert_snapshot!(said(&made), @r"
    6 commands, one change: **WEB** is at version 2.

    - Line 1: **WEB-1** Schema is added.
    - Line 2: **WEB-2** Form is added.
    - Line 3: **WEB-1** Schema is in *Doing* now.
    - Line 4: **WEB-1** Schema is done.
    - Line 5: 2 h logged on **WEB-1** Schema; 2 h in all.
    - Line 6: **WEB** itself is changed.

    It was the last open task that **WEB-2** Form waited for.
    ");
    assert_eq!(outline(&patchbay).await?, ["WEB-1 Schema done", "WEB-2 Form todo"]);

    // The second line fails, and with it the first.
    let failed = patchbay.say("done WEB-2\ndone WEB-11\nadd \"Tests\"", Some("WEB")).await?;
    assert_eq!(failed["status"].as_str(), Some("failed"), "{failed}");
    assert_eq!(said(&failed), "Line 2, `done WEB-11`: WEB has no task WEB-11. Did you mean WEB-1 Schema? Nothing was changed.");
    assert_eq!(failed["reply"]["actions"][0]["command"].as_str(), Some("done WEB-2\ndone WEB-1\nadd \"Tests\""), "the message as it may have been meant");
    let gated = patchbay.say("add \"Tests\"\ndepend WEB-1 on WEB-2\ndepend WEB-2 on WEB-1", Some("WEB")).await?;
    assert!(said(&gated).starts_with("Line 2, `depend WEB-1 on WEB-2`: Tasks would wait for each other."), "{}", said(&gated));
    assert_eq!((gated["problem"]["status"].as_i64(), gated["problem"]["errors"][0]["path"].as_str()), (Some(422), Some("/text")), "{gated}");

    // What cannot be one change is told before anything is done.
    for (text, why) in [
        ("done WEB-2\nadd \"Till\" in APP", "Line 1, `done WEB-2` is about WEB, and line 2 about APP."),
        ("add \"Tests\"\nadd \"Till\" in APP", "Line 1, `add \"Tests\"` is about WEB, and line 2 about APP."),
        ("done WEB-2\nwhat is left to do?", "Line 2, `what is left to do?`, is no command, and the message begins with one."),
        ("done WEB-2\nshow WEB", "Line 2, `show WEB`, only shows something: send it by itself."),
        ("block WEB-2: the key\nreopen WEB-2", "These lines take each other back"),
    ] {
        let refused = patchbay.say(text, Some("WEB")).await?;
        assert_eq!(refused["status"].as_str(), Some("failed"), "{refused}");
        assert!(said(&refused).starts_with(why), "{text}: {}", said(&refused));
    }
    assert_eq!((outline(&patchbay).await?.len(), version(&patchbay).await?), (2, Some(2)), "nothing was changed");

    // One undo takes back the whole message, and one redo makes it again.
    let undone = patchbay.say("undo", Some("WEB")).await?;
    assert_eq!(undone["revision"].as_i64(), Some(3), "{undone}");
    assert_eq!(outline(&patchbay).await?, Vec::<String>::new());
    patchbay.say("redo", Some("WEB")).await?;
    assert_eq!(outline(&patchbay).await?, ["WEB-1 Schema done", "WEB-2 Form todo"]);

    // Moves, deletions and splits of one message are folded as those of many would be.
    let text = "split WEB-2 into Form; Errors\nmove WEB-3 before WEB-2\nadd \"Pay\" under WEB-3\nmove WEB-1 under WEB-4\ndelete WEB-2";
    let moved = patchbay.say(text, Some("WEB")).await?;
    assert_eq!(moved["status"].as_str(), Some("done"), "{moved}");
    patchbay.say("undo", Some("WEB")).await?;
    assert_eq!(outline(&patchbay).await?, ["WEB-1 Schema done", "WEB-2 Form todo"]);
    patchbay.end().await
}

#[tokio::test]
async fn several_proposals_are_decided_together_or_none_is() -> Result<()> {
    let mut patchbay = Running::start().await?;
    patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    patchbay.post("/projects", &json!({ "title": "App", "key": "APP" })).await?;
    for (titles, project) in [(["Schema", "Form"], "WEB"), (["Till", "Door"], "APP"), (["Tests", "Guide"], "WEB"), (["Band", "Cake"], "WEB")] {
        let tasks: Vec<Value> = titles.iter().map(|title| json!({ "op": "create", "task_id": title, "body": { "title": title } })).collect();
        let (status, proposal) = patchbay.post(&format!("/projects/{project}/patches"), &json!({ "mode": "propose", "patch": { "tasks": tasks } })).await?;
        assert!(status.is_success(), "{proposal}");
    }

    // The third is decided by a line before, so that nothing is.
    let failed = patchbay.say("accept #1\nreject #3\naccept #3", None).await?;
    assert_eq!(failed["status"].as_str(), Some("failed"), "{failed}");
    assert!(said(&failed).starts_with("Line 3, `accept #3`: #3 is rejected already by"), "{}", said(&failed));
    assert_eq!((version(&patchbay).await?, patchbay.get("/proposals/1").await?.1["state"].as_str()), (Some(1), Some("open")));

    let decided = patchbay.say("accept #1\naccept #2 2\ncomment #4 who brings it?\nreject #3 too early", None).await?;
    assert_eq!(decided["status"].as_str(), Some("done"), "{decided}");
    insta::assert_snapshot!(said(&decided), @r"
    - Line 1: **WEB** is at version 2.
    - Line 2: Accepted 1 of 2. **APP** is at version 2.
    - Line 3: Noted on #4.
    - Line 4: #3 is rejected. Nothing has changed. Why: too early
    ");
    assert_eq!(outline(&patchbay).await?, ["WEB-1 Schema todo", "WEB-2 Form todo"]);
    for (number, state) in [(1, "applied"), (2, "applied"), (3, "rejected"), (4, "open")] {
        assert_eq!(patchbay.get(&format!("/proposals/{number}")).await?.1["state"].as_str(), Some(state), "#{number}");
    }
    // A change of a plan is no decision.
    let mixed = patchbay.say("accept #4\ndone WEB-1", None).await?;
    assert!(said(&mixed).contains("Line 1, `accept #4`, is no change of a plan"), "{}", said(&mixed));
    patchbay.end().await
}

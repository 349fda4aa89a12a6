//! What comes with a mail beside its words.

use anyhow::{Context as _, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use patchbay_tests::{
    letter::{Letter, Person},
    world::World,
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// A letter with files, as mail programs write them.
fn with_files(person: &Person, subject: &str, text: &str, files: &[(&str, &str, Vec<u8>)]) -> Letter {
    let mut parts = format!("--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n");
    for (name, kind, bytes) in files {
        let encoded = BASE64_STANDARD.encode(bytes);
        let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
        let head = format!("Content-Type: {kind}; name=\"{name}\"\nContent-Disposition: attachment; filename=\"{name}\"");
        parts = [parts.as_str(), "--b\n", &head, "\nContent-Transfer-Encoding: base64\n\n", &lines.join("\n"), "\n"].concat();
    }
    let letter = person.letter(subject, &format!("{parts}--b--"));
    Letter { kind: "multipart/mixed; boundary=b".to_owned(), ..letter }
}

fn names(files: &Value) -> Vec<(&str, bool)> {
    files["data"].as_array().into_iter().flatten().map(|file| (file["name"].as_str().unwrap_or_default(), file["problem"].is_null())).collect()
}

#[tokio::test]
async fn what_comes_with_a_mail_is_kept_named_and_fetched_as_bytes() -> Result<()> {
    let mut world = World::start().await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    let page = b"<script>alert(1)</script>".to_vec();
    let files = [
        ("steps.md", "text/markdown", b"- a till\n- a door\n".to_vec()),
        ("plan.html", "text/html", page.clone()),
        ("film.mp4", "video/mp4", vec![7; 6 * 1024 * 1024]),
    ];
    let answer = world.answered(&ana, &with_files(&ana, "A shop", "as attached", &files)).await?;
    let text = answer.text().replace("=\r\n", "");
    assert!(text.contains("plan.html") && text.contains("is kept with this"), "{text}");
    assert!(text.contains("film.mp4") && text.contains("is not kept: a file may have 5 MB"), "{text}");
    assert!(!text.contains("steps.md"), "what is planned from is no file: {text}");

    let (status, kept) = world.patchbay.get("/proposals/1/files").await?;
    assert_eq!((status, names(&kept)), (StatusCode::OK, vec![("plan.html", true), ("film.mp4", false)]), "{kept}");
    let command = kept["data"][0]["command"].as_str().context("a command")?;
    let (_, of_command) = world.patchbay.get(&format!("/commands/{command}/files")).await?;
    assert_eq!(of_command["data"], kept["data"]);

    // It comes as bytes to be saved, whatever it says it is.
    let id = |at: usize| kept["data"][at]["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("/files/{}", id(0));
    let url = format!("{}/api/v1{path}", world.patchbay.url);
    let response = Client::new().get(&url).bearer_auth(&world.patchbay.key).send().await?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(header("content-disposition"), "attachment; filename=\"plan.html\"");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(response.bytes().await?, page);
    let (status, gone) = world.patchbay.get(&format!("/files/{}", id(1))).await?;
    assert_eq!(status, StatusCode::NOT_FOUND, "{gone}");

    // Nobody fetches it who may not see the proposal, and an admin drops it for good.
    assert_eq!(Client::new().get(&url).send().await?.status(), StatusCode::UNAUTHORIZED);
    world.patchbay.post("/projects", &json!({ "title": "App", "key": "APP" })).await?;
    let key = json!({ "name": "app", "scopes": ["read"], "project": "APP" });
    let (_, key) = world.patchbay.post("/keys", &key).await?;
    for path in [path.as_str(), "/proposals/1/files"] {
        let (status, _) = world.patchbay.ask(key["key"].as_str(), Method::GET, path, None).await?;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    for expected in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
        let (status, _) = world.patchbay.ask(Some(&world.patchbay.key), Method::DELETE, &path, None).await?;
        assert_eq!(status, expected);
    }
    let (status, gone) = world.patchbay.get(&path).await?;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(gone["detail"].as_str().is_some_and(|detail| detail.contains("dropped it")), "{gone}");
    world.patchbay.end().await
}

#[tokio::test]
async fn of_whom_nobody_knows_nothing_is_kept() -> Result<()> {
    let mut world = World::start().await?;
    let stranger = world.person("cy@example.net")?;
    let files = [("virus.exe", "application/octet-stream", vec![1; 100])];
    world.answered(&stranger, &with_files(&stranger, "list", "", &files)).await?;
    // Held back, and let in: their words count, and what they brought is named.
    world.patchbay.post("/projects", &json!({ "title": "Website", "key": "WEB" })).await?;
    let ana = world.known("ana@example.org", &world.patchbay.key).await?;
    world.deliver(&with_files(&ana, "list", "", &files).raw())?;
    world.read(3).await?;
    let held = world.held().await?;
    let (status, released) =
        world.patchbay.post(&format!("/channels/email/quarantine/{}/release", held[0]["id"].as_str().unwrap_or_default()), &json!({})).await?;
    assert_eq!(status, StatusCode::OK, "{released}");
    world.smtp.wait("what was brought is named", |sent| sent.text().replace("=\r\n", "").contains("files are kept only of who is known here")).await?;
    world.patchbay.end().await
}

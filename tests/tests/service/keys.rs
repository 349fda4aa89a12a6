//! Who makes which keys.

use anyhow::Result;
use patchbay_tests::service::Running;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn people_make_see_and_revoke_their_own_keys() -> Result<()> {
    let mut patchbay = Running::start().await?;
    let ana = patchbay.signed_in("ana", "member").await?;
    let wanted = json!({ "name": "Nightly report", "scopes": ["read", "propose"] });
    let (status, made) = patchbay.ask_as(&ana, Method::POST, "/keys", Some(&wanted)).await?;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let key = made["key"].as_str().unwrap_or_default().to_owned();
    assert_eq!(patchbay.ask(Some(&key), Method::GET, "/projects", None).await?.0, StatusCode::OK);

    // Of hers, and not of the owner's.
    let names = |keys: &Value| keys["data"].as_array().into_iter().flatten().map(|key| key["name"].to_string()).collect::<Vec<_>>();
    let (_, hers) = patchbay.ask_as(&ana, Method::GET, "/keys", None).await?;
    assert_eq!(names(&hers), ["\"Nightly report\""]);
    let (_, all) = patchbay.get("/keys").await?;
    assert_eq!(names(&all).len(), 2, "{all}");

    // Nobody gives what they have not, nor a key to somebody else.
    let too_much = json!({ "name": "More", "scopes": ["read", "admin"], "member": "owner" });
    let (status, problem) = patchbay.ask_as(&ana, Method::POST, "/keys", Some(&too_much)).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let scopes = json!({ "path": "/scopes", "message": "a key cannot have more than its maker", "found": "admin", "expected": "read, propose, review, apply" });
    assert_eq!(problem["errors"][0], scopes, "{problem}");
    assert_eq!(problem["errors"][1]["path"], "/member", "{problem}");

    // A key makes no others, unless an admin gave it that.
    let (status, problem) = patchbay.ask(Some(&key), Method::POST, "/keys", Some(&wanted)).await?;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("where you are signed in")), "{problem}");

    let owners = all["data"].as_array().into_iter().flatten().find(|key| key["member"] == "owner").map(|key| key["id"].as_str().unwrap_or_default().to_owned());
    let others = format!("/keys/{}", owners.unwrap_or_default());
    assert_eq!(patchbay.ask_as(&ana, Method::DELETE, &others, None).await?.0, StatusCode::NOT_FOUND, "it is not hers");
    let own = format!("/keys/{}", made["id"].as_str().unwrap_or_default());
    assert_eq!(patchbay.ask_as(&ana, Method::DELETE, &own, None).await?.0, StatusCode::NO_CONTENT);
    assert_eq!(patchbay.ask(Some(&key), Method::GET, "/projects", None).await?.0, StatusCode::UNAUTHORIZED);

    // An admin takes back anybody's.
    let (_, again) = patchbay.ask_as(&ana, Method::POST, "/keys", Some(&wanted)).await?;
    let hers = format!("/keys/{}", again["id"].as_str().unwrap_or_default());
    assert_eq!(patchbay.ask(Some(&patchbay.key), Method::DELETE, &hers, None).await?.0, StatusCode::NO_CONTENT);
    patchbay.end().await
}

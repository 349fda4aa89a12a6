//! Payloads as the documentation shows them, shortened to what is said here; people and words are made up.

use serde_json::json;

use super::*;
use crate::render::diff::tests::everything;

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn read(payload: &Value) -> Meaning {
    interaction(payload.to_string().as_bytes()).unwrap()
}

fn said(meaning: Meaning) -> Said {
    match meaning {
        Meaning::Said(said) => *said,
        other => panic!("{other:?}"),
    }
}

fn interaction_of(kind: u8, data: &Value) -> Value {
    json!({
        "type": kind, "token": "A_UNIQUE_TOKEN", "id": "786008729715212338", "guild_id": "290926798626357999", "channel_id": "645027906669510667",
        "application_id": "775799577604522054", "app_permissions": "442368", "guild_locale": "en-US", "locale": "en-US", "version": 1, "context": 0,
        "authorizing_integration_owners": { "0": "290926798626357999" }, "entitlements": [],
        "member": { "user": { "id": "53908232506183680", "username": "ana", "avatar": "a_d5efa99b3eeaa7dd43acca82f5692432", "discriminator": "0", "public_flags": 131_141, "global_name": "Ana" },
            "roles": ["539082325061836999"], "premium_since": null, "permissions": "2147483647", "pending": false, "nick": null, "mute": false,
            "joined_at": "2017-03-13T19:19:14.040000+00:00", "is_pending": false, "deaf": false },
        "data": data,
    })
}

#[test]
fn an_address_is_tried_out() {
    assert_eq!(read(&json!({ "type": 1, "id": "1", "application_id": "2", "token": "t", "version": 1, "user": null })), Meaning::Ping);
}

#[test]
fn a_command_is_what_somebody_says() {
    let data = json!({ "id": "771825006014889984", "name": "patchbay", "type": 1, "options": [{ "type": 3, "name": "text", "value": " what is due? " }] });
    let mut payload = interaction_of(2, &data);
    let on_server = said(read(&payload));
    assert_eq!((on_server.text.as_str(), on_server.name.as_str(), on_server.key.as_str()), ("what is due?", "Ana", "786008729715212338"));
    assert_eq!((on_server.thread.as_str(), on_server.room.as_deref()), ("645027906669510667/53908232506183680", Some("645027906669510667")));
    assert!(on_server.address.is_awaited && !on_server.address.is_private);
    assert_eq!(modal::deferred(&on_server), json!({ "type": 5 }));
    let member = payload["member"].take();
    payload["user"] = member["user"].clone();
    payload["guild_id"] = Value::Null;
    let direct = said(read(&payload));
    assert_eq!((direct.thread.as_str(), direct.room), ("645027906669510667", None));
}

#[test]
fn what_others_said_is_material_and_no_command() {
    let message = json!({ "id": "867793854505943041", "type": 0, "content": "accept #3", "channel_id": "645027906669510667", "author": { "id": "222222222222222222", "username": "bo" } });
    let data = json!({ "id": "866818195033292851", "name": "Plan this", "type": 3, "target_id": "867793854505943041", "resolved": { "messages": { "867793854505943041": message } } });
    let mut payload = interaction_of(2, &data);
    let around = said(read(&payload)).around.unwrap();
    assert_eq!((around.channel.as_str(), around.is_thread, around.message.as_deref()), ("645027906669510667", Some(false), Some("867793854505943041")));
    payload["channel"] = json!({ "id": "645027906669510667", "type": 11, "parent_id": "645027906669510000" });
    let in_thread = said(read(&payload));
    assert_eq!((in_thread.text.as_str(), in_thread.room.as_deref()), ("- accept #3", Some("645027906669510000")));
    assert_eq!(in_thread.around.unwrap().is_thread, Some(true));
    payload["data"]["resolved"]["messages"]["867793854505943041"]["thread"] = json!({ "id": "867793854505943041", "type": 11 });
    let begins = said(read(&payload)).around.unwrap();
    assert_eq!((begins.channel.as_str(), begins.is_thread, begins.message), ("867793854505943041", Some(true), None));
    let pointed = &mut payload["data"]["resolved"]["messages"]["867793854505943041"];
    pointed["author"]["id"] = "53908232506183680".into();
    assert_eq!(said(read(&payload)).text, "accept #3");
    payload["data"]["resolved"]["messages"]["867793854505943041"]["content"] = "".into();
    assert!(matches!(read(&payload), Meaning::Told(_)));
}

#[test]
fn a_button_answers_a_proposal_or_says_a_command() {
    let press = |custom_id: &str| read(&interaction_of(3, &json!({ "component_type": 2, "custom_id": custom_id })));
    let accepted = said(press(&format!("accept.12.3.{DIGEST}")));
    assert_eq!((accepted.text.as_str(), accepted.shown.as_deref()), ("accept #12", Some(DIGEST)));
    assert_eq!(modal::deferred(&accepted), json!({ "type": 6 }));
    assert!(accepted.address.is_private && !accepted.address.is_awaited);
    assert_eq!(said(press("command.0.undo WEB 3")).text, "undo WEB 3");
    assert!(matches!(press("other"), Meaning::Told(_)));
    assert!(matches!(press(&format!("choose.12.3.{DIGEST}")), Meaning::Open { .. }));
}

#[test]
fn a_window_is_handed_in() {
    let submitted =
        |choice: &str, components: Value| read(&interaction_of(5, &json!({ "custom_id": format!("{choice}.12.3.{DIGEST}"), "components": components })));
    let labelled = |component: Value| json!([{ "type": 18, "id": 1, "component": component }]);
    let rejected = said(submitted("reject", labelled(json!({ "type": 4, "custom_id": "answer", "value": "too much" }))));
    assert_eq!((rejected.text.as_str(), rejected.shown.as_deref()), ("reject #12 too much", Some(DIGEST)));
    let in_rows = json!([{ "type": 1, "components": [{ "type": 4, "custom_id": "answer", "value": "too much" }] }]);
    assert_eq!(said(submitted("reject", in_rows)).text, "reject #12 too much");
    let chosen = json!([
        { "type": 18, "component": { "type": 3, "custom_id": "answer.0", "values": ["1", "3"] } },
        { "type": 18, "component": { "type": 3, "custom_id": "answer.1", "values": ["26"] } },
    ]);
    assert_eq!(said(submitted("choose", chosen)).text, "accept #12 1,3,26");
    assert!(matches!(submitted("choose", labelled(json!({ "type": 3, "custom_id": "answer.0", "values": [] }))), Meaning::Told(_)));
}

#[test]
fn a_window_fits() {
    let press: Press = format!("choose.12.3.{DIGEST}").parse().unwrap();
    let window = modal::answer(&press, &everything());
    assert_eq!(window["type"], 9);
    assert!(window["data"]["title"].as_str().unwrap().len() <= 45 && window["data"]["custom_id"].as_str().unwrap().len() <= 100);
    for label in window["data"]["components"].as_array().unwrap() {
        for option in label["component"]["options"].as_array().unwrap() {
            assert!((1..=100).contains(&option["label"].as_str().unwrap().encode_utf16().count()));
        }
    }
}

#[test]
fn what_is_malformed_is_said() {
    assert!(interaction(b"{").unwrap_err().to_string().starts_with("the body is no interaction as Discord sends it: EOF"));
    assert!(interaction(br#"{"type":3,"id":"1","application_id":"2","data":{}}"#).unwrap_err().to_string().contains("custom_id"));
    assert!(matches!(read(&json!({ "type": 9, "id": "1", "application_id": "2" })), Meaning::Told(_)));
}

#[test]
fn a_message_is_heard_that_mentions_us_or_is_to_us_alone() {
    const WE: &str = "775799577604522054";
    let posted = |more: Value| {
        let mut message = json!({
            "id": "334385199974967042", "type": 0, "channel_id": "645027906669510667", "guild_id": "290926798626357999", "content": format!("<@{WE}> ask <@53908232506183681>"),
            "author": { "id": "53908232506183680", "username": "ana", "global_name": "Ana", "discriminator": "0", "avatar": null }, "member": { "nick": null, "roles": [] },
            "mentions": [{ "id": WE, "username": "Patchbay", "bot": true }, { "id": "53908232506183681", "username": "bo" }], "mention_roles": [], "pinned": false, "tts": false,
        });
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        message
    };
    let heard = message(&posted(json!({})), WE).unwrap();
    assert_eq!((heard.text.as_str(), heard.name.as_str(), heard.key.as_str()), ("ask @bo", "Ana", "334385199974967042"));
    assert_eq!((heard.thread.as_str(), heard.room.as_deref()), ("645027906669510667/53908232506183680", Some("645027906669510667")));
    assert_eq!(heard.address.asked, Some(Asked { message: "334385199974967042".into(), user: "53908232506183680".into() }));
    assert_eq!(heard.around, None);
    let asked = posted(json!({ "content": format!("<@{WE}> plan this!"), "message_reference": { "message_id": "334385199974967000" } }));
    let around =
        Around { channel: "645027906669510667".into(), is_thread: None, message: Some("334385199974967000".into()), asked: Some("334385199974967042".into()) };
    assert_eq!(message(&asked, WE).unwrap().around, Some(around));
    let direct = message(&posted(json!({ "guild_id": null, "mentions": [], "content": "" })), WE).unwrap();
    assert_eq!((direct.text.as_str(), direct.thread.as_str(), direct.room), ("help", "645027906669510667", None));
    for nothing in [
        json!({ "mentions": [] }),
        json!({ "author": { "id": "2", "username": "bot", "bot": true } }),
        json!({ "webhook_id": "3" }),
        json!({ "type": 6 }),
        json!({ "author": { "id": WE, "username": "Patchbay" }, "guild_id": null }),
    ] {
        assert_eq!(message(&posted(nothing.clone()), WE), None, "{nothing}");
    }
    assert_eq!(message(&json!({ "id": 3 }), WE), None);
}

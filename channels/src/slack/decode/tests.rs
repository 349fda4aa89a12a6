//! Payloads as the documentation shows them, shortened to what is said here; people and words are made up.

use serde_json::json;

use super::*;

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn said(meaning: Meaning) -> Said {
    match meaning {
        Meaning::Said(said) => *said,
        other => panic!("{other:?}"),
    }
}

fn heard(payload: &Value) -> Meaning {
    event(payload.to_string().as_bytes()).unwrap()
}

fn done(payload: &Value) -> Meaning {
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
    interaction(body.as_bytes()).unwrap()
}

fn callback(event: &Value) -> Value {
    json!({
        "token": "XXYYZZ", "team_id": "T123ABC456", "api_app_id": "A123ABC456", "event": event, "type": "event_callback", "event_id": "Ev123ABC456",
        "event_time": 1_234_567_890, "authed_users": ["U0BOT"], "is_ext_shared_channel": false, "event_context": "EC123ABC456",
        "authorizations": [{ "enterprise_id": null, "team_id": "T123ABC456", "user_id": "U0BOT", "is_bot": true, "is_enterprise_install": false }],
    })
}

#[test]
fn an_address_is_tried_out() {
    let challenge =
        json!({ "token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification" });
    assert_eq!(heard(&challenge), Meaning::Challenge("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P".to_owned()));
}

#[test]
fn a_slash_command_is_what_somebody_says() {
    let body = b"token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&enterprise_id=E0001&channel_id=C2147483705&channel_name=test&user_id=U2147483697\
        &user_name=ana&command=/patchbay&text=add+%22Fix+it%22+to+%3C%40U1%7Cbo%3E&response_url=https://hooks.slack.com/commands/1234/5678&trigger_id=13345224609.738474920.8088930838d88f008e0&api_app_id=A123456";
    let said = said(command(body).unwrap());
    assert_eq!(said.text, "add \"Fix it\" to @bo");
    assert_eq!((said.key.as_str(), said.name.as_deref()), ("13345224609.738474920.8088930838d88f008e0", Some("ana")));
    assert_eq!((said.thread.as_str(), said.room.as_deref()), ("C2147483705/U2147483697", Some("C2147483705")));
    assert_eq!(said.address.response_url.as_deref(), Some("https://hooks.slack.com/commands/1234/5678"));
    assert_eq!(command(b"ssl_check=1&token=x").unwrap(), Meaning::Nothing("a check of the certificate"));
    assert_eq!(command(b"text=help").unwrap_err().to_string(), "the field team_id of a slash command is missing");
}

#[test]
fn a_mention_begins_a_thread_and_goes_on_in_it() {
    let mut mention = json!({ "type": "app_mention", "user": "U061F7AUR", "text": "<@U0BOT> what is due?", "ts": "1515449522.000016", "channel": "C123ABC456", "event_ts": "1515449522000016" });
    let first = said(heard(&callback(&mention)));
    assert_eq!(first.text, "what is due?");
    assert_eq!((first.key.as_str(), first.thread.as_str()), ("Ev123ABC456", "C123ABC456/1515449522.000016"));
    assert_eq!(first.address.thread.as_deref(), Some("1515449522.000016"));
    mention["thread_ts"] = "1515449500.000001".into();
    assert_eq!(said(heard(&callback(&mention))).thread, "C123ABC456/1515449500.000001");
    mention["text"] = "<@U0BOT> plan this thread".into();
    let around =
        Around { team: "T123ABC456".into(), channel: "C123ABC456".into(), thread: "1515449500.000001".into(), asked: Some("1515449522.000016".into()) };
    assert_eq!(said(heard(&callback(&mention))).around, Some(around));
    mention["text"] = "<@U0BOT>".into();
    assert_eq!(said(heard(&callback(&mention))).text, "help");
}

#[test]
fn a_direct_message_is_one_conversation() {
    let message = json!({ "type": "message", "channel": "D024BE91L", "user": "U2147483697", "text": "Plan a launch:\n• site &amp; shop\n• press", "ts": "1355517523.000005",
        "event_ts": "1355517523.000005", "channel_type": "im", "client_msg_id": "a", "blocks": [] });
    let said = said(heard(&callback(&message)));
    assert_eq!(said.text, "Plan a launch:\n• site & shop\n• press");
    assert_eq!((said.thread.as_str(), said.room, said.address.thread), ("D024BE91L", None, None));
}

#[test]
fn programs_and_what_we_do_not_know_are_not_answered() {
    let message = |more: Value| {
        let mut message = json!({ "type": "message", "channel": "D024BE91L", "user": "U2147483697", "text": "x", "ts": "1.2", "channel_type": "im" });
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        callback(&message)
    };
    for payload in [
        message(json!({ "bot_id": "B1" })),
        message(json!({ "user": "U0BOT" })),
        message(json!({ "user": null })),
        message(json!({ "subtype": "message_changed" })),
        message(json!({ "channel_type": "channel" })),
        callback(&json!({ "type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "messages" })),
        callback(&json!({ "type": "star_added", "user": "U1" })),
        json!({ "type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1_518_467_820 }),
    ] {
        assert!(matches!(heard(&payload), Meaning::Nothing(_)), "{payload}");
    }
    for payload in [json!({ "type": "block_suggestion", "value": "x" }), json!({ "type": "view_closed" })] {
        assert!(matches!(done(&payload), Meaning::Nothing(_)), "{payload}");
    }
}

#[test]
fn the_app_may_be_taken_out() {
    assert_eq!(heard(&callback(&json!({ "type": "app_uninstalled" }))), Meaning::Gone { team: "T123ABC456".to_owned() });
}

#[test]
fn what_is_malformed_is_said() {
    assert_eq!(event(b"{").unwrap_err().to_string(), "the body is no event as Slack sends it: EOF while parsing an object at line 1 column 1");
    let error = event(br#"{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}"#).unwrap_err();
    assert!(error.to_string().contains("missing field"), "{error}");
    assert_eq!(interaction(b"x=1").unwrap_err().to_string(), "the field payload of an interaction is missing");
}

#[test]
fn our_home_and_addresses_of_ours() {
    let home = json!({ "type": "app_home_opened", "user": "U123ABC456", "channel": "D123ABC456", "event_ts": "1515449522000016", "tab": "home", "view": { "id": "V1" } });
    assert_eq!(heard(&callback(&home)), Meaning::Home { team: "T123ABC456".to_owned(), user: "U123ABC456".to_owned() });
    let mut shared = json!({ "type": "link_shared", "channel": "C123ABC456", "is_bot_user_member": true, "user": "U123ABC456", "message_ts": "123456789.9875",
        "unfurl_id": "C123456.123456789.987501.1b90fa1278528ce6e2f6c5c2bfa1abc9a41d57d02b29d173f40399c9ffdecf4b", "source": "conversations_history",
        "event_ts": "123456621.1855", "links": [{ "domain": "example.com", "url": "https://example.com/12345" }] });
    let links = |payload: &Value| match heard(payload) {
        Meaning::Links(links) => links,
        other => panic!("{other:?}"),
    };
    let sent = links(&callback(&shared));
    assert_eq!((sent.unfurl, sent.urls), (Unfurl::Sent { ts: "123456789.9875".to_owned() }, vec!["https://example.com/12345".to_owned()]));
    shared["source"] = "composer".into();
    assert!(matches!(links(&callback(&shared)).unfurl, Unfurl::Composed { .. }));
}

fn pressed(action_id: &str, value: &str) -> Value {
    json!({
        "type": "block_actions", "team": { "id": "T9TK3CUKW", "domain": "example" }, "user": { "id": "UA8RXUSPL", "username": "bo", "name": "bo", "team_id": "T9TK3CUKW" },
        "api_app_id": "AABA1ABCD", "token": "9s8d9as89d8as9d8as989",
        "container": { "type": "message", "message_ts": "1548261231.000200", "channel_id": "CBR2V3XEX", "is_ephemeral": false, "thread_ts": "1548261000.000100" },
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3", "channel": { "id": "CBR2V3XEX", "name": "review-updates" },
        "message": { "bot_id": "BAH5CA16Z", "type": "message", "text": "This content can't be displayed.", "user": "UAJ2RU415", "ts": "1548261231.000200", "thread_ts": "1548261000.000100" },
        "response_url": "https://hooks.slack.com/actions/AABA1ABCD/1232321423432/D09sSasdasdAS9091209",
        "actions": [{ "action_id": action_id, "block_id": "proposal.12.3", "text": { "type": "plain_text", "text": "Button" }, "value": value, "type": "button", "action_ts": "1548426417.840180" }],
    })
}

#[test]
fn a_button_answers_a_proposal_or_says_a_command() {
    let accepted = said(done(&pressed("proposal.accept", &format!("accept.12.3.{DIGEST}"))));
    assert_eq!((accepted.text.as_str(), accepted.shown.as_deref()), ("accept #12", Some(DIGEST)));
    assert_eq!((accepted.thread.as_str(), accepted.user.as_str(), accepted.address.is_private), ("CBR2V3XEX/1548261000.000100", "UA8RXUSPL", true));
    assert_eq!(said(done(&pressed("command.0", "undo WEB 3"))).text, "undo WEB 3");
    assert!(matches!(done(&pressed("other", "something")), Meaning::Nothing(_)));
}

#[test]
fn a_window_is_opened_and_handed_in() {
    let Meaning::Open { trigger, window: Window::Answer { press, said: asked } } = done(&pressed("proposal.reject", &format!("reject.12.3.{DIGEST}"))) else {
        panic!("a window is opened")
    };
    assert_eq!(trigger, "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3");
    let view = modal::answer(&press, &crate::render::diff::tests::everything(), &asked.thread, &asked.address);
    assert!(view["private_metadata"].as_str().unwrap().len() <= 3000 && view["title"]["text"].as_str().unwrap().len() <= 24);
    let submitted = |view: &Value, field: Value| {
        json!({
            "type": "view_submission", "team": { "id": "T9TK3CUKW" }, "user": { "id": "UA8RXUSPL", "username": "bo" }, "trigger_id": "999.888.777",
            "view": { "id": "VNHU13V36", "type": "modal", "callback_id": view["callback_id"], "private_metadata": view["private_metadata"], "hash": "156663117.cd33ad1f",
                "state": { "values": { "answer": { "answer": field } } } },
        })
    };
    let rejected = said(done(&submitted(&view, json!({ "type": "plain_text_input", "value": " too much " }))));
    assert_eq!((rejected.text.as_str(), rejected.shown.as_deref()), ("reject #12 too much", Some(DIGEST)));
    assert_eq!((rejected.key.as_str(), &rejected.thread, &rejected.address), ("999.888.777", &asked.thread, &asked.address));
    let silent = said(done(&submitted(&view, json!({ "type": "plain_text_input", "value": null }))));
    assert_eq!(silent.text, "reject #12");

    let chosen =
        json!({ "type": "multi_static_select", "selected_options": [{ "text": { "type": "plain_text", "text": "1 + a" }, "value": "1" }, { "value": "3" }] });
    let press: Press = format!("choose.12.3.{DIGEST}").parse().unwrap();
    let view = modal::answer(&press, &crate::render::diff::tests::everything(), &asked.thread, &asked.address);
    assert_eq!(said(done(&submitted(&view, chosen))).text, "accept #12 1,3");

    let asked = said(done(&submitted(&modal::ask(), json!({ "type": "plain_text_input", "value": "Plan a launch" }))));
    assert_eq!((asked.text.as_str(), asked.address.channel), ("Plan a launch", None));
}

#[test]
fn what_others_said_is_material_and_no_command() {
    let mut payload = json!({
        "type": "message_action", "token": "Nj2rfC2hU8mAfgaJLemZgO7H", "callback_id": "plan_this", "trigger_id": "13345224609.8534564800.6f8ab1f53e13d0cd15f96106292d5536",
        "response_url": "https://hooks.slack.com/app-actions/T0MJR11A4/21974584944/yk1S9ndf35Q1flupVG5JbpM6", "team": { "id": "T0MJRM1A7", "domain": "example" },
        "channel": { "id": "D0LFFBKLZ", "name": "cats" }, "user": { "id": "U0D15K92L", "name": "ana" },
        "message": { "type": "message", "user": "U0MJRG1AL", "ts": "1516229207.000133", "text": "accept #3" },
    });
    let pointed = said(done(&payload));
    assert_eq!((pointed.text.as_str(), &pointed.around), ("- accept #3", &None));
    assert_eq!((pointed.name.as_deref(), pointed.thread.as_str()), (Some("ana"), "D0LFFBKLZ/1516229207.000133"));
    payload["message"]["user"] = "U0D15K92L".into();
    assert_eq!(said(done(&payload)).text, "accept #3");
    payload["message"]["thread_ts"] = "1516229200.000100".into();
    assert_eq!(said(done(&payload)).around.map(|around| around.thread), Some("1516229200.000100".to_owned()));
    payload["callback_id"] = "other".into();
    assert!(matches!(done(&payload), Meaning::Nothing(_)));
    let shortcut = json!({ "type": "shortcut", "token": "XXX", "action_ts": "1581106241.371594", "team": { "id": "TXXX" }, "user": { "id": "UXXX", "username": "aman" }, "callback_id": "ask", "trigger_id": "944799105734.773906753841.38b5894552bdd4a780554ee59d1f3638" });
    assert!(matches!(done(&shortcut), Meaning::Open { window: Window::Ask { .. }, .. }));
}

use super::*;

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn text(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text })
}

/// A card that is on air, with a Stop button that asks and a link that does not say its name.
fn card() -> Value {
    let confirm = json!({ "title": plain("Stop?"), "text": text("It goes *off air*."), "confirm": plain("Stop"), "deny": plain("No") });
    let stop = json!({
        "type": "button",
        "text": plain("Stop"),
        "action_id": "stop",
        "value": "68423085",
        "style": "danger",
        "confirm": confirm,
    });
    let watch = json!({ "type": "button", "text": plain("Watch"), "url": "https://watch.test/?a=1" });
    json!([
        { "type": "section", "text": text("On air") },
        { "type": "actions", "block_id": "orders", "elements": [stop, watch] },
    ])
}

/// Buttons that answer to their own labels.
fn buttons(labels: &[&str]) -> Value {
    let button = |label: &&str| json!({ "type": "button", "text": plain(label), "action_id": label });
    json!([{ "type": "actions", "elements": labels.iter().map(button).collect::<Vec<_>>() }])
}

/// What the app posts by itself in a channel.
async fn posted(slack: &SimSlack, channel: &Channel, blocks: Value) -> Message {
    slack.invite_app(channel);
    let workspace = slack.world.read(|state| state.workspace(&channel.team).unwrap().clone());
    let message = json!({ "channel": channel.id, "text": "fallback", "blocks": blocks });
    let answer = call(slack, &workspace, "chat.postMessage", message).await;
    let found = slack.messages().into_iter().find(|message| answer["ts"] == message.ts);
    found.unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn a_press_carries_every_field_and_a_signature() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let _app = app(&slack, empty()).await;
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let message = posted(&slack, &events, card()).await;
    let delivery = slack.presses(&ada, &message, "Stop").await.unwrap();
    assert_eq!((delivery.status(), delivery.failure), (200, None));
    let expected = json!({
        "type": "block_actions",
        "user": { "id": "U00000001", "username": "ada", "name": "ada", "team_id": "T00000001" },
        "api_app_id": "A00000001",
        "token": "verification-token",
        "container": {
            "type": "message",
            "message_ts": "1700000000.000001",
            "channel_id": "C00000001",
            "is_ephemeral": false,
        },
        "trigger_id": "1.T00000001.trigger-canary-000001",
        "team": { "id": "T00000001", "domain": "acme" },
        "enterprise": null,
        "is_enterprise_install": false,
        "channel": { "id": "C00000001", "name": "events" },
        "message": {
            "type": "message",
            "user": "UBOT00001",
            "bot_id": "BBOT00001",
            "app_id": "A00000001",
            "team": "T00000001",
            "ts": "1700000000.000001",
            "text": "fallback",
            "blocks": message.blocks,
        },
        "state": { "values": {} },
        "response_url": format!("{}/actions/T00000001/100000000001/hook-canary-000001", slack.hooks_url()),
        "actions": [{
            "type": "button",
            "action_id": "stop",
            "block_id": "orders",
            "text": plain("Stop"),
            "value": "68423085",
            "style": "danger",
            "confirm": card()[1]["elements"][0]["confirm"],
            "action_ts": "1700000000.000001",
        }],
    });
    assert_eq!(delivery.request.payload(), expected);
    let header = |name: &str| delivery.request.headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let signed = signature(SECRET, &header("X-Slack-Request-Timestamp"), &delivery.request.body);
    assert_eq!(header("X-Slack-Signature"), signed);
    assert!(delivery.request.url.ends_with("/slack/interactions"));
    assert_eq!(slack.transcript(), "#events  OnAir: On air\n    [Stop] [Watch]");
}

#[tokio::test]
async fn buttons_are_seen_with_all_they_say() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let _app = app(&slack, empty()).await;
    let message = posted(&slack, &slack.channel("events"), card()).await;
    let [stop, watch] = &message.buttons()[..] else { panic!("{message:?}") };
    let confirm = stop.confirm.as_ref().unwrap();
    assert_eq!((stop.label.as_str(), stop.action_id.as_str(), stop.block_id.as_str()), ("Stop", "stop", "orders"));
    assert_eq!((stop.value.as_deref(), stop.style.as_deref(), &stop.url), (Some("68423085"), Some("danger"), &None));
    assert_eq!((confirm.title.as_str(), confirm.text.as_str()), ("Stop?", "It goes *off air*."));
    assert_eq!((confirm.confirm.as_str(), confirm.deny.as_str()), ("Stop", "No"));
    assert_eq!((watch.url.as_deref(), &watch.confirm), (Some("https://watch.test/?a=1"), &None));
    assert_eq!(message.blocks[0]["block_id"], "b0");

    let delivery = slack.presses(&slack.user("ada"), &message, "Watch").await.unwrap();
    let action = &delivery.request.payload()["actions"][0];
    assert_eq!((&action["action_id"], &action["url"]), (&json!("a1.1"), &json!("https://watch.test/?a=1")));
    assert_eq!(action.get("value"), None);
}

#[tokio::test]
async fn an_org_wide_install_presses_without_a_team() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let payload = async |domain: &str, installed: Installed| {
        let workspace = slack.grid_workspace(domain, "Globex Corp", installed);
        let message = posted(&slack, &slack.channel_in(&workspace, "events"), card()).await;
        slack.signed_press(&slack.user_in(&workspace, "bob"), &message, "Stop").unwrap().payload()
    };
    let wide = payload("globex", Installed::OrgWide).await;
    assert_eq!((&wide["team"], &wide["is_enterprise_install"]), (&Value::Null, &json!(true)));
    assert_eq!(wide["enterprise"], json!({ "id": "E00000002", "name": "Globex Corp" }));
    let narrow = payload("globex-lab", Installed::InWorkspace).await;
    assert_eq!(narrow["team"]["id"], narrow["user"]["team_id"]);
    assert_eq!(narrow["team"]["enterprise_id"], "E00000002");
    assert_eq!(narrow["is_enterprise_install"], false);
}

#[tokio::test]
async fn an_answer_to_a_press_replaces_the_message_of_the_button() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let _app = app(&slack, empty()).await;
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let message = posted(&slack, &events, buttons(&["Stop", "Retry"])).await;
    posted(&slack, &events, buttons(&["Later"])).await;
    let url = slack.presses(&ada, &message, "Stop").await.unwrap().response_url();
    let ended = json!({ "replace_original": "true", "text": "Ended", "blocks": buttons(&["Start again"]) });
    assert_eq!(post(&url, &ended).await, (200, "ok".to_owned()));
    assert_eq!(post(&url, &json!({ "response_type": "in_channel", "text": "by ada" })).await.0, 200);
    assert_eq!(post(&url, &json!({ "text": "for ada" })).await.0, 200);
    insta::assert_snapshot!(slack.transcript(), @r"
    #events  OnAir: [Start again]
    #events  OnAir: [Later]
    #events  OnAir: by ada
    #events  OnAir (only ada sees this): for ada
    ");
    assert_eq!(slack.messages()[0].edits, 1);
    assert_eq!(slack.complaints(), Vec::<String>::new());
    let gone = slack.presses(&ada, &message, "Stop").await.unwrap_err().to_string();
    assert_eq!(gone, "cannot press \"Stop\": the message has no such button:\n#events  OnAir: [Start again]");
    slack.presses(&ada, &message, "Start again").await.unwrap();
    let hidden = json!({ "replace_original": true, "response_type": "ephemeral", "text": "Ended" });
    assert_eq!(post(&url, &hidden).await.0, 200);
    assert_eq!(slack.complaints(), ["replace_original cannot change who sees a message"]);
}

#[tokio::test]
async fn an_answer_to_a_press_can_delete_the_message() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let _app = app(&slack, empty()).await;
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let first = posted(&slack, &events, buttons(&["Dismiss"])).await;
    let second = posted(&slack, &events, buttons(&["Dismiss"])).await;
    let url = slack.presses(&ada, &first, "Dismiss").await.unwrap().response_url();
    assert_eq!(post(&url, &json!({ "delete_original": true })).await.0, 200);
    assert_eq!(slack.messages().len(), 1);
    let again = json!({ "replace_original": true, "text": "hi" });
    assert_eq!(post(&url, &again).await, (404, "message_not_found".to_owned()));
    let gone = slack.presses(&ada, &first, "Dismiss").await.unwrap_err().to_string();
    assert!(gone.starts_with("cannot press \"Dismiss\": the message was deleted:\n"), "{gone}");
    let url = slack.presses(&ada, &second, "Dismiss").await.unwrap().response_url();
    assert_eq!(post(&url, &json!({ "delete_original": true, "text": "Dismissed" })).await.0, 200);
    insta::assert_snapshot!(slack.transcript(), @"#events  OnAir (only ada sees this): Dismissed");
    assert_eq!(slack.messages()[0].ts, "1700000000.000003", "a new message, not the name of an old one");
    assert_eq!(slack.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn only_who_sees_a_message_can_press_its_button() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let _app = app(&slack, empty()).await;
    let (ada, bob) = (slack.user("ada"), slack.user("bob"));
    post(&hook(&slack), &json!({ "text": "fallback", "blocks": buttons(&["Connect"]) })).await;
    let whisper = slack.messages().remove(0);
    let board = posted(&slack, &slack.private_channel("board", &[&ada]), buttons(&["Stop"])).await;
    let eve = slack.user_in(&slack.workspace("globex"), "eve");
    for (user, message, label) in [(&bob, &whisper, "Connect"), (&bob, &board, "Stop"), (&eve, &board, "Stop")] {
        let refused = slack.presses(user, message, label).await.unwrap_err().to_string();
        assert!(refused.contains("this person does not see the message"), "{refused}");
    }
    slack.presses(&ada, &board, "Stop").await.unwrap();
    let delivery = slack.presses(&ada, &whisper, "Connect").await.unwrap();
    let payload = delivery.request.payload();
    assert_eq!((&payload["container"]["is_ephemeral"], payload.get("message")), (&json!(true), None));
    let replaced = json!({ "replace_original": true, "text": "Connected" });
    assert_eq!(post(&delivery.response_url(), &replaced).await.0, 200);
    assert_eq!(slack.messages()[0].transcript(), "#events  OnAir (only ada sees this): Connected");
    assert_eq!(slack.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn the_response_url_of_a_press_takes_five_answers_in_thirty_minutes() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let message = posted(&slack, &events, buttons(&["Stop"])).await;
    let url = slack.signed_press(&ada, &message, "Stop").unwrap().response_url();
    for number in 1..=5 {
        let body = json!({ "replace_original": true, "text": format!("{number}") });
        assert_eq!(post(&url, &body).await.0, 200);
    }
    assert_eq!(post(&url, &json!({ "delete_original": true })).await, (404, "used_url".to_owned()));
    assert_eq!(slack.messages()[0].edits, 5);
    let message = posted(&slack, &events, buttons(&["Stop"])).await;
    let url = slack.signed_press(&ada, &message, "Stop").unwrap().response_url();
    slack.clock().advance(Duration::from_secs(30 * 60 + 1));
    assert_eq!(post(&url, &json!({ "delete_original": true })).await, (404, "expired_url".to_owned()));
    assert_eq!(slack.messages().len(), 2);
}

#[tokio::test]
async fn a_press_that_fails_is_told_beside_the_button_only() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let message = posted(&slack, &events, buttons(&["Stop"])).await;
    let failure = async || slack.presses(&ada, &message, "Stop").await.unwrap().failure;
    assert_eq!(failure().await, Some(Failure::DispatchFailed), "there is no address yet");
    let _refusing = app(&slack, Some(Answer::new(401, ""))).await;
    assert_eq!(failure().await, Some(Failure::DispatchFailed));
    let _late = app(&slack, None).await;
    assert_eq!(failure().await, Some(Failure::OperationTimeout));
    let _talking = app(&slack, Some(Answer::json(200, &json!({ "text": "Stopped" })))).await;
    assert_eq!(failure().await, None);
    assert_eq!(slack.transcript(), "#events  OnAir: [Stop]");
    assert_eq!(slack.complaints(), ["answer to a press: nobody sees its body"]);
}

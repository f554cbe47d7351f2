//! The same user id in another workspace, or in another organization, is somebody else: at every door.

use onair::sandbox::slack::{SignedRequest, Workspace};
use serde_json::{Value, json};

use crate::bot::{Bot, PATIENCE, WEBHOOK_SECRET, on_both_engines};

/// The two ways to be elsewhere with the same user id.
const ELSEWHERE: [(&str, &str); 2] = [("team_id", "T99999999"), ("enterprise_id", "E99999999")];

/// Signs a command as if it came from elsewhere.
fn moved(bot: &Bot, mut request: SignedRequest, field: &str, value: &str) -> SignedRequest {
    request.set_form_field(field, value);
    bot.slack.resign(&mut request, bot.slack.clock().now().as_second());
    request
}

/// The same for a press or a form.
fn moved_payload(bot: &Bot, mut request: SignedRequest, field: &str, value: &str) -> SignedRequest {
    let mut payload = request.payload();
    match field {
        "team_id" => payload["team"] = json!({ "id": value, "domain": "elsewhere" }),
        _ => payload["enterprise"] = json!({ "id": value, "name": "Elsewhere" }),
    }
    request.set_form_field("payload", &payload.to_string());
    bot.slack.resign(&mut request, bot.slack.clock().now().as_second());
    request
}

on_both_engines! {
    async fn nothing_of_a_person_is_seen_or_done_from_elsewhere(bot) {
        bot.restart_with("ZOOM_WEBHOOK_SECRET_TOKEN", WEBHOOK_SECRET);
        bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream save keynote {meeting} \"Secret title\"")).await;
        let card = bot.types(&ada, &events, "/stream start keynote").await;
        let card = bot.edited(&card, "is live since").await;
        let (starts, targets) = (bot.zoom.starts_of(meeting), bot.zoom.requests().len());
        for (field, value) in ELSEWHERE {
            for line in [
                "whoami".to_owned(),
                "presets".to_owned(),
                "forget keynote".to_owned(),
                "start keynote".to_owned(),
                format!("start {meeting}"),
                format!("stop {meeting}"),
                format!("check {meeting}"),
                format!("setup {meeting}"),
                format!("status {meeting}"),
                "status".to_owned(),
                "disconnect".to_owned(),
                "audit".to_owned(),
                "policy".to_owned(),
                "connect".to_owned(),
            ] {
                let request = bot.slack.signed_request(&ada, &events, &format!("/stream {line}"));
                let request = moved(&bot, request, field, value);
                assert_eq!(bot.send(&request).await.0, 200, "{line}");
                let told = bot.answer().await.shown;
                for theirs in ["ada@example.com", "Secret title", "stopped by", "is live", "accepted the start"] {
                    assert!(!told.contains(theirs), "{field}: {line}: {told}");
                }
            }
            for button in ["Stop", "Refresh"] {
                let press = bot.slack.signed_press(&ada, &card, button).unwrap();
                let press = moved_payload(&bot, press, field, value);
                assert_eq!(bot.send(&press).await.0, 200, "{button}");
                let told = bot.answer().await.shown;
                assert!(!told.contains("ada@example.com") && !told.contains("stopped by"), "{field}: {button}: {told}");
            }
        }
        assert_eq!((bot.zoom.starts_of(meeting), bot.zoom.requests().len()), (starts, targets), "Zoom was not asked");
        assert!(bot.zoom.is_live(meeting) && bot.zoom.has_grant(&host));
        let who = bot.types(&ada, &events, "/stream whoami").await;
        assert!(who.shown.contains("ada@example.com"), "{}", who.shown);
        let presets = bot.types(&ada, &events, "/stream presets").await;
        assert!(presets.shown.contains("Secret title"), "{}", presets.shown);
        let foreign = bot.audit().into_iter().filter(|entry| entry["team"] != json!(ada.team) || entry["enterprise"] != Value::Null);
        assert!(foreign.filter(|entry| entry["outcome"] == "stopped").count() == 0);
    }

    async fn taking_the_app_out_elsewhere_takes_nothing_here(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let home = bot.slack.home().clone();
        for elsewhere in [
            Workspace { id: "T99999999".to_owned(), ..home.clone() },
            bot.slack.grid_workspace("one", "Initech", onair::sandbox::slack::Installed::InWorkspace),
            bot.slack.grid_workspace("two", "Globex Corp", onair::sandbox::slack::Installed::OrgWide),
        ] {
            for event in [
                json!({ "type": "app_uninstalled" }),
                json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": [home.bot_user] } }),
                json!({ "type": "team_access_revoked", "team_ids": ["T99999999"] }),
            ] {
                assert_eq!(bot.send(&bot.slack.event(&elsewhere, &event)).await, (200, String::new()), "{event}");
            }
        }
        // In an organization, a team of the same id is another workspace.
        let mut event = bot.slack.event(&home, &json!({ "type": "app_uninstalled" }));
        let mut body: Value = serde_json::from_slice(&event.body).unwrap();
        body["enterprise_id"] = json!("E99999999");
        event.body = body.to_string().into_bytes();
        bot.slack.resign(&mut event, bot.slack.clock().now().as_second());
        assert_eq!(bot.send(&event).await, (200, String::new()));
        bot.owes_nothing_within(PATIENCE).await;
        assert!(bot.zoom.has_grant(&host));
        let who = bot.types(&ada, &events, "/stream whoami").await;
        assert!(who.shown.contains("ada@example.com"), "{}", who.shown);
    }
}

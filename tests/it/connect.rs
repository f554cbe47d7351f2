//! Linking a Zoom account: the offer in Slack, the page, Zoom, the way back, and the command that waited.

use std::time::Duration;

use onair::sandbox::Fault;
use onair::sandbox::zoom::{Route, invalid_grant};
use serde_json::json;

use crate::bot::{PATIENCE, PUBLIC, connect_link, is_public, on_both_engines};

on_both_engines! {
    async fn a_start_without_a_connection_waits_for_it_and_then_runs_by_itself(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.sign_in_as(&host);
        let offer = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        assert!(!is_public(&offer), "{}", offer.shown);
        assert_eq!(bot.last_audit()["outcome"], "not_connected");
        assert_eq!(bot.zoom.requests().len(), 0, "Zoom was not asked");
        let done = bot.press_connect(&offer).await;
        assert!(done.text().contains("ada@example.com") && done.text().contains("start"), "{}", done.text());
        let answer = bot.answer().await;
        assert!(is_public(&answer) && answer.shown.contains("@ada"), "{}", answer.shown);
        assert_eq!(answer.channel, events);
        assert_eq!(bot.zoom.starts_of(meeting), 1);
        let settings = bot.zoom.stream_settings(meeting).unwrap();
        assert_eq!(settings["display_name"], "Keynote", "the title is not lost on the way");
        let outcomes: Vec<_> = bot.audit().into_iter().map(|entry| (entry["verb"].clone(), entry["outcome"].clone())).collect();
        let expected = [("start", "not_connected"), ("link", "connected"), ("start", "accepted")];
        assert_eq!(outcomes, expected.map(|(verb, outcome)| (json!(verb), json!(outcome))));
    }

    async fn the_page_names_the_slack_user_and_a_look_at_it_spends_nothing(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        let offer = bot.types(&ada, &events, "/stream connect").await;
        let link = connect_link(&offer);
        assert!(link.starts_with(&format!("{PUBLIC}/zoom/connect?state=")), "{link}");
        for _ in 0..3 {
            let seen = bot.browser().visit(&link).await.unwrap();
            assert_eq!(seen.status, 200);
            let text = seen.text();
            assert!(text.contains("ada") && text.contains(&bot.slack.home().domain), "{text}");
            assert_eq!(seen.headers["cache-control"], "no-store");
            assert_eq!(seen.headers["referrer-policy"], "no-referrer");
            assert!(seen.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
            let authorize = seen.button().unwrap();
            assert!(authorize.starts_with(&format!("{}/authorize?", bot.zoom.oauth_url())), "{authorize}");
            for part in ["code_challenge_method=S256", "response_type=code", "client_id=client", "state="] {
                assert!(authorize.contains(part), "{part} in {authorize}");
            }
        }
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        let told = bot.answer().await;
        assert!(!is_public(&told) && told.shown.contains("ada@example.com"), "{}", told.shown);
        let spent = bot.browser().visit(&link).await.unwrap();
        assert_eq!(spent.status, 410, "{}", spent.text());
        assert!(spent.text().contains("/stream connect"), "{}", spent.text());
    }

    async fn a_state_is_good_for_one_way_back_even_for_two_at_once(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        let offer = bot.types(&ada, &events, "/stream connect").await;
        let mut browser = bot.browser();
        let confirm = browser.visit(&connect_link(&offer)).await.unwrap();
        let back = browser.fetch(&confirm.button().unwrap()).await.unwrap();
        let back = back.headers["location"].to_str().unwrap().to_owned();
        let first = browser.fetch(&back).await.unwrap();
        let second = browser.fetch(&back).await.unwrap();
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 410));
        bot.answer().await;
    }

    async fn a_browser_that_was_sent_past_the_page_links_nothing(bot) {
        let (mallory, events) = (bot.slack.user("mallory"), bot.slack.channel("events"));
        let victim = bot.zoom.user("victim@example.com");
        bot.zoom.sign_in_as(&victim);
        let offer = bot.types(&mallory, &events, "/stream connect").await;
        let crafted = bot.browser().visit(&connect_link(&offer)).await.unwrap().button().unwrap();
        let page = bot.browser().visit(&crafted).await.unwrap();
        assert_eq!(page.status, 403, "{}", page.text());
        let who = bot.types(&mallory, &events, "/stream whoami").await;
        assert!(!who.shown.contains("victim"), "{}", who.shown);
    }

    async fn saying_no_at_zoom_is_a_page_with_the_way_on(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        bot.zoom.decline();
        let offer = bot.types(&ada, &events, "/stream connect").await;
        let page = bot.press_connect(&offer).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.button(), Some(connect_link(&offer)), "the same link still works");
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        bot.answer().await;
    }

    async fn every_failure_on_the_way_back_is_a_page_in_plain_words(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        for (route, fault, status) in [
            (Route::Token, Fault::status(503), 502),
            (Route::Token, invalid_grant(), 502),
            (Route::Token, Fault::Cut, 502),
            (Route::Me, Fault::status(500), 502),
        ] {
            bot.zoom.always(route, fault);
            let offer = bot.types(&ada, &events, "/stream connect").await;
            let page = bot.press_connect(&offer).await;
            bot.zoom.heal();
            assert_eq!(page.status.as_u16(), status, "{}", page.text());
            assert!(page.text().contains("/stream connect"), "{}", page.text());
            let entry = bot.last_audit();
            assert_eq!((&entry["verb"], &entry["outcome"]), (&json!("link"), &json!("link_failed")));
            assert!(page.text().contains(entry["reference"].as_str().unwrap()), "{}", page.text());
        }
        for path in ["/zoom/connect", "/zoom/connect?state=x", "/zoom/oauth/callback", "/zoom/oauth/callback?code=x&state=%00"] {
            let page = bot.browser().visit(&format!("{PUBLIC}{path}")).await.unwrap();
            assert!(page.status.is_client_error() || page.button().is_none(), "{path}: {}", page.status);
            assert!(page.text().contains("/stream connect"), "{path}: {}", page.text());
        }
    }

    async fn an_account_is_shared_and_revoked_with_its_last_link(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let ben = bot.slack.user("ben");
        let offer = bot.types(&ben, &events, "/stream connect").await;
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        bot.answer().await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let by_ada = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(is_public(&by_ada), "the second connection did not end the first: {}", by_ada.shown);
        let shared = bot.types(&ada, &events, "/stream disconnect").await;
        assert_eq!(bot.last_audit()["outcome"], "disconnected", "{}", shared.shown);
        assert!(bot.zoom.has_grant(&host), "ben still uses it");
        let last = bot.types(&ben, &events, "/stream disconnect").await;
        assert!(!bot.zoom.has_grant(&host), "{}", last.shown);
        if let Some(redis) = &bot.redis {
            let stored = String::from_utf8_lossy(&redis.dump().await).into_owned();
            assert!(!stored.contains("grant"), "the tokens are deleted here, too");
        }
        let nobody = bot.types(&ben, &events, "/stream whoami").await;
        assert!(!nobody.shown.contains("ada@example.com"), "{}", nobody.shown);
    }

    async fn connecting_another_zoom_account_replaces_the_first_and_revokes_it(bot) {
        let (ada, events, first) = bot.connected("ada").await;
        let second = bot.zoom.user("other@example.com");
        bot.zoom.sign_in_as(&second);
        let offer = bot.types(&ada, &events, "/stream connect").await;
        assert!(offer.shown.contains("ada@example.com"), "as whom one is connected now: {}", offer.shown);
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        let told = bot.answer().await;
        assert!(told.shown.contains("other@example.com"), "{}", told.shown);
        assert!(!bot.zoom.has_grant(&first) && bot.zoom.has_grant(&second));
    }

    async fn a_zoom_that_cannot_be_told_to_revoke_does_not_keep_the_link(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.zoom.always(Route::Any, Fault::status(503));
        bot.types(&ada, &events, "/stream disconnect").await;
        let not_told = bot.last_audit();
        assert_eq!(not_told["outcome"], "disconnected_not_revoked");
        let who = bot.types(&ada, &events, "/stream whoami").await;
        assert!(!who.shown.contains("ada@example.com"), "{}", who.shown);
        // What is owed is the end of the grant alone.
        bot.owes_at_most(1, PATIENCE).await;
        // It is told when Zoom is back, also where the process that knew of it is gone.
        bot.service.signal("KILL");
        bot.service.wait();
        bot.start_over();
        bot.zoom.heal();
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(&host));
        let told = bot.last_audit();
        assert_eq!((&told["outcome"], &told["user"]), (&json!("disconnected"), &json!(ada.id)));
        assert_eq!(told["reference"], not_told["reference"]);
    }

    async fn a_zoom_that_is_told_late_does_not_end_the_connection_made_since(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.zoom.always(Route::Revoke, Fault::status(503));
        bot.types(&ada, &events, "/stream disconnect").await;
        let offer = bot.types(&ada, &events, "/stream connect").await;
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        bot.answer().await;
        bot.zoom.heal();
        bot.owes_nothing_within(PATIENCE).await;
        assert!(bot.zoom.has_grant(&host), "the newer grant stays");
        let who = bot.types(&ada, &events, "/stream whoami").await;
        assert!(who.shown.contains("ada@example.com"), "{}", who.shown);
    }

    async fn a_browser_that_is_closed_on_the_way_back_loses_nothing(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        let offer = bot.types(&ada, &events, "/stream connect").await;
        let mut browser = bot.browser();
        let confirm = browser.visit(&connect_link(&offer)).await.unwrap();
        bot.zoom.next(Route::Token, Fault::Delay(Duration::from_secs(2)));
        let closed = tokio::time::timeout(Duration::from_millis(700), browser.press(&confirm)).await;
        assert!(closed.is_err(), "the browser was still waiting");
        let told = bot.answer().await;
        assert!(told.shown.contains("ada@example.com"), "{}", told.shown);
    }

    async fn a_grant_whose_key_is_gone_is_cured_by_connecting_again(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.restart_with("ONAIR_ENCRYPTION_KEYS", &format!("k2:{}", "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="));
        let offer = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert_eq!(bot.last_audit()["outcome"], "reconnect", "{}", offer.shown);
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        let answer = bot.answer().await;
        assert!(is_public(&answer), "{}", answer.shown);
        assert_eq!(bot.last_audit()["outcome"], "accepted");
    }

    async fn the_callback_tells_a_no_from_a_failure_and_from_nothing(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let offer = bot.types(&ada, &events, "/stream connect").await;
        let mut browser = bot.browser();
        let confirm = browser.visit(&connect_link(&offer)).await.unwrap().button().unwrap();
        let state = confirm.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        for (query, status) in [("error=access_denied", 200), ("error=server_error", 502), ("", 410)] {
            let page = browser.visit(&format!("{PUBLIC}/zoom/oauth/callback?state={state}&{query}")).await.unwrap();
            assert_eq!(page.status.as_u16(), status, "{query}: {}", page.text());
        }
    }

    async fn a_dry_run_shows_the_request_and_sends_nothing(bot) {
        let (ada, events, _) = bot.connected("ada").await;
        let before = bot.zoom.requests().len();
        let line = "/stream start 68423085 \"Keynote\" --layout gallery_view --dry-run";
        let answer = bot.types(&ada, &events, line).await;
        let body = r#"{"action":"start","settings":{"display_name":"Keynote","layout":"gallery_view"}}"#;
        for part in ["PATCH", "/v2/meetings/68423085/livestream/status", body, "nothing was sent"] {
            assert!(answer.shown.contains(part), "{part} in {}", answer.shown);
        }
        assert!(!is_public(&answer) && !answer.shown.contains("zat-"));
        assert_eq!(bot.zoom.requests().len(), before);
        assert_eq!(bot.last_audit()["outcome"], "dry_run");
    }

    async fn status_tells_what_onair_did(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let nothing = bot.types(&ada, &events, "/stream status").await;
        assert!(!is_public(&nothing));
        bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        let ben = bot.slack.user("ben");
        let list = bot.types(&ben, &events, "/stream status").await;
        assert!(list.shown.contains("812 0000 0001") && list.shown.contains("@ada"), "{}", list.shown);
        let other = bot.types(&ben, &events, "/stream status 99999999").await;
        assert!(!other.shown.contains("@ada"), "{}", other.shown);
    }
}

on_both_engines! {
    async fn an_expired_token_is_refreshed_once_for_many_commands_at_once(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
        bot.zoom.next(Route::Token, Fault::Delay(Duration::from_millis(300)));
        let meetings: Vec<u64> = (0..10).map(|_| bot.zoom.meeting_in_progress(&host)).collect();
        for meeting in &meetings {
            assert_eq!(bot.slack.types(&ada, &events, &format!("/stream start {meeting}")).await.status(), 200);
        }
        for _ in &meetings {
            let answer = bot.answer().await;
            assert!(is_public(&answer), "{}", answer.shown);
        }
        assert_eq!(bot.zoom.refreshes(), 1);
        assert!(meetings.iter().all(|meeting| bot.zoom.starts_of(*meeting) == 1));
    }

    async fn a_grant_that_zoom_ended_offers_a_new_connection_and_the_command_then_runs(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.remove_app(&host);
        let offer = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(!is_public(&offer), "{}", offer.shown);
        assert_eq!(bot.last_audit()["outcome"], "reconnect");
        bot.excused = vec!["token: invalid_grant: Invalid Token!"];
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        let answer = bot.answer().await;
        assert!(is_public(&answer), "{}", answer.shown);
        assert_eq!(bot.zoom.starts_of(meeting), 1);
    }

    async fn a_passing_failure_of_the_refresh_keeps_the_grant(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
        bot.zoom.next(Route::Token, Fault::status(503));
        let line = format!("/stream start {meeting}");
        let away = bot.types(&ada, &events, &line).await;
        assert_eq!(bot.last_audit()["outcome"], "unavailable", "{}", away.shown);
        bot.zoom.next(Route::Token, Fault::too_many("1"));
        let busy = bot.types(&ada, &events, &line).await;
        assert_eq!(bot.last_audit()["outcome"], "throttled", "{}", busy.shown);
        bot.edited(&busy, "accepted").await;
        assert_eq!(bot.last_audit()["outcome"], "accepted", "it was tried again by itself");
    }

    async fn a_missing_scope_is_named_and_a_new_connection_cures_it(bot) {
        bot.zoom.set_scopes(&["user:read:user"]);
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let offer = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(offer.shown.contains("meeting:update:livestream_status"), "{}", offer.shown);
        assert_eq!(bot.last_audit()["outcome"], "scope");
        bot.zoom.set_scopes(onair::sandbox::zoom::SCOPES);
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        bot.answer().await;
        assert_eq!(bot.last_audit()["outcome"], "accepted");
    }
}

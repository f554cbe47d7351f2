//! `POST /slack/commands` and its neighbors: who is let in, with which status, and what comes back at once.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use onair::clock::Clock;
use onair::sandbox::slack::SignedRequest;
use serde_json::{Value, json};

use crate::bot::{Bot, Engine, PUBLIC, SIGNING_SECRET, connect_link, failure, is_public, on_both_engines};

fn signed(bot: &Bot, line: &str) -> SignedRequest {
    bot.slack.signed_request(&bot.slack.user("ada"), &bot.slack.channel("events"), line)
}

fn now() -> i64 {
    Clock::default().now().as_second()
}

on_both_engines! {
    async fn what_slack_did_not_sign_now_is_refused_with_401_and_an_empty_body(bot) {
        let mut unsigned = signed(&bot, "/stream help");
        unsigned.remove_header("x-slack-signature");
        let mut undated = signed(&bot, "/stream help");
        undated.remove_header("x-slack-request-timestamp");
        let mut stale = signed(&bot, "/stream help");
        bot.slack.resign(&mut stale, now() - 310);
        let mut future = signed(&bot, "/stream help");
        bot.slack.resign(&mut future, now() + 310);
        let mut tampered = signed(&bot, "/stream help");
        tampered.set_form_field("user_id", "U00000666");
        for request in [unsigned, undated, stale, future, tampered] {
            assert_eq!(bot.send(&request).await, (401, String::new()));
        }
        assert_eq!(bot.audit(), Vec::<Value>::new(), "nothing was written for a stranger");
    }

    async fn a_request_passes_once(bot) {
        let request = signed(&bot, "/stream help");
        assert_eq!(bot.send(&request).await.0, 200);
        for _ in 0..3 {
            assert_eq!(bot.send(&request).await, (401, String::new()), "a replay");
        }
        let again = signed(&bot, "/stream help");
        assert_eq!(bot.send(&again).await.0, 200, "the same words typed again are another request");
        assert_eq!(bot.audit().len(), 2);
    }

    async fn one_of_many_copies_at_once_passes(bot) {
        let request = signed(&bot, "/stream whoami");
        let mut copies = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (slack, request) = (bot.slack.clone(), request.clone());
            copies.spawn(async move { slack.send(&request).await.unwrap().status });
        }
        let statuses = copies.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 19, "{statuses:?}");
        bot.answer().await;
    }

    async fn help_and_words_that_make_no_sense_are_answered_at_once_and_privately(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        for (line, says) in [
            ("/stream", "/stream start 68423085"),
            ("/stream help start", "--layout"),
            ("/stream strat 68423085 \"Keynote\"", "/stream start 68423085 \"Keynote\""),
            ("/stream start 68423085 Keynote", "/stream start 68423085 \"Keynote\""),
            ("/stream start", "/stream start 68423085"),
            ("/stream stop 123", "123"),
            ("/stream start 68423085 <!channel>", "channel"),
            ("/golive help", "/golive start"),
        ] {
            let answer = bot.types(&ada, &events, line).await;
            assert!(!is_public(&answer), "{line}");
            assert!(answer.shown.contains(says), "{says:?} for {line}: {}", answer.shown);
            assert!(!answer.text.contains("<!"), "{line}: {}", answer.text);
        }
        assert_eq!(bot.audit().len(), 8);
        assert!(bot.slack.requests().is_empty(), "the answer is the body of the 200");
    }

    async fn a_stream_key_is_refused_and_kept_nowhere(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        for line in [
            "/stream start 68423085 \"canary rtmp://a.example/live/canary\"",
            "/stream start rtmps://canary.example/app/x",
            "/stream start 68423085 live_123456789_canaryAbCdEfGhIjKlMn",
        ] {
            let answer = bot.types(&ada, &events, line).await;
            assert!(answer.shown.contains("renew") || answer.shown.contains("new key"), "{}", answer.shown);
            assert!(!answer.shown.contains("canary"), "{}", answer.shown);
            assert_eq!(bot.last_audit()["outcome"], "secret_refused");
        }
    }

    async fn a_slow_zoom_does_not_delay_the_acknowledgment(bot) {
        use onair::sandbox::{Fault, zoom::Route};
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(4)));
        let delivery = bot.slack.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert_eq!((delivery.status(), failure(&delivery)), (200, None));
        assert_eq!(delivery.answer.map(|answer| answer.body), Some(String::new()), "an empty acknowledgment");
        bot.answer().await;
        assert_eq!(bot.last_audit()["outcome"], "accepted");
    }

    async fn people_of_different_workspaces_with_one_user_id_are_different_people(bot) {
        let (_, events, _) = bot.connected("ada").await;
        let mut forged = signed(&bot, "/stream whoami");
        forged.set_form_field("team_id", "T99999999");
        bot.slack.resign(&mut forged, now());
        assert_eq!(bot.send(&forged).await.0, 200);
        let answer = bot.answer().await;
        assert!(!answer.shown.contains("ada@example.com"), "{}", answer.shown);
        let mut in_grid = signed(&bot, "/stream whoami");
        in_grid.set_form_field("enterprise_id", "E99999999");
        bot.slack.resign(&mut in_grid, now());
        assert_eq!(bot.send(&in_grid).await.0, 200);
        let answer = bot.answer().await;
        assert!(!answer.shown.contains("ada@example.com"), "{}", answer.shown);
        let mine = bot.types(&bot.slack.user("ada"), &events, "/stream whoami").await;
        assert!(mine.shown.contains("ada@example.com"), "{}", mine.shown);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ssl_check_is_answered_and_nothing_else_in_it_is_looked_at() {
    let bot = Bot::start(Engine::Embedded).await;
    assert_eq!(bot.send(&bot.slack.ssl_check()).await, (200, String::new()));
    let mut smuggled = signed(&bot, "/stream connect");
    smuggled.set_form_field("ssl_check", "1");
    smuggled.remove_header("x-slack-signature");
    assert_eq!(bot.send(&smuggled).await, (200, String::new()));
    assert_eq!(bot.audit(), Vec::<Value>::new());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_body_of_the_wrong_type_or_shape_is_400() {
    let bot = Bot::start(Engine::Embedded).await;
    let mut wrong_type = signed(&bot, "/stream help");
    wrong_type.set_header("content-type", "application/json");
    let mut elsewhere = signed(&bot, "/stream help");
    elsewhere.set_form_field("response_url", "https://evil.example/hooks/x");
    bot.slack.resign(&mut elsewhere, now());
    let mut nobody = signed(&bot, "/stream help");
    nobody.set_form_field("user_id", "");
    bot.slack.resign(&mut nobody, now());
    for request in [wrong_type, elsewhere, nobody] {
        assert_eq!(bot.send(&request).await, (400, String::new()));
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_64_kib_is_413_whether_announced_or_not() {
    let bot = Bot::start(Engine::Embedded).await;
    let address = bot.service.at("").replace("http://", "");
    let head = "POST /slack/commands HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let announced = format!("{head}content-length: 70000\r\n\r\n{}", "a".repeat(70_000));
    let chunked = format!(
        "{head}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        format!("1000\r\n{}\r\n", "a".repeat(4096)).repeat(20)
    );
    for request in [announced, chunked] {
        let mut stream = TcpStream::connect(&address).unwrap();
        // The service may answer and close before it has read everything; then the rest cannot be written.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_of_two_signing_secrets_is_taken_while_one_replaces_the_other() {
    let both = format!("canary-the-next-one,{SIGNING_SECRET}");
    let bot = Bot::start_with(Engine::Embedded, &[("SLACK_SIGNING_SECRET", &both)]).await;
    assert_eq!(bot.send(&signed(&bot, "/stream help")).await.0, 200);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_interactions_are_verified_and_acknowledged() {
    let bot = Bot::start(Engine::Embedded).await;
    let challenge = json!({ "type": "url_verification", "challenge": "abc", "token": "x" }).to_string();
    let mut event = signed(&bot, "/stream");
    event.url = bot.service.at("/slack/events");
    event.body = challenge.into_bytes();
    event.set_header("content-type", "application/json");
    assert_eq!(bot.send(&event).await.0, 401, "the signature is of another body");
    bot.slack.resign(&mut event, now());
    assert_eq!(bot.send(&event).await, (200, "abc".to_owned()));
    assert_eq!(bot.send(&event).await.0, 401, "a replay");
    let mut press = signed(&bot, "/stream");
    press.url = bot.service.at("/slack/interactions");
    press.set_form_field("payload", r#"{"type":"block_actions","team":null,"actions":[]}"#);
    bot.slack.resign(&mut press, now());
    assert_eq!(bot.send(&press).await, (200, String::new()));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_means_that_the_embedded_store_was_written() {
    let bot = Bot::start(Engine::Embedded).await;
    let log = std::path::Path::new(&bot.vars["ONAIR_DATA"]).join("onair.db-wal");
    let written = || std::fs::metadata(&log).unwrap().len();
    let before = written();
    assert_eq!(reqwest::get(bot.service.at("/readyz")).await.unwrap().status(), 200);
    assert!(written() > before, "nothing was written to {}", log.display());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_that_is_no_answer_of_zoom_spends_nothing() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    let host = bot.zoom.user("ada@example.com");
    bot.zoom.sign_in_as(&host);
    let offer = bot.types(&ada, &events, "/stream connect").await;
    let mut browser = bot.browser();
    let confirm = browser.visit(&connect_link(&offer)).await.unwrap();
    let cookie = confirm.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
    assert_eq!(confirm.headers["cross-origin-opener-policy"], "same-origin");
    assert!(confirm.html.contains("&amp;code_challenge") && !confirm.html.contains("&#38;"), "{}", confirm.html);
    let back = browser.fetch(&confirm.button().unwrap()).await.unwrap();
    let back = back.headers["location"].to_str().unwrap().to_owned();
    let (_, query) = back.split_once('?').unwrap();
    let state = query.split('&').find(|pair| pair.starts_with("state=")).unwrap();
    for odd in [format!("{query}&{state}"), state.to_owned(), format!("{state}&code=")] {
        let page = browser.fetch(&format!("{PUBLIC}/zoom/oauth/callback?{odd}")).await.unwrap();
        assert_eq!(page.status, 410, "{}", page.text());
        assert!(page.text().contains("/stream connect"), "{}", page.text());
    }
    let twice = browser.fetch(&format!("{PUBLIC}/zoom/connect?{state}&{state}")).await.unwrap();
    assert_eq!(twice.status, 410, "{}", twice.text());
    let head = reqwest::Client::builder().build().unwrap().head(back.replace(PUBLIC, &bot.service.at("")));
    let head = head.send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["allow"]), (405, &"GET".parse().unwrap()));
    assert_eq!(browser.fetch(&back).await.unwrap().status, 200);
    bot.answer().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_costs_a_clear_answer_and_heals() {
    let mut bot = Bot::start(Engine::Redis).await;
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    let port = bot.redis.take().map(|redis| redis.port()).unwrap();
    for line in ["/stream start 68423085 \"Keynote\"", "/stream connect", "/stream status"] {
        let answer = bot.types(&ada, &events, line).await;
        for words in ["not accepted", "nothing was done", "try again"] {
            assert!(answer.shown.contains(words), "{words:?} in {}", answer.shown);
        }
    }
    let ready = reqwest::get(bot.service.at("/readyz")).await.unwrap();
    assert_eq!(ready.status(), 503);
    let reasons: Value = ready.json().await.unwrap();
    assert_eq!(reasons["ready"], false);
    assert!(reasons["checks"]["store"]["reason"].is_string(), "{reasons}");
    assert_eq!(reqwest::get(bot.service.at("/healthz")).await.unwrap().status(), 200);
    bot.redis = Some(crate::redis_server::RedisServer::start_on(port, &[]));
    bot.ready_again().await;
    let offer = bot.types(&ada, &events, "/stream connect").await;
    connect_link(&offer);
    bot.finish().await;
}

//! `POST /zoom/webhooks`: who is let in, with which status, and what is done once however often it comes.

use jiff::SignedDuration;
use onair::clock::Clock;
use onair::sandbox::slack::SignedRequest;
use onair::sandbox::zoom::Event;
use serde_json::json;

use crate::bot::{Bot, Engine, PATIENCE, Posts, WEBHOOK_SECRET, connect_link};

async fn bot(engine: Engine) -> Bot {
    Bot::with_reports(engine, Posts::ByBot).await
}

/// A stream that Zoom reports as on air, and the report as it was sent.
async fn live(bot: &mut Bot) -> (u64, Event, SignedRequest) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting(&host);
    bot.zoom.begin(meeting);
    let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
    bot.edited(&card, "is live since").await;
    let sent = bot.zoom.events().into_iter().find(|sent| sent.event.name == "meeting.live_streaming_started");
    let sent = sent.unwrap();
    (meeting, sent.event.clone(), sent.request.unwrap())
}

async fn statuses(bot: &Bot, requests: Vec<SignedRequest>) -> Vec<(u16, String)> {
    let mut statuses = Vec::new();
    for request in requests {
        let answer = bot.zoom.send(&request).await.unwrap();
        statuses.push((answer.status, answer.body));
    }
    statuses
}

async fn strangers_change_nothing(mut bot: Bot) {
    let (meeting, event, _) = live(&mut bot).await;
    let now = Clock::default().now();
    let stop = Event::new(
        "meeting.live_streaming_stopped",
        now,
        &json!({ "object": { "id": meeting, "uuid": event.json()["payload"]["object"]["uuid"], "host_id": "x" } }),
    );
    let good = bot.zoom.signed_event(&stop);
    let mut unsigned = good.clone();
    unsigned.remove_header("x-zm-signature");
    let mut undated = good.clone();
    undated.remove_header("x-zm-request-timestamp");
    let mut tampered = good.clone();
    tampered.body.push(b' ');
    let (mut old, mut future) = (good.clone(), good.clone());
    bot.zoom.resign(&mut old, &(now - SignedDuration::from_hours(3)).as_second().to_string());
    bot.zoom.resign(&mut future, &(now + SignedDuration::from_mins(10)).as_second().to_string());
    let refused = statuses(&bot, vec![unsigned, undated, tampered, old, future]).await;
    assert_eq!(refused, vec![(401, String::new()); 5]);
    let mut typed = good.clone();
    typed.set_header("content-type", "text/plain");
    assert_eq!(statuses(&bot, vec![typed]).await, [(400, String::new())]);
    let mut large = good;
    large.body = vec![b'a'; 1024 * 1024 + 1];
    assert_eq!(statuses(&bot, vec![large]).await, [(413, String::new())]);
    let verbs: Vec<_> = bot.audit().into_iter().filter(|entry| entry["verb"] == "report").collect();
    assert_eq!(verbs.len(), 1, "only the report that it is live: {verbs:?}");
    bot.finish().await;
}

async fn what_comes_again_is_taken_in_once(mut bot: Bot) {
    let (_, event, request) = live(&mut bot).await;
    let again = bot.zoom.deliver(&event).await.unwrap();
    assert_eq!(again.status, 200, "signed anew");
    assert_eq!(statuses(&bot, vec![request.clone(), request]).await, vec![(200, String::new()); 2], "as it was");
    bot.owes_nothing_within(PATIENCE).await;
    let reports = bot.audit().into_iter().filter(|entry| entry["outcome"] == "live").count();
    assert_eq!(reports, 1);
    bot.finish().await;
}

async fn whoever_takes_the_app_out_is_forgotten(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    bot.zoom.remove_app(&host);
    bot.service.logged("\"outcome\":\"deauthorized\"").await;
    let who = bot.types(&ada, &events, "/stream whoami").await;
    assert!(who.shown.contains("no Zoom account connected"), "{}", who.shown);
    let offer = bot.types(&ada, &events, "/stream start 68423085").await;
    assert!(!connect_link(&offer).is_empty());
    bot.finish().await;
}

macro_rules! on_both_engines {
    ($($story:ident,)*) => {
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(super::bot(crate::bot::Engine::Redis).await).await;
            })*
        }
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(super::bot(crate::bot::Engine::Embedded).await).await;
            })*
        }
    };
}

on_both_engines! {
    strangers_change_nothing,
    what_comes_again_is_taken_in_once,
    whoever_takes_the_app_out_is_forgotten,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_is_proven_with_either_of_two_secrets() {
    let both = format!("new-canary-secret,{WEBHOOK_SECRET}");
    let bot = Bot::start_with(Engine::Embedded, &[("ZOOM_WEBHOOK_SECRET_TOKEN", &both)]).await;
    for secret in [WEBHOOK_SECRET, "new-canary-secret"] {
        bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), secret);
        bot.zoom.validate_url().await.unwrap();
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_secret_there_are_no_webhooks() {
    let bot = Bot::start(Engine::Embedded).await;
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), "");
    let event = Event::new("meeting.started", Clock::default().now(), &json!({}));
    let answer = bot.zoom.send(&bot.zoom.signed_event(&event)).await.unwrap();
    assert_eq!((answer.status, answer.body), (404, String::new()));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_mean_nothing_here_are_welcome() {
    let bot = bot(Engine::Embedded).await;
    let event = Event::new("meeting.participant_joined", Clock::default().now(), &json!({ "object": {} }));
    assert_eq!(bot.zoom.deliver(&event).await.unwrap().status, 200);
    bot.finish().await;
}

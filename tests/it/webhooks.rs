//! `POST /zoom/webhooks`: who is let in, with which status, and what is done once however often it comes.

use std::time::Duration;

use jiff::SignedDuration;
use onair::clock::Clock;
use onair::sandbox::slack::Message;
use onair::sandbox::zoom::{Event, in_order};
use onair::sandbox::{SignedRequest, SimZoom};
use serde_json::{Value, json};

use crate::bot::{BOT_TOKEN, Bot, Engine, PATIENCE, Posts, WEBHOOK_SECRET, connect_link};
use crate::redis_server::{RedisServer, free_port};

async fn bot(engine: Engine) -> Bot {
    Bot::with_reports(engine, Posts::ByBot).await
}

/// A stream that Zoom reports as on air with its card, and the report as it was sent.
async fn live(bot: &mut Bot) -> (u64, Message, Event, SignedRequest) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting(&host);
    bot.zoom.begin(meeting);
    let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
    let card = bot.edited(&card, "is live since").await;
    // The card may be there before the entry.
    bot.owes_nothing_within(PATIENCE).await;
    let sent = bot.zoom.events().into_iter().find(|sent| sent.event.name == "meeting.live_streaming_started");
    let sent = sent.unwrap();
    (meeting, card, sent.event.clone(), sent.request.unwrap())
}

/// All that a report can change: what the card says, how often it was edited, and the audit trail.
fn known(bot: &Bot, card: &Message) -> (String, usize, Vec<Value>) {
    let now = bot.slack.messages().into_iter().find(|now| now.ts == card.ts && now.channel == card.channel).unwrap();
    (now.shown, now.edits, bot.audit())
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
    let (meeting, card, event, _) = live(&mut bot).await;
    bot.owes_nothing_within(PATIENCE).await;
    let before = known(&bot, &card);
    let now = Clock::default().now();
    let stop = Event::new(
        "meeting.live_streaming_stopped",
        now,
        &json!({ "object": { "id": meeting, "uuid": event.json()["payload"]["object"]["uuid"], "host_id": "x" } }),
    );
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), "canary-of-a-stranger");
    let forged = bot.zoom.signed_event(&stop);
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
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
    let refused = statuses(&bot, vec![forged, unsigned, undated, tampered, old, future]).await;
    assert_eq!(refused, vec![(401, String::new()); 6]);
    let mut typed = good.clone();
    typed.set_header("content-type", "text/plain");
    assert_eq!(statuses(&bot, vec![typed]).await, [(400, String::new())]);
    let mut large = good.clone();
    large.body = vec![b'a'; 1024 * 1024 + 1];
    assert_eq!(statuses(&bot, vec![large]).await, [(413, String::new())]);
    bot.owes_nothing_within(PATIENCE).await;
    assert_eq!(known(&bot, &card), before);

    assert_eq!(statuses(&bot, vec![good]).await, [(200, String::new())], "Zoom itself is believed");
    bot.edited(&card, "ended by itself").await;
    let told = bot.answer().await;
    assert!(told.shown.contains("went off air"), "{}", told.shown);
    bot.finish().await;
}

async fn what_comes_again_is_taken_in_once(mut bot: Bot) {
    let (_, card, event, request) = live(&mut bot).await;
    bot.owes_nothing_within(PATIENCE).await;
    let before = known(&bot, &card);
    let again = bot.zoom.deliver(&event).await.unwrap();
    assert_eq!(again.status, 200, "signed anew");
    assert_eq!(statuses(&bot, vec![request.clone(), request]).await, vec![(200, String::new()); 2], "as it was");
    bot.owes_nothing_within(PATIENCE).await;
    assert_eq!(known(&bot, &card), before);
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

async fn whoever_connected_again_since_is_not_forgotten(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    bot.zoom.hold_events();
    bot.zoom.remove_app(&host);
    let late = bot.zoom.held_events().pop().unwrap();
    let offer = bot.types(&ada, &events, "/stream connect").await;
    assert_eq!(bot.press_connect(&offer).await.status, 200);
    bot.answer().await;
    assert_eq!(bot.zoom.deliver(&late).await.unwrap().status, 200);
    bot.owes_nothing_within(PATIENCE).await;
    let who = bot.types(&ada, &events, "/stream whoami").await;
    assert!(who.shown.contains("ada@example.com"), "{}", who.shown);
    bot.zoom.release_events(|_| Vec::new());
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
    whoever_connected_again_since_is_not_forgotten,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_the_store_is_away_is_taken_in_when_zoom_delivers_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (port, folder) = (free_port(), folder.path().to_str().unwrap());
    let start = || RedisServer::start_on(port, &["--appendonly", "yes", "--appendfsync", "always", "--dir", folder]);
    let redis = start();
    let url = redis.url();
    let changed = [("ZOOM_WEBHOOK_SECRET_TOKEN", WEBHOOK_SECRET), BOT_TOKEN, ("REDIS_URL", url.expose())];
    let mut bot = Bot::start_with(Engine::Redis, &changed).await;
    bot.redis = Some(redis);
    bot.slack.invite_app(&bot.slack.channel("events"));
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.zoom.wait_for_events(1, PATIENCE).await.unwrap();
    bot.zoom.hold_events();
    let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
    let held = |zoom: &SimZoom| zoom.held_events().pop();
    let report = bot.zoom.wait_until("the report", PATIENCE, held).await.unwrap();
    // What is left is to wait for the report.
    bot.owes_at_most(1, PATIENCE).await;
    let before = known(&bot, &card);

    bot.redis.take().unwrap().kill();
    let refused = bot.zoom.deliver(&report).await.unwrap();
    assert_eq!((refused.status, refused.body), (503, String::new()));
    bot.zoom.set_redelivery(&[Duration::from_secs(1); 120]);
    bot.zoom.release_events(in_order);
    let tried = |status| move |zoom: &SimZoom| zoom.events().pop().filter(|sent| sent.status() == status);
    bot.zoom.wait_until("the first try", PATIENCE, tried(503)).await.unwrap();
    let now = bot.slack.messages().into_iter().find(|now| now.ts == card.ts).unwrap();
    assert_eq!((now.shown, now.edits), (before.0, before.1), "the card is as it was");

    bot.redis = Some(start());
    let taken = bot.zoom.wait_until("another try", PATIENCE, tried(200)).await.unwrap();
    assert!(taken.tries > 1, "{taken}");
    bot.edited(&card, "is live since").await;
    bot.owes_nothing_within(PATIENCE).await;
    let after = known(&bot, &card);
    let [all @ .., last] = after.2.as_slice() else { panic!("{after:?}") };
    assert_eq!((all, &last["outcome"], after.1), (before.2.as_slice(), &json!("live"), 1));
    assert_eq!(statuses(&bot, vec![taken.request.unwrap()]).await, [(200, String::new())]);
    assert_eq!(bot.zoom.deliver(&report).await.unwrap().status, 200, "signed anew");
    bot.owes_nothing_within(PATIENCE).await;
    assert_eq!(known(&bot, &card), after);
    bot.finish().await;
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

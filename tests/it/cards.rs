//! One message per stream that is always true: what a channel sees of a show, however Zoom's reports come.

use std::time::Duration;

use jiff::SignedDuration;
use onair::sandbox::slack::{Author, Channel, Message, Route as SlackRoute, User};
use onair::sandbox::zoom::{Event, Route, in_order, reversed};
use onair::sandbox::{Fault, Recorded, SignedRequest, SimZoom, zoom};

use crate::bot::{Bot, Engine, PATIENCE, Posts, Service, WEBHOOK_SECRET, is_public};
use crate::proxy::{Mode, Proxy};

/// A person whose Zoom account is connected, and a meeting of theirs in progress, as Zoom has reported it.
async fn show(bot: &mut Bot) -> (User, Channel, zoom::User, u64) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    (ada, events, host, meeting)
}

fn start(meeting: u64) -> String {
    format!("/stream start {meeting} \"Keynote\"")
}

/// The public messages of the app, as they are now.
fn public(bot: &Bot) -> Vec<String> {
    let ours = |message: &Message| message.author == Author::App && is_public(message);
    bot.slack.messages().into_iter().filter(ours).map(|message| message.shown).collect()
}

async fn a_stream_is_one_message_from_its_start_to_its_end(mut bot: Bot) {
    let (ada, events, _, meeting) = show(&mut bot).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    let live = bot.edited(&card, "is live since").await;
    let labels: Vec<_> = live.buttons().into_iter().map(|button| (button.label, button.confirm.is_some())).collect();
    assert_eq!(
        labels,
        [("Stop", true), ("Watch", false), ("Refresh", false)].map(|(label, asks)| (label.to_owned(), asks))
    );
    assert_eq!(bot.slack.presses(&ada, &live, "Stop").await.unwrap().status(), 200);
    let ended = bot.edited(&card, "stopped by @ada").await;
    assert!(ended.shown.contains("was live from"), "{}", ended.shown);
    assert_eq!(ended.buttons().into_iter().map(|button| button.label).collect::<Vec<_>>(), ["Start again"]);
    assert_eq!(public(&bot).len(), 1, "{:#?}", public(&bot));
    assert_eq!(bot.zoom.stops_of(meeting), 1);
    // The card may be there before the entry.
    bot.owes_nothing_within(PATIENCE).await;
    let outcomes: Vec<_> = bot.audit().into_iter().map(|entry| entry["outcome"].clone()).collect();
    for outcome in ["accepted", "live", "stopped", "ended"] {
        assert_eq!(outcomes.iter().filter(|one| *one == outcome).count(), 1, "{outcome}: {outcomes:?}");
    }
    bot.finish().await;
}

async fn start_again_is_a_stream_of_its_own(mut bot: Bot) {
    let (ada, events, _, meeting) = show(&mut bot).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    bot.edited(&card, "is live since").await;
    bot.zoom.drop_stream(meeting);
    let ended = bot.edited(&card, "ended by itself").await;
    if bot.vars.contains_key("SLACK_BOT_TOKEN") {
        let told = bot.answer().await;
        assert!(told.shown.contains("went off air"), "{}", told.shown);
        assert_eq!(told.channel, bot.slack.direct_message_with_app(&ada));
    }
    // Zoom takes one start in 30 s.
    assert_eq!(bot.slack.presses(&ada, &ended, "Start again").await.unwrap().status(), 200);
    // By the bot it is a new message; the URL of a press can only change the one that was pressed.
    let by_bot = bot.vars.contains_key("SLACK_BOT_TOKEN");
    let waiting = if by_bot { bot.answer().await } else { bot.edited(&card, "was not started again").await };
    assert!(waiting.shown.contains("wait 30s") || waiting.shown.contains("wait 2"), "{}", waiting.shown);
    assert!(waiting.shown.contains("“Keynote”"), "it has the same title: {}", waiting.shown);
    assert_eq!(bot.slack.presses(&ada, &waiting, "Cancel").await.unwrap().status(), 200);
    bot.edited(&waiting, "Cancelled by @ada").await;
    bot.may_say_more = true;
    bot.finish().await;
}

async fn late_doubled_and_reversed_reports_come_to_the_same(mut bot: Bot) {
    let (ada, events, host, meeting) = show(&mut bot).await;
    bot.zoom.hold_events();
    let card = bot.types(&ada, &events, &start(meeting)).await;
    bot.zoom.wait_until("it to be live", PATIENCE, |zoom| zoom.is_live(meeting).then_some(())).await.unwrap();
    bot.zoom.stop_stream_by_hand(meeting, &host);
    bot.zoom.release_events(|held| [reversed(held.clone()), in_order(held)].concat());
    bot.edited(&card, "stopped in Zoom by `ada@example.com`").await;
    let ended = bot.edited(&card, "was live from").await;
    assert!(ended.shown.contains("stopped in Zoom by `ada@example.com`"), "{}", ended.shown);
    assert!(ended.buttons().iter().any(|button| button.label == "Start again"), "{}", ended.shown);
    bot.zoom.wait_for_events(5, PATIENCE).await.unwrap();
    bot.owes_nothing_within(PATIENCE).await;
    assert_eq!(bot.slack.messages().into_iter().find(|message| message.ts == card.ts).unwrap().shown, ended.shown);
    bot.may_say_more = true;
    bot.finish().await;
}

async fn a_start_right_after_a_stop_has_a_card_of_its_own(mut bot: Bot) {
    let (ada, events, _, meeting) = show(&mut bot).await;
    let first = bot.types(&ada, &events, &start(meeting)).await;
    bot.edited(&first, "is live since").await;
    bot.zoom.hold_events();
    bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
    bot.edited(&first, "is being taken off air").await;
    bot.zoom.forget_last_start(meeting);
    let second = bot.types(&ada, &events, &start(meeting)).await;
    bot.edited(&first, "stopped by @ada").await;
    bot.zoom.release_events(in_order);
    let live = bot.edited(&second, "is live since").await;
    assert!(live.shown.contains("Asked for by @ada"), "{}", live.shown);
    bot.finish().await;
}

async fn the_end_of_the_meeting_ends_what_waits(mut bot: Bot) {
    let (ada, events, _, meeting) = show(&mut bot).await;
    bot.zoom.next(Route::MeetingStatus, Fault::too_many("3"));
    let card = bot.types(&ada, &events, &start(meeting)).await;
    assert!(card.shown.contains("tries again by itself"), "{}", card.shown);
    bot.zoom.end(meeting);
    bot.edited(&card, "the meeting has ended").await;
    bot.service.logged("nothing more is tried: somebody pressed Cancel").await;
    assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
    bot.finish().await;
}

async fn a_press_of_somebody_without_an_account_is_told_in_private(mut bot: Bot) {
    let (ada, events, _, meeting) = show(&mut bot).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    let live = bot.edited(&card, "is live since").await;
    let eve = bot.slack.user("eve");
    assert_eq!(bot.slack.presses(&eve, &live, "Stop").await.unwrap().status(), 200);
    let told = bot.answer().await;
    assert!(!is_public(&told) && told.shown.contains("connect your Zoom account"), "{}", told.shown);
    assert!(bot.zoom.is_live(meeting));
    bot.finish().await;
}

async fn a_press_on_what_is_over_by_then_is_told(mut bot: Bot) {
    let (ada, events, host, meeting) = show(&mut bot).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    let live = bot.edited(&card, "is live since").await;
    // What ada still sees a moment later.
    let presses = ["Refresh", "Stop"].map(|label| bot.slack.signed_press(&ada, &live, label).unwrap());
    bot.zoom.stop_stream_by_hand(meeting, &host);
    let ended = bot.edited(&card, "stopped in Zoom by").await;
    if bot.vars.contains_key("SLACK_BOT_TOKEN") {
        assert!(bot.answer().await.shown.contains("went off air"));
    }
    for (press, words) in presses.into_iter().zip(["off air, stopped in Zoom by", "was stopped by @ada"]) {
        assert_eq!(bot.slack.send(&press).await.unwrap().status, 200);
        let told = bot.answer().await;
        assert!(told.shown.contains(words), "{}", told.shown);
    }
    bot.owes_nothing_within(PATIENCE).await;
    assert_eq!(bot.slack.messages().into_iter().find(|message| message.ts == card.ts).unwrap().shown, ended.shown);
    bot.finish().await;
}

async fn refresh_has_the_card_say_what_zoom_says_however_often(mut bot: Bot) {
    let (ada, events, _, meeting) = show(&mut bot).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    let mut now = bot.edited(&card, "is live since").await;
    // More often than an answer can be replaced at the URL it came by.
    for _ in 0..6 {
        let edits = now.edits;
        assert_eq!(bot.slack.presses(&ada, &now, "Refresh").await.unwrap().status(), 200);
        let refreshed = bot.slack.wait_until("the look", PATIENCE, |messages| {
            let card = messages.iter().find(|message| message.ts == card.ts)?;
            (card.edits > edits).then(|| card.clone())
        });
        now = refreshed.await.unwrap();
        assert!(now.shown.contains("Zoom said at") && now.shown.contains("is in progress"), "{}", now.shown);
        bot.owes_nothing_within(PATIENCE).await;
    }
    let eve = bot.slack.user("eve");
    assert_eq!(bot.slack.presses(&eve, &now, "Refresh").await.unwrap().status(), 200);
    let told = bot.answer().await;
    assert!(!is_public(&told) && told.shown.contains("not known without a connection"), "{}", told.shown);
    assert_eq!(public(&bot).len(), 1, "{:#?}", public(&bot));
    bot.finish().await;
}

macro_rules! in_each_way {
    (@ $way:ident, $engine:ident, $posts:ident, $($story:ident,)*) => {
        mod $way {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                let bot = super::Bot::with_reports(super::Engine::$engine, super::Posts::$posts).await;
                super::$story(bot).await;
            })*
        }
    };
    ($($story:ident,)*) => {
        in_each_way! { @ by_the_bot_on_redis, Redis, ByBot, $($story,)* }
        in_each_way! { @ by_the_bot_embedded, Embedded, ByBot, $($story,)* }
        in_each_way! { @ as_answers_on_redis, Redis, AsAnswers, $($story,)* }
        in_each_way! { @ as_answers_embedded, Embedded, AsAnswers, $($story,)* }
    };
}

in_each_way! {
    a_stream_is_one_message_from_its_start_to_its_end,
    start_again_is_a_stream_of_its_own,
    late_doubled_and_reversed_reports_come_to_the_same,
    a_start_right_after_a_stop_has_a_card_of_its_own,
    the_end_of_the_meeting_ends_what_waits,
    a_press_of_somebody_without_an_account_is_told_in_private,
    a_press_on_what_is_over_by_then_is_told,
    refresh_has_the_card_say_what_zoom_says_however_often,
}

/// How long OnAir waits for Zoom's report of a stream.
const WATCH: Duration = Duration::from_secs(45);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_zoom_does_not_confirm_is_told_after_45_seconds() {
    let mut bot = Bot::with_reports(Engine::Embedded, Posts::ByBot).await;
    let (ada, events, _, meeting) = show(&mut bot).await;
    bot.zoom.edit_meeting(meeting, |meeting| meeting.reachable = false);
    let card = bot.types(&ada, &events, &start(meeting)).await;
    assert!(card.shown.contains("OnAir says here when Zoom reports"), "{}", card.shown);
    let told = bot.slack.wait_until("what is missing", PATIENCE + WATCH, |messages| {
        let now = messages.iter().find(|message| message.ts == card.ts)?;
        now.shown.contains("is not confirmed").then(|| now.clone())
    });
    let told = told.await.unwrap();
    let labels: Vec<_> = told.buttons().into_iter().map(|button| button.label).collect();
    assert_eq!(labels, ["Start again", "Check", "Stop", "Refresh"]);
    assert_eq!(bot.last_audit()["outcome"], "unconfirmed");
    assert_eq!(bot.slack.presses(&ada, &told, "Check").await.unwrap().status(), 200);
    let list = bot.answer().await;
    assert!(!is_public(&list) && list.shown.contains("may be on air already"), "{}", list.shown);
    assert_eq!(bot.slack.presses(&ada, &told, "Refresh").await.unwrap().status(), 200);
    bot.edited(&card, "that the meeting is in progress").await;
    // Its end is never reported.
    bot.zoom.hold_events();
    bot.zoom.end(meeting);
    assert_eq!(bot.slack.presses(&ada, &told, "Refresh").await.unwrap().status(), 200);
    let over = bot.edited(&card, "that its meeting is over").await;
    bot.owes_nothing_within(PATIENCE).await;
    assert_eq!(bot.audit().iter().filter(|entry| entry["outcome"] == "ended").count(), 1);
    assert_eq!(over.buttons().into_iter().map(|button| button.label).collect::<Vec<_>>(), ["Start again"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_started_in_zoom_is_told_its_host_once() {
    let mut bot = Bot::with_reports(Engine::Embedded, Posts::ByBot).await;
    let (ada, _, host, meeting) = show(&mut bot).await;
    bot.zoom.start_stream_by_hand(meeting, &host);
    let told = bot.answer().await;
    assert_eq!(told.channel, bot.slack.direct_message_with_app(&ada));
    assert!(told.shown.contains("is live since") && told.shown.contains("Started in Zoom by"), "{}", told.shown);
    bot.zoom.stop_stream_by_hand(meeting, &host);
    bot.edited(&told, "stopped in Zoom by").await;
    bot.finish().await;
}

/// Somebody who shares the Zoom account.
async fn colleague(bot: &mut Bot, channel: &Channel, host: &zoom::User) -> User {
    let ben = bot.slack.user("ben");
    bot.zoom.sign_in_as(host);
    let offer = bot.types(&ben, channel, "/stream connect").await;
    assert_eq!(bot.press_connect(&offer).await.status, 200);
    bot.answer().await;
    ben
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_in_private_that_a_kill_cut_off_is_told_after_it() {
    let mut bot = Bot::with_reports(Engine::Embedded, Posts::ByBot).await;
    let (ada, events, host, meeting) = show(&mut bot).await;
    let ben = colleague(&mut bot, &events, &host).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    bot.edited(&card, "is live since").await;
    bot.slack.always(SlackRoute::PostMessage, Fault::Hang);
    bot.types(&ben, &events, &format!("/stream stop {meeting}")).await;
    let is_word = |request: &Recorded| {
        request.path == "/api/chat.postMessage" && request.json().is_some_and(|body| body["channel"] == ada.id.as_str())
    };
    bot.slack.wait_for_request("the word", PATIENCE, is_word).await.unwrap();
    bot.service.signal("KILL");
    bot.service.wait();
    bot.slack.heal();
    bot.start_over();
    let told = |messages: &[Message]| {
        messages.iter().find(|message| message.shown.contains("@ben stopped the stream")).cloned()
    };
    let told = bot.slack.wait_until("the word", PATIENCE, told).await.unwrap();
    assert_eq!(told.channel, bot.slack.direct_message_with_app(&ada));
    bot.may_say_more = true;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_started_a_stream_hears_that_a_colleague_stopped_it() {
    let mut bot = Bot::with_reports(Engine::Embedded, Posts::ByBot).await;
    let (ada, events, host, meeting) = show(&mut bot).await;
    let ben = colleague(&mut bot, &events, &host).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    let live = bot.edited(&card, "is live since").await;
    assert_eq!(bot.slack.presses(&ben, &live, "Stop").await.unwrap().status(), 200);
    let told = bot.answer().await;
    assert!(told.shown.contains("@ben stopped the stream"), "{}", told.shown);
    assert_eq!(told.channel, bot.slack.direct_message_with_app(&ada));
    bot.edited(&card, "stopped by @ben").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_names_the_title_only_where_the_stream_was_asked_for() {
    let mut bot = Bot::with_reports(Engine::Embedded, Posts::ByBot).await;
    let (ada, events, _, meeting) = show(&mut bot).await;
    let card = bot.types(&ada, &events, &start(meeting)).await;
    bot.edited(&card, "is live since").await;
    let elsewhere = bot.slack.channel("random");
    let told = bot.types(&ada, &elsewhere, &format!("/stream stop {meeting}")).await;
    assert!(told.shown.contains("was stopped by @ada") && !told.shown.contains("Keynote"), "{}", told.shown);
    bot.edited(&card, "stopped by @ada").await;
    bot.finish().await;
}

/// Two instances, the addresses of their webhooks, and what happens to a stream, with what its card says then.
async fn two_instances(bot: &mut Bot) -> (Service, [String; 2], Message, Vec<(Change, &'static str)>) {
    let second = bot.second();
    let doors = [second.at("/zoom/webhooks"), bot.service.at("/zoom/webhooks")];
    let (ada, events, host, meeting) = show(bot).await;
    bot.zoom.wait_for_events(1, PATIENCE).await.unwrap();
    bot.zoom.hold_events();
    let card = bot.types(&ada, &events, &start(meeting)).await;
    let (by_hand, stopper) = (host.clone(), host);
    let changes: Vec<(Change, &str)> = vec![
        (Box::new(|_| {}), "is live since"),
        (Box::new(move |zoom| zoom.drop_stream(meeting)), "ended by itself"),
        (Box::new(move |zoom| zoom.start_stream_by_hand(meeting, &by_hand)), "Started in Zoom by"),
        (Box::new(move |zoom| zoom.stop_stream_by_hand(meeting, &stopper)), "stopped in Zoom by"),
    ];
    (second, doors, card, changes)
}

/// Something that happens at Zoom.
type Change = Box<dyn FnOnce(&SimZoom) + Send>;

/// What Zoom has to report next, taken off its hands.
async fn next_report(bot: &Bot) -> Event {
    let held = |zoom: &SimZoom| zoom.held_events().pop();
    let report = bot.zoom.wait_until("the report", PATIENCE, held).await.unwrap();
    bot.zoom.release_events(|_| Vec::new());
    bot.zoom.hold_events();
    report
}

/// The card was edited once for each of the four changes, whoever heard of them, and its asker told once of the ends.
async fn edited_four_times(mut bot: Bot, second: Service, card: &Message) {
    let told = bot.answer().await;
    assert!(told.shown.contains("went off air"), "{}", told.shown);
    assert_eq!(told.channel, bot.slack.direct_message_with_app(&bot.slack.user("ada")));
    bot.owes_nothing_within(PATIENCE).await;
    let now = bot.slack.messages().into_iter().find(|message| message.ts == card.ts).unwrap();
    assert_eq!(now.edits, 4, "{}", now.shown);
    bot.logs.push(second.stop().await);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_come_to_two_instances_in_turn_are_one_edit_each() {
    let mut bot = Bot::with_reports(Engine::Redis, Posts::ByBot).await;
    let (second, doors, card, changes) = two_instances(&mut bot).await;
    for ((change, words), door) in changes.into_iter().zip(doors.iter().cycle()) {
        change(&bot.zoom);
        let report = next_report(&bot).await;
        bot.zoom.connect_webhooks(door, WEBHOOK_SECRET);
        assert_eq!(bot.zoom.deliver(&report).await.unwrap().status, 200);
        bot.edited(&card, words).await;
    }
    edited_four_times(bot, second, &card).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_come_to_two_instances_at_once_are_one_edit_each() {
    let mut bot = Bot::with_reports(Engine::Redis, Posts::ByBot).await;
    let (second, [there, here], card, changes) = two_instances(&mut bot).await;
    for (change, words) in changes {
        change(&bot.zoom);
        let request = bot.zoom.signed_event(&next_report(&bot).await);
        let [one, other] = [&there, &here].map(|url| SignedRequest { url: url.clone(), ..request.clone() });
        let (one, other) = tokio::join!(bot.zoom.send(&one), bot.zoom.send(&other));
        assert_eq!((one.unwrap().status, other.unwrap().status), (200, 200));
        bot.edited(&card, words).await;
    }
    edited_four_times(bot, second, &card).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_is_left_alone_for_as_long_as_it_asks_whatever_happens_meanwhile() {
    const WAIT: SignedDuration = SignedDuration::from_secs(6);
    let mut bot = Bot::with_reports(Engine::Embedded, Posts::ByBot).await;
    let (ada, events, _, meeting) = show(&mut bot).await;
    bot.slack.next(SlackRoute::Update, Fault::too_many(&WAIT.as_secs().to_string()));
    let card = bot.types(&ada, &events, &start(meeting)).await;
    let is_edit = |request: &Recorded| request.path == "/api/chat.update";
    bot.slack.wait_for_request("the edit", PATIENCE, is_edit).await.unwrap();
    bot.zoom.drop_stream(meeting);
    bot.edited(&card, "ended by itself").await;
    let edits: Vec<_> = bot.slack.requests().into_iter().filter(is_edit).map(|edit| edit.at).collect();
    assert!(edits.len() == 2 && edits[1].duration_since(edits[0]) >= WAIT, "{edits:?}");
    bot.may_say_more = true;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_while_zoom_answers_costs_the_card_nothing() {
    let mut bot = Bot::with_reports(Engine::Redis, Posts::ByBot).await;
    let proxy = Proxy::start(bot.redis.as_ref().unwrap().port()).await;
    bot.restart_with("REDIS_URL", &proxy.instead_of(bot.redis.as_ref().unwrap().url().expose()));
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
    let (ada, events, _, meeting) = show(&mut bot).await;
    bot.zoom.hold_events();
    bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(2)));
    assert_eq!(bot.slack.types(&ada, &events, &start(meeting)).await.status(), 200);
    let is_asked = |zoom: &SimZoom| (!zoom.orders_of(meeting).is_empty()).then_some(());
    bot.zoom.wait_until("the order", PATIENCE, is_asked).await.unwrap();
    proxy.set(Mode::Cut);
    bot.service.logged("a stream is changed later").await;
    proxy.set(Mode::Pass);
    let card = bot.answer().await;
    bot.ready_again().await;
    bot.zoom.release_events(in_order);
    let live = bot.edited(&card, "is live since").await;
    assert!(live.shown.contains("Asked for by @ada"), "{}", live.shown);
    bot.finish().await;
}

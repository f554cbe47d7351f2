//! `/stream status`: who sees what of which stream, and what Zoom says about its meeting.

use std::time::Duration;

use onair::sandbox::Fault;
use onair::sandbox::zoom::Route;

use crate::bot::{Bot, Engine, PATIENCE, Posts, is_public};

/// With Zoom's reports heard, and a bot that posts.
async fn with_reports(engine: Engine) -> Bot {
    Bot::with_reports(engine, Posts::ByBot).await
}

async fn one_meeting_is_told_with_what_zoom_says(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
    bot.edited(&card, "is live since").await;
    let status = bot.types(&ada, &events, &format!("/stream status {meeting}")).await;
    for words in ["live since", "what Zoom reported", "Zoom says that the meeting is in progress", "“Keynote”"] {
        assert!(status.shown.contains(words), "{words}: {}", status.shown);
    }
    assert!(!is_public(&status), "{}", status.shown);
    bot.zoom.hold_events();
    bot.zoom.end(meeting);
    let over = bot.types(&ada, &events, &format!("/stream status {meeting}")).await;
    assert!(over.shown.contains("not in progress, and nothing is on air without it"), "{}", over.shown);
    assert_eq!(bot.last_audit()["outcome"], "told");
    bot.finish().await;
}

async fn the_list_tells_colleagues_what_is_so_and_no_titles_of_elsewhere(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Merger\"")).await;
    bot.edited(&card, "is live since").await;
    let (ben, elsewhere) = (bot.slack.user("ben"), bot.slack.channel("random"));
    let here = bot.types(&ben, &events, "/stream status").await;
    assert!(here.shown.contains("“Merger” (`812 0000 0001`): live since"), "{}", here.shown);
    for line in ["/stream status".to_owned(), format!("/stream status {meeting}")] {
        let there = bot.types(&ben, &elsewhere, &line).await;
        assert!(there.shown.contains("`812 0000 0001`: live since"), "{}", there.shown);
        assert!(there.shown.contains("asked for by @ada") && !there.shown.contains("Merger"), "{}", there.shown);
    }
    bot.finish().await;
}

async fn a_stream_from_zoom_is_its_hosts_alone(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.zoom.start_stream_by_hand(meeting, &host);
    bot.answer().await;
    bot.owes_nothing_within(PATIENCE).await;
    let ben = bot.slack.user("ben");
    for line in ["/stream status".to_owned(), format!("/stream status {meeting}")] {
        let of_host = bot.types(&ada, &events, &line).await;
        assert!(of_host.shown.contains("started in Zoom by"), "{}", of_host.shown);
        let of_ben = bot.types(&ben, &events, &line).await;
        assert!(of_ben.shown.contains("started and stopped nothing"), "{}", of_ben.shown);
    }
    bot.finish().await;
}

async fn a_stream_whose_key_is_gone_hides_no_other(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    let [first, second] = [bot.zoom.meeting_in_progress(&host), bot.zoom.meeting_in_progress(&host)];
    bot.types(&ada, &events, &format!("/stream start {first}")).await;
    bot.owes_nothing_within(PATIENCE).await;
    bot.restart_with("ONAIR_ENCRYPTION_KEYS", "k2:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=");
    let told = bot.types(&ada, &events, "/stream status").await;
    assert!(told.shown.contains("Zoom accepted the start"), "{}", told.shown);
    let told = bot.types(&ada, &events, &format!("/stream status {second}")).await;
    assert!(told.shown.contains("started and stopped nothing"), "{}", told.shown);
    bot.may_say_more = true;
    bot.finish().await;
}

async fn a_zoom_that_refuses_onair_itself_says_nothing_of_the_meeting(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
    bot.edited(&card, "is live since").await;
    bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
    bot.zoom.always(Route::Token, Fault::status(401));
    let status = bot.types(&ada, &events, &format!("/stream status {meeting}")).await;
    assert!(status.shown.contains("not known without a connection that works"), "{}", status.shown);
    assert!(!status.shown.contains("not in progress"), "{}", status.shown);
    bot.finish().await;
}

macro_rules! on_both {
    ($($story:ident,)*) => {
        $(mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_redis() {
                super::$story(super::with_reports(super::Engine::Redis).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                super::$story(super::with_reports(super::Engine::Embedded).await).await;
            }
        })*
    };
}

on_both! {
    one_meeting_is_told_with_what_zoom_says,
    the_list_tells_colleagues_what_is_so_and_no_titles_of_elsewhere,
    a_stream_from_zoom_is_its_hosts_alone,
    a_zoom_that_refuses_onair_itself_says_nothing_of_the_meeting,
    a_stream_whose_key_is_gone_hides_no_other,
}

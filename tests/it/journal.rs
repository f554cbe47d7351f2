//! Accepted means answered: what the journal is for, by faults.

use std::time::Duration;

use onair::sandbox::Fault;
use onair::sandbox::slack::Route as SlackRoute;
use onair::sandbox::zoom::Route;

use crate::bot::{Bot, Engine, PATIENCE, Service, is_public, on_both_engines};

/// Kills the service as the kernel would, and starts another one on the same store.
fn kill_and_restart(bot: &mut Bot) {
    bot.service.signal("KILL");
    bot.service.wait();
    bot.service = Service::start(&bot.vars);
    bot.slack.connect_app(&bot.service.at("/slack/commands"));
    bot.slack.connect_interactions(&bot.service.at("/slack/interactions"));
}

on_both_engines! {
    async fn a_stop_whose_service_is_killed_while_zoom_is_asked_is_sent_again_and_told(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(Route::MeetingStatus, Fault::Hang);
        let delivery = bot.slack.types(&ada, &events, &format!("/stream stop {meeting}")).await;
        assert_eq!(delivery.status(), 200);
        bot.zoom.wait_for("the order", PATIENCE, |request| request.method == "PATCH").await.unwrap();
        kill_and_restart(&mut bot);
        let answer = bot.answer().await;
        assert_eq!(bot.last_audit()["outcome"], "stopped", "{}", answer.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 2);
    }

    async fn every_command_that_was_acknowledged_before_a_kill_is_answered_after_it(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        // Slack takes no answer before the kill, so that all of them are still owed after it.
        bot.slack.always(SlackRoute::ResponseUrl, Fault::Hang);
        let mut typed = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let (slack, ada, events) = (bot.slack.clone(), ada.clone(), events.clone());
            typed.spawn(async move { slack.types(&ada, &events, "/stream whoami").await });
        }
        let mut acknowledged = 0;
        while let Some(delivery) = typed.join_next().await {
            acknowledged += usize::from(delivery.unwrap().status() == 200);
            if acknowledged == 20 {
                bot.service.signal("KILL");
            }
        }
        assert!(acknowledged >= 20);
        // A command may be in the journal whose acknowledgment the kill cut off; it is answered, too.
        bot.may_say_more = true;
        bot.slack.heal();
        bot.service.wait();
        bot.service = Service::start(&bot.vars);
        for _ in 0..acknowledged {
            bot.answer().await;
        }
    }

    async fn a_start_whose_service_is_killed_while_zoom_is_asked_is_told_as_unknown_and_not_sent_again(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(Route::MeetingStatus, Fault::Hang);
        let delivery = bot.slack.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        assert_eq!(delivery.status(), 200);
        let asked = |request: &onair::sandbox::Recorded| request.method == "PATCH";
        bot.zoom.wait_for("the order", PATIENCE, asked).await.unwrap();
        kill_and_restart(&mut bot);
        let answer = bot.answer().await;
        assert!(is_public(&answer) && answer.shown.contains("may be on air"), "{}", answer.shown);
        assert_eq!(bot.last_audit()["outcome"], "unknown");
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
    }

    async fn an_answer_that_slack_does_not_take_is_told_when_slack_is_back(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.slack.always(SlackRoute::ResponseUrl, Fault::status(503));
        let delivery = bot.slack.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert_eq!(delivery.status(), 200);
        bot.zoom.wait_for("the order", PATIENCE, |request| request.method == "PATCH").await.unwrap();
        kill_and_restart(&mut bot);
        bot.slack.heal();
        let answer = bot.answer().await;
        assert!(is_public(&answer), "{}", answer.shown);
        assert_eq!(bot.zoom.starts_of(meeting), 1);
        let starts = bot.audit().into_iter().filter(|entry| entry["verb"] == "start").count();
        assert_eq!(starts, 1, "decided once, written down once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_goes_away_in_the_middle_delays_the_answer_and_does_not_lose_it() {
    let mut bot = Bot::start(Engine::Redis).await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(2)));
    let delivery = bot.slack.types(&ada, &events, &format!("/stream start {meeting}")).await;
    assert_eq!(delivery.status(), 200);
    bot.zoom.wait_for("the order", PATIENCE, |request| request.method == "PATCH").await.unwrap();
    bot.redis.as_ref().unwrap().pause(Duration::from_secs(5)).await;
    let answer = bot.answer().await;
    assert!(is_public(&answer), "{}", answer.shown);
    assert_eq!(bot.zoom.starts_of(meeting), 1);
    bot.finish().await;
}

//! Telling an answer when Slack is away, asks to wait, or no longer takes it at the `response_url`.

use jiff::SignedDuration;
use onair::sandbox::slack::Route;
use onair::sandbox::{Fault, SimZoom, zoom};

use crate::bot::{BOT_TOKEN, Bot, Engine, PATIENCE, Service, is_public, on_both_engines};

async fn with_bot() -> Bot {
    Bot::start_with(Engine::Embedded, &[BOT_TOKEN]).await
}

/// Which methods of the Web API were called, and how often a `response_url` was.
fn called(bot: &Bot) -> Vec<String> {
    let paths = bot.slack.requests().into_iter().map(|request| request.path);
    paths.filter_map(|path| path.strip_prefix("/api/").map(str::to_owned)).collect()
}

on_both_engines! {
    async fn an_answer_comes_as_late_as_slack_asks(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        bot.slack.next(Route::ResponseUrl, Fault::too_many("2"));
        bot.types(&ada, &events, "/stream whoami").await;
        let posted: Vec<_> = bot.slack.requests().iter().map(|request| request.at).collect();
        let [refused, taken] = posted.as_slice() else { panic!("{posted:?}") };
        assert!(taken.duration_since(*refused) >= SignedDuration::from_secs(2), "{posted:?}");
    }

    async fn an_answer_is_told_once_however_often_slack_says_no(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        for fault in [Fault::Cut, Fault::status(500), Fault::status(503), Fault::too_many("1"), Fault::Cut, Fault::Cut] {
            bot.slack.next(Route::ResponseUrl, fault);
        }
        bot.types(&ada, &events, "/stream whoami").await;
        assert_eq!(bot.slack.messages().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_response_url_is_over_the_bot_posts_where_it_may() {
    let mut bot = with_bot().await;
    let (ada, events, host) = bot.connected("ada").await;
    bot.slack.invite_app(&events);
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.slack.always(Route::ResponseUrl, Fault::status(404));
    let public = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
    assert!(is_public(&public) && public.channel == events, "{}", public.shown);
    let private = bot.types(&ada, &events, "/stream whoami").await;
    assert!(!is_public(&private) && private.channel == events, "{}", private.shown);
    assert_eq!(called(&bot), ["auth.test", "chat.postMessage", "chat.postEphemeral"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_bot_may_not_post_it_writes_to_the_person() {
    let mut bot = with_bot().await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.slack.always(Route::ResponseUrl, Fault::status(404));
    let direct = bot.slack.direct_message_with_app(&ada);
    for line in [format!("/stream start {meeting}"), "/stream whoami".to_owned()] {
        let told = bot.types(&ada, &events, &line).await;
        assert_eq!(told.channel, direct, "{}", told.shown);
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_bot_that_may_post_a_dead_response_url_is_written_down_and_given_up() {
    let bot = with_bot().await;
    let (events, home) = (bot.slack.channel("events"), bot.slack.home().clone());
    bot.slack.set_scopes(&home, &["commands"]);
    bot.slack.always(Route::ResponseUrl, Fault::status(404));
    let ada = bot.slack.user("ada");
    assert_eq!(bot.slack.types(&ada, &events, "/stream whoami").await.status(), 200);
    bot.service.logged("answer lost").await;
    assert_eq!(bot.slack.messages().len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_of_one_workspace_posts_nothing_for_another() {
    let bot = with_bot().await;
    let other = bot.slack.workspace("globex");
    let (eve, events) = (bot.slack.user_in(&other, "eve"), bot.slack.channel_in(&other, "events"));
    bot.slack.always(Route::ResponseUrl, Fault::status(404));
    assert_eq!(bot.slack.types(&eve, &events, "/stream whoami").await.status(), 200);
    bot.service.logged("answer lost").await;
    assert_eq!(called(&bot), ["auth.test"], "the token is asked whose it is, and not used");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_kills_every_process_gets_a_last_word() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let (ada, events, _) = bot.connected("ada").await;
    bot.zoom.always(zoom::Route::Revoke, Fault::Hang);
    assert_eq!(bot.slack.types(&ada, &events, "/stream disconnect").await.status(), 200);
    for deaths in 0..5 {
        let asked = move |zoom: &SimZoom| {
            (zoom.requests().iter().filter(|request| request.path == "/oauth/revoke").count() > deaths).then_some(())
        };
        bot.zoom.wait_until("another try", PATIENCE, asked).await.unwrap();
        bot.service.signal("KILL");
        bot.service.wait();
        bot.service = Service::start(&bot.vars);
    }
    let word = bot.answer().await;
    assert!(!is_public(&word) && word.shown.contains("could not finish"), "{}", word.shown);
    assert_eq!(bot.last_audit()["outcome"], "failed");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_api_that_is_away_or_strange_does_not_hold_up_a_card() {
    let mut bot = with_bot().await;
    let (ada, events, host) = bot.connected("ada").await;
    bot.slack.invite_app(&events);
    for fault in [Fault::status(404), Fault::status(503), Fault::status(403)] {
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.slack.next(Route::PostMessage, fault);
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(is_public(&card) && card.hook.is_some(), "an answer at the response_url: {card:?}");
    }
    bot.finish().await;
}

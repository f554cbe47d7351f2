//! A connection that nobody uses: its people are told before Zoom ends it, each once, and how to keep it.

use jiff::SignedDuration;
use onair::clock::Clock;
use onair::id::ZoomUserId;
use onair::sandbox::Fault;
use onair::sandbox::slack::Route;
use onair::sandbox::zoom::User as ZoomUser;

use crate::bot::{BOT_TOKEN, Bot, on_both_engines};

const LOOKED: &str = "looked for connections that nobody uses";

/// Lets so many days go by, in which nobody uses the connection and no instance looks.
async fn let_days_go_by(bot: &mut Bot, host: &ZoomUser, days: i64) {
    bot.service.end().await;
    let store = bot.stopped_store();
    let mut grant = store.grant(&ZoomUserId::new(host.id.as_str())).await.unwrap().unwrap();
    let given = Clock::default().now().checked_sub(SignedDuration::from_hours(24 * days)).unwrap();
    grant.tokens.expires_at = given.checked_add(SignedDuration::from_hours(1)).unwrap();
    store.save_grant(&grant).await.unwrap();
    drop(store);
    look_again(bot).await;
}

/// Starts the service over when it is time to look.
async fn look_again(bot: &mut Bot) {
    if let Some(redis) = &bot.redis {
        redis.tell("DEL onair:lease:unused").await;
    }
    bot.start_over();
    bot.service.logged(LOOKED).await;
}

on_both_engines! {
    async fn whoever_has_a_connection_that_nobody_uses_is_told_once_how_to_keep_it(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.vars.insert(BOT_TOKEN.0.to_owned(), BOT_TOKEN.1.to_owned());
        let_days_go_by(&mut bot, &host, 75).await;
        assert!(bot.unread().is_empty(), "it is not time yet");

        let_days_go_by(&mut bot, &host, 77).await;
        let told = bot.answer().await;
        assert_eq!(told.channel, bot.slack.direct_message_with_app(&ada));
        assert!(told.shown.contains("was not used for a long time"), "{}", told.shown);
        bot.service.end().await;
        look_again(&mut bot).await;
        assert!(bot.unread().is_empty(), "once");

        let whoami = bot.types(&ada, &events, "/stream whoami").await;
        assert!(whoami.shown.contains("You are connected to Zoom as ada"), "{}", whoami.shown);
        assert_eq!(bot.zoom.refreshes(), 1, "that kept it");
        bot.types(&ada, &events, "/stream whoami").await;
        assert_eq!(bot.zoom.refreshes(), 1, "and it need not be kept again");

        let_days_go_by(&mut bot, &host, 80).await;
        assert_eq!(bot.answer().await.channel, told.channel, "a new token has a warning of its own");
    }

    async fn a_warning_waits_until_slack_takes_it(bot) {
        let (ada, _, host) = bot.connected("ada").await;
        bot.vars.insert(BOT_TOKEN.0.to_owned(), BOT_TOKEN.1.to_owned());
        bot.slack.next(Route::PostMessage, Fault::status(503));
        let_days_go_by(&mut bot, &host, 80).await;
        assert!(bot.unread().is_empty());
        bot.service.end().await;
        look_again(&mut bot).await;
        assert_eq!(bot.answer().await.channel, bot.slack.direct_message_with_app(&ada));
    }
}

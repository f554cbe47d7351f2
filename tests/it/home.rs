//! App Home: what each person sees in it, and what its buttons do.

use onair::sandbox::Fault;
use onair::sandbox::slack::{Fill, Home, Installed, Message, Role, Route, User};
use serde_json::json;

use crate::bot::{Bot, Engine, PATIENCE, PUBLIC, Posts};
use crate::policy::set;

/// One story per engine, with a bot begun in this way.
macro_rules! stories {
    ($begin:path; $(async fn $name:ident($bot:ident) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                #[allow(unused_mut, reason = "not every story changes the bot")]
                async fn story(mut $bot: Bot) {
                    $body
                    $bot.finish().await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_redis() {
                    story($begin(Engine::Redis).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn embedded() {
                    story($begin(Engine::Embedded).await).await;
                }
            }
        )*
    };
}

/// A bot that posts in `#events`, and hears Zoom's reports.
async fn posting(engine: Engine) -> Bot {
    Bot::with_reports(engine, Posts::ByBot).await
}

/// Somebody opens their Home, which says something.
async fn opens(bot: &Bot, user: &User, words: &str) -> Home {
    let delivery = bot.slack.opens_home(user).await;
    assert_eq!((delivery.status(), delivery.failure), (200, None));
    home(bot, user, words).await
}

async fn home(bot: &Bot, user: &User, words: &str) -> Home {
    let home = bot.slack.wait_for_home(user, words).await;
    home.unwrap_or_else(|error| panic!("{error}\n{}", bot.service.log()))
}

/// Presses a button in a Home, and gives the answer, which is a direct message.
async fn presses(bot: &mut Bot, user: &User, label: &str) -> Message {
    let delivery = bot.slack.presses_in_home(user, label).await.unwrap();
    assert_eq!((delivery.status(), delivery.failure), (200, None));
    let answer = bot.answer().await;
    assert_eq!(answer.channel, bot.slack.direct_message_with_app(user), "{}", answer.shown);
    answer
}

fn labels(home: &Home) -> Vec<String> {
    home.buttons().into_iter().map(|button| button.label).collect()
}

stories! {
    posting;

    async fn who_has_nothing_reads_how_to_begin(bot) {
        bot.slack.show_dates_as_forms();
        let ada = bot.slack.user("ada");
        let home = opens(&bot, &ada, "As of").await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(home.shown, @r#"
            *Your Zoom account*
            You have no Zoom account connected.
            OnAir starts and stops streams as you, so it needs your own Zoom account, for your own meetings.
            Press *Connect Zoom*: OnAir sends you the link by direct message. [Connect Zoom]
            *Streams*
            OnAir started and stopped nothing in this workspace in the last 24 hours, as far as it knows.
            To put a meeting on air: `/stream start 68423085 "Keynote"`
            *Your saved names*
            You have no saved names. They are for you alone: nobody else sees or uses them.
            Save a meeting under one: `/stream save keynote 68423085 "Keynote"`
            All that OnAir does: `/stream help`
            As of {date_short_pretty} {time_secs}. [Refresh]
            "#);
        }
    }

    async fn who_is_connected_reads_as_whom_what_is_live_and_what_they_saved(bot) {
        bot.slack.show_dates_as_forms();
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream save opening {meeting} \"Keynote\"")).await;
        let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        bot.edited(&card, "is live since").await;
        let home = opens(&bot, &ada, "live since").await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(home.shown, @"
            *Your Zoom account*
            You are connected to Zoom as ada Example (`ada@example.com`).
            To use another account: `/stream connect`. To undo it: `/stream disconnect` [Disconnect]
            *Streams*
            What OnAir did in this workspace lately, newest first. “Live” is what Zoom reported.
            • “Keynote” (`812 0000 0001`): live since {date_short_pretty} {time_secs}; asked for by @ada [Stop]
            *Your saved names*
            To start one, copy its line into a channel.
            • `/stream start opening`: `812 0000 0001`, “Keynote”
            All that OnAir does: `/stream help`
            As of {date_short_pretty} {time_secs}. [Refresh]
            ");
        }
        let written = home.json().to_string();
        assert!(!written.contains("state=") && !written.contains(PUBLIC), "no link that is worth something: {written}");
    }

    async fn connecting_from_home_begins_with_a_direct_message_and_ends_in_the_home(bot) {
        let ada = bot.slack.user("ada");
        bot.zoom.sign_in_as(&bot.zoom.user("ada@example.com"));
        opens(&bot, &ada, "no Zoom account connected").await;
        let request = bot.slack.signed_press_in_home(&ada, "Connect Zoom").unwrap();
        assert_eq!(bot.send(&request).await, (200, String::new()));
        assert_eq!(bot.send(&request).await.0, 401, "the same press again");
        let offer = bot.answer().await;
        assert_eq!(offer.channel, bot.slack.direct_message_with_app(&ada), "{}", offer.shown);
        let entry = bot.last_audit();
        assert_eq!((&entry["verb"], &entry["outcome"]), (&json!("connect"), &json!("offered")));
        assert_eq!((&entry["user"], &entry["channel"]), (&json!(ada.id), &json!(ada.id)));

        assert_eq!(bot.press_connect(&offer).await.status, 200);
        let told = bot.answer().await;
        assert_eq!(told.channel, offer.channel, "{}", told.shown);
        assert!(told.shown.contains("connected to Zoom as"), "{}", told.shown);
        let home = home(&bot, &ada, "connected to Zoom as ada Example (`ada@example.com`)").await;
        assert_eq!(labels(&home), ["Disconnect", "Refresh"]);
    }

    async fn disconnecting_from_home_asks_first_and_shows_that_it_is_done(bot) {
        let (ada, _, _) = bot.connected("ada").await;
        let before = opens(&bot, &ada, "connected to Zoom as").await;
        assert!(before.buttons()[0].confirm.is_some(), "{before:?}");
        let told = presses(&mut bot, &ada, "Disconnect").await;
        assert!(told.shown.contains("You are disconnected"), "{}", told.shown);
        let after = home(&bot, &ada, "no Zoom account connected").await;
        assert_eq!(labels(&after), ["Connect Zoom", "Refresh"]);
        assert_eq!(bot.last_audit()["outcome"], "disconnected");
    }

    async fn a_stop_from_home_changes_the_card_in_its_channel_and_is_told_to_who_pressed(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        bot.edited(&card, "is live since").await;
        let before = opens(&bot, &ada, "live since").await;
        let stop = before.buttons().into_iter().find(|button| button.label == "Stop").unwrap();
        assert!(stop.confirm.unwrap().text.contains("stops for everybody who watches"));
        let told = presses(&mut bot, &ada, "Stop").await;
        assert!(told.shown.contains("stopped"), "{}", told.shown);
        bot.edited(&card, "stopped by @ada").await;
        assert_eq!(bot.zoom.orders_of(meeting).len(), 2);
        bot.slack.presses_in_home(&ada, "Refresh").await.unwrap();
        let after = home(&bot, &ada, "off air, stopped by @ada").await;
        assert_eq!(labels(&after), ["Disconnect", "Refresh"]);
        bot.owes_nothing_within(PATIENCE).await;
    }

    async fn what_is_somebody_elses_does_not_stand_in_it(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream save opening {meeting} \"Keynote\"")).await;
        let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        bot.edited(&card, "is live since").await;
        let ben = bot.slack.user("ben");
        let of_ben = opens(&bot, &ben, "asked for by @ada").await;
        for word in ["Keynote", "opening", "ada@example.com"] {
            let written = of_ben.json().to_string();
            // The help has a keynote of its own.
            let written = written.replace("start 68423085 \\\"Keynote", "").replace("save keynote 68423085 \\\"Keynote", "");
            assert!(!written.contains(word), "{word:?} is in {written}");
        }
        assert_eq!(labels(&of_ben), ["Connect Zoom", "Refresh"], "who is not connected stops nothing");
        assert!(bot.slack.home_of(&ada).is_none(), "nobody else's is shown");
    }

    async fn rules_hold_in_a_home_which_is_in_no_channel_and_where_nobody_else_is(bot) {
        let olga = bot.slack.user("olga");
        bot.slack.set_role(&olga, Role::Owner);
        let (ada, events, host) = bot.connected("ada").await;
        let (ben, _, _) = bot.connected("ben").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        bot.edited(&card, "is live since").await;
        for user in [&ada, &ben] {
            let home = opens(&bot, user, "live since").await;
            assert_eq!(labels(&home), ["Disconnect", "Stop", "Refresh"]);
        }
        let stage = bot.slack.channel("stage");
        let second = ("To stop a stream that somebody else asked for", Fill::Choice("A second person has to confirm"));
        set(&bot, &olga, &events, &[second]).await;
        // A button of before the rules.
        let told = presses(&mut bot, &ben, "Stop").await;
        assert!(told.shown.contains("that takes a second person"), "{}", told.shown);
        bot.slack.presses_in_home(&ben, "Refresh").await.unwrap();
        opens(&bot, &ada, "live since").await;
        set(&bot, &olga, &events, &[("Where people may stop streams", Fill::Channels(&[&stage]))]).await;
        let told = presses(&mut bot, &ada, "Stop").await;
        assert!(told.shown.contains(&format!("in #{} and not here", stage.id)), "{}", told.shown);
        assert_eq!(bot.last_audit()["outcome"], "denied");
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1, "the start");
        for user in [&ada, &ben] {
            home(&bot, user, "asked for by @ada\n*Your saved names*").await;
        }
    }

    async fn slack_may_be_away_and_the_home_switched_off(bot) {
        let ada = bot.slack.user("ada");
        assert_eq!(bot.send(&bot.slack.signed_opening(&ada, "messages")).await.0, 200);
        bot.slack.always(Route::ViewsPublish, Fault::status(503));
        assert_eq!(bot.slack.opens_home(&ada).await.status(), 200);
        bot.service.logged("Slack answered 503").await;
        bot.slack.heal();
        bot.slack.enable_home(false);
        assert_eq!(bot.slack.opens_home(&ada).await.status(), 200);
        bot.service.logged("Slack refused: not_enabled").await;
        bot.slack.enable_home(true);
        assert_eq!(opens(&bot, &ada, "As of").await.published, 1, "the tab of messages shows no Home");

        bot.slack.next(Route::PostMessage, Fault::status(503));
        let offer = presses(&mut bot, &ada, "Connect Zoom").await;
        assert!(offer.link("Connect Zoom").is_some(), "{}", offer.shown);
        bot.owes_nothing_within(PATIENCE).await;
    }
}

stories! {
    Bot::start;

    async fn without_a_bot_there_is_no_home_and_nothing_breaks(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        assert_eq!(bot.slack.opens_home(&ada).await.status(), 200);
        bot.service.logged("a Home was not shown: there is no bot").await;
        assert!(bot.slack.home_of(&ada).is_none());
        let told = bot.types(&ada, &events, "/stream whoami").await;
        assert!(told.shown.contains("no Zoom account"), "{}", told.shown);
    }
}

stories! {
    Bot::installable;

    async fn the_same_user_id_in_another_workspace_is_somebody_else(bot) {
        let acme = bot.slack.home().clone();
        bot.install_as(&bot.slack.user("ada")).await;
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream save opening {meeting}")).await;
        bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        let globex = bot.slack.workspace("globex");
        bot.install_as(&bot.slack.user_in(&globex, "gus")).await;
        let eve = bot.slack.namesake(&ada, &globex, "eve");
        let of_eve = opens(&bot, &eve, "no Zoom account connected").await;
        assert!(of_eve.shown.contains("started and stopped nothing") && of_eve.shown.contains("no saved names"));
        let of_ada = opens(&bot, &ada, "Zoom took the start").await;
        assert!(of_ada.shown.contains("opening"), "{}", of_ada.shown);
        assert_eq!(bot.slack.home_of(&eve).unwrap().shown, of_eve.shown);

        // A Home that says it is of another workspace than Slack does.
        let mut forged = bot.slack.signed_press_in_home(&eve, "Connect Zoom").unwrap();
        let mut payload = forged.payload();
        payload["team"]["id"] = json!(acme.id);
        forged.set_form_field("payload", &payload.to_string());
        bot.slack.resign(&mut forged, bot.slack.clock().now().as_second());
        assert_eq!(bot.send(&forged).await.0, 400);
    }

    async fn an_organizations_app_knows_the_workspace_of_a_home(bot) {
        let one = bot.slack.grid_workspace("one", "Initech", Installed::OrgWide);
        let two = bot.slack.grid_workspace("two", "Initech", Installed::OrgWide);
        bot.install_as(&bot.slack.user_in(&one, "olga")).await;
        let ana = bot.slack.user_in(&two, "ana");
        opens(&bot, &ana, "no Zoom account connected").await;
        let offer = presses(&mut bot, &ana, "Connect Zoom").await;
        bot.slack.sign_in_as(&ana);
        bot.zoom.sign_in_as(&bot.zoom.user("ana@example.com"));
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        bot.answer().await;
        home(&bot, &ana, "connected to Zoom as").await;
        let entry = bot.last_audit();
        assert_eq!((&entry["team"], &entry["outcome"]), (&json!(two.id), &json!("connected")));
        assert_eq!(entry["enterprise"], json!(two.enterprise.unwrap().id));
    }

    async fn with_the_command_alone_a_home_has_no_button_whose_answer_could_not_be_told(bot) {
        let ada = bot.slack.user("ada");
        bot.slack.sign_in_as(&ada);
        bot.browser().visit(&format!("{PUBLIC}/slack/install?only=commands")).await.unwrap();
        let home = opens(&bot, &ada, "Connect it: `/stream connect`").await;
        assert_eq!(labels(&home), ["Refresh"]);
    }
}

//! `save`, `forget`, `presets`, and saved names wherever a meeting is taken.

use std::time::Duration;

use onair::sandbox::Fault;
use onair::sandbox::slack::{Channel, Message, User};
use onair::sandbox::zoom::Route;
use serde_json::{Value, json};

use crate::bot::{Bot, PATIENCE, Service, is_public, on_both_engines};

const NUMBER: u64 = 68_423_085;

/// Somebody connected, whose running meeting has the number of the README.
async fn ada(bot: &mut Bot) -> (User, Channel) {
    let (ada, events, host) = bot.connected("ada").await;
    bot.zoom.meeting_numbered(&host, NUMBER);
    bot.zoom.begin(NUMBER);
    (ada, events)
}

/// What Zoom was asked to call the stream, each time.
fn titles(bot: &Bot, meeting: u64) -> Vec<Value> {
    let orders = bot.zoom.orders_of(meeting);
    orders.iter().map(|order| order.json().unwrap()["settings"]["display_name"].clone()).collect()
}

/// The answer to a line, which must be for the person who typed alone.
async fn privately(bot: &mut Bot, user: &User, channel: &Channel, line: &str) -> Message {
    let answer = bot.types(user, channel, line).await;
    assert!(!is_public(&answer), "{line}: {}", answer.shown);
    answer
}

/// Kills the service and starts another one; the answer of that with these words.
async fn told_by_another(bot: &mut Bot, words: &str) -> Message {
    bot.service.signal("KILL");
    bot.service.wait();
    bot.service = Service::start(&bot.vars);
    // Killed between Slack's receipt of an answer and its record, that answer is told again.
    bot.may_say_more = true;
    loop {
        let answer = bot.answer().await;
        if answer.shown.contains(words) {
            return answer;
        }
    }
}

/// Checks verb, meeting and outcome of the last entry in the trail.
#[track_caller]
fn audited(bot: &Bot, verb: &str, meeting: Option<u64>, outcome: &str) {
    let entry = bot.last_audit();
    let expected = (&json!(verb), &json!(meeting), &json!(outcome));
    assert_eq!((&entry["verb"], &entry["meeting"], &entry["outcome"]), expected, "{entry}");
}

on_both_engines! {
    async fn a_saved_name_starts_its_meeting_with_its_title_or_another(bot) {
        let (ada, events) = ada(&mut bot).await;
        let saved = privately(&mut bot, &ada, &events, "/stream save Show 684-230-85 “Keynote”").await;
        assert!(saved.shown.contains("`684 230 85`, “Keynote”"), "{}", saved.shown);
        assert!(saved.shown.contains("`/stream start Show`") && !saved.shown.contains("before"), "{}", saved.shown);
        audited(&bot, "save", Some(NUMBER), "saved");
        let started = bot.types(&ada, &events, "/stream start SHOW").await;
        assert!(is_public(&started) && started.shown.contains("“Keynote” (`684 230 85`)"), "{}", started.shown);
        assert!(started.shown.contains("`/stream stop 68423085`"), "the channel reads ids: {}", started.shown);
        audited(&bot, "start", Some(NUMBER), "accepted");
        assert_eq!(bot.last_audit()["asked"]["title_chars"], 7);
        let status = privately(&mut bot, &ada, &events, "/stream status show").await;
        assert!(status.shown.contains("Zoom took the start"), "{}", status.shown);
        bot.types(&ada, &events, "/stream stop show").await;
        audited(&bot, "stop", Some(NUMBER), "stopped");
        bot.zoom.next(Route::MeetingStatus, Fault::status(503));
        bot.types(&ada, &events, "/stream start show \"Keynote, day two\"").await;
        audited(&bot, "start", Some(NUMBER), "unavailable");
        assert_eq!(titles(&bot, NUMBER), [json!("Keynote"), Value::Null, json!("Keynote, day two")]);
        let shown = privately(&mut bot, &ada, &events, "/stream start show --dry-run").await;
        assert!(shown.shown.contains("\"Keynote\""), "{}", shown.shown);
    }

    async fn a_name_is_replaced_copied_listed_and_forgotten(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let none = privately(&mut bot, &ada, &events, "/stream presets").await;
        assert!(none.shown.contains("no saved names") && none.shown.contains("/stream save"), "{}", none.shown);
        privately(&mut bot, &ada, &events, "/stream save show 68423085 \"Keynote\"").await;
        let copied = privately(&mut bot, &ada, &events, "/stream save Today show").await;
        assert!(copied.shown.contains("`Today` is `684 230 85`, “Keynote”"), "{}", copied.shown);
        let replaced = privately(&mut bot, &ada, &events, "/stream save Show 81234567890").await;
        assert!(replaced.shown.contains("`Show` is `812 3456 7890`"), "{}", replaced.shown);
        assert!(replaced.shown.contains("It was `684 230 85`, “Keynote” before"), "{}", replaced.shown);
        audited(&bot, "save", Some(81_234_567_890), "saved");
        let list = privately(&mut bot, &ada, &events, "/stream presets").await;
        audited(&bot, "presets", None, "told");
        let lines: Vec<&str> = list.shown.lines().filter(|line| line.contains('•')).collect();
        let expected =
            ["• `/stream start Show`: `812 3456 7890`", "• `/stream start Today`: `684 230 85`, “Keynote”"];
        assert_eq!(lines.iter().map(|line| line.trim()).collect::<Vec<_>>(), expected);
        let gone = privately(&mut bot, &ada, &events, "/stream forget TODAY").await;
        assert!(gone.shown.contains("`/stream save Today 68423085 \"Keynote\"`"), "{}", gone.shown);
        audited(&bot, "forget", None, "forgotten");
        let again = privately(&mut bot, &ada, &events, "/stream forget today").await;
        assert!(again.shown.contains("Nothing is saved under `today`"), "{}", again.shown);
        audited(&bot, "forget", None, "usage");
        privately(&mut bot, &ada, &events, "/stream disconnect").await;
        let list = privately(&mut bot, &ada, &events, "/stream presets").await;
        assert!(list.shown.contains("/stream start Show"), "disconnecting forgets no name: {}", list.shown);
    }

    async fn an_unknown_name_is_named_and_the_nearest_is_suggested(bot) {
        let (ada, events) = ada(&mut bot).await;
        privately(&mut bot, &ada, &events, "/stream save keynote 68423085").await;
        for (line, word, nearest) in [
            ("/stream start keynot", "keynot", "/stream start keynote"),
            ("/stream stop Keynoet", "Keynoet", "/stream stop keynote"),
            ("/stream start banana", "banana", "/stream start 68423085 \"banana\""),
            ("/stream stop banana", "banana", "/stream stop 68423085"),
            ("/stream status банан", "банан", "/stream status 68423085"),
            ("/stream save today banana", "banana", "/stream save today 68423085"),
            ("/golive start keynot", "keynot", "/golive start keynote"),
        ] {
            let answer = privately(&mut bot, &ada, &events, line).await;
            let told = &answer.shown;
            assert!(told.contains(&format!("`{word}` is neither a meeting id nor one of your saved names")), "{told}");
            assert!(told.contains(&format!("`{nearest}`")) && told.contains(" presets`"), "{line}: {told}");
            audited(&bot, line.split(' ').nth(1).unwrap(), None, "usage");
        }
        assert!(bot.zoom.orders_of(NUMBER).is_empty());
    }

    async fn nobody_else_sees_or_uses_a_name(bot) {
        let (ada, events) = ada(&mut bot).await;
        let ben = bot.connected("ben").await.0;
        privately(&mut bot, &ada, &events, "/stream save show 68423085 \"Keynote\"").await;
        let other = bot.slack.workspace("other");
        let (eve, lobby) = (bot.slack.user_in(&other, "ada"), bot.slack.channel_in(&other, "lobby"));
        for (user, channel) in [(&ben, &events), (&eve, &lobby)] {
            for line in ["/stream presets", "/stream start show", "/stream stop show", "/stream forget show"] {
                let answer = privately(&mut bot, user, channel, line).await;
                assert!(!answer.shown.contains("684 230 85"), "{line}: {}", answer.shown);
                assert!(!answer.shown.contains("“Keynote”"), "{line}: {}", answer.shown);
            }
            privately(&mut bot, user, channel, "/stream save show 81234567890").await;
        }
        let mut forged = bot.slack.signed_request(&ada, &events, "/stream presets");
        forged.set_form_field("enterprise_id", "E99999999");
        bot.slack.resign(&mut forged, onair::clock::Clock::default().now().as_second());
        assert_eq!(bot.send(&forged).await.0, 200);
        let answer = bot.answer().await;
        assert!(answer.shown.contains("no saved names"), "{}", answer.shown);
        let mine = privately(&mut bot, &ada, &events, "/stream presets").await;
        assert!(mine.shown.contains("`684 230 85`, “Keynote”") && !mine.shown.contains("812"), "{}", mine.shown);
        assert!(bot.zoom.orders_of(NUMBER).is_empty());
    }

    async fn hostile_names_and_titles_stay_text_and_secrets_are_refused(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        for line in [
            "/stream save show 68423085 \"Keynote &lt;!channel&gt; <@U1|x> *b* `c`\"",
            "/stream presets",
            "/stream save show 68423085",
            "/stream save show 68423085 '\"Keynote\" &amp;lt;!here&amp;gt;'",
            "/stream forget show",
            "/stream save <!channel> 68423085",
            "/stream forget &lt;!channel&gt;",
            "/stream stop <!channel>",
        ] {
            let answer = privately(&mut bot, &ada, &events, line).await;
            assert!(!answer.text.contains("<!") && !answer.text.contains("<@"), "{line}: {}", answer.text);
        }
        for line in [
            "/stream save canary-rtmp 68423085 \"rtmp://a.example/canary\"",
            "/stream save live_123456789_canaryAbCdEfGhIjKlMn 68423085",
            "/stream stop live_123456789_canaryAbCdEfGhIjKlMn",
        ] {
            let answer = privately(&mut bot, &ada, &events, line).await;
            assert!(!answer.shown.contains("canary"), "{}", answer.shown);
            assert_eq!(bot.last_audit()["outcome"], "secret_refused");
        }
        for (line, says) in [
            ("/stream save 68423085x 81234567890", "looks like a meeting id"),
            ("/stream save show.time 68423085", "`/stream save show-time 68423085`"),
            ("/stream stop 68423085x", "is not a meeting"),
            ("/stream stop 1234567", "8 to 12 digits"),
            ("/stream save", "needs a name"),
            ("/stream save show", "needs a meeting"),
        ] {
            let answer = privately(&mut bot, &ada, &events, line).await;
            assert!(answer.shown.contains(says), "{line}: {}", answer.shown);
        }
        let list = privately(&mut bot, &ada, &events, "/stream presets").await;
        assert!(list.shown.contains("no saved names"), "{}", list.shown);
    }

    async fn the_fifty_first_name_is_refused_and_the_fifty_are_all_listed(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let title = format!("Keynote {}", "x".repeat(42));
        for number in 10..60 {
            let line = format!("/stream save show-{number} 68423085 \"{title}\"");
            privately(&mut bot, &ada, &events, &line).await;
        }
        let full = privately(&mut bot, &ada, &events, "/stream save one-more 68423085").await;
        assert!(full.shown.contains("Not saved") && full.shown.contains("50"), "{}", full.shown);
        let list = privately(&mut bot, &ada, &events, "/stream presets").await;
        assert!((10..60).all(|number| list.shown.contains(&format!("show-{number}"))), "{}", list.shown);
        assert!(!list.shown.contains("one-more"), "{}", list.shown);
        privately(&mut bot, &ada, &events, "/stream save SHOW-10 81234567890").await;
        audited(&bot, "save", Some(81_234_567_890), "saved");
    }

    async fn a_next_try_keeps_to_the_meeting_that_was_meant(bot) {
        let (ada, events) = ada(&mut bot).await;
        privately(&mut bot, &ada, &events, "/stream save show 68423085 \"Keynote\"").await;
        bot.zoom.next(Route::MeetingStatus, Fault::too_many("3"));
        let told = bot.types(&ada, &events, "/stream start show").await;
        assert!(told.shown.contains("tries again by itself"), "{}", told.shown);
        privately(&mut bot, &ada, &events, "/stream save show 81234567890").await;
        let accepted = bot.edited(&told, "Zoom accepted").await;
        assert!(accepted.shown.contains("“Keynote” (`684 230 85`)"), "{}", accepted.shown);
        // The card may be there before the entry.
        bot.owes_nothing_within(PATIENCE).await;
        audited(&bot, "start", Some(NUMBER), "accepted");
        assert!(bot.zoom.orders_of(81_234_567_890).is_empty());
    }

    async fn an_order_whose_fate_is_unknown_is_told_about_the_meeting_that_was_meant(bot) {
        let (ada, events) = ada(&mut bot).await;
        privately(&mut bot, &ada, &events, "/stream save show 68423085 \"Keynote\"").await;
        bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(60)));
        let delivery = bot.slack.types(&ada, &events, "/stream start show").await;
        assert_eq!(delivery.status(), 200);
        let is_order = |request: &onair::sandbox::Recorded| request.method == "PATCH";
        bot.zoom.wait_for("the order", PATIENCE, is_order).await.unwrap();
        privately(&mut bot, &ada, &events, "/stream forget show").await;
        let unknown = told_by_another(&mut bot, "may be on air").await;
        assert!(unknown.shown.contains("`684 230 85`"), "{}", unknown.shown);
        audited(&bot, "start", Some(NUMBER), "unknown");
        assert_eq!(bot.zoom.orders_of(NUMBER).len(), 1);
    }

    async fn a_start_by_name_waits_for_a_connection(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        bot.zoom.meeting_numbered(&host, NUMBER);
        bot.zoom.begin(NUMBER);
        privately(&mut bot, &ada, &events, "/stream save show 68423085 \"Keynote\"").await;
        let offer = privately(&mut bot, &ada, &events, "/stream start show").await;
        audited(&bot, "start", Some(NUMBER), "not_connected");
        bot.press_connect(&offer).await;
        let started = bot.answer().await;
        assert!(is_public(&started) && started.shown.contains("“Keynote” (`684 230 85`)"), "{}", started.shown);
    }
}

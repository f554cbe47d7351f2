//! `check`: everything that would stop a start, each with its cure, and what cannot be known.

use std::time::Duration;

use onair::sandbox::slack::{Channel, Message, User};
use onair::sandbox::zoom::{Meeting, Route, SCOPES, ToStrangers, User as ZoomUser, refusal};
use onair::sandbox::{Fault, Recorded};
use serde_json::json;

use crate::bot::{Bot, Engine, Posts, is_public, on_both_engines};

const NUMBER: u64 = 68_423_085;
const LINE: &str = "/stream check 684-230-85";

/// What stands before the colon of each line, from the top.
const LABELS: [&str; 10] = [
    "Account",
    "Connection",
    "Permission",
    "Meeting",
    "Running",
    "Encryption",
    "Zoom settings",
    "Stream address",
    "Confirmation",
    "On air",
];

/// Somebody connected, whose running meeting has the number of the README.
async fn ada(bot: &mut Bot) -> (User, Channel, ZoomUser) {
    let (ada, events, host) = bot.connected("ada").await;
    bot.zoom.meeting_numbered(&host, NUMBER);
    bot.zoom.begin(NUMBER);
    (ada, events, host)
}

/// The list, which must be for the person who typed alone, and in the audit.
async fn checked(bot: &mut Bot, user: &User, channel: &Channel, line: &str) -> Message {
    let answer = bot.types(user, channel, line).await;
    assert!(!is_public(&answer), "{}", answer.shown);
    let entry = bot.last_audit();
    assert_eq!((&entry["verb"], &entry["outcome"]), (&json!("check"), &json!("told")), "{}", answer.shown);
    let labels: Vec<&str> = findings(&answer).iter().map(|(_, label, _)| *label).collect();
    assert!(labels == LABELS || labels[3] == "Webinar", "{labels:?}");
    answer
}

/// The mark, the label and the rest of each line about a precondition.
fn findings(answer: &Message) -> Vec<(&str, &str, &str)> {
    let split = |line| -> Option<(&str, &str, &str)> {
        let (mark, line) =
            ["✅", "❌", "❔"].into_iter().find_map(|mark| Some((mark, str::strip_prefix(line, mark)?)))?;
        let (label, rest) = line.trim_start().split_once(": ")?;
        Some((mark, label, rest))
    };
    answer.shown.lines().filter_map(split).collect()
}

/// The labels with this mark.
fn marked<'a>(answer: &'a Message, mark: &str) -> Vec<&'a str> {
    findings(answer).into_iter().filter(|(own, _, _)| *own == mark).map(|(_, label, _)| label).collect()
}

fn last(answer: &Message) -> &str {
    answer.shown.lines().last().unwrap()
}

/// Calls of `check` that came in since so many requests.
fn questions(bot: &Bot, since: usize) -> usize {
    let is_question = |request: &&Recorded| request.method == "GET" && request.path.starts_with("/v2/");
    bot.zoom.requests().iter().skip(since).filter(is_question).count()
}

on_both_engines! {
    async fn a_meeting_that_is_ready_has_nothing_but_what_no_call_can_tell(bot) {
        let (ada, events, _) = ada(&mut bot).await;
        let answer = checked(&mut bot, &ada, &events, LINE).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer.shown, @"
            `684 230 85` is ready for its stream, as far as Zoom shows:
            ✅ Account: you are connected as ada Example (`ada@example.com`)
            ✅ Connection: it works
            ✅ Permission: OnAir may start and stop streams
            ✅ Meeting: it exists, and you host it
            ✅ Running: it is
            ✅ Encryption: it isn't end-to-end
            ✅ Zoom settings: yours let you stream meetings
            ✅ Stream address: it has one; whether it works, only a start shows
            ❔ Confirmation: Zoom's reports aren't set up; OnAir can't confirm that it is live
            ✅ On air: not that OnAir knows
            To put it on air: `/stream start 68423085`
            ");
        }
        assert_eq!(bot.last_audit()["meeting"], NUMBER);
        assert_eq!(bot.last_audit()["zoom_user"], "zuser-0001");
        assert!(bot.zoom.orders_of(NUMBER).is_empty());
    }

    async fn each_thing_that_would_stop_a_start_is_named_with_its_cure(bot) {
        let (ada, events, host) = ada(&mut bot).await;
        let zoom = bot.zoom.clone();
        type Change<'a> = &'a dyn Fn();
        let meeting = |edit: fn(&mut Meeting)| zoom.edit_meeting(NUMBER, edit);
        let user = |edit: fn(&mut ZoomUser)| zoom.edit_user(&host, edit);
        let cases: [(Change<'_>, Change<'_>, &str, &str); 6] = [
            (&|| zoom.end(NUMBER), &|| zoom.begin(NUMBER), "Running", "Start it in Zoom"),
            (
                &|| meeting(|meeting| meeting.e2ee = true),
                &|| meeting(|meeting| meeting.e2ee = false),
                "Encryption",
                "switch its encryption from end-to-end to enhanced",
            ),
            (
                &|| user(|user| user.streaming_allowed = false),
                &|| user(|user| user.streaming_allowed = true),
                "Zoom settings",
                "Allow livestreaming of meetings",
            ),
            (
                &|| user(|user| user.custom_streaming_allowed = false),
                &|| user(|user| user.custom_streaming_allowed = true),
                "Zoom settings",
                "Custom Live Streaming Service",
            ),
            (
                &|| user(|user| user.licensed = false),
                &|| user(|user| user.licensed = true),
                "Zoom settings",
                "Pro license or higher",
            ),
            (&|| meeting(|meeting| meeting.target = None), &|| {}, "Stream address", "/stream setup"),
        ];
        for (spoil, mend, label, cure) in cases {
            spoil();
            let answer = checked(&mut bot, &ada, &events, LINE).await;
            assert_eq!(marked(&answer, "❌"), [label], "{}", answer.shown);
            let line = answer.shown.lines().find(|line| line.starts_with('❌')).unwrap();
            assert!(line.contains(cure), "{cure:?} in: {line}");
            assert!(answer.shown.contains("One thing would stop a start of `684 230 85`:"), "{}", answer.shown);
            let next = if label == "Running" { "`/stream start 68423085`" } else { "`/stream check 68423085`" };
            assert!(last(&answer).contains(next), "{}", answer.shown);
            mend();
        }
    }

    async fn a_meeting_that_zoom_does_not_show_is_the_first_thing_to_cure(bot) {
        let (ada, events, _) = ada(&mut bot).await;
        let other = bot.zoom.user("eve@example.com");
        let (hidden, abroad) = (bot.zoom.meeting_in_progress(&other), bot.zoom.meeting_in_progress(&other));
        bot.zoom.edit_meeting(abroad, |meeting| meeting.to_strangers = ToStrangers::OtherAccount);
        for (meeting, cure) in [(hidden, "Check the id"), (99_999_999, "Check the id"), (abroad, "host's account")] {
            let answer = checked(&mut bot, &ada, &events, &format!("/stream check {meeting}")).await;
            assert_eq!(marked(&answer, "❌"), ["Meeting"], "{}", answer.shown);
            assert!(answer.shown.contains(cure) && answer.shown.contains("`/stream connect`"), "{}", answer.shown);
            assert_eq!(marked(&answer, "❔")[..3], ["Running", "Encryption", "Stream address"], "{}", answer.shown);
        }
    }

    async fn a_meeting_of_somebody_else_is_no_green_light(bot) {
        let (ada, events, _) = ada(&mut bot).await;
        let facts = json!({ "host_id": "zuser-0099", "status": "started", "settings": { "encryption_type": "e2ee" } });
        bot.zoom.next(Route::Meeting, Fault::json(200, &facts));
        let answer = checked(&mut bot, &ada, &events, LINE).await;
        assert_eq!(marked(&answer, "❔")[..2], ["Meeting", "Zoom settings"], "{}", answer.shown);
        assert_eq!(marked(&answer, "❌"), ["Encryption"], "{}", answer.shown);
        assert!(answer.shown.contains("somebody else hosts it"), "{}", answer.shown);
    }

    async fn a_call_that_fails_leaves_its_own_lines_unknown(bot) {
        let (ada, events, _) = ada(&mut bot).await;
        let of_meeting = &["Meeting", "Running", "Encryption"][..];
        let routes = [
            (Route::Meeting, of_meeting),
            (Route::Settings, &["Zoom settings"]),
            (Route::MeetingTarget, &["Stream address"]),
        ];
        for (route, labels) in routes {
            for (fault, why, next) in [
                (Fault::status(503), "Zoom is down", "`/stream check 68423085`"),
                (Fault::Cut, "Zoom is down", "`/stream check 68423085`"),
                (Fault::too_many("60"), "no more requests until", "`/stream check 68423085`"),
                (refusal(400, 9999, "<!channel> no"), "with code `9999`", "`/stream start 68423085`"),
                (Fault::json(200, &json!(["started"])), "makes no sense", "`/stream start 68423085`"),
                (refusal(400, 4711, "does not contain scopes:[a:b]"), "optional permission", "`/stream start 68423085`"),
            ] {
                bot.zoom.next(route, fault);
                let answer = checked(&mut bot, &ada, &events, LINE).await;
                let unknown = [labels, &["Confirmation"]].concat();
                assert_eq!(marked(&answer, "❔"), unknown, "{}", answer.shown);
                assert!(marked(&answer, "❌").is_empty() && !answer.text.contains("<!channel"), "{}", answer.text);
                for (_, _, rest) in findings(&answer).iter().filter(|(_, label, _)| labels.contains(label)) {
                    assert!(rest.contains(why), "{why:?} in: {rest}");
                }
                assert!(last(&answer).contains(next), "{}", answer.shown);
                let is_odd = why.contains("9999") || why.contains("sense");
                let reference = bot.last_audit()["reference"].as_str().unwrap().to_owned();
                assert_eq!(answer.shown.contains(&reference), is_odd, "{}", answer.shown);
            }
        }
    }

    async fn without_optional_permissions_it_says_what_it_cannot_know(bot) {
        bot.zoom.set_scopes(&["user:read:user", "meeting:update:livestream_status"]);
        let (ada, events, _) = ada(&mut bot).await;
        let answer = checked(&mut bot, &ada, &events, LINE).await;
        let good = ["Account", "Connection", "Permission", "On air"];
        assert_eq!((marked(&answer, "✅"), marked(&answer, "❌").len()), (good.to_vec(), 0), "{}", answer.shown);
        for scope in ["meeting:read:meeting", "meeting:read:livestream", "user:read:settings"] {
            assert!(answer.shown.contains(&format!("optional permission `{scope}`")), "{}", answer.shown);
        }
        assert!(answer.shown.contains("connect again and allow") && last(&answer).contains("/stream start"));
        // One that is given tells its own, and what both know of a meeting.
        bot.zoom.set_scopes(&["user:read:user", "meeting:update:livestream_status", "meeting:read:livestream"]);
        let (ben, ..) = bot.connected("ben").await;
        let answer = checked(&mut bot, &ben, &events, LINE).await;
        assert_eq!(marked(&answer, "❌"), ["Meeting"], "{}", answer.shown);
        let running = findings(&answer)[4];
        assert!(running.0 == "❔" && running.2.contains("meeting:read:meeting"), "{}", answer.shown);
    }

    async fn without_the_permission_to_start_it_says_so_and_how_to_get_it(bot) {
        let scopes: Vec<&str> = SCOPES.iter().copied().filter(|scope| !scope.contains("livestream_status")).collect();
        bot.zoom.set_scopes(&scopes);
        let (ada, events, host) = ada(&mut bot).await;
        let webinar = bot.zoom.webinar_in_progress(&host);
        for line in [LINE.to_owned(), format!("/stream check {webinar}")] {
            let answer = checked(&mut bot, &ada, &events, &line).await;
            assert_eq!(marked(&answer, "❌"), ["Permission"], "{}", answer.shown);
            assert!(answer.shown.contains("Connect again with `/stream connect`"), "{}", answer.shown);
        }
    }

    async fn whoever_is_not_connected_is_offered_that_and_gets_the_list_afterwards(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        bot.zoom.meeting_numbered(&host, NUMBER);
        let offer = bot.types(&ada, &events, LINE).await;
        assert!(!is_public(&offer) && offer.shown.contains("[Connect Zoom]"), "{}", offer.shown);
        assert_eq!(bot.last_audit()["outcome"], "not_connected");
        bot.press_connect(&offer).await;
        let answer = bot.answer().await;
        assert_eq!(marked(&answer, "❌"), ["Running"], "{}", answer.shown);
    }

    async fn a_token_that_zoom_does_not_take_is_renewed_once(bot) {
        let (ada, events, host) = ada(&mut bot).await;
        bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
        let (before, since) = (bot.zoom.refreshes(), bot.zoom.requests().len());
        let answer = checked(&mut bot, &ada, &events, LINE).await;
        assert_eq!(marked(&answer, "❔"), ["Confirmation"], "{}", answer.shown);
        assert_eq!((bot.zoom.refreshes() - before, questions(&bot, since)), (1, 6));

        bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
        bot.zoom.next(Route::Token, Fault::status(503));
        let answer = checked(&mut bot, &ada, &events, LINE).await;
        assert_eq!(marked(&answer, "✅"), ["Account", "Permission", "On air"], "{}", answer.shown);
        assert!(findings(&answer)[1].2.contains("Zoom is down") && last(&answer).contains("Check again"));

        bot.zoom.always(Route::Settings, refusal(401, 124, "Invalid access token."));
        let offer = bot.types(&ada, &events, LINE).await;
        assert!(offer.shown.contains("Zoom has ended your connection"), "{}", offer.shown);
        assert_eq!(bot.last_audit()["outcome"], "reconnect");
        bot.zoom.heal();
        bot.zoom.edit_user(&host, |user| user.exists = false);
        let offer = bot.types(&ada, &events, LINE).await;
        assert!(offer.shown.contains("no longer exists"), "{}", offer.shown);
        bot.zoom.edit_user(&host, |user| user.exists = true);
        bot.zoom.remove_app(&host);
        bot.excused.push("token: invalid_grant: Invalid Token!");
        let offer = bot.types(&ada, &events, LINE).await;
        assert!(offer.shown.contains("Zoom has ended your connection"), "{}", offer.shown);
    }

    async fn of_a_webinar_it_says_that_it_is_one_and_what_can_be_known(bot) {
        let (ada, events, host) = ada(&mut bot).await;
        let webinar = bot.zoom.webinar_in_progress(&host);
        let line = format!("/stream check {webinar}");
        let answer = checked(&mut bot, &ada, &events, &line).await;
        let unknown = ["Webinar", "Running", "Encryption", "Stream address", "Confirmation"];
        assert_eq!(marked(&answer, "❔"), unknown, "{}", answer.shown);
        assert!(marked(&answer, "❌").is_empty(), "{}", answer.shown);
        bot.zoom.edit_user(&host, |user| user.webinar_plan = false);
        let answer = checked(&mut bot, &ada, &events, &line).await;
        assert_eq!(marked(&answer, "❌"), ["Zoom settings"], "{}", answer.shown);
        assert!(answer.shown.contains("Allow livestreaming of webinars"), "{}", answer.shown);
        bot.zoom.edit_user(&host, |user| user.webinar_plan = true);
        // What a start found out counts where Zoom does not say it again.
        bot.types(&ada, &events, &format!("/stream start {webinar}")).await;
        for route in [Route::Meeting, Route::MeetingTarget] {
            bot.zoom.next(route, Fault::status(503));
        }
        let answer = checked(&mut bot, &ada, &events, &line).await;
        assert_eq!(findings(&answer)[3].1, "Webinar", "{}", answer.shown);
    }

    async fn a_saved_name_stands_for_its_meeting_and_stays_in_the_commands_to_copy(bot) {
        let (ada, events, _) = ada(&mut bot).await;
        bot.types(&ada, &events, "/stream save show 68423085 \"Keynote\"").await;
        let answer = checked(&mut bot, &ada, &events, "/stream check SHOW").await;
        assert!(answer.shown.contains("`684 230 85`") && last(&answer).contains("`/stream start SHOW`"));
        assert_eq!(bot.last_audit()["meeting"], NUMBER);
        let unknown = bot.types(&ada, &events, "/stream check shw").await;
        assert!(unknown.shown.contains("`/stream check show`"), "{}", unknown.shown);
        assert_eq!(bot.last_audit()["outcome"], "usage");
    }

    async fn what_is_under_way_is_told_to_those_it_concerns(bot) {
        let (ada, events, _) = ada(&mut bot).await;
        let (ben, ..) = bot.connected("ben").await;
        bot.types(&ada, &events, "/stream start 68423085").await;
        let other = bot.slack.workspace("other");
        let (eve, lobby) = (bot.slack.user_in(&other, "eve"), bot.slack.channel_in(&other, "lobby"));
        let eves = bot.zoom.user("eve@example.com");
        bot.zoom.sign_in_as(&eves);
        let offer = bot.types(&eve, &lobby, "/stream connect").await;
        bot.press_connect(&offer).await;
        bot.answer().await;
        for user in [&ada, &ben] {
            let answer = checked(&mut bot, user, &events, LINE).await;
            assert!(findings(&answer)[9].2.contains("Zoom took a start"), "{}", answer.shown);
        }
        let answer = checked(&mut bot, &eve, &lobby, LINE).await;
        assert_eq!(findings(&answer)[9].2, "not that OnAir knows", "{}", answer.shown);
        // Without its meeting nothing is on air.
        bot.zoom.end(NUMBER);
        let answer = checked(&mut bot, &ada, &events, LINE).await;
        assert_eq!(findings(&answer)[9].2, "not that OnAir knows", "{}", answer.shown);
    }

    async fn a_start_that_waits_for_its_next_try_needs_no_other(bot) {
        let (ada, events, _) = ada(&mut bot).await;
        bot.zoom.next(Route::MeetingStatus, Fault::too_many("60"));
        let told = bot.types(&ada, &events, "/stream start 68423085").await;
        let answer = checked(&mut bot, &ada, &events, LINE).await;
        assert!(findings(&answer)[9].2.contains("tries again by itself"), "{}", answer.shown);
        assert!(last(&answer).contains("`/stream stop 68423085`"), "{}", answer.shown);
        assert_eq!(bot.slack.presses(&ada, &told, "Cancel").await.unwrap().status(), 200);
        bot.edited(&told, "Cancelled by @ada").await;
        bot.may_say_more = true;
    }
}

/// With Zoom's reports, it knows what is on air.
async fn what_zoom_has_reported_is_known(mut bot: Bot) {
    let (ada, events, _) = ada(&mut bot).await;
    let answer = checked(&mut bot, &ada, &events, LINE).await;
    assert_eq!(marked(&answer, "✅"), LABELS, "{}", answer.shown);
    let card = bot.types(&ada, &events, "/stream start 68423085").await;
    bot.edited(&card, "is live since").await;
    let answer = checked(&mut bot, &ada, &events, LINE).await;
    assert!(answer.shown.contains("`684 230 85` is live already."), "{}", answer.shown);
    assert!(last(&answer).contains("`/stream stop 68423085`"), "{}", answer.shown);
    // A report takes the same permission as a look at the target.
    let lacking = "does not contain scopes:[meeting:read:livestream]";
    bot.zoom.next(Route::MeetingTarget, refusal(400, 4711, lacking));
    let answer = checked(&mut bot, &ada, &events, LINE).await;
    assert_eq!(marked(&answer, "❔"), ["Stream address", "Confirmation"], "{}", answer.shown);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_zoom_has_reported_is_known_on_redis() {
    what_zoom_has_reported_is_known(Bot::with_reports(Engine::Redis, Posts::AsAnswers).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_zoom_has_reported_is_known_embedded() {
    what_zoom_has_reported_is_known(Bot::with_reports(Engine::Embedded, Posts::AsAnswers).await).await;
}

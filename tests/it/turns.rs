//! One order at a time per meeting: what is typed twice, by one person or by two, and what is tried again by itself.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use onair::clock::Clock;
use onair::sandbox::slack::{Channel, Message, User};
use onair::sandbox::zoom::{Route, refusal};
use onair::sandbox::{Fault, Recorded};

use crate::bot::{Bot, PATIENCE, is_public, on_both_engines};

/// How late a next try may be: how often the journal is looked through, and a busy machine.
const LATE: SignedDuration = SignedDuration::from_secs(20);

async fn first_order(bot: &Bot) {
    let is_order = |request: &Recorded| request.method == "PATCH";
    bot.zoom.wait_for("the order", PATIENCE, is_order).await.unwrap();
}

/// The times at which Zoom was asked about a meeting.
fn asked_at(bot: &Bot, meeting: u64) -> Vec<Timestamp> {
    bot.zoom.orders_of(meeting).iter().map(|order| order.at).collect()
}

/// What came of everything that was about a meeting.
fn outcomes(bot: &Bot) -> Vec<String> {
    let entries = bot.audit().into_iter().filter(|entry| !entry["meeting"].is_null());
    entries.map(|entry| entry["outcome"].as_str().unwrap().to_owned()).collect()
}

fn not_started() -> Fault {
    refusal(400, 3000, "Meeting has not started.")
}

/// Somebody of the same workspace whose Zoom account is another one.
async fn stranger(bot: &mut Bot) -> User {
    bot.connected("ben").await.0
}

/// A start that Zoom asked to repeat after so many seconds, and its message.
async fn throttled(bot: &mut Bot, seconds: &str) -> (User, Channel, u64, Message) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.zoom.next(Route::MeetingStatus, Fault::too_many(seconds));
    let told = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
    assert!(is_public(&told) && told.shown.contains("tries again by itself"), "{}", told.shown);
    (ada, events, meeting, told)
}

on_both_engines! {
    async fn enter_pressed_twice_is_one_order(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(1)));
        let line = format!("/stream start {meeting}");
        let (first, second) =
            tokio::join!(bot.slack.types(&ada, &events, &line), bot.slack.types(&ada, &events, &line));
        assert_eq!((first.status(), second.status()), (200, 200));
        let (already, accepted) = (bot.answer().await, bot.answer().await);
        assert!(!is_public(&already), "{}", already.shown);
        assert!(already.shown.contains("Already starting") && already.shown.contains("@ada"), "{}", already.shown);
        assert!(is_public(&accepted), "{}", accepted.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
        let twice = bot.types(&ada, &events, &line).await;
        assert!(twice.shown.contains("Already started") && twice.shown.contains("@ada"), "{}", twice.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
        assert_eq!(outcomes(&bot), ["already", "accepted", "already"]);
    }

    async fn a_stop_typed_twice_is_one_order(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let line = format!("/stream stop {meeting}");
        bot.types(&ada, &events, &line).await;
        let again = bot.types(&ada, &events, &line).await;
        assert!(again.shown.contains("Already stopped"), "{}", again.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
    }

    async fn what_was_refused_may_be_repeated_at_once(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let line = format!("/stream start {meeting}");
        bot.types(&ada, &events, &line).await;
        bot.zoom.begin(meeting);
        bot.types(&ada, &events, &line).await;
        assert_eq!(outcomes(&bot), ["not_started", "accepted"]);
    }

    async fn two_people_at_once_each_hear_what_is_so(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let ben = stranger(&mut bot).await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(1)));
        let line = format!("/stream start {meeting}");
        assert_eq!(bot.slack.types(&ada, &events, &line).await.status(), 200);
        first_order(&bot).await;
        assert_eq!(bot.slack.types(&ben, &events, &line).await.status(), 200);
        let (accepted, already) = (bot.answer().await, bot.answer().await);
        assert!(is_public(&accepted), "{}", accepted.shown);
        assert!(already.shown.contains("Already started") && already.shown.contains("@ada"), "{}", already.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
    }

    async fn the_host_is_not_held_up_by_somebody_whom_zoom_refuses(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let ben = stranger(&mut bot).await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(1)));
        let line = format!("/stream start {meeting}");
        assert_eq!(bot.slack.types(&ben, &events, &line).await.status(), 200);
        first_order(&bot).await;
        assert_eq!(bot.slack.types(&ada, &events, &line).await.status(), 200);
        bot.answer().await;
        bot.answer().await;
        assert_eq!(outcomes(&bot), ["not_found", "accepted"]);
    }

    async fn a_stop_follows_the_start_that_is_under_way(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(2)));
        assert_eq!(bot.slack.types(&ada, &events, &format!("/stream start {meeting}")).await.status(), 200);
        first_order(&bot).await;
        assert_eq!(bot.slack.types(&ada, &events, &format!("/stream stop {meeting}")).await.status(), 200);
        bot.answer().await;
        bot.answer().await;
        assert_eq!(outcomes(&bot), ["accepted", "stopped"]);
        assert!(!bot.zoom.is_live(meeting));
    }

    async fn a_throttled_start_is_tried_again_by_itself(bot) {
        let (_, _, meeting, told) = throttled(&mut bot, "2").await;
        assert!(told.shown.contains("wait 2s") && told.shown.contains("1 of 3"), "{}", told.shown);
        let accepted = bot.edited(&told, "accepted").await;
        assert!(is_public(&accepted) && accepted.edits == 1, "{accepted:?}");
        assert_eq!(bot.zoom.starts_of(meeting), 1);
        // The card may be there before the entry.
        bot.owes_nothing_within(PATIENCE).await;
        let entries = bot.audit();
        let [.., first, second] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((&first["outcome"], &second["outcome"]), (&"throttled".into(), &"accepted".into()));
        assert_eq!(first["reference"], second["reference"]);
        let times = asked_at(&bot, meeting);
        let waited = times[1].duration_since(times[0]);
        assert!(waited >= SignedDuration::from_secs(2) && waited < SignedDuration::from_secs(2) + LATE, "{waited}");
    }

    async fn every_form_of_retry_after_is_waited_for(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let in_three_seconds = || Clock::default().now() + SignedDuration::from_secs(3);
        let http_date = |at: Timestamp| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let local = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let forms: [&dyn Fn(Timestamp) -> String; 4] =
            [&|_| "3".to_owned(), &http_date, &|at| format!("{at:.0}"), &local];
        for form in forms {
            let meeting = bot.zoom.meeting_in_progress(&host);
            let at = in_three_seconds();
            bot.zoom.next(Route::MeetingStatus, Fault::too_many(&form(at)));
            let told = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
            bot.edited(&told, "accepted").await;
            let times = asked_at(&bot, meeting);
            // The dates are in whole seconds.
            let told = at - SignedDuration::from_secs(1);
            assert!(times[1] >= told && times[1] < at + LATE, "{} after {}: {times:?}", form(at), times[0]);
        }
    }

    async fn it_is_tried_three_times_at_the_most(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.always(Route::MeetingStatus, Fault::too_many("1"));
        let mut told = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        for next in ["(1 of 3)", "(2 of 3)", "(3 of 3)", "Repeat"] {
            told = bot.edited(&told, next).await;
        }
        assert!(told.buttons().is_empty() && told.shown.contains("Repeat"), "{}", told.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 4);
        bot.zoom.heal();
        bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert_eq!(bot.last_audit()["outcome"], "accepted", "nothing waits any more");
    }

    async fn a_daily_quota_is_told_and_not_tried_again(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let headers = [("x-ratelimit-type", "Daily-limit"), ("retry-after", "2099-01-01T00:00:00Z")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        bot.zoom.next(Route::MeetingStatus, Fault::Answer { status: 429, headers, body: String::new() });
        let told = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(told.buttons().is_empty() && told.shown.contains("doesn't try again by itself"), "{}", told.shown);
    }

    async fn whoever_asks_for_what_waits_hears_when_it_is_tried(bot) {
        let (ada, events, meeting, _) = throttled(&mut bot, "600").await;
        let again = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(!is_public(&again) && again.shown.contains("tries again by itself"), "{}", again.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
    }

    async fn a_stop_ends_what_waits_and_both_are_told(bot) {
        let (ada, events, meeting, told) = throttled(&mut bot, "600").await;
        assert_eq!(bot.slack.types(&ada, &events, &format!("/stream stop {meeting}")).await.status(), 200);
        let stopped = bot.answer().await;
        assert!(stopped.shown.contains("was stopped by @ada"), "{}", stopped.shown);
        let over = bot.edited(&told, "stopped by @ada").await;
        assert!(over.shown.contains("did not go live"), "{}", over.shown);
        let cancelled = || outcomes(&bot).contains(&"cancelled".to_owned());
        bot.service.logged("\"outcome\":\"cancelled\"").await;
        assert!(cancelled());
        assert_eq!(bot.zoom.starts_of(meeting), 0);
    }

    async fn a_stop_that_zoom_refuses_to_a_stranger_ends_nothing(bot) {
        let (_, events, meeting, told) = throttled(&mut bot, "8").await;
        let ben = stranger(&mut bot).await;
        bot.types(&ben, &events, &format!("/stream stop {meeting}")).await;
        assert_eq!(bot.last_audit()["outcome"], "not_found");
        bot.edited(&told, "accepted").await;
        bot.owes_nothing_within(PATIENCE).await;
        assert_eq!(bot.last_audit()["outcome"], "accepted");
        assert_eq!(bot.zoom.starts_of(meeting), 1);
    }

    async fn cancel_gives_up_what_waits_and_zoom_is_not_asked_again(bot) {
        let (ada, events, meeting, told) = throttled(&mut bot, "3").await;
        let press = bot.slack.presses(&ada, &told, "Cancel").await.unwrap();
        assert_eq!((press.status(), press.failure), (200, None));
        let now = bot.edited(&told, "Cancelled by @ada").await;
        assert!(now.buttons().is_empty(), "{}", now.shown);
        // What waited comes due, finds that it was given up, and ends without a word.
        bot.service.logged("nothing more is tried: somebody pressed Cancel").await;
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
        assert_eq!(bot.last_audit()["outcome"], "cancelled");
        bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert_eq!(bot.last_audit()["outcome"], "accepted", "it can be asked for again");
    }

    async fn cancel_is_for_the_asker_and_for_colleagues_with_a_zoom_account(bot) {
        let (_, _, meeting, told) = throttled(&mut bot, "6").await;
        let eve = bot.slack.user("eve");
        let cancel = bot.slack.signed_press(&eve, &told, "Cancel").unwrap();
        assert_eq!(bot.slack.presses(&eve, &told, "Cancel").await.unwrap().status(), 200);
        let refused = bot.answer().await;
        assert!(!is_public(&refused) && refused.shown.contains("Not cancelled"), "{}", refused.shown);
        bot.edited(&told, "accepted").await;
        assert_eq!(bot.zoom.starts_of(meeting), 1);
        // A press of the message as somebody may still see it.
        assert_eq!(bot.slack.send(&cancel).await.unwrap().status, 200);
        let late = bot.answer().await;
        assert!(!is_public(&late) && late.shown.contains("Nothing to cancel"), "{}", late.shown);
    }

    async fn what_waits_is_tried_by_whoever_lives_then(bot) {
        let (_, _, meeting, _) = throttled(&mut bot, "3").await;
        bot.service.signal("KILL");
        bot.service.wait();
        bot.start_over();
        // The kill may have come before what was told was written down.
        bot.may_say_more = true;
        let accepted = |messages: &[Message]| {
            messages.iter().any(|message| message.shown.contains("accepted the start")).then_some(())
        };
        bot.slack.wait_until("the start", PATIENCE, accepted).await.unwrap();
        // What is left is the stream, which Zoom may have to confirm.
        bot.owes_at_most(1, PATIENCE).await;
        assert_eq!(bot.last_audit()["outcome"], "accepted");
        assert_eq!(bot.zoom.starts_of(meeting), 1);
    }

    async fn a_stop_ends_what_waits_also_where_zoom_does_not_take_it(bot) {
        for (fault, outcome) in [(Fault::status(503), "unavailable"), (not_started(), "not_started")] {
            let (ada, events, meeting, told) = throttled(&mut bot, "600").await;
            bot.zoom.next(Route::MeetingStatus, fault);
            bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
            bot.edited(&told, "not tried again: @ada asked to stop it").await;
            assert_eq!(outcomes(&bot).iter().filter(|one| *one == outcome).count(), 1);
            assert_eq!(bot.zoom.starts_of(meeting), 0, "nothing is put on air after a stop");
            bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
            assert_eq!(bot.last_audit()["outcome"], "accepted", "and nothing seems to wait");
        }
    }

    async fn what_waited_and_lost_its_account_does_not_seem_to_wait(bot) {
        let (ada, events, meeting, told) = throttled(&mut bot, "6").await;
        bot.types(&ada, &events, "/stream disconnect").await;
        bot.edited(&told, "has no Zoom account connected").await;
        let host = bot.zoom.user("ada@example.com");
        bot.zoom.sign_in_as(&host);
        let offer = bot.types(&ada, &events, "/stream connect").await;
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        bot.answer().await;
        bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert_eq!(bot.last_audit()["outcome"], "accepted");
    }

    async fn a_next_try_of_a_connection_that_ended_tells_the_channel_and_gives_it_no_link(bot) {
        let (_, _, meeting, told) = throttled(&mut bot, "2").await;
        bot.zoom.remove_app(&bot.zoom.user("ada@example.com"));
        let ended = bot.edited(&told, "the Zoom connection of @ada has ended").await;
        assert!(ended.links().is_empty() && ended.buttons().iter().all(|button| button.label != "Connect Zoom"));
        bot.owes_nothing_within(PATIENCE).await;
        assert_eq!(bot.last_audit()["outcome"], "reconnect");
        assert_eq!(bot.zoom.starts_of(meeting), 0);
        bot.excused = vec!["token: invalid_grant: Invalid Token!"];
    }

    async fn a_stranger_whom_zoom_did_not_take_ends_nothing_and_waits_for_nothing(bot) {
        for fault in [Fault::too_many("1"), Fault::Cut] {
            let (_, events, meeting, told) = throttled(&mut bot, "6").await;
            let ben = stranger(&mut bot).await;
            bot.zoom.next(Route::MeetingStatus, fault);
            let refused = bot.types(&ben, &events, &format!("/stream stop {meeting}")).await;
            assert!(refused.buttons().iter().all(|button| button.label != "Cancel"), "{}", refused.shown);
            bot.edited(&told, "accepted").await;
            assert_eq!(bot.zoom.starts_of(meeting), 1);
        }
    }

    async fn cancel_counts_also_while_a_stranger_has_the_turn(bot) {
        let (ada, events, meeting, told) = throttled(&mut bot, "30").await;
        let ben = stranger(&mut bot).await;
        bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(3)));
        let stop = format!("/stream stop {meeting}");
        assert_eq!(bot.slack.types(&ben, &events, &stop).await.status(), 200);
        bot.zoom.wait_until("the stop", PATIENCE, |zoom| (zoom.orders_of(meeting).len() == 2).then_some(())).await.unwrap();
        assert_eq!(bot.slack.presses(&ada, &told, "Cancel").await.unwrap().status(), 200);
        bot.edited(&told, "Cancelled by @ada").await;
        bot.answer().await;
        bot.service.logged("nothing more is tried: somebody pressed Cancel").await;
        assert_eq!(bot.zoom.starts_of(meeting), 0);
    }

    async fn other_settings_are_not_passed_off_as_the_same(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynte\"")).await;
        let again = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        assert!(again.shown.contains("Your other settings were not sent"), "{}", again.shown);
    }
}

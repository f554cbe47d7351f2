//! Control of a meeting, lent to a colleague who has no Zoom account: what it allows, and how it ends.

use std::time::Duration;

use jiff::Timestamp;
use onair::id::{TeamId, UserId, Workspace, ZoomUserId};
use onair::lend::Lending;
use onair::sandbox::Fault;
use onair::sandbox::slack::{Channel, Fill, User};
use onair::sandbox::zoom;
use serde_json::{Value, json};

use crate::bot::{Bot, PATIENCE, is_public, on_both_engines};
use crate::policy::{host, owner, set};

const RULE: &str = "To lend control of a meeting to a colleague";

/// A workspace whose rules allow to lend a meeting for four hours, its owner, and a host with a meeting that runs.
async fn allowed(bot: &mut Bot) -> (User, User, Channel, u64) {
    let olga = owner(bot).await;
    let (ada, events, meeting) = host(bot, "ada").await;
    set(bot, &olga, &events, &[(RULE, Fill::Choice("For 4 hours at the most"))]).await;
    (olga, ada, events, meeting)
}

/// Lends a meeting; the channel and the colleague are told.
async fn lends(bot: &mut Bot, lender: &User, channel: &Channel, meeting: u64, to: &User) {
    let line = format!("/stream lend {meeting} to <@{}|{}> for 2h", to.id, to.name);
    bot.slack.types(lender, channel, &line).await;
    let told = [bot.answer().await.shown, bot.answer().await.shown];
    let [to_channel, to_colleague] =
        ["lends control of", "lends you control of"].map(|words| told.iter().any(|told| told.contains(words)));
    assert!(to_channel && to_colleague, "{told:?}");
}

/// Somebody without an account types a line that needs one, and Zoom hears of nothing.
async fn may_not(bot: &mut Bot, user: &User, channel: &Channel, line: &str) {
    let asked = bot.zoom.requests().len();
    let offer = bot.types(user, channel, line).await;
    assert!(!is_public(&offer) && offer.shown.contains("first connect your Zoom account"), "{line}: {}", offer.shown);
    assert_eq!(bot.zoom.requests().len(), asked, "Zoom was asked");
}

fn entries_of(bot: &Bot, user: &User) -> Vec<(Value, Value, Value)> {
    let theirs = bot.audit().into_iter().filter(|entry| entry["user"] == json!(user.id));
    theirs.map(|entry| (entry["verb"].clone(), entry["outcome"].clone(), entry["on_behalf_of"].clone())).collect()
}

on_both_engines! {
    async fn nothing_is_lent_until_an_admin_allows_it(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        let ben = bot.slack.user("ben");
        let refused = bot.types(&ada, &events, &format!("/stream lend {meeting} to <@{}>", ben.id)).await;
        assert!(!is_public(&refused) && refused.shown.contains("nobody may lend control of a meeting"), "{}", refused.shown);
        assert!(refused.shown.contains("Ask an admin of this workspace."), "{}", refused.shown);
        assert_eq!((bot.last_audit()["verb"].clone(), bot.last_audit()["outcome"].clone()), (json!("lend"), json!("denied")));
        may_not(&mut bot, &ben, &events, &format!("/stream start {meeting}")).await;
        set(&bot, &olga, &events, &[(RULE, Fill::Choice("For an hour at the most"))]).await;
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        let started = bot.types(&ben, &events, &format!("/stream start {meeting}")).await;
        assert!(started.shown.contains("accepted the start"), "{}", started.shown);
    }

    async fn a_colleague_without_an_account_acts_on_behalf_of_the_lender(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        let lent = bot.audit().into_iter().rfind(|entry| entry["verb"] == "lend").unwrap();
        assert_eq!((&lent["outcome"], &lent["user"], &lent["lent_to"]), (&json!("lent"), &json!(ada.id), &json!(ben.id)));
        let of_ada = lent["zoom_user"].clone();
        assert!(of_ada.is_string());

        let check = bot.types(&ben, &events, &format!("/stream check {meeting}")).await;
        assert!(check.shown.contains("@ada lends you this meeting"), "{}", check.shown);
        let card = bot.types(&ben, &events, &format!("/stream start {meeting}")).await;
        assert!(is_public(&card) && card.shown.contains("asked for by @ben on behalf of @ada"), "{}", card.shown);
        assert_eq!(bot.zoom.starts_of(meeting), 1);
        let status = bot.types(&ben, &events, &format!("/stream status {meeting}")).await;
        assert!(status.shown.contains("in progress"), "{}", status.shown);
        bot.slack.presses(&ben, &card, "Stop").await.unwrap();
        bot.edited(&card, "stopped by @ben").await;
        assert_eq!(bot.zoom.stops_of(meeting), 1);
        let last = bot.last_audit();
        assert_eq!((&last["verb"], &last["zoom_user"]), (&json!("stop"), &of_ada));
        let on_behalf = |verb: &str, outcome: &str| (json!(verb), json!(outcome), json!(ada.id));
        let expected = [
            on_behalf("check", "told"),
            on_behalf("start", "accepted"),
            on_behalf("status", "told"),
            on_behalf("stop", "stopped"),
        ];
        assert_eq!(entries_of(&bot, &ben), expected);
        let printed = String::from_utf8(bot.onair(&["audit", "--verb", "lend,start"]).stdout).unwrap();
        assert!(printed.contains(&format!("on behalf of {}", ada.id)) && printed.contains(&format!(", to {}", ben.id)), "{printed}");
        bot.may_say_more = true;
    }

    async fn no_other_meeting_no_stream_key_and_no_other_workspace_is_lent_with_it(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        let of_ada = bot.zoom.user("ada@example.com");
        let other = bot.zoom.meeting_in_progress(&of_ada);
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        may_not(&mut bot, &ben, &events, &format!("/stream start {other}")).await;
        may_not(&mut bot, &ben, &events, &format!("/stream setup {meeting}")).await;
        // Who is lent something does not lend it on.
        let carl = bot.slack.user("carl");
        may_not(&mut bot, &ben, &events, &format!("/stream lend {meeting} to <@{}>", carl.id)).await;
        // The same id in another workspace is somebody else.
        let globex = bot.slack.workspace("globex");
        let there = bot.slack.channel_in(&globex, "events");
        let mut twin = bot.slack.user_in(&globex, "ben");
        twin.id.clone_from(&ben.id);
        may_not(&mut bot, &twin, &there, &format!("/stream start {meeting}")).await;
        let started = bot.types(&ben, &events, &format!("/stream start {meeting}")).await;
        assert!(started.shown.contains("accepted the start"), "{}", started.shown);
    }

    async fn a_lender_takes_it_back_from_all_colleagues_by_a_button(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let (ben, carl) = (bot.slack.user("ben"), bot.slack.user("carl"));
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        lends(&mut bot, &ada, &events, meeting, &carl).await;
        let lent = bot.slack.messages().into_iter().find(|message| message.shown.contains("@ada lends control")).unwrap();
        let started = bot.types(&carl, &events, &format!("/stream start {meeting}")).await;
        assert!(started.shown.contains("asked for by @carl on behalf of @ada"), "{}", started.shown);
        // The button takes back what its presser lends.
        bot.slack.presses(&ben, &lent, "Take back").await.unwrap();
        let nothing = bot.answer().await;
        assert!(!is_public(&nothing) && nothing.shown.contains("Nothing to take back"), "{}", nothing.shown);
        bot.slack.presses(&ada, &lent, "Take back").await.unwrap();
        let back = bot.answer().await;
        assert!(is_public(&back) && back.shown.contains("back from @ben and @carl"), "{}", back.shown);
        assert_eq!(bot.last_audit()["outcome"], "taken_back");
        may_not(&mut bot, &ben, &events, &format!("/stream stop {meeting}")).await;
        may_not(&mut bot, &carl, &events, &format!("/stream stop {meeting}")).await;
        assert_eq!(bot.zoom.stops_of(meeting), 0);
        let again = bot.types(&ada, &events, &format!("/stream lend {meeting} back")).await;
        assert!(again.shown.contains("Nothing to take back"), "{}", again.shown);
    }

    async fn a_lending_ends_by_itself(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        let zoom_user = bot.audit().into_iter().rfind(|entry| entry["verb"] == "lend").unwrap();
        bot.service.signal("TERM");
        bot.service.wait();
        // As if it had been lent for a second.
        let store = bot.stopped_store();
        let workspace = Workspace { enterprise: None, team: TeamId::new(&ada.team) };
        let now = store.lendings(&workspace).await.unwrap().remove(0).since;
        let lending = Lending {
            meeting: meeting.to_string().parse().unwrap(),
            lender: UserId::new(&ada.id),
            colleague: UserId::new(&ben.id),
            zoom_user: ZoomUserId::new(zoom_user["zoom_user"].as_str().unwrap()),
            since: now,
            until: now.checked_add(jiff::SignedDuration::from_millis(1)).unwrap(),
        };
        store.lend(&workspace, &lending, now, None).await.unwrap();
        drop(store);
        bot.start_over();
        may_not(&mut bot, &ben, &events, &format!("/stream start {meeting}")).await;
    }

    async fn who_disconnects_lends_nothing_any_more_also_when_they_come_back(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        let gone = bot.types(&ada, &events, "/stream disconnect").await;
        assert!(gone.shown.contains("disconnected"), "{}", gone.shown);
        may_not(&mut bot, &ben, &events, &format!("/stream start {meeting}")).await;
        bot.connected("ada").await;
        may_not(&mut bot, &ben, &events, &format!("/stream start {meeting}")).await;
    }

    async fn rules_that_forbid_it_meanwhile_end_it_for_good(bot) {
        let (olga, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        set(&bot, &olga, &events, &[("Who may start streams", Fill::People(&[&ada]))]).await;
        let denied = bot.types(&ben, &events, &format!("/stream start {meeting}")).await;
        assert!(denied.shown.contains("you are not among those who may start streams"), "{}", denied.shown);
        let off = [("Who may start streams", Fill::People(&[])), (RULE, Fill::Choice("Not allowed"))];
        set(&bot, &olga, &events, &off).await;
        may_not(&mut bot, &ben, &events, &format!("/stream start {meeting}")).await;
        set(&bot, &olga, &events, &[(RULE, Fill::Choice("For 24 hours at the most"))]).await;
        may_not(&mut bot, &ben, &events, &format!("/stream start {meeting}")).await;
    }

    async fn a_next_try_is_not_made_for_what_was_taken_back_meanwhile(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        lends(&mut bot, &ada, &events, meeting, &ben).await;
        bot.zoom.next(zoom::Route::MeetingStatus, Fault::too_many("2"));
        let waiting = bot.types(&ben, &events, &format!("/stream start {meeting}")).await;
        assert!(waiting.shown.contains("tries again by itself"), "{}", waiting.shown);
        let back = bot.types(&ada, &events, &format!("/stream lend {meeting} back")).await;
        assert!(back.shown.contains("back from @ben"), "{}", back.shown);
        bot.edited(&waiting, "nobody lends them one for it any more").await;
        bot.owes_nothing_within(PATIENCE).await;
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
        assert_eq!(bot.last_audit()["outcome"], "not_connected");
    }

    async fn a_colleague_is_chosen_in_a_form(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        bot.slack.set_utc_offset(&ada, 3600);
        bot.slack.types(&ada, &events, &format!("/stream lend {meeting} to @ben until 18:00")).await;
        let form = bot.slack.wait_for_modal(&ada).await.unwrap();
        let shown = form.transcript().replace(&meeting.to_string(), "<meeting>");
        let shown = shown.lines().filter(|line| !line.contains("Somebody of this workspace")).collect::<Vec<_>>().join("\n");
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown, @"
            Lend a meeting
              To whom: []
              For how long: [Until 18:00, as typed]
              [Lend]
            ");
        }
        // The form is there before it is written down that it was opened.
        bot.owes_nothing_within(PATIENCE).await;
        let us = [&ada];
        bot.slack.submits(&form, &[("To whom", Fill::People(&us))]).await.unwrap();
        let still = bot.slack.modal(&ada).unwrap().transcript();
        assert!(still.contains("! Not lent: that is you."), "{still}");
        let them = [&ben];
        let chosen = [("To whom", Fill::People(&them)), ("For how long", Fill::Choice("An hour"))];
        bot.slack.submits(&form, &chosen).await.unwrap();
        assert!(bot.slack.modal(&ada).is_none());
        let told = [bot.answer().await.shown, bot.answer().await.shown];
        assert!(told.iter().any(|told| told.contains("lends you control of")), "{told:?}");
        assert!(told.iter().any(|told| told.contains("@ada lends control of")), "{told:?}");
        let started = bot.types(&ben, &events, &format!("/stream start {meeting}")).await;
        assert!(started.shown.contains("on behalf of @ada"), "{}", started.shown);
        let lent = entries_of(&bot, &ada).into_iter().filter(|(verb, _, _)| verb == "lend");
        assert_eq!(lent.map(|(_, outcome, _)| outcome).collect::<Vec<_>>(), ["told", "usage", "lent"].map(Value::from));

        // Too late for a form by itself: a button opens it.
        let line = format!("/stream lend {meeting}");
        let request = bot.slack.signed_request(&ada, &events, &line);
        bot.slack.clock().advance(Duration::from_secs(4));
        bot.slack.deliver(&ada, &events, &line, &request).await;
        let button = bot.answer().await;
        assert!(button.shown.contains("The form is not open"), "{}", button.shown);
        bot.slack.presses(&ada, &button, "Open the form").await.unwrap();
        let form = bot.slack.wait_for_modal(&ada).await.unwrap();
        assert!(form.transcript().contains("For how long: [4 hours]"), "{}", form.transcript());
        bot.slack.closes(&form);
    }

    async fn a_meeting_is_lent_to_people_of_the_workspace_and_no_longer_than_allowed(bot) {
        let (_, ada, events, meeting) = allowed(&mut bot).await;
        let ben = bot.slack.user("ben");
        let home = bot.slack.home().clone();
        for (id, words) in [
            (ada.id.as_str(), "that is you"),
            (home.bot_user.as_str(), "that is a bot"),
            ("U00000099", "there is nobody like that in this workspace"),
        ] {
            let refused = bot.types(&ada, &events, &format!("/stream lend {meeting} to <@{id}>")).await;
            assert!(!is_public(&refused) && refused.shown.contains(words), "{id}: {}", refused.shown);
        }
        bot.excused.push("users.info: user_not_found: U00000099");
        bot.slack.types(&ada, &events, &format!("/stream lend {meeting} to <@{}> for 7d", ben.id)).await;
        let told = [bot.answer().await.shown, bot.answer().await.shown];
        assert!(told.iter().any(|told| told.contains("The rules of this workspace allow no longer.")), "{told:?}");

        // Until a time of day where the lender is, here five minutes from now.
        bot.slack.set_utc_offset(&ada, -7200);
        let soon = soon_at(-7200);
        bot.slack.types(&ada, &events, &format!("/stream lend {meeting} to <@{}> until {soon}", ben.id)).await;
        let told = [bot.answer().await.shown, bot.answer().await.shown];
        assert!(told.iter().all(|told| !told.contains("allow no longer") && !told.contains("UTC, so")), "{told:?}");
    }
}

/// The time of day in five minutes, for somebody so many seconds from UTC.
fn soon_at(offset: i64) -> String {
    let zoned = bot_now().checked_add(jiff::SignedDuration::from_secs(offset + 300)).unwrap();
    zoned.strftime("%H:%M").to_string()
}

fn bot_now() -> Timestamp {
    onair::clock::Clock::default().now()
}

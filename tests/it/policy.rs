//! Who may do what in a workspace: the form of the rules, and what they keep people from.

use std::time::{Duration, Instant};

use onair::sandbox::Fault;
use onair::sandbox::slack::{Channel, Fill, Installed, Message, Modal, Role, Route, User};
use onair::sandbox::zoom;
use serde_json::{Value, json};

use crate::bot::{BOT_TOKEN, Bot, Engine, PATIENCE, PUBLIC, installable, is_public, on_both_engines};

/// A workspace whose bot may ask what people are, and its owner.
pub(crate) async fn owner(bot: &mut Bot) -> User {
    bot.restart_with(BOT_TOKEN.0, BOT_TOKEN.1);
    let owner = bot.slack.user("olga");
    bot.slack.set_role(&owner, Role::Owner);
    owner
}

/// Types the command and waits for the form that it opens, and until that is written down, for which the form does not wait.
pub(crate) async fn form(bot: &Bot, user: &User, channel: &Channel) -> Modal {
    let opened = || outcomes_of(bot, "policy").iter().filter(|outcome| **outcome == "told").count();
    let before = opened();
    let delivery = bot.slack.types(user, channel, "/stream policy").await;
    assert_eq!((delivery.status(), delivery.failure), (200, None));
    let form = bot.slack.wait_for_modal(user).await;
    let form = form.unwrap_or_else(|error| panic!("{error}\n{}", bot.service.log()));
    let begun = Instant::now();
    while opened() == before {
        assert!(begun.elapsed() < PATIENCE, "it is not in the audit\n{}", bot.service.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    form
}

/// Fills in fields of the form and sends it; nothing may be wrong with it.
pub(crate) async fn set(bot: &Bot, admin: &User, channel: &Channel, filled: &[(&str, Fill<'_>)]) {
    let form = form(bot, admin, channel).await;
    let delivery = bot.slack.submits(&form, filled).await.unwrap();
    assert_eq!((delivery.status(), delivery.failure), (200, None), "{}", bot.service.log());
    assert!(bot.slack.modal(admin).is_none(), "{}", bot.slack.modal(admin).unwrap().transcript());
}

/// Somebody connected, and a meeting of theirs that runs.
pub(crate) async fn host(bot: &mut Bot, name: &str) -> (User, Channel, u64) {
    let (user, channel, host) = bot.connected(name).await;
    (user, channel, bot.zoom.meeting_in_progress(&host))
}

/// The answer to somebody who may not, which is theirs alone and asks Zoom nothing.
async fn denied(bot: &mut Bot, user: &User, channel: &Channel, line: &str) -> String {
    let asked = bot.zoom.requests().len();
    let answer = bot.types(user, channel, line).await;
    is_denied(bot, &answer, asked).await
}

async fn is_denied(bot: &Bot, answer: &Message, asked: usize) -> String {
    assert!(!is_public(answer), "{}", answer.shown);
    assert_eq!(bot.zoom.requests().len(), asked, "Zoom was asked");
    assert_eq!(bot.last_audit()["outcome"], "denied", "{}", answer.shown);
    answer.shown.clone()
}

fn outcomes_of(bot: &Bot, verb: &str) -> Vec<Value> {
    let entries = bot.audit().into_iter().filter(|entry| entry["verb"] == verb);
    entries.map(|entry| entry["outcome"].clone()).collect()
}

on_both_engines! {
    async fn without_rules_everybody_may_and_with_them_whom_they_name(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, of_ada) = host(&mut bot, "ada").await;
        let (ben, _, of_ben) = host(&mut bot, "ben").await;
        let accepted = bot.types(&ben, &events, &format!("/stream start {of_ben}")).await;
        assert!(accepted.shown.contains("accepted the start"), "{}", accepted.shown);

        let form = form(&bot, &olga, &events).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(form.transcript(), @"
            Who may do what
              Rules for this workspace. They narrow what people may do with their own Zoom meetings, and hold from the next command on.
              Who may change these rules: [] (Admins and owners of this workspace may anyway.)
              Who may start streams: [] (Nobody chosen: everybody.)
              Where people may start streams: [] (None chosen: everywhere.)
              Who may stop streams: [] (Nobody chosen: everybody.)
              Where people may stop streams: [] (None chosen: everywhere.)
              To stop a stream that somebody else asked for: [One person is enough]
              Who may set where streams go: [] (Nobody chosen: everybody.)
              Where people may set where streams go: [] (None chosen: everywhere.)
              Who reads that an order failed: [The channel]
              Where audit lines go: [] (Invite OnAir to that channel.)
              To lend control of a meeting to a colleague: [Not allowed] (The colleague starts and stops its stream as whoever lends it.)
              [Save]
            ");
        }
        let filled = [
            ("Who may start streams", Fill::People(&[&ada])),
            ("Who may change these rules", Fill::People(&[&ada])),
        ];
        bot.slack.submits(&form, &filled).await.unwrap();
        assert!(bot.slack.modal(&olga).is_none());

        let told = denied(&mut bot, &ben, &events, &format!("/stream start {of_ben} \"Keynote\"")).await;
        assert!(told.contains("you are not among those who may start streams"), "{told}");
        assert!(told.contains("Ask @ada or an admin of this workspace."), "{told}");
        let told = denied(&mut bot, &ben, &events, &format!("/stream start {of_ben} --dry-run")).await;
        assert!(told.contains("Nothing was started"), "{told}");
        let accepted = bot.types(&ada, &events, &format!("/stream start {of_ada}")).await;
        assert!(accepted.shown.contains("accepted the start"), "{}", accepted.shown);
        // There is no rule about stops.
        let stopped = bot.types(&ben, &events, &format!("/stream stop {of_ben}")).await;
        assert!(is_public(&stopped) && stopped.shown.contains("stopped"), "{}", stopped.shown);

        let entries = bot.audit().into_iter().filter(|entry| entry["verb"] == "policy");
        let entries: Vec<_> = entries.map(|entry| (entry["outcome"].clone(), entry["asked"]["settings"].clone())).collect();
        let changed = json!(["managers", "start_people"]);
        assert_eq!(entries, [(json!("told"), Value::Null), (json!("policy_changed"), changed)]);
        let last = bot.audit().into_iter().rfind(|entry| entry["verb"] == "policy").unwrap();
        assert_eq!((&last["user"], &last["channel"]), (&json!(olga.id), &json!(events.id)));
    }

    async fn only_admins_see_the_form_and_whoever_is_named(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        bot.slack.set_role(&ada, Role::Admin);
        let told = denied(&mut bot, &ada, &events, "/stream policy").await;
        assert!(told.contains("has no bot in this workspace"), "{told}");

        let olga = owner(&mut bot).await;
        let home = bot.slack.home().clone();
        let ben = bot.slack.user("ben");
        let told = denied(&mut bot, &ben, &events, "/stream policy").await;
        assert!(told.contains("only admins of this workspace may do that"), "{told}");
        set(&bot, &ada, &events, &[("Who may change these rules", Fill::People(&[&ben]))]).await;
        let carl = bot.slack.user("carl");
        let told = denied(&mut bot, &carl, &events, "/stream policy").await;
        assert!(told.contains("Ask @ben or an admin of this workspace."), "{told}");

        bot.slack.set_scopes(&home, &["commands", "chat:write"]);
        let told = denied(&mut bot, &olga, &events, "/stream policy").await;
        assert!(told.contains("Give the app the permission `users:read`"), "{told}");
        set(&bot, &ben, &events, &[("Who may start streams", Fill::People(&[&ben]))]).await;
        bot.slack.set_scopes(&home, &["commands", "chat:write", "users:read"]);
        bot.slack.next(Route::UsersInfo, Fault::status(503));
        let told = denied(&mut bot, &olga, &events, "/stream policy").await;
        assert!(told.contains("Slack doesn't say it just now"), "{told}");
        bot.slack.revoke(&home);
        let told = denied(&mut bot, &olga, &events, "/stream policy").await;
        assert!(told.contains("has no bot in this workspace that works"), "{told}");
    }

    async fn channels_are_kept_to_by_commands_buttons_and_pages_alike(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        let stage = bot.slack.channel("stage");
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
        let mut browser = bot.browser();
        let question = browser.visit(&offer.link("Open the page").unwrap()).await.unwrap();
        let page = browser.submit(&question, &[]).await.unwrap();
        let only = [
            ("Where people may start streams", Fill::Channels(&[&stage])),
            ("Where people may stop streams", Fill::Channels(&[&stage])),
            ("Where people may set where streams go", Fill::Channels(&[&stage])),
        ];
        set(&bot, &olga, &events, &only).await;

        for verb in ["start", "stop", "setup"] {
            let told = denied(&mut bot, &ada, &events, &format!("/stream {verb} {meeting}")).await;
            assert!(told.contains(&format!("in #{} and not here", stage.id)), "{told}");
        }
        // A button of before the rules.
        let asked = bot.zoom.requests().len();
        bot.slack.presses(&ada, &card, "Stop").await.unwrap();
        let answer = bot.answer().await;
        assert!(is_denied(&bot, &answer, asked).await.contains("Nothing was stopped"));
        // A page of before the rules.
        let filled = [
            ("stream_url", "rtmps://ingest.example.net/live"),
            ("stream_key", "canary-key"),
            ("page_url", "https://watch.example.net/"),
        ];
        let refused = browser.submit(&page, &filled).await.unwrap();
        assert_eq!(refused.status.as_u16(), 403, "{}", refused.text());
        assert!(refused.text().contains("Ask an admin of your Slack workspace"), "{}", refused.text());
        assert_eq!(bot.last_audit()["outcome"], "denied");

        let stopped = bot.types(&ada, &stage, &format!("/stream stop {meeting}")).await;
        assert!(stopped.shown.contains("stopped"), "{}", stopped.shown);
    }

    async fn rules_hold_for_what_waited_while_they_were_made(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        let ben = bot.slack.user("ben");
        let of_ben = bot.zoom.user("ben@example.com");
        let bens = bot.zoom.meeting_in_progress(&of_ben);
        let offer = bot.types(&ben, &events, &format!("/stream start {bens}")).await;
        bot.zoom.next(zoom::Route::MeetingStatus, Fault::too_many("2"));
        let waiting = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(waiting.shown.contains("tries again by itself"), "{}", waiting.shown);
        set(&bot, &olga, &events, &[("Who may start streams", Fill::People(&[&olga]))]).await;

        // The next try. The channel was told that there would be one.
        bot.edited(&waiting, "@ada may not start streams here any more").await;
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1, "the one before the rules");
        // The command that waited for a connection.
        bot.zoom.sign_in_as(&of_ben);
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        let told = bot.answer().await;
        assert!(!is_public(&told) && told.shown.contains("Nothing was started"), "{}", told.shown);
        assert_eq!(bot.zoom.orders_of(bens).len(), 0);
    }

    async fn failures_are_private_where_the_rules_say_so_and_success_never_is(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        bot.zoom.end(meeting);
        let line = format!("/stream start {meeting}");
        let failed = bot.types(&ada, &events, &line).await;
        assert!(is_public(&failed) && failed.shown.contains("isn't running"), "{}", failed.shown);
        set(&bot, &olga, &events, &[("Who reads that an order failed", Fill::Choice("Whoever gave it"))]).await;
        let failed = bot.types(&ada, &events, &line).await;
        assert!(!is_public(&failed) && failed.shown.contains("isn't running"), "{}", failed.shown);
        bot.zoom.begin(meeting);
        let accepted = bot.types(&ada, &events, &line).await;
        assert!(is_public(&accepted), "{}", accepted.shown);
        bot.zoom.next(zoom::Route::MeetingStatus, Fault::Cut);
        let unknown = bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
        assert!(is_public(&unknown), "it may be on air: {}", unknown.shown);
    }

    async fn a_stop_of_somebody_elses_stream_takes_a_second_person(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        let host = bot.zoom.user("ada@example.com");
        // They share the host's Zoom account.
        let mut colleagues = Vec::new();
        for name in ["ben", "carl"] {
            let user = bot.slack.user(name);
            bot.zoom.sign_in_as(&host);
            let offer = bot.types(&user, &events, "/stream connect").await;
            assert_eq!(bot.press_connect(&offer).await.status, 200);
            bot.answer().await;
            colleagues.push(user);
        }
        let [ben, carl] = <[User; 2]>::try_from(colleagues).unwrap();
        let second = ("To stop a stream that somebody else asked for", Fill::Choice("A second person has to confirm"));
        set(&bot, &olga, &events, &[second]).await;
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;

        bot.slack.presses(&ben, &card, "Stop").await.unwrap();
        let question = bot.answer().await;
        assert!(is_public(&question), "{}", question.shown);
        assert!(question.shown.starts_with("@ben asks to stop the stream of"), "{}", question.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 1, "the start");
        assert_eq!(bot.last_audit()["outcome"], "second_person");

        bot.slack.presses(&ben, &question, "Confirm stop").await.unwrap();
        let not_alone = bot.answer().await;
        assert!(!is_public(&not_alone) && not_alone.shown.contains("you asked for this stop"), "{}", not_alone.shown);

        bot.slack.presses(&carl, &question, "Confirm stop").await.unwrap();
        let stopped = bot.edited(&question, "stopped by").await;
        assert!(stopped.buttons().iter().all(|button| button.label != "Confirm stop"), "{}", stopped.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), 2);
        let notice = bot.answer().await;
        assert!(notice.shown.starts_with("@carl stopped the stream"), "{}", notice.shown);
        bot.owes_nothing_within(PATIENCE).await;
        let last = bot.last_audit();
        assert_eq!((&last["verb"], &last["outcome"]), (&json!("stop"), &json!("stopped")));
        assert_eq!((&last["user"], &last["asked_by"]), (&json!(carl.id), &json!(ben.id)));
    }

    async fn ones_own_stream_is_stopped_alone_and_a_confirmation_is_for_one_stream(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        let (ben, _, _) = bot.connected("ben").await;
        let second = ("To stop a stream that somebody else asked for", Fill::Choice("A second person has to confirm"));
        set(&bot, &olga, &events, &[second]).await;
        let line = format!("/stream start {meeting}");
        bot.types(&ada, &events, &line).await;
        let question = bot.types(&ben, &events, &format!("/stream stop {meeting}")).await;
        assert!(question.shown.contains("takes a second person"), "{}", question.shown);
        let stopped = bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
        assert!(stopped.shown.contains("stopped"), "{}", stopped.shown);
        bot.zoom.clock().advance(Duration::from_secs(31));
        let again = bot.types(&ada, &events, &line).await;
        assert!(again.shown.contains("accepted the start"), "{}", again.shown);
        let orders = bot.zoom.orders_of(meeting).len();
        bot.slack.presses(&ada, &question, "Confirm stop").await.unwrap();
        let over = bot.answer().await;
        assert!(!is_public(&over) && over.shown.contains("is over"), "{}", over.shown);
        assert_eq!(bot.zoom.orders_of(meeting).len(), orders);
    }

    async fn of_two_admins_at_once_the_second_is_told(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        bot.slack.set_role(&ada, Role::Admin);
        let (first, second) = (form(&bot, &olga, &events).await, form(&bot, &ada, &events).await);
        let (only_olga, only_ada) = ([&olga], [&ada]);
        let rule = |users| [("Who may start streams", Fill::People(users))];
        bot.slack.submits(&first, &rule(&only_olga)).await.unwrap();
        assert!(bot.slack.modal(&olga).is_none());
        bot.slack.submits(&second, &rule(&only_ada)).await.unwrap();
        let open = bot.slack.modal(&ada).expect("it stays open");
        assert!(open.transcript().contains("! Not saved: somebody changed the rules meanwhile."), "{}", open.transcript());
        bot.slack.closes(&open);
        let now = form(&bot, &ada, &events).await;
        assert!(now.transcript().contains(&format!("Who may start streams: [{}]", olga.id)), "{}", now.transcript());
        bot.slack.submits(&now, &rule(&only_ada)).await.unwrap();
        let expected = ["told", "told", "policy_changed", "outdated", "told", "policy_changed"].map(Value::from);
        assert_eq!(outcomes_of(&bot, "policy"), expected);
    }

    async fn who_is_no_admin_any_more_saves_nothing(bot) {
        let olga = owner(&mut bot).await;
        let events = bot.slack.channel("events");
        let open = form(&bot, &olga, &events).await;
        bot.slack.set_role(&olga, Role::Member);
        let rule = [("Who may start streams", Fill::People(&[&olga]))];
        bot.slack.submits(&open, &rule).await.unwrap();
        let still = bot.slack.modal(&olga).unwrap().transcript();
        assert!(still.contains("! Not saved: only admins of this workspace may do that"), "{still}");
        bot.slack.set_role(&olga, Role::PrimaryOwner);
        bot.slack.next(Route::UsersInfo, Fault::Hang);
        let late = bot.slack.submits(&open, &rule).await.unwrap();
        assert_eq!(late.failure, None, "it is answered within three seconds");
        let still = bot.slack.modal(&olga).unwrap().transcript();
        assert!(still.contains("! Not saved: Slack doesn't say just now whether you are an admin."), "{still}");
        bot.slack.submits(&open, &rule).await.unwrap();
        assert!(bot.slack.modal(&olga).is_none());
        let expected = ["told", "denied", "denied", "policy_changed"].map(Value::from);
        assert_eq!(outcomes_of(&bot, "policy"), expected);
    }

    async fn a_form_that_comes_too_late_is_opened_by_a_button(bot) {
        let olga = owner(&mut bot).await;
        let events = bot.slack.channel("events");
        let line = "/stream policy";
        let request = bot.slack.signed_request(&olga, &events, line);
        bot.slack.clock().advance(Duration::from_secs(4));
        bot.slack.deliver(&olga, &events, line, &request).await;
        let told = bot.answer().await;
        assert!(!is_public(&told) && told.shown.contains("The form is not open"), "{}", told.shown);
        assert!(bot.slack.modal(&olga).is_none());
        bot.slack.presses(&olga, &told, "Open the form").await.unwrap();
        let open = bot.slack.wait_for_modal(&olga).await.unwrap();
        bot.slack.submits(&open, &[]).await.unwrap();
        bot.slack.next(Route::ViewsOpen, Fault::status(503));
        let told = bot.types(&olga, &events, line).await;
        assert!(told.shown.contains("The form is not open"), "{}", told.shown);
    }

    async fn forged_replayed_and_foreign_forms_change_nothing(bot) {
        let olga = owner(&mut bot).await;
        let events = bot.slack.channel("events");
        let open = form(&bot, &olga, &events).await;
        let rule = [("Who may start streams", Fill::People(&[&olga]))];
        let good = bot.slack.signed_submission(&open, &rule).unwrap();
        let mut forged = good.clone();
        forged.set_form_field("payload", &good.payload().to_string().replace("radio_buttons", "radio"));
        assert_eq!(bot.send(&forged).await.0, 401);
        let mut foreign = |change: &dyn Fn(&mut Value)| {
            let mut payload = good.payload();
            change(&mut payload);
            let mut request = good.clone();
            request.set_form_field("payload", &payload.to_string());
            let now = bot.slack.clock().now().as_second();
            bot.slack.resign(&mut request, now);
            request
        };
        let elsewhere = foreign(&|payload| payload["team"]["id"] = json!("T00000009"));
        assert_eq!(bot.send(&elsewhere).await.0, 400);
        let in_organization = foreign(&|payload| payload["enterprise"] = json!({ "id": "E00000009" }));
        assert_eq!(bot.send(&in_organization).await.0, 400);
        let unreadable = foreign(&|payload| payload["view"]["private_metadata"] = json!("{}"));
        assert_eq!(bot.send(&unreadable).await.0, 400);
        let by_another = foreign(&|payload| payload["user"]["id"] = json!("U00000099"));
        let (status, body) = bot.send(&by_another).await;
        assert!(status == 200 && body.contains("only admins"), "{status} {body}");
        let odd = foreign(&|payload| {
            payload["view"]["state"]["values"]["failures"]["answer"]["selected_option"]["value"] = json!("nobody");
        });
        let (status, body) = bot.send(&odd).await;
        assert!(status == 200 && body.contains("\"failures\":\"Not saved: choose one of these.\""), "{status} {body}");
        assert_eq!(bot.send(&good).await, (200, String::new()));
        assert_eq!(bot.send(&good).await.0, 401, "replayed");
        bot.excused.push("users.info: user_not_found: U00000099");
        let expected = ["told", "denied", "usage", "policy_changed"].map(Value::from);
        assert_eq!(outcomes_of(&bot, "policy"), expected);
    }

    async fn the_rules_of_one_workspace_are_nothing_to_another(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        set(&bot, &olga, &events, &[("Who may start streams", Fill::People(&[&olga]))]).await;
        let told = denied(&mut bot, &ada, &events, &format!("/stream start {meeting}")).await;
        assert!(told.contains("Nothing was started"), "{told}");
        let globex = bot.slack.workspace("globex");
        let (eve, there) = (bot.slack.user_in(&globex, "eve"), bot.slack.channel_in(&globex, "events"));
        bot.slack.set_role(&eve, Role::PrimaryOwner);
        let offer = bot.types(&eve, &there, &format!("/stream start {meeting}")).await;
        assert!(offer.shown.contains("first connect your Zoom account"), "{}", offer.shown);
        // The one bot token there is, is of the first workspace.
        let told = denied(&mut bot, &eve, &there, "/stream policy").await;
        assert!(told.contains("has no bot in this workspace"), "{told}");
    }

    async fn in_an_organization_each_workspace_has_its_own_rules(bot) {
        let [east, west] = ["east", "west"].map(|name| bot.slack.grid_workspace(name, "Globex Corp", Installed::OrgWide));
        let token = bot.slack.bot_token(&east);
        bot.restart_with(BOT_TOKEN.0, &token);
        let (eve, events) = (bot.slack.user_in(&east, "eve"), bot.slack.channel_in(&east, "events"));
        let (ann, there) = (bot.slack.user_in(&west, "ann"), bot.slack.channel_in(&west, "events"));
        bot.slack.set_role(&eve, Role::OrgAdmin);
        let open = form(&bot, &eve, &events).await;
        let request = bot.slack.signed_submission(&open, &[("Who may stop streams", Fill::People(&[&eve]))]).unwrap();
        assert!(request.payload()["team"].is_null(), "{}", request.payload());
        assert_eq!(bot.send(&request).await, (200, String::new()));
        bot.slack.closes(&open);
        let bob = bot.slack.user_in(&east, "bob");
        let told = denied(&mut bot, &bob, &events, "/stream stop 68423085").await;
        assert!(told.contains("you are not among those who may stop streams"), "{told}");
        let offer = bot.types(&ann, &there, "/stream stop 68423085").await;
        assert!(offer.shown.contains("first connect your Zoom account"), "{}", offer.shown);
        let entry = bot.audit().into_iter().rfind(|entry| entry["outcome"] == "policy_changed").unwrap();
        assert_eq!((&entry["team"], &entry["enterprise"]), (&json!(east.id), &json!(east.enterprise.unwrap().id)));
    }

    async fn rules_that_cannot_be_read_allow_nothing_until_an_admin_sets_them_anew(bot) {
        let olga = owner(&mut bot).await;
        let (ada, events, meeting) = host(&mut bot, "ada").await;
        set(&bot, &olga, &events, &[("Who may start streams", Fill::People(&[&ada]))]).await;
        spoil_rules(&mut bot).await;
        let line = format!("/stream start {meeting}");
        let told = denied(&mut bot, &ada, &events, &line).await;
        assert!(told.contains("OnAir can't read who may start streams in this workspace"), "{told}");
        set(&bot, &olga, &events, &[]).await;
        let accepted = bot.types(&ada, &events, &line).await;
        assert!(accepted.shown.contains("accepted the start"), "{}", accepted.shown);
    }
}

/// Writes something into the store in place of the rules of the first workspace.
pub(crate) async fn spoil_rules(bot: &mut Bot) {
    let (key, garbage) = ("policy:-/T00000001", "garbage");
    match &bot.redis {
        Some(redis) => redis.tell(&format!("SET onair:{key} {garbage}")).await,
        None => {
            bot.service.signal("TERM");
            bot.service.wait();
            let file = std::path::Path::new(&bot.vars["ONAIR_DATA"]).join("onair.db");
            let store = rusqlite::Connection::open(file).unwrap();
            let changed = store.execute("UPDATE record SET value = ?2 WHERE key = ?1", (key, garbage.as_bytes()));
            assert_eq!(changed, Ok(1));
            drop(store);
            bot.start_over();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_neither_allows_nor_saves_anything() {
    let mut bot = Bot::start(Engine::Redis).await;
    let olga = owner(&mut bot).await;
    let (ada, events, meeting) = host(&mut bot, "ada").await;
    let open = form(&bot, &olga, &events).await;
    bot.redis.as_ref().unwrap().tell("CONFIG SET maxmemory 1").await;
    let rule = [("Who may start streams", Fill::People(&[&olga]))];
    let late = bot.slack.submits(&open, &rule).await.unwrap();
    assert_eq!(late.failure, None);
    let still = bot.slack.modal(&olga).unwrap().transcript();
    assert!(still.contains("! Not saved: OnAir can't write anything down just now."), "{still}");
    let refused = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
    assert!(refused.shown.contains("was not accepted"), "{}", refused.shown);
    bot.redis.as_ref().unwrap().tell("CONFIG SET maxmemory 0").await;
    bot.ready_again().await;
    bot.slack.submits(&open, &rule).await.unwrap();
    assert!(bot.slack.modal(&olga).is_none());
    let told = denied(&mut bot, &ada, &events, &format!("/stream start {meeting}")).await;
    assert!(told.contains("Nothing was started"), "{told}");
    bot.finish().await;
}

installable! {
    async fn with_the_command_alone_whoever_installed_the_app_may_set_the_rules(bot) {
        let (ada, ben, events) = (bot.slack.user("ada"), bot.slack.user("ben"), bot.slack.channel("events"));
        bot.slack.sign_in_as(&ada);
        let page = bot.browser().visit(&format!("{PUBLIC}/slack/install?only=commands")).await.unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        set(&bot, &ada, &events, &[("Who may start streams", Fill::People(&[&ada]))]).await;
        let told = denied(&mut bot, &ben, &events, "/stream policy").await;
        assert!(told.contains("Give the app the permission `users:read`"), "{told}");
        let told = denied(&mut bot, &ben, &events, "/stream start 68423085").await;
        assert!(told.contains("Ask an admin of this workspace."), "{told}");
        // The same id elsewhere is somebody else.
        let globex = bot.slack.workspace("globex");
        let (eve, lobby) = (bot.slack.user_in(&globex, "eve"), bot.slack.channel_in(&globex, "lobby"));
        let told = denied(&mut bot, &eve, &lobby, "/stream policy").await;
        assert!(told.contains("has no bot in this workspace"), "{told}");
    }

    async fn whoever_installed_the_app_in_an_organization_is_an_admin_in_its_workspaces_and_in_no_other(bot) {
        let [east, west] = ["east", "west"].map(|name| bot.slack.grid_workspace(name, "Initech", Installed::OrgWide));
        let olga = bot.slack.user_in(&east, "olga");
        assert_eq!(bot.install_as(&olga).await.status, 200);
        bot.slack.always(Route::UsersInfo, Fault::status(503));
        let there = bot.slack.channel_in(&west, "events");
        // As Slack names her there.
        let olga_there = User { team: west.id.clone(), ..olga.clone() };
        let told = bot.types(&olga_there, &there, "/stream audit").await;
        assert!(told.shown.contains("about this workspace"), "{}", told.shown);
        let away = bot.slack.channel("events");
        let elsewhere = User { team: bot.slack.home().id.clone(), ..olga };
        let told = denied(&mut bot, &elsewhere, &away, "/stream audit").await;
        assert!(told.contains("has no bot in this workspace"), "{told}");
        let ann = bot.slack.user_in(&west, "ann");
        let told = denied(&mut bot, &ann, &there, "/stream audit").await;
        assert!(told.contains("Slack doesn't say it just now"), "{told}");
    }
}

async fn an_owner_who_installed_the_app_may_set_the_rules(engine: Engine) {
    let mut bot = Bot::installable(engine).await;
    let (ada, ben, events) = (bot.slack.user("ada"), bot.slack.user("ben"), bot.slack.channel("events"));
    bot.slack.set_role(&ada, Role::Owner);
    assert_eq!(bot.install_as(&ada).await.status, 200);
    set(&bot, &ada, &events, &[("Who may start streams", Fill::People(&[&ada]))]).await;
    let told = denied(&mut bot, &ben, &events, "/stream policy").await;
    assert!(told.contains("only admins of this workspace may do that"), "{told}");
    let told = denied(&mut bot, &ben, &events, "/stream start 68423085").await;
    assert!(told.contains("Nothing was started"), "{told}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_installed_the_app_may_set_the_rules_on_redis() {
    an_owner_who_installed_the_app_may_set_the_rules(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_installed_the_app_may_set_the_rules_embedded() {
    an_owner_who_installed_the_app_may_set_the_rules(Engine::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audit_lines_go_where_the_rules_say() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let (given, chosen) = (bot.slack.channel("audit"), bot.slack.channel("ops"));
    bot.slack.invite_app(&given);
    bot.slack.invite_app(&chosen);
    bot.vars.insert("ONAIR_AUDIT_CHANNEL".to_owned(), given.id.clone());
    let olga = owner(&mut bot).await;
    let events = bot.slack.channel("events");
    set(&bot, &olga, &events, &[("Where audit lines go", Fill::Channels(&[&chosen]))]).await;
    bot.slack.types(&olga, &events, "/stream whoami").await;
    bot.slack
        .wait_until("a line in the channel of the rules", PATIENCE, |messages| {
            messages.iter().find(|message| message.channel == chosen && message.shown.contains("whoami")).cloned()
        })
        .await
        .unwrap_or_else(|error| panic!("{error}\n{}", bot.service.log()));
    bot.may_say_more = true;
    bot.finish().await;
}

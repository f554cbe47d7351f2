//! `/stream doctor`: how OnAir is, for the admins of a workspace.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onair::sandbox::Fault;
use onair::sandbox::slack::{Channel, Fill, Role, Route, User};

use crate::bot::{BOT_TOKEN, Bot, PATIENCE, WEBHOOK_SECRET, installable, is_public, on_both_engines};
use crate::policy::{set, spoil_rules};

/// An admin of a workspace whose bot works, where Zoom reports to OnAir.
async fn admin(bot: &mut Bot) -> (User, Channel) {
    bot.vars.insert(BOT_TOKEN.0.to_owned(), BOT_TOKEN.1.to_owned());
    bot.restart_with("ZOOM_WEBHOOK_SECRET_TOKEN", WEBHOOK_SECRET);
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
    let admin = bot.slack.user("olga");
    bot.slack.set_role(&admin, Role::Admin);
    (admin, bot.slack.channel("events"))
}

/// The line about one item.
async fn line(bot: &mut Bot, admin: &User, channel: &Channel, label: &str) -> String {
    let list = bot.types(admin, channel, "/stream doctor").await;
    assert!(!is_public(&list), "{}", list.shown);
    let found = list.shown.lines().find(|line| line.contains(&format!(" {label}: ")));
    found.unwrap_or_else(|| panic!("no {label} in:\n{}", list.shown)).to_owned()
}

/// Looks until the line about one item says something.
async fn says(bot: &mut Bot, admin: &User, channel: &Channel, label: &str, words: &str) {
    let begun = Instant::now();
    loop {
        let found = line(bot, admin, channel, label).await;
        if found.contains(words) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{words:?} is not in {found:?}\n{}", bot.service.log());
    }
}

/// The same, of an item that does not change by itself.
async fn at_once(bot: &mut Bot, admin: &User, channel: &Channel, label: &str, words: &str) {
    let found = line(bot, admin, channel, label).await;
    assert!(found.contains(words), "{words:?} is not in {found:?}\n{}", bot.service.log());
}

on_both_engines! {
    async fn an_admin_sees_that_all_is_well_and_a_member_sees_nothing(bot) {
        let (olga, events) = admin(&mut bot).await;
        at_once(&mut bot, &olga, &events, "Zoom's reports", "❌ Zoom's reports: none has come that is signed").await;
        let (ada, _, host) = bot.connected("ada").await;
        bot.slack.invite_app(&events);
        let meeting = bot.zoom.meeting_in_progress(&host);
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        bot.edited(&card, "live").await;
        says(&mut bot, &olga, &events, "Zoom's reports", "✅ Zoom's reports: Zoom last showed").await;
        // It is in the store.
        bot.restart();
        let list = bot.types(&olga, &events, "/stream doctor").await;
        assert!(list.shown.starts_with("OnAir is well:"), "{}", list.shown);
        assert_eq!(list.shown.matches('✅').count(), 9, "{}", list.shown);
        assert!(list.shown.contains("every record is under `k1`"), "{}", list.shown);
        let entry = bot.last_audit();
        assert_eq!((entry["verb"].as_str(), entry["outcome"].as_str()), (Some("doctor"), Some("told")));

        let denied = bot.types(&ada, &events, "/stream doctor").await;
        assert!(!is_public(&denied) && denied.shown.contains("only admins of this workspace"), "{}", denied.shown);
        assert!(!denied.shown.contains('✅'), "{}", denied.shown);
        assert_eq!(bot.last_audit()["outcome"], "denied");
    }

    async fn what_is_wrong_is_told_with_its_cure(bot) {
        let (olga, events) = admin(&mut bot).await;
        let (home, closed) = (bot.slack.home().clone(), bot.slack.channel("closed"));
        let chosen = [
            ("Who may change these rules", Fill::People(&[&olga])),
            ("Where audit lines go", Fill::Channels(&[&closed])),
        ];
        set(&bot, &olga, &events, &chosen).await;
        says(&mut bot, &olga, &events, "Audit channel", "took nothing when the bot last tried. Invite the bot").await;
        at_once(&mut bot, &olga, &events, "Rules", "✅ Rules: everybody, everywhere; 1 person beside the admins").await;

        bot.slack.set_scopes(&home, &["commands"]);
        at_once(&mut bot, &olga, &events, "Permissions", "❌ Permissions: without `chat:write` OnAir posts nothing").await;
        at_once(&mut bot, &olga, &events, "Permissions", "without `users:read` OnAir can't tell who is an admin").await;
        bot.slack.always(Route::OtherMethod, Fault::status(503));
        at_once(&mut bot, &olga, &events, "Permissions", "❔ Permissions: not known, Slack doesn't say").await;
        bot.slack.heal();
        bot.slack.revoke(&home);
        at_once(&mut bot, &olga, &events, "Permissions", "no bot in this workspace that works").await;

        bot.zoom.clock().advance(std::time::Duration::from_secs(100));
        at_once(&mut bot, &olga, &events, "Clock", "s behind Zoom's; from 300 s on").await;
        bot.types(&olga, &events, "/stream save keynote 68423085").await;
        bot.vars.remove("ZOOM_WEBHOOK_SECRET_TOKEN");
        let keys = ["k2", "k1"].map(|id| format!("{id}:{}", STANDARD.encode([if id == "k1" { 7 } else { 8 }; 32])));
        bot.restart_with("ONAIR_ENCRYPTION_KEYS", &keys.join(","));
        at_once(&mut bot, &olga, &events, "Zoom's reports", "sets `ZOOM_WEBHOOK_SECRET_TOKEN`").await;
        if bot.redis.is_some() {
            at_once(&mut bot, &olga, &events, "Keys", "❌ Keys: `k2` and `k1` are in use, and ").await;
            assert!(bot.onair(&["keys", "rotate"]).status.success());
        }
        says(&mut bot, &olga, &events, "Keys", "✅ Keys: every record is under `k2`").await;
    }

    async fn rules_that_cannot_be_read_are_told(bot) {
        let (olga, events) = admin(&mut bot).await;
        set(&bot, &olga, &events, &[("Who may start streams", Fill::People(&[&olga]))]).await;
        at_once(&mut bot, &olga, &events, "Rules", "✅ Rules: `start`: 1 person").await;
        spoil_rules(&mut bot).await;
        at_once(&mut bot, &olga, &events, "Rules", "❌ Rules: OnAir can't read them, so nobody may do anything").await;
    }
}

installable! {
    async fn a_stream_that_zoom_does_not_confirm_is_told_in_its_own_workspace_alone(bot) {
        bot.restart_with("ZOOM_WEBHOOK_SECRET_TOKEN", WEBHOOK_SECRET);
        let globex = bot.slack.workspace("globex");
        let (eve, lobby) = (bot.slack.user_in(&globex, "eve"), bot.slack.channel_in(&globex, "lobby"));
        let ada = bot.slack.user("ada");
        for admin in [&eve, &ada] {
            bot.slack.set_role(admin, Role::Admin);
            assert_eq!(bot.install_as(admin).await.status, 200);
        }
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        // Zoom takes the start and reports nothing of it.
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        bot.edited(&card, "not confirmed").await;
        let words = "❌ Streams: Zoom took a start of";
        at_once(&mut bot, &ada, &events, "Streams", words).await;
        at_once(&mut bot, &ada, &events, "Streams", &format!("`/stream status {meeting}`")).await;
        let list = bot.types(&eve, &lobby, "/stream doctor").await;
        assert!(list.shown.contains("✅ Streams: none of those of this workspace"), "{}", list.shown);
        let digits: String = list.shown.chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains(&meeting.to_string()), "{}", list.shown);
    }
}

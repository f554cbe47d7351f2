//! Installing the app, signing in to connect, and taking the app out again.

use jiff::SignedDuration;
use onair::sandbox::Fault;
use onair::sandbox::slack::{Installed, Role, Route, SignedRequest};
use onair::sandbox::zoom::Route as ZoomRoute;
use serde_json::json;

use crate::bot::{Bot, PATIENCE, PUBLIC, connect_link, installable, is_public, on_both_engines};

/// Where an installation begins.
fn install_link() -> String {
    format!("{PUBLIC}/slack/install")
}

installable! {
    async fn an_admin_installs_the_app_and_its_bot_speaks_in_that_workspace_alone(bot) {
        let (ada, acme) = (bot.slack.user("ada"), bot.slack.home().clone());
        let landing = bot.browser().visit(&format!("{PUBLIC}/")).await.unwrap();
        assert_eq!(landing.button(), Some("/slack/install".to_owned()), "{}", landing.text());
        let page = bot.install_as(&ada).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains(&acme.domain), "{}", page.text());
        let entry = bot.last_audit();
        assert_eq!((&entry["verb"], &entry["outcome"]), (&json!("install"), &json!("installed")));
        assert_eq!((&entry["team"], &entry["user"]), (&json!(acme.id), &json!(ada.id)));

        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(card.hook.is_none(), "the bot's own message: {}", card.shown);

        // In another workspace there is no bot, and this one's is not tried there.
        let globex = bot.slack.workspace("globex");
        let (eve, lobby) = (bot.slack.user_in(&globex, "eve"), bot.slack.channel_in(&globex, "lobby"));
        bot.zoom.sign_in_as(&bot.zoom.user("eve@example.com"));
        bot.slack.sign_in_as(&eve);
        let offer = bot.types(&eve, &lobby, "/stream connect").await;
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        bot.answer().await;
        let meeting = bot.zoom.meeting_in_progress(&bot.zoom.user("eve@example.com"));
        let answer = bot.types(&eve, &lobby, &format!("/stream start {meeting}")).await;
        assert!(answer.hook.is_some() && is_public(&answer), "an answer: {}", answer.shown);
        let bearers: Vec<_> = bot.slack.requests().into_iter().filter_map(|request| {
            request.header("authorization").map(str::to_owned)
        }).collect();
        assert!(!bearers.is_empty() && bearers.iter().all(|bearer| bearer.ends_with(&acme.id)), "{bearers:?}");
    }

    async fn an_organization_installs_it_for_all_its_workspaces(bot) {
        let (one, two) = (
            bot.slack.grid_workspace("one", "Initech", Installed::OrgWide),
            bot.slack.grid_workspace("two", "Initech", Installed::OrgWide),
        );
        let org = one.enterprise.clone().unwrap();
        let page = bot.install_as(&bot.slack.user_in(&one, "olga")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let choose = page.button().unwrap();
        assert!(choose.starts_with(&format!("https://app.slack.com/manage/{}/", org.id)), "{choose}");
        assert_eq!(bot.last_audit()["enterprise"], json!(org.id));
        for workspace in [&one, &two] {
            let (user, channel) = (bot.slack.user_in(workspace, "ana"), bot.slack.channel_in(workspace, "events"));
            bot.slack.invite_app(&channel);
            bot.slack.sign_in_as(&user);
            let host = bot.zoom.user(&format!("ana@{}.example", workspace.domain));
            bot.zoom.sign_in_as(&host);
            let offer = bot.types(&user, &channel, "/stream connect").await;
            let page = bot.press_connect(&offer).await;
            assert_eq!(page.status, 200, "{}", page.text());
            bot.answer().await;
            let meeting = bot.zoom.meeting_in_progress(&host);
            let card = bot.types(&user, &channel, &format!("/stream start {meeting}")).await;
            assert!(card.hook.is_none() && card.channel == channel, "{}", card.shown);
            // Slack tells of no workspace with a press, and of the organization as the person's own.
            bot.slack.presses(&user, &card, "Stop").await.unwrap();
            bot.edited(&card, "topped").await;
            bot.owes_nothing_within(PATIENCE).await;
            let stop = bot.last_audit();
            assert_eq!((&stop["outcome"], &stop["team"]), (&json!("stopped"), &json!(workspace.id)));
        }
    }

    async fn with_the_command_alone_everything_is_answered(bot) {
        let ada = bot.slack.user("ada");
        bot.slack.sign_in_as(&ada);
        let page = bot.browser().visit(&format!("{}?only=commands", install_link())).await.unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(bot.slack.requests().last().map(|request| request.path.clone()), Some("/api/oauth.v2.access".into()));
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let answer = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        assert!(answer.hook.is_some() && is_public(&answer), "{}", answer.shown);
        let stopped = bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
        assert!(is_public(&stopped), "{}", stopped.shown);
        let posts = bot.slack.requests().into_iter().filter(|request| request.path.starts_with("/api/chat."));
        assert_eq!(posts.count(), 0, "it does not try what it may not");
        // Later an admin wants the bot as well.
        assert_eq!(bot.install_as(&ada).await.status, 200);
        let again = bot.zoom.meeting_in_progress(&host);
        let card = bot.types(&ada, &events, &format!("/stream start {again}")).await;
        assert!(card.hook.is_none(), "{}", card.shown);
    }

    async fn an_installation_is_for_the_browser_it_was_begun_in(bot) {
        let mallory = bot.slack.user("mallory");
        bot.slack.sign_in_as(&mallory);
        let mut theirs = bot.browser();
        let begun = theirs.fetch(&install_link()).await.unwrap();
        assert_eq!(begun.status, 303);
        let authorize = begun.headers["location"].to_str().unwrap().to_owned();
        let back = theirs.fetch(&authorize).await.unwrap().headers["location"].to_str().unwrap().to_owned();
        for (what, url, status) in [
            ("another browser", back.clone(), 403),
            ("no state", format!("{PUBLIC}/slack/oauth/callback?code=1"), 410),
            ("an unknown state", format!("{PUBLIC}/slack/oauth/callback?code=1&state=x"), 410),
            ("nothing", format!("{PUBLIC}/slack/oauth/callback"), 410),
        ] {
            let page = bot.browser().visit(&url).await.unwrap();
            assert_eq!(page.status.as_u16(), status, "{what}: {}", page.text());
        }
        assert!(!bot.audit().iter().any(|entry| entry["outcome"] == "installed"));
        assert_eq!(theirs.visit(&back).await.unwrap().status, 200, "in its own browser it goes on");
        let again = theirs.visit(&back).await.unwrap();
        assert_eq!(again.status, 410, "once: {}", again.text());
    }

    async fn every_way_an_installation_can_fail_is_a_page_with_the_way_on(bot) {
        let ada = bot.slack.user("ada");
        bot.slack.decline();
        let declined = bot.browser().visit(&install_link()).await.unwrap();
        assert!(declined.status == 200 && declined.text().contains("You said no"), "{}", declined.text());
        bot.slack.sign_in_as(&ada);
        for fault in [Fault::status(503), Fault::Cut, Fault::status(429)] {
            let mut browser = bot.browser();
            let begun = browser.fetch(&install_link()).await.unwrap();
            let at_slack = browser.fetch(begun.headers["location"].to_str().unwrap()).await.unwrap();
            bot.slack.next(Route::OtherMethod, fault);
            let page = browser.visit(at_slack.headers["location"].to_str().unwrap()).await.unwrap();
            assert_eq!(page.status, 502, "{}", page.text());
            assert_eq!(page.button(), Some("/slack/install".to_owned()));
            assert_eq!(bot.last_audit()["outcome"], "install_failed");
        }
        bot.slack.rotate_tokens();
        let rotating = bot.install_as(&ada).await;
        assert!(rotating.status == 502 && rotating.text().contains("rotation"), "{}", rotating.text());
    }

    async fn a_link_to_connect_links_nobody_but_who_asked(bot) {
        let (ada, mallory, events) = (bot.slack.user("ada"), bot.slack.user("mallory"), bot.slack.channel("events"));
        bot.zoom.sign_in_as(&bot.zoom.user("ada@example.com"));
        let offer = bot.types(&mallory, &events, "/stream connect").await;
        // Mallory gives the link to Ada, who is signed in to Slack as herself.
        bot.slack.sign_in_as(&ada);
        let page = bot.press_connect(&offer).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(!page.text().contains("ada@"), "{}", page.text());
        let entry = bot.last_audit();
        assert_eq!((&entry["outcome"], &entry["user"]), (&json!("somebody_else"), &json!(mallory.id)));
        assert_eq!(bot.zoom.requests().len(), 0, "Zoom was not asked");

        // Mallory signs in as herself as far as Slack's way back, and has Ada go on from there.
        bot.slack.sign_in_as(&mallory);
        let mut theirs = bot.browser();
        let confirm = theirs.visit(&connect_link(&offer)).await.unwrap();
        let back = theirs.fetch(&confirm.button().unwrap()).await.unwrap();
        let back = back.headers["location"].to_str().unwrap().to_owned();
        let mut hers = bot.browser();
        assert_eq!(hers.visit(&back).await.unwrap().status, 403, "Ada's browser has not shown the page");
        hers.visit(&connect_link(&offer)).await.unwrap();
        let page = hers.visit(&back).await.unwrap();
        assert_eq!(page.status, 403, "the code is Mallory's browser's: {}", page.text());
        // Or from Zoom's page on.
        let confirm = theirs.visit(&connect_link(&offer)).await.unwrap();
        let signed_in = theirs.fetch(&confirm.button().unwrap()).await.unwrap();
        let to_zoom = theirs.fetch(signed_in.headers["location"].to_str().unwrap()).await.unwrap();
        let authorize = to_zoom.headers["location"].to_str().unwrap().to_owned();
        assert!(authorize.starts_with(&bot.zoom.oauth_url()), "{authorize}");
        assert_eq!(hers.visit(&authorize).await.unwrap().status, 403, "proven in another browser");
        let who = bot.types(&mallory, &events, "/stream whoami").await;
        assert!(!who.shown.contains("ada@"), "{}", who.shown);
        assert_eq!(theirs.visit(&authorize).await.unwrap().status, 200, "in the browser that has proven it");
        bot.answer().await;
    }

    async fn signing_in_may_be_declined_or_fail_and_the_link_still_works(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        bot.zoom.sign_in_as(&bot.zoom.user("ada@example.com"));
        let offer = bot.types(&ada, &events, "/stream connect").await;
        bot.slack.decline();
        let declined = bot.press_connect(&offer).await;
        assert_eq!((declined.status.as_u16(), declined.button()), (200, Some(connect_link(&offer))));
        bot.slack.sign_in_as(&ada);
        let mut browser = bot.browser();
        let confirm = browser.visit(&connect_link(&offer)).await.unwrap();
        let back = browser.fetch(&confirm.button().unwrap()).await.unwrap();
        bot.slack.next(Route::OtherMethod, Fault::status(503));
        let away = browser.visit(back.headers["location"].to_str().unwrap()).await.unwrap();
        assert_eq!(away.status, 502, "{}", away.text());
        assert_eq!(bot.press_connect(&offer).await.status, 200);
        let told = bot.answer().await;
        assert!(told.shown.contains("ada@example.com"), "{}", told.shown);
    }
}

/// Delivers what Slack tells when the app was taken out of a place, each of it twice, in this order.
async fn deliver(bot: &Bot, events: &[SignedRequest]) {
    for event in events {
        assert_eq!(bot.send(event).await, (200, String::new()));
        assert_eq!(bot.send(event).await.0, 401, "the same signed request is a replay");
    }
}

/// How often the audit says so.
fn outcomes(bot: &Bot, outcome: &str) -> usize {
    bot.audit().iter().filter(|entry| entry["outcome"] == outcome).count()
}

installable! {
    async fn what_belongs_to_a_workspace_goes_with_the_app_and_the_rest_stays(bot) {
        let acme = bot.slack.home().clone();
        bot.install_as(&bot.slack.user("ada")).await;
        let (ada, events, host) = bot.connected("ada").await;
        bot.types(&ada, &events, "/stream save keynote 68423085").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(card.hook.is_none(), "{}", card.shown);
        // Ben's Zoom account is used in another workspace as well.
        let shared = bot.zoom.user("ben@example.com");
        let globex = bot.slack.workspace("globex");
        let (ben, twin) = (bot.slack.user("ben"), bot.slack.user_in(&globex, "ben"));
        let lobby = bot.slack.channel_in(&globex, "lobby");
        bot.zoom.sign_in_as(&shared);
        for (user, channel) in [(&ben, &events), (&twin, &lobby)] {
            bot.slack.sign_in_as(user);
            let offer = bot.types(user, channel, "/stream connect").await;
            assert_eq!(bot.press_connect(&offer).await.status, 200);
            bot.answer().await;
        }
        let offered = bot.types(&ada, &events, "/stream connect").await;

        let [uninstalled, revoked] = bot.slack.uninstall(&acme);
        deliver(&bot, &[revoked, uninstalled]).await;
        bot.owes_nothing_within(PATIENCE).await;
        assert_eq!(outcomes(&bot, "uninstalled"), 1, "once, whichever of the events came first");
        assert_eq!(bot.last_audit()["team"], json!(acme.id));
        assert!(!bot.zoom.has_grant(&host), "nobody else uses it");
        assert!(bot.zoom.has_grant(&shared), "somebody else does");
        assert!(bot.audit().iter().any(|entry| entry["outcome"] == "accepted"), "the audit stays");
        let link = bot.browser().visit(&connect_link(&offered)).await.unwrap();
        assert_eq!(link.status, 410, "{}", link.text());
        let who = bot.types(&twin, &lobby, "/stream whoami").await;
        assert!(who.shown.contains("ben@example.com"), "{}", who.shown);

        // Installed anew it is a new beginning, and an event that comes late changes nothing.
        bot.install_as(&ada).await;
        let (ada, events, _) = bot.connected("ada").await;
        let presets = bot.types(&ada, &events, "/stream presets").await;
        assert!(presets.shown.starts_with("You have no saved names"), "{}", presets.shown);
        let before = bot.slack.clock().now() - SignedDuration::from_mins(1);
        for event in [
            json!({ "type": "app_uninstalled" }),
            json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": [acme.bot_user] } }),
        ] {
            deliver(&bot, &[bot.slack.event_of(&acme, &event, before)]).await;
        }
        let people = json!({ "type": "tokens_revoked", "tokens": { "oauth": [ada.id], "bot": [] } });
        deliver(&bot, &[bot.slack.event(&acme, &people)]).await;
        bot.owes_nothing_within(PATIENCE).await;
        let who = bot.types(&ada, &events, "/stream whoami").await;
        assert!(who.shown.contains("ada@example.com"), "{}", who.shown);
        assert_eq!(outcomes(&bot, "uninstalled"), 1);
    }

    async fn an_organization_takes_it_out_of_one_workspace_or_of_all(bot) {
        let workspaces = ["one", "two"].map(|name| bot.slack.grid_workspace(name, "Initech", Installed::OrgWide));
        bot.install_as(&bot.slack.user_in(&workspaces[0], "olga")).await;
        let mut people = Vec::new();
        for workspace in &workspaces {
            let (user, channel) = (bot.slack.user_in(workspace, "ana"), bot.slack.channel_in(workspace, "events"));
            let host = bot.zoom.user(&format!("ana@{}.example", workspace.domain));
            bot.slack.sign_in_as(&user);
            bot.zoom.sign_in_as(&host);
            let offer = bot.types(&user, &channel, "/stream connect").await;
            assert_eq!(bot.press_connect(&offer).await.status, 200);
            bot.answer().await;
            people.push((user, channel, host));
        }
        let (two, [(_, _, first), (user, channel, second)]) = (&workspaces[1], &people[..]) else { unreachable!() };
        let taken = json!({ "type": "team_access_revoked", "team_ids": [workspaces[0].id] });
        deliver(&bot, &[bot.slack.event(&workspaces[0], &taken)]).await;
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(first) && bot.zoom.has_grant(second));
        let who = bot.types(user, channel, "/stream whoami").await;
        assert!(who.shown.contains("ana@two.example"), "{}", who.shown);
        deliver(&bot, &bot.slack.uninstall(two)).await;
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(second));
        assert_eq!(outcomes(&bot, "uninstalled"), 2);
    }

    async fn a_killed_service_goes_on_taking_apart_what_it_had_begun(bot) {
        bot.install_as(&bot.slack.user("ada")).await;
        let (_, _, host) = bot.connected("ada").await;
        bot.zoom.always(ZoomRoute::Revoke, Fault::Hang);
        let [uninstalled, _] = bot.slack.uninstall(bot.slack.home());
        deliver(&bot, &[uninstalled]).await;
        bot.zoom.wait_for("the revocation", PATIENCE, |request| request.path.ends_with("/revoke")).await.unwrap();
        bot.service.signal("KILL");
        bot.service.wait();
        bot.zoom.heal();
        bot.start_over();
        let [_, revoked] = bot.slack.uninstall(bot.slack.home());
        deliver(&bot, &[revoked]).await;
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(&host));
        assert_eq!(outcomes(&bot, "uninstalled"), 1);
    }

    async fn an_event_that_is_told_again_takes_nothing_of_what_came_since(bot) {
        let [one, _] = ["one", "two"].map(|name| bot.slack.grid_workspace(name, "Initech", Installed::OrgWide));
        let (user, channel) = (bot.slack.user_in(&one, "ana"), bot.slack.channel_in(&one, "events"));
        bot.install_as(&user).await;
        let host = bot.zoom.user("ana@one.example");
        bot.zoom.sign_in_as(&host);
        let before = bot.slack.clock().now() - SignedDuration::from_mins(1);
        let taken = json!({ "type": "team_access_revoked", "team_ids": [one.id] });
        for _ in 0..2 {
            deliver(&bot, &[bot.slack.event_of(&one, &taken, before)]).await;
            bot.owes_nothing_within(PATIENCE).await;
            let offer = bot.types(&user, &channel, "/stream connect").await;
            assert_eq!(bot.press_connect(&offer).await.status, 200);
            bot.answer().await;
        }
        deliver(&bot, &[bot.slack.event_of(&one, &taken, before)]).await;
        bot.owes_nothing_within(PATIENCE).await;
        assert!(bot.zoom.has_grant(&host), "she connected after it");
    }

    async fn installing_again_makes_no_admin(bot) {
        let (ada, ben, events) = (bot.slack.user("ada"), bot.slack.user("ben"), bot.slack.channel("events"));
        bot.slack.set_role(&ada, Role::Owner);
        bot.install_as(&ada).await;
        // Slack lets any member install in most workspaces.
        assert_eq!(bot.install_as(&ben).await.status, 200);
        let told = bot.types(&ben, &events, "/stream audit").await;
        assert!(told.shown.contains("admins"), "{}", told.shown);
        assert_eq!(bot.last_audit()["outcome"], "denied");
        let listed = bot.types(&ada, &events, "/stream audit").await;
        assert!(listed.shown.contains("installed"), "{}", listed.shown);
    }

    async fn what_waits_for_its_next_try_is_not_tried_where_the_app_is_gone(bot) {
        bot.install_as(&bot.slack.user("ada")).await;
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let headers = vec![("retry-after".to_owned(), "3".to_owned())];
        bot.zoom.next(ZoomRoute::MeetingStatus, Fault::Answer { status: 429, headers, body: String::new() });
        let told = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert!(told.shown.contains("again"), "{}", told.shown);
        let [uninstalled, _] = bot.slack.uninstall(bot.slack.home());
        deliver(&bot, &[uninstalled]).await;
        bot.owes_nothing_within(PATIENCE).await;
        assert_eq!(bot.zoom.starts_of(meeting), 0);
        assert_eq!(outcomes(&bot, "uninstalled"), 2, "of the place, and of the order");
    }
}

on_both_engines! {
    async fn without_a_client_id_there_is_nothing_to_install(bot) {
        let page = bot.browser().visit(&install_link()).await.unwrap();
        assert!(page.status == 404 && page.text().contains("SLACK_CLIENT_ID"), "{}", page.text());
        let landing = bot.browser().visit(&format!("{PUBLIC}/")).await.unwrap();
        assert!(landing.status == 200 && landing.button().is_none(), "{}", landing.text());
    }
}

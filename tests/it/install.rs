//! Installing the app, signing in to connect, and taking the app out again.

use onair::sandbox::Fault;
use onair::sandbox::slack::{Installed, Route};
use serde_json::json;

use crate::bot::{Bot, Engine, PUBLIC, connect_link, is_public, on_both_engines};

/// One story per engine, with an app that can be installed.
macro_rules! installable {
    ($($(#[$meta:meta])* async fn $name:ident($bot:ident) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                $(#[$meta])*
                #[allow(unused_mut, reason = "not every story changes the bot")]
                async fn story(mut $bot: Bot) {
                    $body
                    $bot.finish().await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_redis() {
                    story(Bot::installable(Engine::Redis).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn embedded() {
                    story(Bot::installable(Engine::Embedded).await).await;
                }
            }
        )*
    };
}

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

on_both_engines! {
    async fn without_a_client_id_there_is_nothing_to_install(bot) {
        let page = bot.browser().visit(&install_link()).await.unwrap();
        assert!(page.status == 404 && page.text().contains("SLACK_CLIENT_ID"), "{}", page.text());
        let landing = bot.browser().visit(&format!("{PUBLIC}/")).await.unwrap();
        assert!(landing.status == 200 && landing.button().is_none(), "{}", landing.text());
    }
}

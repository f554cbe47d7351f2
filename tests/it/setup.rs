//! Where a meeting's stream goes: the link in Slack, the page, and what becomes of what is typed there.

use std::time::{Duration, Instant};

use onair::sandbox::Fault;
use onair::sandbox::browser::{Browser, Visit};
use onair::sandbox::slack::{Channel, Message, User};
use onair::sandbox::zoom::{Route, SCOPES, Target, WEBINAR_SCOPES, refusal};
use onair::store::Place;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::bot::{Bot, Engine, PATIENCE, PUBLIC, is_public, on_both_engines};
use crate::chromium::Chromium;
use crate::proxy::{Mode, Proxy};

const NEW: [(&str, &str); 3] = [
    ("stream_url", "rtmps://ingest.example.net/live"),
    ("stream_key", "canary-key?user=a&pass=b"),
    ("page_url", "https://watch.example.net/"),
];

fn target() -> Target {
    let [stream_url, stream_key, page_url] = NEW.map(|(_, value)| value.to_owned());
    Target { stream_url, stream_key, page_url, resolution: "720p".to_owned() }
}

fn link(offer: &Message) -> String {
    offer.link("Open the page").unwrap_or_else(|| panic!("no button in: {}", offer.shown))
}

/// Types the command and says yes on the page.
async fn opened(bot: &mut Bot, user: &User, channel: &Channel, meeting: u64) -> (Browser, Visit) {
    let offer = bot.types(user, channel, &format!("/stream setup {meeting}")).await;
    let mut browser = bot.browser();
    let page = say_yes(&mut browser, &link(&offer)).await;
    (browser, page)
}

async fn say_yes(browser: &mut Browser, link: &str) -> Visit {
    let question = browser.visit(link).await.unwrap();
    assert!(question.text().contains("Is this you?"), "{}", question.text());
    check(browser.submit(&question, &[]).await.unwrap())
}

async fn fill_in(browser: &mut Browser, page: &Visit, filled: &[(&str, &str)]) -> Visit {
    check(browser.submit(page, filled).await.unwrap())
}

/// What holds for every page: no key is in it, and nobody keeps it.
fn check(page: Visit) -> Visit {
    assert!(!page.html.contains("canary"), "{}", page.html);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let form_action = if page.html.contains("<form ") { "form-action 'self';" } else { "form-action 'none';" };
    assert!(policy.starts_with("default-src 'none';") && policy.contains(form_action), "{policy}");
    page
}

fn field(page: &Visit, name: &str) -> String {
    let fields = page.fields();
    let found = fields.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name} in {fields:?}")).1.clone()
}

fn says(page: &Visit, status: u16, words: &[&str]) {
    assert_eq!(page.status.as_u16(), status, "{}", page.text());
    for words in words {
        assert!(page.text().contains(words), "{words:?} is not in: {}", page.text());
    }
}

/// Something that is no browser.
fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap()
}

/// How often Zoom was asked to set where a stream goes.
fn changes(bot: &Bot) -> usize {
    let is_change = |path: &str, method: &str| method == "PATCH" && path.ends_with("/livestream");
    bot.zoom.requests().iter().filter(|request| is_change(&request.path, &request.method)).count()
}

on_both_engines! {
    async fn setup_shows_what_is_set_and_sets_something_else(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
        assert!(!is_public(&offer) && offer.shown.contains("812 0000 0001"), "{}", offer.shown);
        let link = link(&offer);
        let state = link.strip_prefix(&format!("{PUBLIC}/zoom/setup?state=")).unwrap();
        assert_eq!(state.len(), 43, "256 bits");
        let offered = bot.last_audit();
        assert_eq!((&offered["verb"], &offered["outcome"]), (&json!("setup"), &json!("offered")));
        assert_eq!(offered["meeting"], meeting);

        let mut browser = bot.browser();
        let question = check(browser.visit(&link).await.unwrap());
        says(&question, 200, &["ada in the Slack workspace", &bot.slack.home().domain, "812 0000 0001"]);
        let page = say_yes(&mut browser, &link).await;
        says(&page, 200, &["812 0000 0001", "ada@example.com", "Zoom has one, which is never shown"]);
        let shown = ["stream_url", "stream_key", "page_url"].map(|name| field(&page, name));
        assert_eq!(shown, ["rtmps://live.example.com/app", "", "https://live.example.com/watch/1"]);
        assert_eq!(page.html.matches("type=\"password\"").count(), 1);
        assert_eq!(page.html.matches("autocomplete=\"off\"").count(), 4, "the form and each field");

        assert!(!page.headers.contains_key("clear-site-data"));
        let done = fill_in(&mut browser, &page, &NEW).await;
        assert_eq!(done.headers["clear-site-data"], "\"cache\"");
        says(&done, 200, &["Saved at Zoom", "812 0000 0001", &format!("/stream start {meeting}")]);
        assert_eq!(bot.zoom.meeting_now(meeting).unwrap().target, Some(target()));
        let entry = bot.last_audit();
        assert_eq!((&entry["verb"], &entry["outcome"]), (&json!("setup"), &json!("target_set")));
        assert_eq!((&entry["meeting"], &entry["zoom"]["status"]), (&json!(meeting), &json!(204)));
        assert_eq!((&entry["reference"], &entry["user"]), (&offered["reference"], &offered["user"]));
        assert!(!entry.to_string().contains("example"), "no value is in the audit: {entry}");
    }

    async fn looking_at_the_link_ahead_of_a_person_changes_nothing(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
        let (link, asked) = (link(&offer), bot.zoom.requests().len());
        for _ in 0..3 {
            let seen = check(bot.browser().visit(&link).await.unwrap());
            says(&seen, 200, &["Is this you?"]);
            assert!(!seen.html.contains("live.example.com"), "{}", seen.html);
        }
        let (program, agent) = (client(), "Slackbot-LinkExpanding 1.0");
        let real = link.replace(PUBLIC, &bot.service.at(""));
        for (request, status) in [(program.get(&real), 200), (program.head(&real), 405)] {
            let request = request.header("user-agent", agent).header("sec-purpose", "prefetch");
            assert_eq!(request.send().await.unwrap().status(), status);
        }
        assert_eq!(bot.zoom.requests().len(), asked, "Zoom was not asked");
        let mut browser = bot.browser();
        let page = say_yes(&mut browser, &link).await;
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
    }

    async fn the_page_is_for_the_browser_that_opened_it(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
        let link = link(&offer);
        let mut late = bot.browser();
        let question = late.visit(&link).await.unwrap();
        let mut browser = bot.browser();
        let page = say_yes(&mut browser, &link).await;

        let other = ["another browser", "/stream setup"];
        says(&check(late.visit(&link).await.unwrap()), 403, &other);
        says(&fill_in(&mut late, &question, &[]).await, 403, &other);
        says(&fill_in(&mut late, &page, &NEW).await, 403, &other);
        says(&check(bot.browser().visit(&link).await.unwrap()), 403, &other);
        // The cookie's name can be worked out from the link, its value cannot.
        let state = field(&page, "state");
        let name = {
            use sha2::Digest as _;
            hex::encode(&sha2::Sha256::digest(&state)[..16])
        };
        let forged = client().get(link.replace(PUBLIC, &bot.service.at("")));
        for value in ["1", "", &state] {
            let forged = forged.try_clone().unwrap().header("cookie", format!("__Host-onair_setup_{name}={value}"));
            assert_eq!(forged.send().await.unwrap().status(), 403, "{value}");
        }
        assert_eq!(changes(&bot), 0);

        says(&check(browser.visit(&link).await.unwrap()), 200, &["Zoom has one"]);
        says(&fill_in(&mut browser, &question, &[]).await, 200, &["Zoom has one"]);
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
    }

    async fn of_many_browsers_that_say_yes_at_once_one_gets_the_page(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
        let link = link(&offer);
        let mut yeses = tokio::task::JoinSet::new();
        for mut browser in (0..8).map(|_| bot.browser()) {
            let question = browser.visit(&link).await.unwrap();
            yeses.spawn(async move { browser.submit(&question, &[]).await.unwrap().status });
        }
        let statuses = yeses.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::FORBIDDEN).count(), 7, "{statuses:?}");
    }

    async fn a_page_is_good_for_one_change_even_for_two_at_once(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        let mut fields = page.fields();
        for (name, value) in NEW {
            fields.iter_mut().find(|(known, _)| known == name).unwrap().1 = value.to_owned();
        }
        let mut twin = browser.clone();
        let (first, second) = tokio::join!(browser.post("/zoom/setup", &fields), twin.post("/zoom/setup", &fields));
        let mut statuses = [first, second].map(|visit| check(visit.unwrap()).status.as_u16());
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 410]);
        says(&fill_in(&mut browser, &page, &NEW).await, 410, &["/stream setup"]);
        assert_eq!(changes(&bot), 1);
        for link in [format!("{PUBLIC}/zoom/setup"), format!("{PUBLIC}/zoom/setup?state=x&state=y")] {
            says(&check(browser.visit(&link).await.unwrap()), 410, &["/stream setup"]);
        }
    }

    async fn what_is_wrong_is_told_by_the_field_and_uses_nothing_up(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let (mut browser, mut page) = opened(&mut bot, &ada, &events, meeting).await;
        let long = format!("https://watch.example.net/{}", "a".repeat(1024));
        for (name, value, words) in [
            ("stream_url", "", "Enter the stream URL."),
            ("stream_url", "live.example.net/app", "not a whole address"),
            ("stream_url", "canary-key", "not a whole address"),
            ("stream_url", "https://live.example.net/app", "must begin with rtmp:// or rtmps://"),
            ("stream_url", "rtmp://live.example.net/a b", "has a space"),
            ("stream_key", "", "Enter the stream key."),
            ("stream_key", "canary key", "has a space"),
            ("stream_key", "rtmp://live.example.net/canary", "The stream key is an address."),
            ("stream_key", &"canary".repeat(100), "Zoom takes 512 characters at most"),
            ("page_url", "http://watch.example.net/", "must begin with https://"),
            ("page_url", "http://watch.example.net/<b>\"'&amp;", "must begin with https://"),
            ("page_url", "canary-key", "not a whole address"),
            ("page_url", &long, "Zoom takes 1024 characters at most"),
        ] {
            let filled = NEW.map(|(known, right)| (known, if known == name { value } else { right }));
            page = fill_in(&mut browser, &page, &filled).await;
            says(&page, 422, &["one thing is wrong", words, "Enter it again"]);
            for (name, value) in filled {
                assert_eq!(field(&page, name), if value.contains("://") && name != "stream_key" { value } else { "" });
            }
            assert_eq!(page.html.matches("aria-invalid").count(), 2, "in the style and on the field");
            assert!(page.html.contains(&format!("aria-describedby=\"{name}-fault {name}-hint\"")), "{}", page.html);
            assert!(page.html.contains(&format!("<a href=\"#{name}\">")) && page.html.contains("<title>Error: "));
        }
        let empty = NEW.map(|(name, _)| (name, ""));
        says(&fill_in(&mut browser, &page, &empty).await, 422, &["3 things are wrong"]);
        assert_eq!(changes(&bot), 0);
        assert_eq!(bot.last_audit()["outcome"], "offered");
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
    }

    async fn every_no_of_zoom_is_told_in_plain_words(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let setting = "Not allowed to start live streaming. To use this feature, enable the setting.";
        let scopes = "Invalid access token, does not contain scopes:[meeting:update:livestream].";
        let wrong_field = Fault::json(400, &json!({ "code": 300, "message": "Validation Failed.",
            "errors": [{ "field": "stream_url", "message": "Invalid field canary-key?user=a&pass=b." }] }));
        for (fault, outcome, words) in [
            (refusal(400, 3161, "Your user account is not allowed."), "not_allowed", "Pro license"),
            (refusal(400, 3000, setting), "not_allowed", "Custom Live Streaming Service"),
            (refusal(404, 3001, "Meeting does not exist: 81200000001."), "not_found", "ada@example.com"),
            (refusal(400, 1010, "User does not belong to this account."), "other_account", "/stream connect"),
            (refusal(404, 1001, "User does not exist."), "user_missing", "no longer exists"),
            (refusal(400, 4711, scopes), "scope", "meeting:update:livestream"),
            (refusal(400, 300, "Invalid meeting ID."), "invalid", "meeting id"),
            (wrong_field, "invalid", "The stream URL:"),
            (refusal(400, 3000, "Bad <b>key</b> canary-key?user=a&pass=b!"), "refused", "“Bad <b>key</b> …!”"),
            (refusal(400, 3000, "Ends with canary-key?user=a&pass=b"), "refused", "stop it first"),
            (Fault::too_many("3"), "throttled", "too many requests"),
            (Fault::status(503), "unavailable", "Wait a few minutes"),
            (Fault::Cut, "unknown", "OnAir doesn't know whether Zoom saved it"),
        ] {
            let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
            bot.zoom.next(Route::SetMeetingTarget, fault);
            let told = fill_in(&mut browser, &page, &NEW).await;
            says(&told, 502, &[words, &format!("/stream setup {meeting}")]);
            let entry = bot.last_audit();
            assert_eq!((&entry["verb"], &entry["outcome"]), (&json!("setup"), &json!(outcome)), "{words}");
            if ["invalid", "refused", "unavailable", "unknown"].contains(&outcome) {
                says(&told, 502, &[entry["reference"].as_str().unwrap()]);
            }
            says(&fill_in(&mut browser, &page, &NEW).await, 410, &[]);
        }
        assert_eq!(bot.zoom.meeting_now(meeting).unwrap().target.unwrap().stream_url, "rtmps://live.example.com/app");
    }

    async fn a_stream_on_air_has_to_be_stopped_first(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        let told = fill_in(&mut browser, &page, &NEW).await;
        says(&told, 502, &["Nothing was saved", &format!("/stream stop {meeting}")]);
        bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
    }

    async fn a_zoom_that_does_not_show_what_is_set_may_still_take_a_change(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let scopes = "Invalid access token, does not contain scopes:[meeting:read:livestream].";
        let garbage = Fault::json(200, &json!({ "stream_url": ["canary"], "stream_key": "canary" }));
        for (fault, words) in [
            (refusal(400, 4711, scopes), "has no permission for that"),
            (Fault::status(503), "is not answering"),
            (Fault::Cut, "is not answering"),
            (Fault::too_many("3"), "too many requests"),
            (refusal(400, 9999, "Something new."), "did not show what is set"),
            (garbage, "is not answering"),
        ] {
            bot.zoom.next(Route::MeetingTarget, fault);
            let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
            says(&page, 200, &[words, "takes the place of what is set"]);
            assert_eq!(field(&page, "stream_url"), "");
            says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
        }
    }

    async fn where_nothing_can_be_set_there_is_no_form(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let (meeting, other) = (bot.zoom.meeting(&host), bot.zoom.user("other@example.com"));
        let theirs = bot.zoom.meeting(&other);
        let (_, page) = opened(&mut bot, &ada, &events, theirs).await;
        says(&page, 502, &["Nothing can be set here", "ada@example.com", "/stream connect"]);
        assert!(!page.html.contains("<form"), "{}", page.html);
        bot.zoom.edit_user(&host, |user| user.licensed = false);
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        says(&page, 502, &["Nothing can be set here", "Pro license"]);
        bot.zoom.edit_user(&host, |user| user.licensed = true);
        let link = bot.slack.messages().iter().rev().find_map(|message| message.link("Open the page")).unwrap();
        says(&check(browser.visit(&link).await.unwrap()), 200, &["Zoom has one"]);
    }

    async fn a_webinar_is_found_out_and_remembered(bot) {
        bot.zoom.set_scopes(&[SCOPES, WEBINAR_SCOPES].concat());
        let (ada, events, host) = bot.connected("ada").await;
        let webinar = bot.zoom.webinar(&host);
        let (mut browser, page) = opened(&mut bot, &ada, &events, webinar).await;
        says(&page, 200, &["Zoom has one"]);
        assert_eq!(field(&page, "stream_url"), "rtmps://live.example.com/app");
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
        assert_eq!(bot.zoom.meeting_now(webinar).unwrap().target, Some(target()));
        let asked_as_meeting = |bot: &Bot| {
            let path = format!("/v2/meetings/{webinar}/livestream");
            bot.zoom.requests().iter().filter(|request| request.path == path).count()
        };
        assert_eq!(asked_as_meeting(&bot), 1);
        opened(&mut bot, &ada, &events, webinar).await;
        assert_eq!(asked_as_meeting(&bot), 1);
    }

    async fn a_host_who_streams_in_1080p_goes_on_to(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        bot.zoom.edit_user(&host, |user| user.full_hd = true);
        bot.zoom.edit_meeting(meeting, |meeting| meeting.target.as_mut().unwrap().resolution = "1080p".to_owned());
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
        let resolution = "1080p".to_owned();
        assert_eq!(bot.zoom.meeting_now(meeting).unwrap().target, Some(Target { resolution, ..target() }));

        bot.zoom.edit_meeting(meeting, |meeting| meeting.target = None);
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        says(&page, 200, &["Zoom has none yet"]);
        says(&fill_in(&mut browser, &page, &NEW).await, 502, &["The resolution:", "Zoom web portal"]);
        bot.excused = vec!["PATCH /v2/meetings/81200000001/livestream: 400/300 Validation Failed. [\"resolution\"]"];
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_away_nothing_is_lost() {
    let mut bot = Bot::start(Engine::Redis).await;
    let proxy = Proxy::start(bot.redis.as_ref().unwrap().port()).await;
    bot.restart_with("REDIS_URL", &proxy.instead_of(bot.redis.as_ref().unwrap().url().expose()));
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting(&host);
    let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
    let mut browser = bot.browser();
    let question = browser.visit(&link(&offer)).await.unwrap();
    proxy.set(Mode::Cut);
    let away = ["Nothing was saved", "Wait a minute"];
    says(&check(browser.visit(&link(&offer)).await.unwrap()), 503, &away);
    says(&fill_in(&mut browser, &question, &[]).await, 503, &away);
    proxy.set(Mode::Pass);
    bot.ready_again().await;
    let page = fill_in(&mut browser, &question, &[]).await;
    says(&page, 200, &["Zoom has one"]);
    proxy.set(Mode::Cut);
    let refused = fill_in(&mut browser, &page, &NEW).await;
    says(&refused, 503, &away);
    assert!(!refused.headers.contains_key("clear-site-data"), "there is something to go back to");
    proxy.set(Mode::Pass);
    bot.ready_again().await;
    says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
    assert_eq!(changes(&bot), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_once_the_page_is_used_up_leaves_an_entry() {
    let mut bot = Bot::start(Engine::Redis).await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting(&host);
    let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
    // Of the wrong type, so that it can't be read.
    let grant = format!("{}:grant:{}", Place::NAMESPACE, host.id);
    for command in [format!("RENAME {grant} elsewhere"), format!("SADD {grant} nothing")] {
        bot.redis.as_ref().unwrap().tell(&command).await;
    }
    says(&fill_in(&mut browser, &page, &NEW).await, 503, &["Nothing was saved", "/stream setup"]);
    let entry = bot.last_audit();
    assert_eq!(
        (&entry["verb"], &entry["outcome"], &entry["meeting"]),
        (&json!("setup"), &json!("failed"), &json!(meeting))
    );
    assert_eq!(changes(&bot), 0);
    bot.finish().await;
}

on_both_engines! {
    async fn without_a_connection_one_is_offered_and_the_command_is_to_be_repeated(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let host = bot.zoom.user("ada@example.com");
        let meeting = bot.zoom.meeting(&host);
        bot.zoom.sign_in_as(&host);
        bot.zoom.set_scopes(&["user:read:user", "meeting:update:livestream_status"]);
        for outcome in ["not_connected", "scope"] {
            let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
            assert!(!is_public(&offer) && offer.shown.contains("type your command again"), "{}", offer.shown);
            assert_eq!(offer.shown.contains("`meeting:update:livestream`"), outcome == "scope", "{}", offer.shown);
            assert_eq!(bot.last_audit()["outcome"], outcome);
            if outcome == "scope" {
                bot.zoom.set_scopes(SCOPES);
            }
            assert_eq!(bot.press_connect(&offer).await.status, 200);
            bot.answer().await;
        }
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
    }

    async fn an_expired_token_is_refreshed_once_and_an_ended_one_says_so(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        says(&page, 200, &["Zoom has one"]);
        assert_eq!(bot.zoom.refreshes(), 1);
        bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
        assert_eq!((bot.zoom.refreshes(), changes(&bot)), (2, 2));

        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        bot.zoom.remove_app(&host);
        says(&fill_in(&mut browser, &page, &NEW).await, 502, &["isn't connected any more", "/stream connect"]);
        assert_eq!(bot.last_audit()["outcome"], "reconnect");
        bot.excused = vec!["token: invalid_grant: Invalid Token!"];
    }

    async fn who_has_disconnected_sets_nothing_any_more(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        bot.types(&ada, &events, "/stream disconnect").await;
        says(&fill_in(&mut browser, &page, &[]).await, 502, &["isn't connected any more"]);
        says(&fill_in(&mut browser, &page, &NEW).await, 502, &["isn't connected any more"]);
        assert_eq!((bot.last_audit()["outcome"].clone(), changes(&bot)), (json!("reconnect"), 0));
    }

    async fn a_saved_name_will_do(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        bot.types(&ada, &events, &format!("/stream save show {meeting}")).await;
        let offer = bot.types(&ada, &events, "/stream setup show").await;
        assert!(offer.shown.contains("812 0000 0001"), "{}", offer.shown);
        let mut browser = bot.browser();
        let page = say_yes(&mut browser, &link(&offer)).await;
        says(&fill_in(&mut browser, &page, &NEW).await, 200, &["Saved at Zoom"]);
    }

    async fn a_browser_that_is_closed_on_the_way_leaves_an_entry(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        bot.zoom.next(Route::SetMeetingTarget, Fault::Delay(Duration::from_secs(2)));
        let begun = Instant::now();
        let asked = async {
            while changes(&bot) == 0 {
                assert!(begun.elapsed() < PATIENCE, "Zoom was not asked:\n{}", bot.service.log());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            biased;
            () = asked => {}
            visit = browser.submit(&page, &NEW) => panic!("answered before Zoom was seen to be asked: {visit:?}"),
        }
        bot.service.logged("target_set").await;
        assert_eq!(bot.zoom.meeting_now(meeting).unwrap().target, Some(target()));
    }

    async fn a_service_that_dies_while_zoom_is_asked_leaves_an_entry_that_nobody_knows(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let (mut browser, page) = opened(&mut bot, &ada, &events, meeting).await;
        bot.zoom.next(Route::SetMeetingTarget, Fault::Hang);
        let asked = bot.zoom.wait_until("the change", PATIENCE, |_| (changes(&bot) > 0).then_some(()));
        tokio::select! {
            biased;
            asked = asked => asked.unwrap(),
            visit = browser.submit(&page, &NEW) => panic!("answered before Zoom was seen to be asked: {visit:?}"),
        }
        bot.service.signal("KILL");
        bot.service.wait();
        bot.start_over();
        bot.owes_nothing_within(PATIENCE).await;
        let entry = bot.last_audit();
        assert_eq!((&entry["verb"], &entry["outcome"], &entry["user"]), (&json!("setup"), &json!("unknown"), &json!(ada.id)));
        assert_eq!(bot.audit().iter().filter(|entry| entry["outcome"] == "unknown").count(), 1);
    }

    async fn a_form_of_another_site_or_another_shape_does_nothing(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting(&host);
        let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
        let mut browser = bot.browser();
        let question = browser.visit(&link(&offer)).await.unwrap();
        let yes = browser.post("/zoom/setup", &question.fields()).await.unwrap();
        assert_eq!(yes.headers["cache-control"], "no-store");
        assert_eq!(yes.headers["referrer-policy"], "no-referrer");
        let cookie = yes.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap();

        let (http, address) = (client(), bot.service.at("/zoom/setup"));
        let mut fields = vec![("state", field(&question, "state")), ("step", "save".to_owned())];
        fields.extend(NEW.map(|(name, value)| (name, value.to_owned())));
        let form = |headers: &[(&'static str, &str)]| {
            let request = http.post(&address).header("cookie", cookie).form(&fields);
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        for foreign in [
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://x.onair.test")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("origin", PUBLIC)],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
        ] {
            let answer = form(foreign).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{foreign:?}");
            assert!(answer.text().await.unwrap().contains("another site"), "{foreign:?}");
        }
        let ours = ("sec-fetch-site", "same-origin");
        let post = |body: &str, kind: &str| {
            let request = http.post(&address).header("cookie", cookie).header(ours.0, ours.1);
            request.header("content-type", kind).body(body.to_owned())
        };
        let state = field(&question, "state");
        let form_type = "application/x-www-form-urlencoded";
        for (body, kind, status) in [
            ("", form_type, 400),
            (&format!("state={state}"), form_type, 400),
            (&format!("state={state}&step=save&step=save"), form_type, 400),
            (&format!("state={state}&step=save&other=1"), form_type, 400),
            (&format!("state={state}&step=save"), "text/plain", 400),
            (&format!("{{\"state\":\"{state}\"}}"), "application/json", 400),
            (&format!("state={state}&step=save"), "Application/X-WWW-Form-Urlencoded; charset=utf-8", 422),
            (&format!("state={state}&step=save&stream_key={}", "k".repeat(64 * 1024)), form_type, 413),
        ] {
            let answer = post(body, kind).send().await.unwrap();
            assert_eq!(answer.status(), status, "{kind} {}", &body[..body.len().min(80)]);
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS] {
            let answer = http.request(method.clone(), &address).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method}");
        }
        assert_eq!(changes(&bot), 0);
        // What is no browser says neither.
        let answer = form(&[]).send().await.unwrap();
        assert!(answer.text().await.unwrap().contains("Saved at Zoom"), "and nothing of this used the page up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_chromium_the_page_shows_what_is_set_and_sets_something_else_once() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting(&host);
    // Of this machine, so that no certificate is needed, and treated by browsers like https otherwise.
    bot.restart_with("ONAIR_BASE_URL", "http://localhost");
    let offer = bot.types(&ada, &events, &format!("/stream setup {meeting}")).await;
    let link = link(&offer);
    let chromium = Chromium::start("localhost:80", &bot.service.at("").replace("http://", "")).await;

    chromium.open(&link).await;
    chromium.shows("Is this you?").await;
    chromium.click("button").await;
    let page = chromium.shows("Where the stream of 812 0000 0001 goes").await;
    assert!(page.contains("ada@example.com") && page.contains("Zoom has one, which is never shown"), "{page}");
    assert_eq!(chromium.address().await, link);
    let mut shown = Vec::new();
    for (name, _) in NEW {
        shown.push(chromium.property(&format!("#{name}"), "value").await);
        assert_eq!(chromium.property(&format!("#{name}"), "autocomplete").await, "off");
    }
    assert_eq!(json!(shown), json!(["rtmps://live.example.com/app", "", "https://live.example.com/watch/1"]));
    assert_eq!(chromium.property("#stream_key", "type").await, "password");
    assert_eq!(chromium.spoken_name("#stream_key").await, "Stream key");

    chromium.fill_in("#stream_url", "https://live.example.com/app").await;
    // Enter is as good as the button.
    chromium.fill_in("#stream_key", &format!("{}\n", NEW[1].1)).await;
    chromium.shows("must begin with rtmp:// or rtmps://").await;
    assert_eq!(chromium.property("#stream_key", "value").await, "");
    assert_eq!(chromium.property(":focus", "className").await, "faults");

    for (name, value) in NEW {
        chromium.fill_in(&format!("#{name}"), value).await;
    }
    chromium.click("button").await;
    chromium.shows("Saved at Zoom").await;
    assert_eq!(bot.zoom.meeting_now(meeting).unwrap().target, Some(target()));

    chromium.reload().await;
    chromium.shows("This page is over").await;
    // First comes what was sent with a fault in it, which a browser sends again only if it is told to; then the form.
    chromium.back().await;
    chromium.back().await;
    chromium.shows("This page is over").await;
    chromium.open(&link).await;
    chromium.shows("This page is over").await;
    assert_eq!(changes(&bot), 1);
    assert_eq!(chromium.forbidden().await, Vec::<serde_json::Value>::new());
    chromium.close().await;
    bot.finish().await;
}

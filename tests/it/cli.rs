//! The command line: what it prints, and with which status it ends.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bot::{Bot, Engine, on_both_engines, onair};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_wrong_configuration_is_told_whole_by_name_and_never_by_value() {
    let vars = BTreeMap::from([
        ("ONAIR_BASE_URL".to_owned(), "http://canary.example.com".to_owned()),
        ("ONAIR_ENCRYPTION_KEYS".to_owned(), "canary".to_owned()),
        ("ONAIR_LOG".to_owned(), "canary".to_owned()),
        ("RUST_LOG".to_owned(), "canary=canary=canary".to_owned()),
        ("ZOOM_API_URL".to_owned(), "http://canary.example.com/v2".to_owned()),
    ]);
    for verb in ["serve", "check"] {
        let output = onair(&[verb], &vars);
        assert_eq!(output.status.code(), Some(2), "{verb}");
        let told = text(&output.stderr);
        let required = ["SLACK_SIGNING_SECRET", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET"];
        for name in vars.keys().map(String::as_str).chain(required) {
            assert!(told.contains(&format!("  {name}: ")), "{verb}: {name} in {told}");
        }
        assert!(!told.contains("canary"), "{told}");
        let lines = if verb == "check" { 9 } else { 0 };
        assert_eq!(text(&output.stdout).lines().count(), lines, "{verb}: {}", text(&output.stdout));
    }
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    let none = BTreeMap::new();
    for arguments in
        [&["fly"][..], &[], &["manifest", "slack"], &["audit", "--since", "soon"], &["serve", "--port", "1"]]
    {
        let output = onair(arguments, &none);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty());
    }
    for arguments in [&["--help"][..], &["--version"], &["audit", "--help"]] {
        assert_eq!(onair(arguments, &none).status.code(), Some(0), "{arguments:?}");
    }
    let bad = onair(&["manifest", "slack", "--base-url", "http://onair.example.com"], &none);
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn the_manifests_are_printed_ready_to_paste() {
    let none = BTreeMap::new();
    let slack = onair(&["manifest", "slack", "--base-url", "https://onair.example.com"], &none);
    assert_eq!(text(&slack.stdout), include_str!("../../manifests/slack.yaml"));
    let zoom = onair(&["manifest", "zoom", "--base-url", "https://onair.example.com"], &none);
    assert_eq!(text(&zoom.stdout), include_str!("../../manifests/zoom.json"));
    let other = onair(&["manifest", "slack", "--base-url", "https://b.example", "--command", "/golive"], &none);
    assert!(text(&other.stdout).contains("command: \"/golive\""));
}

#[test]
fn a_generated_key_is_one_that_the_configuration_takes() {
    let none = BTreeMap::new();
    let first = text(&onair(&["keys", "generate"], &none).stdout);
    let second = text(&onair(&["keys", "generate"], &none).stdout);
    assert_ne!(first, second);
    let folder = tempfile::tempdir().unwrap();
    let vars = BTreeMap::from([
        ("ONAIR_DATA".to_owned(), folder.path().join("data").to_string_lossy().into_owned()),
        ("ONAIR_ENCRYPTION_KEYS".to_owned(), format!("{},{}", first.trim(), second.trim())),
    ]);
    let told = text(&onair(&["serve"], &vars).stderr);
    assert!(!told.contains("ONAIR_ENCRYPTION_KEYS") && told.contains("ONAIR_BASE_URL"), "{told}");
}

on_both_engines! {
    async fn check_tells_one_line_each_and_what_is_away(bot) {
        let good = bot.onair(&["check"]);
        let store = if bot.redis.is_some() { "ok" } else { "ok (in use by a running service)" };
        let keys = "ok (k1: 0 records)";
        let lines = [
            ("configuration", "ok"),
            ("store", store),
            ("keys", keys),
            ("queue", "ok (0 jobs, none of them late)"),
            ("streams", "ok (none unconfirmed)"),
            ("slack", "ok"),
            ("zoom", "ok"),
            ("clock", "ok (0 s from Zoom's)"),
            ("webhooks", "ok (ZOOM_WEBHOOK_SECRET_TOKEN is not set: no card ever says live)"),
        ];
        let expected: String = lines.map(|(name, found)| format!("{name:<14} {found}\n")).concat();
        // A second may be over between the two looks at the clock.
        let told = text(&good.stdout).replace("(1 s from", "(0 s from");
        assert_eq!((good.status.code(), told), (Some(0), expected), "{}", text(&good.stderr));
        bot.vars.insert("ZOOM_API_URL".to_owned(), "http://127.0.0.1:1/v2".to_owned());
        bot.vars.insert("SLACK_BOT_TOKEN".to_owned(), "xoxb-canary-of-nobody".to_owned());
        bot.excused = vec!["auth.test: invalid_auth: unknown token"];
        let bad = bot.onair(&["check"]);
        let told = text(&bad.stdout);
        assert_eq!(bad.status.code(), Some(1), "{told}");
        let failed: Vec<&str> = told.lines().filter(|line| line.contains("FAILED")).collect();
        assert_eq!(failed.len(), 2, "{told}");
        assert!(failed[0].starts_with("slack") && failed[0].contains("invalid_auth"), "{told}");
        assert!(failed[1].starts_with("zoom"), "{told}");
        assert!(!told.contains("canary"), "{told}");
        assert!(told.contains("clock          not checked"), "{told}");
        assert_eq!(told.lines().count(), 9, "{told}");
    }

    async fn check_tells_which_vendor_does_not_know_the_client(bot) {
        bot.slack.register_app("1.2", "canary-slack-secret", "https://onair.test/slack/oauth/callback");
        for (name, value) in [("SLACK_CLIENT_ID", "1.2"), ("SLACK_CLIENT_SECRET", "canary-slack-secret")] {
            bot.vars.insert(name.to_owned(), value.to_owned());
        }
        let good = bot.onair(&["check"]);
        assert_eq!(good.status.code(), Some(0), "{}", text(&good.stdout));
        for (name, vendor) in [("SLACK_CLIENT_SECRET", "slack"), ("ZOOM_CLIENT_SECRET", "zoom")] {
            let right = bot.vars.insert(name.to_owned(), "canary-of-another-app".to_owned()).unwrap();
            let told = text(&bot.onair(&["check"]).stdout);
            let failed: Vec<&str> = told.lines().filter(|line| line.contains("FAILED")).collect();
            assert!(failed.len() == 1 && failed[0].starts_with(vendor) && failed[0].contains(name), "{told}");
            assert!(!told.contains("canary"), "{told}");
            bot.vars.insert(name.to_owned(), right);
        }
        bot.excused = vec!["oauth.v2.access: bad_client_secret: not this app", "token: invalid_client: Invalid client_id or client_secret"];
    }

    async fn check_tells_what_the_service_cannot_see_by_itself(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        let line = |bot: &Bot, name: &str| {
            let told = text(&bot.onair(&["check"]).stdout);
            let found = told.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            (found, told.contains("FAILED"))
        };
        // Zoom takes the start and reports nothing of it.
        bot.restart_with("ZOOM_WEBHOOK_SECRET_TOKEN", crate::bot::WEBHOOK_SECRET);
        let card = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        assert_eq!(line(&bot, "queue").0, "queue          ok (1 jobs, none of them late)");
        bot.edited(&card, "not confirmed").await;
        let (found, _) = line(&bot, "streams");
        assert!(found.contains("ok (1 unconfirmed, the oldest for 0 min"), "{found}");
        assert_eq!(line(&bot, "webhooks").0, "webhooks       ok (secret set: Zoom's reports confirm streams)");

        bot.zoom.clock().advance(std::time::Duration::from_secs(100));
        let bad = bot.onair(&["check"]);
        assert_eq!(bad.status.code(), Some(1), "{}", text(&bad.stdout));
        let (found, _) = line(&bot, "clock");
        assert!(found.starts_with("clock          FAILED: this machine is ") && found.contains("s behind Zoom"), "{found}");
    }

    async fn check_tells_of_work_that_nobody_does(bot) {
        let (ada, events, _) = bot.connected("ada").await;
        bot.slack.always(onair::sandbox::slack::Route::ResponseUrl, onair::sandbox::Fault::status(503));
        let delivery = bot.slack.types(&ada, &events, "/stream whoami").await;
        assert_eq!(delivery.status(), 200);
        bot.service.signal("KILL");
        bot.service.wait();
        match &bot.redis {
            Some(redis) => {
                let job = "EVAL redis.call('ZADD',KEYS[1],1,redis.call('ZRANGE',KEYS[1],0,0)[1]) 1 onair:{journal}:due";
                redis.tell(job).await;
            }
            None => {
                let file = std::path::Path::new(&bot.vars["ONAIR_DATA"]).join("onair.db");
                let changed = rusqlite::Connection::open(file).unwrap().execute("UPDATE job SET due_ms = 1", []);
                assert_eq!(changed, Ok(1));
            }
        }
        let bad = bot.onair(&["check"]);
        let told = text(&bad.stdout);
        assert_eq!(bad.status.code(), Some(1), "{told}");
        assert!(told.contains("queue          FAILED: 1 jobs are due, the first for "), "{told}");
        bot.slack.heal();
        bot.start_over();
        bot.answer().await;
        assert!(bot.onair(&["check"]).status.success());
    }

    async fn the_trail_is_filtered_and_read_beside_the_service(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        bot.types(&ada, &events, "/stream whoami").await;
        let all = bot.audit();
        let verbs: Vec<&str> = all.iter().map(|entry| entry["verb"].as_str().unwrap()).collect();
        assert_eq!(verbs, ["connect", "link", "start", "whoami"]);
        let start = &all[2];
        assert_eq!(start["team"], ada.team.as_str());
        let times: Vec<usize> = all.iter().map(|entry| entry["at"].as_str().unwrap().len()).collect();
        assert_eq!(times, [24; 4], "times sort as text: {start}");
        assert_eq!(start["channel"], events.id.as_str());
        assert_eq!(start["asked"]["title_chars"], 7);
        assert!(start["duration_ms"].is_u64() && start["zoom"]["tracking_id"].is_string(), "{start}");
        let count = |arguments: &[&str]| -> usize {
            let output = bot.onair(&[&["audit", "--json"], arguments].concat());
            assert!(output.status.success(), "{}", text(&output.stderr));
            text(&output.stdout).lines().count()
        };
        assert_eq!(count(&["--meeting", &meeting.to_string()]), 1);
        assert_eq!(count(&["--meeting", "99999999"]), 0);
        assert_eq!(count(&["--team", &ada.team]), 4);
        assert_eq!(count(&["--team", "T99999999"]), 0);
        assert_eq!(count(&["--since", "24h"]), 4);
        assert_eq!(count(&["--since", "7d", "--team", &ada.team]), 4);
        let lines = text(&bot.onair(&["audit"]).stdout);
        assert!(lines.lines().nth(2).unwrap().contains(&format!("start {} ", "812 0000 0001")), "{lines}");
        assert!(lines.contains(start["reference"].as_str().unwrap()), "{lines}");
    }

    async fn a_trail_that_was_tampered_with_is_told(bot) {
        let (ada, events, _) = bot.connected("ada").await;
        bot.types(&ada, &events, "/stream status").await;
        let whole = bot.onair(&["audit", "--verify"]);
        assert!(whole.status.success() && text(&whole.stdout).contains("3 entries are whole"), "{whole:?}");
        match &bot.redis {
            Some(redis) => redis.tell("XTRIM onair:{journal}:audit MAXLEN 2").await,
            None => {
                let file = std::path::Path::new(&bot.vars["ONAIR_DATA"]).join("onair.db");
                let deleted = rusqlite::Connection::open(file).unwrap().execute("DELETE FROM log WHERE number = 1", []);
                assert_eq!(deleted, Ok(1));
            }
        }
        let broken = bot.onair(&["audit", "--verify"]);
        assert_eq!(broken.status.code(), Some(1));
        let told = text(&broken.stdout);
        assert!(told.contains("entry 1 is missing") && told.contains("not whole"), "{told}");
        assert_eq!(bot.onair(&["audit", "--verify", "--json"]).status.code(), Some(2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_check_asks_the_service_alone() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let address = bot.service.at("").trim_start_matches("http://").to_owned();
    // No other variable is needed, as in a container's health check.
    let vars = BTreeMap::from([("ONAIR_LISTEN".to_owned(), address.clone())]);
    let alive = onair(&["check", "--alive"], &vars);
    assert_eq!((alive.status.code(), text(&alive.stdout)), (Some(0), "service        ok\n".to_owned()));
    let everywhere = BTreeMap::from([("ONAIR_LISTEN".to_owned(), address.replace("127.0.0.1", "0.0.0.0"))]);
    assert!(onair(&["check", "--alive"], &everywhere).status.success());

    // What answers there is not OnAir.
    let redis = crate::redis_server::RedisServer::start();
    let other = BTreeMap::from([("ONAIR_LISTEN".to_owned(), format!("127.0.0.1:{}", redis.port()))]);
    assert_eq!(onair(&["check", "--alive"], &other).status.code(), Some(1));
    bot.service.end().await;
    let gone = onair(&["check", "--alive"], &vars);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stdout).contains("FAILED: nothing listens at"), "{}", text(&gone.stdout));
    bot.start_over();
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_service_on_the_same_folder_is_refused_in_words() {
    let bot = Bot::start(Engine::Embedded).await;
    let second = bot.onair(&["serve"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another process"), "{}", text(&second.stderr));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_told_by_its_variable_and_does_not_concern_check() {
    let mut bot = Bot::start(Engine::Redis).await;
    let [public, metrics] = [bot.service.at(""), bot.service.metrics_at("").unwrap()]
        .map(|address| address.trim_start_matches("http://").to_owned());
    for (name, taken) in [("ONAIR_LISTEN", public), ("ONAIR_METRICS_LISTEN", metrics)] {
        let free = bot.vars.insert(name.to_owned(), taken.clone()).unwrap();
        let output = bot.onair(&["serve"]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(&format!("onair: {name}: cannot listen on {taken}: ")), "{told}");
        assert!(bot.onair(&["check"]).status.success(), "{name}");
        bot.vars.insert(name.to_owned(), free);
    }
    bot.finish().await;
}

#[test]
fn check_tells_all_four_lines_where_the_store_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let nowhere = "http://127.0.0.1:1".to_owned();
    let vars = BTreeMap::from(
        [
            ("ONAIR_BASE_URL", "https://onair.test".to_owned()),
            ("ONAIR_DATA", file.join("data").to_string_lossy().into_owned()),
            ("ONAIR_ENCRYPTION_KEYS", text(&onair(&["keys", "generate"], &BTreeMap::new()).stdout)),
            ("SLACK_SIGNING_SECRET", "secret".to_owned()),
            ("ZOOM_CLIENT_ID", "client".to_owned()),
            ("ZOOM_CLIENT_SECRET", "secret".to_owned()),
            ("SLACK_API_URL", nowhere.clone()),
            ("ZOOM_API_URL", nowhere.clone()),
            ("ZOOM_OAUTH_URL", nowhere),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let output = onair(&["check"], &vars);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let found: Vec<(&str, bool)> =
        told.lines().map(|line| (line.split(' ').next().unwrap(), line.contains("FAILED"))).collect();
    let failed: Vec<&str> = found.iter().filter(|(_, failed)| *failed).map(|(name, _)| *name).collect();
    assert_eq!((found.len(), failed), (9, vec!["store", "slack", "zoom"]), "{told}");
    assert_eq!(told.matches("not checked").count(), 4, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_without_a_store_says_where_it_looked_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("none").to_string_lossy().into_owned();
    let output = onair(&["audit"], &BTreeMap::from([("ONAIR_DATA".to_owned(), data)]));
    assert_eq!(output.status.code(), Some(1));
    assert!(!output.stderr.is_empty());
}

#[test]
fn the_sandbox_answers_the_first_command_and_those_that_are_typed() {
    let output = sandbox(
        "press stop\n/stream whoami\n/golive help\nas ben\n/stream start 68423085\nzoom end 68423085\nconnect\n\
         uninstall\nas ada\ninstall\nquit\n",
    );
    for words in [
        "OnAir is installed in acme",
        "The app is taken out",
        "#events  ada types: /stream start 68423085 \"Keynote\"",
        "asked for by @ada",
        "is live since",
        "Take it off air?",
        "only ben sees this",
        "knows one command",
    ] {
        assert!(output.contains(words), "{words:?} in\n{output}");
    }
    assert!(!output.contains("zat-") && !output.contains("panicked"), "{output}");
}

#[test]
fn the_sandbox_leaves_nothing_behind_when_it_is_stopped() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command
            .args(["sandbox", "--terminal"])
            .env_clear()
            .env("TMPDIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("Now it is yours")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        // Its standard input is still open.
        while lines.next().is_some() {}
        assert!(child.wait().unwrap().success(), "{signal}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{signal}");
    }
}

fn sandbox(typed: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    command
        .args(["sandbox", "--terminal"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_lets_accepted_work_finish() {
    use onair::sandbox::{Fault, zoom::Route};
    let mut bot = Bot::start(Engine::Embedded).await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.zoom.next(Route::MeetingStatus, Fault::Delay(std::time::Duration::from_secs(2)));
    let delivery = bot.slack.types(&ada, &events, &format!("/stream start {meeting}")).await;
    assert_eq!(delivery.status(), 200);
    bot.service.signal("TERM");
    bot.answer().await;
    let entry: Value = bot.last_audit();
    assert_eq!(entry["outcome"], "accepted");
    bot.finish().await;
}

//! The audit trail as operators and admins have it: filtered, in a spreadsheet, verified, and no older than they keep it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bot::{Bot, PATIENCE, on_both_engines, onair};
use crate::store::trail::make_old;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `onair audit` prints.
fn printed(bot: &Bot, arguments: &[&str]) -> String {
    let output = bot.onair(&[&["audit"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// How `onair audit --verify` ends, and what it says.
fn verified(bot: &Bot) -> (Option<i32>, String) {
    let output = bot.onair(&["audit", "--verify"]);
    (output.status.code(), text(&output.stdout))
}

/// Waits until the trail has so many entries.
async fn has_entries(bot: &Bot, count: usize) {
    let begun = Instant::now();
    while bot.audit().len() != count {
        assert!(begun.elapsed() < PATIENCE, "{:#?}\n{}", bot.audit(), bot.service.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

on_both_engines! {
    async fn the_trail_is_filtered_by_whatever_an_entry_says(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
        bot.types(&ada, &events, "/stream stop 99999999").await;
        let (ben, random) = (bot.slack.user("ben"), bot.slack.channel("random"));
        bot.types(&ben, &random, "/stream whoami").await;
        let all = bot.audit();
        let verbs: Vec<&str> = all.iter().map(|entry| entry["verb"].as_str().unwrap()).collect();
        assert_eq!(verbs, ["connect", "link", "start", "stop", "stop", "whoami"]);
        let failed = all[4]["reference"].as_str().unwrap().to_owned();
        let small = failed.to_lowercase();
        let shown = meeting.to_string();
        let grouped = format!("{} {} {}", &shown[..3], &shown[3..7], &shown[7..]);
        for (arguments, count) in [
            (&["--verb", "stop"][..], 2),
            (&["--verb", "start,stop"], 3),
            (&["--verb", "start", "--verb", "whoami"], 2),
            (&["--outcome", "stopped"], 1),
            (&["--verb", "stop", "--outcome", "stopped,accepted"], 1),
            (&["--failures"], 1),
            (&["--failures", "--verb", "start"], 0),
            (&["--user", &ben.id], 1),
            (&["--user", &ben.id, "--team", &ben.team], 1),
            (&["--channel", &random.id], 1),
            (&["--channel", &random.id, "--user", &ada.id], 0),
            (&["--reference", &failed], 1),
            (&["--reference", &small], 1),
            (&["--reference", "7F3K9QZ2MB"], 0),
            (&["--meeting", &shown], 2),
            (&["--meeting", &grouped], 2),
            (&["--since", "1h"], 6),
            (&["--since", "2020-02-02"], 6),
            (&["--until", "1h"], 0),
            (&["--until", "2120-02-02T08:00:00+01:00"], 6),
            (&["--since", "7d", "--until", "0s"], 6),
        ] {
            let json = printed(&bot, &[&["--json"], arguments].concat());
            assert_eq!(json.lines().count(), count, "{arguments:?}:\n{json}");
            assert_eq!(printed(&bot, arguments).lines().count(), count, "{arguments:?}");
            assert_eq!(printed(&bot, &[&["--csv"], arguments].concat()).lines().count(), count + 1, "{arguments:?}");
        }
        let found: Value = serde_json::from_str(&printed(&bot, &["--json", "--failures"])).unwrap();
        assert_eq!(found["reference"], failed.as_str());
    }

    async fn the_trail_is_a_table_for_a_spreadsheet(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\" --layout gallery_view")).await;
        let table = printed(&bot, &["--csv", "--verb", "start"]);
        let entry = bot.last_audit();
        let lines: Vec<&str> = table.split_terminator("\r\n").collect();
        let header = "at,reference,enterprise,team,user,channel,verb,meeting,title_chars,settings,dry_run,zoom_user,\
                      zoom_status,zoom_code,zoom_tracking_id,outcome,duration_ms";
        assert_eq!((lines.len(), lines[0]), (2, header), "{table}");
        let cells: BTreeMap<&str, &str> = lines[0].split(',').zip(lines[1].split(',')).collect();
        assert_eq!(cells.len(), lines[1].split(',').count(), "{table}");
        let number = meeting.to_string();
        for (name, expected) in [
            ("at", entry["at"].as_str().unwrap()),
            ("reference", entry["reference"].as_str().unwrap()),
            ("enterprise", ""),
            ("team", &ada.team),
            ("user", &ada.id),
            ("channel", &events.id),
            ("verb", "start"),
            ("meeting", &number),
            ("title_chars", "7"),
            ("settings", "display_name layout"),
            ("dry_run", "false"),
            ("zoom_user", host.id.as_str()),
            ("zoom_status", "204"),
            ("zoom_code", ""),
            ("zoom_tracking_id", entry["zoom"]["tracking_id"].as_str().unwrap()),
            ("outcome", "accepted"),
            ("duration_ms", &entry["duration_ms"].to_string()),
        ] {
            assert_eq!(cells[name], expected, "{name} in {table}");
        }
    }

    async fn what_is_older_than_the_settings_keep_goes_and_the_trail_stays_whole(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        for _ in 0..4 {
            bot.types(&ada, &events, "/stream help").await;
        }
        make_old(&bot.place(), 2);
        bot.restart();
        bot.types(&ada, &events, "/stream help").await;
        has_entries(&bot, 5).await;
        bot.restart_with("ONAIR_AUDIT_RETENTION", "90d");
        has_entries(&bot, 3).await;
        bot.types(&ada, &events, "/stream help").await;
        let (status, told) = verified(&bot);
        assert!(status == Some(0) && told.contains("entries up to number 2 were removed for their age"), "{told}");
        assert!(told.contains("4 entries are whole; the last is number 6"), "{told}");

        match &bot.redis {
            Some(redis) => redis.tell("XTRIM onair:{journal}:audit MAXLEN 3").await,
            None => {
                let file = std::path::Path::new(&bot.vars["ONAIR_DATA"]).join("onair.db");
                let deleted = rusqlite::Connection::open(file).unwrap().execute("DELETE FROM log WHERE number = 3", []);
                assert_eq!(deleted, Ok(1));
            }
        }
        let (status, told) = verified(&bot);
        assert!(status == Some(1) && told.contains("entry 3 is missing"), "{told}");
    }
}

#[test]
fn a_wrong_filter_is_told_with_what_to_write() {
    let none = BTreeMap::new();
    for (arguments, written) in [
        (&["--since", "soon"][..], "write how long ago (90m, 24h, 7d), a day"),
        (&["--until=-1h"], "a day (2026-11-20) or a time"),
        (&["--since", "2026-13-01"], "2026-11-20T08:00:00Z"),
        (&["--team", "acme"], "T0123ABCD"),
        (&["--user", "@ada"], "U0123ABCD"),
        (&["--channel", "#events"], "C0123ABCD"),
        (&["--meeting", "1234"], "8 to 12 digits such as 68423085"),
        (&["--verb", "begin"], "write one of start, stop, status"),
        (&["--outcome", "fine"], "write one of accepted, stopped"),
        (&["--verb", "start,fine"], "write one of start, stop, status"),
        (&["--reference", "7F3K"], "the ten letters and digits"),
        (&["--csv", "--json"], "cannot be used with"),
        (&["--follow", "--until", "1h"], "cannot be used with"),
        (&["--verify", "--failures"], "cannot be used with"),
    ] {
        let output = onair(&[&["audit"], arguments].concat(), &none);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(written), "{arguments:?}: {told}");
    }
    let vars = BTreeMap::from([("ONAIR_AUDIT_RETENTION".to_owned(), "canary".to_owned())]);
    let told = text(&onair(&["serve"], &vars).stderr);
    assert!(told.contains("ONAIR_AUDIT_RETENTION: write a time of one day or more, such as 365d"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}

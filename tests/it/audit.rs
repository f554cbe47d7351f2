//! The audit trail as operators and admins have it: filtered, in a spreadsheet, verified, and no older than they keep it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use onair::sandbox::Fault;
use onair::sandbox::slack::{Author, Channel, Fill, Message, Role, Route, User};
use serde_json::Value;

use crate::bot::{BOT_TOKEN, Bot, Engine, PATIENCE, installable, is_public, on_both_engines, onair};
use crate::load::{Line, Receipt, Typist, Way};
use crate::policy::set;
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

/// Has the bot tell the audit in `#audit`, where it was invited.
async fn with_audit_channel(bot: &mut Bot) -> Channel {
    let audit = bot.slack.channel("audit");
    bot.slack.invite_app(&audit);
    bot.vars.insert(BOT_TOKEN.0.to_owned(), BOT_TOKEN.1.to_owned());
    bot.restart_with("ONAIR_AUDIT_CHANNEL", &audit.id);
    bot.service.logged("the audit channel is told from here on").await;
    bot.may_say_more = true;
    audit
}

/// Has an admin choose where audit lines go, or that they go nowhere.
async fn choose(bot: &Bot, admin: &User, from: &Channel, chosen: &[&Channel]) {
    set(bot, admin, from, &[("Where audit lines go", Fill::Channels(chosen))]).await;
}

/// Types a line that is accepted, and waits for no answer: others may come before it.
async fn types(bot: &Bot, user: &User, channel: &Channel, line: &str) {
    let delivery = bot.slack.types(user, channel, line).await;
    assert_eq!(delivery.status(), 200, "{delivery:?}\n{}", bot.service.log());
}

/// Everything that the app said in a channel.
fn said(messages: &[Message], channel: &Channel) -> Vec<String> {
    let said = messages.iter().filter(|message| message.author == Author::App && message.channel == *channel);
    said.map(|message| message.shown.clone()).collect()
}

/// Waits until the app has said all of these in a channel, and gives every line that it said there.
async fn told(bot: &Bot, channel: &Channel, words: &[&str]) -> Vec<String> {
    let all = |messages: &[Message]| {
        let said = said(messages, channel).join("\n");
        words.iter().all(|words| said.contains(words)).then_some(said)
    };
    let found = bot.slack.wait_until(&words.join(", "), PATIENCE, all).await;
    let said = found.unwrap_or_else(|error| panic!("{error}\n{}", bot.service.log()));
    said.lines().map(str::to_owned).collect()
}

on_both_engines! {
    async fn the_audit_channel_hears_of_each_entry_once_and_a_line_leads_back_to_it(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let audit = with_audit_channel(&mut bot).await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        types(&bot, &ada, &events, "/stream start 99999999 \"Keynote\"").await;
        types(&bot, &ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
        types(&bot, &ada, &events, "/stream help").await;
        let first = format!("*start* `999 999 99` not_found, by @ada in #{}, reference", events.id);
        let words = [first.as_str(), " accepted, by @ada", "*help* told, by @ada"];
        let lines = told(&bot, &audit, &words).await;
        assert_eq!(lines.len(), 3, "{lines:#?}");
        let failed = lines.iter().find(|line| line.contains("not_found")).unwrap();
        assert!(failed.starts_with(":warning: "), "{failed}");
        let reference = failed.rsplit_once("reference `").unwrap().1.trim_end_matches('`');
        let entry: Value = serde_json::from_str(&printed(&bot, &["--json", "--reference", reference])).unwrap();
        assert_eq!((&entry["outcome"], &entry["meeting"]), (&Value::from("not_found"), &Value::from(99_999_999)));
        // The same service after its restart goes on where it was.
        bot.restart();
        types(&bot, &ada, &events, "/stream presets").await;
        let lines = told(&bot, &audit, &["*presets* told"]).await;
        assert_eq!(lines.len(), 4, "{lines:#?}");
    }

    async fn while_slack_is_away_nothing_is_lost_and_many_are_counted(bot) {
        let (ada, events, _) = bot.connected("ada").await;
        let audit = with_audit_channel(&mut bot).await;
        bot.slack.next(Route::PostMessage, Fault::too_many("1"));
        bot.slack.always(Route::PostMessage, Fault::status(503));
        let before = bot.audit().len();
        for _ in 0..30 {
            types(&bot, &ada, &events, "/stream help").await;
        }
        types(&bot, &ada, &events, "/stream stop 99999999").await;
        for _ in 0..30 {
            types(&bot, &ada, &events, "/stream help").await;
        }
        has_entries(&bot, before + 61).await;
        bot.service.logged("an audit channel is told later").await;
        assert_eq!(said(&bot.slack.messages(), &audit), Vec::<String>::new());
        bot.slack.heal();
        let lines = told(&bot, &audit, &["*stop* `999 999 99` not_found", "60 × help told"]).await;
        assert_eq!(lines.len(), 2, "{lines:#?}");
        types(&bot, &ada, &events, "/stream whoami").await;
        let lines = told(&bot, &audit, &["*whoami* told"]).await;
        assert_eq!(lines.len(), 3, "what was counted is told: {lines:#?}");
        let metrics = bot.metrics().await;
        assert!(metrics.contains("onair_audit_channel_messages_total{result=\"later\"}"), "{metrics}");
        assert!(metrics.contains("onair_audit_channel_messages_total{result=\"told\"} 2"), "{metrics}");
    }

    async fn a_killed_service_tells_its_last_message_twice_at_the_most(bot) {
        let (ada, events, _) = bot.connected("ada").await;
        let audit = with_audit_channel(&mut bot).await;
        types(&bot, &ada, &events, "/stream presets").await;
        told(&bot, &audit, &["*presets* told"]).await;
        // Slack has it, and the service never hears so.
        bot.slack.next(Route::PostMessage, Fault::Delay(PATIENCE));
        types(&bot, &ada, &events, "/stream help").await;
        told(&bot, &audit, &["*help* told"]).await;
        bot.service.signal("KILL");
        bot.service.wait();
        bot.start_over();
        types(&bot, &ada, &events, "/stream whoami").await;
        let lines = told(&bot, &audit, &["*whoami* told"]).await;
        let count = |words: &str| lines.iter().filter(|line| line.contains(words)).count();
        assert_eq!((count("*presets*"), count("*help*"), count("*whoami*")), (1, 2, 1), "{lines:#?}");
    }

    async fn a_channel_that_takes_nothing_is_told_of_once_and_holds_up_nobody(bot) {
        let (ada, events, _) = bot.connected("ada").await;
        let elsewhere = bot.slack.workspace("globex");
        let (eve, general) = (bot.slack.user_in(&elsewhere, "eve"), bot.slack.channel_in(&elsewhere, "general"));
        let closed = bot.slack.channel("closed");
        let audit = with_audit_channel(&mut bot).await;
        bot.restart_with("ONAIR_AUDIT_CHANNEL", &closed.id);
        types(&bot, &ada, &events, "/stream help").await;
        bot.service.logged("an audit channel takes nothing").await;
        types(&bot, &ada, &events, "/stream help").await;
        let refused = || bot.service.log().matches("an audit channel takes nothing").count();
        let metrics = bot.metrics().await;
        assert!(metrics.contains("onair_audit_channel_messages_total{result=\"refused\"} 1"), "{metrics}");
        assert_eq!(refused(), 1, "{}", bot.service.log());
        // Another channel is another matter. Of the other workspace, where the bot is not, nothing is told there.
        bot.restart_with("ONAIR_AUDIT_CHANNEL", &audit.id);
        types(&bot, &eve, &general, "/stream help").await;
        bot.service.logged("an audit channel takes nothing").await;
        types(&bot, &ada, &events, "/stream whoami").await;
        let lines = told(&bot, &audit, &["*whoami* told"]).await;
        assert!(lines.iter().all(|line| line.contains("by @ada")), "{lines:#?}");
        let theirs: Value = serde_json::from_str(&printed(&bot, &["--json", "--user", &eve.id])).unwrap();
        let told = said(&bot.slack.messages(), &audit).join("\n");
        assert!(!told.contains(theirs["reference"].as_str().unwrap()), "{told}");
    }

    async fn admins_see_the_last_entries_of_their_workspace_and_nobody_else_does(bot) {
        bot.vars.insert(BOT_TOKEN.0.to_owned(), BOT_TOKEN.1.to_owned());
        bot.restart();
        let (ada, ben, events) = (bot.slack.user("ada"), bot.slack.user("ben"), bot.slack.channel("events"));
        bot.slack.set_role(&ada, Role::Admin);
        let elsewhere = bot.slack.workspace("globex");
        let (eve, general) = (bot.slack.user_in(&elsewhere, "eve"), bot.slack.channel_in(&elsewhere, "general"));
        bot.types(&eve, &general, "/stream presets").await;
        for _ in 0..12 {
            bot.types(&ben, &events, "/stream whoami").await;
        }
        let denied = bot.types(&ben, &events, "/stream audit").await;
        let entry = bot.last_audit();
        assert_eq!((&entry["verb"], &entry["outcome"]), (&Value::from("audit"), &Value::from("denied")), "{}", denied.shown);
        assert!(!is_public(&denied) && !denied.shown.contains("whoami"), "{}", denied.shown);

        let list = bot.types(&ada, &events, "/stream audit").await;
        let lines: Vec<&str> = list.shown.lines().collect();
        assert!(!is_public(&list) && lines[0].starts_with("The last 10 entries about this workspace"), "{}", list.shown);
        assert_eq!(lines.len(), 12, "{}", list.shown);
        let first = format!("*audit* denied, by @ben in #{}, reference `{}`", events.id, entry["reference"].as_str().unwrap());
        assert!(lines[1].contains(":warning:") && lines[1].ends_with(&first), "{}", list.shown);
        let entry = bot.last_audit();
        assert_eq!((&entry["verb"], &entry["outcome"]), (&Value::from("audit"), &Value::from("told")));

        let all = bot.types(&ada, &events, "/stream audit 50").await;
        assert!(all.shown.starts_with("The last 14 entries about this workspace"), "{}", all.shown);
        assert!(!all.shown.contains("presets"), "nothing of another workspace: {}", all.shown);
        let wrong = bot.types(&ada, &events, "/stream audit 51").await;
        assert!(wrong.shown.contains("`/stream audit 50`"), "{}", wrong.shown);
        let theirs = bot.types(&eve, &general, "/stream audit").await;
        assert_eq!(bot.last_audit()["outcome"], "denied", "{}", theirs.shown);
    }

    async fn one_reference_leads_from_the_message_to_the_audit_and_to_every_line_of_the_log(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.zoom.next(onair::sandbox::zoom::Route::MeetingStatus, Fault::status(503));
        let answer = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
        let entry = bot.last_audit();
        assert_eq!(entry["outcome"], "unavailable");
        let reference = entry["reference"].as_str().unwrap().to_owned();
        assert!(answer.shown.contains(&format!("`{reference}`")), "{}", answer.shown);
        bot.owes_nothing_within(PATIENCE).await;
        let log = bot.service.log();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of_command = |line: &&Value| {
            let spans = line["spans"].as_array().cloned().unwrap_or_default();
            spans.iter().any(|span| span["name"] == "command" && span["reference"] == reference.as_str())
        };
        let about: Vec<&Value> = lines.iter().filter(of_command).collect();
        let finished = |line: &&Value| line["target"] == "onair::audit" && line["reference"] == reference.as_str();
        assert_eq!(about.iter().copied().filter(finished).count(), 1, "{log}");
        let asked = about.iter().any(|line| line["message"] == "Zoom answered an order" && line["status"] == 503);
        assert!(asked, "why it failed is in the log under the same reference:\n{log}");
        let is_of_link = |span: &&Value| span["name"] == "link";
        let of_link = |line: &Value| line["spans"].as_array()?.iter().find(is_of_link).cloned();
        let of_link: Vec<(&Value, Value)> = lines.iter().filter_map(|line| Some((line, of_link(line)?))).collect();
        let asked = of_link.iter().any(|(line, _)| line["message"] == "Zoom answered" && line["call"] == "token");
        let first = bot.audit()[0]["reference"].clone();
        assert!(asked && of_link.iter().all(|(_, span)| span["reference"] == first), "{of_link:#?}");
        // Whatever is logged between the command and its end, and is no request's own line, is under its reference.
        let loose = |line: &&Value| line["level"] != "DEBUG" && line["level"] != "TRACE" && !of_command(line);
        let begun = lines.iter().position(|line| of_command(&line)).unwrap();
        let ended = lines.iter().rposition(|line| of_command(&line)).unwrap();
        let loose: Vec<&Value> = lines[begun..ended].iter().filter(loose).collect();
        assert!(loose.is_empty(), "{loose:#?}");
    }

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
                      zoom_status,zoom_code,zoom_tracking_id,outcome,duration_ms,asked_by,on_behalf_of,lent_to";
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

installable! {
    async fn each_workspace_hears_its_own_entries_in_the_channel_that_it_chose(bot) {
        let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let globex = bot.slack.workspace("globex");
        let (eve, lobby) = (bot.slack.user_in(&globex, "eve"), bot.slack.channel_in(&globex, "lobby"));
        let [first, second] = ["audit", "ops"].map(|name| bot.slack.channel(name));
        let theirs = bot.slack.channel_in(&globex, "audit");
        for channel in [&first, &second, &theirs] {
            bot.slack.invite_app(channel);
        }
        for admin in [&ada, &eve] {
            bot.slack.set_role(admin, Role::Admin);
            assert_eq!(bot.install_as(admin).await.status, 200);
        }
        types(&bot, &ada, &events, "/stream help").await;
        bot.may_say_more = true;
        choose(&bot, &ada, &events, &[&first]).await;
        let lines = told(&bot, &first, &["*policy* policy_changed, by @ada"]).await;
        assert!(!lines.join("\n").contains("*help*"), "what was before is not told: {lines:#?}");
        choose(&bot, &eve, &lobby, &[&theirs]).await;
        told(&bot, &theirs, &["*policy* policy_changed, by @eve"]).await;
        types(&bot, &ada, &events, "/stream whoami").await;
        types(&bot, &eve, &lobby, "/stream whoami").await;
        told(&bot, &first, &["*whoami* told, by @ada"]).await;
        told(&bot, &theirs, &["*whoami* told, by @eve"]).await;

        bot.restart();
        choose(&bot, &ada, &events, &[&second]).await;
        types(&bot, &ada, &events, "/stream presets").await;
        told(&bot, &second, &["*policy* policy_changed", "*presets* told, by @ada"]).await;

        choose(&bot, &ada, &events, &[]).await;
        let before = bot.audit().len();
        types(&bot, &ada, &events, "/stream status").await;
        has_entries(&bot, before + 1).await;
        types(&bot, &eve, &lobby, "/stream presets").await;
        told(&bot, &theirs, &["*presets* told, by @eve"]).await;

        let messages = bot.slack.messages();
        let [first, second, theirs] = [&first, &second, &theirs].map(|channel| said(&messages, channel).join("\n"));
        assert!(!first.contains("*presets*") && !first.contains("*status*"), "{first}");
        assert!(!second.contains("*status*"), "{second}");
        assert!(!first.contains("@eve") && !second.contains("@eve") && !theirs.contains("@ada"), "{first}\n{theirs}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_chosen_at_one_instance_is_told_by_the_other() {
    let mut bot = Bot::start_with(Engine::Redis, &[BOT_TOKEN]).await;
    let (ada, events, audit) = (bot.slack.user("ada"), bot.slack.channel("events"), bot.slack.channel("audit"));
    bot.slack.set_role(&ada, Role::Admin);
    bot.slack.invite_app(&audit);
    bot.may_say_more = true;
    let second = bot.second();
    choose(&bot, &ada, &events, &[&audit]).await;
    told(&bot, &audit, &["*policy* policy_changed"]).await;
    bot.service.signal("KILL");
    bot.service.wait();
    let killed = std::mem::replace(&mut bot.service, second);
    bot.logs.push(killed.ended());
    bot.slack.connect_app(&bot.service.at("/slack/commands"));
    types(&bot, &ada, &events, "/stream whoami").await;
    told(&bot, &audit, &["*whoami* told"]).await;
    bot.finish().await;
}

/// As where the process that saved the rules died before it could begin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_in_the_rules_is_found_at_the_start() {
    let mut bot = Bot::start_with(Engine::Redis, &[BOT_TOKEN]).await;
    let (ada, events, audit) = (bot.slack.user("ada"), bot.slack.channel("events"), bot.slack.channel("audit"));
    bot.slack.set_role(&ada, Role::Admin);
    bot.slack.invite_app(&audit);
    bot.may_say_more = true;
    choose(&bot, &ada, &events, &[&audit]).await;
    told(&bot, &audit, &["*policy* policy_changed"]).await;
    bot.service.signal("KILL");
    bot.service.wait();
    let redis = bot.redis.as_ref().unwrap();
    redis.tell("DEL onair:{journal}:job:announce").await;
    redis.tell("ZREM onair:{journal}:due announce").await;
    bot.start_over();
    bot.service.logged("the audit channel is told from here on").await;
    types(&bot, &ada, &events, "/stream whoami").await;
    told(&bot, &audit, &["*whoami* told"]).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_instances_write_under_load_is_one_whole_chain() {
    let mut bot = Bot::start(Engine::Redis).await;
    let (ada, events, _) = bot.connected("ada").await;
    let second = bot.second();
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service, &second]));
    let lines = (0..300).map(|index| Line::of(["/stream help", "/stream whoami", "/stream nonsense"][index % 3]));
    let ledger = typist.types(lines, 16).await;
    assert_eq!(ledger.with(Receipt::None).count(), 0, "all were let in");
    bot.owes_nothing_within(PATIENCE).await;
    let (status, told) = verified(&bot);
    assert!(status == Some(0) && told.contains("302 entries are whole; the last is number 302"), "{told}");
    let redis = bot.redis.as_ref().unwrap();
    redis.tell("XTRIM onair:{journal}:audit MAXLEN 300").await;
    let (status, told) = verified(&bot);
    assert!(status == Some(1) && told.contains("entries 1 to 2 are missing"), "{told}");
    bot.may_say_more = true;
    bot.logs.push(second.stop().await);
    bot.finish().await;
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

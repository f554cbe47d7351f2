//! Every row of the table of what Zoom answers: the words, who sees them, and the audit entry.

use onair::sandbox::Fault;
use onair::sandbox::slack::Channel;
use onair::sandbox::slack::User;
use onair::sandbox::zoom::{Route, refusal};
use serde_json::json;

use crate::bot::{Bot, is_public, on_both_engines};

/// One row: what Zoom does, and what must come of it.
struct Row {
    line: &'static str,
    fault: Fault,
    route: Route,
    public: bool,
    outcome: &'static str,
    says: &'static [&'static str],
}

const START: &str = "/stream start 68423085 \"Keynote\"";
const STOP: &str = "/stream stop 68423085";

fn row(fault: Fault, public: bool, outcome: &'static str, says: &'static [&'static str]) -> Row {
    Row { line: START, fault, route: Route::MeetingStatus, public, outcome, says }
}

fn limited(kind: &str, retry_after: &str) -> Fault {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Fault::Answer {
        status: 429,
        headers: vec![header("x-ratelimit-type", kind), header("retry-after", retry_after)],
        body: json!({ "code": 429, "message": "You have reached the maximum rate limit." }).to_string(),
    }
}

fn rows() -> Vec<Row> {
    let invalid_field = Fault::json(
        400,
        &json!({ "code": 300, "message": "Validation Failed.",
                 "errors": [{ "field": "settings.display_name", "message": "Invalid field." }] }),
    );
    let xml = Fault::Answer {
        status: 404,
        headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
        body: "<?xml version=\"1.0\"?><error><code>3001</code><message>Meeting does not exist: 68423085.</message></error>"
            .to_owned(),
    };
    let not_running = "Meeting 68,423,085 has not started.";
    let setting = "Not allowed to start live streaming. To use this feature, enable the setting.";
    vec![
        row(refusal(400, 4927, not_running), true, "not_started", &["684 230 85", "`/stream start 68423085"]),
        row(refusal(400, 3000, "MEETING 68,423,085 HAS NOT STARTED."), true, "not_started", &["running"]),
        row(refusal(400, 200, not_running), true, "not_started", &["running"]),
        row(invalid_field, false, "invalid", &["50"]),
        row(refusal(400, 300, "Invalid meeting ID."), false, "invalid", &["684 230 85"]),
        row(refusal(300, 0, "Missing meetingId"), false, "invalid", &["684 230 85"]),
        row(refusal(400, 1010, "User does not belong to this account."), false, "other_account", &["account"]),
        row(refusal(404, 1001, "User does not exist."), false, "user_missing", &["connect"]),
        row(refusal(404, 3001, "Meeting does not exist: 68423085."), true, "not_found", &["ada@example.com"]),
        row(xml, true, "not_found", &["684 230 85"]),
        row(refusal(400, 3161, "Not allowed to host and schedule meetings."), true, "not_allowed", &["licen"]),
        row(refusal(400, 3000, setting), true, "not_allowed", &["Allow livestreaming of meetings"]),
        row(refusal(400, 4400, "End-to-end encrypted meetings don't support it."), true, "not_allowed", &["encrypt"]),
        row(
            refusal(400, 4711, "Invalid access token, does not contain scopes:[meeting:update:livestream_status]."),
            false,
            "scope",
            &["meeting:update:livestream_status"],
        ),
        row(Fault::status(429), true, "throttled", &["wait 30s", "previous start"]),
        row(Fault::too_many("120"), true, "throttled", &["wait 120s"]),
        row(limited("QPS", "75"), true, "throttled", &["wait 75s"]),
        row(limited("Daily-limit", "2099-01-01T00:00:00Z"), true, "throttled", &["UTC"]),
        row(Fault::Cut, true, "unknown", &["may be on air"]),
        row(Fault::status(503), true, "unavailable", &["nothing was started"]),
        row(refusal(409, 9999, "A <!channel> & odd one"), true, "refused", &["9999", "A <!channel> & odd one"]),
        Row { line: STOP, ..row(Fault::status(500), true, "unavailable", &["684 230 85"]) },
    ]
}

/// Plays a row with a meeting of its own: what was just done with one counts for the next order.
async fn play(bot: &mut Bot, ada: &User, events: &Channel, row: Row, number: u64) {
    bot.zoom.next(row.route, row.fault);
    let answer = bot.types(ada, events, &row.line.replace("68423085", &number.to_string())).await;
    let entry = bot.last_audit();
    let told = &answer.shown;
    assert_eq!(entry["outcome"], row.outcome, "{told}\n{entry}");
    assert_eq!(is_public(&answer), row.public, "{}: {told}", row.outcome);
    let shown = format!("684 230 {}", number % 100);
    for words in row.says {
        let words = words.replace("684 230 85", &shown).replace("68423085", &number.to_string()).to_lowercase();
        assert!(told.to_lowercase().contains(&words), "{words:?} in {}: {told}", row.outcome);
    }
    assert_eq!(entry["meeting"], number);
    assert_eq!(entry["user"], ada.id.as_str());
    let unexpected = ["unknown", "unavailable", "refused"].contains(&row.outcome);
    let reference = entry["reference"].as_str().unwrap();
    assert!(!unexpected || told.contains(reference), "the reference {reference} in: {told}");
    if row.public {
        assert!(told.contains("@ada") && told.contains(&shown), "who and which meeting: {told}");
    }
}

on_both_engines! {
    async fn each_answer_of_zoom_has_its_words_its_readers_and_its_audit_entry(bot) {
        let (ada, events, _) = bot.connected("ada").await;
        for (row, number) in rows().into_iter().zip(68_423_010..) {
            play(&mut bot, &ada, &events, row, number).await;
        }
    }

    async fn a_start_that_is_accepted_and_a_stop_are_told_to_the_channel(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.zoom.meeting_numbered(&host, 68_423_085);
        bot.zoom.begin(68_423_085);
        let started = bot.types(&ada, &events, START).await;
        assert!(is_public(&started), "{}", started.shown);
        assert!(!started.shown.to_lowercase().contains("is live"), "{}", started.shown);
        let entry = bot.last_audit();
        assert_eq!((&entry["verb"], &entry["outcome"]), (&json!("start"), &json!("accepted")));
        assert_eq!(entry["zoom"]["status"], 204);
        let again = bot.types(&ada, &events, START).await;
        assert!(!is_public(&again) && again.shown.contains("wait 30s"), "{}", again.shown);
        assert_eq!(bot.last_audit()["outcome"], "already");
        let stopped = bot.types(&ada, &events, STOP).await;
        assert!(is_public(&stopped) && stopped.shown.contains("stopped by @ada"), "{}", stopped.shown);
        assert_eq!(bot.last_audit()["outcome"], "stopped");
        assert_eq!(bot.zoom.starts_of(68_423_085), 1);
    }

    async fn a_hanging_zoom_is_told_as_unknown_and_never_asked_twice(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.zoom.meeting_numbered(&host, 68_423_085);
        bot.zoom.begin(68_423_085);
        bot.zoom.next(Route::MeetingStatus, Fault::Hang);
        let answer = bot.types(&ada, &events, START).await;
        assert!(answer.shown.contains("may be on air"), "{}", answer.shown);
        assert_eq!(bot.zoom.orders_of(68_423_085).len(), 1);
        let status = bot.types(&ada, &events, "/stream status 68423085").await;
        assert!(status.shown.contains("may be on air"), "{}", status.shown);
    }

    async fn a_webinar_is_found_out_once_and_remembered(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let webinar = bot.zoom.webinar_in_progress(&host);
        let line = format!("/stream start {webinar} \"Keynote\"");
        let accepted = bot.types(&ada, &events, &line).await;
        assert_eq!(bot.last_audit()["outcome"], "accepted", "{}", accepted.shown);
        let paths = |bot: &Bot| -> Vec<String> { bot.zoom.orders_of(webinar).into_iter().map(|order| order.path).collect() };
        let (as_meeting, as_webinar) =
            (format!("/v2/meetings/{webinar}/livestream/status"), format!("/v2/webinars/{webinar}/livestream/status"));
        assert_eq!(paths(&bot), [as_meeting.clone(), as_webinar.clone()]);
        bot.types(&ada, &events, &format!("/stream stop {webinar}")).await;
        assert_eq!(bot.last_audit()["outcome"], "stopped");
        assert_eq!(paths(&bot), [as_meeting, as_webinar.clone(), as_webinar]);
        let layout = bot.types(&ada, &events, &format!("/stream start {webinar} --layout gallery_view")).await;
        assert_eq!(bot.last_audit()["outcome"], "invalid", "{}", layout.shown);
    }

    async fn a_webinar_that_cannot_be_started_is_told_as_one(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let webinar = bot.zoom.webinar_in_progress(&host);
        bot.zoom.next(Route::WebinarStatus, refusal(400, 200, "No permission."));
        let answer = bot.types(&ada, &events, &format!("/stream start {webinar}")).await;
        assert_eq!(bot.last_audit()["outcome"], "webinar", "{}", answer.shown);
        assert!(is_public(&answer) && answer.shown.contains("webinar"), "{}", answer.shown);
    }
}

use super::*;

/// 21 October 2026, 09:00 UTC, when nothing in particular happens.
const NOW: &str = "2026-10-21T09:00:00Z";

fn now() -> Timestamp {
    at(NOW)
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn answer(status: u16, code: impl Into<Option<i64>>, message: &str) -> Answer {
    Answer { status, code: code.into(), message: message.to_owned(), ..Answer::default() }
}

fn judged(action: Action, answer: Answer) -> Outcome {
    judge(action, &Attempt::Answered(answer), now())
}

/// The verdict is the same for a start and a stop.
fn check(status: u16, code: impl Into<Option<i64>>, message: &str, expected: Outcome) {
    let answer = answer(status, code, message);
    for action in [Action::Start, Action::Stop] {
        assert_eq!(judged(action, answer.clone()), expected, "{action:?}: {answer:?}");
    }
}

fn check_refused(status: u16, code: impl Into<Option<i64>>, message: &str) {
    let code = code.into();
    check(status, code, message, Outcome::Refused { status, code, message: message.to_owned() });
}

#[test]
fn only_204_is_success_and_a_friendly_answer_beside_it_is_unknown() {
    assert_eq!(judged(Action::Start, answer(204, None, "")), Outcome::Accepted);
    assert_eq!(judged(Action::Stop, answer(204, None, "")), Outcome::Stopped);
    for status in [200, 201, 202, 205, 206] {
        check(status, None, "", Outcome::Unknown);
        check(status, 0, "success", Outcome::Unknown);
        check_refused(status, 7777, "A code of tomorrow.");
    }
    // What Zoom says is wrong stays wrong when it comes with a friendly status.
    check(200, 3000, "Meeting 68423085 has not started.", Outcome::NotStarted);
    check(200, 3001, "", Outcome::NotFound);
    check(202, 124, "Invalid access token.", Outcome::Reconnect);
    check(201, 4711, "Invalid access token, does not contain scopes:[a:b].", scope(&["a:b"]));
}

#[test]
fn a_meeting_that_is_not_running_is_known_by_the_message_whatever_the_code() {
    check(400, 4927, "Meeting 68423085 has not started.", Outcome::NotStarted);
    check(400, 3000, "Meeting 68,423,085 has not started.", Outcome::NotStarted);
    check(400, 200, "Webinar 82,929,473,321 has not started.", Outcome::NotStarted);
    check(404, 3001, "Meeting 812 3456 7890 Has Not Started", Outcome::NotStarted);
    check(400, None, "THE MEETING HAS\u{a0}NOT\n  STARTED", Outcome::NotStarted);
    check(500, 9999, "Meeting 68423085 has not started.", Outcome::NotStarted);
    check(400, 4927, "", Outcome::NotStarted);
    check_refused(400, 3000, "Meeting 68423085 has started.");
}

#[test]
fn a_webinar_behind_a_meeting_call_is_known_by_the_message() {
    check(400, 3000, "Cannot access webinar info.", Outcome::Webinar);
    check(400, None, "CANNOT ACCESS WEBINAR INFO", Outcome::Webinar);
    assert!(is_webinar(&Attempt::Answered(answer(400, 3000, "Cannot access Webinar info."))));
    assert!(!is_webinar(&Attempt::Answered(answer(400, 3000, "Not allowed to start live streaming."))));
    assert!(!is_webinar(&Attempt::NoAnswer) && !is_webinar(&Attempt::NotSent));
}

#[test]
fn code_300_names_a_field_or_the_id() {
    let field = |name: &str| FieldError { field: name.into(), message: "Invalid field.".into() };
    let failed = |fields: &[FieldError]| Answer { fields: fields.to_vec(), ..answer(400, 300, "Validation Failed.") };
    let invalid = |answer| judged(Action::Start, answer);

    let fields = [field("settings.display_name"), field("settings.layout")];
    assert_eq!(invalid(failed(&fields)), Outcome::Invalid(Invalid::Fields(fields.to_vec())));
    for id in ["meetingId", "meeting_id", "webinarId", "id"] {
        assert_eq!(invalid(failed(&[field(id)])), Outcome::Invalid(Invalid::MeetingId), "{id}");
    }
    // From XML, which names no field.
    check(400, 300, "Validation Failed.", Outcome::Invalid(Invalid::Fields(Vec::new())));

    check(400, 300, "Invalid meeting ID.", Outcome::Invalid(Invalid::MeetingId));
    check(400, 300, "Invalid webinar ID.", Outcome::Invalid(Invalid::MeetingId));
    check(404, 300, "Missing meetingId", Outcome::Invalid(Invalid::MeetingId));
    check(300, None, "", Outcome::Invalid(Invalid::MeetingId));
    check(300, 300, "Invalid or missing meetingId", Outcome::Invalid(Invalid::MeetingId));
}

#[test]
fn a_known_code_beats_a_status_of_300() {
    check(300, 3001, "Meeting does not exist: 68423085.", Outcome::NotFound);
    check(300, 5555, "Something new.", Outcome::Invalid(Invalid::MeetingId));
}

#[test]
fn a_request_of_the_wrong_shape_is_not_blamed_on_the_id() {
    check_refused(415, 300, "Unsupported Content Type");
    check_refused(400, 300, "Unsupported Content Type");
    check_refused(400, 300, "Request Body should be a valid JSON object.");
    check_refused(415, 300, "");
    check_refused(415, None, "");
}

#[test]
fn accounts_users_and_meetings_that_are_not_there() {
    check(400, 1010, "User does not belong to this account: abc.", Outcome::OtherAccount);
    check(404, 1001, "User does not exist: abc.", Outcome::UserMissing);
    check(400, 1001, "User does not exist: abc.", Outcome::UserMissing);
    check(404, 3001, "Meeting does not exist: 68,423,085.", Outcome::NotFound);
    check(404, 3001, "Webinar does not exist: 68423085.", Outcome::NotFound);
}

#[test]
fn a_status_without_a_code_of_zooms_says_nothing_about_the_meeting() {
    for status in [301, 302, 307, 400, 403, 404, 405, 409, 410, 413] {
        check_refused(status, None, "");
    }
}

#[test]
fn what_forbids_a_stream_keeps_its_cure() {
    let not_allowed = Outcome::NotAllowed;
    let hosting = "Your user account is not allowed meeting hosting and scheduling capabilities.";
    check(400, 3161, hosting, not_allowed(NotAllowed::Licence));
    let setting = "Not allowed to start live streaming. To use this feature, enable the \"Allow livestreaming of \
                   meetings\" setting in the \"Settings\" page of the Zoom web portal.";
    check(400, 3000, setting, not_allowed(NotAllowed::Setting));
    check(403, 3000, &setting.to_uppercase(), not_allowed(NotAllowed::Setting));
    let encrypted = "End-to-end encrypted meetings currently do not support the livestreaming feature.";
    check(400, 4400, encrypted, not_allowed(NotAllowed::Encryption));
    check(400, 3000, encrypted, not_allowed(NotAllowed::Encryption));
    check(400, 4400, "", not_allowed(NotAllowed::Encryption));
}

#[test]
fn the_webinar_twin_has_codes_of_its_own() {
    let plan = "Webinar plan is missing. You must subscribe to the webinar plan and enable webinars for this user in \
                order to perform this action.";
    check(400, 200, plan, Outcome::NotAllowed(NotAllowed::WebinarPlan));
    let service = "The current webinar is not configured with a custom streaming service.";
    check(400, 3000, service, Outcome::NotAllowed(NotAllowed::WebinarService));
    check_refused(400, 200, "No permission.");
    check_refused(400, 3000, "Something else that Zoom files under 3000.");
}

fn scope(names: &[&str]) -> Outcome {
    Outcome::Scope { missing: names.iter().map(|name| (*name).to_owned()).collect() }
}

#[test]
fn a_missing_scope_is_known_by_code_or_text_and_is_not_a_bad_token() {
    let both = ["meeting:update:livestream_status", "meeting:update:livestream_status:admin"];
    let text = format!("Invalid access token, does not contain scopes:[{}].", both.join(", "));
    for (status, code) in [(400, Some(4711)), (401, Some(4711)), (401, None), (400, Some(4700)), (401, Some(124))] {
        check(status, code, &text, scope(&both));
        assert!(!is_unauthorized(&Attempt::Answered(answer(status, code, &text))));
    }
    check(400, 4711, "", scope(&[]));
    check(400, 4711, "invalid access token, DOES NOT CONTAIN SCOPES: user_info:read.", scope(&["user_info:read"]));
    // The names go into a message: nothing that cannot be a scope passes.
    check(400, 4711, "does not contain scopes:[a:b, <!channel>, *bold*]", scope(&["a:b"]));
    check(400, 4711, "does not contain scopes:[", scope(&[]));
}

#[test]
fn a_token_that_is_no_good_asks_for_a_connection() {
    for (status, code, message) in [
        (401, Some(124), "Access token is expired."),
        (401, Some(124), "Invalid access token."),
        (400, Some(124), "Invalid access token."),
        (403, Some(124), ""),
        (401, None, ""),
        (401, Some(200), "No permission."),
    ] {
        check(status, code, message, Outcome::Reconnect);
        assert!(is_unauthorized(&Attempt::Answered(answer(status, code, message))));
    }
    assert!(!is_unauthorized(&Attempt::Answered(answer(403, 200, "No permission."))));
    assert!(!is_unauthorized(&Attempt::NoAnswer) && !is_unauthorized(&Attempt::NotSent));
    check_refused(400, 4700, "Invalid client_id (4,700)");
}

/// A 429, from the message and the two headers.
fn throttled(action: Action, message: &str, kind: Option<&str>, retry_after: Option<&str>) -> Throttle {
    let limit = LimitHeaders::read(kind, retry_after, now());
    match judged(action, Answer { limit, ..answer(429, 4001, message) }) {
        Outcome::Throttled(throttle) => throttle,
        other => panic!("{other:?}"),
    }
}

const PER_SECOND: &str = "You have reached the maximum per-second rate limit for this API. Try again later.";
const PER_DAY: &str = "You have reached the maximum daily rate limit for this API. Refer to the response header for \
                       details on when you can make another request.";

#[test]
fn a_second_start_too_early_waits_as_long_as_zoom_says_or_half_a_minute() {
    let rule = "Too many requests to start the livestream of this meeting. Retry in 30 seconds if it has not started.";
    for (message, kind) in [("", None), (rule, None), (rule, Some("QPS")), (rule, Some("Daily-limit"))] {
        for (retry_after, expected) in [
            (None, "2026-10-21T09:00:30Z"),
            (Some("45"), "2026-10-21T09:00:45Z"),
            (Some("1"), "2026-10-21T09:00:01Z"),
            (Some("-1"), "2026-10-21T09:00:30Z"),
            (Some("soon"), "2026-10-21T09:00:30Z"),
            (Some("4294967295"), "2026-10-21T09:00:30Z"),
            (Some("99999999999999999999"), "2026-10-21T09:00:30Z"),
            (Some("2026-10-21T08:00:00Z"), "2026-10-21T09:00:30Z"),
        ] {
            let expected = Throttle::PreviousStart { retry_at: at(expected) };
            assert_eq!(
                throttled(Action::Start, message, kind, retry_after),
                expected,
                "{message} {kind:?} {retry_after:?}"
            );
        }
    }
}

#[test]
fn the_limit_per_second_is_known_by_message_header_or_action() {
    for (action, message, kind) in [
        (Action::Start, PER_SECOND, None),
        (Action::Start, "", Some("QPS")),
        (Action::Stop, PER_SECOND, Some("qps")),
        (Action::Stop, "", None),
    ] {
        for (retry_after, expected) in [
            (None, "2026-10-21T09:00:05Z"),
            (Some(" 2 "), "2026-10-21T09:00:02Z"),
            (Some("Wed, 21 Oct 2026 09:00:09 GMT"), "2026-10-21T09:00:09Z"),
            (Some("2026-10-21T11:00:07+02:00"), "2026-10-21T09:00:07Z"),
            (Some("2026-10-21T09:00:07"), "2026-10-21T09:00:07Z"),
            (Some("0"), "2026-10-21T09:00:05Z"),
            (Some("Tue, 20 Oct 2026 09:00:09 GMT"), "2026-10-21T09:00:05Z"),
            (Some("9999-12-31T00:00:00Z"), "2026-10-21T09:00:05Z"),
        ] {
            let expected = Throttle::PerSecond { retry_at: at(expected) };
            assert_eq!(throttled(action, message, kind, retry_after), expected, "{message} {kind:?} {retry_after:?}");
        }
    }
}

#[test]
fn the_daily_quota_opens_when_told_or_at_midnight() {
    let older = "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this \
                 particular user. You may resume these requests at GMT 00:00:00.";
    for (message, kind) in [(PER_DAY, None), ("", Some("Daily-limit")), (older, None), (PER_DAY, Some("QPS"))] {
        for (retry_after, expected) in [
            (None, "2026-10-22T00:00:00Z"),
            (Some("2026-10-21T20:30:00Z"), "2026-10-21T20:30:00Z"),
            (Some("3600"), "2026-10-21T10:00:00Z"),
            (Some("Wed, 21 Oct 2026 23:00:00 GMT"), "2026-10-21T23:00:00Z"),
            (Some("2020-05-31T00:00:00Z"), "2026-10-22T00:00:00Z"),
            (Some("2027-05-31T00:00:00Z"), "2026-10-22T00:00:00Z"),
        ] {
            let expected = Throttle::Daily { retry_at: at(expected) };
            for action in [Action::Start, Action::Stop] {
                assert_eq!(
                    throttled(action, message, kind, retry_after),
                    expected,
                    "{message} {kind:?} {retry_after:?}"
                );
            }
        }
    }
}

#[test]
fn a_wait_of_hours_is_the_daily_quota_although_nothing_says_so() {
    let expected = Throttle::Daily { retry_at: at("2026-10-22T00:00:00Z") };
    assert_eq!(throttled(Action::Start, "", None, Some("2026-10-22T00:00:00Z")), expected);
    assert_eq!(throttled(Action::Stop, "", None, Some("2026-10-22T00:00:00Z")), expected);
}

#[test]
fn midnight_is_always_ahead() {
    for (time, midnight) in [
        ("2026-10-21T00:00:00Z", "2026-10-22T00:00:00Z"),
        ("2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"),
        ("1969-12-31T12:00:00Z", "1970-01-01T00:00:00Z"),
    ] {
        assert_eq!(next_midnight(at(time)), at(midnight));
    }
}

#[test]
fn an_order_without_an_answer_is_unknown_and_one_that_never_left_is_unavailable() {
    for action in [Action::Start, Action::Stop] {
        assert_eq!(judge(action, &Attempt::NoAnswer, now()), Outcome::Unknown);
        assert_eq!(judge(action, &Attempt::NotSent, now()), Outcome::Unavailable);
    }
}

#[test]
fn zoom_out_of_order_is_unavailable() {
    for status in [500, 502, 503, 504, 520, 599] {
        check(status, None, "", Outcome::Unavailable);
        check(status, 3001, "Internal error.", Outcome::Unavailable);
    }
}

#[test]
fn what_nobody_knows_keeps_zooms_own_words() {
    check_refused(400, 7777, "A code of tomorrow & its <message>.");
    check_refused(409, 3999, "");
    check_refused(403, 200, "No permission.");
}

#[test]
fn what_is_not_shown_is_told_by_the_same_codes_and_messages() {
    let why = |status, code: i64, message: &str| denied(&answer(status, code, message));
    assert_eq!(why(400, 3000, "Cannot access webinar info."), Some(Denied::Webinar));
    assert_eq!(why(404, 3001, "Meeting does not exist: 68423085."), Some(Denied::NotFound));
    assert_eq!(why(400, 300, "Invalid meeting ID."), Some(Denied::InvalidId));
    assert_eq!(why(400, 1010, "User does not belong to this account."), Some(Denied::OtherAccount));
    assert_eq!(why(404, 1001, "User does not exist."), Some(Denied::UserMissing));
    assert_eq!(why(400, 3161, ""), Some(Denied::Licence));
    for (status, code, message) in [
        (400, 3000, "Anything else."),
        (400, 4927, "Meeting 68423085 has not started."),
        (400, 300, "Validation Failed."),
        (404, 2300, "This API endpoint is not recognized."),
        (500, 3001, "Meeting does not exist: 68423085."),
        (415, 300, ""),
    ] {
        assert_eq!(why(status, code, message), None, "{status} {code} {message}");
    }
    assert_eq!(denied(&answer(404, None, "")), None, "whose 404 it is, nobody knows");
}

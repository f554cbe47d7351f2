//! What holds for every message, whatever people and Zoom put into it.

use std::collections::BTreeSet;

use super::*;
use crate::audit::{AuditOutcome, AuditVerb};
use crate::id::ChannelId;
use crate::policy::{Act, Because, Denied, Policy};
use crate::preset::NotAName;
use crate::reply::{Check, Cure, Known, StatusOf, Verdict, Why};
use crate::stream::State;

/// One of each outcome, with hostile text wherever an outcome has room for text.
fn outcomes(text: &str) -> Vec<Outcome> {
    let field = FieldError { field: text.to_owned(), message: text.to_owned() };
    let title = FieldError { field: "settings.display_name".to_owned(), message: text.to_owned() };
    let retry_at = later(30);
    vec![
        Outcome::Accepted,
        Outcome::Stopped,
        Outcome::NotStarted,
        Outcome::Webinar,
        Outcome::Invalid(Invalid::MeetingId),
        Outcome::Invalid(Invalid::Fields(vec![field; 40])),
        Outcome::Invalid(Invalid::Fields(vec![title])),
        Outcome::Invalid(Invalid::LayoutOfWebinar),
        Outcome::OtherAccount,
        Outcome::UserMissing,
        Outcome::NotFound,
        Outcome::NotAllowed(NotAllowed::Licence),
        Outcome::NotAllowed(NotAllowed::Setting),
        Outcome::NotAllowed(NotAllowed::Encryption),
        Outcome::NotAllowed(NotAllowed::WebinarPlan),
        Outcome::NotAllowed(NotAllowed::WebinarService),
        Outcome::Scope { missing: vec![text.to_owned(); 40] },
        Outcome::Scope { missing: Vec::new() },
        Outcome::Reconnect,
        Outcome::Throttled(Throttle::PreviousStart { retry_at }),
        Outcome::Throttled(Throttle::PerSecond { retry_at }),
        Outcome::Throttled(Throttle::Daily { retry_at }),
        Outcome::Unknown,
        Outcome::Unavailable,
        Outcome::RenewalLost,
        Outcome::Refused { status: 400, code: Some(1), message: text.to_owned() },
    ]
}

/// Every reply that has room for text, with that text in it.
fn replies(text: &str) -> Vec<Reply> {
    let account = ZoomUser { name: Some(text.to_owned()), email: Some(text.to_owned()), ..ada() };
    let settings = Settings { title: Title::shortened(text), layout: Some(Layout::SpeakerView), ..Settings::default() };
    let mut replies = Vec::new();
    for action in [Action::Start, Action::Stop] {
        for outcome in outcomes(text) {
            let (asked_by, settings, account) = (UserId::new("U1"), settings.clone(), account.clone());
            let confirms = Confirms::Yes;
            let retry = Some(NextTry { number: 1, at: later(30), told: later(30), job: JobId::new(text) });
            replies.push(Reply::Show(Show {
                on_behalf_of: None,
                asked_by,
                action,
                meeting: meeting(),
                settings,
                outcome,
                confirms,
                retry,
                account,
            }));
        }
    }
    let word = text.to_owned();
    let problems = [
        Problem::UnknownVerb { word: word.clone() },
        Problem::NotAMeeting { word: word.clone(), why: NotAMeeting::Word },
        Problem::UnknownOption { word: word.clone() },
        Problem::OptionValue { option: "--layout", word: Some(word.clone()), allowed: LAYOUT_WORDS },
        Problem::Trailing { word: word.clone() },
        Problem::NotAName { word: word.clone(), why: NotAName::OtherCharacter },
        Problem::UnknownName { word: word.clone() },
        Problem::NotSaved { word: word.clone() },
    ];
    replies.extend(problems.map(|problem| Reply::Usage(UsageError { problem, nearest: word.clone() })));
    let link = Secret::new("https://onair.example");
    let whys =
        [ConnectWhy::Asked { connected: Some(account.clone()) }, ConnectWhy::Scope { missing: vec![word.clone(); 40] }];
    replies.extend(whys.map(|why| Reply::Connect { link: link.clone(), why, waiting: Some(Verb::Start) }));
    replies.push(Reply::Whoami { account: account.clone(), shared_with: 3, lacks_scope: true });
    let asked = Command::Start(Start { meeting: meeting(), settings, run: Run::Real });
    let (by, phase) = (Some(UserId::new("U1")), Phase::Taken { at: now() });
    let already =
        Already { asked: asked.clone(), action: Action::Start, is_same: false, by: by.clone(), asked_at: now(), phase };
    replies.push(Reply::Already(already));
    replies.push(Reply::Withdrawn { by, their_action: Action::Stop, asked_by: UserId::new("U1"), asked });
    let refused = Why::Refused { status: 400, code: Some(word.clone()) };
    for target in [Verdict::Bad(Cure::SetTheTarget), Verdict::Unknown(refused)] {
        let stream = Some(State::Live { since: now(), by: None });
        let check = Check { account: account.clone(), target, stream, ..checks::good() };
        replies.push(Reply::Check(Box::new(check)));
    }
    let people = (0..Policy::MOST).map(|number| UserId::new(format!("U{number}"))).collect();
    let channels = (0..Policy::MOST).map(|number| ChannelId::new(format!("C{number}"))).collect();
    replies.push(Reply::Denied(Denied { act: Act::Stop, why: Because::OfWhere(channels), ask: people }));
    replies.push(Reply::ConfirmStop(policies::stop(text)));
    let denied = policies::denied(Because::Unreadable);
    replies.push(Reply::NoNextTry { meeting: meeting(), asked_by: UserId::new("U1"), denied });
    replies.push(Reply::DryRun { request: word, account });
    // The store gives back what lies in it, whatever that is.
    let name = serde_json::from_value(serde_json::Value::from(text)).unwrap();
    let preset = Preset { name, meeting: meeting(), title: Title::shortened(text) };
    replies.push(Reply::Saved { preset: preset.clone(), replaced: Some(preset.clone()) });
    replies.push(Reply::Forgotten(preset.clone()));
    let many = serde_json::to_value(vec![preset; Presets::MOST]).unwrap();
    replies.push(Reply::Presets(serde_json::from_value(many).unwrap()));
    replies
}

/// Those that are not about an order to Zoom.
fn others() -> Vec<Reply> {
    let link = Secret::new("https://onair.example");
    let usage = |problem| Reply::Usage(UsageError { problem, nearest: "start 68423085".to_owned() });
    let mut replies = vec![
        Reply::Help { verb: None },
        Reply::Help { verb: Some(Verb::Start) },
        usage(Problem::EmptyTitle),
        usage(Problem::StreamSecret),
        Reply::Busy,
        Reply::NotAccepted,
        Reply::Broken,
        Reply::GaveUp,
        Reply::NothingToCancel { meeting: meeting() },
        Reply::Audit(Vec::new()),
        Reply::Audit(vec![announcements::entry(AuditVerb::Start, AuditOutcome::NotFound)]),
        Reply::AdminsOnly(NotAdmin::Member { ask: BTreeSet::new() }),
        Reply::Denied(policies::denied(Because::Unreadable)),
        Reply::Denied(policies::denied(Because::OfWho)),
        Reply::TakenBack { meeting: meeting(), lender: UserId::new("U1"), colleagues: Vec::new() },
        Reply::LenderCannot { meeting: meeting(), action: Action::Stop, lender: UserId::new("U1") },
        Reply::FormNotOpen { text: "policy".to_owned() },
        Reply::NotConfirmed { meeting: meeting(), why: NotConfirmed::SamePerson },
        Reply::NotConfirmed { meeting: meeting(), why: NotConfirmed::NotHere },
        Reply::NotConfirmed { meeting: meeting(), why: NotConfirmed::TooLate },
        Reply::AdminsOnly(NotAdmin::Unknown(RoleUnknown::NoScope)),
        Reply::DryRun { request: "PATCH".to_owned(), account: ada() },
        Reply::Whoami { account: ada(), shared_with: 0, lacks_scope: false },
        Reply::NotConnected,
        usage(Problem::TooManyNames),
        Reply::Presets(Presets::default()),
        Reply::Check(Box::new(checks::good())),
        Reply::Doctor(Box::new(doctors::well())),
        Reply::Doctor(Box::new(doctors::ill())),
        Reply::Status { of: StatusOf::Workspace, streams: Vec::new() },
        Reply::Status { of: StatusOf::Meeting { meeting: meeting(), running: Verdict::Good }, streams: Vec::new() },
    ];
    let ways =
        [Disconnected::StillShared, Disconnected::Revoked, Disconnected::NotRevokedAtZoom, Disconnected::Unreadable];
    replies.extend(ways.map(Reply::Disconnected));
    let whys = [ConnectWhy::FirstTime, ConnectWhy::Ended, ConnectWhy::UserMissing];
    replies.extend(whys.map(|why| Reply::Connect { link: link.clone(), why, waiting: None }));
    replies.push(Reply::Setup { link, meeting: meeting() });
    replies
}

/// Takes OnAir's own mentions and dates out.
fn without_own_tokens(text: &str) -> String {
    let mut rest = text.to_owned();
    for own in ["<@U", "<#C"] {
        while let Some(start) = rest.find(own) {
            let end = rest[start..].find('>').expect("a mention is closed");
            rest.replace_range(start..=start + end, "");
        }
    }
    while let Some(start) = rest.find("<!date^") {
        let end = rest[start..].find('>').expect("a date token is closed");
        rest.replace_range(start..=start + end, "");
    }
    rest
}

fn check(text: &str) {
    for reply in replies(text) {
        let said = tell(&reply).text;
        let rest = without_own_tokens(&said);
        assert!(!rest.contains(['<', '>']), "{text:?} gets through: {said}");
        let whole = rest.split('&').skip(1).all(|tail| ["amp;", "lt;", "gt;"].iter().any(|e| tail.starts_with(e)));
        assert!(whole, "{text:?} leaves half an escape: {said}");
        let fence = matches!(reply, Reply::DryRun { .. });
        assert!(fence || said.lines().all(|line| line.matches('`').count() % 2 == 0), "open backtick: {said}");
        assert!(outside_code(&rest).chars().all(|c| !"@_~".contains(c)), "{text:?} pings or slants: {said}");
        assert!(size(&said) <= MAX_MESSAGE, "{} units", size(&said));
        assert!(!said.contains(['\r', '\u{202e}', '\u{0}']), "{said:?}");
    }
}

fn outside_code(text: &str) -> String {
    text.replace("```", "`").split('`').step_by(2).collect()
}

#[test]
fn hostile_texts_stay_text() {
    for text in [
        "<!channel>",
        "<@U2> <#C1|x> <https://evil.example|Zoom>",
        "@here *bold* _slanted_ ~struck~ `code` ```block```",
        "&lt;!channel&gt;",
        "`",
        "\u{202e}evil\r\n> quote\u{0}",
        "",
    ] {
        check(text);
        check(&text.repeat(300));
    }
    check(&"&".repeat(5000));
    check(&"😀".repeat(5000));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_text_becomes_markup(text in "([<>!@#|&`*_~\n a-z0-9^😀]|<!|<@|&lt;){0,400}") {
        check(&text);
    }

    #[test]
    fn escaping_is_undone_by_slack(text in any::<String>()) {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains(['<', '>']));
        prop_assert_eq!(escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), text);
    }
}

#[test]
fn the_channel_reads_what_happened_to_the_show_and_one_person_the_rest() {
    use Audience::{Channel, Person};
    let invalid = [Person; 4];
    let not_allowed = [Channel; 5];
    let throttled = [Channel; 3];
    let expected = [
        &[Channel, Channel, Channel, Channel][..], // accepted, stopped, not started, webinar
        &invalid,
        &[Person, Person, Channel], // other account, user missing, not found
        &not_allowed,
        &[Person, Person, Person], // two of a scope, reconnect
        &throttled,
        &[Channel; 4], // unknown, unavailable, a lost renewal, refused
    ]
    .concat();
    for action in [Action::Start, Action::Stop] {
        let audience = |outcome| tell(&shown(action, Settings::default(), outcome)).audience;
        assert_eq!(outcomes("x").into_iter().map(audience).collect::<Vec<_>>(), expected);
    }
    for reply in others() {
        assert_eq!(tell(&reply).audience, Person, "{reply:?}");
    }
}

#[test]
fn what_the_channel_reads_names_who_asked_and_the_meeting() {
    for reply in replies("x") {
        let message = tell(&reply);
        if message.audience == Audience::Channel {
            let first = message.text.lines().next().unwrap();
            assert!(first.contains("<@U1>") && first.contains("`684 230 85`"), "{first}");
        }
    }
}

#[test]
fn every_failure_ends_with_the_next_step() {
    const ACTS: [&str; 8] = [
        "Press *Connect Zoom*",
        "Press *Open the page*",
        "Press *Open the form*",
        "To stop it, somebody else presses *Confirm stop*",
        "To give it up, press *Cancel*",
        "Type it again",
        "To end it there yourself",
        "Ask ",
    ];
    for reply in replies("x").into_iter().chain(others()) {
        let said = tell(&reply).text;
        let last = said.lines().last().unwrap();
        let step = last.contains('`') || ACTS.iter().any(|act| last.starts_with(act));
        assert!(step || matches!(reply, Reply::Help { .. }), "no next step: {said}");
    }
}

#[test]
fn what_nobody_expected_shows_the_reference() {
    let refused = Outcome::Refused { status: 400, code: None, message: String::new() };
    for action in [Action::Start, Action::Stop] {
        for outcome in [Outcome::Unknown, Outcome::Unavailable, refused.clone()] {
            assert!(tell(&shown(action, Settings::default(), outcome)).text.contains("`r-7f3k`"));
        }
    }
    for reply in [Reply::Broken, Reply::NotAccepted] {
        assert!(tell(&reply).text.contains("`r-7f3k`"));
    }
}

#[test]
fn a_message_too_long_loses_its_middle() {
    let record = |hour: i64| StreamRecord {
        meeting: meeting(),
        action: Action::Start,
        by: Some(UserId::new("U1")),
        at: later(-60 * hour),
        fate: crate::reply::Fate::Taken,
    };
    let streams = (0..200).map(|hour| Known { record: Some(record(hour)), stream: None }).collect();
    let text = tell(&Reply::Status { of: StatusOf::Workspace, streams }).text;
    assert!((2800..=MAX_MESSAGE).contains(&size(&text)), "{}", size(&text));
    assert!(text.starts_with("Streams of the last 24 hours") && text.contains("\n…\n“Live” is what Zoom"), "{text}");
}

#[test]
fn cuts_leave_whole_characters_and_escapes() {
    assert_eq!(clip("abc", 3), "abc");
    assert_eq!(clip("abcd", 3), "abc…");
    assert_eq!(clip("a&b", 5), "a…");
    assert_eq!(clip("a&b", 7), "a&b");
    assert_eq!(clip("😀😀", 3), "😀…");
    assert_eq!(fit(&[]), "");
    assert_eq!(fit(&["a".into(), "x".repeat(4000), "z".into()]), "a\n…\nz");
}

#[test]
fn what_has_happened_is_not_ahead_and_what_is_to_come_is_not_too_early() {
    let at: Timestamp = "2026-11-22T10:00:07.4Z".parse().unwrap();
    assert!(text::time(at).contains("|10:00:07 UTC") && text::day_and_time(at).contains("10:00:07 UTC"));
    assert!(text::time_to_come(at).contains("|10:00:08 UTC") && text::day_to_come(at).contains("10:00:08 UTC"));
}

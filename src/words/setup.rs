//! What the pages of `setup` say. Plain text: whoever makes HTML of it escapes it.

use super::fields::MOST_FIELDS;
use super::outcome::forbidden;
use super::page::{FieldText, FormText, Kind, PageText, once_more_reference, slack_user, zoom_user};
use super::policy::denied_page;
use super::text::{clip, fold, list};
use crate::command::Verb;
use crate::destination::{Fault, Field, Invitation, Present, Why};
use crate::grant::{StateToken, ZoomUser};
use crate::meeting::MeetingId;
use crate::outcome::{FieldError, Invalid, Outcome, Throttle};
use crate::reply::{SetupForm, SetupPage, SlackName, Tried, Values};
use crate::secret::Secret;

const STREAM_URL_EXAMPLE: &str = "rtmps://live.example.com/app";
const PAGE_URL_EXAMPLE: &str = "https://live.example.com/watch";

pub(super) fn page(page: &SetupPage, command: &str) -> PageText {
    let new_page = |meeting| format!("For a new page, go back to Slack and type {}.", setup(command, meeting));
    match page {
        SetupPage::Confirm { asker, meeting, state } => confirm(asker, *meeting, state),
        SetupPage::Form(form) => show(form),
        SetupPage::Done { meeting } => PageText {
            title: "Saved · OnAir".to_owned(),
            heading: "Saved at Zoom".to_owned(),
            paragraphs: vec![
                format!("Zoom has the new stream URL, stream key and page URL of {meeting}."),
                format!(
                    "Close this page. When the meeting runs in Zoom, type {command} {} {} in Slack.",
                    Verb::Start.word(),
                    meeting.number()
                ),
            ],
            ..PageText::default()
        },
        SetupPage::NotDone { tried, meeting, why, account, is_on_air, reference } => {
            let mut paragraphs = reasons(why, *meeting, account.as_ref(), command);
            if matches!(why, Outcome::Refused { .. } | Outcome::NotStarted) && *tried == Tried::Set {
                paragraphs.push(stop_first(*meeting, *is_on_air, command));
            }
            paragraphs.push(new_page(Some(*meeting)));
            if is_unexpected(why) {
                paragraphs.push(once_more_reference(reference));
            }
            let heading = match (tried, why) {
                (Tried::Read, _) => "Nothing can be set here",
                (Tried::Set, Outcome::Unknown) => "OnAir doesn't know whether Zoom saved it",
                (Tried::Set, _) => "Nothing was saved",
            };
            plain(heading, paragraphs)
        }
        SetupPage::Denied(denied) => plain("Nothing was saved", denied_page(denied)),
        SetupPage::Over => plain(
            "This page is over",
            vec![
                format!("It works for one change, and for {} minutes.", Invitation::LIFE.as_mins()),
                "Did you press the button twice? Then the first press counted, and a new page shows what is set."
                    .to_owned(),
                new_page(None),
            ],
        ),
        SetupPage::OtherBrowser => plain(
            "This page is open in another browser",
            vec![
                "It works only in the browser that opened it first, and only where that one keeps cookies.".to_owned(),
                new_page(None),
            ],
        ),
        SetupPage::Foreign => plain(
            "This did not come from OnAir's page",
            vec!["Nothing was saved: another site sent the form.".to_owned(), new_page(None)],
        ),
        SetupPage::StoreAway => plain(
            "OnAir can't do this just now",
            vec![
                "Nothing was saved: OnAir can't look anything up at the moment.".to_owned(),
                format!("Wait a minute, go back to Slack and type {}.", setup(command, None)),
            ],
        ),
        SetupPage::Broken { reference } => plain(
            "Something in OnAir broke",
            vec![
                "It can't say whether Zoom saved anything; a new page shows what is set.".to_owned(),
                new_page(None),
                once_more_reference(reference),
            ],
        ),
    }
}

fn plain(heading: &str, paragraphs: Vec<String>) -> PageText {
    PageText { title: format!("{heading} · OnAir"), heading: heading.to_owned(), paragraphs, ..PageText::default() }
}

fn setup(command: &str, meeting: Option<MeetingId>) -> String {
    let word = Verb::Setup.word();
    match meeting {
        Some(meeting) => format!("{command} {word} {}", meeting.number()),
        None => format!("{command} {word} and the meeting"),
    }
}

fn confirm(asker: &SlackName, meeting: MeetingId, state: &StateToken) -> PageText {
    PageText {
        title: "Where the stream goes · OnAir".to_owned(),
        heading: "Is this you?".to_owned(),
        paragraphs: vec![
            format!(
                "{} asked for a page to see and set where the stream of {meeting} goes.",
                slack_user(&asker.user, &asker.team)
            ),
            "If that is you, go on. From then on the page works in this browser alone.".to_owned(),
            "If that is not you, close this page. A stream key typed here would go to somebody else's meeting."
                .to_owned(),
        ],
        form: Some(FormText {
            state: state.clone(),
            summary: None,
            fields: Vec::new(),
            carried: None,
            submit: "Yes, open the page".to_owned(),
            footnote: None,
        }),
        ..PageText::default()
    }
}

fn show(form: &SetupForm) -> PageText {
    let SetupForm { asker, account, meeting, state, values } = form;
    let mut paragraphs =
        vec![format!("For {}, connected to Zoom as {}.", slack_user(&asker.user, &asker.team), zoom_user(account))];
    let nothing = Present::default();
    let (present, faults) = match values {
        Values::Present(present) => (present, &[][..]),
        Values::Unread(why) => {
            paragraphs.push(unread(why));
            (&nothing, &[][..])
        }
        Values::Wrong { typed, faults } => (typed, faults.as_slice()),
    };
    let summary = match faults.len() {
        0 => None,
        1 => Some("Nothing was saved yet: one thing is wrong".to_owned()),
        more => Some(format!("Nothing was saved yet: {more} things are wrong")),
    };
    let field = |field: Field, label: &str, hint: String, value: &Secret| FieldText {
        name: field.name(),
        label: label.to_owned(),
        hint,
        value: value.clone(),
        kind: if field == Field::StreamKey { Kind::Key } else { Kind::Address },
        fault: faults.iter().find(|fault| fault.field == field).map(wrong),
    };
    let fields = vec![
        field(
            Field::StreamUrl,
            "Stream URL",
            format!("Your streaming service's address for Zoom, such as {STREAM_URL_EXAMPLE}"),
            &present.stream_url,
        ),
        field(Field::StreamKey, "Stream key", key_hint(values).to_owned(), &Secret::default()),
        field(
            Field::PageUrl,
            "Page URL",
            format!("Where people watch the stream, such as {PAGE_URL_EXAMPLE}"),
            &Secret::new(present.page_url.clone()),
        ),
    ];
    let title = "Where the stream goes · OnAir";
    PageText {
        title: if summary.is_some() { format!("Error: {title}") } else { title.to_owned() },
        heading: format!("Where the stream of {meeting} goes"),
        paragraphs,
        form: Some(FormText {
            state: state.clone(),
            summary,
            fields,
            carried: present.resolution.map(|resolution| ("resolution", resolution.word())),
            submit: "Save at Zoom".to_owned(),
            footnote: Some("OnAir passes this on to Zoom and keeps none of it.".to_owned()),
        }),
        ..PageText::default()
    }
}

fn key_hint(values: &Values) -> &'static str {
    match values {
        Values::Present(Present { has_key: true, .. }) => {
            "Zoom has one, which is never shown. Zoom takes all three at once, so enter it again, or a new one."
        }
        Values::Present(_) => "Zoom has none yet. Once saved, it is never shown.",
        Values::Unread(_) => "Never shown, whether or not Zoom has one. Zoom takes all three at once.",
        Values::Wrong { .. } => "Enter it again: what was typed here is never shown.",
    }
}

fn unread(why: &Outcome) -> String {
    let after = "The fields below are empty; what you save takes the place of what is set.";
    match why {
        Outcome::Scope { .. } => format!(
            "Zoom does not show what is set now: your connection has no permission for that. {after} To see it next \
             time, connect again and allow everything Zoom asks."
        ),
        Outcome::Throttled(_) => format!("Zoom gets too many requests just now and did not show what is set. {after}"),
        Outcome::Unavailable | Outcome::RenewalLost | Outcome::Unknown => {
            format!("Zoom is not answering just now and did not show what is set. {after}")
        }
        _ => format!("Zoom did not show what is set now. {after}"),
    }
}

/// What is wrong with a field, and what would be right.
fn wrong(fault: &Fault) -> String {
    let Fault { field, why } = *fault;
    let (name, example) = match field {
        Field::StreamUrl => ("stream URL", STREAM_URL_EXAMPLE),
        Field::StreamKey => ("stream key", ""),
        Field::PageUrl => ("page URL", PAGE_URL_EXAMPLE),
    };
    match why {
        Why::Missing => format!("Enter the {name}."),
        Why::TooLong => format!("The {name} is too long: Zoom takes {} characters at most.", field.most()),
        Why::Spaces => format!("The {name} has a space or a line break in it. Copy it again without."),
        Why::NotAnAddress => {
            format!(
                "The {name} is not a whole address. It isn't shown again, for it may be the key. One looks like \
                 {example}"
            )
        }
        Why::NotRtmp => "The stream URL must begin with rtmp:// or rtmps://".to_owned(),
        Why::NotHttps => "The page URL must begin with https://".to_owned(),
        Why::NotAKey => "The stream key is an address. That one belongs above, and the key alone here.".to_owned(),
    }
}

/// Why it did not work, and what would help.
fn reasons(why: &Outcome, meeting: MeetingId, account: Option<&ZoomUser>, command: &str) -> Vec<String> {
    let account = account.map_or_else(|| "nobody".to_owned(), zoom_user);
    let connect = format!("{command} {}", Verb::Connect.word());
    let lines = match why {
        Outcome::NotFound => [
            format!("Zoom has no meeting {meeting} for {account}, as whom you are connected."),
            format!("Check the id. If it is right, its host types {connect} and asks for a page."),
        ],
        Outcome::OtherAccount => [
            format!("The host of {meeting} isn't in the Zoom account you connected; you are {account} there."),
            format!("Type {connect} in Slack, and connect as somebody of the host's account."),
        ],
        Outcome::UserMissing => [
            format!("The Zoom user you connected, {account}, no longer exists."),
            format!("Type {connect} in Slack, and connect as one that does."),
        ],
        Outcome::Reconnect => {
            ["Your Zoom account isn't connected any more.".to_owned(), format!("Type {connect} in Slack.")]
        }
        Outcome::Scope { missing } => [
            lacks_scope(missing),
            format!(
                "Type {connect} in Slack, and allow everything Zoom asks. If Zoom doesn't offer it, an admin has to add \
                 it to OnAir's app at Zoom."
            ),
        ],
        Outcome::NotAllowed(what) => {
            let (because, cure) = forbidden(*what);
            return std::iter::once(format!("{meeting} can't be streamed: {because}"))
                .chain(cure.lines().map(str::to_owned))
                .collect();
        }
        Outcome::Webinar => [
            format!("{meeting} is a webinar, and Zoom doesn't let {account} set where it goes."),
            format!("Its host types {connect} in Slack and asks for a page."),
        ],
        Outcome::Invalid(Invalid::Fields(fields)) => {
            return std::iter::once(format!("Zoom did not accept what was to be set for {meeting}."))
                .chain(fields.iter().take(MOST_FIELDS).map(not_accepted))
                .collect();
        }
        Outcome::Invalid(_) => [
            format!("Zoom doesn't take {meeting} as a meeting id."),
            "Compare it with the id in Zoom's invitation.".to_owned(),
        ],
        Outcome::Throttled(Throttle::Daily { retry_at }) => [
            "Your company's Zoom account has used up its requests for today; all its apps share them.".to_owned(),
            format!("Zoom opens again on {}.", retry_at.strftime("%-d %B at %H:%M UTC")),
        ],
        Outcome::Throttled(_) => {
            ["Zoom gets too many requests from your company's apps.".to_owned(), "Wait a minute.".to_owned()]
        }
        Outcome::Unavailable => ["Zoom is down or can't be reached.".to_owned(), "Wait a few minutes.".to_owned()],
        Outcome::RenewalLost => [
            "Zoom did not answer while OnAir renewed its access.".to_owned(),
            "Wait a few minutes, and connect again if you are asked to.".to_owned(),
        ],
        Outcome::Unknown => [
            "It was sent, and Zoom gave no clear answer.".to_owned(),
            "A new page shows what is set. To save the same again does no harm.".to_owned(),
        ],
        Outcome::Refused { code, status, message } => return vec![refused(*status, *code, message)],
        // Nothing that Zoom says to these calls; it would be about the meeting's state.
        Outcome::NotStarted | Outcome::Accepted | Outcome::Stopped => {
            return vec![format!("Zoom does not take it for {meeting} as it is now.")];
        }
    };
    lines.into()
}

fn lacks_scope(missing: &[String]) -> String {
    let named: Vec<String> = missing.iter().take(MOST_FIELDS).map(|scope| short(scope)).collect();
    match named.as_slice() {
        [] => "Your Zoom connection has no permission for that.".to_owned(),
        _ => format!("Your Zoom connection has no permission for {}.", list(&named, "and")),
    }
}

fn not_accepted(error: &FieldError) -> String {
    match Field::named(&error.field) {
        Some(Field::StreamUrl) => {
            format!("The stream URL: Zoom wants an address that its servers can reach, such as {STREAM_URL_EXAMPLE}")
        }
        Some(Field::StreamKey) => {
            format!("The stream key: Zoom takes 1 to {} characters.", Field::StreamKey.most())
        }
        Some(Field::PageUrl) => format!("The page URL: Zoom wants an address such as {PAGE_URL_EXAMPLE}"),
        None if error.field == "resolution" => {
            "The resolution: this host may stream in 1080p, and Zoom wants to know the size of the picture. Choose it \
             once in the Zoom web portal → Meetings → this meeting → Live Streaming."
                .to_owned()
        }
        None => format!("{}: Zoom says “{}”", short(&error.field), short(&error.message)),
    }
}

fn refused(status: u16, number: Option<i64>, message: &str) -> String {
    let number = number.map_or_else(|| format!("status {status}"), |number| format!("code {number}"));
    match message.trim() {
        "" => format!("Zoom refused it and gave no reason, only {number}."),
        message => format!("Zoom refused it, with {number}: “{}”", short(message)),
    }
}

fn stop_first(meeting: MeetingId, is_on_air: bool, command: &str) -> String {
    let stop = format!("{command} {} {}", Verb::Stop.word(), meeting.number());
    if is_on_air {
        format!("Its stream is on air. Stop it first: type {stop} in Slack.")
    } else {
        format!("Is its stream on air? Then stop it first: type {stop} in Slack.")
    }
}

fn is_unexpected(why: &Outcome) -> bool {
    matches!(why, Outcome::Refused { .. } | Outcome::Unavailable | Outcome::Unknown | Outcome::Invalid(_))
}

/// Zoom's words, on one line and no longer than a page bears.
fn short(text: &str) -> String {
    clip(&fold(text), 300).into_owned()
}

//! The pages of `setup`.

use super::*;
use crate::destination::{Fault, Field, Present, Resolution, Why};
use crate::grant::StateToken;
use crate::reply::{SetupForm, SetupPage, SlackName, Tried, Values};

fn text(what: SetupPage) -> PageText {
    page(&Page::Setup(what), "/stream")
}

/// A page as its reader sees it, each field with what stands in it and what belongs there.
fn read(what: SetupPage) -> String {
    let text = text(what);
    let mut read = format!("{}\n# {}\n{}", text.title, text.heading, text.paragraphs.join("\n"));
    let Some(form) = text.form else { return read };
    if let Some(summary) = form.summary {
        write!(read, "\n! {summary}").unwrap();
    }
    for field in form.fields {
        write!(read, "\n{}: [{}] ({})", field.label, field.value.expose(), field.hint).unwrap();
        if let Some(fault) = field.fault {
            write!(read, "\n  ! {fault}").unwrap();
        }
    }
    write!(read, "\n[{}]", form.submit).unwrap();
    if let Some(footnote) = form.footnote {
        write!(read, "\n{footnote}").unwrap();
    }
    read
}

fn asker() -> SlackName {
    SlackName { user: "ana".into(), team: "acme".into() }
}

fn form(values: Values) -> SetupPage {
    let (account, state) = (ada(), StateToken::new("s3cret"));
    SetupPage::Form(Box::new(SetupForm { asker: asker(), account, meeting: meeting(), state, values }))
}

fn present() -> Present {
    Present {
        stream_url: Secret::new("rtmps://live.example.org/app"),
        has_key: true,
        page_url: "https://live.example.org".into(),
        resolution: Some(Resolution::FullHd),
    }
}

fn not_done(tried: Tried, why: Outcome, is_on_air: bool) -> SetupPage {
    let (account, reference) = (Some(ada()), Reference::new("r-7f3k"));
    SetupPage::NotDone { tried, meeting: meeting(), why, account, is_on_air, reference }
}

#[test]
fn the_page_that_asks_who_you_are() {
    let confirm = SetupPage::Confirm { asker: asker(), meeting: meeting(), state: StateToken::new("s3cret") };
    insta::assert_snapshot!(read(confirm), @r#"
    Where the stream goes · OnAir
    # Is this you?
    ana in the Slack workspace acme asked for a page to see and set where the stream of 684 230 85 goes.
    If that is you, go on. From then on the page works in this browser alone.
    If that is not you, close this page. A stream key typed here would go to somebody else's meeting.
    [Yes, open the page]
    "#);
}

#[test]
fn the_page_with_what_is_set() {
    insta::assert_snapshot!(read(form(Values::Present(present()))), @r#"
    Where the stream goes · OnAir
    # Where the stream of 684 230 85 goes
    For ana in the Slack workspace acme, connected to Zoom as Ada Host (ada@example.com).
    Stream URL: [rtmps://live.example.org/app] (Your streaming service's address for Zoom, such as rtmps://live.example.com/app)
    Stream key: [] (Zoom has one, which is never shown. Zoom takes all three at once, so enter it again, or a new one.)
    Page URL: [https://live.example.org] (Where people watch the stream, such as https://live.example.com/watch)
    [Save at Zoom]
    OnAir passes this on to Zoom and keeps none of it.
    "#);
    assert_eq!(text(form(Values::Present(present()))).form.unwrap().carried, Some(("resolution", "1080p")));
    insta::assert_snapshot!(read(form(Values::Present(Present::default()))), @r#"
    Where the stream goes · OnAir
    # Where the stream of 684 230 85 goes
    For ana in the Slack workspace acme, connected to Zoom as Ada Host (ada@example.com).
    Stream URL: [] (Your streaming service's address for Zoom, such as rtmps://live.example.com/app)
    Stream key: [] (Zoom has none yet. Once saved, it is never shown.)
    Page URL: [] (Where people watch the stream, such as https://live.example.com/watch)
    [Save at Zoom]
    OnAir passes this on to Zoom and keeps none of it.
    "#);
}

#[test]
fn the_page_where_zoom_does_not_show_what_is_set() {
    let outcomes = [
        Outcome::Scope { missing: vec!["meeting:read:livestream".into()] },
        Outcome::Throttled(Throttle::PerSecond { retry_at: later(5) }),
        Outcome::Unavailable,
        Outcome::Refused { status: 400, code: Some(1), message: "<x>".into() },
    ];
    let said = outcomes.map(|why| text(form(Values::Unread(why))).paragraphs.remove(1));
    insta::assert_snapshot!(said.join("\n"), @r#"
    Zoom does not show what is set now: your connection has no permission for that. The fields below are empty; what you save takes the place of what is set. To see it next time, connect again and allow everything Zoom asks.
    Zoom gets too many requests just now and did not show what is set. The fields below are empty; what you save takes the place of what is set.
    Zoom is not answering just now and did not show what is set. The fields below are empty; what you save takes the place of what is set.
    Zoom did not show what is set now. The fields below are empty; what you save takes the place of what is set.
    "#);
}

#[test]
fn the_page_with_what_is_wrong() {
    let fault = |field, why| Fault { field, why };
    let faults = vec![
        fault(Field::StreamUrl, Why::NotRtmp),
        fault(Field::StreamKey, Why::NotAKey),
        fault(Field::PageUrl, Why::NotHttps),
    ];
    insta::assert_snapshot!(read(form(Values::Wrong { typed: present(), faults })), @r#"
    Error: Where the stream goes · OnAir
    # Where the stream of 684 230 85 goes
    For ana in the Slack workspace acme, connected to Zoom as Ada Host (ada@example.com).
    ! Nothing was saved yet: 3 things are wrong
    Stream URL: [rtmps://live.example.org/app] (Your streaming service's address for Zoom, such as rtmps://live.example.com/app)
      ! The stream URL must begin with rtmp:// or rtmps://
    Stream key: [] (Enter it again: what was typed here is never shown.)
      ! The stream key is an address. That one belongs above, and the key alone here.
    Page URL: [https://live.example.org] (Where people watch the stream, such as https://live.example.com/watch)
      ! The page URL must begin with https://
    [Save at Zoom]
    OnAir passes this on to Zoom and keeps none of it.
    "#);
    let others = [
        (Field::StreamUrl, Why::Missing),
        (Field::StreamUrl, Why::TooLong),
        (Field::StreamUrl, Why::NotAnAddress),
        (Field::StreamKey, Why::Missing),
        (Field::StreamKey, Why::TooLong),
        (Field::StreamKey, Why::Spaces),
        (Field::PageUrl, Why::Missing),
        (Field::PageUrl, Why::NotAnAddress),
    ];
    let told = others.map(|(field, why)| {
        let page = form(Values::Wrong { typed: present(), faults: vec![fault(field, why)] });
        text(page).form.unwrap().fields.into_iter().find_map(|field| field.fault).unwrap()
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    Enter the stream URL.
    The stream URL is too long: Zoom takes 1024 characters at most.
    The stream URL is not a whole address. It isn't shown again, for it may be the key. One looks like rtmps://live.example.com/app
    Enter the stream key.
    The stream key is too long: Zoom takes 512 characters at most.
    The stream key has a space or a line break in it. Copy it again without.
    Enter the page URL.
    The page URL is not a whole address. It isn't shown again, for it may be the key. One looks like https://live.example.com/watch
    "#);
}

#[test]
fn the_page_when_it_is_done() {
    insta::assert_snapshot!(read(SetupPage::Done { meeting: meeting() }), @r#"
    Saved · OnAir
    # Saved at Zoom
    Zoom has the new stream URL, stream key and page URL of 684 230 85.
    Close this page. When the meeting runs in Zoom, type /stream start 68423085 in Slack.
    "#);
}

#[test]
fn every_page_of_a_no_shows_the_way_on() {
    let field = |field: &str| FieldError { field: field.into(), message: "Invalid field.".into() };
    let fields = ["stream_url", "stream_key", "page_url", "resolution", "other"].map(field);
    let (code, retry_at) = (Some(3000), later(36_000));
    let outcomes = [
        Outcome::NotFound,
        Outcome::OtherAccount,
        Outcome::UserMissing,
        Outcome::Reconnect,
        Outcome::Scope { missing: vec!["meeting:update:livestream".into()] },
        Outcome::Scope { missing: Vec::new() },
        Outcome::NotAllowed(NotAllowed::Setting),
        Outcome::Webinar,
        Outcome::Invalid(Invalid::Fields(fields.to_vec())),
        Outcome::Invalid(Invalid::MeetingId),
        Outcome::Throttled(Throttle::PerSecond { retry_at }),
        Outcome::Throttled(Throttle::Daily { retry_at }),
        Outcome::Unavailable,
        Outcome::RenewalLost,
        Outcome::Unknown,
        Outcome::Refused { status: 400, code, message: "Cannot be changed now.".into() },
        Outcome::Refused { status: 418, code: None, message: " ".into() },
    ];
    let pages = outcomes.map(|why| {
        let read = read(not_done(Tried::Set, why, false));
        read.lines().skip(1).filter(|line| !line.starts_with("For a new page,")).collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(pages.join("\n\n"), @r#"
    # Nothing was saved
    Zoom has no meeting 684 230 85 for Ada Host (ada@example.com), as whom you are connected.
    Check the id. If it is right, its host types /stream connect and asks for a page.

    # Nothing was saved
    The host of 684 230 85 isn't in the Zoom account you connected; you are Ada Host (ada@example.com) there.
    Type /stream connect in Slack, and connect as somebody of the host's account.

    # Nothing was saved
    The Zoom user you connected, Ada Host (ada@example.com), no longer exists.
    Type /stream connect in Slack, and connect as one that does.

    # Nothing was saved
    Your Zoom account isn't connected any more.
    Type /stream connect in Slack.

    # Nothing was saved
    Your Zoom connection has no permission for meeting:update:livestream.
    Type /stream connect in Slack, and allow everything Zoom asks. If Zoom doesn't offer it, an admin has to add it to OnAir's app at Zoom.

    # Nothing was saved
    Your Zoom connection has no permission for that.
    Type /stream connect in Slack, and allow everything Zoom asks. If Zoom doesn't offer it, an admin has to add it to OnAir's app at Zoom.

    # Nothing was saved
    684 230 85 can't be streamed: Zoom doesn't let its host stream.
    Zoom web portal → Settings → Meeting → In Meeting (Advanced): switch on "Allow livestreaming of meetings" and tick "Custom Live Streaming Service".
    Grayed out? A Zoom admin has locked it. Not there? It takes a Pro license or higher.

    # Nothing was saved
    684 230 85 is a webinar, and Zoom doesn't let Ada Host (ada@example.com) set where it goes.
    Its host types /stream connect in Slack and asks for a page.

    # Nothing was saved
    Zoom did not accept what was to be set for 684 230 85.
    The stream URL: Zoom wants an address that its servers can reach, such as rtmps://live.example.com/app
    The stream key: Zoom takes 1 to 512 characters.
    The page URL: Zoom wants an address such as https://live.example.com/watch
    The resolution: this host may stream in 1080p, and Zoom wants to know the size of the picture. Choose it once in the Zoom web portal → Meetings → this meeting → Live Streaming.
    other: Zoom says “Invalid field.”
    The same again? Give an admin this reference: r-7f3k

    # Nothing was saved
    Zoom doesn't take 684 230 85 as a meeting id.
    Compare it with the id in Zoom's invitation.
    The same again? Give an admin this reference: r-7f3k

    # Nothing was saved
    Zoom gets too many requests from your company's apps.
    Wait a minute.

    # Nothing was saved
    Your company's Zoom account has used up its requests for today; all its apps share them.
    Zoom opens again on 6 October at 00:00 UTC.

    # Nothing was saved
    Zoom is down or can't be reached.
    Wait a few minutes.
    The same again? Give an admin this reference: r-7f3k

    # Nothing was saved
    Zoom did not answer while OnAir renewed its access.
    Wait a few minutes, and connect again if you are asked to.

    # OnAir doesn't know whether Zoom saved it
    It was sent, and Zoom gave no clear answer.
    A new page shows what is set. To save the same again does no harm.
    The same again? Give an admin this reference: r-7f3k

    # Nothing was saved
    Zoom refused it, with code 3000: “Cannot be changed now.”
    Is its stream on air? Then stop it first: type /stream stop 68423085 in Slack.
    The same again? Give an admin this reference: r-7f3k

    # Nothing was saved
    Zoom refused it and gave no reason, only status 418.
    Is its stream on air? Then stop it first: type /stream stop 68423085 in Slack.
    The same again? Give an admin this reference: r-7f3k
    "#);
    let refused = Outcome::Refused { status: 400, code, message: String::new() };
    insta::assert_snapshot!(read(not_done(Tried::Set, refused, true)), @r#"
    Nothing was saved · OnAir
    # Nothing was saved
    Zoom refused it and gave no reason, only code 3000.
    Its stream is on air. Stop it first: type /stream stop 68423085 in Slack.
    For a new page, go back to Slack and type /stream setup 68423085.
    The same again? Give an admin this reference: r-7f3k
    "#);
    insta::assert_snapshot!(read(not_done(Tried::Read, Outcome::NotFound, true)), @r#"
    Nothing can be set here · OnAir
    # Nothing can be set here
    Zoom has no meeting 684 230 85 for Ada Host (ada@example.com), as whom you are connected.
    Check the id. If it is right, its host types /stream connect and asks for a page.
    For a new page, go back to Slack and type /stream setup 68423085.
    "#);
}

#[test]
fn every_other_page_shows_the_way_on() {
    let others = [
        SetupPage::Over,
        SetupPage::OtherBrowser,
        SetupPage::Foreign,
        SetupPage::StoreAway,
        SetupPage::Broken { reference: Reference::new("r-7f3k") },
    ];
    insta::assert_snapshot!(others.map(read).join("\n\n"), @r#"
    This page is over · OnAir
    # This page is over
    It works for one change, and for 10 minutes.
    Did you press the button twice? Then the first press counted, and a new page shows what is set.
    For a new page, go back to Slack and type /stream setup and the meeting.

    This page is open in another browser · OnAir
    # This page is open in another browser
    It works only in the browser that opened it first, and only where that one keeps cookies.
    For a new page, go back to Slack and type /stream setup and the meeting.

    This did not come from OnAir's page · OnAir
    # This did not come from OnAir's page
    Nothing was saved: another site sent the form.
    For a new page, go back to Slack and type /stream setup and the meeting.

    OnAir can't do this just now · OnAir
    # OnAir can't do this just now
    Nothing was saved: OnAir can't look anything up at the moment.
    Wait a minute, go back to Slack and type /stream setup and the meeting.

    Something in OnAir broke · OnAir
    # Something in OnAir broke
    It can't say whether Zoom saved anything; a new page shows what is set.
    For a new page, go back to Slack and type /stream setup and the meeting.
    The same again? Give an admin this reference: r-7f3k
    "#);
}

#[test]
fn text_from_outside_keeps_to_one_line_and_a_bearable_length() {
    let long = format!("\u{202e}a\n{}", "x".repeat(5000));
    let error = FieldError { field: long.clone(), message: long.clone() };
    for why in [
        Outcome::Scope { missing: vec![long.clone(); 40] },
        Outcome::Invalid(Invalid::Fields(vec![error; 40])),
        Outcome::Refused { status: 400, code: None, message: long },
    ] {
        let paragraphs = text(not_done(Tried::Set, why, false)).paragraphs;
        let total: usize = paragraphs.iter().map(|paragraph| paragraph.chars().count()).sum();
        assert!(total < 5000 && paragraphs.iter().all(|paragraph| !paragraph.contains(['\n', '\u{202e}'])));
    }
}

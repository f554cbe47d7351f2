//! Every page.

use super::*;
use crate::reply::{InstallPage, NextPage};

fn read(what: &Page) -> String {
    let text = page(what, "/stream");
    let mut read = format!("{}\n# {}\n{}", text.title, text.heading, text.paragraphs.join("\n"));
    if let Some(button) = text.button {
        write!(read, "\n[{}] → {}", button.label, button.url.expose()).unwrap();
    }
    if let Some(also) = text.also {
        write!(read, "\n{} → {}", also.label, also.url.expose()).unwrap();
    }
    read
}

fn confirm(waiting: Option<Verb>) -> Page {
    Page::ConfirmConnect {
        user_name: "ana".into(),
        team_domain: "acme".into(),
        waiting,
        next: NextPage::Zoom(Secret::new("https://zoom.us/oauth/authorize")),
    }
}

fn connected(running: Option<Verb>, lacks_scope: bool) -> Page {
    Page::Connected { user_name: "ana".into(), team_domain: "acme".into(), account: ada(), running, lacks_scope }
}

#[test]
fn the_landing_page() {
    insta::assert_snapshot!(read(&Page::Landing { can_be_installed: false }), @r#"
    OnAir
    # OnAir puts Zoom meetings on air from Slack
    In a Slack channel, type /stream start 68423085 "Keynote".
    For everything else, type /stream help.
    "#);
    insta::assert_snapshot!(read(&Page::Landing { can_be_installed: true }), @r#"
    OnAir
    # OnAir puts Zoom meetings on air from Slack
    In a Slack channel, type /stream start 68423085 "Keynote".
    For everything else, type /stream help.
    In Slack it may answer its own command, post and change its own messages where it is invited, and ask who is an admin. It reads no messages.
    At Zoom it may start and stop the live streams of whoever connects their account, hear what becomes of them, and see and set where they go. Everybody connects for themselves, and can take it back at any time.
    The second link asks for the command alone. Every answer then goes to who asked or to their channel, and a message does not change any more once half an hour is over.
    [Add to Slack] → /slack/install
    Add the command alone → /slack/install?only=commands
    "#);
}

#[test]
fn the_pages_around_an_installation() {
    let done = |name: &str, choose: bool, speaks: bool| {
        let choose =
            choose.then(|| Secret::new("https://app.slack.com/manage/E1/integrations/profile/A1/workspaces/add"));
        Page::Install(InstallPage::Done { name: name.to_owned(), choose, speaks })
    };
    insta::assert_snapshot!(read(&done("Acme", false, true)), @"
    Installed · OnAir
    # Installed
    OnAir is installed in Acme.
    Go to a channel and type /stream connect.
    Invite @OnAir to the channels where you stream. There it posts one message for each stream and keeps it up to date.
    ");
    insta::assert_snapshot!(read(&done("", true, false)), @"
    Installed · OnAir
    # Installed
    OnAir is installed in your organization.
    No workspace has it yet: choose which ones do.
    Then go to a channel and type /stream connect.
    It may not post by itself, so each stream has an answer that says what is so for half an hour.
    [Choose workspaces] → https://app.slack.com/manage/E1/integrations/profile/A1/workspaces/add
    ");
    let reference = || Reference::new("r-7f3k");
    let failures = [
        InstallPage::NotSetUp,
        InstallPage::Declined,
        InstallPage::Over,
        InstallPage::OtherBrowser,
        InstallPage::Rotating,
        InstallPage::Refused { reference: reference() },
        InstallPage::Away { reference: reference() },
        InstallPage::StoreAway,
    ];
    let all: Vec<String> = failures.into_iter().map(|page| read(&Page::Install(page))).collect();
    insta::assert_snapshot!(all.join("\n\n"), @"
    Not installed · OnAir
    # OnAir can't be installed from here
    Whoever runs it has not given it the client id of a Slack app.
    Ask them to set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, or to install the app at api.slack.com.

    Not installed · OnAir
    # Nothing was installed
    You said no at Slack, and OnAir got nothing.
    Changed your mind? Begin again here.
    [Begin again] → /slack/install

    Not installed · OnAir
    # This installation is over
    It can be finished once, within 10 minutes.
    Begin again here. If it went well before, that changes nothing.
    [Begin again] → /slack/install

    Not installed · OnAir
    # This is another browser
    Nothing was installed: the installation was begun in another browser, perhaps by somebody else.
    Begin again here, and stay in one browser all the way.
    [Begin again] → /slack/install

    Not installed · OnAir
    # This Slack app's tokens expire
    OnAir was not installed: the app has token rotation switched on, and what Slack gave would be dead in half a day.
    Slack can't switch it off again.
    Whoever runs OnAir makes a new Slack app from the manifest that `onair manifest slack` prints, which has it off.

    Not installed · OnAir
    # Slack did not install it
    Nothing was installed: Slack broke off at the last step.
    Begin again here. The same again? Give an admin this reference: r-7f3k
    [Begin again] → /slack/install

    Not installed · OnAir
    # Slack is not answering
    Whether it is installed is not known.
    Wait a few minutes and begin again here. The same again? Give an admin this reference: r-7f3k
    [Begin again] → /slack/install

    Not installed · OnAir
    # OnAir can't be installed just now
    Nothing was installed: OnAir can't write anything down at the moment.
    Wait a minute and begin again here.
    [Begin again] → /slack/install
    ");
}

#[test]
fn the_pages_of_signing_in() {
    let confirm = Page::ConfirmConnect {
        user_name: "ana".into(),
        team_domain: "acme".into(),
        waiting: None,
        next: NextPage::Slack(Secret::new("https://slack.com/openid/connect/authorize")),
    };
    let reference = || Reference::new("r-7f3k");
    let pages = [
        confirm,
        Page::SomebodyElse,
        Page::NotSignedIn { again: Some(Secret::new("https://onair.example.com/zoom/connect?state=s")) },
        Page::SlackRefused { reference: reference() },
        Page::SlackAway { reference: reference() },
    ];
    let all: Vec<String> = pages.iter().map(read).collect();
    insta::assert_snapshot!(all.join("\n\n"), @"
    Connect Zoom · OnAir
    # Is this you?
    ana in the Slack workspace acme asked to connect a Zoom account to OnAir.
    If that is you, go on: Slack confirms who you are, and then Zoom asks whether OnAir may start and stop your streams.
    If that is not you, close this page. Going on would let somebody else use your Zoom account.
    [Yes, go on] → https://slack.com/openid/connect/authorize

    Not connected · OnAir
    # You aren't signed in to Slack as who asked
    Nothing was connected: a link to connect is for the Slack user who asked for it, and for nobody else.
    For a link of your own, go back to Slack and type /stream connect.

    Not connected · OnAir
    # Nothing was connected
    You didn't let Slack say who you are.
    Changed your mind? Try again here; the link still works.
    [Try again] → https://onair.example.com/zoom/connect?state=s

    Not connected · OnAir
    # Slack didn't say who you are
    Nothing was connected: OnAir connects a Zoom account only to who asked for it.
    Go back to Slack and repeat your command, or type /stream connect. The same again? Give an admin this reference: r-7f3k

    Not connected · OnAir
    # Slack is not answering
    Nothing was connected: OnAir could not ask Slack who you are.
    Wait a few minutes, go back to Slack and repeat your command, or type /stream connect. The same again? Give an admin this reference: r-7f3k
    ");
}

#[test]
fn the_page_that_asks_who_you_are() {
    insta::assert_snapshot!(read(&confirm(None)), @r#"
    Connect Zoom · OnAir
    # Is this you?
    ana in the Slack workspace acme asked to connect a Zoom account to OnAir.
    If that is you, go on to Zoom and allow OnAir to start and stop your streams.
    If that is not you, close this page. Going on would let somebody else use your Zoom account.
    [Yes, go on to Zoom] → https://zoom.us/oauth/authorize
    "#);
    insta::assert_snapshot!(read(&confirm(Some(Verb::Start))), @r#"
    Connect Zoom · OnAir
    # Is this you?
    ana in the Slack workspace acme asked to connect a Zoom account to OnAir.
    If that is you, go on to Zoom and allow OnAir to start and stop your streams.
    After that, your /stream start runs by itself.
    If that is not you, close this page. Going on would let somebody else use your Zoom account.
    [Yes, go on to Zoom] → https://zoom.us/oauth/authorize
    "#);
}

#[test]
fn the_page_after_connecting() {
    insta::assert_snapshot!(read(&connected(None, false)), @r#"
    Connected · OnAir
    # Connected
    ana in the Slack workspace acme is now connected to Zoom as Ada Host (ada@example.com).
    Close this page and go back to Slack. Not what you meant? Type /stream disconnect there.
    "#);
    insta::assert_snapshot!(read(&connected(Some(Verb::Stop), true)), @r#"
    Connected · OnAir
    # Connected, with a permission missing
    ana in the Slack workspace acme is now connected to Zoom as Ada Host (ada@example.com).
    Your /stream stop runs now; the answer comes in Slack.
    But OnAir was not allowed to start and stop streams.
    Go back to Slack, type /stream connect, and allow everything Zoom asks.
    "#);
}

#[test]
fn every_page_of_failure_shows_the_way_on() {
    let reference = || Reference::new("r-7f3k");
    insta::assert_snapshot!(read(&Page::LinkOver), @r#"
    Not connected · OnAir
    # This link is over
    A link to connect works once, and for 10 minutes.
    For a new one, go back to Slack and type /stream connect.
    "#);
    insta::assert_snapshot!(read(&Page::OtherBrowser), @r#"
    Not connected · OnAir
    # This is another browser
    Nothing was connected: the page that asked whether this is you was answered in another browser.
    Go back to Slack, type /stream connect, and stay in one browser all the way.
    "#);
    insta::assert_snapshot!(read(&Page::Declined { again: None }), @r#"
    Not connected · OnAir
    # Nothing was connected
    You said no at Zoom, and OnAir got nothing.
    Changed your mind? Go back to Slack and type /stream connect.
    "#);
    insta::assert_snapshot!(read(&Page::Declined { again: Some(Secret::new("https://onair.example/again")) }), @r#"
    Not connected · OnAir
    # Nothing was connected
    You said no at Zoom, and OnAir got nothing.
    Changed your mind? Try again here; the link still works.
    [Try again] → https://onair.example/again
    "#);
    insta::assert_snapshot!(read(&Page::ZoomRefused { reference: reference() }), @r#"
    Not connected · OnAir
    # Zoom did not connect you
    Nothing was connected: Zoom broke off at the last step.
    Go back to Slack and repeat your command, or type /stream connect. The same again? Give an admin this reference: r-7f3k
    "#);
    insta::assert_snapshot!(read(&Page::ZoomAway { reference: reference() }), @r#"
    Not connected · OnAir
    # Zoom is not answering
    Nothing was connected.
    Wait a few minutes, go back to Slack and repeat your command, or type /stream connect. The same again? Give an admin this reference: r-7f3k
    "#);
    insta::assert_snapshot!(read(&Page::StoreAway), @r#"
    Not connected · OnAir
    # OnAir can't connect you just now
    Nothing was connected: OnAir can't write anything down at the moment.
    Wait a minute, go back to Slack and type /stream connect.
    "#);
}

#[test]
fn names_on_pages_are_not_escaped_here_and_keep_to_one_line() {
    let text = page(
        &Page::Connected {
            user_name: "<b>\u{202e}ana\n".into(),
            team_domain: "x".repeat(500),
            account: ada(),
            running: None,
            lacks_scope: false,
        },
        "/stream",
    );
    assert!(text.paragraphs[0].starts_with("<b>ana  in the Slack workspace xxx"));
    assert!(text.paragraphs.iter().all(|paragraph| paragraph.chars().count() < 400 && !paragraph.contains('\n')));
}

#[test]
fn somebody_is_named_on_a_page_even_without_names() {
    let said = |user_name: &str, team_domain: &str| {
        let (user_name, team_domain) = (user_name.to_owned(), team_domain.to_owned());
        let next = NextPage::Zoom(Secret::new("https://zoom.us/oauth/authorize"));
        page(&Page::ConfirmConnect { user_name, team_domain, waiting: None, next }, "/stream").paragraphs.remove(0)
    };
    for nobody in ["", " ", "\u{202e}\n"] {
        let known = "A Slack user without a name in the Slack workspace acme asked to connect a Zoom account to OnAir.";
        assert_eq!(said(nobody, "acme"), known);
        assert_eq!(said("ana", nobody), "ana in your Slack workspace asked to connect a Zoom account to OnAir.");
    }
    assert!(said("", "").starts_with("A Slack user without a name in your Slack workspace asked"));
}

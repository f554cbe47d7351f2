//! Every page.

use super::*;

fn read(what: &Page) -> String {
    let text = page(what, "/stream");
    let mut read = format!("{}\n# {}\n{}", text.title, text.heading, text.paragraphs.join("\n"));
    if let Some(button) = text.button {
        write!(read, "\n[{}] → {}", button.label, button.url.expose()).unwrap();
    }
    read
}

fn confirm(waiting: Option<Verb>) -> Page {
    Page::ConfirmConnect {
        user_name: "ana".into(),
        team_domain: "acme".into(),
        waiting,
        authorize_url: Secret::new("https://zoom.us/oauth/authorize"),
    }
}

fn connected(running: Option<Verb>, lacks_scope: bool) -> Page {
    Page::Connected { user_name: "ana".into(), team_domain: "acme".into(), account: ada(), running, lacks_scope }
}

#[test]
fn the_landing_page() {
    insta::assert_snapshot!(read(&Page::Landing), @r#"
    OnAir
    # OnAir puts Zoom meetings on air from Slack
    In a Slack channel, type /stream start 68423085 "Keynote".
    For everything else, type /stream help.
    "#);
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
        let authorize_url = Secret::new("https://zoom.us/oauth/authorize");
        page(&Page::ConfirmConnect { user_name, team_domain, waiting: None, authorize_url }, "/stream")
            .paragraphs
            .remove(0)
    };
    for nobody in ["", " ", "\u{202e}\n"] {
        let known = "A Slack user without a name in the Slack workspace acme asked to connect a Zoom account to OnAir.";
        assert_eq!(said(nobody, "acme"), known);
        assert_eq!(said("ana", nobody), "ana in your Slack workspace asked to connect a Zoom account to OnAir.");
    }
    assert!(said("", "").starts_with("A Slack user without a name in your Slack workspace asked"));
}

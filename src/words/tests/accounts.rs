//! Accounts, dry runs, and commands that were not accepted.

use super::*;
use crate::grant::{Grant, Tokens};

const CONNECT_LINK: &str = "https://onair.example/zoom/connect?state=s3cret";
const SETUP_LINK: &str = "https://onair.example/zoom/setup?state=s3cret";

fn connect(why: ConnectWhy, waiting: Option<Verb>) -> Reply {
    Reply::Connect { link: Secret::new(CONNECT_LINK), why, waiting }
}

fn setup() -> Reply {
    Reply::Setup { link: Secret::new(SETUP_LINK), meeting: meeting() }
}

#[test]
fn connecting() {
    insta::assert_snapshot!(seen(&connect(ConnectWhy::Asked { connected: None }, None)), @r#"
    (Person)
    Connect your Zoom account.
    Press *Connect Zoom*. The link is for you alone and good for 10 minutes.
    [Connect Zoom]
    "#);
    insta::assert_snapshot!(seen(&connect(ConnectWhy::Asked { connected: Some(ada()) }, None)), @r#"
    (Person)
    You are connected to Zoom as Ada Host (`ada@example.com`).
    Connecting again renews that, or takes another Zoom account instead.
    Press *Connect Zoom*. The link is for you alone and good for 10 minutes.
    [Connect Zoom]
    "#);
    insta::assert_snapshot!(seen(&connect(ConnectWhy::FirstTime, Some(Verb::Start))), @r#"
    (Person)
    Nothing was sent to Zoom yet: first connect your Zoom account.
    Your `/stream start` runs by itself afterwards; no need to type it again.
    Press *Connect Zoom*. The link is for you alone and good for 10 minutes.
    [Connect Zoom]
    "#);
    insta::assert_snapshot!(seen(&connect(ConnectWhy::Ended, Some(Verb::Stop))), @r#"
    (Person)
    Nothing was done: Zoom has ended your connection. Connect again.
    Your `/stream stop` runs by itself afterwards; no need to type it again.
    Press *Connect Zoom*. The link is for you alone and good for 10 minutes.
    [Connect Zoom]
    "#);
    let missing = vec!["meeting:update:livestream_status".to_owned()];
    insta::assert_snapshot!(seen(&connect(ConnectWhy::Scope { missing }, Some(Verb::Start))), @r#"
    (Person)
    Nothing was done: your Zoom connection lacks permission for `meeting:update:livestream_status`.
    If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    Connect again and allow everything Zoom asks.
    Your `/stream start` runs by itself afterwards; no need to type it again.
    Press *Connect Zoom*. The link is for you alone and good for 10 minutes.
    [Connect Zoom]
    "#);
    insta::assert_snapshot!(seen(&connect(ConnectWhy::UserMissing, None)), @r#"
    (Person)
    Nothing was done: the Zoom user you connected no longer exists. Connect again, as one that does.
    Afterwards, type your command again.
    Press *Connect Zoom*. The link is for you alone and good for 10 minutes.
    [Connect Zoom]
    "#);
}

#[test]
fn setting_up() {
    insta::assert_snapshot!(seen(&setup()), @r#"
    (Person)
    See and set where the stream of `684 230 85` goes: stream URL, stream key and page URL.
    That is done on a page of its own, because Slack would keep a stream key.
    Press *Open the page*. The link is for you alone, for one change, and good for 10 minutes.
    [Open the page]
    "#);
}

#[test]
fn a_link_is_in_the_button_alone() {
    let replies = [(connect(ConnectWhy::FirstTime, None), CONNECT_LINK), (setup(), SETUP_LINK)];
    for (reply, link) in replies {
        let message = tell(&reply);
        assert!(!message.text.contains("s3cret") && !format!("{message:?}").contains("s3cret"));
        let Does::Open(url) = message.buttons[0].does.clone() else { panic!("it opens a page") };
        assert_eq!(url.expose(), link);
    }
}

#[test]
fn a_connection_that_nobody_uses() {
    let tokens = Tokens {
        access: Secret::new("access"),
        refresh: Secret::new("refresh"),
        expires_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        scopes: Vec::new(),
    };
    let grant = Grant { user: ada(), tokens, since: None, warned: Vec::new() };
    let told = unused(
        &grant,
        &Context { command: "/stream", workspace: None, now: now(), reference: &Reference::new("r-7f3k") },
    );
    insta::assert_snapshot!(rendered(&told.text), @"
    Your connection to Zoom as Ada Host (`ada@example.com`) was not used for a long time. Zoom ends it after 2026-03-31 00:00:00 UTC.
    To keep it: `/stream whoami`
    To end it now: `/stream disconnect`
    ");
}

#[test]
fn whoami() {
    let whoami = |account, shared_with, lacks_scope| seen(&Reply::Whoami { account, shared_with, lacks_scope });
    insta::assert_snapshot!(whoami(ada(), 0, false), @r#"
    (Person)
    You are connected to Zoom as Ada Host (`ada@example.com`).
    To use another account: `/stream connect`. To undo it: `/stream disconnect`
    "#);
    insta::assert_snapshot!(whoami(ada(), 1, true), @r#"
    (Person)
    You are connected to Zoom as Ada Host (`ada@example.com`).
    One other Slack user shares this connection.
    It can't start or stop streams: that was not allowed when it was made.
    Connect again and allow everything Zoom asks: `/stream connect`
    "#);
    insta::assert_snapshot!(whoami(ZoomUser { name: None, ..ada() }, 2, false), @r#"
    (Person)
    You are connected to Zoom as `ada@example.com`.
    2 other Slack users share this connection.
    To use another account: `/stream connect`. To undo it: `/stream disconnect`
    "#);
    let nameless = ZoomUser { name: Some(" ".to_owned()), email: None, ..ada() };
    insta::assert_snapshot!(whoami(nameless, 0, false), @r#"
    (Person)
    You are connected to Zoom as a Zoom user without a name.
    To use another account: `/stream connect`. To undo it: `/stream disconnect`
    "#);
}

#[test]
fn disconnecting() {
    insta::assert_snapshot!(seen(&Reply::NotConnected), @r#"
    (Person)
    You have no Zoom account connected.
    Connect one: `/stream connect`
    "#);
    insta::assert_snapshot!(seen(&Reply::Disconnected(Disconnected::StillShared)), @r#"
    (Person)
    You are disconnected. Other Slack users share that Zoom connection, so it stays for them.
    To connect again: `/stream connect`
    "#);
    insta::assert_snapshot!(seen(&Reply::Disconnected(Disconnected::Revoked)), @r#"
    (Person)
    You are disconnected. OnAir's access is deleted here and ended at Zoom.
    To connect again: `/stream connect`
    "#);
    insta::assert_snapshot!(seen(&Reply::Disconnected(Disconnected::NotRevokedAtZoom)), @r#"
    (Person)
    You are disconnected. OnAir uses its access no more, but Zoom could not be told yet.
    That is tried again for a day.
    To end it there yourself: Zoom App Marketplace → Manage → Added Apps → OnAir → Remove.
    "#);
    insta::assert_snapshot!(seen(&Reply::Disconnected(Disconnected::Unreadable)), @r#"
    (Person)
    You are disconnected. OnAir could not read its access any more: it is deleted here, but not ended at Zoom.
    To end it there yourself: Zoom App Marketplace → Manage → Added Apps → OnAir → Remove.
    "#);
}

#[test]
fn a_dry_run() {
    let request =
        "PATCH https://api.zoom.us/v2/meetings/68423085/livestream/status\n\n{\"action\":\"start\"}".to_owned();
    insta::assert_snapshot!(seen(&Reply::DryRun { request, account: ada() }), @r#"
    (Person)
    A dry run: nothing was sent. As Ada Host (`ada@example.com`), Zoom would get:
    ```
    PATCH https://api.zoom.us/v2/meetings/68423085/livestream/status

    {"action":"start"}
    ```
    To start for real, repeat the command without `--dry-run`.
    "#);
}

#[test]
fn a_dry_run_cannot_leave_its_block() {
    let request = "a ```\n<!channel> & b".to_owned();
    insta::assert_snapshot!(tell(&Reply::DryRun { request, account: ada() }).text, @r#"
    A dry run: nothing was sent. As Ada Host (`ada@example.com`), Zoom would get:
    ```
    a ˋˋˋ
    &lt;!channel&gt; &amp; b
    ```
    To start for real, repeat the command without `--dry-run`.
    "#);
}

#[test]
fn commands_that_were_not_carried_out() {
    insta::assert_snapshot!(seen(&Reply::Busy), @r#"
    (Person)
    Too busy, not accepted: other commands fill the queue, and nothing was done with yours.
    Type it again in a minute.
    "#);
    insta::assert_snapshot!(seen(&Reply::NotAccepted), @r#"
    (Person)
    Your command was not accepted, nothing was done, try again in a minute.
    OnAir acts only on what it has written down first, and just now it can't write.
    Still the same? Give an admin this reference: `r-7f3k`
    "#);
    insta::assert_snapshot!(seen(&Reply::Broken), @r#"
    (Person)
    Something in OnAir broke, and it can't say what became of your command.
    Before you repeat it, look whether the stream is on air.
    Give an admin this reference: `r-7f3k`
    "#);
}

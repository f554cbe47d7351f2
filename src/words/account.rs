//! Whose Zoom account it is: connect, whoami, disconnect. For the person's own eyes, except [`shown`].

use super::text::{code, day_to_come, fit, list, plain};
use super::{CONNECT_LABEL, Context, Message};
use crate::command::Verb;
use crate::grant::{Grant, LIVESTREAM_SCOPE, Pending, ZoomUser};
use crate::reply::{Audience, ConnectWhy, Disconnected};

/// What to do about a permission that a new connection does not bring.
pub(super) const NOT_OFFERED: &str =
    "If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.";

/// How a person ends OnAir's access without OnAir.
const END_AT_ZOOM: &str = "To end it there yourself: Zoom App Marketplace → Manage → Added Apps → OnAir → Remove.";

/// A Zoom user as people tell one from another: name and address. A channel reads it only where a meeting was not
/// found, to see that it is the wrong account.
pub(super) fn shown(account: &ZoomUser) -> String {
    match (name(account), email(account)) {
        (Some(name), Some(email)) => format!("{} ({})", plain(name), code(email)),
        (Some(name), None) => plain(name),
        (None, Some(email)) => code(email),
        (None, None) => "a Zoom user without a name".to_owned(),
    }
}

pub(super) fn name(account: &ZoomUser) -> Option<&str> {
    filled(account.name.as_deref())
}

pub(super) fn email(account: &ZoomUser) -> Option<&str> {
    filled(account.email.as_deref())
}

/// A text that Zoom gives, and not blank.
pub(super) fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

pub(super) fn connect(why: &ConnectWhy, waiting: Option<Verb>, context: &Context) -> Vec<String> {
    let mut lines = match why {
        ConnectWhy::Asked { connected: None } => vec!["Connect your Zoom account.".to_owned()],
        ConnectWhy::Asked { connected: Some(account) } => vec![
            format!("You are connected to Zoom as {}.", shown(account)),
            "Connecting again renews that, or takes another Zoom account instead.".to_owned(),
        ],
        ConnectWhy::FirstTime => vec!["Nothing was sent to Zoom yet: first connect your Zoom account.".to_owned()],
        ConnectWhy::Ended => vec!["Nothing was done: Zoom has ended your connection. Connect again.".to_owned()],
        ConnectWhy::Scope { missing } => {
            let mut lines = missing_scope("Nothing was done", missing);
            lines.push("Connect again and allow everything Zoom asks.".to_owned());
            lines
        }
        ConnectWhy::UserMissing => vec![
            "Nothing was done: the Zoom user you connected no longer exists. Connect again, as one that does."
                .to_owned(),
        ],
    };
    if let Some(verb) = waiting {
        lines.push(format!("Your {} runs by itself afterwards; no need to type it again.", context.verb(verb)));
    } else if !matches!(why, ConnectWhy::Asked { .. }) {
        lines.push("Afterwards, type your command again.".to_owned());
    }
    let minutes = Pending::LIFE.as_mins();
    lines.push(format!("Press *{CONNECT_LABEL}*. The link is for you alone and good for {minutes} minutes."));
    lines
}

/// Which permission is missing, as the outcome of what was tried.
pub(super) fn missing_scope(outcome: &str, missing: &[String]) -> Vec<String> {
    /// More than Zoom ever names; keeps the message readable whatever it says.
    const MOST: usize = 5;
    let named: Vec<String> = missing.iter().take(MOST).map(|scope| code(scope)).collect();
    let first = if named.is_empty() {
        format!("{outcome}: your Zoom connection lacks a permission; streams need {}.", code(LIVESTREAM_SCOPE))
    } else {
        format!("{outcome}: your Zoom connection lacks permission for {}.", list(&named, "and"))
    };
    vec![first, NOT_OFFERED.to_owned()]
}

pub(super) fn whoami(account: &ZoomUser, shared_with: usize, lacks_scope: bool, context: &Context) -> Vec<String> {
    let mut lines = vec![format!("You are connected to Zoom as {}.", shown(account))];
    match shared_with {
        0 => {}
        1 => lines.push("One other Slack user shares this connection.".to_owned()),
        others => lines.push(format!("{others} other Slack users share this connection.")),
    }
    if lacks_scope {
        lines.push("It can't start or stop streams: that was not allowed when it was made.".to_owned());
        lines.push(format!("Connect again and allow everything Zoom asks: {}", context.verb(Verb::Connect)));
    } else {
        let (connect, disconnect) = (context.verb(Verb::Connect), context.verb(Verb::Disconnect));
        lines.push(format!("To use another account: {connect}. To undo it: {disconnect}"));
    }
    lines
}

/// What whoever has a connection that nobody uses is told before Zoom ends it.
pub fn unused(grant: &Grant, context: &Context) -> Message {
    let lines = [
        format!(
            "Your connection to Zoom as {} was not used for a long time. Zoom ends it after {}.",
            shown(&grant.user),
            day_to_come(grant.tokens.end_unused_at())
        ),
        format!("To keep it: {}", context.verb(Verb::Whoami)),
        format!("To end it now: {}", context.verb(Verb::Disconnect)),
    ];
    Message { audience: Audience::Person, text: fit(&lines), buttons: Vec::new(), replaces: false }
}

pub(super) fn not_connected(context: &Context) -> Vec<String> {
    vec!["You have no Zoom account connected.".to_owned(), format!("Connect one: {}", context.verb(Verb::Connect))]
}

pub(super) fn disconnected(how: &Disconnected, context: &Context) -> Vec<String> {
    let connect = format!("To connect again: {}", context.verb(Verb::Connect));
    match how {
        Disconnected::StillShared => vec![
            "You are disconnected. Other Slack users share that Zoom connection, so it stays for them.".to_owned(),
            connect,
        ],
        Disconnected::Revoked => {
            vec!["You are disconnected. OnAir's access is deleted here and ended at Zoom.".to_owned(), connect]
        }
        Disconnected::NotRevokedAtZoom => vec![
            "You are disconnected. OnAir uses its access no more, but Zoom could not be told yet.".to_owned(),
            "That is tried again for a day.".to_owned(),
            END_AT_ZOOM.to_owned(),
        ],
        Disconnected::Unreadable => vec![
            "You are disconnected. OnAir could not read its access any more: it is deleted here, but not ended at Zoom."
                .to_owned(),
            END_AT_ZOOM.to_owned(),
        ],
    }
}

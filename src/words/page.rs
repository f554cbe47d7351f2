//! What the pages say that a browser shows around a connection. Plain text: whoever makes HTML of it escapes it.

use super::text::{clip, fold};
use super::{account, install, setup};
use crate::command::Verb;
use crate::grant::{Pending, StateToken, ZoomUser};
use crate::id::Reference;
use crate::reply::{NextPage, Page};
use crate::secret::Secret;

/// The words of one page, not escaped for HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageText {
    /// For the browser's tab.
    pub title: String,
    /// The outcome, or the question.
    pub heading: String,
    /// What it means, and on the last one the way on.
    pub paragraphs: Vec<String>,
    /// The one thing to press.
    pub button: Option<Link>,
    /// What some would rather have.
    pub also: Option<Link>,
    /// What is sent to OnAir.
    pub form: Option<FormText>,
}

/// A form, and what it is sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormText {
    /// What it is about.
    pub state: StateToken,
    /// What went wrong, where something did; the fields say which.
    pub summary: Option<String>,
    /// What there is to fill in; none asks for yes alone.
    pub fields: Vec<FieldText>,
    /// The name and value of what goes along unseen.
    pub carried: Option<(&'static str, &'static str)>,
    /// What stands on its button.
    pub submit: String,
    /// What stands below it.
    pub footnote: Option<String>,
}

/// One thing to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldText {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it is called.
    pub label: String,
    /// What belongs there.
    pub hint: String,
    /// What stands there.
    pub value: Secret,
    /// What it takes.
    pub kind: Kind,
    /// What is wrong with it.
    pub fault: Option<String>,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address, in clear.
    Address,
    /// A key, which is never in clear.
    Key,
}

/// What leads on from a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What stands on it.
    pub label: String,
    /// Where it leads.
    pub url: Secret,
}

/// Puts a page into words. `command` is the command's name with its slash, as the workspace has it where that is known.
pub fn page(page: &Page, command: &str) -> PageText {
    match page {
        Page::Landing { can_be_installed } => install::landing(*can_be_installed, command),
        Page::ConfirmConnect { user_name, team_domain, waiting, next } => {
            confirm(&slack_user(user_name, team_domain), *waiting, next, command)
        }
        Page::Connected { user_name, team_domain, account, running, lacks_scope } => {
            let (person, account) = (slack_user(user_name, team_domain), zoom_user(account));
            connected(&person, &account, *running, *lacks_scope, command)
        }
        Page::LinkOver => failed(
            "This link is over",
            format!("A link to connect works once, and for {} minutes.", Pending::LIFE.as_mins()),
            format!("For a new one, go back to Slack and type {}.", connect(command)),
        ),
        Page::OtherBrowser => failed(
            "This is another browser",
            "Nothing was connected: the page that asked whether this is you was answered in another browser."
                .to_owned(),
            format!("Go back to Slack, type {}, and stay in one browser all the way.", connect(command)),
        ),
        Page::SomebodyElse => failed(
            "You aren't signed in to Slack as who asked",
            "Nothing was connected: a link to connect is for the Slack user who asked for it, and for nobody else."
                .to_owned(),
            format!("For a link of your own, go back to Slack and type {}.", connect(command)),
        ),
        Page::NotSignedIn { again } => declined("You didn't let Slack say who you are.", again.as_ref(), command),
        Page::SlackRefused { reference } => failed(
            "Slack didn't say who you are",
            "Nothing was connected: OnAir connects a Zoom account only to who asked for it.".to_owned(),
            once_more("Go back to Slack", command, reference),
        ),
        Page::SlackAway { reference } => failed(
            "Slack is not answering",
            "Nothing was connected: OnAir could not ask Slack who you are.".to_owned(),
            once_more("Wait a few minutes, go back to Slack", command, reference),
        ),
        Page::Declined { again } => declined("You said no at Zoom, and OnAir got nothing.", again.as_ref(), command),
        Page::ZoomRefused { reference } => failed(
            "Zoom did not connect you",
            "Nothing was connected: Zoom broke off at the last step.".to_owned(),
            once_more("Go back to Slack", command, reference),
        ),
        Page::ZoomAway { reference } => failed(
            "Zoom is not answering",
            "Nothing was connected.".to_owned(),
            once_more("Wait a few minutes, go back to Slack", command, reference),
        ),
        Page::StoreAway => failed(
            "OnAir can't connect you just now",
            "Nothing was connected: OnAir can't write anything down at the moment.".to_owned(),
            format!("Wait a minute, go back to Slack and type {}.", connect(command)),
        ),
        Page::Setup(page) => setup::page(page, command),
        Page::Install(page) => install::page(page, command),
    }
}

fn confirm(person: &str, waiting: Option<Verb>, next: &NextPage, command: &str) -> PageText {
    let (how, label, url) = match next {
        NextPage::Zoom(url) => {
            ("If that is you, go on to Zoom and allow OnAir to start and stop your streams.", "Yes, go on to Zoom", url)
        }
        NextPage::Slack(url) => (
            "If that is you, go on: Slack confirms who you are, and then Zoom asks whether OnAir may start and stop your \
             streams.",
            "Yes, go on",
            url,
        ),
    };
    let mut paragraphs = vec![format!("{person} asked to connect a Zoom account to OnAir."), how.to_owned()];
    if let Some(verb) = waiting {
        paragraphs.push(format!("After that, your {command} {} runs by itself.", verb.word()));
    }
    paragraphs.push(
        "If that is not you, close this page. Going on would let somebody else use your Zoom account.".to_owned(),
    );
    PageText {
        title: "Connect Zoom · OnAir".to_owned(),
        heading: "Is this you?".to_owned(),
        paragraphs,
        button: Some(Link { label: label.to_owned(), url: url.clone() }),
        ..PageText::default()
    }
}

fn connected(person: &str, account: &str, running: Option<Verb>, lacks_scope: bool, command: &str) -> PageText {
    let mut paragraphs = vec![format!("{person} is now connected to Zoom as {account}.")];
    if let Some(verb) = running {
        paragraphs.push(format!("Your {command} {} runs now; the answer comes in Slack.", verb.word()));
    }
    if lacks_scope {
        paragraphs.push("But OnAir was not allowed to start and stop streams.".to_owned());
        paragraphs.push(format!("Go back to Slack, type {}, and allow everything Zoom asks.", connect(command)));
    } else {
        paragraphs.push(format!(
            "Close this page and go back to Slack. Not what you meant? Type {command} {} there.",
            Verb::Disconnect.word()
        ));
    }
    PageText {
        title: "Connected · OnAir".to_owned(),
        heading: if lacks_scope { "Connected, with a permission missing" } else { "Connected" }.to_owned(),
        paragraphs,
        ..PageText::default()
    }
}

fn declined(why: &str, again: Option<&Secret>, command: &str) -> PageText {
    let next = match again {
        Some(_) => "Changed your mind? Try again here; the link still works.".to_owned(),
        None => format!("Changed your mind? Go back to Slack and type {}.", connect(command)),
    };
    let text = failed("Nothing was connected", why.to_owned(), next);
    let button = again.map(|url| Link { label: "Try again".to_owned(), url: url.clone() });
    PageText { button, ..text }
}

fn failed(heading: &str, why: String, next: String) -> PageText {
    PageText {
        title: "Not connected · OnAir".to_owned(),
        heading: heading.to_owned(),
        paragraphs: vec![why, next],
        ..PageText::default()
    }
}

fn once_more(before: &str, command: &str, reference: &Reference) -> String {
    let connect = connect(command);
    // The command that led to the page does not run by itself after this.
    format!("{before} and repeat your command, or type {connect}. {}", once_more_reference(reference))
}

pub(super) fn once_more_reference(reference: &Reference) -> String {
    format!("The same again? Give an admin this reference: {reference}")
}

fn connect(command: &str) -> String {
    format!("{command} {}", Verb::Connect.word())
}

pub(super) fn slack_user(user_name: &str, team_domain: &str) -> String {
    let (user, team) = (name(user_name), name(team_domain));
    let user = if user.trim().is_empty() { "A Slack user without a name" } else { &user };
    if team.trim().is_empty() {
        format!("{user} in your Slack workspace")
    } else {
        format!("{user} in the Slack workspace {team}")
    }
}

pub(super) fn zoom_user(user: &ZoomUser) -> String {
    match (account::name(user), account::email(user)) {
        (Some(who), Some(email)) => format!("{} ({})", name(who), name(email)),
        (Some(who), None) | (None, Some(who)) => name(who),
        (None, None) => "a Zoom user without a name".to_owned(),
    }
}

/// A name from outside, on one line and no longer than a page bears.
fn name(text: &str) -> String {
    clip(&fold(text), 100).into_owned()
}

//! What the pages say around an installation of the app. Plain text: whoever makes HTML of it escapes it.

use super::page::{Link, PageText, once_more_reference};
use super::text::{clip, fold};
use crate::command::Verb;
use crate::installation::Begun;
use crate::reply::InstallPage;
use crate::secret::Secret;

const INSTALL: &str = "/slack/install";
const COMMANDS_ALONE: &str = "/slack/install?only=commands";

pub(super) fn landing(can_be_installed: bool, command: &str) -> PageText {
    let mut paragraphs = vec![
        format!("In a Slack channel, type {command} {}.", Verb::Start.example()),
        format!("For everything else, type {command} {}.", Verb::Help.word()),
    ];
    let mut text = PageText {
        title: "OnAir".to_owned(),
        heading: "OnAir puts Zoom meetings on air from Slack".to_owned(),
        ..PageText::default()
    };
    if can_be_installed {
        paragraphs.extend(
            [
                "In Slack it may answer its own command, post and change its own messages where it is invited, and ask who \
                 is an admin. It reads no messages.",
                "At Zoom it may start and stop the live streams of whoever connects their account, hear what becomes of \
                 them, and see and set where they go. Everybody connects for themselves, and can take it back at any time.",
                "The second link asks for the command alone. Every answer then goes to who asked or to their channel, and \
                 a message does not change any more once half an hour is over.",
            ]
            .map(str::to_owned),
        );
        text.button = link("Add to Slack", INSTALL);
        text.also = link("Add the command alone", COMMANDS_ALONE);
    }
    PageText { paragraphs, ..text }
}

pub(super) fn page(page: &InstallPage, command: &str) -> PageText {
    match page {
        InstallPage::NotSetUp => failed(
            "OnAir can't be installed from here",
            &["Whoever runs it has not given it the client id of a Slack app."],
            "Ask them to set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, or to install the app at api.slack.com.",
        ),
        InstallPage::Done { name, choose, speaks } => done(name, choose.as_ref(), *speaks, command),
        InstallPage::Declined => again(
            "Nothing was installed",
            &["You said no at Slack, and OnAir got nothing."],
            "Changed your mind? Begin again here.",
        ),
        InstallPage::Over => again(
            "This installation is over",
            &[&format!("It can be finished once, within {} minutes.", Begun::LIFE.as_mins())],
            "Begin again here. If it went well before, that changes nothing.",
        ),
        InstallPage::OtherBrowser => again(
            "This is another browser",
            &["Nothing was installed: the installation was begun in another browser, perhaps by somebody else."],
            "Begin again here, and stay in one browser all the way.",
        ),
        InstallPage::Rotating => failed(
            "This Slack app's tokens expire",
            &[
                "OnAir was not installed: the app has token rotation switched on, and what Slack gave would be dead in \
                 half a day.",
                "Slack can't switch it off again.",
            ],
            "Whoever runs OnAir makes a new Slack app from the manifest that `onair manifest slack` prints, which has it off.",
        ),
        InstallPage::Refused { reference } => again(
            "Slack did not install it",
            &["Nothing was installed: Slack broke off at the last step."],
            &format!("Begin again here. {}", once_more_reference(reference)),
        ),
        InstallPage::Away { reference } => again(
            "Slack is not answering",
            &["Whether it is installed is not known."],
            &format!("Wait a few minutes and begin again here. {}", once_more_reference(reference)),
        ),
        InstallPage::StoreAway => again(
            "OnAir can't be installed just now",
            &["Nothing was installed: OnAir can't write anything down at the moment."],
            "Wait a minute and begin again here.",
        ),
    }
}

fn done(name: &str, choose: Option<&Secret>, speaks: bool, command: &str) -> PageText {
    let name = clip(&fold(name), 100).into_owned();
    let place = match (name.trim().is_empty(), choose) {
        (true, Some(_)) => "your organization".to_owned(),
        (true, None) => "your workspace".to_owned(),
        (false, _) => name,
    };
    let mut paragraphs = vec![format!("OnAir is installed in {place}.")];
    let go = match choose {
        Some(_) => {
            paragraphs.push("No workspace has it yet: choose which ones do.".to_owned());
            "Then go"
        }
        None => "Go",
    };
    paragraphs.push(format!("{go} to a channel and type {command} {}.", Verb::Connect.word()));
    paragraphs.push(if speaks {
        "Invite @OnAir to the channels where you stream. There it posts one message for each stream and keeps it up to \
         date."
            .to_owned()
    } else {
        "It may not post by itself, so each stream has an answer that says what is so for half an hour.".to_owned()
    });
    PageText {
        title: "Installed · OnAir".to_owned(),
        heading: "Installed".to_owned(),
        paragraphs,
        button: choose.map(|url| Link { label: "Choose workspaces".to_owned(), url: url.clone() }),
        ..PageText::default()
    }
}

fn again(heading: &str, why: &[&str], next: &str) -> PageText {
    PageText { button: link("Begin again", INSTALL), ..failed(heading, why, next) }
}

fn failed(heading: &str, why: &[&str], next: &str) -> PageText {
    PageText {
        title: "Not installed · OnAir".to_owned(),
        heading: heading.to_owned(),
        paragraphs: why.iter().chain([&next]).map(|text| (*text).to_owned()).collect(),
        ..PageText::default()
    }
}

fn link(label: &str, url: &str) -> Option<Link> {
    Some(Link { label: label.to_owned(), url: Secret::new(url) })
}

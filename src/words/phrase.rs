//! The turns of phrase that the outcomes share: what was asked, by whom, and how to repeat it.

use super::Context;
use super::account::shown;
use super::text::{code, escape, plain};
use crate::command::{Command, Run, Start, Verb};
use crate::id::UserId;
use crate::meeting::Settings;
use crate::outcome::Action;
use crate::reply::Show;

/// Who asked for something, and as whom.
pub(super) fn asker(asked_by: &UserId, on_behalf_of: Option<&UserId>) -> String {
    let behalf = on_behalf_of.map(|lender| format!(" on behalf of <@{}>", escape(lender.as_str())));
    format!("<@{}>{}", escape(asked_by.as_str()), behalf.unwrap_or_default())
}

/// One order and what surrounds it.
pub(super) struct Words<'a> {
    pub(super) show: &'a Show,
    pub(super) context: &'a Context<'a>,
}

impl Words<'_> {
    /// The meeting, with its title where it has one.
    pub(super) fn what(&self) -> String {
        match &self.show.settings.title {
            Some(title) => format!("“{}” ({})", plain(title.as_str()), self.meeting()),
            None => self.meeting(),
        }
    }

    pub(super) fn meeting(&self) -> String {
        code(&self.show.meeting.to_string())
    }

    pub(super) fn asker(&self) -> String {
        asker(&self.show.asked_by, self.show.on_behalf_of.as_ref())
    }

    pub(super) fn asked_for(&self) -> String {
        format!("Asked for by {}.", self.asker())
    }

    pub(super) fn done(&self) -> &'static str {
        match self.show.action {
            Action::Start => "started",
            Action::Stop => "stopped",
        }
    }

    /// The first line of a failure that the channel reads.
    pub(super) fn public_failure(&self, why: &str) -> String {
        format!("The stream of {} was not {}: {why} {}", self.what(), self.done(), self.asked_for())
    }

    /// The way out when a stream has to end and OnAir cannot end it.
    pub(super) fn by_hand(&self) -> Option<String> {
        match self.show.action {
            Action::Start => None,
            Action::Stop => Some("Urgent? The host stops the stream in Zoom, or ends the meeting.".to_owned()),
        }
    }

    /// The beginning of a failure that one person reads.
    pub(super) fn nothing(&self) -> String {
        format!("Nothing was {}", self.done())
    }

    pub(super) fn connected_as(&self) -> String {
        let connected = self.show.on_behalf_of.as_ref().unwrap_or(&self.show.asked_by);
        format!("<@{}> is connected as {}.", escape(connected.as_str()), shown(&self.show.account))
    }

    pub(super) fn connect_and_repeat(&self, how: &str) -> String {
        format!("{how}: {}, then repeat: {}", self.context.verb(Verb::Connect), self.again())
    }

    /// The same command, ready to copy.
    pub(super) fn again(&self) -> String {
        let command = match self.show.action {
            Action::Start => self.start(&self.show.settings),
            Action::Stop => self.stop(),
        };
        self.context.copy(&command.to_string())
    }

    pub(super) fn start(&self, settings: &Settings) -> Command {
        Command::Start(Start { meeting: self.show.meeting, settings: settings.clone(), run: Run::Real })
    }

    pub(super) fn stop(&self) -> Command {
        Command::Stop { meeting: self.show.meeting }
    }

    pub(super) fn status(&self) -> Command {
        Command::Status { meeting: Some(self.show.meeting) }
    }
}

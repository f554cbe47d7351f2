//! Whose turn is it with a meeting's stream, and what becomes of an order that comes while it is another's?
//!
//! One order at a time asks Zoom about one meeting, across instances and workspaces. Whoever asks for the same a moment
//! later, or presses Enter twice, is told what is under way instead of asking Zoom again; whoever asks for the opposite
//! waits, and ends what only waits for its next try.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::{JobId, Person, ZoomUserId};
use crate::outcome::Action;

/// An order to Zoom about one meeting, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The command it comes from.
    pub job: JobId,
    /// Start or stop.
    pub action: Action,
    /// Who gave it.
    pub person: Person,
    /// As whom at Zoom.
    pub zoom_user: ZoomUserId,
    /// When it was typed.
    pub asked_at: Timestamp,
    /// How far it has come.
    pub phase: Phase,
    /// What waited for its next try when a stranger to it got the turn; it gets the turn back if Zoom refuses the
    /// stranger.
    pub displaced: Option<Box<Turn>>,
}

/// How far an order has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Zoom is being asked.
    Working,
    /// Zoom asked to wait, and it is tried again by itself.
    Waiting {
        /// When.
        retry_at: Timestamp,
    },
    /// Zoom took it.
    Taken {
        /// When.
        at: Timestamp,
    },
    /// It was sent, and Zoom gave no clear answer.
    Unknown {
        /// When.
        at: Timestamp,
    },
    /// It waited, and somebody gave it up.
    Cancelled,
}

/// What an order does about whoever has the turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes the turn.
    Go {
        /// What it displaces: to be given the turn back, or to be told that it is over.
        displaced: Option<Displaced>,
    },
    /// Waits until the other one has an answer.
    Wait,
    /// Does nothing: what it asks for is under way or was just done.
    Already,
    /// Is not tried again: somebody ended it meanwhile.
    Withdrawn,
}

/// An order that only waited for its next try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Displaced {
    /// The same Zoom user has decided anew: it is over whatever Zoom says.
    Over(JobId),
    /// Somebody else has, who may be nobody to this meeting: it is over unless Zoom refuses their order.
    Pending(Box<Turn>),
}

impl Turn {
    /// How long after Zoom's answer the same order counts as typed twice.
    pub const TWICE: SignedDuration = SignedDuration::from_secs(10);

    /// How long the turn of somebody silent is kept while Zoom is asked; whoever works renews it.
    pub const LEASE: Duration = Duration::from_secs(15);

    /// How long it is kept otherwise: longer than an order can wait for its next try.
    const LIFE: Duration = Duration::from_secs(35 * 60);

    /// How long this one is kept.
    pub fn life(&self) -> Duration {
        match self.phase {
            Phase::Working => Self::LEASE,
            Phase::Waiting { .. } | Phase::Taken { .. } | Phase::Unknown { .. } | Phase::Cancelled => Self::LIFE,
        }
    }

    /// What this order, which wants to ask Zoom now, does about the one that has the turn.
    pub fn step(&self, current: Option<&Self>, is_retry: bool, now: Timestamp) -> Step {
        let Some(current) = current else { return Step::Go { displaced: None } };
        if current.job == self.job {
            let is_over = is_retry && current.phase == Phase::Cancelled;
            return if is_over { Step::Withdrawn } else { Step::Go { displaced: None } };
        }
        if is_retry {
            let may_come_back = current.displaced.as_ref().is_some_and(|displaced| displaced.job == self.job);
            return if may_come_back { Step::Wait } else { Step::Withdrawn };
        }
        let is_same = current.action == self.action;
        let is_kin = current.zoom_user == self.zoom_user;
        match &current.phase {
            Phase::Working if is_same && is_kin => Step::Already,
            Phase::Working => Step::Wait,
            Phase::Waiting { .. } if is_same && is_kin => Step::Already,
            Phase::Waiting { .. } => Step::Go { displaced: Some(Displaced::by(is_kin, current)) },
            Phase::Taken { at } | Phase::Unknown { at } if is_same && now.duration_since(*at) < Self::TWICE => {
                Step::Already
            }
            Phase::Taken { .. } | Phase::Unknown { .. } | Phase::Cancelled => Step::Go { displaced: None },
        }
    }
}

impl Displaced {
    fn by(is_kin: bool, current: &Turn) -> Self {
        if is_kin { Self::Over(current.job.clone()) } else { Self::Pending(Box::new(current.clone())) }
    }
}

#[cfg(test)]
mod tests;

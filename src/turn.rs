//! Whose turn is it with a meeting's stream, and what becomes of an order that comes while it is another's?
//!
//! One order at a time asks Zoom about one meeting, across instances and workspaces. Whoever asks for the same a moment
//! later, or presses Enter twice, is told what is under way instead of asking Zoom again; whoever asks for the opposite
//! waits, and ends what only waits for its next try.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id::{JobId, Person, ZoomUserId};
use crate::meeting::Settings;
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
    /// With which settings: a fingerprint, since a title may be confidential.
    pub settings: Fingerprint,
    /// When it was typed.
    pub asked_at: Timestamp,
    /// How far it has come.
    pub phase: Phase,
    /// What waited for its next try when this one got the turn.
    pub displaced: Option<Displaced>,
}

/// What tells some settings from others, and nothing else of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl From<&Settings> for Fingerprint {
    fn from(settings: &Settings) -> Self {
        let hash = Sha256::digest(format!("{settings:?}"));
        Self(hex::encode(&hash[..8]))
    }
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
    /// It is over, and so is what it displaced: Zoom did not take it, or somebody gave it up while it waited.
    Over {
        /// The press of Cancel that gave it up, if one did.
        press: Option<JobId>,
    },
}

/// What an order does about whoever has the turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes the turn.
    Go {
        /// What it displaces.
        displaced: Option<Displaced>,
    },
    /// Waits until the other one has an answer.
    Wait,
    /// Does nothing: what it asks for is under way or was just done.
    Already,
    /// Is not tried again: somebody ended it meanwhile.
    Withdrawn,
}

/// An order that only waited for its next try when another one got the turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Displaced {
    /// The same Zoom user has decided anew: it is over, whatever Zoom says to the other order.
    Over(JobId),
    /// Somebody else has, who may be nobody to this meeting: it is over if Zoom takes their order, and else gets the turn
    /// back.
    Pending(Box<Turn>),
}

impl Turn {
    /// How long after Zoom's answer the same order counts as typed twice.
    pub const TWICE: SignedDuration = SignedDuration::from_secs(10);

    /// How long the turn of somebody silent is kept while Zoom is asked; whoever works renews it. Longer than it takes
    /// until somebody else has the job of a killed process.
    pub const LEASE: Duration = Duration::from_secs(20);

    /// How long it is kept otherwise: longer than an order can wait for its next try.
    const LIFE: Duration = Duration::from_secs(35 * 60);

    /// How long this one is kept.
    pub fn life(&self) -> Duration {
        match self.phase {
            Phase::Working => Self::LEASE,
            Phase::Waiting { .. } | Phase::Taken { .. } | Phase::Unknown { .. } | Phase::Over { .. } => Self::LIFE,
        }
    }

    /// What this order, which wants to ask Zoom now, does about the one that has the turn.
    pub fn step(&self, current: Option<&Self>, is_retry: bool, now: Timestamp) -> Step {
        let Some(current) = current else { return Step::Go { displaced: None } };
        if current.job == self.job {
            let is_over = is_retry && matches!(current.phase, Phase::Over { .. });
            return if is_over { Step::Withdrawn } else { Step::Go { displaced: current.displaced.clone() } };
        }
        if is_retry {
            let may_come_back = matches!(&current.displaced, Some(Displaced::Pending(turn)) if turn.job == self.job);
            return if may_come_back { Step::Wait } else { Step::Withdrawn };
        }
        let is_same = current.action == self.action;
        let is_kin = current.zoom_user == self.zoom_user;
        // Whom Zoom might refuse is not held up by what it said to others, and learns of it from Zoom alone.
        let is_told = is_kin || current.person.is_colleague_of(&self.person);
        let is_recent = |at: &Timestamp| now.duration_since(*at) < Self::TWICE;
        match &current.phase {
            Phase::Working if is_same && is_kin => Step::Already,
            Phase::Working => Step::Wait,
            Phase::Waiting { .. } if is_same && is_kin => Step::Already,
            Phase::Waiting { .. } => Step::Go { displaced: Some(Displaced::by(is_kin, current)) },
            Phase::Taken { at } if is_same && is_told && is_recent(at) => Step::Already,
            Phase::Unknown { at } if is_same && is_kin && is_recent(at) => Step::Already,
            Phase::Taken { .. } | Phase::Unknown { .. } | Phase::Over { .. } => Step::Go { displaced: None },
        }
    }

    /// Who has the turn after this order, and which order that waited is to hear that it is over. `phase` is what others
    /// should know about this one, if anything.
    pub fn after(&self, phase: Option<Phase>) -> (Option<Self>, Option<JobId>) {
        let this = |phase| Some(Self { phase, displaced: None, ..self.clone() });
        match (phase, &self.displaced) {
            (Some(phase @ Phase::Taken { .. }), Some(Displaced::Pending(turn))) => {
                (this(phase), Some(turn.job.clone()))
            }
            (_, Some(Displaced::Pending(turn))) => (Some((**turn).clone()), None),
            (Some(phase), Some(Displaced::Over(job))) => (this(phase), Some(job.clone())),
            // Else what is over would find that nobody has the turn, and go.
            (None, Some(Displaced::Over(job))) => (this(Phase::Over { press: None }), Some(job.clone())),
            (Some(phase), None) => (this(phase), None),
            (None, None) => (None, None),
        }
    }

    /// The same record with an order that waits given up, by a press if one is given; `None` where it does not wait here.
    pub fn without(&self, job: &JobId, press: Option<&JobId>) -> Option<Self> {
        let over = Phase::Over { press: press.cloned() };
        if self.job == *job && matches!(self.phase, Phase::Waiting { .. }) {
            return Some(Self { phase: over, ..self.clone() });
        }
        match &self.displaced {
            Some(Displaced::Pending(turn)) if turn.job == *job && matches!(turn.phase, Phase::Waiting { .. }) => {
                let displaced = Displaced::Pending(Box::new(Self { phase: over, ..(**turn).clone() }));
                Some(Self { displaced: Some(displaced), ..self.clone() })
            }
            _ => None,
        }
    }

    /// The turn of a job in this record: its own, or that of what it displaced.
    pub fn of(&self, job: &JobId) -> Option<&Self> {
        match &self.displaced {
            _ if self.job == *job => Some(self),
            Some(Displaced::Pending(turn)) if turn.job == *job => Some(turn),
            _ => None,
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

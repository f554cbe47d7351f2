//! What is written down about an accepted command until its answer has arrived, so that a killed process loses none.
//!
//! A job is written before Slack hears the 200, by the same round trip that remembers the delivery. Whoever works on it
//! holds a lease; whoever takes a lease over reads from the stage how far the work had come.

use serde::{Deserialize, Serialize};

use crate::id::JobId;
use crate::invocation::Invocation;
use crate::words::Message;

/// One accepted command on its way to its answer. It holds a `response_url`: it is stored sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What was typed, by whom, and where the answer goes.
    pub invocation: Invocation,
    /// How far it has come.
    pub stage: Stage,
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing was done outside; it may begin again.
    Accepted,
    /// An order to Zoom was about to be sent. Whether it was is not known, so a start is not sent again.
    Ordering,
    /// It is decided and in the audit trail; what is left is to tell it.
    Decided {
        /// What to tell.
        message: Message,
    },
}

/// A job as somebody gets it who takes its lease.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its name.
    pub id: JobId,
    /// The job, as it was last written.
    pub job: Job,
    /// How many times somebody has held its lease, this one included.
    pub attempt: u32,
}

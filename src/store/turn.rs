//! How do several instances agree whose turn it is with a meeting?
//!
//! Whoever changes a turn says what they saw: of many who try, one succeeds, and the others hear what is there now.

use super::engine::{Swap, Swapped, on};
use super::error::Error;
use super::key::Key;
use super::{Store, from_json, to_json};
use crate::meeting::MeetingId;
use crate::turn::Turn;

/// A turn as it lies in the store. A newer OnAir may have written more into it than this one reads, so its bytes stand
/// for it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The turn.
    pub turn: Turn,
    bytes: Vec<u8>,
}

/// How a change of a turn ended.
#[derive(Clone, Debug)]
pub enum TurnChange {
    /// It is as wanted.
    Done(Option<Seen>),
    /// It is not as it was seen; this is there now.
    Other(Option<Seen>),
}

impl Store {
    /// Who has the turn with a meeting.
    pub async fn turn(&self, meeting: MeetingId) -> Result<Option<Seen>, Error> {
        let key = Key::turn(meeting);
        let bytes = on!(&self.0.engine, get(&key))?;
        bytes.map(|bytes| seen(&key, bytes)).transpose()
    }

    /// Gives the turn with a meeting to `wanted`, or to nobody, if it still is as it was `seen`. A turn that is there
    /// already has its [life](Turn::life) begun anew.
    pub async fn change_turn(
        &self,
        meeting: MeetingId,
        seen_before: Option<&Seen>,
        wanted: Option<&Turn>,
    ) -> Result<TurnChange, Error> {
        let key = Key::turn(meeting);
        let life = wanted.map(Turn::life);
        let wanted =
            wanted.map(|turn| to_json(&key, turn).map(|bytes| Seen { turn: turn.clone(), bytes })).transpose()?;
        let swap = Swap {
            key: &key,
            seen: seen_before.map(|seen| seen.bytes.as_slice()),
            wanted: wanted.as_ref().map(|wanted| wanted.bytes.as_slice()),
            life,
        };
        Ok(match on!(&self.0.engine, swap(swap))? {
            Swapped::Done => TurnChange::Done(wanted),
            Swapped::Other(other) => TurnChange::Other(other.map(|bytes| seen(&key, bytes)).transpose()?),
        })
    }
}

fn seen(key: &Key, bytes: Vec<u8>) -> Result<Seen, Error> {
    Ok(Seen { turn: from_json(key, &bytes)?, bytes })
}

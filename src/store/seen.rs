//! How do several instances change one record without losing each other's changes?
//!
//! Whoever changes it says what they saw: of many who try, one succeeds, and the others hear what is there now. So it is
//! with whose turn it is with a meeting, and with what is known about a stream.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::engine::{Plan, Swap, Swapped, on};
use super::error::Error;
use super::key::Key;
use super::{Planned, Store, from_json, to_json, to_log, to_secret};
use crate::audit::AuditEntry;
use crate::meeting::MeetingId;
use crate::stream::Stream;
use crate::turn::Turn;

/// A record as it lies in the store. A newer OnAir may have written more into it than this one reads, so its bytes stand
/// for it.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    /// What it says.
    pub value: T,
    pub(super) bytes: Vec<u8>,
}

/// How a change ended.
#[derive(Clone, Debug)]
pub enum Changed<T> {
    /// It is as wanted.
    Done(Option<Seen<T>>),
    /// It is not as it was seen; this is there now.
    Other(Option<Seen<T>>),
}

impl Store {
    /// Who has the turn with a meeting.
    pub async fn turn(&self, meeting: MeetingId) -> Result<Option<Seen<Turn>>, Error> {
        let key = Key::turn(meeting);
        let bytes = on!(&self.0.engine, get(&key))?;
        bytes.map(|bytes| plain(&key, bytes)).transpose()
    }

    /// Gives the turn with a meeting to `wanted`, or to nobody, if it still is as it was `seen`. A turn that is there
    /// already has its [life](Turn::life) begun anew.
    pub async fn change_turn(
        &self,
        meeting: MeetingId,
        seen: Option<&Seen<Turn>>,
        wanted: Option<&Turn>,
    ) -> Result<Changed<Turn>, Error> {
        let key = Key::turn(meeting);
        let swap = Swap { life: wanted.map(Turn::life), ..Swap::of(&key) };
        let wanted = wanted.map(|turn| Ok::<_, Error>(Seen { value: turn.clone(), bytes: to_json(&key, turn)? }));
        match self.swap(seen, wanted.transpose()?, swap).await? {
            Ok(done) => Ok(Changed::Done(done)),
            Err(other) => Ok(Changed::Other(other.map(|bytes| plain(&key, bytes)).transpose()?)),
        }
    }

    /// What is known about a meeting's stream.
    pub async fn stream(&self, meeting: MeetingId) -> Result<Option<Seen<Stream>>, Error> {
        let key = Key::stream(meeting);
        let bytes = on!(&self.0.engine, get(&key))?;
        bytes.map(|bytes| self.sealed(&key, bytes)).transpose()
    }

    /// Writes what is known about a stream, if it still is as it was `seen`, with an entry, and with when its keeper is to
    /// look at it. It is kept for [`Stream::LIFE`].
    pub async fn change_stream(
        &self,
        seen: Option<&Seen<Stream>>,
        wanted: Stream,
        entry: Option<&AuditEntry>,
        keeper: Option<&Planned>,
    ) -> Result<Changed<Stream>, Error> {
        let key = Key::stream(wanted.meeting);
        let bytes = self.seal(&key, &to_secret(&key, &wanted)?)?;
        let entry = entry.map(to_log).transpose()?;
        let keeper = keeper.map(|planned| {
            let key = Key::job(&planned.id);
            self.seal_job(&key, &planned.job).map(|body| (key, body, planned.due))
        });
        let keeper = keeper.transpose()?;
        let plan = keeper.as_ref().map(|(key, body, due)| Plan { key, body, due: *due });
        let swap = Swap { life: Some(Stream::LIFE), entry: entry.as_ref(), plan, ..Swap::of(&key) };
        match self.swap(seen, Some(Seen { value: wanted, bytes }), swap).await? {
            Ok(done) => Ok(Changed::Done(done)),
            Err(other) => Ok(Changed::Other(other.map(|bytes| self.sealed(&key, bytes)).transpose()?)),
        }
    }

    /// Changes a record from what was `seen` to what is `wanted`, with all else as `swap` has it. Answers with the record as
    /// wanted, or with the bytes of what is there instead.
    pub(super) async fn swap<T: Serialize>(
        &self,
        seen: Option<&Seen<T>>,
        wanted: Option<Seen<T>>,
        swap: Swap<'_>,
    ) -> Result<Result<Option<Seen<T>>, Option<Vec<u8>>>, Error> {
        let seen = seen.map(|seen| seen.bytes.as_slice());
        let bytes = wanted.as_ref().map(|wanted| wanted.bytes.as_slice());
        let swap = Swap { seen, wanted: bytes, ..swap };
        Ok(match on!(&self.0.engine, swap(swap))? {
            Swapped::Done => Ok(wanted),
            Swapped::Other(other) => Err(other),
        })
    }

    pub(super) fn sealed<T: DeserializeOwned>(&self, key: &Key, bytes: Vec<u8>) -> Result<Seen<T>, Error> {
        Ok(Seen { value: self.open_sealed(key, &bytes)?, bytes })
    }
}

fn plain<T: DeserializeOwned>(key: &Key, bytes: Vec<u8>) -> Result<Seen<T>, Error> {
    Ok(Seen { value: from_json(key, &bytes)?, bytes })
}

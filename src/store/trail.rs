//! How is the audit trail read: by the service, and by a command line beside it?

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Place;
use super::Store;
use super::chain::{Check, Link, Verified};
use super::embedded::Embedded;
use super::engine::{AnyEngine, From, Kept, Logged, on};
use super::error::Error;
use super::key::Key;
use super::redis::Redis;
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::id::{ChannelId, Person, Reference, TeamId, UserId, Workspace};
use crate::meeting::MeetingId;

/// How many entries are read at once; each such page has the deadline for itself.
const PAGE: u32 = 1000;

/// How far an entry's own time may be ahead of the time it was appended at: clocks differ, and a rehearsal moves one.
const SKEW: SignedDuration = SignedDuration::from_hours(24);

/// How many entries a trail of no chosen age keeps.
const LONGEST: u32 = 1_000_000;

/// An entry and its place; none where this OnAir cannot read it, because a newer one wrote it.
pub type Placed = (Seq, Option<AuditEntry>);

/// Whether a trail has lost all that it has to lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trimmed {
    /// It has.
    All,
    /// There may be more.
    SomeLeft,
}

impl Store {
    /// The next thousand entries after this one, oldest first; fewer where there are no more.
    pub async fn audit_after(&self, after: Option<Seq>) -> Result<Vec<Placed>, Error> {
        let page = on!(&self.0.engine, entries(From { after, since: None }, PAGE))?;
        Ok(page.into_iter().map(placed).collect())
    }

    /// The newest entries about a workspace, newest first, of those among the newest fifty thousand of all.
    pub async fn latest_audit(&self, workspace: &Workspace, count: usize) -> Result<Vec<AuditEntry>, Error> {
        const PAGES: u32 = 50;
        let (mut found, mut before) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = on!(&self.0.engine, newest(before, PAGE))?;
            before = page.last().map(|oldest| oldest.seq);
            let is_theirs =
                |entry: &AuditEntry| entry.person.as_ref().map(Person::workspace).as_ref() == Some(workspace);
            found.extend(page.into_iter().filter_map(|logged| placed(logged).1).filter(is_theirs));
            if found.len() >= count || before.is_none() {
                break;
            }
        }
        found.truncate(count);
        Ok(found)
    }

    /// The place of the newest entry.
    pub async fn newest_audit(&self) -> Result<Option<Seq>, Error> {
        Ok(on!(&self.0.engine, newest(None, 1))?.first().map(|newest| newest.seq))
    }

    /// Removes a thousand of the oldest entries, of those that are older than this, or without an age, of those beyond the
    /// newest million. Age is counted by the store's own clock. Several instances may do this at once.
    pub async fn trim_audit(&self, age: Option<Duration>) -> Result<Trimmed, Error> {
        let kept = age.map_or(Kept::Newest(LONGEST), Kept::For);
        let removed = on!(&self.0.engine, trim(kept, PAGE))?;
        Ok(if removed < PAGE { Trimmed::All } else { Trimmed::SomeLeft })
    }
}

/// The place of an entry in the trail. Later entries have greater ones; they are not consecutive. Its text is opaque
/// and differs between the engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq {
    pub(super) major: u64,
    pub(super) minor: u64,
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.major, self.minor)
    }
}

impl FromStr for Seq {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (major, minor) = text.split_once('-').unwrap_or((text, "0"));
        Ok(Self { major: major.parse()?, minor: minor.parse()? })
    }
}

/// Which entries are asked for: those that match everything that is given.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Finished at this time or later.
    pub since: Option<Timestamp>,
    /// Finished before this time.
    pub until: Option<Timestamp>,
    /// Of this workspace.
    pub team: Option<TeamId>,
    /// Of this person.
    pub user: Option<UserId>,
    /// From this channel.
    pub channel: Option<ChannelId>,
    /// About this meeting.
    pub meeting: Option<MeetingId>,
    /// About one of these; about anything where there is none.
    pub verbs: Vec<AuditVerb>,
    /// With one of these results; with any where there is none.
    pub outcomes: Vec<AuditOutcome>,
    /// Whether only what [went wrong](AuditOutcome::is_failure) is asked for.
    pub failures: bool,
    /// What a person was shown of it.
    pub reference: Option<Reference>,
    /// After this entry, to go on where an earlier reading ended.
    pub after: Option<Seq>,
}

impl AuditQuery {
    fn takes(&self, entry: &AuditEntry) -> bool {
        let person = entry.person.as_ref();
        self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
            && self.team.as_ref().is_none_or(|team| person.is_some_and(|person| person.team == *team))
            && self.user.as_ref().is_none_or(|user| person.is_some_and(|person| person.user == *user))
            && self.channel.as_ref().is_none_or(|channel| entry.channel.as_ref() == Some(channel))
            && self.meeting.is_none_or(|meeting| entry.meeting == Some(meeting))
            && (self.verbs.is_empty() || self.verbs.contains(&entry.verb))
            && (self.outcomes.is_empty() || self.outcomes.contains(&entry.outcome))
            && (!self.failures || entry.outcome.is_failure())
            && self.reference.as_ref().is_none_or(|reference| entry.reference == *reference)
    }
}

/// The audit trail for another process than the service, which may be running or not. It cannot write.
pub struct Reader {
    pub(super) engine: AnyEngine,
}

impl Reader {
    pub(super) fn open(place: &Place, deadline: Duration) -> Result<Self, Error> {
        let engine = match place {
            Place::Redis { url, namespace } => AnyEngine::Redis(Box::new(Redis::open(url, namespace, deadline)?)),
            Place::Embedded { folder } => AnyEngine::Embedded(Embedded::open_reader(folder, deadline)?),
        };
        Ok(Self { engine })
    }

    /// What matches among the next thousand entries, oldest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        page(&self.engine, query).await
    }

    /// Whether every entry is as it was appended, and none is missing. The deadline is for each thousand entries.
    pub async fn verify(&self) -> Result<Verified, Error> {
        verify(&self.engine).await
    }
}

/// Whether the trail is whole. What is appended meanwhile may be looked at or not.
async fn verify(engine: &AnyEngine) -> Result<Verified, Error> {
    let mut check = Check::new(on!(engine, head())?, anchor(engine).await?);
    let mut from = From::default();
    loop {
        let page = on!(engine, entries(from, PAGE))?;
        let is_last = page.len() < PAGE as usize;
        for Logged { seq, bytes, link } in page {
            from.after = Some(seq);
            check.take(&bytes, link);
        }
        if is_last {
            return Ok(check.end(anchor(engine).await?));
        }
    }
}

async fn anchor(engine: &AnyEngine) -> Result<Link, Error> {
    let key = Key::audit_anchor();
    let Some(text) = on!(engine, get(&key))? else { return Ok(Link::default()) };
    Link::parse(&text).ok_or(Error::Corrupt { prefix: key.prefix() })
}

fn placed(logged: Logged) -> Placed {
    (logged.seq, serde_json::from_slice(&logged.bytes).ok())
}

/// A part of the trail.
#[derive(Debug)]
pub struct AuditPage {
    /// What matches, oldest first.
    pub entries: Vec<(Seq, AuditEntry)>,
    /// How many this OnAir cannot read: a newer one wrote them, or somebody changed them.
    pub unreadable: usize,
    /// How far it was read.
    pub read_to: Option<Seq>,
    /// Whether there was no more.
    pub is_last: bool,
}

async fn page(engine: &AnyEngine, query: &AuditQuery) -> Result<AuditPage, Error> {
    let since = query.since.map(|since| since.checked_sub(SKEW).unwrap_or(Timestamp::MIN));
    let logged = on!(engine, entries(From { after: query.after, since }, PAGE))?;
    let is_last = logged.len() < PAGE as usize;
    let read_to = logged.last().map(|last| last.seq).or(query.after);
    let mut page = AuditPage { entries: Vec::new(), unreadable: 0, read_to, is_last };
    for (seq, entry) in logged.into_iter().map(placed) {
        match entry {
            Some(entry) if query.takes(&entry) => page.entries.push((seq, entry)),
            Some(_) => {}
            None => page.unreadable += 1,
        }
    }
    Ok(page)
}

pub(super) async fn read(engine: &AnyEngine, query: &AuditQuery) -> Result<Vec<(Seq, AuditEntry)>, Error> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let page = page(engine, &query).await?;
        query.after = page.read_to;
        found.extend(page.entries);
        if page.is_last {
            return Ok(found);
        }
    }
}

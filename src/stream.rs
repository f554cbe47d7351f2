//! The life of one meeting's stream: what was asked for, what Zoom answered, and what Zoom reported since.
//!
//! Pure. Zoom's answer to an order says that it was taken, never that the stream is on air; only a report says that.
//! Reports come late, twice and out of order, so each counts by its own time, and never against a newer one. The table of
//! transitions is a test.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::id::{ChannelId, InstanceId, JobId, Person, Reference, UserId, ZoomUserId};
use crate::invocation::ReplyTo;
use crate::meeting::{MeetingId, Settings};
use crate::words::Message;

/// What is known about the stream of one meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Of which meeting.
    pub meeting: MeetingId,
    /// Of which of its runs: Zoom gives each a new one. `None` until Zoom has named it.
    pub instance: Option<InstanceId>,
    /// Whose meeting it is, once Zoom has said so.
    pub host: Option<ZoomUserId>,
    /// Who asked for it; `None`: it was started in Zoom.
    pub asked: Option<Asked>,
    /// Who had asked before, for what may be on air still: their stream it is as well.
    #[serde(default)]
    pub earlier: Vec<Person>,
    /// How far it has come.
    pub state: State,
    /// Whether Zoom's reports about it are heard: not for webinars, for which there are none, and not without the secret.
    pub confirms: Confirms,
    /// Whether Zoom may have taken a start since it was asked for.
    #[serde(default)]
    pub may_have_started: bool,
    /// Since when it was on air the last time, whether or not it still is.
    pub live_since: Option<Timestamp>,
    /// Where people watch it, if Zoom says so.
    pub page_url: Option<String>,
    /// What Zoom said when somebody last had OnAir ask, if nothing is news since.
    #[serde(default)]
    pub looked: Option<Looked>,
    /// Zoom's time of the newest report that counted.
    pub heard_at: Option<Timestamp>,
    /// When it was last told to one person that it ended by itself.
    pub noticed_at: Option<Timestamp>,
    /// What whoever asked for it is still to be told in private.
    #[serde(default)]
    pub owed: Option<Box<Owed>>,
    /// Whether Zoom has still to report the end of the one before, which was being stopped when this was asked for.
    #[serde(default)]
    pub expects_earlier_end: bool,
    /// The one before, as its own message is to show it, where that does not yet.
    #[serde(default)]
    pub former: Option<Box<Self>>,
    /// Until when Slack is not to be asked to change or tell something about it: Slack wanted that, or was away.
    #[serde(default)]
    pub quiet_until: Option<Timestamp>,
    /// Grows with each change that a reader should see.
    pub version: u32,
    /// The message that shows it.
    pub card: Option<Card>,
}

/// Who asked for a stream, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub person: Person,
    /// Who had lent them the meeting, where it was asked for as that person.
    #[serde(default)]
    pub on_behalf_of: Option<UserId>,
    /// Where.
    pub channel: ChannelId,
    /// By which name of the command.
    pub command: String,
    /// With which settings.
    pub settings: Settings,
    /// When.
    pub at: Timestamp,
    /// Finds the command in the audit and the log.
    pub reference: Reference,
}

/// Whether Zoom tells what becomes of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirms {
    /// By its webhooks.
    Yes,
    /// Never.
    No,
}

/// How far a stream has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Zoom asked to wait; it is asked again.
    Throttled(NextTry),
    /// Zoom took the start.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// Zoom took the start, and has not reported since that it is on air.
    Unconfirmed {
        /// When it took it.
        at: Timestamp,
    },
    /// The start was sent, and Zoom gave no clear answer.
    Unknown {
        /// When.
        at: Timestamp,
    },
    /// It is on air: Zoom reported it.
    Live {
        /// Since when.
        since: Timestamp,
        /// Who put it on air, where that was not OnAir.
        by: Option<Operator>,
    },
    /// Zoom took the stop, and has not reported yet that it is off air.
    Stopping {
        /// When it took it.
        at: Timestamp,
        /// Who asked for it.
        by: Person,
    },
    /// It is off air.
    Ended {
        /// Since when.
        at: Timestamp,
        /// How that came.
        how: End,
    },
    /// It did not come to be: what was told about that.
    Failed {
        /// In these words.
        told: Box<Message>,
    },
}

/// What Zoom said of a meeting when it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When that was.
    pub at: Timestamp,
    /// Whether the meeting was in progress. Whether its stream is, Zoom cannot be asked.
    pub is_running: bool,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// By a stop that somebody gave OnAir.
    Stopped {
        /// Who.
        by: Person,
    },
    /// In Zoom.
    InZoom {
        /// By whom.
        by: Operator,
    },
    /// By itself: Zoom names nobody.
    Dropped,
    /// With its meeting.
    MeetingEnded,
    /// With its meeting, some time before: Zoom said so when it was asked, or reported the next one.
    FoundOver,
    /// Nobody knows: it was asked for anew, and another message shows what becomes of that.
    AskedAnew {
        /// By whom.
        by: Person,
    },
}

/// The next try of a start that Zoom did not take because of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTry {
    /// Which one it is, from 1 to [`Retry::MOST`](crate::journal::Retry::MOST).
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// When Zoom said that it could work.
    pub told: Timestamp,
    /// The job that waits for it, which Cancel gives up.
    pub job: JobId,
}

/// Who did something in Zoom, as far as Zoom says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The Zoom user.
    pub id: Option<ZoomUserId>,
    /// Their address.
    pub email: Option<String>,
}

/// A private word that somebody is still to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Who.
    pub to: Person,
    /// In which words.
    pub message: Message,
    /// Since when. A word that comes much later only confuses.
    pub since: Timestamp,
}

/// The message that shows a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Where it stands.
    pub place: Place,
    /// Which version of the stream it shows.
    pub shown: u32,
}

/// Where a message stands, for whoever changes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The bot posted it.
    Posted {
        /// Whose workspace it is.
        person: Person,
        /// In which conversation.
        channel: ChannelId,
        /// Slack's name for the message within it.
        ts: String,
    },
    /// It was the answer at a `response_url`.
    Answered {
        /// Where it may be replaced as long as that lives.
        at: ReplyTo,
        /// Until when that is.
        until: Timestamp,
        /// How often it was used.
        uses: u32,
    },
}

impl Place {
    /// Whether it is the same message, however often it was changed.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Posted { channel, ts, .. }, Self::Posted { channel: other, ts: other_ts, .. }) => {
                channel == other && ts == other_ts
            }
            (Self::Answered { at, .. }, Self::Answered { at: other, .. }) => at == other,
            (Self::Posted { .. }, Self::Answered { .. }) | (Self::Answered { .. }, Self::Posted { .. }) => false,
        }
    }
}

/// What Zoom reported.
///
/// [Webhooks](https://developers.zoom.us/docs/api/meetings/events/)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Something about a meeting.
    Meeting(MeetingReport),
    /// A user took OnAir out of their Zoom account.
    Deauthorized {
        /// Who.
        zoom_user: ZoomUserId,
        /// When, by Zoom's clock.
        at: Timestamp,
    },
}

/// What Zoom reported about a meeting. A stream key never comes this far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingReport {
    /// What happened.
    pub what: Happened,
    /// To which meeting.
    pub meeting: MeetingId,
    /// In which of its runs.
    pub instance: InstanceId,
    /// Whose meeting it is.
    pub host: ZoomUserId,
    /// When, by Zoom's clock.
    pub at: Timestamp,
    /// Who did it, if Zoom says so.
    pub operator: Option<Operator>,
    /// Where people watch, if Zoom says so.
    pub page_url: Option<String>,
}

/// What happened to a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// `meeting.started`, `webinar.started`
    MeetingStarted,
    /// `meeting.ended`, `webinar.ended`
    MeetingEnded,
    /// `meeting.live_streaming_started`
    StreamStarted,
    /// `meeting.live_streaming_stopped`
    StreamStopped,
}

/// What changes a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Zoom took the start.
    StartTaken,
    /// The start was sent, and Zoom gave no clear answer.
    StartUnclear,
    /// Zoom asked to wait before the next start.
    StartThrottled(NextTry),
    /// A start that had waited did not come to be.
    StartFailed(Box<Message>),
    /// Zoom took a stop.
    StopTaken {
        /// Who asked for it.
        by: Person,
    },
    /// Zoom reported something.
    Reported(MeetingReport),
    /// Zoom has been silent for too long.
    Overdue,
    /// Zoom was asked whether the meeting is in progress.
    Looked {
        /// What it said.
        is_running: bool,
    },
}

impl Stream {
    /// How long Zoom may be silent after it took an order; usually it takes ten seconds, rarely more than thirty.
    pub const PATIENCE: SignedDuration = SignedDuration::from_secs(45);

    /// How long it is remembered after its last change.
    pub const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// How soon after its end the end of the meeting explains it.
    const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(60);

    /// How far Zoom's clock may be ahead, at the most, and how long it may take until a stop has gone round.
    const BETWEEN_CLOCKS: SignedDuration = SignedDuration::from_secs(5);

    /// How often one person is told that a stream ended by itself, at the most.
    pub const BETWEEN_NOTICES: SignedDuration = SignedDuration::from_mins(10);

    /// A stream of which nothing is known yet.
    pub fn new(meeting: MeetingId, confirms: Confirms, now: Timestamp) -> Self {
        Self {
            meeting,
            instance: None,
            host: None,
            asked: None,
            earlier: Vec::new(),
            state: State::Ended { at: now, how: End::Dropped },
            confirms,
            may_have_started: false,
            live_since: None,
            page_url: None,
            looked: None,
            heard_at: None,
            noticed_at: None,
            owed: None,
            expects_earlier_end: false,
            former: None,
            quiet_until: None,
            version: 0,
            card: None,
        }
    }

    /// A stream that somebody asks for now, in place of whatever was known. What is on air stays what it is.
    pub fn ask(&mut self, asked: Asked, confirms: Confirms) {
        if matches!(self.state, State::Live { .. }) {
            return;
        }
        // A next try goes on with the card of the first.
        if !self.is_of(&asked.reference) {
            let how = match &self.state {
                State::Stopping { by, .. } => End::Stopped { by: by.clone() },
                _ => End::AskedAnew { by: asked.person.clone() },
            };
            self.leave(how, asked.at);
            self.expects_earlier_end = matches!(self.state, State::Stopping { .. });
            // Of which run it is, Zoom has yet to say.
            self.instance = None;
        }
        if !self.may_be_on_air() {
            self.earlier.clear();
        } else if let Some(former) = &self.asked
            && !self.earlier.contains(&former.person)
        {
            self.earlier.push(former.person.clone());
        }
        self.asked = Some(asked);
        self.confirms = confirms;
        (self.live_since, self.looked, self.may_have_started) = (None, None, false);
    }

    /// Gives up the card, for another stream to have its own. One that would be wrong from now on is to say how it ended.
    fn leave(&mut self, how: End, now: Timestamp) {
        let at = match &self.state {
            State::Stopping { at, .. } => *at,
            _ => now,
        };
        if let Some(card) = self.card.take()
            && !matches!(self.state, State::Ended { .. } | State::Failed { .. })
        {
            let state = State::Ended { at, how };
            let former = Self { state, card: Some(card), former: None, owed: None, looked: None, ..self.clone() };
            self.former = Some(Box::new(former));
        }
    }

    /// Whether somebody may hear of it: the colleagues of whoever asked for it, and whoever its meeting belongs to.
    pub fn concerns(&self, person: &Person, zoom_user: Option<&ZoomUserId>) -> bool {
        let is_colleagues = self.asked.as_ref().is_some_and(|asked| asked.person.is_colleague_of(person));
        is_colleagues || (zoom_user.is_some() && self.host.as_ref() == zoom_user)
    }

    /// Whether it was asked for by the command with this reference.
    pub fn is_of(&self, reference: &Reference) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.reference == *reference)
    }

    /// Whether Zoom reported it on air and nothing else since.
    pub fn is_on_air(&self) -> bool {
        matches!(self.state, State::Live { .. } | State::Stopping { .. })
    }

    /// Whether it may be on air, for all that is known.
    fn may_be_on_air(&self) -> bool {
        match &self.state {
            State::Throttled(_) => self.may_have_started,
            State::Ended { .. } | State::Failed { .. } => false,
            State::Accepted { .. } | State::Unconfirmed { .. } | State::Unknown { .. } => true,
            State::Live { .. } | State::Stopping { .. } => true,
        }
    }

    /// When it is to be looked at again because Zoom has been silent for too long by then.
    pub fn overdue_at(&self) -> Option<Timestamp> {
        let since = match &self.state {
            State::Accepted { at } | State::Stopping { at, .. } if self.confirms == Confirms::Yes => *at,
            _ => return None,
        };
        since.checked_add(Self::PATIENCE).ok()
    }

    /// Whether its card does not show what is so, or it has none and nobody is about to post one.
    pub fn is_behind(&self) -> bool {
        match &self.card {
            _ if self.former.is_some() => true,
            Some(card) => card.shown != self.version,
            None => self.asked.is_none() && self.is_on_air(),
        }
    }

    /// What a reader sees of it.
    fn seen(&self) -> (State, Option<Timestamp>, Option<String>, Option<Looked>) {
        (self.state.clone(), self.live_since, self.page_url.clone(), self.looked)
    }

    /// For how long Slack is not to be asked for anything about it.
    pub fn quiet(&self, now: Timestamp) -> Duration {
        self.quiet_until.map_or(Duration::ZERO, |until| clock::until(until, now))
    }

    /// Takes news in; says whether a reader should see it.
    pub fn take(&mut self, news: &News, now: Timestamp) -> bool {
        let before = self.seen();
        let is_live = matches!(self.state, State::Live { .. });
        match news {
            News::StartTaken if !is_live => self.state = State::Accepted { at: now },
            News::StartUnclear if !is_live => self.state = State::Unknown { at: now },
            News::StartThrottled(next) if !is_live => self.state = State::Throttled(next.clone()),
            News::StartFailed(told) if matches!(self.state, State::Throttled(_)) => {
                self.state = State::Failed { told: told.clone() };
            }
            News::StopTaken { by } => self.stop(by, now),
            News::Reported(report) => self.hear(report),
            News::Overdue => self.lose_patience(),
            News::Looked { is_running } => self.look(*is_running, now),
            News::StartTaken | News::StartUnclear | News::StartThrottled(_) | News::StartFailed(_) => {}
        }
        if self.state != before.0 {
            self.looked = None;
        }
        self.may_have_started |= matches!(self.state, State::Accepted { .. } | State::Unknown { .. });
        let is_news = before != self.seen();
        self.version += u32::from(is_news);
        is_news
    }

    /// Whether its end is to be told in private to whoever asked for it, which then counts as done: not where somebody gave
    /// OnAir a stop, and not again within [`Stream::BETWEEN_NOTICES`].
    pub fn notice(&mut self, now: Timestamp) -> bool {
        let is_outside = matches!(self.state, State::Ended { how: End::Dropped | End::InZoom { .. }, .. });
        let is_told = self.noticed_at.is_some_and(|at| now.duration_since(at) < Self::BETWEEN_NOTICES);
        let is_due = is_outside && self.asked.is_some() && !is_told;
        if is_due {
            self.noticed_at = Some(now);
        }
        is_due
    }

    fn stop(&mut self, by: &Person, now: Timestamp) {
        let by = by.clone();
        match self.state {
            State::Live { .. } if self.confirms == Confirms::Yes => self.state = State::Stopping { at: now, by },
            State::Stopping { .. } | State::Ended { .. } | State::Failed { .. } => {}
            _ => self.state = State::Ended { at: now, how: End::Stopped { by } },
        }
    }

    fn lose_patience(&mut self) {
        match &self.state {
            State::Accepted { at } if self.confirms == Confirms::Yes => self.state = State::Unconfirmed { at: *at },
            State::Stopping { at, by } => self.state = State::Ended { at: *at, how: End::Stopped { by: by.clone() } },
            _ => {}
        }
    }

    /// Nothing is on air without its meeting. What was taken only now may not have reached all of Zoom yet.
    fn look(&mut self, is_running: bool, now: Timestamp) {
        let since = match &self.state {
            State::Accepted { at } | State::Unconfirmed { at } | State::Unknown { at } => *at,
            State::Live { since, .. } => *since,
            State::Throttled(_) | State::Stopping { .. } | State::Ended { .. } | State::Failed { .. } => return,
        };
        if !is_running && now.duration_since(since) > Self::PATIENCE {
            self.state = State::Ended { at: now, how: End::FoundOver };
            // A report that comes late is about what is over.
            self.heard_at = self.heard_at.max(Some(now));
        } else {
            self.looked = Some(Looked { at: now, is_running });
        }
    }

    fn hear(&mut self, report: &MeetingReport) {
        let is_old = self.heard_at.is_some_and(|heard| report.at < heard);
        let is_other_run = self.instance.as_ref().is_some_and(|instance| *instance != report.instance);
        let is_earlier = self.precedes(report.at);
        match report.what {
            // It comes late, and adds since when that was live which is over by now.
            Happened::StreamStarted if self.is_over_since(report.at) && !is_other_run => {
                self.live_since.get_or_insert(report.at);
            }
            _ if is_old => return,
            Happened::StreamStopped if self.expects_earlier_end => self.expects_earlier_end = false,
            // The end of an earlier run, or of an earlier stream, says nothing about this one.
            Happened::MeetingEnded | Happened::StreamStopped if is_other_run || is_earlier => return,
            // The report of the end is lost, or comes later.
            Happened::MeetingStarted if is_other_run && !is_earlier => self.end_with_meeting(report.at),
            Happened::MeetingStarted => {}
            Happened::StreamStarted => self.go_live(report, is_other_run),
            Happened::StreamStopped => self.go_off(report),
            Happened::MeetingEnded => self.end_with_meeting(report.at),
        }
        self.heard_at = self.heard_at.max(Some(report.at));
        self.instance = Some(report.instance.clone());
        self.host = Some(report.host.clone());
    }

    /// Whether what went on air then is known to be off air since, or about to be. Only where Zoom has not said since when
    /// it was live, its time has to be compared with the time of a stop by this clock.
    fn is_over_since(&self, then: Timestamp) -> bool {
        let is_known = self.asked.is_some() || self.heard_at.is_some();
        let latest = match (&self.state, self.live_since) {
            (State::Stopping { .. } | State::Ended { .. }, Some(since)) => since,
            // Zoom's clock may be ahead, and a stop takes a while to go round.
            (State::Ended { at, how: End::Stopped { .. } }, None) if self.may_have_started => {
                at.saturating_add(Self::BETWEEN_CLOCKS).unwrap_or(*at)
            }
            (State::Ended { at, .. }, None) => *at,
            _ => return false,
        };
        is_known && then <= latest
    }

    /// Whether a report of this time is about what was before this was asked for.
    fn precedes(&self, reported: Timestamp) -> bool {
        let since = match &self.state {
            State::Accepted { at } | State::Unconfirmed { at } => Some(*at),
            // Zoom may have taken the start at any time since.
            State::Throttled(_) | State::Unknown { .. } => self.asked.as_ref().map(|asked| asked.at),
            State::Live { .. } | State::Stopping { .. } | State::Ended { .. } | State::Failed { .. } => None,
        };
        since.is_some_and(|since| reported < since)
    }

    fn go_live(&mut self, report: &MeetingReport, is_other_run: bool) {
        self.expects_earlier_end = false;
        if matches!(self.state, State::Live { .. }) && !is_other_run {
            return;
        }
        let is_asked_for = matches!(
            self.state,
            State::Accepted { .. } | State::Unconfirmed { .. } | State::Unknown { .. } | State::Throttled(_)
        );
        if !is_asked_for && is_other_run {
            let how = match &self.state {
                State::Stopping { by, .. } => End::Stopped { by: by.clone() },
                _ => End::FoundOver,
            };
            self.leave(how, report.at);
            self.asked = None;
        }
        let nobody = Operator { id: None, email: None };
        let by = (!is_asked_for).then(|| report.operator.clone().unwrap_or(nobody));
        self.confirms = Confirms::Yes;
        self.state = State::Live { since: report.at, by };
        self.live_since = Some(report.at);
        self.page_url.clone_from(&report.page_url);
    }

    fn go_off(&mut self, report: &MeetingReport) {
        let how = match (&self.state, &report.operator) {
            (State::Ended { .. } | State::Failed { .. } | State::Throttled(_), _) => return,
            (State::Stopping { by, .. }, _) => End::Stopped { by: by.clone() },
            (_, Some(by)) => End::InZoom { by: by.clone() },
            (_, None) => End::Dropped,
        };
        self.state = State::Ended { at: report.at, how };
    }

    /// The stream ends before its meeting, so what ended it by itself a moment ago is explained by this.
    fn end_with_meeting(&mut self, at: Timestamp) {
        match &self.state {
            State::Ended { at: ended, how: End::Dropped | End::InZoom { .. } }
                if self.live_since.is_some() && at.duration_since(*ended) <= Self::SAME_MOMENT =>
            {
                self.state = State::Ended { at: *ended, how: End::MeetingEnded };
            }
            State::Ended { .. } | State::Failed { .. } => {}
            State::Stopping { by, .. } => self.state = State::Ended { at, how: End::Stopped { by: by.clone() } },
            _ => self.state = State::Ended { at, how: End::MeetingEnded },
        }
    }
}

#[cfg(test)]
mod tests;

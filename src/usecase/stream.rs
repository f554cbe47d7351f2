//! What is known about a stream, changed as somebody saw it, and its keeper told about each change.

use std::time::Duration;

use jiff::Timestamp;

use super::work::Work;
use super::{Failure, chain, keep};
use crate::app::App;
use crate::audit::{AuditEntry, AuditOutcome};
use crate::clock;
use crate::id::{JobId, Person, UserId};
use crate::journal::{CardOf, Job, Retry};
use crate::meeting::{MeetingId, Settings};
use crate::store::{Changed, Planned, Seen};
use crate::stream::{Asked, Card, Confirms, News, NextTry, Place, State, Stream};
use crate::words::Message;

/// What an order means for its stream.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) meeting: MeetingId,
    pub(super) what: What,
}

/// What became of an order.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A start that may have put something on air, or is tried again.
    Start { asked: Box<Asked>, confirms: Confirms, how: How },
    /// A start that did not.
    FailedStart,
    /// Somebody gave up what this job waits to try again.
    Cancelled { job: JobId },
    /// Zoom took a stop.
    Stop { by: Person },
    /// Zoom was asked whether the meeting is in progress.
    Looked { is_running: bool },
}

/// A stream after an order was noted.
pub(super) struct Noted {
    pub(super) stream: Seen<Stream>,
    /// Whether its card shows what came of the order.
    pub(super) shows: bool,
    /// After a stop: with which settings it had been asked for, if that was in the same place. Elsewhere a title may be
    /// nobody's business.
    pub(super) stopped: Option<Settings>,
}

/// The stream that a message shows.
pub(super) struct Showing {
    /// Which, and as of when.
    pub(super) card: CardOf,
    /// Its record, where this process has written it just now.
    pub(super) seen: Option<Seen<Stream>>,
}

/// How a start went.
#[derive(Clone, Debug)]
pub(super) enum How {
    Taken,
    Unclear,
    Throttled(NextTry),
}

/// Whether Zoom's reports about a meeting are heard.
pub(super) fn confirms(app: &App, is_webinar: bool) -> Confirms {
    if is_webinar || app.zoom.webhook_secrets().is_empty() { Confirms::No } else { Confirms::Yes }
}

/// Takes the end of an order in, and gives the stream as it is then; none where nothing is known of it. Zoom has done what
/// it did, so a failure here costs the card its truth for a while, and not the answer.
pub(super) async fn note(work: &Work, note: &Note, told: &Message) -> Option<Noted> {
    let now = work.app.clock.now();
    let told = || News::StartFailed(Box::new(Message { replaces: false, ..told.clone() }));
    let is_ours = |stream: &Stream| stream.is_of(&work.invocation.reference);
    let or_new = match &note.what {
        What::Start { confirms, .. } => OrNew::New(*confirms),
        What::FailedStart | What::Cancelled { .. } | What::Stop { .. } | What::Looked { .. } => OrNew::Nothing,
    };
    // Most often nothing is known of a stream that is asked for in words, and one round trip writes it.
    let is_first = matches!(note.what, What::Start { .. }) && work.invocation.press.is_none() && work.retry.is_none();
    let guess = is_first.then_some(None);
    let mut is_news = false;
    let changed = persist(&work.app, note.meeting, or_new, guess, |stream| {
        is_news = match &note.what {
            What::Start { asked, confirms, how } => start(work, stream, asked, *confirms, how),
            What::FailedStart => is_ours(stream) && stream.take(&told(), now),
            What::Cancelled { job } => {
                let waits = matches!(&stream.state, State::Throttled(next) if next.job == *job);
                waits && stream.take(&told(), now)
            }
            What::Looked { is_running } => stream.take(&News::Looked { is_running: *is_running }, now),
            What::Stop { by } => stop(&work.app, stream, by),
        };
        match (&note.what, is_news, &stream.state) {
            // No report will write it down.
            (What::Looked { .. }, true, State::Ended { .. }) => {
                Edit::Event(Box::new(keep::entry(&work.app, stream, AuditOutcome::Ended)))
            }
            _ => is_news.into(),
        }
    });
    let seen = changed.await.unwrap_or_else(|failure| {
        tracing::warn!(error = chain(&failure), "what became of a stream was not recorded");
        None
    })?;
    let stream = &seen.value;
    let shows = match &note.what {
        What::Start { .. } | What::FailedStart => is_ours(stream),
        What::Cancelled { .. } => matches!(stream.state, State::Failed { .. }),
        // Whoever presses hears of it: by the card where that changes before their eyes, and else in words.
        What::Stop { .. } | What::Looked { .. } => is_news && work.invocation.press.is_some() && is_here(work, stream),
    };
    let stopped = match (&note.what, &stream.asked) {
        (What::Stop { by }, Some(asked)) if asked.channel == work.invocation.channel => {
            asked.person.is_colleague_of(by).then(|| asked.settings.clone())
        }
        _ => None,
    };
    Some(Noted { shows, stopped, stream: seen })
}

/// Takes in what became of a start. There is always something to write.
fn start(work: &Work, stream: &mut Stream, asked: &Asked, confirms: Confirms, how: &How) -> bool {
    let news = match how {
        How::Taken => News::StartTaken,
        How::Unclear => News::StartUnclear,
        How::Throttled(next) => News::StartThrottled(next.clone()),
    };
    stream.ask(asked.clone(), confirms);
    stream.take(&news, work.app.clock.now());
    // The answer to a press takes the place of the message that was pressed.
    let is_replaced = |card: &Card| matches!(card.place, Place::Answered { .. });
    if work.invocation.press.is_some() {
        stream.former.take_if(|former| former.card.as_ref().is_some_and(is_replaced));
    }
    true
}

fn stop(app: &App, stream: &mut Stream, by: &Person) -> bool {
    let is_news = stream.take(&News::StopTaken { by: by.clone() }, app.clock.now());
    if is_news && stream.asked.as_ref().is_some_and(|asked| asked.person != *by) {
        stream.owed = keep::notice_of(app, stream);
    }
    is_news
}

/// Whether the card of a stream is where somebody pressed.
fn is_here(work: &Work, stream: &Stream) -> bool {
    let channel = match stream.card.as_ref().map(|card| &card.place) {
        Some(Place::Posted { channel, .. }) => Some(channel),
        Some(Place::Answered { .. }) | None => stream.asked.as_ref().map(|asked| &asked.channel),
    };
    channel == Some(&work.invocation.channel)
}

/// Whether a stream that nothing is known of begins to be known.
#[derive(Clone, Copy)]
pub(super) enum OrNew {
    New(Confirms),
    Nothing,
}

/// What comes of a look at a stream.
pub(super) enum Edit {
    /// It stays as it is.
    Nothing,
    /// It is to be written.
    Change,
    /// It is to be written, and this with it.
    Event(Box<AuditEntry>),
}

impl From<bool> for Edit {
    fn from(is_changed: bool) -> Self {
        if is_changed { Self::Change } else { Self::Nothing }
    }
}

/// A stream's record as somebody takes it to be, without a look at it; nothing, if they take nothing to be known. Wrong
/// or not, a change is made of what is there.
type Guess = Option<Seen<Stream>>;

/// Changes what is known about a stream, again if somebody else did meanwhile; `edit` says whether there is a change.
/// Gives the stream as it is then.
pub(super) async fn change<E: Into<Edit>>(
    app: &App,
    meeting: MeetingId,
    or_new: OrNew,
    edit: impl FnMut(&mut Stream) -> E,
) -> Result<Option<Stream>, Failure> {
    let changed = change_from(app, meeting, or_new, None, edit).await?;
    Ok(changed.map(|seen| seen.value))
}

async fn change_from<E: Into<Edit>>(
    app: &App,
    meeting: MeetingId,
    or_new: OrNew,
    guess: Option<Guess>,
    mut edit: impl FnMut(&mut Stream) -> E,
) -> Result<Option<Seen<Stream>>, Failure> {
    let mut is_guessed = guess.is_some();
    let mut seen = match guess {
        Some(guess) => guess,
        None => app.store.stream(meeting).await?,
    };
    loop {
        let stream = match (&seen, or_new) {
            (Some(seen), _) => Some(seen.value.clone()),
            (None, OrNew::New(confirms)) => Some(Stream::new(meeting, confirms, app.clock.now())),
            (None, OrNew::Nothing) => None,
        };
        let edited = stream.map(|mut stream| (edit(&mut stream).into(), stream));
        let (entry, stream) = match edited {
            Some((Edit::Change, stream)) => (None, stream),
            Some((Edit::Event(entry), stream)) => (Some(entry), stream),
            Some((Edit::Nothing, _)) | None if is_guessed => {
                (seen, is_guessed) = (app.store.stream(meeting).await?, false);
                continue;
            }
            Some((Edit::Nothing, stream)) => {
                // Another OnAir may have changed it that left this for a second step, and died before.
                look_after(app, &stream).await?;
                return Ok(seen);
            }
            None => return Ok(None),
        };
        let keeper = keeper(app, &stream);
        match app.store.change_stream(seen.as_ref(), stream, entry.as_deref(), keeper.as_ref()).await? {
            Changed::Done(done) => {
                if let Some(entry) = entry {
                    app.log(&entry);
                }
                call(app, keeper.as_ref());
                return Ok(done);
            }
            Changed::Other(now) => (seen, is_guessed) = (now, false),
        }
    }
}

/// The same, again as long as the store is away: until then nothing else is written down either.
async fn persist<E: Into<Edit>>(
    app: &App,
    meeting: MeetingId,
    or_new: OrNew,
    mut guess: Option<Guess>,
    mut edit: impl FnMut(&mut Stream) -> E,
) -> Result<Option<Seen<Stream>>, Failure> {
    const AGAIN: Duration = Duration::from_millis(500);
    loop {
        match change_from(app, meeting, or_new, guess.take(), &mut edit).await {
            Err(failure) if failure.is_transient() => {
                tracing::warn!(error = chain(&failure), "a stream is changed later");
                tokio::time::sleep(AGAIN).await;
            }
            result => return result,
        }
    }
}

/// What is known about a stream, for somebody who wants to hear it. What cannot be read counts as nothing.
pub(super) async fn known(app: &App, meeting: MeetingId) -> Result<Option<Stream>, Failure> {
    match app.store.stream(meeting).await {
        Ok(seen) => Ok(seen.map(|seen| seen.value)),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            tracing::warn!(meeting.id = meeting.number(), error = chain(&error), "a stream cannot be read");
            Ok(None)
        }
    }
}

/// Has the keeper of a stream look at it when that is needed.
pub(super) async fn look_after(app: &App, stream: &Stream) -> Result<(), Failure> {
    let keeper = keeper(app, stream);
    if let Some(Planned { id, job, due }) = &keeper {
        app.store.plan(id, job, *due).await?;
        call(app, keeper.as_ref());
    }
    Ok(())
}

/// When the keeper of a stream is to look at it, if ever.
fn keeper(app: &App, stream: &Stream) -> Option<Planned> {
    let (now, meeting) = (app.clock.now(), stream.meeting);
    let due = match stream.overdue_at() {
        _ if stream.is_behind() || stream.owed.is_some() => stream.quiet(now),
        due => clock::until(due?, now),
    };
    Some(Planned { id: JobId::new(format!("keep-{}", meeting.number())), job: Job::Keep { meeting }, due })
}

/// Has a planned keeper begin, if it is to look now.
fn call(app: &App, keeper: Option<&Planned>) {
    if keeper.is_some_and(|keeper| keeper.due.is_zero()) {
        app.wake();
    }
}

/// Remembers where the message stands that shows a stream, if it is still this command's, or was pressed and has no other.
pub(super) async fn placed(work: &Work, showing: Showing, place: Place) {
    let Showing { card, seen } = showing;
    let guess = seen.map(Some);
    let placed = persist(&work.app, card.meeting, OrNew::Nothing, guess, |stream| {
        let has_none = || stream.card.as_ref().is_none_or(|card| !keep::can_change(&work.app, card));
        let is_pressed = work.invocation.press.is_some();
        let is_ours = stream.is_of(&work.invocation.reference) || (is_pressed && has_none());
        if is_ours {
            stream.card = Some(Card { place: place.clone(), shown: card.version });
        }
        is_ours
    });
    if let Err(failure) = placed.await {
        tracing::warn!(error = chain(&failure), "a card stays as it was posted");
    }
}

/// Who asked for a stream, as its record has it.
pub(super) fn asked(work: &Work, settings: Settings, on_behalf_of: Option<UserId>) -> Asked {
    let invocation = &work.invocation;
    Asked {
        person: invocation.person.clone(),
        on_behalf_of,
        channel: invocation.channel.clone(),
        command: invocation.command.clone(),
        settings,
        at: invocation.received_at,
        reference: invocation.reference.clone(),
    }
}

/// The next try as the stream's record has it.
pub(super) fn next_try(work: &Work, retry: Retry, told: Timestamp) -> NextTry {
    NextTry { number: retry.number, at: retry.at, told, job: work.hold.id.clone() }
}

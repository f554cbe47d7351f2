//! The keeper of a stream: makes its card say what is so, and notices when Zoom is silent for too long.
//!
//! One job per stream, for as long as it lives: it is claimed after each change and when something is overdue, by one
//! instance at a time, and shows whatever is known then. So a card is edited once per change, the last state wins, and a
//! change that found the keeper at work is seen by it before it rests.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::SignedDuration;

use super::hold::{Change, Hold};
use super::stream::{self, Edit, OrNew};
use super::{Failure, bot, chain};
use crate::app::{App, Place as QueuePlace};
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::clock;
use crate::id::{ChannelId, Person, Reference, Workspace};
use crate::invocation::ReplyTo;
use crate::journal::Job;
use crate::meeting::MeetingId;
use crate::outcome::Action;
use crate::reply::{Fate, StreamRecord};
use crate::stream::{Card, News, Owed, Place, State, Stream};
use crate::words::{self, Message};
use crate::{slack, store};

/// Slack wants no more than one message a second in a channel.
const BETWEEN_EDITS: Duration = Duration::from_secs(1);

/// How soon it tries again what did not work for a moment.
const LOOK_SOON: Duration = Duration::from_secs(5);

/// When the keeper is needed again.
enum Next {
    /// After so long.
    In(Duration),
    /// Not any more.
    Never,
}

pub(super) async fn work(app: App, hold: Hold, meeting: MeetingId, place: QueuePlace) {
    hold.during(Box::pin(look(&app, &hold, meeting))).await;
    drop(place);
}

async fn look(app: &App, hold: &Hold, meeting: MeetingId) {
    let (next, seen) = match bring_up_to_date(app, hold.attempt, meeting).await {
        Ok((next, seen)) => (next, Some(seen)),
        Err(failure) => {
            tracing::warn!(error = chain(&failure), "a stream could not be looked after");
            (Next::In(wait_after(&failure, hold.attempt)), None)
        }
    };
    match next {
        Next::In(due) => drop(hold.persist(Change::Postpone(&Job::Keep { meeting }, due)).await),
        Next::Never => drop(hold.persist(Change::Finish).await),
    }
    // Whoever changed the stream while it was in hand could not have it looked at again.
    let now = app.store.stream(meeting).await.map(|now| now.map(|now| now.value));
    let has_changed = matches!((&seen, &now), (Some(seen), Ok(now)) if seen != now);
    let looked = match now {
        Ok(Some(now)) if has_changed => stream::look_after(app, &now).await,
        Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(failure) = looked {
        tracing::warn!(error = chain(&failure), "a card stays behind until the next change");
    }
}

/// After how long what the store did not do is tried again: soon while it is away, and ever later where a record cannot be
/// read, which another OnAir or another key may cure.
pub(super) fn wait_after(failure: &Failure, attempt: u32) -> Duration {
    const AGAIN: Duration = Duration::from_secs(2);
    if failure.is_transient() { AGAIN } else { AGAIN * attempt.clamp(1, 1800) }
}

/// Brings the card up to date, and gives what was known when it was.
async fn bring_up_to_date(app: &App, attempt: u32, meeting: MeetingId) -> Result<(Next, Option<Stream>), Failure> {
    loop {
        let Some(seen) = app.store.stream(meeting).await? else { return Ok((Next::Never, None)) };
        let stream = seen.value;
        let now = app.clock.now();
        if stream.overdue_at().is_some_and(|due| due <= now) {
            overdue(app, &stream).await?;
            continue;
        }
        let quiet = stream.quiet(now);
        if !quiet.is_zero() && (stream.is_behind() || stream.owed.is_some()) {
            return Ok((Next::In(quiet), Some(stream)));
        }
        if let Some(former) = &stream.former {
            match finish_former(app, former).await {
                ControlFlow::Break(wait) => {
                    return be_quiet(app, stream, wait.max(BETWEEN_EDITS * attempt.clamp(1, 60))).await;
                }
                ControlFlow::Continue(()) => forget(app, &stream, |stream| &mut stream.former).await?,
            }
            continue;
        }
        if !stream.is_behind() {
            let Some(owed) = &stream.owed else { return Ok((rest(&stream, now), Some(stream))) };
            match tell(app, owed).await {
                ControlFlow::Break(wait) => return be_quiet(app, stream, wait).await,
                ControlFlow::Continue(()) => forget(app, &stream, |stream| &mut stream.owed).await?,
            }
            continue;
        }
        let shown = match &stream.card {
            None => adopt(app, &stream).await,
            Some(card) => show(app, &stream, card).await,
        };
        match shown {
            Shown::Yes(card) => {
                put(app, &stream, Some(card)).await?;
                tokio::time::sleep(BETWEEN_EDITS).await;
            }
            Shown::Later(wait) => return be_quiet(app, stream, wait.max(BETWEEN_EDITS * attempt.clamp(1, 60))).await,
            Shown::Never if stream.card.is_none() => return Ok((rest(&stream, now), Some(stream))),
            Shown::Never => put(app, &stream, None).await?,
        }
    }
}

/// Remembers that Slack is left alone for a while, whatever is news meanwhile.
async fn be_quiet(app: &App, stream: Stream, wait: Duration) -> Result<(Next, Option<Stream>), Failure> {
    let until = app.clock.now().checked_add(wait).ok();
    let changed = stream::change(app, stream.meeting, OrNew::Nothing, |stream| {
        stream.quiet_until = until;
        true
    });
    Ok((Next::In(wait), changed.await?))
}

/// Has the message of an earlier stream say how that ended. Breaks off where Slack may take it later.
async fn finish_former(app: &App, former: &Stream) -> ControlFlow<Duration> {
    let Some(card) = &former.card else { return ControlFlow::Continue(()) };
    match show(app, former, card).await {
        Shown::Later(wait) => ControlFlow::Break(wait),
        Shown::Yes(_) | Shown::Never => ControlFlow::Continue(()),
    }
}

/// Remembers that something is told, unless there is something else to tell in its place meanwhile.
async fn forget<T: PartialEq>(
    app: &App,
    told: &Stream,
    part: impl Fn(&mut Stream) -> &mut Option<T>,
) -> Result<(), Failure> {
    let was = part(&mut told.clone()).take();
    let forgotten = stream::change(app, told.meeting, OrNew::Nothing, |stream| {
        let is = part(stream);
        let is_same = *is == was;
        if is_same {
            *is = None;
        }
        is_same
    });
    forgotten.await.map(drop)
}

/// Remembers what became of a card, unless another one has taken its place meanwhile.
async fn put(app: &App, shown: &Stream, card: Option<Card>) -> Result<(), Failure> {
    let put = stream::change(app, shown.meeting, OrNew::Nothing, |stream| {
        let is_same = match (&stream.card, &shown.card) {
            (Some(there), Some(then)) => there.place.is_same(&then.place),
            (there, then) => there.is_none() && then.is_none(),
        };
        if is_same {
            stream.card.clone_from(&card);
        }
        is_same
    });
    put.await.map(drop)
}

/// When to look again at a stream whose card says what is so.
fn rest(stream: &Stream, now: jiff::Timestamp) -> Next {
    let Some(due) = stream.overdue_at() else { return Next::Never };
    let left = clock::until(due, now);
    Next::In(left.max(Duration::from_millis(100)))
}

/// Takes in that Zoom was silent for too long, and writes it down.
async fn overdue(app: &App, stream: &Stream) -> Result<(), Failure> {
    let changed = stream::change(app, stream.meeting, OrNew::Nothing, |stream| {
        let is_due = stream.overdue_at().is_some_and(|due| due <= app.clock.now());
        let is_news = is_due && stream.take(&News::Overdue, app.clock.now());
        match &stream.state {
            State::Unconfirmed { .. } if is_news => {
                Edit::Event(Box::new(entry(app, stream, AuditOutcome::Unconfirmed)))
            }
            _ => is_news.into(),
        }
    });
    changed.await.map(drop)
}

/// Tells of a stream that nobody asked OnAir for: the person whose Zoom account it is, by direct message.
async fn adopt(app: &App, stream: &Stream) -> Shown {
    let Some(host) = &stream.host else { return Shown::Never };
    let people = match app.store.linked_people(host).await {
        Ok(people) => people,
        Err(error) => {
            tracing::warn!(error = chain(&error), "a stream from Zoom is told later");
            return Shown::Later(LOOK_SOON);
        }
    };
    if let Err(error) = remember(app, stream, &people).await {
        tracing::warn!(error = chain(&error), "a stream from Zoom is not in the list of streams");
    }
    for person in people {
        let to = ChannelId::new(person.user.as_str());
        let message = card_in(app, stream, Some(&person.workspace()));
        match bot::post(app, &person, &to, &message).await {
            Ok(place) => return Shown::Yes(Card { place, shown: stream.version }),
            Err(error) if error.retry_in().is_some() => return Shown::Later(LOOK_SOON),
            Err(error) => tracing::info!(error = chain(&error), "a stream from Zoom is not told there"),
        }
    }
    Shown::Never
}

/// Has `/stream status` list it. Only whom the meeting belongs to is told.
async fn remember(app: &App, stream: &Stream, people: &[Person]) -> Result<(), store::Error> {
    let State::Live { since, .. } = &stream.state else { return Ok(()) };
    let (meeting, at) = (stream.meeting, *since);
    let record = StreamRecord { meeting, action: Action::Start, by: None, at, fate: Fate::Taken };
    for person in people {
        app.store.record_stream(person, &record).await?;
    }
    Ok(())
}

/// What is written down about a stream that nobody did something to just now: it counts as its asker's.
pub(super) fn entry(app: &App, stream: &Stream, outcome: AuditOutcome) -> AuditEntry {
    let asked = stream.asked.as_ref();
    AuditEntry {
        at: app.clock.now(),
        reference: asked.map_or_else(Reference::random, |asked| asked.reference.clone()),
        person: asked.map(|asked| asked.person.clone()),
        asked_by: None,
        on_behalf_of: asked.and_then(|asked| asked.on_behalf_of.clone()),
        lent_to: None,
        channel: asked.map(|asked| asked.channel.clone()),
        verb: AuditVerb::Report,
        meeting: Some(stream.meeting),
        asked: None,
        zoom_user: None,
        zoom: None,
        outcome,
        duration_ms: asked.map_or(0, |asked| super::milliseconds(asked.at, app.clock.now())),
    }
}

/// What became of an edit.
enum Shown {
    /// The card shows it, and stands there.
    Yes(Card),
    /// Slack may take it after this long.
    Later(Duration),
    /// The card cannot be changed any more.
    Never,
}

/// Whether Slack lets a card be changed: an answer only as long as its `response_url` lives.
pub(super) fn can_change(app: &App, card: &Card) -> bool {
    match &card.place {
        Place::Posted { .. } => true,
        Place::Answered { until, uses, .. } => app.clock.now() <= *until && *uses < slack::USES,
    }
}

async fn show(app: &App, stream: &Stream, card: &Card) -> Shown {
    if !can_change(app, card) {
        tracing::info!("a card stays as it is: its response_url is used up");
        return Shown::Never;
    }
    let message = card_of(app, stream);
    let edited = match &card.place {
        Place::Posted { person, channel, ts } => {
            bot::update(app, person, channel, ts, &message).await.map(|()| card.place.clone())
        }
        Place::Answered { at, until, uses } => answer(app, at, *until, *uses, message).await.map_err(bot::Error::from),
    };
    match edited {
        Ok(place) => Shown::Yes(Card { place, shown: stream.version }),
        Err(error) => match error.retry_in() {
            Some(wait) => {
                tracing::warn!(error = chain(&error), "a card is behind");
                Shown::Later(wait.max(BETWEEN_EDITS))
            }
            None => {
                tracing::warn!(error = chain(&error), "a card cannot be changed any more");
                Shown::Never
            }
        },
    }
}

/// Replaces an answer at its `response_url`; where Slack does not do that, what is new is told beside it.
async fn answer(
    app: &App,
    at: &ReplyTo,
    until: jiff::Timestamp,
    uses: u32,
    message: Message,
) -> Result<Place, slack::Error> {
    let place = |uses| Place::Answered { at: at.clone(), until, uses };
    let replacing = Message { replaces: true, ..message.clone() };
    match app.slack.answer(at, &replacing).await {
        Ok(()) => Ok(place(uses + 1)),
        Err(slack::Error::Spent(_)) => app.slack.answer(at, &message).await.map(|()| place(uses + 2)),
        Err(error) => Err(error),
    }
}

/// The words and buttons of a stream's card as it is now.
pub(super) fn card_of(app: &App, stream: &Stream) -> Message {
    let posted = stream.card.as_ref().and_then(|card| match &card.place {
        Place::Posted { person, .. } => Some(person),
        Place::Answered { .. } => None,
    });
    let there = posted.or(stream.asked.as_ref().map(|asked| &asked.person));
    card_in(app, stream, there.map(Person::workspace).as_ref())
}

fn card_in(app: &App, stream: &Stream, workspace: Option<&Workspace>) -> Message {
    words::card(stream, &context(app, stream, workspace, &Reference::new("")))
}

/// What whoever asked for a stream is to be told in private: that it was ended, and not by them.
pub(super) fn notice_of(app: &App, stream: &Stream) -> Option<Box<Owed>> {
    let asked = stream.asked.as_ref()?;
    let message = words::notice(stream, &context(app, stream, Some(&asked.person.workspace()), &asked.reference))?;
    let (to, since) = (asked.person.clone(), app.clock.now());
    Some(Box::new(Owed { to, message, since }))
}

/// Tells that, by the bot alone: where there is none, the card says it. Breaks off where Slack may take it later.
async fn tell(app: &App, owed: &Owed) -> ControlFlow<Duration> {
    const AGAIN: Duration = Duration::from_secs(30);
    const WORTH_TELLING: SignedDuration = SignedDuration::from_mins(10);
    // Among the ways to be private, this one reaches who is not there at the moment as well.
    let to = ChannelId::new(owed.to.user.as_str());
    let Err(error) = bot::post(app, &owed.to, &to, &owed.message).await else { return ControlFlow::Continue(()) };
    match error.retry_in() {
        Some(wait) if app.clock.now().duration_since(owed.since) < WORTH_TELLING => {
            tracing::warn!(error = chain(&error), "whoever asked for a stream is told later that it ended");
            ControlFlow::Break(wait.max(AGAIN))
        }
        _ => {
            tracing::info!(error = chain(&error), "whoever asked for a stream was not told that it ended");
            ControlFlow::Continue(())
        }
    }
}

fn context<'a>(
    app: &App,
    stream: &'a Stream,
    workspace: Option<&'a Workspace>,
    unasked: &'a Reference,
) -> words::Context<'a> {
    let asked = stream.asked.as_ref();
    words::Context {
        workspace,
        command: asked.map_or(crate::command::DEFAULT_COMMAND, |asked| asked.command.as_str()),
        now: app.clock.now(),
        reference: asked.map_or(unasked, |asked| &asked.reference),
    }
}

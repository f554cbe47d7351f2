//! One order to Zoom on behalf of one person: find their grant, ask, renew the token once if Zoom wants that, find out
//! whether the id is a webinar's, and decide what became of it. Start and stop both are this.

use super::stream::{self, How, Note, What};
use super::token::{self, Token};
use super::turn::{self, Got};
use super::work::Work;
use super::{Done, Failure, Task, chain, connect, lend};
use jiff::Timestamp;

use crate::app::App;
use crate::audit::{AuditOutcome, ZoomAnswer};
use crate::command::{Command, Run, Start};
use crate::grant::{Grant, ZoomUser};
use crate::id::{UserId, random_share};
use crate::invocation::Invocation;
use crate::journal::{Retry, Tried};
use crate::meeting::{MeetingId, Settings};
use crate::outcome::{self, Action, Attempt, Invalid, Outcome, Throttle};
use crate::reply::{Already, ConfirmStop, ConnectWhy, Fate, Reply, Show, StreamRecord};
use crate::turn::{Fingerprint, Turn};
use crate::zoom::{Order, Room};

/// What a person ordered.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    pub(super) action: Action,
    pub(super) meeting: MeetingId,
    pub(super) settings: Settings,
}

impl Ordered {
    pub(super) fn start(start: &Start) -> Self {
        Self { action: Action::Start, meeting: start.meeting, settings: start.settings.clone() }
    }

    pub(super) fn stop(meeting: MeetingId) -> Self {
        Self { action: Action::Stop, meeting, settings: Settings::default() }
    }

    /// The command that it comes from.
    fn to_command(&self) -> Command {
        match self.action {
            Action::Start => {
                Command::Start(Start { meeting: self.meeting, settings: self.settings.clone(), run: Run::Real })
            }
            Action::Stop => Command::Stop { meeting: self.meeting },
        }
    }

    /// The order as Zoom takes it.
    pub(super) fn to(&self, room: Room) -> Order {
        Order { action: self.action, meeting: self.meeting, room, settings: self.settings.clone() }
    }
}

/// How an order ended: what it means, what Zoom said last, and for whom it was done.
struct Ended {
    /// What the id stands for, as far as Zoom said.
    room: Room,
    outcome: Outcome,
    answer: Option<ZoomAnswer>,
    grant: Grant,
}

pub(super) async fn carry_out(work: &Work, ordered: Ordered) -> Result<Done, Failure> {
    let (app, invocation) = (&work.app, &*work.invocation);
    let acting = lend::acting_under(app, &invocation.person, ordered.meeting, work.lending()).await?;
    let Some(acting) = acting else {
        return without_account(work, ordered).await;
    };
    match turn::take(work, &ordered, &acting.zoom_user).await? {
        Got::Turn => {}
        Got::Others(other) => return Ok(already(invocation, &ordered, other)),
        Got::Withdrawn(None) => return Err(Failure::Cancelled),
        Got::Withdrawn(Some(other)) => return Ok(withdrawn(invocation, ordered, &other)),
    }
    let ended = match token::live(app, &acting.zoom_user, None).await? {
        Token::Live(grant) => give(work, &ordered, grant).await?,
        Token::Away { grant, outcome } => Ended { room: Room::Meeting, outcome, answer: None, grant },
        Token::Over => {
            return match acting.on_behalf_of {
                Some(lender) => Ok(lend::lender_cannot(&ordered, lender, AuditOutcome::Reconnect)),
                None => Box::pin(offer(work, &ordered, ConnectWhy::Ended)).await,
            };
        }
    };
    let mut done = conclude(work, ordered, &ended, acting.on_behalf_of.as_ref()).await?;
    (done.zoom_user, done.on_behalf_of) = (Some(acting.zoom_user), acting.on_behalf_of);
    done.zoom = ended.answer;
    Ok(done)
}

/// The end of an order of somebody who has no account to give it as: they never had one, or nobody lends them one any more.
async fn without_account(work: &Work, ordered: Ordered) -> Result<Done, Failure> {
    if work.is_doubtful() {
        return Box::pin(unknown(work, &Task::Typed(ordered.to_command()))).await;
    }
    offer(work, &ordered, ConnectWhy::FirstTime).await
}

/// Offers a new connection, which is for the person alone. Of a next try the channel was told, so it hears why there is none.
async fn offer(work: &Work, ordered: &Ordered, why: ConnectWhy) -> Result<Done, Failure> {
    let (app, invocation) = (&work.app, &*work.invocation);
    if work.retry.is_none() {
        return connect::offer(app, invocation, why).await;
    }
    let &Ordered { action, meeting, .. } = ordered;
    let outcome = connect::outcome(&why);
    let reply = Reply::NoAccountAnyMore { meeting, action, asked_by: invocation.person.user.clone(), why };
    Ok(Done::new(reply, outcome))
}

/// The end of an order that another one makes needless, or that has to wait for it longer than a person would.
fn already(invocation: &Invocation, ordered: &Ordered, other: Turn) -> Done {
    let is_known = other.person.is_colleague_of(&invocation.person);
    let already = Already {
        asked: ordered.to_command(),
        action: other.action,
        is_same: other.settings == Fingerprint::from(&ordered.settings),
        by: is_known.then_some(other.person.user),
        asked_at: other.asked_at,
        phase: other.phase,
    };
    Done::new(Reply::Already(already), AuditOutcome::Already)
}

/// The end of an order that waited for its next try when somebody ordered something else.
fn withdrawn(invocation: &Invocation, ordered: Ordered, other: &Turn) -> Done {
    let is_known = other.person.is_colleague_of(&invocation.person);
    let by = is_known.then(|| other.person.user.clone());
    let asked_by = invocation.person.user.clone();
    let reply = Reply::Withdrawn { by, their_action: other.action, asked_by, asked: ordered.to_command() };
    let mut done = Done::new(reply, AuditOutcome::Cancelled);
    done.note = Some(Note { meeting: ordered.meeting, what: What::FailedStart });
    done
}

/// The end of an order that may have been sent, by somebody who cannot tell any more. Zoom is not asked again.
pub(super) async fn unknown(work: &Work, task: &Task) -> Result<Done, Failure> {
    let (app, invocation) = (&work.app, &*work.invocation);
    let ordered = match &work.known(task.clone()) {
        Task::Typed(Command::Start(start)) => Ordered::start(start),
        Task::Typed(Command::Stop { meeting }) | Task::Confirm(ConfirmStop { meeting, .. }) => Ordered::stop(*meeting),
        _ => return Ok(Done::new(Reply::Broken, AuditOutcome::Failed)),
    };
    turn::find(work, ordered.meeting).await;
    remember(app, invocation, &ordered, Fate::Unknown).await;
    let is_webinar = app.store.is_webinar(ordered.meeting).await.unwrap_or_default();
    let confirms = stream::confirms(app, is_webinar);
    let acting = lend::acting(app, &invocation.person, ordered.meeting).await.unwrap_or_default();
    let on_behalf_of = acting.and_then(|acting| acting.on_behalf_of);
    let show = Show {
        asked_by: invocation.person.user.clone(),
        on_behalf_of: on_behalf_of.clone(),
        action: ordered.action,
        meeting: ordered.meeting,
        settings: ordered.settings,
        outcome: Outcome::Unknown,
        confirms,
        retry: None,
        account: ZoomUser::untold(),
    };
    let note = note(work, &show);
    let mut done = Done::new(Reply::Show(show), AuditOutcome::Unknown);
    (done.note, done.on_behalf_of) = (note, on_behalf_of);
    Ok(done)
}

/// Which of the two calls an id needs, as far as is known.
pub(super) async fn remembered_room(app: &App, meeting: MeetingId) -> Result<Room, Failure> {
    Ok(if app.store.is_webinar(meeting).await? { Room::Webinar } else { Room::Meeting })
}

/// Keeps what an id turned out to need. Without it, it is found out again.
pub(super) async fn remember_room(app: &App, meeting: MeetingId, room: Room) {
    let kept = match room {
        Room::Meeting => app.store.forget_webinar(meeting).await,
        Room::Webinar => app.store.remember_webinar(meeting).await,
    };
    if let Err(error) = kept {
        tracing::warn!(error = chain(&error), room = ?room, "whether an id is a webinar's was not remembered");
    }
}

/// Asks Zoom, in the room it says the id belongs to. What is seldom needed is boxed, here and below: each order in work
/// has room for all that its future may have to hold.
///
/// What is remembered about an id can be wrong: Zoom files many things under the code that means "a webinar". So it is
/// remembered only once the webinar call knew the id, and forgotten when that call does not.
async fn give(work: &Work, ordered: &Ordered, grant: Grant) -> Result<Ended, Failure> {
    let (app, mut grant) = (&work.app, grant);
    let room = remembered_room(app, ordered.meeting).await?;
    work.ordering().await?;
    if room == Room::Webinar {
        let ended = Box::pin(give_webinar(app, ordered, grant)).await?;
        if !matches!(ended.outcome, Outcome::NotFound | Outcome::Webinar) {
            return Ok(ended);
        }
        remember_room(app, ordered.meeting, Room::Meeting).await;
        grant = ended.grant;
    }
    let asked = ask(app, &ordered.to(Room::Meeting), grant).await?;
    if !outcome::is_webinar(&asked.attempt) {
        return Ok(asked.judge(app, Room::Meeting, ordered.action));
    }
    let mut ended = Box::pin(give_webinar(app, ordered, asked.grant)).await?;
    match ended.outcome {
        // Zoom just said that it is a webinar, so "no such webinar" would contradict that.
        Outcome::NotFound => ended.outcome = Outcome::Webinar,
        Outcome::Accepted | Outcome::Stopped | Outcome::NotStarted | Outcome::NotAllowed(_) => {
            remember_room(app, ordered.meeting, Room::Webinar).await;
        }
        _ => {}
    }
    Ok(ended)
}

async fn give_webinar(app: &App, ordered: &Ordered, grant: Grant) -> Result<Ended, Failure> {
    if ordered.settings.layout.is_some() {
        let outcome = Outcome::Invalid(Invalid::LayoutOfWebinar);
        return Ok(Ended { room: Room::Webinar, outcome, answer: None, grant });
    }
    let asked = ask(app, &ordered.to(Room::Webinar), grant).await?;
    let mut ended = asked.judge(app, Room::Webinar, ordered.action);
    if matches!(ended.outcome, Outcome::Refused { .. }) {
        // The twin's own refusals come to the same for a person: it is a webinar, and it could not be started.
        ended.outcome = Outcome::Webinar;
    }
    Ok(ended)
}

/// An attempt, and the grant it was made with last.
struct Asked {
    attempt: Attempt,
    grant: Grant,
    /// Why the token could not be renewed, where Zoom wanted a new one and could not give it.
    instead: Option<Outcome>,
}

impl Asked {
    fn judge(self, app: &App, room: Room, action: Action) -> Ended {
        let answer = Some(ZoomAnswer::from(&self.attempt));
        let judged = || outcome::judge(action, &self.attempt, app.clock.now());
        Ended { room, outcome: self.instead.unwrap_or_else(judged), answer, grant: self.grant }
    }
}

/// Asks once, and once more with a new token if Zoom does not take this one.
async fn ask(app: &App, order: &Order, grant: Grant) -> Result<Asked, Failure> {
    let attempt = app.zoom.order(&grant.tokens.access, order).await;
    if !outcome::is_unauthorized(&attempt) {
        return Ok(Asked { attempt, grant, instead: None });
    }
    match token::live(app, &grant.user.id, Some(&grant.tokens.access)).await? {
        Token::Live(grant) => {
            let attempt = app.zoom.order(&grant.tokens.access, order).await;
            Ok(Asked { attempt, grant, instead: None })
        }
        Token::Away { outcome, .. } => Ok(Asked { attempt, grant, instead: Some(outcome) }),
        Token::Over => Ok(Asked { attempt, grant, instead: Some(Outcome::Reconnect) }),
    }
}

/// Turns the outcome into the answer. What a new connection would cure offers one.
async fn conclude(
    work: &Work,
    ordered: Ordered,
    ended: &Ended,
    on_behalf_of: Option<&UserId>,
) -> Result<Done, Failure> {
    let (app, invocation) = (&work.app, &*work.invocation);
    if let (Some(lender), Outcome::Reconnect | Outcome::Scope { .. } | Outcome::UserMissing | Outcome::OtherAccount) =
        (on_behalf_of, &ended.outcome)
    {
        // It is not for the colleague to mend.
        return Ok(lend::lender_cannot(&ordered, lender.clone(), AuditOutcome::from(&ended.outcome)));
    }
    let why = match &ended.outcome {
        Outcome::Reconnect => Some(ConnectWhy::Ended),
        Outcome::Scope { missing } => Some(ConnectWhy::Scope { missing: missing.clone() }),
        Outcome::UserMissing => Some(ConnectWhy::UserMissing),
        _ => None,
    };
    if let Some(why) = why {
        return Box::pin(offer(work, &ordered, why)).await;
    }
    let fate = match ended.outcome {
        Outcome::Accepted | Outcome::Stopped => Some(Fate::Taken),
        Outcome::Unknown => Some(Fate::Unknown),
        _ => None,
    };
    if let Some(fate) = fate {
        remember(app, invocation, &ordered, fate).await;
    }
    let retry = match &ended.outcome {
        Outcome::Throttled(limit) if !turn::is_guest(work) => {
            let retries = work.retry.map_or(0, |retry| retry.number);
            let tried = Tried { retries, answerable_until: invocation.answerable_until(), now: app.clock.now() };
            Retry::plan(limit, &tried, random_share())
        }
        _ => None,
    };
    let next_try = retry.map(|retry| stream::next_try(work, retry, told_at(&ended.outcome).unwrap_or(retry.at)));
    let show = Show {
        asked_by: invocation.person.user.clone(),
        on_behalf_of: on_behalf_of.cloned(),
        action: ordered.action,
        meeting: ordered.meeting,
        settings: ordered.settings,
        outcome: ended.outcome.clone(),
        confirms: stream::confirms(app, ended.room == Room::Webinar),
        retry: next_try,
        account: ended.grant.user.clone(),
    };
    let note = note(work, &show);
    let mut done = Done::new(Reply::Show(show), AuditOutcome::from(&ended.outcome));
    (done.retry, done.note) = (retry, note);
    Ok(done)
}

/// What an order means for its stream, if anything.
fn note(work: &Work, show: &Show) -> Option<Note> {
    let how = match &show.outcome {
        Outcome::Accepted => Some(How::Taken),
        Outcome::Unknown => Some(How::Unclear),
        _ => show.retry.clone().map(How::Throttled),
    };
    let what = match (show.action, how) {
        (Action::Start, Some(how)) => {
            let asked = stream::asked(work, show.settings.clone(), show.on_behalf_of.clone());
            What::Start { asked: Box::new(asked), confirms: show.confirms, how }
        }
        (Action::Start, None) => What::FailedStart,
        (Action::Stop, _) if show.outcome == Outcome::Stopped => What::Stop { by: work.invocation.person.clone() },
        (Action::Stop, _) => return None,
    };
    Some(Note { meeting: show.meeting, what })
}

/// When Zoom said that the next try can work.
fn told_at(outcome: &Outcome) -> Option<Timestamp> {
    match outcome {
        Outcome::Throttled(Throttle::PreviousStart { retry_at } | Throttle::PerSecond { retry_at }) => Some(*retry_at),
        _ => None,
    }
}

/// Keeps what was done for `/stream status`. Zoom has done it already, so a failure here does not change the answer.
async fn remember(app: &App, invocation: &Invocation, ordered: &Ordered, fate: Fate) {
    let record = StreamRecord {
        meeting: ordered.meeting,
        action: ordered.action,
        by: Some(invocation.person.user.clone()),
        at: app.clock.now(),
        fate,
    };
    if let Err(error) = app.store.record_stream(&invocation.person, &record).await {
        tracing::warn!(error = chain(&error), "a stream was not recorded");
    }
}

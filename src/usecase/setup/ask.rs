//! One question to Zoom about where a stream goes: with a new token if Zoom wants one, and in the room that the id
//! belongs to.

use crate::app::App;
use crate::audit::ZoomAnswer;
use crate::destination::{Destination, Present};
use crate::grant::{Grant, ZoomUser};
use crate::meeting::MeetingId;
use crate::outcome::{self, Attempt, Outcome};
use crate::usecase::token::{self, Token};
use crate::usecase::{Failure, order};
use crate::zoom::Room;

/// What is asked.
pub(super) enum Ask<'a> {
    /// Where it goes.
    Read,
    /// To set that.
    Set(&'a Destination),
}

/// What Zoom made of it.
pub(super) struct Heard {
    /// That it was done, and what is set where that was the question; or why not.
    pub(super) result: Result<Option<Present>, Outcome>,
    pub(super) answer: Option<ZoomAnswer>,
    /// As whom it was asked.
    pub(super) account: Option<ZoomUser>,
}

/// Asks in the room that is known or found out. What is remembered can be wrong, as with orders.
pub(super) async fn ask(app: &App, meeting: MeetingId, ask: &Ask<'_>, grant: Grant) -> Result<Heard, Failure> {
    let room = order::remembered_room(app, meeting).await?;
    let (first, grant) = ask_in(app, room, meeting, ask, grant).await?;
    match room {
        Room::Webinar if matches!(first.result, Err(Outcome::NotFound | Outcome::Webinar)) => {
            order::remember_room(app, meeting, Room::Meeting).await;
            Ok(ask_in(app, Room::Meeting, meeting, ask, grant).await?.0)
        }
        Room::Meeting if first.result == Err(Outcome::Webinar) => {
            let (mut second, _) = ask_in(app, Room::Webinar, meeting, ask, grant).await?;
            match second.result {
                // Zoom just said that it is a webinar, so "no such webinar" would contradict that.
                Err(Outcome::NotFound) => second.result = Err(Outcome::Webinar),
                Ok(_) | Err(Outcome::NotAllowed(_)) => order::remember_room(app, meeting, Room::Webinar).await,
                Err(_) => {}
            }
            Ok(second)
        }
        Room::Meeting | Room::Webinar => Ok(first),
    }
}

/// Asks once, and once more with a new token if Zoom does not take this one: it did nothing with the first then.
async fn ask_in(
    app: &App,
    room: Room,
    meeting: MeetingId,
    ask: &Ask<'_>,
    grant: Grant,
) -> Result<(Heard, Grant), Failure> {
    let (attempt, present) = send(app, room, meeting, ask, &grant).await;
    if !outcome::is_unauthorized(&attempt) {
        return Ok((heard(app, ask, &attempt, present, &grant), grant));
    }
    match token::live(app, &grant.user.id, Some(&grant.tokens.access)).await? {
        Token::Live(grant) => {
            let (attempt, present) = send(app, room, meeting, ask, &grant).await;
            Ok((heard(app, ask, &attempt, present, &grant), grant))
        }
        Token::Away { outcome, .. } => {
            Ok((Heard { result: Err(outcome), ..heard(app, ask, &attempt, None, &grant) }, grant))
        }
        Token::Over => Ok((heard(app, ask, &attempt, None, &grant), grant)),
    }
}

async fn send(app: &App, room: Room, meeting: MeetingId, ask: &Ask<'_>, grant: &Grant) -> (Attempt, Option<Present>) {
    let access = &grant.tokens.access;
    match ask {
        Ask::Read => app.zoom.destination(access, room, meeting).await,
        Ask::Set(destination) => (app.zoom.set_destination(access, room, meeting, destination).await, None),
    }
}

fn heard(app: &App, ask: &Ask<'_>, attempt: &Attempt, present: Option<Present>, grant: &Grant) -> Heard {
    let judged = || outcome::judge_change(attempt, app.clock.now());
    let result = match (ask, present) {
        (Ask::Read, Some(present)) => Ok(Some(present)),
        // A yes that says nothing of what is set is no answer to that.
        (Ask::Read, None) => Err(judged().err().unwrap_or(Outcome::Unknown)),
        (Ask::Set(_), _) => judged().map(|()| None),
    };
    Heard { result, answer: Some(ZoomAnswer::from(attempt)), account: Some(grant.user.clone()) }
}

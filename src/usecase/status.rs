//! `/stream status`: what is known about streams, and what Zoom says about a meeting. Whether a stream is on air, Zoom
//! cannot be asked; it reports that by itself.

use super::facts::{self, Asked, Wanted};
use super::stream::{self, Note, What};
use super::{Done, Failure, lend};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::{ChannelId, Person, ZoomUserId};
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::reply::{Known, Reply, StatusOf, StreamRecord, Verdict, Why};
use crate::stream::Stream;

/// How many streams are listed; more do not fit into one message.
const MOST: usize = 30;

pub(super) async fn status(app: &App, invocation: &Invocation, meeting: Option<MeetingId>) -> Result<Done, Failure> {
    let person = &invocation.person;
    let Some(meeting) = meeting else {
        return of_workspace(app, invocation, app.store.link_of(person).await?.as_ref()).await;
    };
    let acting = lend::acting(app, person, meeting).await?;
    let (zoom_user, on_behalf_of) = acting.map(|acting| (acting.zoom_user, acting.on_behalf_of)).unzip();
    let done = of_meeting(app, invocation, zoom_user, meeting).await?;
    Ok(Done { on_behalf_of: on_behalf_of.flatten(), ..done })
}

async fn of_workspace(app: &App, invocation: &Invocation, zoom_user: Option<&ZoomUserId>) -> Result<Done, Failure> {
    let streams = in_workspace(app, &invocation.person, &invocation.channel, zoom_user).await?;
    Ok(Done::new(Reply::Status { of: StatusOf::Workspace, streams }, AuditOutcome::Told))
}

/// What a person may be told in a channel about the streams of their workspace.
pub(super) async fn in_workspace(
    app: &App,
    person: &Person,
    channel: &ChannelId,
    zoom_user: Option<&ZoomUserId>,
) -> Result<Vec<Known>, Failure> {
    let mut streams = Vec::new();
    for record in app.store.streams(person).await? {
        if streams.len() == MOST {
            break;
        }
        let stream = stream::known(app, record.meeting).await?;
        let stream = stream.filter(|stream| stream.concerns(person, zoom_user));
        streams.extend(known(person, channel, Some(record), stream));
    }
    Ok(streams)
}

async fn of_meeting(
    app: &App,
    invocation: &Invocation,
    zoom_user: Option<ZoomUserId>,
    meeting: MeetingId,
) -> Result<Done, Failure> {
    let in_zoom = match &zoom_user {
        Some(zoom_user) => in_zoom(app, zoom_user, meeting).await?,
        None => InZoom { running: Verdict::Unknown(Why::NoConnection), is_shown: false },
    };
    let record = app.store.streams(&invocation.person).await?.into_iter().find(|record| record.meeting == meeting);
    let stream = stream::known(app, meeting).await?;
    let stream = stream.filter(|stream| in_zoom.is_shown || stream.concerns(&invocation.person, zoom_user.as_ref()));
    let is_running = match in_zoom.running {
        Verdict::Good => Some(true),
        Verdict::Bad(_) => Some(false),
        Verdict::Unknown(_) => None,
    };
    // Whoever presses Refresh has the card say what Zoom said.
    let what = is_running.filter(|_| invocation.press.is_some()).map(|is_running| What::Looked { is_running });
    let note = what.filter(|_| stream.is_some()).map(|what| Note { meeting, what });
    let streams = known(&invocation.person, &invocation.channel, record, stream).into_iter().collect();
    let of = StatusOf::Meeting { meeting, running: in_zoom.running };
    let done = Done::new(Reply::Status { of, streams }, AuditOutcome::Told);
    Ok(Done { zoom_user, note, ..done })
}

/// What may be told of a stream: its title to whoever asked for it, and where they did.
fn known(person: &Person, channel: &ChannelId, record: Option<StreamRecord>, stream: Option<Stream>) -> Option<Known> {
    let record = record.filter(|record| record.by.is_some() || stream.is_some());
    let stream = stream.map(|mut stream| {
        // Who somebody is in another workspace is not for this one.
        if stream.asked.as_ref().is_some_and(|asked| !asked.person.is_colleague_of(person)) {
            (stream.asked, stream.card) = (None, None);
        }
        if let Some(asked) = &mut stream.asked
            && asked.person != *person
            && asked.channel != *channel
        {
            asked.settings.title = None;
        }
        Box::new(stream)
    });
    (record.is_some() || stream.is_some()).then_some(Known { record, stream })
}

/// What Zoom says about a meeting.
struct InZoom {
    /// Whether it is in progress.
    running: Verdict,
    /// Whether Zoom shows it to whoever asks.
    is_shown: bool,
}

async fn in_zoom(app: &App, zoom_user: &ZoomUserId, meeting: MeetingId) -> Result<InZoom, Failure> {
    Ok(match facts::ask(app, zoom_user, meeting, Wanted::Meeting).await? {
        Asked::Answered(_, answers) => {
            let is_webinar = answers.are_of_webinar(app, meeting).await?;
            InZoom { running: answers.running(is_webinar), is_shown: answers.knows_meeting() }
        }
        Asked::Away(_, outcome) => {
            let why = facts::away(&outcome).unwrap_or(Why::NoConnection);
            InZoom { running: Verdict::Unknown(why), is_shown: false }
        }
        Asked::Over => InZoom { running: Verdict::Unknown(Why::NoConnection), is_shown: false },
    })
}

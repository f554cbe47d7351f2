//! `/stream status`: what OnAir did lately. Zoom has no call that tells whether a stream is on, so none is asked.

use super::{Done, Failure};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::reply::Reply;

pub(super) async fn status(app: &App, invocation: &Invocation, meeting: Option<MeetingId>) -> Result<Done, Failure> {
    let mut streams = app.store.streams(&invocation.person).await?;
    streams.retain(|stream| meeting.is_none_or(|asked| asked == stream.meeting));
    Ok(Done::new(Reply::Status { meeting, streams }, AuditOutcome::Told))
}

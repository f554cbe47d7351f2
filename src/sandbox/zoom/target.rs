//! Where a stream goes: reading it, setting it, and who may stream at all.
//!
//! What Zoom answers for a meeting without a target, and to a change while the stream is on, is not documented.
//!
//! [Live stream details](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream)

use serde_json::{Value, json};

use super::api::{Call, Place, Refused, found};
use super::body;
use super::meeting::{Kind, Meeting, Stream, Target};
use super::world::{State, User};

/// `GET /meetings/{id}/livestream`, and the same of a webinar: the key in clear, as at Zoom.
pub(super) fn read(state: &mut State, call: &Call<'_>, place: Place) -> Result<Value, Refused> {
    let meeting = found(state, &call.caller, place)?;
    match meeting.kind {
        Kind::Meeting => has_licence(&call.caller.user)?,
        Kind::Webinar => webinar_may_stream(meeting, &call.caller.user)?,
    }
    Ok(match &meeting.target {
        Some(Target { stream_url, stream_key, page_url, resolution }) => json!({
            "stream_url": stream_url, "stream_key": stream_key, "page_url": page_url, "resolution": resolution,
        }),
        None => json!({ "stream_url": "", "stream_key": "", "page_url": "" }),
    })
}

/// `PATCH /meetings/{id}/livestream`, and the same of a webinar.
pub(super) fn write(state: &mut State, call: &Call<'_>, place: Place) -> Result<Value, Refused> {
    let host = &call.caller.user;
    let target = body::target(call.request, host.full_hd)?;
    let meeting = found(state, &call.caller, place)?;
    match meeting.kind {
        Kind::Meeting => may_stream(meeting, host)?,
        Kind::Webinar => webinar_may_stream(meeting, host)?,
    }
    if meeting.stream != Stream::Idle {
        let message = format!("The live stream settings of this {} cannot be changed now.", place.kind.word());
        return Err(Refused::new(400, 3000, message));
    }
    let is_rtmp = target.is_rtmp();
    meeting.target = Some(target);
    if !is_rtmp {
        state.complaints.push(format!("PATCH {}: the stream URL is not RTMP", call.request.path));
    }
    Ok(Value::Null)
}

/// Whether a meeting may be streamed to a custom target.
pub(super) fn may_stream(meeting: &Meeting, host: &User) -> Result<(), Refused> {
    has_licence(host)?;
    if meeting.streaming_allowed && host.allows_custom_streaming() {
        return Ok(());
    }
    let message = "Not allowed to start live streaming. To use this feature, enable the \"Allow livestreaming of \
                   meetings\" setting in the Zoom web portal.";
    Err(Refused::new(400, 3000, message))
}

pub(super) fn has_webinar_plan(host: &User) -> Result<(), Refused> {
    if host.webinar_plan {
        return Ok(());
    }
    let message = "Webinar plan is missing. You must subscribe to the webinar plan and enable webinars for this user \
                   in order to perform this action.";
    Err(Refused::new(400, 200, message))
}

fn webinar_may_stream(webinar: &Meeting, host: &User) -> Result<(), Refused> {
    has_webinar_plan(host)?;
    if webinar.streaming_allowed && host.allows_custom_streaming() {
        return Ok(());
    }
    let message = "The current user has not enabled the custom live streaming feature of the webinar.";
    Err(Refused::new(400, 200, message))
}

pub(super) fn has_licence(host: &User) -> Result<(), Refused> {
    if host.licensed {
        return Ok(());
    }
    let message = "Your user account is not allowed meeting hosting and scheduling capabilities.";
    Err(Refused::new(400, 3161, message))
}

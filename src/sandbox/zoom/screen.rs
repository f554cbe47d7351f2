//! What the Zoom side of the sandbox's page shows.

use serde_json::{Value, json};

use super::SimZoom;
use super::meeting::{Kind, Meeting, Stream, Target};

impl SimZoom {
    /// Who has granted access, and every meeting and webinar with its stream; no stream key.
    pub(in crate::sandbox) fn screen(&self) -> Value {
        self.world.read(|state| {
            let alive = state.grants.iter().filter(|grant| grant.alive);
            let grants = alive.filter_map(|grant| Some(&state.user(&grant.user)?.email));
            let host = |meeting: &Meeting| state.user(&meeting.host).map(|host| host.email.clone());
            let meetings = state.meetings.iter().map(|meeting| shown(meeting, host(meeting)));
            json!({ "grants": grants.collect::<Vec<_>>(), "meetings": meetings.collect::<Vec<_>>() })
        })
    }
}

fn shown(meeting: &Meeting, host: Option<String>) -> Value {
    let (stream, since) = match &meeting.stream {
        Stream::Idle => ("idle", None),
        Stream::Connecting => ("connecting", None),
        Stream::Live { since, .. } => ("live", Some(since.to_string())),
    };
    let target =
        |Target { stream_url, page_url, .. }: &Target| json!({ "stream_url": stream_url, "page_url": page_url });
    json!({
        "id": meeting.id,
        "kind": if meeting.kind == Kind::Meeting { "meeting" } else { "webinar" },
        "topic": meeting.topic,
        "host": host,
        "running": meeting.running,
        "encrypted": meeting.e2ee,
        "allowed": meeting.streaming_allowed,
        "reachable": meeting.reachable,
        "stream": stream,
        "since": since,
        "target": meeting.target.as_ref().map(target),
    })
}

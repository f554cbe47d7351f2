//! Where a meeting's stream goes, read and set.
//!
//! Zoom answers with the key in clear. Whether there is one is all that is read of it; and where Zoom's words repeat what
//! was sent, the key is taken out of them.

use std::time::Instant;

use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder};

use super::answer::{self, Body};
use super::{Cause, JSON, Room, Zoom, error, wire};
use crate::destination::{Destination, Present};
use crate::meeting::MeetingId;
use crate::outcome::{Answer, Attempt};
use crate::secret::Secret;

impl Zoom {
    /// What is set, where Zoom says so in a way that can be read; and how the call ended.
    ///
    /// [Get livestream details](https://developers.zoom.us/docs/api/meetings/#tag/meetings/get/meetings/{meetingId}/livestream)
    pub async fn destination(&self, access: &Secret, room: Room, meeting: MeetingId) -> (Attempt, Option<Present>) {
        let request = self.livestream(Method::GET, access, room, meeting);
        let (attempt, body) = self.call("read destination", request, room, meeting).await;
        let present = match (&attempt, body) {
            // A success with a code of Zoom's is one of its errors in disguise.
            (Attempt::Answered(Answer { status: 200, code: None | Some(0), .. }), Some(Body::Whole(bytes))) => {
                answer::object::<wire::Livestream>(&bytes).map(Present::from)
            }
            _ => None,
        };
        (attempt, present)
    }

    /// Sets all of it, once. The same twice is the same as once.
    ///
    /// [Update a livestream](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream)
    pub async fn set_destination(
        &self,
        access: &Secret,
        room: Room,
        meeting: MeetingId,
        destination: &Destination,
    ) -> Attempt {
        let request = self.livestream(Method::PATCH, access, room, meeting);
        let request = request.json(&wire::NewLivestream::from(destination));
        let (attempt, _) = self.call("set destination", request, room, meeting).await;
        match attempt {
            Attempt::Answered(answer) => Attempt::Answered(without(answer, &destination.stream_key)),
            Attempt::NoAnswer | Attempt::NotSent => attempt,
        }
    }

    fn livestream(&self, method: Method, access: &Secret, room: Room, meeting: MeetingId) -> RequestBuilder {
        let url = format!("{}/{}/{}/livestream", self.inner.api_url, room.path(), meeting.number());
        self.inner.http.request(method, url).header(ACCEPT, JSON).bearer_auth(access.expose())
    }

    async fn call(
        &self,
        call: &'static str,
        request: RequestBuilder,
        room: Room,
        meeting: MeetingId,
    ) -> (Attempt, Option<Body>) {
        let began = Instant::now();
        let meeting = meeting.number();
        match self.send(call, request).await {
            Ok((answer, body)) => {
                tracing::info!(
                    call,
                    meeting.id = meeting,
                    room = ?room,
                    status = answer.status,
                    code = answer.code,
                    tracking_id = answer.tracking_id,
                    duration_ms = began.elapsed().as_millis(),
                    "Zoom answered"
                );
                (Attempt::Answered(answer), Some(body))
            }
            Err(error) => {
                let attempt = if error::never_left(&error) { Attempt::NotSent } else { Attempt::NoAnswer };
                let error: &dyn std::error::Error = &Cause::new(error);
                tracing::warn!(call, meeting.id = meeting, room = ?room, attempt = ?attempt, error, "Zoom did not answer");
                (attempt, None)
            }
        }
    }
}

/// The answer without the key, also as JSON writes it, and where a text was cut off in the middle of it.
fn without(mut answer: Answer, key: &Secret) -> Answer {
    let written = serde_json::Value::from(key.expose()).to_string();
    let written = written.trim_matches('"');
    let clean = |text: &mut String| {
        let is_cut = text.chars().count() >= answer::MOST_CHARS;
        for key in [key.expose(), written].into_iter().filter(|key| !key.is_empty()) {
            *text = text.replace(key, "…");
            if is_cut {
                drop_begun(text, key);
            }
        }
    };
    clean(&mut answer.message);
    for error in &mut answer.fields {
        clean(&mut error.field);
        clean(&mut error.message);
    }
    answer
}

/// Takes off the end of a text what the key begins with.
fn drop_begun(text: &mut String, key: &str) {
    let beginnings = key.char_indices().map(|(end, _)| &key[..end]).rev();
    if let Some(begun) = beginnings.filter(|begun| !begun.is_empty()).find(|begun| text.ends_with(begun)) {
        text.truncate(text.len() - begun.len());
        text.push('…');
    }
}

//! The `response_url` of a command: five uses in thirty minutes.
//!
//! [Handling user interaction](https://docs.slack.dev/interactivity/handling-user-interaction)

use jiff::{SignedDuration, Timestamp};

use super::message::{Audience, Author};
use super::post::Post;
use super::world::{HOOK_LIFE, HOOK_USES, State};
use crate::sandbox::wire::{Answer, Recorded};

/// Answers a request to a `response_url`.
pub(super) fn answer(state: &mut State, now: Timestamp, request: &Recorded) -> Answer {
    match post(state, now, request) {
        Ok(()) => Answer::new(200, "ok").with("content-type", "text/plain"),
        Err((status, error, detail)) => {
            state.complaints.push(format!("response_url: {status} {error}: {detail}"));
            Answer::new(status, error).with("content-type", "text/plain")
        }
    }
}

type Refused = (u16, &'static str, String);

fn post(state: &mut State, now: Timestamp, request: &Recorded) -> Result<(), Refused> {
    let index = state.hooks.iter().position(|hook| hook.path == request.path);
    let index = index.ok_or_else(|| (404, "no_service", "no such response_url".to_owned()))?;
    let hook = state.hooks[index].clone();
    if request.method != "POST" {
        return Err((405, "method_not_allowed", request.method.clone()));
    }
    let life = SignedDuration::try_from(HOOK_LIFE).unwrap_or(SignedDuration::MAX);
    if now.duration_since(hook.made) > life {
        return Err((404, "expired_url", "older than 30 minutes".to_owned()));
    }
    if hook.used >= HOOK_USES {
        return Err((404, "used_url", format!("used more than {HOOK_USES} times")));
    }
    if request.media_type() != "application/json" {
        return Err((400, "invalid_payload", format!("content-type {:?}", request.header("content-type"))));
    }
    let post = Post::read(&request.body).map_err(|refusal| (400, refusal.error, refusal.detail))?;
    if post.is_empty() {
        return Err((400, "no_text", "neither text nor blocks".to_owned()));
    }
    state.hooks[index].used += 1;
    if !(post.replace_original && replace(state, hook.number, &post)) {
        let audience = if post.in_channel { Audience::Channel } else { Audience::Only(hook.user) };
        state.say(&hook.channel, Author::App, audience, &post).hook = Some(hook.number);
    }
    Ok(())
}

/// Replaces the latest message from this `response_url`, if there is one.
fn replace(state: &mut State, hook: u64, post: &Post) -> bool {
    let shown = state.shown(post);
    state.complaints.extend(post.oddities.iter().cloned());
    let Some(message) = state.messages.iter_mut().rev().find(|message| message.hook == Some(hook)) else {
        state.complaints.push("replace_original, but this response_url has posted nothing yet".to_owned());
        return false;
    };
    if post.in_channel != (message.audience == Audience::Channel) {
        // Who sees a message never changes; what was meant for all would stay with one person.
        state.complaints.push("replace_original cannot change who sees a message".to_owned());
    }
    message.text.clone_from(&post.text);
    message.blocks.clone_from(&post.blocks);
    message.shown = shown;
    message.edits += 1;
    true
}

//! `response_url`s, of commands and of pressed buttons: five uses in thirty minutes.
//!
//! [Handling user interaction](https://docs.slack.dev/interactivity/handling-user-interaction)

use jiff::SignedDuration;

use super::message::{Audience, Author};
use super::people::{Channel, User};
use super::post::{Post, ResponseType};
use super::world::{HOOK_LIFE, HOOK_USES, Hook, State};
use crate::sandbox::wire::{Answer, Recorded};

/// Makes a `response_url` for a command, or for a press on the message of this `ts`; its number tells it from all others.
pub(super) fn make(
    state: &mut State,
    base: &str,
    user: &User,
    channel: &Channel,
    message: Option<&str>,
) -> (u64, String) {
    let number = state.count();
    let kind = if message.is_some() { "actions" } else { "commands" };
    let path = format!("/hooks/{kind}/{}/{}/hook-canary-{number:06}", user.team, 100_000_000_000 + number);
    let url = format!("{base}{path}");
    let (user, channel, message) = (user.clone(), channel.clone(), message.map(str::to_owned));
    state.hooks.push(Hook { number, path, made: state.now, used: 0, user, channel, message });
    (number, url)
}

/// Answers a request to a `response_url`.
pub(super) fn answer(state: &mut State, request: &Recorded) -> Answer {
    let (status, word) = match post(state, request) {
        Ok(()) => (200, "ok"),
        Err(Refused::Mistake(status, error, detail)) => {
            state.complaints.push(format!("response_url: {status} {error}: {detail}"));
            (status, error)
        }
        Err(Refused::Expected(status, error)) => (status, error),
    };
    Answer::new(status, word).with("content-type", "text/plain")
}

enum Refused {
    /// What a well-made app would not do.
    Mistake(u16, &'static str, String),
    /// What an app cannot know before.
    Expected(u16, &'static str),
}

fn post(state: &mut State, request: &Recorded) -> Result<(), Refused> {
    let mistake = |status, error, detail: &str| Refused::Mistake(status, error, detail.to_owned());
    let index = state.hooks.iter().position(|hook| hook.path == request.path);
    let index = index.ok_or_else(|| mistake(404, "no_service", "no such response_url"))?;
    let hook = state.hooks[index].clone();
    if request.method != "POST" {
        return Err(mistake(405, "method_not_allowed", &request.method));
    }
    let life = SignedDuration::try_from(HOOK_LIFE).unwrap_or(SignedDuration::MAX);
    if state.now.duration_since(hook.made) > life {
        return Err(mistake(404, "expired_url", "older than 30 minutes"));
    }
    if hook.used >= HOOK_USES {
        return Err(mistake(404, "used_url", &format!("used more than {HOOK_USES} times")));
    }
    if state.archived.contains(&hook.channel.id) {
        return Err(Refused::Expected(404, "no_service"));
    }
    if request.media_type() != "application/json" {
        return Err(mistake(400, "invalid_payload", &format!("content-type {:?}", request.header("content-type"))));
    }
    let read = if hook.message.is_some() { Post::read } else { Post::read_for_command };
    let post = read(&request.body).map_err(|refusal| mistake(400, refusal.error, &refusal.detail))?;
    let only_deletes = hook.message.is_some() && post.delete_original;
    if post.is_empty() && !only_deletes {
        return Err(mistake(400, "no_text", "neither text nor blocks"));
    }
    let done = match &hook.message {
        Some(ts) => change_pressed(state, &hook, ts, &post)?,
        None => post.replace_original && replace_latest(state, hook.number, &post),
    };
    state.hooks[index].used += 1;
    state.complaints.extend(post.oddities.iter().cloned());
    if !done {
        let audience = if post.in_channel() { Audience::Channel } else { Audience::Only(hook.user) };
        state.say(&hook.channel, Author::App, audience, &post).hook = Some(hook.number);
    }
    Ok(())
}

/// Does to the message whose button was pressed what the post says; tells whether that was all.
fn change_pressed(state: &mut State, hook: &Hook, ts: &str, post: &Post) -> Result<bool, Refused> {
    if !post.replace_original && !post.delete_original {
        return Ok(false);
    }
    // The app itself may have deleted it since, in answer to another press.
    let position = state.position(&hook.channel.id, ts).ok_or(Refused::Expected(404, "message_not_found"))?;
    if post.delete_original {
        if post.replace_original {
            state.complaints.push("a message cannot be both replaced and deleted".to_owned());
        }
        state.messages.remove(position);
        return Ok(post.is_empty());
    }
    let is_public = state.messages[position].audience == Audience::Channel;
    let meant_for_all = post.response_type.map(|kind| kind == ResponseType::InChannel);
    if meant_for_all.is_some_and(|meant_for_all| meant_for_all != is_public) {
        state.complaints.push(SAME_READERS.to_owned());
    }
    state.replace(position, post);
    Ok(true)
}

const SAME_READERS: &str = "replace_original cannot change who sees a message";

/// Replaces the latest message from this `response_url`, if there is one.
fn replace_latest(state: &mut State, hook: u64, post: &Post) -> bool {
    let Some(position) = state.messages.iter().rposition(|message| message.hook == Some(hook)) else {
        state.complaints.push("replace_original, but this response_url has posted nothing yet".to_owned());
        return false;
    };
    if post.in_channel() != (state.messages[position].audience == Audience::Channel) {
        // Who sees a message never changes; what was meant for all would stay with one person.
        state.complaints.push(SAME_READERS.to_owned());
    }
    state.replace(position, post);
    true
}

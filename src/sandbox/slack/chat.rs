//! The [Web API methods](https://docs.slack.dev/reference/methods) that put a message somewhere or change one.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::api::Outcome;
use super::message::{Audience, Author};
use super::people::{Channel, ChannelKind, User, Workspace};
use super::post::{Post, Refusal};
use super::world::State;

type Arguments = Map<String, Value>;

/// `chat.postMessage`
pub(super) fn post_message(state: &mut State, workspace: &Workspace, arguments: &Arguments) -> Outcome {
    let place = text(arguments, "channel");
    let channel = match known_user(state, workspace, place) {
        Some(user) => direct_message(state, workspace, &user),
        None => joined(state, workspace, place)?,
    };
    keep_to_limit(state, &channel)?;
    let post = content(arguments)?;
    let message = state.say(&channel, Author::App, Audience::Channel, &post);
    message.updatable = true;
    let ts = message.ts.clone();
    Ok(json!({ "channel": channel.id, "ts": ts, "message": { "text": post.text, "ts": ts } }))
}

/// `chat.postEphemeral`
pub(super) fn post_ephemeral(state: &mut State, workspace: &Workspace, arguments: &Arguments) -> Outcome {
    let channel = joined(state, workspace, text(arguments, "channel"))?;
    let user = text(arguments, "user");
    let reader = known_user(state, workspace, user).filter(|user| state.is_member(&channel, &user.id));
    let reader = reader.ok_or_else(|| Refusal::new("user_not_in_channel", user))?;
    let post = content(arguments)?;
    let ts = state.say(&channel, Author::App, Audience::Only(reader), &post).ts.clone();
    Ok(json!({ "message_ts": ts }))
}

/// `chat.update`. Where the new message has no blocks, the old ones go too.
pub(super) fn update(state: &mut State, workspace: &Workspace, arguments: &Arguments) -> Outcome {
    let (place, ts) = (text(arguments, "channel"), text(arguments, "ts"));
    let channel = visible(state, workspace, place)?;
    if state.archived.contains(&channel.id) {
        return Err(Refusal::new("is_inactive", place));
    }
    keep_to_limit(state, &channel)?;
    let position = state.position(&channel.id, ts).ok_or_else(|| Refusal::new("message_not_found", ts))?;
    if !state.messages[position].updatable {
        return Err(Refusal::new("cant_update_message", ts));
    }
    let post = content(arguments)?;
    state.replace(position, &post);
    Ok(json!({ "channel": channel.id, "ts": ts, "text": post.text }))
}

/// `conversations.open`, with one person.
pub(super) fn open(state: &mut State, workspace: &Workspace, arguments: &Arguments) -> Outcome {
    let users = text(arguments, "users");
    if users.is_empty() {
        return Err(Refusal::new("users_list_not_supplied", "no users"));
    }
    if users.contains(',') {
        return Err(Refusal::new("not_simulated", "a direct message with several people"));
    }
    let user = known_user(state, workspace, users).ok_or_else(|| Refusal::new("user_not_found", users))?;
    let channel = direct_message(state, workspace, &user);
    Ok(json!({ "channel": { "id": channel.id } }))
}

/// The direct message between the app and a person, made if new.
pub(super) fn direct_message(state: &mut State, workspace: &Workspace, user: &User) -> Channel {
    let name = format!("{}+OnAir", user.name);
    let channel = super::found_channel(state, workspace, &name, ChannelKind::DirectMessage);
    for who in [&user.id, &workspace.bot_user] {
        if !state.is_member(&channel, who) {
            state.members.push((channel.id.clone(), who.clone()));
        }
    }
    channel
}

fn known_user(state: &State, workspace: &Workspace, id: &str) -> Option<User> {
    state.users.iter().find(|known| known.id == id && known.team == workspace.id).cloned()
}

/// A channel the app knows of: where it is not, a private conversation does not even exist for it.
fn visible(state: &State, workspace: &Workspace, id: &str) -> Result<Channel, Refusal> {
    let found = state.channels.iter().find(|channel| channel.id == id && channel.team == workspace.id);
    let is_visible =
        |channel: &&Channel| channel.kind == ChannelKind::Public || state.is_member(channel, &workspace.bot_user);
    found.filter(is_visible).cloned().ok_or_else(|| Refusal::new("channel_not_found", id))
}

/// A channel the app may post in.
fn joined(state: &State, workspace: &Workspace, id: &str) -> Result<Channel, Refusal> {
    let channel = visible(state, workspace, id)?;
    if state.archived.contains(&channel.id) {
        return Err(Refusal::new("is_archived", id));
    }
    if state.is_member(&channel, &workspace.bot_user) { Ok(channel) } else { Err(Refusal::new("not_in_channel", id)) }
}

/// [One message per second and channel](https://docs.slack.dev/apis/web-api/rate-limits), where that is counted.
fn keep_to_limit(state: &mut State, channel: &Channel) -> Result<(), Refusal> {
    if !state.posting_limited {
        return Ok(());
    }
    let last = state.last_post.get(&channel.id);
    if last.is_some_and(|last| state.now.duration_since(*last) < SignedDuration::from_secs(1)) {
        return Err(Refusal::new("ratelimited", &*channel.id));
    }
    state.last_post.insert(channel.id.clone(), state.now);
    Ok(())
}

fn content(arguments: &Arguments) -> Result<Post, Refusal> {
    let post = Post::content(arguments)?;
    if post.is_empty() { Err(Refusal::new("no_text", "neither text nor blocks")) } else { Ok(post) }
}

fn text<'a>(arguments: &'a Arguments, key: &str) -> &'a str {
    arguments.get(key).and_then(Value::as_str).unwrap_or_default()
}

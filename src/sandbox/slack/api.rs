//! The few [Web API methods](https://docs.slack.dev/reference/methods) a bot like OnAir calls. Slack says no with HTTP
//! 200 and `ok: false`.

use serde_json::{Map, Value, json};

use super::message::{Audience, Author};
use super::people::{Channel, ChannelKind, Installed, Workspace};
use super::post::Post;
use super::world::State;
use crate::sandbox::wire::{Answer, Recorded};

/// The bot token of a workspace; the word in the middle is there to be searched for in logs.
pub(super) fn bot_token(workspace: &Workspace) -> String {
    format!("xoxb-canary-{}", workspace.id)
}

type Outcome = Result<Value, (&'static str, String)>;

/// Answers a call of a method.
pub(super) fn answer(state: &mut State, base: &str, method: &str, request: &Recorded) -> Answer {
    let body = match call(state, base, method, request) {
        Ok(mut body) => {
            body["ok"] = json!(true);
            body
        }
        Err((error, detail)) => {
            state.complaints.push(format!("{method}: {error}: {detail}"));
            json!({ "ok": false, "error": error, "response_metadata": { "messages": [format!("[ERROR] {detail}")] } })
        }
    };
    Answer::json(200, &body).with("x-oauth-scopes", "commands,chat:write")
}

fn call(state: &mut State, base: &str, method: &str, request: &Recorded) -> Outcome {
    if method == "api.test" {
        return Ok(json!({}));
    }
    let workspace = caller(state, request)?;
    let arguments = arguments(request)?;
    match method {
        "auth.test" => Ok(auth_test(&workspace, base)),
        "chat.postMessage" => post_message(state, &workspace, &arguments),
        "chat.postEphemeral" => post_ephemeral(state, &workspace, &arguments),
        _ => Err(("unknown_method", method.to_owned())),
    }
}

fn caller(state: &State, request: &Recorded) -> Result<Workspace, (&'static str, String)> {
    let token = request.bearer().ok_or_else(|| ("not_authed", "no bearer token".to_owned()))?;
    let found = state.workspaces.iter().find(|workspace| bot_token(workspace) == token);
    found.cloned().ok_or_else(|| ("invalid_auth", "unknown token".to_owned()))
}

fn arguments(request: &Recorded) -> Result<Map<String, Value>, (&'static str, String)> {
    match request.media_type().as_str() {
        "application/json" => {
            let value: Value = serde_json::from_slice(&request.body).map_err(|_| ("invalid_json", String::new()))?;
            value.as_object().cloned().ok_or_else(|| ("json_not_object", String::new()))
        }
        "application/x-www-form-urlencoded" | "" => {
            let pairs = url::form_urlencoded::parse(&request.body);
            Ok(pairs.map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))).collect())
        }
        other => Err(("invalid_post_type", other.to_owned())),
    }
}

fn auth_test(workspace: &Workspace, base: &str) -> Value {
    let mut body = json!({
        "url": format!("{base}/"),
        "team": workspace.domain,
        "user": "onair",
        "team_id": workspace.id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_user.replacen('U', "B", 1),
        "is_enterprise_install": workspace.enterprise.as_ref().is_some_and(|enterprise| enterprise.installed == Installed::OrgWide),
    });
    if let Some(enterprise) = &workspace.enterprise {
        body["enterprise_id"] = json!(enterprise.id);
    }
    body
}

fn post_message(state: &mut State, workspace: &Workspace, arguments: &Map<String, Value>) -> Outcome {
    let (channel, post) = addressed(state, workspace, arguments)?;
    let ts = state.say(&channel, Author::App, Audience::Channel, &post).ts.clone();
    Ok(json!({ "channel": channel.id, "ts": ts, "message": { "text": post.text, "ts": ts } }))
}

fn post_ephemeral(state: &mut State, workspace: &Workspace, arguments: &Map<String, Value>) -> Outcome {
    let (channel, post) = addressed(state, workspace, arguments)?;
    let user = arguments.get("user").and_then(Value::as_str).unwrap_or_default();
    let known = state.users.iter().find(|known| known.id == user && known.team == workspace.id).cloned();
    let reader = known.filter(|user| state.is_member(&channel, &user.id));
    let reader = reader.ok_or_else(|| ("user_not_in_channel", user.to_owned()))?;
    let ts = state.say(&channel, Author::App, Audience::Only(reader), &post).ts.clone();
    Ok(json!({ "message_ts": ts }))
}

fn addressed(
    state: &State,
    workspace: &Workspace,
    arguments: &Map<String, Value>,
) -> Result<(Channel, Post), (&'static str, String)> {
    let id = arguments.get("channel").and_then(Value::as_str).unwrap_or_default();
    let found = state.channels.iter().find(|channel| channel.id == id && channel.team == workspace.id);
    let bot_is_in = found.is_some_and(|channel| state.is_member(channel, &workspace.bot_user));
    let channel = match found {
        Some(channel) if bot_is_in => channel.clone(),
        Some(channel) if channel.kind == ChannelKind::Public => return Err(("not_in_channel", id.to_owned())),
        // Where the app is not, a private conversation does not even exist for it.
        _ => return Err(("channel_not_found", id.to_owned())),
    };
    let post = Post::content(arguments).map_err(|refusal| (refusal.error, refusal.detail))?;
    if post.is_empty() {
        return Err(("no_text", "neither text nor blocks".to_owned()));
    }
    Ok((channel, post))
}

//! The few [Web API methods](https://docs.slack.dev/reference/methods) a bot like OnAir calls. Slack says no with HTTP
//! 200 and `ok: false`.

use serde_json::{Map, Value, json};

use super::people::Workspace;
use super::post::Refusal;
use super::world::State;
use super::{chat, users};
use crate::sandbox::wire::{Answer, Recorded};

/// The bot token of a workspace; the word in the middle is there to be searched for in logs.
pub(super) fn bot_token(workspace: &Workspace) -> String {
    format!("xoxb-canary-{}", workspace.id)
}

/// What a method answers.
pub(super) type Outcome = Result<Value, Refusal>;

/// Refusals that a well-made app may run into, because it cannot know before.
const EXPECTED: &[&str] = &[
    "account_inactive",
    "channel_not_found",
    "is_archived",
    "is_inactive",
    "missing_scope",
    "not_in_channel",
    "ratelimited",
    "token_revoked",
    "user_not_in_channel",
];

/// Answers a call of a method.
pub(super) fn answer(state: &mut State, base: &str, method: &str, request: &Recorded) -> Answer {
    let caller = caller(state, request);
    let scopes = caller.as_ref().ok().map(|workspace| state.access(workspace).scopes.join(","));
    let outcome = if method == "api.test" { Ok(json!({})) } else { call(state, base, caller, method, request) };
    let answer = match outcome {
        Ok(mut body) => {
            body["ok"] = json!(true);
            Answer::json(200, &body)
        }
        Err(refusal) => {
            let Refusal { error, detail } = &refusal;
            if !EXPECTED.contains(error) {
                state.complaints.push(format!("{method}: {error}: {detail}"));
            }
            refused(&refusal, scopes.as_deref().unwrap_or_default())
        }
    };
    match scopes {
        Some(scopes) => answer.with("x-oauth-scopes", scopes),
        None => answer,
    }
}

fn refused(Refusal { error, detail }: &Refusal, provided: &str) -> Answer {
    match *error {
        "ratelimited" => Answer::json(429, &json!({ "ok": false, "error": error })).with("retry-after", "1"),
        "missing_scope" => {
            Answer::json(200, &json!({ "ok": false, "error": error, "needed": detail, "provided": provided }))
        }
        _ => {
            let messages = [format!("[ERROR] {detail}")];
            Answer::json(200, &json!({ "ok": false, "error": error, "response_metadata": { "messages": messages } }))
        }
    }
}

fn call(
    state: &mut State,
    base: &str,
    caller: Result<Workspace, Refusal>,
    method: &str,
    request: &Recorded,
) -> Outcome {
    let workspace = caller?;
    let access = state.access(&workspace);
    if let Some(error) = access.dead {
        return Err(Refusal::new(error, &*workspace.domain));
    }
    if let Some((scope, needed)) = scope_of(method)
        && !access.scopes.iter().any(|granted| granted == scope)
    {
        return Err(Refusal::new("missing_scope", needed));
    }
    let arguments = arguments(request)?;
    if method == "users.info" && request.media_type() == "application/json" {
        // A method that only reads looks at no JSON.
        return Err(Refusal::new("invalid_arguments", "missing required field: user"));
    }
    match method {
        "auth.test" => Ok(auth_test(&workspace, base)),
        "chat.postMessage" => chat::post_message(state, &workspace, &arguments),
        "chat.postEphemeral" => chat::post_ephemeral(state, &workspace, &arguments),
        "chat.update" => chat::update(state, &workspace, &arguments),
        "conversations.open" => chat::open(state, &workspace, &arguments),
        "users.info" => users::info(state, &workspace, &arguments),
        _ => Err(Refusal::new("unknown_method", method)),
    }
}

/// The scope a method cannot do without, and how Slack names what is missing.
fn scope_of(method: &str) -> Option<(&'static str, &'static str)> {
    match method {
        "chat.postMessage" | "chat.postEphemeral" | "chat.update" => Some(("chat:write", "chat:write")),
        "users.info" => Some(("users:read", "users:read")),
        // Slack names the scopes for every kind of conversation; with one person it is `im:write` that counts.
        "conversations.open" => Some(("im:write", "channels:write,groups:write,mpim:write,im:write")),
        _ => None,
    }
}

fn caller(state: &State, request: &Recorded) -> Result<Workspace, Refusal> {
    let token = request.bearer().ok_or_else(|| Refusal::new("not_authed", "no bearer token"))?;
    let found = state.workspaces.iter().find(|workspace| bot_token(workspace) == token);
    found.cloned().ok_or_else(|| Refusal::new("invalid_auth", "unknown token"))
}

fn arguments(request: &Recorded) -> Result<Map<String, Value>, Refusal> {
    match request.media_type().as_str() {
        "application/json" => {
            let value: Value = serde_json::from_slice(&request.body).map_err(|_| Refusal::new("invalid_json", ""))?;
            value.as_object().cloned().ok_or_else(|| Refusal::new("json_not_object", ""))
        }
        "application/x-www-form-urlencoded" | "" => {
            let pairs = url::form_urlencoded::parse(&request.body);
            Ok(pairs.map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))).collect())
        }
        other => Err(Refusal::new("invalid_post_type", other)),
    }
}

fn auth_test(workspace: &Workspace, base: &str) -> Value {
    let mut body = json!({
        "url": format!("{base}/"),
        "team": workspace.domain,
        "user": "onair",
        "team_id": workspace.id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id(),
        "is_enterprise_install": workspace.org_wide().is_some(),
    });
    if let Some(enterprise) = &workspace.enterprise {
        body["enterprise_id"] = json!(enterprise.id);
    }
    body
}

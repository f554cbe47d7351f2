//! The few [Web API methods](https://docs.slack.dev/reference/methods) a bot like OnAir calls. Slack says no with HTTP
//! 200 and `ok: false`.

use serde_json::{Map, Value, json};

use super::oauth;
use super::people::Workspace;
use super::post::Refusal;
use super::world::State;
use super::{chat, home, users, views};
use crate::sandbox::wire::{Answer, Recorded};

/// The bot token of a workspace, or of the organization that installed the app as a whole; the word in the middle is there to be searched for in logs.
pub(super) fn bot_token(workspace: &Workspace) -> String {
    format!("xoxb-canary-{}", workspace.org_wide().map_or(&workspace.id, |enterprise| &enterprise.id))
}

/// What a method answers.
pub(super) type Outcome = Result<Value, Refusal>;

/// Refusals that a well-made app may run into, because it cannot know before.
const EXPECTED: &[&str] = &[
    "account_inactive",
    "channel_not_found",
    "invalid_code",
    "exchanged_trigger_id",
    "expired_trigger_id",
    "is_archived",
    "is_inactive",
    "missing_scope",
    "not_enabled",
    "not_in_channel",
    "ratelimited",
    "token_revoked",
    "user_not_in_channel",
];

/// Answers a call of a method.
pub(super) fn answer(state: &mut State, base: &str, method: &str, request: &Recorded) -> Answer {
    let caller = caller(state, request);
    let for_code = match method {
        "oauth.v2.access" => Some(oauth::access(state, request)),
        "openid.connect.token" => Some(oauth::identity(state, base, request)),
        _ => None,
    };
    let scopes = caller.as_ref().ok().map(|workspace| state.access(workspace).scopes.join(","));
    let outcome = match for_code {
        Some(outcome) => outcome,
        None if method == "api.test" => Ok(json!({})),
        None => call(state, base, caller, method, request),
    };
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
        "views.open" => views::open(state, &workspace, &arguments),
        "views.publish" => home::publish(state, &workspace, &arguments),
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
    let mut known = state.workspaces.iter().filter(|workspace| bot_token(workspace) == token).peekable();
    let first = known.peek().copied().ok_or_else(|| Refusal::new("invalid_auth", "unknown token"))?;
    // The token of a whole organization acts in the workspace of whatever it names.
    let named = arguments(request).unwrap_or_default();
    let is_there = |workspace: &Workspace| {
        let is_named = |field: &str, id: &str| named.get(field).and_then(Value::as_str) == Some(id);
        let channels = state.channels.iter().filter(|channel| channel.team == workspace.id).map(|channel| &channel.id);
        let users = state.users.iter().filter(|user| user.team == workspace.id).map(|user| &user.id);
        channels.chain(users).any(|id| is_named("channel", id) || is_named("user", id) || is_named("user_id", id))
    };
    Ok(known.find(|workspace| is_there(workspace)).unwrap_or(first).clone())
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

//! A pressed button on its way to the app.
//!
//! [Interactions](https://docs.slack.dev/interactivity/handling-user-interaction),
//! [`block_actions`](https://docs.slack.dev/reference/interaction-payloads/block_actions-payload)

use std::fmt;

use serde_json::{Map, Value, json};

use super::button::Pick;
use super::delivery::{APP_ID, Delivery, VERIFICATION_TOKEN, trigger_id};
use super::message::{Audience, Message};
use super::people::{User, Workspace};
use super::world::State;
use super::{SimSlack, button, hooks};
use crate::sandbox::SignedRequest;

/// Why a button could not be pressed, and what was there instead.
#[derive(Clone)]
pub struct CannotPress {
    button: String,
    why: &'static str,
    instead: String,
}

impl CannotPress {
    pub(super) fn new(pick: Pick<'_>, why: &'static str, instead: String) -> Self {
        Self { button: pick.to_string(), why, instead }
    }

    /// Without what was there instead.
    pub(in crate::sandbox) fn why(&self) -> &'static str {
        self.why
    }
}

impl fmt::Display for CannotPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot press {:?}: {}:\n{}", self.button, self.why, self.instead)
    }
}

impl fmt::Debug for CannotPress {
    /// As people read it, because this is what `unwrap` prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CannotPress {}

impl SimSlack {
    /// A person presses the first button of this label, as the message is by now, and says yes where it asks; returns
    /// when Slack has the app's answer. A failure is shown beside the button, not in the channel.
    pub async fn presses(&self, user: &User, message: &Message, label: &str) -> Result<Delivery, CannotPress> {
        self.presses_picked(user, message, Pick::Labeled(label)).await
    }

    /// The same, of the button of these names.
    pub(in crate::sandbox) async fn presses_named(
        &self,
        user: &User,
        message: &Message,
        (block_id, action_id): (&str, &str),
    ) -> Result<Delivery, CannotPress> {
        self.presses_picked(user, message, Pick::Named { block_id, action_id }).await
    }

    async fn presses_picked(&self, user: &User, message: &Message, pick: Pick<'_>) -> Result<Delivery, CannotPress> {
        let request = self.signed_picked(user, message, pick)?;
        let delivery = self.attempt(&request).await;
        if let (Some(answer), None) = (&delivery.answer, delivery.failure)
            && !answer.body.is_empty()
        {
            self.world.change(|state| state.complaints.push("answer to a press: nobody sees its body".to_owned()));
        }
        Ok(delivery)
    }

    /// The request that [`presses`](Self::presses) would send, with a `response_url` of its own.
    pub fn signed_press(&self, user: &User, message: &Message, label: &str) -> Result<SignedRequest, CannotPress> {
        self.signed_picked(user, message, Pick::Labeled(label))
    }

    fn signed_picked(&self, user: &User, message: &Message, pick: Pick<'_>) -> Result<SignedRequest, CannotPress> {
        let base = &self.hooks_base();
        let payload = self.world.change(|state| payload(state, base, user, message, pick))?;
        let url = self.world.read(|state| state.interactions_url.clone());
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload.to_string());
        Ok(self.signed_form(url, form.finish()))
    }
}

fn payload(
    state: &mut State,
    base: &str,
    user: &User,
    message: &Message,
    pick: Pick<'_>,
) -> Result<Value, CannotPress> {
    let refused = |why, message: &Message| CannotPress::new(pick, why, message.transcript());
    let position = state.position(&message.channel.id, &message.ts);
    let position = position.ok_or_else(|| refused("the message was deleted", message))?;
    let latest = state.messages[position].clone();
    if !state.sees(user, &latest) {
        return Err(refused("this person does not see the message", &latest));
    }
    let (block, element) =
        button::picked(&latest.blocks, pick).ok_or_else(|| refused("the message has no such button", &latest))?;
    let (number, response_url) = hooks::make(state, base, user, &latest.channel, Some(&latest.ts));
    let mut payload = whereabouts(state, user, &latest);
    payload.insert("trigger_id".to_owned(), json!(trigger_id(user, number)));
    payload.insert("response_url".to_owned(), json!(response_url));
    payload.insert("actions".to_owned(), json!([action(block, element, number)]));
    Ok(Value::Object(payload))
}

/// Who pressed, and where.
fn whereabouts(state: &State, user: &User, message: &Message) -> Map<String, Value> {
    let workspace = state.workspace(&user.team);
    let org_wide = workspace.and_then(|workspace| workspace.org_wide()).is_some();
    let is_ephemeral = message.audience != Audience::Channel;
    let mut fields = Map::new();
    for (key, value) in [
        ("type", json!("block_actions")),
        ("user", self::user(workspace, user)),
        ("api_app_id", json!(APP_ID)),
        ("token", json!(VERIFICATION_TOKEN)),
        (
            "container",
            json!({
                "type": "message",
                "message_ts": message.ts,
                "channel_id": message.channel.id,
                "is_ephemeral": is_ephemeral,
            }),
        ),
        ("team", team(workspace, user)),
        ("enterprise", enterprise(workspace)),
        ("is_enterprise_install", json!(org_wide)),
        ("channel", json!({ "id": message.channel.id, "name": message.channel.payload_name() })),
        ("state", json!({ "values": {} })),
    ] {
        fields.insert(key.to_owned(), value);
    }
    // What only one person sees is not kept, so Slack cannot send it along.
    if !is_ephemeral {
        fields.insert("message".to_owned(), stored(state, message));
    }
    fields
}

/// A person as interactions tell them: where the whole organization installed the app, as one of the organization.
pub(super) fn user(workspace: Option<&Workspace>, user: &User) -> Value {
    let own = workspace.and_then(Workspace::org_wide).map_or(&user.team, |enterprise| &enterprise.id);
    json!({ "id": user.id, "username": user.name, "name": user.name, "team_id": own })
}

/// The workspace of a person as interactions tell it: not at all, where the whole organization installed the app.
pub(super) fn team(workspace: Option<&Workspace>, user: &User) -> Value {
    if workspace.and_then(Workspace::org_wide).is_some() {
        return Value::Null;
    }
    let mut team = json!({ "id": user.team, "domain": workspace.map(|workspace| &workspace.domain) });
    let enterprise = enterprise(workspace);
    if !enterprise.is_null() {
        team["enterprise_id"] = enterprise["id"].clone();
        team["enterprise_name"] = enterprise["name"].clone();
    }
    team
}

/// The organization of a workspace, if it is in one.
pub(super) fn enterprise(workspace: Option<&Workspace>) -> Value {
    let enterprise = workspace.and_then(|workspace| workspace.enterprise.as_ref());
    json!(enterprise.map(|enterprise| json!({ "id": enterprise.id, "name": enterprise.name })))
}

fn stored(state: &State, message: &Message) -> Value {
    let workspace = state.workspace(&message.channel.team);
    json!({
        "type": "message",
        "user": workspace.map(|workspace| &workspace.bot_user),
        "bot_id": workspace.map(|workspace| workspace.bot_id()),
        "app_id": APP_ID,
        "team": message.channel.team,
        "ts": message.ts,
        "text": message.text,
        "blocks": message.blocks,
    })
}

pub(super) fn action(block: &Value, element: &Value, number: u64) -> Value {
    let mut action = Map::new();
    for key in ["type", "action_id", "text", "value", "style", "url", "confirm"] {
        if !element[key].is_null() {
            action.insert(key.to_owned(), element[key].clone());
        }
    }
    action.insert("block_id".to_owned(), block["block_id"].clone());
    action.insert("action_ts".to_owned(), json!(format!("1700000000.{number:06}")));
    Value::Object(action)
}

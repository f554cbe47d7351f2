//! Modals: [`views.open`](https://docs.slack.dev/reference/methods/views.open), what a person fills in, and the form on
//! its way to the app.
//!
//! [Modals](https://docs.slack.dev/surfaces/modals),
//! [`view_submission`](https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload)

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::api::Outcome;
use super::delivery::{APP_ID, Delivery, Failure, VERIFICATION_TOKEN, trigger_id};
use super::people::{Channel, User, Workspace};
use super::post::Refusal;
use super::world::State;
use super::{SimSlack, blocks, press, wait};
use crate::sandbox::wait::{PATIENCE, TimedOut};
use crate::sandbox::{SignedRequest, lock};

/// How long a `trigger_id` opens something.
const TRIGGER_LIFE: SignedDuration = SignedDuration::from_secs(3);

/// A form that stands open before one person.
#[derive(Clone, Debug)]
pub struct Modal {
    /// `V…`
    pub id: String,
    /// What the app told beside a field since it was sent last, by the field's block.
    pub errors: BTreeMap<String, String>,
    pub(super) user: User,
    pub(super) view: Value,
}

/// What a person puts into a field.
#[derive(Clone, Copy, Debug)]
pub enum Fill<'a> {
    /// Nobody but these.
    People(&'a [&'a User]),
    /// No conversations but these.
    Channels(&'a [&'a Channel]),
    /// The choice of this label.
    Choice(&'a str),
}

/// Why a form could not be sent, and what stood there.
#[derive(Clone)]
pub struct CannotSubmit {
    why: String,
    instead: String,
}

impl fmt::Display for CannotSubmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot submit: {}:\n{}", self.why, self.instead)
    }
}

impl fmt::Debug for CannotSubmit {
    /// As people read it, because this is what `unwrap` prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CannotSubmit {}

impl CannotSubmit {
    /// Without what stood there.
    pub(in crate::sandbox) fn why(&self) -> &str {
        &self.why
    }
}

impl Modal {
    /// The form as its reader sees it: a field with what stands in it, and what the app told about it.
    pub fn transcript(&self) -> String {
        let mut shown = text(&self.view["title"]).to_owned();
        for block in list(&self.view["blocks"]) {
            if block["type"] != "input" {
                let words = text(&block["text"]);
                let _ = write!(shown, "\n  {words}");
                continue;
            }
            let filled: Vec<String> = chosen(&initial(&block["element"])).collect();
            let _ = write!(shown, "\n  {}: [{}]", text(&block["label"]), filled.join(", "));
            if let Some(hint) = block["hint"]["text"].as_str() {
                let _ = write!(shown, " ({hint})");
            }
            if let Some(error) = block["block_id"].as_str().and_then(|id| self.errors.get(id)) {
                let _ = write!(shown, "\n    ! {error}");
            }
        }
        let _ = write!(shown, "\n  [{}]", text(&self.view["submit"]));
        shown
    }

    fn cannot(&self, why: String) -> CannotSubmit {
        CannotSubmit { why, instead: self.transcript() }
    }

    /// What stands in every field once these are filled in, as Slack sends it.
    fn values(&self, filled: &[(&str, Fill<'_>)]) -> Result<Value, CannotSubmit> {
        self.values_with(|block| {
            let fill = filled.iter().find(|(name, _)| *name == text(&block["label"])).map(|(_, fill)| *fill);
            fill.map_or_else(|| Some(initial(&block["element"])), |fill| put(&block["element"], fill))
        })
    }

    /// The same, where a browser tells what stands there: by block and by field, as Slack sends it.
    fn values_given(&self, state: &State, given: &Value) -> Result<Value, CannotSubmit> {
        let known = |name: &String| {
            let mut inputs = list(&self.view["blocks"]).iter().filter(|block| block["type"] == "input");
            inputs.any(|block| block["block_id"] == **name)
        };
        if let Some(other) = given.as_object().into_iter().flatten().map(|(name, _)| name).find(|name| !known(name)) {
            return Err(self.cannot(format!("there is no field {other:?}")));
        }
        self.values_with(|block| {
            let element = &block["element"];
            let value = &given[block["block_id"].as_str()?][element["action_id"].as_str()?];
            if value.is_null() { Some(initial(element)) } else { taken(state, &self.user, element, value) }
        })
    }

    fn values_with(&self, fill: impl Fn(&Value) -> Option<Value>) -> Result<Value, CannotSubmit> {
        let mut values = Map::new();
        for block in list(&self.view["blocks"]).iter().filter(|block| block["type"] == "input") {
            let label = text(&block["label"]);
            let element = &block["element"];
            let value = fill(block).ok_or_else(|| self.cannot(format!("{label:?} does not take that")))?;
            let count = chosen(&value).count();
            if count == 0 && block["optional"] != true {
                return Err(self.cannot(format!("{label:?} must be filled in")));
            }
            if element["max_selected_items"].as_u64().is_some_and(|most| count as u64 > most) {
                return Err(self.cannot(format!("{label:?} takes no more")));
            }
            let (at, name) = (block["block_id"].as_str(), element["action_id"].as_str());
            let (Some(at), Some(name)) = (at, name) else {
                return Err(self.cannot(format!("{label:?} has no name of the app's own")));
            };
            values.insert(at.to_owned(), json!({ name: value }));
        }
        Ok(Value::Object(values))
    }
}

impl SimSlack {
    /// The form that stands open before a person, if one does.
    pub fn modal(&self, user: &User) -> Option<Modal> {
        self.world.read(|state| state.modals.iter().rfind(|modal| modal.user == *user).cloned())
    }

    /// Waits, a minute at most, until a form stands open before a person.
    pub async fn wait_for_modal(&self, user: &User) -> Result<Modal, TimedOut> {
        let look = || lock(&self.world.state).modals.iter().rfind(|modal| modal.user == *user).cloned();
        let found = wait::until(&self.world.changes, PATIENCE, look).await;
        found.ok_or_else(|| TimedOut { waited_for: "a form".to_owned(), within: PATIENCE, instead: self.transcript() })
    }

    /// A person closes their form without sending it.
    pub fn closes(&self, modal: &Modal) {
        self.world.change(|state| state.modals.retain(|open| open.id != modal.id));
    }

    /// A person fills in fields, by their labels, and sends the form; returns when Slack has the app's answer. The form
    /// stays open where the app says what is wrong with it.
    pub async fn submits(&self, modal: &Modal, filled: &[(&str, Fill<'_>)]) -> Result<Delivery, CannotSubmit> {
        Ok(self.send_form(modal, &self.signed_submission(modal, filled)?).await)
    }

    /// The same, where a browser tells what stands in the fields.
    pub(in crate::sandbox) async fn submits_given(
        &self,
        modal: &Modal,
        given: &Value,
    ) -> Result<Delivery, CannotSubmit> {
        let values = self.world.read(|state| modal.values_given(state, given))?;
        Ok(self.send_form(modal, &self.signed_values(modal, values)).await)
    }

    /// The form of this id, if it stands open before this person.
    pub(in crate::sandbox) fn open_modal(&self, user: &User, id: &str) -> Option<Modal> {
        self.world.read(|state| state.modals.iter().find(|modal| modal.user == *user && modal.id == id).cloned())
    }

    async fn send_form(&self, modal: &Modal, request: &SignedRequest) -> Delivery {
        let mut delivery = self.attempt(request).await;
        if let (Some(answer), None) = (&delivery.answer, delivery.failure) {
            let body = answer.body.clone();
            delivery.failure = self.world.change(|state| take_answer(state, modal, &body));
        }
        delivery
    }

    /// The request that [`submits`](Self::submits) would send.
    pub fn signed_submission(&self, modal: &Modal, filled: &[(&str, Fill<'_>)]) -> Result<SignedRequest, CannotSubmit> {
        Ok(self.signed_values(modal, modal.values(filled)?))
    }

    fn signed_values(&self, modal: &Modal, values: Value) -> SignedRequest {
        let payload = self.world.change(|state| payload(state, modal, values));
        let url = self.world.read(|state| state.interactions_url.clone());
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload.to_string());
        self.signed_form(url, form.finish())
    }
}

/// `views.open`
pub(super) fn open(state: &mut State, workspace: &Workspace, arguments: &Map<String, Value>) -> Outcome {
    if let Some(key) = arguments.keys().find(|key| !["trigger_id", "view"].contains(&key.as_str())) {
        return Err(Refusal::new("invalid_arguments", format!("unknown argument {key}")));
    }
    let user = use_trigger(state, workspace, arguments.get("trigger_id").and_then(Value::as_str).unwrap_or_default())?;
    let view = arguments.get("view").cloned().unwrap_or_default();
    blocks::check_modal(&view).map_err(|detail| Refusal::new("invalid_arguments", detail))?;
    let id = format!("V{:08}", state.count());
    state.modals.push(Modal { id: id.clone(), errors: BTreeMap::new(), user, view });
    Ok(json!({ "view": { "id": id, "type": "modal" } }))
}

/// Whose press or command a `trigger_id` is from. It opens one thing, soon.
fn use_trigger(state: &mut State, workspace: &Workspace, trigger: &str) -> Result<User, Refusal> {
    let invalid = || Refusal::new("invalid_trigger_id", trigger);
    let number: u64 = trigger.split('.').next().and_then(|number| number.parse().ok()).ok_or_else(invalid)?;
    let hook = state.hooks.iter().find(|hook| hook.number == number && trigger_id(&hook.user, number) == trigger);
    let (user, made) = hook.map(|hook| (hook.user.clone(), hook.made)).ok_or_else(invalid)?;
    if !super::users::is_visible(state, workspace, &user) {
        return Err(invalid());
    }
    if state.now.duration_since(made) > TRIGGER_LIFE {
        return Err(Refusal::new("expired_trigger_id", "older than 3 s"));
    }
    if !state.used_triggers.insert(number) {
        return Err(Refusal::new("exchanged_trigger_id", "used already"));
    }
    Ok(user)
}

fn payload(state: &mut State, modal: &Modal, values: Value) -> Value {
    let number = state.count();
    let user = &modal.user;
    let workspace = state.workspace(&user.team);
    let org_wide = workspace.and_then(Workspace::org_wide).is_some();
    let mut view = modal.view.clone();
    for (key, value) in [
        ("id", json!(modal.id)),
        ("team_id", json!(user.team)),
        ("state", json!({ "values": values })),
        ("hash", json!(format!("1700000000.{number:06}"))),
        ("previous_view_id", Value::Null),
        ("root_view_id", json!(modal.id)),
        ("app_id", json!(APP_ID)),
        ("app_installed_team_id", json!(user.team)),
        ("bot_id", json!(workspace.map(Workspace::bot_id))),
    ] {
        view[key] = value;
    }
    json!({
        "type": "view_submission",
        "team": press::team(workspace, user),
        "user": press::user(workspace, user),
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id(user, number),
        "view": view,
        "response_urls": [],
        "is_enterprise_install": org_wide,
        "enterprise": press::enterprise(workspace),
    })
}

/// An empty answer closes the form; `errors` tells beside fields what is wrong with them.
fn take_answer(state: &mut State, modal: &Modal, body: &str) -> Option<Failure> {
    let Some(position) = state.modals.iter().position(|open| open.id == modal.id) else {
        state.complaints.push("a form that is not open was answered".to_owned());
        return Some(Failure::DispatchFailed);
    };
    if body.is_empty() {
        state.modals.remove(position);
        return None;
    }
    match errors(modal, body) {
        Ok(errors) => {
            state.modals[position].errors = errors;
            None
        }
        Err(why) => {
            state.complaints.push(format!("answer to a form: {why}"));
            Some(Failure::DispatchFailed)
        }
    }
}

fn errors(modal: &Modal, body: &str) -> Result<BTreeMap<String, String>, String> {
    let answer: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    if answer["response_action"] != "errors" {
        return Err(format!("response_action {} is not known here", answer["response_action"]));
    }
    let errors: BTreeMap<String, String> =
        serde_json::from_value(answer["errors"].clone()).map_err(|error| error.to_string())?;
    let is_field = |name: &String| {
        let mut inputs = list(&modal.view["blocks"]).iter().filter(|block| block["type"] == "input");
        inputs.any(|block| block["block_id"] == **name)
    };
    match errors.keys().find(|name| !is_field(name)) {
        Some(name) => Err(format!("there is no field {name:?}")),
        None if errors.is_empty() => Err("errors without one".to_owned()),
        None => Ok(errors),
    }
}

/// What stands in a field before anybody touches it.
fn initial(element: &Value) -> Value {
    let mut value = json!({ "type": element["type"] });
    for (from, to) in [
        ("initial_users", "selected_users"),
        ("initial_conversations", "selected_conversations"),
        ("initial_user", "selected_user"),
        ("initial_conversation", "selected_conversation"),
        ("initial_option", "selected_option"),
    ] {
        let kind = element["type"].as_str().unwrap_or_default();
        if key_of(kind) == Some(to) {
            let is_many = kind.starts_with("multi_");
            let given = element[from].clone();
            value[to] = if given.is_null() && is_many { json!([]) } else { given };
        }
    }
    value
}

/// Where the choice of an element is told.
fn key_of(kind: &str) -> Option<&'static str> {
    match kind {
        "multi_users_select" => Some("selected_users"),
        "multi_conversations_select" => Some("selected_conversations"),
        "users_select" => Some("selected_user"),
        "conversations_select" => Some("selected_conversation"),
        "radio_buttons" | "static_select" => Some("selected_option"),
        _ => None,
    }
}

/// An element with something put into it; nothing where it takes no such thing.
fn put(element: &Value, fill: Fill<'_>) -> Option<Value> {
    let kind = element["type"].as_str()?;
    let key = key_of(kind)?;
    let chosen = match (fill, key) {
        (Fill::People(users), "selected_users") => json!(users.iter().map(|user| &user.id).collect::<Vec<_>>()),
        (Fill::Channels(channels), "selected_conversations") => {
            json!(channels.iter().map(|channel| &channel.id).collect::<Vec<_>>())
        }
        (Fill::People(users), "selected_user") if users.len() <= 1 => json!(users.first().map(|user| &user.id)),
        (Fill::Channels(channels), "selected_conversation") if channels.len() <= 1 => {
            json!(channels.first().map(|channel| &channel.id))
        }
        (Fill::Choice(label), "selected_option") => {
            list(&element["options"]).iter().find(|option| text(&option["text"]) == label)?.clone()
        }
        _ => return None,
    };
    Some(json!({ "type": kind, key: chosen }))
}

/// What a browser says stands in a field, if the field offers that.
fn taken(state: &State, user: &User, element: &Value, given: &Value) -> Option<Value> {
    let kind = element["type"].as_str().filter(|kind| given["type"] == *kind)?;
    let key = key_of(kind)?;
    let is_person = |id: &Value| state.users.iter().any(|known| known.team == user.team && *id == known.id.as_str());
    let is_place = |id: &Value| {
        let mut known = state.channels.iter().filter(|channel| channel.team == user.team);
        known.any(|channel| *id == channel.id.as_str() && state.is_member(channel, &user.id))
    };
    let value = &given[key];
    let chosen = match key {
        "selected_option" if !value.is_null() => {
            list(&element["options"]).iter().find(|option| option["value"] == value["value"])?
        }
        "selected_users" => value.as_array().filter(|ids| ids.iter().all(is_person)).map(|_| value)?,
        "selected_conversations" => value.as_array().filter(|ids| ids.iter().all(is_place)).map(|_| value)?,
        "selected_user" if !value.is_null() => Some(value).filter(|id| is_person(id))?,
        "selected_conversation" if !value.is_null() => Some(value).filter(|id| is_place(id))?,
        _ => value,
    };
    Some(json!({ "type": kind, key: chosen }))
}

/// The single choices in what stands in a field.
fn chosen(value: &Value) -> impl Iterator<Item = String> {
    let key = value["type"].as_str().and_then(key_of).unwrap_or_default();
    let chosen = match &value[key] {
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(one) => vec![one.clone()],
        Value::Object(_) => vec![text(&value[key]["text"]).to_owned()],
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    };
    chosen.into_iter()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value["text"].as_str().unwrap_or_default()
}

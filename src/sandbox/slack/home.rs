//! The app's Home, which each person has for themselves: [`views.publish`](https://docs.slack.dev/reference/methods/views.publish),
//! the event when it is opened, and a press in it.
//!
//! [App Home](https://docs.slack.dev/surfaces/app-home),
//! [`app_home_opened`](https://docs.slack.dev/reference/events/app_home_opened)

use serde_json::{Map, Value, json};

use super::api::Outcome;
use super::button::{self, Button, Pick};
use super::delivery::{APP_ID, Delivery, VERIFICATION_TOKEN, trigger_id};
use super::people::{User, Workspace};
use super::post::{Post, Refusal};
use super::press::{self, CannotPress};
use super::world::State;
use super::{SimSlack, blocks, users, wait};
use crate::sandbox::wait::{PATIENCE, TimedOut};
use crate::sandbox::{SignedRequest, lock};

/// What one person sees under the app's name.
#[derive(Clone, Debug)]
pub struct Home {
    /// How often it was published.
    pub published: usize,
    /// What they see, a line for each block or more.
    pub shown: String,
    pub(super) user: User,
    pub(super) view: Value,
}

impl Home {
    /// The buttons, in order.
    pub fn buttons(&self) -> Vec<Button> {
        button::all(list(&self.view["blocks"]))
    }

    /// The view as it was published.
    pub fn json(&self) -> &Value {
        &self.view
    }
}

impl SimSlack {
    /// Switches the Home off in the app's settings, or on again.
    pub fn enable_home(&self, enabled: bool) {
        self.world.change(|state| state.has_no_home = !enabled);
    }

    /// What a person sees in their Home, if the app published one.
    pub fn home_of(&self, user: &User) -> Option<Home> {
        self.world.read(|state| state.homes.iter().find(|home| home.user == *user).cloned())
    }

    /// Waits, a minute at most, until a person's Home says something.
    pub async fn wait_for_home(&self, user: &User, words: &str) -> Result<Home, TimedOut> {
        let look = || {
            let state = lock(&self.world.state);
            state.homes.iter().find(|home| home.user == *user && home.shown.contains(words)).cloned()
        };
        let found = wait::until(&self.world.changes, PATIENCE, look).await;
        let instead = || self.home_of(user).map_or_else(|| "no Home".to_owned(), |home| home.shown);
        found.ok_or_else(|| TimedOut { waited_for: words.to_owned(), within: PATIENCE, instead: instead() })
    }

    /// A person opens their Home; returns when Slack has the app's answer to the event.
    pub async fn opens_home(&self, user: &User) -> Delivery {
        self.attempt(&self.signed_opening(user, "home")).await
    }

    /// The event that tells that a person opened a tab of the app.
    pub fn signed_opening(&self, user: &User, tab: &str) -> SignedRequest {
        let workspace =
            self.world.read(|state| state.workspace(&user.team).cloned()).unwrap_or_else(|| self.home.clone());
        let mut event = json!({
            "type": "app_home_opened",
            "user": user.id,
            "channel": self.direct_message_with_app(user).id,
            "tab": tab,
            "event_ts": "1700000000.000001",
        });
        if let Some(home) = self.home_of(user) {
            event["view"] = home.view;
        }
        self.event_in(&workspace, &event, self.clock().now(), Some(&workspace.id))
    }

    /// A person presses the first button of this label in their Home, and says yes where it asks; returns when Slack has
    /// the app's answer.
    pub async fn presses_in_home(&self, user: &User, label: &str) -> Result<Delivery, CannotPress> {
        Ok(self.attempt(&self.signed_press_in_home(user, label)?).await)
    }

    /// The same, of the button of these names.
    pub(in crate::sandbox) async fn presses_named_in_home(
        &self,
        user: &User,
        (block_id, action_id): (&str, &str),
    ) -> Result<Delivery, CannotPress> {
        Ok(self.attempt(&self.signed_picked_in_home(user, Pick::Named { block_id, action_id })?).await)
    }

    /// The request that [`presses_in_home`](Self::presses_in_home) would send.
    pub fn signed_press_in_home(&self, user: &User, label: &str) -> Result<SignedRequest, CannotPress> {
        self.signed_picked_in_home(user, Pick::Labeled(label))
    }

    fn signed_picked_in_home(&self, user: &User, pick: Pick<'_>) -> Result<SignedRequest, CannotPress> {
        let home = self.home_of(user).ok_or_else(|| CannotPress::new(pick, "there is no Home", String::new()))?;
        let payload = self.world.change(|state| payload(state, &home, pick));
        let payload =
            payload.ok_or_else(|| CannotPress::new(pick, "the Home has no such button", home.shown.clone()))?;
        let url = self.world.read(|state| state.interactions_url.clone());
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload.to_string());
        Ok(self.signed_form(url, form.finish()))
    }
}

/// `views.publish`
pub(super) fn publish(state: &mut State, workspace: &Workspace, arguments: &Map<String, Value>) -> Outcome {
    if let Some(key) = arguments.keys().find(|key| !["user_id", "view", "hash"].contains(&key.as_str())) {
        return Err(Refusal::new("invalid_arguments", format!("unknown argument {key}")));
    }
    if state.has_no_home {
        return Err(Refusal::new("not_enabled", "the Home tab is off"));
    }
    let id = arguments.get("user_id").and_then(Value::as_str).unwrap_or_default();
    let user = state.users.iter().find(|user| user.id == id && users::is_visible(state, workspace, user));
    let user = user.cloned().ok_or_else(|| Refusal::new("invalid_arguments", format!("no such user: {id}")))?;
    let mut view = arguments.get("view").cloned().unwrap_or_default();
    blocks::check_home(&view).map_err(|detail| Refusal::new("invalid_arguments", detail))?;
    if let Some(blocks) = view["blocks"].as_array_mut() {
        button::name_all(blocks);
    }
    let former = state.homes.iter().position(|home| home.user == user).map(|at| state.homes.remove(at));
    let published = former.as_ref().map_or(0, |home| home.published) + 1;
    let number = state.count();
    for (key, value) in [
        ("id", former.map_or_else(|| json!(format!("V{number:08}")), |home| home.view["id"].clone())),
        ("team_id", json!(user.team)),
        ("app_id", json!(APP_ID)),
        ("bot_id", json!(workspace.bot_id())),
        ("hash", json!(format!("1700000000.{number:06}"))),
        ("state", json!({ "values": {} })),
    ] {
        view[key] = value;
    }
    let shown = state.shown(&Post { blocks: list(&view["blocks"]).to_vec(), ..Post::default() });
    let answered = json!({ "view": view });
    state.homes.push(Home { published, shown, user, view });
    Ok(answered)
}

/// A press in a view: no channel, no message and no `response_url`.
fn payload(state: &mut State, home: &Home, pick: Pick<'_>) -> Option<Value> {
    let number = state.count();
    let (block, element) = button::picked(list(&home.view["blocks"]), pick)?;
    let user = &home.user;
    let workspace = state.workspace(&user.team);
    Some(json!({
        "type": "block_actions",
        "user": press::user(workspace, user),
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "container": { "type": "view", "view_id": home.view["id"] },
        "trigger_id": trigger_id(user, number),
        "team": press::team(workspace, user),
        "enterprise": press::enterprise(workspace),
        "is_enterprise_install": workspace.and_then(Workspace::org_wide).is_some(),
        "view": home.view,
        "actions": [press::action(block, element, number)],
    }))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

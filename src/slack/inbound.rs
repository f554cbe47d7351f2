//! Whether a request comes from Slack, and what it says.
//!
//! The order is the safety: [`verify`] looks at raw bytes and gives a [`Verified`] that cannot be made otherwise, and
//! only that can be decoded. An error says nothing of the body or of the signature that would have been right.
//!
//! [Verifying requests](https://docs.slack.dev/authentication/verifying-requests-from-slack)

mod event;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{self, HeaderMap};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

pub use self::event::{Event, decode_event};
use super::modal::{self, View};
use super::{home, render};
use crate::id::{ChannelId, DeliveryId, EnterpriseId, Person, Reference, TeamId, UserId, Workspace};
use crate::invocation::{Carried, CommandText, Invocation, ReplyTo, Submission};
use crate::secret::Secret;

/// The most bytes a request of Slack may have.
pub const MAX_BODY: usize = 64 * 1024;

/// When Slack says that it sent the request.
const STAMP: &str = "x-slack-request-timestamp";

/// How far a request's time may be from ours, in seconds, either way.
const MAX_SKEW: i64 = 300;

/// A body whose signature and time were checked. It does not print: what a person typed is in it.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
    /// When it was signed, in seconds.
    signed_at: i64,
    delivery: [u8; 32],
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// The request is not Slack's, or not of now. Deliberately without detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not signed by Slack, or not now")]
pub struct Unverified;

/// The request is Slack's, but not of the form expected here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadShape {
    /// Not `application/x-www-form-urlencoded` (or JSON, for events).
    #[error("wrong content type")]
    ContentType,
    /// A field is missing, twice there, or not what it should be.
    #[error("bad field {0}")]
    Field(&'static str),
}

impl Verified<'_> {
    /// Names this delivery: the same bytes signed at the same second have the same name, and names sort by that second. A
    /// store that keeps its records in order then has those that come together in one place.
    pub fn delivery(&self) -> DeliveryId {
        DeliveryId::new(format!("{}-{}", self.signed_at, hex::encode(self.delivery)))
    }
}

/// Whether this is Slack's check of the certificate, which is not sure to be signed. The answer is an empty 200, and
/// nothing else in the body is looked at.
pub fn is_ssl_check(body: &[u8]) -> bool {
    // Nobody escapes these letters, so what has to be decoded is something else.
    body.split(|byte| *byte == b'&').any(|field| field == b"ssl_check=1")
}

/// Checks the time, then the signature over the raw bytes against every secret, in constant time.
pub fn verify<'a>(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &'a [u8],
    now: Timestamp,
) -> Result<Verified<'a>, Unverified> {
    let stamp = only(headers, STAMP).ok_or(Unverified)?;
    let signature = only(headers, "x-slack-signature").ok_or(Unverified)?;
    if stamp.is_empty() || !stamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unverified);
    }
    let sent: i64 = stamp.parse().map_err(|_| Unverified)?;
    if now.as_second().abs_diff(sent) > MAX_SKEW.unsigned_abs() {
        return Err(Unverified);
    }
    let claimed = hex::decode(signature.strip_prefix("v0=").ok_or(Unverified)?).map_err(|_| Unverified)?;
    // Every secret is tried, so that the time taken does not tell which one matched.
    let good = secrets.iter().fold(false, |good, secret| secret.has_signed(stamp, body, &claimed) | good);
    if !good {
        return Err(Unverified);
    }
    Ok(Verified { body, signed_at: sent, delivery: Sha256::digest(&claimed).into() })
}

/// The value of a header that is there exactly once; a second one would let two readers disagree.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Reads a slash command.
///
/// [The payload](https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling)
pub fn decode_command(
    verified: &Verified<'_>,
    headers: &HeaderMap,
    hooks_url: &str,
    reference: Reference,
    now: Timestamp,
) -> Result<Invocation, BadShape> {
    expect_content_type(headers, "application/x-www-form-urlencoded")?;
    let form = Form::read(verified.body)?;
    Ok(Invocation {
        reference,
        person: Person {
            enterprise: form.optional_id("enterprise_id")?.map(EnterpriseId::new),
            team: TeamId::new(form.id("team_id")?),
            user: UserId::new(form.id("user_id")?),
        },
        user_name: form.text("user_name"),
        team_domain: form.text("team_domain"),
        channel: ChannelId::new(form.id("channel_id")?),
        command: form.command()?,
        text: CommandText::new(form.text("text")),
        press: None,
        trigger: trigger(form.text("trigger_id")),
        reply_to: Some(reply_to(form.text("response_url"), hooks_url)?),
        received_at: now,
        waited: SignedDuration::ZERO,
    })
}

/// What an interaction asks for.
#[derive(Debug)]
pub enum Interaction {
    /// One of our buttons was pressed.
    Press(Box<Invocation>),
    /// One of our forms was sent.
    Form(Box<Submission>),
    /// Somebody wants to see their Home as it is now.
    Home(Person),
    /// Nothing, as the press of a button that opens a page.
    Nothing,
}

/// Reads a press of one of our buttons, or a form of ours that was sent.
///
/// [Presses](https://docs.slack.dev/reference/interaction-payloads/block_actions-payload),
/// [forms](https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload)
pub fn decode_interaction(
    verified: &Verified<'_>,
    headers: &HeaderMap,
    hooks_url: &str,
    reference: Reference,
    now: Timestamp,
) -> Result<Interaction, BadShape> {
    expect_content_type(headers, "application/x-www-form-urlencoded")?;
    let form = Form::read(verified.body)?;
    let payload: Payload = serde_json::from_str(&form.text("payload")).map_err(|_| BadShape::Field("payload"))?;
    let interaction = match payload.kind.as_str() {
        "block_actions" if payload.view.is_some() => pressed_in_home(payload, reference, now)?,
        "block_actions" => pressed(payload, hooks_url, reference, now)?.map(Box::new).map(Interaction::Press),
        "view_submission" => sent(payload, reference, now)?.map(Box::new).map(Interaction::Form),
        _ => None,
    };
    Ok(interaction.unwrap_or(Interaction::Nothing))
}

fn pressed(
    payload: Payload,
    hooks_url: &str,
    reference: Reference,
    now: Timestamp,
) -> Result<Option<Invocation>, BadShape> {
    let Some(value) = value_of(&payload)? else { return Ok(None) };
    let team = payload.team.as_ref();
    let enterprise = payload.enterprise.map(|enterprise| plain_id("enterprise", enterprise.id)).transpose()?;
    let enterprise = enterprise.map(EnterpriseId::new);
    // An app that the whole organization installed gets no team. The button tells where it stands; what Slack tells of the
    // person's own may be another workspace of the organization.
    let carried = value.workspace.filter(|carried| carried.enterprise == enterprise).map(|carried| carried.team);
    let team_id = match (team, carried, payload.user.team_id) {
        (Some(team), ..) => TeamId::new(plain_id("team", team.id.clone())?),
        (None, Some(carried), _) => carried,
        (None, None, Some(own)) => TeamId::new(plain_id("team", own)?),
        (None, None, None) => return Err(BadShape::Field("team")),
    };
    Ok(Some(Invocation {
        reference,
        person: Person { enterprise, team: team_id, user: UserId::new(plain_id("user", payload.user.id)?) },
        user_name: payload.user.username.unwrap_or_default(),
        team_domain: team.and_then(|team| team.domain.clone()).unwrap_or_default(),
        channel: ChannelId::new(plain_id("channel", payload.channel.ok_or(BadShape::Field("channel"))?.id)?),
        command: value.command,
        text: CommandText::new(""),
        press: Some(value.press),
        trigger: trigger(payload.trigger_id.unwrap_or_default()),
        reply_to: Some(reply_to(payload.response_url.unwrap_or_default(), hooks_url)?),
        received_at: now,
        waited: SignedDuration::ZERO,
    }))
}

/// A press in a Home has no channel and no `response_url`: both are the person's direct message with the bot. The Home names
/// its workspace itself, as a form does.
fn pressed_in_home(
    mut payload: Payload,
    reference: Reference,
    now: Timestamp,
) -> Result<Option<Interaction>, BadShape> {
    let Some(view) = payload.view.take().filter(|view| view.callback_id == home::HOME) else { return Ok(None) };
    let workspace: Workspace =
        serde_json::from_str(&view.private_metadata).map_err(|_| BadShape::Field("private_metadata"))?;
    let Workspace { enterprise, team } = in_workspace(&payload, workspace)?;
    let user = UserId::new(plain_id("user", std::mem::take(&mut payload.user.id))?);
    let person = Person { enterprise, team, user };
    if payload.actions.iter().any(|action| action.action_id == render::REFRESH) {
        return Ok(Some(Interaction::Home(person)));
    }
    let Some(value) = value_of(&payload)? else { return Ok(None) };
    let invocation = Invocation {
        reference,
        channel: ChannelId::new(person.user.as_str()),
        person,
        user_name: payload.user.username.unwrap_or_default(),
        team_domain: payload.team.and_then(|team| team.domain).unwrap_or_default(),
        command: value.command,
        text: CommandText::new(""),
        press: Some(value.press),
        trigger: trigger(payload.trigger_id.unwrap_or_default()),
        reply_to: None,
        received_at: now,
        waited: SignedDuration::ZERO,
    };
    Ok(Some(Interaction::Press(Box::new(invocation))))
}

/// What the button says that was pressed, if it is one of ours that says something.
fn value_of(payload: &Payload) -> Result<Option<render::Value>, BadShape> {
    let action = payload.actions.iter().find(|action| action.action_id.starts_with(render::PRESS));
    let read = |action: &PressedAction| serde_json::from_str(action.value.as_deref().unwrap_or_default());
    action.map(read).transpose().map_err(|_| BadShape::Field("value"))
}

/// The workspace that a view of ours names, unless Slack names another one.
fn in_workspace(payload: &Payload, carried: Workspace) -> Result<Workspace, BadShape> {
    let is_same_team = payload.team.as_ref().is_none_or(|team| team.id == carried.team.as_str());
    let enterprise = payload.enterprise.as_ref().map(|enterprise| EnterpriseId::new(&*enterprise.id));
    let is_same = is_same_team && (enterprise.is_none() || enterprise == carried.enterprise);
    if is_same { Ok(carried) } else { Err(BadShape::Field("team")) }
}

/// A form names the workspace it was opened for itself: where the whole organization installed the app, Slack names none,
/// and what it says of the person's own may be the organization.
fn sent(mut payload: Payload, reference: Reference, now: Timestamp) -> Result<Option<Submission>, BadShape> {
    let view = payload.view.take().ok_or(BadShape::Field("view"))?;
    if view.callback_id != modal::FORM {
        return Ok(None);
    }
    let carried: Carried =
        serde_json::from_str(&view.private_metadata).map_err(|_| BadShape::Field("private_metadata"))?;
    let Workspace { enterprise, team } = in_workspace(&payload, carried.workspace.clone())?;
    let user = UserId::new(plain_id("user", payload.user.id)?);
    let answers = view.answers(|id| plain_id("answer", id))?;
    Ok(Some(Submission { reference, person: Person { enterprise, team, user }, carried, answers, received_at: now }))
}

/// What is read of an interaction. `team` is null where the whole organization installed the app.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    team: Option<Team>,
    enterprise: Option<Named>,
    #[serde(default)]
    user: Presser,
    channel: Option<Named>,
    response_url: Option<String>,
    trigger_id: Option<String>,
    view: Option<View>,
    #[serde(default)]
    actions: Vec<PressedAction>,
}

#[derive(Deserialize)]
struct Team {
    id: String,
    domain: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Default, Deserialize)]
struct Presser {
    id: String,
    username: Option<String>,
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct PressedAction {
    #[serde(default)]
    action_id: String,
    value: Option<String>,
}

fn expect_content_type(headers: &HeaderMap, expected: &str) -> Result<(), BadShape> {
    let given = only(headers, header::CONTENT_TYPE.as_str()).ok_or(BadShape::ContentType)?;
    let media = given.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(BadShape::ContentType) }
}

/// How many fields a command has.
const USUAL_FIELDS: usize = 16;

/// A decoded form in which no field stands twice.
struct Form<'a>(HashMap<Cow<'a, str>, Cow<'a, str>>);

impl<'a> Form<'a> {
    fn read(body: &'a [u8]) -> Result<Self, BadShape> {
        if std::str::from_utf8(body).is_err() {
            return Err(BadShape::Field("body"));
        }
        let mut fields = HashMap::with_capacity(USUAL_FIELDS);
        for (name, value) in form_urlencoded::parse(body) {
            if fields.insert(name, value).is_some() {
                return Err(BadShape::Field("a field given twice"));
            }
        }
        Ok(Self(fields))
    }

    fn text(&self, name: &str) -> String {
        self.0.get(name).map(|text| text.as_ref().to_owned()).unwrap_or_default()
    }

    fn id(&self, name: &'static str) -> Result<String, BadShape> {
        self.optional_id(name)?.ok_or(BadShape::Field(name))
    }

    fn optional_id(&self, name: &'static str) -> Result<Option<String>, BadShape> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(|text| plain_id(name, text)).transpose()
    }

    fn command(&self) -> Result<String, BadShape> {
        let command = self.text("command");
        let plain = command.len() <= 64 && !command.chars().any(|c| c.is_whitespace() || "<>&`".contains(c));
        if plain && command.len() > 1 && command.starts_with('/') {
            Ok(command)
        } else {
            Err(BadShape::Field("command"))
        }
    }
}

/// Ids become parts of store keys, so what could be taken for a separator there is refused.
fn plain_id(name: &'static str, text: String) -> Result<String, BadShape> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let good = (1..=64).contains(&text.len()) && text.bytes().all(plain);
    if good { Ok(text) } else { Err(BadShape::Field(name)) }
}

fn trigger(id: String) -> Option<Secret> {
    Some(id).filter(|id| (1..=255).contains(&id.len())).map(Secret::new)
}

/// The host is checked as a prefix that ends in a slash, so that nothing can follow it but a path.
fn reply_to(url: String, hooks_url: &str) -> Result<ReplyTo, BadShape> {
    let path = url.strip_prefix(hooks_url).and_then(|rest| rest.strip_prefix('/'));
    match path {
        Some(path) if !path.is_empty() && url.len() <= 2048 => Ok(ReplyTo::new(url)),
        _ => Err(BadShape::Field("response_url")),
    }
}

#[cfg(test)]
mod tests;

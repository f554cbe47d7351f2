//! The REST calls OnAir makes: who am I, what is this meeting, start and stop its stream.
//!
//! [Users](https://developers.zoom.us/docs/api/users/), [meetings and webinars](https://developers.zoom.us/docs/api/meetings/),
//! [errors](https://developers.zoom.us/docs/api/errors/)

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::body::{self, Order};
use super::world::{Action, Kind, Meeting, State, Stream, ToStrangers, User};
use crate::sandbox::Fault;
use crate::sandbox::wire::{Answer, Recorded};

/// One start per meeting in this time.
const BETWEEN_STARTS: SignedDuration = SignedDuration::from_secs(30);

/// Zoom says no.
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    code: u32,
    message: String,
    fields: Vec<String>,
}

impl Refused {
    pub(super) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: Vec::new() }
    }

    pub(super) fn validation(fields: Vec<String>) -> Self {
        Self { fields, ..Self::new(400, 300, "Validation Failed.") }
    }

    /// Whether the app did something wrong, rather than the world being so.
    fn is_blunder(&self) -> bool {
        matches!(self.status, 405 | 415) || self.code == 300 || self.code == 2300
    }

    fn answer(&self, wants_json: bool) -> Answer {
        if !wants_json {
            let message = self.message.replace('&', "&amp;").replace('<', "&lt;");
            let xml = format!("<error><code>{}</code><message>{message}</message></error>", self.code);
            return Answer::new(self.status, xml).with("content-type", "application/xml;charset=UTF-8");
        }
        let mut body = json!({ "code": self.code, "message": self.message });
        if !self.fields.is_empty() {
            let errors = self.fields.iter().map(|field| json!({ "field": field, "message": "Invalid field." }));
            body["errors"] = errors.collect();
        }
        Answer::json(self.status, &body)
    }
}

/// Answers a call under `/v2`.
pub(super) fn answer(state: &mut State, now: Timestamp, request: &Recorded) -> Answer {
    let wants_json = request.header("accept").is_some_and(|accept| accept.contains("application/json"));
    if !wants_json {
        state.complaints.push(format!("{} {}: no Accept: application/json", request.method, request.path));
    }
    match call(state, now, request) {
        Ok(Value::Null) => Answer::new(204, ""),
        Ok(body) => Answer::json(200, &body),
        Err(refused) => {
            if refused.is_blunder() {
                let Refused { status, code, message, fields } = &refused;
                let what = format!("{} {}: {status}/{code} {message} {fields:?}", request.method, request.path);
                state.complaints.push(what);
            }
            refused.answer(wants_json)
        }
    }
}

fn call(state: &mut State, now: Timestamp, request: &Recorded) -> Result<Value, Refused> {
    let caller = Caller::of(state, now, request)?;
    let path: Vec<&str> = request.path.split('/').skip(1).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["v2", "users", "me"]) => {
            caller.needs("user:read:user")?;
            Ok(user_json(&caller.user))
        }
        ("GET", ["v2", "meetings", id]) => {
            caller.needs("meeting:read:meeting")?;
            let id = meeting_number(id, "meeting")?;
            Ok(meeting_json(&*found(state, &caller, id, Kind::Meeting)?, &caller.user))
        }
        ("PATCH", ["v2", "meetings", id, "livestream", "status"]) => {
            caller.needs("meeting:update:livestream_status")?;
            status_call(state, now, &caller, request, (id, Kind::Meeting))
        }
        ("PATCH", ["v2", "webinars", id, "livestream", "status"]) => {
            caller.needs("webinar:update:livestream_status")?;
            status_call(state, now, &caller, request, (id, Kind::Webinar))
        }
        _ => Err(Refused::new(404, 2300, "This API endpoint is not recognized.")),
    }
}

struct Caller {
    user: User,
    scopes: Vec<String>,
}

impl Caller {
    fn of(state: &State, now: Timestamp, request: &Recorded) -> Result<Self, Refused> {
        let invalid = || Refused::new(401, 124, "Invalid access token.");
        let token = request.bearer().ok_or_else(invalid)?;
        let live = state.grants.iter().filter(|grant| grant.alive);
        let mut known = live.flat_map(|grant| grant.access.iter().map(move |(access, ends)| (grant, access, *ends)));
        let (grant, _, ends) = known.find(|(_, access, _)| *access == token).ok_or_else(invalid)?;
        if now >= ends {
            return Err(Refused::new(401, 124, "Access token is expired."));
        }
        let user = state.user(&grant.user).filter(|user| user.exists);
        let user = user.ok_or_else(|| Refused::new(404, 1001, format!("User does not exist: {}.", grant.user)))?;
        Ok(Self { user: user.clone(), scopes: grant.scopes.clone() })
    }

    fn needs(&self, scope: &str) -> Result<(), Refused> {
        if self.scopes.iter().any(|granted| granted == scope) {
            return Ok(());
        }
        let message = format!("Invalid access token, does not contain scopes:[{scope}, {scope}:admin].");
        Err(Refused::new(400, 4711, message))
    }
}

fn meeting_number(text: &str, what: &str) -> Result<u64, Refused> {
    let plain = (8..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| plain);
    number.ok_or_else(|| Refused::new(400, 300, format!("Invalid {what} ID.")))
}

/// The meeting or webinar, if this user may touch it and it is of the kind that was asked for.
fn found<'a>(state: &'a mut State, caller: &Caller, id: u64, kind: Kind) -> Result<&'a mut Meeting, Refused> {
    let missing = || {
        let what = if kind == Kind::Meeting { "Meeting" } else { "Webinar" };
        Refused::new(404, 3001, format!("{what} does not exist: {id}."))
    };
    let meeting = state.meeting(id).ok_or_else(missing)?;
    if meeting.host != caller.user.id {
        return Err(match meeting.to_strangers {
            ToStrangers::Missing => missing(),
            ToStrangers::OtherAccount => {
                let message = format!("User does not belong to this account: {}.", caller.user.account_id);
                Refused::new(400, 1010, message)
            }
        });
    }
    match (kind, meeting.kind) {
        (Kind::Meeting, Kind::Webinar) => Err(Refused::new(400, 3000, "Cannot access webinar info.")),
        (Kind::Webinar, Kind::Meeting) => Err(missing()),
        (Kind::Meeting, Kind::Meeting) | (Kind::Webinar, Kind::Webinar) => Ok(meeting),
    }
}

fn status_call(
    state: &mut State,
    now: Timestamp,
    caller: &Caller,
    request: &Recorded,
    (id, kind): (&str, Kind),
) -> Result<Value, Refused> {
    let what = if kind == Kind::Meeting { "meeting" } else { "webinar" };
    let id = meeting_number(id, what)?;
    let order = body::order(request, kind)?;
    let meeting = found(state, caller, id, kind)?;
    match kind {
        Kind::Meeting => meeting_may(meeting, &caller.user)?,
        Kind::Webinar => webinar_may(meeting, &caller.user)?,
    }
    let action = order.action;
    carry_out(meeting, order, now)?;
    state.carried_out.push((id, action));
    Ok(Value::Null)
}

/// A meeting's conditions, in the order in which a person can cure them.
fn meeting_may(meeting: &Meeting, host: &User) -> Result<(), Refused> {
    if !host.licensed {
        let message = "Your user account is not allowed meeting hosting and scheduling capabilities.";
        return Err(Refused::new(400, 3161, message));
    }
    if meeting.e2ee {
        let message = "End-to-end encrypted meetings currently do not support the livestreaming feature.";
        return Err(Refused::new(400, 4400, message));
    }
    if !meeting.streaming_allowed {
        let message = "Not allowed to start live streaming. To use this feature, enable the \"Allow livestreaming of \
                       meetings\" setting in the Zoom web portal.";
        return Err(Refused::new(400, 3000, message));
    }
    if !meeting.running {
        return Err(Refused::new(400, 4927, format!("Meeting {} has not started.", thousands(meeting.id))));
    }
    Ok(())
}

fn webinar_may(webinar: &Meeting, host: &User) -> Result<(), Refused> {
    if !host.webinar_plan {
        let message = "Webinar plan is missing. You must subscribe to the webinar plan and enable webinars for this \
                       user in order to perform this action.";
        return Err(Refused::new(400, 200, message));
    }
    if !webinar.streaming_allowed || !webinar.target_set {
        let message = "The current webinar is not configured with a custom streaming service.";
        return Err(Refused::new(400, 3000, message));
    }
    if !webinar.running || webinar.practice_session {
        return Err(Refused::new(400, 200, format!("Webinar {} has not started.", thousands(webinar.id))));
    }
    Ok(())
}

fn carry_out(meeting: &mut Meeting, order: Order, now: Timestamp) -> Result<(), Refused> {
    match order.action {
        Action::Start => {
            if meeting.last_start.is_some_and(|last| now.duration_since(last) < BETWEEN_STARTS) {
                let message = "Too many requests to start the live stream of this meeting. If the live stream has \
                               not started, try again after 30 seconds.";
                return Err(Refused::new(429, 429, message));
            }
            meeting.last_start = Some(now);
            if meeting.target_set && meeting.stream == Stream::Idle {
                meeting.stream = Stream::Live { since: now, settings: order.settings };
            }
        }
        Action::Stop if meeting.kind == Kind::Webinar && meeting.stream == Stream::Idle => {
            return Err(Refused::new(400, 200, format!("Webinar {} has not started.", thousands(meeting.id))));
        }
        Action::Stop => meeting.stream = Stream::Idle,
        Action::Mode => {
            if let Stream::Live { settings, .. } = &mut meeting.stream {
                *settings = order.settings;
            }
        }
    }
    Ok(())
}

/// As Zoom prints numbers inside messages: `82,929,473,321`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn user_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "account_id": user.account_id,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.display_name,
        "type": if user.licensed { 2 } else { 1 },
        "pmi": user.pmi,
        "status": "active",
    })
}

fn meeting_json(meeting: &Meeting, host: &User) -> Value {
    json!({
        "id": meeting.id,
        "uuid": format!("uuid{}==", meeting.id),
        "host_id": host.id,
        "host_email": host.email,
        "topic": meeting.topic,
        "type": 2,
        "status": if meeting.running { "started" } else { "waiting" },
        // A bearer of the host's power, as at Zoom.
        "start_url": format!("https://zoom.us/s/{}?zak=zak-canary", meeting.id),
        "join_url": format!("https://zoom.us/j/{}", meeting.id),
        "settings": { "encryption_type": if meeting.e2ee { "e2ee" } else { "enhanced_encryption" } },
    })
}

/// An answer in Zoom's error envelope, as a fault: what Zoom says beyond what this world can be brought to.
pub fn refusal(status: u16, code: u32, message: &str) -> Fault {
    Fault::json(status, &json!({ "code": code, "message": message }))
}

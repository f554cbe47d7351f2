//! The REST calls, as far as every call is like every other: the token, the scope, the id, and how Zoom says no.
//!
//! [Users](https://developers.zoom.us/docs/api/users/), [meetings and webinars](https://developers.zoom.us/docs/api/meetings/),
//! [errors](https://developers.zoom.us/docs/api/errors/)

use jiff::Timestamp;
use serde_json::{Value, json};

use super::meeting::{Kind, Meeting, ToStrangers};
use super::world::{State, User};
use super::{event, status, target};
use crate::sandbox::Fault;
use crate::sandbox::wire::{Answer, Recorded};

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

/// One call: by whom, when and with what.
pub(super) struct Call<'a> {
    pub(super) caller: Caller,
    pub(super) now: Timestamp,
    pub(super) request: &'a Recorded,
}

/// What a call is about: the number of something, and what it is taken for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    id: u64,
    pub(super) kind: Kind,
}

impl Place {
    fn read(id: &str, kind: Kind) -> Result<Self, Refused> {
        let plain = (8..=12).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        let number = id.parse().ok().filter(|_| plain);
        let id = number.ok_or_else(|| Refused::new(400, 300, format!("Invalid {} ID.", kind.word())))?;
        Ok(Self { id, kind })
    }
}

fn call(state: &mut State, now: Timestamp, request: &Recorded) -> Result<Value, Refused> {
    let call = Call { caller: Caller::of(state, now, request)?, now, request };
    let path: Vec<&str> = request.path.split('/').skip(1).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["v2", "users", "me"]) => {
            call.caller.needs("user:read:user")?;
            Ok(user_json(&call.caller.user))
        }
        ("GET", ["v2", "users", "me", "settings"]) => {
            call.caller.needs("user:read:settings")?;
            Ok(settings_json(&call.caller.user))
        }
        ("GET", ["v2", "meetings", id]) => {
            call.caller.needs("meeting:read:meeting")?;
            let meeting = found(state, &call.caller, Place::read(id, Kind::Meeting)?)?;
            Ok(meeting_json(meeting, &call.caller.user))
        }
        (_, ["v2", "meetings", id, rest @ ..]) => stream_call(state, &call, (id, Kind::Meeting), rest),
        (_, ["v2", "webinars", id, rest @ ..]) => stream_call(state, &call, (id, Kind::Webinar), rest),
        _ => Err(unknown()),
    }
}

/// The calls that meetings and webinars have alike.
fn stream_call(state: &mut State, call: &Call<'_>, (id, kind): (&str, Kind), rest: &[&str]) -> Result<Value, Refused> {
    type CarryOut = fn(&mut State, &Call<'_>, Place) -> Result<Value, Refused>;
    let (scope, carry_out): (&str, CarryOut) = match (call.request.method.as_str(), rest) {
        ("GET", ["livestream"]) => ("read:livestream", target::read),
        ("PATCH", ["livestream"]) => ("update:livestream", target::write),
        ("PATCH", ["livestream", "status"]) => ("update:livestream_status", status::call),
        _ => return Err(unknown()),
    };
    call.caller.needs(&format!("{}:{scope}", kind.word()))?;
    carry_out(state, call, Place::read(id, kind)?)
}

fn unknown() -> Refused {
    Refused::new(404, 2300, "This API endpoint is not recognized.")
}

/// Whose token a request bears, and what it is good for.
pub(super) struct Caller {
    pub(super) user: User,
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

/// The meeting or webinar, if this user may touch it and it is of the kind that was asked for.
pub(super) fn found<'a>(
    state: &'a mut State,
    caller: &Caller,
    Place { id, kind }: Place,
) -> Result<&'a mut Meeting, Refused> {
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

fn settings_json(user: &User) -> Value {
    let streaming = user.licensed && user.streaming_allowed;
    let custom = streaming && user.custom_streaming_allowed;
    let mut services = vec!["facebook", "youtube"];
    if custom {
        services.push("custom_live_streaming_service");
    }
    json!({
        "in_meeting": {
            "allow_live_streaming": streaming,
            "custom_live_streaming_service": custom,
            "custom_service_instructions": "",
            "live_streaming_facebook": streaming,
            "live_streaming_youtube": streaming,
            "webinar_live_streaming": {
                "enable": streaming && user.webinar_plan,
                "live_streaming_service": if streaming && user.webinar_plan { services } else { Vec::new() },
            },
        },
    })
}

fn meeting_json(meeting: &Meeting, host: &User) -> Value {
    json!({
        "id": meeting.id,
        "uuid": meeting.uuid,
        "host_id": host.id,
        "host_email": host.email,
        "topic": meeting.topic,
        "type": 2,
        "start_time": event::seconds(meeting.begins),
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

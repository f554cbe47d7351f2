//! What Zoom's answer means: the one place that reads its statuses, codes and messages.
//!
//! Pure. The Zoom door turns bytes into an [`Attempt`]; [`judge`] turns that into an [`Outcome`]; words are chosen
//! elsewhere. Zoom's codes are not unique across endpoints and move between releases, so a message family decides
//! where one is known, and the code and the status only after it.
//!
//! [Zoom's errors](https://developers.zoom.us/docs/api/errors/)

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What was asked of Zoom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `{"action":"start"}`
    Start,
    /// `{"action":"stop"}`
    Stop,
}

/// How one call to Zoom ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Zoom answered.
    Answered(Answer),
    /// The request was sent and no whole answer came: time-out, or the connection was cut.
    NoAnswer,
    /// The request never left: refused, no route, no name, or no TLS.
    NotSent,
}

/// An answer of Zoom's API, read as far as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `code` of the body, JSON or XML.
    pub code: Option<i64>,
    /// `message` of the body, or nothing. Zoom's words: escape them before showing.
    pub message: String,
    /// `errors` of the body: which fields failed validation.
    pub fields: Vec<FieldError>,
    /// What the headers say about limits.
    pub limit: LimitHeaders,
    /// `x-zm-trackingid`, which Zoom's support asks for.
    pub tracking_id: Option<String>,
}

/// One field that Zoom did not accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Its name as Zoom has it, such as `settings.display_name`.
    pub field: String,
    /// Zoom's words.
    pub message: String,
}

/// Rate limit headers. All are documented somewhere, none are sure to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitHeaders {
    /// `X-RateLimit-Type`: `QPS` or `Daily-limit`.
    pub kind: Option<String>,
    /// `Retry-After`, resolved to a time, from any of its forms.
    pub retry_at: Option<Timestamp>,
}

impl LimitHeaders {
    /// Reads `Retry-After` as seconds, as an HTTP date, or as the ISO 8601 date-time of Zoom's daily limit.
    pub fn read(kind: Option<&str>, retry_after: Option<&str>, now: Timestamp) -> Self {
        Self { kind: kind.map(str::to_owned), retry_at: retry_after.and_then(|text| retry_at(text.trim(), now)) }
    }

    /// The time Zoom told, if it is ahead and within a day. Every limit of Zoom's opens again by the next midnight, so
    /// a time that is past or farther away was not meant, and waiting for it would help nobody.
    pub fn told(&self, now: Timestamp) -> Option<Timestamp> {
        /// A day, and an hour for clocks that disagree.
        const FARTHEST: SignedDuration = SignedDuration::from_hours(25);
        self.retry_at.filter(|at| *at > now && at.duration_since(now) <= FARTHEST)
    }
}

fn retry_at(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<u32>() {
        return now.checked_add(SignedDuration::from_secs(seconds.into())).ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // Zoom's quotas live in UTC, and its documentation is not sure to write the `Z`.
    if let Ok(time) = text.parse::<DateTime>() {
        return time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    }
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// What happened, decided once. Each variant is one row of the table in the README.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Zoom took the order to start. It is not on air until Zoom says so.
    Accepted,
    /// Zoom took the order to stop.
    Stopped,
    /// The meeting is not running.
    NotStarted,
    /// The id belongs to a webinar, and the webinar call did not work either.
    Webinar,
    /// Zoom did not accept the id or a field.
    Invalid(Invalid),
    /// The meeting's host is in another Zoom account.
    OtherAccount,
    /// The connected Zoom user no longer exists.
    UserMissing,
    /// No such meeting for the connected user.
    NotFound,
    /// Licence, setting or encryption forbids it.
    NotAllowed(NotAllowed),
    /// The grant lacks a scope.
    Scope {
        /// The scopes Zoom named; empty where it named none.
        missing: Vec<String>,
    },
    /// The token is not accepted.
    Reconnect,
    /// Too many requests.
    Throttled(Throttle),
    /// The order was sent and its fate is not known, for want of an answer or of its sense: it may be on air.
    Unknown,
    /// Zoom is down; nothing was done.
    Unavailable,
    /// Zoom did not answer while the token was renewed, which may have used it up; nothing was done.
    RenewalLost,
    /// Anything else, with Zoom's own words.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Zoom's code.
        code: Option<i64>,
        /// Zoom's message.
        message: String,
    },
}

/// What Zoom did not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The meeting's id.
    MeetingId,
    /// Fields of the request; empty where Zoom named none.
    Fields(Vec<FieldError>),
    /// A layout was asked for, and webinars have none. Found before Zoom was asked.
    LayoutOfWebinar,
}

/// What forbids a live stream, each with its own cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    /// 3161: the host's licence has no meetings.
    Licence,
    /// 3000: "Allow livestreaming of meetings" is off, locked, or not in the plan.
    Setting,
    /// 4400: the meeting is end-to-end encrypted.
    Encryption,
    /// 200 of the webinar call: no webinar plan.
    WebinarPlan,
    /// 3000 of the webinar call: no custom streaming service configured.
    WebinarService,
}

/// Which limit was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// One start per meeting and about 30 seconds: the previous start may still be taking effect.
    PreviousStart {
        /// When the next try can work.
        retry_at: Timestamp,
    },
    /// The account's limit per second, shared with all its apps.
    PerSecond {
        /// When the next try can work.
        retry_at: Timestamp,
    },
    /// The account's daily quota, shared with all its apps.
    Daily {
        /// When it opens again; without a header, the next midnight UTC.
        retry_at: Timestamp,
    },
}

/// How long Zoom asks people to wait between two starts of one meeting.
pub const START_INTERVAL: Duration = Duration::from_secs(30);

/// How long to wait when the account's limit per second is hit and Zoom does not say.
pub const PER_SECOND_WAIT: Duration = Duration::from_secs(5);

/// Decides what an attempt means.
pub fn judge(action: Action, attempt: &Attempt, now: Timestamp) -> Outcome {
    match attempt {
        Attempt::Answered(answer) => judge_answer(action, answer, now),
        Attempt::NoAnswer => Outcome::Unknown,
        Attempt::NotSent => Outcome::Unavailable,
    }
}

/// Decides what an attempt at a change means that is no order; `Ok` if it is made. No rule about starts applies to it,
/// and in all else it is like a stop.
pub fn judge_change(attempt: &Attempt, now: Timestamp) -> Result<(), Outcome> {
    match judge(Action::Stop, attempt, now) {
        Outcome::Stopped => Ok(()),
        outcome => Err(outcome),
    }
}

/// Whether Zoom says the token itself is no good: 401, or code 124 with any status. A missing scope is also seen with
/// 401 and is not that.
pub fn is_unauthorized(attempt: &Attempt) -> bool {
    matches!(attempt, Attempt::Answered(answer) if refuses_token(answer))
}

/// The scopes that Zoom says are missing, which may be none by name; `None` if that is not what it says.
pub fn missing_scopes(answer: &Answer) -> Option<Vec<String>> {
    lacks_scope(answer).then(|| named_scopes(&answer.message))
}

/// Why Zoom does not show something of a meeting or a user, where people can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The id belongs to a webinar.
    Webinar,
    /// The id is none.
    InvalidId,
    /// No such meeting for the connected user.
    NotFound,
    /// The meeting's host is in another Zoom account.
    OtherAccount,
    /// The connected Zoom user no longer exists.
    UserMissing,
    /// The connected user's licence has no meetings.
    Licence,
}

/// Why a call that only reads was refused; `None` for every other reason.
pub fn denied(answer: &Answer) -> Option<Denied> {
    if answer.status >= 500 {
        return None;
    }
    match by_message(answer).or_else(|| by_code(answer))? {
        Outcome::Webinar => Some(Denied::Webinar),
        Outcome::Invalid(Invalid::MeetingId) => Some(Denied::InvalidId),
        Outcome::NotFound => Some(Denied::NotFound),
        Outcome::OtherAccount => Some(Denied::OtherAccount),
        Outcome::UserMissing => Some(Denied::UserMissing),
        Outcome::NotAllowed(NotAllowed::Licence) => Some(Denied::Licence),
        _ => None,
    }
}

/// Whether Zoom says that the id of a meeting call belongs to a webinar.
pub fn is_webinar(attempt: &Attempt) -> bool {
    matches!(attempt, Attempt::Answered(answer) if says(answer, "cannot access webinar info"))
}

fn judge_answer(action: Action, answer: &Answer, now: Timestamp) -> Outcome {
    // Only 204: a 200 with a body is one of Zoom's errors in disguise, or nobody knows what.
    if answer.status == 204 {
        return match action {
            Action::Start => Outcome::Accepted,
            Action::Stop => Outcome::Stopped,
        };
    }
    if let Some(missing) = missing_scopes(answer) {
        return Outcome::Scope { missing };
    }
    if refuses_token(answer) {
        return Outcome::Reconnect;
    }
    if answer.status == 429 {
        return Outcome::Throttled(throttle(action, answer, now));
    }
    if let Some(outcome) = by_message(answer) {
        return outcome;
    }
    if answer.status >= 500 {
        return Outcome::Unavailable;
    }
    by_code(answer).unwrap_or_else(|| match answer.status {
        // Friendly, without an error of Zoom's, and not what Zoom documents: the order may have been carried out.
        200..=299 if matches!(answer.code, None | Some(0)) => Outcome::Unknown,
        _ => refused(answer),
    })
}

/// Families of messages that Zoom sends under changing codes.
fn by_message(answer: &Answer) -> Option<Outcome> {
    let family = [
        ("has not started", Outcome::NotStarted),
        ("cannot access webinar info", Outcome::Webinar),
        ("not allowed to start live stream", Outcome::NotAllowed(NotAllowed::Setting)),
        ("end-to-end encrypt", Outcome::NotAllowed(NotAllowed::Encryption)),
        ("webinar plan is missing", Outcome::NotAllowed(NotAllowed::WebinarPlan)),
        ("not configured with a custom streaming service", Outcome::NotAllowed(NotAllowed::WebinarService)),
    ];
    family.into_iter().find(|(words, _)| says(answer, words)).map(|(_, outcome)| outcome)
}

/// Codes decide before the bare status. A status without a code of Zoom's decides nothing but 300: a 404 with another
/// body, or none, is as likely a proxy or a wrong `ZOOM_API_URL` and says nothing about the meeting.
fn by_code(answer: &Answer) -> Option<Outcome> {
    match (answer.status, answer.code) {
        // Zoom's code 300 is also what it gives for a body of the wrong type; that would be our fault, not the id's.
        (415, _) => None,
        (_, Some(300)) => invalid(answer).map(Outcome::Invalid),
        (_, Some(1010)) => Some(Outcome::OtherAccount),
        (_, Some(1001)) => Some(Outcome::UserMissing),
        (_, Some(3001)) => Some(Outcome::NotFound),
        (_, Some(3161)) => Some(Outcome::NotAllowed(NotAllowed::Licence)),
        (_, Some(4400)) => Some(Outcome::NotAllowed(NotAllowed::Encryption)),
        (_, Some(4927)) => Some(Outcome::NotStarted),
        // Older documents print the code 300 as if it were the status.
        (300, _) => Some(Outcome::Invalid(Invalid::MeetingId)),
        _ => None,
    }
}

/// What code 300 complains about, unless it is the shape of our own request.
fn invalid(answer: &Answer) -> Option<Invalid> {
    if answer.fields.iter().any(names_the_id) {
        return Some(Invalid::MeetingId);
    }
    if !answer.fields.is_empty() || says(answer, "validation failed") {
        return Some(Invalid::Fields(answer.fields.clone()));
    }
    let ours = says(answer, "request body") || says(answer, "content type");
    (!ours).then_some(Invalid::MeetingId)
}

fn names_the_id(error: &FieldError) -> bool {
    let field = error.field.to_lowercase().replace('_', "");
    matches!(field.as_str(), "meetingid" | "webinarid" | "id")
}

fn refused(answer: &Answer) -> Outcome {
    Outcome::Refused { status: answer.status, code: answer.code, message: answer.message.clone() }
}

/// Whether the message has these words, whatever its case and its white space.
fn says(answer: &Answer, lower_case_words: &str) -> bool {
    let message = answer.message.to_lowercase();
    message.split_whitespace().collect::<Vec<_>>().join(" ").contains(lower_case_words)
}

fn lacks_scope(answer: &Answer) -> bool {
    answer.code == Some(4711) || says(answer, "does not contain scopes")
}

fn refuses_token(answer: &Answer) -> bool {
    !lacks_scope(answer) && (answer.status == 401 || answer.code == Some(124))
}

/// The list in `Invalid access token, does not contain scopes:[a, b].`, with or without its brackets. Only what looks
/// like a scope is taken.
fn named_scopes(message: &str) -> Vec<String> {
    let lower = message.to_lowercase();
    let list = lower.split_once("scopes").map_or("", |(_, list)| list);
    let list = list.split(']').next().unwrap_or_default();
    list.split(|c: char| c == ',' || c == '[' || c.is_whitespace())
        .map(|scope| scope.trim_matches([':', '.']))
        .filter(|scope| scope.contains([':', '_']))
        .filter(|scope| scope.chars().all(|c| c.is_ascii_alphanumeric() || ":_-".contains(c)))
        .map(str::to_owned)
        .collect()
}

/// Which limit it is: by the message, then by the header, then by what was asked. Zoom's own words come first because
/// the header describes the account's limits and may come with the rule about starts too.
fn throttle(action: Action, answer: &Answer, now: Timestamp) -> Throttle {
    /// Longer than any limit but the daily one makes people wait.
    const SHORT: SignedDuration = SignedDuration::from_mins(10);
    let told = answer.limit.told(now);
    let soon = told.filter(|at| at.duration_since(now) <= SHORT);
    let after = |wait: Duration| now.saturating_add(wait).unwrap_or(now);
    let kind = answer.limit.kind.as_deref().unwrap_or_default().to_lowercase();

    let of_this_stream = action == Action::Start && (says(answer, "livestream") || says(answer, "live stream"));
    let far = told.is_some() && soon.is_none();
    let daily = says(answer, "daily") || (!of_this_stream && (kind.contains("daily") || far));
    let per_second = says(answer, "per-second") || says(answer, "per second") || kind.contains("qps");
    if daily {
        Throttle::Daily { retry_at: told.unwrap_or_else(|| next_midnight(now)) }
    } else if action == Action::Stop || (per_second && !of_this_stream) {
        Throttle::PerSecond { retry_at: soon.unwrap_or_else(|| after(PER_SECOND_WAIT)) }
    } else {
        Throttle::PreviousStart { retry_at: soon.unwrap_or_else(|| after(START_INTERVAL)) }
    }
}

fn next_midnight(now: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 60 * 60;
    Timestamp::from_second((now.as_second().div_euclid(DAY) + 1) * DAY).unwrap_or(now)
}

#[cfg(test)]
mod tests;

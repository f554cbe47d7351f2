//! What Zoom says about a meeting and its host, asked with the token of whoever wants to know.
//!
//! Each question has a scope of its own that a person may not have given. What cannot be known is told as that: nothing is
//! taken for good without an answer that says so.

use super::token::{self, Token};
use super::{Failure, log_zoom};
use crate::app::App;
use crate::grant::{Grant, MEETING_SCOPE, SETTINGS_SCOPE, TARGET_SCOPE};
use crate::id::ZoomUserId;
use crate::meeting::MeetingId;
use crate::outcome::{Denied, NotAllowed, Outcome, Throttle};
use crate::reply::{Cure, Verdict, Why};
use crate::secret::Secret;
use crate::stream::Confirms;
use crate::zoom::{self, MeetingFacts, StreamSettings};

/// What is to be known.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// Whatever could stop a start.
    Everything,
    /// What the meeting does.
    Meeting,
}

/// What Zoom answered to each question; `None`: it could not be asked.
type Answer<T> = Option<Result<T, zoom::Error>>;

/// Everything Zoom was asked.
#[derive(Default)]
pub(super) struct Answers {
    meeting: Answer<MeetingFacts>,
    settings: Answer<StreamSettings>,
    has_target: Answer<Option<bool>>,
}

/// What became of asking Zoom.
pub(super) enum Asked {
    Answered(Grant, Answers),
    /// There is no token that works for now.
    Away(Grant, Outcome),
    /// The person has to connect again.
    Over,
}

/// Asks what is wanted, and once more with a new token if Zoom does not take this one.
pub(super) async fn ask(app: &App, user: &ZoomUserId, meeting: MeetingId, wanted: Wanted) -> Result<Asked, Failure> {
    let mut refused: Option<Secret> = None;
    loop {
        let grant = match token::live(app, user, refused.as_ref()).await? {
            Token::Live(grant) => grant,
            Token::Away { grant, outcome } => return Ok(Asked::Away(grant, outcome)),
            Token::Over => return Ok(Asked::Over),
        };
        let answers = Answers::ask(app, &grant.tokens.access, meeting, wanted).await;
        match (answers.refuse_token(), &refused) {
            (false, _) => return Ok(Asked::Answered(grant, answers)),
            (true, None) => refused = Some(grant.tokens.access),
            (true, Some(_)) => return Ok(Asked::Over),
        }
    }
}

pub(super) fn verdict(is_met: Option<bool>, cure: Cure) -> Verdict {
    match is_met {
        Some(true) => Verdict::Good,
        Some(false) => Verdict::Bad(cure),
        None => Verdict::Unknown(Why::NotSaid),
    }
}

/// Why a token that works is missing for now; none where Zoom refuses OnAir itself, which does not pass.
pub(super) fn away(outcome: &Outcome) -> Option<Why> {
    match outcome {
        Outcome::Refused { .. } => None,
        Outcome::Throttled(Throttle::PerSecond { retry_at }) => Some(Why::Busy { retry_at: *retry_at }),
        Outcome::RenewalLost => Some(Why::RenewalLost),
        _ => Some(Why::Away),
    }
}

impl Answers {
    async fn ask(app: &App, access: &Secret, meeting: MeetingId, wanted: Wanted) -> Self {
        let answers = match wanted {
            Wanted::Meeting => Self { meeting: Some(app.zoom.meeting(access, meeting).await), ..Self::default() },
            Wanted::Everything => {
                let (meeting, settings, has_target) = tokio::join!(
                    app.zoom.meeting(access, meeting),
                    app.zoom.stream_settings(access),
                    app.zoom.has_target(access, meeting),
                );
                Self { meeting: Some(meeting), settings: Some(settings), has_target: Some(has_target) }
            }
        };
        answers.errors().for_each(|error| log_zoom(error, "look at a meeting"));
        answers
    }

    fn errors(&self) -> impl Iterator<Item = &zoom::Error> {
        [error(&self.meeting), error(&self.settings), error(&self.has_target)].into_iter().flatten()
    }

    fn refuse_token(&self) -> bool {
        self.errors().any(|error| matches!(error, zoom::Error::Unauthorized))
    }

    pub(super) fn denials(&self) -> impl Iterator<Item = Denied> {
        self.errors().filter_map(denied)
    }

    /// Why Zoom does not show the meeting, if it said so to either question about it.
    fn without_meeting(&self) -> impl Iterator<Item = Denied> {
        [error(&self.meeting), error(&self.has_target)].into_iter().flatten().filter_map(denied)
    }

    /// Whether it is a webinar: Zoom says so, or said so once and does not show it now.
    pub(super) async fn are_of_webinar(&self, app: &App, meeting: MeetingId) -> Result<bool, Failure> {
        let is_said = self.without_meeting().any(|denied| denied == Denied::Webinar);
        Ok(is_said || (!self.knows_meeting() && app.store.is_webinar(meeting).await?))
    }

    pub(super) fn knows_meeting(&self) -> bool {
        matches!(self.meeting, Some(Ok(_))) || matches!(self.has_target, Some(Ok(_)))
    }

    fn meeting_host(&self) -> Option<&ZoomUserId> {
        self.meeting.as_ref()?.as_ref().ok()?.host.as_ref()
    }

    pub(super) fn host(&self, zoom_user: &ZoomUserId, is_webinar: bool) -> Verdict {
        match &self.meeting {
            _ if is_webinar => Verdict::Unknown(Why::Webinar),
            Some(Ok(MeetingFacts { host: Some(host), .. })) if host == zoom_user => Verdict::Good,
            Some(Ok(MeetingFacts { host: Some(_), .. })) => Verdict::Unknown(Why::OtherHost),
            Some(Ok(MeetingFacts { host: None, .. })) => Verdict::Unknown(Why::NotSaid),
            answer => {
                let cure = self.without_meeting().find_map(|denied| match denied {
                    Denied::NotFound | Denied::InvalidId => Some(Cure::CheckTheId),
                    Denied::OtherAccount => Some(Cure::OtherAccount),
                    Denied::Webinar | Denied::UserMissing | Denied::Licence => None,
                });
                cure.map_or_else(|| Verdict::Unknown(why(error(answer), MEETING_SCOPE)), Verdict::Bad)
            }
        }
    }

    pub(super) fn running(&self, is_webinar: bool) -> Verdict {
        self.of_meeting(is_webinar, |facts| verdict(facts.is_running, Cure::StartTheMeeting))
    }

    pub(super) fn encryption(&self, is_webinar: bool) -> Verdict {
        let cure = Cure::Allow(NotAllowed::Encryption);
        self.of_meeting(is_webinar, |facts| verdict(facts.is_end_to_end_encrypted.map(|is| !is), cure))
    }

    fn of_meeting(&self, is_webinar: bool, read: impl Fn(&MeetingFacts) -> Verdict) -> Verdict {
        match &self.meeting {
            _ if is_webinar => Verdict::Unknown(Why::Webinar),
            Some(Ok(facts)) => read(facts),
            answer => Verdict::Unknown(why(error(answer), MEETING_SCOPE)),
        }
    }

    pub(super) fn settings(&self, zoom_user: &ZoomUserId, is_webinar: bool) -> Verdict {
        if self.denials().any(|denied| denied == Denied::Licence) {
            return Verdict::Bad(Cure::Allow(NotAllowed::Licence));
        }
        if self.meeting_host().is_some_and(|host| host != zoom_user) {
            return Verdict::Unknown(Why::OthersSettings);
        }
        match &self.settings {
            Some(Ok(settings)) if is_webinar => verdict(settings.allow_webinars, Cure::AllowWebinars),
            Some(Ok(settings)) => verdict(settings.allow_meetings, Cure::Allow(NotAllowed::Setting)),
            answer => Verdict::Unknown(why(error(answer), SETTINGS_SCOPE)),
        }
    }

    pub(super) fn target(&self, is_webinar: bool) -> Verdict {
        match &self.has_target {
            _ if is_webinar => Verdict::Unknown(Why::Webinar),
            Some(Ok(has_target)) => verdict(*has_target, Cure::SetTheTarget),
            answer => Verdict::Unknown(why(error(answer), TARGET_SCOPE)),
        }
    }

    /// Zoom's reports about streams take the same scope as a look at their targets.
    pub(super) fn reports(&self, confirms: Confirms, is_webinar: bool) -> Verdict {
        match (confirms, error(&self.has_target)) {
            (Confirms::No, _) if is_webinar => Verdict::Unknown(Why::Webinar),
            (Confirms::No, _) => Verdict::Unknown(Why::NoReports),
            (Confirms::Yes, Some(zoom::Error::Scope { .. })) => Verdict::Unknown(Why::Scope(TARGET_SCOPE)),
            (Confirms::Yes, _) => Verdict::Good,
        }
    }
}

fn error<T>(answer: &Answer<T>) -> Option<&zoom::Error> {
    answer.as_ref()?.as_ref().err()
}

fn denied(error: &zoom::Error) -> Option<Denied> {
    match error {
        zoom::Error::Denied(denied) => Some(*denied),
        _ => None,
    }
}

/// Why a question has no answer.
fn why(error: Option<&zoom::Error>, scope: &'static str) -> Why {
    let Some(error) = error else { return Why::NoConnection };
    match error {
        zoom::Error::Scope { .. } => Why::Scope(scope),
        zoom::Error::Busy { retry_at } => Why::Busy { retry_at: *retry_at },
        zoom::Error::Unreachable(_) | zoom::Error::NoAnswer(_) | zoom::Error::Down { .. } => Why::Away,
        zoom::Error::Refused { status, code } => Why::Refused { status: *status, code: code.clone() },
        zoom::Error::Unexpected { .. } => Why::Unreadable,
        zoom::Error::InvalidGrant | zoom::Error::Unauthorized => Why::NoConnection,
        zoom::Error::Denied(Denied::Webinar) => Why::Webinar,
        zoom::Error::Denied(Denied::Licence) => Why::NoLicence,
        zoom::Error::Denied(Denied::InvalidId | Denied::NotFound | Denied::OtherAccount | Denied::UserMissing) => {
            Why::NoMeeting
        }
    }
}

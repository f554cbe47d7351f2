//! `/stream check`: everything that would stop a start, as far as Zoom and OnAir's own records tell.
//!
//! Zoom is asked three things at once, each with a scope of its own that a person may not have given. What cannot be
//! known is told as that: nothing is taken for good without an answer that says so.

use super::token::{self, Token};
use super::{Done, Failure, Task, connect, log_zoom, stream};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command::{Command, Target};
use crate::grant::{Grant, LIVESTREAM_SCOPE, MEETING_SCOPE, SETTINGS_SCOPE, TARGET_SCOPE, Tokens, WEBINAR_SCOPE};
use crate::id::ZoomUserId;
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::outcome::{Denied, NotAllowed, Outcome, Throttle};
use crate::reply::{Check, ConnectWhy, Cure, Reply, Verdict, Why};
use crate::secret::Secret;
use crate::stream::{Confirms, State};
use crate::zoom::{self, MeetingFacts, StreamSettings};

/// What Zoom answered to each question; `None`: it could not be asked.
type Answer<T> = Option<Result<T, zoom::Error>>;

/// Everything Zoom was asked.
#[derive(Default)]
struct Answers {
    meeting: Answer<MeetingFacts>,
    settings: Answer<StreamSettings>,
    has_target: Answer<Option<bool>>,
}

pub(super) async fn check(app: &App, invocation: &Invocation, meeting: MeetingId) -> Result<Done, Failure> {
    let Some(zoom_user) = app.store.link_of(&invocation.person).await? else {
        return connect::offer(app, invocation, ConnectWhy::FirstTime).await;
    };
    let (grant, connection, answers) = match ask(app, &zoom_user, meeting).await? {
        Asked::Answered(grant, answers) => (grant, Verdict::Good, answers),
        Asked::Away(grant, outcome) => (grant, away(&outcome), Answers::default()),
        Asked::Over => return connect::offer(app, invocation, ConnectWhy::Ended).await,
    };
    if answers.denials().any(|denied| denied == Denied::UserMissing) {
        return connect::offer(app, invocation, ConnectWhy::UserMissing).await;
    }
    let is_webinar = answers.is_webinar() || (!answers.knows_meeting() && app.store.is_webinar(meeting).await?);
    let running = answers.running(is_webinar);
    let check = Check {
        meeting,
        called: called(invocation, meeting),
        is_webinar,
        connection,
        permission: permission(&grant.tokens, is_webinar),
        host: answers.host(&zoom_user, is_webinar),
        encryption: answers.encryption(is_webinar),
        settings: answers.settings(&zoom_user, is_webinar),
        target: answers.target(is_webinar),
        reports: answers.reports(stream::confirms(app, is_webinar), is_webinar),
        stream: known(app, invocation, meeting, &zoom_user, &answers, &running).await?,
        running,
        account: grant.user,
    };
    let mut done = Done::new(Reply::Check(Box::new(check)), AuditOutcome::Told);
    done.zoom_user = Some(zoom_user);
    Ok(done)
}

/// The meeting as the person called it.
fn called(invocation: &Invocation, meeting: MeetingId) -> Target {
    match Task::of(invocation) {
        Task::Named(Command::Check { meeting }) => meeting,
        _ => meeting.into(),
    }
}

/// What became of asking Zoom.
enum Asked {
    Answered(Grant, Answers),
    /// There is no token that works for now.
    Away(Grant, Outcome),
    /// The person has to connect again.
    Over,
}

/// Asks everything, and once more with a new token if Zoom does not take this one.
async fn ask(app: &App, user: &ZoomUserId, meeting: MeetingId) -> Result<Asked, Failure> {
    let mut refused: Option<Secret> = None;
    loop {
        let grant = match token::live(app, user, refused.as_ref()).await? {
            Token::Live(grant) => grant,
            Token::Away { grant, outcome } => return Ok(Asked::Away(grant, outcome)),
            Token::Over => return Ok(Asked::Over),
        };
        let answers = Answers::ask(app, &grant.tokens.access, meeting).await;
        match (answers.refuse_token(), &refused) {
            (false, _) => return Ok(Asked::Answered(grant, answers)),
            (true, None) => refused = Some(grant.tokens.access),
            (true, Some(_)) => return Ok(Asked::Over),
        }
    }
}

fn away(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Refused { .. } => Verdict::Bad(Cure::TellAnAdmin),
        Outcome::Throttled(Throttle::PerSecond { retry_at }) => Verdict::Unknown(Why::Busy { retry_at: *retry_at }),
        Outcome::RenewalLost => Verdict::Unknown(Why::RenewalLost),
        _ => Verdict::Unknown(Why::Away),
    }
}

fn permission(tokens: &Tokens, is_webinar: bool) -> Verdict {
    let scope = if is_webinar { WEBINAR_SCOPE } else { LIVESTREAM_SCOPE };
    verdict(tokens.allows(scope), Cure::Connect)
}

fn verdict(is_met: Option<bool>, cure: Cure) -> Verdict {
    match is_met {
        Some(true) => Verdict::Good,
        Some(false) => Verdict::Bad(cure),
        None => Verdict::Unknown(Why::NotSaid),
    }
}

impl Answers {
    async fn ask(app: &App, access: &Secret, meeting: MeetingId) -> Self {
        let (meeting, settings, has_target) = tokio::join!(
            app.zoom.meeting(access, meeting),
            app.zoom.stream_settings(access),
            app.zoom.has_target(access, meeting),
        );
        let answers = Self { meeting: Some(meeting), settings: Some(settings), has_target: Some(has_target) };
        answers.errors().for_each(|error| log_zoom(error, "check a meeting"));
        answers
    }

    fn errors(&self) -> impl Iterator<Item = &zoom::Error> {
        [error(&self.meeting), error(&self.settings), error(&self.has_target)].into_iter().flatten()
    }

    fn refuse_token(&self) -> bool {
        self.errors().any(|error| matches!(error, zoom::Error::Unauthorized))
    }

    fn denials(&self) -> impl Iterator<Item = Denied> {
        self.errors().filter_map(denied)
    }

    /// Why Zoom does not show the meeting, if it said so to either question about it.
    fn without_meeting(&self) -> impl Iterator<Item = Denied> {
        [error(&self.meeting), error(&self.has_target)].into_iter().flatten().filter_map(denied)
    }

    fn is_webinar(&self) -> bool {
        self.without_meeting().any(|denied| denied == Denied::Webinar)
    }

    fn knows_meeting(&self) -> bool {
        matches!(self.meeting, Some(Ok(_))) || matches!(self.has_target, Some(Ok(_)))
    }

    fn meeting_host(&self) -> Option<&ZoomUserId> {
        self.meeting.as_ref()?.as_ref().ok()?.host.as_ref()
    }

    fn host(&self, zoom_user: &ZoomUserId, is_webinar: bool) -> Verdict {
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

    fn running(&self, is_webinar: bool) -> Verdict {
        self.of_meeting(is_webinar, |facts| verdict(facts.is_running, Cure::StartTheMeeting))
    }

    fn encryption(&self, is_webinar: bool) -> Verdict {
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

    fn settings(&self, zoom_user: &ZoomUserId, is_webinar: bool) -> Verdict {
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

    fn target(&self, is_webinar: bool) -> Verdict {
        match &self.has_target {
            _ if is_webinar => Verdict::Unknown(Why::Webinar),
            Some(Ok(has_target)) => verdict(*has_target, Cure::SetTheTarget),
            answer => Verdict::Unknown(why(error(answer), TARGET_SCOPE)),
        }
    }

    /// Zoom's reports about streams take the same scope as a look at their targets.
    fn reports(&self, confirms: Confirms, is_webinar: bool) -> Verdict {
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

/// How far the stream has come, for those whom it concerns: colleagues of whoever asked for it, and those to whom Zoom
/// shows the meeting.
async fn known(
    app: &App,
    invocation: &Invocation,
    meeting: MeetingId,
    zoom_user: &ZoomUserId,
    answers: &Answers,
    running: &Verdict,
) -> Result<Option<State>, Failure> {
    let Some(stream) = app.store.stream(meeting).await?.map(|seen| seen.value) else { return Ok(None) };
    let is_colleagues = stream.asked.as_ref().is_some_and(|asked| asked.person.is_colleague_of(&invocation.person));
    if !is_colleagues && !answers.knows_meeting() && stream.host.as_ref() != Some(zoom_user) {
        return Ok(None);
    }
    // Nothing is on air without its meeting, whatever was the last that OnAir heard.
    let is_over = matches!(running, Verdict::Bad(_)) && !matches!(stream.state, State::Throttled(_));
    Ok((!is_over).then_some(stream.state))
}

//! `/stream check`: everything that would stop a start, as far as Zoom and OnAir's own records tell.

use super::facts::{self, Answers, Asked, Wanted, verdict};
use super::lend::Acting;
use super::{Done, Failure, Task, connect, lend, stream};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command::{Command, Target};
use crate::grant::{LIVESTREAM_SCOPE, Tokens, WEBINAR_SCOPE};
use crate::id::{UserId, ZoomUserId};
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::outcome::{Action, Denied};
use crate::reply::{Check, ConnectWhy, Cure, Reply, Verdict};
use crate::stream::State;

pub(super) async fn check(app: &App, invocation: &Invocation, meeting: MeetingId) -> Result<Done, Failure> {
    let Some(acting) = lend::acting(app, &invocation.person, meeting).await? else {
        return connect::offer(app, invocation, ConnectWhy::FirstTime).await;
    };
    let Acting { zoom_user, on_behalf_of } = acting;
    let lender_cannot = |lender: &UserId, outcome| {
        let reply = Reply::LenderCannot { meeting, action: Action::Start, lender: lender.clone() };
        Done { on_behalf_of: Some(lender.clone()), ..Done::new(reply, outcome) }
    };
    let (grant, connection, answers) = match facts::ask(app, &zoom_user, meeting, Wanted::Everything).await? {
        Asked::Answered(grant, answers) => (grant, Verdict::Good, answers),
        Asked::Away(grant, outcome) => {
            (grant, facts::away(&outcome).map_or(Verdict::Bad(Cure::TellAnAdmin), Verdict::Unknown), Answers::default())
        }
        Asked::Over => {
            return match &on_behalf_of {
                Some(lender) => Ok(lender_cannot(lender, AuditOutcome::Reconnect)),
                None => connect::offer(app, invocation, ConnectWhy::Ended).await,
            };
        }
    };
    if answers.denials().any(|denied| denied == Denied::UserMissing) {
        return match &on_behalf_of {
            Some(lender) => Ok(lender_cannot(lender, AuditOutcome::UserMissing)),
            None => connect::offer(app, invocation, ConnectWhy::UserMissing).await,
        };
    }
    let is_webinar = answers.are_of_webinar(app, meeting).await?;
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
        on_behalf_of: on_behalf_of.clone(),
    };
    let mut done = Done::new(Reply::Check(Box::new(check)), AuditOutcome::Told);
    (done.zoom_user, done.on_behalf_of) = (Some(zoom_user), on_behalf_of);
    Ok(done)
}

/// The meeting as the person called it.
fn called(invocation: &Invocation, meeting: MeetingId) -> Target {
    match Task::of(invocation) {
        Task::Named(Command::Check { meeting }) => meeting,
        _ => meeting.into(),
    }
}

fn permission(tokens: &Tokens, is_webinar: bool) -> Verdict {
    let scope = if is_webinar { WEBINAR_SCOPE } else { LIVESTREAM_SCOPE };
    verdict(tokens.allows(scope), Cure::Connect)
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
    let Some(stream) = stream::known(app, meeting).await? else { return Ok(None) };
    if !stream.concerns(&invocation.person, Some(zoom_user)) && !answers.knows_meeting() {
        return Ok(None);
    }
    // Nothing is on air without its meeting, whatever was the last that OnAir heard.
    let is_over = matches!(running, Verdict::Bad(_)) && !matches!(stream.state, State::Throttled(_));
    Ok((!is_over).then_some(stream.state))
}

//! Control of a meeting, lent to a colleague: `/stream lend`, and the account that somebody acts as.
//!
//! A lending is looked up each time it is used, with the rules of that moment, so a next try and a command that was taken
//! over keep to it as well. It holds as long as the lender is connected as they were when they lent; then it ends for good.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::Offset;
use tracing::Instrument as _;

use super::order::Ordered;
use super::policy::ROLE_DEADLINE;
use super::record::record;
use super::{Done, Failure, bot, chain, connect, milliseconds, policy};
use crate::app::App;
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::command::Command;
use crate::id::{ChannelId, Person, UserId, Workspace, ZoomUserId};
use crate::invocation::{Carried, Form, Invocation, Submission};
use crate::lend::{Lend, Lending, Term, end};
use crate::meeting::MeetingId;
use crate::policy::MayLend;
use crate::reply::{ConnectWhy, Lent, NotLent, Reply};
use crate::words::{self, LendFault};
use crate::{slack, store};

/// The Zoom user that somebody acts as, for one meeting.
pub(super) struct Acting {
    pub(super) zoom_user: ZoomUserId,
    /// Whoever lends them the meeting, if it is not their own account.
    pub(super) on_behalf_of: Option<UserId>,
}

/// As whom somebody acts on a meeting: as whoever lends it to them, and else as themselves.
pub(super) async fn acting(app: &App, person: &Person, meeting: MeetingId) -> Result<Option<Acting>, Failure> {
    acting_under(app, person, meeting, None).await
}

/// The same under a rule that was read already, if it was.
pub(super) async fn acting_under(
    app: &App,
    person: &Person,
    meeting: MeetingId,
    rule: Option<MayLend>,
) -> Result<Option<Acting>, Failure> {
    // Where nothing may be lent, whatever still lies there is not used.
    let lending = if rule == Some(MayLend::Off) { None } else { lent_to(app, person, meeting).await? };
    if let Some(Lending { zoom_user, lender, .. }) = lending {
        return Ok(Some(Acting { zoom_user, on_behalf_of: Some(lender) }));
    }
    let own = app.store.link_of(person).await?;
    Ok(own.map(|zoom_user| Acting { zoom_user, on_behalf_of: None }))
}

/// The lending of a meeting to somebody that lasts longest, of those that hold now.
async fn lent_to(app: &App, person: &Person, meeting: MeetingId) -> Result<Option<Lending>, Failure> {
    let workspace = person.workspace();
    let is_theirs = |lending: &Lending| lending.meeting == meeting && lending.colleague == person.user;
    let mut lendings = app.store.lendings(&workspace).await?;
    lendings.retain(is_theirs);
    if lendings.is_empty() {
        return Ok(None);
    }
    let (rule, now) = (rule(app, &workspace).await?, app.clock.now());
    lendings.retain(|lending| lending.lives(rule, now));
    lendings.sort_by_key(|lending| std::cmp::Reverse(lending.until));
    for lending in lendings {
        let lender = Person { user: lending.lender.clone(), ..person.clone() };
        if app.store.link_of(&lender).await?.as_ref() == Some(&lending.zoom_user) {
            return Ok(Some(lending));
        }
    }
    Ok(None)
}

/// Rules that cannot be read allow nothing.
async fn rule(app: &App, workspace: &Workspace) -> Result<MayLend, Failure> {
    let kept = app.store.policy(workspace).await?;
    Ok(kept.rules().map(|policy| policy.lending).unwrap_or_default())
}

/// The end of an order that the lender's Zoom account does not allow.
pub(super) fn lender_cannot(ordered: &Ordered, lender: UserId, outcome: AuditOutcome) -> Done {
    let reply = Reply::LenderCannot { meeting: ordered.meeting, action: ordered.action, lender: lender.clone() };
    Done { on_behalf_of: Some(lender), ..Done::new(reply, outcome) }
}

/// `/stream lend`
pub(super) async fn lend(app: &App, invocation: &Invocation, meeting: MeetingId, lend: &Lend) -> Result<Done, Failure> {
    let person = &invocation.person;
    let Lend::To { colleague, term } = lend else { return take_back(app, person, meeting).await };
    let rule = rule(app, &person.workspace()).await?;
    if rule == MayLend::Off {
        let ask = policy::managers(app, &person.workspace()).await?;
        return Ok(Done::new(Reply::NotLent { meeting, why: NotLent::Off { ask } }, AuditOutcome::Denied));
    }
    let Some(zoom_user) = app.store.link_of(person).await? else {
        return connect::offer(app, invocation, ConnectWhy::FirstTime).await;
    };
    let now = app.clock.now();
    let offset = offset_of(app, person, *term).await?;
    let until = term.map(|term| term.end(now, offset.unwrap_or(Offset::UTC)));
    let Some(colleague) = colleague else {
        let reply = open(app, invocation, meeting, rule, *term, until).await?;
        return Ok(Done::new(reply, AuditOutcome::Told));
    };
    let wanted = Wanted { meeting, zoom_user, colleague: colleague.clone(), rule, until };
    // The command's own record has the entry.
    match settle(app, person, wanted, None).await? {
        Ok(mut lent) => {
            lent.is_utc = offset.is_none() && matches!(term, Some(Term::Until { .. }));
            tell_colleague(app, person, &lent.lending, &context(app, &invocation.command, invocation)).await;
            let (lent_to, zoom_user) = (lent.lending.colleague.clone(), lent.lending.zoom_user.clone());
            let done = Done::new(Reply::Lent(lent), AuditOutcome::Lent);
            Ok(Done { lent_to: Some(lent_to), zoom_user: Some(zoom_user), ..done })
        }
        Err(why) => Ok(Done::new(Reply::NotLent { meeting, why }, AuditOutcome::Usage)),
    }
}

fn context<'a>(app: &App, command: &'a str, invocation: &'a Invocation) -> words::Context<'a> {
    words::Context { command, workspace: None, now: app.clock.now(), reference: &invocation.reference }
}

/// What somebody wants to lend.
struct Wanted {
    meeting: MeetingId,
    zoom_user: ZoomUserId,
    colleague: UserId,
    rule: MayLend,
    until: Option<Timestamp>,
}

/// Writes a lending, and an entry with it, if the colleague is one.
async fn settle(
    app: &App,
    person: &Person,
    wanted: Wanted,
    entry: Option<&AuditEntry>,
) -> Result<Result<Lent, NotLent>, Failure> {
    let Wanted { meeting, zoom_user, colleague, rule, until } = wanted;
    let (workspace, now) = (person.workspace(), app.clock.now());
    let Some(longest) = rule.longest() else {
        return Ok(Err(NotLent::Off { ask: policy::managers(app, &workspace).await? }));
    };
    if colleague == person.user {
        return Ok(Err(NotLent::Oneself));
    }
    if let Some(why) = no_colleague(app, &workspace, &colleague).await? {
        return Ok(Err(why));
    }
    let lives = |lending: &Lending| lending.lender == person.user && lending.lives(rule, now);
    let is_same = |lending: &Lending| lending.meeting == meeting && lending.colleague == colleague;
    let lent = app.store.lendings(&workspace).await?;
    if lent.iter().filter(|lending| lives(lending) && !is_same(lending)).count() >= Lending::MOST {
        return Ok(Err(NotLent::TooMany));
    }
    let end = end(until, longest, now);
    let lender = person.user.clone();
    let lending = Lending { meeting, lender, colleague, zoom_user, since: now, until: end.at };
    app.store.lend(&workspace, &lending, now, entry).await?;
    Ok(Ok(Lent { lending, is_shortened: end.is_shortened, is_utc: false }))
}

/// Why somebody is no colleague, as far as Slack tells. Where it does not, nothing is risked: only somebody of this very
/// workspace can use what is lent.
async fn no_colleague(app: &App, workspace: &Workspace, user: &UserId) -> Result<Option<NotLent>, Failure> {
    Ok(match member(app, workspace, user).await? {
        Ok(member) if !member.is_person => Some(NotLent::NotAPerson),
        Ok(member) if !member.is_of(workspace) => Some(NotLent::NotHere),
        Ok(_) => None,
        Err(Some(slack::Error::Refused(why))) if why == "user_not_found" || why == "user_not_visible" => {
            Some(NotLent::NotHere)
        }
        Err(_) => None,
    })
}

/// What Slack says about somebody, soon; no error is one of the deadline.
async fn member(
    app: &App,
    workspace: &Workspace,
    user: &UserId,
) -> Result<Result<slack::Member, Option<slack::Error>>, store::Error> {
    let asked = async { Ok(app.slack.member(&bot::token_of(app, workspace).await?, user).await?) };
    let asked: Result<Result<slack::Member, bot::Error>, _> = tokio::time::timeout(ROLE_DEADLINE, asked).await;
    match asked {
        Ok(Ok(member)) => Ok(Ok(member)),
        Ok(Err(bot::Error::Store(error))) => Err(error),
        Ok(Err(bot::Error::Slack(error))) => {
            tracing::debug!(error = chain(&error), "Slack did not tell who somebody is");
            Ok(Err(Some(error)))
        }
        Err(_) => Ok(Err(None)),
    }
}

/// How far the clock of somebody who typed a time of day is from UTC, if Slack tells.
async fn offset_of(app: &App, person: &Person, term: Option<Term>) -> Result<Option<Offset>, Failure> {
    let Some(Term::Until { .. }) = term else { return Ok(None) };
    let member = member(app, &person.workspace(), &person.user).await?;
    let seconds = member.ok().and_then(|member| member.utc_offset);
    Ok(seconds.and_then(|seconds| Offset::from_seconds(seconds).ok()))
}

async fn tell_colleague(app: &App, person: &Person, lending: &Lending, context: &words::Context<'_>) {
    let to = ChannelId::new(lending.colleague.as_str());
    let message = words::lent_to_you(lending, context);
    let told = bot::post(app, person, &to, &message);
    match tokio::time::timeout(ROLE_DEADLINE, told).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::info!(error = chain(&error), "who is lent a meeting reads it in the channel alone"),
        Err(_) => tracing::info!("who is lent a meeting may read it in the channel alone: Slack is slow"),
    }
}

async fn take_back(app: &App, person: &Person, meeting: MeetingId) -> Result<Done, Failure> {
    let rule = rule(app, &person.workspace()).await?;
    let ended = end_those(app, person, |lending| lending.meeting == meeting).await?;
    let now = app.clock.now();
    let mut colleagues: Vec<UserId> =
        ended.into_iter().filter(|lending| lending.lives(rule, now)).map(|lending| lending.colleague).collect();
    colleagues.sort();
    let outcome = if colleagues.is_empty() { AuditOutcome::Told } else { AuditOutcome::TakenBack };
    Ok(Done::new(Reply::TakenBack { meeting, lender: person.user.clone(), colleagues }, outcome))
}

/// Ends everything that somebody lends.
pub(super) async fn end_of(app: &App, person: &Person) -> Result<(), Failure> {
    end_those(app, person, |_| true).await.map(drop)
}

/// Ends what somebody lends, and gives what that was.
async fn end_those(app: &App, person: &Person, which: impl Fn(&Lending) -> bool) -> Result<Vec<Lending>, Failure> {
    let workspace = person.workspace();
    let mut lendings = app.store.lendings(&workspace).await?;
    lendings.retain(|lending| lending.lender == person.user && which(lending));
    for lending in &lendings {
        app.store.lend(&workspace, &lending.clone().taken_back(), app.clock.now(), None).await?;
    }
    Ok(lendings)
}

/// Ends everything that is lent in a workspace: its rules do not allow it any more, and may again before it would have ended.
pub(super) async fn end_all(app: &App, workspace: &Workspace) -> Result<(), Failure> {
    for lending in app.store.lendings(workspace).await? {
        app.store.lend(workspace, &lending.taken_back(), app.clock.now(), None).await?;
    }
    Ok(())
}

/// Opens the form in which the colleague is chosen.
async fn open(
    app: &App,
    invocation: &Invocation,
    meeting: MeetingId,
    rule: MayLend,
    term: Option<Term>,
    until: Option<Timestamp>,
) -> Result<Reply, Failure> {
    let carried = Carried {
        workspace: invocation.person.workspace(),
        channel: invocation.channel.clone(),
        command: invocation.command.clone(),
        form: Form::Lend { meeting, until },
    };
    let form = words::lend_form(meeting, rule, term);
    let opened = async {
        let token = bot::token_of(app, &carried.workspace).await?;
        let Some(trigger) = &invocation.trigger else { return Ok(false) };
        app.slack.open(&token, trigger, &form, &carried).await?;
        Ok(true)
    };
    let opened: Result<bool, bot::Error> = opened.await;
    let text = Command::Lend { meeting, lend: Lend::To { colleague: None, term } }.to_string();
    Ok(match opened {
        Ok(true) => Reply::FormOpen,
        Ok(false) => Reply::FormNotOpen { text },
        Err(bot::Error::Store(error)) => return Err(error.into()),
        Err(bot::Error::Slack(slack::Error::NoBot)) => Reply::NotLent { meeting, why: NotLent::NoForm },
        Err(error) => {
            tracing::info!(error = chain(&error), "a form did not open");
            Reply::FormNotOpen { text }
        }
    })
}

/// Lends what somebody chose in a form, and tells it where the form was asked for. Answers with what is wrong, by the names
/// of the fields; nothing is, where it is lent.
///
/// It runs to its end in a task of its own: a request that is cut off in the middle must not lose the audit entry.
pub(super) async fn save(
    app: &App,
    submission: Submission,
    meeting: MeetingId,
    until: Option<Timestamp>,
) -> BTreeMap<&'static str, String> {
    let inner = app.clone();
    let reference = submission.reference.clone();
    let whole = async move {
        let fault = match try_save(&inner, &submission, meeting, until).await {
            Ok(fault) => fault,
            Err(failure) => {
                tracing::error!(error = chain(&failure), "a meeting was not lent: the store failed");
                Some(LendFault::NotSaved)
            }
        };
        let told = |fault: LendFault| (fault.field(), words::lend_fault(fault, &submission.carried.command));
        fault.into_iter().map(told).collect()
    };
    let whole = whole.instrument(tracing::info_span!("form", %reference));
    app.spawn(whole).await.unwrap_or_else(|_| {
        tracing::error!(%reference, "lending a meeting broke");
        BTreeMap::from([(LendFault::COLLEAGUE, words::form_not_saved())])
    })
}

async fn try_save(
    app: &App,
    submission: &Submission,
    meeting: MeetingId,
    until: Option<Timestamp>,
) -> Result<Option<LendFault>, Failure> {
    let Submission { person, answers, .. } = submission;
    let not = async |fault, outcome| {
        record(app, entry(app, submission, meeting, outcome)).await;
        Ok(Some(fault))
    };
    let rule = rule(app, &person.workspace()).await?;
    if rule == MayLend::Off {
        return not(LendFault::Off, AuditOutcome::Denied).await;
    }
    let Some(zoom_user) = app.store.link_of(person).await? else {
        return not(LendFault::NotConnected, AuditOutcome::NotConnected).await;
    };
    let colleague = answers.get(LendFault::COLLEAGUE).and_then(|answer| answer.people.first().cloned());
    let Some(colleague) = colleague else { return not(LendFault::Nobody, AuditOutcome::Usage).await };
    let chosen = answers.get(LendFault::TERM).and_then(|answer| answer.choice.as_deref());
    let now = app.clock.now();
    let length = MayLend::ALL.into_iter().find(|length| Some(length.word()) == chosen);
    let until = match (length.and_then(MayLend::longest), until) {
        (Some(length), _) => now.saturating_add(length).ok(),
        (None, Some(until)) if chosen == Some(words::LEND_AS_TYPED) => Some(until),
        (None, _) => return not(LendFault::NoTerm, AuditOutcome::Usage).await,
    };
    if until.is_some_and(|until| until <= now) {
        return not(LendFault::Over, AuditOutcome::Usage).await;
    }
    let mut entry = entry(app, submission, meeting, AuditOutcome::Lent);
    (entry.lent_to, entry.zoom_user) = (Some(colleague.clone()), Some(zoom_user.clone()));
    let wanted = Wanted { meeting, zoom_user, colleague, rule, until };
    let lent = match settle(app, person, wanted, Some(&entry)).await? {
        Ok(lent) => lent,
        Err(why) => {
            let fault = match why {
                NotLent::Off { .. } | NotLent::NoForm => LendFault::Off,
                NotLent::Oneself => LendFault::Oneself,
                NotLent::NotAPerson => LendFault::NotAPerson,
                NotLent::NotHere => LendFault::NotHere,
                NotLent::TooMany => LendFault::TooMany,
            };
            return not(fault, AuditOutcome::Usage).await;
        }
    };
    app.log(&entry);
    // Slack waits for the answer to the form, and for nothing that is told.
    let (inner, submission) = (app.clone(), submission.clone());
    drop(app.spawn(async move { tell(&inner, &submission, lent).await }));
    Ok(None)
}

async fn tell(app: &App, submission: &Submission, lent: Lent) {
    let Submission { person, carried, reference, .. } = submission;
    let (command, workspace) = (carried.command.as_str(), Some(&carried.workspace));
    let context = words::Context { command, workspace, now: app.clock.now(), reference };
    tell_colleague(app, person, &lent.lending, &context).await;
    let message = words::say(&Reply::Lent(lent), &context);
    if let Err(error) = bot::post_instead(app, person, &carried.channel, &message).await {
        tracing::warn!(error = chain(&error), "that a meeting is lent was not told");
    }
}

fn entry(app: &App, submission: &Submission, meeting: MeetingId, outcome: AuditOutcome) -> AuditEntry {
    let at = app.clock.now();
    AuditEntry {
        person: Some(submission.person.clone()),
        channel: Some(submission.carried.channel.clone()),
        meeting: Some(meeting),
        duration_ms: milliseconds(submission.received_at, at),
        ..AuditEntry::new(at, submission.reference.clone(), AuditVerb::Lend, outcome)
    }
}

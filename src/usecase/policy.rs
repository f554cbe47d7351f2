//! Who may do what in a workspace: asked before every order, wherever it came from, and changed by `/stream policy`.
//!
//! The rules are read when the work is done, so a command that waited, a button of last week and a next try keep to the
//! rules of today. Rules that cannot be read allow nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tracing::Instrument as _;

use super::admin::{self, Standing};
use super::record::record;
use super::work::Work;
use super::{Done, Failure, announce, bot, chain, lend, milliseconds, stream};
use crate::app::App;
use crate::audit::{Asked, AuditEntry, AuditOutcome, AuditVerb};
use crate::command::{Command, Verb};
use crate::id::{Person, UserId, Workspace};
use crate::invocation::{Carried, Form, Invocation, Submission};
use crate::meeting::MeetingId;
use crate::policy::{Act, Because, Denied, Field, MayLend, Policy, StopOfOthers};
use crate::reply::{ConfirmStop, NotAdmin, Reply, RoleUnknown};
use crate::secret::Secret;
use crate::stream::State;
use crate::words;

/// How long Slack may take to say whether somebody is an admin while it waits for the answer to a form: its three seconds
/// are for that and for two round trips to the store.
pub(super) const ROLE_DEADLINE: Duration = Duration::from_secs(1);

/// The end of a command that the rules are against, or of one that takes a second person first.
pub(super) async fn against(work: &Work, command: &Command) -> Result<Option<Done>, Failure> {
    let (app, invocation) = (&work.app, &*work.invocation);
    let Some(act) = Act::of(command.verb()) else { return Ok(None) };
    let policy = match allowed(app, invocation, act).await? {
        Ok(policy) => policy,
        Err(denied) => return Ok(Some(ended(work, command, denied))),
    };
    work.keep_rules(&policy);
    match command {
        Command::Stop { meeting } if policy.stop_of_others == StopOfOthers::WithSecondPerson => {
            second_person(app, invocation, *meeting, &policy).await
        }
        _ => Ok(None),
    }
}

/// The rules, where they allow somebody to do something where they asked for it.
pub(super) async fn allowed(app: &App, invocation: &Invocation, act: Act) -> Result<Result<Policy, Denied>, Failure> {
    let kept = app.store.policy(&invocation.person.workspace()).await?;
    Ok(match kept.rules() {
        Some(policy) => policy.decide(act, &invocation.person.user, &invocation.channel).map(|()| policy.clone()),
        None => {
            tracing::error!("the rules of a workspace cannot be read: nobody may do anything there");
            Err(Denied { act, why: Because::Unreadable, ask: BTreeSet::new() })
        }
    })
}

/// The channel was told of a next try, so it hears why there is none.
fn ended(work: &Work, command: &Command, denied: Denied) -> Done {
    match (work.retry, command.meeting()) {
        (Some(_), Some(meeting)) => {
            let asked_by = work.invocation.person.user.clone();
            Done::new(Reply::NoNextTry { meeting, asked_by, denied }, AuditOutcome::Denied)
        }
        _ => end(denied),
    }
}

pub(super) fn end(denied: Denied) -> Done {
    Done::new(Reply::Denied(denied), AuditOutcome::Denied)
}

/// A stop of a stream that somebody else asked for, as far as is known.
async fn second_person(
    app: &App,
    invocation: &Invocation,
    meeting: MeetingId,
    policy: &Policy,
) -> Result<Option<Done>, Failure> {
    let Some(stream) = stream::known(app, meeting).await? else { return Ok(None) };
    let is_over = matches!(stream.state, State::Ended { .. } | State::Failed { .. });
    let askers = stream.earlier.iter().chain(stream.asked.as_ref().map(|asked| &asked.person));
    let is_others = askers.into_iter().any(|person| *person != invocation.person);
    let Some(asked) = stream.asked.filter(|_| !is_over && is_others) else { return Ok(None) };
    if invocation.is_from_home() {
        return Ok(Some(end(Denied { act: Act::Stop, why: Because::Alone, ask: policy.managers.clone() })));
    }
    let until = app.clock.now().saturating_add(ConfirmStop::LIFE).unwrap_or(jiff::Timestamp::MAX);
    let asked_by = invocation.person.clone();
    let stop = ConfirmStop { meeting, asked_by, stream: asked.reference, until };
    Ok(Some(Done::new(Reply::ConfirmStop(stop), AuditOutcome::SecondPerson)))
}

/// `/stream policy`: opens the form.
pub(super) async fn policy(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    if let Some(refused) = admin::only(app, &invocation.person).await? {
        return Ok(refused);
    }
    let workspace = invocation.person.workspace();
    let kept = app.store.policy(&workspace).await?;
    let carried = Carried {
        workspace,
        channel: invocation.channel.clone(),
        command: invocation.command.clone(),
        form: Form::Policy { version: kept.version.clone() },
    };
    let not_open = || Reply::FormNotOpen { text: Verb::Policy.word().to_owned() };
    // An admin is the cure where the rules cannot be read: what they save takes the place of that.
    let rules = kept.rules().cloned().unwrap_or_default();
    let reply = match &invocation.trigger {
        Some(trigger) => match open(app, &rules, trigger, &carried).await {
            Ok(()) => Reply::FormOpen,
            Err(bot::Error::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::info!(error = chain(&error), "a form did not open");
                not_open()
            }
        },
        None => not_open(),
    };
    Ok(Done::new(reply, AuditOutcome::Told))
}

async fn open(app: &App, rules: &Policy, trigger: &Secret, carried: &Carried) -> Result<(), bot::Error> {
    let token = bot::token_of(app, &carried.workspace).await?;
    Ok(app.slack.open(&token, trigger, &words::policy_form(rules), carried).await?)
}

/// Saves what somebody filled in, if they may, and if nobody changed the rules meanwhile. Answers with what is wrong,
/// by the names of the fields; nothing is, where it is saved.
///
/// It runs to its end in a task of its own: a request that is cut off in the middle must not lose the audit entry.
pub(super) async fn save(app: &App, submission: Submission, version: String) -> BTreeMap<&'static str, String> {
    let inner = app.clone();
    let reference = submission.reference.clone();
    let whole = async move {
        let saved = try_save(&inner, &submission, &version).await;
        saved.unwrap_or_else(|failure| {
            tracing::error!(error = chain(&failure), "rules were not saved: the store failed");
            beside_first(words::form_not_saved())
        })
    };
    let whole = whole.instrument(tracing::info_span!("form", %reference));
    app.spawn(whole).await.unwrap_or_else(|_| {
        tracing::error!(%reference, "saving rules broke");
        beside_first(words::form_not_saved())
    })
}

async fn try_save(
    app: &App,
    submission: &Submission,
    version: &str,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let Submission { person, carried, answers, .. } = submission;
    let end = async |outcome, changed: Vec<Field>| record(app, entry(app, submission, outcome, &changed)).await;
    if let Standing::Not(why) = standing(app, person).await? {
        end(AuditOutcome::Denied, Vec::new()).await;
        return Ok(beside_first(words::form_for_admins_only(&why)));
    }
    let kept = app.store.policy(&carried.workspace).await?;
    let former = kept.rules().cloned().unwrap_or_default();
    let wanted = match former.changed(answers) {
        Ok(wanted) => wanted,
        Err(faults) => {
            end(AuditOutcome::Usage, Vec::new()).await;
            return Ok(faults.iter().map(|fault| (fault.field.name(), words::form_fault(fault))).collect());
        }
    };
    if kept.version == version && kept.rules() == Some(&wanted) {
        end(AuditOutcome::PolicyChanged, Vec::new()).await;
        return Ok(BTreeMap::new());
    }
    let changed = former.differences(&wanted);
    let changed_entry = entry(app, submission, AuditOutcome::PolicyChanged, &changed);
    // Where a channel is chosen, it is told that, too.
    let from = if wanted.audit_channel.is_some() { announce::here(app).await? } else { None };
    let is_as_seen = kept.version == version;
    if !is_as_seen || !app.store.change_policy(&carried.workspace, &kept, &wanted, &changed_entry).await? {
        end(AuditOutcome::Outdated, Vec::new()).await;
        return Ok(beside_first(words::form_outdated(&carried.command)));
    }
    app.log(&changed_entry);
    if wanted.audit_channel.is_some() {
        announce::chosen(app, &carried.workspace, from).await;
    }
    if wanted.lending == MayLend::Off
        && let Err(failure) = lend::end_all(app, &carried.workspace).await
    {
        // As long as the rules stay as they are, it is not used.
        tracing::warn!(error = chain(&failure), "what is lent in a workspace is not ended for good");
    }
    Ok(BTreeMap::new())
}

/// Asked again when the form comes back: it may have stood open for days.
async fn standing(app: &App, person: &Person) -> Result<Standing, Failure> {
    match tokio::time::timeout(ROLE_DEADLINE, admin::standing(app, person)).await {
        Ok(standing) => standing,
        Err(_) => Ok(Standing::Not(NotAdmin::Unknown(RoleUnknown::Away))),
    }
}

fn beside_first(words: String) -> BTreeMap<&'static str, String> {
    BTreeMap::from([(Field::Managers.name(), words)])
}

fn entry(app: &App, submission: &Submission, outcome: AuditOutcome, changed: &[Field]) -> AuditEntry {
    let at = app.clock.now();
    let settings: Vec<String> = changed.iter().map(|field| field.name().to_owned()).collect();
    AuditEntry {
        person: Some(submission.person.clone()),
        channel: Some(submission.carried.channel.clone()),
        asked: (!settings.is_empty()).then_some(Asked { title_chars: None, settings, dry_run: false }),
        duration_ms: milliseconds(submission.received_at, at),
        ..AuditEntry::new(at, submission.reference.clone(), AuditVerb::Policy, outcome)
    }
}

/// Whom the rules of a workspace name to change them. Rules that cannot be read name nobody.
pub(super) async fn managers(app: &App, workspace: &Workspace) -> Result<BTreeSet<UserId>, Failure> {
    let kept = app.store.policy(workspace).await?;
    Ok(kept.rules().map(|policy| policy.managers.clone()).unwrap_or_default())
}

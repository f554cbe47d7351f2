//! `/stream doctor`: how OnAir is, as far as it concerns the workspace of whoever asks, for its admins.
//!
//! Everything is looked at at once, each with its own deadline, and what could not be looked at is told as that. What
//! grows with the store is looked at up to a bound.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Done, Failure, admin, announce, bot, chain, stream};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::{Person, Workspace};
use crate::installation::SCOPES;
use crate::invocation::Invocation;
use crate::reply::{AuditChannel, Doctor, Item, Keys, Reply, Rules, Scopes, Unconfirmed, Unread, Webhooks};
use crate::stream::State;
use crate::{slack, store};

/// How long one item may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How many sealed records are looked at, at the most.
const MOST_RECORDS: usize = 1000;

/// How many streams are looked at, at the most.
const MOST_STREAMS: usize = 100;

pub(super) async fn doctor(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    if let Some(denied) = admin::only(app, &invocation.person).await? {
        return Ok(denied);
    }
    let workspace = invocation.person.workspace();
    let (store, keys, queue, streams, scopes, webhooks, clock, policy, audit_channel) = tokio::join!(
        item(async { Ok(app.store.ping().await?) }),
        item(keys(app)),
        item(queue(app)),
        item(streams(app, &invocation.person)),
        item(scopes(app, &workspace)),
        item(webhooks(app)),
        item(clock(app)),
        item(policy(app, &workspace)),
        item(audit_channel(app, &workspace)),
    );
    let doctor = Doctor { store, keys, queue, streams, scopes, webhooks, clock, policy, audit_channel };
    Ok(Done::new(Reply::Doctor(Box::new(doctor)), AuditOutcome::Told))
}

async fn item<T>(look: impl Future<Output = Item<T>>) -> Item<T> {
    tokio::time::timeout(DEADLINE, look).await.unwrap_or(Err(Unread::TooSlow))
}

impl From<store::Error> for Unread {
    fn from(error: store::Error) -> Self {
        tracing::warn!(error = chain(&error), "an item of the doctor was not read");
        Self::Store
    }
}

async fn keys(app: &App) -> Item<Keys> {
    let ids = app.store.key_ids();
    let sealed = app.store.some_seals(MOST_RECORDS).await?;
    Ok(Keys { ids, looked: sealed.looked, others: sealed.others, lost: sealed.lost, is_more: sealed.is_more })
}

async fn queue(app: &App) -> Item<Option<SignedDuration>> {
    let oldest = app.store.waiting().await?.oldest;
    Ok(oldest.and_then(|oldest| SignedDuration::try_from(oldest).ok()))
}

async fn streams(app: &App, person: &Person) -> Item<Unconfirmed> {
    let records = app.store.streams(person).await?;
    let mut found = Unconfirmed { is_more: records.len() > MOST_STREAMS, ..Unconfirmed::default() };
    for record in records.iter().take(MOST_STREAMS) {
        let stream = stream::known(app, record.meeting).await.map_err(|_| Unread::Store)?;
        let stream = stream.filter(|stream| stream.concerns(person, None));
        if let Some(State::Unconfirmed { at }) = stream.map(|stream| stream.state) {
            found.count += 1;
            if found.oldest.is_none_or(|(_, oldest)| at < oldest) {
                found.oldest = Some((record.meeting, at));
            }
        }
    }
    Ok(found)
}

/// What Slack says, which also shows that the token is good.
async fn scopes(app: &App, workspace: &Workspace) -> Item<Scopes> {
    let asked = async { Ok(app.slack.scopes(&bot::token_of(app, workspace).await?).await?) };
    let asked: Result<Vec<String>, bot::Error> = asked.await;
    let error = match asked {
        Ok(granted) => {
            let is_missing = |scope: &&&str| !granted.iter().any(|granted| granted == **scope);
            return Ok(Scopes::Missing(SCOPES.iter().filter(is_missing).copied().collect()));
        }
        Err(bot::Error::Store(error)) => return Err(error.into()),
        Err(bot::Error::Slack(error)) => error,
    };
    match error {
        slack::Error::NoBot => Ok(Scopes::NoBot),
        error if error.is_dead_token() => Ok(Scopes::NoBot),
        error => {
            tracing::warn!(error = chain(&error), "Slack did not tell what the app may do");
            Err(Unread::Slack)
        }
    }
}

async fn webhooks(app: &App) -> Item<Webhooks> {
    if app.zoom.webhook_secrets().is_empty() {
        return Ok(Webhooks::NotSet);
    }
    Ok(Webhooks::Set { proven_at: app.store.webhooks_proven_at().await? })
}

async fn clock(app: &App) -> Item<SignedDuration> {
    let ahead = app.zoom.reachable().await.map_err(|error| {
        tracing::warn!(error = chain(&error), "Zoom did not tell the time");
        Unread::Zoom
    })?;
    ahead.ok_or(Unread::Zoom)
}

async fn policy(app: &App, workspace: &Workspace) -> Item<Rules> {
    let kept = app.store.policy(workspace).await?;
    Ok(kept.rules().map_or(Rules::Unreadable, |policy| Rules::Read(Box::new(policy.clone()))))
}

async fn audit_channel(app: &App, workspace: &Workspace) -> Item<AuditChannel> {
    Ok(match announce::told(app, workspace).await? {
        Some((channel, is_refused)) => AuditChannel::Some { channel, is_refused },
        None => AuditChannel::None,
    })
}

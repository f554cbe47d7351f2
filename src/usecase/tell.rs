//! Telling an answer, until Slack has it: at the `response_url`, and where that is over, in other ways.

use std::time::Duration;

use super::chain;
use super::work::{Change, Work};
use crate::invocation::Invocation;
use crate::journal::{Retry, Stage};
use crate::slack;
use crate::words::Message;

use jiff::SignedDuration;

/// How long an answer is worth telling by other ways than its `response_url`.
const WORTH_TELLING: SignedDuration = SignedDuration::from_hours(24);

/// What became of one attempt to tell.
enum Told {
    /// Slack has it.
    Yes,
    /// Slack never takes it.
    Never,
    /// Slack may take it after this long, at the least.
    Later(Duration),
}

/// Posts the answer, and lets the job end, or wait for its next try. Where Slack is away the answer waits in the journal.
pub(super) async fn tell(work: &Work, message: Message, retry: Option<Retry>) {
    match post(work, &message).await {
        Told::Yes | Told::Never => match retry {
            Some(retry) => wait_for(work, retry).await,
            None => finish(work).await,
        },
        Told::Later(at_least) => {
            let due = at_least.max(Duration::from_secs(5) * work.attempt.min(12));
            let job = work.job(Stage::Decided { message, retry });
            work.persist(Change::Postpone(&job, due)).await;
        }
    }
}

pub(super) async fn finish(work: &Work) {
    if !work.persist(Change::Finish).await {
        tracing::warn!("an answer was told twice: its job had been taken over");
    }
}

async fn wait_for(work: &Work, retry: Retry) {
    let left = Duration::try_from(retry.at.duration_since(work.app.clock.now())).unwrap_or_default();
    let retry = Retry { holders: work.attempt, ..retry };
    if !work.persist(Change::Postpone(&work.job(Stage::Waiting(retry)), left)).await {
        tracing::warn!("an answer was told twice: its job had been taken over");
    }
}

/// Tries a few times at once, so that a short hiccup costs no more than a moment.
async fn post(work: &Work, message: &Message) -> Told {
    const TRIES_AT_ONCE: u32 = 4;
    const LONGEST_WAIT: Duration = Duration::from_secs(3);
    let mut asked_to_wait = Duration::ZERO;
    for attempt in 1..=TRIES_AT_ONCE {
        let error = match post_once(work, message).await {
            Ok(()) => return Told::Yes,
            Err(error) => error,
        };
        let age = work.app.clock.now().duration_since(work.invocation.received_at);
        let Some(wait) = error.retry_in().filter(|_| age < WORTH_TELLING) else {
            tracing::error!(error = chain(&error), "answer lost: Slack does not take it");
            return Told::Never;
        };
        tracing::warn!(error = chain(&error), attempt, "answer not taken, trying again");
        asked_to_wait = wait;
        if wait > LONGEST_WAIT {
            break;
        }
        if attempt < TRIES_AT_ONCE {
            tokio::time::sleep(wait.max(Duration::from_millis(250) * 2u32.pow(attempt))).await;
        }
    }
    Told::Later(asked_to_wait)
}

/// At the `response_url` while it lives; once it does not, as the bot's own message, where there is a bot that may.
async fn post_once(work: &Work, message: &Message) -> Result<(), slack::Error> {
    let (app, invocation) = (&work.app, &work.invocation);
    let age = app.clock.now().duration_since(invocation.received_at);
    if age <= Invocation::ANSWERABLE {
        match app.slack.answer(&invocation.reply_to, message).await {
            Err(error @ slack::Error::Spent(_)) => tracing::warn!(error = chain(&error), "answering in another way"),
            result => return result,
        }
    }
    app.slack.post_instead(&invocation.person, &invocation.channel, message).await
}

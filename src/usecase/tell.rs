//! Telling an answer, until Slack has it: as a card that can be changed, at the `response_url`, and where that is over, in
//! other ways.

use std::time::Duration;

use jiff::SignedDuration;

use super::hold::Change;
use super::stream::Showing;
use super::work::Work;
use super::{bot, chain, home, stream};
use crate::clock;
use crate::journal::{Retry, Stage};
use crate::slack;
use crate::stream::Place;
use crate::words::Message;

/// How long an answer is worth telling by other ways than its `response_url`.
const WORTH_TELLING: SignedDuration = SignedDuration::from_hours(24);

/// What became of one attempt to tell.
enum Told {
    /// Slack has it: there, where it can be changed.
    Yes(Option<Place>),
    /// Slack never takes it.
    Never,
    /// Slack may take it after this long, at the least.
    Later(Duration),
}

/// Posts the answer, and lets the job end, or wait for its next try. Where Slack is away the answer waits in the journal.
pub(super) async fn tell(work: &Work, message: Message, retry: Option<Retry>, showing: Option<Showing>) {
    match post(work, &message, showing.is_some()).await {
        Told::Yes(place) => {
            if let (Some(showing), Some(place)) = (showing, place) {
                stream::placed(work, showing, place).await;
            }
            told(work, retry).await;
        }
        Told::Never => told(work, retry).await,
        Told::Later(at_least) => {
            let due = at_least.max(Duration::from_secs(5) * work.hold.attempt.min(12));
            let then = work.app.clock.now().saturating_add(due).unwrap_or(jiff::Timestamp::MAX);
            // A next try does not wait until Slack has heard that there will be one.
            if let Some(retry) = retry.filter(|retry| retry.at <= then) {
                return wait_for(work, retry).await;
            }
            let card = showing.map(|showing| showing.card);
            let job = work.job(Stage::Decided { message: Some(message), retry, card });
            work.hold.persist(Change::Postpone(&job, due)).await;
        }
    }
}

/// Lets a job end whose answer is told, or wait for its next try.
pub(super) async fn told(work: &Work, retry: Option<Retry>) {
    match retry {
        Some(retry) => wait_for(work, retry).await,
        None => finish(work).await,
    }
    if work.invocation.is_from_home() {
        home::publish(&work.app, &work.invocation.person);
    }
}

pub(super) async fn finish(work: &Work) {
    if !work.hold.persist(Change::Finish).await {
        tracing::warn!("an answer was told twice: its job had been taken over");
    }
}

async fn wait_for(work: &Work, retry: Retry) {
    let left = clock::until(retry.at, work.app.clock.now());
    let retry = Retry { holders: work.hold.attempt, ..retry };
    if !work.hold.persist(Change::Postpone(&work.job(Stage::Waiting(retry)), left)).await {
        tracing::warn!("an answer was told twice: its job had been taken over");
    }
}

/// Tries a few times at once, so that a short hiccup costs no more than a moment.
async fn post(work: &Work, message: &Message, is_card: bool) -> Told {
    const TRIES_AT_ONCE: u32 = 4;
    const LONGEST_WAIT: Duration = Duration::from_secs(3);
    let mut asked_to_wait = Duration::ZERO;
    for attempt in 1..=TRIES_AT_ONCE {
        let error = match post_once(work, message, is_card).await {
            Ok(place) => return Told::Yes(place),
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

/// A card as the bot's own message, where it may post; everything else at the `response_url` while it lives, and then as
/// the bot's own message again.
async fn post_once(work: &Work, message: &Message, is_card: bool) -> Result<Option<Place>, bot::Error> {
    let (app, invocation) = (&work.app, &work.invocation);
    if is_card {
        match bot::post(app, &invocation.person, &invocation.channel, message).await {
            Ok(place) => return Ok(Some(place)),
            Err(error) if error.leaves_open() => return Err(error),
            Err(error) => tracing::debug!(error = chain(&error), "the card is an answer: the bot does not post there"),
        }
    }
    let Some(reply_to) = &invocation.reply_to else {
        return bot::post(app, &invocation.person, &invocation.channel, message).await.map(|_| None);
    };
    let until = invocation.answerable_until();
    if app.clock.now() <= until {
        // The URL of a press can replace the message that was pressed, and no other: a card has to begin there.
        let replaces = message.replaces || (is_card && invocation.press.is_some());
        match app.slack.answer(reply_to, &Message { replaces, ..message.clone() }).await {
            Ok(()) => {
                return Ok(Some(Place::Answered { at: reply_to.clone(), until, uses: 1 }));
            }
            Err(error @ slack::Error::Spent(_)) => tracing::warn!(error = chain(&error), "answering in another way"),
            Err(error) => return Err(error.into()),
        }
    }
    bot::post_instead(app, &invocation.person, &invocation.channel, message).await.map(|()| None)
}

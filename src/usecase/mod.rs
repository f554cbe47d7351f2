//! Decisions that need more than one door. One file per verb; this one takes a command from its acceptance to the
//! one answer and the one audit entry that each ends in, whatever happens in between.

mod connect;
mod disconnect;
pub mod link;
mod order;
mod start;
mod status;
mod stop;
mod token;
mod whoami;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::Instrument as _;

use crate::app::{App, Place};
use crate::audit::{Asked, AuditEntry, AuditOutcome, AuditVerb, ZoomAnswer};
use crate::command::{self, Command, Problem, Run, UsageError, Verb};
use crate::id::{DeliveryId, ZoomUserId};
use crate::invocation::Invocation;
use crate::meeting::Settings;
use crate::reply::Reply;
use crate::words::{self, Message};
use crate::{store, zoom};

/// What Slack is told at once.
#[derive(Debug)]
pub enum Receipt {
    /// This very request was seen before.
    Replayed,
    /// The answer is known already.
    Answer(Message),
    /// Accepted; the answer follows at the `response_url`.
    Later,
}

/// How a command ended: the answer, and what is written down.
#[derive(Debug)]
struct Done {
    reply: Reply,
    outcome: AuditOutcome,
    zoom_user: Option<ZoomUserId>,
    zoom: Option<ZoomAnswer>,
}

impl Done {
    fn new(reply: Reply, outcome: AuditOutcome) -> Self {
        Self { reply, outcome, zoom_user: None, zoom: None }
    }
}

/// Something broke. The operator reads the chain; the person gets a sentence and a reference.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the store failed")]
    Store(#[from] store::Error),
    #[error("the work panicked")]
    Panicked,
    #[error("the work took too long")]
    TookTooLong,
}

impl Failure {
    fn reply(&self) -> Reply {
        match self {
            // The store is asked before Zoom is; when it fails, nothing was done.
            Self::Store(_) => Reply::NotAccepted,
            Self::Panicked | Self::TookTooLong => Reply::Broken,
        }
    }
}

/// Takes one delivered command: answers it at once where nothing from outside is needed, else remembers the delivery,
/// starts the work and lets Slack have its acknowledgment. One round trip to the store, and nothing else awaited.
pub async fn receive(app: &App, delivery: &DeliveryId, invocation: Invocation) -> Receipt {
    let Some(place) = app.place() else {
        tracing::warn!(reference = %invocation.reference, "busy: a command was not accepted");
        return Receipt::Answer(say(app, &invocation, &Reply::Busy));
    };
    let next = read(&invocation);
    let entry = match &next {
        Next::Say(_, outcome) => Some(entry(app, &invocation, AuditVerb::Help, None, *outcome)),
        Next::Work(_) => None,
    };
    match app.store.accept(delivery, entry.as_ref().map_or(store::With::Nothing, store::With::Entry)).await {
        Ok(store::Accepted::New) => {}
        Ok(store::Accepted::Replayed) => return Receipt::Replayed,
        Err(error) => {
            tracing::error!(reference = %invocation.reference, error = chain(&error), "not accepted: the store failed");
            return Receipt::Answer(say(app, &invocation, &Reply::NotAccepted));
        }
    }
    if let Some(entry) = &entry {
        app.log(entry);
    }
    match next {
        Next::Say(reply, _) => Receipt::Answer(say(app, &invocation, &reply)),
        Next::Work(command) => {
            begin(app, invocation, command, place);
            Receipt::Later
        }
    }
}

/// Whether a request that changes nothing was seen before. Where the store is away it counts as new: nothing comes of it.
pub async fn is_replay(app: &App, delivery: &DeliveryId) -> bool {
    match app.store.accept(delivery, store::With::Nothing).await {
        Ok(accepted) => accepted == store::Accepted::Replayed,
        Err(error) => {
            tracing::warn!(error = chain(&error), "a delivery was not remembered");
            false
        }
    }
}

/// What a text asks for.
enum Next {
    /// Nothing from outside is needed.
    Say(Reply, AuditOutcome),
    /// Somebody has to be asked.
    Work(Command),
}

fn read(invocation: &Invocation) -> Next {
    match command::parse(invocation.text.as_str()) {
        Ok(Command::Help { verb }) => Next::Say(Reply::Help { verb }, AuditOutcome::Told),
        Ok(command) => Next::Work(command),
        Err(error) => {
            let outcome = usage_outcome(&error);
            Next::Say(Reply::Usage(error), outcome)
        }
    }
}

fn usage_outcome(error: &UsageError) -> AuditOutcome {
    match error.problem {
        Problem::StreamSecret => AuditOutcome::SecretRefused,
        _ => AuditOutcome::Usage,
    }
}

/// Starts the work of an accepted command, in a task that holds its place in the queue to the end.
fn begin(app: &App, invocation: Invocation, command: Command, place: Place) {
    let span = tracing::info_span!("command", reference = %invocation.reference, verb = command.verb().word());
    let (invocation, app) = (Arc::new(invocation), app.clone());
    let spawner = app.clone();
    let work = async move {
        let done = run_guarded(&app, &invocation, &command).await;
        finish(&app, &invocation, &command, done).await;
        drop(place);
    };
    drop(spawner.spawn(work.instrument(span)));
}

/// Runs a command so that neither a panic nor a hang can leave its person without an answer.
async fn run_guarded(app: &App, invocation: &Arc<Invocation>, command: &Command) -> Result<Done, Failure> {
    let (inner_app, inner_invocation, inner_command) = (app.clone(), Arc::clone(invocation), command.clone());
    let work = async move { run(&inner_app, &inner_invocation, &inner_command).await };
    let task = app.spawn(work.in_current_span());
    let abort = task.abort_handle();
    match tokio::time::timeout(app.options.work, task).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(_) => {
            abort.abort();
            Err(Failure::TookTooLong)
        }
    }
}

async fn run(app: &App, invocation: &Invocation, command: &Command) -> Result<Done, Failure> {
    match command {
        Command::Start(start) => start::start(app, invocation, start).await,
        Command::Stop { meeting } => stop::stop(app, invocation, *meeting).await,
        Command::Status { meeting } => status::status(app, invocation, *meeting).await,
        Command::Connect => connect::connect(app, invocation).await,
        Command::Disconnect => disconnect::disconnect(app, invocation).await,
        Command::Whoami => whoami::whoami(app, invocation).await,
        Command::Help { verb } => Ok(Done::new(Reply::Help { verb: *verb }, AuditOutcome::Told)),
    }
}

/// Writes down how a command ended, then tells it.
async fn finish(app: &App, invocation: &Invocation, command: &Command, done: Result<Done, Failure>) {
    let done = done.unwrap_or_else(|failure| {
        tracing::error!(error = chain(&failure), "command failed");
        Done::new(failure.reply(), AuditOutcome::Failed)
    });
    let mut entry = entry(app, invocation, command.verb().into(), Some(command), done.outcome);
    entry.zoom_user = done.zoom_user;
    entry.zoom = done.zoom;
    app.record(&entry).await;
    tell(app, invocation, &done.reply).await;
}

/// Posts an answer, again where the first try certainly did not arrive.
async fn tell(app: &App, invocation: &Invocation, reply: &Reply) {
    const TRIES: u32 = 4;
    const LONGEST_WAIT: Duration = Duration::from_secs(30);
    let message = say(app, invocation, reply);
    for attempt in 1..=TRIES {
        let Err(error) = app.slack.answer(&invocation.reply_to, &message).await else { return };
        match error.retry_in() {
            Some(wait) if attempt < TRIES && wait <= LONGEST_WAIT => {
                tracing::warn!(error = chain(&error), attempt, "answer not taken, trying again");
                tokio::time::sleep(wait.max(Duration::from_millis(250) * 2u32.pow(attempt))).await;
            }
            _ => {
                tracing::error!(reference = %invocation.reference, error = chain(&error), "answer lost");
                return;
            }
        }
    }
}

fn say(app: &App, invocation: &Invocation, reply: &Reply) -> Message {
    let context =
        words::Context { command: &invocation.command, now: app.clock.now(), reference: &invocation.reference };
    words::say(reply, &context)
}

fn entry(
    app: &App,
    invocation: &Invocation,
    verb: AuditVerb,
    command: Option<&Command>,
    outcome: AuditOutcome,
) -> AuditEntry {
    let at = app.clock.now();
    AuditEntry {
        at,
        reference: invocation.reference.clone(),
        person: invocation.person.clone(),
        channel: invocation.channel.clone(),
        verb,
        meeting: command.and_then(Command::meeting),
        asked: command.and_then(asked),
        zoom_user: None,
        zoom: None,
        outcome,
        duration_ms: milliseconds(invocation.received_at, at),
    }
}

fn asked(command: &Command) -> Option<Asked> {
    match command {
        Command::Start(start) => Some(Asked {
            title_chars: start.settings.title.as_ref().map(|title| title.as_str().chars().count()),
            settings: setting_names(&start.settings),
            dry_run: start.run == Run::Dry,
        }),
        Command::Stop { .. }
        | Command::Status { .. }
        | Command::Connect
        | Command::Disconnect
        | Command::Whoami
        | Command::Help { .. } => None,
    }
}

fn setting_names(settings: &Settings) -> Vec<String> {
    let names = [
        settings.title.is_some().then_some("display_name"),
        settings.speaker_name.is_some().then_some("active_speaker_name"),
        settings.layout.is_some().then_some("layout"),
        settings.captions.is_some().then_some("close_caption"),
    ];
    names.into_iter().flatten().map(str::to_owned).collect()
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

/// An error and its causes, for the log. Our errors hold no body, token or URL, and neither do their sources.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

impl From<Verb> for AuditVerb {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Start => Self::Start,
            Verb::Stop => Self::Stop,
            Verb::Status => Self::Status,
            Verb::Connect => Self::Connect,
            Verb::Disconnect => Self::Disconnect,
            Verb::Whoami => Self::Whoami,
            Verb::Help => Self::Help,
        }
    }
}

/// Logs why a call to another service did not work, where the person is told in other words.
fn log_zoom(error: &zoom::Error, doing: &'static str) {
    tracing::warn!(error = chain(error), doing, "Zoom did not do it");
}

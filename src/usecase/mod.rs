//! Decisions that need more than one door. One file per verb; this one takes a command from its acceptance to the
//! one answer and the one audit entry that each ends in, whatever happens in between.

mod admin;
mod announce;
mod audit;
mod bot;
mod cancel;
mod check;
mod connect;
mod deed;
mod disconnect;
mod doctor;
mod facts;
mod forget;
mod hold;
pub mod home;
pub mod install;
mod keep;
mod lease;
pub mod lend;
pub mod link;
mod order;
pub mod policy;
mod presets;
mod record;
pub mod removal;
pub mod report;
mod reseal;
mod retain;
mod revoke;
mod save;
pub mod setup;
mod start;
mod status;
mod stop;
mod stream;
mod tell;
mod token;
mod turn;
mod unlinked;
mod unused;
mod whoami;
mod work;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::announce::announce;
pub use self::reseal::reseal;
pub use self::retain::retain;
use self::stream::Note;
pub use self::unused::warn_of_unused;
pub use self::work::take_over;
use self::work::{NewJob, Work};

use crate::app::App;
use crate::audit::{Asked, AuditEntry, AuditOutcome, AuditVerb, ZoomAnswer};
use crate::command::{self, Command, Problem, Run, Target, UsageError, Verb};
use crate::id::{DeliveryId, JobId, UserId, ZoomUserId};
use crate::invocation::{Form, Invocation, Press, Submission};
use crate::journal::{Job, Retry, Stage};
use crate::meeting::{MeetingId, Settings};
use crate::reply::{ConfirmStop, Reply};
use crate::store::With;
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
    /// Who lent the meeting, where it was done as that person.
    on_behalf_of: Option<UserId>,
    /// To whom a meeting was lent.
    lent_to: Option<UserId>,
    /// When it is tried again; it has not ended then.
    retry: Option<Retry>,
    /// What it means for a stream.
    note: Option<Note>,
}

impl Done {
    fn new(reply: Reply, outcome: AuditOutcome) -> Self {
        let (zoom_user, zoom, on_behalf_of, lent_to) = Default::default();
        Self { reply, outcome, zoom_user, zoom, on_behalf_of, lent_to, retry: None, note: None }
    }
}

/// What somebody wants, read from what they typed or pressed.
#[derive(Clone, Debug)]
enum Task {
    Typed(Command),
    /// A command that calls its meeting by a saved name, which is not looked up yet.
    Named(Command<Target>),
    Cancel {
        meeting: MeetingId,
        job: JobId,
    },
    /// To confirm, as a second person, a stop that somebody else asked for.
    Confirm(ConfirmStop),
    /// Text that makes no sense. It is answered at once, so only a journal that another OnAir wrote has it.
    Senseless,
}

impl Task {
    fn of(invocation: &Invocation) -> Self {
        match &invocation.press {
            Some(Press::Cancel { meeting, job }) => Self::Cancel { meeting: *meeting, job: job.clone() },
            Some(Press::Confirm(stop)) => Self::Confirm(stop.clone()),
            Some(Press::Command { text }) => Self::read(text),
            None => Self::read(invocation.text.as_str()),
        }
    }

    fn read(text: &str) -> Self {
        match command::parse(text) {
            Ok(command) => command.by_id().map_or(Self::Named(command), Self::Typed),
            Err(_) => Self::Senseless,
        }
    }

    fn verb(&self) -> AuditVerb {
        match self {
            Self::Typed(command) => command.verb().into(),
            Self::Named(command) => command.verb().into(),
            Self::Cancel { .. } => AuditVerb::Cancel,
            Self::Confirm(_) => AuditVerb::Stop,
            Self::Senseless => AuditVerb::Help,
        }
    }

    fn meeting(&self) -> Option<MeetingId> {
        match self {
            Self::Typed(command) => command.meeting(),
            Self::Cancel { meeting, .. } | Self::Confirm(ConfirmStop { meeting, .. }) => Some(*meeting),
            Self::Named(_) | Self::Senseless => None,
        }
    }
}

/// Something broke. The operator reads the chain; the person gets a sentence and a reference.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the store failed")]
    Store(#[from] store::Error),
    #[error("somebody else changed it meanwhile")]
    Changed,
    #[error("the work panicked")]
    Panicked,
    #[error("the work took too long")]
    TookTooLong,
    #[error("somebody else has taken the work over")]
    TakenOver,
    #[error("somebody pressed Cancel, and that was told")]
    Cancelled,
}

impl Failure {
    /// Whether the same work may go well in a moment.
    fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Changed => true,
            Self::Panicked | Self::TookTooLong | Self::TakenOver | Self::Cancelled => false,
        }
    }
}

/// Takes one delivered command: answers it at once where nothing from outside is needed, else remembers the delivery,
/// starts the work and lets Slack have its acknowledgment. One round trip to the store, and nothing else awaited.
pub async fn receive(app: &App, delivery: &DeliveryId, invocation: Invocation) -> Receipt {
    match at_once(&invocation) {
        Some((reply, outcome)) => answer(app, delivery, &invocation, &reply, outcome).await,
        None => accept(app, delivery, invocation).await,
    }
}

/// Takes a command whose answer is known: it is in the audit before it is given.
async fn answer(
    app: &App,
    delivery: &DeliveryId,
    invocation: &Invocation,
    reply: &Reply,
    outcome: AuditOutcome,
) -> Receipt {
    let entry = entry(app, invocation, &Task::Senseless, outcome);
    match app.store.accept(delivery, With::Entry(&entry)).await {
        Ok(store::Accepted::New) => {
            app.log(&entry);
            Receipt::Answer(say(app, invocation, reply))
        }
        Ok(store::Accepted::Replayed) => Receipt::Replayed,
        Err(error) => not_accepted(app, invocation, &error),
    }
}

/// Takes a command into the journal, and begins its work.
async fn accept(app: &App, delivery: &DeliveryId, invocation: Invocation) -> Receipt {
    let Some(place) = app.place() else {
        tracing::warn!(reference = %invocation.reference, "busy: a command was not accepted");
        return Receipt::Answer(say(app, &invocation, &Reply::Busy));
    };
    let new = NewJob::new(Job::Command { invocation: Box::new(invocation), stage: Stage::Accepted });
    let with = With::Job { id: &new.id, job: &new.job, owner: &new.owner, lease: hold::LEASE };
    match app.store.accept(delivery, with).await {
        Ok(store::Accepted::New) => {
            work::begin(app, new, place);
            Receipt::Later
        }
        Ok(store::Accepted::Replayed) => Receipt::Replayed,
        Err(error) => {
            let Job::Command { invocation, .. } = &new.job else { unreachable!("it was made of a command") };
            let receipt = not_accepted(app, invocation, &error);
            work::withdraw(app, new);
            receipt
        }
    }
}

fn not_accepted(app: &App, invocation: &Invocation, error: &store::Error) -> Receipt {
    tracing::error!(reference = %invocation.reference, error = chain(error), "not accepted: the store failed");
    Receipt::Answer(say(app, invocation, &Reply::NotAccepted))
}

/// What became of a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// This very request was seen before.
    Replayed,
    /// It was not; whatever there is to say follows at its `response_url`.
    Acknowledged,
}

/// Takes one press of a button, as [`receive`] takes a command. Slack shows nothing of the answer to a press, so what is
/// known at once is posted as well.
pub async fn receive_press(app: &App, delivery: &DeliveryId, invocation: Invocation) -> Pressed {
    let asked = invocation.clone();
    match receive(app, delivery, invocation).await {
        Receipt::Replayed => return Pressed::Replayed,
        Receipt::Later => {}
        Receipt::Answer(message) => {
            let inner = app.clone();
            drop(app.spawn(async move { post(&inner, &asked, &message).await }));
        }
    }
    Pressed::Acknowledged
}

/// Whether a request that changes nothing was seen before. Where the store is away it counts as new: nothing comes of it.
pub async fn is_replay(app: &App, delivery: &DeliveryId) -> bool {
    match app.store.accept(delivery, With::Nothing).await {
        Ok(accepted) => accepted == store::Accepted::Replayed,
        Err(error) => {
            tracing::warn!(error = chain(&error), "a delivery was not remembered");
            false
        }
    }
}

/// Takes a form that somebody sent: what is wrong with it, by the names of its fields; nothing is, where it is done.
pub async fn submit(app: &App, submission: Submission) -> BTreeMap<&'static str, String> {
    match submission.carried.form.clone() {
        Form::Policy { version } => policy::save(app, submission, version).await,
        Form::Lend { meeting, until } => lend::save(app, submission, meeting, until).await,
    }
}

/// The answer to a text that needs nothing from outside.
fn at_once(invocation: &Invocation) -> Option<(Reply, AuditOutcome)> {
    if invocation.press.is_some() {
        return None;
    }
    match command::parse(invocation.text.as_str()) {
        Ok(Command::Help { verb }) => Some((Reply::Help { verb }, AuditOutcome::Told)),
        Ok(_) => None,
        Err(error) => {
            let outcome = usage_outcome(&error);
            Some((Reply::Usage(error), outcome))
        }
    }
}

fn usage_outcome(error: &UsageError) -> AuditOutcome {
    match error.problem {
        Problem::StreamSecret => AuditOutcome::SecretRefused,
        _ => AuditOutcome::Usage,
    }
}

/// The end of a command that turns out to make no sense once the store was asked.
fn senseless(error: UsageError) -> Done {
    let outcome = usage_outcome(&error);
    Done::new(Reply::Usage(error), outcome)
}

async fn run(work: &Work, task: &Task) -> Result<Done, Failure> {
    let (app, invocation) = (&work.app, &*work.invocation);
    let command = match task {
        Task::Typed(command) => command,
        Task::Named(named) => match presets::look_up(work, named).await? {
            Ok(command) => command,
            Err(error) => return Ok(senseless(error)),
        },
        Task::Cancel { meeting, job } => return cancel::cancel(work, *meeting, job).await,
        Task::Confirm(stop) => return stop::confirm(work, stop).await,
        Task::Senseless => return Ok(Done::new(Reply::Broken, AuditOutcome::Failed)),
    };
    if let Some(refused) = policy::against(work, command).await? {
        // What may have been sent already is not told as undone.
        return if work.is_doubtful() { Box::pin(order::unknown(work, task)).await } else { Ok(refused) };
    }
    match command {
        Command::Start(start) => start::start(work, start).await,
        Command::Stop { meeting } => stop::stop(work, *meeting).await,
        Command::Status { meeting } => status::status(app, invocation, *meeting).await,
        Command::Connect => connect::connect(app, invocation).await,
        Command::Disconnect => disconnect::disconnect(app, invocation).await,
        Command::Whoami => whoami::whoami(app, invocation).await,
        Command::Save(preset) => save::save(app, invocation, preset).await,
        Command::Forget { name } => forget::forget(app, invocation, name).await,
        Command::Presets => presets::presets(app, invocation).await,
        Command::Setup { meeting } => setup::setup(app, invocation, *meeting).await,
        Command::Check { meeting } => check::check(app, invocation, *meeting).await,
        Command::Lend { meeting, lend } => lend::lend(app, invocation, *meeting, lend).await,
        Command::Audit { count } => audit::audit(app, invocation, *count).await,
        Command::Policy => policy::policy(app, invocation).await,
        // It looks at all at once, in a future that is as large as all of them.
        Command::Doctor => Box::pin(doctor::doctor(app, invocation)).await,
        Command::Help { verb } => Ok(Done::new(Reply::Help { verb: *verb }, AuditOutcome::Told)),
    }
}

/// Posts a word that no job waits for, once.
async fn tell(app: &App, invocation: &Invocation, reply: &Reply) {
    post(app, invocation, &say(app, invocation, reply)).await;
}

async fn post(app: &App, invocation: &Invocation, message: &Message) {
    let told = match &invocation.reply_to {
        Some(reply_to) => app.slack.answer(reply_to, message).await.map_err(bot::Error::from),
        None => bot::post(app, &invocation.person, &invocation.channel, message).await.map(drop),
    };
    if let Err(error) = told {
        tracing::warn!(reference = %invocation.reference, error = chain(&error), "a word was not told");
    }
}

fn say(app: &App, invocation: &Invocation, reply: &Reply) -> Message {
    let workspace = invocation.person.workspace();
    let context = words::Context {
        command: &invocation.command,
        workspace: Some(&workspace),
        now: app.clock.now(),
        reference: &invocation.reference,
    };
    words::say(reply, &context)
}

fn entry(app: &App, invocation: &Invocation, task: &Task, outcome: AuditOutcome) -> AuditEntry {
    let at = app.clock.now();
    let asked = match task {
        Task::Typed(command) => asked(command),
        Task::Named(_) | Task::Cancel { .. } | Task::Confirm(_) | Task::Senseless => None,
    };
    let asked_by = match task {
        Task::Confirm(stop) if stop.asked_by.is_colleague_of(&invocation.person) => Some(stop.asked_by.user.clone()),
        _ => None,
    };
    AuditEntry {
        at,
        reference: invocation.reference.clone(),
        person: Some(invocation.person.clone()),
        asked_by,
        on_behalf_of: None,
        lent_to: None,
        channel: Some(invocation.channel.clone()),
        verb: task.verb(),
        meeting: task.meeting(),
        asked,
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
        | Command::Save(_)
        | Command::Forget { .. }
        | Command::Presets
        | Command::Setup { .. }
        | Command::Check { .. }
        | Command::Lend { .. }
        | Command::Audit { .. }
        | Command::Policy
        | Command::Doctor
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

/// An error and its causes on one line, for operators. Our errors hold no body, token or URL, and neither do their sources.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
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
            Verb::Save => Self::Save,
            Verb::Forget => Self::Forget,
            Verb::Presets => Self::Presets,
            Verb::Setup => Self::Setup,
            Verb::Check => Self::Check,
            Verb::Lend => Self::Lend,
            Verb::Audit => Self::Audit,
            Verb::Policy => Self::Policy,
            Verb::Doctor => Self::Doctor,
            Verb::Help => Self::Help,
        }
    }
}

/// Logs why a call to another service did not work, where the person is told in other words.
fn log_zoom(error: &zoom::Error, doing: &'static str) {
    tracing::warn!(error = chain(error), doing, "Zoom did not do it");
}

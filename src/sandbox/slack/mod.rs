//! A simulated Slack: people type commands and press buttons, the app answers, and everybody's screen can be read.
//!
//! It signs and counts as Slack documents it and says no as Slack does.

mod admin;
mod api;
mod blocks;
mod button;
mod chat;
mod delivery;
mod event;
mod home;
mod hooks;
mod message;
mod oauth;
mod people;
mod post;
mod press;
mod render;
mod screen;
#[cfg(test)]
mod tests;
mod users;
mod views;
mod world;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

pub use button::{Button, Confirm};
pub use delivery::{Delivery, Failure};
pub use home::Home;
pub use message::{Audience, Author, Link, Message};
pub use people::{Channel, ChannelKind, Enterprise, Installed, Role, User, Workspace};
pub use press::CannotPress;
pub use views::{CannotSubmit, Fill, Modal};

pub use super::signed::{AppAnswer, DEADLINE, SignedRequest, signature};

use self::render::Dates;
use self::world::{State, World};
use super::exchange::{Exchanges, Log, Party};
use super::wait::{self, PATIENCE, TimedOut};
use super::wire::{Recorded, Server};
use super::{Fault, lock, signed};
use crate::clock::Clock;

/// Where a fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Every route.
    Any,
    /// `response_url`s.
    ResponseUrl,
    /// `chat.postMessage`
    PostMessage,
    /// `chat.postEphemeral`
    PostEphemeral,
    /// `chat.update`
    Update,
    /// `users.info`
    UsersInfo,
    /// `views.open`
    ViewsOpen,
    /// `views.publish`
    ViewsPublish,
    /// Any other Web API method.
    OtherMethod,
}

impl Route {
    fn of(request: &Recorded) -> Self {
        match request.path.as_str() {
            "/api/chat.postMessage" => Self::PostMessage,
            "/api/chat.postEphemeral" => Self::PostEphemeral,
            "/api/chat.update" => Self::Update,
            "/api/users.info" => Self::UsersInfo,
            "/api/views.open" => Self::ViewsOpen,
            "/api/views.publish" => Self::ViewsPublish,
            path if path.starts_with("/hooks/") => Self::ResponseUrl,
            _ => Self::OtherMethod,
        }
    }
}

/// A handle on the simulated Slack. Clones share it; it stops when the last one is dropped.
#[derive(Clone)]
pub struct SimSlack {
    world: Arc<World>,
    server: Arc<Server>,
    signing_secret: Arc<str>,
    http: Arc<signed::Client>,
    home: Workspace,
}

impl fmt::Debug for SimSlack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimSlack({})", self.world.base)
    }
}

impl SimSlack {
    /// Starts a Slack with one workspace, `acme`, and a clock of its own.
    pub async fn start(signing_secret: &str) -> io::Result<Self> {
        Self::start_with_clock(signing_secret, Clock::default()).await
    }

    /// Starts a Slack that lives by this clock.
    pub async fn start_with_clock(signing_secret: &str, clock: Clock) -> io::Result<Self> {
        let (server, listener) = Server::bind().await?;
        let http = Arc::new(signed::Client::new()?);
        let mut state = State::default();
        let home = new_workspace(&mut state, "acme", None);
        let world =
            Arc::new(World { base: server.base(), clock, state: Mutex::new(state), changes: watch::Sender::new(0) });
        let serving = world.clone();
        server.serve(listener, move |request| {
            let world = serving.clone();
            async move { world.serve(request).await }
        });
        Ok(Self { world, server: Arc::new(server), signing_secret: signing_secret.into(), http, home })
    }

    /// Stops serving, for every clone of the handle.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// Writes down all that is said from now on.
    pub(super) fn log_to(&self, exchanges: &Exchanges) {
        self.server.log_to(Log::new(exchanges, Party::Slack));
        self.http.log_to(Log::new(exchanges, Party::Slack));
    }

    /// Counts the changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.world.changes.subscribe()
    }

    /// What belongs into `SLACK_API_URL`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.world.base)
    }

    /// What belongs into `SLACK_OAUTH_URL`.
    pub fn oauth_url(&self) -> String {
        self.world.base.clone()
    }

    /// What belongs into `SLACK_HOOKS_URL`: what every `response_url` begins with.
    pub fn hooks_url(&self) -> String {
        format!("{}/hooks", self.hooks_base())
    }

    /// From now on every `response_url` begins with this base, from where the way leads here, instead of Slack's own.
    pub fn hand_out_hooks_at(&self, base: &str) {
        self.world.change(|state| state.hooks_base = Some(base.to_owned()));
    }

    fn hooks_base(&self) -> String {
        self.world.read(|state| state.hooks_base.clone()).unwrap_or_else(|| self.world.base.clone())
    }

    /// The clock this Slack lives by.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// Sets where the slash command is delivered.
    pub fn connect_app(&self, command_url: &str) {
        self.world.change(|state| state.command_url = Some(command_url.to_owned()));
    }

    /// Sets where pressed buttons are delivered.
    pub fn connect_interactions(&self, interactions_url: &str) {
        self.world.change(|state| state.interactions_url = Some(interactions_url.to_owned()));
    }

    /// The first workspace.
    pub fn home(&self) -> &Workspace {
        &self.home
    }

    /// The workspace of this domain, made if it is new.
    pub fn workspace(&self, domain: &str) -> Workspace {
        self.world.change(|state| found_workspace(state, domain, |_| None))
    }

    /// A workspace of an Enterprise organization, made if it is new.
    pub fn grid_workspace(&self, domain: &str, enterprise: &str, installed: Installed) -> Workspace {
        self.world.change(|state| {
            found_workspace(state, domain, |state| {
                let mut known = state.workspaces.iter().filter_map(|workspace| workspace.enterprise.as_ref());
                let same = known.find(|known| known.name == enterprise).map(|known| known.id.clone());
                let id = same.unwrap_or_else(|| format!("E{:08}", state.workspaces.len() + 1));
                Some(Enterprise { id, name: enterprise.to_owned(), installed })
            })
        })
    }

    /// The bot token the app has in a workspace.
    pub fn bot_token(&self, workspace: &Workspace) -> String {
        api::bot_token(workspace)
    }

    /// The person of this name in the first workspace, made if new.
    pub fn user(&self, name: &str) -> User {
        self.user_in(&self.home, name)
    }

    /// The person of this name in a workspace, made if new.
    pub fn user_in(&self, workspace: &Workspace, name: &str) -> User {
        self.world.change(|state| {
            let known = state.users.iter().find(|user| user.team == workspace.id && user.name == name);
            known.cloned().unwrap_or_else(|| {
                let id = format!("U{:08}", state.users.len() + 1);
                let user = User { id, team: workspace.id.clone(), name: name.to_owned() };
                state.users.push(user.clone());
                user
            })
        })
    }

    /// A new person with the same id in another workspace, where it is somebody else.
    pub fn namesake(&self, of: &User, workspace: &Workspace, name: &str) -> User {
        let user = User { id: of.id.clone(), team: workspace.id.clone(), name: name.to_owned() };
        self.world.change(|state| state.users.push(user.clone()));
        user
    }

    /// The public channel of this name in the first workspace, made if new. The app is not in it.
    pub fn channel(&self, name: &str) -> Channel {
        self.channel_in(&self.home, name)
    }

    /// The public channel of this name in a workspace, made if new. The app is not in it.
    pub fn channel_in(&self, workspace: &Workspace, name: &str) -> Channel {
        self.world.change(|state| found_channel(state, workspace, name, ChannelKind::Public))
    }

    /// The private channel of this name in the first workspace, made if new, with these members.
    pub fn private_channel(&self, name: &str, members: &[&User]) -> Channel {
        self.closed_channel(name, ChannelKind::Private, members)
    }

    /// The direct message between these people of the first workspace.
    pub fn direct_message(&self, people: &[&User]) -> Channel {
        let names: Vec<&str> = people.iter().map(|user| user.name.as_str()).collect();
        self.closed_channel(&names.join("+"), ChannelKind::DirectMessage, people)
    }

    /// The direct message between the app and a person, made if new.
    pub fn direct_message_with_app(&self, user: &User) -> Channel {
        self.world.change(|state| {
            let workspace = state.workspace(&user.team).unwrap_or(&self.home).clone();
            chat::direct_message(state, &workspace, user)
        })
    }

    fn closed_channel(&self, name: &str, kind: ChannelKind, members: &[&User]) -> Channel {
        self.world.change(|state| {
            let channel = found_channel(state, &self.home, name, kind);
            state.members.extend(members.iter().map(|user| (channel.id.clone(), user.id.clone())));
            channel
        })
    }

    /// Lets the app into a channel, so that it can post there by itself.
    pub fn invite_app(&self, channel: &Channel) {
        self.world.change(|state| {
            let bot = state.workspace(&channel.team).map(|workspace| workspace.bot_user.clone()).unwrap_or_default();
            state.members.push((channel.id.clone(), bot));
        });
    }

    /// The next request to this route meets this fault; several are met in their order.
    pub fn next(&self, route: Route, fault: Fault) {
        self.world.change(|state| state.faults.next(route, fault));
    }

    /// Every request to this route meets this fault, until [`heal`](Self::heal).
    pub fn always(&self, route: Route, fault: Fault) {
        self.world.change(|state| state.faults.always(route, fault));
    }

    /// Takes away all faults that have not struck.
    pub fn heal(&self) {
        self.world.change(|state| state.faults.heal());
    }

    /// Counts, or no longer, that the app may post or update once a second in a channel.
    pub fn limit_posting(&self, limited: bool) {
        self.world.change(|state| state.posting_limited = limited);
    }

    /// Shows, from now on, the form of a date in place of the date, so that a transcript is the same on every run:
    /// `since {time_secs}`.
    pub fn show_dates_as_forms(&self) {
        self.world.change(|state| state.dates = Dates::Form);
    }

    /// Every message that was not deleted, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.world.read(|state| state.messages.clone())
    }

    /// What all people see in all channels, line by line.
    pub fn transcript(&self) -> String {
        self.world.read(|state| lines(state, |_| true))
    }

    /// What all people see in one channel.
    pub fn transcript_of(&self, channel: &Channel) -> String {
        self.world.read(|state| lines(state, |message| message.channel.id == channel.id))
    }

    /// The links in a message.
    pub fn links(&self, message: &Message) -> Vec<Link> {
        message.links()
    }

    /// Waits, a minute at most, for the app's n-th message (from 1) in a channel.
    pub async fn wait_for(&self, channel: &Channel, nth: usize) -> Result<Message, TimedOut> {
        let what = format!("message {nth} of the app in {}", channel.label());
        self.wait_until(&what, PATIENCE, |messages| {
            let said = |message: &&Message| message.channel.id == channel.id && message.author == Author::App;
            messages.iter().filter(said).nth(nth.saturating_sub(1)).cloned()
        })
        .await
    }

    /// Waits until something is found among the messages. The error holds the transcript.
    pub async fn wait_until<T>(
        &self,
        what: &str,
        within: Duration,
        mut look: impl FnMut(&[Message]) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let found = wait::until(&self.world.changes, within, || look(&lock(&self.world.state).messages)).await;
        found.ok_or_else(|| TimedOut { waited_for: what.to_owned(), within, instead: self.transcript() })
    }

    /// Waits until a request of this kind has come in.
    pub async fn wait_for_request(
        &self,
        what: &str,
        within: Duration,
        mut wanted: impl FnMut(&Recorded) -> bool,
    ) -> Result<Recorded, TimedOut> {
        let mut look = || lock(&self.world.state).requests.iter().find(|request| wanted(request)).cloned();
        let found = wait::until(&self.world.changes, within, &mut look).await;
        found.ok_or_else(|| TimedOut { waited_for: what.to_owned(), within, instead: self.transcript() })
    }

    /// Everything the app did that Slack would refuse or that would not have the effect meant. Ends tests: it is empty.
    pub fn complaints(&self) -> Vec<String> {
        self.world.read(|state| state.complaints.clone())
    }

    /// Every request that came in, faults included.
    pub fn requests(&self) -> Vec<Recorded> {
        self.world.read(|state| state.requests.clone())
    }
}

fn lines(state: &State, which: impl Fn(&Message) -> bool) -> String {
    let lines = state.messages.iter().filter(|message| which(message)).map(Message::transcript);
    lines.collect::<Vec<_>>().join("\n")
}

fn found_workspace(
    state: &mut State,
    domain: &str,
    enterprise: impl FnOnce(&State) -> Option<Enterprise>,
) -> Workspace {
    match state.workspaces.iter().find(|workspace| workspace.domain == domain) {
        Some(known) => known.clone(),
        None => {
            let enterprise = enterprise(state);
            new_workspace(state, domain, enterprise)
        }
    }
}

fn new_workspace(state: &mut State, domain: &str, enterprise: Option<Enterprise>) -> Workspace {
    let number = state.workspaces.len() + 1;
    let workspace = Workspace {
        id: format!("T{number:08}"),
        domain: domain.to_owned(),
        enterprise,
        bot_user: format!("UBOT{number:05}"),
    };
    state.workspaces.push(workspace.clone());
    workspace
}

fn found_channel(state: &mut State, workspace: &Workspace, name: &str, kind: ChannelKind) -> Channel {
    let known = state
        .channels
        .iter()
        .find(|channel| channel.team == workspace.id && channel.name == name && channel.kind == kind);
    known.cloned().unwrap_or_else(|| {
        let prefix = if kind == ChannelKind::DirectMessage { 'D' } else { 'C' };
        let id = format!("{prefix}{:08}", state.channels.len() + 1);
        let channel = Channel { id, team: workspace.id.clone(), name: name.to_owned(), kind };
        state.channels.push(channel.clone());
        channel
    })
}

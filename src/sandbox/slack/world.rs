//! Everything the simulated Slack knows, and how a message gets into it.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::home::Home;
use super::message::{Audience, Author, Message};
use super::oauth::{self, Oauth};
use super::people::{Channel, ChannelKind, Role, User, Workspace};
use super::post::Post;
use super::render::{Dates, Reader};
use super::views::Modal;
use super::{Route, api, hooks, render};
use crate::clock::Clock;
use crate::sandbox::fault::Faults;
use crate::sandbox::wire::{Answer, Recorded};
use crate::sandbox::{Fault, lock};

/// Where browsers go.
const PAGES: &[&str] = &["/oauth/v2/authorize", "/openid/connect/authorize"];

/// How long a `response_url` lives.
pub(super) const HOOK_LIFE: Duration = Duration::from_secs(30 * 60);

/// How often a `response_url` may be used.
pub(super) const HOOK_USES: u32 = 5;

/// The world: its state, and what does not change.
#[derive(Debug)]
pub(super) struct World {
    pub(super) base: String,
    pub(super) clock: Clock,
    pub(super) state: Mutex<State>,
    /// Counts changes, for those who wait for one.
    pub(super) changes: watch::Sender<u64>,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The time of the latest change.
    pub(super) now: Timestamp,
    pub(super) command_url: Option<String>,
    pub(super) interactions_url: Option<String>,
    pub(super) events_url: Option<String>,
    pub(super) oauth: Oauth,
    /// Where the app reaches `response_url`s, if not here.
    pub(super) hooks_base: Option<String>,
    pub(super) workspaces: Vec<Workspace>,
    pub(super) users: Vec<User>,
    /// What people are who are more than members, by their id.
    pub(super) roles: HashMap<String, Role>,
    /// By the person's id.
    pub(super) time_zones: HashMap<String, String>,
    pub(super) utc_offsets: HashMap<String, i32>,
    /// What the app may do, by workspace id, where it is not as after any installation.
    pub(super) access: HashMap<String, Access>,
    pub(super) channels: Vec<Channel>,
    /// The ids of the archived channels.
    pub(super) archived: HashSet<String>,
    /// Who is in a private channel or direct message, and where the app is: channel id, user id.
    pub(super) members: Vec<(String, String)>,
    pub(super) hooks: Vec<Hook>,
    pub(super) messages: Vec<Message>,
    /// The forms that stand open.
    pub(super) modals: Vec<Modal>,
    /// The Homes that the app published, one a person.
    pub(super) homes: Vec<Home>,
    /// Whether the Home is switched off in the app's settings.
    pub(super) has_no_home: bool,
    /// The numbers of the `trigger_id`s that have opened something.
    pub(super) used_triggers: HashSet<u64>,
    /// What readers see of a date.
    pub(super) dates: Dates,
    /// How many messages there ever were.
    pub(super) said: u64,
    /// Whether the app may post once a second in a channel, and when it last did, by channel id.
    pub(super) posting_limited: bool,
    pub(super) last_post: HashMap<String, Timestamp>,
    pub(super) complaints: Vec<String>,
    pub(super) requests: Vec<Recorded>,
    pub(super) faults: Faults<Route>,
    pub(super) counter: u64,
}

/// One `response_url`.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) number: u64,
    pub(super) path: String,
    pub(super) made: Timestamp,
    pub(super) used: u32,
    pub(super) user: User,
    pub(super) channel: Channel,
    /// The `ts` of the message whose button was pressed; none for a command.
    pub(super) message: Option<String>,
}

/// What the app may do in a workspace.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) scopes: Vec<String>,
    /// Whether this is what a browser installed.
    pub(super) installed: bool,
    /// Slack's word for why the token is dead.
    pub(super) dead: Option<&'static str>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            scopes: ["commands", "chat:write", "users:read"].map(str::to_owned).to_vec(),
            installed: false,
            dead: None,
        }
    }
}

impl World {
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let now = self.clock.now();
        let result = {
            let mut state = lock(&self.state);
            state.now = now;
            change(&mut state)
        };
        self.changes.send_modify(|count| *count += 1);
        result
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&lock(&self.state))
    }

    /// Records a request, lets a fault strike if one is due, and else carries it out.
    pub(super) async fn serve(&self, mut request: Recorded) -> Option<Answer> {
        request.at = self.clock.now();
        let route = Route::of(&request);
        let fault = self.change(|state| {
            state.requests.push(request.clone());
            state.faults.take(|planned| planned == Route::Any || planned == route)
        });
        match fault {
            Some(fault) => Fault::strike(fault, || self.carry_out(&request)).await,
            None => Some(self.carry_out(&request)),
        }
    }

    fn carry_out(&self, request: &Recorded) -> Answer {
        self.change(|state| match request.path.strip_prefix("/api/") {
            Some(method) => api::answer(state, &self.base, method, request),
            None if request.path.starts_with("/hooks/") => hooks::answer(state, request),
            None if PAGES.contains(&request.path.as_str()) => oauth::authorize(state, request),
            None => {
                state.complaints.push(format!("{} {}: Slack has no such address", request.method, request.path));
                Answer::new(404, "not_found")
            }
        })
    }
}

impl State {
    pub(super) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn is_member(&self, channel: &Channel, user: &str) -> bool {
        let person = self.users.iter().any(|known| known.id == user && known.team == channel.team);
        let listed = self.members.iter().any(|(place, who)| *place == channel.id && who == user);
        listed || (person && channel.kind == ChannelKind::Public)
    }

    /// Whether a person finds a message on the screen.
    pub(super) fn sees(&self, user: &User, message: &Message) -> bool {
        match &message.audience {
            Audience::Channel => self.is_member(&message.channel, &user.id),
            Audience::Only(reader) => reader == user,
        }
    }

    pub(super) fn workspace(&self, id: &str) -> Option<&Workspace> {
        self.workspaces.iter().find(|workspace| workspace.id == id)
    }

    pub(super) fn access(&self, workspace: &Workspace) -> Access {
        self.access.get(&workspace.id).cloned().unwrap_or_default()
    }

    /// Where a message stands among all messages.
    pub(super) fn position(&self, channel: &str, ts: &str) -> Option<usize> {
        self.messages.iter().position(|message| message.channel.id == channel && message.ts == ts)
    }

    pub(super) fn say(&mut self, place: &Channel, author: Author, audience: Audience, post: &Post) -> &mut Message {
        self.said += 1;
        let ts = format!("1700000000.{:06}", self.said);
        let shown = self.shown(post);
        self.messages.push(Message {
            ts,
            channel: place.clone(),
            author,
            audience,
            text: post.text.clone(),
            blocks: post.blocks.clone(),
            shown,
            posted_at: self.now,
            edits: 0,
            hook: None,
            updatable: false,
        });
        let last = self.messages.len() - 1;
        &mut self.messages[last]
    }

    /// Puts something else into the place of a message.
    pub(super) fn replace(&mut self, position: usize, post: &Post) {
        let shown = self.shown(post);
        let message = &mut self.messages[position];
        message.text.clone_from(&post.text);
        message.blocks.clone_from(&post.blocks);
        message.shown = shown;
        message.edits += 1;
    }

    /// What a reader sees of a message.
    pub(super) fn shown(&self, post: &Post) -> String {
        let names = |id: &str| self.users.iter().find(|user| user.id == id).map(|user| user.name.clone());
        render::shown(&post.text, &post.blocks, &Reader { names: &names, dates: self.dates })
    }
}

//! What the Slack side of the sandbox's page shows: everybody's screen in the first workspace.

use serde_json::{Map, Value, json};

use super::SimSlack;
use super::message::{Audience, Author, Message};
use super::people::{Channel, ChannelKind, Role, User};
use super::world::State;

/// The older ones are no longer shown.
const MOST_MESSAGES: usize = 500;

impl SimSlack {
    /// Who is there, where, and what they see.
    pub(in crate::sandbox) fn screen(&self) -> Map<String, Value> {
        self.world.read(|state| {
            let is_here = |channel: &&Channel| channel.team == self.home.id;
            let people = state.users.iter().filter(|user| user.team == self.home.id).map(|user| person(state, user));
            let channels = state.channels.iter().filter(is_here);
            let channels = channels.map(|channel| place(state, channel, &self.home.bot_user));
            let skipped = state.messages.len().saturating_sub(MOST_MESSAGES);
            let messages = state.messages[skipped..].iter().map(message);
            let modals = state.modals.iter().map(
                |modal| json!({ "id": modal.id, "user": modal.user.id, "view": modal.view, "errors": modal.errors }),
            );
            let homes = state.homes.iter().map(|home| json!({ "user": home.user.id, "view": home.view }));
            let parts = [
                ("installed", json!(self.is_in(state))),
                ("people", people.collect()),
                ("channels", channels.collect()),
                ("messages", messages.collect()),
                ("modals", modals.collect()),
                ("homes", homes.collect()),
            ];
            parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect()
        })
    }

    /// Whether the app is installed in the first workspace.
    pub(in crate::sandbox) fn is_installed(&self) -> bool {
        self.world.read(|state| self.is_in(state))
    }

    fn is_in(&self, state: &State) -> bool {
        let access = state.access(&self.home);
        access.installed && access.dead.is_none()
    }

    /// The person of this id in the first workspace.
    pub(in crate::sandbox) fn person(&self, id: &str) -> Option<User> {
        let is_meant = |user: &&User| user.id == id && user.team == self.home.id;
        self.world.read(|state| state.users.iter().find(is_meant).cloned())
    }

    /// The conversation of this id that a person is in, or may come into.
    pub(in crate::sandbox) fn conversation(&self, user: &User, id: &str) -> Option<Channel> {
        let is_meant = |state: &State, channel: &Channel| channel.id == id && state.is_member(channel, &user.id);
        self.world.read(|state| state.channels.iter().find(|channel| is_meant(state, channel)).cloned())
    }

    /// The message with this key, as [`screen`](Self::screen) tells it.
    pub(in crate::sandbox) fn message(&self, wanted: &str) -> Option<Message> {
        self.world.read(|state| state.messages.iter().find(|message| key(message) == wanted).cloned())
    }
}

fn person(state: &State, user: &User) -> Value {
    let role = state.roles.get(&user.id).copied().unwrap_or_default();
    json!({ "id": user.id, "name": user.name, "admin": role != Role::Member })
}

fn place(state: &State, channel: &Channel, bot: &str) -> Value {
    let kind = match channel.kind {
        ChannelKind::Public => "public",
        ChannelKind::Private => "private",
        ChannelKind::DirectMessage => "dm",
    };
    let inside = state.members.iter().filter(|(place, who)| *place == channel.id && who != bot);
    let members: Vec<&String> = inside.map(|(_, who)| who).collect();
    json!({
        "id": channel.id,
        "name": channel.name,
        "kind": kind,
        "members": (channel.kind != ChannelKind::Public).then_some(members),
        "bot_in": state.members.iter().any(|(place, who)| *place == channel.id && who == bot),
    })
}

fn message(message: &Message) -> Value {
    let (kind, name) = match &message.author {
        Author::App => ("app", "OnAir"),
        Author::Slackbot => ("slackbot", "Slackbot"),
        Author::Person(name) => ("person", name.as_str()),
    };
    let only = match &message.audience {
        Audience::Channel => None,
        Audience::Only(user) => Some(&user.id),
    };
    json!({
        "key": key(message),
        "channel": message.channel.id,
        "ts": message.ts,
        "author": { "kind": kind, "name": name },
        "only": only,
        "text": message.text,
        "blocks": message.blocks,
        "edits": message.edits,
        "at": message.posted_at.to_string(),
    })
}

fn key(message: &Message) -> String {
    format!("{}/{}", message.channel.id, message.ts)
}

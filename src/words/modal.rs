//! A form that opens in Slack, as it is worded; what it looks like there is the door's business.

use std::collections::BTreeSet;

use crate::id::{ChannelId, UserId};

/// A form.
///
/// [Modals](https://docs.slack.dev/surfaces/modals)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modal {
    /// What stands above it, in 24 characters.
    pub title: String,
    /// What there is to know, in mrkdwn.
    pub intro: String,
    /// What can be filled in.
    pub fields: Vec<ModalField>,
    /// On the button that sends it.
    pub submit: String,
    /// On the button that does not.
    pub close: String,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModalField {
    /// How it is called in what comes back.
    pub name: &'static str,
    /// How people call it.
    pub label: String,
    /// What helps to fill it in.
    pub hint: Option<String>,
    /// What goes into it, and what stands there now.
    pub takes: Takes,
}

/// What goes into a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any number of people.
    People(BTreeSet<UserId>),
    /// One person.
    Person,
    /// Any number of channels.
    Channels(BTreeSet<ChannelId>),
    /// One channel, or none.
    Channel(Option<ChannelId>),
    /// One of these.
    Choice {
        /// All there are.
        options: Vec<Choice>,
        /// The name of the one that is chosen now.
        chosen: &'static str,
    },
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How it is called in what comes back.
    pub name: &'static str,
    /// How people call it.
    pub label: String,
}

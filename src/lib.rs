//! OnAir puts Zoom meetings on air from Slack.
//!
//! # The way of a command
//!
//! ```text
//! Slack ─▶ http ─▶ slack::inbound ─▶ command::parse ─▶ usecase::answer ─┬─▶ zoom  ─▶ Zoom
//!          read,   verify, decode    text → Command    decide, call     ├─▶ store ─▶ Redis or SQLite
//!          cap                                         Reply (data)     └─▶ words ─▶ slack ─▶ Slack
//! ```
//!
//! Bytes become a checked value once, at the edge; a decision is made once, in a use case; words are chosen once, in
//! [`words`]. Nothing flows back.
//!
//! # Floors
//!
//! A module imports from the floors below it, never from above and never from its own floor, except that the modules
//! of floor 1 may know each other. A test holds this.
//!
//! | floor | modules | adds |
//! | --- | --- | --- |
//! | 7 | `main`, [`cli`], [`sandbox`] | the process, and the world it can be tried in |
//! | 6 | [`config`] | settings |
//! | 5 | [`http`], [`telemetry`] | sockets, routes, statuses, pages; logs, traces |
//! | 4 | [`usecase`] | decisions that need more than one door |
//! | 3 | [`app`] | the doors, the clock and the tasks in one hand |
//! | 2 | [`slack`], [`zoom`], [`store`] | one door each to the outside, blind to each other |
//! | 1 | [`command`], [`invocation`], [`journal`], [`meeting`], [`outcome`], [`grant`], [`reply`], [`words`], [`audit`], [`manifest`], [`preset`], [`turn`], [`stream`], [`destination`], [`installation`], [`policy`], [`lend`] | meaning; pure |
//! | 0 | [`id`], [`secret`], [`clock`], [`metrics`] | vocabulary; the time, and what is counted |
//!
//! # What never happens
//!
//! - No door knows another. Vendor types stay behind their door.
//! - Nothing is parsed before its signature is checked, and nothing awaits Slack or Zoom before the acknowledgment.
//! - An error holds no body, no token and no URL. Secrets have types that do not print.
//! - A start whose fate is unknown is told as unknown; it is never sent again by itself.

pub mod app;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod destination;
pub mod grant;
pub mod http;
pub mod id;
pub mod installation;
pub mod invocation;
pub mod journal;
pub mod lend;
pub mod manifest;
pub mod meeting;
pub mod metrics;
pub mod outcome;
pub mod policy;
pub mod preset;
pub mod reply;
pub mod sandbox;
pub mod secret;
pub mod slack;
pub mod store;
pub mod stream;
pub mod telemetry;
pub mod turn;
pub mod usecase;
pub mod words;
pub mod zoom;

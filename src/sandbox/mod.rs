//! The world OnAir can be tried in: a simulated Slack and a simulated Zoom that speak HTTP on loopback.
//!
//! Both are small worlds, not canned answers. Slack has workspaces, people, channels and `response_url`s that run out;
//! Zoom has users, meetings, tokens that expire and streams that are on air or not. They hold OnAir to what the vendors
//! hold it to, and keep a list of [complaints](SimSlack::complaints) about everything they would not have liked.
//!
//! Nothing here uses OnAir's own clients, parsers or words: a misunderstanding shared by both sides would prove nothing.
//! Ids and tokens come from counters, so that a transcript is the same on every run.
//!
//! Faults are asked for by name: `zoom.next(Route::Token, Fault::Hang)`.

pub mod browser;
mod consent;
mod exchange;
mod fault;
pub mod page;
mod signed;
pub mod slack;
mod stage;
pub mod terminal;
mod wait;
mod wire;
pub mod zoom;

pub use fault::Fault;
pub use signed::{AppAnswer, NoAnswer, SignedRequest};
pub use slack::SimSlack;
pub use wait::TimedOut;
pub use wire::Recorded;
pub use zoom::SimZoom;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a world. A world is plain data and never left half changed, so a panic elsewhere does not spoil it.
fn lock<T>(world: &Mutex<T>) -> MutexGuard<'_, T> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The world OnAir can be tried in: a simulated Slack that speaks HTTP on loopback.
//!
//! It is a small world, not canned answers: workspaces, people, channels and `response_url`s that run out. It holds
//! OnAir to what the vendor holds it to, and keeps a list of [complaints](SimSlack::complaints).
//!
//! Nothing here uses OnAir's own clients, parsers or words: a misunderstanding shared by both sides would prove nothing.
//! Ids and tokens come from counters, so that a transcript is the same on every run.
//!
//! Faults are asked for by name: `slack.next(Route::ResponseUrl, Fault::Hang)`.

mod fault;
pub mod slack;
mod wait;
mod wire;

pub use fault::Fault;
pub use slack::SimSlack;
pub use wait::TimedOut;
pub use wire::Recorded;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a world. A world is plain data and never left half changed, so a panic elsewhere does not spoil it.
fn lock<T>(world: &Mutex<T>) -> MutexGuard<'_, T> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

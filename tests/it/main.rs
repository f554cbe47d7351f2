//! Tests from outside, in one binary.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod redis_server;
mod store;

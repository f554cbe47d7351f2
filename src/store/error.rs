//! What can go wrong with the store, split by what the caller does next.
//!
//! No variant carries an address, a value or a vendor's sentence: Redis quotes the arguments of a refused command and
//! TLS names the host, so only codes and kinds pass this door.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use super::seal::SealFault;

/// Why an operation, or opening the store, did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine is away or refused. What was asked may still have happened, unless nothing could be sent.
    #[error("the store is not available")]
    Unavailable(#[source] Cause),
    /// No answer within [`super::Options::deadline`]. What was asked may still happen.
    #[error("the store did not answer in time")]
    TimedOut,
    /// A sealed value does not open: a key was removed too early, or somebody changed or moved the value.
    #[error("the value under {prefix} does not open")]
    Sealed {
        /// The prefix of the record's key.
        prefix: &'static str,
        /// Which key, and why.
        #[source]
        source: SealFault,
    },
    /// A value opened and is not what its place promises; a newer OnAir may have written it.
    #[error("the value under {prefix} is not readable")]
    Corrupt {
        /// The prefix of the record's key.
        prefix: &'static str,
    },
    /// Another process has the embedded store open for writing.
    #[error("the store's folder is in use by another process")]
    InUse,
    /// There is no embedded store to read in this folder.
    #[error("the folder holds no store")]
    Missing,
    /// The embedded store has a layout that only a newer OnAir knows.
    #[error("the store was written by a newer version")]
    Newer,
    /// The embedded store has an earlier layout, which only a service that opens it carries on.
    #[error("the store was written by an earlier version; start `onair serve` once, which carries it on")]
    Older,
    /// The folder or a file in it cannot be made or opened.
    #[error("the store's folder cannot be used")]
    Folder(#[source] io::Error),
    /// The text is no Redis URL.
    #[error("the address of Redis is not a redis:// or rediss:// URL")]
    Address,
}

impl Error {
    /// Whether the same request may work in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TimedOut)
    }
}

/// What the engine said, reduced to what an operator can search for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// Redis could not be reached, or the connection broke.
    #[error("connection to Redis: {0}")]
    Connection(io::ErrorKind),
    /// Redis answered with an error code such as `NOAUTH`, `OOM` or `READONLY`.
    #[error("Redis answered {0}")]
    Answer(String),
    /// The Redis client gave up without an answer: wrong settings, or a reply of the wrong type.
    #[error("Redis client: {0:?}")]
    Client(redis::ErrorKind),
    /// SQLite's result code, [extended](https://www.sqlite.org/rescode.html).
    #[error("SQLite code {0}")]
    Sqlite(i32),
    /// SQLite's binding refused before SQLite was asked.
    #[error("SQLite binding refused")]
    Binding,
    /// The thread that owns the database has ended.
    #[error("the store's thread has stopped")]
    Stopped,
}

impl From<&redis::RedisError> for Cause {
    fn from(error: &redis::RedisError) -> Self {
        // The client hands out the `Arc` that holds the cause, not the cause.
        let source = error.source().and_then(|source| source.downcast_ref::<Arc<dyn StdError + Send + Sync>>());
        let io_kind = source.and_then(|shared| shared.downcast_ref::<io::Error>()).map(io::Error::kind);
        match (io_kind, error.code()) {
            (Some(kind), _) => Self::Connection(kind),
            (None, _) if error.is_connection_refusal() => Self::Connection(io::ErrorKind::ConnectionRefused),
            (None, _) if error.is_timeout() => Self::Connection(io::ErrorKind::TimedOut),
            (None, _) if error.is_connection_dropped() => Self::Connection(io::ErrorKind::BrokenPipe),
            (None, _) if error.is_io_error() => Self::Connection(io::ErrorKind::Other),
            (None, Some(code)) => Self::Answer(code.chars().filter(char::is_ascii_alphanumeric).take(24).collect()),
            (None, None) => Self::Client(error.kind()),
        }
    }
}

impl From<rusqlite::Error> for Cause {
    fn from(error: rusqlite::Error) -> Self {
        error.sqlite_error().map_or(Self::Binding, |failure| Self::Sqlite(failure.extended_code))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

//! Why a call to Zoom gave nothing to work with, split by what the caller does next.
//!
//! No variant holds a body, a token or a URL, in `Debug` as little as in `Display`. That is also why errors of the JSON
//! reader are not kept: they quote the value they could not read, which may be a token.

use jiff::Timestamp;

use crate::outcome::{self, Denied, LimitHeaders};

/// What stopped a call that had to give a value. Starts and stops have no such error: their every end is an
/// [`Attempt`](crate::outcome::Attempt).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The refresh token or the code is spent, replaced or withdrawn. Final: read the stored pair again, and if it is
    /// the same, connect anew.
    #[error("Zoom says that the grant is over")]
    InvalidGrant,
    /// The grant lacks a scope: connect anew.
    #[error("the grant lacks a scope that Zoom asks for")]
    Scope {
        /// The scopes Zoom named; empty where it named none.
        missing: Vec<String>,
    },
    /// The access token is not accepted: refresh once, repeat once.
    #[error("Zoom does not accept the access token")]
    Unauthorized,
    /// Too many requests: wait.
    #[error("Zoom takes no more requests until {retry_at}")]
    Busy {
        /// When the next try can work.
        retry_at: Timestamp,
    },
    /// The request never left: nothing happened, and it may be repeated.
    #[error("Zoom cannot be reached")]
    Unreachable(#[source] Cause),
    /// The request was sent and no whole answer came. What it asked for may have happened; a refresh or an exchange may
    /// have spent its token.
    #[error("Zoom did not answer in full")]
    NoAnswer(#[source] Cause),
    /// Zoom is out of order (5xx). The grant is as it was.
    #[error("Zoom is out of order (status {status})")]
    Down {
        /// The HTTP status.
        status: u16,
    },
    /// Zoom understood and said no, for a reason that people know.
    #[error("Zoom refused: {0:?}")]
    Denied(Denied),
    /// Zoom understood and said no; most often a wrong client id or secret.
    #[error("Zoom refused (status {status}, code {})", code.as_deref().unwrap_or("none"))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Zoom's code: a number of its API, or a word of its token endpoint such as `invalid_client`.
        code: Option<String>,
    },
    /// Zoom said yes in a way that OnAir cannot read: the answer is malformed, too long, or lacks a token.
    #[error("Zoom's answer makes no sense (status {status})")]
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
}

/// What the HTTP client says of it, without the URL.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Cause(reqwest::Error);

/// Why the door could not be built. Names what is wrong, never the value.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Not an address of the form `https://host/path`: another scheme, or credentials, a query or a fragment in it.
    #[error("{option} is not a plain http or https address")]
    Address {
        /// Which of the [`Options`](super::Options).
        option: &'static str,
    },
    /// The HTTP client cannot be made; most often the system has no CA certificates.
    #[error("the HTTP client cannot be made")]
    Client(#[source] Cause),
}

impl Error {
    /// Whether the trouble is Zoom's or the network's and passes by itself; the grant is worth keeping. It does not say
    /// that the call may be repeated: after [`Error::NoAnswer`] a token may be spent.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Unreachable(_) | Self::NoAnswer(_) | Self::Down { .. } => true,
            Self::InvalidGrant
            | Self::Scope { .. }
            | Self::Unauthorized
            | Self::Denied(_)
            | Self::Refused { .. }
            | Self::Unexpected { .. } => false,
        }
    }

    pub(super) fn busy(limit: &LimitHeaders, now: Timestamp) -> Self {
        let soon = now.saturating_add(outcome::PER_SECOND_WAIT).unwrap_or(now);
        Self::Busy { retry_at: limit.told(now).unwrap_or(soon) }
    }

    pub(super) fn of_call(error: reqwest::Error) -> Self {
        if never_left(&error) { Self::Unreachable(Cause::new(error)) } else { Self::NoAnswer(Cause::new(error)) }
    }
}

impl Cause {
    pub(super) fn new(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }
}

/// Whether not a byte of the request was sent. A time-out while connecting is `is_connect` and `is_timeout` at once, so
/// the second says nothing; `is_connect` covers the name, the route, the refusal and TLS. An error of the builder comes
/// before all of them.
pub(super) fn never_left(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder()
}

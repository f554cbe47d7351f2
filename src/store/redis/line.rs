//! How is Redis spoken to, so that a dead one is noticed within the deadline and a returned one at once?
//!
//! One multiplexed connection carries everything, so nothing that blocks may be sent over it. The client's manager
//! reconnects when a connection breaks. It does not when a connection falls silent, nor when the handshake was refused;
//! then, after [`MISSES`] failures in a row, the manager itself is replaced.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo as _, ProtocolVersion, RedisError,
    ServerErrorKind,
};
use tokio::time::{Instant, timeout_at};

use super::Call;
use crate::secret::Secret;
use crate::store::error::{Cause, Error};

/// After how many failures in a row, none of which the manager heals by itself, a connection is given up.
const MISSES: u32 = 3;

/// How many requests may wait to be written; the client's own 50 is less than one burst.
const PIPELINE: usize = 512;

/// One request.
pub(super) struct Order<'a> {
    pub(super) what: What<'a>,
    /// Whether it may be sent again when the connection broke before its answer came.
    pub(super) again: Again,
}

pub(super) enum What<'a> {
    Command(Cmd),
    Script(Call<'a>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Twice is the same as once, in its effect and in its answer.
    Harmless,
    /// A second time would answer, or do, something else.
    Never,
}

/// The way to one Redis.
pub(super) struct Line {
    info: ConnectionInfo,
    deadline: Duration,
    session: Mutex<Option<Arc<Session>>>,
    /// The server has refused RESP3. With it, the manager hears at once when a connection is closed.
    is_old: AtomicBool,
}

struct Session {
    manager: ConnectionManager,
    misses: AtomicU32,
}

impl Line {
    /// Reads the address; nothing is sent before the first request.
    pub(super) fn new(url: &Secret, deadline: Duration) -> Result<Self, Error> {
        let info = url.expose().into_connection_info().map_err(|_| Error::Address)?;
        if !info.addr().is_supported() {
            return Err(Error::Address);
        }
        let info = info.set_tcp_settings(tcp_settings());
        Ok(Self { info, deadline, session: Mutex::new(None), is_old: AtomicBool::new(false) })
    }

    /// Sends a request and reads its answer, within the deadline. A request that cannot have arrived is sent once
    /// more, and so is one that is harmless twice.
    pub(super) async fn ask<T: FromRedisValue>(&self, order: &Order<'_>) -> Result<T, Error> {
        let until = Instant::now() + self.deadline;
        let mut is_first = true;
        loop {
            let session = self.session()?;
            let Ok(answer) = timeout_at(until, order.what.send(session.manager.clone())).await else {
                self.miss(&session);
                return Err(Error::TimedOut);
            };
            let error = match answer {
                Ok(answer) => {
                    session.misses.store(0, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let is_old = refuses_resp3(&error);
            let repeats =
                error.is_connection_refusal() || (order.again == Again::Harmless && error.is_connection_dropped());
            if is_old {
                self.is_old.store(true, Ordering::Relaxed);
                self.give_up(&session);
            } else if !error.is_connection_dropped() {
                self.miss(&session);
            }
            if !is_first || !(is_old || repeats) {
                return Err(read_error(&error));
            }
            is_first = false;
        }
    }

    fn session(&self) -> Result<Arc<Session>, Error> {
        let mut current = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = &*current {
            return Ok(Arc::clone(session));
        }
        let manager = self.manager().map_err(|error| read_error(&error))?;
        let session = Arc::new(Session { manager, misses: AtomicU32::new(0) });
        *current = Some(Arc::clone(&session));
        Ok(session)
    }

    fn manager(&self) -> Result<ConnectionManager, RedisError> {
        let is_old = self.is_old.load(Ordering::Relaxed);
        let protocol = if is_old { ProtocolVersion::RESP2 } else { ProtocolVersion::RESP3 };
        let settings = self.info.redis_settings().clone().set_protocol(protocol);
        let client = Client::open(self.info.clone().set_redis_settings(settings))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.deadline.min(Duration::from_secs(1))))
            // Whoever asks has a deadline already; a second timer for each request costs and changes nothing.
            .set_response_timeout(None)
            .set_number_of_retries(2)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(300))
            .set_pipeline_buffer_size(PIPELINE);
        ConnectionManager::new_lazy_with_config(client, config)
    }

    fn miss(&self, session: &Arc<Session>) {
        if session.misses.fetch_add(1, Ordering::Relaxed) + 1 >= MISSES {
            self.give_up(session);
        }
    }

    /// Forgets a session, unless somebody did so before and there is a newer one.
    fn give_up(&self, session: &Arc<Session>) {
        let mut current = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, session)) {
            *current = None;
        }
    }
}

impl What<'_> {
    async fn send<T: FromRedisValue>(&self, mut manager: ConnectionManager) -> Result<T, RedisError> {
        match self {
            Self::Command(command) => command.query_async(&mut manager).await,
            Self::Script(Call { script, command }) => match command.query_async(&mut manager).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    script.load_async(&mut manager).await?;
                    command.query_async(&mut manager).await
                }
                answer => answer,
            },
        }
    }
}

fn tcp_settings() -> TcpSettings {
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(10)).with_interval(Duration::from_secs(5)).with_retries(3);
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(10));
    settings
}

/// Servers before 6.0, and some that only resemble Redis, do not know `HELLO 3`.
fn refuses_resp3(error: &RedisError) -> bool {
    error.kind() == ErrorKind::RESP3NotSupported
        || error.code() == Some("NOPROTO")
        || error.detail().is_some_and(|detail| detail.starts_with("unknown command") && detail.contains("HELLO"))
}

fn read_error(error: &RedisError) -> Error {
    if error.is_timeout() { Error::TimedOut } else { Error::Unavailable(Cause::from(error)) }
}

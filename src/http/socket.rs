//! Where connections come in: how many, and how long each may keep its place.
//!
//! The loop is hyper's own rather than `axum::serve`, which sets no timer and so never gives up on a half-sent header.
//!
//! Only whom a vendor signed for keeps a place between requests. Everybody else has [`FIRST_HEAD`] for the head of a
//! request, or less where there is a crowd, and some seconds for its body, and the answer says that the connection ends with it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::map_response;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use crate::app::App;

/// How long a new connection may take until the head of its first request is there. Proxies open some before they need them.
const FIRST_HEAD: Duration = Duration::from_secs(30);

/// The same where more than half of the places are taken: whoever waits for one has it before Slack gives up.
const FIRST_HEAD_IN_A_CROWD: Duration = Duration::from_secs(1);

/// How long a connection may be idle between two requests, the next one's head included. Proxies keep idle connections for
/// up to a minute, and one that is closed just as they use it costs a command, so this end waits longer than they do.
const IDLE: Duration = Duration::from_secs(75);

/// The most bytes a header may have.
const HEADER: usize = 16 * 1024;

/// A place to connect to.
pub(super) struct Socket {
    listener: TcpListener,
    service: Router,
    /// How many connections there may be at once.
    connections: usize,
}

impl Socket {
    /// Whoever is refused there gives their place back.
    pub(super) fn new(listener: TcpListener, router: Router, connections: usize) -> Self {
        Self { listener, service: router.layer(map_response(end_if_refused)), connections }
    }

    /// Accepts connections until told to stop, and then is closed.
    pub(super) async fn accept(self, app: &App, graceful: &GracefulShutdown, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(self.connections));
        let mut stop = pin!(stop);
        loop {
            let place = tokio::select! {
                () = &mut stop => return,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            tokio::select! {
                () = &mut stop => return,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let is_crowded = places.available_permits() * 2 < self.connections;
                        let patience = if is_crowded { FIRST_HEAD_IN_A_CROWD } else { FIRST_HEAD };
                        let connection = connection(&self.service, stream, patience, graceful);
                        drop(app.spawn(async move {
                            connection.await;
                            drop(place);
                        }));
                    }
                    // Out of file descriptors, or the peer is gone already: the next one may do better.
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
    }
}

fn connection(
    service: &Router,
    stream: TcpStream,
    first_head: Duration,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // Without it small answers wait for the peer's delayed acknowledgment; failing to set it only costs that wait.
    let _ = stream.set_nodelay(true);
    let heard = Arc::new(Notify::new());
    let (routes, told) = (TowerToHyperService::new(service.clone()), Arc::clone(&heard));
    let service = service_fn(move |request| {
        told.notify_one();
        routes.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        // hyper has one timer for the first head and for the others; the first one's end is below.
        .header_read_timeout(IDLE)
        .max_buf_size(HEADER)
        // Whoever says no more still wants the answer, and what is being accepted is not dropped in the middle.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(served);
    async move {
        let mut watched = pin!(watched);
        let ended = tokio::select! {
            // In this order: a request that came in time is not dropped because its time is over now.
            biased;
            ended = &mut watched => ended,
            () = heard.notified() => watched.await,
            () = tokio::time::sleep(first_head) => return tracing::debug!("a connection asked for nothing in time"),
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

async fn end_if_refused(response: Response) -> Response {
    if response.status().is_client_error() { end(response).await } else { response }
}

/// Ends the connection with this answer, and says so: a proxy then does not try to use it again.
pub(super) async fn end(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

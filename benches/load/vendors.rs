//! A Zoom and a Slack that say yes, after a while, and count what they were told. They cost as little as they can.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{patch, post};

/// How many commands one run may send.
const MOST: usize = 4_000_000;

/// Both vendors, on one loopback port.
#[derive(Clone)]
pub(crate) struct Vendors(Arc<World>);

struct World {
    base: String,
    /// How long Zoom takes.
    zoom_takes_ms: AtomicU64,
    ordered: AtomicU64,
    answered: AtomicU64,
    /// How often each command was answered, by its number.
    answers: Vec<AtomicU8>,
}

impl Vendors {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let world = World {
            base: format!("http://{}", listener.local_addr().unwrap()),
            zoom_takes_ms: AtomicU64::new(0),
            ordered: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            answers: (0..MOST).map(|_| AtomicU8::new(0)).collect(),
        };
        let vendors = Self(Arc::new(world));
        let app = Router::new()
            .route("/zoom/v2/meetings/{meeting}/livestream/status", patch(order))
            .route("/hooks/{number}", post(answer))
            .with_state(vendors.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        vendors
    }

    pub(crate) fn zoom_api(&self) -> String {
        format!("{}/zoom/v2", self.0.base)
    }

    pub(crate) fn hooks(&self) -> String {
        format!("{}/hooks", self.0.base)
    }

    /// Has Zoom take so long from now on.
    pub(crate) fn zoom_takes(&self, time: Duration) {
        self.0.zoom_takes_ms.store(u64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// How often Zoom was asked.
    pub(crate) fn ordered(&self) -> u64 {
        self.0.ordered.load(Ordering::Relaxed)
    }

    /// How many answers came.
    pub(crate) fn answered(&self) -> u64 {
        self.0.answered.load(Ordering::Relaxed)
    }

    /// How many answers came for one command.
    pub(crate) fn answers_to(&self, number: u64) -> u8 {
        self.0.answers[usize::try_from(number).unwrap()].load(Ordering::Relaxed)
    }

    /// Waits until so many answers have come in all; says whether they did.
    pub(crate) async fn have_answers(&self, count: u64, patience: Duration) -> bool {
        let begun = Instant::now();
        while self.answered() < count {
            if begun.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }
}

async fn order(State(vendors): State<Vendors>) -> StatusCode {
    vendors.0.ordered.fetch_add(1, Ordering::Relaxed);
    let takes = Duration::from_millis(vendors.0.zoom_takes_ms.load(Ordering::Relaxed));
    if !takes.is_zero() {
        tokio::time::sleep(takes).await;
    }
    StatusCode::NO_CONTENT
}

async fn answer(State(vendors): State<Vendors>, Path(number): Path<usize>) -> &'static str {
    vendors.0.answers[number].fetch_add(1, Ordering::Relaxed);
    vendors.0.answered.fetch_add(1, Ordering::Relaxed);
    "ok"
}

//! What can go wrong at a vendor, by name, once or until healed.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use super::wire::Answer;

/// One thing that goes wrong with one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing is carried out; this is answered.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers besides those that every answer has.
        headers: Vec<(String, String)>,
        /// The body, as it is.
        body: String,
    },
    /// Nothing is carried out and nothing is ever answered.
    Hang,
    /// Nothing is carried out and the connection is closed once the request was read.
    Cut,
    /// The request is carried out, then the connection is closed without an answer.
    Lost,
    /// The request is carried out at once; the answer comes this much later.
    Delay(Duration),
}

impl Fault {
    /// Answers a bare status with an empty body.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    /// Answers a status with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())];
        Self::Answer { status, headers, body: body.to_string() }
    }

    /// Answers 429 with this `Retry-After`.
    pub fn too_many(retry_after: &str) -> Self {
        let headers = vec![("retry-after".to_owned(), retry_after.to_owned())];
        Self::Answer { status: 429, headers, body: String::new() }
    }

    /// What reaches the client: an answer, or `None` for a connection that breaks.
    pub(super) async fn strike(self, carry_out: impl FnOnce() -> Answer) -> Option<Answer> {
        match self {
            Self::Answer { status, headers, body } => {
                let mut answer = Answer::new(status, body);
                answer.headers = headers;
                Some(answer)
            }
            Self::Hang => pending().await,
            Self::Cut => None,
            Self::Lost => {
                carry_out();
                None
            }
            Self::Delay(by) => {
                let answer = carry_out();
                tokio::time::sleep(by).await;
                Some(answer)
            }
        }
    }
}

/// The faults still to come, for routes of type `R`.
#[derive(Debug)]
pub(super) struct Faults<R> {
    once: VecDeque<(R, Fault)>,
    sticky: Vec<(R, Fault)>,
}

impl<R> Default for Faults<R> {
    fn default() -> Self {
        Self { once: VecDeque::new(), sticky: Vec::new() }
    }
}

impl<R: Copy> Faults<R> {
    pub(super) fn next(&mut self, route: R, fault: Fault) {
        self.once.push_back((route, fault));
    }

    pub(super) fn always(&mut self, route: R, fault: Fault) {
        self.sticky.push((route, fault));
    }

    pub(super) fn heal(&mut self) {
        self.once.clear();
        self.sticky.clear();
    }

    /// The fault for this request: the oldest single one, else the latest sticky one.
    pub(super) fn take(&mut self, covers: impl Fn(R) -> bool) -> Option<Fault> {
        if let Some(index) = self.once.iter().position(|(route, _)| covers(*route)) {
            return self.once.remove(index).map(|(_, fault)| fault);
        }
        self.sticky.iter().rev().find(|(route, _)| covers(*route)).map(|(_, fault)| fault.clone())
    }
}

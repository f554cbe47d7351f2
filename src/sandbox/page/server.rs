//! The page's own requests: its three files, what happens as it happens, and acts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::Page;
use super::act::{Act, Refused};
use crate::sandbox::wire::{Answer, Recorded};

const INDEX: &str = include_str!("index.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Whatever else a page of this address could be brought to do, it does not.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How often a connection on which nothing happens is tried.
const BETWEEN_SIGNS: Duration = Duration::from_secs(15);

/// How much may be on its way to one browser.
const MOST_WAITING: usize = 64;

impl Page {
    /// Answers a request.
    pub(super) async fn answer(self: Arc<Self>, request: Recorded) -> Answer {
        let answer = match self.admits(&request) {
            Err(refused) => refused.answer(),
            Ok(()) => match (request.method.as_str(), request.path.as_str()) {
                ("GET", "/") => file("text/html", INDEX),
                ("GET", "/page.css") => file("text/css", STYLE),
                ("GET", "/page.js") => file("text/javascript", SCRIPT),
                ("GET", "/events") => self.events(&request),
                ("POST", "/do") => self.act(&request).await,
                (_, "/" | "/page.css" | "/page.js" | "/events" | "/do") => {
                    Refused::new(405, "This address is not asked that way. Reload the page.").answer()
                }
                _ => Refused::new(404, format!("There is nothing here. Open {}/", self.address)).answer(),
            },
        };
        answer
            .with("content-security-policy", POLICY)
            .with("x-content-type-options", "nosniff")
            .with("referrer-policy", "same-origin")
            .with("cache-control", "no-store")
    }

    /// A name of somebody else's that leads to this machine is not its address, and no page of another address acts here.
    fn admits(&self, request: &Recorded) -> Result<(), Refused> {
        let here = self.address.trim_start_matches("http://");
        if request.header("host") != Some(here) {
            return Err(Refused::new(
                421,
                format!("The sandbox answers at its own address only. Open {}/", self.address),
            ));
        }
        if request.method == "GET" {
            return Ok(());
        }
        let is_own = request.header("origin").is_none_or(|origin| origin == self.address)
            && request.header("sec-fetch-site").is_none_or(|site| site == "same-origin");
        if !is_own {
            return Err(Refused::new(403, format!("Only the sandbox's own page acts here. Open {}/", self.address)));
        }
        if request.media_type() != "application/json" {
            return Err(Refused::new(415, "An act is sent as application/json."));
        }
        Ok(())
    }

    async fn act(&self, request: &Recorded) -> Answer {
        let act = match serde_json::from_slice::<Act>(&request.body) {
            Ok(act) => act,
            Err(error) => {
                return Refused::new(400, format!("The sandbox knows no such act: {error}. Reload the page.")).answer();
            }
        };
        match self.carry_out(act).await {
            Ok(None) => Answer::json(200, &json!({})),
            Ok(Some(told)) => Answer::json(200, &json!({ "told": told })),
            Err(refused) => refused.answer(),
        }
    }

    /// What there is, and what comes.
    fn events(self: &Arc<Self>, request: &Recorded) -> Answer {
        let (send, receive) = mpsc::channel(MOST_WAITING);
        let last = request.header("last-event-id").and_then(|id| id.parse().ok()).unwrap_or_default();
        self.tasks.spawn(self.clone().tell(send, last));
        let mut answer = Answer::new(200, "").with("content-type", "text/event-stream");
        answer.more = Some(receive);
        answer
    }

    /// Tells a browser what is new to it until it goes away.
    async fn tell(self: Arc<Self>, to: mpsc::Sender<String>, last: u64) {
        let mut states = self.state.subscribe();
        let mut exchanges = self.exchanges.news();
        states.mark_changed();
        // A number of an earlier sandbox says nothing.
        let mut told = if last > *exchanges.borrow() { 0 } else { last };
        loop {
            if states.has_changed().unwrap_or_default() {
                let state = states.borrow_and_update().clone();
                if to.send(format!("event: state\ndata: {state}\n\n")).await.is_err() {
                    return;
                }
            }
            exchanges.mark_unchanged();
            for exchange in self.exchanges.after(told) {
                told = exchange.n;
                let data = serde_json::to_string(&*exchange).unwrap_or_default();
                if to.send(format!("id: {told}\nevent: exchange\ndata: {data}\n\n")).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                // All three senders are there as long as the page is.
                _ = states.changed() => states.mark_changed(),
                _ = exchanges.changed() => {}
                () = to.closed() => return,
                () = tokio::time::sleep(BETWEEN_SIGNS) => {
                    if to.send(":\n\n".to_owned()).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn file(kind: &str, text: &str) -> Answer {
    Answer::new(200, text).with("content-type", format!("{kind}; charset=utf-8"))
}

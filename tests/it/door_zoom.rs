//! The Zoom door against a vendor of bytes: what exactly it sends, and what it makes of whatever comes back.

mod destination;
mod facts;
mod faults;
mod oauth;
mod orders;

use std::time::Duration;

use onair::clock::Clock;
use onair::meeting::Settings;
use onair::outcome::{Action, Answer, Attempt};
use onair::secret::Secret;
use onair::zoom::{BodyFormat, Options, Order, Room, Zoom};

use crate::recorder::Recorder;

const ACCESS: &str = "eyJ.access-token.sig";

/// Generous, so that only a test that asks for a time-out meets one.
fn options(base: &str) -> Options {
    Options {
        api_url: format!("{base}/v2"),
        oauth_url: format!("{base}/oauth"),
        client_id: "client-id".into(),
        client_secret: Secret::new("client-secret"),
        webhook_secrets: Vec::new(),
        redirect_uri: "https://onair.example.com/zoom/oauth/callback".into(),
        body: BodyFormat::Json,
        connect_timeout: Duration::from_secs(10),
        call_timeout: Duration::from_secs(30),
    }
}

fn door(zoom: &Recorder) -> Zoom {
    door_of(options(&zoom.url()))
}

fn door_of(options: Options) -> Zoom {
    Zoom::new(options, Clock::default()).expect("a door")
}

fn order(action: Action, room: Room, settings: Settings) -> Order {
    Order { action, meeting: "68423085".parse().expect("an id"), room, settings }
}

fn start() -> Order {
    order(Action::Start, Room::Meeting, Settings::default())
}

fn access() -> Secret {
    Secret::new(ACCESS)
}

fn answered(attempt: Attempt) -> Answer {
    match attempt {
        Attempt::Answered(answer) => answer,
        Attempt::NoAnswer | Attempt::NotSent => panic!("no answer: {attempt:?}"),
    }
}

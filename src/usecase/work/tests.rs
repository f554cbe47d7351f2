//! Work that panics or hangs ends for its own person, and for nobody else.

use super::*;
use crate::app;
use crate::clock::Clock;
use crate::secret::Secret;
use crate::slack::{self, Slack};
use crate::store::{self, Keyring, Place, Store};
use crate::zoom::{self, Zoom};

/// An app whose doors lead nowhere, and the folder of its store.
fn app(work: Duration) -> (App, tempfile::TempDir) {
    let (folder, clock, nowhere) = (tempfile::tempdir().unwrap(), Clock::default(), "http://127.0.0.1:9".to_owned());
    let slack = slack::Options {
        api_url: nowhere.clone(),
        oauth_url: nowhere.clone(),
        client: None,
        hooks_url: nowhere.clone(),
        bot_token: None,
        signing_secrets: Vec::new(),
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
    };
    let zoom = zoom::Options {
        api_url: nowhere.clone(),
        oauth_url: nowhere.clone(),
        client_id: String::new(),
        client_secret: Secret::new(""),
        webhook_secrets: Vec::new(),
        redirect_uri: String::new(),
        body: zoom::BodyFormat::Json,
        connect_timeout: Duration::from_secs(1),
        call_timeout: Duration::from_secs(1),
    };
    let keys = Keyring::parse(&Keyring::generate_one()).unwrap();
    let place = Place::Embedded { folder: folder.path().to_owned() };
    let store = store::Options { place, keys, deadline: Duration::from_secs(10) };
    let options =
        app::Options { base_url: nowhere, queue: 8, permits: 8, work, audit_retention: None, audit_channel: None };
    let (slack, zoom) = (Slack::new(slack).unwrap(), Zoom::new(zoom, clock.clone()).unwrap());
    (App::new(options, slack, zoom, Store::open(store, clock.clone()).unwrap(), clock), folder)
}

fn done() -> Result<Done, Failure> {
    Ok(Done::new(Reply::NotConnected, AuditOutcome::Told))
}

#[tokio::test]
async fn work_that_panics_is_told_apart_and_other_work_goes_on() {
    let (app, _folder) = app(Duration::from_secs(60));
    let (go, wait) = tokio::sync::oneshot::channel();
    let other = guarded(&app, async {
        wait.await.unwrap();
        done()
    });
    let panics = async {
        let failed = guarded(&app, async { panic!("on purpose") }).await;
        go.send(()).unwrap();
        failed
    };
    let (failed, other) = tokio::join!(panics, other);
    assert!(matches!(failed, Err(Failure::Panicked)));
    assert!(other.is_ok());
}

#[tokio::test]
async fn work_that_hangs_is_given_up_and_ended() {
    let (app, _folder) = app(Duration::from_millis(50));
    let (alive, ended) = tokio::sync::oneshot::channel::<()>();
    let hung = guarded(&app, async move {
        let _alive = alive;
        std::future::pending().await
    });
    assert!(matches!(hung.await, Err(Failure::TookTooLong)));
    assert!(ended.await.is_err(), "it does not go on behind its back");
}

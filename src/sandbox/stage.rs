//! What both ways of trying OnAir begin with: who is there at Slack and at Zoom, and the settings with which the service
//! knows them.

use std::collections::HashMap;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::slack::{Channel, Role, SimSlack};
use super::zoom::{SCOPES, SimZoom};
use crate::clock::Clock;
use crate::id::fill_random;

/// The meeting of the README.
pub(super) const MEETING: u64 = 68_423_085;

/// What the app is called at both vendors.
const CLIENT: &str = "sandbox";

/// Who is there; each has the address of this name at Zoom. The first is an admin.
const PEOPLE: [&str; 3] = ["ada", "ben", "cleo"];

/// Everything but the service.
pub(super) struct Stage {
    pub(super) slack: SimSlack,
    pub(super) zoom: SimZoom,
    /// Where the service is to listen.
    pub(super) base: String,
    /// The service's settings, but for where it listens.
    pub(super) vars: HashMap<&'static str, String>,
    /// Where the bot tells what comes into the audit.
    pub(super) audit: Channel,
    _folder: TempDir,
}

impl Stage {
    /// Sets it, for a service that will listen there.
    pub(super) async fn set(base: &str, clock: Clock) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let (signing, client_secret, webhook_secret) = (random_text(), random_text(), random_text());
        let slack = SimSlack::start_with_clock(&signing, clock.clone()).await?;
        let zoom = SimZoom::start_with_clock(CLIENT, &client_secret, clock).await?;
        slack.connect_app(&format!("{base}/slack/commands"));
        slack.connect_interactions(&format!("{base}/slack/interactions"));
        slack.connect_events(&format!("{base}/slack/events"));
        slack.register_app(CLIENT, &client_secret, &format!("{base}/slack/oauth/callback"));
        zoom.allow_redirect(&format!("{base}/zoom/oauth/callback"));
        zoom.connect_webhooks(&format!("{base}/zoom/webhooks"), &webhook_secret);
        let audit = people_slack(&slack);
        people_zoom(&zoom);
        let vars = HashMap::from([
            ("ONAIR_BASE_URL", base.to_owned()),
            ("ONAIR_DATA", folder.path().to_string_lossy().into_owned()),
            ("ONAIR_ENCRYPTION_KEYS", format!("sandbox:{}", random_text())),
            ("ONAIR_AUDIT_CHANNEL", audit.id.clone()),
            ("SLACK_SIGNING_SECRET", signing),
            ("SLACK_API_URL", slack.api_url()),
            ("SLACK_HOOKS_URL", slack.hooks_url()),
            ("SLACK_CLIENT_ID", CLIENT.to_owned()),
            ("SLACK_CLIENT_SECRET", client_secret.clone()),
            ("SLACK_OAUTH_URL", slack.oauth_url()),
            ("ZOOM_WEBHOOK_SECRET_TOKEN", webhook_secret),
            ("ZOOM_CLIENT_ID", CLIENT.to_owned()),
            ("ZOOM_CLIENT_SECRET", client_secret),
            ("ZOOM_API_URL", zoom.api_url()),
            ("ZOOM_OAUTH_URL", zoom.oauth_url()),
        ]);
        Ok(Self { slack, zoom, base: base.to_owned(), vars, audit, _folder: folder })
    }

    /// Every secret that was made up for it.
    pub(super) fn secrets(&self) -> Vec<String> {
        let names =
            ["ONAIR_ENCRYPTION_KEYS", "SLACK_SIGNING_SECRET", "SLACK_CLIENT_SECRET", "ZOOM_WEBHOOK_SECRET_TOKEN"];
        names.iter().filter_map(|name| self.vars.get(name)).cloned().collect()
    }

    /// From now on whoever comes to Slack or Zoom with a browser is this person.
    pub(super) fn sign_in_as(&self, name: &str) {
        self.slack.sign_in_as(&self.slack.user(name));
        self.zoom.sign_in_as(&self.zoom.user(&address(name)));
    }
}

/// The address of a person of this name at Zoom.
pub(super) fn address(name: &str) -> String {
    format!("{name}@example.com")
}

/// People and channels; gives that of the audit.
fn people_slack(slack: &SimSlack) -> Channel {
    let [ada, _, cleo] = PEOPLE.map(|name| {
        let user = slack.user(name);
        slack.set_time_zone(&user, "Etc/UTC");
        slack.set_utc_offset(&user, 0);
        user
    });
    slack.set_role(&ada, Role::Admin);
    slack.sign_in_as(&ada);
    let (events, _) = (slack.channel("events"), slack.channel("backstage"));
    let (crew, audit) = (slack.private_channel("crew", &[&ada, &cleo]), slack.channel("audit"));
    for channel in [&events, &crew, &audit] {
        slack.invite_app(channel);
    }
    audit
}

/// Users, meetings and a webinar.
fn people_zoom(zoom: &SimZoom) {
    // Those of the manifest.
    zoom.set_scopes(&[SCOPES, &["webinar:read:livestream", "webinar:update:livestream"]].concat());
    let [ada, ben, _] = PEOPLE.map(|name| zoom.user(&address(name)));
    zoom.sign_in_as(&ada);
    let town = zoom.meeting_numbered(&ada, MEETING);
    let launch = zoom.meeting_numbered(&ben, 91_234_567_890);
    let hands = zoom.webinar_numbered(&ada, 93_456_789_012);
    for (id, topic) in [(town, "Town hall"), (launch, "Product launch"), (hands, "All hands")] {
        zoom.edit_meeting(id, |meeting| topic.clone_into(&mut meeting.topic));
    }
    zoom.begin(town);
    zoom.begin(hands);
}

fn random_text() -> String {
    let mut bytes = [0; 32];
    fill_random(&mut bytes);
    STANDARD.encode(bytes)
}

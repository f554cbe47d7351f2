//! The two app manifests, ready to paste: what OnAir asks of Slack and of Zoom, and not a scope more.
//!
//! [Slack's](https://docs.slack.dev/reference/app-manifest),
//! [Zoom's](https://developers.zoom.us/docs/build-flow/manifests/)

use serde_json::json;
use url::Url;

use crate::command::Verb;
use crate::grant::{
    LIVESTREAM_SCOPE, MEETING_SCOPE, SET_TARGET_SCOPE, SET_WEBINAR_TARGET_SCOPE, SETTINGS_SCOPE, TARGET_SCOPE,
    WEBINAR_SCOPE, WEBINAR_TARGET_SCOPE,
};

/// What tells whether somebody is an admin of their workspace.
///
/// [`users:read`](https://docs.slack.dev/reference/scopes/users.read)
pub const PEOPLE_SCOPE: &str = "users:read";

/// What a manifest cannot be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither vendor calls or redirects to anything else.
    #[error("--base-url: write the public https address, such as https://onair.example.com")]
    BaseUrl,
    /// Slack takes 2 to 32 characters after which nothing but letters, digits, dashes and underscores make sense.
    #[error("--command: write a slash and 1 to 31 lower-case letters, digits, - or _, such as /stream")]
    Command,
}

/// Slack's manifest, as YAML.
pub fn slack(base_url: &str, command: &str) -> Result<String, Error> {
    let base = checked_base(base_url)?;
    let command = checked_command(command)?;
    let usage_hint = Verb::ALL.map(Verb::word).join(" | ");
    // A JSON string is a YAML string, with the same escapes.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    Ok(format!(
        r##"# Slack app manifest of OnAir. Paste it at https://api.slack.com/apps → Create New App → From a manifest.
_metadata:
  major_version: 2
display_information:
  name: OnAir
  description: Put Zoom meetings on air from Slack
  background_color: "#1f2430"
features:
  app_home:
    home_tab_enabled: true
    messages_tab_enabled: true
    messages_tab_read_only_enabled: true
  bot_user:
    display_name: OnAir
    always_online: false
  slash_commands:
    - command: {command}
      url: {commands}
      description: Put a Zoom meeting on air, or take it off
      usage_hint: {usage_hint}
      should_escape: false
oauth_config:
  redirect_urls:
    - {callback}
  scopes:
    bot:
      - commands
      - chat:write
      - {PEOPLE_SCOPE}
    bot_optional:
      - chat:write
      - {PEOPLE_SCOPE}
settings:
  interactivity:
    is_enabled: true
    request_url: {interactions}
  event_subscriptions:
    request_url: {events}
    bot_events:
      - app_home_opened
      - app_uninstalled
      - team_access_revoked
      - tokens_revoked
  org_deploy_enabled: true
  socket_mode_enabled: false
  token_rotation_enabled: false
"##,
        command = quoted(command),
        commands = quoted(&format!("{base}/slack/commands")),
        callback = quoted(&format!("{base}/slack/oauth/callback")),
        interactions = quoted(&format!("{base}/slack/interactions")),
        events = quoted(&format!("{base}/slack/events")),
        usage_hint = quoted(&usage_hint),
    ))
}

/// Zoom's manifest, as JSON: a General app that every user authorizes for themselves.
pub fn zoom(base_url: &str) -> Result<String, Error> {
    let base = checked_base(base_url)?;
    let callback = format!("{base}/zoom/oauth/callback");
    let scope = |scope: &str, optional: bool| json!({ "scope": scope, "optional": optional });
    let manifest = json!({
        "display_information": {
            "display_name": "OnAir",
            "description": "Start and stop the live stream of your meetings from Slack",
            "long_description": "OnAir starts and stops the custom live stream of a meeting that you host, when you type a \
                                 command in Slack, and shows and sets where it goes. It does nothing by itself and reads no \
                                 content of your meetings.",
        },
        "oauth_information": {
            "usage": "USER_OPERATION",
            "development_redirect_uri": callback,
            "production_redirect_uri": callback,
            "oauth_allow_list": [callback],
            "strict_mode": true,
            "subdomain_strict_mode": true,
            "scopes": [
                scope(LIVESTREAM_SCOPE, false),
                scope("user:read:user", false),
                scope(MEETING_SCOPE, true),
                scope(TARGET_SCOPE, true),
                scope(SET_TARGET_SCOPE, true),
                scope(SETTINGS_SCOPE, true),
                scope(WEBINAR_SCOPE, true),
                scope(WEBINAR_TARGET_SCOPE, true),
                scope(SET_WEBINAR_TARGET_SCOPE, true),
            ],
            "scope_description": "Start and stop live streams, hear what becomes of them, set where they go, and tell \
                                  beforehand what would stop a start; learn which Zoom user connected.",
            "enable_private_pkce_client": true,
            "enable_public_pkce_client": false,
        },
        "features": {
            "products": ["ZOOM_MEETING", "ZOOM_WEBINAR"],
            "event_subscription": { "enable": true, "events": [reports(base)] },
        },
    });
    Ok(format!("{manifest:#}\n"))
}

/// The events that tell what becomes of a stream; there are none about the streams of webinars.
fn reports(base: &str) -> serde_json::Value {
    let webhooks = format!("{base}/zoom/webhooks");
    json!({
        "subscription_name": "OnAir",
        "event_usage": "EVENT_FOR_USER",
        "event_types": [
            "meeting.live_streaming_started",
            "meeting.live_streaming_stopped",
            "meeting.started",
            "meeting.ended",
        ],
        "development_webhook_url": webhooks,
        "production_webhook_url": webhooks,
    })
}

fn checked_base(base_url: &str) -> Result<&str, Error> {
    let url = Url::parse(base_url).map_err(|_| Error::BaseUrl)?;
    let good =
        url.scheme() == "https" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if good { Ok(base_url.trim_end_matches('/')) } else { Err(Error::BaseUrl) }
}

fn checked_command(command: &str) -> Result<&str, Error> {
    let name = command.strip_prefix('/').ok_or(Error::Command)?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if (1..=31).contains(&name.len()) && name.bytes().all(plain) { Ok(command) } else { Err(Error::Command) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://onair.example.com";

    #[test]
    fn the_files_in_the_repository_are_what_the_command_prints() {
        assert_eq!(slack(BASE, "/stream").unwrap(), include_str!("../manifests/slack.yaml"));
        assert_eq!(zoom(BASE).unwrap(), include_str!("../manifests/zoom.json"));
    }

    #[test]
    fn the_command_and_the_address_are_the_ones_asked_for() {
        let made = slack("https://bot.example.org/", "/golive").unwrap();
        assert!(made.contains("command: \"/golive\"\n") && !made.contains("/stream"));
        assert!(made.contains("url: \"https://bot.example.org/slack/commands\"\n"));
        assert!(zoom("https://bot.example.org/").unwrap().contains("\"https://bot.example.org/zoom/oauth/callback\""));
    }

    #[test]
    fn what_no_vendor_would_take_is_refused() {
        for base in ["", "onair.example.com", "http://onair.example.com", "https://a.example?x", "https://u@a.example"]
        {
            assert_eq!(slack(base, "/stream"), Err(Error::BaseUrl), "{base}");
            assert_eq!(zoom(base), Err(Error::BaseUrl), "{base}");
        }
        let long = format!("/{}", "x".repeat(32));
        for command in ["", "/", "stream", "/Stream", "/two words", "/a\"b", long.as_str()] {
            assert_eq!(slack(BASE, command), Err(Error::Command), "{command}");
        }
    }
}

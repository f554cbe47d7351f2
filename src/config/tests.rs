use std::collections::HashMap;

use super::*;

const KEY: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn good() -> HashMap<&'static str, &'static str> {
    HashMap::from([
        (ONAIR_BASE_URL, "https://onair.example.com/"),
        (ONAIR_ENCRYPTION_KEYS, KEY),
        (SLACK_SIGNING_SECRET, "canary-signing"),
        (ZOOM_CLIENT_ID, "client"),
        (ZOOM_CLIENT_SECRET, "canary-client-secret"),
    ])
}

fn read(vars: &HashMap<&'static str, &'static str>) -> Result<Config, Problems> {
    Config::from_vars(|name| vars.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn the_defaults_are_those_documented() {
    let config = read(&good()).unwrap();
    assert_eq!(config.app.base_url, "https://onair.example.com");
    assert_eq!(config.zoom.redirect_uri, "https://onair.example.com/zoom/oauth/callback");
    assert_eq!(config.http.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.http.metrics, MetricsListen::Default("127.0.0.1:9091".parse().unwrap()));
    assert_eq!(config.zoom.api_url, "https://api.zoom.us/v2");
    assert_eq!(config.slack.hooks_url, "https://hooks.slack.com");
    assert!(matches!(config.store.place, Place::Embedded { folder } if folder.to_str() == Some("./data")));
}

#[test]
fn metrics_set_to_nothing_are_off() {
    let chosen = MetricsListen::At("[::]:9091".parse().unwrap());
    for (value, expected) in [("", MetricsListen::Off), (" ", MetricsListen::Off), ("[::]:9091", chosen)] {
        let mut vars = good();
        vars.insert(ONAIR_METRICS_LISTEN, value);
        assert_eq!(read(&vars).unwrap().http.metrics, expected, "{value:?}");
    }
}

#[test]
fn a_retention_is_a_day_or_more() {
    let day = Duration::from_secs(24 * 60 * 60);
    for (value, expected) in [
        ("", Some(None)),
        ("365d", Some(Some(day * 365))),
        ("24h", Some(Some(day))),
        ("23h", None),
        ("-90d", None),
        ("1y", None),
    ] {
        let mut vars = good();
        vars.insert(ONAIR_AUDIT_RETENTION, value);
        assert_eq!(read(&vars).ok().map(|config| config.app.audit_retention), expected, "{value:?}");
    }
}

#[test]
fn every_problem_is_told_at_once_by_name_and_never_by_value() {
    let vars = HashMap::from([
        (ONAIR_BASE_URL, "http://canary.example.com"),
        (ONAIR_ENCRYPTION_KEYS, "k1:canary"),
        (SLACK_SIGNING_SECRET, "canary-a,canary-b,canary-c"),
        (ONAIR_LISTEN, "canary"),
        (ONAIR_METRICS_LISTEN, "canary:9091"),
        (REDIS_URL, "http://canary"),
        (ZOOM_LIVESTREAM_BODY, "canary"),
        (ONAIR_AUDIT_CHANNEL, "#canary"),
        (ONAIR_AUDIT_RETENTION, "canary"),
        (ZOOM_API_URL, "canary"),
        (ONAIR_LOG, "canary"),
        (RUST_LOG, "canary=canary=canary"),
    ]);
    let told = read(&vars).unwrap_err().to_string();
    let wrong = vars.keys().copied().chain([ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET]);
    for name in wrong {
        assert_eq!(told.matches(&format!("  {name}: ")).count(), 1, "{name} in {told}");
    }
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn nothing_set_tells_every_required_variable() {
    let told = read(&HashMap::new()).unwrap_err().to_string();
    let required = VARIABLES.iter().filter(|variable| variable.default == "required");
    for variable in required {
        assert!(told.contains(&format!("{}: required", variable.name)), "{} in {told}", variable.name);
    }
}

#[test]
fn plain_http_is_taken_for_this_machine_only() {
    for (url, good_url) in [
        ("http://127.0.0.1:8080", true),
        ("http://localhost:8080", true),
        ("http://[::1]:8080", true),
        ("http://127.0.0.1.example.com", false),
        ("ftp://onair.example.com", false),
        ("https://onair.example.com/?x=1", false),
        ("https://onair.example.com/onair", false),
        ("https://onair.example.com//", false),
        ("https://someone@onair.example.com", false),
        ("https://:secret@onair.example.com", false),
    ] {
        let mut vars = good();
        vars.insert(ONAIR_BASE_URL, url);
        assert_eq!(read(&vars).is_ok(), good_url, "{url}");
    }
}

#[test]
fn slack_and_zoom_are_called_over_https_or_on_this_machine() {
    for name in [SLACK_API_URL, SLACK_HOOKS_URL, ZOOM_API_URL, ZOOM_OAUTH_URL] {
        for (url, good_url) in [
            ("https://vendor.example.com/v2", true),
            ("http://127.0.0.1:8080/v2", true),
            ("http://127.8.9.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080/", true),
            ("http://vendor.example.com/v2", false),
            ("http://10.0.0.1:8080", false),
            ("http://localhost.example.com", false),
            ("https://someone@vendor.example.com", false),
        ] {
            let mut vars = good();
            vars.insert(name, url);
            assert_eq!(read(&vars).is_ok(), good_url, "{name} {url}");
        }
    }
}

#[test]
fn two_signing_secrets_are_both_kept_and_nothing_secret_prints() {
    let mut vars = good();
    vars.insert(SLACK_SIGNING_SECRET, "canary-new, canary-old");
    vars.insert(REDIS_URL, "rediss://user:canary-password@redis.example.com:6380");
    vars.insert(SLACK_BOT_TOKEN, "xoxb-canary");
    let config = read(&vars).unwrap();
    let secrets: Vec<&str> = config.slack.signing_secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["canary-new", "canary-old"]);
    let shown = format!("{config:?}");
    assert!(!shown.contains("canary") && !shown.contains("AAECAwQF"), "{shown}");
}

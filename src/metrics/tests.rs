use std::collections::BTreeMap;

use super::*;

/// Everything was counted once.
fn told(journal: Option<Journal>) -> String {
    let (slack, zoom) = (Calls::default(), Calls::default());
    let metrics = Metrics::new(&slack, &zoom);
    slack.count("chat.update", "ok");
    zoom.count("token", "2xx");
    metrics.outcome("start", "accepted");
    metrics.decided("start", Duration::from_millis(120));
    metrics.refused("slack", "unsigned");
    metrics.webhook("meeting.started");
    metrics.announced("told");
    metrics.refresh("ok");
    metrics.text(&Now {
        places: 1024,
        places_in_use: 3,
        permits: 128,
        permits_in_use: 2,
        store_is_up: journal.is_some(),
        journal,
    })
}

const JOURNAL: Journal = Journal { jobs: 5, claimable: 2, overdue: Duration::from_millis(1500) };

#[test]
fn the_exposition_is_open_metrics() {
    // The version changes with every release.
    let told = told(Some(JOURNAL)).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(told, @r#"
    # HELP onair_build Which OnAir this is.
    # TYPE onair_build info
    onair_build_info{version="VERSION"} 1
    # HELP onair_outcomes Commands, presses, connections and reports of Zoom, by what came of them.
    # TYPE onair_outcomes counter
    onair_outcomes_total{verb="start",outcome="accepted"} 1
    # HELP onair_command_duration_seconds Histogram of the time from a command's arrival until its answer was decided, its next tries included.
    # TYPE onair_command_duration_seconds histogram
    # UNIT onair_command_duration_seconds seconds
    onair_command_duration_seconds_sum{verb="start"} 0.12
    onair_command_duration_seconds_count{verb="start"} 1
    onair_command_duration_seconds_bucket{le="0.01",verb="start"} 0
    onair_command_duration_seconds_bucket{le="0.025",verb="start"} 0
    onair_command_duration_seconds_bucket{le="0.05",verb="start"} 0
    onair_command_duration_seconds_bucket{le="0.1",verb="start"} 0
    onair_command_duration_seconds_bucket{le="0.25",verb="start"} 1
    onair_command_duration_seconds_bucket{le="0.5",verb="start"} 1
    onair_command_duration_seconds_bucket{le="1.0",verb="start"} 1
    onair_command_duration_seconds_bucket{le="2.5",verb="start"} 1
    onair_command_duration_seconds_bucket{le="5.0",verb="start"} 1
    onair_command_duration_seconds_bucket{le="10.0",verb="start"} 1
    onair_command_duration_seconds_bucket{le="30.0",verb="start"} 1
    onair_command_duration_seconds_bucket{le="60.0",verb="start"} 1
    onair_command_duration_seconds_bucket{le="+Inf",verb="start"} 1
    # HELP onair_requests_refused Requests that were not let in.
    # TYPE onair_requests_refused counter
    onair_requests_refused_total{door="slack",reason="unsigned"} 1
    # HELP onair_zoom_webhooks Signed reports of Zoom, repeated ones included.
    # TYPE onair_zoom_webhooks counter
    onair_zoom_webhooks_total{event="meeting.started"} 1
    # HELP onair_zoom_calls Calls to Zoom.
    # TYPE onair_zoom_calls counter
    onair_zoom_calls_total{call="token",result="2xx"} 1
    # HELP onair_slack_calls Calls to Slack.
    # TYPE onair_slack_calls counter
    onair_slack_calls_total{call="chat.update",result="ok"} 1
    # HELP onair_audit_channel_messages Messages to audit channels.
    # TYPE onair_audit_channel_messages counter
    onair_audit_channel_messages_total{result="told"} 1
    # HELP onair_token_refreshes Renewals of a Zoom grant.
    # TYPE onair_token_refreshes counter
    onair_token_refreshes_total{result="ok"} 1
    # HELP onair_queue_places How many commands and reports may be unfinished at once.
    # TYPE onair_queue_places gauge
    onair_queue_places 1024
    # HELP onair_queue_places_in_use How many are.
    # TYPE onair_queue_places_in_use gauge
    onair_queue_places_in_use 3
    # HELP onair_permits How many commands may be in work at once before any has waited for five seconds.
    # TYPE onair_permits gauge
    onair_permits 128
    # HELP onair_permits_in_use How many of these are taken.
    # TYPE onair_permits_in_use gauge
    onair_permits_in_use 2
    # HELP onair_store_up 1 if the store takes writes, else 0: then nothing is accepted.
    # TYPE onair_store_up gauge
    onair_store_up 1
    # HELP onair_journal_jobs Jobs that are not finished, of all instances.
    # TYPE onair_journal_jobs gauge
    onair_journal_jobs 5
    # HELP onair_journal_jobs_claimable Jobs that are due and that nobody works on.
    # TYPE onair_journal_jobs_claimable gauge
    onair_journal_jobs_claimable 2
    # HELP onair_journal_overdue_seconds For how long the first of those has been due.
    # TYPE onair_journal_overdue_seconds gauge
    # UNIT onair_journal_overdue_seconds seconds
    onair_journal_overdue_seconds 1.5
    # EOF
    "#);
}

#[test]
fn nothing_is_said_of_the_journal_where_the_store_is_away() {
    let told = told(None);
    assert!(told.contains("\nonair_store_up 0\n") && !told.contains("journal"), "{told}");
    assert!(told.ends_with("\n# EOF\n"), "{told}");
}

#[test]
fn clones_of_a_doors_calls_count_together() {
    let calls = Calls::default();
    let metrics = Metrics::new(&calls, &Calls::default());
    calls.clone().count("token", "2xx");
    calls.count("token", "2xx");
    let now = Now { places: 1, places_in_use: 0, permits: 1, permits_in_use: 0, store_is_up: true, journal: None };
    assert!(metrics.text(&now).contains("onair_slack_calls_total{call=\"token\",result=\"2xx\"} 2\n"));
}

#[test]
fn the_readme_explains_every_metric_in_the_same_words() {
    let readme = include_str!("../../README.md");
    let section = readme.split_once("\n### Metrics\n").unwrap().1.split("\n## ").next().unwrap();
    let told = told(Some(JOURNAL));
    let mut documented = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `onair_")) {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").collect();
        let [name, _, meaning] = cells[..] else { panic!("three cells: {line}") };
        let name = name.trim_matches('`');
        let is_told = ["{", " ", "_bucket{"].iter().any(|end| told.contains(&format!("\n{name}{end}")));
        assert!(is_told, "{name} is not in\n{told}");
        documented.insert(name.trim_end_matches("_total").trim_end_matches("_info"), meaning);
    }
    let helps = told.lines().filter_map(|line| line.strip_prefix("# HELP ")?.trim_end_matches('.').split_once(' '));
    assert_eq!(documented, helps.collect::<BTreeMap<_, _>>());
}

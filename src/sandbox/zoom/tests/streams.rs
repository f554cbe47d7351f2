//! What becomes of a start.

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

async fn live_by(zoom: &SimZoom, id: u64) -> Stream {
    let live = |zoom: &SimZoom| zoom.is_live(id).then(|| zoom.stream_of(id));
    zoom.wait_until("a live stream", PATIENCE, live).await.unwrap()
}

#[tokio::test]
async fn a_start_takes_as_long_as_was_set() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada));
    let path = format!("/meetings/{id}");
    let order = json!({ "action": "start", "settings": { "display_name": "Keynote" } });
    zoom.set_connect_delay(Duration::from_secs(3600));
    assert_eq!(status(&zoom, &access, &path, order.clone()).await.0, 204);
    let connecting = (zoom.stream_of(id), zoom.is_live(id), zoom.stream_settings(id));
    assert_eq!(connecting, (Stream::Connecting, false, None));
    assert_eq!(status(&zoom, &access, &path, json!({ "action": "stop" })).await.0, 204);
    zoom.clock().advance(Duration::from_secs(31));
    zoom.set_connect_delay(Duration::from_millis(10));
    assert_eq!(status(&zoom, &access, &path, order).await.0, 204);
    let Stream::Live { settings, service, .. } = live_by(&zoom, id).await else { panic!("is live") };
    assert_eq!((settings, service), (json!({ "display_name": "Keynote" }), Service::Custom));
    zoom.end(id);
    assert_eq!(zoom.stream_of(id), Stream::Idle);
    assert_eq!(zoom.stream_of(12), Stream::Idle);
}

#[tokio::test]
async fn a_start_that_was_stopped_comes_to_nothing() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, overtaken, other) =
        (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada), zoom.meeting_in_progress(&ada));
    zoom.set_connect_delay(Duration::from_millis(50));
    assert_eq!(start(&zoom, &access, overtaken).await.0, 204);
    let stop = json!({ "action": "stop" });
    assert_eq!(status(&zoom, &access, &format!("/meetings/{overtaken}"), stop).await.0, 204);
    assert_eq!(zoom.stream_of(overtaken), Stream::Idle);
    // The other start was taken later: once it is live, the time of the first one has come.
    assert_eq!(start(&zoom, &access, other).await.0, 204);
    live_by(&zoom, other).await;
    assert_eq!(zoom.stream_of(overtaken), Stream::Idle);
}

#[tokio::test]
async fn a_stream_without_a_way_to_its_target_is_never_on_air() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let access = zoom.grant(&ada).access;
    let cases: [fn(&mut Meeting); 3] = [
        |meeting| meeting.target = None,
        |meeting| meeting.reachable = false,
        |meeting| meeting.target.as_mut().unwrap().stream_url = "https://live.example.com/".to_owned(),
    ];
    for edit in cases {
        let id = zoom.meeting_in_progress(&ada);
        zoom.edit_meeting(id, edit);
        assert_eq!(start(&zoom, &access, id).await.0, 204);
        assert_eq!(zoom.stream_of(id), Stream::Idle);
        // The target is no concern of other services.
        zoom.start_stream_by_hand_to(Service::YouTube, id, &ada);
        assert!(zoom.is_live(id));
    }
    assert_eq!(zoom.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn what_cannot_be_done_by_hand_is_complained_about() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let id = zoom.meeting(&ada);
    zoom.start_stream_by_hand(id, &ada);
    zoom.stop_stream_by_hand(id, &ada);
    zoom.drop_stream(id);
    assert_eq!(zoom.complaints().len(), 3);
    assert!(!zoom.is_live(id));
}

#[tokio::test]
async fn requests_are_recorded_by_the_worlds_clock() {
    let zoom = zoom().await;
    zoom.clock().advance(Duration::from_secs(86_400));
    let before = zoom.clock().now();
    assert_eq!(get(&zoom, "none", "/users/me").await.0, 401);
    let at = zoom.requests()[0].at;
    assert!(before <= at && at <= zoom.clock().now());
}

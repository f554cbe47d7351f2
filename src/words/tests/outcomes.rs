//! Every outcome of a start and of a stop.

use super::*;

/// The same outcome after `/stream start 68423085 "Keynote"` and after `/stream stop 68423085`.
fn both(outcome: &Outcome) -> String {
    let start = seen(&shown(Action::Start, settings("Keynote"), outcome.clone()));
    let stop = seen(&shown(Action::Stop, Settings::default(), outcome.clone()));
    format!("{start}\n\n{stop}")
}

fn fields(fields: &[(&str, &str)]) -> Outcome {
    let error = |(field, message): &(&str, &str)| FieldError { field: (*field).into(), message: (*message).into() };
    Outcome::Invalid(Invalid::Fields(fields.iter().map(error).collect()))
}

#[test]
fn accepted_is_not_on_air_yet() {
    insta::assert_snapshot!(seen(&shown(Action::Start, settings("Keynote"), Outcome::Accepted)), @r#"
    (Channel)
    Zoom accepted the start of “Keynote” (`684 230 85`), asked for by @U1.
    OnAir can't confirm yet that it is on air; it usually is within a minute.
    No picture by then? Check the stream's address and key in Zoom, and whether the streaming service waits for a start button of its own.
    To take it off air: `/stream stop 68423085`
    "#);
    insta::assert_snapshot!(seen(&shown(Action::Start, Settings::default(), Outcome::Accepted)), @r#"
    (Channel)
    Zoom accepted the start of `684 230 85`, asked for by @U1.
    OnAir can't confirm yet that it is on air; it usually is within a minute.
    No picture by then? Check the stream's address and key in Zoom, and whether the streaming service waits for a start button of its own.
    To take it off air: `/stream stop 68423085`
    "#);
    assert!(!both(&Outcome::Accepted).to_lowercase().contains("live"));
}

#[test]
fn stopped_names_who_did_it() {
    insta::assert_snapshot!(seen(&shown(Action::Stop, Settings::default(), Outcome::Stopped)), @r#"
    (Channel)
    The stream of `684 230 85` was stopped by @U1.
    To put it on air again: `/stream start 68423085`
    "#);
}

#[test]
fn a_meeting_that_is_not_running() {
    insta::assert_snapshot!(both(&Outcome::NotStarted), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: the meeting or webinar isn't running. Asked for by @U1.
    Start it in Zoom, then repeat: `/stream start 68423085 "Keynote"`

    (Channel)
    Nothing to stop: `684 230 85` isn't running. Asked for by @U1.
    What OnAir did with it lately: `/stream status 68423085`
    "#);
}

#[test]
fn a_webinar() {
    insta::assert_snapshot!(both(&Outcome::Webinar), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: this id is a webinar, and Zoom doesn't let the connected account stream it. Asked for by @U1.
    @U1 is connected as Ada Host (`ada@example.com`).
    The webinar's host connects with `/stream connect`, starts it for its audience (a practice session isn't enough), then repeats: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: this id is a webinar, and Zoom doesn't let the connected account stream it. Asked for by @U1.
    @U1 is connected as Ada Host (`ada@example.com`).
    The webinar's host connects with `/stream connect`, then repeats: `/stream stop 68423085`
    "#);
}

#[test]
fn an_id_zoom_does_not_take() {
    insta::assert_snapshot!(both(&Outcome::Invalid(Invalid::MeetingId)), @r#"
    (Person)
    Nothing was started: Zoom doesn't take `684 230 85` as a meeting id.
    Compare it with the id in Zoom's invitation and try again, for example: `/stream start 68423085 "Keynote"`

    (Person)
    Nothing was stopped: Zoom doesn't take `684 230 85` as a meeting id.
    Compare it with the id in Zoom's invitation and try again, for example: `/stream stop 68423085`
    "#);
}

#[test]
fn a_title_zoom_does_not_take_is_offered_in_plainer_letters() {
    let refused = fields(&[("settings.display_name", "Invalid field.")]);
    insta::assert_snapshot!(seen(&shown(Action::Start, settings("Q3 | all hands ✨"), refused.clone())), @r#"
    (Person)
    Nothing was started: Zoom did not accept the settings for “Q3 | all hands ✨” (`684 230 85`).
    • The title: Zoom takes 1 to 50 characters; plain letters, digits and simple punctuation are safest.
    This should pass: `/stream start 68423085 "Q3 all hands"`
    "#);
    insta::assert_snapshot!(seen(&shown(Action::Start, settings("Keynote"), refused)), @r#"
    (Person)
    Nothing was started: Zoom did not accept the settings for “Keynote” (`684 230 85`).
    • The title: Zoom takes 1 to 50 characters; plain letters, digits and simple punctuation are safest.
    This should pass: `/stream start 68423085`
    "#);
}

#[test]
fn other_fields_zoom_does_not_take_are_left_out() {
    let asked = Settings {
        speaker_name: Some(SpeakerName::On),
        layout: Some(Layout::GalleryView),
        captions: Some(Captions::BurntIn),
        ..settings("Keynote")
    };
    let refused = fields(&[
        ("settings.layout", "Invalid field."),
        ("settings.close_caption", "Invalid field."),
        ("settings.active_speaker_name", "Invalid field."),
    ]);
    insta::assert_snapshot!(seen(&shown(Action::Start, asked, refused)), @r#"
    (Person)
    Nothing was started: Zoom did not accept the settings for “Keynote” (`684 230 85`).
    • `--layout`: Zoom takes `follow_host`, `gallery_view` or `speaker_view`.
    • `--captions`: Zoom takes `burnt-in`, `embedded` or `off`.
    • `--speaker-name`: Zoom takes `on` or `off`.
    This should pass: `/stream start 68423085 "Keynote"`
    "#);
    let unheard_of = fields(&[("settings.bitrate", "Too <low>.")]);
    insta::assert_snapshot!(both(&unheard_of), @r#"
    (Person)
    Nothing was started: Zoom did not accept the settings for “Keynote” (`684 230 85`).
    • `settings.bitrate`: Zoom says `Too <low>.`
    This should pass: `/stream start 68423085`

    (Person)
    Nothing was stopped: Zoom did not accept the order for `684 230 85`.
    • `settings.bitrate`: Zoom says `Too <low>.`
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Look at the meeting in Zoom, then repeat: `/stream stop 68423085`
    The same again? Give an admin this reference: `r-7f3k`
    "#);
}

#[test]
fn settings_of_which_zoom_names_none_are_all_left_out() {
    let asked = Settings { layout: Some(Layout::GalleryView), ..settings("Keynote") };
    insta::assert_snapshot!(seen(&shown(Action::Start, asked, fields(&[]))), @r#"
    (Person)
    Nothing was started: Zoom did not accept the settings for “Keynote” (`684 230 85`).
    It doesn't say which of them. Try without any: `/stream start 68423085`
    "#);
}

#[test]
fn an_order_without_anything_to_leave_out_is_promised_nothing() {
    let plain = |action, outcome| seen(&shown(action, Settings::default(), outcome));
    insta::assert_snapshot!(plain(Action::Start, fields(&[])), @r#"
    (Person)
    Nothing was started: Zoom did not accept the order for `684 230 85`.
    Zoom says no more than this: `Validation Failed.`
    Look at the meeting in Zoom, then repeat: `/stream start 68423085`
    The same again? Give an admin this reference: `r-7f3k`
    "#);
    insta::assert_snapshot!(plain(Action::Start, fields(&[("settings.display_name", "Invalid field.")])), @r#"
    (Person)
    Nothing was started: Zoom did not accept the order for `684 230 85`.
    • `settings.display_name`: Zoom says `Invalid field.`
    Look at the meeting in Zoom, then repeat: `/stream start 68423085`
    The same again? Give an admin this reference: `r-7f3k`
    "#);
    insta::assert_snapshot!(seen(&shown(Action::Stop, settings("Keynote"), fields(&[]))), @r#"
    (Person)
    Nothing was stopped: Zoom did not accept the order for `684 230 85`.
    Zoom says no more than this: `Validation Failed.`
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Look at the meeting in Zoom, then repeat: `/stream stop 68423085`
    The same again? Give an admin this reference: `r-7f3k`
    "#);
}

#[test]
fn a_layout_asked_of_a_webinar() {
    let asked = Settings { layout: Some(Layout::SpeakerView), ..settings("Keynote") };
    let outcome = Outcome::Invalid(Invalid::LayoutOfWebinar);
    insta::assert_snapshot!(seen(&shown(Action::Start, asked, outcome)), @r#"
    (Person)
    Nothing was started: “Keynote” (`684 230 85`) is a webinar, and Zoom lays those out itself.
    Repeat without `--layout`: `/stream start 68423085 "Keynote"`
    "#);
}

#[test]
fn a_host_of_another_account() {
    insta::assert_snapshot!(both(&Outcome::OtherAccount), @r#"
    (Person)
    Nothing was started: the host of “Keynote” (`684 230 85`) isn't in the Zoom account you connected.
    You are connected as Ada Host (`ada@example.com`).
    Connect as somebody of the host's account: `/stream connect`, then repeat: `/stream start 68423085 "Keynote"`

    (Person)
    Nothing was stopped: the host of `684 230 85` isn't in the Zoom account you connected.
    You are connected as Ada Host (`ada@example.com`).
    Connect as somebody of the host's account: `/stream connect`, then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn a_zoom_user_who_is_gone() {
    insta::assert_snapshot!(both(&Outcome::UserMissing), @r#"
    (Person)
    Nothing was started: the Zoom user you connected, Ada Host (`ada@example.com`), no longer exists.
    Connect as one that does: `/stream connect`, then repeat: `/stream start 68423085 "Keynote"`

    (Person)
    Nothing was stopped: the Zoom user you connected, Ada Host (`ada@example.com`), no longer exists.
    Connect as one that does: `/stream connect`, then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn no_such_meeting() {
    insta::assert_snapshot!(both(&Outcome::NotFound), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: Zoom has no such meeting for the connected account. Asked for by @U1.
    @U1 is connected as Ada Host (`ada@example.com`).
    Check the id. If it is right, whoever hosts the meeting connects with `/stream connect`, then repeats: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: Zoom has no such meeting for the connected account. Asked for by @U1.
    @U1 is connected as Ada Host (`ada@example.com`).
    Check the id. If it is right, whoever hosts the meeting connects with `/stream connect`, then repeats: `/stream stop 68423085`
    "#);
}

#[test]
fn a_licence_that_does_not_cover_it() {
    insta::assert_snapshot!(both(&Outcome::NotAllowed(NotAllowed::Licence)), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: its host's Zoom license doesn't cover it. Asked for by @U1.
    A Zoom admin gives the host a Pro license or higher: Zoom web portal → User Management → Users.
    Then repeat: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: its host's Zoom license doesn't cover it. Asked for by @U1.
    A Zoom admin gives the host a Pro license or higher: Zoom web portal → User Management → Users.
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn a_setting_that_is_off() {
    insta::assert_snapshot!(both(&Outcome::NotAllowed(NotAllowed::Setting)), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: Zoom doesn't let its host stream. Asked for by @U1.
    Zoom web portal → Settings → Meeting → In Meeting (Advanced): switch on "Allow livestreaming of meetings" and tick "Custom Live Streaming Service".
    Grayed out? A Zoom admin has locked it. Not there? It takes a Pro license or higher.
    Then repeat: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: Zoom doesn't let its host stream. Asked for by @U1.
    Zoom web portal → Settings → Meeting → In Meeting (Advanced): switch on "Allow livestreaming of meetings" and tick "Custom Live Streaming Service".
    Grayed out? A Zoom admin has locked it. Not there? It takes a Pro license or higher.
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn an_end_to_end_encrypted_meeting() {
    insta::assert_snapshot!(both(&Outcome::NotAllowed(NotAllowed::Encryption)), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: the meeting is end-to-end encrypted, and Zoom can't stream those. Asked for by @U1.
    End the meeting, switch its encryption from end-to-end to enhanced in the Zoom web portal → Meetings, and start it again.
    Then repeat: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: the meeting is end-to-end encrypted, and Zoom can't stream those. Asked for by @U1.
    End the meeting, switch its encryption from end-to-end to enhanced in the Zoom web portal → Meetings, and start it again.
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn a_host_without_a_webinar_plan() {
    insta::assert_snapshot!(both(&Outcome::NotAllowed(NotAllowed::WebinarPlan)), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: its host has no webinar plan. Asked for by @U1.
    A Zoom admin gives the host one: Zoom web portal → User Management → Users.
    Then repeat: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: its host has no webinar plan. Asked for by @U1.
    A Zoom admin gives the host one: Zoom web portal → User Management → Users.
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn a_webinar_without_a_service() {
    insta::assert_snapshot!(both(&Outcome::NotAllowed(NotAllowed::WebinarService)), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: this webinar has no streaming service set up. Asked for by @U1.
    Zoom web portal → Webinars → this webinar → Live Streaming: set up the custom streaming service.
    Not there? Settings → Webinar: switch on "Allow livestreaming of webinars"; a Zoom admin may have locked it.
    Then repeat: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: this webinar has no streaming service set up. Asked for by @U1.
    Zoom web portal → Webinars → this webinar → Live Streaming: set up the custom streaming service.
    Not there? Settings → Webinar: switch on "Allow livestreaming of webinars"; a Zoom admin may have locked it.
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn a_missing_scope_is_named() {
    let missing = vec!["meeting:update:livestream_status".to_owned(), "user:read:user".to_owned()];
    insta::assert_snapshot!(both(&Outcome::Scope { missing }), @r#"
    (Person)
    Nothing was started: your Zoom connection lacks permission for `meeting:update:livestream_status` and `user:read:user`.
    If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    Connect again and allow everything Zoom asks: `/stream connect`, then repeat: `/stream start 68423085 "Keynote"`

    (Person)
    Nothing was stopped: your Zoom connection lacks permission for `meeting:update:livestream_status` and `user:read:user`.
    If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    Connect again and allow everything Zoom asks: `/stream connect`, then repeat: `/stream stop 68423085`
    "#);
    insta::assert_snapshot!(both(&Outcome::Scope { missing: Vec::new() }), @r#"
    (Person)
    Nothing was started: your Zoom connection lacks a permission; streams need `meeting:update:livestream_status`.
    If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    Connect again and allow everything Zoom asks: `/stream connect`, then repeat: `/stream start 68423085 "Keynote"`

    (Person)
    Nothing was stopped: your Zoom connection lacks a permission; streams need `meeting:update:livestream_status`.
    If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    Connect again and allow everything Zoom asks: `/stream connect`, then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn a_connection_that_ended() {
    insta::assert_snapshot!(both(&Outcome::Reconnect), @r#"
    (Person)
    Nothing was started: Zoom has ended your connection.
    Connect again: `/stream connect`, then repeat: `/stream start 68423085 "Keynote"`

    (Person)
    Nothing was stopped: Zoom has ended your connection.
    Connect again: `/stream connect`, then repeat: `/stream stop 68423085`
    "#);
}

#[test]
fn a_second_start_within_thirty_seconds() {
    let throttled = |seconds| Outcome::Throttled(Throttle::PreviousStart { retry_at: later(seconds) });
    insta::assert_snapshot!(both(&throttled(30)), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started again: wait 30s, the previous start may still be taking effect. Asked for by @U1.
    Look at the stream. Nothing on air by 14:00:30 UTC? Repeat: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped again: wait 30s, the previous start may still be taking effect. Asked for by @U1.
    Look at the stream. Nothing on air by 14:00:30 UTC? Repeat: `/stream stop 68423085`
    "#);
    let start = |retry_at| {
        tell(&shown(Action::Start, Settings::default(), Outcome::Throttled(Throttle::PreviousStart { retry_at }))).text
    };
    assert!(start(later(30)).contains("wait 30s"));
    assert!(start(later(0)).contains("wait 1s"), "a message that comes late");
    assert!(start(later(-5)).contains("wait 1s"), "a message that comes too late");
    let mut half = later(29);
    half += SignedDuration::from_millis(500);
    assert!(start(half).contains("wait 30s"), "half a second is a second to wait");
    assert!(start(half).contains("14:00:30 UTC"), "the next try is not too early");
}

#[test]
fn too_many_requests_at_once() {
    insta::assert_snapshot!(both(&Outcome::Throttled(Throttle::PerSecond { retry_at: later(5) })), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: Zoom gets too many requests from your company's apps, wait 5s. Asked for by @U1.
    Repeat then: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: Zoom gets too many requests from your company's apps, wait 5s. Asked for by @U1.
    Repeat then: `/stream stop 68423085`
    "#);
}

#[test]
fn too_many_requests_for_a_day() {
    insta::assert_snapshot!(both(&Outcome::Throttled(Throttle::Daily { retry_at: later(36_000) })), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: your company's Zoom account has used up its requests for today. Asked for by @U1.
    All apps of the account share them, and OnAir doesn't try again by itself.
    Zoom opens again 2026-10-06 00:00:00 UTC. Repeat then: `/stream start 68423085 "Keynote"`

    (Channel)
    The stream of `684 230 85` was not stopped: your company's Zoom account has used up its requests for today. Asked for by @U1.
    All apps of the account share them, and OnAir doesn't try again by itself.
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Zoom opens again 2026-10-06 00:00:00 UTC. Repeat then: `/stream stop 68423085`
    "#);
}

#[test]
fn an_order_without_an_answer() {
    insta::assert_snapshot!(both(&Outcome::Unknown), @r#"
    (Channel)
    “Keynote” (`684 230 85`) may be on air: the order was sent, and Zoom gave no clear answer. Asked for by @U1.
    Look at the stream first: OnAir never repeats a start by itself.
    Nothing on air after a minute? Repeat: `/stream start 68423085 "Keynote"`
    Can't tell? Give an admin this reference: `r-7f3k`

    (Channel)
    `684 230 85` may still be on air: the order was sent, and Zoom gave no clear answer. Asked for by @U1.
    Look at the stream first: OnAir never repeats a stop by itself.
    Still on air after a minute? Repeat: `/stream stop 68423085`
    Can't tell? Give an admin this reference: `r-7f3k`
    "#);
}

#[test]
fn zoom_is_down() {
    insta::assert_snapshot!(both(&Outcome::Unavailable), @r#"
    (Channel)
    Zoom is down or can't be reached: nothing was started for “Keynote” (`684 230 85`). Asked for by @U1.
    Repeat in a few minutes: `/stream start 68423085 "Keynote"`
    Still down? Give an admin this reference: `r-7f3k`

    (Channel)
    Zoom is down or can't be reached: nothing was stopped for `684 230 85`. Asked for by @U1.
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Repeat in a few minutes: `/stream stop 68423085`
    Still down? Give an admin this reference: `r-7f3k`
    "#);
}

#[test]
fn anything_else_is_told_in_zooms_words() {
    let refused = |code, message: &str| Outcome::Refused { status: 409, code, message: message.to_owned() };
    insta::assert_snapshot!(both(&refused(Some(9999), "Channel `3` is <busy> & full.\nTry @host.")), @r#"
    (Channel)
    The stream of “Keynote” (`684 230 85`) was not started: Zoom refused it. Asked for by @U1.
    Zoom says, with code 9999: `Channel ˋ3ˋ is <busy> & full. Try @host.`
    Look at the meeting in Zoom, then repeat: `/stream start 68423085 "Keynote"`
    Refused again? Give an admin this reference: `r-7f3k`

    (Channel)
    The stream of `684 230 85` was not stopped: Zoom refused it. Asked for by @U1.
    Zoom says, with code 9999: `Channel ˋ3ˋ is <busy> & full. Try @host.`
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    Look at the meeting in Zoom, then repeat: `/stream stop 68423085`
    Refused again? Give an admin this reference: `r-7f3k`
    "#);
    insta::assert_snapshot!(seen(&shown(Action::Start, Settings::default(), refused(None, " "))), @r#"
    (Channel)
    The stream of `684 230 85` was not started: Zoom refused it. Asked for by @U1.
    Zoom gave no reason, only status 409.
    Look at the meeting in Zoom, then repeat: `/stream start 68423085`
    Refused again? Give an admin this reference: `r-7f3k`
    "#);
}

#[test]
fn everything_asked_for_is_in_the_command_to_repeat() {
    let asked = Settings {
        title: Title::new("Q&A *now* <@U2> `x`").ok(),
        speaker_name: Some(SpeakerName::Off),
        layout: Some(Layout::FollowHost),
        captions: Some(Captions::Off),
    };
    insta::assert_snapshot!(seen(&shown(Action::Start, asked, Outcome::NotStarted)), @r#"
    (Channel)
    The stream of “Q&A ∗now∗ <＠U2> ˋxˋ” (`684 230 85`) was not started: the meeting or webinar isn't running. Asked for by @U1.
    Start it in Zoom, then repeat: `/stream start 68423085 "Q&A *now* <@U2> ˋxˋ" --speaker-name off --layout follow_host --captions off`
    "#);
}

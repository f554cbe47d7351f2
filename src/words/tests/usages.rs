//! Help, and texts that make no sense.

use super::*;

fn usage(problem: Problem, nearest: &str) -> String {
    seen(&Reply::Usage(UsageError { problem, nearest: nearest.to_owned() }))
}

#[test]
fn help() {
    insta::assert_snapshot!(seen(&Reply::Help { verb: None }), @r#"
    (Person)
    OnAir puts Zoom meetings on air from Slack.
    • `/stream start 68423085 "Keynote"`: put a meeting on air
    • `/stream stop 68423085`: take it off air
    • `/stream status 68423085`: how the streams of this workspace are, or that of one meeting
    • `/stream connect`: connect your Zoom account
    • `/stream disconnect`: disconnect it again
    • `/stream whoami`: which Zoom account you are connected as
    • `/stream save keynote 68423085 "Keynote"`: save a meeting under a name of your own
    • `/stream forget keynote`: forget a saved name
    • `/stream presets`: your saved names
    • `/stream setup 68423085`: see and set where a meeting's stream goes, on a private page
    • `/stream check 68423085`: what would stop a start, and how to cure it
    • `/stream lend 68423085 for 2h`: let a colleague start and stop a meeting's stream for a while, as you; or take that back
    • `/stream audit 20`: the last entries of this workspace's audit, for admins
    • `/stream policy`: who may do what in this workspace; for admins
    • `/stream doctor`: whether OnAir is well, and how to mend what isn't; for admins
    • `/stream help start`: this list, or more about one verb
    Slack doesn't run commands in threads: type them in the channel itself.
    "#);
}

#[test]
fn help_for_each_verb() {
    let all: Vec<String> = Verb::ALL.iter().map(|verb| seen(&Reply::Help { verb: Some(*verb) })).collect();
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    (Person)
    `/stream start <meeting> ["title"] [--speaker-name on|off] [--layout follow_host|gallery_view|speaker_view] [--captions burnt-in|embedded|off] [--dry-run]`: put a meeting on air
    • `<meeting>`: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved
    • `"title"`: what the stream is called, 1 to 50 characters
    • `--speaker-name on|off`: show the speaker's name in the picture, or don't
    • `--layout follow_host|gallery_view|speaker_view`: the picture as the host sees it, everybody in a grid, or whoever speaks; not for webinars
    • `--captions burnt-in|embedded|off`: captions in the picture, as a track of their own, or none
    • `--dry-run`: show what Zoom would get, and send nothing
    What you leave out is up to Zoom. The meeting must be running.
    Example: `/stream start 68423085 "Keynote"`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream stop <meeting>`: take it off air
    • `<meeting>`: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved
    The meeting itself goes on.
    Example: `/stream stop 68423085`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream status [<meeting>]`: how the streams of this workspace are, or that of one meeting
    • `<meeting>`: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved
    With a meeting it also says what Zoom tells about it. Zoom can't be asked whether a stream is on air, it reports that.
    Example: `/stream status 68423085`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream connect`: connect your Zoom account
    You get a link for you alone, and allow OnAir at Zoom.
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream disconnect`: disconnect it again
    If nobody else shares the connection, OnAir's access ends at Zoom too.
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream whoami`: which Zoom account you are connected as
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream save <name> <meeting> ["title"]`: save a meeting under a name of your own
    • `<name>`: 1 to 32 letters, digits, `-` or `_`; upper and lower case are the same
    • `<meeting>`: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved
    • `"title"`: what the stream is called, 1 to 50 characters
    It is for you alone, in this workspace. You can have 50 saved names.
    Afterwards: `/stream start keynote`
    Example: `/stream save keynote 68423085 "Keynote"`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream forget <name>`: forget a saved name
    Nothing else changes: what is on air stays on air.
    Example: `/stream forget keynote`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream presets`: your saved names
    Nobody else sees or uses them.
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream setup <meeting>`: see and set where a meeting's stream goes, on a private page
    • `<meeting>`: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved
    You get a link for you alone. A stream key is typed there, never in Slack, and nobody is shown it afterwards.
    Example: `/stream setup 68423085`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream check <meeting>`: what would stop a start, and how to cure it
    • `<meeting>`: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved
    Only you see the list. Nothing is started, stopped or changed.
    Example: `/stream check 68423085`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream lend <meeting> [to <@colleague>] [until 18:00 | for 2h] | <meeting> back`: let a colleague start and stop a meeting's stream for a while, as you; or take that back
    • `<meeting>`: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved
    • `to <@colleague>`: a colleague; without one you choose in a form
    • `until 18:00` or `for 2h`: how long; as long as the rules allow if you don't say
    • `back`: end all lending of this meeting
    The colleague starts, stops and checks that meeting's stream with your Zoom account, by name in the audit. Its stream key is never lent.
    Example: `/stream lend 68423085 for 2h`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream audit [<count>]`: the last entries of this workspace's audit, for admins
    • `<count>`: how many, 1 to 50; 10 if you don't say
    Only you see the list. The reference in a line finds its entry with `onair audit`.
    Example: `/stream audit 20`
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream policy`: who may do what in this workspace; for admins
    You get a form: which people may start, stop and set up streams, and in which channels; who reads that an order failed; whether stopping somebody else's stream takes a second person.
    It is for admins and owners of the workspace and for those they name in it.
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream doctor`: whether OnAir is well, and how to mend what isn't; for admins
    You get a list: OnAir's store, keys and queue, its clock, what it may do here, whether Zoom reports to it, this workspace's unconfirmed streams, rules and audit channel.
    Only you see it. It is for admins and owners of the workspace and for those they name in its rules.
    Slack doesn't run commands in threads: type them in the channel itself.

    (Person)
    `/stream help [<verb>]`: this list, or more about one verb
    • `<verb>`: `start`, `stop`, `status`, `connect`, `disconnect`, `whoami`, `save`, `forget`, `presets`, `setup`, `check`, `lend`, `audit`, `policy`, `doctor` or `help`
    Example: `/stream help start`
    Slack doesn't run commands in threads: type them in the channel itself.
    "#);
}

#[test]
fn help_uses_the_name_the_command_has() {
    let context = Context { command: "/air", workspace: None, now: now(), reference: &Reference::new("r") };
    let text = say(&Reply::Help { verb: None }, &context).text;
    assert!(text.contains("`/air start") && !text.contains("/stream"));
}

#[test]
fn a_verb_or_meeting_that_is_none() {
    insta::assert_snapshot!(usage(Problem::UnknownVerb { word: "strat".into() }, "start 68423085"), @r#"
    (Person)
    OnAir doesn't know the command `strat`.
    Try: `/stream start 68423085`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(usage(Problem::UnknownVerb { word: "banana".into() }, "help"), @r#"
    (Person)
    OnAir doesn't know the command `banana`.
    Try: `/stream help`
    "#);
    insta::assert_snapshot!(usage(Problem::MissingMeeting { verb: Verb::Stop }, "stop 68423085"), @"
    (Person)
    `/stream stop` needs a meeting: its id, its Zoom link, or a name you saved.
    Try: `/stream stop 68423085`
    More: `/stream help stop`
    ");
    let none = |word: &str, why| usage(Problem::NotAMeeting { word: word.into(), why }, "start 68423085 \"Keynote\"");
    insta::assert_snapshot!(none("6842", NotAMeeting::Digits), @r#"
    (Person)
    `6842` is not a meeting id: those have 8 to 12 digits.
    Try: `/stream start 68423085 "Keynote"`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(none("https://zoom.us/j/", NotAMeeting::LinkWithoutId), @r#"
    (Person)
    The link `https://zoom.us/j/` has no meeting id in it.
    Try: `/stream start 68423085 "Keynote"`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(none("https://zoom.us/my/ada", NotAMeeting::PersonalLink), @r#"
    (Person)
    `https://zoom.us/my/ada` is a personal link, which only Zoom can follow. Use the id from the invitation.
    Try: `/stream start 68423085 "Keynote"`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(none("https://example.com/1", NotAMeeting::OtherSite), @r#"
    (Person)
    The link `https://example.com/1` doesn't lead to a Zoom meeting.
    Try: `/stream start 68423085 "Keynote"`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(none("keynote", NotAMeeting::Word), @r#"
    (Person)
    `keynote` is not a meeting: OnAir takes an id of 8 to 12 digits, a Zoom link, or a name you saved.
    Try: `/stream start 68423085 "Keynote"`
    More: `/stream help start`
    "#);
}

#[test]
fn an_option_that_is_none() {
    let layout = |word: Option<&str>| Problem::OptionValue {
        option: "--layout",
        word: word.map(str::to_owned),
        allowed: LAYOUT_WORDS,
    };
    let nearest = "start 68423085 --layout gallery_view";
    insta::assert_snapshot!(usage(Problem::UnknownOption { word: "--loud".into() }, "start 68423085"), @r#"
    (Person)
    `--loud` is not an option here.
    Try: `/stream start 68423085`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(usage(layout(Some("galery")), nearest), @r#"
    (Person)
    `--layout` takes `follow_host`, `gallery_view` or `speaker_view`, not `galery`.
    Try: `/stream start 68423085 --layout gallery_view`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(usage(layout(None), nearest), @r#"
    (Person)
    `--layout` needs a value: `follow_host`, `gallery_view` or `speaker_view`.
    Try: `/stream start 68423085 --layout gallery_view`
    More: `/stream help start`
    "#);
    let empty = Problem::OptionValue { option: "--captions", word: Some(String::new()), allowed: CAPTIONS_WORDS };
    insta::assert_snapshot!(usage(empty, "start 68423085 --captions off"), @r#"
    (Person)
    `--captions` takes `burnt-in`, `embedded` or `off`, not `""`.
    Try: `/stream start 68423085 --captions off`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(usage(Problem::OptionTwice { option: "--layout" }, nearest), @r#"
    (Person)
    `--layout` is given twice.
    Try: `/stream start 68423085 --layout gallery_view`
    More: `/stream help start`
    "#);
}

#[test]
fn a_title_that_is_none() {
    insta::assert_snapshot!(usage(Problem::EmptyTitle, "start 68423085 \"Keynote\""), @r#"
    (Person)
    The title is empty; it takes 1 to 50 characters.
    Try: `/stream start 68423085 "Keynote"`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(usage(Problem::TitleTooLong { chars: 64 }, "start 68423085 \"The long\""), @r#"
    (Person)
    The title has 64 characters; Zoom takes 50 at most.
    Try: `/stream start 68423085 "The long"`
    More: `/stream help start`
    "#);
}

#[test]
fn a_word_too_many() {
    insta::assert_snapshot!(usage(Problem::Trailing { word: "speech".into() }, "start 68423085 \"Keynote\""), @r#"
    (Person)
    OnAir doesn't know what to do with `speech`. A title of several words needs quotes.
    Try: `/stream start 68423085 "Keynote"`
    More: `/stream help start`
    "#);
    insta::assert_snapshot!(usage(Problem::Trailing { word: "now".into() }, "whoami"), @r#"
    (Person)
    OnAir doesn't know what to do with `now`.
    Try: `/stream whoami`
    More: `/stream help whoami`
    "#);
    insta::assert_snapshot!(usage(Problem::Trailing { word: "`<!channel>`".into() }, "help"), @r#"
    (Person)
    OnAir doesn't know what to do with `ˋ<!channel>ˋ`.
    Try: `/stream help`
    "#);
}

#[test]
fn a_stream_secret_is_to_be_renewed() {
    insta::assert_snapshot!(usage(Problem::StreamSecret, "start 68423085"), @r#"
    (Person)
    Refused and not stored: that looks like a stream address or a stream key.
    It has already passed through Slack. Make a new key at your streaming service, and enter it in Zoom, or on the page of `/stream setup`, only.
    Try: `/stream start 68423085`
    More: `/stream help start`
    "#);
}

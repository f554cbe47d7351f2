//! Saved names: what is read as one, and what a command becomes once they are looked up.

use super::*;
use crate::preset::{NotAName, Preset, PresetName, Presets};

fn name(text: &str) -> PresetName {
    PresetName::new(text).unwrap()
}

fn saved() -> Presets {
    let mut presets = Presets::default();
    for (text, meeting, title) in [
        ("Keynote", "81234567890", Some("The keynote")),
        ("q3-review", "123456789", None),
        ("Straße", "5551234567", Some("On the road")),
    ] {
        let title = title.map(|title| Title::new(title).unwrap());
        let preset = Preset { name: name(text), meeting: meeting.parse().unwrap(), title };
        assert_eq!(presets.save(preset), Ok(None));
    }
    presets
}

/// A text comes to this command once names are looked up.
#[track_caller]
fn settle(input: &str, expected: &str) {
    let command = parse(input).unwrap().resolve(&saved()).unwrap();
    assert_eq!(command.to_string(), expected, "{input:?}");
    assert_eq!(parse(expected).unwrap().by_id(), Some(command), "{expected:?} does not read back");
}

/// A text is refused because of this name, and this line is suggested.
#[track_caller]
fn unknown(input: &str, text: &str, nearest: &str) {
    let error = UsageError { problem: Problem::UnknownName { word: word(text) }, nearest: nearest.to_owned() };
    assert_eq!(parse(input).unwrap().resolve(&saved()), Err(error), "{input:?}");
    assert!(parse(nearest).is_ok(), "{nearest:?} does not parse");
}

#[test]
fn a_name_stands_wherever_a_meeting_does() {
    for line in [
        "start Keynote",
        "start keynote \"Welcome\" --layout gallery_view --dry-run",
        "stop keynote",
        "check keynote",
        "status q3-review",
        "save today keynote",
        "save today keynote \"Welcome\"",
        "save today 68423085",
        "save today 68423085 \"Ada's talk\"",
        "forget q3_review",
        "presets",
    ] {
        check(line, line);
    }
    check("start --dry-run  Keynote “Welcome”", "start Keynote \"Welcome\" --dry-run");
    check("stop “keynote”", "stop keynote");
    check("stop q3–review", "stop q3-review");
    check("stop ｋｅｙｎｏｔｅ", "stop keynote");
    check("stop key\u{200d}note", "stop keynote");
    check("forget 'Keynote'", "forget Keynote");
    check(
        "SAVE \"Keynote\" <https://zoom.us/j/68423085?pwd=hunter2|Join> ‘Keynote’",
        "save Keynote 68423085 \"Keynote\"",
    );
    check("save all-hands 812 3456 7890 “All hands”", "save all-hands 81234567890 \"All hands\"");
    check("save 5pm (812) 3456-7890", "save 5pm 81234567890");
    check("save stop 68423085", "save stop 68423085");
}

#[test]
fn what_could_be_a_mistyped_id_or_a_title_is_no_name() {
    let no_meeting = |text| not_a_meeting(text, NotAMeeting::Word);
    refuse("stop 68423085x", no_meeting("68423085x"), "stop 68423085");
    refuse("stop 684_230_85", no_meeting("684_230_85"), "stop 68423085");
    refuse("stop 1234567", not_a_meeting("1234567", NotAMeeting::Digits), "stop 68423085");
    refuse("stop key.note", no_meeting("key.note"), "stop 68423085");
    refuse("stop @keynote", no_meeting("@keynote"), "stop 68423085");
    refuse("start \"Keynote\"", Problem::MissingMeeting { verb: Verb::Start }, KEYNOTE);
    refuse("start Keynote 68423085", no_meeting("Keynote"), KEYNOTE);
    refuse("start Keynote https://zoom.us/j/68423085", no_meeting("Keynote"), KEYNOTE);
    refuse("stop now 684 230 85", no_meeting("now"), "stop 68423085");
    refuse("start talk 2", Problem::Trailing { word: word("2") }, "start talk \"2\"");
    refuse("start talk 2 of 3", Problem::Trailing { word: word("2") }, "start talk \"2 of 3\"");
    refuse("start keynote now", Problem::Trailing { word: word("now") }, "start keynote \"now\"");
    refuse("stop keynote now", Problem::Trailing { word: word("now") }, "stop keynote");
    refuse("start keynote --dryrun", Problem::UnknownOption { word: word("--dryrun") }, "start keynote --dry-run");
}

#[test]
fn a_save_without_its_name_or_its_meeting_shows_the_whole_line() {
    let no_name = Problem::MissingName { verb: Verb::Save };
    let no_meeting = Problem::MissingMeeting { verb: Verb::Save };
    refuse("save", no_name.clone(), "save keynote 68423085");
    refuse("save \"\" 68423085", no_name.clone(), "save keynote 68423085");
    refuse("save 81234567890", no_name.clone(), "save keynote 81234567890");
    refuse("save 812 3456 7890 talk \"The talk\"", no_name.clone(), "save talk 81234567890 \"The talk\"");
    refuse("save https://zoom.us/j/123456789 \"The talk\"", no_name, "save keynote 123456789 \"The talk\"");
    refuse("save talk", no_meeting.clone(), "save talk 68423085");
    refuse("save talk \"The talk\"", no_meeting, "save talk 68423085 \"The talk\"");
    refuse("save my keynote 68423085", not_a_meeting("keynote", NotAMeeting::Word), "save my-keynote 68423085");
    refuse("save talk 123", not_a_meeting("123", NotAMeeting::Digits), "save talk 68423085");
    refuse("save talk 68423085 The talk", Problem::Trailing { word: word("The") }, "save talk 68423085 \"The talk\"");
    refuse("save talk 68423085 \"\"", Problem::EmptyTitle, "save talk 68423085");
    refuse("save talk 68423085 --dry-run", Problem::UnknownOption { word: word("--dry-run") }, "save talk 68423085");
    check("save help", "help save");
    check("save --help", "help save");
}

#[test]
fn what_cannot_be_a_name_is_told_why() {
    let no_name = |text: &str, why| Problem::NotAName { word: word(text), why };
    refuse("save key.note 68423085", no_name("key.note", NotAName::OtherCharacter), "save key-note 68423085");
    refuse("save \"my show\" 68423085", no_name("my show", NotAName::OtherCharacter), "save my-show 68423085");
    refuse("save 68423085x 68423085", no_name("68423085x", NotAName::LikeAnId), "save keynote 68423085");
    refuse("save 1_2 68423085", no_name("1_2", NotAName::NoLetter), "save keynote 68423085");
    refuse("save help 68423085", no_name("help", NotAName::Help), "save keynote 68423085");
    let (long, cut) = ("ü".repeat(33), "ü".repeat(32));
    refuse(&format!("save {long} 68423085"), no_name(&long, NotAName::TooLong), &format!("save {cut} 68423085"));
    refuse("save <!channel> 68423085", no_name("@channel", NotAName::OtherCharacter), "save channel 68423085");
    refuse("forget key.note", no_name("key.note", NotAName::OtherCharacter), "forget key-note");
}

#[test]
fn a_copied_line_forgets_nothing_that_was_not_typed() {
    refuse("forget", Problem::MissingName { verb: Verb::Forget }, "presets");
    refuse("forget 68423085", Problem::NotAName { word: word("68423085"), why: NotAName::NoLetter }, "presets");
    refuse("forget live_123456789_aBcDeFgHiJkLmNoP", Problem::StreamSecret, "presets");
    refuse("forget keynote now", Problem::Trailing { word: word("now") }, "forget keynote");
    refuse("forgt keynote", Problem::UnknownVerb { word: word("forgt") }, "forget keynote");
    refuse("delete", Problem::UnknownVerb { word: word("delete") }, "presets");
    refuse("preset", Problem::UnknownVerb { word: word("preset") }, "presets");
    refuse("remember keynote 68423085", Problem::UnknownVerb { word: word("remember") }, "save keynote 68423085");
    refuse("presets now", Problem::Trailing { word: word("now") }, "presets");
}

#[test]
fn no_secret_becomes_a_name() {
    for key in ["a1b2-c3d4-e5f6-g7h8", "AbCdEfGhIj0123456789KlMnOp", "sk_us-east-1_AbC", "FB-1234567890123456-0-AbC"] {
        refuse(&format!("save {key} 68423085"), Problem::StreamSecret, "save keynote 68423085 \"Keynote\"");
        refuse(&format!("save keynote {key}"), Problem::StreamSecret, "save keynote 68423085 \"Keynote\"");
        refuse(&format!("stop {key}"), Problem::StreamSecret, "stop 68423085");
        refuse(&format!("save keynote 68423085 \"{key}\""), Problem::StreamSecret, {
            "save keynote 68423085 \"Keynote\""
        });
    }
}

#[test]
fn a_name_is_looked_up_in_any_case_and_brings_its_title() {
    settle("start keynote", "start 81234567890 \"The keynote\"");
    settle("start KEYNOTE --dry-run", "start 81234567890 \"The keynote\" --dry-run");
    settle("start keynote \"Welcome\"", "start 81234567890 \"Welcome\"");
    settle("start Q3-Review", "start 123456789");
    settle("stop strasse", "stop 5551234567");
    settle("status keynote", "status 81234567890");
    settle("save today keynote", "save today 81234567890 \"The keynote\"");
    settle("save Today keynote \"Welcome\"", "save Today 81234567890 \"Welcome\"");
    settle("save keynote 68423085", "save keynote 68423085");
    settle("start 68423085", "start 68423085");
    settle("forget nothing", "forget nothing");
}

#[test]
fn an_unknown_name_suggests_the_nearest() {
    unknown("start keynot", "keynot", "start Keynote");
    unknown("start keynot \"Welcome\" --dry-run", "keynot", "start Keynote \"Welcome\" --dry-run");
    unknown("stop q3_review", "q3_review", "stop q3-review");
    unknown("stop q3", "q3", "stop q3-review");
    unknown("status Keynotes", "Keynotes", "status Keynote");
    unknown("save today keynoet", "keynoet", "save today Keynote");
    unknown("stop banana", "banana", "stop 68423085");
    unknown("start banana", "banana", "start 68423085 \"banana\"");
    unknown("start banana \"Welcome\" --dry-run", "banana", "start 68423085 \"Welcome\" --dry-run");
    unknown("save today banana", "banana", "save today 68423085");
}

#[test]
fn a_name_that_is_not_there_cannot_be_forgotten() {
    let error = |word: &str, nearest: &str| UsageError {
        problem: Problem::NotSaved { word: word.to_owned() },
        nearest: nearest.to_owned(),
    };
    assert_eq!(not_saved(&name("keynot"), &saved()), error("keynot", "forget Keynote"));
    assert_eq!(not_saved(&name("banana"), &saved()), error("banana", "presets"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_name_prints_and_reads_back(text in "[-_a-zA-Z0-9éßΣжあ]{1,33}", verb in "start|stop|status|forget") {
        if let Ok(name) = PresetName::new(&text) {
            prop_assume!(!guard::is_secret(&text, &text));
            let line = format!("{verb} {}", name.as_str());
            prop_assert_eq!(parse(&line).map(|command| command.to_string()), Ok(line));
        }
    }

    #[test]
    fn what_names_come_to_reads_back(line in lines()) {
        let Ok(command) = parse(&line) else { return Ok(()) };
        match command.resolve(&saved()) {
            Ok(command) => prop_assert_eq!(parse(&command.to_string()).unwrap().by_id(), Some(command)),
            Err(error) => {
                prop_assert!(parse(&error.nearest).is_ok(), "{:?}", error);
                prop_assert!(error.nearest.chars().count() <= 200);
            }
        }
    }
}

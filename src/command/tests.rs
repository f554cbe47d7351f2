//! The command's grammar: tables of what people type, and what holds for every text.

use proptest::prelude::*;

use super::*;
use crate::meeting::Title;

mod names;

/// A text is understood as the command that prints like this.
#[track_caller]
fn check(input: &str, expected: &str) {
    match parse(input) {
        Ok(command) => assert_eq!(command.to_string(), expected, "{input:?}"),
        Err(error) => panic!("{input:?} is refused: {error:?}"),
    }
    assert_eq!(parse(expected), parse(input), "{expected:?} does not read back");
}

/// A text is refused for this problem, and this line is suggested.
#[track_caller]
fn refuse(input: &str, problem: Problem, nearest: &str) {
    assert_eq!(parse(input), Err(UsageError { problem, nearest: nearest.to_owned() }), "{input:?}");
    assert!(parse(nearest).is_ok(), "{nearest:?} does not parse");
}

fn word(text: &str) -> String {
    text.to_owned()
}

fn not_a_meeting(text: &str, why: NotAMeeting) -> Problem {
    Problem::NotAMeeting { word: word(text), why }
}

const KEYNOTE: &str = "start 68423085 \"Keynote\"";

#[test]
fn every_verb_is_read_in_any_case() {
    check("", "help");
    check("  \u{a0} ", "help");
    for verb in Verb::ALL {
        assert_eq!(parse(verb.example()).unwrap().verb(), verb);
        assert_eq!(parse(&verb.example().to_uppercase()).unwrap().verb(), verb);
    }
    check("StArT 68423085", "start 68423085");
    check("status", "status");
    check("check 684-230-85", "check 68423085");
    check("whoami", "whoami");
    check("ｓｔｏｐ　６８４２３０８５", "stop 68423085");
}

#[test]
fn help_is_asked_for_in_many_ways() {
    for input in ["help", "?", "--help", "-h", "—help"] {
        check(input, "help");
    }
    for input in ["help start", "start help", "start --help", "start -h", "start ?", "Start HELP", "--help start"] {
        check(input, "help start");
    }
    check("start 68423085 --help", "help start");
    check("help help", "help help");
    refuse("help strat", Problem::UnknownVerb { word: word("strat") }, "help start");
    refuse("help begin", Problem::UnknownVerb { word: word("begin") }, "help start");
    refuse("help --anything", Problem::UnknownVerb { word: word("--anything") }, "help");
    refuse("help start now", Problem::Trailing { word: word("now") }, "help start");
}

#[test]
fn a_meeting_is_lent_to_somebody_for_a_while_or_taken_back() {
    check("lend 68423085", "lend 68423085");
    check("lend 684 230 85 to <@U0123ABCD> until 18:00", "lend 68423085 to @U0123ABCD until 18:00");
    check("LEND 68423085 to <@U0123ABCD|ben> UNTIL 8:05", "lend 68423085 to @U0123ABCD until 08:05");
    check("lend 68423085 <@W0123ABCD> for 90m", "lend 68423085 to @W0123ABCD for 90m");
    check("lend keynote for 1h60m to @U0123ABCD", "lend keynote to @U0123ABCD for 2h");
    check("lend 68423085 till 18:00", "lend 68423085 until 18:00");
    // Who that is, only Slack knows.
    for name in ["@ben", "to @ben", "to ben", "to @ben.müller", "to", "to @U1"] {
        check(&format!("lend 68423085 {name}"), "lend 68423085");
        check(&format!("lend 68423085 {name} for 2h"), "lend 68423085 for 2h");
    }
    check("lend 68423085 back", "lend 68423085 back");
    check("lend keynote BACK", "lend keynote back");
    check("lend --help", "help lend");
    refuse("lend", Problem::MissingMeeting { verb: Verb::Lend }, "lend 68423085");
    let not_a_time = |text: Option<&str>| Problem::NotATime { word: text.map(word) };
    refuse("lend 68423085 until", not_a_time(None), "lend 68423085");
    refuse("lend 68423085 until tonight", not_a_time(Some("tonight")), "lend 68423085");
    refuse("lend 68423085 to @U0123ABCD until 25:00", not_a_time(Some("25:00")), "lend 68423085 to @U0123ABCD");
    refuse("lend 68423085 for 30s", not_a_time(Some("30s")), "lend 68423085");
    let trailing = |text| Problem::Trailing { word: word(text) };
    refuse("lend 68423085 back now", trailing("now"), "lend 68423085 back");
    refuse("lend 68423085 to @ben @carl", trailing("@carl"), "lend 68423085");
    refuse("lend 68423085 for 2h for 3h", trailing("for"), "lend 68423085 for 2h");
}

#[test]
fn an_id_may_be_written_as_people_write_it() {
    for id in [
        "81234567890",
        "812 3456 7890",
        "812-3456-7890",
        "812\u{a0}3456\u{a0}7890",
        "812\u{202f}3456\u{2007}7890",
        "812\u{3000}3456\t7890",
        "812–3456—7890",
        "812\u{2010}3456\u{2011}7890",
        "812\u{2212}3456\u{2015}7890",
        "812 - 3456 - 7890",
        "812 -3456 -7890",
        "812\u{200b}3456\u{2060}7890",
        "\u{202a}81234567890\u{202c}",
        "８１２３４５６７８９０",
        "\"812 3456 7890\"",
        "“812–3456–7890”",
        "'81234567890'",
        "<tel:81234567890|812 3456 7890>",
        "(812) 3456-7890",
        "(812)34567890",
        "(812 3456 7890)",
        "\"(812) 3456-7890\"",
        "#81234567890",
        "#812 3456 7890",
        "（812） 3456 7890",
    ] {
        check(&format!("stop {id}"), "stop 81234567890");
        check(&format!("start {id} \"Keynote\""), "start 81234567890 \"Keynote\"");
        check(&format!("start {id} --dry-run"), "start 81234567890 --dry-run");
    }
    check("start 684 230 85\"Keynote\"", KEYNOTE);
    check("status 123456789012", "status 123456789012");
}

#[test]
fn digits_that_are_no_id_are_told_from_words() {
    let digits = |text| not_a_meeting(text, NotAMeeting::Digits);
    refuse("stop 1234567", digits("1234567"), "stop 68423085");
    refuse("stop 1234567890123", digits("1234567890123"), "stop 68423085");
    refuse("stop 068423085", digits("068423085"), "stop 68423085");
    refuse("status \"684 230\"", digits("684 230"), "status 68423085");
    refuse("start 812 3456 7890 2024 talk", digits("812 3456 7890 2024"), "start 81234567890 \"2024 talk\"");
    refuse("start 123 \"Keynote\" --dry-run", digits("123"), "start 68423085 \"Keynote\" --dry-run");
    refuse("stop 68423085x", not_a_meeting("68423085x", NotAMeeting::Word), "stop 68423085");
    refuse("stop (812.3456.7890)", not_a_meeting("(812.3456.7890)", NotAMeeting::Word), "stop 81234567890");
    refuse("start 68423085x", not_a_meeting("68423085x", NotAMeeting::Word), "start 68423085");
    refuse("start 81234567890x \"Keynote\"", not_a_meeting("81234567890x", NotAMeeting::Word), {
        "start 81234567890 \"Keynote\""
    });
    refuse("start #1 68423085", not_a_meeting("#1", NotAMeeting::Word), "start 68423085 \"#1\"");
    refuse("start 68423085 (2)", Problem::Trailing { word: word("(2)") }, "start 68423085 \"(2)\"");
    refuse("stop ٦٨٤٢٣٠٨٥", not_a_meeting("٦٨٤٢٣٠٨٥", NotAMeeting::Word), "stop 68423085");
}

const HOSTS: [&str; 8] = [
    "zoom.us",
    "us02web.zoom.us",
    "company.zoom.us",
    "app.zoom.us",
    "zoomgov.com",
    "www.zoomgov.com",
    "ZOOM.US",
    "Us06Web.Zoom.Us",
];

#[test]
fn every_form_of_link_leads_to_its_meeting() {
    let key = "QWxhZGRpbjpvcGVuIHNlc2FtZQ09.1";
    let paths = [
        "/j/81234567890".to_owned(),
        "/j/81234567890/".to_owned(),
        "/J/81234567890".to_owned(),
        format!("/j/81234567890?pwd={key}"),
        format!("/j/81234567890?pwd={key}#success"),
        format!("/w/81234567890?tk={key}&uuid=WN_abc123DEF456ghi789JKL"),
        format!("/s/81234567890?zak=eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.{key}"),
        format!("/wc/81234567890/join?pwd={key}"),
        "/wc/join/81234567890".to_owned(),
        "/wc/81234567890/start".to_owned(),
    ];
    for host in HOSTS {
        for path in &paths {
            for link in [format!("https://{host}{path}"), format!("http://{host}{path}"), format!("{host}{path}")] {
                links_to_the_meeting(&link);
            }
        }
        for scheme in ["zoommtg", "zoomus", "ZoomMtg"] {
            links_to_the_meeting(&format!("{scheme}://{host}/join?action=join&confno=81234567890&pwd={key}"));
            links_to_the_meeting(&format!("{scheme}://{host}/start?confno=81234567890&zc=0&tk={key}"));
        }
        for redirect in ["https://www.google.com/url?q=", "https://google.com/url?sa=D&q="] {
            links_to_the_meeting(&format!(
                "{redirect}https%3A%2F%2F{host}%2Fj%2F81234567890%3Fpwd%3D{key}&usg=AOvVaw1XyZ0123456789abc"
            ));
            links_to_the_meeting(&format!("{redirect}https://{host}/j/81234567890&sa=D&source=calendar"));
        }
    }
    links_to_the_meeting("https://zoom.us/j/81234567890.");
}

#[track_caller]
fn links_to_the_meeting(link: &str) {
    for written in [
        link.to_owned(),
        format!("<{link}>"),
        format!("<{link}|{link}>"),
        format!("<{link}|Join us>"),
        format!("“{link}”"),
        link.replace('&', "&amp;"),
        format!("<{}>", link.replace('&', "&amp;")),
        format!("&lt;{link}&gt;"),
    ] {
        let plain_scheme = link.contains("://") || written.starts_with(link) || written.starts_with('“');
        if plain_scheme {
            check(&format!("start {written} \"Keynote\""), "start 81234567890 \"Keynote\"");
        }
    }
}

#[test]
fn links_elsewhere_are_not_followed_and_lose_their_query() {
    let other = |text| not_a_meeting(text, NotAMeeting::OtherSite);
    for (link, shown) in [
        ("https://evilzoom.us/j/123456789?pwd=hunter2", "https://evilzoom.us/j/123456789"),
        ("evilzoom.us/j/123456789", "evilzoom.us/j/123456789"),
        ("https://zoom.us.evil.com/j/123456789", "https://zoom.us.evil.com/j/123456789"),
        ("https://zoom.us@evil.com/j/123456789", "https://evil.com/j/123456789"),
        ("https://zoom.us:pass@evil.com/j/123456789", "https://evil.com/j/123456789"),
        ("https://ada:hunter2@zoom.us/j/123456789", "https://zoom.us/j/123456789"),
        ("https://evil.com\\@zoom.us/j/123456789", "https://zoom.us/j/123456789"),
        ("https://zoom.us:8443/j/123456789", "https://zoom.us:8443/j/123456789"),
        ("https://zооm.us/j/123456789", "https://zооm.us/j/123456789"),
        ("ftp://zoom.us/j/123456789", "ftp://zoom.us/j/123456789"),
        ("zoommtg://evil.com/join?confno=123456789", "zoommtg://evil.com/join"),
        ("https://www.google.com/url?q=https://evil.com/j/123456789%3Fpwd%3Dhunter2", "https://www.google.com/url"),
        ("https://google.com.evil.com/url?q=https://zoom.us/j/123456789", "https://google.com.evil.com/url"),
        ("https://example.com/#zoom.us/j/123456789", "https://example.com/"),
        ("https://teams.microsoft.com/l/19%3ameeting_ZjA5YzQ3ZGEtM2Y1Zi00", "https://teams.microsoft.com/"),
    ] {
        refuse(&format!("stop {link}"), other(shown), "stop 68423085");
    }
    refuse(
        "start <https://evil.com/j/123456789?pwd=hunter2> \"Keynote\"",
        other("https://evil.com/j/123456789"),
        KEYNOTE,
    );
}

#[test]
fn zoom_links_without_an_id_say_so() {
    let personal = |text| not_a_meeting(text, NotAMeeting::PersonalLink);
    refuse("stop https://zoom.us/my/ada?pwd=hunter2", personal("https://zoom.us/my/ada"), "stop 68423085");
    refuse("stop <https://company.zoom.us/my/ada>", personal("https://company.zoom.us/my/ada"), "stop 68423085");
    let without = |text| not_a_meeting(text, NotAMeeting::LinkWithoutId);
    refuse("stop https://zoom.us/?pwd=hunter2", without("https://zoom.us/"), "stop 68423085");
    refuse("stop zoom.us", without("zoom.us"), "stop 68423085");
    refuse("stop https://zoom.us/j/keynote", without("https://zoom.us/j/keynote"), "stop 68423085");
    refuse("stop zoommtg://zoom.us/join?confno=", without("zoommtg://zoom.us/join"), "stop 68423085");
    let digits = not_a_meeting("https://zoom.us/j/123", NotAMeeting::Digits);
    refuse("stop https://zoom.us/j/123?pwd=hunter2", digits, "stop 68423085");
}

#[test]
fn any_quote_mark_opens_and_any_closes() {
    let doubles = ['"', '“', '”', '„', '«', '»'];
    let singles = ['\'', '‘', '’', '‚'];
    for marks in [doubles.as_slice(), singles.as_slice()] {
        for open in marks {
            for close in marks {
                check(&format!("start 68423085 {open}Keynote{close}"), KEYNOTE);
                check(&format!("start 68423085 {open} Key  note {close} --dry-run"), {
                    "start 68423085 \"Key note\" --dry-run"
                });
                check(&format!("stop {open}684 230 85{close}"), "stop 68423085");
            }
            check(&format!("start 68423085 {open}Keynote and more"), "start 68423085 \"Keynote and more\"");
        }
    }
    for (open, close) in [('"', '\''), ('\'', '"'), ('“', '’'), ('‘', '»')] {
        check(&format!("start 68423085 {open}Keynote{close}"), KEYNOTE);
    }
}

#[test]
fn an_apostrophe_inside_a_title_stays() {
    for (typed, title) in [
        ("\"Ada's talk\"", "Ada's talk"),
        ("“Ada’s talk”", "Ada’s talk"),
        ("‘Ada’s talk’", "Ada’s talk"),
        ("'don't stop'", "don't stop"),
        ("'don’t stop’", "don’t stop"),
        ("\"the players' lounge\"", "the players' lounge"),
        ("'the players' lounge'", "the players' lounge"),
        ("‘the players’ lounge’", "the players’ lounge"),
        ("'rock 'n' roll'", "rock 'n' roll"),
        ("'don't stop", "don't stop"),
        ("\"'90s night\"", "'90s night"),
    ] {
        check(&format!("start 68423085 {typed}"), &format!("start 68423085 \"{title}\""));
        check(&format!("start 68423085 {typed} --dry-run"), &format!("start 68423085 \"{title}\" --dry-run"));
        check(&format!("start 68423085 {typed} —dry-run"), &format!("start 68423085 \"{title}\" --dry-run"));
    }
    check("start '68423085' 'Ada's talk' --layout 'gallery_view'", {
        "start 68423085 \"Ada's talk\" --layout gallery_view"
    });
}

#[test]
fn double_marks_within_single_ones_are_printed_so_that_they_read_back() {
    check("start 68423085 'say \"hi\" now'", "start 68423085 'say \"hi\" now'");
    check("start 68423085 ‘say “hi” now’ --dry-run", "start 68423085 'say “hi” now' --dry-run");

    // No pair of marks holds this one; such a title can only come from elsewhere.
    let title = Title::new("a \"b' 'c").ok();
    let settings = Settings { title, ..Settings::default() };
    let start: Start = Start { meeting: "68423085".parse().unwrap(), settings, run: Run::Real };
    check(&Command::Start(start).to_string(), "start 68423085 \"a 'b' 'c\"");
}

#[test]
fn an_unclosed_quote_takes_the_rest_but_no_option() {
    check("start 68423085 \"Keynote", KEYNOTE);
    check("start 68423085 “Keynote -- part 2", "start 68423085 \"Keynote -- part 2\"");
    check("start 68423085 \"Keynote --dry-run", "start 68423085 \"Keynote\" --dry-run");
    check("start 68423085 'Keynote —layout=gallery_view", "start 68423085 \"Keynote\" --layout gallery_view");
}

#[test]
fn escapes_of_slack_are_undone() {
    for (typed, title) in [
        ("R&amp;D", "R&D"),
        ("R&D", "R&D"),
        ("a &lt; b &gt; c", "a < b > c"),
        ("a < b > c", "a < b > c"),
        ("I <3 Rust", "I <3 Rust"),
        ("<b>", "<b>"),
        ("<#C123|q3> review", "#q3 review"),
        ("<#C123|> review", "#C123 review"),
        ("<@U1|ada> talks", "@ada talks"),
        ("<@U1> talks", "@U1 talks"),
        ("<!channel> now", "@channel now"),
        ("&lt;!channel&gt; now", "@channel now"),
        ("&amp;lt;!channel&amp;gt; now", "@channel now"),
        ("<!subteam^S1|@crew> now", "@crew now"),
        ("see <http://example.com|example.com>", "see example.com"),
        ("see <https://example.com>", "see https://example.com"),
        ("mail <mailto:ada@example.com|ada@example.com>", "mail ada@example.com"),
        ("<https://zoom.us/j/123456789?pwd=hunter2|Join>", "https://zoom.us/j/123456789"),
        ("at https://zoom.us/j/123456789?pwd=hunter2", "at https://zoom.us/j/123456789"),
        ("at \u{202e}nine\u{200b}", "at nine"),
        ("👩\u{200d}🚀 talks", "👩\u{200d}🚀 talks"),
    ] {
        check(&format!("start 68423085 \"{typed}\""), &format!("start 68423085 \"{title}\""));
    }
}

#[test]
fn a_title_has_one_to_fifty_characters() {
    let fifty = "ü".repeat(50);
    check(&format!("start 68423085 \"{fifty}\""), &format!("start 68423085 \"{fifty}\""));
    refuse(
        "start 68423085 \"The quarterly all hands of everybody in the company, with guests\" --dry-run",
        Problem::TitleTooLong { chars: 64 },
        "start 68423085 \"The quarterly all hands of everybody in the\" --dry-run",
    );
    for empty in ["\"\"", "“ ”", "''", "\"", "\"\u{a0}\u{200b}\"", "\"\u{200d}\""] {
        refuse(&format!("start 68423085 {empty}"), Problem::EmptyTitle, "start 68423085");
    }
}

#[test]
fn options_stand_anywhere_in_any_case_with_any_dashes() {
    let full = "start 68423085 \"Keynote\" --speaker-name off --layout gallery_view --captions burnt-in --dry-run";
    for input in [
        full,
        "start --speaker-name off --layout gallery_view --captions burnt-in --dry-run 68423085 \"Keynote\"",
        "start --dry-run 684 230 85 --captions=burnt-in --layout=gallery_view \"Keynote\" --speaker-name=off",
        "START 68423085 --DRY-RUN --Captions BURNT_IN --LAYOUT Gallery-View --speaker_name OFF “Keynote”",
        "start 68423085 “Keynote” —speaker-name off –layout gallery_view -–captions burnt–in −−dry-run",
        "start 68423085 «Keynote»—dry-run --layout=\"gallery view\" --captions “burnt-in” --speaker-name='off'",
    ] {
        check(input, full);
    }
    check("start 68423085 --layout follow_host", "start 68423085 --layout follow_host");
    check("start 68423085 --layout speaker-view", "start 68423085 --layout speaker_view");
    check("start 68423085 --captions embedded", "start 68423085 --captions embedded");
    check("start 68423085 --captions off --speaker-name on", "start 68423085 --speaker-name on --captions off");
}

#[test]
fn options_that_make_no_sense_are_named() {
    let unknown = |text| Problem::UnknownOption { word: word(text) };
    refuse("start 68423085 --dryrun", unknown("--dryrun"), "start 68423085 --dry-run");
    refuse("start 68423085 -dry-run", unknown("-dry-run"), "start 68423085 --dry-run");
    refuse("start 68423085 --dry-run=no", unknown("--dry-run=no"), "start 68423085 --dry-run");
    refuse("start 68423085 --laoyut gallery_view", unknown("--laoyut"), "start 68423085 --layout gallery_view");
    refuse("start 68423085 \"Keynote\" --record", unknown("--record"), KEYNOTE);
    refuse("stop 68423085 --dry-run", unknown("--dry-run"), "stop 68423085");
    refuse("whoami --all", unknown("--all"), "whoami");
    let twice = Problem::OptionTwice { option: "--layout" };
    refuse("start 68423085 --layout gallery_view --layout=speaker_view", twice, {
        "start 68423085 --layout speaker_view"
    });
}

#[test]
fn values_that_make_no_sense_are_named_with_those_allowed() {
    let bad = |option, text: Option<&str>, allowed| Problem::OptionValue { option, word: text.map(word), allowed };
    let layout = |text| bad("--layout", text, LAYOUT_WORDS);
    refuse("start 68423085 --layout gallery", layout(Some("gallery")), "start 68423085 --layout gallery_view");
    refuse("start 68423085 --layout", layout(None), "start 68423085 --layout follow_host");
    refuse("start 68423085 --layout=", layout(None), "start 68423085 --layout follow_host");
    refuse("start 68423085 --layout --dry-run", layout(None), "start 68423085 --layout follow_host --dry-run");
    refuse("start --layout 68423085", layout(Some("68423085")), "start 68423085 --layout follow_host");
    refuse("start 68423085 --layout \"Keynote\"", layout(Some("Keynote")), {
        "start 68423085 \"Keynote\" --layout follow_host"
    });
    let speaker = |text| bad("--speaker-name", Some(text), SPEAKER_NAME_WORDS);
    refuse("start 68423085 --speaker-name no", speaker("no"), "start 68423085 --speaker-name off");
    refuse("start 68423085 --speaker-name=yes", speaker("yes"), "start 68423085 --speaker-name on");
    let captions = bad("--captions", Some("burned-in"), CAPTIONS_WORDS);
    refuse("start 68423085 --captions burned-in", captions, "start 68423085 --captions burnt-in");
}

#[test]
fn trailing_words_are_refused_and_quoted_in_the_suggestion() {
    let trailing = |text| Problem::Trailing { word: word(text) };
    refuse("start 68423085 Keynote now", trailing("Keynote"), "start 68423085 \"Keynote now\"");
    refuse("start 68423085 - Keynote", trailing("-"), KEYNOTE);
    refuse("start 68423085 Ada's --dry-run talk", trailing("Ada's"), "start 68423085 \"Ada's talk\" --dry-run");
    refuse("start 68423085 \"Keynote\" now", trailing("now"), "start 68423085 \"Keynote now\"");
    refuse("start 68423085 \"The 12\" vinyl show\"", trailing("vinyl"), "start 68423085 \"The 12 vinyl show\"");
    refuse("start 68423085 3 talks", trailing("talks"), "start 68423085 \"3 talks\"");
    refuse("start 684 230 85 talks", trailing("talks"), "start 68423085 \"talks\"");
    refuse("stop 68423085 now", trailing("now"), "stop 68423085");
    refuse("check 68423085 now", trailing("now"), "check 68423085");
    refuse("stop 68423085 \"Keynote\"", trailing("Keynote"), "stop 68423085");
    refuse("status 68423085 81234567890x", trailing("81234567890x"), "status 68423085");
    for verb in ["connect", "disconnect", "whoami"] {
        refuse(&format!("{verb} now"), trailing("now"), verb);
    }
    let link = "https://zoom.us/j/123456789";
    refuse(&format!("start 68423085 {link}?pwd=hunter2"), trailing(link), &format!("start 68423085 \"{link}\""));
}

#[test]
fn a_start_and_a_stop_need_a_meeting() {
    refuse("start", Problem::MissingMeeting { verb: Verb::Start }, "start 68423085");
    refuse("stop", Problem::MissingMeeting { verb: Verb::Stop }, "stop 68423085");
    refuse("setup", Problem::MissingMeeting { verb: Verb::Setup }, "setup 68423085");
    refuse("check", Problem::MissingMeeting { verb: Verb::Check }, "check 68423085");
    refuse("stop \"\"", Problem::MissingMeeting { verb: Verb::Stop }, "stop 68423085");
    refuse("start \"Keynote\"", Problem::MissingMeeting { verb: Verb::Start }, KEYNOTE);
    let keynote = || not_a_meeting("Keynote", NotAMeeting::Word);
    refuse("start \"Keynote\" 68423085", keynote(), KEYNOTE);
    refuse("start Keynote 68423085", keynote(), KEYNOTE);
}

#[test]
fn an_audit_takes_how_many_entries_are_wanted() {
    check("audit", "audit");
    check("audit 20", "audit 20");
    check("AUDIT ５0", "audit 50");
    check("audit 007", "audit 7");
    let count = |text: &str| Problem::NotACount { word: word(text) };
    refuse("audit 0", count("0"), "audit");
    refuse("audit 51", count("51"), "audit 50");
    refuse("audit 99999999999999999999999", count("99999999999999999999999"), "audit 50");
    refuse("audit +5", count("+5"), "audit");
    refuse("audit all", count("all"), "audit");
    refuse("audit 20 please", Problem::Trailing { word: word("please") }, "audit 20");
    refuse("log 20", Problem::UnknownVerb { word: word("log") }, "audit 20");
    refuse("audit --all", Problem::UnknownOption { word: word("--all") }, "audit");
}

#[test]
fn an_unknown_verb_suggests_the_nearest() {
    for (input, first, nearest) in [
        ("strat 68423085 \"Keynote\"", "strat", KEYNOTE),
        ("begin 684-230-85 «Keynote»", "begin", KEYNOTE),
        ("GO 68423085", "GO", "start 68423085"),
        ("live 68423085 Keynote", "live", KEYNOTE),
        ("stp 68423085", "stp", "stop 68423085"),
        ("end 68423085", "end", "stop 68423085"),
        ("chek 68423085", "chek", "check 68423085"),
        ("preflight keynote", "preflight", "check keynote"),
        ("stats", "stats", "status"),
        ("stat", "stat", "status"),
        ("conect", "conect", "connect"),
        ("login", "login", "connect"),
        ("link", "link", "connect"),
        ("logout", "logout", "disconnect"),
        ("unlink", "unlink", "disconnect"),
        ("disc", "disc", "disconnect"),
        ("who", "who", "whoami"),
        ("me", "me", "whoami"),
        ("who am i", "who", "whoami"),
        ("68423085", "68423085", "start 68423085"),
        ("812 3456 7890 “Keynote”", "812", "start 81234567890 \"Keynote\""),
        ("https://zoom.us/j/123456789?pwd=hunter2", "https://zoom.us/j/123456789", "start 123456789"),
        ("/stream start 68423085 \"Keynote\"", "/stream", KEYNOTE),
        ("/stream", "/stream", "help"),
        ("\"start\" 68423085", "start", "start 68423085"),
        ("stopp 68423085", "stopp", "stop 68423085"),
        ("setpu 68423085", "setpu", "setup 68423085"),
        ("rtmp 68423085", "rtmp", "setup 68423085"),
        ("step 68423085", "step", "stop 68423085"),
        ("spot 68423085", "spot", "help"),
        ("(812) 3456-7890", "(812)", "start 81234567890"),
        ("banana", "banana", "help"),
        ("x", "x", "help"),
        ("--layout gallery_view", "--layout", "help"),
    ] {
        refuse(input, Problem::UnknownVerb { word: word(first) }, nearest);
    }
}

#[test]
fn words_are_repeated_only_in_part() {
    let long = "ü".repeat(500);
    let cut = format!("{}…", "ü".repeat(59));
    refuse(&long, Problem::UnknownVerb { word: cut.clone() }, "help");
    refuse(&format!("stop {long}"), not_a_meeting(&cut, NotAMeeting::Word), "stop 68423085");
    refuse(&format!("stop 68423085 {long}"), Problem::Trailing { word: cut }, "stop 68423085");
    let fits = "ü".repeat(60);
    refuse(&fits, Problem::UnknownVerb { word: fits.clone() }, "help");
}

#[test]
fn stream_secrets_are_refused_wherever_they_stand() {
    let keys = [
        "rtmp://a.rtmp.youtube.com/live2",
        "rtmps://live.example.com:443/app/name",
        "RTMPS://LIVE.example.com/app",
        "ｒｔｍｐ://live.example.com",
        "<rtmp://live.example.com/app|our target>",
        "<https://example.com|rtmp://live.example.com>",
        "rt\u{200b}mp:/\u{200d}/live.example.com",
        "rtmp%3A%2F%2Flive.example.com",
        "rtmp : //live.example.com/app",
        "rtmp:/live.example.com/app",
        "rtmp:\\\\live.example.com",
        "rtmp\\://live.example.com",
        "rtmp%3A//live.example.com",
        "rtmp%253A%252F%252Flive.example.com",
        "rtmp&#58;//live.example.com",
        "rtmp&amp;#x3a;//live.example.com",
        "srt://live.example.com:9000",
        "RIST://live.example.com:9000",
        "whip://live.example.com/app",
        "a.rtmp.youtube.com/live2",
        "https://b.rtmps.youtube.com/live2",
        "live.twitch.tv/app",
        "live-api-s.facebook.com:443",
        "sk_us-east-1_AbC",
        "sk_eu-central-1_AbCdEfGhIjKl_MnOpQrStUvWxYz",
        "stream key: abcdefghijklmnopqr",
        "Stream-Key abcdefgh-ijklmnopq",
        "stream key is abcdefghijklmnopqr",
        "abcd-12e4-efgh-5i78",
        "A1B2-C3D4-E5F6-G7H8-I9J0",
        "a1b2_c3d4_e5f6_g7h8",
        "_a1b2-c3d4-e5f6-g7h8_",
        "a1b2-c3d4-e5f6-g7h8-i9j0",
        "a1b2–c3d4–e5f6–g7h8–i9j0",
        "live_123456789_aBcDeFgHiJkLmNoP",
        "FB-1234567890123456-0-AbCdEfGh",
        "a8f5f167f44f4964e6c998dee827110c",
        "AbCdEfGhIj0123456789KlMnOp",
        "re_1234567_a1b2c3d4e5f6a7b8c9d0",
        "550e8400-e29b-41d4-a716-446655440000",
        "https://live.example.com/in?key=hush",
        "streamKey=hush",
        "stream_key=hush",
        "https://live.example.com/live_123456789_aBcDeFgHiJkLmNoP",
    ];
    for key in keys {
        refuse(&format!("start 68423085 {key}"), Problem::StreamSecret, "start 68423085");
        refuse(&format!("start 68423085 \"{key}\""), Problem::StreamSecret, "start 68423085");
        refuse(&format!("start {key}"), Problem::StreamSecret, KEYNOTE);
        refuse(&format!("stop 68423085 'the {key} of us'"), Problem::StreamSecret, "stop 68423085");
        refuse(&format!("whoami {key}"), Problem::StreamSecret, "whoami");
        refuse(key, Problem::StreamSecret, "help");
    }
    let link = "https://a.example/a1b2c3d4e5f6a7b8c9d0";
    refuse(&format!("start 68423085 \"{link}\""), Problem::StreamSecret, "start 68423085");
    refuse(&format!("start {link}"), not_a_meeting("https://a.example/", NotAMeeting::OtherSite), "start 68423085");
}

#[test]
fn ordinary_titles_hold_no_secret() {
    for title in [
        "Q3-2026-all-hands-meeting",
        "live_from_berlin_2026_part_2",
        "Donaudampfschifffahrtsgesellschaft",
        "Rindfleischetikettierungsgesetz2026",
        "2026-07-14T09:00:00Z",
        "B2B-SaaS-meetup-Q4-2026",
        "FB-2026-kickoff",
        "FB-12345-launch",
        "deep-dive-with-john",
        "long-term-care-plan",
        "year-plan-2026-goal",
        "team-call-with-dave",
        "day1-day2-day3-day4",
        "demo-2026-live-show",
        "live_2026_kickoff",
        "OnLive_1_x",
        "?key=value",
        "stream key rotation",
        "stream keys, explained",
        "RTMP: what comes next",
        "my wrist: /dev/null",
        "100% live & on air",
        "desk_us-east-1_x",
        "the key=value talk",
        "rtmp and its successors",
        "open-doors-for-everyone",
        "1234-5678-9012-3456",
        "see https://example.com/2026/q3-review-of-it-all",
        "Łódź2026Kraków2027Warszawa2028",
    ] {
        check(&format!("start 68423085 \"{title}\""), &format!("start 68423085 \"{title}\""));
    }
    for link in [
        "https://zoom.us/j/68423085?pwd=abcd-1234-ef56-gh78",
        "<https://zoom.us/j/68423085?x=1&amp;pwd=a1b2-c3d4-ef56-gh78|Join>",
        "https://zoom.us/w/68423085?tk=live_123456789_aBcDeFgHiJkLmNoP",
        "https://zoom.us/s/68423085?zak=sk_us-east-1_AbC",
        "https://www.google.com/url?q=https%3A%2F%2Fzoom.us%2Fj%2F68423085%3Fpwd%3Da1b2-c3d4-ef56-gh78",
    ] {
        check(&format!("start {link} \"Keynote\""), KEYNOTE);
    }
    let elsewhere = "start https://example.com/j/68423085?pwd=a1b2-c3d4-ef56-gh78";
    refuse(elsewhere, Problem::StreamSecret, "start 68423085 \"Keynote\"");
    check("start 812-3456-7890 \"Keynote\"", "start 81234567890 \"Keynote\"");
    check("stop 1234-5678-9012", "stop 123456789012");
}

#[test]
fn an_address_that_a_password_hid_is_refused() {
    let line = "start 68423085 'rtmp?pwd=hunter2start ://'";
    assert_eq!(parse(line).unwrap_err().problem, Problem::StreamSecret);
}

#[test]
fn a_very_long_line_is_read_and_does_not_seem_to_hang() {
    // Far more than a busy machine needs: this is for what takes minutes.
    const HANGS: std::time::Duration = std::time::Duration::from_secs(60);
    for marks in [6 * 1024, 11 * 1024, 32 * 1024] {
        let nested = "<a://".repeat(11 * 1024) + &">".repeat(marks);
        let started = std::time::Instant::now();
        let _ = parse(&format!("start 68423085 {nested}"));
        assert!(started.elapsed() < HANGS, "{:?}", started.elapsed());
        let plain = scan::plain(&nested);
        assert_eq!(scan::plain(&plain), plain, "nothing is left to take off");
    }
    for piece in [
        "%25", "&#38;", "key ", "sk_", "rtmp : ", "<a://", "'", "'-", "' ", "<", ">", "&amp;", "a;", "<a:", "\"",
        "-- ", "1 ", "rtmp", "pwd=", "a'b' ", "live_1",
    ] {
        let _ = parse(&format!("start 68423085 {}", piece.repeat(64 * 1024 / piece.len())));
    }
}

/// Texts made of the pieces that matter to the grammar.
fn lines() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "start ",
        "stop ",
        "status ",
        "help ",
        "connect ",
        "whoami",
        "save ",
        "forget ",
        "presets",
        "check ",
        "audit ",
        "68423085",
        "68423085x",
        "812 3456 7890",
        " q3-review",
        "keynot ",
        " ",
        "\u{a0}",
        "\u{200b}",
        "\u{200d}",
        "\"",
        "“",
        "”",
        "«",
        "'",
        "’",
        "‘",
        "<",
        ">",
        "|",
        "&amp;",
        "&lt;",
        "&gt;",
        ";",
        "&",
        "amp;",
        "-",
        "--",
        "—",
        "--dry-run",
        "--layout",
        " gallery_view ",
        "=",
        "on",
        "off",
        "--captions",
        "burnt-in",
        "Keynote",
        "don't",
        "a",
        "É",
        "👩",
        "https://zoom.us/j/123456789",
        "?pwd=hunter2",
        "zoom.us/my/ada",
        "<https://example.com|",
        "<@U1|ada>",
        "<!channel>",
        "tk=",
        " 'n ",
        "<http://a|",
        "&gt",
        "' ",
        " \"",
        "x@",
        "%3fpwd=hunter2 ",
        "http://",
        "#",
        "?",
        "2026",
        "\n",
        "\t",
        "０",
        "xxxxxxxxxxxxxxxxxxxx",
        "rtmp",
        "://",
    ]);
    let whole = prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat());
    prop_oneof![
        4 => whole.clone(),
        4 => whole.clone().prop_map(|tail| format!("start 68423085 {tail}")),
        2 => whole.clone().prop_map(|tail| format!("start keynote {tail}")),
        2 => whole.clone().prop_map(|tail| format!("save {tail}")),
        2 => whole.prop_map(|tail| format!("start 68423085 '{tail}'")),
        1 => any::<String>(),
    ]
}

fn commands() -> impl Strategy<Value = String> {
    let title = prop::option::of("[A-Za-zé&<>.,:#@!]{1,7}( [A-Za-zé&<>.,:#@!]{1,7}){0,4}");
    let options = prop::sample::subsequence(
        vec!["--speaker-name off", "--layout gallery_view", "--captions burnt-in", "--dry-run"],
        0..=4,
    );
    ("[1-9][0-9]{7,11}", title, options).prop_map(|(id, title, options)| {
        let title = title.map(|title| format!("\"{title}\""));
        let words = ["start".to_owned(), id].into_iter().chain(title).chain(options.into_iter().map(str::to_owned));
        words.collect::<Vec<_>>().join(" ")
    })
}

fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "rtmps?://[a-z]{6,12}\\.example/[a-z]{6,12}",
        "[a-z][0-9][a-z0-9]{2}(-[a-z0-9]{4}){2,3}-[0-9][a-z][a-z0-9]{2}",
        "live_[0-9]{8,10}_[A-Za-z0-9]{20,30}",
        "FB-[0-9]{15,17}-0-[A-Za-z0-9]{16}",
        "[A-Z][0-9][A-Za-z]{3}[0-9][A-Za-z0-9]{16,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_accepted_prints_and_reads_back(line in lines()) {
        if let Ok(command) = parse(&line) {
            prop_assert_eq!(parse(&command.to_string()), Ok(command));
        }
    }

    #[test]
    fn what_is_suggested_always_parses(line in lines()) {
        if let Err(error) = parse(&line) {
            prop_assert!(parse(&error.nearest).is_ok(), "{:?}", error);
            prop_assert!(error.nearest.chars().count() <= 200);
        }
    }

    #[test]
    fn passwords_of_links_are_never_kept(line in lines()) {
        let kept = format!("{:?}", parse(&line.replace("?pwd=hunter2", "?pwd=hunter2 ")));
        prop_assert!(!kept.contains("hunter2"), "{}", kept);
    }

    #[test]
    fn typed_and_smartened_lines_read_alike(line in commands(), opening in "[“„«‘]", shift in 1..7usize) {
        let command = parse(&line);
        prop_assume!(command.is_ok());
        let closing = if opening == "‘" { "’" } else { "”" };
        let smart = line.replacen('"', &opening, 1).replacen('"', closing, 1).replace(" --", " —").replace(' ', "\u{a0}");
        prop_assert_eq!(&parse(&smart), &command, "{}", smart);

        let id = line.split(' ').nth(1).unwrap();
        for gap in [" ", "-", "–", "\u{a0}", "\u{202f}", " - "] {
            let (head, tail) = id.split_at(shift);
            let spaced = line.replacen(id, &format!("{head}{gap}{tail}"), 1);
            prop_assert_eq!(&parse(&spaced), &command, "{}", spaced);
        }
        let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        prop_assert_eq!(&parse(&escaped), &command, "{}", escaped);
    }

    #[test]
    fn what_looks_ordinary_is_no_secret_by_any_rule(
        secret in secrets(),
        shown in 0..24usize,
        near in "[ -~]{0,30}",
        amazon in "sk_[a-z]{2}-[a-z]{2}-[0-9]_[a-z]{0,3}",
    ) {
        let begun: String = secret.chars().take(shown).collect();
        for line in [format!("{near} {begun}"), format!("stream key {begun} {near}"), near, amazon] {
            let is_secret = guard::is_secret_in_full(&line, &scan::plain(&line));
            prop_assert!(!(guard::is_ordinary(&line) && is_secret), "{}", line);
        }
    }

    #[test]
    fn a_planted_secret_never_comes_out(secret in secrets(), before in lines(), after in lines(), joint in "[ \"'“”<>|]") {
        let line = format!("{before}{joint}{secret}{joint}{after}");
        let result = parse(&line);
        let told = match &result {
            Ok(command) => format!("{command:?} {command}"),
            Err(error) => format!("{error:?} {error}"),
        };
        prop_assert!(!told.contains(&secret), "{} gave {}", line, told);
        let alone = parse(&format!("start 68423085 {joint}{secret}{joint} \"Keynote\""));
        prop_assert_eq!(alone.map_err(|error| error.problem), Err(Problem::StreamSecret));
    }
}

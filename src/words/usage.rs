//! How to use OnAir: help from the table of verbs, and what to make of a text that makes no sense.

use super::Context;
use super::text::{clip, code, list};
use crate::command::{
    AUDIT_COUNT, CAPTIONS_WORDS, LAYOUT_WORDS, MOST_AUDIT_COUNT, NotAMeeting, Problem, SPEAKER_NAME_WORDS, UsageError,
    Verb,
};
use crate::meeting::Title;
use crate::preset::{NotAName, PresetName, Presets};

const NOT_IN_THREADS: &str = "Slack doesn't run commands in threads: type them in the channel itself.";

/// Every verb by an example that works as it stands.
pub(super) fn help(context: &Context) -> Vec<String> {
    let mut lines = vec!["OnAir puts Zoom meetings on air from Slack.".to_owned()];
    lines.extend(Verb::ALL.into_iter().map(|verb| format!("• {}: {}", context.copy(verb.example()), verb.purpose())));
    lines.push(NOT_IN_THREADS.to_owned());
    lines
}

/// One verb in full.
pub(super) fn help_for(verb: Verb, context: &Context) -> Vec<String> {
    let usage = format!("{} {}", verb.word(), verb.arguments());
    let mut lines = vec![format!("{}: {}", context.copy(usage.trim_end()), verb.purpose())];
    lines.extend(details(verb, context));
    if verb.example() != verb.word() {
        lines.push(format!("Example: {}", context.copy(verb.example())));
    }
    lines.push(NOT_IN_THREADS.to_owned());
    lines
}

fn details(verb: Verb, context: &Context) -> Vec<String> {
    let meeting = format!(
        "• {}: its id, 8 to 12 digits, also with spaces or dashes, its Zoom link, or a name you saved",
        code("<meeting>")
    );
    let title = format!("• {}: what the stream is called, 1 to {} characters", code("\"title\""), Title::MAX_CHARS);
    match verb {
        Verb::Start => vec![
            meeting,
            title,
            format!(
                "• {}: show the speaker's name in the picture, or don't",
                code(&format!("--speaker-name {}", SPEAKER_NAME_WORDS.join("|")))
            ),
            format!(
                "• {}: the picture as the host sees it, everybody in a grid, or whoever speaks; not for webinars",
                code(&format!("--layout {}", LAYOUT_WORDS.join("|")))
            ),
            format!(
                "• {}: captions in the picture, as a track of their own, or none",
                code(&format!("--captions {}", CAPTIONS_WORDS.join("|")))
            ),
            format!("• {}: show what Zoom would get, and send nothing", code("--dry-run")),
            "What you leave out is up to Zoom. The meeting must be running.".to_owned(),
        ],
        Verb::Stop => vec![meeting, "The meeting itself goes on.".to_owned()],
        Verb::Status => {
            vec![meeting, "With a meeting it also says what Zoom tells about it. Zoom can't be asked whether a stream is on air, it reports that.".to_owned()]
        }
        Verb::Connect => vec!["You get a link for you alone, and allow OnAir at Zoom.".to_owned()],
        Verb::Disconnect => vec!["If nobody else shares the connection, OnAir's access ends at Zoom too.".to_owned()],
        Verb::Whoami => Vec::new(),
        Verb::Save => vec![
            format!(
                "• {}: 1 to {} letters, digits, `-` or `_`; upper and lower case are the same",
                code("<name>"),
                PresetName::MAX_CHARS
            ),
            meeting,
            title,
            format!("It is for you alone, in this workspace. You can have {} saved names.", Presets::MOST),
            format!("Afterwards: {}", context.copy("start keynote")),
        ],
        Verb::Forget => vec!["Nothing else changes: what is on air stays on air.".to_owned()],
        Verb::Presets => vec!["Nobody else sees or uses them.".to_owned()],
        Verb::Setup => vec![
            meeting,
            "You get a link for you alone. A stream key is typed there, never in Slack, and nobody is shown it afterwards."
                .to_owned(),
        ],
        Verb::Check => {
            vec![meeting, "Only you see the list. Nothing is started, stopped or changed.".to_owned()]
        }
        Verb::Lend => vec![
            meeting,
            format!("• {}: a colleague; without one you choose in a form", code("to <@colleague>")),
            format!(
                "• {} or {}: how long; as long as the rules allow if you don't say",
                code("until 18:00"),
                code("for 2h")
            ),
            format!("• {}: end all lending of this meeting", code("back")),
            "The colleague starts, stops and checks that meeting's stream with your Zoom account, by name in the audit. Its \
             stream key is never lent."
                .to_owned(),
        ],
        Verb::Audit => vec![
            format!("• {}: how many, 1 to {MOST_AUDIT_COUNT}; {AUDIT_COUNT} if you don't say", code("<count>")),
            "Only you see the list. The reference in a line finds its entry with `onair audit`.".to_owned(),
        ],
        Verb::Policy => vec![
            "You get a form: which people may start, stop and set up streams, and in which channels; who reads that an \
             order failed; whether stopping somebody else's stream takes a second person."
                .to_owned(),
            "It is for admins and owners of the workspace and for those they name in it.".to_owned(),
        ],
        Verb::Doctor => vec![
            "You get a list: OnAir's store, keys and queue, its clock, what it may do here, whether Zoom reports to it, \
             this workspace's unconfirmed streams, rules and audit channel."
                .to_owned(),
            "Only you see it. It is for admins and owners of the workspace and for those they name in its rules.".to_owned(),
        ],
        Verb::Help => {
            let verbs: Vec<String> = Verb::ALL.into_iter().map(|verb| code(verb.word())).collect();
            vec![format!("• {}: {}", code("<verb>"), list(&verbs, "or"))]
        }
    }
}

/// Names what made no sense, and shows the nearest form that does.
pub(super) fn error(error: &UsageError, context: &Context) -> Vec<String> {
    let verb = Verb::ALL.into_iter().find(|verb| error.nearest.split(' ').next() == Some(verb.word()));
    let mut lines = problem(&error.problem, verb, context);
    let nearest = context.copy(&error.nearest);
    lines.push(format!("Try: {nearest}"));
    let (more, line) = match (&error.problem, verb) {
        (Problem::UnknownName { .. } | Problem::NotSaved { .. }, _) => {
            ("Your saved names", context.verb(Verb::Presets))
        }
        (Problem::TooManyNames, _) => ("More", context.copy("help forget")),
        (_, Some(verb)) if verb != Verb::Help => ("More", context.copy(&format!("help {}", verb.word()))),
        _ => ("More", context.verb(Verb::Help)),
    };
    if line != nearest {
        lines.push(format!("{more}: {line}"));
    }
    lines
}

fn problem(problem: &Problem, verb: Option<Verb>, context: &Context) -> Vec<String> {
    let line = match problem {
        Problem::UnknownVerb { word } => format!("OnAir doesn't know the command {}.", typed(word)),
        Problem::MissingMeeting { verb } => {
            format!("{} needs a meeting: its id, its Zoom link, or a name you saved.", context.verb(*verb))
        }
        Problem::MissingName { verb: Verb::Save } => {
            format!("{} needs a name first, and then the meeting.", context.verb(Verb::Save))
        }
        Problem::MissingName { verb } => format!("{} needs a name.", context.verb(*verb)),
        Problem::NotAName { word, why } => not_a_name(word, *why),
        Problem::UnknownName { word } => {
            format!("{} is neither a meeting id nor one of your saved names.", typed(word))
        }
        Problem::NotSaved { word } => format!("Nothing is saved under {}.", typed(word)),
        Problem::TooManyNames => {
            format!("Not saved: you have {} saved names, and nobody can have more.", Presets::MOST)
        }
        Problem::NotAMeeting { word, why } => not_a_meeting(word, *why),
        Problem::NotACount { word } => {
            format!("{} is not a number of entries: OnAir shows 1 to {MOST_AUDIT_COUNT}.", typed(word))
        }
        Problem::NotATime { word } => {
            let word = word
                .as_deref()
                .map_or_else(|| "A time is missing".to_owned(), |word| format!("{} is none", typed(word)));
            format!(
                "{word}: write a time of day such as {} or a length such as {}.",
                code("until 18:00"),
                code("for 2h")
            )
        }
        Problem::UnknownOption { word } => format!("{} is not an option here.", typed(word)),
        Problem::OptionValue { option, word, allowed } => {
            let words: Vec<String> = allowed.iter().map(|word| code(word)).collect();
            let words = list(&words, "or");
            match word {
                Some(word) => format!("{} takes {words}, not {}.", code(option), typed(word)),
                None => format!("{} needs a value: {words}.", code(option)),
            }
        }
        Problem::OptionTwice { option } => format!("{} is given twice.", code(option)),
        Problem::EmptyTitle => format!("The title is empty; it takes 1 to {} characters.", Title::MAX_CHARS),
        Problem::TitleTooLong { chars } => {
            format!("The title has {chars} characters; Zoom takes {} at most.", Title::MAX_CHARS)
        }
        Problem::Trailing { word } if matches!(verb, Some(Verb::Start | Verb::Save)) => {
            format!("OnAir doesn't know what to do with {}. A title of several words needs quotes.", typed(word))
        }
        Problem::Trailing { word } => format!("OnAir doesn't know what to do with {}.", typed(word)),
        Problem::StreamSecret => return stream_secret(context),
    };
    vec![line]
}

fn not_a_meeting(word: &str, why: NotAMeeting) -> String {
    let word = typed(word);
    match why {
        NotAMeeting::Digits => format!("{word} is not a meeting id: those have 8 to 12 digits."),
        NotAMeeting::LinkWithoutId => format!("The link {word} has no meeting id in it."),
        NotAMeeting::PersonalLink => {
            format!("{word} is a personal link, which only Zoom can follow. Use the id from the invitation.")
        }
        NotAMeeting::OtherSite => format!("The link {word} doesn't lead to a Zoom meeting."),
        NotAMeeting::Word => {
            format!("{word} is not a meeting: OnAir takes an id of 8 to 12 digits, a Zoom link, or a name you saved.")
        }
    }
}

fn not_a_name(word: &str, why: NotAName) -> String {
    let why = match why {
        NotAName::Empty => "it is empty".to_owned(),
        NotAName::TooLong => format!("names have {} characters at most", PresetName::MAX_CHARS),
        NotAName::OtherCharacter => "names are made of letters, digits, `-` and `_`".to_owned(),
        NotAName::DashFirst => "a dash can't come first".to_owned(),
        NotAName::NoLetter => "it has no letter, so it could be taken for an id".to_owned(),
        NotAName::LikeAnId => "it looks like a meeting id".to_owned(),
        NotAName::Help => "it asks for help".to_owned(),
    };
    format!("{} can't be a name: {why}.", typed(word))
}

fn stream_secret(context: &Context) -> Vec<String> {
    vec![
        "Refused and not stored: that looks like a stream address or a stream key.".to_owned(),
        format!(
            "It has already passed through Slack. Make a new key at your streaming service, and enter it in Zoom, or on \
             the page of {}, only.",
            context.verb(Verb::Setup)
        ),
    ]
}

/// A word as typed, short enough for a sentence.
fn typed(word: &str) -> String {
    code(&clip(word, 80))
}

//! One person's Home: what is so for them, and what they can do about it. For their own eyes.
//!
//! It stands there until it is shown anew, so it says as of when it is, and holds no link that is worth something.

use super::text::{day_and_time, fit, size};
use super::{Button, CONNECT_LABEL, Confirm, Context, Does, Style, account, card, presets, status};
use crate::command::Verb;
use crate::invocation::Press;
use crate::preset::Presets;
use crate::reply::{Account, Home, HomeStream};

/// How many streams are shown; each has a block of its own, of which a Home takes a hundred.
const MOST_STREAMS: usize = 20;

/// How much of the saved names is shown, beside what stands around them.
const MOST_NAMES: usize = 2500;

/// Words, and the button beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Slack's mrkdwn, escaped, short enough for one section.
    pub text: String,
    /// What there is to press about it.
    pub button: Option<Button>,
}

impl Section {
    fn new(lines: &[String], button: Option<Button>) -> Self {
        Self { text: fit(lines), button }
    }
}

/// Puts somebody's Home into words.
pub fn home(home: &Home, context: &Context) -> Vec<Section> {
    let mut sections = vec![of_account(home, context)];
    sections.extend(streams(home, context));
    sections.push(Section::new(&names(&home.presets, context), None));
    sections.push(Section::new(&[format!("All that OnAir does: {}", context.verb(Verb::Help))], None));
    let refresh = Button::plain("Refresh", Does::Refresh {});
    sections.push(Section::new(&[format!("As of {}.", day_and_time(context.now))], Some(refresh)));
    sections
}

fn of_account(home: &Home, context: &Context) -> Section {
    let how = if home.speaks {
        format!("Press *{CONNECT_LABEL}*: OnAir sends you the link by direct message.")
    } else {
        format!("Connect it: {}", context.verb(Verb::Connect))
    };
    let (lines, button) = match &home.account {
        Account::None => (
            vec![
                "You have no Zoom account connected.".to_owned(),
                "OnAir starts and stops streams as you, so it needs your own Zoom account, for your own meetings."
                    .to_owned(),
                how,
            ],
            connect(context),
        ),
        Account::Ended => {
            (vec!["Zoom has ended your connection, so OnAir can do nothing as you.".to_owned(), how], connect(context))
        }
        Account::Connected { user, shared_with, lacks_scope } => {
            let lines = account::whoami(user, *shared_with, *lacks_scope, context);
            (lines, if *lacks_scope { connect(context) } else { disconnect(context) })
        }
    };
    let lines = [vec!["*Your Zoom account*".to_owned()], lines].concat();
    Section::new(&lines, Some(button).filter(|_| home.speaks))
}

fn connect(context: &Context) -> Button {
    Button { style: Some(Style::Primary), ..press(CONNECT_LABEL, Verb::Connect, context) }
}

fn disconnect(context: &Context) -> Button {
    let confirm = Confirm {
        title: "Disconnect from Zoom?".to_owned(),
        text: "OnAir can't start or stop streams for you then. What is on air stays on air.".to_owned(),
        confirm: "Disconnect".to_owned(),
        deny: "Stay connected".to_owned(),
    };
    let button = press("Disconnect", Verb::Disconnect, context);
    Button { style: Some(Style::Danger), confirm: Some(confirm), ..button }
}

fn press(label: &str, verb: Verb, context: &Context) -> Button {
    Button::press(label, Press::Command { text: verb.word().to_owned() }, context)
}

fn streams(home: &Home, context: &Context) -> Vec<Section> {
    let mut head = vec!["*Streams*".to_owned()];
    if home.streams.is_empty() {
        head.extend(status::workspace(&[], context));
        return vec![Section::new(&head, None)];
    }
    let what = "What OnAir did in this workspace lately, newest first. “Live” is what Zoom reported.";
    head.push(what.to_owned());
    let mut sections = vec![Section::new(&head, None)];
    sections.extend(home.streams.iter().take(MOST_STREAMS).map(|stream| of_stream(stream, home, context)));
    if let Some(more) = home.streams.len().checked_sub(MOST_STREAMS).filter(|more| *more > 0) {
        sections.push(Section::new(&[format!("And {more} more: {}", context.verb(Verb::Status))], None));
    }
    sections
}

fn of_stream(stream: &HomeStream, home: &Home, context: &Context) -> Section {
    let lines: Vec<String> =
        status::known_lines(&stream.known, context).into_iter().map(|line| format!("• {line}")).collect();
    let known = stream.known.stream.as_ref().filter(|_| stream.may_stop && home.speaks);
    Section::new(&lines, known.and_then(|known| card::stop_button(known, context)))
}

fn names(saved: &Presets, context: &Context) -> Vec<String> {
    let mut lines = vec!["*Your saved names*".to_owned()];
    if saved.all().is_empty() {
        lines.extend(presets::list(saved, context));
        return lines;
    }
    lines.push("To start one, copy its line into a channel.".to_owned());
    let mut left = MOST_NAMES;
    for (index, preset) in saved.all().iter().enumerate() {
        let line = format!("• {}: {}", presets::start(preset, context), presets::what(preset));
        let Some(rest) = left.checked_sub(size(&line) + 1) else {
            let more = saved.all().len() - index;
            lines.push(format!("And {more} more: {}", context.verb(Verb::Presets)));
            break;
        };
        left = rest;
        lines.push(line);
    }
    lines
}

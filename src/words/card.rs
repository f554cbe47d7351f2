//! The one message that shows a stream, whatever becomes of it.
//!
//! It says "live" only where Zoom has reported that, and who did what wherever that is known.

use jiff::Timestamp;

use super::account::filled;
use super::phrase::asker;
use super::text::{MAX_CONFIRM, clip, code, day_and_time, escape, plain, size, time, time_to_come};
use super::{Button, Confirm, Context, Does, Message, Style, outcome};
use crate::command::{Command, Run, Start};
use crate::grant::ZoomUser;
use crate::id::Person;
use crate::invocation::Press;
use crate::outcome::{Action, Outcome, Throttle};
use crate::reply::{Audience, Show};
use crate::stream::{Asked, Confirms, End, Looked, NextTry, Operator, Place, State, Stream};

/// Puts a stream into words.
pub fn card(stream: &Stream, context: &Context) -> Message {
    let card = Card { stream, context };
    if let State::Failed { told } = &stream.state {
        return Message { replaces: false, ..(**told).clone() };
    }
    let text = super::text::fit(&card.lines());
    Message { audience: Audience::Channel, text, buttons: card.buttons(), replaces: false }
}

/// What the one who asked for a stream is told in private where somebody or something else ended it.
pub fn notice(stream: &Stream, context: &Context) -> Option<Message> {
    let card = Card { stream, context };
    let first = match &stream.state {
        State::Ended { how: End::Stopped { by }, .. } | State::Stopping { by, .. } => {
            format!("{} stopped the stream of {} that you asked for.", card.who(by), card.what())
        }
        State::Ended { at, how } => {
            format!(
                "The stream of {} that you asked for went off air at {}: {}.",
                card.what(),
                time(*at),
                card.end(how)
            )
        }
        _ => return None,
    };
    let lines = [first, format!("To put it on air again: {}", card.again())];
    let text = super::text::fit(&lines);
    Some(Message { audience: Audience::Person, text, buttons: Vec::new(), replaces: false })
}

/// What to do next about a stream, for an answer to one person.
pub(super) fn next(stream: &Stream, context: &Context) -> String {
    let card = Card { stream, context };
    let stop = context.copy(&card.stop().to_string());
    match &stream.state {
        State::Throttled(_) => format!("To give it up: {stop}"),
        State::Accepted { .. } | State::Live { .. } => format!("To take it off air: {stop}"),
        State::Unconfirmed { .. } | State::Unknown { .. } => {
            format!("Look at the stream first. Nothing on air? Repeat: {}", card.again())
        }
        State::Stopping { .. } => format!("Still on air in a minute? {stop}"),
        State::Ended { .. } => format!("To put it on air again: {}", card.again()),
        State::Failed { .. } => format!("To put it on air: {}", card.again()),
    }
}

/// The button that takes a stream off air, where there may be something to take.
pub(super) fn stop_button(stream: &Stream, context: &Context) -> Option<Button> {
    let card = Card { stream, context };
    match &stream.state {
        State::Accepted { .. } | State::Live { .. } | State::Unconfirmed { .. } | State::Unknown { .. } => {
            Some(card.stop_button())
        }
        State::Throttled(_) | State::Stopping { .. } | State::Ended { .. } | State::Failed { .. } => None,
    }
}

/// What is so, in half a line.
pub(super) fn short(stream: &Stream, context: &Context) -> String {
    let card = Card { stream, context };
    let state = match &stream.state {
        State::Throttled(next) => format!("not started yet, OnAir tries again at {}", time_to_come(next.at)),
        State::Accepted { at } => format!("Zoom took the start, {}", day_and_time(*at)),
        State::Unconfirmed { at } => format!("Zoom took the start and has not confirmed it, {}", day_and_time(*at)),
        State::Unknown { at } => {
            format!("a start was sent, and Zoom gave no clear answer: it may be on air, {}", day_and_time(*at))
        }
        State::Live { since, by: None } => format!("live since {}", day_and_time(*since)),
        State::Live { since, by: Some(by) } => {
            format!("live since {}, started in Zoom by {}", day_and_time(*since), operator(by))
        }
        State::Stopping { at, by } => {
            format!("being taken off air, as {} asked, {}", card.who(by), day_and_time(*at))
        }
        State::Ended { at, how } => format!("off air, {}, {}", card.end(how), day_and_time(*at)),
        State::Failed { .. } => "not started".to_owned(),
    };
    let asked = stream.asked.as_ref().map(|asked| format!("; asked for by {}", asked_by(asked)));
    format!("{}: {state}{}", card.what(), asked.unwrap_or_default())
}

struct Card<'a> {
    stream: &'a Stream,
    context: &'a Context<'a>,
}

impl Card<'_> {
    fn lines(&self) -> Vec<String> {
        let mut lines = self.of_state();
        if let Some(looked) = self.stream.looked {
            let last = lines.len().saturating_sub(1);
            lines.insert(last, self.looked(looked));
        }
        lines
    }

    fn looked(&self, looked: Looked) -> String {
        let is = if looked.is_running { "is in progress" } else { "is not in progress" };
        format!("Zoom said at {} that the meeting {is}.", time(looked.at))
    }

    fn of_state(&self) -> Vec<String> {
        match &self.stream.state {
            State::Throttled(next) => {
                let limit = Throttle::PreviousStart { retry_at: next.told };
                self.shown(Outcome::Throttled(limit), Some(next.clone()))
            }
            State::Accepted { .. } => self.shown(Outcome::Accepted, None),
            State::Unknown { .. } => self.shown(Outcome::Unknown, None),
            State::Unconfirmed { at } => self.unconfirmed(*at),
            State::Live { since, by } => self.live(*since, by.as_ref()),
            State::Stopping { by, .. } => vec![
                format!("{} is being taken off air, as {} asked.", self.what(), self.who(by)),
                "Zoom took the stop; OnAir says here when it is done.".to_owned(),
            ],
            State::Ended { at, how } => self.ended(*at, how),
            State::Failed { told } => vec![told.text.clone()],
        }
    }

    /// What the answer to the command said, in the same words.
    fn shown(&self, outcome: Outcome, retry: Option<NextTry>) -> Vec<String> {
        let Some(asked) = &self.stream.asked else { return vec![self.what()] };
        outcome::show(&self.show(asked, outcome, retry), self.context)
    }

    fn show(&self, asked: &Asked, outcome: Outcome, retry: Option<NextTry>) -> Show {
        Show {
            asked_by: asked.person.user.clone(),
            on_behalf_of: asked.on_behalf_of.clone(),
            action: Action::Start,
            meeting: self.stream.meeting,
            settings: asked.settings.clone(),
            outcome,
            confirms: self.stream.confirms,
            retry,
            account: ZoomUser::untold(),
        }
    }

    /// The same with as much of the title as goes into a dialog beside the rest.
    fn short_what(&self, rest: &str) -> String {
        let meeting = code(&self.stream.meeting.to_string());
        let left = MAX_CONFIRM.saturating_sub(size(rest) + size(&meeting) + "“…” ()".chars().count());
        let title = self.stream.asked.as_ref().and_then(|asked| asked.settings.title.as_ref());
        let title = title.map(|title| plain(&clip(title.as_str(), left)));
        title.filter(|_| left > 0).map_or_else(|| meeting.clone(), |title| format!("“{title}” ({meeting})"))
    }

    /// The meeting, with its title where it has one.
    fn what(&self) -> String {
        let meeting = code(&self.stream.meeting.to_string());
        let title = self.stream.asked.as_ref().and_then(|asked| asked.settings.title.as_ref());
        title.map_or_else(|| meeting.clone(), |title| format!("“{}” ({meeting})", plain(title.as_str())))
    }

    /// A person, by name for colleagues alone: elsewhere the same id may be somebody else's.
    fn who(&self, person: &Person) -> String {
        let posted = self.stream.card.as_ref().and_then(|card| match &card.place {
            Place::Posted { person, .. } => Some(person),
            Place::Answered { .. } => None,
        });
        let reader = self.stream.asked.as_ref().map(|asked| &asked.person).or(posted);
        match reader {
            Some(reader) if reader.is_colleague_of(person) => format!("<@{}>", escape(person.user.as_str())),
            Some(_) => "somebody in another workspace".to_owned(),
            None => "somebody".to_owned(),
        }
    }

    /// How it came that a stream is off air.
    fn end(&self, how: &End) -> String {
        match how {
            End::Stopped { by } => format!("stopped by {}", self.who(by)),
            End::InZoom { by } => format!("stopped in Zoom by {}", operator(by)),
            End::Dropped => "it ended by itself, outside OnAir".to_owned(),
            End::MeetingEnded => "the meeting has ended".to_owned(),
            End::FoundOver => "its meeting is over".to_owned(),
            End::AskedAnew { by } => format!("asked for anew by {}", self.who(by)),
        }
    }

    fn asked_for(&self) -> String {
        match &self.stream.asked {
            Some(asked) => format!("Asked for by {}.", asked_by(asked)),
            None => "Nobody asked OnAir for it.".to_owned(),
        }
    }

    fn unconfirmed(&self, at: Timestamp) -> Vec<String> {
        vec![
            format!(
                "{} is not confirmed: Zoom took the start at {}, and has not reported since that it is on air. {}",
                self.what(),
                time(at),
                self.asked_for()
            ),
            "Most often one of these:".to_owned(),
            "• the stream's address or key in Zoom is wrong, or the streaming service can't be reached".to_owned(),
            "• the streaming service waits for a start button of its own".to_owned(),
            "• Zoom's report is late: look at the stream".to_owned(),
            format!("Nothing on air? Mend it, then repeat: {}", self.again()),
        ]
    }

    fn live(&self, since: Timestamp, by: Option<&Operator>) -> Vec<String> {
        let by = by.map_or_else(|| self.asked_for(), |by| format!("Started in Zoom by {}.", operator(by)));
        vec![
            format!("{} is live since {}. {by}", self.what(), day_and_time(since)),
            format!("To take it off air: {}", self.context.copy(&self.stop().to_string())),
        ]
    }

    /// Nobody reported when it ended, only that it had.
    fn found_over(&self, at: Timestamp) -> String {
        let live = self.stream.live_since.map(|since| format!("was live since {}, and ", day_and_time(since)));
        let (what, live, asked) = (self.what(), live.unwrap_or_default(), self.asked_for());
        format!("{what} {live}is off air: Zoom said at {} that its meeting is over. {asked}", time(at))
    }

    fn ended(&self, at: Timestamp, cause: &End) -> Vec<String> {
        let again = match cause {
            End::Dropped => {
                format!("Not meant to? Look at the streaming service, then start it again: {}", self.again())
            }
            _ => format!("To put it on air again: {}", self.again()),
        };
        let first = match cause {
            End::AskedAnew { .. } => {
                return vec![format!(
                    "{}: {}. A newer message shows what becomes of it.",
                    self.what(),
                    self.end(cause)
                )];
            }
            End::FoundOver => self.found_over(at),
            _ => format!("{} {}: {}. {}", self.what(), self.was(at, cause), self.end(cause), self.asked_for()),
        };
        vec![first, again]
    }

    /// What a stream was that is over, as far as that is known.
    fn was(&self, at: Timestamp, how: &End) -> String {
        match (self.stream.live_since, how, self.stream.confirms) {
            (Some(since), _, _) => {
                format!("was live from {} to {}, {}", day_and_time(since), time(at), length(since, at))
            }
            // Zoom reports the end of nothing that was not on air.
            (None, End::Dropped | End::InZoom { .. }, _) => format!("went off air at {}", time(at)),
            (None, _, _) if !self.stream.may_have_started => "did not go live".to_owned(),
            (None, _, Confirms::Yes) => "did not go live, as far as Zoom says".to_owned(),
            (None, _, Confirms::No) => "is over".to_owned(),
        }
    }

    fn buttons(&self) -> Vec<Button> {
        let mut buttons = Vec::new();
        match &self.stream.state {
            State::Throttled(next) => buttons.push(Button::cancel(self.stream.meeting, next, self.context)),
            State::Accepted { .. } | State::Live { .. } => buttons.push(self.stop_button()),
            State::Unconfirmed { .. } | State::Unknown { .. } => {
                buttons.push(self.press("Start again", &self.start()));
                buttons.push(self.press("Check", &Command::Check { meeting: self.stream.meeting }));
                buttons.push(self.stop_button());
            }
            State::Ended { how: End::AskedAnew { .. }, .. } => {}
            State::Ended { .. } => buttons.push(self.press("Start again", &self.start())),
            State::Stopping { .. } | State::Failed { .. } => {}
        }
        if let (State::Live { .. }, Some(url)) = (&self.stream.state, &self.stream.page_url) {
            buttons.push(Button::plain("Watch", Does::Open(crate::secret::Secret::new(url.clone()))));
        }
        if self.may_be_told_more() {
            buttons.push(self.press("Refresh", &Command::Status { meeting: Some(self.stream.meeting) }));
        }
        buttons
    }

    /// Whether asking Zoom may tell what its reports do not.
    fn may_be_told_more(&self) -> bool {
        match &self.stream.state {
            State::Accepted { .. } => self.stream.confirms == Confirms::No,
            State::Unconfirmed { .. } | State::Unknown { .. } | State::Live { .. } => true,
            State::Throttled(_) | State::Stopping { .. } | State::Ended { .. } | State::Failed { .. } => false,
        }
    }

    /// A stop takes something from everybody who watches, so it asks once.
    fn stop_button(&self) -> Button {
        let started = match (&self.stream.state, &self.stream.asked) {
            (State::Live { by: Some(by), .. }, _) if size(&operator(by)) <= MAX_CONFIRM / 3 => {
                format!("It was started in Zoom by {}.", operator(by))
            }
            (State::Live { by: Some(_), .. }, _) => "It was started in Zoom.".to_owned(),
            (_, Some(asked)) => format!("{} started it.", self.who(&asked.person)),
            (_, None) => "It was started in Zoom.".to_owned(),
        };
        // The time when it began, for the dialog may open hours after this is written.
        let since = match &self.stream.state {
            State::Live { since, .. } => format!(" It is live since {}.", day_and_time(*since)),
            _ => String::new(),
        };
        let rest = format!(" stops for everybody who watches.{since} {started}");
        let what = if size(&self.what()) + size(&rest) <= MAX_CONFIRM { self.what() } else { self.short_what(&rest) };
        let confirm = Confirm {
            title: "Take it off air?".to_owned(),
            text: format!("{what}{rest}"),
            confirm: "Stop the stream".to_owned(),
            deny: "Leave it on".to_owned(),
        };
        let button = self.press("Stop", &self.stop());
        Button { style: Some(Style::Danger), confirm: Some(confirm), ..button }
    }

    fn press(&self, label: &str, command: &Command) -> Button {
        Button::press(label, Press::Command { text: command.to_string() }, self.context)
    }

    fn start(&self) -> Command {
        let settings = self.stream.asked.as_ref().map(|asked| asked.settings.clone()).unwrap_or_default();
        Command::Start(Start { meeting: self.stream.meeting, settings, run: Run::Real })
    }

    fn stop(&self) -> Command {
        Command::Stop { meeting: self.stream.meeting }
    }

    fn again(&self) -> String {
        self.context.copy(&self.start().to_string())
    }
}

fn asked_by(asked: &Asked) -> String {
    asker(&asked.person.user, asked.on_behalf_of.as_ref())
}

/// Who did something in Zoom, as far as people can tell.
fn operator(by: &Operator) -> String {
    filled(by.email.as_deref()).map_or_else(|| "somebody".to_owned(), code)
}

/// A length of time as people say it.
fn length(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

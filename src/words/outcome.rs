//! What became of an order to Zoom, one function per row of the table in the README.

use super::account::{missing_scope, shown};
use super::fields::{MOST_FIELDS, mended, rule, told};
use super::phrase::Words;
use super::text::{code, day_to_come, seconds_until, time_to_come};
use super::{CANCEL_LABEL, Context};
use crate::command::Verb;
use crate::journal::Retry;
use crate::meeting::Settings;
use crate::outcome::{Action, FieldError, Invalid, NotAllowed, Outcome, Throttle};
use crate::reply::{Audience, Show};
use crate::stream::Confirms;

/// What happened to the show is for the channel; what one person has to mend is for that person.
pub(super) fn audience(outcome: &Outcome) -> Audience {
    match outcome {
        Outcome::Accepted
        | Outcome::Stopped
        | Outcome::NotStarted
        | Outcome::Webinar
        | Outcome::NotFound
        | Outcome::NotAllowed(_)
        | Outcome::Throttled(_)
        | Outcome::Unknown
        | Outcome::Unavailable
        | Outcome::RenewalLost
        | Outcome::Refused { .. } => Audience::Channel,
        Outcome::Invalid(_)
        | Outcome::OtherAccount
        | Outcome::UserMissing
        | Outcome::Scope { .. }
        | Outcome::Reconnect => Audience::Person,
    }
}

pub(super) fn show(show: &Show, context: &Context) -> Vec<String> {
    let words = Words { show, context };
    match &show.outcome {
        Outcome::Accepted => words.accepted(),
        Outcome::Stopped => words.stopped(),
        Outcome::NotStarted => words.not_started(),
        Outcome::Webinar => words.webinar(),
        Outcome::Invalid(Invalid::MeetingId) => words.invalid_id(),
        Outcome::Invalid(Invalid::Fields(fields)) => words.invalid_fields(fields),
        Outcome::Invalid(Invalid::LayoutOfWebinar) => words.layout_of_webinar(),
        Outcome::OtherAccount => words.other_account(),
        Outcome::UserMissing => words.user_missing(),
        Outcome::NotFound => words.not_found(),
        Outcome::NotAllowed(what) => words.not_allowed(*what),
        Outcome::Scope { missing } => words.scope(missing),
        Outcome::Reconnect => words.reconnect(),
        Outcome::Throttled(throttle) => words.throttled(throttle),
        Outcome::Unknown => words.unknown(),
        Outcome::Unavailable => words.unavailable(),
        Outcome::RenewalLost => words.renewal_lost(),
        Outcome::Refused { status, code, message } => words.refused(*status, *code, message),
    }
}

/// Why a stream is not allowed, and what to switch on, where.
pub(super) fn forbidden(what: NotAllowed) -> (&'static str, String) {
    match what {
        NotAllowed::Licence => (
            "its host's Zoom license doesn't cover it.",
            "A Zoom admin gives the host a Pro license or higher: Zoom web portal → User Management → Users.".to_owned(),
        ),
        NotAllowed::Setting => (
            "Zoom doesn't let its host stream.",
            "Zoom web portal → Settings → Meeting → In Meeting (Advanced): switch on \"Allow livestreaming of meetings\" \
             and tick \"Custom Live Streaming Service\".\n\
             Grayed out? A Zoom admin has locked it. Not there? It takes a Pro license or higher."
                .to_owned(),
        ),
        NotAllowed::Encryption => (
            "the meeting is end-to-end encrypted, and Zoom can't stream those.",
            "End the meeting, switch its encryption from end-to-end to enhanced in the Zoom web portal → Meetings, and \
             start it again."
                .to_owned(),
        ),
        NotAllowed::WebinarPlan => (
            "its host has no webinar plan.",
            "A Zoom admin gives the host one: Zoom web portal → User Management → Users.".to_owned(),
        ),
        NotAllowed::WebinarService => (
            "this webinar has no streaming service set up.",
            format!(
                "Zoom web portal → Webinars → this webinar → Live Streaming: set up the custom streaming service.\n\
                 Not there? {WEBINAR_SETTING}"
            ),
        ),
    }
}

/// Where webinars are allowed to be streamed at all.
pub(super) const WEBINAR_SETTING: &str =
    "Settings → Webinar: switch on \"Allow livestreaming of webinars\"; a Zoom admin may have locked it.";

impl Words<'_> {
    fn accepted(&self) -> Vec<String> {
        let mut lines = vec![format!("Zoom accepted the start of {}, asked for by {}.", self.what(), self.asker())];
        match self.show.confirms {
            Confirms::Yes => lines.push("OnAir says here when Zoom reports that it is on air.".to_owned()),
            Confirms::No => lines.extend([
                "OnAir can't confirm yet that it is on air; it usually is within a minute.".to_owned(),
                "No picture by then? Check the stream's address and key in Zoom, and whether the streaming service waits \
                 for a start button of its own."
                    .to_owned(),
            ]),
        }
        lines.push(format!("To take it off air: {}", self.context.copy(&self.stop().to_string())));
        lines
    }

    fn stopped(&self) -> Vec<String> {
        vec![
            format!("The stream of {} was stopped by {}.", self.what(), self.asker()),
            format!("To put it on air again: {}", self.context.copy(&self.start(&self.show.settings).to_string())),
        ]
    }

    fn not_started(&self) -> Vec<String> {
        match self.show.action {
            Action::Start => vec![
                self.public_failure("the meeting or webinar isn't running."),
                format!("Start it in Zoom, then repeat: {}", self.again()),
            ],
            Action::Stop => vec![
                format!("Nothing to stop: {} isn't running. {}", self.what(), self.asked_for()),
                format!("What OnAir did with it lately: {}", self.context.copy(&self.status().to_string())),
            ],
        }
    }

    fn webinar(&self) -> Vec<String> {
        let connect = self.context.verb(Verb::Connect);
        let next = match self.show.action {
            Action::Start => format!(
                "The webinar's host connects with {connect}, starts it for its audience (a practice session isn't \
                 enough), then repeats: {}",
                self.again()
            ),
            Action::Stop => format!("The webinar's host connects with {connect}, then repeats: {}", self.again()),
        };
        vec![
            self.public_failure("this id is a webinar, and Zoom doesn't let the connected account stream it."),
            self.connected_as(),
            next,
        ]
    }

    fn invalid_id(&self) -> Vec<String> {
        let example = match self.show.action {
            Action::Start => Verb::Start.example(),
            Action::Stop => Verb::Stop.example(),
        };
        vec![
            format!("{}: Zoom doesn't take {} as a meeting id.", self.nothing(), self.meeting()),
            format!(
                "Compare it with the id in Zoom's invitation and try again, for example: {}",
                self.context.copy(example)
            ),
        ]
    }

    fn invalid_fields(&self, fields: &[FieldError]) -> Vec<String> {
        let mended = match self.show.action {
            Action::Start => mended(&self.show.settings, fields),
            // A stop has no settings, whatever Zoom calls them.
            Action::Stop => None,
        };
        let Some(mended) = mended else {
            return self.invalid_order(fields);
        };
        let mut lines = vec![format!("{}: Zoom did not accept the settings for {}.", self.nothing(), self.what())];
        lines.extend(fields.iter().take(MOST_FIELDS).map(|error| format!("• {}", rule(error))));
        let next = self.context.copy(&self.start(&mended).to_string());
        lines.push(match fields {
            [] => format!("It doesn't say which of them. Try without any: {next}"),
            [..] => format!("This should pass: {next}"),
        });
        lines
    }

    /// Where nothing can be left out, nobody can say what would pass.
    fn invalid_order(&self, fields: &[FieldError]) -> Vec<String> {
        let mut lines = vec![format!("{}: Zoom did not accept the order for {}.", self.nothing(), self.meeting())];
        match fields {
            [] => lines.push(format!("Zoom says no more than this: {}", code("Validation Failed."))),
            [..] => lines.extend(fields.iter().take(MOST_FIELDS).map(|error| format!("• {}", told(error)))),
        }
        lines.extend(self.by_hand());
        lines.push(format!("Look at the meeting in Zoom, then repeat: {}", self.again()));
        lines.push(format!("The same again? {}", self.context.tell_an_admin()));
        lines
    }

    fn layout_of_webinar(&self) -> Vec<String> {
        let plain = Settings { layout: None, ..self.show.settings.clone() };
        vec![
            format!("{}: {} is a webinar, and Zoom lays those out itself.", self.nothing(), self.what()),
            format!("Repeat without `--layout`: {}", self.context.copy(&self.start(&plain).to_string())),
        ]
    }

    fn other_account(&self) -> Vec<String> {
        vec![
            format!("{}: the host of {} isn't in the Zoom account you connected.", self.nothing(), self.what()),
            format!("You are connected as {}.", shown(&self.show.account)),
            self.connect_and_repeat("Connect as somebody of the host's account"),
        ]
    }

    fn user_missing(&self) -> Vec<String> {
        let account = shown(&self.show.account);
        vec![
            format!("{}: the Zoom user you connected, {account}, no longer exists.", self.nothing()),
            self.connect_and_repeat("Connect as one that does"),
        ]
    }

    fn not_found(&self) -> Vec<String> {
        vec![
            self.public_failure("Zoom has no such meeting for the connected account."),
            self.connected_as(),
            format!(
                "Check the id. If it is right, whoever hosts the meeting connects with {}, then repeats: {}",
                self.context.verb(Verb::Connect),
                self.again()
            ),
        ]
    }

    fn not_allowed(&self, what: NotAllowed) -> Vec<String> {
        let (why, cure) = forbidden(what);
        let mut lines = vec![self.public_failure(why), cure];
        lines.extend(self.by_hand());
        lines.push(format!("Then repeat: {}", self.again()));
        lines
    }

    fn scope(&self, missing: &[String]) -> Vec<String> {
        let mut lines = missing_scope(&self.nothing(), missing);
        lines.push(self.connect_and_repeat("Connect again and allow everything Zoom asks"));
        lines
    }

    fn reconnect(&self) -> Vec<String> {
        vec![format!("{}: Zoom has ended your connection.", self.nothing()), self.connect_and_repeat("Connect again")]
    }

    fn throttled(&self, throttle: &Throttle) -> Vec<String> {
        match *throttle {
            Throttle::PreviousStart { retry_at } => {
                let wait = seconds_until(retry_at, self.context.now);
                let mut lines = vec![format!(
                    "The stream of {} was not {} again: wait {wait}s, the previous start may still be taking effect. {}",
                    self.what(),
                    self.done(),
                    self.asked_for()
                )];
                lines.extend(self.next_try().unwrap_or_else(|| {
                    vec![format!(
                        "Look at the stream. Nothing on air by {}? Repeat: {}",
                        time_to_come(retry_at),
                        self.again()
                    )]
                }));
                lines
            }
            Throttle::PerSecond { retry_at } => {
                let wait = seconds_until(retry_at, self.context.now);
                let why = format!("Zoom gets too many requests from your company's apps, wait {wait}s.");
                let mut lines = vec![self.public_failure(&why)];
                lines.extend(self.next_try().unwrap_or_else(|| vec![format!("Repeat then: {}", self.again())]));
                lines
            }
            Throttle::Daily { retry_at } => {
                let mut lines = vec![
                    self.public_failure("your company's Zoom account has used up its requests for today."),
                    "All apps of the account share them, and OnAir doesn't try again by itself.".to_owned(),
                ];
                lines.extend(self.by_hand());
                lines.push(format!("Zoom opens again {}. Repeat then: {}", day_to_come(retry_at), self.again()));
                lines
            }
        }
    }

    /// What happens by itself, and how to prevent it.
    fn next_try(&self) -> Option<Vec<String>> {
        let next = self.show.retry.as_ref()?;
        let when =
            format!("OnAir tries again by itself at {} ({} of {}).", time_to_come(next.at), next.number, Retry::MOST);
        let give_up = match self.show.action {
            Action::Start => {
                format!("To give it up, press *{CANCEL_LABEL}* or: {}", self.context.copy(&self.stop().to_string()))
            }
            Action::Stop => format!("To give it up, press *{CANCEL_LABEL}*."),
        };
        let mut lines = vec![when];
        lines.extend(self.by_hand());
        lines.push(give_up);
        Some(lines)
    }

    fn unknown(&self) -> Vec<String> {
        let (state, advice, repeat) = match self.show.action {
            Action::Start => (
                "may be on air",
                "Look at the stream first: OnAir never repeats a start by itself.",
                "Nothing on air after a minute? Repeat",
            ),
            Action::Stop => (
                "may still be on air",
                "Look at the stream first: OnAir never repeats a stop by itself.",
                "Still on air after a minute? Repeat",
            ),
        };
        vec![
            format!("{} {state}: the order was sent, and Zoom gave no clear answer. {}", self.what(), self.asked_for()),
            advice.to_owned(),
            format!("{repeat}: {}", self.again()),
            format!("Can't tell? {}", self.context.tell_an_admin()),
        ]
    }

    fn unavailable(&self) -> Vec<String> {
        let (what, done) = (self.what(), self.done());
        let mut lines =
            vec![format!("Zoom is down or can't be reached: nothing was {done} for {what}. {}", self.asked_for())];
        lines.extend(self.by_hand());
        lines.push(format!("Repeat in a few minutes: {}", self.again()));
        lines.push(format!("Still down? {}", self.context.tell_an_admin()));
        lines
    }

    fn renewal_lost(&self) -> Vec<String> {
        let (what, done) = (self.what(), self.done());
        let mut lines = vec![format!(
            "Nothing was {done} for {what}: Zoom did not answer while OnAir renewed its access. {}",
            self.asked_for()
        )];
        lines.extend(self.by_hand());
        lines.push(
            "Zoom's answer is lost, and the access with it if Zoom had renewed it; the next try will tell.".to_owned(),
        );
        lines.push(format!("Repeat, and connect again if you are asked to: {}", self.again()));
        lines
    }

    fn refused(&self, status: u16, number: Option<i64>, message: &str) -> Vec<String> {
        let number = number.map_or_else(|| format!("status {status}"), |number| format!("code {number}"));
        let said = match message.trim() {
            "" => format!("Zoom gave no reason, only {number}."),
            message => format!("Zoom says, with {number}: {}", code(message)),
        };
        let mut lines = vec![self.public_failure("Zoom refused it."), said];
        lines.extend(self.by_hand());
        lines.push(format!("Look at the meeting in Zoom, then repeat: {}", self.again()));
        lines.push(format!("Refused again? {}", self.context.tell_an_admin()));
        lines
    }
}

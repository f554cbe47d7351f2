//! Control of a meeting, lent to a colleague and taken back.

use super::modal::{Modal, ModalField, Takes};
use super::policy::{option, user, whom_to_ask};
use super::text::{code, day_to_come, list};
use super::{BACK_LABEL, Context, Message};
use crate::command::{Command, Run, Start, Verb};
use crate::id::UserId;
use crate::lend::{Lend, Lending, Term};
use crate::meeting::{MeetingId, Settings};
use crate::outcome::Action;
use crate::policy::MayLend;
use crate::reply::{Audience, ConnectWhy, Lent, NotLent};

pub(super) fn lent(lent: &Lent, context: &Context) -> Vec<String> {
    let Lent { lending, is_shortened, is_utc } = lent;
    let (lender, colleague) = (user(&lending.lender), user(&lending.colleague));
    let mut lines = vec![format!(
        "{lender} lends control of {} to {colleague} until {}.",
        shown(lending.meeting),
        day_to_come(lending.until)
    )];
    if *is_shortened {
        lines.push("The rules of this workspace allow no longer.".to_owned());
    } else if *is_utc {
        lines.push("OnAir can't tell your time zone here, so it took that time of day for UTC.".to_owned());
    }
    lines.push(format!("{colleague} may start and stop its stream on behalf of {lender}."));
    lines.push(format!("To take it back, {lender} presses *{BACK_LABEL}* or types {}", back(lending.meeting, context)));
    lines
}

/// What the colleague is told in private.
pub fn lent_to_you(lending: &Lending, context: &Context) -> Message {
    let lender = user(&lending.lender);
    let (meeting, settings) = (lending.meeting, Settings::default());
    let start: Command = Command::Start(Start { meeting, settings, run: Run::Real });
    let lines = [
        format!("{lender} lends you control of {} until {}.", shown(meeting), day_to_come(lending.until)),
        format!("What you do with its stream is done on behalf of {lender}, and written down as that."),
        format!("To put it on air: {}", context.copy(&start.to_string())),
    ];
    Message { audience: Audience::Person, text: super::text::fit(&lines), buttons: Vec::new(), replaces: false }
}

pub(super) fn not_lent(meeting: MeetingId, why: &NotLent, context: &Context) -> Vec<String> {
    let choose = Command::Lend { meeting, lend: Lend::To { colleague: None, term: None } };
    let choose = context.copy(&choose.to_string());
    match why {
        NotLent::Off { ask } => vec![
            "Nothing was lent: in this workspace nobody may lend control of a meeting.".to_owned(),
            format!("{} They allow it with {}", whom_to_ask(ask), context.verb(Verb::Policy)),
        ],
        NotLent::Oneself => {
            vec!["Nothing was lent: that is you.".to_owned(), format!("To choose a colleague: {choose}")]
        }
        NotLent::NotAPerson => vec![
            "Nothing was lent: that is a bot, or somebody who has left this workspace.".to_owned(),
            format!("To choose a colleague: {choose}"),
        ],
        NotLent::NotHere => vec![
            "Nothing was lent: there is nobody like that in this workspace.".to_owned(),
            format!("To choose a colleague: {choose}"),
        ],
        NotLent::TooMany => vec![
            format!("Nothing was lent: you lend to {} colleagues already, and nobody can lend more.", Lending::MOST),
            format!("To take a meeting back: {}", back(meeting, context)),
        ],
        NotLent::NoForm => vec![
            "Nothing was lent: OnAir has no bot in this workspace that works, so it can't let you choose somebody."
                .to_owned(),
            format!(
                "Name them by their member ID, from their profile: {}",
                context.copy(&format!("lend {} to @U0123ABCD", meeting.number()))
            ),
        ],
    }
}

pub(super) fn taken_back(meeting: MeetingId, lender: &UserId, colleagues: &[UserId], context: &Context) -> Vec<String> {
    if colleagues.is_empty() {
        return vec![
            format!("Nothing to take back: you lend control of {} to nobody.", shown(meeting)),
            format!("More: {}", context.copy("help lend")),
        ];
    }
    let stop: Command = Command::Stop { meeting };
    let named: Vec<String> = colleagues.iter().map(user).collect();
    vec![
        format!("{} took control of {} back from {}.", user(lender), shown(meeting), list(&named, "and")),
        format!("What is on air stays on air. To take it off: {}", context.copy(&stop.to_string())),
    ]
}

pub(super) fn lender_cannot(meeting: MeetingId, action: Action, lender: &UserId, context: &Context) -> Vec<String> {
    let (shown, lender) = (shown(meeting), user(lender));
    vec![
        format!(
            "Nothing was {}: {lender} lends you {shown}, and their Zoom account doesn't let OnAir do it.",
            done(action)
        ),
        format!("Ask {lender} to connect it again, as one that may: {}", context.verb(Verb::Connect)),
    ]
}

/// For the channel, which was told of a next try: the link to connect is nobody else's, so there is none here.
pub(super) fn not_any_more(
    meeting: MeetingId,
    action: Action,
    asked_by: &UserId,
    why: &ConnectWhy,
    context: &Context,
) -> Vec<String> {
    let who = user(asked_by);
    let why = match why {
        ConnectWhy::Asked { .. } | ConnectWhy::FirstTime => {
            format!("{who} has no Zoom account connected, and nobody lends them one for it any more.")
        }
        ConnectWhy::Ended => format!("the Zoom connection of {who} has ended."),
        ConnectWhy::Scope { missing } if !missing.is_empty() => {
            let named: Vec<String> = missing.iter().take(5).map(|scope| code(scope)).collect();
            format!("the Zoom connection of {who} lacks permission for {}.", list(&named, "and"))
        }
        ConnectWhy::Scope { .. } => format!("the Zoom connection of {who} does not allow it."),
        ConnectWhy::UserMissing => format!("the Zoom user that {who} connected no longer exists."),
    };
    let status = Command::Status { meeting: Some(meeting) };
    vec![
        format!("The stream of {} was not {}: {why}", shown(meeting), done(action)),
        format!(
            "To do it after all: {}, and repeat the command. What is known about it: {}",
            context.verb(Verb::Connect),
            context.copy(&status.to_string())
        ),
    ]
}

/// The form in which somebody chooses a colleague, and how long. `typed` is how long they typed.
pub fn lend_form(meeting: MeetingId, rule: MayLend, typed: Option<Term>) -> Modal {
    let shorter = MayLend::ALL.into_iter().filter(|one| one.longest().is_some() && one.longest() <= rule.longest());
    let typed = typed.map(|term| option(LEND_AS_TYPED, &as_typed(term)));
    let chosen = typed.as_ref().map_or(rule.word(), |typed| typed.name);
    let lengths = shorter.map(|length| option(length.word(), for_so_long(length)));
    let field = |name, label: &str, takes| ModalField { name, label: label.to_owned(), hint: None, takes };
    Modal {
        title: "Lend a meeting".to_owned(),
        intro: format!(
            "Somebody of this workspace starts and stops the stream of {} with your Zoom account, on behalf of you. Its \
             stream key is not lent, and you can take it back.",
            shown(meeting)
        ),
        fields: vec![
            field(LendFault::COLLEAGUE, "To whom", Takes::Person),
            field(
                LendFault::TERM,
                "For how long",
                Takes::Choice { options: typed.into_iter().chain(lengths).collect(), chosen },
            ),
        ],
        submit: "Lend".to_owned(),
        close: "Cancel".to_owned(),
    }
}

/// The name of the choice that was typed.
pub const LEND_AS_TYPED: &str = "as_typed";

fn as_typed(term: Term) -> String {
    match term {
        Term::Until { hour, minute } => format!("Until {hour:02}:{minute:02}, as typed"),
        Term::For { minutes } if minutes % 60 == 0 => format!("{} h, as typed", minutes / 60),
        Term::For { minutes } => format!("{minutes} min, as typed"),
    }
}

fn for_so_long(length: MayLend) -> &'static str {
    match length {
        MayLend::Off => "Not at all",
        MayLend::OneHour => "An hour",
        MayLend::FourHours => "4 hours",
        MayLend::TwelveHours => "12 hours",
        MayLend::OneDay => "24 hours",
    }
}

/// What is wrong with a form in which somebody lends a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LendFault {
    /// The rules do not allow it any more.
    Off,
    /// No Zoom account is connected any more.
    NotConnected,
    /// Nobody is chosen.
    Nobody,
    /// Whoever lends is chosen.
    Oneself,
    /// A bot, or somebody who has left.
    NotAPerson,
    /// Nobody of this workspace.
    NotHere,
    /// No length is chosen.
    NoTerm,
    /// What was typed is over by now.
    Over,
    /// They lend [`Lending::MOST`] already.
    TooMany,
    /// It cannot be written down.
    NotSaved,
}

impl LendFault {
    /// The name of the field for the colleague.
    pub const COLLEAGUE: &str = "colleague";

    /// The name of the field for the length.
    pub const TERM: &str = "term";

    /// Beside which field it is told.
    pub fn field(self) -> &'static str {
        match self {
            Self::NoTerm | Self::Over => Self::TERM,
            _ => Self::COLLEAGUE,
        }
    }
}

/// What is told beside a field. Slack shows it as it is, without markup.
pub fn lend_fault(fault: LendFault, command: &str) -> String {
    let connect = Verb::Connect.word();
    match fault {
        LendFault::Off => "Not lent: in this workspace nobody may lend control of a meeting.".to_owned(),
        LendFault::NotConnected => format!("Not lent: first connect your Zoom account, with {command} {connect}."),
        LendFault::Nobody => "Not lent: choose somebody.".to_owned(),
        LendFault::Oneself => "Not lent: that is you.".to_owned(),
        LendFault::NotAPerson => "Not lent: that is a bot, or somebody who has left this workspace.".to_owned(),
        LendFault::NotHere => "Not lent: choose somebody of this workspace.".to_owned(),
        LendFault::NoTerm => "Not lent: choose one of these.".to_owned(),
        LendFault::Over => "Not lent: that time is over by now.".to_owned(),
        LendFault::TooMany => format!("Not lent: you lend to {} colleagues already.", Lending::MOST),
        LendFault::NotSaved => {
            "Not lent: OnAir can't write anything down just now. Press Lend again in a minute.".to_owned()
        }
    }
}

fn shown(meeting: MeetingId) -> String {
    code(&meeting.to_string())
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Start => "started",
        Action::Stop => "stopped",
    }
}

fn back(meeting: MeetingId, context: &Context) -> String {
    let back = Command::Lend { meeting, lend: Lend::Back };
    context.copy(&back.to_string())
}

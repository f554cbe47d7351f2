//! Everything OnAir says: replies and pages in, words out. Pure, and the only place with sentences in it.
//!
//! A message has the outcome first, one idea, and what to do next on its last line, with commands ready to copy. What
//! happened to a stream is for the channel; usage errors, account matters and lists are for the person who typed.
//! Nothing is called "live" here: Zoom taking an order is not a stream on air.

mod account;
mod already;
mod announcement;
mod card;
mod check;
mod doctor;
mod fields;
mod home;
mod install;
mod lend;
mod modal;
mod outcome;
mod page;
mod phrase;
mod policy;
mod presets;
mod setup;
mod status;
#[cfg(test)]
mod tests;
mod text;
mod usage;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::account::unused;
pub use self::announcement::{Count, announcement};
pub use self::card::{card, notice};
pub use self::home::{Section, home};
pub use self::lend::{LEND_AS_TYPED, LendFault, lend_fault, lend_form, lent_to_you};
pub use self::modal::{Choice, Modal, ModalField, Takes};
pub use self::page::{FieldText, FormText, Kind, PageText, page};
pub use self::policy::{form_fault, form_for_admins_only, form_not_saved, form_outdated, policy_form};
pub use self::text::escape;
use self::text::{block, code, command_line, fit};
use crate::command::{Command, Verb};
use crate::destination::Invitation;
use crate::id::{Reference, Workspace};
use crate::invocation::Press;
use crate::lend::Lend;
use crate::meeting::MeetingId;
use crate::reply::{Audience, Cancelled, Reply, Show, StatusOf};
use crate::secret::Secret;
use crate::stream::NextTry;

/// A message as Slack shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who may read it.
    pub audience: Audience,
    /// Slack's mrkdwn, escaped, each line short enough for one section; also the plain fallback.
    ///
    /// [Formatting](https://docs.slack.dev/messaging/formatting-message-text)
    pub text: String,
    /// The buttons under it.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// Whether it takes the place of the message whose button was pressed.
    #[serde(default)]
    pub replaces: bool,
}

/// Something to press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// What a press does.
    #[serde(flatten)]
    pub does: Does,
    /// How it stands out.
    #[serde(default)]
    pub style: Option<Style>,
    /// What is asked before it does that.
    #[serde(default)]
    pub confirm: Option<Confirm>,
}

/// How a button stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// As what most people want.
    Primary,
    /// As what cannot be undone.
    Danger,
}

/// A question before a press counts.
///
/// [Confirmation dialog](https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// The question.
    pub title: String,
    /// What there is to know about it, in mrkdwn.
    pub text: String,
    /// The label of yes.
    pub confirm: String,
    /// The label of no.
    pub deny: String,
}

impl Button {
    fn plain(label: &str, does: Does) -> Self {
        Self { label: label.to_owned(), does, style: None, confirm: None }
    }

    fn press(label: &str, press: Press, context: &Context) -> Self {
        Self::plain(
            label,
            Does::Press { command: context.command.to_owned(), workspace: context.workspace.cloned(), press },
        )
    }

    /// Gives up what waits for its next try.
    fn cancel(meeting: MeetingId, next: &NextTry, context: &Context) -> Self {
        Self::press(CANCEL_LABEL, Press::Cancel { meeting, job: next.job.clone() }, context)
    }
}

/// What a press of a button does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Does {
    /// Opens an address.
    #[serde(rename = "url")]
    Open(Secret),
    /// Shows the Home anew in which it is.
    #[serde(rename = "refresh")]
    Refresh {},
    /// Tells OnAir.
    #[serde(rename = "press")]
    Press {
        /// The command's name, for the answer.
        command: String,
        /// Where it stands, which Slack does not tell of a press where the whole organization installed the app; nothing in
        /// what tells that itself, and in what an earlier OnAir wrote.
        #[serde(default)]
        workspace: Option<Workspace>,
        /// What is wanted.
        press: Press,
    },
}

/// What the words need to know beside the reply.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The command's name with its slash, as this workspace has it.
    pub command: &'a str,
    /// The workspace it is said in, for what is pressed there.
    pub workspace: Option<&'a Workspace>,
    /// When it is said.
    pub now: Timestamp,
    /// Finds the command in the audit and the log.
    pub reference: &'a Reference,
}

impl Context<'_> {
    /// A command ready to copy, from the words after the name.
    fn copy(&self, words: &str) -> String {
        command_line(&format!("{} {words}", self.command))
    }

    /// A verb that needs nothing after it, ready to copy.
    fn verb(&self, verb: Verb) -> String {
        self.copy(verb.word())
    }

    /// How what was not expected gets mended.
    fn tell_an_admin(&self) -> String {
        format!("Give an admin this reference: {}", code(self.reference.as_str()))
    }
}

/// The label of the button that starts a connection.
const CONNECT_LABEL: &str = "Connect Zoom";

/// The label of the button that opens the page of `setup`.
const SETUP_LABEL: &str = "Open the page";

/// The label of the button that gives up what waits for its next try.
const CANCEL_LABEL: &str = "Cancel";

/// The label of the button that opens a form.
const FORM_LABEL: &str = "Open the form";

/// The label of the button that takes back what is lent.
const BACK_LABEL: &str = "Take back";

/// The label of the button that confirms what somebody else asked for.
const CONFIRM_LABEL: &str = "Confirm stop";

/// Puts a reply into words.
pub fn say(reply: &Reply, context: &Context) -> Message {
    let lines = match reply {
        Reply::Help { verb: None } => usage::help(context),
        Reply::Help { verb: Some(verb) } => usage::help_for(*verb, context),
        Reply::Usage(error) => usage::error(error, context),
        Reply::Busy => busy(),
        Reply::NotAccepted => not_accepted(context),
        Reply::TooLate => too_late(),
        Reply::Broken => broken(context),
        Reply::Connect { why, waiting, .. } => account::connect(why, *waiting, context),
        Reply::Show(show) => outcome::show(show, context),
        Reply::Already(already) => already::already(already, context),
        Reply::Withdrawn { by, their_action, asked_by, asked } => {
            already::withdrawn(by.as_ref(), *their_action, asked_by, asked, context)
        }
        Reply::Cancelled { how, by, meeting, action, asked_by } => {
            already::cancelled(*how, by, *meeting, *action, asked_by, context)
        }
        Reply::NothingToCancel { meeting } => already::nothing_to_cancel(*meeting, context),
        Reply::GaveUp => gave_up(context),
        Reply::DryRun { request, account } => dry_run(request, &account::shown(account)),
        Reply::Whoami { account, shared_with, lacks_scope } => {
            account::whoami(account, *shared_with, *lacks_scope, context)
        }
        Reply::NotConnected => account::not_connected(context),
        Reply::Disconnected(how) => account::disconnected(how, context),
        Reply::Status { of: StatusOf::Workspace, streams } => status::workspace(streams, context),
        Reply::Status { of: StatusOf::Meeting { meeting, running }, streams } => {
            status::one(*meeting, streams.first(), running, context)
        }
        Reply::Saved { preset, replaced } => presets::saved(preset, replaced.as_ref(), context),
        Reply::Forgotten(preset) => presets::forgotten(preset, context),
        Reply::Presets(saved) => presets::list(saved, context),
        Reply::Setup { meeting, .. } => setup_offer(*meeting),
        Reply::Check(check) => check::list(check, context),
        Reply::Audit(entries) => announcement::list(entries, context),
        Reply::Doctor(found) => doctor::list(found, context),
        Reply::AdminsOnly(why) => policy::admins_only(why, context),
        Reply::Denied(denied) => policy::denied(denied, context),
        Reply::NoNextTry { meeting, asked_by, denied } => policy::no_next_try(*meeting, asked_by, denied, context),
        Reply::FormOpen => vec!["The form is open.".to_owned()],
        Reply::FormNotOpen { .. } => policy::form_not_open(),
        Reply::Lent(lent) => lend::lent(lent, context),
        Reply::NotLent { meeting, why } => lend::not_lent(*meeting, why, context),
        Reply::TakenBack { meeting, lender, colleagues } => lend::taken_back(*meeting, lender, colleagues, context),
        Reply::LenderCannot { meeting, action, lender } => lend::lender_cannot(*meeting, *action, lender, context),
        Reply::NoAccountAnyMore { meeting, action, asked_by, why } => {
            lend::not_any_more(*meeting, *action, asked_by, why, context)
        }
        Reply::ConfirmStop(stop) => policy::confirm_stop(stop, context),
        Reply::NotConfirmed { meeting, why } => policy::not_confirmed(*meeting, *why, context),
    };
    let replaces = matches!(reply, Reply::Cancelled { how: Cancelled::Now, .. });
    let buttons = button(reply, context).into_iter().collect();
    // A list that was asked for by its length is shown whole, in as many sections as that takes.
    let text = if let Reply::Audit(_) = reply { lines.join("\n") } else { fit(&lines) };
    Message { audience: audience(reply), text, buttons, replaces }
}

fn button(reply: &Reply, context: &Context) -> Option<Button> {
    match reply {
        Reply::Connect { link, .. } => {
            let button = Button::plain(CONNECT_LABEL, Does::Open(link.clone()));
            Some(Button { style: Some(Style::Primary), ..button })
        }
        Reply::Setup { link, .. } => {
            let button = Button::plain(SETUP_LABEL, Does::Open(link.clone()));
            Some(Button { style: Some(Style::Primary), ..button })
        }
        Reply::Lent(lent) => {
            let back: Command = Command::Lend { meeting: lent.lending.meeting, lend: Lend::Back };
            Some(Button::press(BACK_LABEL, Press::Command { text: back.to_string() }, context))
        }
        Reply::FormNotOpen { text } => {
            let press = Press::Command { text: text.clone() };
            Some(Button { style: Some(Style::Primary), ..Button::press(FORM_LABEL, press, context) })
        }
        Reply::ConfirmStop(stop) => {
            let press = Press::Confirm(stop.clone());
            Some(Button { style: Some(Style::Danger), ..Button::press(CONFIRM_LABEL, press, context) })
        }
        Reply::Show(Show { retry: Some(next), meeting, .. }) => Some(Button::cancel(*meeting, next, context)),
        _ => None,
    }
}

/// Only what happened to a stream is for everybody.
fn audience(reply: &Reply) -> Audience {
    match reply {
        Reply::Show(show) => outcome::audience(&show.outcome),
        Reply::TakenBack { colleagues, .. } if colleagues.is_empty() => Audience::Person,
        Reply::TakenBack { .. } => Audience::Channel,
        Reply::Withdrawn { .. }
        | Reply::Cancelled { how: Cancelled::Now, .. }
        | Reply::NoNextTry { .. }
        | Reply::Lent(_)
        | Reply::NoAccountAnyMore { .. }
        | Reply::ConfirmStop(_) => Audience::Channel,
        Reply::Help { .. }
        | Reply::Usage(_)
        | Reply::Busy
        | Reply::NotAccepted
        | Reply::TooLate
        | Reply::Broken
        | Reply::GaveUp
        | Reply::Already(_)
        | Reply::Cancelled { how: Cancelled::TooLate | Cancelled::NotTheirs | Cancelled::NotHere, .. }
        | Reply::NothingToCancel { .. }
        | Reply::Connect { .. }
        | Reply::DryRun { .. }
        | Reply::Whoami { .. }
        | Reply::NotConnected
        | Reply::Disconnected(_)
        | Reply::Status { .. }
        | Reply::Saved { .. }
        | Reply::Forgotten(_)
        | Reply::Presets(_)
        | Reply::Setup { .. }
        | Reply::Check(_)
        | Reply::Audit(_)
        | Reply::Doctor(_)
        | Reply::AdminsOnly(_)
        | Reply::Denied(_)
        | Reply::FormOpen
        | Reply::FormNotOpen { .. }
        | Reply::NotLent { .. }
        | Reply::LenderCannot { .. }
        | Reply::NotConfirmed { .. } => Audience::Person,
    }
}

fn setup_offer(meeting: MeetingId) -> Vec<String> {
    let minutes = Invitation::LIFE.as_mins();
    vec![
        format!(
            "See and set where the stream of {} goes: stream URL, stream key and page URL.",
            code(&meeting.to_string())
        ),
        "That is done on a page of its own, because Slack would keep a stream key.".to_owned(),
        format!("Press *{SETUP_LABEL}*. The link is for you alone, for one change, and good for {minutes} minutes."),
    ]
}

fn too_late() -> Vec<String> {
    vec![
        "Not carried out: OnAir was away for too long after you typed this, and nothing was done.".to_owned(),
        "Still wanted? Type it again.".to_owned(),
    ]
}

fn busy() -> Vec<String> {
    vec![
        "Too busy, not accepted: other commands fill the queue, and nothing was done with yours.".to_owned(),
        "Type it again in a minute.".to_owned(),
    ]
}

fn not_accepted(context: &Context) -> Vec<String> {
    vec![
        "Your command was not accepted, nothing was done, try again in a minute.".to_owned(),
        "OnAir acts only on what it has written down first, and just now it can't write.".to_owned(),
        format!("Still the same? {}", context.tell_an_admin()),
    ]
}

fn broken(context: &Context) -> Vec<String> {
    vec![
        "Something in OnAir broke, and it can't say what became of your command.".to_owned(),
        "Before you repeat it, look whether the stream is on air.".to_owned(),
        context.tell_an_admin(),
    ]
}

fn gave_up(context: &Context) -> Vec<String> {
    vec![
        "OnAir could not finish your command: it broke down each time it tried. No stream was started or stopped."
            .to_owned(),
        "Type it again.".to_owned(),
        format!("The same again? {}", context.tell_an_admin()),
    ]
}

fn dry_run(request: &str, account: &str) -> Vec<String> {
    vec![
        format!("A dry run: nothing was sent. As {account}, Zoom would get:"),
        block(request),
        "To start for real, repeat the command without `--dry-run`.".to_owned(),
    ]
}

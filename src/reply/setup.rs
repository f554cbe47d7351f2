//! What stands on the pages of `setup`.

use crate::destination::{Fault, Present};
use crate::grant::{StateToken, ZoomUser};
use crate::id::Reference;
use crate::meeting::MeetingId;
use crate::outcome::Outcome;
use crate::policy::Denied;

/// One of the pages on which a person sees and sets where a meeting's stream goes.
#[derive(Clone, Debug)]
pub enum SetupPage {
    /// Asks the person at the browser whether they are who asked for the page. Nothing is shown of Zoom's before that.
    Confirm {
        /// Who asked.
        asker: SlackName,
        /// Of which meeting.
        meeting: MeetingId,
        /// What opens the page.
        state: StateToken,
    },
    /// What is set, to be changed.
    Form(Box<SetupForm>),
    /// Zoom took it.
    Done {
        /// Of which meeting.
        meeting: MeetingId,
    },
    /// Zoom did not do it, or nobody knows whether it did.
    NotDone {
        /// What.
        tried: Tried,
        /// Of which meeting.
        meeting: MeetingId,
        /// Why.
        why: Outcome,
        /// As whom it was tried; `None` where nobody is connected.
        account: Option<ZoomUser>,
        /// Whether the stream is on air, as far as OnAir knows.
        is_on_air: bool,
        /// Finds the log lines.
        reference: Reference,
    },
    /// The rules of the workspace are against it.
    Denied(Denied),
    /// The state is unknown, used, or older than ten minutes.
    Over,
    /// The page was opened in another browser before.
    OtherBrowser,
    /// The form came from another site.
    Foreign,
    /// The store is down, and nothing was done.
    StoreAway,
    /// OnAir itself broke.
    Broken {
        /// Finds the log line.
        reference: Reference,
    },
}

/// What Slack calls a person and their workspace.
#[derive(Clone, Debug)]
pub struct SlackName {
    /// The person.
    pub user: String,
    /// The workspace.
    pub team: String,
}

/// What is shown for a change.
#[derive(Clone, Debug)]
pub struct SetupForm {
    /// Who asked for the page.
    pub asker: SlackName,
    /// As whom Zoom is asked.
    pub account: ZoomUser,
    /// Of which meeting.
    pub meeting: MeetingId,
    /// What the change is made with.
    pub state: StateToken,
    /// What stands in the fields.
    pub values: Values,
}

/// What stands in the fields of the form.
#[derive(Clone, Debug)]
pub enum Values {
    /// What is set at Zoom.
    Present(Present),
    /// Nothing, for Zoom did not show what is set.
    Unread(Outcome),
    /// What the person typed, without what is or may be the key, and what is wrong with it.
    Wrong {
        /// What may be shown of it; whether there is a key at Zoom is not known.
        typed: Present,
        /// At least one.
        faults: Vec<Fault>,
    },
}

/// What Zoom was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// To show what is set.
    Read,
    /// To set it.
    Set,
}

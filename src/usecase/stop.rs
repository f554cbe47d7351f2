//! `/stream stop`: take a meeting off air.

use super::order::{self, Ordered};
use super::{Done, Failure};
use crate::app::App;
use crate::invocation::Invocation;
use crate::meeting::{MeetingId, Settings};
use crate::outcome::Action;

pub(super) async fn stop(app: &App, invocation: &Invocation, meeting: MeetingId) -> Result<Done, Failure> {
    let ordered = Ordered { action: Action::Stop, meeting, settings: Settings::default() };
    order::carry_out(app, invocation, ordered).await
}

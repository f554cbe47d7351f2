//! `/stream stop`: take a meeting off air.

use super::order::{self, Ordered};
use super::work::Work;
use super::{Done, Failure};
use crate::meeting::{MeetingId, Settings};
use crate::outcome::Action;

pub(super) async fn stop(work: &Work, meeting: MeetingId) -> Result<Done, Failure> {
    let ordered = Ordered { action: Action::Stop, meeting, settings: Settings::default() };
    order::carry_out(work, ordered).await
}

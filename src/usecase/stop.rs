//! `/stream stop`: take a meeting off air.

use super::order::{self, Ordered};
use super::work::Work;
use super::{Done, Failure};
use crate::meeting::MeetingId;

pub(super) async fn stop(work: &Work, meeting: MeetingId) -> Result<Done, Failure> {
    order::carry_out(work, Ordered::stop(meeting)).await
}

//! What each target does with one input, and what must hold. The targets are built of these, and so is the test that
//! shows each its corpus: they use only what that has, too.

pub(crate) mod command;
pub(crate) mod sealed;
pub(crate) mod signature;
pub(crate) mod slack;
pub(crate) mod zoom_answer;
pub(crate) mod zoom_webhook;

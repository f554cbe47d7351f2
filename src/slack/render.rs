//! A message → the JSON that Slack shows: one section with the words, and a button where there is one.
//!
//! Words are chosen elsewhere; this knows blocks. The plain `text` beside the blocks says the same, for notifications
//! and screen readers.

use serde::{Deserialize, Serialize};
use slack_morphism::prelude::{
    SlackActionsBlock, SlackBlock, SlackBlockButtonElement, SlackBlockButtonStyle, SlackBlockMarkDownText,
    SlackBlockPlainTextOnly, SlackMessageContent, SlackMessageResponseType, SlackSectionBlock,
};
use url::Url;

use crate::invocation::Press;
use crate::reply::Audience;
use crate::words::{Button, Does, Message};

/// The body of an answer, for the 200 to Slack and for a `response_url` alike. The library's own has no way to replace.
///
/// [Message responses](https://docs.slack.dev/interactivity/handling-user-interaction#message_responses)
#[derive(Debug, Serialize)]
pub struct Response {
    #[serde(flatten)]
    content: SlackMessageContent,
    response_type: SlackMessageResponseType,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replace_original: bool,
}

/// What a button of ours gives back when it is pressed: what it does, and the command's name for the answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Value {
    pub(super) command: String,
    pub(super) press: Press,
}

/// The `action_id` of buttons whose press means something.
pub(super) const PRESS: &str = "press";

/// The body of an answer.
pub fn response(message: &Message) -> Response {
    let response_type = match message.audience {
        Audience::Channel => SlackMessageResponseType::InChannel,
        Audience::Person => SlackMessageResponseType::Ephemeral,
    };
    Response { content: content(message), response_type, replace_original: message.replaces }
}

/// A message as every way to Slack takes it.
pub(super) fn content(message: &Message) -> SlackMessageContent {
    SlackMessageContent::new().with_text(message.text.clone()).with_blocks(blocks(message))
}

fn blocks(message: &Message) -> Vec<SlackBlock> {
    let words = SlackBlockMarkDownText::new(message.text.clone()).with_verbatim(true);
    let mut blocks = vec![SlackSectionBlock::new().with_text(words.into()).into()];
    if let Some(button) = message.button.as_ref().and_then(button) {
        blocks.push(SlackActionsBlock::new(vec![button.into()]).into());
    }
    blocks
}

fn button(button: &Button) -> Option<SlackBlockButtonElement> {
    let element = SlackBlockButtonElement::new(SlackBlockPlainTextOnly::from(button.label.as_str()));
    match &button.does {
        // Pressing it also sends an interaction, which is acknowledged and means nothing.
        Does::Open(url) => {
            let element = element.with_url(Url::parse(url.expose()).ok()?).with_action_id("open_link".into());
            Some(element.with_style(SlackBlockButtonStyle::Primary))
        }
        Does::Press { command, press } => {
            let value = Value { command: command.clone(), press: press.clone() };
            let value = serde_json::to_string(&value).ok()?;
            Some(element.with_action_id(PRESS.into()).with_value(value))
        }
    }
}

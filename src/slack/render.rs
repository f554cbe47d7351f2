//! A message → the JSON that Slack shows: one section with the words, and a button where there is one.
//!
//! Words are chosen elsewhere; this knows blocks. The plain `text` beside the blocks says the same, for notifications
//! and screen readers.

use slack_morphism::prelude::{
    SlackActionsBlock, SlackBlock, SlackBlockButtonElement, SlackBlockButtonStyle, SlackBlockMarkDownText,
    SlackBlockPlainTextOnly, SlackCommandEventResponse, SlackMessageContent, SlackMessageResponseType,
    SlackSectionBlock,
};
use url::Url;

use crate::reply::Audience;
use crate::words::{Button, Message};

/// The body of an answer, for the 200 to Slack and for a `response_url` alike.
pub fn response(message: &Message) -> SlackCommandEventResponse {
    let audience = match message.audience {
        Audience::Channel => SlackMessageResponseType::InChannel,
        Audience::Person => SlackMessageResponseType::Ephemeral,
    };
    let content = SlackMessageContent::new().with_text(message.text.clone()).with_blocks(blocks(message));
    SlackCommandEventResponse::new(content).with_response_type(audience)
}

fn blocks(message: &Message) -> Vec<SlackBlock> {
    let words = SlackBlockMarkDownText::new(message.text.clone()).with_verbatim(true);
    let mut blocks = vec![SlackSectionBlock::new().with_text(words.into()).into()];
    if let Some(button) = message.button.as_ref().and_then(link_button) {
        blocks.push(SlackActionsBlock::new(vec![button.into()]).into());
    }
    blocks
}

/// A button that opens a page. Pressing it also sends an interaction, which is acknowledged and means nothing.
fn link_button(button: &Button) -> Option<SlackBlockButtonElement> {
    let url = Url::parse(button.url.expose()).ok()?;
    let label = SlackBlockPlainTextOnly::from(button.label.as_str());
    let element = SlackBlockButtonElement::new(label).with_action_id("open_link".into());
    Some(element.with_url(url).with_style(SlackBlockButtonStyle::Primary))
}

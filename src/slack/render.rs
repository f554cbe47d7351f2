//! A message → the JSON that Slack shows: one section with the words, and its buttons.
//!
//! Words are chosen elsewhere; this knows blocks. The plain `text` beside the blocks says the same, for notifications
//! and screen readers.

use serde::{Deserialize, Serialize};
use slack_morphism::prelude::{
    SlackActionsBlock, SlackBlock, SlackBlockButtonElement, SlackBlockButtonStyle, SlackBlockConfirmItem,
    SlackBlockMarkDownText, SlackBlockPlainTextOnly, SlackMessageContent, SlackMessageResponseType, SlackSectionBlock,
};
use url::Url;

use crate::id::Workspace;
use crate::invocation::Press;
use crate::reply::Audience;
use crate::words::{Button, Confirm, Does, Message, Section, Style};

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

/// What a button of ours gives back when it is pressed: what it does, where it stands, and the command's name for the answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Value {
    pub(super) command: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) workspace: Option<Workspace>,
    pub(super) press: Press,
}

/// What the `action_id` of buttons begins with whose press means something.
pub(super) const PRESS: &str = "press";

/// The `action_id` of the button that shows a Home anew.
pub(super) const REFRESH: &str = "refresh";

/// The `action_id` of buttons that open a page.
const OPEN_LINK: &str = "open_link";

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

/// Words with one button beside them.
pub(super) fn section(section: &Section) -> SlackBlock {
    let block = words(section.text.clone());
    match section.button.as_ref().and_then(button) {
        Some(button) => block.with_accessory(button.into()).into(),
        None => block.into(),
    }
}

fn words(text: String) -> SlackSectionBlock {
    SlackSectionBlock::new().with_text(SlackBlockMarkDownText::new(text).with_verbatim(true).into())
}

fn blocks(message: &Message) -> Vec<SlackBlock> {
    let mut blocks: Vec<SlackBlock> = sections(&message.text).into_iter().map(|text| words(text).into()).collect();
    let buttons: Vec<_> = message.buttons.iter().filter_map(button).map(Into::into).collect();
    if !buttons.is_empty() {
        blocks.push(SlackActionsBlock::new(buttons).into());
    }
    blocks
}

/// The most [a section's text](https://docs.slack.dev/reference/block-kit/blocks/section-block) may hold, in UTF-16 units.
const MAX_SECTION: usize = 3000;

/// A text in as few sections as take it, each of whole lines.
fn sections(text: &str) -> Vec<String> {
    let size = |text: &str| text.encode_utf16().count();
    // No text has more units of UTF-16 than bytes of UTF-8.
    if text.len() <= MAX_SECTION {
        return vec![text.to_owned()];
    }
    let (mut sections, mut filled): (Vec<String>, usize) = (Vec::new(), 0);
    for line in text.split('\n') {
        let more = size(line);
        match sections.last_mut() {
            Some(last) if filled + 1 + more <= MAX_SECTION => {
                last.push('\n');
                last.push_str(line);
                filled += 1 + more;
            }
            _ => {
                sections.push(line.to_owned());
                filled = more;
            }
        }
    }
    sections
}

fn button(button: &Button) -> Option<SlackBlockButtonElement> {
    let mut element = SlackBlockButtonElement::new(plain(&button.label));
    element = match &button.does {
        // Pressing it also sends an interaction, which is acknowledged and means nothing.
        Does::Open(url) => element.with_url(Url::parse(url.expose()).ok()?).with_action_id(OPEN_LINK.into()),
        Does::Refresh {} => element.with_action_id(REFRESH.into()),
        Does::Press { command, workspace, press } => {
            let value = Value { command: command.clone(), workspace: workspace.clone(), press: press.clone() };
            // Within one message no two buttons may have the same name.
            let name = format!("{PRESS}:{}", button.label.to_lowercase().replace(' ', "_"));
            element.with_action_id(name.into()).with_value(serde_json::to_string(&value).ok()?)
        }
    };
    if let Some(confirm) = &button.confirm {
        element = element.with_confirm(dialog(confirm));
    }
    Some(match button.style {
        Some(Style::Primary) => element.with_style(SlackBlockButtonStyle::Primary),
        Some(Style::Danger) => element.with_style(SlackBlockButtonStyle::Danger),
        None => element,
    })
}

fn dialog(confirm: &Confirm) -> SlackBlockConfirmItem {
    let text = SlackBlockMarkDownText::new(confirm.text.clone());
    SlackBlockConfirmItem::new(plain(&confirm.title), text.into(), plain(&confirm.confirm), plain(&confirm.deny))
}

fn plain(text: &str) -> SlackBlockPlainTextOnly {
    SlackBlockPlainTextOnly::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_in_sections_of_whole_lines() {
        assert_eq!(sections("a\n\nb"), ["a\n\nb"]);
        let line = "😀".repeat(499);
        let text = [line.as_str(); 7].join("\n");
        let found = sections(&text);
        assert_eq!(found.join("\n"), text);
        assert_eq!(found.iter().map(|section| section.lines().count()).collect::<Vec<_>>(), [3, 3, 1]);
        assert!(found.iter().all(|section| section.encode_utf16().count() <= MAX_SECTION));
    }
}

//! The buttons in a message's blocks.
//!
//! [Button](https://docs.slack.dev/reference/block-kit/block-elements/button-element)

use std::fmt;

use serde_json::{Value, json};

/// Which button is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pick<'a> {
    /// The first of this label.
    Labeled(&'a str),
    /// The one of these names, the app's or Slack's.
    Named { block_id: &'a str, action_id: &'a str },
}

impl fmt::Display for Pick<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Labeled(label) => f.write_str(label),
            Self::Named { block_id, action_id } => write!(f, "{block_id}/{action_id}"),
        }
    }
}

/// A button that a reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// The text on it.
    pub label: String,
    /// The app's name for it, or Slack's if the app gave none.
    pub action_id: String,
    /// The name of the block it is in, likewise.
    pub block_id: String,
    /// What the app wanted to be told when it is pressed.
    pub value: Option<String>,
    /// `primary` or `danger`.
    pub style: Option<String>,
    /// What is asked before the press counts.
    pub confirm: Option<Confirm>,
    /// The page that opens.
    pub url: Option<String>,
}

/// A [confirmation dialog](https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// Its title.
    pub title: String,
    /// The question, as it was written.
    pub text: String,
    /// The text of the button that means yes.
    pub confirm: String,
    /// The text of the button that means no.
    pub deny: String,
}

impl Button {
    fn of((block, element): (&Value, &Value)) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let confirm = element["confirm"].as_object().map(|confirm| {
            let words = |key: &str| text(&confirm[key]["text"]).unwrap_or_default();
            Confirm { title: words("title"), text: words("text"), confirm: words("confirm"), deny: words("deny") }
        });
        Self {
            label: label(element).to_owned(),
            action_id: text(&element["action_id"]).unwrap_or_default(),
            block_id: text(&block["block_id"]).unwrap_or_default(),
            value: text(&element["value"]),
            style: text(&element["style"]),
            confirm,
            url: text(&element["url"]),
        }
    }
}

/// All buttons, in the order of reading.
pub(super) fn all(blocks: &[Value]) -> Vec<Button> {
    elements(blocks).map(Button::of).collect()
}

/// The button that is meant, with the block it is in.
pub(super) fn picked<'a>(blocks: &'a [Value], pick: Pick<'_>) -> Option<(&'a Value, &'a Value)> {
    elements(blocks).find(|(block, element)| match pick {
        Pick::Labeled(wanted) => label(element) == wanted,
        Pick::Named { block_id, action_id } => block["block_id"] == block_id && element["action_id"] == action_id,
    })
}

/// Names the blocks and buttons that the app left without a name, as Slack does. A place always gets the same name.
pub(super) fn name_all(blocks: &mut [Value]) {
    for (place, block) in blocks.iter_mut().enumerate() {
        name(block, "block_id", &format!("b{place}"));
        if let Some(accessory) = block.get_mut("accessory") {
            name_button(accessory, &format!("a{place}"));
        }
        let elements = block.get_mut("elements").and_then(Value::as_array_mut);
        for (index, element) in elements.into_iter().flatten().enumerate() {
            name_button(element, &format!("a{place}.{index}"));
        }
    }
}

fn name_button(element: &mut Value, id: &str) {
    if element["type"] == "button" {
        name(element, "action_id", id);
    }
}

fn name(value: &mut Value, key: &str, id: &str) {
    if value[key].is_null() {
        value[key] = json!(id);
    }
}

fn label(element: &Value) -> &str {
    element["text"]["text"].as_str().unwrap_or_default()
}

fn elements(blocks: &[Value]) -> impl Iterator<Item = (&Value, &Value)> {
    blocks.iter().flat_map(|block| {
        let list = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = std::iter::once(&block["accessory"]).chain(list);
        all.filter(|element| element["type"] == "button").map(move |element| (block, element))
    })
}

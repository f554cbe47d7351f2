//! A message as an app writes it, whether in the direct answer, to a `response_url` or to the Web API.

use serde_json::{Map, Value};

use super::{blocks, button};

/// A message that Slack would take.
#[derive(Clone, Debug, Default)]
pub(super) struct Post {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    pub(super) response_type: Option<ResponseType>,
    pub(super) replace_original: bool,
    pub(super) delete_original: bool,
    /// What Slack takes in silence but would be a mistake here.
    pub(super) oddities: Vec<String>,
}

/// For whom a message is meant; for one person if it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseType {
    InChannel,
    Ephemeral,
}

/// Why something was refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// Slack's word for it.
    pub(super) error: &'static str,
    /// What exactly.
    pub(super) detail: String,
}

impl Refusal {
    pub(super) fn new(error: &'static str, detail: impl Into<String>) -> Self {
        Self { error, detail: detail.into() }
    }
}

/// More than this is cut off by Slack.
const MOST_TEXT: usize = 40_000;

/// What the answer to a command may hold; anything else is ignored by Slack.
const KEYS: &[&str] = &[
    "text",
    "blocks",
    "attachments",
    "response_type",
    "replace_original",
    "delete_original",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
    "metadata",
    "mrkdwn",
];

impl Post {
    /// Reads the JSON of a [command's answer](https://docs.slack.dev/interactivity/handling-user-interaction).
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let invalid = |detail: String| Refusal::new("invalid_payload", detail);
        let value: Value = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
        let object = value.as_object().ok_or_else(|| invalid("not a JSON object".to_owned()))?;
        let mut post = Self::content(object)?;
        let unknown = object.keys().filter(|key| !KEYS.contains(&key.as_str()));
        post.oddities.extend(unknown.map(|key| format!("unknown key {key:?} in a message")));
        match object.get("response_type").map(|kind| kind.as_str()) {
            Some(Some("in_channel")) => post.response_type = Some(ResponseType::InChannel),
            Some(Some("ephemeral")) => post.response_type = Some(ResponseType::Ephemeral),
            None => {}
            Some(other) => post.oddities.push(format!("unknown response_type {other:?}")),
        }
        post.replace_original = flag(object, "replace_original");
        post.delete_original = flag(object, "delete_original");
        Ok(post)
    }

    /// The same, where there is no original but the command that a person typed.
    pub(super) fn read_for_command(body: &[u8]) -> Result<Self, Refusal> {
        let mut post = Self::read(body)?;
        if post.delete_original {
            post.oddities.push("delete_original is not supported for slash commands".to_owned());
        }
        Ok(post)
    }

    /// Reads and checks `text` and `blocks`; the blocks may also be JSON in a string, as in a form.
    pub(super) fn content(object: &Map<String, Value>) -> Result<Self, Refusal> {
        let invalid_blocks = |detail: String| Refusal::new("invalid_blocks", detail);
        let text = match object.get("text") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => return Err(Refusal::new("no_text", format!("text is {other}"))),
        };
        if text.chars().count() > MOST_TEXT {
            return Err(Refusal::new("msg_too_long", format!("text has over {MOST_TEXT} characters")));
        }
        let mut list: Vec<Value> = match object.get("blocks") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list.clone(),
            Some(Value::String(json)) => {
                serde_json::from_str(json).map_err(|error| invalid_blocks(error.to_string()))?
            }
            Some(other) => return Err(invalid_blocks(format!("blocks is {other}"))),
        };
        blocks::check(&list).map_err(invalid_blocks)?;
        button::name_all(&mut list);
        Ok(Self { text, blocks: list, ..Self::default() })
    }

    /// A plain-text answer.
    pub(super) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    pub(super) fn in_channel(&self) -> bool {
        self.response_type == Some(ResponseType::InChannel)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.blocks.is_empty()
    }
}

/// Slack's documents write these as strings, its clients send booleans.
fn flag(object: &Map<String, Value>, key: &str) -> bool {
    matches!(object.get(key), Some(Value::Bool(true))) || object.get(key).and_then(Value::as_str) == Some("true")
}

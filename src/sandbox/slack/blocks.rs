//! What Slack checks in [blocks](https://docs.slack.dev/reference/block-kit/blocks) before it takes a message.
//!
//! Only the blocks that a bot's message has are known; any other type is refused, as an unknown one is at Slack.

use serde_json::Value;

type Checked = Result<(), String>;

/// How a text object may be written.
#[derive(Clone, Copy, PartialEq)]
enum Markup {
    Plain,
    Any,
}

/// Checks all blocks of one message; the error names the place, as Slack's does.
pub(super) fn check(blocks: &[Value]) -> Checked {
    ensure(blocks.len() <= 50, "blocks", "no more than 50 items allowed")?;
    let mut ids = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = format!("blocks[{index}]");
        one_block(block, &at)?;
        if let Some(id) = block["block_id"].as_str() {
            ensure(!ids.contains(&id), &at, "block_id already exists")?;
            ids.push(id);
        }
    }
    Ok(())
}

fn one_block(block: &Value, at: &str) -> Checked {
    length(&block["block_id"], 255, at, "block_id")?;
    match block["type"].as_str() {
        Some("section") => section(block, at),
        Some("header") => {
            only(block, &["type", "block_id", "text", "level"], at)?;
            text(&block["text"], Markup::Plain, 150, &format!("{at}.text"))
        }
        Some("context") => {
            only(block, &["type", "block_id", "elements"], at)?;
            elements(block, 10, at, |element, at| match element["type"].as_str() {
                Some("image") => image(element, at),
                _ => text(element, Markup::Any, 3000, at),
            })
        }
        Some("actions") => {
            only(block, &["type", "block_id", "elements"], at)?;
            elements(block, 25, at, button)?;
            unique_actions(block, at)
        }
        Some("divider") => only(block, &["type", "block_id"], at),
        Some("image") => image(block, at),
        other => Err(format!("{at}: unsupported type {other:?}")),
    }
}

fn section(block: &Value, at: &str) -> Checked {
    only(block, &["type", "block_id", "text", "fields", "accessory", "expand"], at)?;
    let fields = &block["fields"];
    ensure(block["text"].is_object() || fields.is_array(), at, "missing text or fields")?;
    if !block["text"].is_null() {
        text(&block["text"], Markup::Any, 3000, &format!("{at}.text"))?;
    }
    if !fields.is_null() {
        let fields = fields.as_array().ok_or_else(|| format!("{at}.fields: must be an array"))?;
        ensure((1..=10).contains(&fields.len()), at, "fields: 1 to 10 items allowed")?;
        for (index, field) in fields.iter().enumerate() {
            text(field, Markup::Any, 2000, &format!("{at}.fields[{index}]"))?;
        }
    }
    match block["accessory"]["type"].as_str() {
        None if block["accessory"].is_null() => Ok(()),
        Some("image") => image(&block["accessory"], &format!("{at}.accessory")),
        _ => button(&block["accessory"], &format!("{at}.accessory")),
    }
}

/// A [button](https://docs.slack.dev/reference/block-kit/block-elements/button-element), the only element known here.
fn button(element: &Value, at: &str) -> Checked {
    ensure(element["type"] == "button", at, "unsupported element")?;
    let keys = ["type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"];
    only(element, &keys, at)?;
    text(&element["text"], Markup::Plain, 75, &format!("{at}.text"))?;
    for (key, most) in [("action_id", 255), ("url", 3000), ("value", 2000), ("accessibility_label", 75)] {
        length(&element[key], most, at, key)?;
    }
    style(element, at)?;
    if let Some(url) = element["url"].as_str() {
        let valid = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        ensure(valid, at, "invalid url")?;
    }
    let confirm = &element["confirm"];
    if confirm.is_null() { Ok(()) } else { confirmation(confirm, &format!("{at}.confirm")) }
}

fn confirmation(confirm: &Value, at: &str) -> Checked {
    only(confirm, &["title", "text", "confirm", "deny", "style"], at)?;
    text(&confirm["title"], Markup::Plain, 100, &format!("{at}.title"))?;
    text(&confirm["text"], Markup::Any, 300, &format!("{at}.text"))?;
    text(&confirm["confirm"], Markup::Plain, 30, &format!("{at}.confirm"))?;
    text(&confirm["deny"], Markup::Plain, 30, &format!("{at}.deny"))?;
    style(confirm, at)
}

fn image(value: &Value, at: &str) -> Checked {
    only(value, &["type", "block_id", "image_url", "alt_text", "title"], at)?;
    ensure(value["image_url"].is_string() && value["alt_text"].is_string(), at, "missing image_url or alt_text")?;
    length(&value["image_url"], 3000, at, "image_url")?;
    length(&value["alt_text"], 2000, at, "alt_text")
}

fn style(value: &Value, at: &str) -> Checked {
    let known = value["style"].is_null() || value["style"] == "primary" || value["style"] == "danger";
    ensure(known, at, "style must be primary or danger")
}

fn text(value: &Value, markup: Markup, most: usize, at: &str) -> Checked {
    only(value, &["type", "text", "emoji", "verbatim"], at)?;
    match value["type"].as_str() {
        Some("plain_text") => ensure(value["verbatim"].is_null(), at, "verbatim is for mrkdwn")?,
        Some("mrkdwn") if markup == Markup::Any => ensure(value["emoji"].is_null(), at, "emoji is for plain_text")?,
        _ => return Err(format!("{at}: not a text object of a type allowed here")),
    }
    ensure(value["text"].is_string(), at, "missing text")?;
    length(&value["text"], most, at, "text")
}

fn elements(block: &Value, most: usize, at: &str, check: impl Fn(&Value, &str) -> Checked) -> Checked {
    let elements = block["elements"].as_array().ok_or_else(|| format!("{at}: missing elements"))?;
    ensure((1..=most).contains(&elements.len()), at, &format!("1 to {most} elements allowed"))?;
    let mut numbered = elements.iter().enumerate();
    numbered.try_for_each(|(index, element)| check(element, &format!("{at}.elements[{index}]")))
}

fn unique_actions(block: &Value, at: &str) -> Checked {
    let mut seen = Vec::new();
    for id in block["elements"].as_array().into_iter().flatten().filter_map(|element| element["action_id"].as_str()) {
        ensure(!seen.contains(&id), at, "action_id already exists")?;
        seen.push(id);
    }
    Ok(())
}

/// Absent is fine; present means a text of 1 to `most` characters.
fn length(value: &Value, most: usize, at: &str, key: &str) -> Checked {
    match value {
        Value::Null => Ok(()),
        Value::String(text) => {
            let fits = (1..=most).contains(&text.chars().count());
            ensure(fits, at, &format!("{key} must have 1 to {most} characters"))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(format!("{at}: {key} must be a text"))
        }
    }
}

fn only(value: &Value, keys: &[&str], at: &str) -> Checked {
    let object = value.as_object().ok_or_else(|| format!("{at}: must be an object"))?;
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("{at}: invalid additional property: {key}")),
        None => Ok(()),
    }
}

fn ensure(holds: bool, at: &str, otherwise: &str) -> Checked {
    if holds { Ok(()) } else { Err(format!("{at}: {otherwise}")) }
}

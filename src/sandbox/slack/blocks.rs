//! What Slack checks in [blocks](https://docs.slack.dev/reference/block-kit/blocks) before it takes a message.
//!
//! Only the blocks and fields that the messages and forms of a bot like OnAir have are known; any other type is refused, as
//! an unknown one is at Slack.

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
    all(blocks, 50, one_block)
}

/// Checks a [modal](https://docs.slack.dev/reference/views/modal-views).
pub(super) fn check_modal(view: &Value) -> Checked {
    let at = "view";
    let keys = [
        "type",
        "title",
        "blocks",
        "close",
        "submit",
        "private_metadata",
        "callback_id",
        "clear_on_close",
        "notify_on_close",
        "external_id",
    ];
    only(view, &keys, at)?;
    ensure(view["type"] == "modal", at, "not a modal")?;
    text(&view["title"], Markup::Plain, 24, "view.title")?;
    for key in ["submit", "close"] {
        if !view[key].is_null() {
            text(&view[key], Markup::Plain, 24, &format!("{at}.{key}"))?;
        }
    }
    for (key, most) in [("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)] {
        length(&view[key], most, at, key)?;
    }
    let blocks = view["blocks"].as_array().ok_or("view: missing blocks")?;
    let has_input = blocks.iter().any(|block| block["type"] == "input");
    ensure(!has_input || !view["submit"].is_null(), at, "missing submit, which a form needs")?;
    all(blocks, 100, |block, at| if block["type"] == "input" { input(block, at) } else { one_block(block, at) })
}

/// Checks a [Home](https://docs.slack.dev/reference/views/home-tab-views).
pub(super) fn check_home(view: &Value) -> Checked {
    let at = "view";
    only(view, &["type", "blocks", "private_metadata", "callback_id", "external_id"], at)?;
    ensure(view["type"] == "home", at, "not a Home")?;
    for (key, most) in [("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)] {
        length(&view[key], most, at, key)?;
    }
    all(view["blocks"].as_array().ok_or("view: missing blocks")?, 100, one_block)
}

fn all(blocks: &[Value], most: usize, one: impl Fn(&Value, &str) -> Checked) -> Checked {
    ensure(blocks.len() <= most, "blocks", &format!("no more than {most} items allowed"))?;
    let mut ids = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = format!("blocks[{index}]");
        one(block, &at)?;
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

/// An [input](https://docs.slack.dev/reference/block-kit/blocks/input-block) with one of the fields known here.
fn input(block: &Value, at: &str) -> Checked {
    length(&block["block_id"], 255, at, "block_id")?;
    only(block, &["type", "block_id", "label", "element", "hint", "optional", "dispatch_action"], at)?;
    text(&block["label"], Markup::Plain, 2000, &format!("{at}.label"))?;
    if !block["hint"].is_null() {
        text(&block["hint"], Markup::Plain, 2000, &format!("{at}.hint"))?;
    }
    field(&block["element"], &format!("{at}.element"))
}

fn field(element: &Value, at: &str) -> Checked {
    let own: &[&str] = match element["type"].as_str() {
        Some("multi_users_select") => &["initial_users", "max_selected_items"],
        Some("multi_conversations_select") => &["initial_conversations", "max_selected_items", "filter"],
        Some("users_select") => &["initial_user"],
        Some("conversations_select") => &["initial_conversation", "filter"],
        Some("radio_buttons" | "static_select") => &["initial_option", "options"],
        other => return Err(format!("{at}: unsupported element {other:?}")),
    };
    only(element, &[&["type", "action_id", "placeholder", "focus_on_load"], own].concat(), at)?;
    length(&element["action_id"], 255, at, "action_id")?;
    if !element["placeholder"].is_null() {
        ensure(element["type"] != "radio_buttons", at, "radio buttons have no placeholder")?;
        text(&element["placeholder"], Markup::Plain, 150, &format!("{at}.placeholder"))?;
    }
    for key in ["initial_users", "initial_conversations"] {
        let given = &element[key];
        let is_list = given.as_array().is_some_and(|ids| !ids.is_empty() && ids.iter().all(Value::is_string));
        ensure(given.is_null() || is_list, at, &format!("{key} must be a list of ids"))?;
    }
    if own.contains(&"options") { options(element, at) } else { Ok(()) }
}

fn options(element: &Value, at: &str) -> Checked {
    let (most, size) = if element["type"] == "radio_buttons" { (10, 75) } else { (100, 75) };
    let options = element["options"].as_array().ok_or_else(|| format!("{at}: missing options"))?;
    ensure((1..=most).contains(&options.len()), at, &format!("1 to {most} options allowed"))?;
    for option in options {
        only(option, &["text", "value", "description"], at)?;
        text(&option["text"], Markup::Any, size, &format!("{at}.options"))?;
        ensure(option["value"].is_string(), at, "an option without a value")?;
        length(&option["value"], 150, at, "value")?;
    }
    let initial = &element["initial_option"];
    ensure(initial.is_null() || options.contains(initial), at, "initial_option must be one of the options")
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

// The sandbox's page: shows what the server sends (`/events`) and sends what a person does (`POST /do`).
//
// Whatever comes from the server is put in as text, never as markup. What is on the page is changed in place, by key, so
// that nobody loses their focus or their place.

// What may follow the command, as `/stream help` lists it; a test compares.
const COMMAND = "/stream";
const VERBS = [
  ["start", '<meeting> ["title"] [--speaker-name on|off] [--layout follow_host|gallery_view|speaker_view] [--captions burnt-in|embedded|off] [--dry-run]', "put a meeting on air"],
  ["stop", "<meeting>", "take it off air"],
  ["status", "[<meeting>]", "how the streams of this workspace are, or that of one meeting"],
  ["connect", "", "connect your Zoom account"],
  ["disconnect", "", "disconnect it again"],
  ["whoami", "", "which Zoom account you are connected as"],
  ["save", '<name> <meeting> ["title"]', "save a meeting under a name of your own"],
  ["forget", "<name>", "forget a saved name"],
  ["presets", "", "your saved names"],
  ["setup", "<meeting>", "see and set where a meeting's stream goes, on a private page"],
  ["check", "<meeting>", "what would stop a start, and how to cure it"],
  ["lend", "<meeting> [to <@colleague>] [until 18:00 | for 2h] | <meeting> back", "let a colleague start and stop a meeting's stream for a while, as you; or take that back"],
  ["audit", "[<count>]", "the last entries of this workspace's audit, for admins"],
  ["policy", "", "who may do what in this workspace; for admins"],
  ["doctor", "", "whether OnAir is well, and how to mend what isn't; for admins"],
  ["help", "[<verb>]", "this list, or more about one verb"],
];

const MOODS = [
  ["well", "Well", "Zoom answers at once."],
  ["slow", "Slow", "Zoom takes seconds to answer. Slack waits for three; watch what OnAir says meanwhile."],
  ["late", "On air late", "Zoom takes a start at once, and the stream is on air almost a minute later."],
  ["throttled", "429", "Zoom answers 429, too many requests. OnAir says when it tries again."],
  ["daily", "Daily quota", "Zoom answers 429 for the rest of the day."],
  ["refusing", "Refusing", "Zoom refuses to start or stop streams."],
  ["down", "Down", "Zoom answers 503 to everything."],
];

// What can be switched about a meeting: its words, whether it is on, and the two acts.
const SWITCHES = [
  ["In progress", (meeting) => meeting.running, "start", "end"],
  ["Encrypted end to end", (meeting) => meeting.encrypted, "encrypt", "unencrypt"],
  ["Streaming allowed", (meeting) => meeting.allowed, "allow", "disallow"],
  ["Stream target set", (meeting) => meeting.target !== null, "target_on", "target_off"],
  ["Target reachable", (meeting) => meeting.reachable, "reachable", "unreachable"],
];

const NAMES = { slack: "Slack", zoom: "Zoom", onair: "OnAir", browser: "Browser" };

const EMOJI = {
  warning: "⚠️", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", red_circle: "🔴", large_green_circle: "🟢",
  tv: "📺", clapper: "🎬", tada: "🎉", wave: "👋", bell: "🔔", lock: "🔒", hourglass: "⌛", information_source: "ℹ️",
};

const MOST_EXCHANGES = 500;
const HOME = "home";

const $ = (id) => document.getElementById(id);

// What the server said last, and what the person here chose.
let world = null;
let user = sessionStorage.getItem("user");
let place = sessionStorage.getItem("place");
const seen = new Map();
const done = new Set();
const lines = [];
let lineAt = 0;

// ---------------------------------------------------------------- making and changing what is on the page

/** An element. Names of attributes are from this file alone; children are elements or text. */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

// One path each, 16 wide and high.
const ICONS = {
  public: "M6 2 5 14M11 2l-1 12M2.5 5.5h12M1.5 10.5h12",
  private: "M3.5 7.5h9v6.5h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  dm: "M2 3h12v8H7l-3 3v-3H2z",
  eye: "M1 8q7-8 14 0q-7 8-14 0zM8 6.2a1.8 1.8 0 1 0 .01 0z",
};

/** A small drawing for who sees it; words say the same. */
function icon(name) {
  const make = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const [svg, path] = [make("svg"), make("path")];
  for (const [key, value] of [["viewBox", "0 0 16 16"], ["class", "icon"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Makes the children those of the items, by key. What stays is not moved, for that would take its focus. */
function keyed(parent, items, key, make, update) {
  const wanted = new Set(items.map(key));
  const known = new Map();
  for (const node of [...parent.children]) {
    if (wanted.has(node.dataset.key)) known.set(node.dataset.key, node);
    else node.remove();
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let node = known.get(name);
    if (!node) {
      node = make(item);
      node.dataset.key = name;
    }
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
    update?.(node, item);
  }
}

/** Changes a text only where it differs, so that nothing is spoken twice. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Whether a button has nothing to do now. It keeps its focus, so it is not disabled. */
function isOff(button) {
  return button.getAttribute("aria-disabled") === "true";
}

/** Gives the focus back to what took the place of what had it. */
function keepingFocus(change) {
  const had = document.activeElement;
  const name = had?.dataset?.focus;
  const around = had?.closest?.("[data-key]");
  const key = around?.dataset.key;
  change();
  if (!had || had === document.body || had.isConnected) return;
  const where = around?.isConnected ? around : key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const next = (name && (where || document).querySelector(`[data-focus="${CSS.escape(name)}"]`)) || where || $("line");
  next.focus({ preventScroll: true });
}

/** Says something to who does not see the page. */
function speak(text) {
  $("spoken").append(h("span", {}, text));
  while ($("spoken").childElementCount > 5) $("spoken").firstElementChild.remove();
}

function notice(text) {
  $("notice").hidden = false;
  $("notice-text").textContent = text;
}

/** Sends an act. Whatever is to be told about it is told. */
async function act(what) {
  try {
    const response = await fetch("/do", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(what),
    });
    const said = await response.json();
    if (said.error) notice(said.error);
    // That a command failed is said by Slackbot, in the channel.
    else if (said.told && !(what.act === "type" && said.told.includes(" failed with "))) notice(said.told);
    return response.ok;
  } catch {
    notice("The sandbox does not answer. Is it still running in your terminal?");
    return false;
  }
}

// ---------------------------------------------------------------- Slack's mrkdwn

/** An address that may be followed, or null. */
function address(text) {
  const url = URL.parse ? URL.parse(text) : parsed(text);
  return url && (url.protocol === "https:" || url.protocol === "http:") ? url.href : null;
}

function parsed(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Text with code blocks, quotes, lists and what stands in a line. */
function mrkdwn(text) {
  const out = document.createDocumentFragment();
  const parts = text.split("```");
  // A fence that is never closed is none.
  if (parts.length % 2 === 0) parts.push(parts.splice(-2).join("```"));
  parts.forEach((part, index) => {
    if (index % 2 === 1) {
      const code = h("code");
      code.append(inCode(part.replace(/^\n/, "").replace(/\n$/, "")));
      out.append(h("pre", { tabindex: "0", role: "group", "aria-label": "Code" }, code));
    } else {
      out.append(paragraphs(part.replace(index > 0 ? /^\n/ : /^$/, "").replace(/\n$/, "")));
    }
  });
  return out;
}

function paragraphs(text) {
  const out = document.createDocumentFragment();
  let group = null;
  let kind = null;
  for (const line of text.split("\n")) {
    const now = line.startsWith("&gt;") ? "blockquote" : /^[•◦] /.test(line) ? "ul" : line === "" ? null : "p";
    if (now === null) {
      kind = null;
      continue;
    }
    const own = now === "ul" ? line.slice(2) : now === "blockquote" ? line.replace(/^&gt; ?/, "") : line;
    if (now !== kind) {
      group = h(now);
      out.append(group);
    } else if (now !== "ul") {
      group.append(h("br"));
    }
    kind = now;
    if (now === "ul") {
      const item = h("li");
      item.append(inline(own));
      group.append(item);
    } else {
      group.append(inline(own));
    }
  }
  return out;
}

const MARKS = { "*": "strong", "_": "em", "~": "s" };

/** What stands in one line. */
function inline(text) {
  const out = document.createDocumentFragment();
  let plain = "";
  const flush = () => {
    if (plain) out.append(unescaped(plain));
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const pointed = /^<([^<>]+)>/.exec(rest);
    const code = /^`([^`]+)`/.exec(rest);
    const emoji = /^:([a-z0-9_+-]+):/.exec(rest);
    const bare = /^https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)]/.exec(rest);
    const end = closing(text, at);
    if (pointed) {
      flush();
      out.append(sequence(pointed[1]));
      at += pointed[0].length;
    } else if (code) {
      flush();
      const node = h("code");
      node.append(inCode(code[1]));
      out.append(node);
      at += code[0].length;
    } else if (emoji && Object.hasOwn(EMOJI, emoji[1])) {
      flush();
      out.append(h("span", { role: "img", "aria-label": emoji[1].replaceAll("_", " ") }, EMOJI[emoji[1]]));
      at += emoji[0].length;
    } else if (bare && !/\w$/.test(plain)) {
      flush();
      out.append(link(unescaped(bare[0]), unescaped(bare[0])));
      at += bare[0].length;
    } else if (end > 0) {
      flush();
      const node = h(MARKS[text[at]]);
      node.append(inline(text.slice(at + 1, end)));
      out.append(node);
      at = end + 1;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return out;
}

/** Where the emphasis ends that begins here, or 0: it is around whole words. */
function closing(text, at) {
  const sign = text[at];
  const isWord = (c) => c !== undefined && /[\p{L}\p{N}]/u.test(c);
  const isSpace = (c) => c === undefined || /\s/.test(c);
  if (!Object.hasOwn(MARKS, sign) || isWord(text[at - 1]) || isSpace(text[at + 1]) || text[at + 1] === sign) return 0;
  for (let end = at + 1; end < text.length; end += 1) {
    const over = /^(<[^<>]+>|`[^`]+`)/.exec(text.slice(end));
    if (over) end += over[0].length - 1;
    else if (text[end] === sign && !isSpace(text[end - 1]) && !isWord(text[end + 1])) return end;
  }
  return 0;
}

/** Within code Slack reads nothing but what is in pointed brackets. */
function inCode(text) {
  const out = document.createDocumentFragment();
  for (const part of text.split(/(<[^<>]+>)/)) {
    const pointed = /^<([^<>]+)>$/.exec(part);
    out.append(pointed ? sequence(pointed[1]) : unescaped(part));
  }
  return out;
}

function link(url, text) {
  const href = address(url);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, text) : text;
}

/** What stands for `<…>`. */
function sequence(inner) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? null : unescaped(inner.slice(bar + 1));
  if (target.startsWith("@")) {
    const id = target.slice(1);
    return h("span", { class: id === user ? "mention me" : "mention" }, `@${nameOf(id) ?? label ?? id}`);
  }
  if (target.startsWith("#")) {
    const channel = world?.channels.find((known) => known.id === target.slice(1));
    return h("span", { class: "mention" }, `#${channel?.name ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith("!date^")) {
    const [, seconds, form, url] = target.split("^");
    const shown = date(seconds, form ?? "", label ?? "");
    return url ? link(unescaped(url), shown) : shown;
  }
  if (target.startsWith("!")) return h("span", { class: "mention" }, label ?? `@${target.slice(1).split("^")[0]}`);
  return link(unescaped(target), label ?? unescaped(target));
}

function nameOf(id) {
  return world?.people.find((person) => person.id === id)?.name;
}

/** A moment in the reader's own time zone and manner, by Slack's form of it. */
function date(seconds, form, fallback) {
  const at = new Date(Number(seconds) * 1000);
  if (!/^-?\d+$/.test(seconds) || Number.isNaN(at.getTime())) return fallback;
  const day = (options) => at.toLocaleDateString(undefined, options);
  const pretty = (options) => nearDay(at) ?? day(options);
  const short = { year: "numeric", month: "short", day: "numeric" };
  const long = { weekday: "long", year: "numeric", month: "long", day: "numeric" };
  const full = { year: "numeric", month: "long", day: "numeric" };
  const tokens = {
    date_num: () => day({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date_slash: () => day({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date: () => day(full),
    date_short: () => day(short),
    date_long: () => day(long),
    date_pretty: () => pretty(full),
    date_short_pretty: () => pretty(short),
    date_long_pretty: () => pretty(long),
    time: () => at.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" }),
    time_secs: () => at.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
    ago: () => ago(at),
  };
  const shown = form.replace(/\{(\w+)\}/g, (whole, token) => (Object.hasOwn(tokens, token) ? tokens[token]() : whole));
  const title = at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  return h("time", { datetime: at.toISOString(), title }, unescaped(shown));
}

function nearDay(at) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(at) - midnight(new Date())) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

function ago(at) {
  const seconds = Math.round((at.getTime() - Date.now()) / 1000);
  const forms = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const [unit, size] = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]].find(
    ([, size]) => Math.abs(seconds) >= size || size === 1,
  );
  return forms.format(Math.trunc(seconds / size), unit);
}

function clock(at, more = { second: "2-digit" }) {
  return new Date(at).toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit", ...more });
}

// ---------------------------------------------------------------- Block Kit

/** All blocks of a message, a Home or a form. `press` takes what was pressed. */
function blocksOf(blocks, press) {
  const out = document.createDocumentFragment();
  for (const block of blocks) out.append(blockOf(block, press));
  return out;
}

function blockOf(block, press) {
  switch (block.type) {
    case "section": {
      const words = h("div", { class: "words" });
      if (block.text) words.append(textOf(block.text));
      if (block.fields) {
        words.append(h("div", { class: "fields" }, block.fields.map((field) => h("div", {}, textOf(field)))));
      }
      const beside = block.accessory && elementOf(block.accessory, block, press);
      return h("div", { class: "block section" }, words, beside);
    }
    case "header":
      return h("h3", { class: "block" }, plainOf(block.text));
    case "context":
      return h("div", { class: "block context" }, block.elements.map((one) => elementOf(one, block, press)));
    case "actions":
      return h("div", { class: "block buttons" }, block.elements.map((one) => elementOf(one, block, press)));
    case "divider":
      return h("hr", { class: "block" });
    case "image":
      return h("div", { class: "block" }, elementOf(block, block, press));
    default:
      return h("p", { class: "block note" }, `(A block of the type ${block.type} is not shown here.)`);
  }
}

function textOf(text) {
  return text.type === "mrkdwn" ? mrkdwn(text.text) : h("p", {}, plainOf(text));
}

function plainOf(text) {
  const known = (whole, name) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : whole);
  return (text?.text ?? "").replace(/:([a-z0-9_+-]+):/g, known);
}

function elementOf(element, block, press) {
  switch (element.type) {
    case "mrkdwn":
    case "plain_text":
      return h("div", {}, textOf(element));
    case "image":
      return h("span", { class: "note" }, `(${element.alt_text})`);
    case "button":
      return buttonOf(element, block, press);
    default:
      return h("span", { class: "note" }, `(An element of the type ${element.type} is not shown here.)`);
  }
}

function buttonOf(element, block, press) {
  const href = element.url && address(element.url);
  const attributes = {
    class: `press ${{ primary: "go", danger: "danger" }[element.style] ?? ""}`,
    "aria-label": element.accessibility_label,
    "data-focus": element.action_id,
    "data-action": element.action_id,
  };
  const pressed = { block_id: block.block_id, action_id: element.action_id };
  if (href) {
    const opens = h("span", { class: "unseen" }, " (opens a new tab)");
    return h("a", { ...attributes, href, target: "_blank", rel: "noopener noreferrer" }, plainOf(element.text), opens);
  }
  const onclick = async (event) => {
    const node = event.currentTarget;
    if (element.confirm && !(await confirmed(element.confirm))) return;
    node.setAttribute("aria-busy", "true");
    await press(pressed);
    node.removeAttribute("aria-busy");
  };
  return h("button", { ...attributes, type: "button", onclick }, plainOf(element.text));
}

// ---------------------------------------------------------------- dialogs

let dialogs = 0;

/** Opens a dialog that keeps the focus; when it is gone, whatever had it has it again. */
function show(dialog, first) {
  const before = document.activeElement;
  const around = before?.closest?.("[data-key]")?.dataset.key;
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const all = [...dialog.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0']")];
    const inside = all.filter((node) => !node.disabled && node.offsetParent !== null && isTabStop(node, all));
    const [start, end] = [inside[0], inside.at(-1)];
    const isAt = (node) => document.activeElement === node || (node.type === "radio" && node.name === document.activeElement.name);
    if (event.shiftKey && isAt(start)) {
      end.focus();
      event.preventDefault();
    } else if (!event.shiftKey && isAt(end)) {
      start.focus();
      event.preventDefault();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    const again = around && document.querySelector(`[data-key="${CSS.escape(around)}"]`);
    const next = before?.isConnected && before !== document.body ? before : again || $("line");
    // The browser has given it the focus back already, but a field that was not to be used then takes no keys.
    next.blur();
    next.focus({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
  (first ?? dialog.querySelector("input, select, button")).focus();
}

/** Of radio buttons of one name, Tab stops at the one that is chosen, or at the first. */
function isTabStop(node, all) {
  if (node.type !== "radio") return true;
  const group = all.filter((other) => other.type === "radio" && other.name === node.name);
  return node === (group.find((other) => other.checked) ?? group[0]);
}

/** Asks once more before a press counts. */
function confirmed(question) {
  return new Promise((resolve) => {
    const id = `dialog-${(dialogs += 1)}`;
    const answer = (yes) => () => {
      resolve(yes);
      dialog.close();
    };
    const no = h("button", { type: "button", onclick: answer(false) }, plainOf(question.deny));
    const style = question.style === "danger" ? "danger" : "go";
    const yes = h("button", { type: "button", class: style, onclick: answer(true) }, plainOf(question.confirm));
    const dialog = h(
      "dialog",
      { class: "ask", role: "alertdialog", "aria-labelledby": id, "aria-describedby": `${id}-text` },
      h("h2", { id }, plainOf(question.title)),
      h("div", { id: `${id}-text` }, textOf(question.text)),
      h("div", { class: "buttons end" }, no, yes),
    );
    dialog.addEventListener("close", () => resolve(false));
    show(dialog, no);
  });
}

/** A form that the app opened. */
function formDialog(modal) {
  const view = modal.view;
  const id = `dialog-${(dialogs += 1)}`;
  const fields = [];
  const blocks = view.blocks.map((block) => {
    if (block.type !== "input") return blockOf(block, () => {});
    const field = fieldOf(block, `${id}-${block.block_id}`);
    fields.push(field);
    return field.node;
  });
  let shownErrors = "";
  const sent = async (event) => {
    event.preventDefault();
    const missing = fields.filter((field) => !field.isOptional && field.isEmpty());
    const errors = Object.fromEntries(missing.map((field) => [field.name, "Please complete this required field."]));
    tell(errors);
    if (missing.length > 0) return;
    const submit = event.submitter ?? dialog.querySelector("[type=submit]");
    submit?.setAttribute("aria-busy", "true");
    const values = Object.fromEntries(fields.map((field) => [field.name, { [field.action]: field.value() }]));
    await act({ act: "submit", user, modal: modal.id, values });
    submit?.removeAttribute("aria-busy");
    const now = world.modals.find((open) => open.id === modal.id);
    if (now) dialog.update(now, true);
  };
  const close = () => act({ act: "close", user, modal: modal.id });
  const dialog = h(
    "dialog",
    { class: "form", "aria-labelledby": id },
    h(
      "form",
      { novalidate: true, onsubmit: sent },
      h("h2", { id }, plainOf(view.title)),
      h("div", { class: "body" }, blocks),
      h(
        "div",
        { class: "buttons end" },
        h("button", { type: "button", onclick: close }, plainOf(view.close ?? { text: "Close" })),
        view.submit && h("button", { type: "submit", class: "go" }, plainOf(view.submit)),
      ),
    ),
  );
  // Escape means the same as the button: the server says when it is closed.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  const tell = (errors) => {
    const wrong = fields.filter((field) => field.tell(errors[field.name] ?? ""));
    wrong[0]?.focus();
  };
  dialog.view = JSON.stringify(view);
  dialog.update = (now, again = false) => {
    const errors = JSON.stringify(now.errors ?? {});
    if (errors === shownErrors && !again) return;
    shownErrors = errors;
    tell(now.errors ?? {});
  };
  return dialog;
}

/** One field: what is on the page, and what Slack would send of it. */
function fieldOf(block, id) {
  const element = block.element;
  const isOptional = block.optional === true;
  const label = [plainOf(block.label), isOptional && h("span", { class: "note" }, " (optional)")];
  const hint = block.hint && h("p", { class: "note", id: `${id}-hint` }, plainOf(block.hint));
  const fault = h("p", { class: "fault", id: `${id}-fault`, hidden: true });
  const about = `${id}-fault${hint ? ` ${id}-hint` : ""}`;
  const input = inputOf(element, id, about, isOptional);
  const node = input.isGroup
    ? h("fieldset", { class: "field", "aria-describedby": about, role: input.role }, h("legend", {}, label), hint, fault, input.node)
    : h("div", { class: "field" }, h("label", { for: id }, label), hint, fault, input.node);
  const invalid = input.isGroup && input.role !== "radiogroup" ? null : input.isGroup ? node : input.node;
  return {
    node,
    isOptional,
    name: block.block_id,
    action: element.action_id,
    value: input.value,
    isEmpty: input.isEmpty,
    focus: () => node.querySelector("input:checked, input, select, textarea")?.focus(),
    tell(text) {
      fault.hidden = text === "";
      say(fault, text);
      invalid?.toggleAttribute("aria-invalid", false);
      if (text) invalid?.setAttribute("aria-invalid", "true");
      return text !== "";
    },
  };
}

function inputOf(element, id, about, isOptional) {
  const type = element.type;
  const single = { "aria-describedby": about, id, "aria-required": isOptional ? null : "true" };
  switch (type) {
    case "multi_users_select":
      return checks(id, peopleOptions(), element.initial_users, (chosen) => ({ type, selected_users: chosen }));
    case "multi_conversations_select":
      return checks(id, channelOptions(element, element.initial_conversations), element.initial_conversations, (chosen) => ({
        type,
        selected_conversations: chosen,
      }));
    case "multi_static_select":
    case "checkboxes": {
      const first = (element.initial_options ?? []).map((option) => option.value);
      return checks(id, staticOptions(element), first, (chosen) => ({
        type,
        selected_options: element.options.filter((option) => chosen.includes(option.value)),
      }));
    }
    case "users_select":
      return select(single, peopleOptions(), element.initial_user, (chosen) => ({ type, selected_user: chosen }));
    case "conversations_select":
      return select(single, channelOptions(element, [element.initial_conversation]), element.initial_conversation, (chosen) => ({
        type,
        selected_conversation: chosen,
      }));
    case "static_select":
      return select(single, staticOptions(element), element.initial_option?.value, (chosen) => ({
        type,
        selected_option: element.options.find((option) => option.value === chosen) ?? null,
      }));
    case "radio_buttons":
      return radios(id, element, !isOptional);
    case "plain_text_input": {
      const node = element.multiline ? h("textarea", { ...single, rows: "4" }) : h("input", { ...single, type: "text" });
      node.value = element.initial_value ?? "";
      return { node, value: () => ({ type, value: node.value || null }), isEmpty: () => node.value === "" };
    }
    default: {
      const node = h("p", { class: "note" }, `(A field of the type ${type} is not shown here.)`);
      return { node, value: () => ({ type }), isEmpty: () => false };
    }
  }
}

function peopleOptions() {
  return world.people.map((person) => [person.id, person.name]);
}

/** The channels that the reader sees, and those that are chosen already. */
function channelOptions(element, chosen) {
  const kinds = element.filter?.include ?? ["public", "private"];
  const shown = world.channels.filter((channel) => kinds.includes(channel.kind) && isIn(channel));
  const options = shown.map((channel) => [channel.id, `#${channel.name}${channel.kind === "private" ? " (private)" : ""}`]);
  const missing = (chosen ?? []).filter((id) => id && !options.some(([known]) => known === id));
  return [...options, ...missing.map((id) => [id, "A channel that you are not in"])];
}

function staticOptions(element) {
  return element.options.map((option) => [option.value, plainOf(option.text)]);
}

function checks(id, options, chosen, value) {
  const boxes = options.map(([name, label], index) => {
    const box = h("input", { type: "checkbox", id: `${id}-${index}`, value: name });
    box.checked = (chosen ?? []).includes(name);
    return [box, h("label", { class: "choice", for: `${id}-${index}` }, box, label)];
  });
  const picked = () => boxes.filter(([box]) => box.checked).map(([box]) => box.value);
  const node = h("div", { class: "choices" }, boxes.map(([, label]) => label));
  return { isGroup: true, role: "group", node, value: () => value(picked()), isEmpty: () => picked().length === 0 };
}

function radios(id, element, isRequired) {
  const buttons = element.options.map((option, index) => {
    const input = h("input", { type: "radio", name: id, id: `${id}-${index}`, value: option.value });
    input.required = isRequired;
    input.checked = element.initial_option?.value === option.value;
    return [input, option, h("label", { class: "choice", for: `${id}-${index}` }, input, plainOf(option.text))];
  });
  const picked = () => buttons.find(([input]) => input.checked)?.[1] ?? null;
  return {
    isGroup: true,
    role: "radiogroup",
    node: h("div", { class: "choices" }, buttons.map(([, , label]) => label)),
    value: () => ({ type: element.type, selected_option: picked() }),
    isEmpty: () => picked() === null,
  };
}

function select(attributes, options, chosen, value) {
  const node = h("select", attributes, h("option", { value: "" }, "Nothing chosen"));
  node.append(...options.map(([name, label]) => h("option", { value: name }, label)));
  node.value = chosen ?? "";
  return { node, value: () => value(node.value || null), isEmpty: () => node.value === "" };
}

const forms = new Map();

/** Opens, changes and closes the forms of the person here. */
function renderForms() {
  const mine = world.modals.filter((modal) => modal.user === user);
  for (const [id, dialog] of forms) {
    const now = mine.find((modal) => modal.id === id);
    if (now && JSON.stringify(now.view) === dialog.view) continue;
    forms.delete(id);
    dialog.close();
  }
  for (const modal of mine) {
    done.add("policy");
    if (!forms.has(modal.id)) {
      forms.set(modal.id, formDialog(modal));
      show(forms.get(modal.id));
    }
    forms.get(modal.id).update(modal);
  }
}

// ---------------------------------------------------------------- the workspace

/** Whether the person here is in a channel. */
function isIn(channel) {
  return channel.members === null || channel.members.includes(user);
}

function myChannels() {
  return world.channels.filter(isIn);
}

function messagesIn(channel, reader = user) {
  return world.messages.filter((message) => message.channel === channel && (message.only === null || message.only === reader));
}

function me() {
  return world.people.find((person) => person.id === user);
}

function go(to) {
  place = to;
  sessionStorage.setItem("place", to);
  if (to === HOME) {
    done.add("home");
    act({ act: "open_home", user });
  }
  offer(false);
  render();
  if (to === HOME) $("scroll").scrollTop = 0;
  else toEnd();
}

function be(id) {
  user = id;
  sessionStorage.setItem("user", id);
  act({ act: "be", user });
  if (place === HOME) act({ act: "open_home", user });
  offer(false);
  render();
  if (place !== HOME) toEnd();
}

function avatar(name, kind = "person") {
  return h("span", { class: `avatar ${kind}`, "data-tint": String(name.charCodeAt(0) % 5), "aria-hidden": "true" }, name[0].toUpperCase());
}

function renderSide() {
  keyed(
    $("people"),
    [null, ...world.people],
    (person) => (person === null ? "legend" : person.id),
    (person) => {
      const input = h("input", { type: "radio", name: "person", value: person.id, onchange: () => be(person.id) });
      const role = person.admin && h("span", { class: "tag" }, "admin");
      return h("label", { class: "person" }, input, avatar(person.name), h("span", { class: "name" }, person.name), role);
    },
    (node, person) => {
      if (person) node.querySelector("input").checked = person.id === user;
    },
  );
  keyed($("channels"), myChannels(), (channel) => channel.id, makeChannel, (node, channel) => {
    const button = node.firstElementChild;
    mark(button, "aria-current", String(channel.id === place));
    const unread = channel.id === place ? 0 : messagesIn(channel.id).length - (seen.get(`${user} ${channel.id}`) ?? 0);
    const badge = node.querySelector(".badge");
    badge.hidden = unread <= 0;
    say(badge.firstElementChild, String(unread));
    node.querySelector(".tag").hidden = channel.bot_in;
  });
  keyed(
    $("apps"),
    [HOME],
    (id) => id,
    () => h("li", {}, h("button", { type: "button", onclick: () => go(HOME) }, avatar("OnAir", "app"), h("span", { class: "name" }, "OnAir Home"))),
    (node) => mark(node.firstElementChild, "aria-current", String(place === HOME)),
  );
}

function makeChannel(channel) {
  const label = channel.kind === "dm" ? "OnAir" : channel.name;
  const kind = { public: "", private: " (private channel)", dm: " (direct messages)" }[channel.kind];
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", onclick: () => go(channel.id) },
      icon(channel.kind),
      h("span", { class: "name" }, label, h("span", { class: "unseen" }, kind)),
      h("span", { class: "tag" }, "no app"),
      h("span", { class: "badge", hidden: true }, h("span", {}), h("span", { class: "unseen" }, " new")),
    ),
  );
}

function renderPlace() {
  const channel = world.channels.find((known) => known.id === place);
  const isHome = place === HOME;
  const name = isHome ? "OnAir Home" : channel.kind === "dm" ? "OnAir" : `#${channel.name}`;
  say($("place"), name);
  say($("about-place"), isHome ? `What OnAir shows ${me().name} alone.` : aboutChannel(channel));
  $("composer").hidden = isHome;
  $("messages").hidden = isHome;
  $("home").hidden = !isHome;
  mark($("line"), "aria-label", `Message ${name} as ${me().name}`);
  mark($("line"), "placeholder", `Message ${name} as ${me().name}`);
  if (isHome) renderHome();
  else renderMessages(channel);
}

function aboutChannel(channel) {
  if (channel.kind === "dm") return "Direct messages of the app.";
  const people = (channel.members ?? world.people.map((person) => person.id)).map(nameOf).filter(Boolean).join(", ");
  const kind = channel.kind === "private" ? "Private: " : "";
  const app = channel.bot_in ? "" : " OnAir is not in this channel: commands work, and it answers them only.";
  return `${kind}${people}.${app}`;
}

let isAtEnd = true;

function toEnd() {
  isAtEnd = true;
  $("scroll").scrollTop = $("scroll").scrollHeight;
}

let shownPlace = null;
const shownMessages = new Map();

function renderMessages(channel) {
  const messages = messagesIn(channel.id);
  const isFresh = shownPlace !== `${user} ${channel.id}`;
  const wasAtEnd = isAtEnd;
  if (isFresh) {
    $("messages").replaceChildren();
    shownMessages.clear();
    shownPlace = `${user} ${channel.id}`;
  }
  let hasNew = false;
  keyed(
    $("messages"),
    messages,
    (message) => message.key,
    () => h("li", { class: "message", tabindex: "-1" }),
    (node, message) => {
      const now = JSON.stringify(message);
      const before = shownMessages.get(message.key);
      if (before === now) return;
      shownMessages.set(message.key, now);
      if (!isFresh) speak(`${before ? "Changed, " : ""}${message.author.name}: ${spokenOf(message)}`);
      hasNew = hasNew || !before;
      keepingFocus(() => node.replaceChildren(...messageOf(message)));
      node.classList.toggle("private", message.only !== null);
      if (before) {
        node.classList.remove("changed");
        requestAnimationFrame(() => node.classList.add("changed"));
      }
    },
  );
  seen.set(`${user} ${channel.id}`, messages.length);
  const isEmpty = messages.length === 0;
  $("empty").hidden = !isEmpty;
  if (isEmpty) say($("empty"), "Nothing here yet. Type a command below, or take the first step above.");
  if (wasAtEnd || isFresh) toEnd();
  else if (hasNew) $("newer").hidden = false;
}

/** What is read aloud: the text that says the same as the blocks. */
function spokenOf(message) {
  const node = h("div");
  node.append(mrkdwn(message.text));
  return `${node.textContent}${message.only === null ? "" : " (only visible to you)"}`;
}

function messageOf(message) {
  const author = message.author;
  const name = { app: "OnAir", slackbot: "Slackbot" }[author.kind] ?? author.name;
  const body = h("div", { class: "body" });
  const press = (action) => act({ act: "press", user, message: message.key, action });
  if (message.blocks?.length > 0) body.append(blocksOf(message.blocks, press));
  else body.append(mrkdwn(message.text));
  const time = h("time", { datetime: message.at, title: new Date(message.at).toLocaleString() }, clock(message.at));
  return [
    avatar(name, author.kind),
    h(
      "div",
      { class: "content" },
      message.only !== null && h("p", { class: "only" }, icon("eye"), " Only visible to you"),
      h(
        "p",
        { class: "by" },
        h("span", { class: "name" }, name),
        author.kind === "app" && h("span", { class: "tag" }, "app"),
        time,
        message.edits > 0 && h("span", { class: "edited" }, "(edited)"),
      ),
      body,
    ),
  ];
}

let shownHome = "";

function renderHome() {
  const home = world.homes.find((known) => known.user === user);
  $("empty").hidden = home !== undefined;
  if (!home) say($("empty"), "OnAir has not shown a Home yet. It does when you open it, while the service runs.");
  const now = `${user} ${JSON.stringify(home?.view ?? null)}`;
  if (now === shownHome) return;
  const isAnew = shownHome.startsWith(user) && shownPlace === HOME;
  shownHome = now;
  shownPlace = HOME;
  const press = (action) => act({ act: "press_home", user, action });
  keepingFocus(() => $("home").replaceChildren(blocksOf(home?.view.blocks ?? [], press)));
  if (isAnew) speak("The Home was shown anew.");
}

// ---------------------------------------------------------------- what to try

const STEPS = [
  { id: "connect", label: "Connect Zoom", line: "connect", hint: "Send this, press Connect Zoom in the answer, and say yes on the pages that open." },
  { id: "start", label: "Go on air", line: 'start 68423085 "Town hall"', hint: "Send this. The message changes by itself when Zoom reports that the stream is on air." },
  { id: "stop", label: "Go off air", line: "stop 68423085", hint: "Send this, or press Stop in the message and say yes." },
  { id: "kill", label: "Kill the service", line: "check 68423085", point: "service", hint: "Make Zoom slow, send this, and press Kill -9 before the answer is there. Then press Start: OnAir finishes what it accepted." },
  { id: "throttle", label: "Meet a 429", line: 'start 68423085 "Keynote"', point: "zoom", hint: "Choose 429 at Zoom and send this. OnAir says when it tries again, and does; let Zoom be well by then." },
  { id: "policy", label: "Set rules", line: "policy", hint: "Send this as ada, who is an admin: a form opens." },
  { id: "home", label: "Open the Home", line: null, hint: "What OnAir shows one person alone: their account, streams and saved names." },
];

// The step of which the hint is shown, until it is done.
let hinted = null;
let wasLive = false;
let wasDown = false;

/** Ticks off what was tried. */
function lookForSteps() {
  const grants = world.zoom.grants;
  if (grants.includes(me().zoom)) done.add("connect");
  const isLive = world.zoom.meetings.some((meeting) => meeting.stream === "live");
  if (isLive) done.add("start");
  if (wasLive && !isLive) done.add("stop");
  wasLive = isLive;
  if (wasDown && world.service.ready) done.add("kill");
  wasDown = wasDown || !world.service.running;
}

function renderSteps() {
  lookForSteps();
  if (hinted && done.has(hinted)) {
    hinted = null;
    say($("hint"), "");
  }
  const next = STEPS.find((step) => !done.has(step.id));
  keyed(
    $("steps"),
    STEPS,
    (step) => step.id,
    (step) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", onclick: () => take(step) },
          h("span", { class: "tick", "aria-hidden": "true" }),
          h("span", {}, step.label),
          h("span", { class: "unseen" }),
        ),
      ),
    (node, step) => {
      const isDone = done.has(step.id);
      node.classList.toggle("done", isDone);
      node.classList.toggle("next", step === next);
      say(node.querySelector(".tick"), isDone ? "✓" : String(STEPS.indexOf(step) + 1));
      say(node.querySelector(".unseen"), isDone ? " (done)" : step === next ? " (next)" : "");
    },
  );
}

function take(step) {
  hinted = done.has(step.id) ? null : step.id;
  say($("hint"), step.hint);
  if (step.point) {
    $(step.point).classList.remove("pointed");
    requestAnimationFrame(() => $(step.point).classList.add("pointed"));
  }
  if (step.line === null) {
    go(HOME);
    return;
  }
  if (place === HOME) go(myChannels()[0].id);
  $("line").value = `${COMMAND} ${step.line}`;
  $("line").focus();
  offer(false);
}

// ---------------------------------------------------------------- the message box

let offered = [];
let picked = -1;

/** What could stand in the place of the last word. */
function offersFor(text) {
  if (!text.startsWith("/")) return [];
  const words = text.split(" ");
  if (words.length === 1) {
    return COMMAND.startsWith(text) ? [{ line: `${COMMAND} `, what: COMMAND, about: "put Zoom meetings on air" }] : [];
  }
  if (words[0] !== COMMAND) return [];
  if (words.length === 2) {
    return VERBS.filter(([verb]) => verb.startsWith(words[1].toLowerCase()) && verb !== words[1]).map(([verb, rest, purpose]) => ({
      line: `${COMMAND} ${verb}${rest ? " " : ""}`,
      what: verb,
      about: purpose,
    }));
  }
  const verb = VERBS.find(([known]) => known === words[1].toLowerCase());
  if (verb?.[0] === "help" && words.length === 3) {
    const rest = VERBS.filter(([known]) => known.startsWith(words[2]) && known !== words[2]);
    return rest.map(([known, , purpose]) => ({ line: `${COMMAND} help ${known}`, what: known, about: purpose }));
  }
  const place = verb?.[1].split(" ").findIndex((word) => word.includes("<meeting>")) ?? -1;
  if (place !== words.length - 3) return [];
  const typed = words.at(-1);
  const meetings = world.zoom.meetings.filter((meeting) => String(meeting.id).startsWith(typed) && String(meeting.id) !== typed);
  const before = words.slice(0, -1).join(" ");
  return meetings.map((meeting) => ({ line: `${before} ${meeting.id}`, what: String(meeting.id), about: meeting.topic }));
}

function offer(isWanted) {
  const line = $("line");
  offered = isWanted ? offersFor(line.value) : [];
  picked = -1;
  keyed(
    $("offers"),
    offered,
    (one) => one.line,
    (one) =>
      h(
        "li",
        { role: "option", id: `offer-${one.what.replace("/", "")}`, "aria-selected": "false", onmousedown: (event) => {
          event.preventDefault();
          choose(one);
        } },
        h("span", { class: "what" }, one.what),
        h("span", { class: "note" }, one.about),
      ),
  );
  $("offers").hidden = offered.length === 0;
  mark(line, "aria-expanded", String(offered.length > 0));
  pick(-1);
  say($("usage"), usage(line.value));
}

function pick(index) {
  picked = index;
  [...$("offers").children].forEach((node, at) => {
    mark(node, "aria-selected", String(at === index));
    if (at === index) node.scrollIntoView({ block: "nearest" });
  });
  if (index < 0) $("line").removeAttribute("aria-activedescendant");
  else $("line").setAttribute("aria-activedescendant", $("offers").children[index].id);
}

function choose(one) {
  $("line").value = one.line;
  offer(true);
}

function usage(text) {
  const [command, verb] = text.split(" ");
  const known = VERBS.find(([name]) => name === verb?.toLowerCase());
  if (command === COMMAND && known) return `${COMMAND} ${known[0]} ${known[1]}`.trim() + `: ${known[2]}`;
  if (command === COMMAND) return `${COMMAND} ${VERBS.map(([name]) => name).join(" | ")}`;
  return `Type ${COMMAND} for a command. Enter sends, ↑ brings back what was sent before.`;
}

function onKey(event) {
  const line = $("line");
  if (event.isComposing) return;
  const isOpen = offered.length > 0;
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && isOpen) {
    const step = event.key === "ArrowDown" ? 1 : -1;
    const count = offered.length;
    pick(picked < 0 && step < 0 ? count - 1 : (picked + step + count) % count);
    event.preventDefault();
  } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const to = lineAt + (event.key === "ArrowUp" ? -1 : 1);
    if (to < 0 || to > lines.length) return;
    lineAt = to;
    line.value = lines[to] ?? "";
    offer(false);
    event.preventDefault();
  } else if ((event.key === "Enter" || event.key === "Tab") && picked >= 0) {
    choose(offered[picked]);
    event.preventDefault();
  } else if (event.key === "Escape" && isOpen) {
    offer(false);
    event.preventDefault();
  }
}

function onSend(event) {
  event.preventDefault();
  const line = $("line");
  const text = line.value.trim();
  if (!text) return;
  if (lines.at(-1) !== text) lines.push(text);
  lineAt = lines.length;
  line.value = "";
  offer(false);
  $("notice").hidden = true;
  toEnd();
  act({ act: "type", user, channel: place, text });
}

// ---------------------------------------------------------------- Zoom and the service

function renderPanel() {
  const { service, zoom } = world;
  const state = !service.running ? "Not running" : service.ready ? "Running and ready" : "Running, not ready";
  say($("service-state"), service.running ? `${state} · process ${service.pid} · ${service.address}` : `${state}. Slack and Zoom get no answer.`);
  mark($("service"), "data-state", !service.running ? "bad" : service.ready ? "ok" : "wait");
  for (const button of document.querySelectorAll("[data-service]")) {
    mark(button, "aria-disabled", String(service.running === (button.dataset.service === "start")));
  }
  say($("installed"), world.installed ? "OnAir is installed in acme." : "OnAir is not installed in acme. ada, an admin, may do that.");
  say($("install"), world.installed ? "Take it out" : "Install it");
  keyed(
    $("moods"),
    MOODS,
    ([id]) => id,
    ([id, label]) => h("button", { type: "button", class: "mood", onclick: () => act({ act: "zoom_mood", mood: id }) }, label),
    (node, [id]) => mark(node, "aria-pressed", String(zoom.mood === id)),
  );
  say($("mood-about"), MOODS.find(([id]) => id === zoom.mood)?.[2] ?? "");
  keyed($("meetings"), zoom.meetings, (meeting) => String(meeting.id), makeMeeting, updateMeeting);
  const grants = world.people.filter((person) => zoom.grants.includes(person.zoom));
  keyed(
    $("grants"),
    grants,
    (person) => person.id,
    (person) => {
      const onclick = () => act({ act: "zoom_revoke", user: person.id });
      const label = `Remove OnAir at Zoom for ${person.zoom}`;
      return h("li", {}, h("span", {}, person.zoom), h("button", { type: "button", class: "quiet", "aria-label": label, onclick }, "Remove"));
    },
  );
  $("no-grants").hidden = grants.length > 0;
  $("complaints").hidden = world.complaints.length === 0;
  keyed($("complaint-list"), world.complaints.map((text, index) => [index, text]), ([index]) => String(index), () => h("li"), (node, [, text]) => say(node, text));
}

function number(id) {
  const digits = String(id);
  const cut = digits.length > 9 ? [3, digits.length === 11 ? 7 : 6] : [3, 6];
  return [digits.slice(0, cut[0]), digits.slice(cut[0], cut[1]), digits.slice(cut[1])].join(" ");
}

function makeMeeting(meeting) {
  const set = (what) => act({ act: "zoom", meeting: meeting.id, do: what });
  const switches = SWITCHES.map(([label, , on, off]) =>
    h(
      "button",
      { type: "button", role: "switch", class: "switch", "aria-checked": "false", onclick: (event) =>
        set(event.currentTarget.getAttribute("aria-checked") === "true" ? off : on) },
      h("span", { class: "knob", "aria-hidden": "true" }),
      label,
    ),
  );
  const drop = h("button", { type: "button", class: "quiet drop", onclick: (event) => isOff(event.currentTarget) || set("drop") }, "Drop the stream");
  return h(
    "li",
    {},
    h(
      "details",
      { open: meeting === world.zoom.meetings[0] },
      h(
        "summary",
        {},
        h("span", { class: "topic" }, meeting.topic),
        h("span", { class: "air" }),
        h("span", { class: "note" }, `${number(meeting.id)} · ${meeting.kind} of ${meeting.host.split("@")[0]}`),
      ),
      h("div", { class: "switches", role: "group", "aria-label": meeting.topic }, switches, drop),
      h("p", { class: "note target" }),
    ),
  );
}

function updateMeeting(node, meeting) {
  const air = node.querySelector(".air");
  const words = { live: `● On air${meeting.since ? ` since ${clock(meeting.since, {})}` : ""}`, connecting: "◌ Connecting", idle: meeting.running ? "In progress" : "Not running" };
  say(air, words[meeting.stream]);
  mark(air, "data-stream", meeting.stream);
  SWITCHES.forEach(([, isOn], index) => mark(node.querySelectorAll(".switch")[index], "aria-checked", String(isOn(meeting))));
  mark(node.querySelector(".drop"), "aria-disabled", String(meeting.stream !== "live"));
  say(node.querySelector(".target"), meeting.target ? `Streams to ${meeting.target.stream_url}` : "It has nowhere to stream to.");
}

// ---------------------------------------------------------------- requests

const exchanges = new Map();

function isFailed(exchange) {
  return exchange.status === null || exchange.status >= 400;
}

function isShown(exchange) {
  const filter = $("filter").value;
  if (filter === "failed") return isFailed(exchange);
  return filter === "all" || exchange.from === filter || exchange.to === filter;
}

function onExchange(exchange) {
  if (exchange.status === 429 && exchange.to === "zoom") done.add("throttle");
  const known = exchanges.get(exchange.n);
  const node = exchangeOf(exchange);
  node.hidden = !isShown(exchange);
  if (known) {
    known.node.replaceWith(node);
  } else {
    // They come in order but for those that took longer.
    const list = $("exchanges");
    const older = [...list.children].find((other) => Number(other.dataset.key) < exchange.n);
    list.insertBefore(node, older ?? null);
  }
  exchanges.set(exchange.n, { exchange, node });
  while (exchanges.size > MOST_EXCHANGES) {
    const [first] = exchanges.keys();
    exchanges.get(first).node.remove();
    exchanges.delete(first);
  }
  $("no-exchanges").hidden = exchanges.size > 0;
}

function exchangeOf(exchange) {
  const status = exchange.status === null ? "no answer" : String(exchange.status);
  const details = h(
    "details",
    {},
    h(
      "summary",
      {},
      h("span", { class: "when" }, clock(exchange.at)),
      h("span", { class: "route" }, NAMES[exchange.from] ?? exchange.from, h("span", { "aria-hidden": "true" }, " → "), h("span", { class: "unseen" }, " to "), NAMES[exchange.to] ?? exchange.to),
      h("span", { class: "what" }, h("b", {}, exchange.method), ` ${exchange.path.split("?")[0]}`),
      h("span", { class: "status" }, status),
      h("span", { class: "took" }, `${exchange.ms} ms`),
    ),
  );
  // What is inside is made when somebody looks.
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(insideOf(exchange));
  });
  const kind = isFailed(exchange) ? "bad" : "ok";
  return h("li", { class: "exchange", "data-from": exchange.from, "data-kind": kind, "data-key": String(exchange.n) }, details);
}

function insideOf(exchange) {
  const type = exchange.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  return h(
    "div",
    { class: "inside" },
    h("p", { class: "line" }, `${exchange.method} ${exchange.path}`),
    headers(exchange.headers),
    exchange.body && body("What was sent", pretty(exchange.body, type)),
    exchange.status !== null && exchange.answer_headers && h("h4", {}, "Headers of the answer"),
    exchange.status !== null && exchange.answer_headers && headers(exchange.answer_headers),
    exchange.status === null
      ? h("p", { class: "note" }, "No answer came: the connection was cut, or nobody listened.")
      : exchange.answer
        ? body(`Answer ${exchange.status}`, pretty(exchange.answer, ""))
        : h("p", { class: "note" }, `Answer ${exchange.status}, with nothing in it.`),
  );
}

function headers(list) {
  return h("dl", {}, list.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function body(title, text) {
  return h("div", {}, h("h4", {}, title), h("pre", { tabindex: "0", role: "group", "aria-label": title }, text));
}

/** JSON and forms as people read them. */
function pretty(text, type) {
  const json = asJson(text);
  if (json !== null) return json;
  if (!type.includes("form-urlencoded")) return text;
  const pairs = [...new URLSearchParams(text)];
  return pairs.map(([name, value]) => (asJson(value) ? `${name} =\n${asJson(value)}` : `${name} = ${value}`)).join("\n");
}

function asJson(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

// ---------------------------------------------------------------- all of it

function render() {
  if (!world) return;
  if (!me()) user = world.people[0].id;
  if (place !== HOME && !myChannels().some((channel) => channel.id === place)) place = myChannels()[0].id;
  keepingFocus(() => {
    renderSide();
    renderPlace();
    renderPanel();
    renderSteps();
    renderForms();
  });
}

function onState(snapshot) {
  const isFirst = world === null;
  world = snapshot;
  if (isFirst) {
    // What was there before is not new.
    for (const person of world.people) {
      for (const { id } of world.channels) seen.set(`${person.id} ${id}`, messagesIn(id, person.id).length);
    }
  }
  render();
  if (!isFirst) return;
  act({ act: "be", user });
  // Whoever comes back to this page from another one follows links as the person here.
  addEventListener("focus", () => act({ act: "be", user }));
  if (place === HOME) go(HOME);
  document.body.dataset.ready = "true";
}

function listen() {
  const events = new EventSource("/events");
  let wasLost = false;
  const tell = (text, kind) => {
    say($("link"), text);
    mark($("link"), "data-kind", kind);
  };
  events.addEventListener("open", () => {
    // A sandbox that was started anew is another world.
    if (wasLost) location.reload();
    tell("Connected", "ok");
  });
  events.addEventListener("error", () => {
    wasLost = true;
    tell(`The sandbox has ended. Start it here again: onair sandbox --port ${location.port}`, "bad");
  });
  events.addEventListener("state", (event) => onState(JSON.parse(event.data)));
  events.addEventListener("exchange", (event) => onExchange(JSON.parse(event.data)));
}

function wire() {
  for (const button of document.querySelectorAll("[data-to]")) {
    button.addEventListener("click", () => {
      document.body.dataset.pane = button.dataset.to;
      for (const other of document.querySelectorAll("[data-to]")) mark(other, "aria-current", String(other === button));
    });
  }
  for (const button of document.querySelectorAll("[data-service]")) {
    button.addEventListener("click", () => {
      if (!isOff(button)) act({ act: "service", do: button.dataset.service });
    });
  }
  $("install").addEventListener("click", () => act({ act: world.installed ? "uninstall" : "install", user }));
  $("line").addEventListener("input", () => offer(true));
  $("line").addEventListener("keydown", onKey);
  $("line").addEventListener("blur", () => offer(false));
  $("composer").addEventListener("submit", onSend);
  $("notice-close").addEventListener("click", () => {
    $("notice").hidden = true;
    $("line").focus();
  });
  $("newer").addEventListener("click", () => {
    toEnd();
    $("newer").hidden = true;
    $("line").focus();
  });
  $("scroll").addEventListener("scroll", () => {
    const node = $("scroll");
    isAtEnd = node.scrollHeight - node.scrollTop - node.clientHeight < 60;
    if (isAtEnd) $("newer").hidden = true;
  });
  // Who reads the newest goes on to, whatever takes room beside it.
  new ResizeObserver(() => isAtEnd && place !== HOME && toEnd()).observe($("scroll"));
  $("filter").addEventListener("change", () => {
    for (const { exchange, node } of exchanges.values()) node.hidden = !isShown(exchange);
  });
  say($("usage"), usage(""));
}

wire();
listen();

//! Text → words, each bare or in quote marks.
//!
//! People paste, phones "improve", Slack escapes: all of that ends here. [`plain`] undoes escapes, drops characters
//! that cannot be seen and leaves one kind of space; [`words`] cuts the result; [`quoted`] is the way back. What
//! the words mean is not known here, except that an unclosed quote must not swallow an option.

use super::{link, option};

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Without marks; full-width forms are folded and joiners are gone.
    Bare(String),
    /// What stood between quote marks.
    Quoted(String),
}

impl Word {
    /// The text without its marks.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bare(text) | Self::Quoted(text) => text,
        }
    }
}

/// The text with Slack's escapes undone, invisible characters dropped and every white space a plain one.
///
/// A second pass changes nothing: what an escape hides is looked at again, so no escape is left, however nested.
pub(super) fn plain(text: &str) -> String {
    let mut plain = Plain::default();
    for c in text.chars().filter(|&c| !is_invisible(c)) {
        plain.push(if c.is_whitespace() || c.is_control() { ' ' } else { c });
    }
    plain.out
}

/// Cuts a [`plain`] text into words.
pub(super) fn words(plain: &str) -> Vec<Word> {
    let chars: Vec<char> = plain.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        if first == ' ' {
            at += 1;
        } else if is_double(first) || is_single(first) {
            let (end, next) = closing(&chars, at);
            words.push(Word::Quoted(chars[at + 1..end].iter().collect()));
            at = next;
        } else {
            let bare = chars[at..].iter().take_while(|&&c| c != ' ' && !is_double(c));
            let end = at + bare.clone().count();
            words.push(Word::Bare(bare.filter(|&&c| !is_joiner(c)).map(|&c| narrow(c)).collect()));
            at = end;
        }
    }
    words.retain(|word| *word != Word::Bare(String::new()));
    words
}

/// A text in marks that [`words`] takes off again, its own marks changed only where no pair would hold them.
pub(super) fn quoted(text: &str) -> String {
    if !text.contains(is_double) {
        return format!("\"{text}\"");
    }
    let single = format!("'{text}'");
    if reads_as(&single, text) { single } else { format!("\"{}\"", text.replace(is_double, "'")) }
}

/// Whether a line is one quoted word with this text.
pub(super) fn reads_as(line: &str, text: &str) -> bool {
    matches!(words(&plain(line)).as_slice(), [Word::Quoted(read)] if read == text)
}

/// A double quote mark of any keyboard.
pub(super) fn is_double(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '＂')
}

/// A single quote mark of any keyboard; some are apostrophes too.
pub(super) fn is_single(c: char) -> bool {
    matches!(c, '\'' | '‘' | '’' | '‚' | '‛' | '‹' | '›' | '＇')
}

/// A hyphen, a dash or a minus.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}')
}

/// Marks that join or shape their neighbors: part of emoji and of some scripts, so a title keeps them.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{034F}')
}

/// Marks that nobody sees and no title needs: zero-width spaces, soft hyphens, changes of direction.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{61C}'
            | '\u{180B}'..='\u{180E}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// Full-width ASCII, as Asian keyboards type it, in its usual width.
pub(super) fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// Collects a text and takes escapes off the moment their last character arrives, which keeps nesting linear.
#[derive(Default)]
struct Plain {
    out: String,
    /// Where the `<` stand that nothing has closed yet.
    open: Vec<usize>,
}

impl Plain {
    /// Slack puts nothing into brackets that has brackets in it.
    const DEEPEST: usize = 32;

    fn push(&mut self, c: char) {
        match c {
            '<' => {
                // What encloses too much stops being a mark, or every `>` would read all of it again.
                if self.open.len() == Self::DEEPEST {
                    let outermost = self.open.remove(0);
                    self.out.replace_range(outermost..=outermost, " ");
                }
                self.open.push(self.out.len());
                self.out.push(c);
            }
            '>' => self.close(),
            ';' => self.entity(),
            _ => self.out.push(c),
        }
    }

    fn entity(&mut self) {
        for (name, meant) in [("&amp", '&'), ("&lt", '<'), ("&gt", '>')] {
            if self.out.ends_with(name) {
                self.out.truncate(self.out.len() - name.len());
                return self.push(meant);
            }
        }
        self.out.push(';');
    }

    fn close(&mut self) {
        let found = self.open.pop().and_then(|start| Some((start, unwrapped(&self.out[start + 1..])?)));
        match found {
            Some((start, inner)) => {
                self.out.truncate(start);
                inner.chars().for_each(|c| self.push(c));
            }
            None => {
                // A `>` that closes nothing is text, and no earlier `<` reaches past it.
                self.open.clear();
                self.out.push('>');
            }
        }
    }
}

/// What Slack put into angle brackets, as people saw it; `None` for brackets that people typed themselves.
///
/// [Slack's formatting](https://docs.slack.dev/messaging/formatting-message-text)
fn unwrapped(body: &str) -> Option<String> {
    let (address, label) = match body.split_once('|') {
        Some((address, label)) => (address, Some(label.trim()).filter(|label| !label.is_empty())),
        None => (body, None),
    };
    let tail = address.get(1..).unwrap_or_default();
    let is_id = !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let sigiled = |sigil: char| {
        let name = label.unwrap_or(tail).trim_start_matches(sigil);
        format!("{sigil}{name}")
    };
    match address.chars().next()? {
        '@' if is_id => Some(sigiled('@')),
        '#' if is_id => Some(sigiled('#')),
        '!' if tail.starts_with(|c: char| c.is_ascii_lowercase()) => {
            // `<!subteam^S1>` and `<!date^…>` carry arguments; the label says what people see.
            let name = tail.split('^').next().unwrap_or_default();
            Some(label.map_or_else(|| format!("@{name}"), str::to_owned))
        }
        _ => {
            let is_link =
                ["mailto:", "tel:"].iter().any(|scheme| address.starts_with(scheme)) || address.contains("://");
            let starts_well = address.starts_with(|c: char| c.is_ascii_alphabetic());
            // Slack makes telephone links of meeting ids: what was typed is in the label. Only of a link to a
            // meeting is the address worth more than the label.
            let text = label.filter(|_| !link::leads_to_zoom(address)).unwrap_or(address);
            (is_link && starts_well && !address.contains(' ')).then(|| text.to_owned())
        }
    }
}

/// Where a quoted text ends, and where reading goes on.
fn closing(chars: &[char], open: usize) -> (usize, usize) {
    let inside = open + 1..chars.len();
    let close = if is_double(chars[open]) {
        inside.clone().find(|&at| is_double(chars[at]))
    } else {
        inside.clone().find(|&at| is_single(chars[at]) && ends_word(chars, at) && !is_apostrophe(chars, at))
    };
    match close {
        Some(at) => (at, at + 1),
        None => unclosed(chars, open),
    }
}

/// An unclosed quote takes the rest of the line, but leaves the options there: a swallowed `--dry-run` goes on air.
fn unclosed(chars: &[char], open: usize) -> (usize, usize) {
    let option = (open + 1..chars.len()).find(|&at| chars[at - 1] == ' ' && option_at(chars, at));
    let next = option.unwrap_or(chars.len());
    let mut end = next;
    while end > open + 1 && chars[end - 1] == ' ' {
        end -= 1;
    }
    // A mark of the other kind at the very end was meant to close: `"Keynote'`.
    if end > open + 1 && (is_single(chars[end - 1]) || is_double(chars[end - 1])) {
        end -= 1;
    }
    (end, next)
}

/// Whether a single mark that could close is the apostrophe of `players' lounge'`: the next one closes, none opens.
fn is_apostrophe(chars: &[char], at: usize) -> bool {
    let next = (at + 1..chars.len()).find(|&i| is_single(chars[i]) || (is_double(chars[i]) && chars[i - 1] == ' '));
    next.is_some_and(|i| is_single(chars[i]) && chars[i - 1] != ' ' && ends_word(chars, i))
}

fn ends_word(chars: &[char], at: usize) -> bool {
    chars.get(at + 1).is_none_or(|&c| c == ' ') || option_at(chars, at + 1)
}

fn option_at(chars: &[char], at: usize) -> bool {
    /// Longer than any option's name, so that a line of nothing but marks stays cheap.
    const LOOK: usize = 40;
    let Some(rest) = chars.get(at..) else { return false };
    if !rest.first().is_some_and(|&c| is_dash(c)) {
        return false;
    }
    option::is_known(&rest.iter().take_while(|&&c| c != ' ' && !is_double(c)).take(LOOK).collect::<String>())
}

//! Whom a meeting is lent to, and for how long.

use std::borrow::Cow;

use super::Draft;
use crate::command::scan::Word;
use crate::command::{Problem, Verb, link};
use crate::id::UserId;
use crate::lend::{Lend, Term};

/// What was read of a `lend`, behind its meeting.
#[derive(Default)]
pub(super) struct Lent {
    colleague: Option<UserId>,
    /// Whether somebody was named, be it by an id or by what only people understand.
    is_named: bool,
    term: Option<Term>,
    is_back: bool,
}

impl Lent {
    pub(super) fn to_lend(&self) -> Lend {
        let is_only_back = self.is_back && !self.is_named && self.term.is_none();
        if is_only_back { Lend::Back } else { Lend::To { colleague: self.colleague.clone(), term: self.term } }
    }

    fn is_empty(&self) -> bool {
        !self.is_named && self.term.is_none() && !self.is_back
    }
}

impl Draft<'_> {
    /// Reads a word behind the meeting. A name that is no id says nothing about who that is, so it is not kept.
    pub(super) fn lend(&mut self, text: &str) {
        let folded = text.to_lowercase();
        match folded.as_str() {
            "back" if self.lent.is_empty() => self.lent.is_back = true,
            _ if self.lent.is_back => self.note(Problem::Trailing { word: link::shown(text) }),
            "to" if !self.lent.is_named => match self.next_bare(|next| !is_keyword(next)) {
                Some(name) => self.colleague(&name),
                None => self.lent.is_named = true,
            },
            "until" | "till" if self.lent.term.is_none() => self.term(Term::until),
            "for" if self.lent.term.is_none() => self.term(Term::lasting),
            _ if text.starts_with('@') && !self.lent.is_named => self.colleague(text),
            _ => self.note(Problem::Trailing { word: link::shown(text) }),
        }
    }

    fn colleague(&mut self, name: &str) {
        self.lent.is_named = true;
        let id = name.strip_prefix('@').filter(|id| is_user_id(id));
        self.lent.colleague = id.map(UserId::new);
    }

    fn term(&mut self, read: fn(&str) -> Option<Term>) {
        let next = self.next_bare(|next| !next.starts_with('@'));
        self.lent.term = next.as_deref().and_then(read);
        if self.lent.term.is_none() {
            self.note(Problem::NotATime { word: next.as_deref().map(link::shown) });
        }
    }

    fn next_bare(&mut self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let (Word::Bare(next), rest) = self.rest.split_first()? else { return None };
        let next = wanted(next).then(|| next.clone())?;
        self.rest = rest;
        Some(next)
    }
}

fn is_keyword(word: &str) -> bool {
    ["until", "till", "for", "back"].contains(&word.to_lowercase().as_str())
}

/// An id as Slack makes them.
fn is_user_id(text: &str) -> bool {
    (8..=20).contains(&text.len())
        && text.starts_with(['U', 'W'])
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The text of a `lend` with `<@U123>` in place of `<@U123|ben>`: everywhere else people read the name, and here the id says
/// who it is.
pub(super) fn with_ids(text: &str) -> Cow<'_, str> {
    let is_lend = text.split_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(Verb::Lend.word()));
    if !is_lend || !text.contains("<@") {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split("<@");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("<@");
        match part.split_once('>') {
            Some((mention, rest)) => {
                let id = mention.split_once('|').map_or(mention, |(id, _)| id);
                out.push_str(if is_user_id(id) { id } else { mention });
                out.push('>');
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    Cow::Owned(out)
}

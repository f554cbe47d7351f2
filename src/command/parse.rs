//! Words → [`Command`], or what is wrong with them and the nearest line that is right.
//!
//! A [`Draft`] reads to the end whatever it meets: the first problem is the one told, and everything else that was
//! understood goes into the suggestion. Every suggestion is parsed before it is made.

mod lend;
mod name;

use self::lend::Lent;
use self::name::{example_name, name_text};
use super::option::{Dashed, Flag, folded};
use super::scan::{self, Word, is_dash};
use super::{
    Command, MOST_AUDIT_COUNT, NotAMeeting, Problem, Run, Start, Target, UsageError, Verb, guard, guess, link,
};
use crate::meeting::{MeetingId, NotATitle, Settings, Title};
use crate::preset::{Preset, PresetName};

/// The longest suggestion anybody wants to copy, in characters.
const LONGEST_NEAREST: usize = 200;

/// The most pieces, dashes included, in which anybody writes an id.
const MOST_GROUPS: usize = 24;

/// Reads what was typed after the command's name.
pub fn parse(text: &str) -> Result<Command<Target>, UsageError> {
    let plain = scan::plain(&lend::with_ids(text));
    let words = scan::words(&plain);
    if guard::is_secret(text, &plain) {
        return Err(UsageError { problem: Problem::StreamSecret, nearest: nearest_to_secret(&words) });
    }
    read(&words).map_err(|(problem, nearest)| UsageError { problem, nearest: nearest.unwrap_or_else(help) })
}

/// A command, or the problem and a line that parses; without a line, nobody knows what was meant.
fn read(words: &[Word]) -> Result<Command<Target>, (Problem, Option<String>)> {
    let Some((first, rest)) = words.split_first() else {
        return Ok(Command::Help { verb: None });
    };
    match verb_named(first) {
        Some(verb) => {
            let draft = Draft::read(verb, rest);
            match (draft.command(), draft.problem) {
                (Some(command), None) => Ok(command),
                (command, problem) => {
                    let problem = problem.unwrap_or(Problem::MissingMeeting { verb });
                    Err((problem, Some(suggestion(verb, command))))
                }
            }
        }
        None => {
            let problem = Problem::UnknownVerb { word: link::shown(first.text()) };
            Err((problem, nearest_to_unknown(first, rest, words)))
        }
    }
}

/// Whether a line is right as it stands.
fn is_right(line: &str) -> bool {
    let words = scan::words(&scan::plain(line));
    let is_command = match words.split_first() {
        Some((first, rest)) => verb_named(first).is_some_and(|verb| Draft::read(verb, rest).problem.is_none()),
        None => false,
    };
    is_command && !guard::is_secret(line, line)
}

fn verb_named(word: &Word) -> Option<Verb> {
    match word {
        Word::Bare(text) if text == "?" || Dashed::read(text).is_some_and(|dashed| dashed.asks_for_help()) => {
            Some(Verb::Help)
        }
        Word::Bare(text) => Verb::ALL.into_iter().find(|verb| verb.word().eq_ignore_ascii_case(text)),
        Word::Quoted(_) => None,
    }
}

/// The line for what was understood, or one that works as it stands.
pub(super) fn suggestion(verb: Verb, command: Option<Command<Target>>) -> String {
    let line = command.map(|command| command.to_string());
    let fits = |line: &String| line.chars().count() <= LONGEST_NEAREST && is_right(line);
    line.filter(fits).unwrap_or_else(|| example(verb))
}

/// The verb's example; a copied `forget` might find something, so the list stands in for it.
fn example(verb: Verb) -> String {
    let harmless = if verb == Verb::Forget { Verb::Presets } else { verb };
    harmless.example().to_owned()
}

/// The meeting of the examples.
pub(super) fn example_meeting() -> Target {
    Target::Id(MeetingId::EXAMPLE)
}

/// Only the verb and the meeting's number can come out of a text with a secret in it.
fn nearest_to_secret(words: &[Word]) -> String {
    let Some((verb, rest)) = words.split_first().and_then(|(first, rest)| Some((verb_named(first)?, rest))) else {
        return help();
    };
    let draft = Draft::read(verb, rest);
    let line = match draft.found {
        Some(Target::Id(meeting)) => Some(format!("{} {}", verb.word(), meeting.number())),
        Some(Target::Saved(_)) | None => None,
    };
    line.filter(|line| is_right(line)).unwrap_or_else(|| example(verb))
}

fn nearest_to_unknown(first: &Word, rest: &[Word], all: &[Word]) -> Option<String> {
    // The name of the slash command, pasted along with the rest.
    if first.text().starts_with('/') && !rest.is_empty() {
        return match read(rest) {
            Ok(command) => Some(command.to_string()).filter(|line| is_right(line)),
            Err((_, nearest)) if verb_named(&rest[0]).is_some() => nearest,
            Err(_) => None,
        };
    }
    if let Some(line) = nearest_to_bare_meeting(first, all) {
        return Some(line);
    }
    let verb = guess::verb(first.text())?;
    let draft = Draft::read(verb, rest);
    let command = draft.command().filter(|_| draft.problem.is_none());
    Some(suggestion(verb, command))
}

fn help() -> String {
    Verb::Help.word().to_owned()
}

/// A meeting without a verb is most likely to be started.
fn nearest_to_bare_meeting(first: &Word, all: &[Word]) -> Option<String> {
    let is_link = link::leads_to_zoom(first.text());
    let is_number = unmarked(first.text()).starts_with(|c: char| c.is_ascii_digit());
    let draft = Draft::read(Verb::Start, all);
    let is_meeting = is_link || (is_number && matches!(draft.found, Some(Target::Id(_))));
    is_meeting.then(|| suggestion(Verb::Start, draft.command()))
}

/// What has been read so far of the words after a verb.
struct Draft<'w> {
    verb: Verb,
    rest: &'w [Word],
    found: Option<Target>,
    /// The name to save or to forget.
    name: Option<PresetName>,
    /// The words that the meeting was read from, where it came in digits.
    groups: Vec<String>,
    settings: Settings,
    run: Run,
    given: Vec<Flag>,
    /// Texts that are the title, or could be pieces of one, in their order.
    said: Vec<String>,
    /// A quoted text before any meeting.
    early: Option<String>,
    about: Option<Verb>,
    /// How many entries of the audit.
    count: Option<usize>,
    /// To whom a meeting is lent, and for how long.
    lent: Lent,
    problem: Option<Problem>,
}

impl<'w> Draft<'w> {
    fn read(verb: Verb, words: &'w [Word]) -> Self {
        let mut draft = Self {
            verb,
            rest: words,
            found: None,
            name: None,
            groups: Vec::new(),
            settings: Settings::default(),
            run: Run::Real,
            given: Vec::new(),
            said: Vec::new(),
            early: None,
            about: None,
            count: None,
            lent: Lent::default(),
            problem: None,
        };
        if verb != Verb::Help && asks_for_help(words) {
            (draft.verb, draft.about, draft.rest) = (Verb::Help, Some(verb), &[]);
        }
        while let Some((word, rest)) = draft.rest.split_first() {
            draft.rest = rest;
            draft.word(word);
        }
        draft.close();
        draft
    }

    fn word(&mut self, word: &Word) {
        let takes_meeting = matches!(
            self.verb,
            Verb::Start | Verb::Stop | Verb::Status | Verb::Save | Verb::Setup | Verb::Check | Verb::Lend
        );
        match word {
            Word::Bare(text) | Word::Quoted(text) if self.verb == Verb::Help => self.topic(text),
            Word::Bare(text) if Dashed::read(text).is_some() => self.option(text),
            _ if self.verb == Verb::Audit && self.count.is_none() && self.problem.is_none() => self.count(word.text()),
            _ if self.wants_name(word) => self.name(word),
            _ if takes_meeting && self.found.is_none() => self.place(word),
            Word::Bare(text) if self.verb == Verb::Lend => self.lend(text),
            Word::Bare(_) if self.is_followed_by_meeting(word) => self.place_instead(word),
            Word::Quoted(text) if self.takes_title() && self.said.is_empty() => self.title(text),
            Word::Bare(text) | Word::Quoted(text) => {
                self.note(Problem::Trailing { word: link::shown(text) });
                self.keep(text);
            }
        }
    }

    fn takes_title(&self) -> bool {
        matches!(self.verb, Verb::Start | Verb::Save)
    }

    fn topic(&mut self, text: &str) {
        if self.about.is_some() || self.problem.is_some() {
            return self.note(Problem::Trailing { word: link::shown(text) });
        }
        self.about = Verb::ALL.into_iter().find(|verb| verb.word().eq_ignore_ascii_case(text));
        if self.about.is_none() {
            self.note(Problem::UnknownVerb { word: link::shown(text) });
            self.about = guess::verb(text);
        }
    }

    fn count(&mut self, text: &str) {
        let digits: String = text.chars().map(scan::narrow).collect();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // A number too long to be read is too great as well.
        let count = is_number.then(|| digits.parse().unwrap_or(usize::MAX)).filter(|count| *count > 0);
        if count.is_none_or(|count| count > MOST_AUDIT_COUNT) {
            self.note(Problem::NotACount { word: link::shown(text) });
        }
        self.count = count.map(|count| count.min(MOST_AUDIT_COUNT));
    }

    fn option(&mut self, text: &str) {
        let Some(dashed) = Dashed::read(text) else { return };
        let flag =
            dashed.flag().filter(|flag| self.verb == Verb::Start && (*flag != Flag::DryRun || dashed.value.is_none()));
        if flag.is_none() {
            self.note(Problem::UnknownOption { word: link::shown(text) });
        }
        let Some(flag) = flag.or_else(|| guess::flag(dashed.name)).filter(|_| self.verb == Verb::Start) else {
            return;
        };
        if self.given.contains(&flag) {
            self.note(Problem::OptionTwice { option: flag.name() });
        }
        self.given.push(flag);
        match flag {
            Flag::DryRun => self.run = Run::Dry,
            Flag::SpeakerName | Flag::Layout | Flag::Captions => self.value(flag, dashed.value),
        }
    }

    fn value(&mut self, flag: Flag, inline: Option<&str>) {
        let next = self.rest.split_first().filter(|(word, _)| match word {
            Word::Bare(text) => Dashed::read(text).is_none(),
            Word::Quoted(_) => true,
        });
        let value = match inline {
            // `--layout="gallery_view"` comes as two words.
            None | Some("") => next.map(|(word, _)| word.text()),
            Some(value) => Some(value.trim_matches(scan::is_single)),
        };
        let is_next = inline.is_none_or(str::is_empty);
        let is_set = value.is_some_and(|value| flag.set(value, &mut self.settings));
        if !is_set {
            self.note(Problem::OptionValue {
                option: flag.name(),
                word: value.map(link::shown),
                allowed: flag.allowed(),
            });
            if let Some(near) = guess::value(value.unwrap_or_default(), flag.allowed()) {
                flag.set(near, &mut self.settings);
            }
        }
        // A meeting or a title after `--layout` is not its value; the suggestion needs it.
        let is_elsewhere = |word: &Word| matches!(word, Word::Quoted(_)) || begins_meeting(word);
        if let Some((_, rest)) = next.filter(|(word, _)| is_next && (is_set || !is_elsewhere(word))) {
            self.rest = rest;
        }
    }

    /// Reads the meeting from a word and, if that is digits, from those after it.
    fn place(&mut self, word: &Word) {
        let text: String = word.text().trim().chars().map(scan::narrow).collect();
        let why = match (word, link::read(&text)) {
            (Word::Bare(_), _) if is_digits(&unmarked(&text)) => return self.digits(&text),
            (Word::Quoted(_), _) if is_spaced_digits(&unmarked(&text)) => {
                self.groups = text.split(' ').map(str::to_owned).collect();
                return self.number();
            }
            (_, Some(Ok(meeting))) => {
                self.found = Some(Target::Id(meeting));
                return;
            }
            (_, Some(Err(why))) => why,
            (Word::Quoted(_), None) if text.is_empty() => {
                return self.note(Problem::MissingMeeting { verb: self.verb });
            }
            (Word::Quoted(_), None) if self.takes_title() && self.early.is_none() => {
                self.early = Some(link::shown(&text));
                return self.keep(&text);
            }
            (_, None) => match PresetName::new(&name_text(&text)) {
                Ok(name) => return self.found = Some(Target::Saved(name)),
                Err(_) => NotAMeeting::Word,
            },
        };
        self.note(Problem::NotAMeeting { word: link::shown(&text), why });
        match why {
            NotAMeeting::Word => self.found = MeetingId::mistyped(&text).map(Target::Id),
            NotAMeeting::Digits | NotAMeeting::LinkWithoutId | NotAMeeting::PersonalLink | NotAMeeting::OtherSite => {
                return;
            }
        }
        if self.found.is_none() {
            self.keep(&text);
        }
    }

    /// Takes as many words as there are digits in a row, dashes between them included.
    fn digits(&mut self, first: &str) {
        // `(812 3456 7890)`; where none is open, `68423085 (2)` begins a title.
        let is_open = first.contains('(') && !first.contains(')');
        let bare = |word: &Word| if is_open { unmarked(word.text()) } else { word.text().to_owned() };
        let is_piece = |word: &&Word| matches!(word, Word::Bare(_)) && is_piece(&bare(word));
        let mut taken = self.rest.iter().take_while(is_piece).count();
        while taken > 0 && !is_digits(&bare(&self.rest[taken - 1])) {
            taken -= 1;
        }
        let (more, rest) = self.rest.split_at(taken);
        self.rest = rest;
        self.groups = std::iter::once(first).chain(more.iter().map(Word::text)).map(str::to_owned).collect();
        self.number();
    }

    /// Makes one number of the groups.
    fn number(&mut self) {
        self.found = number_of(&self.groups).map(Target::Id);
        if self.found.is_none() {
            let word = link::shown(&self.groups.join(" "));
            self.note(Problem::NotAMeeting { word, why: NotAMeeting::Digits });
            // The digits of a year, or of anything else that follows the id, are most likely the title's.
            let most =
                (1..self.groups.len().min(MOST_GROUPS)).rev().find(|&most| number_of(&self.groups[..most]).is_some());
            if let Some(most) = most {
                self.regroup(most);
            }
        }
    }

    /// Reads the meeting from the first groups only, and leaves the others to the title.
    fn regroup(&mut self, most: usize) {
        let others = self.groups.split_off(most);
        self.found = number_of(&self.groups).map(Target::Id);
        self.said.insert(0, others.join(" "));
    }

    fn title(&mut self, text: &str) {
        let settled = settled(text);
        // A long, mixed link may stand for a meeting and be told it is none; in a title it would go on air.
        // Without the password of a link, what is left may be an address.
        if guard::is_opaque(&settled) || guard::is_secret(&settled, &settled) {
            return self.note(Problem::StreamSecret);
        }
        self.said.push(settled.clone());
        match Title::new(&settled) {
            Ok(title) => self.settings.title = Some(title),
            Err(NotATitle::Empty) => self.note(Problem::EmptyTitle),
            Err(NotATitle::TooLong { chars }) => self.note(Problem::TitleTooLong { chars }),
        }
    }

    fn close(&mut self) {
        let needs_meeting =
            matches!(self.verb, Verb::Start | Verb::Stop | Verb::Save | Verb::Setup | Verb::Check | Verb::Lend);
        if self.takes_name() && self.name.is_none() {
            self.note(Problem::MissingName { verb: self.verb });
        }
        match (&self.found, self.early.take()) {
            (Some(_), Some(word)) => self.note(Problem::NotAMeeting { word, why: NotAMeeting::Word }),
            (None, _) if needs_meeting => self.note(Problem::MissingMeeting { verb: self.verb }),
            (_, None) | (None, Some(_)) => {}
        }
        // Unquoted words follow, so the digits that begin them were taken into the id: `68423085 3 talks`.
        let is_whole = number_of(&self.groups[..self.groups.len().min(1)]).is_some();
        if is_whole && self.groups.len() > 1 && matches!(self.problem, Some(Problem::Trailing { .. })) {
            self.regroup(1);
        }
        if self.problem == Some(Problem::StreamSecret) {
            self.said.clear();
        }
        if self.problem.is_some() {
            let title = Title::shortened(&settled(&self.said.join(" ")));
            // Cutting may leave half of what made the text readable.
            self.settings.title = title.and_then(|title| Title::new(&settled(title.as_str())).ok());
        }
    }

    /// The command as far as it was understood, with what the examples have where something was not.
    fn command(&self) -> Option<Command<Target>> {
        let meeting = self.found.clone();
        Some(match self.verb {
            Verb::Start => {
                let meeting = meeting.unwrap_or_else(example_meeting);
                Command::Start(Start { meeting, settings: self.settings.clone(), run: self.run })
            }
            Verb::Stop => Command::Stop { meeting: meeting.unwrap_or_else(example_meeting) },
            Verb::Status => {
                let is_missing =
                    matches!(self.problem, Some(Problem::NotAMeeting { .. } | Problem::MissingMeeting { .. }));
                Command::Status { meeting: meeting.or_else(|| is_missing.then(example_meeting)) }
            }
            Verb::Connect => Command::Connect,
            Verb::Disconnect => Command::Disconnect,
            Verb::Whoami => Command::Whoami,
            Verb::Save => {
                let name = self.name.clone().or_else(example_name)?;
                let meeting = meeting.unwrap_or_else(example_meeting);
                Command::Save(Preset { name, meeting, title: self.settings.title.clone() })
            }
            Verb::Forget => Command::Forget { name: self.name.clone()? },
            Verb::Presets => Command::Presets,
            Verb::Policy => Command::Policy,
            Verb::Doctor => Command::Doctor,
            Verb::Setup => Command::Setup { meeting: meeting.unwrap_or_else(example_meeting) },
            Verb::Check => Command::Check { meeting: meeting.unwrap_or_else(example_meeting) },
            Verb::Lend => {
                let meeting = meeting.unwrap_or_else(example_meeting);
                Command::Lend { meeting, lend: self.lent.to_lend() }
            }
            Verb::Audit => Command::Audit { count: self.count },
            Verb::Help => Command::Help { verb: self.about },
        })
    }

    /// Only the first problem is told.
    fn note(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    /// Remembers a word that may belong to a title; dashes alone were there to set it off.
    fn keep(&mut self, text: &str) {
        if !text.chars().all(is_dash) {
            self.said.push(link::shown(text));
        }
    }
}

/// `start help`, and `--help` anywhere after a verb.
fn asks_for_help(words: &[Word]) -> bool {
    let is_dashed =
        |word: &Word| matches!(word, Word::Bare(text) if Dashed::read(text).is_some_and(|d| d.asks_for_help()));
    let is_bare = matches!(words, [Word::Bare(text)] if text == "?" || folded(text) == Verb::Help.word());
    is_bare || words.iter().any(is_dashed)
}

/// A title that its printed form gives back: marks that no pair of quotes holds become others.
fn settled(text: &str) -> String {
    let text = link::without_queries(text);
    if text.chars().all(|c| c == ' ' || scan::is_joiner(c)) {
        return String::new();
    }
    let single = text.replace(scan::is_double, "'");
    let simple = single.replace(['<', '>', '&'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let reads_back = |text: &&String| scan::reads_as(&scan::quoted(text), text);
    [&text, &single].into_iter().find(reads_back).unwrap_or(&simple).clone()
}

fn number_of(groups: &[String]) -> Option<MeetingId> {
    let digits: String = groups.iter().flat_map(|group| group.chars()).filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn begins_meeting(word: &Word) -> bool {
    is_digits(&unmarked(word.text())) || link::leads_to_zoom(word.text())
}

/// An id without the marks that people put around one or a part of it: `#81234567890`, `(812) 3456-7890`.
fn unmarked(text: &str) -> String {
    unhashed(text).replace(['(', ')'], "")
}

/// A number sign before a few digits counts something else: `#1`.
fn unhashed(text: &str) -> &str {
    const FEWEST: usize = 3;
    let is_id = |rest: &&str| rest.chars().filter(char::is_ascii_digit).count() >= FEWEST;
    text.strip_prefix('#').filter(is_id).unwrap_or(text)
}

/// A piece of an id: digits and dashes.
fn is_piece(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || is_dash(c))
}

/// A piece with a digit in it.
fn is_digits(text: &str) -> bool {
    is_piece(text) && text.contains(|c: char| c.is_ascii_digit())
}

/// An id with its spaces, as it stands between quote marks.
fn is_spaced_digits(text: &str) -> bool {
    text.split(' ').all(is_piece) && text.contains(|c: char| c.is_ascii_digit())
}

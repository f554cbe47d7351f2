//! Who may do what in a workspace: the rules, and what comes of them. Pure.
//!
//! Rules narrow what people may do with meetings of their own; what Zoom lets them do stays Zoom's business. Whoever has
//! no rules has the default, under which nobody is kept from anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::command::Verb;
use crate::id::{ChannelId, UserId};
use crate::reply::Audience;

/// The rules of one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Who may change the rules, beside the workspace's admins.
    pub managers: BTreeSet<UserId>,
    /// Who may put something on air.
    pub start: Rule,
    /// Who may take it off air.
    pub stop: Rule,
    /// Who may set where a stream goes.
    pub setup: Rule,
    /// Who reads that an order failed.
    pub failures: Audience,
    /// Whether one person alone may stop a stream that somebody else asked for.
    pub stop_of_others: StopOfOthers,
    /// Where audit lines go.
    pub audit_channel: Option<ChannelId>,
    /// Whether people may lend control of their meetings to colleagues, and for how long.
    pub lending: MayLend,
}

/// Who may do something, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// These people; everybody, where there is none.
    pub people: BTreeSet<UserId>,
    /// In these channels; in all, where there is none.
    pub channels: BTreeSet<ChannelId>,
}

/// How a stream is stopped that somebody else asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopOfOthers {
    /// At once.
    #[default]
    Alone,
    /// When a second person confirms it.
    WithSecondPerson,
}

/// For how long control of a meeting may be lent at the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MayLend {
    /// Not at all.
    #[default]
    Off,
    /// An hour.
    OneHour,
    /// Four hours.
    FourHours,
    /// Half a day.
    TwelveHours,
    /// A day.
    OneDay,
}

/// What rules are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// To put a meeting on air.
    Start,
    /// To take it off air.
    Stop,
    /// To set where its stream goes.
    Setup,
}

/// Why somebody may not do something, and whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What.
    pub act: Act,
    /// Why.
    pub why: Because,
    /// Who may change that; nobody but the workspace's admins, where there is none.
    pub ask: BTreeSet<UserId>,
}

/// What keeps somebody from something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// They are not among those who may.
    OfWho,
    /// They may, in these channels and not in this one.
    OfWhere(BTreeSet<ChannelId>),
    /// It takes a second person, and they asked where nobody else is.
    Alone,
    /// The rules are there and cannot be read; nobody may until an admin has set them anew.
    Unreadable,
}

/// A field of the form on which rules are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// [`Policy::managers`]
    Managers,
    /// The people of a rule.
    People(Act),
    /// The channels of a rule.
    Channels(Act),
    /// [`Policy::stop_of_others`]
    StopOfOthers,
    /// [`Policy::failures`]
    Failures,
    /// [`Policy::audit_channel`]
    AuditChannel,
    /// [`Policy::lending`]
    Lending,
}

/// What stands in one field of a form that somebody sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The people chosen.
    pub people: Vec<UserId>,
    /// The channels chosen.
    pub channels: Vec<ChannelId>,
    /// The name of the choice made.
    pub choice: Option<String>,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which field.
    pub field: Field,
    /// What.
    pub why: Wrong,
}

/// What can be wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// More than [`Policy::MOST`].
    TooMany,
    /// None of the choices there are.
    NoChoice,
}

impl Field {
    /// All, in the order of the form.
    pub const ALL: [Self; 11] = [
        Self::Managers,
        Self::People(Act::Start),
        Self::Channels(Act::Start),
        Self::People(Act::Stop),
        Self::Channels(Act::Stop),
        Self::StopOfOthers,
        Self::People(Act::Setup),
        Self::Channels(Act::Setup),
        Self::Failures,
        Self::AuditChannel,
        Self::Lending,
    ];

    /// Its name in the form and in the audit.
    pub fn name(self) -> &'static str {
        match self {
            Self::Managers => "managers",
            Self::People(Act::Start) => "start_people",
            Self::People(Act::Stop) => "stop_people",
            Self::People(Act::Setup) => "setup_people",
            Self::Channels(Act::Start) => "start_channels",
            Self::Channels(Act::Stop) => "stop_channels",
            Self::Channels(Act::Setup) => "setup_channels",
            Self::StopOfOthers => "stop_of_others",
            Self::Failures => "failures",
            Self::AuditChannel => "audit_channel",
            Self::Lending => "lending",
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            managers: BTreeSet::new(),
            start: Rule::default(),
            stop: Rule::default(),
            setup: Rule::default(),
            failures: Audience::Channel,
            stop_of_others: StopOfOthers::default(),
            audit_channel: None,
            lending: MayLend::default(),
        }
    }
}

impl Act {
    /// What a verb does, if there are rules about it.
    pub fn of(verb: Verb) -> Option<Self> {
        match verb {
            Verb::Start => Some(Self::Start),
            Verb::Stop => Some(Self::Stop),
            Verb::Setup => Some(Self::Setup),
            Verb::Status
            | Verb::Connect
            | Verb::Disconnect
            | Verb::Whoami
            | Verb::Save
            | Verb::Forget
            | Verb::Presets
            | Verb::Check
            | Verb::Lend
            | Verb::Audit
            | Verb::Policy
            | Verb::Doctor
            | Verb::Help => None,
        }
    }
}

impl Policy {
    /// The most people or channels in one rule.
    pub const MOST: usize = 50;

    /// Whether somebody may do something here.
    pub fn decide(&self, act: Act, user: &UserId, channel: &ChannelId) -> Result<(), Denied> {
        let rule = self.rule(act);
        let denied = |why| Err(Denied { act, why, ask: self.managers.clone() });
        if !rule.people.is_empty() && !rule.people.contains(user) {
            return denied(Because::OfWho);
        }
        if !rule.channels.is_empty() && !rule.channels.contains(channel) {
            return denied(Because::OfWhere(rule.channels.clone()));
        }
        Ok(())
    }

    /// The rules as a form wants them. What the form does not have stays as it is: the form may be older than the rules.
    pub fn changed(&self, answers: &BTreeMap<String, Answer>) -> Result<Self, Vec<Fault>> {
        let mut policy = self.clone();
        let given = Field::ALL.into_iter().filter_map(|field| Some((field, answers.get(field.name())?)));
        let faults: Vec<Fault> = given
            .filter_map(|(field, answer)| policy.set(field, answer).err().map(|why| Fault { field, why }))
            .collect();
        if faults.is_empty() { Ok(policy) } else { Err(faults) }
    }

    fn set(&mut self, field: Field, answer: &Answer) -> Result<(), Wrong> {
        if answer.people.len() > Self::MOST || answer.channels.len() > Self::MOST {
            return Err(Wrong::TooMany);
        }
        let people = || answer.people.iter().cloned().collect();
        match field {
            Field::Managers => self.managers = people(),
            Field::People(act) => self.rule_mut(act).people = people(),
            Field::Channels(act) => self.rule_mut(act).channels = answer.channels.iter().cloned().collect(),
            Field::StopOfOthers => {
                let all = [StopOfOthers::Alone, StopOfOthers::WithSecondPerson];
                self.stop_of_others = choice(answer, all, StopOfOthers::word)?;
            }
            Field::Failures => self.failures = choice(answer, [Audience::Channel, Audience::Person], Audience::word)?,
            Field::AuditChannel => self.audit_channel = answer.channels.first().cloned(),
            Field::Lending => self.lending = choice(answer, MayLend::ALL, MayLend::word)?,
        }
        Ok(())
    }

    /// In which fields other rules differ.
    pub fn differences(&self, other: &Self) -> Vec<Field> {
        let differs = |field: &Field| match *field {
            Field::Managers => self.managers != other.managers,
            Field::People(act) => self.rule(act).people != other.rule(act).people,
            Field::Channels(act) => self.rule(act).channels != other.rule(act).channels,
            Field::StopOfOthers => self.stop_of_others != other.stop_of_others,
            Field::Failures => self.failures != other.failures,
            Field::AuditChannel => self.audit_channel != other.audit_channel,
            Field::Lending => self.lending != other.lending,
        };
        Field::ALL.into_iter().filter(differs).collect()
    }

    /// The rule about something.
    pub fn rule(&self, act: Act) -> &Rule {
        match act {
            Act::Start => &self.start,
            Act::Stop => &self.stop,
            Act::Setup => &self.setup,
        }
    }

    fn rule_mut(&mut self, act: Act) -> &mut Rule {
        match act {
            Act::Start => &mut self.start,
            Act::Stop => &mut self.stop,
            Act::Setup => &mut self.setup,
        }
    }
}

impl StopOfOthers {
    /// Its name in the form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::WithSecondPerson => "with_second_person",
        }
    }
}

impl MayLend {
    /// All, from the shortest.
    pub const ALL: [Self; 5] = [Self::Off, Self::OneHour, Self::FourHours, Self::TwelveHours, Self::OneDay];

    /// Its name in a form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::OneHour => "one_hour",
            Self::FourHours => "four_hours",
            Self::TwelveHours => "twelve_hours",
            Self::OneDay => "one_day",
        }
    }

    /// The longest that is allowed; nothing where lending is off.
    pub fn longest(self) -> Option<SignedDuration> {
        let hours = match self {
            Self::Off => return None,
            Self::OneHour => 1,
            Self::FourHours => 4,
            Self::TwelveHours => 12,
            Self::OneDay => 24,
        };
        Some(SignedDuration::from_hours(hours))
    }
}

fn choice<T: Copy, const N: usize>(answer: &Answer, all: [T; N], word: fn(T) -> &'static str) -> Result<T, Wrong> {
    let chosen = answer.choice.as_deref().ok_or(Wrong::NoChoice)?;
    all.into_iter().find(|one| word(*one) == chosen).ok_or(Wrong::NoChoice)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTS: [Act; 3] = [Act::Start, Act::Stop, Act::Setup];

    fn users(names: &[&str]) -> BTreeSet<UserId> {
        names.iter().map(|name| UserId::new(*name)).collect()
    }

    fn channels(names: &[&str]) -> BTreeSet<ChannelId> {
        names.iter().map(|name| ChannelId::new(*name)).collect()
    }

    fn decide(policy: &Policy, act: Act, user: &str, channel: &str) -> Result<(), Because> {
        policy.decide(act, &UserId::new(user), &ChannelId::new(channel)).map_err(|denied| denied.why)
    }

    #[test]
    fn without_rules_nobody_is_kept_from_anything() {
        for act in ACTS {
            assert_eq!(decide(&Policy::default(), act, "U1", "C1"), Ok(()));
        }
        // As a store has it that was written before there were any.
        assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    }

    #[test]
    fn a_rule_is_about_its_own_act_and_no_other() {
        let rule = Rule { people: users(&["U1"]), channels: channels(&["C1"]) };
        for act in ACTS {
            let mut policy = Policy::default();
            *policy.rule_mut(act) = rule.clone();
            for other in ACTS {
                let expected = if other == act { Err(Because::OfWho) } else { Ok(()) };
                assert_eq!(decide(&policy, other, "U2", "C1"), expected);
            }
        }
    }

    #[test]
    fn who_may_is_asked_before_where() {
        let start = Rule { people: users(&["U1"]), channels: channels(&["C1", "C2"]) };
        let policy = Policy { start, managers: users(&["U7"]), ..Policy::default() };
        assert_eq!(decide(&policy, Act::Start, "U1", "C2"), Ok(()));
        assert_eq!(decide(&policy, Act::Start, "U1", "C3"), Err(Because::OfWhere(channels(&["C1", "C2"]))));
        assert_eq!(decide(&policy, Act::Start, "U2", "C3"), Err(Because::OfWho));
        let denied = policy.decide(Act::Start, &UserId::new("U2"), &ChannelId::new("C1")).unwrap_err();
        assert_eq!((denied.act, denied.ask), (Act::Start, users(&["U7"])));
        // Whoever makes the rules keeps to them.
        assert_eq!(decide(&policy, Act::Start, "U7", "C1"), Err(Because::OfWho));
    }

    #[test]
    fn a_policy_is_read_as_it_was_written() {
        let policy = Policy {
            failures: Audience::Person,
            stop_of_others: StopOfOthers::WithSecondPerson,
            audit_channel: Some(ChannelId::new("C9")),
            lending: MayLend::FourHours,
            ..Policy::default()
        };
        let written = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&written).unwrap(), policy);
    }

    #[test]
    fn a_form_changes_what_it_has_and_leaves_the_rest() {
        let before = Policy { audit_channel: Some(ChannelId::new("C9")), ..Policy::default() };
        let people = Answer { people: vec![UserId::new("U1")], ..Answer::default() };
        let choice = |word: &str| Answer { choice: Some(word.to_owned()), ..Answer::default() };
        let answers = [
            ("start_people", people.clone()),
            ("setup_channels", Answer { channels: vec![ChannelId::new("C1")], ..Answer::default() }),
            ("failures", choice("person")),
            ("stop_of_others", choice("with_second_person")),
            ("of_another_version", people),
        ];
        let answers = answers.map(|(name, answer)| (name.to_owned(), answer)).into();
        let after = before.changed(&answers).unwrap();
        let expected = Policy {
            start: Rule { people: users(&["U1"]), ..Rule::default() },
            setup: Rule { channels: channels(&["C1"]), ..Rule::default() },
            failures: Audience::Person,
            stop_of_others: StopOfOthers::WithSecondPerson,
            ..before.clone()
        };
        assert_eq!(after, expected);
        let changed: Vec<&str> = before.differences(&after).into_iter().map(Field::name).collect();
        assert_eq!(changed, ["start_people", "stop_of_others", "setup_channels", "failures"]);
    }

    #[test]
    fn every_fault_of_a_form_is_told() {
        let many = Answer { people: vec![UserId::new("U1"); Policy::MOST + 1], ..Answer::default() };
        let answers = [
            ("managers", many),
            ("failures", Answer { choice: Some("nobody".to_owned()), ..Answer::default() }),
            ("stop_of_others", Answer::default()),
        ];
        let faults = Policy::default().changed(&answers.map(|(name, answer)| (name.to_owned(), answer)).into());
        let expected = [
            (Field::Managers, Wrong::TooMany),
            (Field::StopOfOthers, Wrong::NoChoice),
            (Field::Failures, Wrong::NoChoice),
        ];
        assert_eq!(faults.unwrap_err(), expected.map(|(field, why)| Fault { field, why }));
    }
}

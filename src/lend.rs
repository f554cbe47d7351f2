//! Control of a meeting, lent to a colleague for a while: the right to start, stop and look at its stream as whoever lends
//! it. Pure.
//!
//! Nothing is handed over: the colleague never has a token, and what they do is done by OnAir, as long as the lending lives.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::{UserId, ZoomUserId};
use crate::meeting::MeetingId;
use crate::policy::MayLend;

/// One meeting, lent by one person to another one of the same workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lending {
    /// Which meeting.
    pub meeting: MeetingId,
    /// Who lends it.
    pub lender: UserId,
    /// To whom.
    pub colleague: UserId,
    /// The Zoom user that the lender was connected as.
    pub zoom_user: ZoomUserId,
    /// Since when.
    pub since: Timestamp,
    /// Until when. One that was taken back is over since it began.
    pub until: Timestamp,
}

/// What is asked for about lending a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lend {
    /// To lend it.
    To {
        /// To whom; `None` where that is still to be chosen.
        colleague: Option<UserId>,
        /// For how long; `None`: as long as the rules allow.
        term: Option<Term>,
    },
    /// To take it back.
    Back,
}

/// How long something is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Until the clock shows this, the next time.
    Until {
        /// 0 to 23.
        hour: i8,
        /// 0 to 59.
        minute: i8,
    },
    /// For so many minutes.
    For {
        /// At least one.
        minutes: u32,
    },
}

/// When a lending ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Then.
    pub at: Timestamp,
    /// Whether the rules allow no more than that, and more was wanted.
    pub is_shortened: bool,
}

impl Lending {
    /// The most meetings that one person lends at a time, counted for each colleague.
    pub const MOST: usize = 20;

    /// Whether it still holds, under the rules of now.
    pub fn lives(&self, rule: MayLend, now: Timestamp) -> bool {
        let longest = rule.longest().and_then(|longest| self.since.checked_add(longest).ok());
        longest.is_some_and(|longest| now < self.until.min(longest))
    }

    /// The same, taken back.
    pub fn taken_back(self) -> Self {
        Self { until: self.since, ..self }
    }
}

impl Term {
    /// The longest that can be asked for, in minutes; the rules allow less.
    pub const MOST_MINUTES: u32 = 7 * 24 * 60;

    /// Reads a time of day such as `18:00`.
    pub fn until(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |text: &str, lengths: &[usize]| {
            let is_number = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { text.parse::<i8>().ok() } else { None }
        };
        let (hour, minute) = (number(hour, &[1, 2])?, number(minute, &[2])?);
        (hour < 24 && minute < 60).then_some(Self::Until { hour, minute })
    }

    /// Reads a length of time such as `90m` or `2h`.
    pub fn lasting(text: &str) -> Option<Self> {
        let minutes = crate::clock::parse_length(&text.to_ascii_lowercase())?.as_mins();
        let minutes = u32::try_from(minutes).ok().filter(|minutes| (1..=Self::MOST_MINUTES).contains(minutes))?;
        Some(Self::For { minutes })
    }

    /// When it ends that begins now, for somebody whose clock is so far from UTC.
    pub fn end(self, now: Timestamp, offset: Offset) -> Timestamp {
        match self {
            Self::For { minutes } => now.saturating_add(SignedDuration::from_mins(minutes.into())).unwrap_or(now),
            Self::Until { hour, minute } => {
                const DAY: SignedDuration = SignedDuration::from_hours(24);
                let here = now.to_zoned(TimeZone::fixed(offset)).datetime();
                let then = here.date().at(hour, minute, 0, 0);
                let then = offset.to_timestamp(then).unwrap_or(now);
                if then > now { then } else { then.saturating_add(DAY).unwrap_or(now) }
            }
        }
    }
}

/// When a lending ends that begins now: as asked for, and no later than the rules allow.
pub fn end(wanted: Option<Timestamp>, longest: SignedDuration, now: Timestamp) -> End {
    let longest = now.saturating_add(longest).unwrap_or(now);
    let at = wanted.unwrap_or(longest).min(longest);
    End { at, is_shortened: wanted.is_some_and(|wanted| wanted > longest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_of_day_is_the_next_one_where_the_lender_is() {
        let check = |now: &str, hours: i8, text: &str, expected: &str| {
            let end = Term::until(text).unwrap().end(at(now), Offset::from_hours(hours).unwrap());
            assert_eq!(end, at(expected), "{text} at {now}, {hours} hours from UTC");
        };
        check("2026-11-24T12:00:00Z", 0, "18:00", "2026-11-24T18:00:00Z");
        check("2026-11-24T12:00:00Z", 1, "18:00", "2026-11-24T17:00:00Z");
        check("2026-11-24T12:00:00Z", 1, "12:30", "2026-11-25T11:30:00Z");
        check("2026-11-24T12:00:00Z", 0, "12:00", "2026-11-25T12:00:00Z");
        check("2026-11-24T20:00:00Z", 10, "7:05", "2026-11-24T21:05:00Z");
        check("2026-11-24T02:00:00Z", -8, "18:30", "2026-11-24T02:30:00Z");
        check("2026-12-31T23:30:00Z", 0, "00:15", "2027-01-01T00:15:00Z");
        for text in ["", "18", "24:00", "18:60", "18:0", "018:00", "-1:00", "+1:00", "18:00:00", "六:00"] {
            assert_eq!(Term::until(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_length_has_at_least_a_minute() {
        assert_eq!(Term::lasting("90m"), Some(Term::For { minutes: 90 }));
        assert_eq!(Term::lasting("2H"), Some(Term::For { minutes: 120 }));
        assert_eq!(Term::lasting("1h30m"), Some(Term::For { minutes: 90 }));
        for text in ["", "2", "0m", "59s", "-2h", "8d", "for"] {
            assert_eq!(Term::lasting(text), None, "{text:?}");
        }
        let end = Term::For { minutes: 90 }.end(at("2026-11-24T12:00:00Z"), Offset::UTC);
        assert_eq!(end, at("2026-11-24T13:30:00Z"));
    }

    #[test]
    fn nothing_is_lent_for_longer_than_the_rules_allow() {
        let now = at("2026-11-24T12:00:00Z");
        let hour = SignedDuration::from_hours(1);
        let end = |wanted: Option<&str>| end(wanted.map(at), hour, now);
        let one = at("2026-11-24T13:00:00Z");
        assert_eq!(end(None), End { at: one, is_shortened: false });
        assert_eq!(end(Some("2026-11-24T12:10:00Z")), End { at: at("2026-11-24T12:10:00Z"), is_shortened: false });
        assert_eq!(end(Some("2026-11-24T13:00:01Z")), End { at: one, is_shortened: true });
    }

    #[test]
    fn a_lending_lives_until_its_end_its_return_or_other_rules() {
        let lending = Lending {
            meeting: "68423085".parse().unwrap(),
            lender: UserId::new("U1"),
            colleague: UserId::new("U2"),
            zoom_user: ZoomUserId::new("Z1"),
            since: at("2026-11-24T12:00:00Z"),
            until: at("2026-11-24T15:00:00Z"),
        };
        let lives = |rule, now: &str| lending.lives(rule, at(now));
        assert!(lives(MayLend::FourHours, "2026-11-24T14:59:59Z"));
        assert!(!lives(MayLend::FourHours, "2026-11-24T15:00:00Z"));
        assert!(lives(MayLend::OneHour, "2026-11-24T12:59:59Z"));
        assert!(!lives(MayLend::OneHour, "2026-11-24T13:00:00Z"));
        assert!(!lives(MayLend::Off, "2026-11-24T12:00:01Z"));
        assert!(!lending.clone().taken_back().lives(MayLend::OneDay, at("2026-11-24T12:00:00Z")));
    }
}

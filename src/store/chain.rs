//! Is the audit trail whole? Each entry has a number and a hash that is made of the hash before, its number, and the digest
//! of its bytes, so whoever removes, changes or moves one leaves a place where it does not hold together.
//!
//! The engine makes the hash, in the same atomic step that appends: Redis knows no other than SHA-1 there. That is enough,
//! because the digests are SHA-256: for another entry in the same place somebody would need a second preimage. Who may
//! write to the store can also make the whole chain anew, which shows only to those who noted its last hash elsewhere.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// An entry on its way into the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) bytes: Vec<u8>,
    /// The SHA-256 of the bytes, in hex.
    pub(crate) digest: String,
}

impl Entry {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { digest: digest(&bytes), bytes }
    }
}

/// The place of an entry in the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// From 1 on, without a gap; 0 stands before the first.
    pub number: u64,
    /// What the next one is made of, in hex.
    pub hash: String,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

impl Link {
    /// Reads what [`Link`] is written as.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (number, hash) = std::str::from_utf8(text).ok()?.split_once(':')?;
        Some(Self { number: number.parse().ok()?, hash: hash.to_owned() })
    }

    /// The link of the next entry.
    pub(crate) fn next(&self, digest: &str) -> Self {
        let number = self.number + 1;
        let mut sha1 = sha1_smol::Sha1::new();
        sha1.update(format!("{}:{number}:{digest}", self.hash).as_bytes());
        Self { number, hash: sha1.digest().to_string() }
    }
}

/// Where a trail does not hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This one does not follow from the one before it: one of the two was changed.
    Changed {
        /// Its number.
        number: u64,
    },
    /// These are not there.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// This one comes after one with the same number or a greater one.
    Moved {
        /// Its number.
        number: u64,
    },
    /// So many entries have no place in the chain although it had begun.
    Foreign {
        /// How many.
        count: u64,
    },
}

/// What reading a whole trail has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are in the chain.
    pub count: u64,
    /// How many there are from before it was begun, which nothing can be said about.
    pub unchained: u64,
    /// The last link that was removed for its age, of which nothing can be said either; the first one kept follows from it.
    pub anchor: Link,
    /// The last link; whoever noted it elsewhere can tell later that everything up to it is as it was.
    pub last: Link,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Reads a trail from its beginning, entry by entry.
pub(super) struct Check {
    /// The last link, as it was before the reading began.
    head: Link,
    /// What the first one that is there follows from, as it was before the reading began.
    anchor: Link,
    before: Option<Link>,
    foreign: u64,
    found: Verified,
}

impl Check {
    pub(super) fn new(head: Link, anchor: Link) -> Self {
        Self { head, anchor, before: None, foreign: 0, found: Verified::default() }
    }

    pub(super) fn take(&mut self, bytes: &[u8], link: Option<Link>) {
        let Some(link) = link else {
            match self.before {
                None => self.found.unchained += 1,
                Some(_) => self.foreign += 1,
            }
            return;
        };
        self.found.count += 1;
        let number = link.number;
        match &self.before {
            None => self.begin(bytes, &link),
            Some(before) if number == before.number + 1 => {
                if before.next(&digest(bytes)) != link {
                    self.found.faults.push(Fault::Changed { number });
                }
            }
            Some(before) if number > before.number => {
                self.found.faults.push(Fault::Missing { from: before.number + 1, to: number - 1 });
            }
            Some(_) => self.found.faults.push(Fault::Moved { number }),
        }
        if number == self.head.number && link != self.head {
            self.found.faults.push(Fault::Changed { number });
        }
        self.before = Some(link);
    }

    /// The first that is there.
    fn begin(&mut self, bytes: &[u8], link: &Link) {
        let (number, first) = (link.number, self.anchor.number + 1);
        if number > first {
            self.found.faults.push(Fault::Missing { from: first, to: number - 1 });
        } else if number < first {
            // It was removed for its age, and somebody put it back.
            self.found.faults.push(Fault::Moved { number });
        } else if self.anchor.next(&digest(bytes)) != *link {
            self.found.faults.push(Fault::Changed { number });
        }
    }

    /// Takes the anchor as it is now: what has been removed for its age while the trail was read is not missing.
    pub(super) fn end(mut self, anchor: Link) -> Verified {
        let is_fault = |fault: &Fault| !matches!(fault, Fault::Missing { to, .. } if *to <= anchor.number);
        self.found.faults.retain(is_fault);
        let last = self.before.as_ref().map_or(0, |link| link.number).max(anchor.number);
        if last < self.head.number {
            self.found.faults.push(Fault::Missing { from: last + 1, to: self.head.number });
        }
        if self.foreign > 0 {
            self.found.faults.push(Fault::Foreign { count: self.foreign });
        }
        self.found.last = self.before.unwrap_or_else(|| anchor.clone());
        self.found.anchor = anchor;
        self.found
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Trail = Vec<(Vec<u8>, Option<Link>)>;

    /// A whole trail of so many entries.
    fn trail(count: u64) -> Trail {
        let mut link = Link::default();
        let entries = (1..=count).map(|number| {
            let bytes = format!("entry {number}").into_bytes();
            link = link.next(&digest(&bytes));
            (bytes, Some(link.clone()))
        });
        entries.collect()
    }

    fn head(trail: &[(Vec<u8>, Option<Link>)]) -> Link {
        trail.last().and_then(|(_, link)| link.clone()).unwrap_or_default()
    }

    fn verify(head: Link, trail: Trail) -> Verified {
        between(head, &Link::default(), trail, Link::default())
    }

    /// Reads a trail while its anchor moves.
    fn between(head: Link, before: &Link, trail: Trail, after: Link) -> Verified {
        let mut check = Check::new(head, before.clone());
        trail.into_iter().for_each(|(bytes, link)| check.take(&bytes, link));
        check.end(after)
    }

    fn link_of(trail: &Trail, number: usize) -> Link {
        trail[number - 1].1.clone().unwrap()
    }

    #[test]
    fn a_whole_trail_has_no_fault() {
        let whole = trail(5);
        let (verified, anchor) = (verify(head(&whole), whole.clone()), Link::default());
        let expected = Verified { count: 5, unchained: 0, anchor, last: head(&whole), faults: Vec::new() };
        assert_eq!(verified, expected);
        assert_eq!(verify(Link::default(), Vec::new()), Verified::default());
        let earlier = verify(head(&whole[..3]), whole);
        assert_eq!(earlier.faults, [], "entries may come while it is read");
    }

    #[test]
    fn whatever_is_done_to_an_entry_shows() {
        let check = |change: &dyn Fn(&mut Trail), expected: &[Fault]| {
            let mut changed = trail(5);
            let head = head(&changed);
            change(&mut changed);
            assert_eq!(verify(head, changed).faults, expected);
        };
        let missing = |from, to| Fault::Missing { from, to };
        check(&|trail| trail[2].0 = b"another".to_vec(), &[Fault::Changed { number: 3 }]);
        check(&|trail| trail[4].0 = b"another".to_vec(), &[Fault::Changed { number: 5 }]);
        check(&|trail| trail[0].0 = b"another".to_vec(), &[Fault::Changed { number: 1 }]);
        check(&|trail| drop(trail.remove(2)), &[missing(3, 3)]);
        check(&|trail| drop(trail.drain(..2)), &[missing(1, 2)]);
        check(&|trail| trail.truncate(3), &[missing(4, 5)]);
        check(&|trail| trail.clear(), &[missing(1, 5)]);
        check(&|trail| trail.insert(2, (b"more".to_vec(), None)), &[Fault::Foreign { count: 1 }]);
        check(&|trail| trail.push(trail[4].clone()), &[Fault::Moved { number: 5 }]);
        check(&|trail| trail.swap(1, 2), &[missing(2, 2), Fault::Moved { number: 2 }, missing(3, 3)]);
        // Whoever makes the hash fit as well has to do so to the end, and there is the head.
        let again = |trail: &mut Trail| {
            let mut link = trail[1].1.clone().unwrap();
            trail[2].0 = b"another".to_vec();
            for (bytes, place) in &mut trail[2..] {
                link = link.next(&digest(bytes));
                *place = Some(link.clone());
            }
        };
        check(&again, &[Fault::Changed { number: 5 }]);
    }

    #[test]
    fn what_was_removed_for_its_age_is_no_fault_and_nothing_else_hides_behind_it() {
        let whole = trail(9);
        let check = |anchor: usize, change: &dyn Fn(&mut Trail), expected: &[Fault]| {
            let (anchor, mut rest) = (link_of(&whole, anchor), whole.clone());
            change(&mut rest);
            let verified = between(head(&whole), &anchor, rest, anchor.clone());
            assert_eq!((verified.faults.as_slice(), verified.anchor), (expected, anchor.clone()));
        };
        let missing = |from, to| Fault::Missing { from, to };
        check(3, &|trail| drop(trail.drain(..3)), &[]);
        check(9, &|trail| trail.clear(), &[]);
        check(8, &|trail| trail.clear(), &[missing(9, 9)]);
        check(3, &|trail| drop(trail.drain(..5)), &[missing(4, 5)]);
        check(
            3,
            &|trail| trail.retain(|(_, link)| link.as_ref().is_some_and(|link| ![1, 2, 3, 6].contains(&link.number))),
            &[missing(6, 6)],
        );
        check(3, &|trail| drop(trail.drain(..2)), &[Fault::Moved { number: 3 }]);
        let other = |trail: &mut Trail| {
            trail.drain(..3);
            trail[0].0 = b"another".to_vec();
        };
        check(3, &other, &[Fault::Changed { number: 4 }]);
    }

    #[test]
    fn a_trail_may_lose_its_oldest_while_it_is_read() {
        let whole = trail(9);
        let read = |before: usize, numbers: &[usize], after: usize| {
            let seen = numbers.iter().map(|number| whole[number - 1].clone()).collect();
            between(head(&whole), &link_of(&whole, before), seen, link_of(&whole, after)).faults
        };
        assert_eq!(read(1, &[4, 5, 6, 7, 8, 9], 3), [], "before the first page");
        assert_eq!(read(1, &[2, 3, 7, 8, 9], 6), [], "between two pages");
        assert_eq!(read(1, &[2, 3], 9), [], "all of it");
        assert_eq!(read(1, &[2, 3, 7, 8, 9], 5), [Fault::Missing { from: 4, to: 6 }]);
    }

    #[test]
    fn entries_from_before_the_chain_are_counted_apart() {
        let mut both = vec![(b"old".to_vec(), None)];
        let whole = trail(2);
        both.extend(whole.clone());
        let verified = verify(head(&whole), both);
        assert_eq!((verified.unchained, verified.count, verified.faults.len()), (1, 2, 0));
    }
}

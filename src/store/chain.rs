//! Is the audit trail whole? Each entry has a number and a hash that is made of the hash before, its number, and the digest
//! of its bytes, so whoever removes, changes or moves one leaves a place where it does not hold together.
//!
//! The engine makes the hash, in the same atomic step that appends: Redis knows no other than SHA-1 there. That is enough,
//! because the digests are SHA-256: for another entry in the same place somebody would need a second preimage. Who may
//! write to the store can also make the whole chain anew, which shows only to those who noted its last hash elsewhere.

use sha2::{Digest as _, Sha256};

use super::engine::LOG_LENGTH;

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

impl Link {
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
    /// The last link; whoever noted it elsewhere can tell later that everything up to it is as it was.
    pub last: Link,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Reads a trail from its beginning, entry by entry.
pub(super) struct Check {
    /// The last link, as it was before the reading began.
    head: Link,
    before: Option<Link>,
    foreign: u64,
    found: Verified,
}

impl Check {
    pub(super) fn new(head: Link) -> Self {
        Self { head, before: None, foreign: 0, found: Verified::default() }
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

    /// The first that is there: of a long trail the oldest are dropped, and then there is nothing it could follow from.
    fn begin(&mut self, bytes: &[u8], link: &Link) {
        let number = link.number;
        let kept = (self.head.number + 1).saturating_sub(number);
        if number == 1 && Link::default().next(&digest(bytes)) != *link {
            self.found.faults.push(Fault::Changed { number });
        } else if number > 1 && kept < u64::from(LOG_LENGTH) {
            self.found.faults.push(Fault::Missing { from: 1, to: number - 1 });
        }
    }

    pub(super) fn end(mut self) -> Verified {
        let last = self.before.as_ref().map_or(0, |link| link.number);
        if last < self.head.number {
            self.found.faults.push(Fault::Missing { from: last + 1, to: self.head.number });
        }
        if self.foreign > 0 {
            self.found.faults.push(Fault::Foreign { count: self.foreign });
        }
        self.found.last = self.before.unwrap_or_default();
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
        let mut check = Check::new(head);
        trail.into_iter().for_each(|(bytes, link)| check.take(&bytes, link));
        check.end()
    }

    #[test]
    fn a_whole_trail_has_no_fault() {
        let whole = trail(5);
        let verified = verify(head(&whole), whole.clone());
        assert_eq!(verified, Verified { count: 5, unchained: 0, last: head(&whole), faults: Vec::new() });
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
    fn the_oldest_of_a_full_trail_may_be_gone() {
        let whole = trail(3);
        let far =
            |link: &Option<Link>| link.clone().map(|link| Link { number: link.number + u64::from(LOG_LENGTH), ..link });
        let rest: Vec<_> = whole.iter().map(|(bytes, link)| (bytes.clone(), far(link))).collect();
        let first_only = verify(Link { number: u64::from(LOG_LENGTH) * 2, hash: String::new() }, vec![rest[0].clone()]);
        assert_eq!(first_only.faults.len(), 1, "the newest are missing, and nothing else: {first_only:?}");
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

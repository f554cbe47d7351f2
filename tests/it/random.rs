//! Chance that can be repeated: a small seeded generator.

/// [xorshift64*](https://en.wikipedia.org/wiki/Xorshift). A story that fails prints its seed; put it in place of
/// [`Random::new`] by [`Random::seeded`] to get the same choices again.
pub(crate) struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    pub(crate) fn new() -> Self {
        let mut seed = [0; 8];
        onair::id::fill_random(&mut seed);
        Self::seeded(u64::from_le_bytes(seed))
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        // A state of zero would stay zero.
        Self { seed, state: seed.max(1) }
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }

    /// One of these.
    pub(crate) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let index = self.below(u64::try_from(choices.len()).unwrap());
        &choices[usize::try_from(index).unwrap()]
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            note(&format!("the seed was {:#x}", self.seed));
        }
    }
}

/// Says something for whoever reads the output of a test.
#[expect(clippy::print_stderr, reason = "the output of a test is where it is looked for")]
pub(crate) fn note(line: &str) {
    eprintln!("{line}");
}

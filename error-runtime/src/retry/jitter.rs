//! Chance, so that callers that failed together do not come back together.

use std::cell::Cell;

/// How chance changes a delay. Whatever it does, the delay stays within `max`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// Anything from nothing to the whole delay: the default, and the best against a stampede.
    #[default]
    Full,
    /// Half of the delay at least.
    Equal,
    /// From `base` to three times the delay before, instead of growing by `factor`.
    Decorrelated,
    /// None: for tests, and where there is one caller only.
    None,
    /// This share more or less, from 0 to 1: `0.5` is ±50 %.
    Ratio(f64),
}

/// A stream of random numbers, small and fast (wyrand). Not for secrets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(u64);

thread_local! {
    /// Where the next call of this thread begins. Without a destructor, so that it costs a load and a
    /// store; zero until it is first asked.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// A number that nobody expects.
#[inline]
pub(super) fn seed() -> u64 {
    let mut next = NEXT.get();
    if next == 0 {
        next = first();
    }
    let mut chance = Chance(next);
    let seed = chance.next();
    NEXT.set(chance.0.max(1));
    seed
}

#[cold]
fn first() -> u64 {
    fastrand::u64(1..)
}

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[inline]
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x2d35_8dcc_aa6c_78a5);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0x8bb8_4b93_962e_acc9);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
        let folded = (product as u64) ^ ((product >> 64) as u64);
        folded
    }

    /// A number from `least` to `most`, both included; `least` if they are the wrong way round.
    #[inline]
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        let width = u128::from(most.saturating_sub(least)) + 1;
        // Below the width, which is at most 2^64.
        let offset = ((u128::from(self.next()) * width) >> 64) as u64;
        least + offset
    }
}

//! The one word that says what state a breaker is in: read by every call, written under the lock.
//!
//! ```text
//! 63            32   31   30          5 4        3        2    0
//! [   episode    ][timed][   counts    ][ dirty ][warming][state]
//! ```
//!
//! `episode` counts transitions: a result belongs to the episode that admitted its call. `counts` is
//! the streak of failures while closed, and probes in flight and succeeded while half-open.
//! `warming` asks successes to be evaluated too: a failure is in the window, which has fewer calls than
//! the minimum, so a success may be what opens the circuit. `dirty` says that a time window holds
//! failures, so that a success must look whether older successes have left it. `timed` is set for good
//! where a call has to know the time: a lower half of nothing then says all at once that the breaker is
//! closed, without a streak, and that a success has only to be counted.

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls pass and are counted.
    Closed,
    /// Calls are refused until the recovery time has passed.
    Open,
    /// A few probes pass; they decide.
    HalfOpen,
    /// Refused by command.
    ForcedOpen,
    /// Calls pass by command, and nothing opens the circuit; no window is kept.
    Disabled,
    /// Calls pass by command; the window is kept, and nothing opens the circuit.
    MetricsOnly,
}

impl BreakerState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Closed,
        Self::Open,
        Self::HalfOpen,
        Self::ForcedOpen,
        Self::Disabled,
        Self::MetricsOnly,
    ];

    /// The name in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// Whether calls pass without being counted as probes.
    pub(super) const fn passes(self) -> bool {
        matches!(self, Self::Closed | Self::Disabled | Self::MetricsOnly)
    }

    /// Whether results go into the window.
    pub(super) const fn measures(self) -> bool {
        matches!(self, Self::Closed | Self::MetricsOnly)
    }
}

const STATE: u64 = 0b111;
const WARMING: u64 = 1 << 3;
const DIRTY: u64 = 1 << 4;
const STREAK_SHIFT: u32 = 5;
const STREAK_MAX: u64 = (1 << 26) - 1;
const PROBES_SHIFT: u32 = 5;
const PROBES_MAX: u64 = (1 << 13) - 1;
const WINS_SHIFT: u32 = 18;
const TIMED: u64 = 1 << 31;
const EPISODE_SHIFT: u32 = 32;

/// A streak is counted up to this.
pub(super) const MAX_STREAK: u32 = (1 << 26) - 1;
const _: () = assert!(MAX_STREAK as u64 == STREAK_MAX);

/// Half-open probes fit into this many bits of the word.
pub(super) const MAX_HALF_OPEN: u32 = 8191;
const _: () = assert!(MAX_HALF_OPEN as u64 == PROBES_MAX);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

impl Word {
    pub(super) const fn new(state: BreakerState, episode: u32) -> Self {
        Self(state as u64 | (episode as u64) << EPISODE_SHIFT)
    }

    /// The first word of a breaker.
    pub(super) const fn first(state: BreakerState, timed: bool) -> Self {
        Self(Self::new(state, 0).0 | if timed { TIMED } else { 0 })
    }

    #[inline]
    pub(super) const fn state(self) -> BreakerState {
        // Six values are written; the mask leaves eight.
        match self.0 & STATE {
            0 => BreakerState::Closed,
            1 => BreakerState::Open,
            2 => BreakerState::HalfOpen,
            3 => BreakerState::ForcedOpen,
            4 => BreakerState::Disabled,
            _ => BreakerState::MetricsOnly,
        }
    }

    #[inline]
    pub(super) const fn episode(self) -> u32 {
        (self.0 >> EPISODE_SHIFT) as u32
    }

    /// Closed, no streak, nothing to evaluate, no time to know: a success has nothing to do here.
    #[inline]
    pub(super) const fn is_healthy(self) -> bool {
        self.0 << 32 == BreakerState::Closed as u64
    }

    /// Whether a quick success changes nothing but a count: no streak to end, no rate that it may
    /// complete, and no failures in a window of time that was not looked at in this slice.
    pub(super) const fn ignores_success(self, evaluated: bool) -> bool {
        match self.state() {
            BreakerState::Disabled => true,
            BreakerState::Closed | BreakerState::MetricsOnly => {
                self.streak() == 0 && self.0 & WARMING == 0 && (evaluated || self.0 & DIRTY == 0)
            }
            _ => false,
        }
    }

    pub(super) const fn streak(self) -> u32 {
        (self.0 >> STREAK_SHIFT & STREAK_MAX) as u32
    }

    pub(super) const fn with_streak(self, streak: u32) -> Self {
        let streak = if streak as u64 > STREAK_MAX {
            STREAK_MAX
        } else {
            streak as u64
        };
        Self(self.0 & !(STREAK_MAX << STREAK_SHIFT) | streak << STREAK_SHIFT)
    }

    pub(super) const fn with_flags(self, warming: bool, dirty: bool) -> Self {
        let flags = if warming { WARMING } else { 0 } | if dirty { DIRTY } else { 0 };
        Self(self.0 & !(WARMING | DIRTY) | flags)
    }

    /// Probes in flight, and probes that succeeded, while half-open.
    pub(super) const fn probes(self) -> (u32, u32) {
        (
            (self.0 >> PROBES_SHIFT & PROBES_MAX) as u32,
            (self.0 >> WINS_SHIFT & PROBES_MAX) as u32,
        )
    }

    pub(super) const fn with_probes(self, in_flight: u32, won: u32) -> Self {
        let counts = (in_flight as u64) << PROBES_SHIFT | (won as u64) << WINS_SHIFT;
        Self(self.0 & !(PROBES_MAX << PROBES_SHIFT | PROBES_MAX << WINS_SHIFT) | counts)
    }

    /// The first word of the next episode.
    pub(super) const fn next(self, state: BreakerState) -> Self {
        Self(Self::new(state, self.episode().wrapping_add(1)).0 | self.0 & TIMED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_touch_each_other() {
        for state in [
            BreakerState::Closed,
            BreakerState::Open,
            BreakerState::HalfOpen,
            BreakerState::ForcedOpen,
            BreakerState::Disabled,
            BreakerState::MetricsOnly,
        ] {
            let word = Word::new(state, u32::MAX);
            assert_eq!(
                (word.state(), word.episode(), word.streak()),
                (state, u32::MAX, 0)
            );
            let word = word.with_streak(u32::MAX).with_flags(true, true);
            assert_eq!((word.state(), word.episode()), (state, u32::MAX));
            assert_eq!(u64::from(word.streak()), STREAK_MAX);
            assert!(!word.is_healthy());
            let word = Word::new(state, 7).with_probes(MAX_HALF_OPEN, MAX_HALF_OPEN - 1);
            assert_eq!(
                (word.probes(), word.state(), word.episode()),
                ((MAX_HALF_OPEN, MAX_HALF_OPEN - 1), state, 7)
            );
            assert_eq!(
                Word::new(state, u32::MAX).next(BreakerState::Open),
                Word::new(BreakerState::Open, 0)
            );
        }
        assert!(Word::new(BreakerState::Closed, 9).is_healthy());
        let timed = Word::first(BreakerState::Closed, true)
            .next(BreakerState::Open)
            .next(BreakerState::Closed);
        assert_eq!((timed.state(), timed.episode()), (BreakerState::Closed, 2));
        assert!(!timed.is_healthy());
        assert!(Word::first(BreakerState::Closed, false).is_healthy());
        assert!(!Word::new(BreakerState::Open, 9).is_healthy());
    }
}

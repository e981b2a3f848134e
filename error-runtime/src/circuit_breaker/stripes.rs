//! The counters of healthy calls: one set per thread, each written by its own thread alone.
//!
//! A success is three loads, a compare and a store, and no second thread touches the cache line.
//! Readers add the sets up. Sets are allocated when a thread first uses the breaker.

use std::sync::OnceLock;

use super::lease::{self, CHUNKS, Place};
use crate::sync::atomic::{AtomicU64, Ordering, fence};
use crate::sync::spin_loop;

/// How many slices a time window is divided into.
pub(super) const SLICES: u64 = 32;

/// A writer is between two episodes.
const BUSY: u64 = u64::MAX;
/// No episode yet.
const NONE: u64 = u64::MAX - 1;

/// One thread's counters, on a cache line of their own.
#[repr(align(64))]
struct Stripe {
    /// The episode that `successes` are of.
    episode: AtomicU64,
    successes: AtomicU64,
    /// Successes of the episodes before.
    folded: AtomicU64,
    rejected: AtomicU64,
    /// Of a time window: successes by slice.
    slices: OnceLock<Box<[Slice]>>,
}

/// Successes of one slice of time.
#[derive(Default)]
struct Slice {
    /// Number of the slice, plus one: one that is long gone or was never used reads as empty.
    tag: AtomicU64,
    successes: AtomicU64,
}

/// All threads' counters of one breaker.
pub(super) struct Stripes {
    chunks: [OnceLock<Box<[Stripe]>>; CHUNKS.len()],
}

/// Adds one without a locked instruction: only the owner writes.
#[inline]
fn bump(counter: &AtomicU64) {
    counter.store(
        counter.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

impl Stripe {
    fn new() -> Self {
        Self {
            episode: AtomicU64::new(NONE),
            successes: AtomicU64::new(0),
            folded: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            slices: OnceLock::new(),
        }
    }

    #[inline]
    fn is_of(&self, episode: u32) -> bool {
        self.episode.load(Ordering::Relaxed) == u64::from(episode)
    }

    /// Goes over to a later episode; readers wait for the end of it. False if the counters are of a later
    /// one already: a thread sees episodes in their order, but one that has just taken over the counters
    /// of another may hold a result from before. That success counts in the totals alone.
    #[cold]
    fn start(&self, episode: u32) -> bool {
        if let Ok(current) = u32::try_from(self.episode.load(Ordering::Relaxed))
            && current.wrapping_sub(episode) < u32::MAX / 2
        {
            bump(&self.folded);
            return false;
        }
        let before = self.successes.load(Ordering::Relaxed);
        self.episode.store(BUSY, Ordering::Relaxed);
        fence(Ordering::Release);
        let folded = self.folded.load(Ordering::Relaxed).wrapping_add(before);
        self.folded.store(folded, Ordering::Relaxed);
        self.successes.store(0, Ordering::Relaxed);
        for slice in self
            .slices
            .get()
            .into_iter()
            .flat_map(|slices| slices.iter())
        {
            slice.tag.store(0, Ordering::Relaxed);
        }
        self.episode.store(u64::from(episode), Ordering::Release);
        true
    }

    /// Episode, its successes, and all successes, as of one moment.
    fn read(&self) -> (u64, u64, u64) {
        loop {
            let episode = self.episode.load(Ordering::Acquire);
            let successes = self.successes.load(Ordering::Relaxed);
            let folded = self.folded.load(Ordering::Relaxed);
            fence(Ordering::Acquire);
            if episode != BUSY && self.episode.load(Ordering::Relaxed) == episode {
                return (episode, successes, folded.wrapping_add(successes));
            }
            spin_loop();
        }
    }

    fn slices(&self) -> &[Slice] {
        self.slices
            .get_or_init(|| (0..=SLICES).map(|_| Slice::default()).collect())
    }
}

impl Stripes {
    pub(super) const fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS.len()],
        }
    }

    /// This thread's counters, if they are there already.
    #[expect(clippy::inline_always, reason = "a few loads; a call costs more")]
    #[inline(always)]
    fn ready(&self) -> Option<&Stripe> {
        self.at(lease::known_place())
    }

    #[expect(clippy::inline_always, reason = "a few loads; a call costs more")]
    #[inline(always)]
    fn at(&self, place: Place) -> Option<&Stripe> {
        let chunk = self.chunks.get(usize::from(place.chunk))?;
        chunk.get()?.get(usize::from(place.index))
    }

    /// This thread's counters; none if too many threads are alive.
    #[cold]
    fn own(&self) -> Option<&Stripe> {
        let place = lease::place()?;
        let chunk = usize::from(place.chunk);
        self.chunks[chunk].get_or_init(|| (0..CHUNKS[chunk]).map(|_| Stripe::new()).collect());
        self.at(place)
    }

    /// Counts a success of this episode. False if this thread has no counters of its own.
    #[expect(
        clippy::inline_always,
        reason = "a few loads and a store; a call costs more"
    )]
    #[inline(always)]
    pub(super) fn success(&self, episode: u32) -> bool {
        match self.ready() {
            Some(stripe) if stripe.is_of(episode) => {
                bump(&stripe.successes);
                true
            }
            // All that is rare is one call at the end, so that the rest needs no registers kept for it.
            _ => self.first_success(episode),
        }
    }

    /// A thread's first success, the first of an episode, or one of a thread that shares its counters.
    #[cold]
    #[inline(never)]
    fn first_success(&self, episode: u32) -> bool {
        let Some(stripe) = self.own() else {
            return false;
        };
        if stripe.is_of(episode) || stripe.start(episode) {
            bump(&stripe.successes);
        }
        true
    }

    /// Counts a success of this episode and of a slice of time.
    #[inline]
    pub(super) fn success_at(&self, episode: u32, slice: u64) -> bool {
        let Some(stripe) = self.ready().or_else(|| self.own()) else {
            return false;
        };
        if !stripe.is_of(episode) && !stripe.start(episode) {
            return true;
        }
        bump(&stripe.successes);
        let tag = slice + 1;
        let slot = &stripe.slices()[(slice % (SLICES + 1)) as usize];
        if slot.tag.load(Ordering::Relaxed) != tag {
            // A reader that sees the new tag sees the count begin anew.
            slot.successes.store(0, Ordering::Relaxed);
            slot.tag.store(tag, Ordering::Release);
        }
        bump(&slot.successes);
        true
    }

    /// Counts a rejection. False if this thread has no counters of its own.
    #[inline]
    pub(super) fn rejected(&self) -> bool {
        let Some(stripe) = self.ready().or_else(|| self.own()) else {
            return false;
        };
        bump(&stripe.rejected);
        true
    }

    fn all(&self) -> impl Iterator<Item = &Stripe> {
        self.chunks
            .iter()
            .filter_map(OnceLock::get)
            .flat_map(|chunk| chunk.iter())
    }

    /// The successes of one episode.
    pub(super) fn successes_of(&self, episode: u32) -> u64 {
        self.all()
            .map(Stripe::read)
            .filter(|(of, ..)| *of == u64::from(episode))
            .map(|(_, successes, _)| successes)
            .sum()
    }

    /// The successes of one episode in the slices up to `last` that a window of time holds.
    pub(super) fn successes_until(&self, episode: u32, last: u64) -> u64 {
        let tags = last.saturating_sub(SLICES - 1) + 1..=last + 1;
        self.all()
            .filter(|stripe| stripe.read().0 == u64::from(episode))
            .filter_map(|stripe| stripe.slices.get())
            .flat_map(|slices| slices.iter())
            .filter(|slice| tags.contains(&slice.tag.load(Ordering::Acquire)))
            .map(|slice| slice.successes.load(Ordering::Relaxed))
            .sum()
    }

    /// Successes and rejections since the breaker was made.
    pub(super) fn totals(&self) -> (u64, u64) {
        self.all().fold((0, 0), |(successes, rejected), stripe| {
            let (.., all) = stripe.read();
            (
                successes.wrapping_add(all),
                rejected.wrapping_add(stripe.rejected.load(Ordering::Relaxed)),
            )
        })
    }
}

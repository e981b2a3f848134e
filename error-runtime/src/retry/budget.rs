//! A limit on retries across calls, so that a service in trouble is not buried under them.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::ConfigError;
use crate::time::{Clock, nanos};

/// What retries are paid from. A token is taken before the wait; where none is left the last error is
/// returned. Clones share it.
///
/// ```
/// use error_runtime::{RetryBudget, RetryPolicy};
/// // 500 tokens, five for each retry: a hundred retries beyond what successes give back.
/// let budget = RetryBudget::tokens(500, 5)?;
/// let policy = RetryPolicy::builder().attempts(4).budget(&budget).build()?;
/// # let _ = policy;
/// # Ok::<(), error_runtime::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RetryBudget(Arc<Kind>);

enum Kind {
    Tokens(Tokens),
    Share(Share),
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget")
            .field("available", &self.available())
            .finish_non_exhaustive()
    }
}

/// A bucket: a retry costs, a success gives back.
struct Tokens {
    left: AtomicU64,
    capacity: u64,
    cost: u64,
}

/// So many retries for each hundred calls of the last while, and so many a second besides.
struct Share {
    /// Millionths of a retry that a call earns.
    earned: u64,
    /// Millionths of a retry there always are within the while.
    reserve: u64,
    ttl: u64,
    slots: Mutex<VecDeque<Slot>>,
    clock: Clock,
}

/// What happened in a tenth of the while.
struct Slot {
    number: u64,
    balance: i64,
}

/// What a retry was paid with, for the case that it is given up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    /// When.
    slot: u64,
}

/// One retry, in millionths.
const RETRY: u64 = 1_000_000;
const SLOTS: u64 = 10;

impl RetryBudget {
    /// A bucket of tokens: each retry takes `cost`, one that succeeds gives them back, and a call that
    /// succeeds at once gives back one.
    ///
    /// # Errors
    ///
    /// If a retry costs nothing.
    pub fn tokens(capacity: u64, cost: u64) -> Result<Self, ConfigError> {
        if cost == 0 {
            return Err(ConfigError::new("cost", "`cost` is at least 1"));
        }
        Ok(Self(Arc::new(Kind::Tokens(Tokens {
            left: AtomicU64::new(capacity),
            capacity,
            cost,
        }))))
    }

    /// Each call of the last `ttl` allows `ratio` retries (`0.2` is one in five), and `min_per_second`
    /// are allowed whatever the calls.
    ///
    /// # Errors
    ///
    /// If the ratio is not from 0 to 1000, or `ttl` not from one second to sixty.
    pub fn share(ratio: f64, min_per_second: u32, ttl: Duration) -> Result<Self, ConfigError> {
        Self::share_with(ratio, min_per_second, ttl, &Clock::SYSTEM)
    }

    /// The same with a clock of one's own.
    ///
    /// # Errors
    ///
    /// As [`share`](Self::share).
    pub fn share_with(
        ratio: f64,
        min_per_second: u32,
        ttl: Duration,
        clock: &Clock,
    ) -> Result<Self, ConfigError> {
        if !(0.0..=1000.0).contains(&ratio) {
            return Err(ConfigError::new("ratio", "`ratio` is from 0 to 1000"));
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(60)).contains(&ttl) {
            return Err(ConfigError::new("ttl", "`ttl` is from one second to sixty"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "at most a thousand million"
        )]
        let earned = (ratio * RETRY as f64).round() as u64;
        let reserve = u128::from(min_per_second) * ttl.as_millis() * u128::from(RETRY) / 1000;
        Ok(Self(Arc::new(Kind::Share(Share {
            earned,
            reserve: u64::try_from(reserve).unwrap_or(u64::MAX),
            ttl: nanos(ttl),
            slots: Mutex::default(),
            clock: clock.clone(),
        }))))
    }

    /// The budget of this name, shared by all who name it; `budget = "…"` of `#[retry]` asks for it. One
    /// that nobody has registered is a bucket of 500 tokens, five for each retry.
    pub fn named(name: &str) -> Self {
        let named = NAMED.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(budget) = named.get(name) {
            return budget.clone();
        }
        drop(named);
        let mut named = NAMED.write().unwrap_or_else(PoisonError::into_inner);
        named
            .entry(name.to_owned())
            .or_insert_with(Self::standard)
            .clone()
    }

    /// Gives this budget a name. False, and nothing done, if the name is taken: register before the
    /// first call that names it.
    #[must_use = "false means that another budget has the name"]
    pub fn register(&self, name: &str) -> bool {
        let mut named = NAMED.write().unwrap_or_else(PoisonError::into_inner);
        let free = !named.contains_key(name);
        if free {
            named.insert(name.to_owned(), self.clone());
        }
        free
    }

    fn standard() -> Self {
        Self(Arc::new(Kind::Tokens(Tokens {
            left: AtomicU64::new(500),
            capacity: 500,
            cost: 5,
        })))
    }

    /// How many tokens are left, or how many retries the share allows now.
    pub fn available(&self) -> u64 {
        match &*self.0 {
            Kind::Tokens(tokens) => tokens.left.load(Ordering::Relaxed),
            Kind::Share(share) => share.balance() / RETRY,
        }
    }

    /// A call begins.
    #[inline]
    pub(super) fn call(&self) {
        if let Kind::Share(share) = &*self.0 {
            share.add(i64::try_from(share.earned).unwrap_or(i64::MAX));
        }
    }

    /// Pays for a retry, if there is enough left.
    pub(super) fn take(&self) -> Option<Paid> {
        match &*self.0 {
            Kind::Tokens(tokens) => tokens
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(tokens.cost)
                })
                .is_ok()
                .then_some(Paid { slot: 0 }),
            Kind::Share(share) => share.take(),
        }
    }

    /// A retry was given up before its end: it costs nothing.
    pub(super) fn refund(&self, paid: Paid) {
        match &*self.0 {
            Kind::Tokens(tokens) => tokens.give(tokens.cost),
            Kind::Share(share) => share.refund(paid),
        }
    }

    /// A call has succeeded, by a retry or at once.
    #[inline]
    pub(super) fn reward(&self, by_retry: bool) {
        if let Kind::Tokens(tokens) = &*self.0 {
            // A full bucket, which is the usual one, is only read.
            if tokens.left.load(Ordering::Relaxed) < tokens.capacity {
                tokens.give(if by_retry { tokens.cost } else { 1 });
            }
        }
    }
}

impl From<&Self> for RetryBudget {
    fn from(budget: &Self) -> Self {
        budget.clone()
    }
}

impl Tokens {
    fn give(&self, tokens: u64) {
        let _ = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_add(tokens).min(self.capacity))
            });
    }
}

impl Share {
    fn slot(&self) -> u64 {
        self.clock.coarse_nanos() / (self.ttl / SLOTS)
    }

    /// Drops the slots that are too old. Time may seem to run backwards between threads: then the
    /// newest slot stands for now.
    fn sum(&self, slots: &mut VecDeque<Slot>, now: u64) -> u64 {
        while slots.front().is_some_and(|slot| slot.number + SLOTS <= now) {
            slots.pop_front();
        }
        let balance: i64 = slots
            .iter()
            .fold(0, |sum: i64, slot| sum.saturating_add(slot.balance));
        self.reserve.saturating_add_signed(balance)
    }

    fn change(slots: &mut VecDeque<Slot>, now: u64, by: i64) {
        match slots.back_mut() {
            Some(last) if last.number >= now => last.balance = last.balance.saturating_add(by),
            _ => slots.push_back(Slot {
                number: now,
                balance: by,
            }),
        }
    }

    fn balance(&self) -> u64 {
        let now = self.slot();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        self.sum(&mut slots, now)
    }

    fn add(&self, by: i64) {
        let now = self.slot();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        self.sum(&mut slots, now);
        Self::change(&mut slots, now, by);
    }

    fn take(&self) -> Option<Paid> {
        let now = self.slot();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if self.sum(&mut slots, now) < RETRY {
            return None;
        }
        Self::change(&mut slots, now, -RETRY.cast_signed());
        Some(Paid { slot: now })
    }

    /// What was paid in a slot that is gone has come back already.
    fn refund(&self, paid: Paid) {
        let now = self.slot();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        self.sum(&mut slots, now);
        if paid.slot + SLOTS > now {
            Self::change(&mut slots, now, RETRY.cast_signed());
        }
    }
}

static NAMED: LazyLock<RwLock<BTreeMap<String, RetryBudget>>> = LazyLock::new(RwLock::default);

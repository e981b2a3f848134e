//! All breakers of the process, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::CircuitBreaker;
use super::builder::ConstCircuitBreakerBuilder;
use super::config::differing;
use super::events::{TransitionEvent, TransitionHook, run_one};
use super::rejected::ServiceName;

/// The breakers of this process, one per name.
///
/// Attributes register theirs; what [`CircuitBreaker::builder`] builds is registered by hand. The
/// registry is made for up to 100 000 breakers; beyond that, one that is closed, idle and that nobody
/// holds makes room for each new one. If there is none, the registry grows.
#[derive(Default)]
pub struct Breakers {
    by_name: RwLock<BTreeMap<ServiceName, Entry>>,
    hooks: RwLock<Vec<TransitionHook>>,
    mismatches: RwLock<Vec<ConfigMismatch>>,
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|breaker| breaker.name().to_owned()))
            .finish()
    }
}

const CAPACITY: usize = 100_000;

struct Entry {
    handle: BreakerHandle,
    /// An attribute refers to it, so it stays.
    pinned: bool,
}

impl Entry {
    /// Nothing would be lost with it. One that somebody holds stays, or there would be two of its name.
    fn may_go(&self) -> bool {
        let held = match &self.handle.0 {
            Repr::Static(_) => true,
            Repr::Shared(breaker) => Arc::strong_count(breaker) > 1,
        };
        !self.pinned && !held && self.handle.engine.is_idle()
    }
}

/// A registered breaker; it dereferences to the [`CircuitBreaker`].
#[derive(Clone, Debug)]
pub struct BreakerHandle(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Static(&'static CircuitBreaker),
    Shared(Arc<CircuitBreaker>),
}

impl Deref for BreakerHandle {
    type Target = CircuitBreaker;

    fn deref(&self) -> &CircuitBreaker {
        match &self.0 {
            Repr::Static(breaker) => breaker,
            Repr::Shared(breaker) => breaker,
        }
    }
}

impl From<CircuitBreaker> for BreakerHandle {
    fn from(breaker: CircuitBreaker) -> Self {
        Self(Repr::Shared(Arc::new(breaker)))
    }
}

impl From<Arc<CircuitBreaker>> for BreakerHandle {
    fn from(breaker: Arc<CircuitBreaker>) -> Self {
        Self(Repr::Shared(breaker))
    }
}

impl From<&'static CircuitBreaker> for BreakerHandle {
    fn from(breaker: &'static CircuitBreaker) -> Self {
        Self(Repr::Static(breaker))
    }
}

/// There is no breaker of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownBreaker {
    /// The name that was asked for.
    pub name: String,
}

impl fmt::Display for UnknownBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no circuit breaker {:?}", self.name)
    }
}

impl std::error::Error for UnknownBreaker {}

/// Two breakers of one name with different rules; the first is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigMismatch {
    /// The name.
    pub name: String,
    /// The keys that differ.
    pub keys: Vec<&'static str>,
}

impl Breakers {
    /// The registry of the process.
    pub fn global() -> &'static Self {
        static GLOBAL: LazyLock<Breakers> = LazyLock::new(Breakers::default);
        &GLOBAL
    }

    /// The breaker of this name.
    pub fn get(&self, name: &str) -> Option<BreakerHandle> {
        let breakers = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        breakers.get(name).map(|entry| entry.handle.clone())
    }

    /// All breakers as of now, by name.
    pub fn iter(&self) -> std::vec::IntoIter<BreakerHandle> {
        let breakers = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let handles: Vec<_> = breakers
            .values()
            .map(|entry| entry.handle.clone())
            .collect();
        handles.into_iter()
    }

    /// Registers a breaker and gives back the one in force: itself, or the one that had the name
    /// before. Rules that differ are reported; a rule that one of them leaves out matches any.
    pub fn register(&self, breaker: impl Into<BreakerHandle>) -> BreakerHandle {
        self.insert(breaker.into(), false)
    }

    /// The breaker that an attribute names, made with its rules if nobody has made it. It stays for as
    /// long as the process.
    pub(super) fn of_attribute(
        &self,
        rules: ConstCircuitBreakerBuilder,
    ) -> &'static CircuitBreaker {
        // The rules were checked when the attribute was compiled.
        let made = match rules.into_builder().build() {
            Ok(made) => made,
            Err(error) => unreachable!("{error}"),
        };
        match self.insert(made.into(), true).0 {
            Repr::Static(breaker) => breaker,
            // Pinned, so nothing is lost by never giving it back.
            Repr::Shared(breaker) => Box::leak(Box::new(breaker)),
        }
    }

    /// Registers a `static` that an attribute uses. Its rules are those it was compiled with; of the
    /// environment's settings only the switch can reach it, when it is first used.
    pub(super) fn pin(&self, breaker: &'static CircuitBreaker) {
        let known = self.get(breaker.name()).is_some();
        self.insert(breaker.into(), true);
        if !known && !super::builder::is_enabled(breaker.name()) {
            breaker.disable();
        }
    }

    fn insert(&self, handle: BreakerHandle, pinned: bool) -> BreakerHandle {
        let mut breakers = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = breakers.get_mut(handle.name()) {
            entry.pinned |= pinned;
            let first = entry.handle.clone();
            drop(breakers);
            self.compare(&first, &handle);
            return first;
        }
        // Dropped after the lock: hooks hold values of the application's.
        let mut gone = None;
        if breakers.len() >= CAPACITY {
            let idle = breakers.iter().find(|(_, entry)| entry.may_go());
            if let Some(name) = idle.map(|(name, _)| name.clone()) {
                gone = breakers.remove(&name);
            }
        }
        breakers.insert(
            handle.hooks.service.clone(),
            Entry {
                handle: handle.clone(),
                pinned,
            },
        );
        drop(breakers);
        drop(gone);
        handle
    }

    fn compare(&self, first: &CircuitBreaker, second: &CircuitBreaker) {
        if std::ptr::eq(first, second) {
            return;
        }
        let keys = differing(
            (first.engine.config(), first.given),
            (second.engine.config(), second.given),
        );
        if keys.is_empty() {
            return;
        }
        let mismatch = ConfigMismatch {
            name: first.name().to_owned(),
            keys,
        };
        let mut mismatches = self
            .mismatches
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !mismatches.contains(&mismatch) && mismatches.len() < CAPACITY {
            mismatches.push(mismatch);
        }
    }

    /// Names that were registered with rules that differ from those in force.
    pub fn mismatches(&self) -> Vec<ConfigMismatch> {
        self.mismatches
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Closes one circuit.
    ///
    /// # Errors
    ///
    /// If there is no breaker of this name; none is made.
    pub fn reset(&self, name: &str) -> Result<(), UnknownBreaker> {
        match self.get(name) {
            Some(breaker) => {
                breaker.reset();
                Ok(())
            }
            None => Err(UnknownBreaker {
                name: name.to_owned(),
            }),
        }
    }

    /// Closes all circuits.
    pub fn reset_all(&self) {
        self.iter().for_each(|breaker| breaker.reset());
    }

    /// Calls `hook` on each change of state of any breaker of the process.
    pub fn on_transition(&self, hook: impl Fn(&TransitionEvent) + Send + Sync + 'static) {
        self.hooks
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(hook));
    }
}

impl IntoIterator for &Breakers {
    type Item = BreakerHandle;
    type IntoIter = std::vec::IntoIter<BreakerHandle>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Calls the hooks of the registry, outside its locks.
pub(super) fn run_hooks(event: &TransitionEvent) {
    let hooks = Breakers::global()
        .hooks
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    for hook in &hooks {
        run_one(hook, event);
    }
}

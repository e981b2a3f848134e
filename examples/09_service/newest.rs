//! What is kept of the newest, so that a run without an end does not grow. A real service has a database.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// How much of each is kept: accounts, tokens, uploads, jobs, answered checkouts.
pub(crate) const MOST_KEPT: usize = 10_000;

/// A map that forgets the oldest of more than [`MOST_KEPT`].
pub(crate) struct Newest<K, V> {
    all: HashMap<K, V>,
    /// The oldest first.
    order: VecDeque<K>,
    forgotten: usize,
}

impl<K, V> Default for Newest<K, V> {
    fn default() -> Self {
        Self {
            all: HashMap::new(),
            order: VecDeque::new(),
            forgotten: 0,
        }
    }
}

impl<K: Clone + Eq + Hash, V> Newest<K, V> {
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.all.get(key)
    }

    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.all.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.all.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MOST_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
            self.forgotten += 1;
        }
    }

    /// How many there were, those that are forgotten too.
    pub(crate) fn total(&self) -> usize {
        self.all.len() + self.forgotten
    }
}

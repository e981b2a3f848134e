//! A table of counters that requests share: found without a lock, never emptied, read by whoever keeps the
//! difference to what was read before.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::MINUTE;

/// How many minutes have a cell of their own. A cell is used again after that time; whoever reads does it far
/// more often.
pub(crate) const CELLS: usize = 8;

/// The cell of a moment.
pub(crate) fn cell_of(millis: u64) -> usize {
    usize::try_from(millis / MINUTE % CELLS as u64).unwrap_or(0)
}

/// Values by key, in a fixed number of places, made when they are first asked for.
pub(crate) struct Table<V> {
    places: Box<[OnceLock<V>]>,
    hasher: RandomState,
}

/// How many places are looked at for one key.
const PROBES: usize = 16;

impl<V> Table<V> {
    /// `places` must be a power of two.
    pub(crate) fn new(places: usize) -> Self {
        debug_assert!(places.is_power_of_two());
        Self {
            places: (0..places).map(|_| OnceLock::new()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The value of a key, which `is` knows and `make` makes. Nothing if there is no place left for it.
    pub(crate) fn get_or_make<K: Hash + ?Sized>(
        &self,
        key: &K,
        is: impl Fn(&V) -> bool,
        mut make: impl FnMut() -> V,
    ) -> Option<&V> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "any bits of a hash will do"
        )]
        let start = self.hasher.hash_one(key) as usize;
        (0..PROBES).find_map(|probe| {
            let place = &self.places[(start + probe) & (self.places.len() - 1)];
            // Who comes second for an empty place sees the value of who came first.
            let value = place.get_or_init(&mut make);
            is(value).then_some(value)
        })
    }

    /// All values so far.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &V> {
        self.places.iter().filter_map(OnceLock::get)
    }
}

/// Numbers of the latest minutes, which only grow: what is in a cell belongs to several minutes, of which all
/// but the latest were read before.
#[derive(Default)]
pub(crate) struct Minutes {
    cells: [AtomicU64; CELLS],
}

impl Minutes {
    #[inline]
    pub(crate) fn add(&self, cell: usize) {
        self.cells[cell].fetch_add(1, Ordering::Relaxed);
    }

    /// Calls `new` with each cell that has grown since it was read last, and by how much.
    pub(crate) fn read(&self, last: &mut [u64; CELLS], mut new: impl FnMut(usize, u64)) {
        for (place, cell) in self.cells.iter().enumerate() {
            let now = cell.load(Ordering::Relaxed);
            if now != last[place] {
                new(place, now.wrapping_sub(last[place]));
                last[place] = now;
            }
        }
    }
}

/// When the minute began that a cell counts, read at `now`: the latest that it can be. A clock of another
/// processor may be a little ahead, so the minute to come is taken for what it is.
pub(crate) fn minute_of(cell: usize, now: u64) -> u64 {
    let next = now / MINUTE + 1;
    let behind = (cell_of(next * MINUTE) + CELLS - cell) % CELLS;
    next.saturating_sub(behind as u64) * MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_latest_minute_that_it_can_be() {
        for minute in 100..120_u64 {
            for age in 0..CELLS as u64 - 1 {
                let then = (minute - age) * MINUTE;
                assert_eq!(minute_of(cell_of(then), minute * MINUTE + 59_999), then);
            }
            let ahead = (minute + 1) * MINUTE;
            assert_eq!(minute_of(cell_of(ahead), minute * MINUTE + 59_999), ahead);
        }
    }

    #[test]
    fn a_full_table_says_so() {
        let table = Table::new(16);
        let mut made = 0;
        for key in 0..100_u32 {
            if table
                .get_or_make(&key, |known| *known == key, || key)
                .is_some()
            {
                made += 1;
            }
        }
        assert_eq!((made, table.iter().count()), (16, 16));
        assert!(table.iter().all(|key| {
            table
                .get_or_make(key, |known| known == key, || *key)
                .is_some()
        }));
    }

    #[test]
    fn threads_count_each_once() {
        let table = Table::<(u32, Minutes)>::new(64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..10_000_u32 {
                        let key = round % 40;
                        let found = table.get_or_make(
                            &key,
                            |(known, _)| *known == key,
                            || (key, Minutes::default()),
                        );
                        if let Some((_, minutes)) = found {
                            minutes.add(round as usize % CELLS);
                        }
                    }
                });
            }
        });
        let mut sum = 0;
        for (_, minutes) in table.iter() {
            minutes.read(&mut [0; CELLS], |_, count| sum += count);
        }
        assert_eq!((table.iter().count(), sum), (40, 40_000));
    }
}

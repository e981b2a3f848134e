//! Interleaved timing.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use crate::{Case, Heap, median};

/// How long to measure.
pub struct Plan {
    pub rounds: usize,
    /// How long one case runs in one round: long against the clock's resolution, short against a
    /// time slice of the scheduler.
    pub batch: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: 151,
            batch: Duration::from_millis(3),
        }
    }
}

impl Plan {
    pub fn measure(&self, mut cases: Vec<Case>) -> Results {
        let heap = cases.iter_mut().map(Heap::of).collect();
        let times: Vec<u64> = cases.iter_mut().map(|case| self.times(case)).collect();
        let mut rounds = vec![vec![0.0; cases.len()]; self.rounds];
        let mut order: Vec<usize> = (0..cases.len()).collect();
        for round in &mut rounds {
            shuffle(&mut order);
            for &index in &order {
                round[index] = undisturbed(&mut cases[index], times[index]);
            }
        }
        Results {
            names: cases.iter().map(Case::name).collect(),
            heap,
            rounds,
        }
    }

    /// How often a case runs in one batch. The first estimates also warm it up.
    fn times(&self, case: &mut Case) -> u64 {
        let batch = self.batch.as_nanos() as f64;
        let mut times = 1;
        loop {
            let taken = nanos(case, times);
            if taken > batch / 4.0 {
                return (times as f64 * batch / taken).max(1.0) as u64;
            }
            times *= 2;
        }
    }
}

/// Nanoseconds of every case in every round.
pub struct Results {
    names: Vec<&'static str>,
    heap: Vec<Heap>,
    rounds: Vec<Vec<f64>>,
}

impl Results {
    pub fn nanos(&self, name: &str) -> f64 {
        let index = self.index(name);
        median(self.rounds.iter().map(|round| round[index]).collect())
    }

    /// The median over the rounds of how much longer `name` took than `other` in the same round.
    pub fn ratio(&self, name: &str, other: &str) -> f64 {
        let (index, other) = (self.index(name), self.index(other));
        let ratios = self.rounds.iter().map(|round| round[index] / round[other]);
        median(ratios.collect())
    }

    pub fn heap(&self, name: &str) -> Heap {
        self.heap[self.index(name)]
    }

    fn index(&self, name: &str) -> usize {
        let index = self.names.iter().position(|known| *known == name);
        index.unwrap_or_else(|| panic!("no case is named {name:?}"))
    }
}

fn nanos(case: &mut Case, times: u64) -> f64 {
    let start = Instant::now();
    case.run(times);
    start.elapsed().as_nanos() as f64
}

/// Nanoseconds per operation of one batch; a batch during which the thread lost its processor is
/// measured again, a few times at most.
fn undisturbed(case: &mut Case, times: u64) -> f64 {
    let mut taken = f64::NAN;
    for _ in 0..8 {
        let before = preemptions();
        taken = nanos(case, times) / times as f64;
        if preemptions() == before {
            break;
        }
    }
    taken
}

/// How often the scheduler has taken the processor from this thread. Where the system does not say,
/// no batch is repeated.
fn preemptions() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let count = status
        .lines()
        .find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
    count.trim().parse().ok()
}

fn shuffle(order: &mut [usize]) {
    let random = RandomState::new();
    for last in (1..order.len()).rev() {
        let other = random.hash_one(last) % (last as u64 + 1);
        order.swap(last, other as usize);
    }
}

//! `cargo check` of crates after a change to each, in turns.

use crate::command::{Taken, timed};
use crate::workspace::Workspace;
use crate::{Result, median};

const RUNS: usize = 7;

/// What each crate took in each round.
pub struct Rounds<'n> {
    names: &'n [&'static str],
    rounds: Vec<Vec<Taken>>,
}

impl<'n> Rounds<'n> {
    pub fn measure(workspace: &Workspace, names: &'n [&'static str]) -> Result<Self> {
        let mut rounds = Vec::new();
        for round in 0..=RUNS {
            let mut taken = vec![
                Taken {
                    wall: 0.0,
                    cpu: 0.0,
                };
                names.len()
            ];
            // Back and forth, so that no crate always comes after the same other one.
            let mut order: Vec<usize> = (0..names.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                workspace.touch(names[index])?;
                let check = ["check", "-q", "-p", names[index]];
                taken[index] = timed(workspace.cargo("check", &check))?;
            }
            // The first round builds the dependencies.
            if round > 0 {
                rounds.push(taken);
            }
        }
        Ok(Self { names, rounds })
    }

    /// The median of one crate.
    pub fn seconds(&self, name: &str, of: fn(&Taken) -> f64) -> f64 {
        let index = self.index(name);
        median(self.rounds.iter().map(|round| of(&round[index])).collect())
    }

    /// The median over the rounds of how much more processor time one takes than another.
    pub fn ratio(&self, name: &str, other: &str) -> f64 {
        let (index, other) = (self.index(name), self.index(other));
        let ratios = self
            .rounds
            .iter()
            .map(|round| round[index].cpu / round[other].cpu);
        median(ratios.collect())
    }

    fn index(&self, name: &str) -> usize {
        let index = self.names.iter().position(|known| *known == name);
        index.unwrap_or_else(|| panic!("no crate is named {name:?}"))
    }
}

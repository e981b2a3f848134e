//! The first `cargo check` of an axum application, alone and with this library.

use crate::command::{Taken, timed};
use crate::workspace::{Crate, Workspace, runtime};
use crate::{Result, limit, median};

const RUNS: usize = 3;
const MOST: f64 = 1.15;

const ALONE: &str = "alone";
const WITH_OURS: &str = "with_ours";

const AXUM: &str = "axum = \"0.8\"\ntokio = { version = \"1\", features = [\"full\"] }\n";

pub fn measure() -> Result<bool> {
    let of = |name, dependencies| Crate {
        name,
        dependencies,
        source: String::new(),
    };
    let workspace = Workspace::new(
        "application",
        &[
            of(ALONE, AXUM.to_owned()),
            of(WITH_OURS, format!("{AXUM}{}", runtime(&["axum"]))),
        ],
    )?;
    println!("## First `cargo check` of an axum application, 2 jobs\n");

    let (mut alone, mut with_ours) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let mut order = [(ALONE, &mut alone), (WITH_OURS, &mut with_ours)];
        if run % 2 == 1 {
            order.reverse();
        }
        for (name, runs) in order {
            workspace.forget_target("cold")?;
            runs.push(timed(
                workspace.cargo("cold", &["check", "-q", "-p", name]),
            )?);
        }
    }

    println!("| application | wall s | CPU s |\n|---|---:|---:|");
    for (name, runs) in [(ALONE, &alone), (WITH_OURS, &with_ours)] {
        println!(
            "| {name} | {:.2} | {:.2} |",
            median(runs.iter().map(|taken| taken.wall).collect()),
            median(runs.iter().map(|taken| taken.cpu).collect()),
        );
    }
    println!();
    let ratio = |of: fn(&Taken) -> f64| {
        let pairs = with_ours.iter().zip(&alone);
        median(
            pairs
                .map(|(with_ours, alone)| of(with_ours) / of(alone))
                .collect(),
        )
    };
    // Two jobs overlap differently on a busy machine: where CPU and wall time disagree, measure again.
    println!("with ours / alone, CPU: {:.2}", ratio(|taken| taken.cpu));
    Ok(limit(
        "with ours / alone, wall",
        ratio(|taken| taken.wall),
        MOST,
    ))
}

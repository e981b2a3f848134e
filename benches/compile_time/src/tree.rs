//! How many crates an application gets by depending on this one.

use std::collections::BTreeSet;

use crate::command::output;
use crate::workspace::{Crate, Workspace, runtime};
use crate::{Result, limit};

const MOST: f64 = 30.0;

pub fn measure() -> Result<bool> {
    let workspace = Workspace::new(
        "tree",
        &[Crate {
            name: "application",
            dependencies: runtime(&[]),
            source: String::new(),
        }],
    )?;
    println!("## Crates of the default features, this library's own two included\n");
    let arguments = [
        "tree",
        "-p",
        "application",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--no-dedupe",
    ];
    let (tree, _) = output(workspace.cargo("tree", &arguments))?;
    let crates: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .filter(|(name, _)| *name != "application")
        .collect();
    let names: Vec<_> = crates.iter().map(|(name, _)| *name).collect();
    println!("{}\n", names.join(", "));
    Ok(limit("crates in the tree", crates.len() as f64, MOST))
}

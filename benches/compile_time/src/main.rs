//! What this library costs when an application is built.
//!
//! `cargo run --release -p compile_time` prints tables and limits, and fails if a limit is missed.
//! `--expansion`, `--attributes`, `--tree` or `--application` measures one part only.

mod application;
mod attributes;
mod command;
mod expansion;
mod rounds;
mod shape;
mod tree;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A part: true if its limits hold.
type Part = fn() -> Result<bool>;

fn main() -> Result<ExitCode> {
    let parts: [(&str, Part); 4] = [
        ("--expansion", expansion::measure),
        ("--attributes", attributes::measure),
        ("--tree", tree::measure),
        ("--application", application::measure),
    ];
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut holds = true;
    for (name, part) in parts {
        if arguments.is_empty() || arguments.iter().any(|argument| argument == name) {
            holds &= part()?;
            println!();
        }
    }
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints the line of a limit and gives back whether it holds.
fn limit(what: &str, value: f64, most: f64) -> bool {
    let holds = value <= most;
    let verdict = if holds { "PASS" } else { "FAIL" };
    println!("{verdict} {what}: {value:.2}, at most {most}");
    holds
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

//! From a declared error to a complete response, and back to nothing: building and dropping both count.
//!
//! `cargo run --release -p error_response` prints the table and the limits, and fails if one is
//! missed. With `--once NAME TIMES` it runs one row that often and prints nothing, for profilers.

mod agreement;
mod by_hand;
mod case;
mod floor;
mod limits;
mod ours;
mod peers;
mod stamp;

use std::error::Error;
use std::process::ExitCode;

use error_runtime::RequestContext;
use harness::{Case, Counting, Plan, Results};

#[global_allocator]
static HEAP: Counting = Counting;

/// The names of the rows that limits speak of.
mod name {
    pub const OURS_AXUM: &str = "ours -> axum";
    pub const OURS_ACTIX: &str = "ours -> actix";
    pub const BY_HAND_AXUM: &str = "by hand, axum Json(struct)";
    pub const BY_HAND_ACTIX: &str = "by hand, actix .json(struct)";
    pub const MASTERROR: &str = "masterror -> axum";
    pub const API_ERROR: &str = "api-error -> axum";
    pub const PROBLEM_DETAILS: &str = "problem_details -> axum";
    pub const OUR_STAMP: &str = "ours: time + id";
    pub const CLOCK: &str = "SystemTime::now()";
}

fn cases() -> Vec<Case> {
    vec![
        Case::new("floor: axum, finished body", floor::axum),
        Case::new("floor: axum, and a small map", floor::axum_small_map),
        Case::new("floor: actix, finished body", floor::actix),
        Case::new(name::OURS_AXUM, ours::axum),
        Case::new(name::OURS_ACTIX, ours::actix),
        Case::new(name::BY_HAND_AXUM, by_hand::axum),
        Case::new("by hand, axum, fewer members", by_hand::axum_fewer_members),
        Case::new(name::BY_HAND_ACTIX, by_hand::actix),
        Case::new(name::MASTERROR, peers::masterror),
        Case::new(name::PROBLEM_DETAILS, peers::problem_details),
        Case::new(name::API_ERROR, peers::api_error),
        Case::new("api-error, message only", peers::api_error_message_only),
        Case::new(name::OUR_STAMP, stamp::ours),
        Case::new(name::CLOCK, stamp::clock),
        Case::new("uuid: v7 as text", stamp::uuid),
        Case::new("chrono: RFC 3339", stamp::chrono),
        Case::new("time: RFC 3339", stamp::time),
    ]
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // The context is entered once per request, by a layer; not by the error.
    RequestContext::new(case::REQUEST_ID).enter(|| {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => compare(),
            ["--once", name, times] => {
                once(name, times.parse()?)?;
                Ok(ExitCode::SUCCESS)
            }
            _ => Err("usage: error_response [--once NAME TIMES]".into()),
        }
    })
}

fn compare() -> Result<ExitCode, Box<dyn Error>> {
    agreement::check()?;
    let cases = cases();
    let names: Vec<_> = cases.iter().map(Case::name).collect();
    let results = Plan::default().measure(cases);
    print_table(&names, &results);
    println!();
    Ok(if limits::check(&results) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print_table(names: &[&str], results: &Results) {
    println!("| row | ns | x by hand (axum) | allocs | reallocs | bytes |");
    println!("|---|---:|---:|---:|---:|---:|");
    for name in names {
        let heap = results.heap(name);
        println!(
            "| {name} | {:.0} | {:.2} | {} | {} | {} |",
            results.nanos(name),
            results.ratio(name, name::BY_HAND_AXUM),
            heap.allocs,
            heap.reallocs,
            heap.bytes,
        );
    }
}

fn once(name: &str, times: u64) -> Result<(), Box<dyn Error>> {
    let mut cases = cases();
    let case = cases.iter_mut().find(|case| case.name() == name);
    case.ok_or("no row has this name")?.run(times);
    Ok(())
}

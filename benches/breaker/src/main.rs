//! What a circuit breaker costs a call.
//!
//! `cargo run --release -p breaker_bench` prints the table and the limits, and fails if one is missed.
//! With `--once NAME TIMES` it runs one row that often and prints nothing, for profilers.

mod floor;
mod limits;
mod ours;
mod peers;
mod registry;

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;

use error_runtime::{ApiError, Rejected};
use harness::{Case, Counting, Plan, Results};

#[global_allocator]
static HEAP: Counting = Counting;

/// Zero-sized: the tag of a `Result` in one byte of two would stall the bare call and hide the rest.
#[derive(Clone, Debug, ApiError)]
#[api(status = 503)]
struct Oops;

impl From<Rejected> for Oops {
    fn from(_: Rejected) -> Self {
        Self
    }
}

/// The guarded operation: a real call that succeeds.
#[inline(never)]
fn op() -> Result<u64, Oops> {
    black_box(Ok(1))
}

/// And one that fails.
#[inline(never)]
fn bad() -> Result<u64, Oops> {
    black_box(Err(Oops))
}

/// Runs a future on a runtime of this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A row that awaits an expression again and again on one runtime.
macro_rules! awaited {
    ($name:expr, $future:expr) => {
        harness::Case::batch($name, move |times| {
            crate::block_on(async {
                for _ in 0..times {
                    let _ = std::hint::black_box($future.await);
                }
            });
        })
    };
}
use awaited;

fn cases() -> Vec<Case> {
    let mut cases = floor::cases();
    cases.extend(ours::cases());
    cases.extend(peers::cases());
    cases
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(compare()),
        ["--once", name, times] => {
            let mut cases = cases();
            let case = cases.iter_mut().find(|case| case.name() == *name);
            case.ok_or("no row has this name")?.run(times.parse()?);
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("usage: breaker_bench [--once NAME TIMES]".into()),
    }
}

fn compare() -> ExitCode {
    let cases = cases();
    let names: Vec<_> = cases.iter().map(Case::name).collect();
    let results = Plan::default().measure(cases);
    print_table(&names, &results);
    println!();
    if limits::check(&names, &results) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print_table(names: &[&str], results: &Results) {
    println!("| row | ns | x call + fetch_add | allocs |");
    println!("|---|---:|---:|---:|");
    for name in names {
        println!(
            "| {name} | {:.2} | {:.2} | {} |",
            results.nanos(name),
            results.ratio(name, floor::FETCH_ADD),
            results.heap(name).allocs,
        );
    }
}

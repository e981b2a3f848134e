//! What the HTTP edge costs a request.
//!
//! `cargo run --release -p edge_bench` prints the table and the limits, and fails if one is missed;
//! with `--subscriber` a subscriber writes the log to a sink meanwhile. `--serve NAME PORT` serves one of
//! the services, for wrk: see `wrk.sh`. `--once NAME TIMES` runs one row that often, for profilers.

mod apps;
mod limits;
mod rows;

use std::error::Error;
use std::process::ExitCode;

use harness::{Case, Counting, Plan, Results};

#[global_allocator]
static HEAP: Counting = Counting;

/// Runs a future on a runtime of this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(if limits::check(&measured()) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }),
        // Ours logs what tower-http does not: to be read, not to be compared.
        ["--subscriber"] => {
            log_to_a_sink();
            measured();
            Ok(ExitCode::SUCCESS)
        }
        ["--serve", name, port] => {
            serve(name, port.parse()?)?;
            Ok(ExitCode::SUCCESS)
        }
        ["--once", name, times] => {
            let mut cases = rows::all();
            let case = cases.iter_mut().find(|case| case.name() == *name);
            case.ok_or("no row has this name")?.run(times.parse()?);
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("usage: edge_bench [--subscriber | --serve NAME PORT | --once NAME TIMES]".into()),
    }
}

fn log_to_a_sink() {
    tracing_subscriber::fmt()
        .with_writer(std::io::sink)
        .with_ansi(false)
        .init();
}

fn serve(name: &str, port: u16) -> Result<(), Box<dyn Error>> {
    let app = match name {
        "plain" => apps::plain(),
        "ours" => apps::ours(),
        "tower-http" => apps::tower_http(),
        _ => return Err("the services are plain, ours and tower-http".into()),
    };
    block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        axum::serve(listener, app).await
    })?;
    Ok(())
}

fn measured() -> Results {
    let cases = rows::all();
    let names: Vec<_> = cases.iter().map(Case::name).collect();
    let results = Plan::default().measure(cases);
    print_table(&names, &results);
    println!();
    results
}

fn print_table(names: &[&str], results: &Results) {
    println!("| row | ns | x error by hand | allocs |");
    println!("|---|---:|---:|---:|");
    for name in names {
        println!(
            "| {name} | {:.0} | {:.2} | {} |",
            results.nanos(name),
            results.ratio(name, rows::PLAIN_ERR),
            results.heap(name).allocs,
        );
    }
}

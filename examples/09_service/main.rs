//! A media back end with everything around it: accounts, payments, uploads, rendering jobs and e-mail, the four
//! servers that it depends on and that fail, clients, a monitor, and somebody who is told. It prints what happens,
//! and in the end what the clients saw beside what the monitor says.
//!
//! ```sh
//! cargo run -p examples --example service                  # until Ctrl-C, on port 8080
//! cargo run -p examples --example service -- --seconds 60  # through outage and recovery, by itself
//! cargo run -p examples --example service -- --help
//! ```
//!
//! Where to read: `app.rs` puts everything together; `accounts.rs`, `payments.rs`, `uploads.rs`, `storage.rs`,
//! `jobs.rs`, `renderer.rs` and `mail.rs` are the service, each with its errors on top. `upstreams/`, `traffic/`, `scenario.rs`
//! and `alerts.rs` are the world around it, `report.rs` is the summary.

mod accounts;
mod alerts;
mod app;
mod idempotency;
mod jobs;
mod mail;
mod newest;
mod others;
mod password;
mod payments;
mod remote;
mod renderer;
mod report;
mod run;
mod scenario;
mod stop;
mod storage;
mod story;
mod tally;
#[cfg(test)]
mod tests;
mod traffic;
mod uploads;
mod upstreams;

use std::process::ExitCode;

use clap::Parser;

/// A media back end with flaky servers behind it, clients before it and a monitor beside it.
///
/// It prints what happens, where the dashboard is, and how to make a server fail by hand. In the end the answers
/// that the clients got are compared with what the monitor says: if they are not equal the exit code is 1.
#[derive(Debug, Parser)]
#[command(name = "service", after_help = EXAMPLES)]
struct Arguments {
    /// The port of the service on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Play the scenario once in so many seconds (15 to 86400) and exit; 0 goes on until Ctrl-C, and plays it
    /// every two minutes
    #[arg(long, default_value_t = 0, value_parser = seconds)]
    seconds: u64,
    /// No scenario: the servers behind the service are slow or out only if you make them so. Clients make mistakes
    /// as ever, and send videos that no renderer can bear
    #[arg(long)]
    quiet_upstreams: bool,
    /// What chance begins with: with the same number clients do the same in the same order, and each server fails
    /// at the same of its calls
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const EXAMPLES: &str = "\
Examples:
  cargo run --example service                              until Ctrl-C, to look at with a browser
  cargo run --example service -- --seconds 60              through slowness, outages and recovery, then a summary
  cargo run --example service -- --port 0 --quiet-upstreams   on a free port, with nothing but usual traffic

Environment:
  SERVICE_ADMIN_TOKEN   the operator's token, 16 characters or more; random if it is not set
  SERVICE_VIEWER_TOKEN  the token of those who only look";

fn seconds(text: &str) -> Result<u64, String> {
    let least = scenario::LEAST_SECONDS;
    match text.parse() {
        Ok(seconds) if seconds == 0 || (least..=86_400).contains(&seconds) => Ok(seconds),
        _ => Err(format!(
            "0, or from {least} (a shorter run would not show everything) to 86400"
        )),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run::run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("service: {error}");
            ExitCode::from(2)
        }
    }
}

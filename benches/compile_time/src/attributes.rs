//! `cargo check` of a thousand functions with an attribute, half of them `async`.

use std::fmt::Write as _;

use crate::command::Taken;
use crate::rounds::Rounds;
use crate::workspace::{Crate, Workspace, runtime};
use crate::{Result, limit};

const FUNCTIONS: usize = 1000;
const MOST: f64 = 1.0;

const PLAIN: &str = "functions";
const INSTRUMENT: &str = "instrumented";
const RETRY: &str = "retried";
const STACKED: &str = "retried_and_guarded";
const NAMES: [&str; 4] = [PLAIN, INSTRUMENT, RETRY, STACKED];

pub fn measure() -> Result<bool> {
    let workspace = Workspace::new("attributes", &crates())?;
    println!("## Attributes: {FUNCTIONS} functions, a change and `cargo check`\n");
    let rounds = Rounds::measure(&workspace, &NAMES)?;
    println!("| crate | wall s | CPU s | x tracing::instrument |");
    println!("|---|---:|---:|---:|");
    for name in NAMES {
        let wall = rounds.seconds(name, |taken: &Taken| taken.wall);
        let cpu = rounds.seconds(name, |taken: &Taken| taken.cpu);
        let ratio = rounds.ratio(name, INSTRUMENT);
        println!("| {name} | {wall:.2} | {cpu:.2} | {ratio:.2} |");
    }
    println!();
    let ratio = rounds.ratio(RETRY, INSTRUMENT);
    Ok(limit("#[retry] / #[tracing::instrument], CPU", ratio, MOST))
}

fn crates() -> [Crate; 4] {
    let new = |name, dependencies: &str, attributes: &str| Crate {
        name,
        dependencies: format!("{}\n{dependencies}", runtime(&[])),
        source: source(attributes),
    };
    [
        new(PLAIN, "", ""),
        new(INSTRUMENT, "tracing = \"0.1\"", "#[tracing::instrument]"),
        new(RETRY, "", "#[error_runtime::retry(attempts = 4)]"),
        new(
            STACKED,
            "",
            "#[error_runtime::retry(attempts = 4)]\n#[error_runtime::circuit_breaker(service = \"x\")]",
        ),
    ]
}

fn source(attributes: &str) -> String {
    let mut source = "\
#[derive(Debug, error_runtime::ApiError)]
pub enum Error {
    #[api(status = 503)]
    Busy,
    #[api(transparent)]
    Rejected(#[from] error_runtime::Rejected),
}
"
    .to_owned();
    for index in 0..FUNCTIONS {
        let asyncness = if index % 2 == 0 { "" } else { "async " };
        let _ = writeln!(
            source,
            "{attributes}
pub {asyncness}fn f{index}(count: u32, name: &str) -> Result<String, Error> {{
    if count > {index} {{
        return Err(Error::Busy);
    }}
    let length = u32::try_from(name.len()).map_err(|_| Error::Busy)?;
    Ok(format!(\"{{name}} {{}}\", length + count))
}}"
        );
    }
    source
}

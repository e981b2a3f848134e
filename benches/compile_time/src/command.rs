//! Running cargo, and what that took.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::Result;

/// What a command took, its children included.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub wall: f64,
    pub cpu: f64,
}

/// Cargo in `folder`, without the network and with what makes two runs comparable.
pub fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command
        .args(arguments)
        .arg("--offline")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_BUILD_JOBS", "2")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TERM_COLOR", "never")
        // Flags meant for this workspace would build something else.
        .env_remove("RUSTFLAGS");
    command
}

/// Runs to the end; standard output and standard error.
pub fn output(mut command: Command) -> Result<(String, String)> {
    let output = command.output()?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok((stdout, stderr))
    } else {
        Err(format!("{command:?} failed:\n{stderr}").into())
    }
}

pub fn timed(command: Command) -> Result<Taken> {
    let (start, before) = (Instant::now(), children_cpu());
    output(command)?;
    Ok(Taken {
        wall: start.elapsed().as_secs_f64(),
        cpu: children_cpu() - before,
    })
}

/// Seconds that finished children have used, by the counters that Linux gives in hundredths;
/// not a number elsewhere.
fn children_cpu() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return f64::NAN;
    };
    // The second field is a name in brackets, which may hold blanks; `cutime` and `cstime` are the
    // 16th and 17th.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(13).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

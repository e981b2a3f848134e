//! `cargo check` of a crate full of error enums, after a change to it.

use crate::command::{Taken, output};
use crate::rounds::Rounds;
use crate::shape::{Library, source};
use crate::workspace::{Crate, Workspace, runtime};
use crate::{Result, limit, median};

const MOST: f64 = 1.2;

const PLAIN: &str = "plain";
const THISERROR: &str = "with_thiserror";
const OURS: &str = "ours";
const OURS_CATALOG: &str = "ours_catalog";
const NAMES: [&str; 4] = [PLAIN, THISERROR, OURS, OURS_CATALOG];

pub fn measure() -> Result<bool> {
    let workspace = Workspace::new("expansion", &crates())?;
    println!("## Expansion: 200 enums of 10 variants, a change and `cargo check`\n");

    let rounds = Rounds::measure(&workspace, &NAMES)?;
    let seconds = |name: &str, of: fn(&Taken) -> f64| rounds.seconds(name, of);
    let ratio = |name: &str, other: &str| rounds.ratio(name, other);
    let cpu = |taken: &Taken| taken.cpu;
    let plain = seconds(PLAIN, cpu);
    let over_plain = |name: &str| seconds(name, cpu) - plain;
    println!(
        "| crate | wall s | CPU s | CPU s over plain | x thiserror | over plain, x thiserror |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for name in NAMES {
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
            seconds(name, |taken| taken.wall),
            seconds(name, cpu),
            over_plain(name),
            ratio(name, THISERROR),
            over_plain(name) / over_plain(THISERROR),
        );
    }
    println!();
    // The limit is for the default features; the row with `catalog` shows what registration costs.
    let holds = limit("ours / thiserror, CPU", ratio(OURS, THISERROR), MOST);
    println!();
    print_passes(&workspace)?;
    Ok(holds)
}

fn crates() -> [Crate; 4] {
    [
        Crate {
            name: PLAIN,
            dependencies: String::new(),
            source: source(Library::Plain),
        },
        Crate {
            name: THISERROR,
            dependencies: "thiserror = \"2\"".to_owned(),
            source: source(Library::Thiserror),
        },
        Crate {
            name: OURS,
            dependencies: runtime(&[]),
            source: source(Library::Ours),
        },
        Crate {
            name: OURS_CATALOG,
            dependencies: runtime(&["catalog"]),
            source: source(Library::Ours),
        },
    ]
}

/// Where the compiler spends it: seconds per pass, medians of a few runs.
fn print_passes(workspace: &Workspace) -> Result<()> {
    const PASSES: [&str; 7] = [
        "parse_crate",
        "macro_expand_crate",
        "resolve_crate",
        "type_check_crate",
        "MIR_borrow_checking",
        "misc_checking_3",
        "total",
    ];
    println!("| crate | {} |", PASSES.join(" | "));
    println!("|---|{}", "---:|".repeat(PASSES.len()));
    for name in NAMES {
        let mut runs = Vec::new();
        for run in 0..=3 {
            workspace.touch(name)?;
            let arguments = ["rustc", "--lib", "--profile", "check", "-p", name, "--"];
            let mut command = workspace.cargo("passes", &arguments[..6]);
            // The flag is unstable; this is for looking, no limit hangs on it.
            command
                .args(["--", "-Ztime-passes"])
                .env("RUSTC_BOOTSTRAP", "1");
            let (stdout, stderr) = output(command)?;
            if run > 0 {
                runs.push(passes(&(stdout + &stderr)));
            }
        }
        let seconds = PASSES.map(|pass| {
            let of_pass = |run: &Vec<(String, f64)>| {
                let found = run.iter().find(|(name, _)| name == pass);
                found.map_or(f64::NAN, |(_, seconds)| *seconds)
            };
            format!("{:.3}", median(runs.iter().map(of_pass).collect()))
        });
        println!("| {name} | {} |", seconds.join(" | "));
    }
    Ok(())
}

/// The lines `time:   0.012; rss: …  name_of_pass`.
fn passes(text: &str) -> Vec<(String, f64)> {
    let line = |line: &str| {
        let seconds = line.trim().strip_prefix("time:")?.split(';').next()?;
        let name = line.split_whitespace().next_back()?;
        Some((name.to_owned(), seconds.trim().parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

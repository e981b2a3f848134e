//! What the texts tell a reader to run, and the files that they name.

use std::collections::BTreeSet;
use std::fs;

use super::nothing;
use super::page::{Page, files, repository};

/// What can be named on a command line of cargo.
#[derive(Default)]
struct Known {
    packages: BTreeSet<String>,
    examples: BTreeSet<String>,
    tests: BTreeSet<String>,
    benches: BTreeSet<String>,
}

impl Known {
    /// From all manifests: the name that follows `[package]`, `[[example]]`, `[[test]]` or `[[bench]]`.
    fn read() -> Self {
        let mut known = Self::default();
        for manifest in files("toml") {
            if !manifest.ends_with("Cargo.toml") {
                continue;
            }
            let text = fs::read_to_string(repository().join(&manifest)).unwrap();
            let mut section = "";
            for line in text.lines() {
                if line.starts_with('[') {
                    section = line.trim();
                } else if let Some(name) = line.strip_prefix("name = \"") {
                    let name = name.trim_end().trim_end_matches('"').to_owned();
                    match section {
                        "[package]" => known.packages.insert(name),
                        "[[example]]" => known.examples.insert(name),
                        "[[test]]" => known.tests.insert(name),
                        "[[bench]]" => known.benches.insert(name),
                        _ => false,
                    };
                }
            }
        }
        known
    }

    /// What a command names and nobody has.
    fn missing(&self, command: &str) -> Option<String> {
        const VERBS: &[&str] = &[
            "bench", "build", "check", "clippy", "doc", "miri", "run", "test", "tree",
        ];
        let mut words = command
            .split_whitespace()
            .skip_while(|word| *word != "cargo" && !word.ends_with("/cargo"))
            .skip(1)
            .skip_while(|word| word.starts_with('+'));
        if !VERBS.contains(&words.next()?) {
            return None;
        }
        while let Some(word) = words.next() {
            let names = match word {
                "--" => return None,
                "-p" | "--package" => &self.packages,
                "--example" => &self.examples,
                "--test" => &self.tests,
                "--bench" => &self.benches,
                _ => continue,
            };
            // `…` and `NAME` stand for any.
            let name = words.next()?.trim_end_matches(['`', ',', '.', ';', ')']);
            let stands_for_any = name.contains('…') || name.chars().all(|c| c.is_ascii_uppercase());
            if !stands_for_any && !names.contains(name) {
                return Some(format!("{word} {name}"));
            }
        }
        None
    }
}

/// `examples/05_monitor.rs`: a path that begins with a folder of the repository.
fn is_path(span: &str, folders: &BTreeSet<String>) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let first = span.split_once('/').map(|(first, _)| first);
    first.is_some_and(|first| folders.contains(first)) && span.chars().all(plain)
}

fn folders() -> BTreeSet<String> {
    fs::read_dir(repository())
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "target" && name != ".git")
        .collect()
}

#[test]
fn what_commands_name_is_there() {
    let known = Known::read();
    let mut wrong = Vec::new();
    for page in Page::all() {
        let shell = page.blocks.iter().filter(|block| {
            let is_shell = |tag: &str| tag == "sh" || tag == "console";
            is_shell(block.info.trim())
        });
        let lines = shell.flat_map(|block| block.text.lines());
        let spans = page.spans.iter().map(String::as_str);
        for command in lines.chain(spans) {
            if let Some(missing) = known.missing(command) {
                wrong.push(format!("{}: `{command}`: no {missing}", page.name));
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn files_that_are_named_are_there() {
    let folders = folders();
    let mut wrong = Vec::new();
    for page in Page::all() {
        for span in page.spans.iter().filter(|span| is_path(span, &folders)) {
            if !repository().join(span).exists() {
                wrong.push(format!("{}: there is no {span}", page.name));
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn faults_are_found() {
    let known = Known::read();
    for (command, missing) in [
        ("cargo run -p examples --example quickstart", None),
        (
            "cargo run -p examples --example quikstart",
            Some("--example quikstart"),
        ),
        ("cargo test -p book", None),
        (
            "TRYBUILD=overwrite cargo test -p tests --test ui -- messages",
            None,
        ),
        ("cargo test -p tests --test uii", Some("--test uii")),
        ("cargo +nightly miri test -p no-such", Some("-p no-such")),
        ("cargo update -p sqlx --precise …", None),
        ("cargo run --example NAME", None),
    ] {
        assert_eq!(known.missing(command).as_deref(), missing, "{command}");
    }
    let folders = folders();
    for (span, path) in [
        ("examples/05_monitor.rs", true),
        (".ci/run", true),
        ("context/mod.rs", false),
        ("errors.db", false),
        ("examples/{a,b}.rs", false),
    ] {
        assert_eq!(is_path(span, &folders), path, "{span}");
    }
}

//! The book's reference has every cargo feature and every environment variable.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    let file = root().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The part of a file between a line and the next that begins with `next`.
fn part<'t>(text: &'t str, first: &str, next: &str) -> &'t str {
    let (_, rest) = text
        .split_once(&format!("\n{first}\n"))
        .unwrap_or_else(|| panic!("there is no {first:?}"));
    rest.split(&format!("\n{next}")).next().unwrap_or(rest)
}

/// `(feature, the features that it turns on)`, of a manifest.
fn declared(manifest: &str) -> BTreeSet<(String, String)> {
    let features = part(manifest, "[features]", "[").lines();
    let features = features.filter_map(|line| line.split_once(" = "));
    features
        .map(|(name, list)| {
            let on = list.split('"').skip(1).step_by(2);
            let on: BTreeSet<&str> = on.filter(|on| !on.contains(':')).collect();
            (
                name.to_owned(),
                on.into_iter().collect::<Vec<_>>().join(" "),
            )
        })
        .collect()
}

/// The same, of the tables of a page.
fn documented(page: &str) -> BTreeSet<(String, String)> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let on: BTreeSet<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        let on = on.into_iter().collect::<Vec<_>>().join(" ");
        (cells[0].trim_matches('`').to_owned(), on)
    })
    .collect()
}

#[test]
fn the_features_of_the_book_are_those_of_the_manifests() {
    let page = text("docs/src/reference/features.md");
    for package in ["error-runtime", "error-monitor"] {
        let manifest = text(&format!("{package}/Cargo.toml"));
        let section = part(&page, &format!("## `{package}`"), "## ");
        assert_eq!(
            documented(section),
            declared(&manifest),
            "{package}: book, and manifest"
        );
    }
}

/// The names that a source file asks the environment for.
fn asked_for(source: &str) -> impl Iterator<Item = &str> {
    let calls = source.split("env::var").skip(1);
    calls.filter_map(|call| {
        let name = call.trim_start_matches("_os").strip_prefix("(\"")?;
        name.split('"').next()
    })
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Those of policies are asked for by their keys in the runtime, which has a test of its own.
#[test]
fn the_environment_of_the_book_is_that_of_the_sources() {
    let page = text("docs/src/reference/environment.md");
    let mut files = Vec::new();
    for package in ["error-runtime", "error-monitor"] {
        sources(&root().join(package).join("src"), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let source = fs::read_to_string(&file).expect("a source");
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code: String = code.collect::<Vec<_>>().join("\n");
        names.extend(asked_for(&code).map(str::to_owned));
    }
    assert!(names.contains("LOG_LEVEL"), "found only {names:?}");
    for name in names {
        assert!(
            page.contains(&format!("`{name}")),
            "reference/environment.md lacks {name}"
        );
    }
}

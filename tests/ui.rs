//! The compile errors of the macros, as their users read them.
//!
//! `ui/<macro>/<family>/<rule>[_suffix].rs` is a case, the `.stderr` beside it what rustc says. A rule is
//! what a macro itself reports, by `rule!(name, …)`; the families of [`WITHOUT_RULE`] hold the rest.
//! After a change of wording, `TRYBUILD=overwrite cargo test -p tests --test ui` writes the `.stderr` files
//! anew; read them before they are committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler whose wording the `.stderr` files hold.
const RUSTC: &str = "1.95";

/// Families whose cases are no single rule's.
const WITHOUT_RULE: &[&str] = &["no_cascade", "many_mistakes", "rustc"];

const LEAST_CASES: usize = 260;

#[test]
fn messages() {
    let runner = trybuild::TestCases::new();
    runner.pass("ui/pass/*.rs");
    let version = rustc(&["--version"]);
    if !version.starts_with(&format!("rustc {RUSTC}.")) {
        skipped(&format!(
            "the messages are those of rustc {RUSTC}, this is {version}"
        ));
        return;
    }
    // With its sources at hand rustc quotes lines of the standard library.
    let sources = Path::new(&rustc(&["--print", "sysroot"])).join("lib/rustlib/src/rust/library");
    for case in cases() {
        let path = case
            .path
            .strip_prefix(manifest())
            .expect("a case is in this crate");
        if sources.exists() && case.stderr().contains("$RUST") {
            skipped(&format!(
                "{} differs where rust-src is installed",
                path.display()
            ));
        } else {
            runner.compile_fail(path);
        }
    }
}

/// Says what is not tested, past the test runner, which keeps the output of a test that passes. Where all
/// has to be tested it is a failure.
fn skipped(why: &str) {
    let required = std::env::var_os("REQUIRE_SERVICES").is_some_and(|value| value == "1");
    assert!(!required, "skipped: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

fn rustc(arguments: &[&str]) -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(arguments)
        .output()
        .expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A case, by its place: `ui/<macro>/<family>/<stem>.rs`.
struct Case {
    path: PathBuf,
    family: String,
    stem: String,
}

impl Case {
    fn stderr(&self) -> String {
        fs::read_to_string(self.path.with_extension("stderr")).unwrap_or_default()
    }

    /// Whether it takes in a file that lies beside it.
    fn includes(&self, shared: &Path) -> bool {
        let beside = self.path.parent() == shared.parent();
        let name = shared.file_name().unwrap_or_default().to_string_lossy();
        let source = fs::read_to_string(&self.path).unwrap_or_default();
        beside && source.contains(&format!("include!(\"{name}\")"))
    }
}

#[test]
fn every_rule_has_a_case_that_shows_it() {
    let rules = rules();
    assert!(
        !rules.is_empty(),
        "no `rule!` found in the sources of the macros"
    );
    let mut shown: BTreeMap<&str, bool> = rules.keys().map(|rule| (rule.as_str(), false)).collect();
    let mut wrong = Vec::new();
    for case in cases() {
        if WITHOUT_RULE.contains(&case.family.as_str()) {
            continue;
        }
        let Some((rule, messages)) = rule_of(&rules, &case.stem) else {
            wrong.push(format!(
                "{}: the name begins with no rule's",
                case.path.display()
            ));
            continue;
        };
        shown.insert(rule, true);
        let stderr = case.stderr();
        if !messages.iter().any(|message| stderr.contains(message)) {
            wrong.push(format!(
                "{}: `{rule}` is not what it shows",
                case.path.display()
            ));
        }
    }
    let without_case = shown.iter().filter(|(_, shown)| !**shown);
    wrong.extend(without_case.map(|(rule, _)| format!("the rule `{rule}` has no case")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn one_mistake_gives_one_error() {
    let mut wrong = Vec::new();
    for case in cases() {
        let stderr = case.stderr();
        let errors: Vec<_> = errors(&stderr).collect();
        let mut complain = |what: &str| wrong.push(format!("{}: {what}", case.path.display()));
        // `Debug` is asked for by three traits, and rustc says so of each.
        let once: BTreeSet<_> = errors.iter().collect();
        if once.len() < errors.len() && case.stem != "missing_debug" {
            complain("says the same twice");
        }
        match case.family.as_str() {
            "rustc" => continue,
            "no_cascade" if errors.len() != 1 => complain("one error is due"),
            "many_mistakes" if errors.len() < 10 => complain("ten errors are due"),
            _ => {}
        }
        // What the macro reports stands alone: rustc finds nothing wrong with what was generated.
        for (message, _) in errors {
            match message.strip_prefix("error: ") {
                None => complain(message),
                Some(text) if text.starts_with(char::is_uppercase) || text.ends_with('.') => {
                    complain(message);
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The errors and warnings, each with its place.
fn errors(stderr: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut lines = stderr.lines();
    std::iter::from_fn(move || {
        let message =
            lines.find(|line| line.starts_with("error") || line.starts_with("warning"))?;
        let place = lines.find(|line| line.trim_start().starts_with("-->"))?;
        Some((message, place))
    })
}

#[test]
fn there_are_many_cases_and_none_is_left_out() {
    let cases = cases();
    assert!(
        cases.len() >= LEAST_CASES,
        "{} cases of {LEAST_CASES}",
        cases.len()
    );
    for family in WITHOUT_RULE {
        assert!(
            cases.iter().any(|case| case.family == *family),
            "the family `{family}` is empty"
        );
    }
    // Whatever lies elsewhere than a case does would never be run.
    let ui = manifest().join("ui");
    let mut stray: Vec<_> = files(&ui)
        .into_iter()
        .filter(
            |path| match path.extension().and_then(|extension| extension.to_str()) {
                Some("rs") => {
                    let depth = path
                        .strip_prefix(&ui)
                        .expect("a file of ui")
                        .components()
                        .count();
                    let passes = path.parent() == Some(&ui.join("pass"));
                    !passes && (depth != 3 || !path.with_extension("stderr").exists())
                }
                Some("stderr") => !path.with_extension("rs").exists(),
                // What several cases of one folder share.
                Some("in") => !cases.iter().any(|case| case.includes(path)),
                _ => true,
            },
        )
        .collect();
    stray.sort();
    assert!(stray.is_empty(), "not a case and its `.stderr`: {stray:#?}");
}

/// The longest rule that the stem is or starts with.
fn rule_of<'r>(
    rules: &'r BTreeMap<String, Vec<String>>,
    stem: &str,
) -> Option<(&'r str, &'r [String])> {
    rules
        .iter()
        .filter(|(rule, _)| {
            stem.strip_prefix(rule.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
        .max_by_key(|(rule, _)| rule.len())
        .map(|(rule, messages)| (rule.as_str(), messages.as_slice()))
}

/// Every rule in the sources of the macros, with the longest constant part of each of its messages.
fn rules() -> BTreeMap<String, Vec<String>> {
    let mut rules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files(&manifest().join("../error-derive/src")) {
        let source = fs::read_to_string(&path).expect("a source file");
        let code: String = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        for call in code.split("rule!(").skip(1) {
            let Some((name, rest)) = call.split_once(',') else {
                continue;
            };
            let name = name.trim();
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{}: `rule!` takes the name of a rule first, not `{name}`",
                path.display()
            );
            rules
                .entry(name.to_owned())
                .or_default()
                .push(longest_constant(rest));
        }
    }
    rules
}

/// Of the first string literal in `code`, the longest part between placeholders.
fn longest_constant(code: &str) -> String {
    let mut literal = String::new();
    let mut chars = code.chars().skip_while(|c| *c != '"').skip(1);
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => literal.extend(chars.next()),
            _ => literal.push(c),
        }
    }
    let literal = literal.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut parts = Vec::new();
    for part in literal.split('{') {
        let constant = part.split_once('}').map_or(part, |(_, constant)| constant);
        parts.push(constant.replace('\u{1}', "{").replace('\u{2}', "}"));
    }
    parts
        .into_iter()
        .max_by_key(String::len)
        .unwrap_or_default()
}

fn cases() -> Vec<Case> {
    let pass = manifest().join("ui/pass");
    let mut cases: Vec<Case> = files(&manifest().join("ui"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.starts_with(&pass))
        .map(|path| Case {
            family: name(path.parent().expect("a case is in a folder")),
            stem: path
                .file_stem()
                .expect("a file has a name")
                .to_string_lossy()
                .into_owned(),
            path,
        })
        .collect();
    cases.sort_by(|a, b| a.path.cmp(&b.path));
    cases
}

fn name(path: &Path) -> String {
    path.file_name()
        .expect("a path with a name")
        .to_string_lossy()
        .into_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.expect("a folder's entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

//! The list of the scenarios against the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A number as it stands in the list: a capital and digits.
fn is_id(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|first| first.is_ascii_uppercase())
        && word.len() > 2
        && chars.all(|digit| digit.is_ascii_digit())
}

/// All numbers, and the reasons of those without a test.
fn listed(list: &str) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let (mut all, mut reasons) = (BTreeSet::new(), BTreeMap::new());
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        if let Some(section) = line.strip_prefix("= ") {
            for id in section.split_whitespace().filter(|word| is_id(word)) {
                assert!(all.insert(id.to_owned()), "{id} is listed twice");
            }
        } else if let Some((id, reason)) = line.split_once(' ') {
            let before = reasons.insert(id.to_owned(), reason.trim().to_owned());
            assert!(before.is_none(), "{id} is explained twice");
        } else {
            assert!(line.is_empty(), "{line:?} has no reason");
        }
    }
    (all, reasons)
}

/// The numbers that names of tests begin with.
fn tested(folder: &Path, ids: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder of the tests") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            tested(&path, ids);
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source");
        let mut is_test = false;
        for line in source.lines().map(str::trim_start) {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let signature = line.strip_prefix("async ").unwrap_or(line);
            if let Some(name) = signature.strip_prefix("fn ") {
                let first = name.split('_').next().unwrap_or_default();
                let id = first.to_ascii_uppercase();
                if is_test && first != id && is_id(&id) {
                    ids.insert(id);
                }
                is_test = false;
            }
        }
    }
}

#[test]
fn every_scenario_is_tested_or_explained() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(tests.join("scenarios.txt")).expect("the list");
    let (all, reasons) = listed(&list);
    assert!(all.len() > 170, "the list is there");
    let mut found = BTreeSet::new();
    tested(&tests.join("it"), &mut found);
    let explained: BTreeSet<_> = reasons.keys().cloned().collect();
    let none: BTreeSet<String> = BTreeSet::new();
    let covered: BTreeSet<_> = found.union(&explained).cloned().collect();
    let differ = |left: &BTreeSet<String>, right: &BTreeSet<String>| -> BTreeSet<String> {
        left.difference(right).cloned().collect()
    };
    assert_eq!(differ(&all, &covered), none, "neither tested nor explained");
    assert_eq!(differ(&covered, &all), none, "not in the list");
    let both: BTreeSet<_> = found.intersection(&explained).cloned().collect();
    assert_eq!(both, none, "tested, and yet explained");
    for (id, reason) in &reasons {
        assert!(reason.split_whitespace().count() > 5, "{id}: {reason:?}");
    }
}

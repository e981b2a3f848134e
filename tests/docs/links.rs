//! Links, anchors and images.

use std::collections::BTreeSet;

use super::nothing;
use super::page::{Page, repository, resolved};

/// What is wrong with one link, if anything is. Nothing is fetched.
fn fault(page: &Page, link: &str, pages: &[Page]) -> Option<String> {
    // `trait@ApiError` is an item, which rustdoc looks for.
    let is_item = |(kind, _): (&str, &str)| kind.chars().all(|c| c.is_ascii_lowercase());
    if !page.is_of_the_book() && link.split_once('@').is_some_and(is_item) {
        return None;
    }
    if let Some((scheme, rest)) = link.split_once("://") {
        return external(scheme, rest).map(str::to_owned);
    }
    let (path, fragment) = match link.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (link, None),
    };
    let target = if path.is_empty() {
        page.name.clone()
    } else {
        let Some(target) = resolved(page.folder(), path) else {
            return Some("it leaves the repository".to_owned());
        };
        if !repository().join(&target).exists() {
            return Some(format!("there is no {target}"));
        }
        let is_included = page.included.contains(&target);
        if page.is_of_the_book() && !target.starts_with("docs/src/") && !is_included {
            return Some(
                "it leads out of the book, which is read without the repository".to_owned(),
            );
        }
        target
    };
    let fragment = fragment?;
    let Some(target) = pages.iter().find(|other| other.name == target) else {
        return Some(format!("{target} is no page, so it has no headings"));
    };
    let known = target.anchors.iter().any(|anchor| anchor == fragment);
    (!known).then(|| format!("no heading of {} is #{fragment}", target.name))
}

fn external(scheme: &str, rest: &str) -> Option<&'static str> {
    if scheme != "https" {
        return Some("it is not https");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_name = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if !host.contains('.') || !host.split('.').all(is_name) {
        return Some("it names no host");
    }
    rest.chars()
        .any(|c| c.is_whitespace() || c.is_control())
        .then_some("it has a blank in it")
}

#[test]
fn every_link_leads_somewhere() {
    let pages = Page::all();
    let mut wrong = Vec::new();
    for page in &pages {
        for link in page.links.iter().chain(&page.images) {
            if let Some(fault) = fault(page, link, &pages) {
                wrong.push(format!("{}: {link}: {fault}", page.name));
            }
        }
        for path in &page.not_included {
            wrong.push(format!("{}: {path}: it cannot be included", page.name));
        }
    }
    nothing(&wrong);
}

#[test]
fn every_label_is_defined_and_once() {
    let mut wrong = Vec::new();
    for page in Page::all() {
        for label in &page.undefined {
            wrong.push(format!("{}: [{label}] is not defined", page.name));
        }
        let mut seen = BTreeSet::new();
        for label in &page.labels {
            if !seen.insert(label) {
                wrong.push(format!("{}: [{label}] is defined twice", page.name));
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn faults_are_found() {
    let page = |name: &str, anchors: &[&str]| Page {
        name: name.to_owned(),
        anchors: anchors.iter().map(|&anchor| anchor.to_owned()).collect(),
        ..Page::default()
    };
    let pages = [
        page("README.md", &["use-it"]),
        page("docs/src/tutorial.md", &["a-test", "a-test-1"]),
        Page {
            included: vec!["README.md".to_owned()],
            ..page("docs/src/read.md", &[])
        },
    ];
    let [readme, tutorial, reading] = &pages;
    for (page, link, is_right) in [
        (readme, "#use-it", true),
        (readme, "#use", false),
        (readme, "docs/src/tutorial.md#a-test-1", true),
        (readme, "docs/src/tutorial.md#a-test-2", false),
        (readme, "Cargo.toml", true),
        (readme, "Cargo.toml#use-it", false),
        (readme, "no-such-file.md", false),
        (readme, "../README.md", false),
        (readme, "/README.md", false),
        (tutorial, "introduction.md", true),
        (tutorial, "../../README.md", false),
        (reading, "../../README.md", true),
        (reading, "../../Cargo.toml", false),
        (tutorial, "https://www.rfc-editor.org/rfc/rfc9457", true),
        (tutorial, "http://www.rfc-editor.org/rfc/rfc9457", false),
        (tutorial, "https://localhost/x", false),
        (tutorial, "https://a..org", false),
        (tutorial, "https://a.org/b c", false),
    ] {
        let fault = fault(page, link, &pages);
        assert_eq!(fault.is_none(), is_right, "{link}: {fault:?}");
    }
}

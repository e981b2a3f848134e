//! The pages of the repository: their links lead somewhere, their code belongs to a crate that compiles it, and what
//! they tell a reader to run is there.
//!
//! The book's own list of pages is checked by its crate, in `docs/lib.rs`.

mod blocks;
mod commands;
mod links;
mod page;

use page::{Page, repository};

/// Fails with all that is wrong, not with the first.
#[track_caller]
fn nothing(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} found:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
}

/// Every page has been found: a walk that finds none would let everything pass.
#[test]
fn the_pages_are_there() {
    let pages = Page::all();
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "error-derive/docs/retry.md",
        "error-monitor/README.md",
        "benches/README.md",
        "docs/src/SUMMARY.md",
        "docs/src/tutorial.md",
    ] {
        assert!(
            pages.iter().any(|page| page.name == name),
            "{name} is missing below {}",
            repository().display()
        );
    }
}

//! The book. Its pages are in `src`; here they are doctests, so that the code which they show compiles, runs, and
//! asserts what the page says of it.
//!
//! A new page goes into the list below and into `src/SUMMARY.md`; a test sees that it is in both.

macro_rules! pages {
    ($($name:ident: $path:literal;)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!($path)]
            pub mod $name {}
        )*

        #[cfg(test)]
        const PAGES: &[&str] = &[$($path),*];
    };
}

pages! {
    introduction: "src/introduction.md";
    tutorial: "src/tutorial.md";

    database_error: "src/guides/database-error.md";
    keep_a_secret_out: "src/guides/keep-a-secret-out.md";
    validate_input: "src/guides/validate-input.md";
    retry_safely: "src/guides/retry-safely.md";
    breaker_numbers: "src/guides/breaker-numbers.md";
    write_a_fallback: "src/guides/write-a-fallback.md";
    scope_handlers: "src/guides/scope-handlers.md";
    add_a_reporter: "src/guides/add-a-reporter.md";
    mount_the_monitor: "src/guides/mount-the-monitor.md";
    write_alerts: "src/guides/write-alerts.md";
    run_on_postgresql: "src/guides/run-on-postgresql.md";
    test_your_errors: "src/guides/test-your-errors.md";

    from_flask: "src/migrate/flask.md";
    from_thiserror: "src/migrate/thiserror.md";
    from_masterror: "src/migrate/masterror.md";
    from_failsafe_backon: "src/migrate/failsafe-backon.md";

    api_error: "src/reference/api_error.md";
    retry: "src/reference/retry.md";
    circuit_breaker: "src/reference/circuit_breaker.md";
    timeout: "src/reference/timeout.md";
    fallback: "src/reference/fallback.md";
    rate_limit: "src/reference/rate_limit.md";
    bulkhead: "src/reference/bulkhead.md";
    recover: "src/reference/recover.md";
    environment: "src/reference/environment.md";
    features: "src/reference/features.md";

    inside: "src/inside.md";
    comparison: "src/comparison.md";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::PAGES;

    /// Every page under `src`, as the list above names it.
    fn written() -> BTreeSet<String> {
        fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    let name = path.strip_prefix(root).unwrap();
                    found.insert(name.to_str().unwrap().to_owned());
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = BTreeSet::new();
        walk(&root.join("src"), root, &mut found);
        assert!(found.remove("src/SUMMARY.md"), "{found:?}");
        found
    }

    #[test]
    fn every_page_is_a_doctest() {
        let listed: BTreeSet<String> = PAGES.iter().map(|&page| page.to_owned()).collect();
        assert_eq!(listed.len(), PAGES.len(), "a page is listed twice");
        assert_eq!(listed, written(), "left: `pages!`; right: the files");
    }

    #[test]
    fn every_page_is_a_chapter() {
        let summary = include_str!("src/SUMMARY.md");
        let chapters: Vec<String> = summary
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| format!("src/{target}"))
            .collect();
        let distinct: BTreeSet<String> = chapters.iter().cloned().collect();
        assert_eq!(distinct.len(), chapters.len(), "a chapter is there twice");
        assert_eq!(distinct, written(), "left: `SUMMARY.md`; right: the files");
    }
}

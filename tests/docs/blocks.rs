//! Code blocks: each says its language, and what is Rust is compiled somewhere.

use std::collections::BTreeSet;
use std::fs;

use super::nothing;
use super::page::{Block, Page, files, repository, resolved};

/// Languages that are not compiled here.
const OTHERS: &[&str] = &[
    "console", "diff", "html", "http", "ini", "json", "promql", "python", "sh", "sql", "text",
    "toml", "xml", "yaml",
];

/// What rustdoc takes behind the fence.
const OF_RUSTDOC: &[&str] = &["compile_fail", "ignore", "no_run", "rust", "should_panic"];

/// Pages that show code of other libraries, which are no dependencies.
const WITH_FOREIGN_CODE: &[&str] = &[
    "docs/src/migrate/failsafe-backon.md",
    "docs/src/migrate/masterror.md",
];

impl Block {
    fn tags(&self) -> impl Iterator<Item = &str> {
        self.info
            .split([',', ' '])
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
    }

    fn has(&self, wanted: &str) -> bool {
        self.tags().any(|tag| tag == wanted)
    }

    /// As rustdoc sees it: a block that says nothing is Rust.
    fn is_rust(&self) -> bool {
        self.tags().all(|tag| {
            OF_RUSTDOC.contains(&tag)
                || tag.starts_with("edition")
                || tag
                    .strip_prefix('E')
                    .is_some_and(|code| code.parse::<u16>().is_ok())
        })
    }

    fn is_known(&self) -> bool {
        let mut tags = self.tags();
        let is_other =
            tags.next().is_some_and(|tag| OTHERS.contains(&tag)) && tags.next().is_none();
        is_other || self.is_rust()
    }

    /// A text that begins a line as only Rust does: it ought to be compiled.
    fn looks_like_rust(&self) -> bool {
        const BEGINNINGS: &[&str] = &[
            "use ",
            "pub ",
            "fn ",
            "async fn ",
            "struct ",
            "enum ",
            "impl ",
            "let ",
            "#[",
        ];
        let mut lines = self.text.lines();
        lines.any(|line| {
            BEGINNINGS
                .iter()
                .any(|beginning| line.starts_with(beginning))
        })
    }
}

/// Pages that some crate takes into its documentation: any text in a source file that ends in `.md"`.
fn documented() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in files("rs") {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !folder.ends_with("/src") && name != "docs/lib.rs" {
            continue;
        }
        let source = fs::read_to_string(repository().join(&name)).unwrap();
        for (at, _) in source.match_indices(".md\"") {
            let path = source[..at].rsplit('"').next().unwrap_or_default();
            found.extend(resolved(folder, &format!("{path}.md")));
        }
    }
    found
}

#[test]
fn every_block_names_its_language() {
    let mut wrong = Vec::new();
    for page in Page::all() {
        for block in page.blocks.iter().filter(|block| !block.is_known()) {
            wrong.push(format!("{}: ```{}", page.name, block.info));
        }
    }
    nothing(&wrong);
}

/// mdbook colours Rust, and leaves out its hidden lines, only where the block says that it is.
#[test]
fn rust_in_the_book_says_that_it_is() {
    let mut wrong = Vec::new();
    for page in Page::all() {
        let rust = page.blocks.iter().filter(|block| block.is_rust());
        for block in rust.filter(|block| block.tags().next() != Some("rust")) {
            if page.is_of_the_book() {
                wrong.push(format!("{}: ```{}", page.name, block.info));
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn all_rust_is_compiled() {
    let documented = documented();
    assert!(documented.contains("README.md"), "{documented:?}");
    assert!(
        documented.contains("error-derive/docs/retry.md"),
        "{documented:?}"
    );
    let mut wrong = Vec::new();
    for page in Page::all() {
        let rust = page.blocks.iter().filter(|block| block.is_rust());
        if rust.clone().count() > 0 && !documented.contains(&page.name) {
            wrong.push(format!(
                "{}: no crate has it in its documentation",
                page.name
            ));
        }
        let ignored = rust.filter(|block| block.has("ignore"));
        if ignored.count() > 0 && !WITH_FOREIGN_CODE.contains(&page.name.as_str()) {
            wrong.push(format!("{}: `ignore`d code of ours", page.name));
        }
        let texts = page.blocks.iter().filter(|block| block.has("text"));
        for block in texts.filter(|block| block.looks_like_rust()) {
            wrong.push(format!("{}: Rust as `text`:\n{}", page.name, block.text));
        }
    }
    nothing(&wrong);
}

#[test]
fn faults_are_found() {
    let block = |info: &str| Block {
        info: info.to_owned(),
        text: String::new(),
    };
    for (info, known, rust) in [
        ("rust", true, true),
        ("", true, true),
        ("rust,compile_fail,E0277", true, true),
        ("rust, no_run", true, true),
        ("json", true, false),
        ("jason", false, false),
        ("json,rust", false, false),
        ("rust,norun", false, false),
    ] {
        assert_eq!(block(info).is_known(), known, "{info}");
        assert_eq!(block(info).is_rust(), rust, "{info}");
    }
    let text = |text: &str| Block {
        info: "text".to_owned(),
        text: text.to_owned(),
    };
    assert!(text("// so\nlet a = 1;").looks_like_rust());
    assert!(!text("error: let it be").looks_like_rust());
}

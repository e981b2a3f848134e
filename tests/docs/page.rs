//! What of a page the checks need.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag};
use pulldown_cmark::{HeadingLevel, TagEnd};

/// The folder above this package.
pub(crate) fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().to_owned()
}

/// Files below the repository with this extension, but for what builds leave there.
pub(crate) fn files(extension: &str) -> Vec<String> {
    fn walk(folder: &Path, extension: &OsStr, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if name != "target" && name != "node_modules" && !name.starts_with('.') {
                    walk(&path, extension, found);
                }
            } else if path.extension() == Some(extension) {
                found.push(path);
            }
        }
    }
    let root = repository();
    let mut found = Vec::new();
    walk(&root, extension.as_ref(), &mut found);
    let mut names: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap())
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// `a/b/../c` as `a/c`, or nothing if it leaves the repository.
pub(crate) fn resolved(folder: &str, path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in Path::new(folder).join(path).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

pub(crate) struct Block {
    /// What stands behind the fence.
    pub(crate) info: String,
    pub(crate) text: String,
}

/// One file with Markdown.
#[derive(Default)]
pub(crate) struct Page {
    /// Its path in the repository.
    pub(crate) name: String,
    /// The anchors of its headings.
    pub(crate) anchors: Vec<String>,
    pub(crate) links: Vec<String>,
    pub(crate) images: Vec<String>,
    /// `[text][label]` without such a label.
    pub(crate) undefined: Vec<String>,
    /// Labels that are defined, as often as they are.
    pub(crate) labels: Vec<String>,
    pub(crate) blocks: Vec<Block>,
    /// Code in running text.
    pub(crate) spans: Vec<String>,
    /// Files that mdbook puts in. A link to one is for readers of the repository; the book does not show it.
    pub(crate) included: Vec<String>,
    /// Files that mdbook puts in, and that are not there.
    pub(crate) not_included: Vec<String>,
}

impl Page {
    pub(crate) fn all() -> Vec<Self> {
        files("md").into_iter().map(Self::read).collect()
    }

    pub(crate) fn is_of_the_book(&self) -> bool {
        self.name.starts_with("docs/src/")
    }

    /// The folder that its relative links begin at.
    pub(crate) fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn read(name: String) -> Self {
        let mut page = Self {
            name,
            ..Self::default()
        };
        let text = fs::read_to_string(repository().join(&page.name)).unwrap();
        let text = page.with_includes(&text);
        page.parse(&text);
        page
    }

    /// The text as mdbook shows it.
    fn with_includes(&mut self, text: &str) -> String {
        const MARK: &str = "{{#include ";
        if !self.is_of_the_book() {
            return text.to_owned();
        }
        let mut whole = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(MARK) {
            let (path, after) = after.split_once("}}").unwrap_or((after, ""));
            let path = path.trim().split(':').next().unwrap_or_default();
            whole.push_str(before);
            let target = resolved(self.folder(), path);
            let included = target
                .as_ref()
                .and_then(|path| fs::read_to_string(repository().join(path)).ok());
            match included {
                Some(included) => {
                    whole.push_str(&included);
                    self.included.extend(target);
                }
                None => self.not_included.push(path.to_owned()),
            }
            rest = after;
        }
        whole + rest
    }

    fn parse(&mut self, text: &str) {
        let mut undefined = Vec::new();
        let mut note = |link: BrokenLink<'_>| {
            // `[0]` alone is as likely a text; rustdoc looks after what is meant for it.
            if link.link_type != LinkType::ShortcutUnknown && link.link_type != LinkType::Shortcut {
                undefined.push(link.reference.to_string());
            }
            None::<(CowStr<'_>, CowStr<'_>)>
        };
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_HEADING_ATTRIBUTES;
        let parser = Parser::new_with_broken_link_callback(text, options, Some(&mut note));
        let mut seen = BTreeMap::<String, u32>::new();
        let mut heading: Option<(Option<String>, String)> = None;
        let mut block: Option<Block> = None;
        let mut code = Vec::new();
        for (event, range) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { id, level, .. }) => {
                    debug_assert!(level <= HeadingLevel::H6);
                    heading = Some((id.map(|id| id.to_string()), String::new()));
                }
                Event::End(TagEnd::Heading(_)) => {
                    let (id, text) = heading.take().unwrap();
                    let id = id.unwrap_or_else(|| anchor(&text));
                    let times = seen.entry(id.clone()).or_default();
                    self.anchors.push(if *times == 0 {
                        id
                    } else {
                        format!("{id}-{times}")
                    });
                    *times += 1;
                }
                Event::Start(Tag::Link { dest_url, .. }) => self.links.push(dest_url.to_string()),
                Event::Start(Tag::Image { dest_url, .. }) => self.images.push(dest_url.to_string()),
                Event::Start(Tag::CodeBlock(kind)) => {
                    code.push(range);
                    block = match kind {
                        CodeBlockKind::Fenced(info) => Some(Block {
                            info: info.to_string(),
                            text: String::new(),
                        }),
                        CodeBlockKind::Indented => None,
                    };
                }
                Event::End(TagEnd::CodeBlock) => self.blocks.extend(block.take()),
                Event::Code(text) => {
                    if let Some((_, heading)) = &mut heading {
                        heading.push_str(&text);
                    }
                    self.spans.push(text.to_string());
                }
                Event::Text(text) => {
                    if let Some(block) = &mut block {
                        block.text.push_str(&text);
                    }
                    if let Some((_, heading)) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        self.undefined = undefined;
        self.labels = labels(text, &code);
    }
}

/// The anchor of a heading, by the rule that GitHub and mdbook have in common.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            _ if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
            _ if c.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}

/// The labels of `[label]: target`, which the parser gives without their doubles.
fn labels(text: &str, code: &[std::ops::Range<usize>]) -> Vec<String> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        if code.iter().any(|block| block.contains(&begin)) {
            continue;
        }
        let label = line.trim_start().strip_prefix('[');
        if let Some((label, _)) = label.and_then(|rest| rest.split_once("]: ")) {
            found.push(label.to_lowercase());
        }
    }
    found
}

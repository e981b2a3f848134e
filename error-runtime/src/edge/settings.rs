//! What the builder of an edge has collected. What one does not say, the one around it does.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;

use super::accept::MediaType;
use super::map::Map;
use super::node::Node;
use crate::FanOut;
use crate::context::RequestIdPolicy;
use crate::fault;
use crate::format::{Format, HtmlPage, JsonEnvelope, ProblemJson};

#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) default: Option<Arc<Offer>>,
    pub(crate) negotiates: Option<bool>,
    pub(crate) pages: HtmlPage,
    /// By prefix of the path, the longest first.
    pub(crate) paths: Vec<(Box<str>, Arc<Offer>)>,
    pub(crate) ids: RequestIdPolicy,
    pub(crate) maps: Vec<Map>,
    pub(crate) reporters: FanOut,
    pub(crate) logs: Option<bool>,
    pub(crate) shows_internals: Option<bool>,
    pub(crate) sends_framework_text: Option<bool>,
    pub(crate) max_details: Option<usize>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("negotiates", &self.negotiates)
            .field("ids", &self.ids)
            .field("maps", &self.maps.len())
            .field("reporters", &self.reporters)
            .field("development", &self.shows_internals)
            .finish_non_exhaustive()
    }
}

/// A format that can be chosen.
pub(crate) struct Offer {
    pub(crate) media: MediaType,
    pub(crate) content_type: HeaderValue,
    pub(crate) body: Body,
}

/// What writes the body of an answer.
pub(crate) enum Body {
    Format(Box<dyn Format>),
    /// HTML: its own pages, and then those of the edges.
    Pages(HtmlPage),
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Offer").field(&self.content_type).finish()
    }
}

impl Offer {
    pub(crate) fn new(format: impl Format + 'static) -> Self {
        let content_type = fault::guarded(|| format.content_type())
            .unwrap_or_else(|_| JsonEnvelope.content_type());
        // A type that cannot be read is never asked for, and stays the default.
        let media = MediaType::parse(content_type.as_bytes()).unwrap_or_else(MediaType::none);
        // Any other format is what it is; to HTML the edges have something to add.
        let body = match (&format as &dyn Any).downcast_ref::<HtmlPage>() {
            Some(html) => Body::Pages(html.clone()),
            None => Body::Format(Box::new(format)),
        };
        Self {
            media,
            content_type,
            body,
        }
    }

    /// The envelope, problem+json and HTML, in the order in which they are preferred.
    pub(crate) fn built_in() -> &'static [Self; 3] {
        static OFFERS: OnceLock<[Offer; 3]> = OnceLock::new();
        OFFERS.get_or_init(|| {
            [
                Self::new(JsonEnvelope),
                Self::new(ProblemJson),
                Self::new(HtmlPage::new()),
            ]
        })
    }
}

/// The settings while they are collected, then what services share. A copy is cheap: axum makes one, and a
/// service of it, for every request.
#[derive(Clone, Default)]
pub(crate) struct Plan(Arc<Shared>);

#[derive(Default)]
struct Shared {
    settings: Settings,
    finished: OnceLock<Arc<Finished>>,
}

/// What a service has.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) settings: Arc<Settings>,
    /// Of requests that no other edge is around; none where the path has a say.
    pub(crate) alone: Option<Arc<Node>>,
}

impl Plan {
    /// To change a setting. Services that were made before keep theirs.
    pub(crate) fn change(&mut self) -> &mut Settings {
        if Arc::get_mut(&mut self.0).is_none_or(|shared| shared.finished.get().is_some()) {
            self.0 = Arc::new(Shared {
                settings: self.0.settings.clone(),
                finished: OnceLock::new(),
            });
        }
        &mut Arc::get_mut(&mut self.0)
            .expect("it was made just now, or nobody else has it")
            .settings
    }

    pub(crate) fn finished(&self) -> Arc<Finished> {
        let finished = self.0.finished.get_or_init(|| {
            crate::report::watch_trail();
            let settings = Arc::new(self.0.settings.clone());
            let is_alone = settings.paths.is_empty();
            Arc::new(Finished {
                alone: is_alone.then(|| Node::new(Arc::clone(&settings), None, "")),
                settings,
            })
        });
        Arc::clone(finished)
    }
}

impl Finished {
    /// The edge of a request, behind those that are around it already.
    pub(crate) fn edge(&self, around: Option<&Arc<Node>>, path: &str) -> Arc<Node> {
        match (&self.alone, around) {
            (Some(alone), None) => Arc::clone(alone),
            _ => Node::new(Arc::clone(&self.settings), around.cloned(), path),
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.settings.fmt(f)
    }
}

/// Says that answers show what they must not show in production.
pub(crate) fn warn_of_internals() {
    const TEXT: &str = "error answers show internals: for development alone";
    #[cfg(feature = "tracing")]
    tracing::warn!("{TEXT}");
    #[cfg(not(feature = "tracing"))]
    {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "error-runtime: {TEXT}");
    }
}

//! What the builder of an edge has collected. What one does not say, the one around it does.

use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;

use super::accept::MediaType;
use super::map::Map;
use crate::FanOut;
use crate::context::RequestIdPolicy;
use crate::fault;
use crate::format::{Format, HtmlPage, JsonEnvelope, ProblemJson};

#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) default: Option<Offer>,
    pub(crate) negotiates: Option<bool>,
    pub(crate) pages: HtmlPage,
    /// By prefix of the path, the longest first.
    pub(crate) paths: Vec<(Box<str>, Offer)>,
    pub(crate) ids: RequestIdPolicy,
    pub(crate) maps: Vec<Map>,
    pub(crate) reporters: FanOut,
    pub(crate) is_silent: bool,
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
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) media: MediaType,
    pub(crate) content_type: HeaderValue,
    pub(crate) format: Arc<dyn Format>,
}

impl Offer {
    pub(crate) fn new(format: impl Format + 'static) -> Self {
        let content_type = fault::guarded(|| format.content_type())
            .unwrap_or_else(|_| JsonEnvelope.content_type());
        // A type that cannot be read is never asked for, and stays the default.
        let media = MediaType::parse(content_type.as_bytes()).unwrap_or_else(MediaType::none);
        Self {
            media,
            content_type,
            format: Arc::new(format),
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

impl Settings {
    /// With the log, where it is wanted.
    pub(crate) fn finished(&self) -> Arc<Self> {
        #[cfg_attr(
            not(feature = "tracing"),
            expect(unused_mut, reason = "nothing to add")
        )]
        let mut settings = self.clone();
        #[cfg(feature = "tracing")]
        if !settings.is_silent {
            settings.reporters = settings.reporters.and(FanOut::log());
        }
        Arc::new(settings)
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

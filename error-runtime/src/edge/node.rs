//! The edges around the code that runs, the innermost first.

use std::sync::Arc;

use http::HeaderValue;

use super::accept;
use super::map::Subject;
use super::settings::{Body, Offer, Settings};
use crate::fault::{self, FaultPart};
use crate::format::{Format, HtmlPage, JsonEnvelope};
use crate::{AnyError, ErrorView, FanOut, RequestContext};

/// One edge, and the one around it. What it does not say the one around it does: that is worked out when the
/// node is made, once for an edge that stands alone.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) settings: Arc<Settings>,
    around: Option<Arc<Self>>,
    /// The format of this path, whatever the request wants.
    of_path: Option<Arc<Offer>>,
    default: Option<Arc<Offer>>,
    negotiates: bool,
    shows_internals: bool,
    sends_framework_text: bool,
    logs: Option<bool>,
    max_details: Option<usize>,
}

/// The format of one answer.
pub(crate) struct Chosen<'a> {
    pub(crate) content_type: &'a HeaderValue,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Format(&'a dyn Format),
    /// HTML: the pages of the format, then those of all edges.
    Pages(&'a HtmlPage, &'a Node),
}

impl Node {
    pub(crate) fn new(settings: Arc<Settings>, around: Option<Arc<Self>>, path: &str) -> Arc<Self> {
        let mut below = settings.paths.iter();
        let of_path = below
            .find(|(prefix, _)| is_below(path, prefix))
            .map(|(_, offer)| offer);
        let outer = around.as_deref();
        let said = |own: Option<bool>, outer: Option<bool>, default: bool| {
            own.or(outer).unwrap_or(default)
        };
        Arc::new(Self {
            of_path: of_path
                .or(outer.and_then(|outer| outer.of_path.as_ref()))
                .cloned(),
            default: settings
                .default
                .as_ref()
                .or(outer.and_then(|outer| outer.default.as_ref()))
                .cloned(),
            negotiates: said(
                settings.negotiates,
                outer.map(|outer| outer.negotiates),
                true,
            ),
            shows_internals: said(
                settings.shows_internals,
                outer.map(|outer| outer.shows_internals),
                false,
            ),
            sends_framework_text: said(
                settings.sends_framework_text,
                outer.map(|outer| outer.sends_framework_text),
                false,
            ),
            logs: settings.logs.or(outer.and_then(|outer| outer.logs)),
            max_details: settings
                .max_details
                .or(outer.and_then(|outer| outer.max_details)),
            settings,
            around,
        })
    }

    /// Itself and the edges around it.
    pub(crate) fn outwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |node| node.around.as_deref())
    }

    pub(crate) fn shows_internals(&self) -> bool {
        self.shows_internals
    }

    pub(crate) fn sends_framework_text(&self) -> bool {
        self.sends_framework_text
    }

    pub(crate) fn max_details(&self) -> Option<usize> {
        self.max_details
    }

    /// Who is told of a failure at this edge: the log, then the reporters of the outermost edge and of those
    /// within it. Some may be named twice.
    pub(crate) fn reporters(&self) -> impl Iterator<Item = &FanOut> {
        #[cfg(feature = "tracing")]
        let log = (self.logs != Some(false)).then(FanOut::log);
        #[cfg(not(feature = "tracing"))]
        let log = None;
        log.into_iter()
            .chain(self.outwards().map(|node| &node.settings.reporters))
    }

    /// Whether the format follows what a request accepts.
    pub(crate) fn negotiates(&self) -> bool {
        self.negotiates && self.of_path.is_none()
    }

    /// The envelope, whatever is wanted.
    pub(crate) fn plain() -> Chosen<'static> {
        Chosen {
            content_type: &Offer::built_in()[0].content_type,
            kind: Kind::Format(&JsonEnvelope),
        }
    }

    /// The format for a request.
    pub(crate) fn choose(&self, context: &RequestContext) -> Chosen<'_> {
        let built_in = Offer::built_in();
        let default = self.default.as_deref();
        let offer = match (&self.of_path, context.accept()) {
            (Some(offer), _) => offer,
            (None, Some(accept)) if self.negotiates => {
                let others = built_in
                    .iter()
                    .filter(|offer| default.is_none_or(|default| default.media != offer.media));
                let mut offers = default.into_iter().chain(others);
                let media = offers.clone().map(|offer| &offer.media);
                let best = accept::best(accept.as_bytes(), &media);
                best.and_then(|best| offers.nth(best))
                    .or(default)
                    .unwrap_or(&built_in[0])
            }
            (None, _) => default.unwrap_or(&built_in[0]),
        };
        Chosen {
            content_type: &offer.content_type,
            kind: match &offer.body {
                Body::Format(format) => Kind::Format(&**format),
                Body::Pages(own) => Kind::Pages(own, self),
            },
        }
    }

    /// What the innermost handler makes of a failure; nothing if there is none for it.
    pub(crate) fn map(
        &self,
        subject: Subject<'_>,
        context: Option<&RequestContext>,
    ) -> Option<AnyError> {
        let maps = self.outwards().flat_map(|node| &node.settings.maps);
        for map in maps {
            match fault::guarded(|| map.run(subject, context)) {
                Ok(None) => {}
                Ok(mapped) => return mapped,
                // The failure stays as it was.
                Err(panic) => {
                    let code = fault::guarded(|| subject.error.code().to_owned());
                    fault::report(&code.unwrap_or_default(), FaultPart::Map, panic);
                    return None;
                }
            }
        }
        None
    }
}

/// Whether a path is that of a prefix or below it: `/api` has `/api/x` and not `/apiary`.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

impl Format for Chosen<'_> {
    fn content_type(&self) -> HeaderValue {
        self.content_type.clone()
    }

    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Format(format) => format.write(view, out),
            Kind::Pages(own, node) => {
                let pages = node.outwards().map(|node| &node.settings.pages);
                HtmlPage::write_first(std::iter::once(own).chain(pages), view, out);
            }
        }
    }
}

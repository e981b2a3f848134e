//! The edges around the code that runs, the innermost first.

use std::sync::Arc;

use http::HeaderValue;

use super::accept;
use super::map::Subject;
use super::settings::{Offer, Settings};
use crate::fault::{self, FaultPart};
use crate::format::{Format, HtmlPage};
use crate::{AnyError, ErrorView, RequestContext};

/// One edge, and the one around it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) settings: Arc<Settings>,
    around: Option<Arc<Self>>,
    /// The path of the request has a format of its own: which of the settings' paths.
    path: Option<usize>,
}

/// The format of one answer.
pub(crate) struct Chosen<'a> {
    pub(crate) content_type: &'a HeaderValue,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Format(&'a dyn Format),
    /// HTML, with the pages of all edges.
    Pages(&'a Node),
}

impl Node {
    pub(crate) fn new(settings: Arc<Settings>, around: Option<Arc<Self>>, path: &str) -> Arc<Self> {
        let path = settings
            .paths
            .iter()
            .position(|(prefix, _)| is_below(path, prefix));
        Arc::new(Self {
            settings,
            around,
            path,
        })
    }

    /// Itself and the edges around it.
    pub(crate) fn outwards(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |node| node.around.as_deref())
    }

    /// What the innermost edge says that says anything.
    fn first<'a, T>(&'a self, ask: impl Fn(&'a Settings) -> Option<T>) -> Option<T> {
        self.outwards().find_map(|node| ask(&node.settings))
    }

    pub(crate) fn shows_internals(&self) -> bool {
        self.first(|settings| settings.shows_internals) == Some(true)
    }

    pub(crate) fn sends_framework_text(&self) -> bool {
        self.first(|settings| settings.sends_framework_text) == Some(true)
    }

    pub(crate) fn max_details(&self) -> Option<usize> {
        self.first(|settings| settings.max_details)
    }

    /// The format for a request.
    pub(crate) fn choose(&self, context: &RequestContext) -> (Chosen<'_>, bool) {
        let of_path = self
            .outwards()
            .find_map(|node| Some(&node.settings.paths[node.path?].1));
        if let Some(offer) = of_path {
            return (Chosen::of(offer), false);
        }
        let built_in = Offer::built_in();
        let default = self.first(|settings| settings.default.as_ref());
        let negotiates = self.first(|settings| settings.negotiates) != Some(false);
        let fallback = default.unwrap_or(&built_in[0]);
        let others = built_in
            .iter()
            .filter(|offer| default.is_none_or(|default| default.media != offer.media));
        let accept = context.accept().filter(|_| negotiates);
        let chosen = accept.and_then(|accept| {
            let offers = default.into_iter().chain(others);
            let best = accept::best(accept.as_bytes(), offers.clone().map(|offer| &offer.media))?;
            offers.into_iter().nth(best)
        });
        let offer = chosen.unwrap_or(fallback);
        // The built-in pages are those of the edges too.
        let chosen = if std::ptr::eq(offer, std::ptr::from_ref(&built_in[2])) {
            Chosen {
                content_type: &offer.content_type,
                kind: Kind::Pages(self),
            }
        } else {
            Chosen::of(offer)
        };
        (chosen, negotiates)
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

impl<'a> Chosen<'a> {
    fn of(offer: &'a Offer) -> Self {
        Self {
            content_type: &offer.content_type,
            kind: Kind::Format(&*offer.format),
        }
    }
}

impl Format for Chosen<'_> {
    fn content_type(&self) -> HeaderValue {
        self.content_type.clone()
    }

    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Format(format) => format.write(view, out),
            Kind::Pages(node) => {
                let pages = node.outwards().map(|node| &node.settings.pages);
                HtmlPage::write_first(pages, view, out);
            }
        }
    }
}

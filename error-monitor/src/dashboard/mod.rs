//! The page: one document with its style and script in it, and nothing from anywhere else.

mod place;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::routing::MethodRouter;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub(crate) use self::place::DashboardPlace;
use crate::api::AdminError;

const STYLE: &str = include_str!("style.css");

/// In this order: each file stands on those before it. They are one program, closed to whatever else is on the
/// page.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("script/tree.js"),
    include_str!("script/format.js"),
    include_str!("script/client.js"),
    include_str!("script/view.js"),
    include_str!("script/chart.js"),
    include_str!("script/dialog.js"),
    include_str!("script/health.js"),
    include_str!("script/trend.js"),
    include_str!("script/patterns.js"),
    include_str!("script/errors.js"),
    include_str!("script/breakers.js"),
    include_str!("script/alerts.js"),
    include_str!("script/budgets.js"),
    include_str!("script/changes.js"),
    include_str!("script/main.js"),
    "})();\n",
);

/// What the browser may do with the page: run this script and this style, and ask where it came from. No text can
/// become markup even by a mistake of the script's: there are no policies that would trust one.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    // As a browser reads a page: a checkout may have put other ends to the lines.
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.replace("\r\n", "\n")));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// The page at this place, for the endpoints at the mount point.
pub(crate) fn page<S: Clone + Send + Sync + 'static>(place: &str, mount: &str) -> MethodRouter<S> {
    // Both are paths of plain characters: nothing in them could end an attribute.
    let document = include_str!("page.html")
        .replace("{{api}}", &place::relative(place, mount))
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT);
    let document = Bytes::from(document);
    axum::routing::get(async move || {
        let head = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        ];
        (head, document)
    })
    // An error of our own, and so none of the service's.
    .fallback(async || AdminError::MethodNotAllowed)
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE};

    #[test]
    fn neither_script_nor_style_ends_early() {
        // What would end them within the document, or name something of another host.
        for text in [SCRIPT, STYLE] {
            for forbidden in ["</", "<!--", "{{", "http:", "https:", "@import"] {
                let text = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!text.contains(forbidden), "{forbidden}");
            }
        }
        assert!(!STYLE.contains("url("));
    }

    #[test]
    fn no_text_becomes_markup_and_nothing_is_kept_in_the_browser() {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "sessionStorage",
            "document.cookie",
            "indexedDB",
        ] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
        // The one thing that is kept: light or dark.
        assert_eq!(SCRIPT.matches("localStorage.").count(), 3);
        assert_eq!(SCRIPT.matches("localStorage.setItem(THEME").count(), 1);
    }
}

//! A page for a browser.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, StatusCode};

use super::{ErrorView, Format};
use crate::fault::{self, FaultPart};

type Page = Arc<dyn Fn(&ErrorView<'_>) -> String + Send + Sync>;

/// `text/html`: a page of its own per code or status, else a plain one that needs nothing else to load.
///
/// ```
/// use error_runtime::format::{HtmlPage, escape_html};
/// let format = HtmlPage::new()
///     .page_for_status(404, |view| format!("<h1>Lost?</h1><p>{}</p>", escape_html(&view.message())))
///     .page_for_code("PAYMENT_REQUIRED", |_| "<h1>Time to pay</h1>".to_owned());
/// ```
#[derive(Clone, Default)]
pub struct HtmlPage {
    by_code: HashMap<Cow<'static, str>, Page>,
    by_status: HashMap<u16, Page>,
}

impl fmt::Debug for HtmlPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HtmlPage")
            .field("by_code", &self.by_code.keys())
            .field("by_status", &self.by_status.keys())
            .finish()
    }
}

impl HtmlPage {
    /// The default page for everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// A page of one's own for one code. It goes before one for the status.
    ///
    /// What the closure returns is sent as it is: pass texts of the view through [`escape_html`].
    #[must_use]
    pub fn page_for_code(
        mut self,
        code: impl Into<Cow<'static, str>>,
        page: impl Fn(&ErrorView<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        self.by_code.insert(code.into(), Arc::new(page));
        self
    }

    /// A page of one's own for one status.
    #[must_use]
    pub fn page_for_status(
        mut self,
        status: u16,
        page: impl Fn(&ErrorView<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        self.by_status.insert(status, Arc::new(page));
        self
    }

    fn page(&self, code: &str, status: StatusCode) -> Option<&Page> {
        self.by_code
            .get(code)
            .or_else(|| self.by_status.get(&status.as_u16()))
    }
}

impl HtmlPage {
    /// Writes the page of the first that has one for the error, else the default one.
    pub(crate) fn write_first<'a>(
        pages: impl Iterator<Item = &'a Self>,
        view: &ErrorView<'_>,
        out: &mut Vec<u8>,
    ) {
        let mut pages = pages;
        if let Some(page) = pages.find_map(|pages| pages.page(view.code(), view.status())) {
            match fault::guarded(|| page(view)) {
                Ok(page) => return out.extend_from_slice(page.as_bytes()),
                Err(panic) => _ = view.fault(FaultPart::Page, panic),
            }
        }
        write_default(view, out);
    }
}

impl Format for HtmlPage {
    fn content_type(&self) -> HeaderValue {
        const { HeaderValue::from_static("text/html; charset=utf-8") }
    }

    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
        Self::write_first(std::iter::once(self), view, out);
    }
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 36rem; padding: 2rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
.status { margin: 0; font-size: 4rem; line-height: 1; font-weight: 700; opacity: .35; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 2rem 0 0; font-size: .875rem; opacity: .75; }
dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
</style>
"#;

fn write_default(view: &ErrorView<'_>, out: &mut Vec<u8>) {
    let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
    let title = escape_html(view.title());
    put(HEAD);
    put("<title>");
    put(&title);
    put("</title>\n</head>\n<body>\n<main>\n<p class=\"status\">");
    put(view.status().as_str());
    put("</p>\n<h1>");
    put(&title);
    put("</h1>\n<p>");
    put(&escape_html(&view.message()));
    put("</p>\n<dl>\n");
    let timestamp = view.timestamp().to_string();
    for (name, value) in [
        ("Code", Some(view.code())),
        ("Request", view.request_id()),
        ("Trace", view.trace_id()),
        ("Time", Some(timestamp.as_str())),
    ] {
        if let Some(value) = value {
            put("<dt>");
            put(name);
            put("</dt><dd>");
            put(&escape_html(value));
            put("</dd>\n");
        }
    }
    put("</dl>\n");
    if let Some(internals) = view.internals() {
        put("<pre>");
        put(&escape_html(&internals.display));
        for cause in &internals.chain {
            put("\ncaused by: ");
            put(&escape_html(cause));
        }
        put("</pre>\n");
    }
    put("</main>\n</body>\n</html>\n");
}

/// Makes a text safe for HTML, inside an element or a quoted attribute.
///
/// ```
/// use error_runtime::format::escape_html;
/// assert_eq!(escape_html("<b> & \"it's\""), "&lt;b&gt; &amp; &quot;it&#39;s&quot;");
/// ```
pub fn escape_html(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

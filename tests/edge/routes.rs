//! What the routes of both apps do, in the words of neither framework.

use std::io;

use error_runtime::RequestContext;
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;

use crate::errors::{SECRET, ShopError, fail};

/// What the extractors want of a body or a query.
#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    pub(crate) count: u8,
}

/// The longest body of `/limited`.
pub(crate) const LIMIT: usize = 16;

pub(crate) const JSON_422: &str =
    "{ \"detail\" : [ {\"loc\":[\"body\"],\"msg\":\"not the envelope\"} ] }\n";
pub(crate) const HTML_500: &str = "<!doctype html><title>ours</title><p>Something broke";
/// A byte more than is sent on.
const LONG: &str = match std::str::from_utf8(&[b'x'; 1_025]) {
    Ok(text) => text,
    Err(_) => "",
};
// `HEAD` must give this length.
const _: () = assert!(JSON_422.len() == 61);
pub(crate) const BARE: &str = "bytes without a type";

/// A response that the application makes by hand.
pub(crate) struct Made {
    pub(crate) status: u16,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: &'static str,
}

pub(crate) fn made(kind: &str) -> Made {
    const PLAIN: (&str, &str) = ("content-type", "text/plain; charset=utf-8");
    let made = |status, headers, body| Made {
        status,
        headers,
        body,
    };
    match kind {
        "json-422" => made(422, &[("content-type", "application/json")], JSON_422),
        "html-500" => made(500, &[("content-type", "text/html")], HTML_500),
        "bare-500" => made(500, &[], BARE),
        "problem-400" => made(400, &[("content-type", "application/problem+json")], "{}"),
        "typed-empty-404" => made(404, &[("content-type", "application/json")], ""),
        "text-404" => made(404, &[PLAIN], "no table hunter2"),
        "markup-404" => made(404, &[PLAIN], "no <script>alert(1)</script>\r\n"),
        "long-404" => made(404, &[PLAIN], LONG),
        "text-500" => made(500, &[("content-type", "TEXT/Plain")], "SQL: hunter2"),
        "gzip-502" => made(
            502,
            &[
                PLAIN,
                ("content-encoding", "gzip"),
                ("etag", "\"hunter2\""),
                ("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ],
            "\u{1f}not really gzip: hunter2",
        ),
        "empty-401" => made(401, &[("www-authenticate", "Digest realm=\"x\"")], ""),
        "empty-405" => made(405, &[("allow", "GET, PUT")], ""),
        "empty-503" => made(
            503,
            &[
                ("retry-after", "120"),
                ("x-request-id", "a-middleware-said-so"),
            ],
            "",
        ),
        "empty-418" => made(418, &[], ""),
        "cached-404" => made(
            404,
            &[
                PLAIN,
                ("cache-control", "max-age=60"),
                ("vary", "origin, Accept"),
            ],
            "gone",
        ),
        "varied-404" => made(404, &[PLAIN, ("vary", "origin")], "gone"),
        "varied-423" => made(423, &[PLAIN, ("vary", "origin")], "locked"),
        "not-modified" => made(304, &[("etag", "\"v1\"")], ""),
        "no-content" => made(204, &[], ""),
        "switching" => made(101, &[("upgrade", "chat"), ("connection", "upgrade")], ""),
        _ => made(200, &[PLAIN], "fine"),
    }
}

/// What code within a request knows of it; the context is an extractor's.
pub(crate) async fn context(context: RequestContext, kind: &str) -> Result<String, ShopError> {
    assert_eq!(RequestContext::current().as_ref(), Some(&context));
    let of_task = async || {
        let task = error_runtime::spawn(async { RequestContext::current() });
        task.await.unwrap().expect("a task has it too")
    };
    Ok(match kind {
        "id" => context.request_id().to_owned(),
        "task" => of_task().await.request_id().to_owned(),
        "task-after-await" => {
            tokio::task::yield_now().await;
            of_task().await.request_id().to_owned()
        }
        "plain-task" => format!(
            "{:?}",
            tokio::spawn(async { RequestContext::current() })
                .await
                .unwrap()
        ),
        "propagate" => {
            let mut headers = error_runtime::HeaderMap::new();
            context.propagate(&mut headers);
            let lines = headers.iter();
            let lines = lines.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
            lines.collect()
        }
        "user" => {
            context.set_user("user-7");
            fail("login")?.to_owned()
        }
        "user-before-panic" => {
            context.set_user("user-8");
            fail("panic-str")?.to_owned()
        }
        // Named in a task of the request, as a middleware of one's own may do it.
        "user-of-task" => {
            let task = error_runtime::spawn(async {
                RequestContext::current().unwrap().set_user("user-9");
            });
            task.await.unwrap();
            fail("missing")?.to_owned()
        }
        _ => "fine".to_owned(),
    })
}

/// One part, which is sent before the next is asked for; then a failure, or the end.
pub(crate) fn parts<B: From<&'static str>>(
    breaks: bool,
) -> impl Stream<Item = Result<B, io::Error>> + Send + 'static {
    unfold(0, move |step| async move {
        match step {
            0 => Some((Ok(B::from("first part")), 1)),
            1 => {
                // A pending body makes the server flush what it has.
                tokio::task::yield_now().await;
                breaks.then(|| (Err(io::Error::other(SECRET)), 2))
            }
            _ => None,
        }
    })
}

/// What never answers.
pub(crate) async fn never() -> &'static str {
    std::future::pending().await
}

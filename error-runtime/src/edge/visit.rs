//! One request at one edge of `http` types: what becomes of its response.

use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body;

use super::answer::{self, Answer, Record, answer_at};
use super::body::EdgeBody;
use super::map::Subject;
use super::node::Node;
use super::stand_in::{Framework, Panicked, Undeclared};
use super::watch::{IsWatched, Watch};
use crate::context::{Around, X_REQUEST_ID};
use crate::report::links;
use crate::tower::BoxError;
use crate::{Origin, Rejected, RequestContext, fault};

/// One request at one edge.
pub(super) struct Visit {
    pub(super) is_outermost: bool,
    pub(super) is_head: bool,
    pub(super) around: Around,
}

/// No response came.
pub(super) enum Failed {
    Panic(Box<dyn Any + Send>),
    Error(BoxError),
}

impl Visit {
    #[inline]
    pub(super) fn respond<R>(
        &self,
        context: &RequestContext,
        result: Result<Response<R>, Failed>,
    ) -> Response<EdgeBody<R>>
    where
        R: Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        let mut response = match result {
            Ok(response) if !is_failure(response.status()) => watched(context, response),
            // Handlers and reporters run in the request too.
            failure => context.enter(|| self.failed_safely(context, failure)),
        };
        if self.is_outermost
            && let Ok(id) = HeaderValue::from_str(context.request_id())
        {
            // The characters of an id are those of a header; one that the application gave may not be.
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        response
    }

    /// Whatever code of the application's runs for the response may panic: then that is the failure.
    #[inline(never)]
    fn failed_safely<R>(
        &self,
        context: &RequestContext,
        result: Result<Response<R>, Failed>,
    ) -> Response<EdgeBody<R>>
    where
        R: Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        let mut result = Some(result);
        for _ in 0..2 {
            let respond = || Some(self.failed(context, result.take()?));
            match catch_unwind(AssertUnwindSafe(respond)) {
                Ok(Some(response)) => return response,
                Ok(None) => break,
                Err(panic) => result = Some(Err(Failed::Panic(panic))),
            }
        }
        // The answer to a panic has panicked.
        let mut response = Response::new(EdgeBody::answer(Vec::new()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }

    fn failed<R>(
        &self,
        context: &RequestContext,
        result: Result<Response<R>, Failed>,
    ) -> Response<EdgeBody<R>>
    where
        R: Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        let mut response = match result {
            Ok(response) => normalized(context, response),
            Err(failure) => in_place_of(context, failure),
        };
        let status = response.status();
        let is_meant = response.extensions().get::<Unreported>().is_some();
        if is_failure(status) && !is_meant {
            let record = response.extensions_mut().remove::<Record>();
            let is_answer = record.as_ref().is_some_and(|record| record.is_answer);
            let record = record.unwrap_or_else(|| answer::by_hand(edge(context), status, context));
            let (record, is_kept) = if self.is_outermost {
                // Kept where it was told: an edge further out, whose task this was not, does not tell again.
                record.report(status, context)
            } else {
                (record, true)
            };
            if is_kept {
                response.extensions_mut().insert(record);
            }
            if self.is_outermost && self.is_head && is_answer {
                strip(&mut response);
            }
        }
        response
    }
}

/// In the extensions of a response of 4xx or 5xx: it is what was asked for and no failure, such as that of a readiness
/// check that says no. The layer passes it on as it is, and no reporter is told.
///
/// ```
/// # fn example(mut response: http::Response<()>) {
/// response.extensions_mut().insert(error_runtime::Unreported);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Unreported;

/// A stream goes on in its request, and is watched to its end by the innermost edge. So is a large body, which
/// may be another server's; what is small is in memory nearly always.
fn watched<R: Body>(context: &RequestContext, mut response: Response<R>) -> Response<EdgeBody<R>> {
    const SMALL: u64 = 16 * 1024;
    let is_stream = response
        .body()
        .size_hint()
        .exact()
        .is_none_or(|size| size > SMALL);
    if !is_stream || response.extensions().get::<IsWatched>().is_some() {
        return response.map(EdgeBody::own);
    }
    response.extensions_mut().insert(IsWatched);
    let is_told = is_failure(response.status());
    let edge = Arc::clone(edge(context));
    let watch = Watch::new(edge, context.clone(), Around::current(), is_told);
    response.map(|body| EdgeBody::watched(body, watch))
}

/// A 4xx or 5xx: the framework's own becomes an answer, the application's stays.
fn normalized<R>(context: &RequestContext, response: Response<R>) -> Response<EdgeBody<R>>
where
    R: Body<Data = Bytes>,
{
    if response.extensions().get::<Record>().is_some() || !is_frameworks(&response) {
        return watched(context, response);
    }
    let status = response.status();
    let (mut parts, body) = response.into_parts();
    let error = Framework {
        status,
        text: text_of(body),
        sends_text: edge(context).sends_framework_text(),
    };
    let subject = Subject {
        error: &error,
        typed: None,
    };
    // Among them may be the reason phrase of another server.
    parts.extensions.clear();
    for gone in answer::gone_with_a_body(status) {
        parts.headers.remove(gone);
    }
    let response = Response::from_parts(parts, ());
    answer(context, subject, Origin::Framework, response)
}

fn edge(context: &RequestContext) -> &Arc<Node> {
    let edge = context.edge();
    edge.expect("the context of a visit is behind its edge")
}

/// A panic or an error: there is no response.
fn in_place_of<R>(context: &RequestContext, failure: Failed) -> Response<EdgeBody<R>> {
    let response = Response::new(());
    match failure {
        Failed::Panic(panic) => {
            let error = Panicked(fault::panic_text(&*panic).to_owned());
            fault::discard(panic);
            let subject = Subject {
                error: &error,
                typed: Some(&error),
            };
            answer(context, subject, Origin::Panic, response)
        }
        Failed::Error(error) => {
            let rejected = links(Some(&*error)).find_map(|error| error.downcast_ref::<Rejected>());
            if let Some(rejected) = rejected {
                let subject = Subject {
                    error: rejected,
                    typed: Some(rejected),
                };
                return answer(context, subject, Origin::Declared, response);
            }
            let error = Undeclared {
                status: status_of(&*error),
                source: error,
            };
            let subject = Subject {
                error: &error,
                typed: None,
            };
            answer(context, subject, Origin::Undeclared, response)
        }
    }
}

fn answer<R>(
    context: &RequestContext,
    subject: Subject<'_>,
    origin: Origin,
    mut response: Response<()>,
) -> Response<EdgeBody<R>> {
    let mut headers = HeaderMap::new();
    let Answer {
        status,
        body,
        content_type,
        record,
        is_mapped,
    } = answer_at(edge(context), subject, origin, context, &mut headers);
    *response.status_mut() = status;
    answer::merge(response.headers_mut(), &headers, is_mapped);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.extensions_mut().insert(record);
    response.map(|()| EdgeBody::answer(body))
}

fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Whether a failure was made by the framework or a middleware: it says nothing, or only a text.
fn is_frameworks<R: Body>(response: &Response<R>) -> bool {
    match response.headers().get(CONTENT_TYPE) {
        None => response.body().is_end_stream() || response.body().size_hint().exact() == Some(0),
        Some(content_type) => answer::is_plain_text(content_type.as_bytes()),
    }
}

/// The text of a small body that is there already.
fn text_of<R: Body<Data = Bytes>>(body: R) -> Option<String> {
    let most = answer::MAX_FRAMEWORK_TEXT;
    if body
        .size_hint()
        .upper()
        .is_none_or(|size| size > most as u64)
    {
        return None;
    }
    let mut body = pin!(body);
    let mut context = Context::from_waker(Waker::noop());
    let mut text = Vec::new();
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        if let Ok(data) = frame.into_data() {
            text.extend_from_slice(&data);
        }
        if text.len() > most {
            return None;
        }
    }
    String::from_utf8(text).ok().filter(|text| !text.is_empty())
}

/// No body, and the length that it would have had.
fn strip<R>(response: &mut Response<EdgeBody<R>>) {
    if let Some(length) = response.body().answer_length() {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
        *response.body_mut() = EdgeBody::answer(Vec::new());
    }
}

/// The status of an error that no declaration covers.
fn status_of(error: &(dyn Error + 'static)) -> StatusCode {
    links(Some(error))
        .find_map(|error| {
            if error.is::<::tower::timeout::error::Elapsed>() {
                Some(StatusCode::GATEWAY_TIMEOUT)
            } else if error.is::<::tower::load_shed::error::Overloaded>() {
                Some(StatusCode::SERVICE_UNAVAILABLE)
            } else {
                None
            }
        })
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

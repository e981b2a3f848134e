//! One request at one edge of `http` types: what becomes of its response.

use std::any::Any;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body;

use super::answer::{self, Answer, Record, answer_at};
use super::body::EdgeBody;
use super::map::Subject;
use super::node::Node;
use super::stand_in::{Framework, Panicked, Undeclared};
use super::watch::Watch;
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
            Ok(response) if is_failure(response.status()) => self.normalized(context, response),
            Ok(response) => self.watched(context, response),
            Err(failure) => in_place_of(context, failure),
        };
        if self.is_outermost {
            self.leave(context, &mut response);
        }
        response
    }

    /// The last edge of the response: the id, and the report.
    fn leave<R>(&self, context: &RequestContext, response: &mut Response<EdgeBody<R>>) {
        // The characters of an id are those of a header; one that the application gave may not be.
        if let Ok(id) = HeaderValue::from_str(context.request_id()) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        if !is_failure(response.status()) {
            return;
        }
        let status = response.status();
        let record = response.extensions_mut().remove::<Record>();
        let is_answer = record.is_some();
        answer::report_record(edge(context), record, status, context);
        if self.is_head && is_answer {
            strip(response);
        }
    }

    /// A response that is no failure; a stream is watched to its end.
    fn watched<R: Body>(
        &self,
        context: &RequestContext,
        response: Response<R>,
    ) -> Response<EdgeBody<R>> {
        let is_stream = self.is_outermost && response.body().size_hint().exact().is_none();
        if is_stream {
            let edge = Arc::clone(edge(context));
            let watch = Watch::new(edge, context.clone(), self.around.clone());
            return response.map(|body| EdgeBody::watched(body, watch));
        }
        response.map(EdgeBody::own)
    }

    /// A 4xx or 5xx: the framework's own becomes an answer, the application's stays.
    fn normalized<R>(
        &self,
        context: &RequestContext,
        response: Response<R>,
    ) -> Response<EdgeBody<R>>
    where
        R: Body<Data = Bytes>,
    {
        if response.extensions().get::<Record>().is_some() || !is_frameworks(&response) {
            return self.watched(context, response);
        }
        let status = response.status();
        let (parts, body) = response.into_parts();
        let error = Framework {
            status,
            text: text_of(body),
            sends_text: edge(context).sends_framework_text(),
        };
        let subject = Subject {
            error: &error,
            typed: None,
        };
        let mut response = Response::from_parts(parts, ());
        let headers = response.headers_mut();
        for gone in [
            CONTENT_ENCODING,
            CONTENT_LENGTH,
            CONTENT_TYPE,
            TRANSFER_ENCODING,
            ETAG,
            LAST_MODIFIED,
        ] {
            headers.remove(gone);
        }
        answer(context, subject, Origin::Framework, response)
    }
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

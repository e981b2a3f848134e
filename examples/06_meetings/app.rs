//! The routes on axum. Handlers take what a request says, ask the calendar, and return what it returns:
//! `MeetingError` is an answer by its declaration.

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::{AUTHORIZATION, ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use error_runtime::common::TokenError;
use error_runtime::format::HtmlPage;
use error_runtime::{ErrorLayer, RequestContext};

use crate::meetings::Services;
use crate::meetings::auth::User;
use crate::meetings::domain::{Meeting, MeetingRequest, Page, PageRequest};
use crate::meetings::errors::MeetingError;
use crate::meetings::legacy::{V1Shape, lost_page, meeting_page, v1_error};
use crate::meetings::preconditions::{Expected, IdempotencyKey, tag};
use crate::meetings::store::OutageCalls;

pub(crate) fn app(services: Services) -> Router {
    let meetings = Router::new()
        .route("/meetings", get(list).post(create))
        .route("/meetings/{id}", get(read).put(change).delete(cancel))
        .route("/meetings/{id}/attendees", post(join));
    // Old clients: their shape whatever `Accept` says, and a code and a status of before.
    let v1 = meetings.clone().layer(
        ErrorLayer::new()
            .format(V1Shape)
            .negotiate(false)
            .map(v1_error),
    );
    // People with browsers: pages, unless a program asks for JSON.
    let admin = Router::new()
        .route("/meetings/{id}", get(look))
        .route("/outage", post(take_store_away))
        .layer(ErrorLayer::new().format(HtmlPage::new().page_for_status(404, lost_page)));
    Router::new()
        .merge(meetings)
        .nest("/v1", v1)
        .nest("/admin", admin)
        .with_state(services)
        .layer(ErrorLayer::new())
}

/// A meeting, and its version as the tag that `If-Match` takes.
type Tagged = ([(HeaderName, String); 1], Json<Meeting>);

fn tagged(meeting: Meeting) -> Tagged {
    ([(ETAG, tag(meeting.version))], Json(meeting))
}

async fn create(
    user: User,
    State(services): State<Services>,
    headers: HeaderMap,
    Json(request): Json<MeetingRequest>,
) -> Result<Tagged, MeetingError> {
    let key = IdempotencyKey::of_header(text(&headers, &IDEMPOTENCY_KEY))?;
    let meeting = services.calendar.create(&user, request, key)?;
    Ok(tagged(meeting))
}

async fn read(
    _: User,
    State(services): State<Services>,
    Path(id): Path<u64>,
) -> Result<Tagged, MeetingError> {
    Ok(tagged(services.calendar.read(id)?))
}

async fn list(
    _: User,
    State(services): State<Services>,
    Query(request): Query<PageRequest>,
) -> Result<Json<Page>, MeetingError> {
    Ok(Json(services.calendar.list(&request)?))
}

async fn change(
    user: User,
    State(services): State<Services>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    Json(request): Json<MeetingRequest>,
) -> Result<Tagged, MeetingError> {
    let expected = Expected::of_header(text(&headers, &IF_MATCH))?;
    let meeting = services.calendar.change(&user, id, &expected, request)?;
    Ok(tagged(meeting))
}

async fn cancel(
    user: User,
    State(services): State<Services>,
    Path(id): Path<u64>,
) -> Result<Json<Meeting>, MeetingError> {
    Ok(Json(services.calendar.cancel(&user, id)?))
}

async fn join(
    user: User,
    State(services): State<Services>,
    Path(id): Path<u64>,
) -> Result<Tagged, MeetingError> {
    Ok(tagged(services.calendar.join(&user, id)?))
}

async fn look(
    user: User,
    State(services): State<Services>,
    Path(id): Path<u64>,
) -> Result<Html<String>, MeetingError> {
    user.must_be_operator()?;
    Ok(Html(meeting_page(&services.calendar.read(id)?)))
}

async fn take_store_away(
    user: User,
    State(services): State<Services>,
    Json(outage): Json<OutageCalls>,
) -> Result<Json<OutageCalls>, MeetingError> {
    user.must_be_operator()?;
    services.outage.set(&outage);
    Ok(Json(outage))
}

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A header as text; one that is no text is as one that says nothing of use.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or_default())
}

/// Stands first in a handler's arguments, so nobody unknown learns what else is wrong.
impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = TokenError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, TokenError> {
        let user = Self::of_header(text(&parts.headers, &AUTHORIZATION))?;
        if let Some(context) = RequestContext::current() {
            context.set_user(user.name);
        }
        Ok(user)
    }
}

//! The routes on actix-web, beside `06_meetings/app.rs`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, ETAG, IF_MATCH};
use actix_web::web::{self, Data, Html, Json, Path, Query, ServiceConfig};
use actix_web::{CustomizeResponder, FromRequest, HttpRequest, Responder as _};
use error_runtime::common::TokenError;
use error_runtime::format::HtmlPage;
use error_runtime::{ErrorMiddleware, RequestContext};

use crate::meetings::Services;
use crate::meetings::auth::User;
use crate::meetings::domain::{Meeting, MeetingRequest, Page, PageRequest};
use crate::meetings::errors::MeetingError;
use crate::meetings::legacy::{V1Shape, lost_page, meeting_page, v1_error};
use crate::meetings::preconditions::{Expected, IdempotencyKey, tag};
use crate::meetings::store::OutageCalls;

/// For `App::configure`; `ErrorMiddleware` goes around the app.
pub(crate) fn routes(services: Services) -> impl FnOnce(&mut ServiceConfig) {
    let v1 = ErrorMiddleware::new()
        .format(V1Shape)
        .negotiate(false)
        .map(v1_error);
    let admin = ErrorMiddleware::new().format(HtmlPage::new().page_for_status(404, lost_page));
    move |config| {
        let admin = web::scope("/admin")
            .route("/meetings/{id}", web::get().to(look))
            .route("/outage", web::post().to(take_store_away))
            .wrap(admin);
        config
            .app_data(Data::new(services))
            .service(web::scope("/v1").configure(meetings).wrap(v1))
            .service(admin)
            .configure(meetings);
    }
}

fn meetings(config: &mut ServiceConfig) {
    let all = web::resource("/meetings").get(list).post(create);
    let one = web::resource("/meetings/{id}").get(read).put(change);
    config
        .service(all)
        .service(one.delete(cancel))
        .service(web::resource("/meetings/{id}/attendees").post(join));
}

/// A meeting, and its version as the tag that `If-Match` takes.
type Tagged = CustomizeResponder<Json<Meeting>>;

fn tagged(meeting: Meeting) -> Tagged {
    let tag = (ETAG, tag(meeting.version));
    Json(meeting).customize().insert_header(tag)
}

async fn create(
    user: User,
    services: Data<Services>,
    request: HttpRequest,
    Json(meeting): Json<MeetingRequest>,
) -> Result<Tagged, MeetingError> {
    let key = IdempotencyKey::of_header(text(&request, "idempotency-key"))?;
    let meeting = services.calendar.create(&user, meeting, key)?;
    Ok(tagged(meeting))
}

async fn read(_: User, services: Data<Services>, id: Path<u64>) -> Result<Tagged, MeetingError> {
    Ok(tagged(services.calendar.read(*id)?))
}

async fn list(
    _: User,
    services: Data<Services>,
    request: Query<PageRequest>,
) -> Result<Json<Page>, MeetingError> {
    Ok(Json(services.calendar.list(&request)?))
}

async fn change(
    user: User,
    services: Data<Services>,
    id: Path<u64>,
    request: HttpRequest,
    Json(meeting): Json<MeetingRequest>,
) -> Result<Tagged, MeetingError> {
    let expected = Expected::of_header(text(&request, IF_MATCH.as_str()))?;
    let meeting = services.calendar.change(&user, *id, &expected, meeting)?;
    Ok(tagged(meeting))
}

async fn cancel(
    user: User,
    services: Data<Services>,
    id: Path<u64>,
) -> Result<Json<Meeting>, MeetingError> {
    Ok(Json(services.calendar.cancel(&user, *id)?))
}

async fn join(user: User, services: Data<Services>, id: Path<u64>) -> Result<Tagged, MeetingError> {
    Ok(tagged(services.calendar.join(&user, *id)?))
}

async fn look(user: User, services: Data<Services>, id: Path<u64>) -> Result<Html, MeetingError> {
    user.must_be_operator()?;
    Ok(Html::new(meeting_page(&services.calendar.read(*id)?)))
}

async fn take_store_away(
    user: User,
    services: Data<Services>,
    outage: Json<OutageCalls>,
) -> Result<Json<OutageCalls>, MeetingError> {
    user.must_be_operator()?;
    services.outage.set(&outage);
    Ok(outage)
}

/// A header as text; one that is no text is as one that says nothing of use.
fn text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let value = request.headers().get(name)?;
    Some(value.to_str().unwrap_or_default())
}

/// Extractors run in the order of a handler's arguments, so nobody unknown learns what else is wrong.
impl FromRequest for User {
    type Error = TokenError;
    type Future = Ready<Result<Self, TokenError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = Self::of_header(text(request, AUTHORIZATION.as_str()));
        if let (Ok(user), Some(context)) = (&user, RequestContext::current()) {
            context.set_user(user.name);
        }
        ready(user)
    }
}

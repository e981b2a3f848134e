//! The routes on actix-web.

use actix_multipart::Multipart;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Form, Json, Path, Query};
use actix_web::{App, Error, HttpResponse, Resource, error};
use error_runtime::{ErrorMiddleware, RequestContext};
use futures_util::StreamExt as _;

use crate::errors::{Clash, SECRET, ShopError, fail, fail_erased};
use crate::routes::{self, LIMIT, Order};
use crate::servers::{Reporters, nested_edge};

pub(crate) fn app(
    edge: ErrorMiddleware,
    reporters: &Reporters,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .wrap(edge)
        .service(web::resource("/ok").route(web::get().to(async || "fine")))
        .service(fails("/fail/{kind}"))
        .service(web::resource("/erased/{kind}").to(async |kind: Path<String>| fail_erased(&kind)))
        .service(fails("/api/fail/{kind}"))
        .service(fails("/apiary/fail/{kind}"))
        .service(web::resource("/made/{kind}").to(async |kind: Path<String>| made(&kind)))
        .service(web::resource("/context/{kind}").to(
            async |context: RequestContext, kind: Path<String>| {
                routes::context(context, &kind).await
            },
        ))
        .service(web::resource("/number/{n}").to(async |n: Path<u8>| n.to_string()))
        .service(web::resource("/query").to(async |order: Query<Order>| order.count.to_string()))
        .service(
            web::resource("/json")
                .route(web::post().to(async |order: Json<Order>| order.count.to_string())),
        )
        .service(
            web::resource("/form")
                .route(web::post().to(async |order: Form<Order>| order.count.to_string())),
        )
        .service(
            web::resource("/limited")
                .app_data(web::PayloadConfig::new(LIMIT))
                .route(web::post().to(async |body: Bytes| body.len().to_string())),
        )
        .service(web::resource("/upload").route(web::post().to(upload)))
        .service(
            web::resource("/stream/{kind}").to(async |kind: Path<String>| {
                HttpResponse::Ok().streaming(routes::parts::<Bytes>(*kind == "breaks"))
            }),
        )
        .service(refusing("/late", StatusCode::GATEWAY_TIMEOUT))
        .service(refusing("/shed", StatusCode::SERVICE_UNAVAILABLE))
        .service(refusing("/broken", StatusCode::INTERNAL_SERVER_ERROR))
        .service(guarded())
        .service(nested(reporters))
}

fn fails(path: &str) -> Resource {
    web::resource(path).to(async |kind: Path<String>| fail(&kind))
}

/// Behind a middleware that fails, as those of others do: with an error that says what went wrong.
fn refusing(path: &'static str, status: StatusCode) -> impl HttpServiceFactory {
    let refuse = move |_: ServiceRequest, _: Next<BoxBody>| async move {
        let error = error::InternalError::new(SECRET, status);
        Err::<ServiceResponse<BoxBody>, Error>(error.into())
    };
    web::resource(path).wrap(from_fn(refuse)).to(routes::never)
}

/// Behind a middleware with an error of ours.
fn guarded() -> impl HttpServiceFactory {
    let guard = async |_: ServiceRequest, _: Next<BoxBody>| {
        Err::<ServiceResponse<BoxBody>, Error>(ShopError::from(Clash).into())
    };
    web::resource("/guarded")
        .wrap(from_fn(guard))
        .to(async || "fine")
}

/// A blueprint with handlers of its own, and one within it that has none.
fn nested(reporters: &Reporters) -> impl HttpServiceFactory + use<> {
    let inner = web::scope("/inner")
        .wrap(ErrorMiddleware::new().reporters(reporters.all.clone()))
        .service(fails("/fail/{kind}"));
    web::scope("/nested")
        .wrap(nested_edge!(ErrorMiddleware, reporters))
        .service(fails("/fail/{kind}"))
        .service(web::resource("/made/{kind}").to(async |kind: Path<String>| made(&kind)))
        .service(guarded())
        .service(inner)
}

fn made(kind: &str) -> HttpResponse {
    let made = routes::made(kind);
    let mut response = HttpResponse::build(StatusCode::from_u16(made.status).unwrap());
    for header in made.headers {
        response.append_header(*header);
    }
    if made.body.is_empty() {
        return response.finish();
    }
    response.body(made.body)
}

async fn upload(mut parts: Multipart) -> Result<String, Error> {
    let mut bytes = 0;
    while let Some(part) = parts.next().await {
        let mut part = part?;
        while let Some(piece) = part.next().await {
            bytes += piece?.len();
        }
    }
    Ok(bytes.to_string())
}

//! One row per service and path, in process.

use std::cell::RefCell;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use harness::Case;
use tower::Service as _;

use crate::apps;

pub const PLAIN_OK: &str = "floor: /ok";
pub const PLAIN_ERR: &str = "floor: error by hand";
pub const NOP_DECLARED: &str = "floor: declared error, a layer that does nothing";
pub const OURS_OK: &str = "ours: /ok";
pub const OURS_ERR: &str = "ours: error by hand, through the layer";
pub const OURS_DECLARED: &str = "ours: declared error";
pub const OURS_REPORTED: &str = "ours: declared error, an event for a reporter";
pub const TOWER_HTTP_OK: &str = "tower-http: /ok";
pub const TOWER_HTTP_ERR: &str = "tower-http: error by hand";

pub fn all() -> Vec<Case> {
    vec![
        row(PLAIN_OK, apps::plain(), "/ok"),
        row(PLAIN_ERR, apps::plain(), "/err"),
        row(
            "floor: declared error, no layer",
            apps::plain(),
            "/declared",
        ),
        row(
            "floor: error by hand, a layer that does nothing",
            apps::nop(),
            "/err",
        ),
        // What no layer can be below.
        row(NOP_DECLARED, apps::nop(), "/declared"),
        row(OURS_OK, apps::ours(), "/ok"),
        row(OURS_ERR, apps::ours(), "/err"),
        row(OURS_DECLARED, apps::ours(), "/declared"),
        row(OURS_REPORTED, apps::reported(), "/declared"),
        row(TOWER_HTTP_OK, apps::tower_http(), "/ok"),
        row(TOWER_HTTP_ERR, apps::tower_http(), "/err"),
    ]
}

/// A request from its making to the dropping of its response.
fn row(name: &'static str, app: Router, path: &'static str) -> Case {
    let app = RefCell::new(app);
    Case::batch(name, move |times| {
        crate::block_on(async {
            let mut app = app.borrow_mut();
            for _ in 0..times {
                let request = Request::get(path).body(Body::empty()).expect("a request");
                let response = app.call(request).await.expect("a router cannot fail");
                std::hint::black_box(response);
            }
        });
    })
}

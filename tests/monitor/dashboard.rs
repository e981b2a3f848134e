//! The page as it is served. What it does in a browser, `tests/dashboard` asks.

use error_monitor::Monitor;
use reqwest::Method;

use crate::crypto::{base64, sha256};
use crate::support::{Answer, Clock, OPERATOR, Server, T0, builder, serve};

/// The text of an element that is there once.
fn inside<'a>(page: &'a str, element: &str) -> &'a str {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    assert_eq!(page.matches(&open).count(), 1, "{element}");
    let (_, rest) = page.split_once(&open).unwrap();
    rest.split_once(&close).unwrap().0
}

#[tokio::test]
async fn the_page_runs_its_own_script_and_nothing_else() {
    let server = Server::start().await;
    // Who has not signed in gets the page too: it has nothing in it yet.
    let page = Answer::plain(server.request(Method::GET, "/admin/")).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let hash = |element: &str| {
        let hash = base64(&sha256(inside(&page.text, element).as_bytes()));
        format!("'sha256-{hash}'")
    };
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash("script"),
        hash("style")
    );
    assert_eq!(page.header("content-security-policy"), Some(&*policy));
    // Attributes that a policy of hashes would not let through, and anything from elsewhere.
    for forbidden in [" style=", " onclick=", " src=", "https://", "{{"] {
        assert!(!page.text.contains(forbidden), "{forbidden}");
    }
    assert!(page.text.contains(r#"data-api="api/monitoring/""#));
}

#[tokio::test]
async fn the_page_is_a_get_and_is_counted_nowhere() {
    let server = Server::app(|monitor: &Monitor| {
        axum::Router::new()
            .merge(monitor.router())
            .layer(error_runtime::ErrorLayer::new().reporter(monitor.clone()))
            .layer(monitor.layer())
    })
    .await;
    let wrong = Answer::plain(server.request(Method::POST, "/admin/")).await;
    assert_eq!(wrong.status, 405);
    let head = Answer::plain(server.request(Method::HEAD, "/admin/")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    // Only the page is there: what is beside it is the application's.
    let beside = Answer::plain(server.request(Method::GET, "/admin/other")).await;
    assert_eq!(beside.status, 404);
    assert!(server.monitor.flush().await);
    let stats = server.read("errors/stats?group_by=route").await;
    assert_eq!(
        (&stats["total"], &stats["requests"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn the_page_is_where_it_was_put_and_knows_its_endpoints() {
    for (mount, dashboard, place, api) in [
        ("/ops/api/monitoring", None, "/ops/", "api/monitoring/"),
        ("/errors", None, "/errors/dashboard/", "../"),
        ("/errors", Some("/errors/"), "/errors/", "./"),
        ("/api/monitoring", None, "/api/monitoring/dashboard/", "../"),
        ("/a/b", Some("/"), "/", "a/b/"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = builder(&folder)
            .clock(Clock::new(T0).source())
            .token(OPERATOR)
            .mount(mount);
        if let Some(path) = dashboard {
            builder = builder.dashboard(path);
        }
        let monitor = builder.build().await.unwrap();
        let address = serve(monitor.router()).await;
        let client = reqwest::Client::new();
        let page = Answer::plain(client.get(format!("http://{address}{place}"))).await;
        assert_eq!(page.status, 200, "{mount} {place}");
        assert!(
            page.text.contains(&format!(r#"data-api="{api}""#)),
            "{mount}"
        );
        // As a browser follows it.
        let base = reqwest::Url::parse(&format!("http://{address}{place}")).unwrap();
        let me = base.join(api).unwrap().join("me").unwrap();
        assert_eq!(me.path(), format!("{mount}/me"));
        let me = Answer::of(client.get(me).bearer_auth(OPERATOR)).await;
        assert_eq!(me.status, 200, "{mount}");
    }
}

#[tokio::test]
async fn there_need_be_no_page() {
    let server = Server::with(error_monitor::MonitorBuilder::without_dashboard).await;
    let page = Answer::plain(server.request(Method::GET, "/admin/")).await;
    assert_eq!(page.status, 404);
    assert_eq!(server.get("me").await.status, 200);
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    for path in [
        "", "admin/", "/admin", "//", "/a//b/", "/{x}/", "/a b/", "/\"/", "/./", "/a/../",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let built = builder(&folder)
            .token(OPERATOR)
            .dashboard(path)
            .build()
            .await;
        let error = built.expect_err("refused").to_string();
        assert!(error.contains("dashboard"), "{path}: {error}");
    }
}

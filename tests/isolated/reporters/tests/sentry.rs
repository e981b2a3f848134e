//! Sentry, as its server sees it: a loopback server that speaks the envelope protocol.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use error_runtime::{ErrorLayer, ErrorMiddleware, SentryReporter};
use isolated_reporters::{ShopError, app, call};
use serde_json::Value;

/// Takes envelopes and hands on the events in them.
fn server() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (events, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let events = events.clone();
            std::thread::spawn(move || serve(stream.unwrap(), &events));
        }
    });
    (format!("http://key@{address}/42"), received)
}

fn serve(stream: TcpStream, events: &Sender<Value>) {
    let mut answers = stream.try_clone().unwrap();
    let mut requests = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        if requests.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        assert!(line.starts_with("POST /api/42/envelope/ "), "{line}");
        while line != "\r\n" {
            line.clear();
            requests.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body).unwrap();
        for item in items(&body) {
            let _ = events.send(item);
        }
        let _ = answers.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    }
}

/// The events of an envelope: its header, then pairs of an item's header and the item, one line each.
fn items(envelope: &[u8]) -> Vec<Value> {
    let lines: Vec<_> = envelope.split(|byte| *byte == b'\n').collect();
    let pairs = lines[1..].chunks_exact(2);
    pairs
        .filter(|pair| {
            let header: Value = serde_json::from_slice(pair[0]).unwrap();
            header["type"] == "event"
        })
        .map(|pair| serde_json::from_slice(pair[1]).unwrap())
        .collect()
}

/// Two requests, the first of which leaves a tag.
async fn on_actix() {
    async fn tagged() -> Result<String, ShopError> {
        sentry::configure_scope(|scope| scope.set_tag("patient", "7"));
        Err(std::io::Error::other("gone").into())
    }
    async fn other() -> Result<String, ShopError> {
        Err(std::io::Error::other("gone").into())
    }
    let app = actix_web::App::new()
        .wrap(ErrorMiddleware::new().reporter(SentryReporter::new()))
        .route("/tagged", actix_web::web::get().to(tagged))
        .route("/other", actix_web::web::get().to(other));
    let app = actix_web::test::init_service(app).await;
    for (path, id) in [("/tagged", "request-3"), ("/other", "request-4")] {
        let request = actix_web::test::TestRequest::get().uri(path);
        let request = request.insert_header(("x-request-id", id)).to_request();
        let response = actix_web::test::call_service(&app, request).await;
        assert_eq!(response.status().as_u16(), 500);
    }
}

/// One test, since the client is the process's.
#[tokio::test]
async fn an_event_for_what_is_to_be_tracked_and_nothing_else() {
    let (dsn, received) = server();
    let client = sentry::init((dsn, sentry::ClientOptions::default()));
    let reporter = SentryReporter::new().sample("FLAKY", 1.0);
    let app = app(ErrorLayer::new().reporter(reporter));

    // Neither 4xx nor what says `report = false` nor a refusal of a policy.
    for path in ["/orders/7", "/quiet", "/refused", "/nowhere", "/ok"] {
        call(&app, path, "unsent").await;
    }
    // A code of which no share is sent.
    let sampled = SentryReporter::new().sample("LEDGER", 0.0);
    let silent = isolated_reporters::app(ErrorLayer::new().reporter(sampled));
    call(&silent, "/ledger", "unsent").await;
    sentry::configure_scope(|scope| scope.set_tag("of", "the process"));
    let response = call(&app, "/ledger", "request-1").await;
    assert_eq!(response.status(), 500);
    let response = call(&app, "/charge", "request-2").await;
    assert_eq!(response.status(), 503);
    on_actix().await;
    assert!(client.flush(Some(Duration::from_secs(20))));
    client.close(Some(Duration::from_secs(20)));

    let mut events: Vec<Value> = received.try_iter().collect();
    events.sort_by_key(|event| event["tags"]["request_id"].to_string());
    assert_eq!(events.len(), 4, "{events:#?}");
    let [ledger, charge, tagged, other] = &events[..] else {
        unreachable!("there are four")
    };
    // A tag that a handler sets belongs to its request.
    assert_eq!(tagged["tags"]["patient"], "7");
    assert!(other["tags"]["patient"].is_null(), "{other:#}");

    assert_eq!(ledger["tags"]["request_id"], "request-1");
    assert_eq!(ledger["tags"]["code"], "LEDGER");
    assert_eq!(ledger["tags"]["of"], "the process");
    assert_eq!(ledger["fingerprint"][0], "shop/LEDGER/io::Error");
    assert_eq!(ledger["user"]["id"], "user-7");
    assert_eq!(ledger["transaction"], "GET /ledger");
    // `error` is the default of the protocol.
    assert!(ledger["level"].is_null(), "{ledger:#}");
    let chain = &ledger["exception"]["values"];
    assert_eq!(chain.as_array().unwrap().len(), 2);
    // The root cause first, the failure last.
    assert_eq!(chain[0]["value"], "password hunter2 refused");
    assert_eq!(chain[1]["type"], "LEDGER");
    assert!(
        ledger["breadcrumbs"].is_null(),
        "of another request: {ledger:#}"
    );

    assert_eq!(charge["tags"]["operation"], "charge");
    assert_eq!(charge["extra"]["attempts"], 3);
    let crumbs = charge["breadcrumbs"]["values"].as_array().unwrap();
    let texts: Vec<_> = crumbs
        .iter()
        .map(|crumb| crumb["message"].as_str().unwrap())
        .collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[0].starts_with("charge: attempt 1 failed with FLAKY"));
    assert_eq!(texts[2], "charge: given up after 3");
}

//! The log as a subscriber writes it: JSON, one line for each event.

use std::io;
use std::sync::{Arc, Mutex};

use error_runtime::{ErrorLayer, TracingReporter};
use isolated_reporters::{app, call};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> Vec<Value> {
        let text = std::mem::take(&mut *self.0.lock().unwrap());
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn one_event_for_each_failure_in_the_span_of_its_request() {
    let lines = Lines::default();
    tracing_subscriber::fmt()
        .json()
        .with_writer(lines.clone())
        .init();
    // Nested, and logged once all the same.
    let inner = app(ErrorLayer::new());
    let app = axum::Router::new().merge(inner).layer(ErrorLayer::new());

    call(&app, "/orders/7", "request-1").await;
    let logged = lines.take();
    assert_eq!(logged.len(), 1, "{logged:#?}");
    let (event, span) = (&logged[0], &logged[0]["span"]);
    assert_eq!(event["level"], "WARN");
    assert_eq!(event["target"], "error_runtime::report");
    let fields = &event["fields"];
    assert_eq!(fields["code"], "NOT_FOUND");
    assert_eq!(fields["status"], 404);
    assert_eq!(fields["domain"], "shop");
    assert_eq!(fields["request_id"], "request-1");
    assert_eq!(fields["route"], "/orders/{id}");
    assert_eq!(fields["error"], "order 7 not found");
    assert!(fields["chain"].is_null());
    assert_eq!(span["name"], "request");
    assert_eq!(span["request_id"], "request-1");

    call(&app, "/ledger", "request-2").await;
    let logged = lines.take();
    assert_eq!(logged.len(), 1, "{logged:#?}");
    let fields = &logged[0]["fields"];
    assert_eq!(logged[0]["level"], "ERROR");
    assert_eq!(fields["user_id"], "user-7");
    assert_eq!(fields["chain"], "password hunter2 refused");
    // What would forge a line or move the cursor is written out.
    let error = fields["error"].as_str().unwrap();
    assert_eq!(
        error,
        r"the ledger at 10.0.0.7 is gone\r\nERROR forged \u{1b}[31m"
    );

    call(&app, "/charge", "request-3").await;
    let fields = &lines.take()[0]["fields"];
    assert_eq!(fields["operation"], "charge");
    assert_eq!(fields["attempts"], 3);

    call(&app, "/ok", "request-4").await;
    assert!(lines.take().is_empty());

    // What an inner layer does not say, the outer one does; and the log is one however it is added.
    let nested = |inner: ErrorLayer, outer: ErrorLayer| {
        axum::Router::new()
            .merge(isolated_reporters::app(inner))
            .layer(outer)
    };
    let (log, silent) = (ErrorLayer::new, || ErrorLayer::new().log(false));
    let twice = || ErrorLayer::new().reporter(TracingReporter::new());
    for (app, expected) in [
        (isolated_reporters::app(silent()), 0),
        (nested(log(), silent()), 0),
        (nested(silent(), log()), 0),
        (nested(log().log(true), silent()), 1),
        (isolated_reporters::app(twice()), 1),
        (nested(twice(), twice()), 1),
    ] {
        call(&app, "/ledger", "request-5").await;
        assert_eq!(lines.take().len(), expected);
    }
}

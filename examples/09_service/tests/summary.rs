//! The summary at the end, and who signs alerts.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use error_runtime::time::Timestamp;

use super::{Answer as _, Service, VIEWER};
use crate::alerts::is_signed;
use crate::report::{self, Admin, Counts};
use crate::tally::Tally;
use crate::traffic::Traffic;

fn counts(all: &[(&str, u64)]) -> Counts {
    all.iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[test]
fn lines_that_differ_are_found() {
    let seen = counts(&[("A", 1), ("B", 2), ("C", 3)]);
    let others = counts(&[("B", 1)]);
    let monitor = counts(&[("A", 1), ("B", 3), ("D", 4)]);
    let rows = report::compare(&seen, &others, &monitor);
    let unequal: Vec<_> = rows.iter().filter(|row| !row.is_equal()).collect();
    let names: Vec<_> = unequal.iter().map(|row| &*row.name).collect();
    assert_eq!(names, ["C", "D"]);
    let table = report::table("code", "clients", &rows);
    assert_eq!(
        table[0],
        format!("{:32}   clients    others   monitor", "code")
    );
    assert_eq!(
        table[2],
        format!("{:32}         2         1         3", "B")
    );
    assert_eq!(
        table[3],
        format!("{:32}         3         0         0  differs", "C")
    );
}

#[test]
fn without_others_there_is_no_column_for_them() {
    let rows = report::compare(&counts(&[("A", 1)]), &Counts::new(), &counts(&[("A", 1)]));
    let table = report::table("code", "clients", &rows);
    assert_eq!(table[1], format!("{:32}         1         1", "A"));
}

#[tokio::test]
async fn clients_others_and_the_monitor_count_the_same() {
    let service = Service::start().await;
    let tally = Tally::default();
    let traffic = Traffic::new(&service.http, service.url.clone(), 1, &tally);
    traffic.each_once().await;
    service
        .get("/favicon.ico")
        .await
        .fails(404, "NOT_FOUND")
        .await;
    // The monitor's own endpoints are nobody's requests.
    service
        .get("/admin/api/monitoring/budgets")
        .await
        .fails(401, "NOT_SIGNED_IN")
        .await;

    let admin = Admin {
        http: service.http.clone(),
        url: service.url.clone(),
        token: VIEWER.to_owned(),
    };
    assert!(service.monitor.flush().await);
    let minute = Timestamp::from_unix_millis(Timestamp::now().unix_millis() - 60_000);
    let monitor = admin.answers(minute).await.unwrap();
    let seen = report::answers_of(&tally.now());
    let others = report::asked_by_others(&service.others.asked());
    let rows = report::compare(&seen, &others, &monitor);
    assert!(rows.iter().all(report::Row::is_equal), "{rows:#?}");
    // Two by which the service was started, and the icon.
    assert_eq!(others, counts(&[("NOT_FOUND", 1), ("all requests", 3)]));
    assert!(seen["all requests"] == 25 && seen.len() > 12, "{seen:?}");
}

#[test]
fn an_alert_is_believed_if_it_is_signed_and_new() {
    // The example of the Standard Webhooks specification.
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let body = "{\"test\": 2432232314}";
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let at = |seconds: u64| Duration::from_secs(1_614_265_330 + seconds);
    assert!(is_signed(&key, &headers, body, at(300)));
    assert!(!is_signed(&key, &headers, body, at(301)));
    assert!(!is_signed(&key, &headers, "{}", at(0)));
    assert!(!is_signed(&key[1..], &headers, body, at(0)));
    assert!(!is_signed(&key, &HeaderMap::new(), body, at(0)));
}

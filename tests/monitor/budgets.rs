//! Error budgets: the rates of each window, when both of a pair burn, and what is left.

use error_monitor::Budget;
use serde_json::{Value, json};

use crate::ops::{DAY, HOUR, MINUTE, Served, TestClock, builder, requests};

/// The budgets' state, by name.
async fn budget(served: &Served, name: &str) -> Value {
    let all = served.get("budgets").await;
    let all = all["budgets"].as_array().unwrap();
    all.iter()
        .find(|budget| budget["name"] == name)
        .unwrap()
        .clone()
}

#[track_caller]
fn is_close(what: &str, found: &Value, wanted: f64) {
    let found = found.as_f64().unwrap();
    // Rates are told to six places.
    assert!(
        (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0),
        "{what}: {found} instead of {wanted}"
    );
}

const WINDOWS: [(&str, u64, u64, f64, &str); 4] = [
    ("1h/5m", HOUR, 5 * MINUTE, 14.4, "critical"),
    ("6h/30m", 6 * HOUR, 30 * MINUTE, 6.0, "critical"),
    ("1d/2h", DAY, 2 * HOUR, 3.0, "warning"),
    ("3d/6h", 3 * DAY, 6 * HOUR, 1.0, "warning"),
];

#[tokio::test]
async fn without_requests_nothing_burns() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let served = Served::start(builder(&folder, &clock).budget(Budget::new("all", 0.999))).await;
    let state = budget(&served, "all").await;
    assert_eq!(state["requests"], 0);
    assert_eq!(state["errors"], 0);
    assert_eq!(state["period_days"], 30);
    assert_eq!(state["exhausted_at"], Value::Null);
    is_close("left", &state["left"], 1.0);
    let burns = state["burns"].as_array().unwrap();
    assert_eq!(burns.len(), WINDOWS.len());
    for (burn, (name, _, _, threshold, severity)) in burns.iter().zip(WINDOWS) {
        assert_eq!(burn["windows"], name);
        assert_eq!(burn["severity"], severity);
        assert_eq!(burn["burning"], false);
        is_close(name, &burn["threshold"], threshold);
        is_close(name, &burn["long_rate"], 0.0);
        is_close(name, &burn["short_rate"], 0.0);
    }
}

/// One minute of requests in each ring between two windows' ends: every window holds another sum, so that a
/// window of a wrong length shows another rate.
#[tokio::test]
async fn each_window_sums_up_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let served = Served::start(builder(&folder, &clock).budget(Budget::new("all", 0.99))).await;
    let end = clock.millis() - clock.millis() % MINUTE + MINUTE;
    // The age of the ring's minute, so that it ends where the next window begins; requests, failures.
    let rings: [(u64, u64, u64); 9] = [
        (MINUTE, 1000, 1),
        (5 * MINUTE, 1000, 2),
        (30 * MINUTE, 1000, 4),
        (HOUR, 1000, 8),
        (2 * HOUR, 1000, 16),
        (6 * HOUR, 1000, 32),
        (DAY, 1000, 64),
        (3 * DAY, 1000, 128),
        (30 * DAY, 1000, 256),
    ];
    for (age, total, failed) in rings {
        requests(&served.monitor, end - age, "/x", total, failed).await;
        // The minute before the window begins belongs to the next larger alone.
    }
    // What is older than every window is in none.
    requests(&served.monitor, end - 30 * DAY - MINUTE, "/x", 7, 7).await;
    // What has yet to come is in none either.
    requests(&served.monitor, end, "/x", 9, 9).await;
    let rate = |length: u64| {
        let inside = rings.iter().filter(|(age, ..)| *age <= length);
        let (all, failed) = inside.fold((0_u32, 0_u32), |(all, failed), (_, total, bad)| {
            (
                all + u32::try_from(*total).unwrap(),
                failed + u32::try_from(*bad).unwrap(),
            )
        });
        f64::from(failed) / f64::from(all) / 0.01
    };
    let state = budget(&served, "all").await;
    assert_eq!(state["requests"], 9000);
    assert_eq!(state["errors"], 511);
    for (burn, (name, long, short, ..)) in state["burns"].as_array().unwrap().iter().zip(WINDOWS) {
        is_close(name, &burn["long_rate"], rate(long));
        is_close(name, &burn["short_rate"], rate(short));
    }
    is_close("left", &state["left"], 1.0 - rate(30 * DAY));
}

/// Just above and just below each threshold, in both windows of a pair alone and together.
#[tokio::test]
async fn a_pair_burns_when_both_windows_are_above_their_threshold() {
    for (place, (name, long, short, threshold, _)) in WINDOWS.into_iter().enumerate() {
        for (in_long, in_short) in [(true, true), (true, false), (false, true), (false, false)] {
            let folder = tempfile::tempdir().unwrap();
            let clock = TestClock::new();
            let budgets = builder(&folder, &clock).budget(Budget::new("all", 0.99));
            let served = Served::start(budgets).await;
            let end = clock.millis() - clock.millis() % MINUTE + MINUTE;
            // In parts of 100 000 requests, at an objective of 0.99: so many failures are the threshold.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small number"
            )]
            let limit = (threshold * 1000.0).round() as u64;
            let (total, above, below) = (100_000, limit + 10, limit - 10);
            let young = if in_short { above } else { below };
            requests(&served.monitor, end - MINUTE, "/x", total, young).await;
            // So much in the rest of the long window that all of it is where it should be.
            let rest = 2 * if in_long { above } else { below } - young;
            requests(&served.monitor, end - short - MINUTE, "/x", total, rest).await;
            let state = budget(&served, "all").await;
            let burn = &state["burns"][place];
            assert_eq!(burn["windows"], name);
            assert_eq!(
                burn["burning"],
                in_long && in_short,
                "{name} over {long} ms, {in_long} {in_short}: {burn}"
            );
            assert!(served.monitor.shutdown().await);
        }
    }
}

#[tokio::test]
async fn exactly_the_threshold_is_not_above_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    // An objective that no binary number is: 1 - 0.999 is not quite 0.001.
    let fine = Budget::new("fine", 0.999).route("/fine");
    let served = Served::start(
        builder(&folder, &clock)
            .budget(Budget::new("all", 0.5).route("/x"))
            .budget(fine),
    )
    .await;
    requests(&served.monitor, clock.millis(), "/x", 1000, 500).await;
    let state = budget(&served, "all").await;
    is_close("rate", &state["burns"][3]["long_rate"], 1.0);
    assert_eq!(state["burns"][3]["burning"], false);
    requests(&served.monitor, clock.millis(), "/x", 0, 1).await;
    assert_eq!(budget(&served, "all").await["burns"][3]["burning"], true);
    requests(&served.monitor, clock.millis(), "/fine", 1_000_000, 14_400).await;
    assert_eq!(budget(&served, "fine").await["burns"][0]["burning"], false);
    requests(&served.monitor, clock.millis(), "/fine", 0, 1).await;
    assert_eq!(budget(&served, "fine").await["burns"][0]["burning"], true);
}

#[tokio::test]
async fn few_requests_burn_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let budgets = builder(&folder, &clock)
        .budget(Budget::new("usual", 0.99))
        .budget(Budget::new("eager", 0.99).min_requests(10));
    let served = Served::start(budgets).await;
    let burning = async |name: &str| budget(&served, name).await["burns"][0]["burning"].clone();
    requests(&served.monitor, clock.millis(), "/x", 9, 9).await;
    assert_eq!(burning("eager").await, false);
    requests(&served.monitor, clock.millis(), "/x", 1, 1).await;
    assert_eq!(burning("eager").await, true);
    requests(&served.monitor, clock.millis(), "/x", 89, 89).await;
    assert_eq!(burning("usual").await, false);
    requests(&served.monitor, clock.millis(), "/x", 1, 1).await;
    assert_eq!(burning("usual").await, true);
    // The number needed is that of the longer window.
    clock.advance(6 * MINUTE);
    requests(&served.monitor, clock.millis(), "/x", 1, 1).await;
    assert_eq!(burning("usual").await, true);
}

#[tokio::test]
async fn a_budget_of_a_route_sees_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let budgets = builder(&folder, &clock)
        .budget(Budget::new("all", 0.9))
        .budget(Budget::new("checkout", 0.9).route("/checkout/{id}"))
        .budget(Budget::new("quiet", 0.9).route("/checkout"));
    let served = Served::start(budgets).await;
    requests(&served.monitor, clock.millis(), "/checkout/{id}", 300, 30).await;
    requests(&served.monitor, clock.millis(), "/other", 700, 0).await;
    for (name, total, failed, rate) in [
        ("all", 1000, 30, 0.3),
        ("checkout", 300, 30, 1.0),
        ("quiet", 0, 0, 0.0),
    ] {
        let state = budget(&served, name).await;
        assert_eq!(state["requests"], total, "{name}");
        assert_eq!(state["errors"], failed, "{name}");
        is_close(name, &state["burns"][0]["long_rate"], rate);
        is_close(name, &state["left"], 1.0 - rate);
    }
}

#[tokio::test]
async fn it_is_told_when_a_budget_will_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let served = Served::start(builder(&folder, &clock).budget(Budget::new("all", 0.5))).await;
    let end = clock.millis() - clock.millis() % MINUTE + MINUTE;
    let moment =
        |millis: u64| json!(error_runtime::time::Timestamp::from_unix_millis(millis).to_string());
    // Earlier in the period 14 000 without a failure; in the last day 1000, of which 750 failed: a rate of 1.5
    // in the day and of 0.1 in the period. Nine tenths at one and a half: 18 days.
    requests(&served.monitor, end - 10 * DAY, "/x", 14_000, 0).await;
    requests(&served.monitor, end - HOUR, "/x", 1000, 750).await;
    let state = budget(&served, "all").await;
    is_close("left", &state["left"], 0.9);
    assert_eq!(state["exhausted_at"], moment(end + 18 * DAY));
    // A day later there were no requests in the last day: it will last.
    clock.advance(2 * DAY);
    let state = budget(&served, "all").await;
    assert_eq!(state["exhausted_at"], Value::Null);
    is_close("left", &state["left"], 0.9);
    // Overspent: there is no more.
    let end = end + 2 * DAY;
    requests(&served.monitor, end - HOUR, "/x", 15_000, 15_000).await;
    let state = budget(&served, "all").await;
    is_close("left", &state["left"], 1.0 - 15_750.0 / 30_000.0 / 0.5);
    assert_eq!(state["exhausted_at"], moment(end));
    // After the period it is new.
    clock.advance(31 * DAY);
    let state = budget(&served, "all").await;
    assert_eq!(state["requests"], 0);
    is_close("left", &state["left"], 1.0);
}

/// The whole way: a layer counts requests of a router, and a budget reads them. The system's clock, since that
/// is the one by which they are counted.
#[tokio::test]
async fn the_layer_counts_for_budgets() {
    use axum::routing::get;
    use error_monitor::Monitor;
    use error_runtime::StatusCode;

    let folder = tempfile::tempdir().unwrap();
    let building = Monitor::builder()
        .sqlite(folder.path().join("errors.db"))
        .token(crate::ops::TOKEN)
        .budget(Budget::new("all", 0.9))
        .budget(Budget::new("bad", 0.9).route("/bad/{id}"));
    let served = Served::start(building).await;
    let app: axum::Router = axum::Router::new()
        .route("/good", get(|| async { "good" }))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/bad/{id}", get(|| async { StatusCode::BAD_GATEWAY }))
        .merge(served.monitor.router())
        .layer(served.monitor.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for path in [
        "good", "good", "good", "good", "good", "missing", "missing", "bad/1", "bad/2",
    ] {
        let url = format!("http://{address}/{path}");
        served.client.get(url).send().await.unwrap();
    }
    served
        .monitor
        .requests()
        .count("/bad/{id}", StatusCode::INTERNAL_SERVER_ERROR);
    assert!(served.monitor.flush().await);
    for (name, total, failed, rate) in [("all", 10, 3, 3.0), ("bad", 3, 3, 10.0)] {
        let state = budget(&served, name).await;
        assert_eq!(state["requests"], total, "{name}");
        assert_eq!(state["errors"], failed, "{name}");
        is_close(name, &state["burns"][0]["long_rate"], rate);
    }
}

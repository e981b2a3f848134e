//! What every store must do, asked of both: a file and a server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use error_monitor::Range;
use error_monitor::store::{
    Batch, CountDelta, CountQuery, CountRow, Document, ErrorStore, EventFilter, EventQuery,
    GroupBy, JournalEntry, JournalKind, JournalQuery, PatternQuery, PatternRow, PatternState,
    PostgresStore, RequestDelta, RequestQuery, RequestRow, Retention, Series, SqliteStore,
    StoreError, StoredEvent,
};
use error_runtime::time::Timestamp;
use serde_json::json;

use crate::postgres;
use crate::util::wait_for;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The begin of a day.
const START: u64 = 20_500 * DAY;

/// Where a store is; it may be opened several times, as several processes would.
pub(crate) struct Place {
    file: Option<tempfile::TempDir>,
    url: String,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self {
            file: Some(tempfile::tempdir().unwrap()),
            url: String::new(),
        }
    }

    pub(crate) fn postgres() -> Option<Self> {
        postgres::database().map(|url| Self { file: None, url })
    }

    fn path(&self) -> Option<std::path::PathBuf> {
        self.file
            .as_ref()
            .map(|folder| folder.path().join("errors.db"))
    }

    fn try_open(&self) -> Result<Arc<dyn ErrorStore>, StoreError> {
        Ok(match self.path() {
            Some(path) => Arc::new(SqliteStore::open(path)?),
            None => Arc::new(PostgresStore::new(&self.url)?),
        })
    }

    pub(crate) fn open(&self) -> Arc<dyn ErrorStore> {
        self.try_open().unwrap()
    }

    const fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Past the store, by hand. `@` stands for what tables are named with.
    fn sql(&self, statement: &str) -> String {
        let Some(path) = self.path() else {
            return postgres::sql(&self.url, &statement.replace('@', "error_monitor."));
        };
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        let statement = statement.replace('@', "");
        let mut statement = connection.prepare(&statement).unwrap();
        let mut rows = statement.raw_query();
        let mut said = String::new();
        while let Some(row) = rows.next().unwrap() {
            let value: rusqlite::types::Value = row.get(0).unwrap();
            match value {
                rusqlite::types::Value::Integer(number) => said.push_str(&number.to_string()),
                rusqlite::types::Value::Text(text) => said.push_str(&text),
                _ => {}
            }
        }
        said
    }

    fn number(&self, statement: &str) -> u64 {
        self.sql(statement).parse().unwrap_or(0)
    }
}

macro_rules! suite {
    ($($case:ident,)*) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(&super::Place::sqlite()).await;
                }
            )*
        }

        mod postgresql {
            $(
                #[tokio::test]
                async fn $case() {
                    if let Some(place) = super::Place::postgres() {
                        super::$case(&place).await;
                    }
                }
            )*
        }
    };
}

suite! {
    a_batch_is_applied_once,
    a_batch_is_applied_as_a_whole_or_not_at_all,
    counts_are_told_apart_by_all_that_they_can,
    whole_hours_and_minutes_agree,
    hours_answer_where_minutes_are_gone,
    hours_answer_where_all_minutes_are_gone,
    requests_are_counted_by_route_and_step,
    patterns_tell_since_when_and_how_often,
    patterns_are_resolved_and_come_back,
    a_pattern_learns_its_text_from_a_later_batch,
    pattern_details_name_routes_and_requests,
    events_are_paged_while_new_ones_come,
    events_of_two_instances_with_one_id_are_both_paged,
    events_are_filtered,
    a_rare_event_is_found_in_parts,
    the_journal_is_paged_by_kind_and_subject,
    entries_of_two_instances_with_one_id_are_both_paged,
    a_document_has_one_writer_for_each_version,
    one_instance_leads,
    what_is_too_old_goes,
    the_oldest_go_where_there_are_too_many,
    a_store_shrinks_to_its_limit_and_keeps_something,
    size_tells_events_and_bytes,
    texts_come_back_as_they_were,
    a_newer_schema_is_left_alone,
    stores_at_one_place_count_together,
    what_another_store_let_go_of_is_made_again,
    random_batches_agree_with_a_model,
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn range(from: u64, to: u64) -> Range {
    Range {
        from: at(from),
        to: at(to),
    }
}

fn everything() -> Range {
    range(START - 30 * DAY, START + 30 * DAY)
}

/// Any of so many series, all of them different in several ways.
fn series(number: usize) -> Arc<Series> {
    Arc::new(Series {
        fingerprint: format!("kind-{}", number % 7),
        domain: "calendar".to_owned(),
        code: format!("CODE_{}", number % 5),
        status: [400, 404, 500, 503][number % 4],
        route: format!("/route/{}/{{id}}", number % 3),
        service: ["", "google", "zoom"][number % 3].to_owned(),
        category: ["app", "security"][number % 2].to_owned(),
    })
}

fn batch(instance: &str, number: u64) -> Batch {
    Batch {
        instance: instance.into(),
        number,
        sealed: START,
        ..Batch::default()
    }
}

fn count(series: &Arc<Series>, minute: u64, count: u64) -> CountDelta {
    CountDelta {
        series: Arc::clone(series),
        minute,
        count,
        last: minute + 30_000,
    }
}

fn requests(route: &str, minute: u64, [total, client, server]: [u64; 3]) -> RequestDelta {
    RequestDelta {
        route: route.into(),
        minute,
        total,
        client_errors: client,
        server_errors: server,
    }
}

fn event(series: &Arc<Series>, time: u64, sequence: u64) -> StoredEvent {
    StoredEvent {
        id: StoredEvent::first_id(at(time)) + sequence,
        time,
        series: Arc::clone(series),
        level: "error".to_owned(),
        origin: "declared".to_owned(),
        message: format!("message {sequence}"),
        display: format!("display {sequence}"),
        chain: Vec::new(),
        details: None,
        backtrace: None,
        request_id: None,
        trace_id: None,
        method: None,
        user: None,
        operation: None,
        attempts: None,
    }
}

fn entry(kind: JournalKind, subject: &str, time: u64, sequence: u64) -> JournalEntry {
    JournalEntry {
        id: StoredEvent::first_id(at(time)) + sequence,
        kind,
        subject: subject.to_owned(),
        body: json!({ "number": sequence }),
    }
}

async fn write(store: &Arc<dyn ErrorStore>, batch: &Batch) {
    store.write(Arc::new(batch.clone())).await.unwrap();
}

async fn total(store: &Arc<dyn ErrorStore>, range: Range) -> u64 {
    let query = CountQuery {
        range,
        group_by: GroupBy::Code,
        step: None,
        filter: EventFilter::default(),
    };
    let rows = store.counts(&query).await.unwrap();
    rows.iter().map(|row| row.count).sum()
}

async fn patterns(store: &Arc<dyn ErrorStore>, range: Range) -> BTreeMap<String, PatternRow> {
    let query = PatternQuery {
        range,
        fingerprint: None,
        state: None,
    };
    let rows = store.patterns(&query).await.unwrap();
    rows.into_iter()
        .map(|row| (row.fingerprint.clone(), row))
        .collect()
}

/// All events that a question finds, page by page, and how many pages it took.
async fn all_events(store: &Arc<dyn ErrorStore>, query: &EventQuery) -> (Vec<StoredEvent>, usize) {
    let (mut found, mut pages, mut query) = (Vec::new(), 0, query.clone());
    loop {
        let page = store.events(&query).await.unwrap();
        assert!(page.events.len() <= query.limit);
        found.extend(page.events.into_iter().map(|(event, _)| event));
        pages += 1;
        assert!(pages < 5_000, "pages without an end");
        query.before = page.next;
        if page.next.is_none() {
            return (found, pages);
        }
    }
}

fn events_query(limit: usize) -> EventQuery {
    EventQuery {
        limit,
        ..EventQuery::default()
    }
}

async fn a_batch_is_applied_once(place: &Place) {
    let store = place.open();
    let kind = series(1);
    let full = |number| Batch {
        counts: vec![count(&kind, START, 3)],
        events: vec![event(&kind, START + 5, number)],
        requests: vec![requests("/a", START, [7, 2, 1])],
        journal: vec![entry(JournalKind::Audit, "s", START, number)],
        ..batch("one", number)
    };
    let all = || async {
        let query = RequestQuery {
            range: everything(),
            step: None,
            route: None,
            by_route: false,
        };
        let requests = store.requests(&query).await.unwrap();
        let patterns = patterns(&store, everything()).await;
        (
            total(&store, everything()).await,
            requests.first().map(|row| row.total),
            patterns.values().map(|row| row.total).sum::<u64>(),
            store.size().await.unwrap().events,
            place.number("SELECT count(*) FROM @journal"),
        )
    };
    for _ in 0..3 {
        write(&store, &full(1)).await;
        assert_eq!(all().await, (3, Some(7), 3, 1, 1));
    }
    write(&store, &full(2)).await;
    assert_eq!(all().await, (6, Some(14), 6, 2, 2));
    // An older one, and one that another connection sends.
    write(&store, &full(1)).await;
    write(&place.open(), &full(2)).await;
    assert_eq!(all().await, (6, Some(14), 6, 2, 2));
    // Numbers are each instance's own, and may have gaps.
    let other = Batch {
        instance: "two".into(),
        ..full(9)
    };
    write(&store, &other).await;
    assert_eq!(all().await, (9, Some(21), 9, 3, 3));
}

async fn a_batch_is_applied_as_a_whole_or_not_at_all(place: &Place) {
    let store = place.open();
    let kind = series(1);
    write(&store, &batch("before", 1)).await;
    let all = Batch {
        counts: vec![count(&kind, START, 3)],
        events: vec![event(&kind, START + 5, 1)],
        requests: vec![requests("/a", START, [7, 2, 1])],
        journal: vec![entry(JournalKind::Audit, "s", START, 1)],
        ..batch("one", 1)
    };
    let rows = || {
        ["minutes", "days", "request_minutes", "patterns", "events"]
            .map(|table| place.number(&format!("SELECT count(*) FROM @{table}")))
    };
    // What is written last fails.
    place.sql("ALTER TABLE @journal RENAME TO away");
    for _ in 0..2 {
        assert!(store.write(Arc::new(all.clone())).await.is_err());
        assert_eq!(rows(), [0; 5]);
        assert_eq!(
            place.number("SELECT count(*) FROM @writers WHERE instance = 'one'"),
            0
        );
    }
    place.sql("ALTER TABLE @away RENAME TO journal");
    write(&store, &all).await;
    assert_eq!(rows(), [1; 5]);
    assert_eq!(total(&store, everything()).await, 3);
    // What was learnt of series while it failed is not taken for true.
    write(
        &store,
        &Batch {
            counts: vec![count(&kind, START, 4)],
            ..batch("one", 2)
        },
    )
    .await;
    assert_eq!(total(&store, everything()).await, 7);
}

/// What was counted, in memory, and what a store should say of it.
#[derive(Default)]
struct Model {
    counts: Vec<(Arc<Series>, u64, u64)>,
    requests: Vec<RequestDelta>,
}

impl Model {
    fn note(&mut self, batch: &Batch) {
        for delta in &batch.counts {
            let series = Arc::clone(&delta.series);
            self.counts.push((series, delta.minute, delta.count));
        }
        self.requests.extend(batch.requests.iter().cloned());
    }

    fn counts(&self, query: &CountQuery) -> Vec<CountRow> {
        let (from, to) = (query.range.from.unix_millis(), query.range.to.unix_millis());
        let mut sums = BTreeMap::new();
        for (series, minute, count) in &self.counts {
            let filter = &query.filter;
            let passes = (from..to).contains(minute)
                && filter.code.as_ref().is_none_or(|code| *code == series.code)
                && filter.status.is_none_or(|status| status == series.status)
                && filter
                    .service
                    .as_ref()
                    .is_none_or(|name| *name == series.service)
                && filter
                    .category
                    .as_ref()
                    .is_none_or(|name| *name == series.category)
                && filter
                    .route
                    .as_ref()
                    .is_none_or(|route| *route == series.route)
                && filter
                    .fingerprint
                    .as_ref()
                    .is_none_or(|kind| *kind == series.fingerprint);
            if !passes {
                continue;
            }
            let key = match query.group_by {
                GroupBy::Code => series.code.clone(),
                GroupBy::Service => series.service.clone(),
                GroupBy::Status => series.status.to_string(),
                GroupBy::Route => series.route.clone(),
                GroupBy::Category => series.category.clone(),
                GroupBy::Fingerprint => series.fingerprint.clone(),
                _ => unreachable!("a new group"),
            };
            let start = query.step.map_or(from, |step| minute - minute % step);
            *sums.entry((key, start)).or_insert(0) += count;
        }
        sums.into_iter()
            .map(|((key, start), count): ((String, u64), u64)| CountRow {
                key: key.into(),
                start,
                count,
            })
            .collect()
    }

    fn requests(&self, query: &RequestQuery) -> Vec<RequestRow> {
        let (from, to) = (query.range.from.unix_millis(), query.range.to.unix_millis());
        let mut sums: BTreeMap<(String, u64), [u64; 3]> = BTreeMap::new();
        for delta in &self.requests {
            let is_wanted = query
                .route
                .as_deref()
                .is_none_or(|route| route == &*delta.route);
            if !is_wanted || !(from..to).contains(&delta.minute) {
                continue;
            }
            let route = if query.by_route {
                delta.route.to_string()
            } else {
                String::new()
            };
            let start = query
                .step
                .map_or(from, |step| delta.minute - delta.minute % step);
            let sum = sums.entry((route, start)).or_default();
            sum[0] += delta.total;
            sum[1] += delta.client_errors;
            sum[2] += delta.server_errors;
        }
        sums.into_iter()
            .map(
                |((route, start), [total, client_errors, server_errors])| RequestRow {
                    route,
                    start,
                    total,
                    client_errors,
                    server_errors,
                },
            )
            .collect()
    }
}

const GROUPS: [GroupBy; 6] = [
    GroupBy::Code,
    GroupBy::Service,
    GroupBy::Status,
    GroupBy::Route,
    GroupBy::Category,
    GroupBy::Fingerprint,
];
const STEPS: [Option<u64>; 6] = [
    None,
    Some(MINUTE),
    Some(5 * MINUTE),
    Some(HOUR),
    Some(6 * HOUR),
    Some(DAY),
];

async fn agree(store: &Arc<dyn ErrorStore>, model: &Model, query: &CountQuery) {
    let mut rows = store.counts(query).await.unwrap();
    rows.sort_unstable();
    assert_eq!(rows, model.counts(query), "{query:?}");
}

/// Some counts in several hours, on both sides of their borders.
async fn some_counts(store: &Arc<dyn ErrorStore>) -> Model {
    let mut model = Model::default();
    let minutes = [0, 1, 17, 59, 60, 61, 119, 120, 179, 180, 203, 1439, 1440];
    for (number, kind) in (0..24).map(|kind| (kind + 1, series(kind))) {
        let counts = minutes
            .iter()
            .filter(|minute| !(*minute + number as u64).is_multiple_of(3))
            .map(|minute| count(&kind, START + minute * MINUTE, number as u64 + minute));
        let batch = Batch {
            counts: counts.collect(),
            ..batch("some", number as u64)
        };
        model.note(&batch);
        write(store, &batch).await;
    }
    model
}

async fn counts_are_told_apart_by_all_that_they_can(place: &Place) {
    let store = place.open();
    let model = some_counts(&store).await;
    let none = EventFilter::default;
    let filters = [
        none(),
        EventFilter {
            code: Some("CODE_1".to_owned()),
            ..none()
        },
        EventFilter {
            status: Some(503),
            ..none()
        },
        EventFilter {
            service: Some("google".to_owned()),
            ..none()
        },
        EventFilter {
            service: Some(String::new()),
            ..none()
        },
        EventFilter {
            category: Some("security".to_owned()),
            ..none()
        },
        EventFilter {
            route: Some("/route/2/{id}".to_owned()),
            ..none()
        },
        EventFilter {
            fingerprint: Some("kind-3".to_owned()),
            ..none()
        },
        EventFilter {
            code: Some("CODE_1".to_owned()),
            status: Some(404),
            ..none()
        },
        EventFilter {
            code: Some("' OR 1=1 --".to_owned()),
            ..none()
        },
    ];
    for group_by in GROUPS {
        for step in STEPS {
            for filter in &filters {
                let query = CountQuery {
                    range: everything(),
                    group_by,
                    step,
                    filter: filter.clone(),
                };
                agree(&store, &model, &query).await;
            }
        }
    }
    // A range holds its first minute, and not its last.
    for (from, to) in [
        (0, 1),
        (0, 0),
        (1, 59),
        (1, 60),
        (59, 60),
        (60, 61),
        (59, 121),
        (1440, 1441),
        (2, 17),
    ] {
        for step in STEPS {
            let query = CountQuery {
                range: range(START + from * MINUTE, START + to * MINUTE),
                group_by: GroupBy::Code,
                step,
                filter: none(),
            };
            agree(&store, &model, &query).await;
        }
    }
}

async fn whole_hours_and_minutes_agree(place: &Place) {
    let store = place.open();
    let model = some_counts(&store).await;
    for (from, to) in [
        (0, 180),
        (17, 203),
        (59, 61),
        (1, 1439),
        (60, 1440),
        (0, 1441),
    ] {
        let range = range(START + from * MINUTE, START + to * MINUTE);
        let mut sums = BTreeSet::new();
        for step in STEPS {
            let query = CountQuery {
                range,
                group_by: GroupBy::Code,
                step,
                filter: EventFilter::default(),
            };
            agree(&store, &model, &query).await;
            let rows = store.counts(&query).await.unwrap();
            sums.insert(rows.iter().map(|row| row.count).sum::<u64>());
        }
        assert_eq!(sums.len(), 1, "{range:?}: {sums:?}");
    }
    let sums = ["minutes", "hours", "days"]
        .map(|table| place.number(&format!("SELECT sum(count) FROM @{table}")));
    assert_eq!([sums[1], sums[2]], [sums[0]; 2]);
}

async fn hours_answer_where_minutes_are_gone(place: &Place) {
    let store = place.open();
    let model = some_counts(&store).await;
    let mut retention = Retention::default();
    retention.minutes = DAY;
    // All minutes of the first day but those of its last three hours are too old.
    let now = START + DAY + 21 * HOUR + 10 * MINUTE;
    store.retain(&retention, at(now)).await.unwrap();
    assert!(place.number("SELECT count(*) FROM @minutes") > 0);
    for step in [None, Some(HOUR), Some(DAY)] {
        for (from, to) in [(0, 48), (1, 2), (0, 3), (20, 24), (23, 25)] {
            let query = CountQuery {
                range: range(START + from * HOUR, START + to * HOUR),
                group_by: GroupBy::Fingerprint,
                step,
                filter: EventFilter::default(),
            };
            agree(&store, &model, &query).await;
        }
    }
    // A part of an hour of which no minutes are left is answered with all of it.
    let part = total(&store, range(START + 10 * MINUTE, START + 20 * MINUTE)).await;
    assert_eq!(part, total(&store, range(START, START + HOUR)).await);
}

async fn hours_answer_where_all_minutes_are_gone(place: &Place) {
    let store = place.open();
    let model = some_counts(&store).await;
    let mut retention = Retention::default();
    retention.minutes = HOUR;
    let now = START + 3 * DAY;
    store.retain(&retention, at(now)).await.unwrap();
    assert_eq!(place.number("SELECT count(*) FROM @minutes"), 0);
    let whole = CountQuery {
        range: range(START, START + 2 * DAY),
        group_by: GroupBy::Code,
        step: None,
        filter: EventFilter::default(),
    };
    agree(&store, &model, &whole).await;
    // Not only whole hours: what is left of the others is rounded outwards, as elsewhere.
    let part = total(&store, range(START + 10 * MINUTE, START + 150 * MINUTE)).await;
    assert_eq!(part, total(&store, range(START, START + 3 * HOUR)).await);
}

async fn requests_are_counted_by_route_and_step(place: &Place) {
    let store = place.open();
    let mut model = Model::default();
    let routes = ["", "/a", "/a/{id}", "/<b>'\"%_"];
    for number in 1..40_u64 {
        let minutes = [0, 1, 59, 60, 119, 120, 1440];
        let minute = minutes[usize::try_from(number).unwrap() % minutes.len()];
        let route = routes[usize::try_from(number).unwrap() % routes.len()];
        let batch = Batch {
            requests: vec![
                requests(
                    route,
                    START + minute * MINUTE,
                    [number * 3, number, number % 3],
                ),
                requests("/both", START + minute * MINUTE, [1, 0, 1]),
            ],
            ..batch("one", number)
        };
        model.note(&batch);
        write(&store, &batch).await;
    }
    for step in STEPS {
        for by_route in [false, true] {
            for route in [
                None,
                Some(""),
                Some("/both"),
                Some("/<b>'\"%_"),
                Some("/none"),
            ] {
                for range in [everything(), range(START + MINUTE, START + HOUR + MINUTE)] {
                    let query = RequestQuery {
                        range,
                        step,
                        route: route.map(str::to_owned),
                        by_route,
                    };
                    let mut rows = store.requests(&query).await.unwrap();
                    rows.sort_unstable();
                    assert_eq!(rows, model.requests(&query), "{query:?}");
                }
            }
        }
    }
}

async fn patterns_tell_since_when_and_how_often(place: &Place) {
    let store = place.open();
    let kind = series(1);
    let mut sent = Vec::new();
    // Later ones first: a batch that waited elsewhere may come late.
    for (number, (minute, times)) in [(120, 5), (10, 3), (190, 7)].into_iter().enumerate() {
        let number = number as u64 + 1;
        let minute = START + minute * MINUTE;
        let mut full = event(&kind, minute + 10_000, number);
        full.message = format!("at {minute}");
        write(
            &store,
            &Batch {
                counts: vec![count(&kind, minute, times)],
                events: vec![full],
                ..batch("one", number)
            },
        )
        .await;
        sent.push(minute);
    }
    let row = patterns(&store, everything())
        .await
        .remove("kind-1")
        .unwrap();
    assert_eq!(row.first_seen, sent[1] + 10_000);
    assert_eq!(row.last_seen, sent[2] + 30_000);
    assert_eq!((row.total, row.count, row.previous), (15, 15, 0));
    assert_eq!(
        (&*row.code, &*row.domain, row.status),
        ("CODE_1", "calendar", 404)
    );
    assert_eq!((&*row.category, &*row.level), ("security", "error"));
    assert_eq!(row.message, format!("at {}", sent[2]));
    assert_eq!(
        (row.state, row.changed, row.regressed),
        (PatternState::Open, None, None)
    );
    // A range, and the one before it that is as long.
    let row = patterns(&store, range(START + 2 * HOUR, START + 4 * HOUR)).await;
    let row = &row["kind-1"];
    assert_eq!((row.total, row.count, row.previous), (15, 12, 3));
    assert!(
        patterns(&store, range(START + 20 * HOUR, START + 21 * HOUR))
            .await
            .is_empty()
    );
    let query = |fingerprint: &str| PatternQuery {
        range: everything(),
        fingerprint: Some(fingerprint.to_owned()),
        state: None,
    };
    assert_eq!(store.patterns(&query("kind-1")).await.unwrap().len(), 1);
    assert_eq!(store.patterns(&query("kind-2")).await.unwrap().len(), 0);
}

async fn patterns_are_resolved_and_come_back(place: &Place) {
    let store = place.open();
    let (kind, other) = (series(1), series(2));
    let mut number = 0;
    let mut meet = async |minute: u64| {
        number += 1;
        let counts = vec![
            count(&kind, START + minute * MINUTE, 1),
            count(&other, START, 1),
        ];
        write(
            &store,
            &Batch {
                counts,
                ..batch("one", number)
            },
        )
        .await;
    };
    let state = async |wanted: Option<PatternState>| {
        let query = PatternQuery {
            range: everything(),
            fingerprint: Some("kind-1".to_owned()),
            state: wanted,
        };
        let found = store.patterns(&query).await.unwrap();
        found
            .into_iter()
            .next()
            .map(|row| (row.state, row.changed, row.regressed))
    };
    let set = async |wanted, minute: u64| {
        let at = at(START + minute * MINUTE);
        store
            .set_pattern_state("kind-1", wanted, "me@example", at)
            .await
            .unwrap()
    };
    let by = |minute: u64| Some((START + minute * MINUTE, "me@example".to_owned()));
    assert!(!set(PatternState::Resolved, 1).await);
    meet(0).await;
    assert!(set(PatternState::Resolved, 5).await);
    assert_eq!(
        state(None).await,
        Some((PatternState::Resolved, by(5), None))
    );
    assert_eq!(state(Some(PatternState::Open)).await, None);
    assert!(state(Some(PatternState::Resolved)).await.is_some());
    // One from before it was resolved, which was late, is no relapse.
    meet(3).await;
    assert_eq!(
        state(None).await,
        Some((PatternState::Resolved, by(5), None))
    );
    meet(7).await;
    let relapse = Some(START + 7 * MINUTE + 30_000);
    assert_eq!(
        state(None).await,
        Some((PatternState::Open, by(5), relapse))
    );
    meet(9).await;
    assert_eq!(
        state(None).await,
        Some((PatternState::Open, by(5), relapse))
    );
    // What is ignored stays so.
    assert!(set(PatternState::Ignored, 10).await);
    meet(12).await;
    assert_eq!(
        state(None).await,
        Some((PatternState::Ignored, by(10), None))
    );
    assert!(set(PatternState::Open, 13).await);
    meet(14).await;
    assert_eq!(
        state(Some(PatternState::Open)).await,
        Some((PatternState::Open, by(13), None))
    );
    let others = patterns(&store, everything()).await;
    assert_eq!(others["kind-2"].state, PatternState::Open);
}

/// A failure is counted before it is queued: what is gathered in between comes in two batches.
async fn a_pattern_learns_its_text_from_a_later_batch(place: &Place) {
    let store = place.open();
    let kind = series(1);
    let counts = vec![count(&kind, START, 1)];
    write(
        &store,
        &Batch {
            counts,
            ..batch("one", 1)
        },
    )
    .await;
    let events = vec![event(&kind, START + 30_000, 1)];
    write(
        &store,
        &Batch {
            events,
            ..batch("one", 2)
        },
    )
    .await;
    let row = patterns(&store, everything())
        .await
        .remove("kind-1")
        .unwrap();
    assert_eq!(row.total, 1);
    assert_eq!(row.message, "message 1", "the kind has no text");
}

async fn pattern_details_name_routes_and_requests(place: &Place) {
    let store = place.open();
    let kinds: Vec<_> = ["/often", "/rare", "/as-rare"]
        .into_iter()
        .map(|route| {
            Arc::new(Series {
                route: route.to_owned(),
                ..(*series(1)).clone()
            })
        })
        .collect();
    let mut events = Vec::new();
    for number in 0..8 {
        let mut full = event(&kinds[0], START + number, number);
        full.request_id = (number != 6).then(|| format!("request-{number}"));
        events.push(full);
    }
    let counts = vec![
        count(&kinds[0], START, 8),
        count(&kinds[1], START, 2),
        count(&kinds[2], START, 2),
        count(&series(2), START, 99),
        count(&kinds[1], START + DAY, 50),
    ];
    write(
        &store,
        &Batch {
            counts,
            events,
            ..batch("one", 1)
        },
    )
    .await;
    let hour = range(START, START + HOUR);
    let asked = ["kind-1", "nobody", "kind-2"].map(str::to_owned);
    let details = store.pattern_details(&asked, hour).await.unwrap();
    let routes = |place: usize| {
        let rows = details[place].routes.iter();
        rows.map(|row| (&*row.route, row.count)).collect::<Vec<_>>()
    };
    assert_eq!(details.len(), 3);
    assert_eq!(routes(0), [("/often", 8), ("/as-rare", 2), ("/rare", 2)]);
    let last = [7, 5, 4, 3, 2].map(|number| format!("request-{number}"));
    assert_eq!(details[0].request_ids, last);
    assert!(routes(1).is_empty() && details[1].request_ids.is_empty());
    assert_eq!(routes(2), [("/route/2/{id}", 99)]);
    assert!(details[2].request_ids.is_empty());
    assert!(store.pattern_details(&[], hour).await.unwrap().is_empty());
}

async fn events_are_paged_while_new_ones_come(place: &Place) {
    let store = place.open();
    let kind = series(1);
    let mut next = 0;
    let mut add = async |many: u64| {
        let events = (next..next + many).map(|number| event(&kind, START + number / 3, number));
        let counts = vec![count(&kind, START, many)];
        let events = events.collect();
        write(
            &store,
            &Batch {
                counts,
                events,
                ..batch("one", next + 1)
            },
        )
        .await;
        next += many;
    };
    add(250).await;
    let mut query = events_query(7);
    let mut seen = Vec::new();
    loop {
        let page = store.events(&query).await.unwrap();
        assert!(page.events.iter().all(|(_, instance)| instance == "one"));
        seen.extend(page.events.iter().map(|(event, _)| event.message.clone()));
        add(5).await;
        query.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    let all: Vec<_> = (0..250)
        .rev()
        .map(|number| format!("message {number}"))
        .collect();
    assert_eq!(seen, all);
    // A page that holds exactly what there is.
    let (found, _) = all_events(&store, &events_query(usize::try_from(next).unwrap())).await;
    assert_eq!(found.len() as u64, next);
}

async fn events_of_two_instances_with_one_id_are_both_paged(place: &Place) {
    let store = place.open();
    let kind = series(1);
    for instance in ["one", "two", "three"] {
        let events = (0..10).map(|number| event(&kind, START, number)).collect();
        let counts = vec![count(&kind, START, 10)];
        write(
            &store,
            &Batch {
                counts,
                events,
                ..batch(instance, 1)
            },
        )
        .await;
    }
    for limit in [1, 2, 4, 7, 29, 30, 31] {
        let (found, _) = all_events(&store, &events_query(limit)).await;
        assert_eq!(found.len(), 30, "pages of {limit}");
    }
}

type Passes = Box<dyn Fn(&StoredEvent) -> bool>;

#[expect(clippy::too_many_lines, reason = "a list of questions")]
async fn events_are_filtered(place: &Place) {
    let store = place.open();
    let mut all = Vec::new();
    let mut counts = Vec::new();
    for number in 0..120_u64 {
        let kind = series(usize::try_from(number).unwrap());
        counts.push(count(&kind, START, 1));
        let mut full = event(&kind, START + number * MINUTE, number);
        full.request_id = (number % 4 == 0).then(|| format!("request-{}", number % 8));
        full.user = (number % 5 == 0).then(|| format!("user-{}", number % 10));
        full.trace_id = Some(format!("trace-{number}"));
        full.method = Some("PATCH".to_owned());
        full.operation = Some("sync".to_owned());
        full.attempts = Some(3);
        if number % 7 == 0 {
            full.message = format!("{number}_message");
            full.display = format!("100% of {number}");
        }
        full.chain = vec!["one".to_owned(), "two".to_owned()];
        full.details = Some(r#"{"id":7}"#.to_owned());
        full.backtrace = Some("at main".to_owned());
        all.push(full);
    }
    let events = all.clone();
    write(
        &store,
        &Batch {
            counts,
            events,
            ..batch("one", 1)
        },
    )
    .await;
    let filter = |change: &dyn Fn(&mut EventFilter)| {
        let mut query = events_query(9);
        change(&mut query.filter);
        query
    };
    let text = |text: &str| EventQuery {
        text: Some(text.to_owned()),
        ..events_query(9)
    };
    let cases: Vec<(EventQuery, Passes)> = vec![
        (events_query(9), Box::new(|_| true)),
        (
            filter(&|filter| filter.code = Some("CODE_2".to_owned())),
            Box::new(|event| event.series.code == "CODE_2"),
        ),
        (
            filter(&|filter| filter.status = Some(503)),
            Box::new(|event| event.series.status == 503),
        ),
        (
            filter(&|filter| filter.service = Some("zoom".to_owned())),
            Box::new(|event| event.series.service == "zoom"),
        ),
        (
            filter(&|filter| filter.category = Some("app".to_owned())),
            Box::new(|event| event.series.category == "app"),
        ),
        (
            filter(&|filter| filter.route = Some("/route/1/{id}".to_owned())),
            Box::new(|event| event.series.route == "/route/1/{id}"),
        ),
        (
            filter(&|filter| filter.fingerprint = Some("kind-4".to_owned())),
            Box::new(|event| event.series.fingerprint == "kind-4"),
        ),
        (
            filter(&|filter| {
                filter.fingerprint = Some("kind-4".to_owned());
                filter.status = Some(400);
            }),
            Box::new(|event| event.series.fingerprint == "kind-4" && event.series.status == 400),
        ),
        (
            EventQuery {
                request_id: Some("request-4".to_owned()),
                ..events_query(9)
            },
            Box::new(|event| event.request_id.as_deref() == Some("request-4")),
        ),
        (
            EventQuery {
                user: Some("user-5".to_owned()),
                ..events_query(9)
            },
            Box::new(|event| event.user.as_deref() == Some("user-5")),
        ),
        (
            EventQuery {
                user: Some("user-0".to_owned()),
                request_id: Some("request-0".to_owned()),
                ..filter(&|filter| filter.category = Some("app".to_owned()))
            },
            Box::new(|event| {
                event.user.as_deref() == Some("user-0")
                    && event.request_id.as_deref() == Some("request-0")
                    && event.series.category == "app"
            }),
        ),
        (
            EventQuery {
                range: Some(range(START + 10 * MINUTE, START + 20 * MINUTE)),
                ..events_query(9)
            },
            Box::new(|event| (START + 10 * MINUTE..START + 20 * MINUTE).contains(&event.time)),
        ),
        (
            EventQuery {
                range: Some(range(START + 10 * MINUTE, START + 90 * MINUTE)),
                ..filter(&|filter| filter.status = Some(404))
            },
            Box::new(|event| {
                (START + 10 * MINUTE..START + 90 * MINUTE).contains(&event.time)
                    && event.series.status == 404
            }),
        ),
        (
            text("REQUEST-4"),
            Box::new(|event| event.request_id.as_deref() == Some("request-4")),
        ),
        (
            text("ser-5"),
            Box::new(|event| event.user.as_deref() == Some("user-5")),
        ),
        (
            text("code_2"),
            Box::new(|event| event.series.code.contains("CODE_2")),
        ),
        (
            text("/Route/1/{"),
            Box::new(|event| event.series.route == "/route/1/{id}"),
        ),
        (
            text("_MESSAGE"),
            Box::new(|event| event.message.ends_with("_message")),
        ),
        (
            text("100% of"),
            Box::new(|event| event.display.starts_with("100% of")),
        ),
        // No wildcards, no other columns, and nothing that is put together of two.
        (text("1_0% of"), Box::new(|_| false)),
        (text("%"), Box::new(|event| event.display.contains('%'))),
        (text("trace-7"), Box::new(|_| false)),
        (text("' OR '1'='1"), Box::new(|_| false)),
        (text("_message100%"), Box::new(|_| false)),
        (
            EventQuery {
                text: Some("user-0".to_owned()),
                ..filter(&|filter| filter.status = Some(404))
            },
            Box::new(|event| event.user.as_deref() == Some("user-0") && event.series.status == 404),
        ),
        (
            EventQuery {
                user: Some("' OR '1'='1".to_owned()),
                ..events_query(9)
            },
            Box::new(|_| false),
        ),
    ];
    for (query, passes) in cases {
        let (found, _) = all_events(&store, &query).await;
        let expected: Vec<_> = all
            .iter()
            .rev()
            .filter(|event| passes(event))
            .cloned()
            .collect();
        assert_eq!(found, expected, "{query:?}");
    }
}

async fn a_rare_event_is_found_in_parts(place: &Place) {
    let store = place.open();
    let (often, rare) = (series(1), series(2));
    let rare_ones = [0_u64, 100, 30_000, 44_999];
    for part in 0..45_u64 {
        let events = (part * 1000..(part + 1) * 1000).map(|number| {
            let kind = if rare_ones.contains(&number) {
                &rare
            } else {
                &often
            };
            event(kind, START + number, number)
        });
        let counts = vec![count(&often, START, 1000), count(&rare, START, 1)];
        let events = events.collect();
        write(
            &store,
            &Batch {
                counts,
                events,
                ..batch("one", part + 1)
            },
        )
        .await;
    }
    let mut query = events_query(10);
    query.filter.code = Some("CODE_2".to_owned());
    let (found, pages) = all_events(&store, &query).await;
    let found: Vec<_> = found.iter().map(|event| event.time - START).collect();
    assert_eq!(found, [44_999, 30_000, 100, 0]);
    assert!((3..=4).contains(&pages), "{pages} pages");
    query.filter.code = Some("NOBODY".to_owned());
    let (found, pages) = all_events(&store, &query).await;
    assert!(
        found.is_empty() && (3..=4).contains(&pages),
        "{pages} pages"
    );
    // With an index there is nothing to look through.
    query.filter = EventFilter {
        fingerprint: Some("kind-2".to_owned()),
        ..EventFilter::default()
    };
    let (found, pages) = all_events(&store, &query).await;
    assert_eq!((found.len(), pages), (4, 1));
}

async fn the_journal_is_paged_by_kind_and_subject(place: &Place) {
    let store = place.open();
    let mut journal = Vec::new();
    for number in 0..60 {
        let subject = ["google", "zoom"][usize::try_from(number % 2).unwrap()];
        journal.push(entry(JournalKind::Breaker, subject, START + number, number));
        journal.push(entry(JournalKind::Audit, subject, START + number, number));
    }
    write(
        &store,
        &Batch {
            journal,
            ..batch("one", 1)
        },
    )
    .await;
    for subject in [None, Some("google"), Some("nobody")] {
        for limit in [1, 7, 30, 60, 100] {
            let mut query = JournalQuery {
                kind: JournalKind::Breaker,
                subject: subject.map(str::to_owned),
                before: None,
                limit,
            };
            let mut seen = Vec::new();
            loop {
                let page = store.journal(&query).await.unwrap();
                assert!(page.entries.len() <= limit);
                for (entry, instance) in page.entries {
                    assert_eq!((entry.kind, &*instance), (JournalKind::Breaker, "one"));
                    assert!(subject.is_none_or(|subject| subject == entry.subject));
                    seen.push(entry.body["number"].as_u64().unwrap());
                }
                query.before = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            let wanted = (0..60_u64).rev().filter(|number| match subject {
                None => true,
                Some("google") => number % 2 == 0,
                Some(_) => false,
            });
            assert_eq!(seen, wanted.collect::<Vec<_>>());
        }
    }
}

async fn entries_of_two_instances_with_one_id_are_both_paged(place: &Place) {
    let store = place.open();
    for instance in ["one", "two", "three"] {
        let journal = (0..5).map(|number| entry(JournalKind::Health, "s", START, number));
        let journal = journal.collect();
        write(
            &store,
            &Batch {
                journal,
                ..batch(instance, 1)
            },
        )
        .await;
    }
    for limit in [1, 2, 4, 14, 15] {
        let mut query = JournalQuery {
            kind: JournalKind::Health,
            subject: None,
            before: None,
            limit,
        };
        let mut seen = 0;
        loop {
            let page = store.journal(&query).await.unwrap();
            seen += page.entries.len();
            query.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(seen, 15, "pages of {limit}");
    }
}

async fn a_document_has_one_writer_for_each_version(place: &Place) {
    let stores = [place.open(), place.open()];
    let document = |id: &str, version, who: usize| Document {
        id: id.to_owned(),
        version,
        updated: START + version,
        body: json!({ "who": who, "text": "\"<b>'\u{1f4a5}", "nul": "\0" }),
    };
    assert_eq!(
        stores[0]
            .put_document("rule", &document("a", 3, 0))
            .await
            .unwrap(),
        None
    );
    for version in 0..25 {
        let documents = [document("a", version, 0), document("a", version, 1)];
        let (one, two) = tokio::join!(
            stores[0].put_document("rule", &documents[0]),
            stores[1].put_document("rule", &documents[1])
        );
        let written = [one.unwrap(), two.unwrap()];
        let winner = usize::from(written[0].is_none());
        assert_eq!(written[winner], Some(version + 1));
        assert_eq!(
            written[1 - winner],
            None,
            "two have written version {version}"
        );
        let found = stores[1 - winner].documents("rule").await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].version, version + 1);
        assert_eq!(found[0].updated, START + version);
        assert_eq!(found[0].body, documents[winner].body);
    }
    stores[0]
        .put_document("rule", &document("b", 0, 0))
        .await
        .unwrap();
    stores[0]
        .put_document("silence", &document("a", 0, 0))
        .await
        .unwrap();
    let ids = |found: Vec<Document>| found.into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(stores[1].documents("rule").await.unwrap()), ["a", "b"]);
    assert!(stores[1].delete_document("rule", "a").await.unwrap());
    assert!(!stores[0].delete_document("rule", "a").await.unwrap());
    assert_eq!(ids(stores[0].documents("rule").await.unwrap()), ["b"]);
    assert_eq!(ids(stores[0].documents("silence").await.unwrap()), ["a"]);
    // One that is gone begins anew.
    assert_eq!(
        stores[0]
            .put_document("rule", &document("a", 25, 0))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        stores[0]
            .put_document("rule", &document("a", 0, 0))
            .await
            .unwrap(),
        Some(1)
    );
}

async fn one_instance_leads(place: &Place) {
    let stores = [place.open(), place.open()];
    let lease = Duration::from_secs(30);
    let lead = async |who: usize, seconds: u64| {
        let name = ["one", "two"][who];
        stores[who]
            .lead(name, lease, at(START + seconds * 1000))
            .await
            .unwrap()
    };
    for round in 0..20 {
        assert!(lead(0, round).await);
        assert!(!lead(1, round).await, "two lead at once");
    }
    if place.is_file() {
        // The last time it was said at 19 s.
        assert!(!lead(1, 48).await);
        assert!(lead(1, 49).await);
        assert!(!lead(0, 50).await);
        assert!(lead(0, 79).await);
        return;
    }
    stores[0].close().await.unwrap();
    wait_for("the other to lead", async || lead(1, 20).await).await;
    let third = place.open();
    assert!(
        !third
            .lead("three", lease, at(START + 1000 * HOUR))
            .await
            .unwrap()
    );
}

async fn what_is_too_old_goes(place: &Place) {
    let store = place.open();
    let kinds = [series(1), series(2)];
    for day in 0..40_u64 {
        let time = START - day * DAY;
        let kind = &kinds[usize::from(day > 20)];
        let full = Batch {
            counts: vec![count(kind, time, 1)],
            events: vec![event(kind, time + 5, day)],
            requests: vec![requests("/a", time, [1, 0, 0])],
            journal: vec![
                entry(JournalKind::Audit, "s", time, day),
                entry(JournalKind::Breaker, "s", time, day),
            ],
            ..batch("one", day + 1)
        };
        write(&store, &full).await;
    }
    let rows = |table: &str| place.number(&format!("SELECT count(*) FROM @{table}"));
    let mut retention = Retention::default();
    retention.events = 10 * DAY;
    retention.minutes = 5 * DAY;
    retention.hours = 15 * DAY;
    retention.journal = 7 * DAY;
    retention.audit = 30 * DAY;
    let gone = store.retain(&retention, at(START + HOUR)).await.unwrap();
    // Whole days go, or whole hours: one that is as old as the limit may stay.
    let events = rows("events");
    assert!((10..=11).contains(&events), "{events} events");
    assert_eq!(gone.events, 40 - events);
    assert_eq!([rows("minutes"), rows("request_minutes")], [5; 2]);
    assert_eq!([rows("hours"), rows("request_hours")], [15; 2]);
    // The day that the limit is in is whole.
    assert_eq!([rows("days"), rows("request_days")], [16; 2]);
    let count_of = |kind: &str| {
        let sql = format!("SELECT count(*) FROM @journal WHERE kind = '{kind}'");
        place.number(&sql)
    };
    assert_eq!((count_of("breaker"), count_of("audit")), (7, 30));
    assert_eq!(gone.journal, 33 + 10);
    assert_eq!(gone.counts, 2 * (35 + 25 + 24));
    // A kind that is gone from the counts is gone.
    assert_eq!(rows("patterns"), 1);
    assert_eq!(
        total(&store, range(START - 60 * DAY, START + DAY)).await,
        16
    );
    let again = store.retain(&retention, at(START + HOUR)).await.unwrap();
    assert_eq!((again.events, again.counts, again.journal), (0, 0, 0));
    // Not yet begun again: an old batch is still known.
    write(
        &store,
        &Batch {
            counts: vec![count(&kinds[0], START, 9)],
            ..batch("one", 40)
        },
    )
    .await;
    assert_eq!(
        total(&store, range(START - 60 * DAY, START + DAY)).await,
        16
    );
}

/// Fills a store with the failures of some hours of one day.
async fn fill(store: &Arc<dyn ErrorStore>, many: u64, text: usize) {
    let kind = series(1);
    for part in 0..many / 1000 {
        let events = (part * 1000..(part + 1) * 1000).map(|number| {
            let mut full = event(&kind, START + number * 1000, number);
            full.backtrace = Some((0..text).map(|_| fastrand::alphanumeric()).collect());
            full
        });
        let counts = vec![count(&kind, START, 1000)];
        let events = events.collect();
        write(
            store,
            &Batch {
                counts,
                events,
                ..batch("fill", part + 1)
            },
        )
        .await;
    }
}

async fn the_oldest_go_where_there_are_too_many(place: &Place) {
    let store = place.open();
    fill(&store, 14_000, 0).await;
    let mut retention = Retention::default();
    retention.max_events = 1_500;
    let now = at(START + 14 * HOUR);
    let gone = store.retain(&retention, now).await.unwrap();
    let size = store.size().await.unwrap();
    assert_eq!((gone.events, size.events), (12_500, 1_500));
    let (found, _) = all_events(&store, &events_query(500)).await;
    let found: Vec<_> = found
        .iter()
        .map(|event| (event.time - START) / 1000)
        .collect();
    assert_eq!(found, (12_500..14_000).rev().collect::<Vec<_>>());
    // Numbers stay: only texts are too many.
    assert_eq!(total(&store, everything()).await, 14_000);
    assert_eq!(store.retain(&retention, now).await.unwrap().events, 0);
}

async fn a_store_shrinks_to_its_limit_and_keeps_something(place: &Place) {
    let store = place.open();
    fill(&store, 10_000, 1500).await;
    let before = store.size().await.unwrap();
    let mut retention = Retention::default();
    retention.max_bytes = before.bytes / 10 * 7;
    // It is called once a minute, and may take its time.
    for _ in 0..40 {
        store
            .retain(&retention, at(START + 12 * HOUR))
            .await
            .unwrap();
    }
    let after = store.size().await.unwrap();
    println!("{before:?} {after:?}");
    assert!(after.events < 9_000, "nothing went: {after:?}");
    assert!(
        after.events > 4_000,
        "more than was too much went: {before:?} {after:?}"
    );
    assert_eq!(total(&store, everything()).await, 10_000);
}

async fn size_tells_events_and_bytes(place: &Place) {
    let store = place.open();
    store.ping().await.unwrap();
    let empty = store.size().await.unwrap();
    assert_eq!(empty.events, 0);
    fill(&store, 2_000, 1000).await;
    let full = store.size().await.unwrap();
    assert_eq!(full.events, 2_000);
    assert!(full.bytes > empty.bytes + 2_000_000, "{empty:?} {full:?}");
}

async fn texts_come_back_as_they_were(place: &Place) {
    let store = place.open();
    let texts = [
        String::new(),
        "<script>alert('x')</script>".to_owned(),
        "\u{1b}[31mred\u{1b}[0m \u{7}".to_owned(),
        "it's \"quoted\" \\ back \\u0000 $1 %s ?1".to_owned(),
        "line\r\nline\ttab\u{2028}".to_owned(),
        "\u{1f469}\u{200d}\u{1f692} \u{10ffff} e\u{301} \u{202e}".to_owned(),
        "\u{1}\u{1f}\u{7f}\u{fffd}".to_owned(),
        "z\u{e4}".repeat(400_000),
    ];
    let mut expected = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let number = number as u64;
        let short: String = text.chars().take(60).collect();
        let kind = Arc::new(Series {
            fingerprint: format!("{number}{short}"),
            domain: short.clone(),
            code: short.clone(),
            status: 500,
            route: short.clone(),
            service: short.clone(),
            category: short.clone(),
        });
        let some = Some(short.clone());
        let full = StoredEvent {
            message: text.clone(),
            display: text.clone(),
            chain: vec![text.clone(), short.clone()],
            details: Some(json!({ "text": text }).to_string()),
            backtrace: Some(text.clone()),
            request_id: some.clone(),
            trace_id: some.clone(),
            method: some.clone(),
            user: some.clone(),
            operation: some,
            attempts: Some(u32::MAX),
            ..event(&kind, START + number, number)
        };
        let mut noted = entry(JournalKind::Audit, &short, START, number);
        noted.body = json!({ "text": text, short.clone(): [null, 1.5, true] });
        let full = Batch {
            counts: vec![count(&kind, START, 1)],
            requests: vec![requests(&short, START, [1, 0, 0])],
            journal: vec![noted.clone()],
            events: vec![full],
            ..batch(&format!("one{short}"), number + 1)
        };
        write(&store, &full).await;
        let query = EventQuery {
            user: Some(short.clone()),
            filter: EventFilter {
                code: Some(short.clone()),
                route: Some(short.clone()),
                ..EventFilter::default()
            },
            ..events_query(10)
        };
        let page = store.events(&query).await.unwrap();
        assert_eq!(page.events.len(), 1, "{short:?}");
        assert_eq!(page.events[0].0, full.events[0]);
        assert_eq!(page.events[0].1, *full.instance);
        let query = JournalQuery {
            kind: JournalKind::Audit,
            subject: Some(short.clone()),
            before: None,
            limit: 5,
        };
        let page = store.journal(&query).await.unwrap();
        assert_eq!(page.entries[0].0, noted);
        let row = &patterns(&store, everything()).await[&kind.fingerprint];
        assert_eq!(
            (&row.message, &row.display, &row.code),
            (text, text, &short)
        );
        expected.push(short);
    }
    let query = CountQuery {
        range: everything(),
        group_by: GroupBy::Route,
        step: None,
        filter: EventFilter::default(),
    };
    let rows = store.counts(&query).await.unwrap();
    let keys: BTreeSet<_> = rows.iter().map(|row| row.key.to_string()).collect();
    assert_eq!(keys, expected.into_iter().collect());
}

async fn a_newer_schema_is_left_alone(place: &Place) {
    let store = place.open();
    write(
        &store,
        &Batch {
            counts: vec![count(&series(1), START, 3)],
            ..batch("one", 1)
        },
    )
    .await;
    store.close().await.unwrap();
    if place.is_file() {
        place.sql("PRAGMA user_version = 7000");
        assert!(matches!(
            place.try_open().map(|_| ()),
            Err(StoreError::Newer {
                found: 7000,
                known: 1
            })
        ));
    } else {
        place.sql("UPDATE @version SET version = 7000");
        let store = place.open();
        let batch = Arc::new(batch("one", 2));
        for error in [store.ping().await, store.write(batch).await] {
            assert!(matches!(
                error,
                Err(StoreError::Newer {
                    found: 7000,
                    known: 1
                })
            ));
        }
    }
    let built = error_monitor::Monitor::builder();
    let folder = tempfile::tempdir().unwrap();
    let built = match place.path() {
        Some(path) => built.sqlite(path).build().await,
        None => {
            built
                .postgres(&place.url)
                .spool(folder.path().join("spool.db"))
                .build()
                .await
        }
    };
    assert!(matches!(
        built.map(|_| ()),
        Err(error_monitor::BuildError::Store(StoreError::Newer { .. }))
    ));
    assert_eq!(place.number("SELECT sum(count) FROM @minutes"), 3);
}

async fn stores_at_one_place_count_together(place: &Place) {
    let mut tasks = Vec::new();
    for instance in 0..4 {
        let store = place.open();
        tasks.push(tokio::spawn(async move {
            for number in 1..=20_u64 {
                // Each in another order: whoever waits for another in a circle would be seen.
                let mut kinds: Vec<_> = (0..12).map(series).collect();
                fastrand::Rng::with_seed(instance * 100 + number).shuffle(&mut kinds);
                let full = Arc::new(Batch {
                    counts: kinds
                        .iter()
                        .map(|kind| count(kind, START + number * MINUTE, 2))
                        .collect(),
                    events: (0..12)
                        .map(|at| event(&kinds[at], START + number, instance * 100 + at as u64))
                        .collect(),
                    requests: vec![
                        requests("/a", START, [3, 2, 1]),
                        requests("/b", START, [1, 0, 0]),
                    ],
                    ..batch(&format!("instance-{instance}"), number)
                });
                // Busy is no mistake; the pump tries again too.
                while let Err(error) = store.write(Arc::clone(&full)).await {
                    assert!(error.is_passing(), "{error}");
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let store = place.open();
    assert_eq!(total(&store, everything()).await, 4 * 20 * 12 * 2);
    assert_eq!(store.size().await.unwrap().events, 4 * 20 * 12);
    let patterns = patterns(&store, everything()).await;
    assert_eq!(
        patterns.values().map(|row| row.total).sum::<u64>(),
        4 * 20 * 12 * 2
    );
    assert_eq!(
        place.number("SELECT sum(total) FROM @request_minutes"),
        4 * 20 * 4
    );
    assert_eq!(place.number("SELECT count(*) FROM @series"), 12);
}

/// Retention is any instance's, and the others have numbers and days in mind that are gone then.
async fn what_another_store_let_go_of_is_made_again(place: &Place) {
    let stores = [place.open(), place.open()];
    let kind = series(1);
    let full = |number: u64| Batch {
        counts: vec![count(&kind, START, 5)],
        events: vec![event(&kind, START + 5, number)],
        ..batch("one", number)
    };
    write(&stores[0], &full(1)).await;
    assert_eq!(total(&stores[0], everything()).await, 5);
    let mut retention = Retention::default();
    (retention.events, retention.hours, retention.minutes) = (DAY, DAY, DAY);
    stores[1]
        .retain(&retention, at(START + 9 * DAY))
        .await
        .unwrap();
    assert_eq!(total(&stores[1], everything()).await, 0);
    // Another kind comes to have the number that the first one had.
    let counts = vec![count(&series(2), START, 1)];
    write(
        &stores[1],
        &Batch {
            counts,
            ..batch("two", 1)
        },
    )
    .await;
    let full = Arc::new(full(2));
    wait_for("a batch that waited for long", async || {
        match stores[0].write(Arc::clone(&full)).await {
            Ok(()) => true,
            Err(error) => {
                // Anything else is given up, with all that is in it.
                assert!(error.is_passing(), "{error}");
                false
            }
        }
    })
    .await;
    let found = patterns(&stores[1], everything()).await;
    let found: Vec<_> = found
        .values()
        .map(|row| (&*row.fingerprint, row.count))
        .collect();
    assert_eq!(found, [("kind-1", 5), ("kind-2", 1)]);
    assert_eq!(stores[1].size().await.unwrap().events, 1);
}

async fn random_batches_agree_with_a_model(place: &Place) {
    for seed in [1, 2, 3] {
        let rng = &mut fastrand::Rng::with_seed(seed);
        let place = if place.is_file() {
            Place::sqlite()
        } else {
            Place::postgres().expect("it was there before")
        };
        let store = place.open();
        let mut model = Model::default();
        let mut totals: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
        let mut sent: Vec<Batch> = Vec::new();
        let mut numbers = [0_u64; 3];
        for _ in 0..80 {
            if !sent.is_empty() && rng.u8(..4) == 0 {
                // Once more, from whenever.
                write(&store, &sent[rng.usize(..sent.len())]).await;
                continue;
            }
            let instance = rng.usize(..3);
            numbers[instance] += rng.u64(1..3);
            let minute = |rng: &mut fastrand::Rng| START + rng.u64(..4 * 60) * MINUTE;
            let counts = (0..rng.usize(..12)).map(|_| {
                let minute = minute(rng);
                CountDelta {
                    series: series(rng.usize(..30)),
                    minute,
                    count: rng.u64(1..1000),
                    last: minute + rng.u64(..MINUTE),
                }
            });
            let counts = counts.collect();
            let full = Batch {
                counts,
                requests: (0..rng.usize(..6))
                    .map(|_| {
                        let route = ["", "/a", "/b/{id}"][rng.usize(..3)];
                        let classes = [rng.u64(5..99), rng.u64(..5), rng.u64(..5)];
                        requests(route, minute(rng), classes)
                    })
                    .collect(),
                ..batch(&format!("instance-{instance}"), numbers[instance])
            };
            for delta in &full.counts {
                let known = totals.entry(delta.series.fingerprint.clone());
                let known = known.or_insert((u64::MAX, 0, 0));
                known.0 = known.0.min(delta.last);
                known.1 = known.1.max(delta.last);
                known.2 += delta.count;
            }
            model.note(&full);
            write(&store, &full).await;
            sent.push(full);
        }
        for _ in 0..60 {
            let from = START + rng.u64(..250) * MINUTE;
            let range = range(from, from + rng.u64(..250) * MINUTE);
            let step = STEPS[rng.usize(..STEPS.len())];
            let filter = EventFilter {
                status: (rng.bool()).then_some([400, 404, 500, 503][rng.usize(..4)]),
                ..EventFilter::default()
            };
            let group_by = GROUPS[rng.usize(..6)];
            let query = CountQuery {
                range,
                group_by,
                step,
                filter,
            };
            agree(&store, &model, &query).await;
            let query = RequestQuery {
                range,
                step,
                route: rng.bool().then(|| "/a".to_owned()),
                by_route: rng.bool(),
            };
            let mut rows = store.requests(&query).await.unwrap();
            rows.sort_unstable();
            assert_eq!(rows, model.requests(&query), "seed {seed}: {query:?}");
        }
        let found = patterns(&store, everything()).await;
        let found = found
            .into_iter()
            .map(|(kind, row)| (kind, (row.first_seen, row.last_seen, row.total)))
            .collect::<BTreeMap<_, _>>();
        assert_eq!(found, totals, "seed {seed}");
    }
}

//! What is written at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use error_runtime::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::time::at;

/// What one instance has gathered for a while. Instance and number make it unlike any other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The process that gathered it.
    pub instance: Arc<str>,
    /// From 1, one more with each batch of the instance.
    pub number: u64,
    /// When it was closed, in milliseconds since 1970.
    pub sealed: u64,
    /// Failures in full; those of a kind that is frequent are a sample.
    pub events: Vec<StoredEvent>,
    /// All failures, as numbers.
    pub counts: Vec<CountDelta>,
    /// All requests, as numbers.
    pub requests: Vec<RequestDelta>,
    /// What happened besides.
    pub journal: Vec<JournalEntry>,
}

impl Batch {
    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.counts.is_empty()
            && self.requests.is_empty()
            && self.journal.is_empty()
    }

    /// What it tells of each kind of failure, by fingerprint.
    pub fn kinds(&self) -> impl Iterator<Item = KindDelta<'_>> {
        let mut kinds: BTreeMap<&str, KindDelta<'_>> = BTreeMap::new();
        for delta in &self.counts {
            let (series, last) = (&*delta.series, delta.last);
            let seen = KindDelta {
                series,
                first: last,
                last,
                count: 0,
                event: None,
            };
            let kind = kinds.entry(&series.fingerprint).or_insert(seen);
            kind.first = kind.first.min(last);
            kind.count += delta.count;
            if last >= kind.last {
                (kind.last, kind.series) = (last, series);
            }
        }
        for event in &self.events {
            // It may have been counted in a batch before this one.
            let (series, time) = (&*event.series, event.time);
            let seen = KindDelta {
                series,
                first: time,
                last: time,
                count: 0,
                event: None,
            };
            let kind = kinds.entry(&series.fingerprint).or_insert(seen);
            kind.first = kind.first.min(time);
            if kind.event.is_none_or(|last| last.id < event.id) {
                kind.event = Some(event);
            }
        }
        kinds.into_values()
    }
}

/// What a batch tells of one kind of failure.
#[derive(Clone, Debug)]
pub struct KindDelta<'a> {
    /// Of its series, the one that was met last.
    pub series: &'a Series,
    /// When it was met first in the batch, in milliseconds since 1970.
    pub first: u64,
    /// And last.
    pub last: u64,
    /// How often.
    pub count: u64,
    /// The last one that is there in full.
    event: Option<&'a StoredEvent>,
}

impl<'a> KindDelta<'a> {
    /// A text of the last failure in full; empty if there is none.
    pub fn text(&self, pick: impl Fn(&'a StoredEvent) -> &'a String) -> &'a str {
        self.event.map_or("", |event| pick(event))
    }
}

/// Failures that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Series {
    /// Which kind of failure.
    pub fingerprint: String,
    /// The part of the system that the code belongs to.
    pub domain: String,
    /// The machine code.
    pub code: String,
    /// The status of the answer.
    pub status: u16,
    /// The template of the route; empty if there is none.
    pub route: String,
    /// The breaker that was involved; empty if there is none.
    pub service: String,
    /// `app`, `security`, `performance` or one's own.
    pub category: String,
}

/// How often a series failed in one minute, since the batch before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountDelta {
    /// Which.
    pub series: Arc<Series>,
    /// When the minute began, in milliseconds since 1970.
    pub minute: u64,
    /// How often.
    pub count: u64,
    /// When it failed last.
    pub last: u64,
}

/// Requests of one route in one minute, since the batch before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestDelta {
    /// The template of the route; empty if there is none.
    pub route: Arc<str>,
    /// When the minute began, in milliseconds since 1970.
    pub minute: u64,
    /// All.
    pub total: u64,
    /// Answered with 4xx.
    pub client_errors: u64,
    /// Answered with 5xx.
    pub server_errors: u64,
}

/// One failure in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Its time and a number: later failures have greater ones.
    pub id: u64,
    /// When it was answered, in milliseconds since 1970.
    pub time: u64,
    /// How it is counted.
    pub series: Arc<Series>,
    /// `error`, `warn`, `info`, `debug` or `off`.
    pub level: String,
    /// Where it comes from: `declared`, `framework`, `panic`, `undeclared`, `response`, `stream`.
    pub origin: String,
    /// What the client has read.
    pub message: String,
    /// What the log reads.
    pub display: String,
    /// Its sources, nearest first.
    pub chain: Vec<String>,
    /// What the client has got as details, a JSON object.
    pub details: Option<String>,
    /// Where it was made.
    pub backtrace: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// The id of the distributed trace.
    pub trace_id: Option<String>,
    /// The request's method.
    pub method: Option<String>,
    /// The user that the application has named.
    pub user: Option<String>,
    /// The retry that gave up.
    pub operation: Option<String>,
    /// How many attempts it made.
    pub attempts: Option<u32>,
}

impl StoredEvent {
    /// The moment of an id.
    pub const fn time_of(id: u64) -> Timestamp {
        at(id >> SEQUENCE_BITS)
    }

    /// The least id of a moment; of those that have none, an id above all.
    pub const fn first_id(time: Timestamp) -> u64 {
        let time = time.unix_millis();
        if time >= 1 << (63 - SEQUENCE_BITS) {
            return 1 << 63;
        }
        time << SEQUENCE_BITS
    }

    /// The id of the `sequence`th thing of a moment; until the year 2248 it fits a signed number.
    pub(crate) const fn make_id(time: u64, sequence: u64) -> u64 {
        (time << SEQUENCE_BITS) | (sequence & ((1 << SEQUENCE_BITS) - 1))
    }
}

/// How much of an id tells things of one millisecond apart.
const SEQUENCE_BITS: u32 = 20;

/// What happened besides failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Its time and a number, as those of failures.
    pub id: u64,
    /// What it tells of.
    pub kind: JournalKind,
    /// What it concerns: a service, a rule.
    pub subject: String,
    /// All else.
    pub body: serde_json::Value,
}

/// What an entry of the journal tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JournalKind {
    /// Somebody changed something, or tried to.
    Audit,
    /// A breaker changed its state.
    Breaker,
    /// A check has another result than before.
    Health,
    /// An alert changed its state.
    Alert,
    /// Something was sent, or could not be.
    Delivery,
}

impl JournalKind {
    /// The name in stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Breaker => "breaker",
            Self::Health => "health",
            Self::Alert => "alert",
            Self::Delivery => "delivery",
        }
    }
}

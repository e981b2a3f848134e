//! Questions to a store, and its answers.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JournalEntry, JournalKind, StoredEvent};
use crate::time::{DAY, Range};

/// By what failures are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupBy {
    /// The machine code.
    Code,
    /// The breaker that was involved.
    Service,
    /// The status of the answer.
    Status,
    /// The template of the route.
    Route,
    /// The category.
    Category,
    /// The kind of failure.
    Fingerprint,
}

impl GroupBy {
    /// All of them, by their names.
    pub(crate) const NAMES: [(&'static str, Self); 6] = [
        ("code", Self::Code),
        ("service", Self::Service),
        ("status", Self::Status),
        ("route", Self::Route),
        ("category", Self::Category),
        ("fingerprint", Self::Fingerprint),
    ];

    /// The name, which is the column's too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Service => "service",
            Self::Status => "status",
            Self::Route => "route",
            Self::Category => "category",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// How often something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountQuery {
    /// Whole minutes.
    pub range: Range,
    /// By what.
    pub group_by: GroupBy,
    /// How long a step is, in milliseconds, whole minutes; without it there is one for all of the range.
    pub step: Option<u64>,
    /// Which alone.
    pub filter: EventFilter,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountRow {
    /// The group; many rows share it.
    pub key: Arc<str>,
    /// When the step began, in milliseconds since 1970; the range's begin where there are no steps.
    pub start: u64,
    /// How often.
    pub count: u64,
}

/// How many requests there were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestQuery {
    /// Whole minutes.
    pub range: Range,
    /// How long a step is; without it there is one for all of the range.
    pub step: Option<u64>,
    /// This route alone.
    pub route: Option<String>,
    /// Whether routes are told apart; else the rows have an empty one.
    pub by_route: bool,
}

/// Requests of one route in one step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestRow {
    /// The template of the route.
    pub route: String,
    /// When the step began.
    pub start: u64,
    /// All.
    pub total: u64,
    /// Answered with 4xx.
    pub client_errors: u64,
    /// Answered with 5xx.
    pub server_errors: u64,
}

/// What is thought of a kind of failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PatternState {
    /// It waits for somebody, or has come back after it was resolved.
    #[default]
    Open,
    /// It is mended; if it comes again, it is open and marked as regressed.
    Resolved,
    /// Nobody wants to hear of it.
    Ignored,
}

impl PatternState {
    pub(crate) const NAMES: [(&'static str, Self); 3] = [
        ("open", Self::Open),
        ("resolved", Self::Resolved),
        ("ignored", Self::Ignored),
    ];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        let known = Self::NAMES.into_iter().find(|(known, _)| *known == name);
        known.map_or_else(Self::default, |(_, state)| state)
    }
}

/// Which kinds of failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternQuery {
    /// Seen in this time; whole minutes.
    pub range: Range,
    /// This one alone.
    pub fingerprint: Option<String>,
    /// Those of this state alone.
    pub state: Option<PatternState>,
}

/// A kind of failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternRow {
    /// Which.
    pub fingerprint: String,
    /// The part of the system.
    pub domain: String,
    /// The machine code.
    pub code: String,
    /// The category.
    pub category: String,
    /// The status of the answer, the last time.
    pub status: u16,
    /// The level, the last time.
    pub level: String,
    /// What the client has read, the last time.
    pub message: String,
    /// What the log has read, the last time.
    pub display: String,
    /// When it was met first.
    pub first_seen: u64,
    /// When it was met last.
    pub last_seen: u64,
    /// How often since it was met first.
    pub total: u64,
    /// How often in the range.
    pub count: u64,
    /// How often in the time before the range, as long as it.
    pub previous: u64,
    /// What is thought of it.
    pub state: PatternState,
    /// When that was said, and by whom.
    pub changed: Option<(u64, String)>,
    /// When it came back after it was resolved.
    pub regressed: Option<u64>,
}

/// More of a kind of failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternDetails {
    /// The routes that it came from in the range, the most frequent first.
    pub routes: Vec<RouteCount>,
    /// The last five requests that met it.
    pub request_ids: Vec<String>,
}

/// How often a route failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RouteCount {
    /// The template of the route.
    pub route: String,
    /// How often.
    pub count: u64,
}

/// Which failures alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventFilter {
    /// With this machine code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// With this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// In which this breaker was involved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Of this route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl EventFilter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which failures, singly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Answered in this time.
    pub range: Option<Range>,
    /// Older than this one.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
    /// Which alone.
    pub filter: EventFilter,
    /// Of this request alone.
    pub request_id: Option<String>,
    /// Of this user alone.
    pub user: Option<String>,
    /// Where this text occurs: in the message, the log text, the code, the route, the request id or the user.
    /// Letters of ASCII in either case are the same.
    pub text: Option<String>,
}

/// Some failures, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventPage {
    /// With the instance that wrote each.
    pub events: Vec<(StoredEvent, String)>,
    /// What to give as `before` for the next page; a page may hold fewer than asked for, or none, and still
    /// be followed by another: a question that few failures answer is answered in parts.
    pub next: Option<u64>,
}

/// Which entries of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalQuery {
    /// Of this kind.
    pub kind: JournalKind,
    /// Of this subject alone.
    pub subject: Option<String>,
    /// Older than this one.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// Some entries, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalPage {
    /// With the instance that wrote each.
    pub entries: Vec<(JournalEntry, String)>,
    /// What to give as `before` for the next page.
    pub next: Option<u64>,
}

/// A thing that is kept as it is, with a version that tells of changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Which.
    pub id: String,
    /// From 1; 0 for one that is not there yet.
    pub version: u64,
    /// When it was written last.
    pub updated: u64,
    /// What it says.
    pub body: serde_json::Value,
}

/// How long what is kept. What is older, or too much, goes, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Failures in full, in milliseconds: 30 days.
    pub events: u64,
    /// Failures in full, in number: 1 000 000.
    pub max_events: u64,
    /// The whole store, in bytes: 1 GiB.
    pub max_bytes: u64,
    /// Counts by the minute: 8 days.
    pub minutes: u64,
    /// Counts by the hour: 400 days.
    pub hours: u64,
    /// The journal but for the audit: 90 days.
    pub journal: u64,
    /// The audit: 400 days.
    pub audit: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            events: 30 * DAY,
            max_events: 1_000_000,
            max_bytes: 1 << 30,
            minutes: 8 * DAY,
            hours: 400 * DAY,
            journal: 90 * DAY,
            audit: 400 * DAY,
        }
    }
}

/// What was let go of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Failures in full.
    pub events: u64,
    /// Rows of counts.
    pub counts: u64,
    /// Entries of the journal.
    pub journal: u64,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StoreSize {
    /// Failures in full.
    pub events: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

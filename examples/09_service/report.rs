//! The summary: what the clients saw, beside what the monitor says of the same time. Both must be equal.

use std::collections::{BTreeMap, BTreeSet};

use error_runtime::TransitionEvent;
use error_runtime::time::Timestamp;
use serde::Deserialize;

use crate::others::Asked;
use crate::tally::Answers;

/// What is counted, and how often.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The monitor's endpoints, with a token.
pub(crate) struct Admin {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
}

#[derive(Deserialize)]
struct Stats {
    requests: u64,
    groups: Vec<Group>,
    other: u64,
}

#[derive(Deserialize)]
struct Group {
    key: String,
    count: u64,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    from: String,
    to: String,
}

const ALL: &str = "all requests";

impl Admin {
    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, reqwest::Error> {
        let request = self
            .http
            .get(format!("{}/admin/api/monitoring/{path}", self.url));
        let answer = request.query(query).bearer_auth(&self.token).send().await?;
        answer.error_for_status()?.json().await
    }

    /// Requests and failures by code since then.
    pub(crate) async fn answers(&self, from: Timestamp) -> Result<Counts, reqwest::Error> {
        // The range is half-open, and holds this moment too.
        let to = Timestamp::from_unix_millis(Timestamp::now().unix_millis() + 1000);
        let query = [
            ("group_by", "code"),
            ("from", &*from.to_string()),
            ("to", &*to.to_string()),
        ];
        let stats: Stats = self.get("errors/stats", &query).await?;
        let groups = stats.groups.into_iter();
        let mut counts: Counts = groups.map(|group| (group.key, group.count)).collect();
        counts.insert(ALL.to_owned(), stats.requests);
        if stats.other > 0 {
            counts.insert("(further codes)".to_owned(), stats.other);
        }
        Ok(counts)
    }

    /// What the circuits of these services did.
    pub(crate) async fn transitions<'a>(
        &self,
        services: impl IntoIterator<Item = &'a str>,
    ) -> Result<Counts, reqwest::Error> {
        let mut counts = Counts::new();
        for service in services {
            let path = format!("circuit-breakers/{service}/events");
            let mut cursor: Option<String> = None;
            loop {
                let mut query = vec![("limit", "500")];
                query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                let page: Events = self.get(&path, &query).await?;
                for event in page.events {
                    let name = transition(service, &event.from, &event.to);
                    *counts.entry(name).or_default() += 1;
                }
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(counts)
    }
}

fn transition(service: &str, from: &str, to: &str) -> String {
    format!("{service}: {from} to {to}")
}

/// How a transition that was seen is counted.
pub(crate) fn transition_of(event: &TransitionEvent) -> String {
    let change = &event.transition;
    transition(&event.service, change.from.as_str(), change.to.as_str())
}

/// What the clients got, as the monitor counts it.
pub(crate) fn answers_of(answers: &Answers) -> Counts {
    let mut counts = answers.codes.clone();
    counts.insert(ALL.to_owned(), answers.requests);
    counts
}

pub(crate) fn asked_by_others(asked: &Asked) -> Counts {
    let mut counts = asked.codes.clone();
    if asked.requests > 0 {
        counts.insert(ALL.to_owned(), asked.requests);
    }
    counts
}

/// One line of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) seen: u64,
    pub(crate) others: u64,
    pub(crate) monitor: u64,
}

impl Row {
    pub(crate) fn is_equal(&self) -> bool {
        self.seen + self.others == self.monitor
    }
}

/// Everything that anybody has counted, line by line.
pub(crate) fn compare(seen: &Counts, others: &Counts, monitor: &Counts) -> Vec<Row> {
    let names: BTreeSet<_> = [seen, others, monitor]
        .into_iter()
        .flat_map(Counts::keys)
        .collect();
    let count = |counts: &Counts, name: &str| counts.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .map(|name| Row {
            name: name.clone(),
            seen: count(seen, name),
            others: count(others, name),
            monitor: count(monitor, name),
        })
        .collect()
}

/// The lines as a table; those that differ are marked. A column for others is there if there were any.
pub(crate) fn table(title: &str, seen: &str, rows: &[Row]) -> Vec<String> {
    let others = rows.iter().any(|row| row.others > 0);
    let line = |name: &str, seen: &str, by_others: &str, monitor: &str| {
        let by_others = if others {
            format!("{by_others:>10}")
        } else {
            String::new()
        };
        format!("{name:32}{seen:>10}{by_others}{monitor:>10}")
    };
    let mut lines = vec![line(title, seen, "others", "monitor")];
    for row in rows {
        let numbers = [row.seen, row.others, row.monitor].map(|count| count.to_string());
        let mut text = line(&row.name, &numbers[0], &numbers[1], &numbers[2]);
        if !row.is_equal() {
            text.push_str("  differs");
        }
        lines.push(text);
    }
    lines
}

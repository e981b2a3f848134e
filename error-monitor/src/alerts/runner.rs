//! Looks at the rules again and again: in every process for itself, and in one of them for all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::Breakers;
use error_runtime::time::Timestamp;
use serde_json::json;

use super::address::AddressRules;
use super::channel::Channel;
use super::notice::Notice;
use super::observe::{Heartbeat, MAX_GROUPS, Seen};
use super::open::{OpenSince, is_open};
use super::outbox;
use super::rule::{AlertRule, Condition};
use super::send::{OURS, SendError, Sender};
use super::silence::Silence;
use super::state::{AlertState, Event, Observation, step};
use crate::config::{self, Declared};
use crate::health::{Checks, Health};
use crate::shared::Shared;
use crate::store::{Document, ErrorStore, JournalKind, StoreError};
use crate::time::{DAY, MINUTE};

/// Rules and those who are told.
pub(crate) struct Alerts {
    shared: Arc<Shared>,
    store: Arc<dyn ErrorStore>,
    checks: Arc<Checks>,
    declared: Arc<Declared>,
    sender: Arc<Sender>,
    pub(crate) addresses: AddressRules,
    /// Channels that something is being sent to.
    busy: outbox::Busy,
    open_since: OpenSince,
    trial: tokio::sync::Mutex<()>,
}

/// An alert as the store has it.
type Known = (Document, AlertState);

const STATES: &str = "alert_state";
const INSTANCES: &str = "instance";

impl Alerts {
    pub(crate) fn new(
        shared: Arc<Shared>,
        store: Arc<dyn ErrorStore>,
        checks: Arc<Checks>,
        declared: Arc<Declared>,
        addresses: AddressRules,
    ) -> Self {
        let sender = Arc::new(Sender::new(addresses.clone()));
        Self {
            shared,
            store,
            checks,
            declared,
            sender,
            addresses,
            busy: outbox::Busy::default(),
            open_since: OpenSince::new(),
            trial: tokio::sync::Mutex::default(),
        }
    }

    /// Goes on until it is aborted.
    pub(crate) async fn run(self: Arc<Self>, every: Duration) {
        let mut failed = false;
        loop {
            tokio::time::sleep(every).await;
            match self.round(every).await {
                Ok(()) => failed = false,
                Err(error) if !std::mem::replace(&mut failed, true) => {
                    tracing::warn!(%error, "alerts cannot be looked at");
                }
                Err(_) => {}
            }
        }
    }

    /// One look at everything.
    pub(crate) async fn round(&self, every: Duration) -> Result<(), StoreError> {
        let rules = self.rules().await?;
        self.beat(&rules).await?;
        let lease = (every * 3).max(Duration::from_secs(10));
        if !self
            .store
            .lead(&self.shared.instance, lease, self.shared.now())
            .await?
        {
            return Ok(());
        }
        self.evaluate(every, rules).await?;
        let channels = self.channels().await?;
        outbox::send_due(
            &self.store,
            &self.shared,
            &self.sender,
            &channels,
            &self.busy,
        )
        .await
    }

    pub(crate) async fn rules(&self) -> Result<Vec<AlertRule>, StoreError> {
        config::in_force(&*self.store, &self.declared.rules).await
    }

    pub(crate) async fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        config::in_force(&*self.store, &self.declared.channels).await
    }

    pub(crate) async fn states(&self) -> Result<Vec<AlertState>, StoreError> {
        let documents = self.store.documents(STATES).await?;
        let read = |document: Document| serde_json::from_value(document.body).ok();
        Ok(documents.into_iter().filter_map(read).collect())
    }

    /// How many notices wait to be sent.
    pub(crate) async fn waiting(&self) -> Result<usize, StoreError> {
        Ok(self.store.documents(outbox::KIND).await?.len())
    }

    /// Says how this process is, for whoever leads, as far as a rule asks for it: checks are not run for nobody.
    async fn beat(&self, rules: &[AlertRule]) -> Result<(), StoreError> {
        let asked = |kind: fn(&Condition) -> bool| {
            rules.iter().any(|rule| rule.enabled && kind(&rule.when))
        };
        let of_breakers = asked(|when| matches!(when, Condition::BreakerOpen { .. }));
        let of_checks = asked(|when| matches!(when, Condition::HealthFailing { .. }));
        if !of_breakers && !of_checks {
            return Ok(());
        }
        let mut heartbeat = Heartbeat::default();
        for breaker in Breakers::global() {
            // Those of channels are ours: an alert of them could not be sent either.
            if is_open(breaker.state()) && !breaker.name().starts_with(OURS) {
                let since = breaker.snapshot().since.unix_millis();
                heartbeat.open.insert(breaker.name().to_owned(), since);
            }
        }
        heartbeat.open = self.open_since.seen(heartbeat.open);
        let reports = if of_checks {
            self.checks.reports().await
        } else {
            Vec::new()
        };
        for report in reports {
            if report.status == Health::Fail {
                let message = report.message.unwrap_or_default();
                heartbeat.failing.insert(report.name, message);
            }
        }
        let now = self.shared.now().unix_millis();
        let instance = &self.shared.instance;
        config::put(&*self.store, INSTANCES, instance, json!(heartbeat), now).await?;
        Ok(())
    }

    async fn heartbeats(&self, every: Duration) -> Result<Vec<Heartbeat>, StoreError> {
        let now = self.shared.now().unix_millis();
        let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        let mut all = Vec::new();
        for document in self.store.documents(INSTANCES).await? {
            let age = now.saturating_sub(document.updated);
            if age > DAY {
                self.store.delete_document(INSTANCES, &document.id).await?;
            } else if age <= (4 * every).max(MINUTE) {
                all.extend(serde_json::from_value::<Heartbeat>(document.body).ok());
            }
        }
        Ok(all)
    }

    async fn evaluate(&self, every: Duration, rules: Vec<AlertRule>) -> Result<(), StoreError> {
        // One moment for all of it: what is over is told before what is new.
        let now = self.shared.now();
        let documents = self.store.documents(STATES).await?;
        if documents.is_empty() && !rules.iter().any(|rule| rule.enabled) {
            return Ok(());
        }
        let silences = Silence::all(&*self.store, now).await?;
        let seen = Seen {
            store: &*self.store,
            now,
            heartbeats: self.heartbeats(every).await?,
            budgets: config::in_force(&*self.store, &self.declared.budgets).await?,
        };
        let mut before: BTreeMap<(String, String), Known> = BTreeMap::new();
        for document in documents {
            match serde_json::from_value::<AlertState>(document.body.clone()) {
                Ok(state) => {
                    let key = (state.rule.clone(), state.group.clone());
                    before.insert(key, (document, state));
                }
                Err(_) => {
                    self.store.delete_document(STATES, &document.id).await?;
                }
            }
        }
        let mut holding = Vec::new();
        for rule in rules.iter().filter(|rule| rule.enabled) {
            let mut groups = before.keys().filter(|(name, _)| *name == rule.name).count();
            for observation in seen.observe(rule).await? {
                let key = (rule.name.clone(), observation.group.clone());
                if !before.contains_key(&key) {
                    // Who is there stays, however many there are: it is over only when it is over.
                    groups += 1;
                    if groups > MAX_GROUPS {
                        continue;
                    }
                }
                let is_silenced = silences
                    .iter()
                    .any(|one| one.covers(&rule.name, &key.1, now.unix_millis()));
                holding.push((rule, before.remove(&key), observation, is_silenced));
            }
        }
        // What is left is not so any more, or its rule is gone.
        for ((name, _), known) in before {
            let gone;
            let rule = if let Some(rule) = rules.iter().find(|rule| rule.name == name) {
                rule
            } else {
                gone = AlertRule::new(name, Condition::health_failing());
                &gone
            };
            self.take_step(rule, Some(known), None, false, now).await?;
        }
        for (rule, known, observation, is_silenced) in holding {
            self.take_step(rule, known, Some(&observation), is_silenced, now)
                .await?;
        }
        Ok(())
    }

    async fn take_step(
        &self,
        rule: &AlertRule,
        before: Option<Known>,
        seen: Option<&Observation>,
        silenced: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (document, state) = before.unzip();
        let (mut after, event) = step(rule, state.as_ref(), seen, silenced, now.unix_millis());
        if let Some(event) = event {
            let all = self.channels().await?;
            let mut channels = match &after {
                Some(_) => told_by(rule, &all),
                // Who was told of it is told that it is over.
                None => state
                    .as_ref()
                    .map_or_else(Vec::new, |state| state.channels.clone()),
            };
            channels.retain(|name| all.iter().any(|channel| channel.name == *name));
            if channels.is_empty() && !rule.channels.is_empty() {
                // Operators may add one later, so it is no mistake to begin with.
                tracing::error!(
                    rule = rule.name,
                    "an alert has nobody to tell: none of its channels is there"
                );
            }
            if let Some(latest) = after.as_ref().or(state.as_ref()) {
                self.tell(event, latest, &channels, now).await?;
            }
            if let Some(after) = &mut after {
                after.channels.extend(channels);
                after.channels.sort_unstable();
                after.channels.dedup();
            }
        }
        let id = |state: &AlertState| format!("{}/{}", state.rule, state.group);
        match (after, document) {
            (Some(after), document) => {
                let version = document.map_or(0, |document| document.version);
                let (id, updated, body) = (id(&after), now.unix_millis(), json!(after));
                let document = Document {
                    id,
                    version,
                    updated,
                    body,
                };
                self.store.put_document(STATES, &document).await?;
            }
            (None, Some(document)) => {
                self.store.delete_document(STATES, &document.id).await?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// First the letter, then the state: a process that ends between the two says it twice rather than never.
    async fn tell(
        &self,
        event: Event,
        state: &AlertState,
        channels: &[String],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let notice = self.notice(event, state, now.unix_millis());
        self.shared.note(
            JournalKind::Alert,
            &state.rule,
            json!({ "event": event, "group": state.group, "summary": state.summary }),
        );
        outbox::post(&*self.store, &self.shared, &notice, channels).await
    }

    fn notice(&self, event: Event, state: &AlertState, now: u64) -> Notice {
        Notice {
            id: format!("msg_{:016x}", self.shared.next_id(now)),
            event,
            rule: state.rule.clone(),
            group: state.group.clone(),
            severity: state.severity,
            summary: state.summary.clone(),
            value: state.value,
            since: state.since,
            at: now,
            instance: self.shared.instance.to_string(),
        }
    }

    /// Sends a trial of a rule to its channels, and says what became of it.
    pub(crate) async fn test(
        &self,
        rule: &AlertRule,
    ) -> Result<Vec<(String, Result<(), String>)>, StoreError> {
        let now = self.shared.now().unix_millis();
        let state = AlertState {
            rule: rule.name.clone(),
            group: String::new(),
            phase: super::state::Phase::Firing,
            since: now,
            told: None,
            summary: "a test: nothing is wrong".to_owned(),
            value: 0.0,
            severity: rule.severity,
            channels: Vec::new(),
        };
        let notice = self.notice(Event::Test, &state, now);
        let channels = self.channels().await?;
        let names = told_by(rule, &channels);
        // One trial at a time: each takes a thread of the host's for every channel.
        let _trial = self.trial.lock().await;
        let mut sending = Vec::new();
        for channel in channels
            .into_iter()
            .filter(|channel| names.contains(&channel.name))
        {
            let (sender, notice) = (Arc::clone(&self.sender), notice.clone());
            let name = channel.name.clone();
            let task = tokio::task::spawn_blocking(move || sender.send_once(&channel, &notice));
            sending.push((name, task));
        }
        let mut results = Vec::new();
        for (name, task) in sending {
            let result = task.await.unwrap_or(Err(SendError::Secret));
            results.push((name, result.map_err(|error| error.to_string())));
        }
        Ok(results)
    }
}

/// The channels of a rule: those it names, or all.
fn told_by(rule: &AlertRule, all: &[Channel]) -> Vec<String> {
    let named = |name: &String| rule.channels.is_empty() || rule.channels.contains(name);
    all.iter()
        .map(|channel| channel.name.clone())
        .filter(named)
        .collect()
}

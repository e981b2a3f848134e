//! Looks at the rules again and again: in every process for itself, and in one of them for all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::{BreakerState, Breakers};
use serde_json::json;

use super::address::AddressRules;
use super::channel::Channel;
use super::notice::Notice;
use super::observe::{Heartbeat, Seen};
use super::outbox;
use super::rule::{AlertRule, Condition};
use super::send::{SendError, Sender};
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
}

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
        outbox::send_due(&self.store, &self.shared, &self.sender, &channels).await
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
            let open = matches!(
                breaker.state(),
                BreakerState::Open | BreakerState::HalfOpen | BreakerState::ForcedOpen
            );
            // Those of channels are ours: an alert of them could not be sent either.
            if open && !breaker.name().starts_with("alerts.") {
                let since = breaker.snapshot().since.unix_millis();
                heartbeat.open.insert(breaker.name().to_owned(), since);
            }
        }
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

    async fn evaluate(&self, every: Duration, mut rules: Vec<AlertRule>) -> Result<(), StoreError> {
        let now = self.shared.now();
        rules.retain(|rule| rule.enabled);
        let documents = self.store.documents(STATES).await?;
        if rules.is_empty() && documents.is_empty() {
            return Ok(());
        }
        let silences = Silence::all(&*self.store, now).await?;
        let seen = Seen {
            store: &*self.store,
            now,
            heartbeats: self.heartbeats(every).await?,
            budgets: config::in_force(&*self.store, &self.declared.budgets).await?,
        };
        let mut before: BTreeMap<(String, String), (Document, AlertState)> = BTreeMap::new();
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
        for rule in &rules {
            let observations = seen.observe(rule).await?;
            for observation in observations {
                let key = (rule.name.clone(), observation.group.clone());
                let is_silenced = silences
                    .iter()
                    .any(|silence| silence.covers(&rule.name, &key.1, now.unix_millis()));
                let known = before.remove(&key);
                self.take_step(rule, known, Some(&observation), is_silenced)
                    .await?;
            }
        }
        // What is left is not so any more, or its rule is gone.
        for ((name, _), known) in before {
            let gone;
            let rule = match rules.iter().find(|rule| rule.name == name) {
                Some(rule) => rule,
                None => {
                    gone = AlertRule::new(name, Condition::health_failing());
                    &gone
                }
            };
            self.take_step(rule, Some(known), None, false).await?;
        }
        Ok(())
    }

    async fn take_step(
        &self,
        rule: &AlertRule,
        before: Option<(Document, AlertState)>,
        seen: Option<&Observation>,
        silenced: bool,
    ) -> Result<(), StoreError> {
        let now = self.shared.now().unix_millis();
        let (document, state) = before.unzip();
        let (after, event) = step(rule, state.as_ref(), seen, silenced, now);
        let latest = after.as_ref().or(state.as_ref());
        if let (Some(event), Some(latest)) = (event, latest) {
            let notice = self.notice(rule, event, latest);
            self.shared.note(
                JournalKind::Alert,
                &rule.name,
                json!({ "event": event, "group": latest.group, "summary": latest.summary }),
            );
            // First the letter: a process that ends between the two says it twice rather than never.
            let channels = self.told_by(rule).await?;
            outbox::post(&*self.store, &self.shared, &notice, &channels).await?;
        }
        let id = |state: &AlertState| format!("{}/{}", state.rule, state.group);
        match (after, document) {
            (Some(after), document) => {
                let version = document.map_or(0, |document| document.version);
                let body = json!(after);
                let document = Document {
                    id: id(&after),
                    version,
                    updated: now,
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

    /// The channels of a rule: those it names, or all.
    async fn told_by(&self, rule: &AlertRule) -> Result<Vec<String>, StoreError> {
        let all = self
            .channels()
            .await?
            .into_iter()
            .map(|channel| channel.name);
        let named = |name: &String| rule.channels.is_empty() || rule.channels.contains(name);
        Ok(all.filter(named).collect())
    }

    fn notice(&self, rule: &AlertRule, event: Event, state: &AlertState) -> Notice {
        let now = self.shared.now().unix_millis();
        Notice {
            id: format!("msg_{:016x}", self.shared.next_id(now)),
            event,
            rule: rule.name.clone(),
            group: state.group.clone(),
            severity: rule.severity,
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
        };
        let notice = self.notice(rule, Event::Test, &state);
        let names = self.told_by(rule).await?;
        let channels = self.channels().await?;
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

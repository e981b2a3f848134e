//! Alerts: what is so, who is told, and who is not for a while.

use std::collections::BTreeSet;
use std::sync::Arc;

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::guard::{Audit, Call};
use super::{AdminError, Answer, Api};
use crate::alerts::{AlertRule, Channel, Phase, Severity, Silence};
use crate::budgets::Budget;
use crate::config::{self, Named};
use crate::span::Span;
use crate::time::{DAY, at};

/// What is so now, and what is silenced.
#[derive(Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the answer's name for it")]
pub(crate) struct Alerts {
    alerts: Vec<Alert>,
    silences: Vec<SilenceAnswer>,
    /// How many notices wait to be sent.
    waiting: usize,
}

/// An alert.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Alert {
    rule: String,
    /// The code, the service and so on that it is for; empty if the rule makes one alert of all.
    group: String,
    phase: Phase,
    severity: Severity,
    summary: String,
    value: f64,
    #[schemars(with = "super::Time")]
    since: Timestamp,
    /// When somebody was told last.
    #[schemars(with = "Option<super::Time>")]
    told_at: Option<Timestamp>,
    silenced: bool,
}

/// A time in which nobody is told of some alerts.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SilenceAnswer {
    id: String,
    /// Of this rule alone.
    rule: Option<String>,
    /// Of this group alone.
    group: Option<String>,
    #[schemars(with = "super::Time")]
    until: Timestamp,
    by: String,
    reason: Option<String>,
}

impl From<Silence> for SilenceAnswer {
    fn from(silence: Silence) -> Self {
        Self {
            id: silence.id,
            rule: silence.rule,
            group: silence.group,
            until: at(silence.until),
            by: silence.by,
            reason: silence.reason,
        }
    }
}

pub(super) async fn list(api: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    let now = api.shared.now();
    let silences = Silence::all(&*api.store, now).await?;
    let rules = api.alerts.rules().await?;
    let mut alerts: Vec<Alert> = Vec::new();
    for state in api.alerts.states().await? {
        let severity = rules
            .iter()
            .find(|rule| rule.name == state.rule)
            .map(|rule| rule.severity);
        let is_silenced = silences
            .iter()
            .any(|one| one.covers(&state.rule, &state.group, now.unix_millis()));
        alerts.push(Alert {
            rule: state.rule,
            group: state.group,
            phase: state.phase,
            severity: severity.unwrap_or_default(),
            summary: state.summary,
            value: state.value,
            since: at(state.since),
            told_at: state.told.map(at),
            silenced: is_silenced,
        });
    }
    Answer::json(&Alerts {
        alerts,
        silences: silences.into_iter().map(Into::into).collect(),
        waiting: api.alerts.waiting().await?,
    })
}

/// What is in force. What is secret in it is not shown.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Configuration {
    rules: Vec<AlertRule>,
    channels: Vec<Channel>,
    budgets: Vec<Budget>,
    /// Hosts that the program trusts: they may be private, and without encryption.
    trusted_hosts: Vec<String>,
}

async fn configuration(api: &Api) -> Result<Configuration, AdminError> {
    Ok(Configuration {
        rules: api.alerts.rules().await?,
        channels: api
            .alerts
            .channels()
            .await?
            .iter()
            .map(Channel::masked)
            .collect(),
        budgets: config::in_force(&*api.store, &api.declared.budgets).await?,
        trusted_hosts: api.alerts.addresses.trusted.clone(),
    })
}

pub(super) async fn configured(api: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    Answer::json(&configuration(&api).await?)
}

/// What is to be added, or to take the place of what has its name; and what is to go.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configure {
    rules: Vec<AlertRule>,
    channels: Vec<Channel>,
    budgets: Vec<Budget>,
    remove: Remove,
}

/// Names of what is to go.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Remove {
    rules: Vec<String>,
    channels: Vec<String>,
    budgets: Vec<String>,
}

const MAX_RULES: usize = 200;
const MAX_OTHERS: usize = 50;

fn field(list: &str, place: usize, name: &str) -> String {
    format!("{list}[{place}].{name}")
}

fn invalid(field: String, reason: impl Into<String>) -> AdminError {
    AdminError::InvalidField {
        field,
        reason: reason.into(),
    }
}

pub(super) async fn configure(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let change: Configure = call.body()?;
    let before = configuration(&api).await?;
    check(&api, &change, &before)?;
    // Nothing was wrong with any of it: now all of it is done.
    put_all(&api, &change.channels).await?;
    put_all(&api, &change.budgets).await?;
    put_all(&api, &change.rules).await?;
    remove_all(&api, &api.declared.rules, &change.remove.rules).await?;
    remove_all(&api, &api.declared.channels, &change.remove.channels).await?;
    remove_all(&api, &api.declared.budgets, &change.remove.budgets).await?;
    let after = configuration(&api).await?;
    call.audit = Some(Audit {
        target: "alerts".to_owned(),
        before: json!(before),
        after: json!(after),
    });
    Answer::json(&after)
}

fn check(api: &Api, change: &Configure, before: &Configuration) -> Result<(), AdminError> {
    for (place, rule) in change.rules.iter().enumerate() {
        if let Some((name, reason)) = rule.mistake() {
            return Err(invalid(field("rules", place, name), reason));
        }
        let known = |name: &String| {
            let here = before
                .channels
                .iter()
                .chain(&change.channels)
                .any(|one| one.name == *name);
            here && !change.remove.channels.contains(name)
        };
        if let Some(unknown) = rule.channels.iter().find(|name| !known(name)) {
            let unknown = crate::text::clean(unknown, 64);
            let reason = format!("there is no channel {unknown:?}");
            return Err(invalid(field("rules", place, "channels"), reason));
        }
    }
    for (place, channel) in change.channels.iter().enumerate() {
        if channel.url().contains('…') {
            let reason = "this is what is shown of a URL; send all of it";
            return Err(invalid(field("channels", place, "to.url"), reason));
        }
        if let Some((name, reason)) = channel.mistake(&api.alerts.addresses) {
            return Err(invalid(field("channels", place, name), reason));
        }
    }
    for (place, budget) in change.budgets.iter().enumerate() {
        if let Some((name, reason)) = budget.mistake() {
            return Err(invalid(field("budgets", place, name), reason));
        }
    }
    // What takes the place of another is not one more.
    let count = |known: Vec<&str>, added: Vec<&str>, removed: &[String]| {
        let mut all: BTreeSet<&str> = known.into_iter().chain(added).collect();
        all.retain(|name| !removed.iter().any(|gone| gone == name));
        all.len()
    };
    let (was, adds, goes) = (before, change, &change.remove);
    for (list, count, most) in [
        (
            "rules",
            count(names(&was.rules), names(&adds.rules), &goes.rules),
            MAX_RULES,
        ),
        (
            "channels",
            count(names(&was.channels), names(&adds.channels), &goes.channels),
            MAX_OTHERS,
        ),
        (
            "budgets",
            count(names(&was.budgets), names(&adds.budgets), &goes.budgets),
            MAX_OTHERS,
        ),
    ] {
        if count > most {
            return Err(invalid(
                list.to_owned(),
                format!("there are at most {most}"),
            ));
        }
    }
    // A rule that is left would have nobody to tell.
    let stays = |rule: &&AlertRule| {
        !goes.rules.contains(&rule.name) && !adds.rules.iter().any(|new| new.name == rule.name)
    };
    for rule in was.rules.iter().filter(stays) {
        if let Some(channel) = rule
            .channels
            .iter()
            .find(|name| goes.channels.contains(name))
        {
            let reason = format!("the rule {:?} names the channel {channel:?}", rule.name);
            return Err(invalid("remove.channels".to_owned(), reason));
        }
    }
    let removed = &change.remove;
    unknown(
        &removed.rules,
        "remove.rules",
        before.rules.iter().map(|one| &one.name),
    )?;
    unknown(
        &removed.channels,
        "remove.channels",
        before.channels.iter().map(|one| &one.name),
    )?;
    unknown(
        &removed.budgets,
        "remove.budgets",
        before.budgets.iter().map(|one| &one.name),
    )
}

fn names<T: Named>(all: &[T]) -> Vec<&str> {
    all.iter().map(Named::name).collect()
}

fn unknown<'a>(
    names: &[String],
    field: &str,
    known: impl Iterator<Item = &'a String>,
) -> Result<(), AdminError> {
    let known: Vec<_> = known.collect();
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let name = crate::text::clean(name, 64);
            Err(invalid(field.to_owned(), format!("there is no {name:?}")))
        }
    }
}

async fn put_all<T: Named + Serialize>(api: &Api, all: &[T]) -> Result<(), AdminError> {
    let now = api.shared.now().unix_millis();
    for one in all {
        if !config::put(&*api.store, T::KIND, one.name(), json!(one), now).await? {
            return Err(AdminError::ChangedMeanwhile);
        }
    }
    Ok(())
}

async fn remove_all<T: Named>(
    api: &Api,
    declared: &[T],
    names: &[String],
) -> Result<(), AdminError> {
    let now = api.shared.now().unix_millis();
    for name in names {
        if declared.iter().any(|one| one.name() == name) {
            if !config::put(&*api.store, T::KIND, name, config::removed(), now).await? {
                return Err(AdminError::ChangedMeanwhile);
            }
        } else {
            api.store.delete_document(T::KIND, name).await?;
        }
    }
    Ok(())
}

/// What became of a trial.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tested {
    rule: String,
    results: Vec<TestResult>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct TestResult {
    channel: String,
    sent: bool,
    /// Why not. Nothing of what the receiver answered is in it.
    error: Option<String>,
}

pub(super) async fn test(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let name = call.part(0).to_owned();
    let rules = api.alerts.rules().await?;
    let Some(rule) = rules.into_iter().find(|rule| rule.name == name) else {
        let name = crate::text::clean(&name, 64);
        return Err(AdminError::UnknownName { kind: "rule", name });
    };
    let results = api.alerts.test(&rule).await?;
    let results: Vec<_> = results
        .into_iter()
        .map(|(channel, result)| TestResult {
            channel,
            sent: result.is_ok(),
            error: result.err(),
        })
        .collect();
    call.audit = Some(Audit {
        target: name,
        after: json!(results),
        ..Audit::default()
    });
    Answer::json(&Tested {
        rule: rule.name,
        results,
    })
}

/// What is not to be told of for a while. Without a rule: nothing at all.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Silencing {
    /// Of this rule alone.
    #[serde(default)]
    rule: Option<String>,
    /// Of this group alone.
    #[serde(default)]
    group: Option<String>,
    /// For how long: at most 30 days.
    #[serde(rename = "for")]
    length: Span,
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: Option<String>,
}

pub(super) async fn silence(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let wanted: Silencing = call.body()?;
    if wanted.length.millis() == 0 || wanted.length.millis() > 30 * DAY {
        return Err(invalid("for".to_owned(), "it is above 0s and at most 720h"));
    }
    if let Some(rule) = &wanted.rule
        && !api
            .alerts
            .rules()
            .await?
            .iter()
            .any(|known| known.name == *rule)
    {
        return Err(invalid("rule".to_owned(), "there is no such rule"));
    }
    for (field, text, most) in [
        ("group", &wanted.group, 512),
        ("reason", &wanted.reason, 500),
    ] {
        if text
            .as_ref()
            .is_some_and(|text| text.chars().count() > most)
        {
            return Err(invalid(
                field.to_owned(),
                format!("it has more than {most} characters"),
            ));
        }
    }
    let now = api.shared.now().unix_millis();
    let silence = Silence {
        id: format!("{:016x}", api.shared.next_id(now)),
        rule: wanted.rule,
        group: wanted.group.map(|group| crate::text::clean(&group, 512)),
        until: now + wanted.length.millis(),
        by: call.actor_name().to_owned(),
        reason: wanted
            .reason
            .map(|reason| crate::text::clean(&reason, 2000)),
    };
    config::put(&*api.store, Silence::KIND, &silence.id, json!(silence), now).await?;
    call.audit = Some(Audit {
        target: silence.rule.clone().unwrap_or_else(|| "*".to_owned()),
        after: json!(SilenceAnswer::from(silence.clone())),
        ..Audit::default()
    });
    Answer::json(&SilenceAnswer::from(silence))
}

/// A silence that is over.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Expired {
    id: String,
}

pub(super) async fn expire(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let id = call.part(0).to_owned();
    let silences = Silence::all(&*api.store, api.shared.now()).await?;
    let Some(silence) = silences.into_iter().find(|silence| silence.id == id) else {
        let name = crate::text::clean(&id, 64);
        return Err(AdminError::UnknownName {
            kind: "silence",
            name,
        });
    };
    api.store.delete_document(Silence::KIND, &id).await?;
    call.audit = Some(Audit {
        target: silence.rule.clone().unwrap_or_else(|| "*".to_owned()),
        before: json!(SilenceAnswer::from(silence.clone())),
        ..Audit::default()
    });
    Answer::json(&Expired { id })
}

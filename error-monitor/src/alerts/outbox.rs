//! What waits to be sent: in the store, so that neither an end of the process nor one of the receiver loses it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use error_runtime::ApiError as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::channel::Channel;
use super::notice::Notice;
use super::send::{SendError, Sender};
use super::state::Event;
use crate::shared::Shared;
use crate::store::{Document, ErrorStore, JournalKind, StoreError};
use crate::time::{DAY, SECOND};

pub(super) const KIND: &str = "alert_outbox";

/// A notice on its way to one channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) channel: String,
    pub(super) notice: Notice,
    attempts: u32,
    /// Not before that, in milliseconds since 1970.
    next_at: u64,
    created: u64,
}

/// After that nobody wants to know any more.
const GIVE_UP: u64 = 3 * DAY;
const FIRST_PAUSE: u64 = 5 * SECOND;
const LAST_PAUSE: u64 = 15 * 60 * SECOND;
/// Longer than three tries of one notice take.
const CLAIM: u64 = 60 * SECOND;
/// How many wait at most; a receiver that is away for long is told of the latest.
const MOST: usize = 1000;

/// Puts a notice in the way of some channels.
pub(super) async fn post(
    store: &dyn ErrorStore,
    shared: &Shared,
    notice: &Notice,
    channels: &[String],
) -> Result<(), StoreError> {
    let now = shared.now().unix_millis();
    let waiting = store.documents(KIND).await?;
    for channel in channels {
        let letters = waiting.iter().filter_map(read);
        let same =
            |letter: &Letter| letter.channel == *channel && letter.notice.key() == notice.key();
        // What says the same is waiting still.
        if notice.event == Event::Repeated && letters.clone().any(|letter| same(&letter)) {
            continue;
        }
        if letters.filter(|letter| letter.channel == *channel).count() >= MOST {
            tracing::error!(
                channel,
                rule = notice.rule,
                "too many alerts wait; this one is not sent"
            );
            continue;
        }
        let letter = Letter {
            channel: channel.clone(),
            notice: notice.clone(),
            attempts: 0,
            next_at: now,
            created: now,
        };
        let body = json!(letter);
        loop {
            // By time, so that they are sent in the order in which they were said.
            let id = format!("{:016x}", shared.next_id(now));
            let (version, updated, body) = (0, now, body.clone());
            let document = Document {
                id,
                version,
                updated,
                body,
            };
            if store.put_document(KIND, &document).await?.is_some() {
                break;
            }
        }
    }
    Ok(())
}

fn read(document: &Document) -> Option<Letter> {
    serde_json::from_value(document.body.clone()).ok()
}

/// Sends what is due: each channel by itself, and in order. What fails waits, and what comes after it too.
pub(super) async fn send_due(
    store: &Arc<dyn ErrorStore>,
    shared: &Arc<Shared>,
    sender: &Arc<Sender>,
    channels: &[Channel],
    busy: &Busy,
) -> Result<(), StoreError> {
    let mut by_channel: BTreeMap<String, Vec<(Document, Letter)>> = BTreeMap::new();
    for document in store.documents(KIND).await? {
        match read(&document) {
            Some(letter) => {
                by_channel
                    .entry(letter.channel.clone())
                    .or_default()
                    .push((document, letter));
            }
            None => {
                store.delete_document(KIND, &document.id).await?;
            }
        }
    }
    for (name, letters) in by_channel {
        let Some(guard) = busy.take(&name) else {
            // It is being sent to still; what came since has its turn with the next look.
            continue;
        };
        let channel = channels
            .iter()
            .find(|channel| channel.name == name)
            .cloned();
        let (store, shared, sender) = (Arc::clone(store), Arc::clone(shared), Arc::clone(sender));
        // By itself: a receiver that hangs holds up neither the others nor the next look at the rules.
        tokio::spawn(async move {
            let sent = send_in_order(&*store, &shared, &sender, channel.as_ref(), letters).await;
            drop(guard);
            if let Err(error) = sent {
                tracing::debug!(%error, "what waits to be sent cannot be read");
            }
        });
    }
    Ok(())
}

/// Channels that something is being sent to.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy(Arc<Mutex<BTreeSet<String>>>);

/// One of them, until it is dropped.
struct BusyChannel {
    all: Busy,
    name: String,
}

impl Busy {
    /// Nothing if it is one of them already.
    fn take(&self, name: &str) -> Option<BusyChannel> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned()).then(|| BusyChannel {
            all: self.clone(),
            name: name.to_owned(),
        })
    }
}

impl Drop for BusyChannel {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.name);
    }
}

async fn send_in_order(
    store: &dyn ErrorStore,
    shared: &Shared,
    sender: &Arc<Sender>,
    channel: Option<&Channel>,
    letters: Vec<(Document, Letter)>,
) -> Result<(), StoreError> {
    for (document, letter) in letters {
        let now = shared.now().unix_millis();
        let Some(channel) = channel else {
            note(shared, &letter, "gave_up", Some("there is no such channel"));
            store.delete_document(KIND, &document.id).await?;
            continue;
        };
        if letter.next_at > now {
            return Ok(());
        }
        // It is ours for as long as sending may take: another process that came to lead has not sent it, and if
        // this one ends, it is sent after that.
        let claim = Letter {
            next_at: now + CLAIM,
            ..letter.clone()
        };
        let document = Document {
            updated: now,
            body: json!(claim),
            ..document
        };
        let Some(version) = store.put_document(KIND, &document).await? else {
            return Ok(());
        };
        let document = Document {
            version,
            ..document
        };
        let result = send(sender, channel, &letter.notice).await;
        let Err(error) = result else {
            store.delete_document(KIND, &document.id).await?;
            note(shared, &letter, "sent", None);
            continue;
        };
        let lasting = matches!(
            error,
            SendError::Gone | SendError::Refused { .. } | SendError::Forbidden | SendError::Secret
        );
        if lasting || now.saturating_sub(letter.created) > GIVE_UP {
            store.delete_document(KIND, &document.id).await?;
            note(shared, &letter, "gave_up", Some(&error.to_string()));
            tracing::error!(channel = channel.name, rule = letter.notice.rule, %error, "an alert could not be sent");
            continue;
        }
        if letter.attempts == 0 {
            note(shared, &letter, "waits", Some(&error.to_string()));
            tracing::warn!(channel = channel.name, rule = letter.notice.rule, %error, "an alert waits for its receiver");
        }
        let letter = later(letter, &error, shared.now().unix_millis());
        let document = Document {
            updated: now,
            body: json!(letter),
            ..document
        };
        store.put_document(KIND, &document).await?;
        return Ok(());
    }
    Ok(())
}

/// The same letter, for another time.
fn later(mut letter: Letter, error: &SendError, now: u64) -> Letter {
    let pause = (FIRST_PAUSE << letter.attempts.min(10)).min(LAST_PAUSE);
    // Many wait for the same receiver.
    let pause = pause / 2 + fastrand::u64(..=pause / 2);
    let told = error
        .retry_after()
        .map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(0));
    letter.next_at = now + pause.max(told);
    if !matches!(error, SendError::Rejected(_)) {
        letter.attempts += 1;
    }
    letter
}

async fn send(sender: &Arc<Sender>, channel: &Channel, notice: &Notice) -> Result<(), SendError> {
    let (sender, channel, notice) = (Arc::clone(sender), channel.clone(), notice.clone());
    let sent = tokio::task::spawn_blocking(move || sender.send(&channel, &notice)).await;
    // The runtime ends: what was not sent is sent by the next.
    sent.unwrap_or(Err(SendError::Busy {
        status: 0,
        wait: Some(Duration::ZERO),
    }))
}

fn note(shared: &Shared, letter: &Letter, result: &str, error: Option<&str>) {
    let notice = &letter.notice;
    let body = json!({
        "channel": letter.channel,
        "rule": notice.rule,
        "group": notice.group,
        "event": notice.event,
        "result": result,
        "error": error,
        "attempts": letter.attempts + 1,
    });
    shared.note(JournalKind::Delivery, &letter.channel, body);
}

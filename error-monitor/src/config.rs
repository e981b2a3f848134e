//! What operators may change while the service runs: kept in the store, over what the program says.

use serde::de::DeserializeOwned;
#[cfg(feature = "alerts")]
use serde_json::{Value, json};

#[cfg(feature = "alerts")]
use crate::alerts::{AlertRule, Channel};
use crate::budgets::Budget;
#[cfg(feature = "alerts")]
use crate::store::Document;
use crate::store::{ErrorStore, StoreError};

/// What the program itself says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) budgets: Vec<Budget>,
    #[cfg(feature = "alerts")]
    pub(crate) rules: Vec<AlertRule>,
    #[cfg(feature = "alerts")]
    pub(crate) channels: Vec<Channel>,
}

/// A thing with a name, of which the store may have another version.
pub(crate) trait Named: DeserializeOwned + Clone {
    /// What its documents are called.
    const KIND: &'static str;

    fn name(&self) -> &str;
}

impl Named for Budget {
    const KIND: &'static str = "budget";

    fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(feature = "alerts")]
impl Named for AlertRule {
    const KIND: &'static str = "alert_rule";

    fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(feature = "alerts")]
impl Named for Channel {
    const KIND: &'static str = "alert_channel";

    fn name(&self) -> &str {
        &self.name
    }
}

/// A document in place of one that the program declares, and that is not wanted.
#[cfg(feature = "alerts")]
pub(crate) fn removed() -> Value {
    json!({ "removed": true })
}

/// What is in force, by name: what the program declares, but for what was changed since.
pub(crate) async fn in_force<T: Named>(
    store: &dyn ErrorStore,
    declared: &[T],
) -> Result<Vec<T>, StoreError> {
    let documents = store.documents(T::KIND).await?;
    let unchanged = declared
        .iter()
        .filter(|one| !documents.iter().any(|doc| doc.id == one.name()));
    let mut all: Vec<T> = unchanged.cloned().collect();
    // What cannot be read was written by a later release, or is the mark of a removal.
    all.extend(
        documents
            .iter()
            .filter_map(|doc| serde_json::from_value(doc.body.clone()).ok()),
    );
    all.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(all)
}

/// Writes a document whatever its version is.
#[cfg(feature = "alerts")]
pub(crate) async fn put(
    store: &dyn ErrorStore,
    kind: &str,
    id: &str,
    body: Value,
    now: u64,
) -> Result<bool, StoreError> {
    // Somebody else may write it between the two; whoever comes last wins, after a few rounds.
    for _ in 0..5 {
        let known = store.documents(kind).await?;
        let version = known
            .iter()
            .find(|doc| doc.id == id)
            .map_or(0, |doc| doc.version);
        let document = Document {
            id: id.to_owned(),
            version,
            updated: now,
            body: body.clone(),
        };
        if store.put_document(kind, &document).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

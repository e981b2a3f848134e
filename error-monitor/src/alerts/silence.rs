//! A time in which nobody is told.

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::store::{ErrorStore, StoreError};

/// A time in which nobody is told of some alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Silence {
    pub(crate) id: String,
    /// Of this rule alone.
    pub(crate) rule: Option<String>,
    /// Of this group alone.
    pub(crate) group: Option<String>,
    /// When it ends, in milliseconds since 1970.
    pub(crate) until: u64,
    pub(crate) by: String,
    pub(crate) reason: Option<String>,
}

impl Silence {
    pub(crate) const KIND: &str = "alert_silence";

    pub(crate) fn covers(&self, rule: &str, group: &str, now: u64) -> bool {
        now < self.until
            && self.rule.as_ref().is_none_or(|wanted| wanted == rule)
            && self.group.as_ref().is_none_or(|wanted| wanted == group)
    }

    /// Those that hold now. The others are gone.
    pub(crate) async fn all(
        store: &dyn ErrorStore,
        now: Timestamp,
    ) -> Result<Vec<Self>, StoreError> {
        let mut all = Vec::new();
        for document in store.documents(Self::KIND).await? {
            match serde_json::from_value::<Self>(document.body) {
                Ok(silence) if silence.until > now.unix_millis() => all.push(silence),
                _ => {
                    store.delete_document(Self::KIND, &document.id).await?;
                }
            }
        }
        Ok(all)
    }
}

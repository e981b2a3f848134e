//! What answers the clients got.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use error_runtime::Envelope;

/// Counts answers. Copies are one.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Answers>>);

#[derive(Clone, Default)]
pub(crate) struct Answers {
    pub(crate) requests: u64,
    pub(crate) by_status: BTreeMap<u16, u64>,
    /// Of the answers from 400 on.
    pub(crate) codes: BTreeMap<String, u64>,
    /// Requests without an answer, by why.
    pub(crate) unanswered: BTreeMap<String, u64>,
}

impl Tally {
    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer. One from 400 on has a code in its envelope, or something is wrong.
    pub(crate) fn answered(&self, status: u16, body: &[u8]) {
        let mut answers = self.answers();
        answers.requests += 1;
        *answers.by_status.entry(status).or_default() += 1;
        if status >= 400 {
            let envelope = serde_json::from_slice::<Envelope>(body);
            let code = envelope.map_or_else(|_| "(no envelope)".to_owned(), |body| body.code);
            *answers.codes.entry(code).or_default() += 1;
        }
    }

    pub(crate) fn unanswered(&self, error: &reqwest::Error) {
        let mut answers = self.answers();
        *answers.unanswered.entry(error.to_string()).or_default() += 1;
    }

    pub(crate) fn now(&self) -> Answers {
        self.answers().clone()
    }
}

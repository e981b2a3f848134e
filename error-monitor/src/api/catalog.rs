//! What this program declares.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::guard::Call;
use super::{AdminError, Answer, Api};

/// All errors that this program declares.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Catalog {
    errors: Vec<Declared>,
}

/// One declared error.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Declared {
    domain: &'static str,
    code: &'static str,
    status: u16,
    title: &'static str,
    /// What it says of itself.
    description: &'static str,
    /// The `type` of its problem, where its documentation is.
    docs: Option<&'static str>,
    /// Whether a caller may retry.
    retryable: bool,
    category: &'static str,
}

pub(super) async fn catalog(_: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    let declared = |spec: &'static error_runtime::ErrorSpec| Declared {
        domain: spec.domain,
        code: spec.code,
        status: spec.status.as_u16(),
        title: spec.title,
        description: spec.description,
        docs: spec.docs,
        retryable: spec
            .retryable
            .unwrap_or(matches!(spec.status.as_u16(), 408 | 425 | 429 | 502..=504)),
        category: spec.category,
    };
    let mut errors: Vec<_> = error_runtime::catalog::all()
        .into_iter()
        .map(declared)
        .collect();
    errors.dedup_by(|a, b| (a.domain, a.code, a.status) == (b.domain, b.code, b.status));
    Answer::json(&Catalog { errors })
}

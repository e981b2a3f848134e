//! What makes two failures the same one.

use crate::{ApiError, ErrorSpec};

/// `domain/code`, and the type of the source where the declaration has one.
pub(crate) fn of(error: &dyn ApiError) -> String {
    let spec = error.spec();
    with(spec, error.code())
}

fn with(spec: &ErrorSpec, code: &str) -> String {
    match spec.source_type {
        Some(source) => format!("{}/{code}/{source}", spec.domain),
        None => format!("{}/{code}", spec.domain),
    }
}

//! The numbers for Prometheus.

use std::sync::Arc;

use axum::http::header;
use axum::response::IntoResponse;

use super::guard::Call;
use super::{AdminError, Answer, Api};
use crate::metrics::prefers_open_metrics;
use crate::store::StoreError;

pub(super) async fn metrics(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let accept = call.headers.get_all(header::ACCEPT).iter();
    let accept: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
    let text = api.metrics.text(prefers_open_metrics(&accept.join(",")));
    // Writing to a text does not fail; a label might.
    let (text, media_type) =
        text.map_err(|_| StoreError::Failed("the metrics cannot be written".to_owned()))?;
    let head = [(header::CONTENT_TYPE, media_type), (header::VARY, "Accept")];
    Ok(Answer((head, text).into_response()))
}

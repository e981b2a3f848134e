//! Requests that are not the traffic's: somebody with curl, or a browser at the dashboard that asks for an icon.
//! The monitor counts them, and the traffic does not know of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use error_runtime::{Delivery, ErrorEvent, Reporter};

/// What ids of the traffic's requests begin with.
pub(crate) const TRAFFIC: &str = "traffic-";

/// What others have asked. Copies are one.
#[derive(Clone, Default)]
pub(crate) struct Others(Arc<Mutex<Asked>>);

#[derive(Clone, Default)]
pub(crate) struct Asked {
    pub(crate) requests: u64,
    pub(crate) codes: BTreeMap<String, u64>,
}

impl Others {
    pub(crate) fn asked(&self) -> Asked {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Around the service's own routes. The monitor's are outside: what they answer is counted by nobody.
pub(crate) async fn count(State(others): State<Others>, request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id");
    let is_traffic = id.is_some_and(|id| id.as_bytes().starts_with(TRAFFIC.as_bytes()));
    let response = next.run(request).await;
    if !is_traffic {
        others
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests += 1;
    }
    response
}

/// Told by the edge, as the monitor is: only there the code of an answer is known.
impl Reporter for Others {
    fn report(&self, event: &ErrorEvent) {
        let id = event.request_id.as_deref().unwrap_or_default();
        // What the monitor's own endpoints refuse is no failure of the service.
        if !id.starts_with(TRAFFIC) && event.domain != "error-monitor" {
            let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *asked.codes.entry(event.code.to_string()).or_default() += 1;
        }
    }

    /// It only takes a note.
    fn delivery(&self) -> Delivery {
        Delivery::Inline
    }
}

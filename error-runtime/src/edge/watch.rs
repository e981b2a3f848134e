//! A body that breaks off after the head of its response was sent: too late to answer, not to report.

use std::error::Error;
use std::sync::Arc;

use super::answer;
use super::node::Node;
use super::stand_in::BrokenOff;
use crate::{ErrorEvent, Origin, RequestContext};

/// Whom to tell.
pub(super) struct Watch {
    pub(super) edge: Arc<Node>,
    pub(super) context: RequestContext,
}

impl Watch {
    #[cold]
    pub(super) fn broke_off(&self, error: &(dyn Error + 'static)) {
        let error = BrokenOff {
            text: crate::report::shown(error),
            chain: crate::report::chain(error.source()),
        };
        if answer::wanted(&self.edge, &error) {
            let mut event = ErrorEvent::of(&error, Origin::Stream, None);
            let status = event.status;
            event.message.clear();
            event.chain = error.chain;
            answer::report(&self.edge, None, Arc::new(event), status, &self.context);
        }
    }
}

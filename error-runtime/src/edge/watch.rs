//! A body that breaks off after the head of its response was sent: too late to answer, not to report.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use super::answer;
use super::node::Node;
use super::stand_in::BrokenOff;
use crate::context::{Around, Entered};
use crate::{ErrorEvent, Origin, RequestContext, fault};

/// An error of a body, as both frameworks can hold it.
type BoxedError = Box<dyn Error + Send + Sync>;

/// A stream goes on in its request when the handler is long done; and whom to tell when it breaks off.
pub(super) struct Watch {
    edge: Arc<Node>,
    context: Option<RequestContext>,
    around: Around,
    /// Told once, however often it is polled after; and not of a failure that is told already.
    is_told: bool,
}

/// With a response: an edge further in watches its body.
#[derive(Clone, Copy)]
pub(super) struct IsWatched;

impl Watch {
    pub(super) fn new(
        edge: Arc<Node>,
        context: RequestContext,
        around: Around,
        is_told: bool,
    ) -> Self {
        Self {
            edge,
            context: Some(context),
            around,
            is_told,
        }
    }

    /// Polls the stream in its request. Its panic is an error of the body.
    pub(super) fn poll<T, E: Into<BoxedError>>(
        &mut self,
        poll: impl FnOnce() -> Poll<Option<Result<T, E>>>,
    ) -> Poll<Option<Result<T, BoxedError>>> {
        let polled = {
            let _entered = Entered::new(&mut self.context);
            self.around.run(|| catch_unwind(AssertUnwindSafe(poll)))
        };
        let next = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(next)) => next.map(|part| part.map_err(Into::into)),
            Err(panic) => {
                let text = fault::panic_text(&*panic).to_owned();
                fault::discard(panic);
                Some(Err(format!("a body panicked: {text}").into()))
            }
        };
        if let Some(Err(error)) = &next {
            self.broke_off(&**error);
        }
        Poll::Ready(next)
    }

    #[cold]
    fn broke_off(&mut self, error: &(dyn Error + 'static)) {
        let Some(context) = self.context.as_ref().filter(|_| !self.is_told) else {
            return;
        };
        self.is_told = true;
        let error = BrokenOff {
            text: crate::report::shown(error),
            chain: crate::report::chain(error.source()),
        };
        if answer::wanted(&self.edge, &error) {
            let mut event = ErrorEvent::of(&error, Origin::Stream, None);
            let status = event.status;
            event.message.clear();
            event.chain = error.chain;
            self.around
                .run(|| answer::report(&self.edge, Arc::new(event), status, context));
        }
    }
}

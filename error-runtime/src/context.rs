//! Which request is being answered: its ids go into every envelope rendered meanwhile.

use std::cell::RefCell;
use std::sync::Arc;

/// The ids of the request that this code runs for.
///
/// ```
/// use error_runtime::{RequestContext, RequestId};
/// let context = RequestContext::new(RequestId::new());
/// context.enter(|| {
///     // Every error rendered in here carries the id.
///     assert_eq!(RequestContext::current(), Some(context.clone()));
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestContext(Arc<Ids>);

#[derive(Debug, PartialEq, Eq)]
struct Ids {
    request: Box<str>,
    trace: Option<Box<str>>,
}

thread_local! {
    static CURRENT: RefCell<Option<RequestContext>> = const { RefCell::new(None) };
}

impl RequestContext {
    /// A context with a request id and no trace id.
    pub fn new(request_id: impl Into<String>) -> Self {
        Self(Arc::new(Ids {
            request: request_id.into().into_boxed_str(),
            trace: None,
        }))
    }

    /// The same with a trace id.
    #[must_use]
    pub fn with_trace_id(&self, trace_id: impl Into<String>) -> Self {
        Self(Arc::new(Ids {
            request: self.0.request.clone(),
            trace: Some(trace_id.into().into_boxed_str()),
        }))
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.0.request
    }

    /// The id of the distributed trace, where known.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace.as_deref()
    }

    /// The context that this thread runs in.
    pub fn current() -> Option<Self> {
        CURRENT
            .try_with(|current| current.borrow().clone())
            .ok()
            .flatten()
    }

    /// Runs `run` in this context, then goes back to the one before, also after a panic.
    pub fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        struct Restore(Option<RequestContext>);
        impl Drop for Restore {
            fn drop(&mut self) {
                // Outside the borrow: dropping a context never runs foreign code, but costs nothing to be sure.
                let _entered = CURRENT.replace(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self.clone())));
        run()
    }
}

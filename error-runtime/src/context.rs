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
        let copy = |current: Option<&Self>| current.cloned();
        Self::with_current(copy)
    }

    /// Lends the current context, without the two locked instructions of a copy.
    pub(crate) fn with_current<R>(run: impl FnOnce(Option<&Self>) -> R) -> R {
        let mut run = Some(run);
        let lent = CURRENT.try_with(|current| {
            let current = current.borrow();
            run.take().map(|run| run(current.as_ref()))
        });
        match (lent, run) {
            (Ok(Some(result)), _) => result,
            // The thread is ending, and its context is gone.
            (_, Some(run)) => run(None),
            (_, None) => unreachable!("`run` is taken only to be called"),
        }
    }

    /// Runs `run` in this context, then goes back to the one before, also after a panic.
    ///
    /// While an answer is being rendered its context stays: entering another within a `Display`
    /// changes nothing.
    pub fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        /// Goes back, if the context could be entered.
        struct Restore(Result<Option<RequestContext>, Lent>);
        impl Drop for Restore {
            fn drop(&mut self) {
                if let Ok(before) = &mut self.0 {
                    drop(swap(before.take()));
                }
            }
        }
        let _restore = Restore(swap(Some(self.clone())));
        run()
    }
}

/// The context is lent to an answer, or gone with its thread.
struct Lent;

/// Puts another context in place and gives back the one before.
fn swap(context: Option<RequestContext>) -> Result<Option<RequestContext>, Lent> {
    CURRENT
        .try_with(|current| match current.try_borrow_mut() {
            Ok(mut current) => Ok(std::mem::replace(&mut *current, context)),
            Err(_) => Err(Lent),
        })
        .unwrap_or(Err(Lent))
}

//! The request that a thread runs for at the moment, and futures that take it along.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Around, RequestContext};

thread_local! {
    static CURRENT: RefCell<Option<RequestContext>> = const { RefCell::new(None) };
}

impl RequestContext {
    /// The context that this code runs in.
    pub fn current() -> Option<Self> {
        let copy = |current: Option<&Self>| current.cloned();
        Self::with_current(copy)
    }

    /// Lends the current context, without the locked instructions of a copy.
    pub(crate) fn with_current<R>(run: impl FnOnce(Option<&Self>) -> R) -> R {
        let mut run = Some(run);
        let lent = CURRENT.try_with(|current| {
            // Lent already, and changed just now: as good as none.
            let current = current.try_borrow().ok();
            let current = current.as_ref().and_then(|current| current.as_ref());
            run.take().map(|run| run(current))
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
        let mut context = Some(self.clone());
        let _entered = Entered::new(&mut context);
        run()
    }

    /// Makes a future run in this context, wherever it is polled: for tasks that are spawned. It also takes
    /// along the span of `tracing` and the hub of Sentry that this code runs in.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use error_runtime::RequestContext;
    /// let context = RequestContext::new("018f");
    /// let task = tokio::spawn(context.scope(async { RequestContext::current() }));
    /// assert_eq!(task.await.unwrap(), Some(context));
    /// # });
    /// ```
    pub fn scope<F>(&self, future: F) -> Scoped<F> {
        self.scope_in(Around::current(), future)
    }

    /// The same, in this span and hub.
    pub(crate) fn scope_in<F>(&self, around: Around, future: F) -> Scoped<F> {
        Scoped {
            future: Some(future),
            context: Some(self.clone()),
            around,
        }
    }
}

/// Spawns a task that runs in the current request's context, where there is one, and in its span.
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::spawn`.
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub fn spawn<F>(future: F) -> ::tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    ::tokio::spawn(Scoped {
        future: Some(future),
        context: RequestContext::current(),
        around: Around::current(),
    })
}

/// Exchanges the current context with another. False, and nothing has changed, if it is lent to an answer or
/// gone with its thread.
fn exchange(other: &mut Option<RequestContext>) -> bool {
    let exchanged = CURRENT.try_with(|current| match current.try_borrow_mut() {
        Ok(mut current) => {
            std::mem::swap(&mut *current, other);
            true
        }
        Err(_) => false,
    });
    exchanged.unwrap_or(false)
}

/// While it lives its context is the current one, and the one before is kept in its place: moved there and
/// back, since a copy would be two locked instructions for every poll.
pub(crate) struct Entered<'a> {
    other: &'a mut Option<RequestContext>,
    is_in_force: bool,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(crate) fn new(context: &'a mut Option<RequestContext>) -> Self {
        Self {
            is_in_force: exchange(context),
            other: context,
        }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_in_force {
            exchange(self.other);
        }
    }
}

pin_project_lite::pin_project! {
    /// The future of [`RequestContext::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        // Taken out to be dropped in its context.
        #[pin]
        future: Option<F>,
        context: Option<RequestContext>,
        around: Around,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.context.is_some().then(|| Entered::new(this.context));
            this.around.run(|| this.future.set(None));
        }
    }
}

impl<F> std::fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // A task that was spawned outside of a request keeps whatever context there is.
        let _entered = this.context.is_some().then(|| Entered::new(this.context));
        this.around.run(|| match this.future.as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        })
    }
}

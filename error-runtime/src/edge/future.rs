//! The future of a request at an edge.

use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::Body;

use super::body::EdgeBody;
use super::visit::{Failed, Visit};
use crate::context::Entered;
use crate::tower::BoxError;
use crate::{RequestContext, fault};

pin_project_lite::pin_project! {
    /// The future of [`ErrorService`](crate::ErrorService).
    #[must_use = "futures do nothing unless polled"]
    pub struct EdgeFuture<F> {
        #[pin]
        state: State<F>,
        visit: Visit,
        // Taken with the response.
        context: Option<RequestContext>,
    }

    impl<F> PinnedDrop for EdgeFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.context.is_some() {
                // What a cancelled handler drops belongs to its request.
                let _entered = Entered::new(this.context);
                let visit = &*this.visit;
                visit.around.run(|| this.state.set(State::Done));
            }
        }
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running {
            #[pin]
            future: F,
        },
        Failed {
            failure: Option<Failed>,
        },
        Done,
    }
}

impl<F> EdgeFuture<F> {
    /// Calls the service for a request.
    #[inline]
    pub(super) fn new(
        visit: Visit,
        context: RequestContext,
        call: impl FnOnce() -> Result<F, BoxError>,
    ) -> Self {
        let mut future = Self {
            state: State::Done,
            visit,
            context: Some(context),
        };
        let Self {
            state,
            visit,
            context,
        } = &mut future;
        let entered = Entered::new(context);
        // Requests and futures are large: what is called is taken from where it is, what it gives is
        // written where it stays, and the closures between have references.
        let mut call = Some(call);
        let called = visit.around.run(|| {
            catch_unwind(AssertUnwindSafe(|| {
                let Some(call) = call.take() else { return };
                *state = match call() {
                    Ok(future) => State::Running { future },
                    Err(error) => State::failed(Failed::Error(error)),
                };
            }))
        });
        if let Err(panic) = called {
            *state = State::failed(Failed::Panic(panic));
        }
        drop(entered);
        future
    }
}

impl<F> State<F> {
    #[cold]
    fn failed(failure: Failed) -> Self {
        Self::Failed {
            failure: Some(failure),
        }
    }
}

impl<F> fmt::Debug for EdgeFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeFuture")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl<F, R, E> Future for EdgeFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<EdgeBody<R>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(
            this.context.is_some(),
            "the answer of an edge was polled after its end"
        );
        let visit = &*this.visit;
        let entered = Entered::new(this.context);
        let mut result = None;
        let polled = visit.around.run(|| {
            catch_unwind(AssertUnwindSafe(|| match this.state.as_mut().project() {
                StateProjection::Running { future } => {
                    if let Poll::Ready(ready) = future.poll(context) {
                        result = Some(ready.map_err(|error| Failed::Error(error.into())));
                    }
                }
                StateProjection::Failed { failure } => result = failure.take().map(Err),
                StateProjection::Done => {}
            }))
        });
        if let Err(panic) = polled {
            result = Some(Err(Failed::Panic(panic)));
        }
        let Some(result) = result else {
            return Poll::Pending;
        };
        // What the service drops at its end may panic too.
        let dropped = visit
            .around
            .run(|| catch_unwind(AssertUnwindSafe(|| this.state.set(State::Done))));
        if let Err(panic) = dropped {
            fault::discard(panic);
        }
        drop(entered);
        match this.context.take() {
            Some(context) => {
                let response = visit.around.run(|| visit.respond(&context, result));
                Poll::Ready(Ok(response))
            }
            None => unreachable!("it was there at the start, and has just been put back"),
        }
    }
}

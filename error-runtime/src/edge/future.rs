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
        // Taken with the response.
        visit: Option<Visit>,
        context: Option<RequestContext>,
    }

    impl<F> PinnedDrop for EdgeFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What a cancelled handler drops belongs to its request.
            let _entered = Entered::new(this.context);
            this.state.set(State::Done);
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
    pub(super) fn new(
        called: Result<F, Failed>,
        visit: Visit,
        context: Option<RequestContext>,
    ) -> Self {
        Self {
            state: match called {
                Ok(future) => State::Running { future },
                Err(failure) => State::Failed {
                    failure: Some(failure),
                },
            },
            visit: Some(visit),
            context,
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
        let Some(visit) = this.visit.as_ref() else {
            panic!("the answer of an edge was polled after its end");
        };
        let entered = Entered::new(this.context);
        let result = visit.around.run(|| match this.state.as_mut().project() {
            StateProjection::Running { future } => {
                let poll = || future.poll(context);
                match catch_unwind(AssertUnwindSafe(poll)) {
                    Ok(Poll::Pending) => None,
                    Ok(Poll::Ready(Ok(response))) => Some(Ok(response)),
                    Ok(Poll::Ready(Err(error))) => Some(Err(Failed::Error(error.into()))),
                    Err(panic) => Some(Err(Failed::Panic(panic))),
                }
            }
            StateProjection::Failed { failure } => failure.take().map(Err),
            StateProjection::Done => None,
        });
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
        let response = visit.around.run(|| visit.respond(result));
        *this.visit = None;
        Poll::Ready(Ok(response))
    }
}

//! A limit of time for one call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::Rejected;
use crate::policy::{AcceptsRejected, IsResult};
use crate::time::{Alarm, Clock, nanos};

pin_project_lite::pin_project! {
    /// The future of [`with_timeout`].
    ///
    /// The limit counts from the first time that the call has to wait: one that is ready at once touches
    /// neither a timer nor a clock.
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<'c, F> {
        #[pin]
        op: F,
        clock: &'c Clock,
        nanos: u64,
        alarm: Alarm,
    }
}

impl<F> fmt::Debug for Timeout<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("limit", &Duration::from_nanos(self.nanos))
            .finish_non_exhaustive()
    }
}

static SYSTEM: Clock = Clock::SYSTEM;

/// Gives up a call that takes longer than `limit`, as [`Rejected::Timeout`]; what `#[timeout]` does.
///
/// ```
/// # use error_runtime::{ApiError, Rejected, with_timeout};
/// # use std::time::Duration;
/// #[derive(Debug, ApiError)]
/// enum MailError {
///     #[api(transparent)]
///     Rejected(#[from] Rejected),
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let never = std::future::pending::<Result<(), MailError>>();
/// let late = with_timeout(Duration::from_millis(1), never).await;
/// assert!(matches!(late, Err(MailError::Rejected(Rejected::Timeout))));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[inline]
pub fn with_timeout<F>(limit: Duration, op: F) -> Timeout<'static, F>
where
    F: Future<Output: IsResult<Error: AcceptsRejected>>,
{
    Timeout::new(&SYSTEM, nanos(limit), op)
}

impl<'c, F> Timeout<'c, F> {
    #[inline]
    pub(crate) fn new(clock: &'c Clock, nanos: u64, op: F) -> Self {
        Self {
            op,
            clock,
            nanos,
            alarm: Alarm::Off,
        }
    }
}

impl<F, R> Future for Timeout<'_, F>
where
    F: Future<Output = R>,
    R: IsResult,
    R::Error: AcceptsRejected,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        if let Poll::Ready(result) = this.op.poll(context) {
            return Poll::Ready(result);
        }
        this.alarm
            .poll(this.clock, *this.nanos, context)
            .map(|()| R::from_result(Err(R::Error::from_rejected(Rejected::Timeout))))
    }
}

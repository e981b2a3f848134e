//! A limit on calls that run at the same time, so that one slow service does not take all there is.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use crate::policy::{AcceptsRejected, IsResult};
use crate::{ConfigError, Rejected};

/// Lets so many calls run at a time and refuses the rest at once, as [`Rejected::BulkheadFull`].
///
/// ```
/// use error_runtime::Bulkhead;
/// static RENDERER: Bulkhead = Bulkhead::const_new(1);
/// let slot = RENDERER.try_acquire()?;
/// assert!(RENDERER.try_acquire().is_err());
/// drop(slot);
/// assert!(RENDERER.try_acquire().is_ok());
/// # Ok::<(), error_runtime::Rejected>(())
/// ```
#[derive(Debug)]
pub struct Bulkhead {
    max: u32,
    running: AtomicU32,
}

/// Leave for one call to run; given back when dropped.
#[derive(Debug)]
#[must_use = "the slot is free again as soon as this is dropped"]
pub struct BulkheadSlot<'b>(&'b Bulkhead);

impl Drop for BulkheadSlot<'_> {
    fn drop(&mut self) {
        // What the call wrote is seen by the one that takes the slot next.
        self.0.running.fetch_sub(1, Ordering::Release);
    }
}

impl Bulkhead {
    /// Room for `max` calls at a time.
    ///
    /// # Errors
    ///
    /// If there is room for none.
    pub const fn new(max: u32) -> Result<Self, ConfigError> {
        if max == 0 {
            return Err(ConfigError::new("max", "`max` is at least 1"));
        }
        Ok(Self {
            max,
            running: AtomicU32::new(0),
        })
    }

    /// The same for a `static`.
    ///
    /// # Panics
    ///
    /// If there is room for none; in a `static` that is a compile error.
    pub const fn const_new(max: u32) -> Self {
        match Self::new(max) {
            Ok(bulkhead) => bulkhead,
            Err(error) => panic!("{}", error.reason),
        }
    }

    /// How many calls run now.
    pub fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// Leave for one call.
    ///
    /// # Errors
    ///
    /// [`Rejected::BulkheadFull`] if as many run as may.
    #[inline]
    pub fn try_acquire(&self) -> Result<BulkheadSlot<'_>, Rejected> {
        // Never above `max`, not even for a moment: whoever counts past it would refuse others.
        self.running
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |running| {
                (running < self.max).then_some(running + 1)
            })
            .map(|_| BulkheadSlot(self))
            .map_err(|_| Rejected::BulkheadFull)
    }

    /// Runs a call if there is room.
    ///
    /// # Errors
    ///
    /// The call's own, or [`Rejected::BulkheadFull`] as its error type.
    #[inline]
    pub fn call<R>(&self, op: impl FnOnce() -> R) -> R
    where
        R: IsResult<Error: AcceptsRejected>,
    {
        match self.try_acquire() {
            Ok(_slot) => op(),
            Err(rejected) => R::from_result(Err(R::Error::from_rejected(rejected))),
        }
    }

    /// Runs a future if there is room when it is first polled.
    #[inline]
    pub fn call_async<F>(&self, op: F) -> BulkheadFuture<'_, F>
    where
        F: Future<Output: IsResult<Error: AcceptsRejected>>,
    {
        BulkheadFuture {
            op,
            place: Place::Asks(self),
        }
    }
}

pin_project_lite::pin_project! {
    /// The future of [`Bulkhead::call_async`]; dropped, it gives its slot back.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct BulkheadFuture<'b, F> {
        #[pin]
        op: F,
        place: Place<'b>,
    }
}

#[derive(Debug)]
enum Place<'b> {
    Asks(&'b Bulkhead),
    Has(#[expect(dead_code, reason = "held to be dropped")] BulkheadSlot<'b>),
    Done,
}

impl<F, R> Future for BulkheadFuture<'_, F>
where
    F: Future<Output = R>,
    R: IsResult<Error: AcceptsRejected>,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        if let Place::Asks(bulkhead) = *this.place {
            *this.place = match bulkhead.try_acquire() {
                Ok(slot) => Place::Has(slot),
                Err(rejected) => {
                    *this.place = Place::Done;
                    let error = R::Error::from_rejected(rejected);
                    return Poll::Ready(R::from_result(Err(error)));
                }
            };
        }
        assert!(
            !matches!(this.place, Place::Done),
            "a call in a bulkhead was polled after its end"
        );
        let result = std::task::ready!(this.op.poll(context));
        *this.place = Place::Done;
        Poll::Ready(result)
    }
}

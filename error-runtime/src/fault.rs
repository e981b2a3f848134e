//! What goes wrong while an answer is rendered: never fatal, never silent.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A part of an answer that could not be rendered. The answer went out without it.
///
/// A fault is a bug in the application's own code (a `Display` that panics, a `Serialize` that
/// fails) or hostile text in a header field; its `reason` may hold internal text and is for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderFault {
    /// The machine code of the error whose answer it is.
    pub code: String,
    /// The part that is missing.
    pub part: FaultPart,
    /// Why.
    pub reason: String,
}

/// The part of an answer that a [`RenderFault`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultPart {
    /// The message; the public text of the status was sent instead.
    Message,
    /// One detail, by its key.
    Detail(String),
    /// A field whose entries go into the details.
    Flattened,
    /// All details: rendering them panicked.
    Details,
    /// One header, by its name.
    Header(String),
    /// The headers that the error adds itself: asking for them panicked.
    Headers,
    /// A page of one's own; the default page was sent instead.
    Page,
    /// The body in a format of one's own; the envelope was sent instead.
    Body,
    /// A handler of an edge panicked; the error was answered as it is.
    Map,
    /// The error itself could not be asked; an `INTERNAL_ERROR` was sent instead.
    Error,
}

impl fmt::Display for FaultPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message => f.write_str("message"),
            Self::Detail(key) => write!(f, "detail {key:?}"),
            Self::Flattened => f.write_str("flattened detail"),
            Self::Details => f.write_str("details"),
            Self::Header(name) => write!(f, "header {name:?}"),
            Self::Headers => f.write_str("headers"),
            Self::Page => f.write_str("page"),
            Self::Body => f.write_str("body"),
            Self::Map => f.write_str("handler"),
            Self::Error => f.write_str("error"),
        }
    }
}

type Hook = Box<dyn Fn(&RenderFault) + Send + Sync>;

static FAULTS: AtomicU64 = AtomicU64::new(0);
static HOOK: OnceLock<Hook> = OnceLock::new();

/// How many faults this process has met.
pub fn render_fault_count() -> u64 {
    FAULTS.load(Ordering::Relaxed)
}

/// Decides where faults are reported; the first call of a process counts and returns true.
///
/// Without it they go to `tracing` at level error under the feature `tracing`, else to standard
/// error, one line each.
#[must_use = "false means that another hook is in place"]
pub fn set_render_fault_hook(hook: impl Fn(&RenderFault) + Send + Sync + 'static) -> bool {
    HOOK.set(Box::new(hook)).is_ok()
}

thread_local! {
    /// How many attempts this thread is in; their faults wait for the outermost to succeed.
    static ATTEMPTS: Cell<u32> = const { Cell::new(0) };
    static PENDING: RefCell<Vec<RenderFault>> = const { RefCell::new(Vec::new()) };
    /// How many there are: reading it needs no destructor to be registered.
    static PENDING_COUNT: Cell<usize> = const { Cell::new(0) };
    /// The hook runs: what it renders itself is counted and not reported, or it might never end.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// Renders something without a guard around each part; a panic gives up all of it, with the faults
/// reported so far, so that a second, careful attempt reports each once. False if it panicked.
#[inline]
pub(crate) fn attempt(run: impl FnOnce()) -> bool {
    let before = PENDING_COUNT.get();
    ATTEMPTS.set(ATTEMPTS.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(run));
    ATTEMPTS.set(ATTEMPTS.get() - 1);
    match done {
        Ok(()) => {
            if PENDING_COUNT.get() > 0 && ATTEMPTS.get() == 0 {
                flush();
            }
            true
        }
        Err(panic) => {
            discard(panic);
            let _ = PENDING.try_with(|faults| faults.borrow_mut().truncate(before));
            PENDING_COUNT.set(before);
            false
        }
    }
}

#[cold]
fn flush() {
    let faults = PENDING.try_with(RefCell::take).unwrap_or_default();
    PENDING_COUNT.set(0);
    faults.iter().for_each(emit);
}

/// Counts and reports a fault.
#[cold]
pub(crate) fn report(code: &str, part: FaultPart, reason: impl fmt::Display) {
    let fault = RenderFault {
        code: code.to_owned(),
        part,
        // The reason is the text of foreign code: it may panic in its turn.
        reason: guarded(|| reason.to_string()).unwrap_or_else(|panic| panic),
    };
    if ATTEMPTS.get() == 0 {
        emit(&fault);
    } else {
        let _ = PENDING.try_with(|faults| {
            let mut faults = faults.borrow_mut();
            faults.push(fault);
            PENDING_COUNT.set(faults.len());
        });
    }
}

/// A hook that panics harms nobody, nor does one that renders a faulty error in its turn.
fn emit(fault: &RenderFault) {
    FAULTS.fetch_add(1, Ordering::Relaxed);
    if IN_HOOK.replace(true) {
        return;
    }
    let _ = guarded(|| match HOOK.get() {
        Some(hook) => hook(fault),
        None => default_hook(fault),
    });
    IN_HOOK.set(false);
}

#[cfg(feature = "tracing")]
fn default_hook(fault: &RenderFault) {
    tracing::error!(
        code = fault.code,
        part = %fault.part,
        reason = fault.reason.escape_debug().to_string(),
        "part of an error response could not be rendered"
    );
}

#[cfg(not(feature = "tracing"))]
fn default_hook(fault: &RenderFault) {
    use std::io::Write as _;

    // Not `eprintln!`: it panics where standard error is closed. `{:?}` keeps it one line.
    let _ = writeln!(
        std::io::stderr(),
        "error-runtime: {} of {} could not be rendered: {:?}",
        fault.part,
        fault.code,
        fault.reason
    );
}

/// Runs code of the application's; a panic becomes its message.
pub(crate) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic_text(panic.as_ref()).to_owned();
        discard(panic);
        text
    })
}

/// Drops what was thrown, which is foreign code too.
#[cold]
pub(crate) fn discard(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

/// The message of a panic, where it is a text.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

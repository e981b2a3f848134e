//! What goes wrong while an answer is rendered: never fatal, never silent.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A part of an answer that could not be rendered. The answer went out without it.
///
/// A fault is a bug in the application's own code (a `Display` that panics, a `Serialize` that
/// fails) or hostile text in a header field; its `reason` may hold internal text and is for logs.
#[derive(Clone, Debug)]
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
    /// All details: rendering them panicked.
    Details,
    /// One header, by its name.
    Header(String),
    /// All headers taken from fields: rendering them panicked.
    Headers,
    /// A page of one's own; the default page was sent instead.
    Page,
}

impl fmt::Display for FaultPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message => f.write_str("message"),
            Self::Detail(key) => write!(f, "detail {key:?}"),
            Self::Details => f.write_str("details"),
            Self::Header(name) => write!(f, "header {name:?}"),
            Self::Headers => f.write_str("headers"),
            Self::Page => f.write_str("page"),
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
pub fn set_render_fault_hook(hook: impl Fn(&RenderFault) + Send + Sync + 'static) -> bool {
    HOOK.set(Box::new(hook)).is_ok()
}

/// Counts and reports a fault. A hook that panics harms nobody.
#[cold]
pub(crate) fn report(code: &str, part: FaultPart, reason: impl fmt::Display) {
    FAULTS.fetch_add(1, Ordering::Relaxed);
    let fault = RenderFault {
        code: code.to_owned(),
        part,
        // The reason is the text of foreign code: it may panic in its turn.
        reason: guarded(|| reason.to_string()).unwrap_or_else(|panic| panic),
    };
    let _ = catch_unwind(AssertUnwindSafe(|| match HOOK.get() {
        Some(hook) => hook(&fault),
        None => default_hook(&fault),
    }));
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
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| panic_text(panic.as_ref()).to_owned())
}

/// The message of a panic, where it is a text.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

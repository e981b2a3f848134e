//! What several tests need.

use error_runtime::format::{HtmlPage, JsonEnvelope, ProblemJson};
use error_runtime::{
    ApiError, Format, RenderFault, http_response, http_response_with, set_render_fault_hook,
};
use http::Response;
use serde_json::Value;
use std::cell::Cell;
use std::sync::{Mutex, Once, OnceLock, PoisonError};

/// The envelope's inside, without the timestamp.
pub(crate) fn body(error: &dyn ApiError) -> Value {
    let response = http_response(error);
    let mut body: Value = serde_json::from_slice(response.body()).expect("the envelope is JSON");
    let mut inside = body["error"].take();
    assert!(inside["timestamp"].is_string(), "{inside}");
    inside
        .as_object_mut()
        .expect("an object")
        .remove("timestamp");
    inside
}

/// The answer in each format, as text.
pub(crate) fn in_every_format(error: &dyn ApiError) -> Vec<(&'static str, Response<String>)> {
    let formats: [(&str, &dyn Format); 3] = [
        ("envelope", &JsonEnvelope),
        ("problem+json", &ProblemJson),
        ("html", &HtmlPage::new()),
    ];
    formats
        .into_iter()
        .map(|(name, format)| {
            let response = http_response_with(error, format);
            (
                name,
                response.map(|body| String::from_utf8(body).expect("every format is UTF-8")),
            )
        })
        .collect()
}

/// The faults reported since the process began whose code is `code`: each test uses its own.
pub(crate) fn faults(code: &str) -> Vec<RenderFault> {
    let faults = all_faults().lock().unwrap_or_else(PoisonError::into_inner);
    faults
        .iter()
        .filter(|fault| fault.code == code)
        .cloned()
        .collect()
}

/// Collects faults from now on; to be called before what may fail.
pub(crate) fn collect_faults() {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        set_render_fault_hook(|fault| {
            all_faults()
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(fault.clone());
        })
    });
    assert!(installed, "no other test may set the hook");
}

fn all_faults() -> &'static Mutex<Vec<RenderFault>> {
    static FAULTS: Mutex<Vec<RenderFault>> = Mutex::new(Vec::new());
    &FAULTS
}

/// Runs code whose panics are expected, without their messages in the output.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    // One hook for all threads: the panics of other tests are still told.
    HOOK.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                tell(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = run();
    QUIET.set(before);
    result
}

//! The time as RFC 3339 and a fresh request id: what every answer needs, apart from the answer.

use std::fmt::{self, Write};
use std::time::SystemTime;

use error_runtime::RequestId;
use error_runtime::time::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// One clock read serves both.
pub fn ours() -> (RequestId, Text) {
    let now = Timestamp::now();
    let mut text = Text::default();
    // A timestamp has 24 characters, and fits.
    let _ = write!(text, "{now}");
    (RequestId::at(now), text)
}

pub fn clock() -> SystemTime {
    SystemTime::now()
}

pub fn uuid() -> String {
    Uuid::now_v7().to_string()
}

pub fn chrono() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

pub fn time() -> Option<String> {
    OffsetDateTime::now_utc().format(&Rfc3339).ok()
}

/// A short text on the stack.
#[derive(Default)]
pub struct Text {
    bytes: [u8; 32],
    length: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let free = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        free.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

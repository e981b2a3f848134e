//! Query parameters: declared once, read by the rules that the `OpenAPI` document shows.

use std::collections::BTreeMap;

use error_runtime::time::Timestamp;
use serde_json::{Value, json};

use super::AdminError;
use crate::time::{self, DAY, HOUR, MINUTE, Range};

/// A parameter that an endpoint knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
}

/// What a parameter may say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Time,
    Text,
    Status,
    /// From 1 to the most; without it, the default.
    Limit {
        most: u64,
        default: u64,
    },
    OneOf(&'static [&'static str]),
    Cursor,
    /// A place in a list that is sorted by a number and a text.
    Place,
}

pub(crate) const FROM: Param = Param {
    name: "from",
    about: "The first moment, RFC 3339 with an offset. Without it, a day before `to`.",
    kind: Kind::Time,
};
pub(crate) const TO: Param = Param {
    name: "to",
    about: "The first moment after the range. Without it, now.",
    kind: Kind::Time,
};

pub(crate) const fn text(name: &'static str, about: &'static str) -> Param {
    Param {
        name,
        about,
        kind: Kind::Text,
    }
}

pub(crate) const fn limit(most: u64, default: u64) -> Param {
    Param {
        name: "limit",
        about: "How many at most.",
        kind: Kind::Limit { most, default },
    }
}

pub(crate) const CURSOR: Param = Param {
    name: "cursor",
    about: "Where to go on: the `next_cursor` of the page before.",
    kind: Kind::Cursor,
};

/// Longer texts are nobody's code or id.
const MAX_TEXT: usize = 256;
/// No longer range is looked through.
const MAX_RANGE: u64 = 400 * DAY;
/// More steps than that are no chart.
pub(crate) const MAX_STEPS: u64 = 1500;

/// The parameters of one request, each as it may be.
#[derive(Debug, Default)]
pub(crate) struct Params(BTreeMap<&'static str, String>);

impl Params {
    /// Reads a query. Whatever is not declared, stands twice or cannot be read is refused by its name.
    pub(crate) fn read(query: Option<&str>, declared: &[Param]) -> Result<Self, AdminError> {
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or("").as_bytes()) {
            let Some(param) = declared.iter().find(|param| param.name == name) else {
                let known: Vec<_> = declared.iter().map(|param| param.name).collect();
                let known = if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                };
                let name = crate::text::clean(&name, 64);
                return Err(AdminError::invalid(
                    &name,
                    format!("there is no such parameter; there are: {known}"),
                ));
            };
            if value.chars().any(|c| c.is_control() || c == '\u{fffd}') {
                return Err(AdminError::invalid(
                    param.name,
                    "it has bytes that are no UTF-8, or control characters",
                ));
            }
            param.kind.check(param.name, &value)?;
            if found.insert(param.name, value.into_owned()).is_some() {
                return Err(AdminError::invalid(param.name, "it is given twice"));
            }
        }
        Ok(Self(found))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.get("status").and_then(|status| status.parse().ok())
    }

    pub(crate) fn limit(&self, default: u64) -> usize {
        let limit = self
            .get("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(default);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    pub(crate) fn cursor(&self) -> Option<u64> {
        self.get("cursor")
            .and_then(|cursor| u64::from_str_radix(cursor, 16).ok())
    }

    /// The range, as it was asked for.
    pub(crate) fn range(&self, now: Timestamp) -> Result<Range, AdminError> {
        // Checked when they were read.
        let moment = |name| self.get(name).and_then(|text| time::parse(text).ok());
        let to = moment("to").unwrap_or(now);
        let from = moment("from").unwrap_or_else(|| Range::before(to, DAY).from);
        if from >= to {
            let name = if self.get("from").is_some() {
                "from"
            } else {
                "to"
            };
            return Err(AdminError::out_of_range(
                name,
                "a range begins before it ends",
            ));
        }
        let range = Range { from, to };
        if range.millis() > MAX_RANGE {
            return Err(AdminError::out_of_range(
                "from",
                "a range has at most 400 days",
            ));
        }
        Ok(range)
    }

    /// The length of a step: what was asked for, or what gives a chart of some fifty.
    pub(crate) fn step(&self, range: Range) -> Result<(&'static str, u64), AdminError> {
        match self.get("bucket") {
            None => {
                let fits = STEPS.iter().find(|(_, step)| range.millis() <= step * 60);
                Ok(*fits.unwrap_or(&STEPS[STEPS.len() - 1]))
            }
            Some(name) => {
                let step = STEPS.iter().find(|(known, _)| *known == name);
                let step = step.ok_or_else(|| AdminError::invalid("bucket", "unknown"))?;
                if range.millis() > step.1 * MAX_STEPS {
                    let reason = format!("the range would have more than {MAX_STEPS} buckets");
                    return Err(AdminError::out_of_range("bucket", reason));
                }
                Ok(*step)
            }
        }
    }
}

/// How long steps may be.
const STEPS: [(&str, u64); 7] = [
    ("1m", MINUTE),
    ("5m", 5 * MINUTE),
    ("15m", 15 * MINUTE),
    ("1h", HOUR),
    ("6h", 6 * HOUR),
    ("1d", DAY),
    ("7d", 7 * DAY),
];
pub(crate) const STEP_NAMES: [&str; 7] = ["1m", "5m", "15m", "1h", "6h", "1d", "7d"];

impl Kind {
    fn check(self, name: &str, value: &str) -> Result<(), AdminError> {
        match self {
            Self::Time => {
                time::parse(value).map_err(|reason| AdminError::invalid(name, reason))?;
            }
            Self::Text => {
                if value.is_empty() {
                    return Err(AdminError::invalid(name, "it is empty; leave it out"));
                }
                if value.chars().count() > MAX_TEXT {
                    let reason = format!("it has more than {MAX_TEXT} characters");
                    return Err(AdminError::out_of_range(name, reason));
                }
            }
            Self::Status => match digits(value) {
                Some(100..=599) => {}
                Some(_) => {
                    return Err(AdminError::out_of_range(
                        name,
                        "a status is from 100 to 599",
                    ));
                }
                None => return Err(AdminError::invalid(name, "expected a status such as 503")),
            },
            Self::Limit { most, .. } => match digits(value) {
                Some(limit) if (1..=most).contains(&limit) => {}
                Some(_) => {
                    return Err(AdminError::out_of_range(
                        name,
                        format!("it is from 1 to {most}"),
                    ));
                }
                None => return Err(AdminError::invalid(name, "expected a number")),
            },
            Self::OneOf(names) => {
                if !names.contains(&value) {
                    let reason = format!("expected one of {}", names.join(", "));
                    return Err(AdminError::invalid(name, reason));
                }
            }
            Self::Place => {
                if value.is_empty() || value.len() > 4 * MAX_TEXT || !value.contains('.') {
                    return Err(AdminError::invalid(
                        name,
                        "expected the `next_cursor` of a page",
                    ));
                }
            }
            Self::Cursor => {
                let hex = value
                    .bytes()
                    .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
                if value.is_empty() || value.len() > 16 || !hex {
                    let reason = "expected the `next_cursor` of a page";
                    return Err(AdminError::invalid(name, reason));
                }
            }
        }
        Ok(())
    }

    /// The schema in the `OpenAPI` document.
    pub(crate) fn schema(self) -> Value {
        match self {
            Self::Time => json!({
                "type": "string", "format": "date-time",
                "pattern": "^(19[7-9]|[2-9][0-9]{2})[0-9]-",
            }),
            Self::Text => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_TEXT,
                // No control characters, and nothing that stands for bytes that could not be read.
                "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufffd]+$",
            }),
            Self::Status => json!({ "type": "integer", "minimum": 100, "maximum": 599 }),
            Self::Limit { most, default } => {
                json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default })
            }
            Self::OneOf(names) => json!({ "type": "string", "enum": names }),
            Self::Place => json!({
                "type": "string", "maxLength": MAX_TEXT,
                "pattern": "^[0-9a-f]{1,16}\\.[^\\u0000-\\u001f\\u007f-\\u009f\\ufffd]+$",
            }),
            Self::Cursor => json!({ "type": "string", "pattern": "^[0-9a-f]{1,16}$" }),
        }
    }
}

/// A number as people write it: no sign, no spaces.
fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    // More digits than a number has are a number still, and a large one.
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

/// How a place in a list is written.
pub(crate) fn cursor(id: u64) -> String {
    format!("{id:x}")
}

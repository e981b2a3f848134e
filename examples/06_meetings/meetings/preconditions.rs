//! Under which conditions a request is to be carried out, as headers say it.

use crate::meetings::errors::MeetingError;

/// The versions to which a change may be made, from `If-Match`.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected {
    /// `*`: whichever there is.
    Any,
    OneOf(Vec<u64>),
}

impl Expected {
    /// What is no version of ours fits no meeting, as the standard has it of entity tags.
    pub(crate) fn of_header(header: Option<&str>) -> Result<Self, MeetingError> {
        let header = header.ok_or(MeetingError::VersionRequired)?.trim();
        if header == "*" {
            return Ok(Self::Any);
        }
        let tags = header.split(',').map(str::trim);
        let versions =
            tags.filter_map(|tag| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        Ok(Self::OneOf(versions.collect()))
    }

    pub(crate) fn fits(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// The version as an entity tag.
pub(crate) fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The name that a caller gives a request, so that it may be sent twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    pub(crate) fn of_header(header: Option<&str>) -> Result<Option<Self>, MeetingError> {
        let Some(key) = header else { return Ok(None) };
        if (1..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Some(Self(key.to_owned())))
        } else {
            Err(MeetingError::BadIdempotencyKey)
        }
    }
}

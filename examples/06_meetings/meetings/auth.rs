//! Who is calling.

use error_runtime::common::{AuthorizationError, TokenError};

/// Somebody who has shown a token.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    operator: bool,
}

/// Tokens of one's own would come from a file of hashes, or be signed.
const USERS: [(&str, User); 3] = [
    ("ada-token", User::new("ada", false)),
    ("bob-token", User::new("bob", false)),
    ("ops-token", User::new("ops", true)),
];

impl User {
    const fn new(name: &'static str, operator: bool) -> Self {
        Self { name, operator }
    }

    /// The one to whom the token of this `Authorization` belongs.
    pub(crate) fn of_header(header: Option<&str>) -> Result<Self, TokenError> {
        let header = header.ok_or_else(TokenError::missing)?;
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(TokenError::missing()),
        };
        let known = USERS.into_iter().find(|(theirs, _)| *theirs == token);
        known.map(|(_, user)| user).ok_or_else(TokenError::invalid)
    }

    pub(crate) fn must_be_operator(&self) -> Result<(), AuthorizationError> {
        if self.operator {
            Ok(())
        } else {
            Err(AuthorizationError::new(["operator"]))
        }
    }
}

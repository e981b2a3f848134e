//! Who may look, and who may act.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Read everything.
    Viewer,
    /// Read and change everything.
    Operator,
}

impl Role {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }
}

/// Somebody who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) role: Option<Role>,
}

impl Identity {
    /// Somebody of this name, as the audit shows it. Without a role they may do nothing, unless their e-mail is
    /// one of the admins'.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            email: None,
            role: None,
        }
    }

    /// Their e-mail, as `ADMIN_EMAILS` would have it. Only one that is known to be theirs.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// What they may do.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }
}

/// What an [`Authenticator`] returns.
pub type AuthFuture<'a> = Pin<Box<dyn Future<Output = Option<Identity>> + Send + 'a>>;

/// Knows people by their requests: by a session, by a header that a proxy sets, by a token of one's own.
///
/// ```
/// use error_monitor::{AuthFuture, Authenticator, Identity, Role};
/// use axum::http::request::Parts;
///
/// struct BehindProxy;
///
/// impl Authenticator for BehindProxy {
///     fn authenticate<'a>(&'a self, request: &'a Parts) -> AuthFuture<'a> {
///         Box::pin(async move {
///             let email = request.headers.get("x-verified-email")?.to_str().ok()?;
///             Some(Identity::new(email).email(email).role(Role::Viewer))
///         })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Authenticator`",
    note = "a fixed secret is given with `.token(…)`; else `impl Authenticator for {Self}`"
)]
pub trait Authenticator: Send + Sync + 'static {
    /// Who sent this; nothing if that is not known. A panic in here is nobody.
    fn authenticate<'a>(&'a self, request: &'a Parts) -> AuthFuture<'a>;
}

/// Fixed secrets. Only their digests are kept.
#[derive(Clone, Default)]
pub(crate) struct BearerTokens(Vec<([u8; 32], Role)>);

impl BearerTokens {
    pub(crate) fn add(&mut self, token: &str, role: Role) {
        self.0.push((Sha256::digest(token.as_bytes()).into(), role));
    }

    /// Whose token the request bears. Every token is compared, and each in the same time.
    pub(crate) fn who(&self, headers: &HeaderMap) -> Option<Identity> {
        let token = bearer(headers)?;
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (place, (known, role)) in self.0.iter().enumerate() {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(Identity::new(format!("token {}", place + 1)).role(*role));
            }
        }
        found
    }
}

/// The secret of a request with exactly one `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (all.next()?, all.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Slows down those who guess: so many failures in a minute from one address, then none is even looked at.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<HashMap<Option<IpAddr>, Vec<Instant>>>);

const WINDOW: Duration = Duration::from_secs(60);
const PER_ADDRESS: usize = 10;
/// Where the address is not known, all share one count.
const UNKNOWN: usize = 100;
const ADDRESSES: usize = 10_000;

impl Guesses {
    /// How long an address must wait, if it has failed too often.
    pub(crate) fn wait(&self, address: Option<IpAddr>) -> Option<Duration> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let recent = failures.get_mut(&group(address))?;
        recent.retain(|at| now.duration_since(*at) < WINDOW);
        let most = if address.is_some() {
            PER_ADDRESS
        } else {
            UNKNOWN
        };
        let first = *recent.first()?;
        (recent.len() >= most).then(|| WINDOW.saturating_sub(now.duration_since(first)))
    }

    pub(crate) fn failed(&self, address: Option<IpAddr>) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if failures.len() >= ADDRESSES {
            failures.retain(|_, recent| {
                recent
                    .last()
                    .is_some_and(|at| now.duration_since(*at) < WINDOW)
            });
            if failures.len() >= ADDRESSES {
                // Guessing from everywhere: the oldest are as good as any to forget.
                failures.clear();
            }
        }
        let recent = failures.entry(group(address)).or_default();
        if recent.len() < UNKNOWN {
            recent.push(now);
        }
    }
}

/// Who has one address of the sixth version has 2^64.
fn group(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    })
}

impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BearerTokens({})", self.0.len())
    }
}

//! Accounts: register, sign in, and who a request is from.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use error_monitor::log_security_event;
use error_runtime::{AnyError, ApiError, RequestContext, ResultExt as _, Violations};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::newest::Newest;
use crate::password::{self, Password, PasswordHash};

#[derive(Debug, ApiError)]
#[api(domain = "accounts", prefix = "ACCOUNT")]
pub(crate) enum AccountError {
    /// The input breaks rules; the details say which.
    #[api(status = 422, message = "the account cannot be made from this")]
    Invalid(#[api(violations)] Violations),
    /// The e-mail has an account.
    #[api(status = 409, message = "this e-mail has an account already")]
    Taken,
    /// E-mail or password is wrong. Which of them is nobody's business, so neither is in any answer or text.
    #[api(
        status = 401,
        message = "e-mail or password is wrong",
        category = "security",
        authenticate = "Bearer realm=\"media\""
    )]
    WrongPassword {
        #[api(secret)]
        email: String,
    },
    /// No token, or one that nobody was given.
    #[api(
        status = 401,
        message = "sign in first: POST /accounts/sign-in gives a token",
        category = "security",
        authenticate = "Bearer realm=\"media\""
    )]
    SignedOut,
}

impl AccountError {
    /// The file of what concerns security is the one place that is told whose account it was.
    fn note(&self) {
        if let Self::WrongPassword { email } = self {
            log_security_event!("failed_sign_in", "a wrong e-mail or password", email);
        }
    }
}

/// What belongs to somebody belongs to this number, by chance: an e-mail may have another account one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountId(u128);

impl AccountId {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }

    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

#[derive(Debug)]
struct Account {
    id: AccountId,
    email: String,
    password: PasswordHash,
}

/// The newest accounts, in memory.
#[derive(Default)]
pub(crate) struct Accounts(Mutex<Known>);

#[derive(Default)]
struct Known {
    by_email: Newest<String, Arc<Account>>,
    by_token: Newest<String, Arc<Account>>,
}

impl Accounts {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, email: &str) -> bool {
        self.known().by_email.get(email).is_some()
    }
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    email: String,
    password: Password,
}

impl Credentials {
    fn check(&self) -> Result<(), AccountError> {
        let mut violations = Violations::new();
        if !self.email.contains('@') {
            violations.add("email", "format", "must be an e-mail address");
        }
        if !(10..=200).contains(&self.password.len()) {
            violations.add("password", "length", "must have 10 to 200 bytes");
        }
        violations.into_result(AccountError::Invalid)
    }
}

/// `POST /accounts`.
pub(crate) async fn register(
    State(app): State<Arc<App>>,
    Json(new): Json<Credentials>,
) -> Result<(StatusCode, Json<Value>), AnyError> {
    new.check()?;
    if app.accounts.has(&new.email) {
        return Err(AccountError::Taken.into());
    }
    let password = password::hash(new.password).await?;
    let email = new.email;
    let account = Arc::new(Account {
        id: AccountId::new().or_internal()?,
        email: email.clone(),
        password,
    });
    // Somebody else may have taken it meanwhile.
    {
        let mut known = app.accounts.known();
        if known.by_email.get(&email).is_some() {
            return Err(AccountError::Taken.into());
        }
        known.by_email.insert(email.clone(), account);
    }
    let mail = app.mail.welcome(&email).await?;
    let answer = json!({ "email": email, "welcome_mail": mail });
    Ok((StatusCode::CREATED, Json(answer)))
}

#[derive(Serialize)]
pub(crate) struct Token {
    token: String,
}

/// `POST /accounts/sign-in`.
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Token>, AnyError> {
    let Credentials { email, password } = credentials;
    let account = app.accounts.known().by_email.get(&email).cloned();
    // Where there is no account the same work is done: how long it takes tells nobody anything.
    let hash = account.as_ref().map(|account| account.password.clone());
    let is_right = password::is_right(password, hash).await?;
    let (true, Some(account)) = (is_right, account) else {
        let error = AccountError::WrongPassword { email };
        error.note();
        return Err(error.into());
    };
    let token = password::random_hex().or_internal()?;
    app.accounts.known().by_token.insert(token.clone(), account);
    Ok(Json(Token { token }))
}

/// `GET /accounts/me`.
pub(crate) async fn me(account: SignedIn) -> Json<Value> {
    Json(json!({ "email": account.email }))
}

/// Who a request is from: an extractor. A route that takes it is for those who have signed in.
pub(crate) struct SignedIn {
    pub(crate) id: AccountId,
    pub(crate) email: String,
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = AccountError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, Self::Rejection> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or(AccountError::SignedOut)?;
        let account = app.accounts.known().by_token.get(token).cloned();
        let account = account.ok_or(AccountError::SignedOut)?;
        if let Some(context) = RequestContext::current() {
            // Log lines and the monitor's samples then say whose failure it was.
            context.set_user(&account.email);
        }
        Ok(Self {
            id: account.id,
            email: account.email.clone(),
        })
    }
}

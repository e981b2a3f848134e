//! Checkouts, by way of a payment provider that may be busy or away.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use error_monitor::log_security_event;
use error_runtime::{ApiError, Rejected, Violations, circuit_breaker, retry, timeout};
use hmac::digest::Update;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounts::SignedIn;
use crate::app::App;
use crate::idempotency::{Key, Keys, Name};
use crate::password::secret_text;
use crate::remote::Remote;

/// What clients read.
#[derive(Debug, ApiError)]
#[api(domain = "payments", prefix = "PAYMENT")]
pub(crate) enum PaymentError {
    #[api(status = 422, message = "the checkout cannot be made from this")]
    Invalid(#[api(violations)] Violations),
    /// Without a key a client that asks again might pay twice.
    #[api(
        status = 400,
        message = "send an Idempotency-Key of 8 to 64 visible characters"
    )]
    KeyMissing,
    /// The key was used for another checkout.
    #[api(
        status = 409,
        message = "this Idempotency-Key belongs to another checkout"
    )]
    KeyReused,
    /// The same request came twice at a time.
    #[api(
        status = 409,
        retryable,
        retry_after = "1s",
        message = "a request with this Idempotency-Key is being answered"
    )]
    KeyInUse,
    /// The card's issuer has said no. Another card may do.
    #[api(status = 402, message = "the card was declined")]
    Declined {
        #[api(detail)]
        reason: Reason,
        #[api(secret)]
        card: Card,
    },
    /// The provider does not answer as it should, or is not asked at all for a while.
    #[api(
        status = 503,
        code = "PAYMENTS_UNAVAILABLE",
        message = "payments are not possible now; try again with the same Idempotency-Key",
        display = "payments are not possible now"
    )]
    Unavailable {
        source: ProviderError,
        #[api(retry_after)]
        wait: Duration,
    },
}

/// What the policies read, and the log.
#[derive(Debug, ApiError)]
#[api(domain = "payments", prefix = "PROVIDER")]
pub(crate) enum ProviderError {
    /// The caller's matter: no retry, and no mark against the provider.
    #[api(status = 402, message = "declined")]
    Declined { reason: Reason },
    #[api(status = 503, display = "the payment provider answered {status}")]
    Busy { status: u16 },
    #[api(status = 502, display = "the payment provider cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

impl PaymentError {
    /// The provider's failures as ours: one answer for all that a client can do nothing about but wait.
    fn of(error: ProviderError, card: Card) -> Self {
        match error {
            ProviderError::Declined { reason } => Self::Declined { reason, card },
            source => Self::Unavailable {
                // Of an open circuit it is known.
                wait: source.retry_after().unwrap_or(Duration::from_secs(2)),
                source,
            },
        }
    }

    /// The file of what concerns security is the one place that is told whose card it was.
    fn noted(self) -> Self {
        if let Self::Declined { card, reason } = &self {
            let card = card.last_digits();
            log_security_event!("card_declined", "a card was declined", card, ?reason);
        }
        self
    }
}

/// A card's number. It shows itself in no text, but for its last digits where it is asked for them.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Card(#[serde(deserialize_with = "secret_text")] String);

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(…)")
    }
}

impl Card {
    fn last_digits(&self) -> &str {
        let from = self.0.char_indices().nth_back(3).map_or(0, |(at, _)| at);
        &self.0[from..]
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Checkout {
    amount: u64,
    currency: String,
    card: Card,
}

impl Checkout {
    fn check(&self) -> Result<(), PaymentError> {
        let mut violations = Violations::new();
        if !(1..=1_000_000).contains(&self.amount) {
            violations.add("amount", "range", "must be from 1 to 1000000");
        }
        if !["eur", "usd", "chf"].contains(&&*self.currency) {
            violations.add("currency", "unknown", "must be eur, usd or chf");
        }
        violations.into_result(PaymentError::Invalid)
    }

    /// What makes it differ from another. Amounts are of one length and so are currencies, so no two read alike.
    pub(crate) fn write_to(&self, mac: &mut impl Update) {
        mac.update(&self.amount.to_be_bytes());
        mac.update(self.currency.as_bytes());
        mac.update(self.card.0.as_bytes());
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    id: String,
}

pub(crate) struct Payments {
    provider: Remote,
    keys: Keys,
}

impl Payments {
    pub(crate) fn new(provider: Remote) -> io::Result<Self> {
        let keys = Keys::new()?;
        Ok(Self { provider, keys })
    }

    /// The outermost policy on top. The provider is told the name of the key, so that a retry cannot charge twice.
    #[retry(
        attempts = 3,
        base = "50ms",
        max = "200ms",
        deadline = "3s",
        operation = "payments.session"
    )]
    #[circuit_breaker(
        service = "payments",
        failures = 5,
        recovery = "2s",
        recovery_factor = 1.5,
        recovery_max = "5s",
        half_open = 2
    )]
    #[timeout("800ms")]
    async fn session(&self, checkout: &Checkout, name: &Name) -> Result<Session, ProviderError> {
        let body = json!({
            "amount": checkout.amount,
            "currency": checkout.currency,
            "card": checkout.card.0,
            "idempotency_key": name.as_str(),
        });
        let answer = self.provider.post("/sessions", &body).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(answer.json().await?),
            402 => {
                let Refusal { reason } = answer.json().await?;
                Err(ProviderError::Declined { reason })
            }
            status => Err(ProviderError::Busy { status }),
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    reason: Reason,
}

/// Why a card was declined: what a client may know. Whatever else the provider says stays here.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    InsufficientFunds,
    #[serde(other)]
    Other,
}

/// `POST /checkout/sessions`.
pub(crate) async fn checkout(
    State(app): State<Arc<App>>,
    account: SignedIn,
    headers: HeaderMap,
    Json(checkout): Json<Checkout>,
) -> Result<(StatusCode, Json<Session>), PaymentError> {
    checkout.check()?;
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .filter(|key| (8..=64).contains(&key.len()))
        .ok_or(PaymentError::KeyMissing)?;
    let payments = &app.payments;
    let name = Name::new(account.id, key);
    let taken = match payments.keys.take(name.clone(), &checkout)? {
        Key::Answered(session) => return Ok((StatusCode::OK, Json(session))),
        Key::Taken(taken) => taken,
    };
    let session = payments
        .session(&checkout, &name)
        .await
        .map_err(|error| PaymentError::of(error, checkout.card).noted())?;
    taken.answer(&session);
    Ok((StatusCode::CREATED, Json(session)))
}

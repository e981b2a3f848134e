//! Checkouts.

use axum::http::Method;
use reqwest::Response;
use serde_json::{Value, json};

use super::{Answer as _, OUTAGE, Service};

const CARD: &str = "4242424242424242";
const BAD_CARD: &str = "4000000000000002";

impl Service {
    async fn pay(&self, key: &str, amount: u64, card: &str) -> Response {
        let checkout = json!({ "amount": amount, "currency": "eur", "card": card });
        let request = self.request(Method::POST, "/checkout/sessions");
        let request = request.header("idempotency-key", key).json(&checkout);
        request.send().await.unwrap()
    }
}

#[tokio::test]
async fn one_key_charges_once() {
    let service = Service::start().await;
    let first: Value = service.pay("key-00001", 1990, CARD).await.is(201).await;
    let again = service.pay("key-00001", 1990, CARD).await.is(200).await;
    assert_eq!((&again, service.upstreams.payments.calls()), (&first, 1));
    let other = service.pay("key-00001", 1, CARD).await;
    other.fails(409, "PAYMENT_KEY_REUSED").await;
    service
        .pay("", 1990, CARD)
        .await
        .fails(400, "PAYMENT_KEY_MISSING")
        .await;
    let error = service.pay("key-00002", 0, CARD).await;
    let error = error.fails(422, "PAYMENT_INVALID").await;
    assert_eq!(error["details"]["errors"][0]["pointer"], "/amount");
}

#[tokio::test]
async fn accounts_with_the_same_key_have_sessions_of_their_own() {
    let mut service = Service::start().await;
    let of_ada = service.pay("key-00001", 1990, CARD).await.is(201).await;
    service.join("bob@example.com").await;
    let of_bob = service.pay("key-00001", 1990, CARD).await.is(201).await;
    assert_ne!(of_ada, of_bob);
}

#[tokio::test]
async fn a_declined_card_is_neither_retried_nor_held_against_the_provider() {
    let service = Service::start().await;
    // One more than would open the circuit.
    for call in 1..=6 {
        let declined = service
            .pay(&format!("key-0000{call}"), 1990, BAD_CARD)
            .await;
        let error = declined.fails(402, "PAYMENT_DECLINED").await;
        assert_eq!(error["details"], json!({ "reason": "insufficient_funds" }));
        assert_eq!(service.upstreams.payments.calls(), call);
    }
    service.pay("key-00009", 1990, CARD).await.is(201).await;
}

#[tokio::test]
async fn an_outage_is_an_answer_of_ours_and_the_provider_is_left_alone() {
    let service = Service::start().await;
    service.upstreams.payments.switch(|now| *now = OUTAGE);
    for _ in 0..3 {
        let answer = service.pay("key-00001", 1990, CARD).await;
        assert!(answer.headers().contains_key("retry-after"));
        let error = answer.fails(503, "PAYMENTS_UNAVAILABLE").await;
        assert_eq!(error["recoverable"], true);
    }
    // Two requests with three and two attempts opened the circuit; the third was not sent on.
    assert_eq!(service.upstreams.payments.calls(), 5);

    // The same key works once the provider does.
    service.upstreams.payments.switch(|now| now.outage = false);
    error_runtime::Breakers::global().reset("payments").unwrap();
    service.pay("key-00001", 1990, CARD).await.is(201).await;
}

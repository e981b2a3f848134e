//! Accounts.

use serde_json::json;

use super::{Answer as _, OUTAGE, PASSWORD, Service};
use crate::password::Password;
use crate::payments::Card;

#[tokio::test]
async fn an_account_is_made_once() {
    let service = Service::start().await;
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    let made = service.post("/accounts", &bob).await.is(201).await;
    assert_eq!(
        made,
        json!({ "email": "bob@example.com", "welcome_mail": "sent" })
    );
    let taken = service.post("/accounts", &bob).await;
    taken.fails(409, "ACCOUNT_TAKEN").await;
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_said_all_at_once() {
    let service = Service::start().await;
    let nonsense = json!({ "email": "nobody", "password": "short" });
    let error = service.post("/accounts", &nonsense).await;
    let error = error.fails(422, "ACCOUNT_INVALID").await;
    let pointers = |at: usize| error["details"]["errors"][at]["pointer"].clone();
    assert_eq!(
        (pointers(0), pointers(1)),
        (json!("/email"), json!("/password"))
    );
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_how() {
    let mut service = Service::start().await;
    let me = service.get("/accounts/me").await.is(200).await;
    assert_eq!(me["email"], "ada@example.com");
    service.token = "guessed".to_owned();
    let refused = service.get("/accounts/me").await;
    assert_eq!(
        refused.headers()["www-authenticate"],
        "Bearer realm=\"media\""
    );
    refused.fails(401, "ACCOUNT_SIGNED_OUT").await;
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_e_mail_read_the_same() {
    let service = Service::start().await;
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let wrong = json!({ "email": email, "password": "a wrong password" });
        let refused = service.post("/accounts/sign-in", &wrong).await;
        let mut error = refused.fails(401, "ACCOUNT_WRONG_PASSWORD").await;
        assert!(!error.to_string().contains(email));
        error["request_id"] = json!(null);
        error["timestamp"] = json!(null);
        answers.push(error);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn without_the_mail_server_an_account_is_made_and_the_message_is_in_the_log() {
    let service = Service::start().await;
    service.upstreams.mail.switch(|now| *now = OUTAGE);
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    let made = service.post("/accounts", &bob).await.is(201).await;
    assert_eq!(made["welcome_mail"], "logged");
    assert_eq!(service.app.mail.counts(), (1, 1));
}

/// What cannot be read is named in the log; what was sent as a secret is not.
#[test]
fn a_secret_of_another_type_is_in_no_complaint() {
    for sent in [
        "31415926535897",
        "[31415926535897]",
        "{\"a\":31415926535897}",
        "true",
    ] {
        let password = serde_json::from_str::<Password>(sent).unwrap_err();
        let card = serde_json::from_str::<Card>(sent).unwrap_err();
        assert_eq!(password.to_string(), "expected a text");
        assert_eq!(card.to_string(), "expected a text");
    }
}

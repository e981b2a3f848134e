//! What is kept has an end.

use std::time::Duration;

use serde_json::{from_value, json};

use crate::accounts::AccountId;
use crate::idempotency::{KEPT_FOR, Key, Keys, Name};
use crate::newest::{MOST_KEPT, Newest};
use crate::payments::{Checkout, PaymentError, Session};

#[test]
fn the_oldest_is_forgotten() {
    let mut newest = Newest::default();
    for number in 0..=MOST_KEPT {
        newest.insert(number, "first");
    }
    // Another value is no other entry.
    newest.insert(MOST_KEPT, "second");
    assert_eq!(newest.get(&0), None);
    assert_eq!(newest.get(&1), Some(&"first"));
    assert_eq!(newest.get(&MOST_KEPT), Some(&"second"));
    assert_eq!(newest.total(), MOST_KEPT + 1);
}

fn checkout(card: &str) -> Checkout {
    from_value(json!({ "amount": 1990, "currency": "eur", "card": card })).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_newest_keys_are_kept_for_a_day() {
    let keys = Keys::new().unwrap();
    let account = AccountId::new().unwrap();
    let checkout = checkout("4242424242424242");
    let session: Session = from_value(json!({ "id": "cs_1" })).unwrap();
    let is_new = |number: usize| {
        let name = Name::new(account, &format!("key-{number:05}"));
        match keys.take(name, &checkout).unwrap() {
            Key::Answered(_) => false,
            Key::Taken(taken) => {
                taken.answer(&session);
                true
            }
        }
    };
    assert!((0..MOST_KEPT).all(is_new));
    assert!(!is_new(0));
    assert!(is_new(MOST_KEPT), "and the first is forgotten for it");
    assert!(is_new(0) && !is_new(2));
    assert_eq!(keys.len(), MOST_KEPT);

    let second = Duration::from_secs(1);
    tokio::time::advance(KEPT_FOR.saturating_sub(second)).await;
    assert!(!is_new(2));
    tokio::time::advance(second).await;
    assert!(is_new(2));
    assert_eq!(keys.len(), 1);
}

/// One that is not answered is free again, and no trace of it stays.
#[test]
fn a_key_whose_request_failed_is_not_kept() {
    let keys = Keys::new().unwrap();
    let account = AccountId::new().unwrap();
    let name = || Name::new(account, "key-00001");
    let taken = keys.take(name(), &checkout("4242424242424242"));
    let other = keys.take(name(), &checkout("4000000000000002"));
    assert!(matches!(other, Err(PaymentError::KeyReused)));
    let same = keys.take(name(), &checkout("4242424242424242"));
    assert!(matches!(same, Err(PaymentError::KeyInUse)));
    drop(taken);
    assert_eq!(keys.len(), 0);
}

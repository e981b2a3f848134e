//! Passwords are kept as salted hashes: PBKDF2 with HMAC-SHA-256, whose few rounds are an example's. A real
//! service takes Argon2id from a crate, with the costs of today.

use std::fmt;

use error_runtime::{AnyError, ResultExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::Sha256;

/// A debug build is to answer in a few milliseconds.
const ROUNDS: u32 = 500;

/// As it came in. It shows itself in no text.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Password(#[serde(deserialize_with = "secret_text")] String);

/// A text, or a complaint that does not repeat what came instead: complaints go to the log.
pub(crate) fn secret_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        _ => Err(D::Error::custom("expected a text")),
    }
}

impl Password {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct PasswordHash {
    salt: [u8; 16],
    hash: [u8; 32],
}

/// On a thread that may be busy for a while.
pub(crate) async fn hash(password: Password) -> Result<PasswordHash, AnyError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).or_internal()?;
    tokio::task::spawn_blocking(move || {
        let hash = derive(&password, &salt)?;
        Ok(PasswordHash { salt, hash })
    })
    .await
    .or_internal()?
}

pub(crate) async fn is_right(
    password: Password,
    known: Option<PasswordHash>,
) -> Result<bool, AnyError> {
    tokio::task::spawn_blocking(move || {
        let salt = known.as_ref().map_or([0; 16], |known| known.salt);
        let hash = derive(&password, &salt)?;
        Ok(known.is_some_and(|known| is_same(&known.hash, &hash)))
    })
    .await
    .or_internal()?
}

fn derive(password: &Password, salt: &[u8]) -> Result<[u8; 32], AnyError> {
    let keyed = Hmac::<Sha256>::new_from_slice(password.0.as_bytes()).or_internal()?;
    let mut mac = keyed.clone();
    mac.update(salt);
    mac.update(&1_u32.to_be_bytes());
    let mut round: [u8; 32] = mac.finalize().into_bytes().into();
    let mut hash = round;
    for _ in 1..ROUNDS {
        let mut mac = keyed.clone();
        mac.update(&round);
        round = mac.finalize().into_bytes().into();
        hash.iter_mut()
            .zip(round)
            .for_each(|(sum, byte)| *sum ^= byte);
    }
    Ok(hash)
}

/// Takes as long whether or not they differ early.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter()
        .zip(other)
        .fold(0, |sum, (one, other)| sum | (one ^ other))
        == 0
}

/// 256 bits that nobody can guess: tokens.
pub(crate) fn random_hex() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect())
}

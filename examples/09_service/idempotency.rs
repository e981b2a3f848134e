//! Keys by which a repeated checkout is known, and charges once.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::accounts::AccountId;
use crate::newest::MOST_KEPT;
use crate::payments::{Checkout, PaymentError, Session};

/// So long a repeated checkout is answered as before.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A hash of account and Idempotency-Key: keys of different accounts have nothing to do with each other, here and
/// at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn new(account: AccountId, key: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(account.to_bytes())
            .chain_update(key)
            .finalize();
        Self(URL_SAFE_NO_PAD.encode(hash))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// All keys, in memory.
pub(crate) struct Keys {
    known: Mutex<Known>,
    /// With a secret of this process: there are too few card numbers for a plain hash to hide one.
    digest: Hmac<Sha256>,
}

#[derive(Default)]
struct Known {
    requests: HashMap<Name, Request>,
    /// Those that are answered, the oldest first. The others end by themselves.
    answered: VecDeque<(Instant, Name)>,
}

struct Request {
    /// Of the checkout, whose card is kept nowhere.
    digest: [u8; 32],
    /// None while the provider is being asked.
    session: Option<Session>,
}

pub(crate) enum Key<'a> {
    /// The answer is known.
    Answered(Session),
    /// The provider is to be asked.
    Taken(Taken<'a>),
}

/// A key whose request is being answered. It is free again where this is dropped: after a failure, and where the
/// client goes away and the handler is dropped with it.
pub(crate) struct Taken<'a> {
    keys: &'a Keys,
    name: Name,
}

impl Keys {
    pub(crate) fn new() -> io::Result<Self> {
        let mut secret = [0; 64];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        Ok(Self {
            known: Mutex::default(),
            digest: Hmac::new(&secret.into()),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self, name: Name, checkout: &Checkout) -> Result<Key<'_>, PaymentError> {
        let mut mac = self.digest.clone();
        checkout.write_to(&mut mac);
        let digest = mac.finalize().into_bytes().into();
        let mut known = self.known();
        known.forget_old();
        match known.requests.get(&name) {
            Some(request) if request.digest != digest => Err(PaymentError::KeyReused),
            Some(request) => request
                .session
                .clone()
                .map(Key::Answered)
                .ok_or(PaymentError::KeyInUse),
            None => {
                let session = None;
                let request = Request { digest, session };
                known.requests.insert(name.clone(), request);
                Ok(Key::Taken(Taken { keys: self, name }))
            }
        }
    }

    /// How many are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.known().requests.len()
    }
}

impl Known {
    fn forget_old(&mut self) {
        while let Some((at, name)) = self.answered.front()
            && (self.answered.len() > MOST_KEPT || at.elapsed() >= KEPT_FOR)
        {
            self.requests.remove(name);
            self.answered.pop_front();
        }
    }
}

impl Taken<'_> {
    /// Whoever comes with this key gets this session.
    pub(crate) fn answer(self, session: &Session) {
        let mut known = self.keys.known();
        if let Some(request) = known.requests.get_mut(&self.name) {
            request.session = Some(session.clone());
            known
                .answered
                .push_back((Instant::now(), self.name.clone()));
            known.forget_old();
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut known = self.keys.known();
        if known
            .requests
            .get(&self.name)
            .is_some_and(|request| request.session.is_none())
        {
            known.requests.remove(&self.name);
        }
    }
}

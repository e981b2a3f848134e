//! Keys by which a repeated checkout is known, and charges once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::payments::{Checkout, PaymentError, Session};

/// All keys, in memory.
#[derive(Default)]
pub(crate) struct Keys(Mutex<HashMap<Name, Known>>);

/// Keys of different accounts have nothing to do with each other.
type Name = (String, String);

struct Known {
    checkout: Checkout,
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
    fn known(&self) -> MutexGuard<'_, HashMap<Name, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self, name: Name, checkout: &Checkout) -> Result<Key<'_>, PaymentError> {
        let mut known = self.known();
        match known.get(&name) {
            Some(known) if known.checkout != *checkout => Err(PaymentError::KeyReused),
            Some(known) => known
                .session
                .clone()
                .map(Key::Answered)
                .ok_or(PaymentError::KeyInUse),
            None => {
                let checkout = checkout.clone();
                let session = None;
                known.insert(name.clone(), Known { checkout, session });
                Ok(Key::Taken(Taken { keys: self, name }))
            }
        }
    }
}

impl Taken<'_> {
    /// Whoever comes with this key gets this session.
    pub(crate) fn answer(self, session: &Session) {
        if let Some(known) = self.keys.known().get_mut(&self.name) {
            known.session = Some(session.clone());
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut known = self.keys.known();
        if known
            .get(&self.name)
            .is_some_and(|known| known.session.is_none())
        {
            known.remove(&self.name);
        }
    }
}

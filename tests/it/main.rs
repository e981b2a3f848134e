//! What the derive and the runtime promise, seen from outside.

mod derive;

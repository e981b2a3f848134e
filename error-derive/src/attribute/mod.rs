//! How the attributes of all macros are read: entries by a common vocabulary, and values.

pub(crate) mod keys;
pub(crate) mod value;

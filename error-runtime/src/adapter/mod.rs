//! What ties the errors to other crates, one feature and one file each.

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
pub mod axum;

#[cfg(feature = "garde")]
mod garde;
mod io;
#[cfg(feature = "jsonwebtoken")]
mod jsonwebtoken;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "serde_json")]
mod serde_json;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(all(test, any(feature = "garde", feature = "validator")))]
mod testing;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(feature = "validator")]
mod validator;

//! A service that only records: no authenticator, and so no router.

use error_monitor::{BuildError, Monitor, WithoutAdmin};

/// A monitor on a file.
///
/// # Errors
///
/// If the file is of a later release.
pub async fn monitor(path: &std::path::Path) -> Result<Monitor<WithoutAdmin>, BuildError> {
    Monitor::builder().sqlite(path).build().await
}

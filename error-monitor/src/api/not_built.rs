//! Endpoints of features that this was built without: they say so.

use std::sync::Arc;

use super::guard::Call;
use super::{AdminError, Answer, Api};

#[cfg(not(feature = "alerts"))]
pub(super) async fn alerts(_: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    Err(AdminError::NotBuilt { feature: "alerts" })
}

//! Error budgets.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::guard::Call;
use super::{AdminError, Answer, Api};
use crate::budgets::{self, BudgetState};
use crate::config;

/// How all budgets are doing.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Budgets {
    budgets: Vec<BudgetState>,
}

pub(super) async fn all(api: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    let mut states = Vec::new();
    for budget in config::in_force(&*api.store, &api.declared.budgets).await? {
        states.push(budgets::state(&*api.store, &budget, api.shared.now()).await?);
    }
    Answer::json(&Budgets { budgets: states })
}

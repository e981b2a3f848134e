//! All declared errors of a program.

use crate::ErrorSpec;

/// The specs of one derived error type, collected when the program is linked.
#[doc(hidden)]
#[derive(Debug)]
pub struct Registration {
    module: &'static str,
    specs: &'static [ErrorSpec],
}

impl Registration {
    /// For generated code.
    pub const fn new(module: &'static str, specs: &'static [ErrorSpec]) -> Self {
        Self { module, specs }
    }
}

inventory::collect!(Registration);

/// The specs of every derived error in the program, ordered by domain, code and module.
///
/// An error of a crate that nothing refers to is not linked, so it is not here: name such a crate
/// once (`use my_errors as _;`).
pub fn all() -> Vec<&'static ErrorSpec> {
    let mut all: Vec<_> = inventory::iter::<Registration>
        .into_iter()
        .flat_map(|registration| {
            registration
                .specs
                .iter()
                .map(|spec| (registration.module, spec))
        })
        .collect();
    all.sort_by_key(|(module, spec)| (spec.domain, spec.code, *module, spec.name));
    all.into_iter().map(|(_, spec)| spec).collect()
}

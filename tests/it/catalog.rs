//! The specs of all enums of a program.

use error_runtime::{Catalog as _, catalog};

use crate::derive::MeetingError;

#[test]
fn every_derived_error_is_listed() {
    let all = catalog::all();
    for spec in MeetingError::SPECS {
        assert!(
            all.iter().any(|other| std::ptr::eq(*other, spec)),
            "{}",
            spec.code
        );
    }
    assert!(
        all.iter()
            .any(|spec| spec.domain == "common" && spec.code == "NOT_FOUND"),
        "of other crates too"
    );
    assert!(all.is_sorted_by_key(|spec| (spec.domain, spec.code)));
}

/// An error declared inside a function is registered as well.
#[test]
fn errors_in_functions_are_listed() {
    #[derive(Debug, error_runtime::ApiError)]
    #[api(status = 404, domain = "local", code = "LOCAL")]
    struct Local;
    assert!(
        catalog::all()
            .iter()
            .any(|spec| spec.domain == "local" && spec.code == Local::SPECS[0].code)
    );
}

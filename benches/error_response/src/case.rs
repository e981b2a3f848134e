//! The failure that every row answers: a declared error with a dynamic message and three details, for
//! a request that has an id.

use std::hint::black_box;

/// What the failing code knows. Reading it costs every row the same.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    pub resource: &'static str,
    pub id: u64,
    pub tenant: &'static str,
}

/// Given to the rows that do not take the id from a context and the time from the clock.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    pub request_id: &'static str,
    pub timestamp: &'static str,
}

static FAILURE: Failure = Failure {
    resource: "job",
    id: 42,
    tenant: "acme",
};

static GIVEN: Given = Given {
    request_id: REQUEST_ID,
    timestamp: "2024-01-01T00:00:00.000Z",
};

pub const REQUEST_ID: &str = "0190f1c2-7a3b-7c3d-8e4f-5a6b7c8d9e0f";

// Behind an opaque reference, so that nothing of the answer is worked out at compile time.

pub fn failure() -> Failure {
    *black_box(&FAILURE)
}

pub fn given() -> Given {
    *black_box(&GIVEN)
}

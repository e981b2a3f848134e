//! What the crate without a prelude answers.

use std::error::Error as _;

use error_runtime::{ApiError, http_response};
use isolated_no_prelude::{ByHand, Failure, Inner};

#[test]
fn answers() {
    let shown = Failure::Shown {
        id: 7,
        width: 3,
        note: "a",
    };
    assert_eq!(
        (shown.message().as_ref(), shown.to_string()),
        ("  7 \"a\"", "7".to_owned())
    );
    let body = String::from_utf8_lossy(http_response(&shown).body()).into_owned();
    assert!(
        body.contains(r#""details":{"id":7,"width":3,"note":"a"}"#),
        "{body}"
    );
    let io = Failure::<u8>::from(std::io::Error::other("disk"));
    assert!(io.source().is_some() && io.backtrace().is_some());
    assert_eq!(Failure::<u8>::from(Inner(3)).to_string(), "3");
    assert_eq!(ByHand.message(), "by hand");
}

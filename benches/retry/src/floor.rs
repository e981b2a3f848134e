//! The bare call, and loops as one would write them by hand.

use harness::Case;

use crate::{Oops, awaited, bad, op};

pub const CALL: &str = "floor: call";
pub const AWAIT: &str = "floor: await";
pub const FAIL3: &str = "floor: three failing calls, loop by hand";
pub const FAIL3_ASYNC: &str = "floor: three failing awaits, loop by hand";

fn by_hand() -> Result<u64, Oops> {
    let mut attempt = 1;
    loop {
        match bad() {
            Err(_) if attempt < 3 => attempt += 1,
            result => return result,
        }
    }
}

async fn by_hand_async() -> Result<u64, Oops> {
    let mut attempt = 1;
    loop {
        match async { bad() }.await {
            Err(_) if attempt < 3 => attempt += 1,
            result => return result,
        }
    }
}

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(CALL, op),
        awaited!(AWAIT, async { op() }),
        Case::new(FAIL3, by_hand),
        awaited!(FAIL3_ASYNC, by_hand_async()),
    ]
}

//! What the attributes leave as it was.

use std::fmt::Display;
use std::pin::Pin;

use error_runtime::{circuit_breaker, retry};

use super::{Count, Error, Yield};

fn busy_until(calls: &Count, last: u32) -> Result<u32, Error> {
    match calls.up() {
        call if call < last => Err(Error::Busy),
        call => Ok(call),
    }
}

#[retry(attempts = 3, base = "0s")]
fn question_mark(calls: &Count) -> Result<u32, Error> {
    let call = busy_until(calls, 3)?;
    Ok(call * 10)
}

#[retry(attempts = 3, base = "0s")]
async fn question_mark_later(calls: &Count) -> Result<u32, Error> {
    Yield::default().await;
    let call = busy_until(calls, 3)?;
    Ok(call * 10)
}

#[tokio::test]
async fn m01_a_question_mark_is_retried() {
    let calls = Count::new();
    assert_eq!((question_mark(&calls), calls.get()), (Ok(30), 3));
    let calls = Count::new();
    assert_eq!(question_mark_later(&calls).await, Ok(30));
    assert_eq!(calls.get(), 3);
}

/// `return`, `break` and `?` belong to the closure, the block and the loop that they stand in.
#[retry(attempts = 3, base = "0s")]
#[circuit_breaker(service = "scenarios-m02", failures = 100)]
async fn control_flow(calls: &Count) -> Result<Vec<u32>, Error> {
    let half = |of: u32| -> Option<u32> {
        if of % 2 == 1 {
            return None;
        }
        Some(of / 2)
    };
    let quarter = |of| half(half(of)?);
    let found = 'outer: loop {
        for value in 1.. {
            if quarter(value).is_some() {
                break 'outer value;
            }
        }
    };
    let labelled = 'block: {
        if found == 4 {
            break 'block 1;
        }
        2
    };
    let inner = async {
        let value = busy_until(&Count::new(), 9)?;
        Ok::<_, Error>(value)
    };
    let failed = inner.await == Err(Error::Busy);
    if failed {
        return Ok(vec![busy_until(calls, 2)?, found, labelled]);
    }
    Err(Error::Missing)
}

#[tokio::test]
async fn m02_control_flow_keeps_its_meaning() {
    let calls = Count::new();
    assert_eq!(control_flow(&calls).await, Ok(vec![2, 4, 1]));
}

#[derive(Default)]
struct Client {
    calls: Count,
    sent: Vec<String>,
}

impl Client {
    #[retry(attempts = 3, base = "0s", clone(lines))]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "an owned argument is what is tested"
    )]
    fn send(&mut self, lines: Vec<String>) -> Result<usize, Error> {
        busy_until(&self.calls, 3)?;
        // Moved out: each attempt has its own.
        self.sent.extend(lines);
        Ok(self.sent.len())
    }

    #[retry(attempts = 3, base = "0s", clone(lines))]
    async fn send_later(&mut self, lines: Vec<String>) -> Result<usize, Error> {
        let mut lines = lines;
        lines.push("end".to_owned());
        Yield::default().await;
        busy_until(&self.calls, 6)?;
        self.sent = lines;
        Ok(self.sent.len())
    }

    #[circuit_breaker(service = "scenarios-m03", failures = 100)]
    fn close(self, reason: String) -> Result<(Self, String), Error> {
        Ok((self, reason))
    }
}

/// An argument that is moved without `clone` is a compile error, of `ui/policy/rustc/moved_argument`.
#[tokio::test]
async fn m03_owned_arguments_and_receivers() {
    let mut client = Client::default();
    let lines = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(client.send(lines.clone()), Ok(2));
    assert_eq!(client.send_later(lines).await, Ok(3));
    let (client, reason) = client.close("done".to_owned()).unwrap();
    assert_eq!((client.sent.len(), reason.as_str()), (3, "done"));
}

/// A trait of boxed futures, written by hand.
trait Later {
    fn later<'a>(
        &'a self,
        text: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;
}

impl Later for Client {
    #[retry(attempts = 3, base = "0s")]
    fn later<'a>(
        &'a self,
        text: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>> {
        Box::pin(async move {
            let call = busy_until(&self.calls, 3)?;
            Ok(format!("{text} {call}"))
        })
    }
}

/// Documentation of its own.
#[retry(attempts = 2, base = "0s")]
#[must_use = "kept"]
#[cfg(test)]
extern "Rust" fn qualified<'a, T, const N: usize>(value: &'a T) -> Result<[&'a T; N], Error>
where
    T: Display + ?Sized + 'a,
{
    Ok([value; N])
}

#[retry(attempts = 2, base = "0s")]
#[cfg(not(test))]
fn qualified() -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(service = "scenarios-m04", failures = 100)]
fn opaque(words: &[&'static str]) -> Result<impl Iterator<Item = &'static str> + use<>, Error> {
    let words = words.to_vec();
    Ok(words.into_iter().rev())
}

#[tokio::test]
async fn m04_signatures_stay() {
    let client = Client::default();
    assert_eq!(client.later("x").await, Ok("x 3".to_owned()));
    assert_eq!(qualified::<str, 2>("x"), Ok(["x", "x"]));
    let reversed: Vec<_> = opaque(&["a", "b"]).unwrap().collect();
    assert_eq!(reversed, ["b", "a"]);
}

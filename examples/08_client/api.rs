//! The meetings as a Rust program wants them: typed calls, with the policies around all of them.

use error_runtime::{RequestId, RetryEvent, circuit_breaker, retry, timeout};
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{CallError, request_id};
use crate::transport::{Answer, Call, Transport};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct NewMeeting {
    pub(crate) title: String,
    pub(crate) room: String,
    pub(crate) start_time: String,
    pub(crate) end_time: String,
}

/// What this program reads of a meeting; the rest may change.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Meeting {
    pub(crate) id: u64,
    pub(crate) title: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    meetings: Vec<Meeting>,
    next: Option<u64>,
}

pub(crate) struct Meetings<T> {
    transport: T,
}

impl<T: Transport> Meetings<T> {
    pub(crate) const fn new(transport: T) -> Self {
        Self { transport }
    }

    /// Makes a meeting, once: however many attempts it takes, the key is the same.
    pub(crate) async fn create(&self, meeting: &NewMeeting) -> Result<Meeting, CallError> {
        let mut call = call(Method::POST, "/meetings");
        let key = RequestId::new().to_string();
        call.headers.push(("idempotency-key", key));
        call.body = Some(json!(meeting));
        self.guarded(&call).await
    }

    pub(crate) async fn read(&self, id: u64) -> Result<Meeting, CallError> {
        self.guarded(&call(Method::GET, format!("/meetings/{id}")))
            .await
    }

    /// All, page after page.
    pub(crate) async fn all(&self) -> Result<Vec<Meeting>, CallError> {
        let (mut all, mut after) = (Vec::new(), Some(0));
        while let Some(last) = after {
            let path = format!("/meetings?after={last}");
            let page: Page = self.guarded(&call(Method::GET, path)).await?;
            all.extend(page.meetings);
            after = page.next;
        }
        Ok(all)
    }

    /// The meeting as it was. Nothing where it is gone at a second attempt or a later one: the first may have
    /// cancelled it, and its answer was lost. At a first attempt the same answer is an error.
    pub(crate) async fn cancel(&self, id: u64) -> Result<Option<Meeting>, CallError> {
        let call = call(Method::DELETE, format!("/meetings/{id}"));
        let mut sent = 0;
        match self.counted(&call, &mut sent).await {
            Ok(meeting) => Ok(Some(meeting)),
            Err(error) if sent > 1 && error.is("MEETING_NOT_FOUND") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the server's store away for some calls. This is for the show, and has no policies.
    pub(crate) async fn take_store_away(&self, calls: u32) -> Result<Value, CallError> {
        let mut call = call(Method::POST, "/admin/outage");
        call.token = "ops-token";
        call.headers.push(("accept", "application/json".to_owned()));
        call.body = Some(json!({ "calls": calls }));
        self.once(&call).await
    }

    async fn guarded<R: DeserializeOwned>(&self, call: &Call) -> Result<R, CallError> {
        self.counted(call, &mut 0).await
    }

    /// Every call goes through here, so every call can be made twice: it reads, or has a key, or its second
    /// time changes nothing. A wait that is longer than `max` is not waited for. `sent` becomes how often it was
    /// sent: a call that the open circuit refuses is not.
    #[retry(attempts = 3, base = "100ms", max = "5s", deadline = "30s", operation = "meetings", on_retry = tell)]
    #[circuit_breaker(service = "meetings", failures = 3, recovery = "1s", half_open = 1)]
    #[timeout("5s")]
    async fn counted<R: DeserializeOwned>(
        &self,
        call: &Call,
        sent: &mut u32,
    ) -> Result<R, CallError> {
        *sent += 1;
        self.once(call).await
    }

    /// One attempt.
    pub(crate) async fn once<R: DeserializeOwned>(&self, call: &Call) -> Result<R, CallError> {
        let answer = self.transport.send(call).await?;
        let (method, path, status) = (&call.method, &call.path, answer.status.as_u16());
        let request_id = request_id(&answer.headers).unwrap_or_default();
        tracing::info!(status, request_id, "client: {method} {path}");
        read(&answer)
    }
}

fn read<R: DeserializeOwned>(answer: &Answer) -> Result<R, CallError> {
    if !answer.status.is_success() {
        return Err(CallError::of_answer(answer));
    }
    match serde_json::from_slice(&answer.body) {
        Ok(read) if answer.whole => Ok(read),
        _ => Err(CallError::of_body(answer)),
    }
}

pub(crate) fn call(method: Method, path: impl Into<String>) -> Call {
    Call {
        method,
        path: path.into(),
        token: "ada-token",
        headers: Vec::new(),
        body: None,
    }
}

fn tell(event: &RetryEvent<'_>) {
    tracing::info!(
        "client: attempt {} failed ({}), the next in {:?}",
        event.attempt,
        event.code.unwrap_or("no code"),
        event.delay
    );
}

//! One request over HTTP, and its answer as it came: whatever status, whatever body.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

/// A request. What is sent again is the same, its key too.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) token: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// At most [`LIMIT`] bytes.
    pub(crate) body: Vec<u8>,
    /// Whether that is all of it.
    pub(crate) whole: bool,
}

/// No answer of this service is longer. What is longer comes from somebody else, and is not read.
pub(crate) const LIMIT: usize = 64 * 1024;

/// How requests are sent; tests have ways of their own.
pub(crate) trait Transport: Sync {
    /// An error says that no answer has come.
    fn send(&self, call: &Call) -> impl Future<Output = Result<Answer, reqwest::Error>> + Send;
}

/// To a server.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    url: String,
}

impl Http {
    pub(crate) fn new(url: String) -> Result<Self, reqwest::Error> {
        // A service like this redirects nobody; who does is in between.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .build()?;
        Ok(Self { client, url })
    }

    /// The same, at another address.
    pub(crate) fn at(&self, url: String) -> Self {
        Self {
            client: self.client.clone(),
            url,
        }
    }
}

impl Transport for Http {
    async fn send(&self, call: &Call) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{}", self.url, call.path);
        let mut request = self.client.request(call.method.clone(), url);
        request = request.bearer_auth(call.token);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let mut response = request.send().await?;
        let mut answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: Vec::new(),
            whole: true,
        };
        while answer.whole
            && let Some(chunk) = response.chunk().await?
        {
            let left = LIMIT - answer.body.len();
            answer.whole = chunk.len() <= left;
            answer.body.extend(chunk.iter().take(left));
        }
        Ok(answer)
    }
}

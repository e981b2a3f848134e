//! Calls to the servers behind the service.

use axum::http::{HeaderMap, Method, StatusCode};
use error_runtime::RequestContext;
use serde_json::Value;

/// One of the servers, as the service sees it.
#[derive(Clone)]
pub(crate) struct Remote {
    http: reqwest::Client,
    url: String,
}

impl Remote {
    pub(crate) fn new(http: &reqwest::Client, url: String) -> Self {
        Self {
            http: http.clone(),
            url,
        }
    }

    /// A request that takes along the ids of the one that is being answered.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut headers = HeaderMap::new();
        if let Some(context) = RequestContext::current() {
            context.propagate(&mut headers);
        }
        let url = format!("{}{path}", self.url);
        self.http.request(method, url).headers(headers)
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<reqwest::Response, reqwest::Error> {
        self.request(Method::POST, path).json(body).send().await
    }

    /// What a health check asks.
    pub(crate) async fn health(&self) -> Result<(), String> {
        let answer = self.request(Method::GET, "/health").send().await;
        match answer.map(|answer| answer.status()) {
            Ok(StatusCode::OK) => Ok(()),
            Ok(status) => Err(format!("it answers {status}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

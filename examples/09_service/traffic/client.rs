//! The requests themselves, and what is remembered of their answers.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use axum::http::Method;
use serde_json::{Value, json};

use super::{Known, Own, PASSWORD, Traffic};
use crate::others::TRAFFIC;

/// No more is remembered, so that a run without an end does not grow.
const MOST_KNOWN: usize = 200;

impl Traffic {
    fn number(&self) -> u64 {
        self.0.sent.fetch_add(1, Ordering::Relaxed)
    }

    /// An Idempotency-Key that nobody has.
    pub(super) fn key(&self) -> String {
        format!("checkout-{}", self.number())
    }

    pub(super) fn one_of<T: Clone>(&self, of: impl Fn(&Known) -> &Vec<T>) -> Option<T> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let all = of(&known);
        all.get(self.pick(all.len())).cloned()
    }

    fn remember<T>(&self, value: Option<T>, of: impl Fn(&mut Known) -> &mut Vec<T>) {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let all = of(&mut known);
        if let Some(value) = value {
            if all.len() == MOST_KNOWN {
                all.remove(0);
            }
            all.push(value);
        }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.0.http.request(method, format!("{}{path}", self.0.url));
        request.header("x-request-id", format!("{TRAFFIC}{}", self.number()))
    }

    /// As somebody who has signed in, if anybody has.
    pub(super) fn signed_in(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request_of(self.token().as_ref(), method, path)
    }

    fn token(&self) -> Option<String> {
        self.one_of(|known| &known.tokens)
    }

    /// What nobody has.
    fn nothing(&self) -> Own {
        let token = self.token();
        Own { token, id: 0 }
    }

    fn request_of(
        &self,
        token: Option<&String>,
        method: Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let request = self.request(method, path);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends it and counts the answer; what it holds, if it is a success.
    pub(super) async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            Ok((status, answer.bytes().await?))
        };
        match answer.await {
            Ok((status, body)) => {
                self.0.tally.answered(status, &body);
                let is_success = status < 400;
                let value = is_success.then(|| serde_json::from_slice(&body).ok());
                value.flatten().unwrap_or_default()
            }
            Err(error) => {
                self.0.tally.unanswered(&error);
                Value::Null
            }
        }
    }

    pub(super) async fn get(&self, path: &str) {
        self.send(self.signed_in(Method::GET, path)).await;
    }

    /// As the one that it belongs to, or in vain as anybody.
    pub(super) async fn get_own(&self, own: Option<Own>, path: impl Fn(u64) -> String) {
        let Own { token, id } = own.unwrap_or_else(|| self.nothing());
        let request = self.request_of(token.as_ref(), Method::GET, &path(id));
        self.send(request).await;
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Value {
        self.send(self.signed_in(Method::POST, path).json(body))
            .await
    }

    pub(super) async fn register(&self) {
        let email = format!("user-{}@example.com", self.number());
        let new = json!({ "email": email, "password": PASSWORD });
        let made = self.post("/accounts", &new).await;
        self.remember(made["email"].as_str().map(str::to_owned), |known| {
            &mut known.emails
        });
    }

    pub(super) async fn sign_in(&self, email: Option<String>, password: &str) {
        let credentials = json!({ "email": email, "password": password });
        let answer = self.post("/accounts/sign-in", &credentials).await;
        self.remember(answer["token"].as_str().map(str::to_owned), |known| {
            &mut known.tokens
        });
    }

    pub(super) async fn pay(&self, key: &str, card: &str, times: usize) {
        let checkout = json!({ "amount": 1990, "currency": "eur", "card": card });
        let token = self.token();
        for _ in 0..times {
            let request = self.request_of(token.as_ref(), Method::POST, "/checkout/sessions");
            self.send(request.header("idempotency-key", key).json(&checkout))
                .await;
        }
    }

    pub(super) async fn upload(&self, media_type: &str, bytes: usize) {
        let token = self.token();
        let request = self.request_of(token.as_ref(), Method::POST, "/uploads");
        let request = request.header("content-type", media_type);
        let answer = self.send(request.body(vec![7; bytes])).await;
        let own = answer["id"].as_u64().map(|id| Own { token, id });
        self.remember(own, |known| &mut known.uploads);
    }

    /// One job in seven is broken, one takes longer than anybody waits.
    pub(super) async fn render(&self, upload: Option<Own>) {
        let effect = match self.pick(14) {
            0 | 1 => "broken",
            2 => "endless",
            _ => "aurora",
        };
        let Own { token, id } = upload.unwrap_or_else(|| self.nothing());
        let request = self.request_of(token.as_ref(), Method::POST, "/jobs");
        let job = json!({ "upload": id, "effect": effect });
        let answer = self.send(request.json(&job)).await;
        let own = answer["id"].as_u64().map(|id| Own { token, id });
        self.remember(own, |known| &mut known.jobs);
    }
}

//! Uploads, and where they are.

use axum::http::Method;
use reqwest::Response;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Answer as _, OUTAGE, Service};
use crate::storage::move_waiting;
use crate::uploads::{MAX_BYTES, counts};

impl Service {
    async fn upload(&self, media_type: &str, bytes: usize) -> Response {
        let request = self.request(Method::POST, "/uploads");
        let request = request.header("content-type", media_type);
        request.body(vec![7; bytes]).send().await.unwrap()
    }
}

#[tokio::test]
async fn an_upload_has_a_limit_and_a_type() {
    let service = Service::start().await;
    let most = service.upload("image/png", MAX_BYTES).await.is(201).await;
    assert_eq!(
        most,
        json!({ "id": 1, "bytes": MAX_BYTES, "type": "image/png", "stored": "object-storage" })
    );
    let error = service.upload("image/png", MAX_BYTES + 1).await;
    let error = error.fails(413, "UPLOAD_TOO_LARGE").await;
    assert_eq!(error["details"]["max_bytes"], MAX_BYTES);
    let error = service.upload("text/plain", 10).await;
    let error = error.fails(415, "UPLOAD_WRONG_TYPE").await;
    assert_eq!(error["details"]["supported"][2], "video/mp4");
    let error = service.upload("image/png", 0).await;
    error.fails(422, "UPLOAD_EMPTY").await;
    service
        .get("/uploads/99")
        .await
        .fails(404, "UPLOAD_NOT_FOUND")
        .await;
    let number = service.get("/uploads/first").await;
    number.fails(400, "BAD_REQUEST").await;
}

#[tokio::test]
async fn without_the_object_storage_uploads_are_local_and_are_moved_later() {
    let service = Service::start().await;
    service.upstreams.storage.switch(|now| *now = OUTAGE);
    let upload = service.upload("image/png", 100).await.is(201).await;
    assert_eq!(upload["stored"], "local");
    assert_eq!(move_waiting(&service.app).await, 0);
    assert_eq!(counts(&service.app), (0, 1));

    service.upstreams.storage.switch(|now| now.outage = false);
    assert_eq!(move_waiting(&service.app).await, 1);
    let upload = service.get("/uploads/1").await.is(200).await;
    assert_eq!(upload["stored"], "object-storage");
    let object = format!("{}/objects/1", service.upstreams.storage.url());
    let object = service.http.get(object).send().await.unwrap();
    assert_eq!(object.is(200).await["size"], 100);
    assert_eq!(move_waiting(&service.app).await, 0);
}

#[tokio::test]
async fn one_that_cannot_be_moved_does_not_stop_the_others() {
    let service = Service::start().await;
    service.upstreams.storage.switch(|now| *now = OUTAGE);
    for _ in 0..3 {
        let upload = service.upload("image/png", 100).await.is(201).await;
        assert_eq!(upload["stored"], "local");
    }
    let lost = service.folder.path().join("uploads/1.upload");
    std::fs::remove_file(lost).unwrap();
    service.upstreams.storage.switch(|now| now.outage = false);
    error_runtime::Breakers::global().reset("storage").unwrap();
    assert_eq!(move_waiting(&service.app).await, 2);
    for (id, stored) in [(1, "local"), (2, "object-storage"), (3, "object-storage")] {
        let upload = service.get(&format!("/uploads/{id}")).await.is(200).await;
        assert_eq!(upload["stored"], stored);
    }
}

#[tokio::test]
async fn an_upload_of_somebody_else_is_as_one_that_is_not_there() {
    let mut service = Service::start().await;
    service.upload("image/png", 100).await.is(201).await;
    service.get("/uploads/1").await.is(200).await;
    service.join("bob@example.com").await;
    let mut errors = Vec::new();
    for id in [1, 2] {
        let error = service.get(&format!("/uploads/{id}")).await;
        let error = error.fails(404, "UPLOAD_NOT_FOUND").await;
        assert_eq!(error["details"], json!({ "id": id }));
        let job = json!({ "upload": id, "effect": "aurora" });
        let error = service.post("/jobs", &job).await;
        let error = error.fails(422, "JOB_INVALID").await;
        errors.push(error["details"].clone());
    }
    assert_eq!(errors[0], errors[1]);
}

#[tokio::test]
async fn who_sends_far_too_much_before_reading_is_told_all_the_same() {
    let service = Service::start().await;
    // More than what the sockets in between hold.
    let bytes = 224 * MAX_BYTES;
    let head = format!(
        "POST /uploads HTTP/1.1\r\nHost: media\r\nAuthorization: Bearer {}\r\nContent-Type: image/png\r\n\
         Content-Length: {bytes}\r\nConnection: close\r\n\r\n",
        service.token
    );
    let address = service.url.trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&vec![7; bytes]).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("UPLOAD_TOO_LARGE"));
}

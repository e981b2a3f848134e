//! Who gets in, who may change something, and what is told of it.

use std::net::IpAddr;

use axum::Router;
use axum::http::request::Parts;
use axum::routing::get;
use error_monitor::{AuthFuture, Authenticator, Identity, Monitor, Role};
use error_runtime::ErrorLayer;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::schema;
use crate::support::{
    Answer, BREAKERS, Fails, MOUNT, OPERATOR, Server, T0, VIEWER, bearer, breaker, stats,
};

/// Every endpoint of the document, with something for each placeholder.
async fn endpoints(server: &Server) -> Vec<(Method, String)> {
    let document = schema::document(server).await;
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path
            .strip_prefix(&format!("{MOUNT}/"))
            .unwrap_or(path)
            .split('/')
            .map(|part| if part.starts_with('{') { "door" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for method in operations.as_object().unwrap().keys() {
            all.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    assert!(all.len() >= 19, "{all:?}");
    all
}

fn is_open(path: &str) -> bool {
    ["health/check", "health/ready"].contains(&path)
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let server = Server::start().await;
    for (method, path) in endpoints(&server).await {
        let answer = Answer::of(server.request(method.clone(), &path)).await;
        if is_open(&path) {
            assert_eq!(answer.status, 200, "{path}");
            continue;
        }
        let details = answer.refused(401, "NOT_SIGNED_IN");
        assert_eq!(details, Value::Null);
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(
            challenge, "Bearer realm=\"error-monitor\"",
            "{method} {path}"
        );
        // Nor does a query or a body that cannot be read tell of anything.
        let request = server.request(method, &format!("{path}?nonsense=1"));
        Answer::of(request.body("{"))
            .await
            .refused(401, "NOT_SIGNED_IN");
    }
}

#[tokio::test]
async fn nobody_is_told_what_is_not_there() {
    let server = Server::start().await;
    for path in [
        "nothing",
        "errors",
        "errors/",
        "errors/stats/",
        "errors/stats/more",
        "health",
        "health/check/x",
        "circuit-breakers/",
        "circuit-breakers/a/b/c",
        "a/b/c/d/e",
        "%00",
        "%ff",
        "..%2f..",
        "Errors/Stats",
    ] {
        for method in [
            Method::GET,
            Method::POST,
            Method::DELETE,
            Method::PUT,
            Method::PATCH,
        ] {
            let answer = Answer::plain(server.request(method.clone(), path)).await;
            assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
            answer.assert_hardened();
            answer.refused(401, "NOT_SIGNED_IN");
            let answer =
                Answer::plain(server.request(method.clone(), path).bearer_auth(OPERATOR)).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            answer.refused(404, "NO_SUCH_ENDPOINT");
        }
    }
    let mount = server.client.get(server.url(MOUNT));
    Answer::of(mount).await.refused(401, "NOT_SIGNED_IN");
}

/// The mount point with a slash is below the mount point too.
#[tokio::test]
async fn the_mount_point_is_behind_the_door_with_a_slash_too() {
    let server = Server::start().await;
    let answer = Answer::plain(server.request(Method::GET, "")).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    answer.assert_hardened();
}

/// A placeholder that is no UTF-8 is read before anybody is asked who they are.
#[tokio::test]
async fn paths_that_are_no_utf8_are_for_those_who_have_signed_in() {
    let server = Server::start().await;
    for path in ["circuit-breakers/%ff", "circuit-breakers/%ff/events"] {
        let answer = Answer::of(server.request(Method::GET, path)).await;
        answer.refused(401, "NOT_SIGNED_IN");
        let status = server.get(path).await;
        assert_eq!(status.status, 400, "{status:?}");
        status.error();
    }
}

#[tokio::test]
async fn other_methods_are_405_with_what_would_do() {
    let server = Server::start().await;
    let all = endpoints(&server).await;
    for (method, path) in &all {
        for other in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            // Several templates fit some of these paths.
            let is_there = all.contains(&(other.clone(), path.clone()));
            if is_there || path.contains("door") || path == "circuit-breakers/reset-all" {
                continue;
            }
            let request = server.request(other.clone(), path).bearer_auth(OPERATOR);
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 405, "{other} {path}");
            assert_eq!(answer.error()["code"], "METHOD_NOT_ALLOWED");
            let allowed = answer.header("allow").unwrap();
            assert!(
                allowed
                    .split(',')
                    .any(|allowed| allowed.trim() == method.as_str()),
                "{allowed}"
            );
        }
    }
    // What GET answers, HEAD answers without a body.
    let head = server
        .request(Method::HEAD, "errors/stats")
        .bearer_auth(VIEWER);
    let head = Answer::of(head).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let head = Answer::of(server.request(Method::HEAD, "errors/stats")).await;
    assert_eq!(head.status, 401);
}

#[tokio::test]
async fn a_viewer_reads_everything_and_changes_nothing() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    let handle = breaker("door");
    for (method, path) in endpoints(&server).await {
        let request = server.request(method.clone(), &path).bearer_auth(VIEWER);
        let answer = Answer::of(request.json(&json!({ "state": "resolved" }))).await;
        if method == Method::GET {
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
        } else {
            let details = answer.refused(403, "FORBIDDEN");
            assert_eq!(details, json!({ "role": "operator" }), "{path}");
        }
    }
    assert!(handle.try_acquire().is_ok());
}

/// Somebody who may not, and tries, is in the audit: it is the entry that is looked for first.
#[tokio::test]
async fn the_attempt_of_a_viewer_is_in_the_audit() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    breaker("door");
    let request = server.request(Method::POST, "circuit-breakers/reset/door");
    Answer::of(request.bearer_auth(VIEWER))
        .await
        .refused(403, "FORBIDDEN");
    let audit = server.read("audit").await;
    let entry = &audit["entries"][0];
    let found = ["actor", "role", "action", "target", "result"].map(|key| entry[key].clone());
    assert_eq!(
        found,
        ["token 2", "viewer", "reset_breaker", "door", "FORBIDDEN"].map(Value::from)
    );
}

#[tokio::test]
async fn only_one_authorization_of_the_right_kind_opens() {
    let server = Server::start().await;
    let get = |headers: &str| {
        let head = format!("GET {MOUNT}/monitor HTTP/1.1\r\nHost: here\r\nConnection: close\r\n");
        Answer::raw(server.address, format!("{head}{headers}\r\n"))
    };
    for good in [
        format!("Authorization: Bearer {OPERATOR}\r\n"),
        format!("authorization: bearer {OPERATOR}\r\n"),
        format!("Authorization: BEARER   {OPERATOR}  \r\n"),
    ] {
        assert_eq!(get(&good).await.status, 200, "{good:?}");
    }
    // Few enough not to be taken for guessing.
    for bad in [
        format!("Authorization: Bearer {OPERATOR}\r\nAuthorization: Bearer {OPERATOR}\r\n"),
        format!("Authorization: Bearer wrong\r\nAuthorization: Bearer {OPERATOR}\r\n"),
        format!("Authorization: Bearer {OPERATOR},Bearer {OPERATOR}\r\n"),
        format!("Authorization: Basic {OPERATOR}\r\n"),
        format!("Authorization: {OPERATOR}\r\n"),
        format!("Authorization: Bearer{OPERATOR}\r\n"),
        format!("Authorization: Bearer {}\r\n", &OPERATOR[1..]),
        format!("Authorization: Bearer {OPERATOR}\u{e4}\r\n"),
    ] {
        let answer = get(&bad).await;
        assert_eq!(answer.status, 401, "{bad:?}: {answer:?}");
        answer.assert_hardened();
    }
    let server = Server::start().await;
    let get = |headers: &str| {
        let head = format!("GET {MOUNT}/monitor HTTP/1.1\r\nHost: here\r\nConnection: close\r\n");
        Answer::raw(server.address, format!("{head}{headers}\r\n"))
    };
    for bad in [
        format!("Authorization: Bearer {}\r\n", OPERATOR.to_uppercase()),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer \r\n".to_owned(),
        "Authorization:\r\n".to_owned(),
        format!("Authorization: Bearer {}\r\n", "x".repeat(8000)),
        format!("X-Authorization: Bearer {OPERATOR}\r\n"),
        format!("Proxy-Authorization: Bearer {OPERATOR}\r\n"),
        format!("Cookie: token={OPERATOR}\r\n"),
    ] {
        let answer = get(&bad).await;
        assert_eq!(answer.status, 401, "{bad:.80?}: {answer:?}");
    }
    // Nor does a token in the address, which would be in logs.
    let query = server.request(
        Method::GET,
        &format!("monitor?token={OPERATOR}&access_token={OPERATOR}"),
    );
    assert_eq!(Answer::of(query).await.status, 401);
}

async fn guess(server: &Server, client: &Client, path: &str) -> Answer {
    let request = client.get(server.url(&format!("{MOUNT}/{path}")));
    Answer::of(request.bearer_auth("wrong-0123456789abcdef")).await
}

#[tokio::test]
async fn who_guesses_waits_and_nobody_else_does() {
    let server = Server::start().await;
    // Who shows nothing does not guess, however often.
    for _ in 0..30 {
        Answer::of(server.request(Method::GET, "monitor"))
            .await
            .refused(401, "NOT_SIGNED_IN");
    }
    for _ in 0..10 {
        assert_eq!(server.get("monitor").await.status, 200);
    }
    for place in 0..10 {
        let answer = guess(&server, &server.client, ["monitor", "nothing"][place % 2]).await;
        answer.refused(401, "NOT_SIGNED_IN");
    }
    let answer = guess(&server, &server.client, "monitor").await;
    answer.refused(429, "TOO_MANY_ATTEMPTS");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Not even the right one is looked at: a guess that hits would be told from one that does not.
    let answer = server.get("monitor").await;
    answer.refused(429, "TOO_MANY_ATTEMPTS");
    assert!(answer.header("retry-after").is_some());
    server
        .get("nothing")
        .await
        .refused(429, "TOO_MANY_ATTEMPTS");
    Answer::of(server.request(Method::GET, "monitor"))
        .await
        .refused(429, "TOO_MANY_ATTEMPTS");
    // Whether the process lives is told as ever.
    assert_eq!(
        Answer::of(server.request(Method::GET, "health/check"))
            .await
            .status,
        200
    );
    assert_eq!(
        Answer::of(server.request(Method::GET, "health/ready"))
            .await
            .status,
        200
    );

    let elsewhere: IpAddr = [127, 0, 0, 2].into();
    let other = Client::builder().local_address(elsewhere).build().unwrap();
    let request = other.get(server.url(&format!("{MOUNT}/monitor")));
    assert_eq!(Answer::of(request.bearer_auth(OPERATOR)).await.status, 200);
}

/// Details are for those who have signed in, so whether they are there tells whether a token was right.
#[tokio::test]
async fn readiness_is_no_way_to_guess_without_limit() {
    let server = Server::start().await;
    for _ in 0..11 {
        let answer = guess(&server, &server.client, "health/ready").await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({ "status": "pass" }))
        );
    }
    server
        .get("monitor")
        .await
        .refused(429, "TOO_MANY_ATTEMPTS");
    let ready = server.get("health/ready").await;
    assert_eq!(
        (ready.status, ready.json()),
        (200, json!({ "status": "pass" })),
        "no details while one waits"
    );
}

/// Knows people by a cookie, `session=<name>.<role>[.<e-mail's name>]`, as browsers send it by themselves.
struct Cookies;

impl Authenticator for Cookies {
    fn authenticate<'a>(&'a self, request: &'a Parts) -> AuthFuture<'a> {
        let cookie = request
            .headers
            .get("cookie")
            .and_then(|cookie| cookie.to_str().ok());
        let session = cookie.and_then(|cookie| cookie.strip_prefix("session="));
        assert_ne!(session, Some("panic"), "a panic of the authenticator");
        Box::pin(async move {
            let mut parts = session?.split('.');
            assert_ne!(session, Some("late panic"), "a panic of its future");
            tokio::task::yield_now().await;
            let mut identity = Identity::new(parts.next()?);
            match parts.next()? {
                "operator" => identity = identity.role(Role::Operator),
                "viewer" => identity = identity.role(Role::Viewer),
                _ => {}
            }
            if let Some(email) = parts.next() {
                identity = identity.email(format!("{email}@example.com"));
            }
            Some(identity)
        })
    }
}

async fn with_cookies() -> Server {
    Server::with(|builder| {
        let emails = ["Alice@Example.com", "carol@example.com,  DAVE@example.com "];
        builder.authenticator(Cookies).admin_emails(emails)
    })
    .await
}

/// A change that is let through finds nothing to change.
fn change(server: &Server) -> RequestBuilder {
    let request = server.request(Method::POST, "errors/patterns/none");
    request.json(&json!({ "state": "resolved" }))
}

#[tokio::test]
async fn a_change_comes_from_ourselves() {
    let server = with_cookies().await;
    let host = server.address.to_string();
    let here = format!("http://{host}");
    let tls = format!("https://{host}");
    let other_port = "http://127.0.0.1:1".to_owned();
    let no = "http://evil.example".to_owned();
    let longer = format!("{here}.evil.example");
    let cookie = ("cookie", "session=alice.operator");
    let token = bearer(OPERATOR);
    let token = ("authorization", token.1.as_str());
    let site = |site: &'static str| ("sec-fetch-site", site);
    for (headers, through) in [
        // A browser sends the cookie whoever asked.
        (vec![cookie], false),
        (vec![cookie, site("same-origin")], true),
        (vec![cookie, site("same-site")], false),
        (vec![cookie, site("cross-site")], false),
        (vec![cookie, site("none")], false),
        (vec![cookie, site("")], false),
        (vec![cookie, site("Same-Origin")], false),
        (vec![cookie, site("cross-site"), ("origin", &here)], false),
        (vec![cookie, ("origin", &here)], true),
        (vec![cookie, ("origin", &tls)], true),
        (vec![cookie, ("origin", &other_port)], false),
        (vec![cookie, ("origin", &no)], false),
        (vec![cookie, ("origin", &longer)], false),
        (vec![cookie, ("origin", "null")], false),
        (vec![cookie, ("origin", "")], false),
        (vec![cookie, ("origin", "http://")], false),
        (vec![cookie, ("referer", &here)], false),
        // No browser adds a token by itself, but a page of somebody else's may have it.
        (vec![token], true),
        (vec![token, site("none")], true),
        (vec![token, site("same-origin")], true),
        (vec![token, site("same-site")], false),
        (vec![token, site("cross-site")], false),
        (vec![token, ("origin", &here)], true),
        (vec![token, ("origin", &no)], false),
        (vec![token, ("origin", "null")], false),
        (vec![token, cookie], true),
        // A token that is none lets nobody through with the cookie beside it.
        (
            vec![cookie, site("cross-site"), ("authorization", "Bearer x")],
            false,
        ),
    ] {
        let mut request = change(&server);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::of(request).await;
        if through {
            answer.refused(404, "UNKNOWN_NAME");
        } else {
            assert_eq!(
                (answer.status, &answer.error()["code"]),
                (403, &json!("CROSS_SITE")),
                "{headers:?}"
            );
        }
    }
    // To look, none of it matters.
    let request = server
        .request(Method::GET, "monitor")
        .header("cookie", "session=alice.viewer");
    assert_eq!(
        Answer::of(request.header("sec-fetch-site", "cross-site"))
            .await
            .status,
        200
    );
}

/// A request that names neither a site nor a host: both are missing, which does not make them the same.
#[tokio::test]
async fn a_change_without_a_host_is_nobodys_own() {
    let server = with_cookies().await;
    for origin in ["/", "nonsense nonsense", "http:", "*"] {
        let body = r#"{"state":"resolved"}"#;
        let request = format!(
            "POST {MOUNT}/errors/patterns/none HTTP/1.0\r\nCookie: session=alice.operator\r\n\
             Origin: {origin}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = Answer::raw(server.address, request).await;
        assert_eq!(answer.status, 403, "{origin}: {answer:?}");
    }
}

#[tokio::test]
async fn the_emails_of_admins_make_operators() {
    let server = with_cookies().await;
    // The session, whether it may read, and whether it may change.
    for (session, reads, changes) in [
        ("alice.none.alice", true, true),
        ("alice.none.ALICE", true, true),
        ("alice.viewer.alice", true, true),
        ("carol.none.carol", true, true),
        ("dave.none.Dave", true, true),
        ("bob.none.bob", false, false),
        ("bob.viewer.bob", true, false),
        ("bob.operator.bob", true, true),
        ("alice@example.com.none", false, false),
        ("eve.none.alice@example", false, false),
        ("eve.none.xalice", false, false),
    ] {
        let cookie = format!("session={session}");
        let read = server
            .request(Method::GET, "monitor")
            .header("cookie", &cookie);
        let read = Answer::of(read).await;
        if reads {
            assert_eq!(read.status, 200, "{session}");
        } else {
            // They are known, and may do nothing: signing in again would not help.
            read.refused(403, "FORBIDDEN");
        }
        let change = change(&server)
            .header("cookie", &cookie)
            .header("sec-fetch-site", "same-origin");
        let answer = Answer::of(change).await;
        let code = if changes {
            (404, "UNKNOWN_NAME")
        } else {
            (403, "FORBIDDEN")
        };
        answer.refused(code.0, code.1);
    }
    let audit = server.read("audit?actor=dave").await;
    assert_eq!(audit["entries"][0]["role"], "operator");
    // Tokens hold besides.
    assert_eq!(server.get("monitor").await.status, 200);
}

#[tokio::test]
async fn an_authenticator_that_panics_knows_nobody() {
    let server = with_cookies().await;
    for session in ["panic", "late panic", "", "no-role"] {
        let cookie = format!("session={session}");
        let get = server
            .request(Method::GET, "monitor")
            .header("cookie", &cookie);
        Answer::of(get).await.refused(401, "NOT_SIGNED_IN");
        let post = change(&server)
            .header("cookie", &cookie)
            .header("sec-fetch-site", "same-origin");
        Answer::of(post).await.refused(401, "NOT_SIGNED_IN");
        let ready = server
            .request(Method::GET, "health/ready")
            .header("cookie", &cookie);
        assert_eq!(Answer::of(ready).await.ok(), json!({ "status": "pass" }));
    }
    let fine = server
        .request(Method::GET, "monitor")
        .header("cookie", "session=a.viewer");
    assert_eq!(Answer::of(fine).await.status, 200);
}

async fn last_entry(server: &Server) -> Value {
    server.read("audit?limit=1").await["entries"][0].clone()
}

#[tokio::test]
async fn every_change_is_in_the_audit() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    server
        .fail(T0, 1, "A", |event| {
            event.fingerprint = "door-kind".to_owned();
        })
        .await;
    breaker("door-audit");
    for (path, body, action, target, before, after) in [
        (
            "circuit-breakers/reset/door-audit",
            json!({ "reason": "why" }),
            "reset_breaker",
            "door-audit",
            json!({ "state": "closed" }),
            json!({ "state": "closed", "reason": "why" }),
        ),
        (
            "circuit-breakers/door-audit/disable",
            json!({}),
            "disable_breaker",
            "door-audit",
            json!({ "state": "closed" }),
            json!({ "state": "disabled", "reason": null }),
        ),
        (
            "circuit-breakers/door-audit/force-open",
            json!({ "reason": "x" }),
            "force_breaker_open",
            "door-audit",
            json!({ "state": "disabled" }),
            json!({ "state": "forced_open", "reason": "x" }),
        ),
        (
            "circuit-breakers/door-audit/automatic",
            json!({}),
            "automate_breaker",
            "door-audit",
            json!({ "state": "forced_open" }),
            json!({ "state": "closed", "reason": null }),
        ),
        (
            "errors/patterns/door-kind",
            json!({ "state": "ignored" }),
            "change_pattern",
            "door-kind",
            json!("open"),
            json!("ignored"),
        ),
    ] {
        let answer = server.post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let expected = json!({
            "time": "2026-01-01T10:00:00.000Z",
            "instance": server.monitor.instance(),
            "actor": "token 1",
            "role": "operator",
            "action": action,
            "target": target,
            "before": before,
            "after": after,
            "result": "done",
            "request_id": answer.header("x-request-id"),
        });
        assert_eq!(last_entry(&server).await, expected);
    }
}

/// What was tried and did not work is looked for as often as what did.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn every_refused_change_is_in_the_audit() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    breaker("door-refused");
    let large = format!("{{\"reason\":\"{}\"}}", "x".repeat(1 << 20));
    let json_type = "application/json";
    let mut wrong = Vec::new();
    for (path, media_type, body, status, action, target) in [
        (
            "circuit-breakers/reset/unknown",
            json_type,
            "{}",
            404,
            "reset_breaker",
            "unknown",
        ),
        (
            "errors/patterns/unknown",
            json_type,
            r#"{"state":"open"}"#,
            404,
            "change_pattern",
            "unknown",
        ),
        (
            "circuit-breakers/door-refused/disable",
            json_type,
            "{",
            400,
            "disable_breaker",
            "door-refused",
        ),
        (
            "circuit-breakers/door-refused/disable",
            json_type,
            r#"{"x":1}"#,
            422,
            "disable_breaker",
            "door-refused",
        ),
        (
            "circuit-breakers/door-refused/force-open",
            json_type,
            r#"{"seconds":0}"#,
            422,
            "force_breaker_open",
            "door-refused",
        ),
        (
            "circuit-breakers/door-refused/disable",
            "text/plain",
            "{}",
            415,
            "disable_breaker",
            "door-refused",
        ),
        (
            "circuit-breakers/door-refused/disable?x=1",
            json_type,
            "{}",
            400,
            "disable_breaker",
            "door-refused",
        ),
        (
            "circuit-breakers/door-refused/disable",
            json_type,
            &large,
            413,
            "disable_breaker",
            "door-refused",
        ),
    ] {
        let request = server.request(Method::POST, path).bearer_auth(OPERATOR);
        let answer = Answer::of(
            request
                .header("content-type", media_type)
                .body(body.to_owned()),
        )
        .await;
        assert_eq!(answer.status, status, "{path} {body:.40}: {answer:?}");
        let code = answer.error()["code"].clone();
        let entry = last_entry(&server).await;
        let found = ["actor", "role", "action", "target", "result", "request_id"]
            .map(|key| entry[key].clone());
        let request_id = answer.header("x-request-id").unwrap();
        let expected = [
            "token 1",
            "operator",
            action,
            target,
            code.as_str().unwrap(),
            request_id,
        ]
        .map(Value::from);
        if found != expected {
            wrong.push(format!("{status} {path}: {found:?} for {expected:?}"));
        }
        assert_eq!(
            (&entry["before"], &entry["after"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn bodies_that_will_not_do() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    breaker("door-bodies");
    let post = async |media_type: Option<&str>, body: Vec<u8>| {
        let mut request = server.request(Method::POST, "circuit-breakers/door-bodies/force-open");
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        Answer::of(request.bearer_auth(OPERATOR).body(body)).await
    };
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonx"),
        Some(""),
    ] {
        let answer = post(media_type, b"{}".to_vec()).await;
        answer.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        assert_eq!(answer.header("accept"), Some("application/json"));
    }
    for media_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        " application/json ;x=y",
    ] {
        assert_eq!(
            post(Some(media_type), b"{}".to_vec()).await.status,
            200,
            "{media_type}"
        );
    }
    for body in [
        &b"{"[..],
        b"",
        b"nonsense",
        b"{\"seconds\":}",
        b"\xff\xfe",
        b"{} {}",
        b"{\"reason\":\"\x01\"}",
    ] {
        let answer = post(Some("application/json"), body.to_vec()).await;
        if body.is_empty() {
            // Nothing is said, and nothing need be.
            assert_eq!(answer.status, 200);
        } else {
            answer.refused(400, "INVALID_BODY");
        }
    }
    let deep = "[".repeat(100_000);
    post(Some("application/json"), deep.into_bytes())
        .await
        .refused(400, "INVALID_BODY");
    for size in [1 << 20, 256 * 1024 + 1] {
        let answer = post(Some("application/json"), vec![b' '; size]).await;
        let details = answer.refused(413, "BODY_TOO_LARGE");
        assert_eq!(details, json!({ "most": 256 * 1024 }));
    }
    let mut fits = vec![b' '; 256 * 1024];
    fits[..2].copy_from_slice(b"{}");
    assert_eq!(post(Some("application/json"), fits).await.status, 200);
}

/// Who reads the answer looks for the field.
#[tokio::test]
async fn a_body_of_the_wrong_shape_is_told_by_its_field() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    breaker("door-shapes");
    server
        .fail(T0, 1, "S", |event| event.fingerprint = "shape".to_owned())
        .await;
    let force = "circuit-breakers/door-shapes/force-open";
    let mut wrong = Vec::new();
    for (path, body, field) in [
        (force, json!({ "seconds": "60" }), "seconds"),
        (force, json!({ "seconds": -1 }), "seconds"),
        (force, json!({ "seconds": 1.5 }), "seconds"),
        (force, json!({ "seconds": 0 }), "seconds"),
        (force, json!({ "seconds": 2_592_001 }), "seconds"),
        (force, json!({ "reason": 7 }), "reason"),
        (force, json!({ "reason": "x".repeat(501) }), "reason"),
        (force, json!({ "duration": 7 }), "duration"),
        (force, json!([]), "body"),
        (force, json!(["why", 60]), "body"),
        (force, json!(null), "body"),
        (force, json!("x"), "body"),
        ("errors/patterns/shape", json!({}), "state"),
        (
            "errors/patterns/shape",
            json!({ "state": "mended" }),
            "state",
        ),
        ("errors/patterns/shape", json!({ "state": null }), "state"),
        (
            "errors/patterns/shape",
            json!({ "state": "open", "x": 1 }),
            "x",
        ),
        ("errors/patterns/shape", json!(["resolved"]), "body"),
    ] {
        let answer = server.post(path, body.clone()).await;
        if answer.status != 422 || answer.error()["details"]["field"] != field {
            wrong.push(format!(
                "{:.60}: not `{field}`: {} {}",
                body.to_string(),
                answer.status,
                answer.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// As the README has it: merged before the application's layers.
fn application(monitor: &Monitor) -> Router {
    Router::new()
        .route(
            "/missing",
            get(|| async { Err::<(), _>(Fails::Missing { id: 1 }) }),
        )
        .merge(monitor.router())
        .layer(ErrorLayer::new().reporter(monitor.clone()))
        .layer(monitor.layer())
}

#[tokio::test]
async fn the_application_keeps_its_own_404() {
    let server = Server::app(application).await;
    for path in ["/nowhere", "/admin", "/admin/api", "/admin/api/monitoringx"] {
        let answer = Answer::plain(server.client.get(server.url(path))).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.error()["code"], "NOT_FOUND", "{path}");
        // What the monitor says of its own answers is said of no others.
        assert_eq!(answer.header("content-security-policy"), None, "{path}");
    }
    let all = stats(&server, "").await;
    assert_eq!((&all["total"], &all["requests"]), (&json!(4), &json!(4)));
    let missing = Answer::plain(server.client.get(server.url("/missing"))).await;
    assert_eq!(missing.error()["code"], "MISSING");
    assert_eq!(stats(&server, "").await["total"], 5);
}

#[tokio::test]
async fn those_who_look_are_no_traffic() {
    let _shared = BREAKERS.read().await;
    let server = Server::app(application).await;
    breaker("door-traffic");
    let large = vec![b' '; 1 << 20];
    let mut statuses = Vec::new();
    for (method, path, token, body) in [
        (Method::GET, "monitor", Some(OPERATOR), None),
        (Method::GET, "health/check", None, None),
        (Method::GET, "health/ready", None, None),
        (Method::GET, "monitor", None, None),
        (Method::GET, "monitor", Some("wrong-0123456789abcdef"), None),
        (
            Method::POST,
            "circuit-breakers/reset/door-traffic",
            Some(VIEWER),
            None,
        ),
        (Method::GET, "nothing", Some(OPERATOR), None),
        (Method::GET, "monitor?x=1", Some(OPERATOR), None),
        (Method::GET, "errors/stats?status=99", Some(OPERATOR), None),
        (
            Method::POST,
            "circuit-breakers/door-traffic/disable",
            Some(OPERATOR),
            Some(large),
        ),
        (
            Method::POST,
            "circuit-breakers/door-traffic/disable",
            Some(OPERATOR),
            Some(b"{}".to_vec()),
        ),
        (
            Method::POST,
            "circuit-breakers/reset/door-traffic",
            Some(OPERATOR),
            None,
        ),
    ] {
        let mut request = server.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        statuses.push(Answer::of(request).await.status);
    }
    assert_eq!(
        statuses,
        [200, 200, 200, 401, 401, 403, 404, 400, 422, 413, 415, 200]
    );
    let all = stats(&server, "").await;
    assert_eq!(
        (&all["requests"], &all["total"]),
        (&json!(0), &json!(0)),
        "{all}"
    );
    assert_eq!(server.read("logs/recent-errors").await["errors"], json!([]));
    assert_eq!(server.read("errors/patterns").await["total"], 0);
}

/// What the framework answers in our place is ours too.
#[tokio::test]
async fn those_who_look_in_a_wrong_way_are_no_traffic_either() {
    let server = Server::app(application).await;
    let (mut wrong, mut total) = (Vec::new(), json!(0));
    for (method, path, token, status) in [
        (Method::DELETE, "monitor", Some(OPERATOR), 405),
        (Method::DELETE, "monitor", None, 401),
        (Method::POST, "health/check", None, 401),
        (Method::GET, "circuit-breakers/%ff", Some(OPERATOR), 400),
        (Method::GET, "", Some(OPERATOR), 404),
    ] {
        let mut request = server.request(method.clone(), path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(Answer::plain(request).await.status, status, "{path}");
        let all = stats(&server, "group_by=fingerprint").await;
        if all["total"] != total || all["requests"] != 0 {
            wrong.push(format!("{method} {path:?}: {}", all["groups"]));
            total = all["total"].clone();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn the_builder_refuses_what_would_open_the_door() {
    let folder = tempfile::tempdir().unwrap();
    let build = |token: &str| crate::support::builder(&folder).token(token).build();
    for token in [
        "",
        "short",
        "123456789012345",
        "with a space in it",
        "with-a-tab-\t-in-it",
        "ümlaut-ümlaut-ümlaut",
    ] {
        let error = build(token).await.unwrap_err().to_string();
        assert!(
            error.contains("`token`") && !error.contains(token) || token.is_empty(),
            "{error}"
        );
    }
    assert!(build("1234567890123456").await.is_ok());
}

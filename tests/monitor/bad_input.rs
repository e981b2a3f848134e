//! What cannot be read is refused by its name; nothing that is sent is a failure of ours.

use reqwest::Method;
use serde_json::{Value, json};

use crate::schema;
use crate::support::{
    Answer, BREAKERS, MINUTE, MOUNT, OPERATOR, SECOND, Server, T0, breaker, failure,
};

const INVALID: (u16, &str) = (400, "INVALID_PARAMETER");
const OUT_OF_RANGE: (u16, &str) = (422, "PARAMETER_OUT_OF_RANGE");

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn queries_that_will_not_do() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    breaker("bad-input");
    let long = "x".repeat(257);
    let stats = "errors/stats";
    let recent = "logs/recent-errors";
    let patterns = "errors/patterns";
    let audit = "audit";
    let events = "circuit-breakers/bad-input/events";
    let long_code = format!("code={long}");
    let long_hex = format!("cursor={}", "f".repeat(17));
    let digits = format!("limit={}", "9".repeat(500));
    let zeros = format!("limit={}", "0".repeat(500));
    let long_moment = format!("from=2026-01-01T00:00:00.{}Z", "0".repeat(100));
    let long_name = format!("{}=1", "n".repeat(5000));
    let rows: &[(&str, &str, (u16, &str), &str)] = &[
        // What there is not.
        ("monitor", "x=1", INVALID, "x"),
        ("catalog", "limit=1", INVALID, "limit"),
        ("openapi.json", "pretty", INVALID, "pretty"),
        ("health/check", "x", INVALID, "x"),
        ("health/ready", "verbose=true", INVALID, "verbose"),
        ("health/services", "service=x", INVALID, "service"),
        ("circuit-breakers", "state=open", INVALID, "state"),
        ("circuit-breakers/bad-input", "limit=1", INVALID, "limit"),
        (stats, "groupby=code", INVALID, "groupby"),
        (stats, "FROM=2026-01-01T00:00:00Z", INVALID, "FROM"),
        (stats, "limit=5", INVALID, "limit"),
        (stats, "cursor=5", INVALID, "cursor"),
        (stats, "user=5", INVALID, "user"),
        (stats, "code[]=X", INVALID, "code[]"),
        (stats, "=", INVALID, ""),
        (stats, "=code", INVALID, ""),
        (patterns, "status=500", INVALID, "status"),
        (patterns, "request_id=1", INVALID, "request_id"),
        (recent, "group_by=code", INVALID, "group_by"),
        (recent, "state=open", INVALID, "state"),
        (audit, "code=x", INVALID, "code"),
        (events, "from=2026-01-01T00:00:00Z", INVALID, "from"),
        // Twice.
        (stats, "code=a&code=b", INVALID, "code"),
        (stats, "code=a&%63ode=a", INVALID, "code"),
        (recent, "limit=1&limit=1", INVALID, "limit"),
        (recent, "status=404&status=500", INVALID, "status"),
        // Empty.
        (stats, "code=", INVALID, "code"),
        (stats, "code", INVALID, "code"),
        (stats, "from=", INVALID, "from"),
        (stats, "group_by=", INVALID, "group_by"),
        (stats, "bucket=", INVALID, "bucket"),
        (stats, "status=", INVALID, "status"),
        (recent, "limit=", INVALID, "limit"),
        (recent, "cursor=", INVALID, "cursor"),
        (recent, "user=", INVALID, "user"),
        (audit, "actor=", INVALID, "actor"),
        (patterns, "cursor=", INVALID, "cursor"),
        // Moments.
        (stats, "from=yesterday", INVALID, "from"),
        (stats, "from=0", INVALID, "from"),
        (stats, "from=1767261600", INVALID, "from"),
        (stats, "from=2026-01-01", INVALID, "from"),
        (stats, "from=2026-01-01T00:00:00", INVALID, "from"),
        (stats, "from=2026-01-01T00:00:00+01:00", INVALID, "from"),
        (stats, "from=2026-02-30T00:00:00Z", INVALID, "from"),
        (stats, "from=2026-01-01T25:00:00Z", INVALID, "from"),
        (stats, "from=2026-13-01T00:00:00Z", INVALID, "from"),
        (stats, "to=1969-12-31T23:59:59Z", INVALID, "to"),
        (stats, "to=-000001-01-01T00:00:00Z", INVALID, "to"),
        (stats, "to=10000-01-01T00:00:00Z", INVALID, "to"),
        (stats, "to=2026-01-01T00:00:00Z%00", INVALID, "to"),
        (stats, "to=%202026-01-01T00:00:00Z", INVALID, "to"),
        (stats, &long_moment, INVALID, "from"),
        (recent, "from=now", INVALID, "from"),
        (patterns, "to=now-1h", INVALID, "to"),
        // Ranges.
        (
            stats,
            "from=2026-01-01T09:00:00Z&to=2026-01-01T09:00:00Z",
            OUT_OF_RANGE,
            "from",
        ),
        (
            stats,
            "from=2026-01-01T09:00:00.001Z&to=2026-01-01T09:00:00Z",
            OUT_OF_RANGE,
            "from",
        ),
        (stats, "from=2027-01-01T00:00:00Z", OUT_OF_RANGE, "from"),
        (recent, "from=2027-01-01T00:00:00Z", OUT_OF_RANGE, "from"),
        (patterns, "from=2027-01-01T00:00:00Z", OUT_OF_RANGE, "from"),
        (stats, "to=1970-01-01T00:00:00Z", OUT_OF_RANGE, "to"),
        (stats, "from=2020-01-01T00:00:00Z", OUT_OF_RANGE, "from"),
        (patterns, "from=2020-01-01T00:00:00Z", OUT_OF_RANGE, "from"),
        (recent, "from=2020-01-01T00:00:00Z", OUT_OF_RANGE, "from"),
        (
            stats,
            "from=2025-12-01T00:00:00Z&bucket=1m",
            OUT_OF_RANGE,
            "bucket",
        ),
        (
            stats,
            "from=2025-12-01T00:00:00Z&bucket=5m",
            OUT_OF_RANGE,
            "bucket",
        ),
        // Choices.
        (stats, "group_by=Code", INVALID, "group_by"),
        (stats, "group_by=domain", INVALID, "group_by"),
        (stats, "group_by=code,status", INVALID, "group_by"),
        (stats, "group_by=code%27%20OR%201=1--", INVALID, "group_by"),
        (stats, "bucket=2m", INVALID, "bucket"),
        (stats, "bucket=60", INVALID, "bucket"),
        (stats, "bucket=1M", INVALID, "bucket"),
        (patterns, "state=Open", INVALID, "state"),
        (patterns, "state=regressed", INVALID, "state"),
        (patterns, "sort=-count", INVALID, "sort"),
        (patterns, "sort=code", INVALID, "sort"),
        // Numbers.
        (stats, "status=abc", INVALID, "status"),
        (stats, "status=5xx", INVALID, "status"),
        (stats, "status=+500", INVALID, "status"),
        (stats, "status=500.0", INVALID, "status"),
        (stats, "status=-1", INVALID, "status"),
        (stats, "status=99", OUT_OF_RANGE, "status"),
        (stats, "status=600", OUT_OF_RANGE, "status"),
        (
            stats,
            "status=99999999999999999999999",
            OUT_OF_RANGE,
            "status",
        ),
        (stats, "status=%D9%A5%D9%A0%D9%A0", INVALID, "status"),
        (recent, "limit=0", OUT_OF_RANGE, "limit"),
        (recent, "limit=501", OUT_OF_RANGE, "limit"),
        (recent, "limit=-1", INVALID, "limit"),
        (recent, "limit=1e2", INVALID, "limit"),
        (recent, "limit=%201", INVALID, "limit"),
        (recent, "limit=0x10", INVALID, "limit"),
        (recent, &digits, OUT_OF_RANGE, "limit"),
        (recent, &zeros, OUT_OF_RANGE, "limit"),
        (patterns, "limit=101", OUT_OF_RANGE, "limit"),
        (audit, "limit=501", OUT_OF_RANGE, "limit"),
        (events, "limit=0", OUT_OF_RANGE, "limit"),
        // Cursors.
        (recent, "cursor=xyz", INVALID, "cursor"),
        (recent, "cursor=FF", INVALID, "cursor"),
        (recent, "cursor=-1", INVALID, "cursor"),
        (recent, "cursor=%2B1", INVALID, "cursor"),
        (recent, "cursor=0x1", INVALID, "cursor"),
        (recent, &long_hex, INVALID, "cursor"),
        (audit, "cursor=g", INVALID, "cursor"),
        (events, "cursor=1.a", INVALID, "cursor"),
        (patterns, "cursor=1", INVALID, "cursor"),
        (patterns, "cursor=.", INVALID, "cursor"),
        (patterns, "cursor=.monitor-tests", INVALID, "cursor"),
        (patterns, "cursor=xyz.a", INVALID, "cursor"),
        (patterns, "cursor=-1.a", INVALID, "cursor"),
        (patterns, "cursor=fffffffffffffffff.a", INVALID, "cursor"),
        // Texts.
        (stats, &long_code, OUT_OF_RANGE, "code"),
        (recent, &long_code, OUT_OF_RANGE, "code"),
        (patterns, &long_code, OUT_OF_RANGE, "code"),
        (stats, "code=%00", INVALID, "code"),
        (stats, "code=a%0Ab", INVALID, "code"),
        (stats, "code=%1B%5B31m", INVALID, "code"),
        (stats, "code=%7F", INVALID, "code"),
        (stats, "code=%C2%85", INVALID, "code"),
        (stats, "code=%FF", INVALID, "code"),
        (stats, "code=%C3", INVALID, "code"),
        (stats, "code=%ED%A0%80", INVALID, "code"),
        (recent, "request_id=%FF%FE", INVALID, "request_id"),
        (recent, "user=%0D%0AX:1", INVALID, "user"),
        (audit, "actor=%00", INVALID, "actor"),
    ];
    assert!(rows.len() >= 80, "{}", rows.len());
    let mut wrong = Vec::new();
    for (path, query, (status, code), parameter) in rows {
        let answer = server.get(&format!("{path}?{query}")).await;
        let error = answer.json()["error"].clone();
        let found = (
            answer.status,
            error["code"].as_str().unwrap_or(""),
            error["details"]["parameter"].as_str(),
        );
        if found != (*status, *code, Some(*parameter)) {
            wrong.push(format!("{path}?{query:.80}: {found:?}"));
            continue;
        }
        answer.error();
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{parameter}: ")), "{message}");
        assert!(
            answer.text.len() < 1024,
            "{path}?{query:.80}: {} bytes",
            answer.text.len()
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A name that is nothing but long is told in part.
    let details = server
        .get(&format!("{stats}?{long_name}"))
        .await
        .refused(400, "INVALID_PARAMETER");
    assert_eq!(details["parameter"].as_str().unwrap().len(), 64 + "…".len());
}

/// What readers of numbers and moments take besides what the document says.
#[tokio::test]
async fn what_is_nearly_right_will_not_do_either() {
    let server = Server::start().await;
    let mut wrong = Vec::new();
    for query in [
        "errors/stats?to=2026-01-01T00:00:00Z[Europe/Paris]",
        "errors/stats?to=2026-01-01T00:00:00Z[u-ca=hebrew]",
        "errors/stats?to=2026-01-01T00Z",
        "errors/stats?to=2026-01-01T00:00Z",
        "errors/stats?to=20260101T000000Z",
        "errors/stats?to=2026-01-01T00:00:00,5Z",
        "errors/stats?to=2026-01-01T00:00:00%2B01",
        "errors/patterns?cursor=%2B1.a",
    ] {
        let answer = server.get(query).await;
        if answer.status != 400 {
            wrong.push(format!("{query}: {}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What looks odd and will do.
#[tokio::test]
async fn queries_that_will_do() {
    let server = Server::start().await;
    for path in [
        "errors/stats?",
        "errors/stats?&&",
        "errors/stats?from=2026-01-01t00:00:00z",
        "errors/stats?from=2025-12-31T23:00:00-05:30",
        "errors/stats?from=2024-11-27T10:00:00Z&bucket=7d",
        "errors/stats?code=%27%3B%20DROP%20TABLE%20events%3B--",
        "errors/stats?code=%25",
        "errors/stats?code=%F0%9F%A6%80",
        "errors/stats?code=a+b",
        "errors/stats?route=/a/%7Bb%7D",
        "logs/recent-errors?limit=1",
        "logs/recent-errors?limit=500",
        "logs/recent-errors?limit=007",
        "logs/recent-errors?cursor=0",
        "logs/recent-errors?cursor=ffffffffffffffff",
        "errors/patterns?cursor=0.",
        "errors/patterns?cursor=ffffffffffffffff.%27",
        "audit?cursor=ffffffffffffffff",
        "errors/stats?status=100",
        "errors/stats?status=599",
    ] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let text = format!("errors/stats?code={}", "x".repeat(256));
    assert_eq!(server.get(&text).await.status, 200);
    // Nothing was dropped by it.
    server.fail(T0, 1, "STILL", |_| {}).await;
    assert_eq!(
        server.read("logs/recent-errors").await["errors"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn paths_and_heads_that_will_not_do() {
    let server = Server::start().await;
    let token = format!("Authorization: Bearer {OPERATOR}\r\nConnection: close\r\n");
    for (line, headers, statuses) in [
        (
            "GET /circuit-breakers/%00 HTTP/1.1",
            "Host: here\r\n",
            &[404][..],
        ),
        (
            "GET /circuit-breakers/%C3%28 HTTP/1.1",
            "Host: here\r\n",
            &[400],
        ),
        (
            "GET /circuit-breakers/a%2 HTTP/1.1",
            "Host: here\r\n",
            &[400, 404],
        ),
        (
            "GET /circuit-breakers/%zz HTTP/1.1",
            "Host: here\r\n",
            &[400, 404],
        ),
        ("GET /./monitor HTTP/1.1", "Host: here\r\n", &[404]),
        ("GET //monitor HTTP/1.1", "Host: here\r\n", &[404]),
        ("GET /monitor/../monitor HTTP/1.1", "Host: here\r\n", &[404]),
        ("GET /monitor%2f HTTP/1.1", "Host: here\r\n", &[404]),
        ("GET /monitor;x HTTP/1.1", "Host: here\r\n", &[404]),
        (
            "GET /monitor HTTP/1.1",
            "Host: here\r\nX-Request-Id: \x01\r\n",
            &[400],
        ),
        (
            "GET /monitor HTTP/1.1",
            "Host: here\r\nX-Request-Id: <b>\r\n",
            &[200],
        ),
        (
            "GET /monitor HTTP/1.1",
            "Host: here\r\nAccept: */*;q=0, \x7f\r\n",
            &[200, 400],
        ),
        (
            "GET /monitor HTTP/1.1",
            "Host: here\r\nRange: bytes=0-1\r\n",
            &[200],
        ),
        (
            "GET /monitor HTTP/1.1",
            "Host: here\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n",
            &[200],
        ),
        ("TRACE /monitor HTTP/1.1", "Host: here\r\n", &[405]),
        (
            "OPTIONS /monitor HTTP/1.1",
            "Host: here\r\nOrigin: http://evil\r\nAccess-Control-Request-Method: GET\r\n",
            &[405],
        ),
        ("BREW /monitor HTTP/1.1", "Host: here\r\n", &[405]),
    ] {
        let (method, path) = line.split_once(' ').unwrap();
        let request = format!("{method} {MOUNT}{path}\r\n{headers}{token}\r\nhello");
        let answer = Answer::raw(server.address, request).await;
        assert!(
            statuses.contains(&answer.status),
            "{line} {headers:?}: {answer:?}"
        );
        // What is no HTTP never gets as far as us.
        if answer.headers.contains_key("x-request-id") {
            answer.assert_hardened();
            if answer.status >= 400 {
                answer.error();
            }
        } else {
            assert_eq!(answer.status, 400, "{line} {headers:?}");
        }
    }
}

/// Something for a parameter, more often wrong than not.
fn something(random: &mut fastrand::Rng) -> Vec<u8> {
    let length = random.usize(..40);
    let long = random.usize(..9000);
    match random.u8(..18) {
        0 => Vec::new(),
        1 => (0..length).map(|_| random.u8(..)).collect(),
        2 => (0..length).map(|_| random.u8(..32)).collect(),
        3 => (0..length)
            .map(|_| random.char(..))
            .collect::<String>()
            .into_bytes(),
        4 => vec![random.u8(b'!'..b'~'); long],
        5 => (0..random.usize(1..400))
            .map(|_| random.digit(10) as u8)
            .collect(),
        6 => random.u64(..).to_string().into_bytes(),
        7 => random.i64(..).to_string().into_bytes(),
        8 => format!("{:x}.{:x}", random.u64(..), random.u64(..)).into_bytes(),
        9 => format!("{:e}", f64::from_bits(random.u64(..))).into_bytes(),
        10 => {
            let [year, month, day, hour] = [
                random.u32(..11_000),
                random.u32(..14),
                random.u32(..33),
                random.u32(..26),
            ];
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:00:00Z").into_bytes()
        }
        11 => format!("{:x}", random.u64(..)).into_bytes(),
        12 => random.u16(..700).to_string().into_bytes(),
        _ => {
            let known: [&str; 17] = [
                "' OR 1=1 --",
                "<script>alert(1)</script>",
                "\u{1b}[31mred\u{7}",
                "\u{202e}\u{2066}\u{feff}\u{200b}",
                "../../../etc/passwd",
                "%s%n%x",
                "${jndi:ldap://x}",
                "\0",
                "\r\nSet-Cookie: x=1",
                "NaN",
                "null",
                "[]",
                "true",
                "code",
                "1h",
                "open",
                "bad-input",
            ];
            random.choice(known).unwrap().as_bytes().to_vec()
        }
    }
}

/// As it may stand in an address: all of it encoded, or as little as can be.
fn encoded(random: &mut fastrand::Rng, bytes: &[u8]) -> String {
    let sparing = random.bool();
    let mut text: String = bytes
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b':' | b'.' if sparing => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    if random.u8(..10) == 0 {
        // Half an escape.
        text.push_str(random.choice(["%", "%4", "%zz", "+", "%%"]).unwrap());
    }
    text
}

fn any_body(random: &mut fastrand::Rng) -> (&'static str, Vec<u8>) {
    let text = String::from_utf8_lossy(&something(random)).into_owned();
    let value = match random.u8(..9) {
        0 => json!({ "state": text }),
        1 => json!({ "reason": text, "seconds": random.u64(..) }),
        2 => json!({ "seconds": random.i64(..) }),
        3 => json!({ text: [null, 1.5, {}] }),
        4 => json!([text]),
        5 => json!(text),
        6 => json!({ "reason": text }),
        _ => {
            return (
                ["application/json", "text/plain"][usize::from(random.bool())],
                something(random),
            );
        }
    };
    ("application/json", value.to_string().into_bytes())
}

/// `MONITOR_SEED` repeats what has failed.
fn seed() -> u64 {
    std::env::var("MONITOR_SEED").map_or(20_260_101, |seed| seed.parse().unwrap())
}

#[tokio::test]
async fn whatever_is_sent_is_answered() {
    const ROUNDS: usize = 30;
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    server
        .fail(T0, 3, "FUZZ", |event| event.fingerprint = "open".to_owned())
        .await;
    server.clock.set(T0 + MINUTE);
    breaker("bad-input");
    let document = schema::document(&server).await;
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut refused = 0;
    let mut sent = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            // It would reach the breakers of other tests.
            if path.ends_with("/reset-all") {
                continue;
            }
            let parameters = operation["parameters"].as_array().unwrap();
            for parameter in parameters.iter().chain([&Value::Null]) {
                for _ in 0..ROUNDS {
                    let mut path = path.clone();
                    let mut query = String::new();
                    for other in parameters {
                        let name = other["name"].as_str().unwrap();
                        let bytes = something(&mut random);
                        if other["in"] == "path" {
                            // A part that is empty or made of dots is another path.
                            let known = encoded(&mut random, &bytes);
                            let fuzzed = name == parameter["name"]
                                && !known.trim_matches(['.', '%', '2', 'E']).is_empty();
                            path = path.replace(
                                &format!("{{{name}}}"),
                                if fuzzed { &known } else { "bad-input" },
                            );
                        } else if name == parameter["name"] || random.u8(..12) == 0 {
                            query.push_str(if query.is_empty() { "?" } else { "&" });
                            query.extend([name, "=", &encoded(&mut random, &bytes)]);
                        }
                    }
                    if parameter.is_null() {
                        let (name, value) = (something(&mut random), something(&mut random));
                        query = format!(
                            "?{}={}",
                            encoded(&mut random, &name),
                            encoded(&mut random, &value)
                        );
                    }
                    let url = server.url(&format!("{path}{query}"));
                    let mut request = server
                        .client
                        .request(method.to_uppercase().parse().unwrap(), &url);
                    request = request.bearer_auth(OPERATOR);
                    if method == "post" {
                        let (media_type, body) = any_body(&mut random);
                        request = request.header("content-type", media_type).body(body);
                    }
                    let answer = Answer::of(request).await;
                    let said = format!(
                        "seed {seed}: {method} {url:.300}: {} {:.500}",
                        answer.status, answer.text
                    );
                    sent += 1;
                    assert!(answer.status < 500, "{said}");
                    if answer.status >= 400 {
                        refused += 1;
                        answer.error();
                        assert!(
                            answer.text.len() < 4096,
                            "{} bytes: {said}",
                            answer.text.len()
                        );
                        assert_eq!(
                            answer.header("content-type"),
                            Some("application/json"),
                            "{said}"
                        );
                    } else if path != "/metrics" {
                        answer.json();
                    }
                    let documented = &operation["responses"][answer.status.to_string()];
                    assert!(documented.is_object(), "not in the document: {said}");
                }
            }
        }
    }
    assert!(refused * 2 > sent && refused < sent, "{refused} of {sent}");
}

/// What a stranger made the service say comes back as text, whole or cut, and never as anything else.
#[tokio::test]
async fn texts_of_failures_come_back_unharmed() {
    let texts = [
        "<script>alert('x')</script><img src=x onerror=alert(1)>".to_owned(),
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m".to_owned(),
        "a\r\nb\tc\u{8}\u{c}\u{7f}\u{85}\u{2028}\u{2029}".to_owned(),
        "\u{202e}desrever\u{2066}\u{feff}".to_owned(),
        "\"quotes\" \\backslashes\\ {\"json\":true} </script>".to_owned(),
        "äöü 🦀 \u{10ffff} e\u{301}".to_owned(),
        "'; DROP TABLE events; --".to_owned(),
    ];
    let server = Server::start().await;
    for (place, text) in (0..).zip(&texts) {
        server
            .fail(T0 + place * SECOND, 1, "TEXTS", |event| {
                event.message.clone_from(text);
                event.display.clone_from(text);
                event.chain = vec![text.clone(), text.clone()];
                event.details = Some(json!({ "text": text }).to_string());
                event.backtrace = Some(text.clone());
                event.request_id = Some(text.clone());
                event.trace_id = Some(text.clone());
                event.route = Some(text.clone());
                event.user_id = Some(text.clone());
                event.service = Some(text.clone());
                event.operation = Some(text.clone());
                event.code = text.clone().into();
                event.category = text.clone().into();
                event.domain = text.clone().into();
                event.fingerprint.clone_from(text);
            })
            .await;
    }
    server.clock.set(T0 + MINUTE);
    let answer = server.get("logs/recent-errors").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(!answer.text.contains(|c: char| c < ' '), "as escapes");
    let recent = answer.json();
    for (error, text) in recent["errors"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .zip(&texts)
    {
        for key in [
            "message",
            "display",
            "backtrace",
            "request_id",
            "trace_id",
            "route",
            "user",
            "service",
            "operation",
            "code",
            "category",
            "domain",
            "fingerprint",
        ] {
            assert_eq!(error[key], **text, "{key}");
        }
        assert_eq!(error["chain"], json!([text, text]));
        assert_eq!(error["details"], json!({ "text": text }));
    }
    for by in ["code", "service", "route", "category", "fingerprint"] {
        let stats = server.read(&format!("errors/stats?group_by={by}")).await;
        let mut keys: Vec<_> = stats["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["key"].as_str().unwrap())
            .collect();
        keys.sort_unstable();
        let mut expected: Vec<_> = texts.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(keys, expected, "{by}");
    }
    assert_eq!(server.read("errors/patterns").await["total"], texts.len());
    server.read("health/services").await;
}

#[tokio::test]
async fn texts_that_are_too_long_are_cut_between_characters() {
    let server = Server::start().await;
    let huge = "ä🦀\0".repeat((1 << 20) / 7);
    let mut event = failure(T0, "HUGE");
    event.message.clone_from(&huge);
    event.display.clone_from(&huge);
    event.chain = vec![huge.clone(); 20];
    event.details = Some(json!({ "text": huge }).to_string());
    event.backtrace = Some(huge.clone());
    for text in [
        &mut event.request_id,
        &mut event.trace_id,
        &mut event.user_id,
        &mut event.operation,
    ] {
        *text = Some(huge.clone());
    }
    for text in [&mut event.route, &mut event.service] {
        *text = Some(huge.clone());
    }
    event.code = huge.clone().into();
    event.category = huge.clone().into();
    event.domain = huge.clone().into();
    event.fingerprint.clone_from(&huge);
    server.report(&event);
    server.report(&event);
    assert!(server.monitor.flush().await);
    server.clock.set(T0 + SECOND);
    let answer = server.get("logs/recent-errors").await;
    assert!(answer.text.len() < 2 * 80_000, "{}", answer.text.len());
    let recent = answer.json();
    let error = &recent["errors"][0];
    let most = [
        ("message", 2048),
        ("display", 4096),
        ("backtrace", 16_384),
        ("request_id", 128),
        ("trace_id", 128),
        ("user", 128),
        ("operation", 128),
        ("code", 256),
        ("category", 256),
        ("domain", 256),
        ("fingerprint", 256),
        ("route", 256),
        ("service", 256),
    ];
    for (key, most) in most {
        let text = error[key].as_str().unwrap();
        assert!(
            text.starts_with("ä🦀\u{fffd}ä") && !text.contains('\0'),
            "{key}: {text:.40}"
        );
        // The mark of the cut, and one byte that is no text's becomes three.
        assert!(
            text.len() <= most + 3 + 2 * most / 7,
            "{key}: {}",
            text.len()
        );
        assert!(text.len() > most / 2, "{key}: {}", text.len());
    }
    assert_eq!(error["chain"].as_array().unwrap().len(), 16);
    // A part of an object would be no JSON.
    assert_eq!(error["details"], Value::Null);
    let stats = server.read("errors/stats").await;
    assert_eq!(
        (&stats["total"], stats["groups"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
    let patterns = server.read("errors/patterns").await;
    assert_eq!(
        (&patterns["total"], &patterns["patterns"][0]["total"]),
        (&json!(1), &json!(2))
    );
    assert!(server.request(Method::GET, "monitor").build().is_ok());
}

//! The requests that the examples make to themselves, one after the other, and what each must be answered.
//! The tests take the same list.

/// One request and its answer.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) about: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) token: Option<&'static str>,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// JSON.
    pub(crate) body: Option<&'static str>,
    pub(crate) status: u16,
    /// What the body must contain.
    pub(crate) says: &'static str,
}

impl Step {
    const fn new(about: &'static str, method: &'static str, path: &'static str) -> Self {
        Self {
            about,
            method,
            path,
            token: Some("ada-token"),
            headers: &[],
            body: None,
            status: 200,
            says: "",
        }
    }

    const fn by(mut self, token: Option<&'static str>) -> Self {
        self.token = token;
        self
    }

    const fn with(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    const fn body(mut self, body: &'static str) -> Self {
        self.body = Some(body);
        self
    }

    const fn gives(mut self, status: u16, says: &'static str) -> Self {
        self.status = status;
        self.says = says;
        self
    }
}

const BOB: Option<&str> = Some("bob-token");
const OPS: Option<&str> = Some("ops-token");
const KEY: &[(&str, &str)] = &[("idempotency-key", "monday-planning")];
const PLANNING: &str = r#"{"title":"Planning","room":"attic","start_time":"2027-03-01T09:00:00Z","end_time":"2027-03-01T10:00:00Z"}"#;
const LONGER: &str = r#"{"title":"Planning","room":"attic","start_time":"2027-03-01T09:00:00Z","end_time":"2027-03-01T11:00:00Z","invited":["eve","sue"]}"#;
const REVIEW: &str = r#"{"title":"Review","room":"attic","start_time":"2027-03-01T09:30:00Z","end_time":"2027-03-01T10:30:00Z"}"#;
const TALK: &str = r#"{"title":"Talk","room":"hall","start_time":"2027-03-01T09:30:00Z","end_time":"2027-03-01T10:30:00Z"}"#;
const WRONG: &str = r#"{"title":"","room":"attic","start_time":"nine","end_time":"2027-03-01T10:00:00Z","invited":["eve","","sue"]}"#;

pub(crate) const STEPS: &[Step] = &[
    // Who is calling.
    Step::new("nobody asks", "GET", "/meetings")
        .by(None)
        .gives(401, "TOKEN_MISSING"),
    Step::new("somebody with a token of nobody's", "GET", "/meetings")
        .by(Some("stolen"))
        .gives(401, "INVALID_TOKEN"),
    // A meeting is made.
    Step::new(
        "an input with four mistakes is told all of them",
        "POST",
        "/meetings",
    )
    .body(WRONG)
    .gives(422, r#""pointer":"/invited/1""#),
    Step::new("an input that is no JSON", "POST", "/meetings")
        .body("{")
        .gives(400, "BAD_REQUEST"),
    Step::new("a meeting, under a key", "POST", "/meetings")
        .with(KEY)
        .body(PLANNING)
        .gives(200, r#""id":1,"version":1"#),
    Step::new("the same again makes no second one", "POST", "/meetings")
        .with(KEY)
        .body(PLANNING)
        .gives(200, r#""id":1,"version":1"#),
    Step::new("the same key for another meeting", "POST", "/meetings")
        .with(KEY)
        .body(REVIEW)
        .gives(422, "IDEMPOTENCY_KEY_REUSED"),
    Step::new("a key that is none", "POST", "/meetings")
        .with(&[("idempotency-key", "two words")])
        .body(TALK)
        .gives(400, "BAD_IDEMPOTENCY_KEY"),
    Step::new("the room is taken: by which meeting", "POST", "/meetings")
        .by(BOB)
        .body(REVIEW)
        .gives(409, r#""conflicting_meetings":[1]"#),
    Step::new("another room is free", "POST", "/meetings")
        .by(BOB)
        .body(TALK)
        .gives(200, r#""id":2"#),
    // Meetings are read.
    Step::new("one", "GET", "/meetings/1").gives(200, r#""organiser":"ada""#),
    Step::new("one that there is not", "GET", "/meetings/7").gives(404, "MEETING_NOT_FOUND"),
    Step::new("the first page", "GET", "/meetings?limit=1").gives(200, r#""next":1"#),
    Step::new("the last page", "GET", "/meetings?limit=1&after=1").gives(200, r#""next":null"#),
    Step::new("a page without end", "GET", "/meetings?limit=5000").gives(422, "/limit"),
    Step::new("a page of no number", "GET", "/meetings?limit=all").gives(400, "BAD_REQUEST"),
    // A meeting is changed.
    Step::new("without a version", "PUT", "/meetings/1")
        .body(LONGER)
        .gives(428, "VERSION_REQUIRED"),
    Step::new("by somebody else", "PUT", "/meetings/1")
        .by(BOB)
        .with(&[("if-match", "\"1\"")])
        .body(LONGER)
        .gives(403, "NOT_ORGANISER"),
    Step::new("by its organiser", "PUT", "/meetings/1")
        .with(&[("if-match", "\"1\"")])
        .body(LONGER)
        .gives(200, r#""version":2"#),
    Step::new("by one who has read it before that", "PUT", "/meetings/1")
        .with(&[("if-match", "\"1\"")])
        .body(PLANNING)
        .gives(412, r#""current_version":2"#),
    Step::new("nobody more has a chair", "POST", "/meetings/1/attendees")
        .by(BOB)
        .gives(409, "MEETING_FULL"),
    Step::new("there is room in the hall", "POST", "/meetings/2/attendees")
        .gives(200, r#""attendees":["bob","ada"]"#),
    // Parts of the service that answer otherwise.
    Step::new("an old client: its shape", "GET", "/v1/meetings/7")
        .gives(404, r#"{"error":"MEETING_NOT_FOUND","ok":false,"#),
    Step::new("an old client: its status and code", "POST", "/v1/meetings")
        .body(WRONG)
        .gives(400, "MEETING_VALIDATION_ERROR"),
    Step::new("an operator with a browser", "GET", "/admin/meetings/2")
        .by(OPS)
        .gives(200, "<h1>Talk</h1>"),
    Step::new("the same, of what there is not", "GET", "/admin/meetings/7")
        .by(OPS)
        .gives(404, "<h1>Not in the calendar</h1>"),
    Step::new("the same, by a program", "GET", "/admin/meetings/7")
        .by(OPS)
        .with(&[("accept", "application/json")])
        .gives(404, r#"{"error":{"code":"MEETING_NOT_FOUND""#),
    Step::new("no operator", "GET", "/admin/meetings/2")
        .with(&[("accept", "application/json")])
        .gives(403, r#""required_permissions":["operator"]"#),
    // The store is away.
    Step::new(
        "an operator takes it away, for one call",
        "POST",
        "/admin/outage",
    )
    .by(OPS)
    .body(r#"{"calls":1}"#)
    .gives(200, r#"{"calls":1}"#),
    Step::new("that call", "GET", "/meetings/1").gives(503, r#""recoverable":true"#),
    Step::new("the next", "GET", "/meetings/1").gives(200, r#""id":1"#),
    // A meeting is cancelled.
    Step::new("by somebody else", "DELETE", "/meetings/1")
        .by(BOB)
        .gives(403, "NOT_ORGANISER"),
    Step::new("by its organiser", "DELETE", "/meetings/1").gives(200, r#""id":1"#),
    Step::new("it is gone", "DELETE", "/meetings/1").gives(404, "MEETING_NOT_FOUND"),
    // What the framework refuses.
    Step::new("a path of nobody's", "GET", "/rooms").gives(404, r#""code":"NOT_FOUND""#),
    Step::new("a method that is not for it", "PATCH", "/meetings/2")
        .gives(405, "METHOD_NOT_ALLOWED"),
];

//! How the errors of garde are answered.

use std::borrow::Cow;

use garde::error::Kind;
use garde::{Path, Report};

use crate::{ApiError, Details, ErrorSpec, Pointer, StatusCode, Violation, Violations};

static INVALID: ErrorSpec = ErrorSpec::new(
    "garde",
    "VALIDATION_ERROR",
    StatusCode::UNPROCESSABLE_ENTITY,
)
.with_name("Report")
.with_message("Validation failed")
.with_details(&["errors"]);

/// 422 `VALIDATION_ERROR`, "Validation failed", with each failed rule in `details.errors`.
///
/// - `pointer`: the field, through nested structs, lists and maps (`/guests/2/age`). The names are
///   those of the Rust fields: garde does not know of a `#[serde(rename)]`.
/// - `code`: the rule where garde's text tells it (`length`, `range`, `email`, …), else `invalid`.
/// - `message`: of the built-in rules a fixed text, with the limit for lengths and ranges; what else
///   garde quotes (patterns, other fields, values of the context) is not sent. Of your own validator
///   its text, which should not quote the value.
///
/// They are sorted by field, an item of a list by its index; those of one field stay as garde has them.
impl ApiError for Report {
    fn spec(&self) -> &'static ErrorSpec {
        &INVALID
    }

    fn details(&self, out: &mut Details<'_>) {
        let mut errors: Vec<_> = self.iter().collect();
        // The entries of a hash map are reported in another order in each process.
        errors.sort_by(|(a, _), (b, _)| steps(a).cmp(steps(b)));
        let violations: Violations = errors
            .into_iter()
            .map(|(path, error)| {
                let (code, message) = public_text(error.message());
                Violation::new(pointer(path), code, message)
            })
            .collect();
        out.violations(&violations);
    }
}

/// What of garde's own texts a client may read. They quote the rule's arguments, which may be values of
/// this very request or of the server's configuration.
fn public_text(text: &str) -> (&'static str, Cow<'static, str>) {
    const QUOTING: &[(&str, &str, &str)] = &[
        (
            "does not contain \"",
            "contains",
            "does not contain the required text",
        ),
        (
            "value does not begin with \"",
            "prefix",
            "does not begin with the required text",
        ),
        (
            "does not end with \"",
            "suffix",
            "does not end with the required text",
        ),
        (
            "value does not end with \"",
            "suffix",
            "does not end with the required text",
        ),
        (
            "does not match pattern /",
            "pattern",
            "does not have the required form",
        ),
        (
            "does not match ",
            "matches",
            "does not match the other field",
        ),
        (
            "not a valid email",
            "email",
            "is not a valid e-mail address",
        ),
        ("not a valid url", "url", "is not a valid URL"),
        (
            "not a valid phone number",
            "phone_number",
            "is not a valid phone number",
        ),
        (
            "not a valid credit card number",
            "credit_card",
            "is not a valid credit card number",
        ),
        ("not a valid IP", "ip", "is not a valid IP address"),
    ];
    const LIMITS: &[(&str, &str)] = &[
        ("length is lower than ", "length"),
        ("length is greater than ", "length"),
        ("lower than ", "range"),
        ("greater than ", "range"),
        ("not alphanumeric", "alphanumeric"),
        ("not ascii", "ascii"),
        ("not set", "required"),
    ];
    if let Some((_, code, message)) = QUOTING.iter().find(|(start, ..)| text.starts_with(start)) {
        return (code, Cow::Borrowed(message));
    }
    let code = LIMITS
        .iter()
        .find(|(start, _)| text.starts_with(start))
        .map_or("invalid", |(_, code)| code);
    (code, Cow::Owned(text.to_owned()))
}

/// One step into the document. Indices are compared as numbers: 2 comes before 10.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    Index(usize),
    Key(&'a str),
}

/// The steps from the document's root. garde keeps them from the leaf.
fn steps(path: &Path) -> impl Iterator<Item = Step<'_>> {
    path.__iter()
        .rev()
        .filter_map(|(kind, component)| match kind {
            // The inside of an `Option` or a newtype is not a place of its own in the document.
            Kind::None => None,
            Kind::Index => component.parse().ok().map(Step::Index),
            // The field `r#type` is the member `type`.
            Kind::Key => Some(Step::Key(component.strip_prefix("r#").unwrap_or(component))),
        })
}

fn pointer(path: &Path) -> Pointer {
    steps(path).fold(Pointer::root(), |pointer, step| match step {
        Step::Index(index) => pointer.index(index),
        Step::Key(key) => pointer.key(key),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use garde::Validate;
    use garde::error::NoKey;

    use super::*;
    use crate::adapter::testing::violations_sent;
    use crate::format::ProblemJson;
    use crate::{AnyError, http_response_with};

    #[derive(Validate)]
    struct Meeting {
        #[garde(length(min = 100), ascii)]
        title: String,
        #[garde(range(max = 5))]
        r#type: u8,
        #[garde(required)]
        room: Option<String>,
        #[garde(inner(length(max = 3)))]
        topic: Option<String>,
        #[garde(dive)]
        guests: Vec<Guest>,
        #[garde(dive)]
        rooms: HashMap<String, Guest>,
    }

    #[derive(Clone, Validate)]
    struct Guest {
        #[garde(length(max = 3))]
        name: String,
        #[garde(custom(adult))]
        age: u8,
        #[garde(inner(length(max = 3)))]
        tags: Vec<String>,
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "garde passes a reference"
    )]
    fn adult(age: &u8, (): &()) -> garde::Result {
        match *age {
            0..18 => Err(garde::Error::new("must be an adult")),
            _ => Ok(()),
        }
    }

    fn guest(name: &str) -> Guest {
        Guest {
            name: name.to_owned(),
            age: 30,
            tags: Vec::new(),
        }
    }

    fn meeting() -> Meeting {
        Meeting {
            title: "hunter2 ü".to_owned(),
            r#type: 6,
            room: None,
            topic: Some("hunter2".to_owned()),
            guests: vec![guest("Ann"); 12],
            rooms: HashMap::new(),
        }
    }

    #[test]
    fn every_failed_rule_is_a_violation() {
        let mut meeting = meeting();
        meeting.guests[10] = guest("hunter2");
        meeting.guests[2].age = 3;
        meeting.guests[2].tags = vec!["ok".to_owned(), "hunter2".to_owned()];
        assert_eq!(
            violations_sent(&meeting.validate().unwrap_err()),
            [
                ["/guests/2/age", "invalid", "must be an adult"],
                ["/guests/2/tags/1", "length", "length is greater than 3"],
                ["/guests/10/name", "length", "length is greater than 3"],
                ["/room", "required", "not set"],
                ["/title", "ascii", "not ascii"],
                ["/title", "length", "length is lower than 100"],
                ["/topic", "length", "length is greater than 3"],
                ["/type", "range", "greater than 5"],
            ]
        );
    }

    struct Secrets {
        api_key: String,
    }

    /// Rules whose arguments are values of the request or of the server.
    #[derive(Validate)]
    #[garde(context(Secrets as secrets))]
    struct Quoting {
        #[garde(contains(&secrets.api_key))]
        contains: String,
        #[garde(prefix(&self.contains))]
        prefix: String,
        #[garde(suffix(&self.contains))]
        suffix: String,
        #[garde(matches(contains))]
        matches: String,
    }

    #[test]
    fn arguments_of_rules_are_not_quoted() {
        let quoting = Quoting {
            contains: "hunter2".to_owned(),
            prefix: String::new(),
            suffix: String::new(),
            matches: String::new(),
        };
        let secrets = Secrets {
            api_key: "hunter2-key".to_owned(),
        };
        let report = quoting.validate_with(&secrets).unwrap_err();
        assert!(report.to_string().contains("hunter2-key"), "{report}");
        assert_eq!(
            violations_sent(&report),
            [
                [
                    "/contains",
                    "contains",
                    "does not contain the required text"
                ],
                ["/matches", "matches", "does not match the other field"],
                ["/prefix", "prefix", "does not begin with the required text"],
                ["/suffix", "suffix", "does not end with the required text"],
            ]
        );
    }

    #[test]
    fn entries_of_a_map_are_in_order() {
        let mut meeting = meeting();
        for key in ["d", "b", "a/~", "c", "e", "f"] {
            meeting.rooms.insert(key.to_owned(), guest("hunter2"));
        }
        let report = meeting.validate().unwrap_err();
        let rooms: Vec<_> = violations_sent(&report)
            .into_iter()
            .map(|[pointer, ..]| pointer)
            .filter(|pointer| pointer.starts_with("/rooms"))
            .collect();
        assert_eq!(
            rooms,
            [
                "/rooms/a~1~0/name",
                "/rooms/b/name",
                "/rooms/c/name",
                "/rooms/d/name",
                "/rooms/e/name",
                "/rooms/f/name",
            ]
        );
    }

    #[test]
    fn a_path_is_read_from_the_root() {
        let path = Path::new("a")
            .join(7_usize)
            .join(NoKey::default())
            .join("b");
        assert_eq!(pointer(&path).as_str(), "/a/7/b");
        assert_eq!(pointer(&Path::empty()).as_str(), "");
        // A key of digits is a key.
        assert!(steps(&Path::new("7")).next() == Some(Step::Key("7")));
    }

    #[test]
    fn a_violation_of_the_whole_points_at_the_whole() {
        let mut report = Report::new();
        report.append(Path::empty(), garde::Error::new("is odd"));
        assert_eq!(violations_sent(&report), [["", "invalid", "is odd"]]);
    }

    #[test]
    fn problem_json_has_them_apart() {
        let report = meeting().validate().unwrap_err();
        let response = http_response_with(&report, &ProblemJson);
        let body: json::Value = json::from_slice(response.body()).unwrap();
        assert_eq!(body["errors"][0]["pointer"], "/room");
        assert_eq!(body.get("details"), None);
    }

    #[test]
    fn it_becomes_any_error() {
        fn handle() -> Result<(), AnyError> {
            meeting().validate()?;
            Ok(())
        }
        assert_eq!(handle().unwrap_err().code(), "VALIDATION_ERROR");
    }
}

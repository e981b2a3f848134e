//! How the errors of validator are answered.

use std::borrow::Cow;

use validator::{ValidationErrors, ValidationErrorsKind};

use crate::{ApiError, Details, ErrorSpec, Pointer, StatusCode, Violation, Violations};

static INVALID: ErrorSpec = ErrorSpec::new(
    "validator",
    "VALIDATION_ERROR",
    StatusCode::UNPROCESSABLE_ENTITY,
)
.with_name("ValidationErrors")
.with_message("Validation failed")
.with_details(&["errors"]);

/// 422 `VALIDATION_ERROR`, "Validation failed", with each failed rule in `details.errors`.
///
/// - `pointer`: the field, through nested structs and lists (`/guests/2/age`). The names are
///   those of the Rust fields: `validator` does not know of a `#[serde(rename)]`. A rule of the whole
///   struct (`schema`) points at that struct. An entry of a map is known by its position only.
/// - `code`: the rule's, such as `length`, or the one declared with `code = "…"`.
/// - `message`: the one declared with `message = "…"`, else a fixed text for the code.
///
/// They are sorted by field. The `params`, which hold what was submitted, are never sent.
impl ApiError for ValidationErrors {
    fn spec(&self) -> &'static ErrorSpec {
        &INVALID
    }

    fn details(&self, out: &mut Details<'_>) {
        let mut violations = Violations::new();
        collect(self, &Pointer::root(), &mut violations);
        out.violations(&violations);
    }
}

fn collect(errors: &ValidationErrors, place: &Pointer, out: &mut Violations) {
    // A hash map has another order in each process. The field `r#type` is the member `type`.
    let mut fields: Vec<_> = errors
        .errors()
        .iter()
        .map(|(field, kind)| (field.strip_prefix("r#").unwrap_or(field), kind))
        .collect();
    fields.sort_unstable_by_key(|(field, _)| *field);

    for (field, kind) in fields {
        let place = match field {
            // The struct itself, and a list in the place of a struct: neither is a field.
            "__all__" | "_tmp_validator" => place.clone(),
            field => place.clone().key(field),
        };
        match kind {
            ValidationErrorsKind::Field(errors) => out.extend(errors.iter().map(|error| {
                let message = error.message.clone();
                Violation::new(
                    place.clone(),
                    error.code.clone(),
                    message.unwrap_or(Cow::Borrowed(text(&error.code))),
                )
            })),
            ValidationErrorsKind::Struct(errors) => collect(errors, &place, out),
            ValidationErrorsKind::List(items) => {
                for (index, errors) in items {
                    collect(errors, &place.clone().index(*index), out);
                }
            }
        }
    }
}

/// What is said of a failed rule without a message of its own.
fn text(code: &str) -> &'static str {
    match code {
        "contains" => "lacks a required part",
        "credit_card" => "is not a valid credit card number",
        "does_not_contain" => "has a forbidden part",
        "email" => "is not a valid e-mail address",
        "ip" => "is not a valid IP address",
        "length" => "has a wrong length",
        "must_match" => "does not match",
        "non_control_character" => "has a control character",
        "range" => "is out of range",
        "regex" => "has a wrong format",
        "required" => "is required",
        "url" => "is not a valid URL",
        _ => "is invalid",
    }
}

#[cfg(test)]
mod tests {
    use validator::{Validate, ValidationError};

    use crate::adapter::testing::violations_sent;
    use crate::format::ProblemJson;
    use crate::{AnyError, http_response_with};

    #[derive(Validate)]
    #[validate(schema(function = "not_alone", skip_on_field_errors = false))]
    struct Meeting {
        #[validate(email)]
        owner: String,
        #[validate(length(min = 100, message = "is too short"))]
        title: String,
        #[validate(range(min = 1, max = 5), custom(function = "odd"))]
        r#type: u8,
        #[validate(required)]
        room: Option<String>,
        #[validate(nested)]
        place: Place,
        #[validate(nested)]
        guests: Vec<Guest>,
    }

    #[derive(Validate)]
    struct Place {
        #[validate(url(code = "link"))]
        map: String,
    }

    #[derive(Clone, Validate)]
    #[validate(schema(function = "adult"))]
    struct Guest {
        #[validate(length(max = 3))]
        name: String,
        age: u8,
    }

    fn not_alone(meeting: &Meeting) -> Result<(), ValidationError> {
        match meeting.guests.len() {
            0 => Err(ValidationError::new("alone").with_message("needs a guest".into())),
            _ => Ok(()),
        }
    }

    fn adult(guest: &Guest) -> Result<(), ValidationError> {
        match guest.age {
            0..18 => Err(ValidationError::new("minor")),
            _ => Ok(()),
        }
    }

    fn odd(number: u8) -> Result<(), ValidationError> {
        match number % 2 {
            0 => Err(ValidationError::new("odd")),
            _ => Ok(()),
        }
    }

    fn meeting() -> Meeting {
        Meeting {
            owner: "hunter2".to_owned(),
            title: "hunter2".to_owned(),
            r#type: 6,
            room: None,
            place: Place {
                map: "hunter2".to_owned(),
            },
            guests: Vec::new(),
        }
    }

    fn guest(name: &str, age: u8) -> Guest {
        Guest {
            name: name.to_owned(),
            age,
        }
    }

    #[test]
    fn every_failed_rule_is_a_violation() {
        let errors = meeting().validate().unwrap_err();
        // The params hold what was submitted.
        assert!(format!("{errors:?}").contains("hunter2"));
        let expected = [
            ["", "alone", "needs a guest"],
            ["/owner", "email", "is not a valid e-mail address"],
            ["/place/map", "link", "is invalid"],
            ["/room", "required", "is required"],
            ["/title", "length", "is too short"],
            ["/type", "range", "is out of range"],
            ["/type", "odd", "is invalid"],
        ];
        // As often as it takes a hash map to have had another order.
        for _ in 0..20 {
            let errors = meeting().validate().unwrap_err();
            assert_eq!(violations_sent(&errors), expected);
        }
    }

    #[test]
    fn items_of_a_list_are_in_order() {
        let mut meeting = meeting();
        meeting.guests = vec![guest("Ann", 30); 12];
        meeting.guests[2] = guest("hunter2", 30);
        meeting.guests[10] = guest("Bob", 3);
        let errors = meeting.validate().unwrap_err();
        let guests: Vec<_> = violations_sent(&errors)
            .into_iter()
            .filter(|[pointer, ..]| pointer.starts_with("/guests"))
            .collect();
        assert_eq!(
            guests,
            [
                ["/guests/2/name", "length", "has a wrong length"],
                // Of the item as a whole.
                ["/guests/10", "minor", "is invalid"],
            ]
        );
    }

    #[test]
    fn a_list_may_be_the_document() {
        let guests = vec![guest("Ann", 30), guest("hunter2", 30)];
        let errors = guests.validate().unwrap_err();
        assert_eq!(
            violations_sent(&errors),
            [["/1/name", "length", "has a wrong length"]]
        );
    }

    #[test]
    fn problem_json_has_them_apart() {
        let errors = meeting().validate().unwrap_err();
        let response = http_response_with(&errors, &ProblemJson);
        let body: json::Value = json::from_slice(response.body()).unwrap();
        assert_eq!(body["errors"][1]["pointer"], "/owner");
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

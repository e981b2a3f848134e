//! How the errors of jsonwebtoken are answered.

use jsonwebtoken::errors::{Error, ErrorKind};

use crate::{ApiError, ErrorSpec, StatusCode};

static INVALID: ErrorSpec = token("InvalidToken", "the token is invalid");
static EXPIRED: ErrorSpec = token("ExpiredSignature", "the token has expired");

static SERVER: ErrorSpec = ErrorSpec::new(
    "jsonwebtoken",
    "INTERNAL_ERROR",
    StatusCode::INTERNAL_SERVER_ERROR,
)
.with_name("Key");

/// A fault of the token: answered as RFC 6750 §3.1 asks.
const fn token(name: &'static str, message: &'static str) -> ErrorSpec {
    ErrorSpec::new("jsonwebtoken", "INVALID_TOKEN", StatusCode::UNAUTHORIZED)
        .with_name(name)
        .with_message(message)
        .with_authenticate("Bearer error=\"invalid_token\"")
        .with_category("security")
}

/// A fault of the token is the caller's, a fault of the key is the server's. Which claim was
/// wrong is for the log alone.
///
/// - An expired token: 401 `INVALID_TOKEN`, "the token has expired".
/// - A fault of the server's keys or of its crypto provider (`InvalidRsaKey`, `InvalidEcdsaKey`,
///   `InvalidEddsaKey`, `InvalidKeyFormat`, `RsaFailedSigning`, `Signing`, `Provider`), or of what
///   it was configured with (`InvalidAlgorithmName`, `UnsupportedAlgorithm`, `MissingAlgorithm`):
///   500 `INTERNAL_ERROR`.
/// - All else, such as a malformed token, a wrong signature, issuer or audience: 401
///   `INVALID_TOKEN`, "the token is invalid".
///
/// The 401s carry `WWW-Authenticate: Bearer error="invalid_token"` and belong to the log
/// `security`.
impl ApiError for Error {
    fn spec(&self) -> &'static ErrorSpec {
        match self.kind() {
            ErrorKind::ExpiredSignature => &EXPIRED,
            // No token can cause these: they come from keys, from key sets, from parsing an
            // algorithm's name, and from signing.
            ErrorKind::InvalidRsaKey(_)
            | ErrorKind::InvalidEcdsaKey
            | ErrorKind::InvalidEddsaKey
            | ErrorKind::InvalidKeyFormat
            | ErrorKind::RsaFailedSigning
            | ErrorKind::Signing(_)
            | ErrorKind::Provider(_)
            | ErrorKind::InvalidAlgorithmName
            | ErrorKind::UnsupportedAlgorithm
            | ErrorKind::MissingAlgorithm => &SERVER,
            // A kind of a later version too: whatever it is, the token was not accepted.
            _ => &INVALID,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use json::{Value, json};
    use jsonwebtoken::{
        Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
    };

    use super::*;
    use crate::{AnyError, Level, http_response};

    const SECRET: &str = "hunter2";

    fn now() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
    }

    fn signed(claims: &Value, secret: &str) -> String {
        encode(
            &Header::default(),
            claims,
            &EncodingKey::from_secret(secret.as_bytes()),
        )
        .unwrap()
    }

    fn refused(token: &str, validation: &Validation) -> Error {
        decode::<Value>(token, &DecodingKey::from_secret(b"right"), validation).unwrap_err()
    }

    fn body(error: &Error) -> String {
        let body = String::from_utf8(http_response(error).into_body()).unwrap();
        assert!(!body.contains(SECRET), "{body}");
        body
    }

    #[track_caller]
    fn check_refused(error: &Error, message: &str) {
        let response = http_response(error);
        assert_eq!(response.status(), 401, "{error:?}");
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer error=\"invalid_token\""
        );
        let body = body(error);
        assert!(body.contains("\"code\":\"INVALID_TOKEN\""), "{body}");
        assert!(
            body.contains(&format!("\"message\":\"{message}\"")),
            "{body}"
        );
        assert!(!body.contains("details"), "{body}");

        assert_eq!(error.spec().domain, "jsonwebtoken");
        assert_eq!(error.category(), "security");
        assert_eq!(error.level(), Level::Warn);
        assert!(!error.is_retryable());
    }

    #[track_caller]
    fn check_server(error: &Error) {
        assert_eq!(error.status(), 500, "{error:?}");
        let body = body(error);
        assert!(body.contains("\"code\":\"INTERNAL_ERROR\""), "{body}");
        assert!(body.contains("An unexpected error occurred"), "{body}");
        assert!(
            !http_response(error)
                .headers()
                .contains_key("www-authenticate")
        );
        assert!(error.is_reported());
    }

    #[test]
    fn an_accepted_token_is_no_error() {
        let token = signed(&json!({"exp": now() + 600}), "right");
        let key = DecodingKey::from_secret(b"right");
        assert!(decode::<Value>(&token, &key, &Validation::default()).is_ok());
    }

    #[test]
    fn an_expired_token_is_told_so() {
        let token = signed(&json!({"exp": now() - 600, "sub": SECRET}), "right");
        let error = refused(&token, &Validation::default());
        assert_eq!(*error.kind(), ErrorKind::ExpiredSignature);
        check_refused(&error, "the token has expired");
    }

    #[test]
    fn a_bad_token_is_invalid() {
        let fresh = json!({"exp": now() + 600, "aud": SECRET, "iss": SECRET, "sub": SECRET});
        let fresh_token = signed(&fresh, "right");
        let validation = Validation::default();

        let mut audience = Validation::default();
        audience.set_audience(&["somebody else"]);
        let mut issuer = Validation::new(Algorithm::HS256);
        issuer.validate_aud = false;
        issuer.set_issuer(&["somebody else"]);
        let mut claim = Validation::default();
        claim.set_required_spec_claims(&["exp", "nbf"]);

        let errors = [
            refused(SECRET, &validation),
            refused(&format!("{SECRET}.{SECRET}.{SECRET}"), &validation),
            refused("a!.b.c", &validation),
            refused(&signed(&fresh, "wrong"), &validation),
            // The payload is an object, the signature that of another payload.
            refused(&format!("{fresh_token}x"), &validation),
            refused(&fresh_token, &audience),
            refused(&fresh_token, &issuer),
            refused(&fresh_token, &claim),
            refused(&signed(&json!({"exp": SECRET}), "right"), &validation),
            refused(
                &signed(&json!({"exp": now() + 600}), "right"),
                &Validation::new(Algorithm::HS512),
            ),
        ];
        for error in &errors {
            check_refused(error, "the token is invalid");
        }
        let kinds: Vec<_> = errors.iter().map(|error| error.kind().clone()).collect();
        for kind in [
            ErrorKind::InvalidToken,
            ErrorKind::InvalidSignature,
            ErrorKind::InvalidAudience,
            ErrorKind::InvalidIssuer,
            ErrorKind::InvalidAlgorithm,
            ErrorKind::MissingRequiredClaim("nbf".to_owned()),
        ] {
            assert!(kinds.contains(&kind), "{kind:?} is not among {kinds:?}");
        }
    }

    #[test]
    fn claims_of_another_shape_are_invalid() {
        #[derive(serde::Deserialize)]
        struct Claims {
            #[expect(dead_code, reason = "only its type matters")]
            admin: bool,
        }
        let token = signed(&json!({"exp": now() + 600, "admin": SECRET}), "right");
        let key = DecodingKey::from_secret(b"right");
        let Err(error) = decode::<Claims>(&token, &key, &Validation::default()) else {
            panic!("a text was taken for a bool");
        };
        assert!(error.to_string().contains(SECRET), "{error}");
        check_refused(&error, "the token is invalid");
    }

    #[test]
    fn a_header_that_cannot_be_read_is_invalid() {
        check_refused(&decode_header(SECRET).unwrap_err(), "the token is invalid");
    }

    #[test]
    fn bad_keys_are_the_servers_fault() {
        let secret = SECRET.as_bytes();
        let sign = |algorithm, key: &EncodingKey| {
            encode(&Header::new(algorithm), &json!({}), key).unwrap_err()
        };
        let errors = [
            sign(Algorithm::RS256, &EncodingKey::from_rsa_der(secret)),
            sign(Algorithm::ES256, &EncodingKey::from_ec_der(secret)),
            sign(Algorithm::EdDSA, &EncodingKey::from_ed_der(secret)),
            Error::from(ErrorKind::InvalidRsaKey(SECRET.to_owned())),
            Error::from(ErrorKind::InvalidKeyFormat),
            Error::from(ErrorKind::RsaFailedSigning),
            Error::from(ErrorKind::Provider(SECRET.to_owned())),
            Error::from(ErrorKind::UnsupportedAlgorithm),
            Error::from(ErrorKind::MissingAlgorithm),
            "hunter2".parse::<Algorithm>().unwrap_err(),
        ];
        for error in &errors {
            check_server(error);
        }
    }

    #[test]
    fn it_becomes_any_error() {
        fn authenticate() -> Result<(), AnyError> {
            decode_header("hunter2")?;
            Ok(())
        }
        assert_eq!(authenticate().unwrap_err().code(), "INVALID_TOKEN");
    }
}

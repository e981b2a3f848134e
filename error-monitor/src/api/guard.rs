//! The door: who comes in, and what every answer says.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use error_runtime::RequestContext;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::endpoint::{Endpoint, METRICS};
use super::params::Params;
use super::{AdminError, Api};
use crate::access::{Authenticator, BearerTokens, Identity, Role};
use crate::store::JournalKind;

/// Where the endpoints are, and who may come in.
pub(crate) struct Entrance {
    pub(crate) mount: String,
    /// Where the page is, if there is one.
    pub(crate) dashboard: Option<String>,
    pub(crate) metrics_path: String,
    pub(crate) open_metrics: bool,
    pub(crate) tokens: BearerTokens,
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    pub(crate) admin_emails: Vec<String>,
}

/// Somebody who has been let in.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// A request that may be answered.
pub(crate) struct Call {
    pub(crate) params: Params,
    /// What stands for the placeholders of the path, in order.
    pub(crate) path: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: HeaderMap,
    /// Nobody only where the endpoint is open.
    pub(crate) actor: Option<Actor>,
    /// What changed: filled in by the endpoint, for the audit.
    pub(crate) audit: Option<Audit>,
}

/// What an endpoint has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audit {
    pub(crate) target: String,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

impl Audit {
    /// Of a change that came to nothing: what it was for, as its path says.
    fn of(path: &[String]) -> Self {
        let target = crate::text::clean(&path.join("/"), 256);
        Self {
            target,
            ..Self::default()
        }
    }
}

/// How long an authenticator may take.
const AUTHENTICATION: Duration = Duration::from_secs(5);
/// Rules have a limit; this is far above it.
const MAX_BODY: usize = 256 * 1024;

impl Call {
    pub(crate) fn part(&self, place: usize) -> &str {
        self.path.get(place).map_or("", String::as_str)
    }

    pub(crate) fn actor_name(&self) -> &str {
        self.actor.as_ref().map_or("", |actor| &actor.name)
    }

    /// The body, which may be left out where everything in it may be.
    pub(crate) fn body_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, AdminError> {
        if self.body.is_empty() {
            Ok(T::default())
        } else {
            self.body()
        }
    }

    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, AdminError> {
        let media_type = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let essence = media_type
            .and_then(|value| value.split(';').next())
            .map_or("", str::trim);
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(AdminError::UnsupportedMediaType);
        }
        // Read twice: what is no JSON is a 400, what is JSON of another shape a 422.
        let value: Value =
            serde_json::from_slice(&self.body).map_err(|error| AdminError::InvalidBody {
                reason: error.to_string(),
            })?;
        let invalid = |field: &str, reason: &str| AdminError::InvalidField {
            field: crate::text::clean(field, 256),
            reason: crate::text::clean(reason, 512),
        };
        if let Some(field) = list_for_object("body", &value) {
            return Err(invalid(&field, "expected an object"));
        }
        serde_path_to_error::deserialize(&value).map_err(|error| {
            let reason = error.inner().to_string();
            let path = culprit::<T>(&value, error.path(), &reason);
            match path.as_str() {
                // What is missing or unknown is named by the reason.
                "" => match reason.split('`').nth(1) {
                    Some(field) if !reason.starts_with("invalid") => invalid(field, &reason),
                    _ => invalid("body", &reason),
                },
                path => invalid(path, &reason),
            }
        })
    }
}

/// Where there is a list in the place of an object: serde would take it for one, by the order of its fields.
fn list_for_object(name: &str, value: &Value) -> Option<String> {
    /// What is an object wherever it stands. There are no lists of lists.
    const OBJECTS: [&str; 5] = ["body", "filter", "remove", "to", "when"];
    match value {
        Value::Array(_) if OBJECTS.contains(&name) => Some(name.to_owned()),
        Value::Array(items) => items.iter().enumerate().find_map(|(place, item)| {
            let place = format!("{name}[{place}]");
            if item.is_array() {
                Some(place)
            } else {
                list_for_object(&place, item)
            }
        }),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| list_for_object(name, value)),
        _ if name == "body" => Some(name.to_owned()),
        _ => None,
    }
}

/// Which field it is that cannot be read. Of a thing of several kinds serde says only where it stands; its field is
/// the one without which something else would be wrong with it, or nothing.
fn culprit<T: DeserializeOwned>(
    value: &Value,
    path: &serde_path_to_error::Path,
    reason: &str,
) -> String {
    use serde_path_to_error::Segment;
    let known = path
        .iter()
        .all(|segment| !matches!(segment, Segment::Unknown));
    let path_text = if known && path.iter().len() > 0 {
        path.to_string()
    } else {
        String::new()
    };
    let mut without = value.clone();
    let mut place = Some(&mut without);
    for segment in path {
        place = place.and_then(|place| match segment {
            Segment::Seq { index } => place.get_mut(*index),
            Segment::Map { key } => place.get_mut(key.as_str()),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
    }
    let Some(Value::Object(fields)) = place else {
        return path_text;
    };
    let all = fields.clone();
    for name in all.keys().filter(|name| *name != "kind") {
        let mut without = value.clone();
        let pointer: String = path
            .iter()
            .map(|segment| match segment {
                Segment::Seq { index } => format!("/{index}"),
                Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
                Segment::Enum { .. } | Segment::Unknown => String::new(),
            })
            .collect();
        if let Some(Value::Object(fields)) = without.pointer_mut(&pointer) {
            fields.remove(name);
        }
        let same = T::deserialize(&without)
            .err()
            .is_some_and(|error| error.to_string() == reason);
        if !same {
            let joint = if path_text.is_empty() { "" } else { "." };
            return format!("{path_text}{joint}{name}");
        }
    }
    path_text
}

/// One request on its way to its endpoint.
pub(super) async fn pass(
    api: Arc<Api>,
    endpoint: &'static Endpoint,
    path: Result<Vec<String>, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let is_change = parts.method == Method::POST;
    let open = endpoint.path == METRICS && api.entrance.open_metrics;
    let role = endpoint.role.filter(|_| !open);
    let actor = match enter(&api, role, is_change, &parts).await {
        Ok(actor) => actor,
        Err((error, who)) => {
            if is_change && let Some(who) = who {
                let audit = Audit::of(path.as_deref().unwrap_or_default());
                audited(&api, &who, endpoint, &parts.uri, &audit, Some(&error)).await;
            }
            return error.into_response();
        }
    };
    let whole = whole(path, body, parts.uri.query(), endpoint).await;
    let (path, body, params) = match whole {
        Ok(whole) => whole,
        Err((error, path)) => {
            if is_change && let Some(actor) = &actor {
                let audit = Audit::of(&path);
                audited(&api, actor, endpoint, &parts.uri, &audit, Some(&error)).await;
            }
            return error.into_response();
        }
    };
    if let Some(actor) = &actor
        && let Some(context) = RequestContext::current()
    {
        context.set_user(&actor.name);
    }
    let mut call = Call {
        params,
        path,
        body,
        headers: parts.headers,
        actor: actor.clone(),
        audit: None,
    };
    let uri = parts.uri;
    let answer = async move {
        // A few at a time: the store has rules to look at and batches to take meanwhile.
        let _turn = if endpoint.role.is_some() {
            api.turns.acquire().await.ok()
        } else {
            None
        };
        let result = (endpoint.handler)(Arc::clone(&api), &mut call).await;
        if is_change && let Some(actor) = &actor {
            let audit = call.audit.take().unwrap_or_else(|| Audit::of(&call.path));
            audited(&api, actor, endpoint, &uri, &audit, result.as_ref().err()).await;
        }
        result.map_or_else(IntoResponse::into_response, super::Answer::into_response)
    };
    if !is_change {
        return answer.await;
    }
    // A change is done and audited whether or not somebody waits for the answer.
    match error_runtime::spawn(answer).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => AdminError::ChangedMeanwhile.into_response(),
        },
    }
}

/// All of a request that can be wrong by itself; what of its path can be read goes with what is wrong.
async fn whole(
    path: Result<Vec<String>, RawPathParamsRejection>,
    body: Body,
    query: Option<&str>,
    endpoint: &Endpoint,
) -> Result<(Vec<String>, Vec<u8>, Params), (AdminError, Vec<String>)> {
    let path = path.map_err(|_| {
        let error = AdminError::invalid("path", "it has bytes that are no UTF-8");
        (error, Vec::new())
    })?;
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Err((AdminError::BodyTooLarge { most: MAX_BODY }, path));
    };
    match Params::read(query, endpoint.params) {
        Ok(params) => Ok((path, body.to_vec(), params)),
        Err(error) => Err((error, path)),
    }
}

/// Where there is an endpoint, and not for this method.
pub(super) async fn other_method(api: &Api, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match enter(api, Some(Role::Viewer), false, &parts).await {
        Ok(_) => AdminError::MethodNotAllowed.into_response(),
        Err((error, _)) => error.into_response(),
    }
}

/// Where there is no endpoint. Who has not signed in is not told even that.
pub(super) async fn nowhere(api: &Api, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match enter(api, Some(Role::Viewer), false, &parts).await {
        Ok(_) => AdminError::NoSuchEndpoint.into_response(),
        Err((error, _)) => error.into_response(),
    }
}

/// Who comes in; or why not, and who it was if that is known.
async fn enter(
    api: &Api,
    needed: Option<Role>,
    is_change: bool,
    parts: &Parts,
) -> Result<Option<Actor>, (AdminError, Option<Actor>)> {
    let address = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let wait = api.guesses.wait(address);
    if let (Some(wait), Some(_)) = (wait, needed) {
        return Err((AdminError::TooManyAttempts { wait }, None));
    }
    // Where everybody may come in, one who must wait is one of everybody: what they show is not looked at.
    let shows = [header::AUTHORIZATION, header::COOKIE]
        .iter()
        .any(|name| parts.headers.contains_key(name));
    let identity = if wait.is_some() || needed.is_none() && !shows {
        // An open endpoint asks nobody but for somebody who shows something.
        None
    } else {
        identify(api, parts).await
    };
    let actor = identity
        .as_ref()
        .and_then(|identity| role_of(api, identity));
    let Some(needed) = needed else {
        if identity.is_none() && wait.is_none() {
            refused(api, address, parts);
        }
        return Ok(actor);
    };
    let Some(identity) = identity else {
        refused(api, address, parts);
        return Err((AdminError::NotSignedIn, None));
    };
    let Some(actor) = actor else {
        security_event("forbidden", &identity.name, address, parts);
        return Err((
            AdminError::Forbidden {
                role: Role::Viewer.as_str(),
            },
            None,
        ));
    };
    if actor.role < needed {
        security_event("forbidden", &actor.name, address, parts);
        return Err((
            AdminError::Forbidden {
                role: needed.as_str(),
            },
            Some(actor),
        ));
    }
    if is_change && !is_same_site(parts) {
        security_event("cross_site_change", &actor.name, address, parts);
        return Err((AdminError::CrossSite, Some(actor)));
    }
    Ok(Some(actor))
}

async fn identify(api: &Api, parts: &Parts) -> Option<Identity> {
    if let Some(identity) = api.entrance.tokens.who(&parts.headers) {
        return Some(identity);
    }
    let authenticator = api.entrance.authenticator.as_ref()?;
    // It is the application's code: its panic is nobody, and not a way in.
    let mut asking =
        std::panic::catch_unwind(AssertUnwindSafe(|| authenticator.authenticate(parts))).ok()?;
    let asking = std::future::poll_fn(move |cx| {
        std::panic::catch_unwind(AssertUnwindSafe(|| asking.as_mut().poll(cx)))
            .unwrap_or(std::task::Poll::Ready(None))
    });
    // Who does not say in time who it is, has not said it.
    tokio::time::timeout(AUTHENTICATION, asking)
        .await
        .ok()
        .flatten()
}

fn role_of(api: &Api, identity: &Identity) -> Option<Actor> {
    let email = identity
        .email
        .as_ref()
        .map(|email| email.to_ascii_lowercase());
    let is_admin = email.is_some_and(|email| api.entrance.admin_emails.contains(&email));
    let role = if is_admin {
        Some(Role::Operator)
    } else {
        identity.role
    };
    role.map(|role| Actor {
        name: crate::text::clean(&identity.name, 128),
        role,
    })
}

/// Somebody who showed something that is not known. Who shows nothing at all is not guessing.
fn refused(api: &Api, address: Option<IpAddr>, parts: &Parts) {
    if parts.headers.contains_key(header::AUTHORIZATION) {
        api.guesses.failed(address);
        security_event("sign_in_failed", "", address, parts);
    }
}

/// Whether a change was asked for by our own page or a program, not by a page of somebody else's in a browser
/// that has signed in here.
fn is_same_site(parts: &Parts) -> bool {
    let text = |name: &HeaderName| {
        parts
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    // No browser adds it by itself.
    let has_token = parts.headers.contains_key(header::AUTHORIZATION);
    if let Some(site) = text(&HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin" || site == "none" && has_token;
    }
    let Some(origin) = text(&header::ORIGIN) else {
        return has_token;
    };
    let (Some(host), Some(origin)) = (host_of(parts), origin.parse::<Uri>().ok()) else {
        return false;
    };
    origin
        .authority()
        .is_some_and(|authority| authority.as_str() == host)
}

/// Which host the request is for.
fn host_of(parts: &Parts) -> Option<&str> {
    match parts.headers.get(header::HOST) {
        Some(host) => host.to_str().ok().filter(|host| !host.is_empty()),
        None => parts.uri.authority().map(Authority::as_str),
    }
}

fn security_event(event: &str, who: &str, address: Option<IpAddr>, parts: &Parts) {
    let address = address.map(|address| address.to_string());
    tracing::warn!(
        target: "error_monitor::security",
        category = "security",
        event,
        user = who,
        address,
        method = %parts.method,
        path = parts.uri.path(),
        "admin access refused"
    );
}

async fn audited(
    api: &Api,
    actor: &Actor,
    endpoint: &Endpoint,
    uri: &Uri,
    audit: &Audit,
    error: Option<&AdminError>,
) {
    use error_runtime::ApiError as _;
    let context = RequestContext::current();
    let request_id = context.as_ref().map(RequestContext::request_id);
    let body = json!({
        "actor": actor.name,
        "role": actor.role,
        "action": endpoint.id,
        "path": crate::text::clean(uri.path(), 256),
        "target": audit.target,
        "before": audit.before,
        "after": audit.after,
        "result": error.map_or("done", |error| error.code()),
        "request_id": request_id,
    });
    tracing::info!(
        target: "error_monitor::security",
        category = "security",
        event = "admin_action",
        user = actor.name,
        action = endpoint.id,
        subject = audit.target,
        result = error.map_or("done", |error| error.code()),
        request_id,
        "an admin changed something"
    );
    api.shared.note(JournalKind::Audit, &actor.name, body);
    // Who is told that it is done can read in the audit that it was.
    api.flush().await;
}

/// What every answer says, whatever it is: keep none of it, show it in no frame, guess no types.
pub(super) async fn harden(mut response: Response) -> Response {
    // Who looks at the service is not its traffic.
    response.extensions_mut().insert(crate::record::Uncounted);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ));
    response
}

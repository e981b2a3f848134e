//! The table of endpoints: the router and the `OpenAPI` document both follow it.

use std::pin::Pin;
use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};

use super::guard::Call;
use super::params::{CURSOR, FROM, Kind, Param, STEP_NAMES, TO, limit, text};
use super::{AdminError, Answer, Api};
use super::{admin, breakers, catalog, events, health, openapi, patterns, stats};
use crate::access::Role;

/// One endpoint.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    /// Whether it changes something, and so is a POST; else a GET.
    pub(crate) is_change: bool,
    /// Below the mount point.
    pub(crate) path: &'static str,
    /// Its name in the `OpenAPI` document and in the audit.
    pub(crate) id: &'static str,
    pub(crate) about: &'static str,
    /// Who may; nobody in particular where it is open.
    pub(crate) role: Option<Role>,
    pub(crate) params: &'static [Param],
    pub(crate) body: Option<SchemaOf>,
    pub(crate) answer: SchemaOf,
    pub(crate) handler: Handler,
    /// Answers besides those of all endpoints of its kind.
    pub(crate) also: &'static [u16],
}

pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;
pub(crate) type Handler = for<'a> fn(Arc<Api>, &'a mut Call) -> HandlerFuture<'a>;
pub(crate) type HandlerFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Answer, AdminError>> + Send + 'a>>;

impl Endpoint {
    pub(crate) fn path_below(&self, mount: &str) -> String {
        format!("{mount}{}", self.path)
    }
}

macro_rules! handler {
    ($path:path) => {
        |api, call| Box::pin($path(api, call))
    };
}

macro_rules! answers {
    ($ty:ty) => {
        |generator| generator.subschema_for::<$ty>()
    };
}

const fn get(
    path: &'static str,
    id: &'static str,
    about: &'static str,
    answer: SchemaOf,
    handler: Handler,
) -> Endpoint {
    Endpoint {
        is_change: false,
        path,
        id,
        about,
        role: Some(Role::Viewer),
        params: &[],
        body: None,
        answer,
        handler,
        also: &[],
    }
}

const fn post(
    path: &'static str,
    id: &'static str,
    about: &'static str,
    answer: SchemaOf,
    handler: Handler,
) -> Endpoint {
    let endpoint = get(path, id, about, answer, handler);
    Endpoint {
        is_change: true,
        role: Some(Role::Operator),
        ..endpoint
    }
}

const GROUPS: &[&str] = &[
    "code",
    "service",
    "status",
    "route",
    "category",
    "fingerprint",
];
const STATES: &[&str] = &["open", "resolved", "ignored"];
const SORTS: &[&str] = &["count", "last_seen", "first_seen"];

const FILTERS: [Param; 6] = [
    text("code", "Those of this machine code."),
    Param {
        name: "status",
        about: "Those of this status.",
        kind: Kind::Status,
    },
    text(
        "service",
        "Those in which this circuit breaker was involved.",
    ),
    text("category", "Those of this category."),
    text("route", "Those of this route, by its template."),
    text("fingerprint", "Those of this kind."),
];

pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        role: None,
        ..get(
            "/health/check",
            "liveness",
            "Whether the process lives. It asks nothing of anybody.",
            answers!(health::Liveness),
            handler!(health::check),
        )
    },
    Endpoint {
        role: None,
        also: &[503],
        ..get(
            "/health/ready",
            "readiness",
            "Whether the service should get requests: what is critical works. Details are for those who have signed in.",
            answers!(health::Readiness),
            handler!(health::ready),
        )
    },
    get(
        "/health/services",
        "services",
        "The health of everything that the service needs: breakers, checks, and recent failures.",
        answers!(health::Services),
        handler!(health::services),
    ),
    Endpoint {
        params: &[
            FROM,
            TO,
            Param {
                name: "group_by",
                about: "By what failures are told apart; by code unless said otherwise.",
                kind: Kind::OneOf(GROUPS),
            },
            Param {
                name: "bucket",
                about: "How long a step of time is; chosen by the range unless said otherwise.",
                kind: Kind::OneOf(&STEP_NAMES),
            },
            FILTERS[0],
            FILTERS[1],
            FILTERS[2],
            FILTERS[3],
            FILTERS[4],
            FILTERS[5],
        ],
        ..get(
            "/errors/stats",
            "error_stats",
            "How often what failed, over time, beside the period before.",
            answers!(stats::Stats),
            handler!(stats::stats),
        )
    },
    Endpoint {
        params: &[
            FROM,
            TO,
            Param {
                name: "state",
                about: "Those that are thought of so.",
                kind: Kind::OneOf(STATES),
            },
            Param {
                name: "sort",
                about: "Which come first; those met most often unless said otherwise.",
                kind: Kind::OneOf(SORTS),
            },
            text("code", "Those of this machine code."),
            text(
                "service",
                "Those in which this circuit breaker was involved.",
            ),
            limit(100, 20),
            text(
                "cursor",
                "Where to go on: the `next_cursor` of the page before.",
            ),
        ],
        ..get(
            "/errors/patterns",
            "error_patterns",
            "The kinds of failures that were met: which are new, which come more often, and which have come back.",
            answers!(patterns::Patterns),
            handler!(patterns::patterns),
        )
    },
    Endpoint {
        body: Some(answers!(patterns::Change)),
        also: &[404],
        ..post(
            "/errors/patterns/{fingerprint}",
            "change_pattern",
            "Says what is thought of a kind of failure. One that is resolved and met again is open, and marked.",
            answers!(patterns::Changed),
            handler!(patterns::change),
        )
    },
    Endpoint {
        params: &[
            limit(500, 50),
            CURSOR,
            FROM,
            TO,
            FILTERS[0],
            FILTERS[1],
            FILTERS[2],
            FILTERS[3],
            FILTERS[4],
            FILTERS[5],
            text("request_id", "Those of this request."),
            text("user", "Those that this user has met."),
        ],
        ..get(
            "/logs/recent-errors",
            "recent_errors",
            "Single failures, the latest first. A page may be short and yet be followed by another.",
            answers!(events::RecentErrors),
            handler!(events::recent),
        )
    },
    get(
        "/circuit-breakers",
        "breakers",
        "All circuit breakers of this process.",
        answers!(breakers::BreakerList),
        handler!(breakers::list),
    ),
    Endpoint {
        also: &[404],
        ..get(
            "/circuit-breakers/{service}",
            "breaker",
            "One circuit breaker.",
            answers!(breakers::Breaker),
            handler!(breakers::one),
        )
    },
    Endpoint {
        also: &[404],
        params: &[limit(500, 50), CURSOR],
        ..get(
            "/circuit-breakers/{service}/events",
            "breaker_events",
            "What a circuit breaker did, the latest first, in all processes that share the store.",
            answers!(breakers::BreakerEvents),
            handler!(breakers::events),
        )
    },
    Endpoint {
        also: &[404],
        body: Some(answers!(breakers::Reason)),
        ..post(
            "/circuit-breakers/reset/{service}",
            "reset_breaker",
            "Closes one circuit, with an empty window.",
            answers!(breakers::Changed),
            handler!(breakers::reset),
        )
    },
    Endpoint {
        body: Some(answers!(breakers::Reason)),
        ..post(
            "/circuit-breakers/reset-all",
            "reset_all_breakers",
            "Closes all circuits of this process.",
            answers!(breakers::ChangedAll),
            handler!(breakers::reset_all),
        )
    },
    Endpoint {
        also: &[404],
        body: Some(answers!(breakers::ForceOpen)),
        ..post(
            "/circuit-breakers/{service}/force-open",
            "force_breaker_open",
            "Opens a circuit, for a time or until somebody says otherwise.",
            answers!(breakers::Changed),
            handler!(breakers::force_open),
        )
    },
    Endpoint {
        also: &[404],
        body: Some(answers!(breakers::Reason)),
        ..post(
            "/circuit-breakers/{service}/disable",
            "disable_breaker",
            "Lets every call through and counts none, until somebody says otherwise.",
            answers!(breakers::Changed),
            handler!(breakers::disable),
        )
    },
    Endpoint {
        also: &[404],
        body: Some(answers!(breakers::Reason)),
        ..post(
            "/circuit-breakers/{service}/automatic",
            "automate_breaker",
            "Lets a circuit decide by itself again: closed, with an empty window.",
            answers!(breakers::Changed),
            handler!(breakers::automatic),
        )
    },
    get(
        "/catalog",
        "catalog",
        "All errors that this program declares.",
        answers!(catalog::Catalog),
        handler!(catalog::catalog),
    ),
    Endpoint {
        params: &[limit(500, 50), CURSOR, text("actor", "What this one did.")],
        ..get(
            "/audit",
            "audit",
            "Who changed what, the latest first.",
            answers!(admin::AuditLog),
            handler!(admin::audit),
        )
    },
    get(
        "/monitor",
        "monitor",
        "The monitor itself: its store, and what has become of the failures that it was told of.",
        answers!(admin::MonitorState),
        handler!(admin::state),
    ),
    get(
        "/openapi.json",
        "openapi",
        "This document.",
        |_| schemars::json_schema!({ "type": "object" }),
        handler!(openapi::serve),
    ),
];

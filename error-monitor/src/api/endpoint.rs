//! The table of endpoints: the router and the `OpenAPI` document both follow it.

use std::pin::Pin;
use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};

#[cfg(feature = "alerts")]
use super::alerts;
use super::guard::{Call, Entrance};
#[cfg(not(feature = "alerts"))]
use super::not_built;
use super::params::{CURSOR, FROM, Kind, Param, STEP_NAMES, TO, limit, text};
use super::{AdminError, Answer, Api};
use super::{admin, breakers, budgets, catalog, events, health, openapi, patterns, stats};
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
    /// Whether the body may be left out, as all of it may be.
    pub(crate) body_optional: bool,
    pub(crate) answer: SchemaOf,
    pub(crate) media_type: &'static str,
    pub(crate) handler: Handler,
    /// Answers besides those of all endpoints of its kind.
    pub(crate) also: &'static [u16],
}

pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;
pub(crate) type Handler = for<'a> fn(Arc<Api>, &'a mut Call) -> HandlerFuture<'a>;
pub(crate) type HandlerFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Answer, AdminError>> + Send + 'a>>;

impl Endpoint {
    /// Where it is. The metrics have a place of their own.
    pub(crate) fn place(&self, entrance: &Entrance) -> String {
        if self.path == METRICS {
            entrance.metrics_path.clone()
        } else {
            format!("{}{}", entrance.mount, self.path)
        }
    }
}

macro_rules! handler {
    ($path:path) => {
        |api, call| Box::pin($path(api, call))
    };
}

/// Of the feature `alerts`; without it the endpoint says so.
macro_rules! alert_handler {
    ($name:ident) => {{
        #[cfg(feature = "alerts")]
        {
            handler!(alerts::$name)
        }
        #[cfg(not(feature = "alerts"))]
        {
            handler!(not_built::alerts)
        }
    }};
}

macro_rules! alert_answers {
    ($name:ident) => {{
        #[cfg(feature = "alerts")]
        {
            answers!(alerts::$name)
        }
        #[cfg(not(feature = "alerts"))]
        {
            |_| schemars::json_schema!({ "type": "object" })
        }
    }};
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
        body_optional: false,
        answer,
        media_type: "application/json",
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

/// What stands for the path of the metrics, which is not below the mount point.
pub(crate) const METRICS: &str = "metrics";

const NOT_BUILT: &[u16] = if cfg!(feature = "alerts") {
    &[]
} else {
    &[501]
};
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
        media_type: "application/health+json",
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
        media_type: "application/health+json",
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
            text("fingerprint", "The one kind."),
            limit(100, 20),
            Param {
                name: "cursor",
                about: "Where to go on: the `next_cursor` of the page before.",
                kind: Kind::Place,
            },
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
            text(
                "q",
                "Those where this text occurs in the message, the log text, the code, the route, the request id or the user.",
            ),
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
        body_optional: true,
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
        body_optional: true,
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
        body_optional: true,
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
        body_optional: true,
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
        body_optional: true,
        ..post(
            "/circuit-breakers/{service}/automatic",
            "automate_breaker",
            "Lets a circuit decide by itself again: closed, with an empty window.",
            answers!(breakers::Changed),
            handler!(breakers::automatic),
        )
    },
    Endpoint {
        also: NOT_BUILT,
        ..get(
            "/alerts",
            "alerts",
            "What is so now of what the rules look for, and what is silenced.",
            alert_answers!(Alerts),
            alert_handler!(list),
        )
    },
    Endpoint {
        also: NOT_BUILT,
        ..get(
            "/alerts/configure",
            "alert_configuration",
            "Rules, channels and budgets that are in force. What is secret in them is not shown.",
            alert_answers!(Configuration),
            alert_handler!(configured),
        )
    },
    Endpoint {
        also: NOT_BUILT,
        body: Some(alert_answers!(Configure)),
        ..post(
            "/alerts/configure",
            "configure_alerts",
            "Adds rules, channels and budgets, or puts them in the place of those of their names; and removes some.",
            alert_answers!(Configuration),
            alert_handler!(configure),
        )
    },
    Endpoint {
        also: NOT_BUILT,
        ..post(
            "/alerts/test/{rule}",
            "test_alert",
            "Sends a trial of a rule to its channels, and says what became of it.",
            alert_answers!(Tested),
            alert_handler!(test),
        )
    },
    Endpoint {
        also: NOT_BUILT,
        body: Some(alert_answers!(Silencing)),
        ..post(
            "/alerts/silence",
            "silence_alerts",
            "Keeps some alerts, or all, from being told for a while. They are told when it is over, if they last.",
            alert_answers!(SilenceAnswer),
            alert_handler!(silence),
        )
    },
    Endpoint {
        also: NOT_BUILT,
        ..post(
            "/alerts/silence/{id}/expire",
            "expire_silence",
            "Ends a silence.",
            alert_answers!(Expired),
            alert_handler!(expire),
        )
    },
    get(
        "/budgets",
        "budgets",
        "How much of each error budget is left, and how fast it goes.",
        answers!(budgets::Budgets),
        handler!(budgets::all),
    ),
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
        "/me",
        "me",
        "Who has signed in, and what they may do.",
        answers!(admin::Me),
        handler!(admin::me),
    ),
    get(
        "/monitor",
        "monitor",
        "The monitor itself: its store, and what has become of the failures that it was told of.",
        answers!(admin::MonitorState),
        handler!(admin::state),
    ),
    #[cfg(feature = "metrics")]
    Endpoint {
        media_type: "text/plain",
        ..get(
            METRICS,
            "metrics",
            "Numbers for Prometheus, in its own format or as OpenMetrics, by what is accepted.",
            |_| schemars::json_schema!({ "type": "string" }),
            handler!(super::metrics::metrics),
        )
    },
    get(
        "/openapi.json",
        "openapi",
        "This document.",
        |_| schemars::json_schema!({ "type": "object" }),
        handler!(openapi::serve),
    ),
];

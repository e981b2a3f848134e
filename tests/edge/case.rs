//! One row of the table: a request, and what must come back.

use error_runtime::{Origin, default_code};
use serde_json::Value;

use crate::client::{Answer, Request};
use crate::servers::{Framework, Variant};

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) variant: Variant,
    pub(crate) request: Request,
    /// The template of the route, which reporters are told in place of the path.
    pub(crate) route: Option<&'static str>,
    expected: Expected,
    /// Why actix-web answers differently, and how.
    pub(crate) differs: Option<(&'static str, Expected)>,
}

/// What must come back, and what reporters must be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) id: Id,
    pub(crate) trace_id: Option<&'static str>,
    pub(crate) headers: Vec<(&'static str, Want)>,
    /// Nothing for what is no failure.
    pub(crate) report: Option<Report>,
    /// It was the framework's server that answered: the request never came to the edge.
    pub(crate) is_servers: bool,
    pub(crate) is_broken_off: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Empty,
    /// Just these bytes.
    Exact(&'static str),
    /// The request's id and nothing else.
    RequestId,
    /// Made by the edge.
    Made(Made),
    Checked(Check),
}

/// A check of its own. The difference of two functions is nothing to rely on; the name's is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check(pub(crate) &'static str, pub(crate) fn(&Answer) -> bool);

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// An answer of the edge's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Made {
    pub(crate) format: Shape,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    pub(crate) details: Value,
    pub(crate) is_recoverable: bool,
    /// The request's `Accept` was asked, and caches are told so.
    pub(crate) varies: bool,
    /// What development shows.
    pub(crate) debug: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Envelope,
    /// With its `type`.
    Problem(&'static str),
    Html,
    /// Just this page.
    Page(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Id {
    /// A UUID v7.
    Fresh,
    Kept(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Want {
    /// Once, and just this.
    Is(&'static str),
    /// In this order.
    Are(&'static [&'static str]),
    Absent,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) origin: Origin,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) user: Option<&'static str>,
    /// Part of what the log reads: the `Display`, or a source.
    pub(crate) log: Option<&'static str>,
    pub(crate) has_route: bool,
}

impl Case {
    /// A request for a route, whose placeholder is filled in with `part`.
    pub(crate) fn new(
        name: &'static str,
        method: &'static str,
        route: &'static str,
        part: &str,
    ) -> Self {
        let path = match route.split_once('{') {
            Some((start, _)) => format!("{start}{part}"),
            None => format!("{route}{part}"),
        };
        Self {
            name,
            variant: Variant::Plain,
            request: Request::new(method, path),
            route: Some(route),
            expected: status(200),
            differs: None,
        }
    }

    /// A request for a path that has no route.
    pub(crate) fn unrouted(name: &'static str, method: &'static str, path: &str) -> Self {
        Self {
            route: None,
            ..Self::new(name, method, "", path)
        }
    }

    pub(crate) fn on(mut self, variant: Variant) -> Self {
        self.variant = variant;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn accept(self, accept: &str) -> Self {
        self.header("Accept", accept)
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        self.request.body = Some(body.as_ref().to_vec());
        self.header("Content-Type", content_type)
    }

    /// The rest of the body never comes.
    pub(crate) fn cut_off(mut self) -> Self {
        self.request.declared_length = Some(1_000);
        self
    }

    pub(crate) fn gives(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// On actix-web something else comes back. The reason is for whoever reads the table.
    pub(crate) fn differs(
        mut self,
        reason: &'static str,
        change: impl FnOnce(Expected) -> Expected,
    ) -> Self {
        self.differs = Some((reason, change(self.expected.clone())));
        self
    }

    pub(crate) fn expected(&self, framework: Framework) -> &Expected {
        match (&self.differs, framework) {
            (Some((_, expected)), Framework::Actix) => expected,
            _ => &self.expected,
        }
    }
}

/// An answer with this status, without a body, that nobody is told of.
pub(crate) fn status(status: u16) -> Expected {
    Expected {
        status,
        body: Body::Empty,
        id: Id::Fresh,
        trace_id: None,
        headers: Vec::new(),
        report: None,
        is_servers: false,
        is_broken_off: false,
    }
}

/// An answer of the edge's, in the envelope.
pub(crate) fn answer(
    code: u16,
    name: &'static str,
    message: &'static str,
    origin: Origin,
) -> Expected {
    Expected {
        body: Body::Made(Made {
            format: Shape::Envelope,
            code: name,
            message,
            details: Value::Null,
            is_recoverable: [408, 425, 429, 502, 503, 504].contains(&code),
            varies: true,
            debug: None,
        }),
        ..status(code).reported(origin, name)
    }
}

/// The same for a declared error.
pub(crate) fn declared(code: u16, name: &'static str, message: &'static str) -> Expected {
    answer(code, name, message, Origin::Declared)
}

/// The same for a failure of the framework's, which has the public text of its status.
pub(crate) fn frameworks(code: u16) -> Expected {
    let code = error_runtime::StatusCode::from_u16(code).unwrap();
    answer(
        code.as_u16(),
        default_code(code),
        error_runtime::public_message(code),
        Origin::Framework,
    )
}

impl Expected {
    fn made(mut self, change: impl FnOnce(&mut Made)) -> Self {
        match &mut self.body {
            Body::Made(made) => change(made),
            other => panic!("{other:?} is not made by the edge"),
        }
        self
    }

    pub(crate) fn shaped(self, format: Shape) -> Self {
        self.made(|made| made.format = format)
    }

    pub(crate) fn message(self, message: &'static str) -> Self {
        self.made(|made| made.message = message)
    }

    pub(crate) fn details(self, details: Value) -> Self {
        self.made(|made| made.details = details)
    }

    /// Whatever `Accept` says.
    pub(crate) fn unvaried(self) -> Self {
        self.made(|made| made.varies = false)
    }

    pub(crate) fn debug(self, text: &'static str) -> Self {
        self.made(|made| made.debug = Some(text))
    }

    pub(crate) fn with(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn id(mut self, id: Id) -> Self {
        self.id = id;
        self
    }

    pub(crate) fn trace(mut self, id: &'static str) -> Self {
        self.trace_id = Some(id);
        self
    }

    pub(crate) fn has(mut self, name: &'static str, want: Want) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, want));
        self
    }

    pub(crate) fn reported(mut self, origin: Origin, code: &'static str) -> Self {
        self.report = Some(Report {
            origin,
            status: self.status,
            code,
            user: None,
            log: None,
            has_route: true,
        });
        self
    }

    fn report(mut self, change: impl FnOnce(&mut Report)) -> Self {
        change(self.report.as_mut().expect("what is not reported"));
        self
    }

    pub(crate) fn from(self, origin: Origin) -> Self {
        self.report(|report| report.origin = origin)
    }

    pub(crate) fn user(self, user: &'static str) -> Self {
        self.report(|report| report.user = Some(user))
    }

    pub(crate) fn logged(self, text: &'static str) -> Self {
        self.report(|report| report.log = Some(text))
    }

    pub(crate) fn without_route(self) -> Self {
        self.report(|report| report.has_route = false)
    }

    /// The status of the answer went out as 200, and then the body broke off.
    pub(crate) fn broken_off(mut self) -> Self {
        self.is_broken_off = true;
        self.reported(Origin::Stream, "INTERNAL_ERROR")
            .report(|report| report.status = 500)
    }

    /// The server itself has answered.
    pub(crate) fn by_server(mut self) -> Self {
        self.is_servers = true;
        self
    }
}

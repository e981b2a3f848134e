//! The two apps as servers on free ports, in each of the ways that an edge can be set up.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, Once, PoisonError};

use error_runtime::{Delivery, ErrorEvent, ErrorMiddleware, FanOut, Reporter};

use crate::errors::PanicsWhenDropped;
use crate::{actix_app, axum_app};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Framework {
    Axum,
    Actix,
}

/// How the outermost edge is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Variant {
    /// Two handlers, else the defaults.
    Plain,
    Development,
    FrameworkText,
    /// Pages, a path with a format, a handler for all 404s.
    Custom,
    /// One format whatever is asked, and no id that comes in is believed.
    Fixed,
    /// Reporters that panic.
    Hostile,
}

impl Variant {
    pub(crate) const ALL: [Self; 6] = [
        Self::Plain,
        Self::Development,
        Self::FrameworkText,
        Self::Custom,
        Self::Fixed,
        Self::Hostile,
    ];
}

/// Keeps what it is told, to be asked for by the id of a request.
#[derive(Debug, Default)]
pub(crate) struct Collector(Mutex<Vec<ErrorEvent>>);

impl Reporter for Collector {
    fn report(&self, event: &ErrorEvent) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
    }

    /// Before the answer goes out: whoever has read the answer finds all events of it here.
    fn delivery(&self) -> Delivery {
        Delivery::Inline
    }
}

impl Collector {
    pub(crate) fn of_request(&self, id: &str) -> Vec<ErrorEvent> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of = |event: &&ErrorEvent| event.request_id.as_deref() == Some(id);
        events.iter().filter(is_of).cloned().collect()
    }

    /// The ids that events have, each as often as there is one.
    pub(crate) fn ids(&self) -> Vec<String> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = events.iter().map(|event| event.request_id.clone());
        ids.map(Option::unwrap_or_default).collect()
    }
}

/// Panics with whatever `0` makes, where `1` says.
pub(crate) struct Hostile(fn(), Delivery);

impl Reporter for Hostile {
    fn report(&self, _: &ErrorEvent) {
        (self.0)();
    }

    fn delivery(&self) -> Delivery {
        self.1
    }

    fn wants(&self, _: &error_runtime::Failure<'_>) -> bool {
        panic!("a reporter that cannot even be asked")
    }
}

#[derive(Clone)]
pub(crate) struct Reporters {
    /// Of the outermost edge, and of the nested ones too.
    pub(crate) all: FanOut,
    /// Of the nested edge alone.
    pub(crate) nested: Arc<Collector>,
}

/// The outermost edge. Both builders have the same methods, and no trait.
macro_rules! edge {
    ($edge:ident, $variant:expr, $reporters:expr) => {{
        use error_runtime::format::{JsonEnvelope, ProblemJson, escape_html};
        use error_runtime::{AnyError, RequestIdPolicy};
        use $crate::errors::{Clash, Outer, Panicking, PanickingFormat, ShopError};
        use $crate::servers::Variant;

        let edge = $edge::new().reporters($reporters.all.clone());
        match $variant {
            Variant::Plain | Variant::Hostile => edge
                .map(|_: &Clash| AnyError::conflict("by the outer handler"))
                .map(|_: &Outer| AnyError::forbidden()),
            Variant::Development => edge.development(true),
            Variant::FrameworkText => edge.framework_text(true),
            Variant::Custom => edge
                .page_for_status(403, |_| "<h1>Forbidden, by status</h1>".to_owned())
                .page_for_status(402, |_| "<h1>Payment, by status</h1>".to_owned())
                .page_for_code("UNPAID", |view| {
                    format!("<h1>By code: {}</h1>", escape_html(&view.message()))
                })
                .page_for_code("SIGNED_OUT", |_| panic!("a page with hunter2"))
                .format_below("/api", JsonEnvelope)
                .format_below("/erased", PanickingFormat)
                .map(|_: &Outer| -> AnyError { panic!("a handler with hunter2") })
                .max_details(30)
                .map_view(|view| match view.status().as_u16() {
                    404 => Some(AnyError::new(view.status(), "LOST", "nothing is here")),
                    423 => Some(ShopError::Panicking(Panicking).into()),
                    _ => None,
                }),
            Variant::Fixed => edge
                .format(ProblemJson)
                .negotiate(false)
                .request_ids(RequestIdPolicy::Fresh),
        }
    }};
}

/// The edge of the nested router.
macro_rules! nested_edge {
    ($edge:ident, $reporters:expr) => {
        $edge::new()
            .reporters($reporters.all.clone())
            .reporter(std::sync::Arc::clone(&$reporters.nested))
            .map(|_: &$crate::errors::Clash| {
                error_runtime::AnyError::conflict("by the nested handler")
            })
            .map_foreign(|_: &std::num::ParseIntError| {
                error_runtime::AnyError::bad_request("not a number")
            })
    };
}

pub(crate) use {edge, nested_edge};

/// A server that runs until the tests end.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) events: Arc<Collector>,
    pub(crate) nested_events: Arc<Collector>,
}

/// The server of a framework and variant: started once.
pub(crate) fn server(framework: Framework, variant: Variant) -> Server {
    static SERVERS: Mutex<Option<HashMap<(Framework, Variant), Server>>> = Mutex::new(None);
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    let servers = servers.get_or_insert_default();
    servers
        .entry((framework, variant))
        .or_insert_with(|| start(framework, variant))
        .clone()
}

fn start(framework: Framework, variant: Variant) -> Server {
    silence_servers();
    let (events, nested_events) = (Arc::<Collector>::default(), Arc::<Collector>::default());
    let mut all = FanOut::new();
    if variant == Variant::Hostile {
        for delivery in [Delivery::Inline, Delivery::Queued] {
            all = all
                .reporter(Hostile(|| panic!("a reporter"), delivery))
                .reporter(Hostile(
                    || std::panic::panic_any(PanicsWhenDropped(2)),
                    delivery,
                ));
        }
    }
    let reporters = Reporters {
        all: all.reporter(Arc::clone(&events)),
        nested: Arc::clone(&nested_events),
    };
    // Bound before the thread begins: a request finds it at once.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().unwrap();
    let serve = move || match framework {
        Framework::Axum => serve_axum(listener, variant, &reporters),
        Framework::Actix => serve_actix(listener, variant, reporters),
    };
    let thread = std::thread::Builder::new().name("server".to_owned());
    thread.spawn(serve).unwrap();
    Server {
        address,
        events,
        nested_events,
    }
}

fn serve_axum(listener: TcpListener, variant: Variant, reporters: &Reporters) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, axum_app::app(variant, reporters))
            .await
            .unwrap();
    });
}

fn serve_actix(listener: TcpListener, variant: Variant, reporters: Reporters) {
    let edge = edge!(ErrorMiddleware, variant, reporters);
    let server = actix_web::HttpServer::new(move || actix_app::app(edge.clone(), &reporters))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    actix_web::rt::System::new().block_on(server).unwrap();
}

/// The panics of handlers and reporters are part of the tests; those of tests are still told.
fn silence_servers() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or_default();
            let is_server = ["server", "actix", "error-reporter"];
            if !is_server.iter().any(|prefix| name.starts_with(prefix)) {
                tell(panic);
            }
        }));
    });
}

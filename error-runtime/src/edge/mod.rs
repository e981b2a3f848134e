//! The HTTP edge: every failure of a service in one shape, reported once.
//!
//! An error becomes a response where a handler returns it, within the scope of the edges around it: it is
//! mapped, rendered as the request wants it, and what reporters should know is kept with the response.
//! On the way out the innermost edge takes the framework's own failures, and the outermost reports.

mod accept;
#[cfg(feature = "actix")]
mod actix;
#[cfg(any(feature = "actix", feature = "tower"))]
mod answer;
#[cfg(feature = "tower")]
mod body;
#[cfg(any(feature = "actix", feature = "tower"))]
mod builder;
#[cfg(feature = "tower")]
mod future;
#[cfg(feature = "tower")]
mod layer;
mod map;
mod node;
mod settings;
#[cfg(any(feature = "actix", feature = "tower"))]
mod stand_in;
#[cfg(feature = "tower")]
mod visit;
#[cfg(any(feature = "actix", feature = "tower"))]
mod watch;

#[cfg(feature = "actix")]
pub use actix::{ErrorMiddleware, ErrorMiddlewareService};
#[cfg(any(feature = "axum", feature = "actix"))]
pub(crate) use answer::{Answer, answer_here, is_here};
#[cfg(feature = "tower")]
pub use body::EdgeBody;
#[cfg(feature = "tower")]
pub use future::EdgeFuture;
#[cfg(feature = "tower")]
pub use layer::{ErrorLayer, ErrorService};
pub use map::{ErrorMap, Mapped};
pub(crate) use node::Node;
#[cfg(feature = "tower")]
pub use visit::Unreported;

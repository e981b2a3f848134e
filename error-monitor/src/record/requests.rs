//! Requests: totals by route, without which there are no rates.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use error_runtime::time::Timestamp;

use super::table::{CELLS, Minutes, Table, cell_of, minute_of};
use crate::store::RequestDelta;
use crate::text::{LABEL, clean, head, is_clean_of};

/// Counts requests by route and by the class of their answers.
///
/// The monitor's layer does it for axum and whatever else speaks tower; with another framework this is called
/// once for each answer:
///
/// ```
/// # use error_monitor::Requests;
/// # use error_runtime::StatusCode;
/// # fn middleware(requests: &Requests) {
/// requests.count("/meetings/{id}", StatusCode::OK);
/// # }
/// ```
///
/// There is room for 4096 routes; what comes after them is counted under the empty route.
#[derive(Clone)]
pub struct Requests {
    routes: Arc<Table<Route>>,
    other: Arc<Route>,
}

struct Route {
    name: Arc<str>,
    stripes: [Stripe; STRIPES],
}

/// What threads of one stripe have counted. Each stripe has lines of the cache to itself.
#[derive(Default)]
#[repr(align(128))]
struct Stripe {
    total: Minutes,
    client_errors: Minutes,
    server_errors: Minutes,
}

const ROUTES: usize = 4096;
const STRIPES: usize = 4;

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requests")
            .field("routes", &self.routes.iter().count())
            .finish_non_exhaustive()
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            routes: Arc::new(Table::new(ROUTES)),
            other: Arc::new(Route::new("")),
        }
    }
}

impl Route {
    fn new(name: &str) -> Self {
        Self {
            name: clean(name, LABEL).into(),
            stripes: Default::default(),
        }
    }
}

impl Requests {
    /// Counts one request that was answered with this status (of whichever version of `http`, or a number), as of
    /// now. The route is its template, never a path.
    #[inline]
    pub fn count(&self, route: &str, status: impl Into<u16>) {
        self.count_at(route, status.into(), Timestamp::now());
    }

    fn count_at(&self, route: &str, status: u16, time: Timestamp) {
        let route = head(route, LABEL);
        let found = if route.is_empty() {
            None
        } else {
            let is = |known: &Route| is_clean_of(&known.name, route);
            self.routes.get_or_make(route, is, || Route::new(route))
        };
        let stripe = &found.unwrap_or(&self.other).stripes[stripe()];
        let cell = cell_of(time.unix_millis());
        stripe.total.add(cell);
        if status >= 500 {
            stripe.server_errors.add(cell);
        } else if status >= 400 {
            stripe.client_errors.add(cell);
        }
    }

    /// What was counted since `read`, as of now.
    pub(crate) fn read(&self, read: &mut Read, now: u64, deltas: &mut Vec<RequestDelta>) {
        for route in self.routes.iter().chain([&*self.other]) {
            // By where it is: names that differ may be the same once they are fit to be kept.
            let address = std::ptr::from_ref(route).addr();
            let place = read.0.binary_search_by_key(&address, |(known, _)| *known);
            let place = place.unwrap_or_else(|place| {
                read.0.insert(place, (address, Box::default()));
                place
            });
            let last = &mut read.0[place].1;
            let mut sums = [[0_u64; 3]; CELLS];
            for (stripe, last) in route.stripes.iter().zip(last.iter_mut()) {
                stripe
                    .total
                    .read(&mut last[0], |cell, new| sums[cell][0] += new);
                stripe
                    .client_errors
                    .read(&mut last[1], |cell, new| sums[cell][1] += new);
                stripe
                    .server_errors
                    .read(&mut last[2], |cell, new| sums[cell][2] += new);
            }
            for (cell, [total, client_errors, server_errors]) in sums.into_iter().enumerate() {
                if total + client_errors + server_errors > 0 {
                    deltas.push(RequestDelta {
                        route: Arc::clone(&route.name),
                        minute: minute_of(cell, now),
                        total,
                        client_errors,
                        server_errors,
                    });
                }
            }
        }
    }

    /// By route, since the process began: all, and those answered with 4xx and 5xx.
    #[cfg(feature = "metrics")]
    pub(crate) fn totals(&self) -> Vec<(Arc<str>, [u64; 3])> {
        let sum = |minutes: &Minutes| {
            let mut sum = 0;
            minutes.read(&mut [0; CELLS], |_, new| sum += new);
            sum
        };
        self.routes
            .iter()
            .chain([&*self.other])
            .map(|route| {
                let mut sums = [0; 3];
                for stripe in &route.stripes {
                    sums[0] += sum(&stripe.total);
                    sums[1] += sum(&stripe.client_errors);
                    sums[2] += sum(&stripe.server_errors);
                }
                (Arc::clone(&route.name), sums)
            })
            .collect()
    }
}

/// What was read of the counters last, by where their route is: none ever moves.
#[derive(Default)]
pub(crate) struct Read(Vec<(usize, Box<LastRead>)>);

/// By stripe, and in it by class of answer.
type LastRead = [[[u64; CELLS]; 3]; STRIPES];

/// Threads spread over the stripes.
fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    MINE.with(|mine| *mine)
}

//! The monitor from outside: its store, its endpoints, and what becomes of failures on the way.

mod alerts;
mod bad_input;
mod budgets;
mod configure;
mod crypto;
mod dashboard;
mod delivery;
mod door;
mod endpoints;
mod health;
mod kill;
mod logs;
mod metrics;
mod ops;
mod outage;
mod postgres;
mod receiver;
mod recording;
mod schema;
mod serving;
mod sqlite_file;
mod store_suite;
mod support;
mod util;

//! The monitor from outside: its store, its endpoints, and what becomes of failures on the way.

mod kill;
mod outage;
mod postgres;
mod smoke;
mod sqlite_file;
mod store_suite;
mod util;

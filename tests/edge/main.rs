//! The HTTP edge over real sockets: one table of requests and answers that holds for axum behind
//! `ErrorLayer` and for actix-web behind `ErrorMiddleware` alike.

mod actix_app;
mod axum_app;
mod case;
mod cases_accept;
mod cases_declared;
mod cases_framework;
mod cases_handmade;
mod cases_ids;
mod check;
mod client;
mod corners;
mod errors;
mod routes;
mod servers;
mod sockets;
mod table;

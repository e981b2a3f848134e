//! What the derive and the runtime promise, seen from outside.

mod any_error;
mod attributes;
mod breaker;
mod breaker_model;
mod catalog;
mod common;
mod derive;
mod envelope;
mod exports;
mod grammar;
mod handwritten;
mod leaks;
mod reference;
mod rendering;
mod scenarios;
mod seeds;
mod support;
mod tower;

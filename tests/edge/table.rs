//! The table, and the tests that run each row of it.

use std::collections::HashSet;

use crate::case::{Case, Id};
use crate::check::{check, shown};
use crate::servers::{Framework, Server, Variant, server};
use crate::sockets::IDS;
use crate::{cases_accept, cases_declared, cases_framework, cases_handmade, cases_ids};

/// The rows in which the frameworks differ. A further one needs a reason, and a line here.
const DIFFERENCES: [&str; 12] = [
    "json: a wrong type",
    "json: out of range",
    "json: another type",
    "json: nothing at all",
    "path: no number",
    "path: not UTF-8",
    "form: no number",
    "cut off: bytes",
    "service: late",
    "service: full",
    "service: broken",
    "text: of an extractor",
];

/// All rows.
pub(crate) fn table() -> Vec<Case> {
    let mut cases = cases_accept::cases();
    cases.extend(cases_declared::cases());
    cases.extend(cases_framework::cases());
    cases.extend(cases_handmade::cases());
    cases.extend(cases_ids::cases());
    cases
}

/// Runs each row on one framework. What is wrong is told together: one mistake may be seen in many rows.
fn run_all(framework: Framework) {
    let (mut wrong, mut ids) = (Vec::new(), HashSet::new());
    for case in table() {
        let server = server(framework, case.variant);
        let answer = case.request.send(server.address);
        let id = answer.header("x-request-id").unwrap_or_default();
        let events = server.events.of_request(id);
        let expected = case.expected(framework);
        let mut differences = check(&case, expected, &answer, &events);
        let of_axum = case.expected(Framework::Axum);
        if expected != of_axum && check(&case, of_axum, &answer, &events).is_empty() {
            differences.push("the difference is none any more".to_owned());
        }
        if !expected.is_servers && !ids.insert(id.to_owned()) && expected.id == Id::Fresh {
            differences.push(format!("the id {id} is another request's"));
        }
        if !differences.is_empty() {
            let differences = differences.join("\n  ");
            let shown = shown(&answer);
            wrong.push(format!("{}\n  {differences}\n{shown}", case.name));
        }
    }
    // Nothing was told that belongs to no answer.
    let of_all = |server: Server| server.events.ids();
    let told = Variant::ALL.map(|variant| of_all(server(framework, variant)));
    for id in told.into_iter().flatten() {
        if !ids.contains(&id) && !id.starts_with(IDS) {
            wrong.push(format!("an event of nobody's: {id:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong on {framework:?}:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

#[test]
fn every_case_holds_on_axum() {
    run_all(Framework::Axum);
}

#[test]
fn every_case_holds_on_actix() {
    run_all(Framework::Actix);
}

#[test]
fn the_table_is_long_and_has_no_row_twice() {
    let table = table();
    let mut names = HashSet::new();
    for case in &table {
        assert!(names.insert(case.name), "{:?} is there twice", case.name);
    }
    assert!(table.len() >= 200, "{} rows are left", table.len());
}

#[test]
fn the_frameworks_differ_only_where_it_is_said() {
    let mut names = Vec::new();
    for case in table() {
        if let Some((reason, expected)) = &case.differs {
            println!("{}: {reason}", case.name);
            let is_one = expected != case.expected(Framework::Axum);
            assert!(is_one, "{:?} does not differ", case.name);
            names.push(case.name);
        }
    }
    assert_eq!(names, DIFFERENCES);
}

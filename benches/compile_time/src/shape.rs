//! The enums that are compiled: 200 of 10 variants each, of the kinds that error enums have.

use std::fmt::Write as _;

const ENUMS: usize = 200;

/// The library that an enum is written for.
#[derive(Clone, Copy)]
pub enum Library {
    /// `Debug` only: what the enums cost anyway.
    Plain,
    Thiserror,
    Ours,
}

struct Variant {
    message: String,
    fields: &'static str,
}

fn variants() -> Vec<Variant> {
    let mut variants = vec![Variant {
        message: "the queue is empty".to_owned(),
        fields: "",
    }];
    for step in 1..=6 {
        variants.push(Variant {
            message: format!("item {{id}} of {{name}} is missing in step {step}"),
            fields: "{ id: u64, name: String }",
        });
    }
    variants.push(Variant {
        message: "limit {limit} exceeded by {by}".to_owned(),
        fields: "{ limit: u32, by: u32 }",
    });
    variants.push(Variant {
        message: "the file could not be read".to_owned(),
        fields: "{ source: std::io::Error }",
    });
    variants.push(Variant {
        message: "not a number".to_owned(),
        fields: "{ #[from] source: std::num::ParseIntError }",
    });
    variants
}

/// The source of a crate.
pub fn source(library: Library) -> String {
    let derives = match library {
        Library::Plain => "Debug",
        Library::Thiserror => "Debug, thiserror::Error",
        Library::Ours => "Debug, error_runtime::ApiError",
    };
    // Nobody uses the enums; warnings of that would be measured too.
    let mut source = "#![allow(dead_code)]\n".to_owned();
    for index in 0..ENUMS {
        let _ = write!(
            source,
            "pub mod e{index} {{\n    #[derive({derives})]\n    pub enum E {{\n"
        );
        for (number, Variant { message, fields }) in variants().iter().enumerate() {
            // Statuses as they come in real enums: most below 500.
            let status = [404, 409, 400, 500, 403][number % 5];
            let _ = match library {
                Library::Plain => {
                    let fields = fields.replace("#[from] ", "");
                    writeln!(source, "        V{number} {fields},")
                }
                Library::Thiserror => {
                    writeln!(
                        source,
                        "        #[error({message:?})]\n        V{number} {fields},"
                    )
                }
                Library::Ours => writeln!(
                    source,
                    "        #[api(status = {status}, code = \"CODE_{number}\", message = {message:?})]\n        V{number} {fields},"
                ),
            };
        }
        source.push_str("    }\n}\n");
    }
    source
}

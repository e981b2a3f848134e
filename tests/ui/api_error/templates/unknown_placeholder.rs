use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    #[api(message = "job {idd} not found")]
    Misspelt { id: u64, owner: String },
    #[api(message = "job {job} not found", display = "job {id:width$} not found")]
    Unknown { id: u64, owner: String },
    #[api(message = "job {0} not found")]
    PositionOfNamed { id: u64 },
    #[api(message = "job {1} not found")]
    Position(u64),
    #[api(message = "job {id} not found")]
    NoFields,
    #[api(message = "job {id.0} not found")]
    Expression { id: (u64, u64) },
    #[api(message = "{idd}, {ovner} and {idd}")]
    Two { id: u64, owner: String },
}

#[derive(Debug, ApiError)]
#[api(status = 404, message = "job {name} not found")]
struct Struct {
    id: u64,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(prefix = "billing", status = 404)]
enum LowerCase {
    NotFound,
}

#[derive(Debug, ApiError)]
#[api(prefix = "", status = 404)]
enum Empty {
    NotFound,
}

#[derive(Debug, ApiError)]
#[api(prefix = "BILLING-", status = 404)]
enum Hyphen {
    NotFound,
}

fn main() {}

use error_runtime::ApiError;

// One mistake, one error: the status is not missing, it is misspelt.
#[derive(Debug, ApiError)]
enum OnVariant {
    #[api(statsu = 404)]
    NotFound,
}

#[derive(Debug, ApiError)]
#[api(stauts = 500)]
enum OnEnum {
    First,
    Second,
}

#[derive(Debug, ApiError)]
enum Inner {
    #[api(transparant)]
    Other(OnEnum),
}

fn main() {}

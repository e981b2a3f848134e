use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 503)]
enum Error {
    #[api(retry_after = "60")]
    NoUnit,
    #[api(retry_after = "-1s")]
    Negative,
    #[api(retry_after = "1x")]
    UnknownUnit,
    #[api(retry_after = "")]
    Empty,
    #[api(retry_after = "1.2.3s")]
    TwoPoints,
    #[api(retry_after = ".5s")]
    NoWhole,
    #[api(retry_after = "30 s")]
    Space,
    #[api(retry_after = "0.1234567891s")]
    Decimals,
    #[api(retry_after = "99999999999999999999h")]
    Overflow,
    #[api(retry_after = "9999999999999999999999999999999999999999s")]
    FarOverflow,
    #[api(retry_after = "soon")]
    Word,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 404, code = "not_found")]
    LowerCase,
    #[api(status = 404, code = "NOT_FOUND_")]
    Trailing,
    #[api(status = 404, code = "_NOT_FOUND")]
    Leading,
    #[api(status = 404, code = "X")]
    OneCharacter,
    #[api(status = 404, code = "NOT-FOUND")]
    Hyphen,
    #[api(status = 404, code = "404_NOT_FOUND")]
    Digit,
    #[api(status = 404, code = "")]
    Empty,
    #[api(status = 404, code = "GRÖSSE")]
    Umlaut,
    #[api(
        status = 404,
        code = "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEEEEEEEEEFFFFFFFFFFGGGG"
    )]
    SixtyFour,
}

fn main() {}

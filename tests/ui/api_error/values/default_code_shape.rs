use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    A,
    Größe,
    AnErrorWhoseNameIsSoLongThatNoMachineCodeCanBeMadeOfItWithinSixtyThree,
}

#[derive(Debug, ApiError)]
#[api(status = 404)]
struct E;

fn main() {}

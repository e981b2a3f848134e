use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, prefix = "JOB")]
enum Error {
    Absent,
    #[api(code = "JOB_ABSENT")]
    Missing,
    // A broken code is one mistake, not two.
    #[api(code = "job_absent")]
    Gone,
}

fn main() {}

//! How the errors of reqwest are classified.

use std::error::Error as _;

use reqwest::{Error, StatusCode};

use crate::{Classification, Classify, Outcome};

/// | error | retryable | breaker |
/// |---|---|---|
/// | a status, from `error_for_status`: 408, 425, 429 | yes | success |
/// | 502, 503, 504 | yes | trip |
/// | another 5xx | no | trip |
/// | another 4xx | no | success |
/// | no connection, a time-out, a connection that broke while the request was sent or the answer read | yes | trip |
/// | an answer that cannot be decoded or upgraded | no | trip |
/// | a request that could not be built, a redirect that was not followed | no | neutral |
///
/// After a time-out or a broken connection the service may have done its work all the same: retry
/// what may be done twice. A request whose body is a stream cannot be sent again as it is; make it
/// anew for each attempt. `Retry-After` is not known: reqwest keeps no headers in its errors.
impl Classify for Error {
    fn classify(&self) -> Classification {
        if let Some(status) = self.status() {
            of_status(status)
        } else if self.is_builder() || self.is_redirect() {
            // Before the rest: a redirect policy's own error may have any source.
            Classification::new(false, Outcome::Neutral)
        } else {
            Classification::new(is_transport(self), Outcome::Trip)
        }
    }
}

fn of_status(status: StatusCode) -> Classification {
    let retryable = matches!(status.as_u16(), 408 | 425 | 429 | 502..=504);
    let outcome = if status.is_server_error() {
        Outcome::Trip
    } else {
        Outcome::Ok
    };
    Classification::new(retryable, outcome)
}

/// Whether the bytes did not get through, rather than being wrong.
fn is_transport(error: &Error) -> bool {
    error.is_request()
        || error.is_body()
        || error.is_timeout()
        // An answer that breaks off is an error of decoding around one of the body.
        || error
            .source()
            .and_then(|source| source.downcast_ref())
            .is_some_and(is_transport)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use reqwest::{Client, Response, redirect};

    use super::*;
    use crate::{ResultExt as _, http_response};

    const RETRY: Classification = Classification::new(true, Outcome::Trip);

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    /// What the server does after its answer.
    enum Then {
        HangUp,
        Wait,
    }

    /// A server that reads one request and gives this answer, which may be none.
    fn server(answer: &str, then: Then) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = answer.to_owned();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(answer.as_bytes());
            if let Then::Wait = then {
                // Returns when the client gives up.
                let _ = stream.read(&mut buffer);
            }
        });
        address
    }

    async fn get(address: SocketAddr) -> Result<Response, Error> {
        Client::new()
            .get(format!("http://{address}/hunter2?key=hunter2"))
            .timeout(Duration::from_secs(10))
            .send()
            .await
    }

    #[test]
    fn nobody_listens() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let error = block_on(get(address)).unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        assert_eq!(error.classify(), RETRY);
    }

    #[test]
    fn the_connection_breaks() {
        let error = block_on(get(server("", Then::HangUp))).unwrap_err();
        assert!(error.is_request() && !error.is_connect(), "{error:?}");
        assert_eq!(error.classify(), RETRY);
    }

    #[test]
    fn no_answer_comes() {
        let error = block_on(async {
            Client::new()
                .get(format!("http://{}", server("", Then::Wait)))
                .timeout(Duration::from_millis(50))
                .send()
                .await
        })
        .unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(error.classify(), RETRY);
    }

    const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhunter2";

    #[test]
    fn the_answer_breaks_off() {
        let whole = block_on(async { get(server(HALF, Then::HangUp)).await?.bytes().await });
        assert_eq!(whole.unwrap_err().classify(), RETRY);

        let chunk = block_on(async {
            let mut response = get(server(HALF, Then::HangUp)).await?;
            while response.chunk().await?.is_some() {}
            Ok::<_, Error>(())
        })
        .unwrap_err();
        assert!(chunk.is_decode(), "{chunk:?}");
        assert_eq!(chunk.classify(), RETRY);
    }

    #[test]
    fn the_answer_is_late() {
        let error = block_on(async {
            Client::new()
                .get(format!("http://{}", server(HALF, Then::Wait)))
                .timeout(Duration::from_millis(200))
                .send()
                .await?
                .bytes()
                .await
        })
        .unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(error.classify(), RETRY);
    }

    #[test]
    fn each_status_has_its_class() {
        for (status, retryable, outcome) in [
            (400, false, Outcome::Ok),
            (404, false, Outcome::Ok),
            (408, true, Outcome::Ok),
            (425, true, Outcome::Ok),
            (429, true, Outcome::Ok),
            (500, false, Outcome::Trip),
            (501, false, Outcome::Trip),
            (502, true, Outcome::Trip),
            (503, true, Outcome::Trip),
            (504, true, Outcome::Trip),
            (505, false, Outcome::Trip),
        ] {
            let answer = format!("HTTP/1.1 {status} hunter2\r\ncontent-length: 0\r\n\r\n");
            let response = block_on(get(server(&answer, Then::HangUp))).unwrap();
            let error = response.error_for_status().unwrap_err();
            assert_eq!(
                error.classify(),
                Classification::new(retryable, outcome),
                "{error}"
            );

            // Its text has the address and the reason.
            assert!(error.to_string().contains("hunter2"), "{error}");
            let failed: Result<(), _> = Err(error);
            let response = http_response(&*failed.or_internal().unwrap_err());
            let body = String::from_utf8(response.into_body()).unwrap();
            assert!(body.contains("INTERNAL_ERROR"), "{body}");
            assert!(!body.contains("hunter2"), "{body}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_final() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\"hunter2\"";
        let error = block_on(async { get(server(answer, Then::HangUp)).await?.json::<u8>().await })
            .unwrap_err();
        assert!(error.is_decode(), "{error:?}");
        assert_eq!(error.classify(), Classification::new(false, Outcome::Trip));
    }

    #[test]
    fn what_was_never_sent_is_neutral() {
        let neutral = Classification::new(false, Outcome::Neutral);

        let error = Client::new().get("hunter2").build().unwrap_err();
        assert!(error.is_builder(), "{error:?}");
        assert_eq!(error.classify(), neutral);

        let error = block_on(async {
            let answer = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
            Client::builder()
                .redirect(redirect::Policy::custom(|attempt| {
                    attempt.error(std::io::Error::from(std::io::ErrorKind::TimedOut))
                }))
                .build()?
                .get(format!("http://{}", server(answer, Then::HangUp)))
                .send()
                .await
        })
        .unwrap_err();
        assert!(error.is_redirect() && error.is_timeout(), "{error:?}");
        assert_eq!(error.classify(), neutral);
    }
}

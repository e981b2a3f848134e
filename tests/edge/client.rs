//! An HTTP/1.1 client that sends just the bytes it is told to, and shows what came back byte for byte: a
//! library's would refuse to send a hostile header, or mend a broken answer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// No test asserts it: it turns a server that never answers into a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request, over a connection of its own.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// As sent, a line each; the value may be anything.
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
    pub(crate) body: Option<Vec<u8>>,
    /// The length that is declared, where it is not the body's: what is missing never comes.
    pub(crate) declared_length: Option<usize>,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: None,
            declared_length: None,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { method, path, .. } = self;
        let mut out = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        };
        if !self.headers.iter().any(|(name, _)| *name == "Connection") {
            line("Connection", b"close");
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        let length = self.body.as_ref().map(Vec::len);
        if let Some(length) = self.declared_length.or(length) {
            line("Content-Length", length.to_string().as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.body.as_deref().unwrap_or_default());
        out
    }

    /// Sends it, and reads until the server closes the connection.
    pub(crate) fn send(&self, server: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(server).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        // A server that refuses a request closes before it has read all of it.
        let _ = stream.write_all(&self.bytes());
        if self.declared_length.is_some() {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        let mut raw = Vec::new();
        match stream.read_to_end(&mut raw) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{} {}: {error}", self.method, self.path),
        }
        Answer::parse(raw, self.method == "HEAD")
    }
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// 0 if the connection was closed without a word.
    pub(crate) status: u16,
    /// With names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body has the length that was declared for it, or its last chunk came.
    pub(crate) is_complete: bool,
    /// All bytes as they came.
    pub(crate) raw: Vec<u8>,
}

impl Answer {
    fn parse(raw: Vec<u8>, is_head: bool) -> Self {
        let Some(end) = find(&raw, b"\r\n\r\n") else {
            assert!(raw.is_empty(), "half a head: {:?}", lossy(&raw));
            return Self::default();
        };
        let head = String::from_utf8(raw[..end].to_vec()).expect("heads are ASCII");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers: Vec<_> = lines
            .map(|line| line.split_once(':').expect("a name and a value"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Self {
            status: status.and_then(|status| status.parse().ok()).unwrap_or(0),
            headers,
            is_complete: true,
            body: raw[end + 4..].to_vec(),
            raw,
        };
        if is_head {
            return answer;
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            (answer.body, answer.is_complete) = dechunked(&answer.body);
        } else if let Some(length) = answer.header("content-length") {
            answer.is_complete = length.parse() == Ok(answer.body.len());
        }
        answer
    }

    /// The value of a header that is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match self.all(name)[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The values of all lines of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.headers.iter().filter(|(other, _)| other == name);
        lines.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        lossy(&self.body)
    }
}

/// The data of the chunks, and whether the last one came.
fn dechunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut data = Vec::new();
    while let Some(end) = find(rest, b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let size = size.expect("the size of a chunk");
        rest = &rest[end + 2..];
        if size == 0 {
            return (data, true);
        }
        data.extend_from_slice(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..).unwrap_or_default();
    }
    (data, false)
}

pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! An HTTP server as small as it can be: one request a connection, answers from a closure.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request, by what the tests care for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `DetectEntities` of an AI service, `GET /bucket/key` of S3.
    pub(crate) operation: String,
    /// The JSON body; the raw body as a string where it is none.
    pub(crate) body: Value,
    /// How often the operation was asked for before.
    pub(crate) before: usize,
}

/// What the server answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self::bytes(body.to_string().into_bytes())
    }

    pub(crate) fn bytes(body: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), body }
    }

    /// An error as the AWS JSON protocols write it.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = json!({"__type": code, "message": "as the test wants"});
        Self { status, ..Self::json(&body) }
    }

    /// An error as S3 writes it.
    pub(crate) fn s3_error(status: u16, code: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><Message>as the test wants</Message></Error>");
        Self { status, ..Self::bytes(body.into_bytes()) }
    }

    /// What the local cloud says where it has no engine.
    pub(crate) fn not_available() -> Self {
        Self::error(501, "NotAvailableLocally").engine("nothing 1.0")
    }

    pub(crate) fn not_found() -> Self {
        Self { status: 404, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn engine(self, engine: &str) -> Self {
        self.header("x-sluice-engine", engine)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { url, asked }
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often `operation` was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.asked().iter().filter(|asked| asked.operation == operation).count()
    }

    /// The body of the first request for `operation`.
    pub(crate) fn body(&self, operation: &str) -> Value {
        self.asked().into_iter().find(|asked| asked.operation == operation).unwrap().body
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<impl Fn(&Asked) -> Answer>, seen: Arc<Mutex<Vec<Asked>>>) {
    let Some((head, body)) = read(&mut stream).await else { return };
    let asked = note(&seen, operation(&head), &body);
    let answer = answer(&asked);
    let mut bytes = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", answer.status).into_bytes();
    if !head.starts_with("HEAD ") {
        bytes.extend(format!("content-length: {}\r\n", answer.body.len()).bytes());
    }
    for (name, value) in answer.headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    if !head.starts_with("HEAD ") {
        bytes.extend(answer.body);
    }
    stream.write_all(&bytes).await.unwrap();
    stream.shutdown().await.unwrap();
}

async fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length: usize = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some((head, bytes[end + 4..end + 4 + length].to_vec()));
            }
        }
        match stream.read(&mut buffer).await.ok()? {
            0 => return None,
            count => bytes.extend(&buffer[..count]),
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn operation(head: &str) -> String {
    if let Some((_, operation)) = header(head, "x-amz-target").and_then(|target| target.split_once('.')) {
        return operation.to_owned();
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    format!("{method} {}", target.split('?').next().unwrap())
}

fn note(seen: &Mutex<Vec<Asked>>, operation: String, body: &[u8]) -> Asked {
    let body = serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into());
    let mut seen = seen.lock().unwrap();
    let before = seen.iter().filter(|asked| asked.operation == operation).count();
    let asked = Asked { operation, body, before };
    seen.push(asked.clone());
    asked
}

//! Requests read within a bound, and responses made of bytes or JSON.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::Value;

/// A request as it comes in; its body is still on the wire.
pub(crate) type Request = http::Request<Incoming>;

/// A response of any surface.
pub(crate) type Response = http::Response<s3s::Body>;

/// The body was too large, or broke off.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// Reads the whole body, or refuses it when it passes `most_bytes`.
pub(crate) async fn read(request: Request, most_bytes: usize) -> Result<Bytes, Unreadable> {
    let limited = Limited::new(request.into_body(), most_bytes);
    let collected = limited.collect().await.map_err(|_| Unreadable)?;
    Ok(collected.to_bytes())
}

/// A response of `content_type`.
pub(crate) fn bytes(status: StatusCode, content_type: &'static str, content: Bytes) -> Response {
    let mut response = Response::new(content.into());
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A response of JSON.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    bytes(status, "application/json", Bytes::from(value.to_string()))
}

/// Sets a header; a value that no header can carry is left out.
pub(crate) fn set_header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

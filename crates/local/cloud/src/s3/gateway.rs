//! What happens to a request before `s3s` sees it: the signature comes off, chunks are joined, the host becomes a path.
//!
//! `s3s` either checks signatures against known secrets or refuses signed requests, and any secret is good here.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Uri};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use percent_encoding::percent_decode_str;
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};

use super::chunked;
use crate::store::{Algorithm, Trailer};

const CONTENT_SHA256: &str = "x-amz-content-sha256";
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
const TRAILER: &str = "x-amz-trailer";

/// Query parameters that sign a URL; the others of a presigned URL say what a header would.
const SIGNING: [&str; 8] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

/// Query parameters that sign a URL in the older way.
const SIGNING_V2: [&str; 3] = ["AWSAccessKeyId", "Signature", "Expires"];

/// What is known of a body beyond its headers; travels to the operation in the request's extensions.
#[derive(Debug, Clone, Default)]
pub(super) struct Announced {
    /// SHA-256 of the body, lower-case hexadecimal.
    pub(super) sha256: Option<String>,
    /// Length without chunk headers.
    pub(super) size_bytes: Option<u64>,
    /// A checksum that follows the body.
    pub(super) trailer: Option<Arc<Trailer>>,
}

/// Makes a plain request of whatever came.
pub(super) fn open(mut request: Request<Body>, now: Timestamp) -> S3Result<Request<Body>> {
    check_expiry(request.uri(), now)?;
    unsign(&mut request)?;
    bucket_into_path(&mut request)?;
    let announced = announced(request.headers())?;
    let request = if is_chunked(request.headers()) { unchunk(request, &announced) } else { request };
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(announced);
    parts.headers.remove(CONTENT_SHA256);
    Ok(Request::from_parts(parts, body))
}

fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// A presigned URL is good until it expires, whoever signed it.
fn check_expiry(uri: &Uri, now: Timestamp) -> S3Result<()> {
    let expires = match (query_value(uri, "x-amz-date"), query_value(uri, "x-amz-expires")) {
        (Some(date), Some(seconds)) => {
            let signed =
                DateTime::strptime("%Y%m%dT%H%M%SZ", &date).ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok());
            let signed = signed.ok_or_else(|| malformed("X-Amz-Date"))?.timestamp().as_second();
            Some(signed + seconds.parse::<i32>().map(i64::from).map_err(|_| malformed("X-Amz-Expires"))?)
        }
        _ if query_value(uri, "signature").is_some() => query_value(uri, "expires").and_then(|at| at.parse().ok()),
        _ => None,
    };
    match expires {
        Some(expires) if now.as_second() >= expires => Err(s3_error!(AccessDenied, "Request has expired")),
        _ => Ok(()),
    }
}

fn malformed(parameter: &str) -> S3Error {
    let code = S3ErrorCode::Custom("AuthorizationQueryParametersError".into());
    let mut error = S3Error::with_message(code, format!("the query parameter {parameter} is malformed"));
    error.set_status_code(http::StatusCode::BAD_REQUEST);
    error
}

fn unsign(request: &mut Request<Body>) -> S3Result<()> {
    request.headers_mut().remove(AUTHORIZATION);
    let uri = request.uri().clone();
    let Some(query) = uri.query() else { return Ok(()) };
    let version_2 = query_value(&uri, "signature").is_some() && query_value(&uri, "AWSAccessKeyId").is_some();
    let presigned = query_value(&uri, "x-amz-signature").is_some();
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let name = pair.split('=').next().unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        if SIGNING.contains(&lower.as_str()) || version_2 && SIGNING_V2.contains(&name) {
            continue;
        }
        if presigned && lower.starts_with("x-amz-") {
            header_from_query(request.headers_mut(), &uri, &lower);
        } else {
            kept.push(pair);
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    set_path(request, &format!("{}{query}", uri.path()))
}

/// Some clients sign headers into the URL.
fn header_from_query(headers: &mut HeaderMap, uri: &Uri, name: &str) {
    let value = query_value(uri, name).and_then(|value| HeaderValue::from_str(&value).ok());
    if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
        headers.entry(name).or_insert(value);
    }
}

/// `bucket.localhost/key` and `bucket.s3.localhost/key` become `/bucket/key`.
fn bucket_into_path(request: &mut Request<Body>) -> S3Result<()> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let Some(bucket) = host.strip_suffix(".localhost") else { return Ok(()) };
    let bucket = bucket.strip_suffix(".s3").unwrap_or(bucket);
    if bucket == "s3" {
        return Ok(());
    }
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let path = format!("/{bucket}{path}");
    set_path(request, &path)
}

fn set_path(request: &mut Request<Body>, path: &str) -> S3Result<()> {
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path.parse().map_err(|_| s3_error!(InvalidURI))?);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| s3_error!(InvalidURI))?;
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_chunked(headers: &HeaderMap) -> bool {
    text(headers, CONTENT_SHA256).is_some_and(|value| value.starts_with("STREAMING-"))
}

fn announced(headers: &HeaderMap) -> S3Result<Announced> {
    let is_digest = |value: &&str| value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let length = if is_chunked(headers) { DECODED_LENGTH } else { CONTENT_LENGTH.as_str() };
    let length =
        text(headers, length).map(|length| length.parse().map_err(|_| s3_error!(InvalidArgument, "bad length")));
    Ok(Announced {
        sha256: text(headers, CONTENT_SHA256).filter(is_digest).map(str::to_owned),
        size_bytes: length.transpose()?,
        trailer: trailer(headers)?.map(|algorithm| Arc::new(Trailer::new(algorithm))),
    })
}

fn trailer(headers: &HeaderMap) -> S3Result<Option<Algorithm>> {
    let Some(name) = text(headers, TRAILER) else { return Ok(None) };
    let known = Algorithm::ALL.into_iter().find(|algorithm| name.trim().eq_ignore_ascii_case(algorithm.header()));
    known
        .map(Some)
        .ok_or_else(|| s3_error!(InvalidRequest, "The value specified in the x-amz-trailer header is not supported"))
}

/// Joins the chunks and makes the headers those of the joined body.
fn unchunk(request: Request<Body>, announced: &Announced) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(DECODED_LENGTH);
    parts.headers.remove(CONTENT_LENGTH);
    if let Some(size_bytes) = announced.size_bytes {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(size_bytes));
    }
    let encodings = text(&parts.headers, CONTENT_ENCODING.as_str()).unwrap_or_default();
    let kept: Vec<_> = encodings.split(',').map(str::trim).filter(|name| !["", "aws-chunked"].contains(name)).collect();
    let kept = HeaderValue::from_str(&kept.join(",")).ok().filter(|kept| !kept.is_empty());
    match kept {
        Some(kept) => parts.headers.insert(CONTENT_ENCODING, kept),
        None => parts.headers.remove(CONTENT_ENCODING),
    };
    Request::from_parts(parts, chunked::join(body, announced.trailer.clone()))
}

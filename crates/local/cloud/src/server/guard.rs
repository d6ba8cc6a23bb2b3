//! Keeps web pages out: a page in a browser on this machine can reach a loopback port too.
//!
//! A page is told by its `Origin`, or, when a name of its own leads to our address (DNS rebinding), by its `Host`.
//! SDKs and the AWS CLI send no `Origin` and the host of the endpoint that they were given.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// Refuses a request that a web page may have sent.
pub(super) fn check(headers: &HeaderMap) -> Result<(), &'static str> {
    let text = |name| headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap_or("?"));
    if !text(HOST).is_some_and(|host| is_local(host_in(host))) {
        return Err("the Host of this request is none of this machine's: use 127.0.0.1 or localhost");
    }
    if text(ORIGIN).is_some_and(|origin| !is_local_origin(origin)) {
        return Err("web pages may not use the local cloud");
    }
    match headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes) {
        Some(b"cross-site" | b"same-site") => Err("web pages may not use the local cloud"),
        _ => Ok(()),
    }
}

fn is_local_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(|host| is_local(host_in(host)))
}

/// What SDKs put before the host for some operations.
const PREFIX: &str = "sync-";

/// `localhost`, a name below it (buckets as host names), or an address: nobody can rebind an address.
fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let host = host.strip_prefix(PREFIX).unwrap_or(&host);
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok()
}

/// The host without port and brackets.
fn host_in(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn check(pairs: &[(&'static str, &'static str)]) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        super::check(&pairs.iter().map(pair).collect::<HeaderMap>()).is_ok()
    }

    #[test]
    fn clients_pass() {
        for host in [
            "127.0.0.1:4566",
            "localhost",
            "LocalHost:80",
            "[::1]:4566",
            "raw.localhost:4566",
            "10.0.0.7:4566",
            "sync-localhost:1",
        ] {
            assert!(check(&[("host", host)]), "{host}");
        }
        assert!(check(&[
            ("host", "127.0.0.1:4566"),
            ("origin", "http://localhost:3000"),
            ("sec-fetch-site", "same-origin")
        ]));
    }

    #[test]
    fn web_pages_do_not() {
        assert!(!check(&[("host", "evil.example")]));
        assert!(!check(&[("host", "localhost.evil.example:4566")]));
        assert!(!check(&[("host", "127.0.0.1.evil.example")]));
        assert!(!check(&[("host", "127.0.0.1:4566"), ("origin", "https://evil.example")]));
        assert!(!check(&[("host", "127.0.0.1:4566"), ("origin", "null")]));
        assert!(!check(&[("host", "127.0.0.1:4566"), ("sec-fetch-site", "cross-site")]));
        assert!(!check(&[]));
    }
}

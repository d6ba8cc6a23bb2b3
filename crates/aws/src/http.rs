//! The one HTTP client of a process, whose connections all services' clients share.
//!
//! A service's client that is given none makes its own: it connects anew and reads the system's certificates anew, and
//! some clients are made for one invocation.
//!
//! <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/http.html>

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// A client for AWS, or for `endpoint` where one is named.
#[must_use]
pub fn client(endpoint: Option<&str>) -> SharedHttpClient {
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        builder.tls_context(without_certificates()).build_https()
    } else {
        builder.build_https()
    }
}

/// Nobody proves who he is without TLS, so the system's certificates need not be read, which takes as long as all the
/// rest of a start.
fn without_certificates() -> TlsContext {
    let context = TlsContext::builder().with_trust_store(TrustStore::empty()).build();
    context.expect("a store without certificates holds no malformed one")
}

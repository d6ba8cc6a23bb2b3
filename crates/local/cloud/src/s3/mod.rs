//! The S3 protocol over the store: `s3s` reads and writes the wire, this module says what each operation does.
//!
//! It refuses nobody: any credentials will do on a laptop, so signatures are taken off, not checked (a presigned URL
//! still expires). What S3 has and the store does not, such as access lists or encryption, is `NotImplemented`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html>

mod buckets;
mod chunked;
mod convert;
mod errors;
mod gateway;
mod listings;
mod names;
mod notifications;
mod objects;
mod operations;
mod reads;
mod tagging;
#[cfg(test)]
mod tests;
mod uploads;

use std::sync::Arc;

use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, HttpResponse};

use crate::clock::Clock;
use crate::context::Context;
use crate::store::Store;

/// Answers S3 requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    inner: S3Service,
    clock: Clock,
}

/// What the operations work on.
#[derive(Debug, Clone)]
struct Surface {
    store: Store,
    region: Arc<str>,
}

/// The S3 service of a cloud.
#[must_use]
pub fn service(context: &Context) -> Service {
    let surface = Surface { store: context.store.clone(), region: Arc::clone(&context.region) };
    let mut builder = S3ServiceBuilder::new(surface);
    builder.set_validation(names::Old);
    Service { inner: builder.build(), clock: context.clock.clone() }
}

impl Service {
    /// Answers one request, signed or not, path style or `bucket.localhost`. Bodies stream both ways.
    ///
    /// # Errors
    /// Only when the connection cannot be answered at all; what S3 refuses is a response.
    pub async fn call<B: Into<Body>>(&self, request: http::Request<B>) -> Result<HttpResponse, HttpError> {
        match gateway::open(request.map(Into::into), self.clock.now()) {
            Ok(request) => self.inner.call(request).await,
            Err(refusal) => refusal.to_http_response().map_err(|error| HttpError::new(Box::new(error))),
        }
    }
}

//! The one port: takes a request, refuses what a web page sent, and hands it to the surface it is for.
//!
//! | request | surface |
//! | --- | --- |
//! | `X-Amz-Target: …` | the JSON services |
//! | `/2015-03-31/functions…` | Lambda's function API |
//! | `/_lambda/…` | the Runtime API, for our own workers |
//! | a form posted to `/` | STS |
//! | anything else | S3 |

pub(crate) mod body;
mod guard;
mod json;
mod sts;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::ai::media::Media;
use crate::athena::Athena;
use crate::context::Context;
use crate::faults::{Faults, Surface};
use crate::glue::Glue;
use crate::lambda::{self, Functions};
use crate::queue::Queue;
use crate::states::States;
use crate::tasks::Tasks;
use crate::wire::ServiceError;
use body::{Request, Response};

/// Connections at once: workers, a busy SDK client or two, and room; more wait to be accepted.
const MOST_CONNECTIONS: usize = 1024;

/// How long requests under way may take to end when the cloud shuts down. Work of executions goes on at the next start.
const GRACE: Duration = Duration::from_secs(3);

/// A pause after an accept that failed, so that a lack of file handles does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What of a refused upload is read before the answer, so that the client hears the answer instead of a reset.
const MOST_DRAINED_BYTES: usize = 64 * 1024 * 1024;

/// Where the Runtime API lives.
const RUNTIME_PREFIX: &str = "/_lambda/";

/// All surfaces behind the port.
#[derive(Clone)]
pub(crate) struct Surfaces {
    pub(crate) context: Context,
    pub(crate) functions: Functions,
    pub(crate) states: States,
    pub(crate) media: Media,
    pub(crate) queue: Queue,
    pub(crate) athena: Athena,
    pub(crate) glue: Glue,
    pub(crate) s3: crate::s3::Service,
    pub(crate) faults: Faults,
    pub(crate) tasks: Tasks,
}

/// Serves `listener` until the tasks close; requests under way may then take a moment to end.
pub(crate) async fn serve(listener: TcpListener, surfaces: Surfaces) {
    let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let surfaces = Arc::new(surfaces);
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (surfaces, hold) = (Arc::clone(&surfaces), surfaces.tasks.hold());
                tokio::spawn(async move {
                    connection(stream, surfaces).await;
                    drop((permit, hold));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, surfaces: Arc<Surfaces>) {
    // Without this a small answer may wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let tasks = surfaces.tasks.clone();
    let service = service_fn(move |request| answer(Arc::clone(&surfaces), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = tasks.closing() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

async fn answer(surfaces: Arc<Surfaces>, request: Request) -> Result<Response, Infallible> {
    let path = request.uri().path().to_owned();
    let routed = AssertUnwindSafe(surfaces.route(request)).catch_unwind().await;
    let mut response = routed.unwrap_or_else(|_| {
        tracing::error!(path, "a surface panicked");
        let error =
            ServiceError::internal("InternalFailure", "a surface of the local cloud broke off; its log says why");
        json::refusal(&error, json::Version::One)
    });
    if !path.starts_with(RUNTIME_PREFIX) && !response.headers().contains_key("x-amzn-requestid") {
        body::set_header(&mut response, "x-amzn-requestid", &crate::identifier::random());
    }
    Ok(response)
}

impl Surfaces {
    async fn route(&self, request: Request) -> Response {
        if let Err(why) = guard::check(request.headers()) {
            return body::json(StatusCode::FORBIDDEN, &json!({"message": why}));
        }
        if let Some(rest) = request.uri().path().strip_prefix(RUNTIME_PREFIX).map(str::to_owned) {
            return lambda::runtime_api::handle(&self.functions, request, &rest).await;
        }
        if request.headers().contains_key("x-amz-target") {
            return json::handle(self, request).await;
        }
        if request.uri().path().starts_with(lambda::api::PREFIX) {
            return match self.fault(Surface::Lambda).await {
                Some(error) => lambda::api::refusal(&error),
                None => lambda::api::handle(&self.functions, &self.tasks, request).await,
            };
        }
        if request.method() == Method::POST && sts::is_form(request.headers()) && request.uri().path() == "/" {
            return sts::handle(request).await;
        }
        self.object_storage(request).await
    }

    async fn object_storage(&self, request: Request) -> Response {
        if let Some(error) = self.fault(Surface::S3).await {
            drain(request).await;
            return s3_refusal(&error);
        }
        match self.s3.call(request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(?error, "the S3 surface broke off");
                s3_refusal(&ServiceError::internal(
                    "InternalError",
                    "We encountered an internal error. Please try again.",
                ))
            }
        }
    }

    /// Lets the switched-on faults of `surface` strike: waits, and gives the error if the call is refused.
    async fn fault(&self, surface: Surface) -> Option<ServiceError> {
        let strike = self.faults.strike(surface);
        if !strike.delay.is_zero() {
            tokio::time::sleep(strike.delay).await;
        }
        strike.refusal.map(|refusal| refusal.error(surface))
    }
}

async fn drain(request: Request) {
    let mut body = request.into_body();
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, bytes::Bytes::len);
        if drained > MOST_DRAINED_BYTES {
            return;
        }
    }
}

fn s3_refusal(error: &ServiceError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (code, message) = (&error.code, &error.message);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    body::bytes(status, "application/xml", text.into())
}

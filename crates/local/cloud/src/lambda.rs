//! Lambda on one machine: functions, each with a pool of warm worker processes that speak the Runtime API.
//!
//! A function is a program that long-polls for invocations, the same binary that runs on AWS; it is never linked in.
//! What is not here: versions, aliases, layers, and durable queues for asynchronous invocations.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

pub(crate) mod api;
pub(crate) mod endpoint;
mod failure;
mod launcher;
mod logs;
mod pool;
mod process;
pub(crate) mod runtime_api;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::clock::Clock;
use crate::deployment::function_arn;
use crate::faults::Faults;
use crate::tasks::Tasks;
use crate::wire::ServiceError;

pub use endpoint::{Endpoint, EndpointError};

use endpoint::Call;
use launcher::Launcher;
use pool::Pool;

/// The most that a request or an answer may hold.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MOST_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// One function, as it is deployed.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// Name, the last part of the ARN.
    pub name: String,
    /// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`.
    pub arn: String,
    /// The program that each worker runs.
    pub binary: PathBuf,
    /// What the workers find in their environment, beside what Lambda itself sets. Nothing else is inherited.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Data memory that a worker may take, on Linux by `RLIMIT_DATA` (an address-space limit would count the
    /// allocator's reservations, which cost nothing).
    pub memory_megabytes: u32,
    /// The most workers that run at once.
    pub workers: usize,
}

/// What came of one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The function's answer, or its error as JSON.
    pub payload: Bytes,
    /// `Unhandled` when the payload is an error.
    pub function_error: Option<String>,
}

/// All functions of one cloud; cheap to clone.
#[derive(Debug, Clone)]
pub struct Functions {
    pools: Arc<BTreeMap<String, Arc<Pool>>>,
    region: Arc<str>,
    elsewhere: Option<Arc<Endpoint>>,
}

/// What the pools need of the cloud around them.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// `HOST:PORT` of the server that carries the Runtime API.
    pub(crate) address: String,
    /// Region, for the workers' environment.
    pub(crate) region: Arc<str>,
    /// Where the workers' output goes, one file a function.
    pub(crate) logs: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) tasks: Tasks,
}

impl Functions {
    /// Deploys `functions`; no worker starts before the first invocation.
    ///
    /// # Errors
    /// When the operating system refuses the thread that starts processes.
    pub(crate) fn deploy(functions: Vec<FunctionConfig>, surroundings: &Surroundings) -> std::io::Result<Self> {
        let launcher = Launcher::start()?;
        let pool = |config: FunctionConfig| {
            (config.name.clone(), Arc::new(Pool::new(config, surroundings.clone(), launcher.clone())))
        };
        let pools = Arc::new(functions.into_iter().map(pool).collect());
        Ok(Self { pools, region: Arc::clone(&surroundings.region), elsewhere: None })
    }

    /// The same functions; those that are not among them are looked for at `endpoint`.
    #[must_use]
    pub(crate) fn or_else_at(self, endpoint: Option<Endpoint>) -> Self {
        Self { elsewhere: endpoint.map(Arc::new), ..self }
    }

    /// Invokes a function by its name or ARN and waits for its answer. A function's own failure is an answer too.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `RequestTooLargeException`, `TooManyRequestsException` when too many invocations
    /// wait, `ServiceException` when the cloud is shutting down.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Invocation, ServiceError> {
        self.invoke_for(function, payload, None).await
    }

    /// The same, with what the caller's client says of itself: JSON in Base64.
    pub(crate) async fn invoke_for(
        &self,
        function: &str,
        payload: Bytes,
        client_context: Option<String>,
    ) -> Result<Invocation, ServiceError> {
        if payload.len() > MOST_PAYLOAD_BYTES {
            return Err(failure::request_too_large(payload.len()));
        }
        match (self.pool(function), self.elsewhere(function)) {
            (Ok(pool), _) => pool.invoke(payload, client_context.as_deref().and_then(decoded)).await,
            (Err(_), Some(endpoint)) => {
                let (function, qualifier) = (name_in(function).to_owned(), qualifier_in(function).map(str::to_owned));
                let call = Call { function, qualifier, client_context, payload, ..Call::default() };
                endpoint.invoke(&call).await.map(|answered| answered.invocation)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Refuses a function that is neither here nor perhaps elsewhere.
    pub(crate) fn check(&self, function: &str) -> Result<(), ServiceError> {
        if self.elsewhere.is_some() { Ok(()) } else { self.pool(function).map(drop) }
    }

    /// Where a function is to be invoked that is not here.
    pub(crate) fn elsewhere(&self, function: &str) -> Option<Arc<Endpoint>> {
        self.elsewhere.clone().filter(|_| self.pool(function).is_err())
    }

    /// The functions there are, in the order of their names.
    pub fn list(&self) -> impl Iterator<Item = &FunctionConfig> {
        self.pools.values().map(|pool| pool.config())
    }

    /// Ends all workers; their invocations fail.
    pub(crate) fn close(&self) {
        self.pools.values().for_each(|pool| pool.close());
    }

    fn pool(&self, function: &str) -> Result<&Arc<Pool>, ServiceError> {
        let name = name_in(function);
        self.pools.get(name).ok_or_else(|| failure::no_such_function(&function_arn(&self.region, name)))
    }
}

/// A client context as the Runtime API hands it on; what is no text goes nowhere.
fn decoded(client_context: &str) -> Option<String> {
    let bytes = STANDARD.decode(client_context).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    http::HeaderValue::from_str(&text).is_ok().then_some(text)
}

/// The version or alias in `NAME:QUALIFIER` or an ARN.
pub(crate) fn qualifier_in(function: &str) -> Option<&str> {
    let rest = function.split_once("function:").map_or(function, |(_, rest)| rest);
    rest.split(':').nth(1)
}

/// The name in `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or an ARN with or without qualifier.
pub(crate) fn name_in(function: &str) -> &str {
    let rest = function.split_once("function:").map_or(function, |(_, rest)| rest);
    rest.split(':').next().unwrap_or(rest)
}

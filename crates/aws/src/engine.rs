//! Which engine gave an answer: AWS itself, or what a local engine says of itself in a header.
//!
//! A client serves all invocations of a process, so its interceptor finds the recorder of the task that calls in that
//! task.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The response header in which the local cloud names the engine behind an answer.
pub const ENGINE_HEADER: &str = "x-sluice-engine";

/// The name of the engine where no header says otherwise.
const AWS: &str = "aws";

tokio::task_local! {
    static RECORDER: EngineRecorder;
}

/// Remembers the engines of all answers that come in while it records; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct EngineRecorder {
    seen: Arc<Mutex<BTreeSet<String>>>,
}

impl EngineRecorder {
    /// The engines that answered, joined by commas; `aws` where no answer named one.
    #[must_use]
    pub fn engine(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_empty() { AWS.to_owned() } else { seen.iter().cloned().collect::<Vec<_>>().join(", ") }
    }

    /// Records while `calls` run, as far as their clients have [`TellEngine`].
    pub async fn during<F: Future>(&self, calls: F) -> F::Output {
        RECORDER.scope(self.clone(), calls).await
    }

    fn record(&self, engine: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(engine.to_owned());
    }
}

/// Tells the recorder of the calling task which engine has answered; an interceptor for clients.
#[derive(Debug, Clone, Copy)]
pub struct TellEngine;

impl Intercept for TellEngine {
    fn name(&self) -> &'static str {
        "TellEngine"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(engine) = context.response().headers().get(ENGINE_HEADER) {
            // A call that nobody records is nobody's loss.
            let _ = RECORDER.try_with(|recorder| recorder.record(engine));
        }
        Ok(())
    }
}

//! Which engine gave an answer: AWS itself, or what a local engine says of itself in a header.

use std::collections::BTreeSet;
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

/// Remembers the engines of all answers that pass through a client; cheap to clone.
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

    fn record(&self, engine: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(engine.to_owned());
    }
}

impl Intercept for EngineRecorder {
    fn name(&self) -> &'static str {
        "EngineRecorder"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(engine) = context.response().headers().get(ENGINE_HEADER) {
            self.record(engine);
        }
        Ok(())
    }
}

//! What the services over media engines share: the engines, found when first needed, and bounds on how
//! many run at once.
//!
//! A call waits a moment for its turn and is throttled then, as on AWS. An engine that is not installed
//! is "not available locally", with what to install.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engines::command::CommandError;
use engines::ocr::{Ocr, OcrError};
use engines::picture::PictureError;
use engines::speech::{self, PoolError, Speech, SpeechError};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::context::Context;
use crate::tasks::Tasks;
use crate::wire::ServiceError;

/// How long a call waits for an engine before it is throttled: SDKs wait longer than that for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What the media services are started with.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// The `sluice-speech` program.
    pub speech_worker: PathBuf,
    /// Most engines of a kind at once; 0 counts as 1. The number of cores is right.
    pub concurrency: usize,
}

/// The media services of one running cloud; cheap to clone.
#[derive(Debug, Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    context: Context,
    tasks: Tasks,
    speech: Speech,
    is_speech_ready: OnceLock<()>,
    ocr: OnceLock<Ocr>,
    calls: Semaphore,
    jobs: Semaphore,
}

impl Media {
    /// The services over `context`; jobs end with `tasks`.
    pub(crate) fn new(context: Context, tasks: Tasks, config: MediaConfig) -> Self {
        let concurrency = config.concurrency.max(1);
        let settings = speech::Settings { worker: config.speech_worker, workers: concurrency };
        let speech = Speech::new(settings, &context.scratch);
        let inner = Inner {
            context,
            tasks,
            speech,
            is_speech_ready: OnceLock::new(),
            ocr: OnceLock::new(),
            calls: Semaphore::new(concurrency),
            jobs: Semaphore::new(concurrency),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.inner.context
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.inner.tasks
    }

    /// Turns of jobs; calls have their own, so that a long recording holds nobody up.
    pub(crate) fn job_turns(&self) -> &Semaphore {
        &self.inner.jobs
    }

    /// The text engine. Blocks for moments when first called.
    ///
    /// # Errors
    /// Not available locally, where it is not installed.
    pub(crate) fn ocr(&self) -> Result<&Ocr, ServiceError> {
        if let Some(ocr) = self.inner.ocr.get() {
            return Ok(ocr);
        }
        let opened = Ocr::open(&self.inner.context.scratch).map_err(|error| lacking("tesseract", &error))?;
        Ok(self.inner.ocr.get_or_init(|| opened))
    }

    /// The speech engine, known to work. Blocks for moments when first called.
    ///
    /// # Errors
    /// Not available locally, where it is not installed.
    pub(crate) fn speech(&self) -> Result<&Speech, ServiceError> {
        if self.inner.is_speech_ready.get().is_none() {
            self.inner.speech.ready().map_err(|error| lacking("pocketsphinx", &error))?;
            let _set_by_another = self.inner.is_speech_ready.set(());
        }
        Ok(&self.inner.speech)
    }

    /// Runs a blocking call when it is its turn, with an error of type `throttled` if that takes too long.
    pub(crate) async fn call<T, W>(&self, throttled: &'static str, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&Media) -> Result<T, ServiceError> + Send + 'static,
    {
        let turn = timeout(LONGEST_WAIT, self.inner.calls.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(ServiceError::client(throttled, "Rate exceeded: every local engine is busy"));
        };
        self.block(work).await
    }

    /// Runs blocking work off the async threads.
    pub(crate) async fn block<T, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        W: FnOnce(&Media) -> Result<T, ServiceError> + Send + 'static,
    {
        let media = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&media)).await;
        done.unwrap_or_else(|error| Err(internal(&error)))
    }
}

/// The error of an engine that cannot be had; its own message says what to install.
pub(crate) fn lacking(engine: &str, error: &dyn std::error::Error) -> ServiceError {
    ServiceError::not_available_locally(format!("`{engine}` is not available locally: {}", chain(error)))
}

/// A fault of ours. Services spell its type in their own ways, SDKs go by the status.
pub(crate) fn internal(error: &dyn std::error::Error) -> ServiceError {
    ServiceError::internal("InternalServerError", chain(error))
}

/// Whether the fault lies with what is installed here, not with the file.
pub(crate) fn is_lacking(error: &OcrError) -> bool {
    let not_installed = |error: &CommandError| matches!(error, CommandError::NotInstalled { .. });
    match error {
        OcrError::NoLanguages => true,
        OcrError::Engine(error)
        | OcrError::Picture(PictureError::Tool(error))
        | OcrError::Pdf(engines::pdf::PdfError::Tool(error)) => not_installed(error),
        _ => false,
    }
}

/// As [`is_lacking`], for speech.
pub(crate) fn is_speech_lacking(error: &SpeechError) -> bool {
    matches!(
        error,
        SpeechError::Pool(PoolError::Start { .. } | PoolError::Engine(_))
            | SpeechError::Media(engines::media::MediaError::Tool(CommandError::NotInstalled { .. }))
    )
}

/// An error with its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

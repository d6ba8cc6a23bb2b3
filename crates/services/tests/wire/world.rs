//! All that one call of a service may look at, over a server of the test's own.

use aws::clients::Clients;
use aws::deployment::{Deployment, Names};
use aws::engine::EngineRecorder;
use aws::store::Store;
use aws_sdk_textract::config::retry::RetryConfig;
use aws_sdk_textract::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use domain::answer::{Findings, Outcome};
use domain::extraction::Extraction;
use domain::media::Family;
use domain::object::ObjectRef;
use domain::plan::{Subject, Task};
use domain::settings::Settings;
use services::{Call, Started};

use crate::server::{Answer, Asked, Server};

/// The same at every retry of the one task.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Entity tag of the file.
pub(crate) const ETAG: &str = "e1";

/// What surrounds one call.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) deployment: Deployment,
    pub(crate) subject: Subject,
    pub(crate) task: Task,
    pub(crate) earlier: Extraction,
    pub(crate) redrives: u32,
    work: ObjectRef,
    engines: EngineRecorder,
}

impl World {
    pub(crate) async fn new(
        media_type: &str,
        features: &[&str],
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(answer).await;
        let sdk = aws::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&server.url)
            .retry_config(RetryConfig::disabled())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
            .build();
        let object = ObjectRef { version_id: Some("v7".into()), ..ObjectRef::new("raw", "in/file") };
        let subject = Subject {
            object,
            etag: ETAG.into(),
            size_bytes: 4000,
            media_type: media_type.into(),
            declared_type: None,
            family: Family::of(media_type),
        };
        let store = Store::new(&sdk, true);
        Self {
            server,
            deployment: Deployment {
                names: Names::default(),
                settings: Settings::default(),
                sdk,
                clients: Clients::default(),
                store,
            },
            subject,
            task: Task { service: "any".into(), features: features.iter().map(ToString::to_string).collect() },
            earlier: Extraction::default(),
            redrives: 0,
            work: ObjectRef::new("extracted", "work/run/"),
            engines: EngineRecorder::default(),
        }
    }

    pub(crate) fn with_text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.earlier.text);
        self
    }

    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            deployment: &self.deployment,
            subject: &self.subject,
            task: &self.task,
            token: TOKEN,
            redrives: self.redrives,
            earlier: &self.earlier,
            work: &self.work,
            engines: &self.engines,
        }
    }
}

/// The findings of a task that was done at once.
pub(crate) fn done(started: Started) -> Findings {
    match started {
        Started::Done(findings) => findings,
        Started::Running { id, .. } => panic!("job {id} runs"),
    }
}

/// How each feature ended, by name.
pub(crate) fn outcomes(findings: &Findings) -> Vec<(&str, Outcome)> {
    findings.features.iter().map(|it| (it.feature.as_str(), it.outcome)).collect()
}

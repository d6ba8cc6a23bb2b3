//! Amazon Rekognition: what a picture shows, faces, moderation, known persons, text.
//!
//! It reads PNG and JPEG straight from S3, and BMP, GIF and WebP from a copy. Text is off unless asked for, since Textract reads the
//! same picture; where it is on, its lines go to the metadata, so no text is there twice. What it
//! refuses to do: moving pictures, and keeping a database of faces.
//!
//! Limits: <https://docs.aws.amazon.com/rekognition/latest/dg/limits.html>.

use aws::call::CallError;
use aws::engine::TellEngine;
use aws_sdk_rekognition::Client;
use aws_sdk_rekognition::config::Builder;
use aws_sdk_rekognition::types::{Image, S3Object};
use bytes::Bytes;
use domain::answer::{FeatureOutcome, Findings, Outcome};
use domain::extraction::Extraction;
use domain::failure::{Failure, FailureName};
use domain::object::ObjectRef;
use domain::plan::{Place, Subject, Task};
use domain::settings::Preset;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::picture;
use crate::service::{Amount, Call, Descriptor, Feature, Service, Start, Started, feature_result};
use answer::Raw;
use pixels::{HEADER_BYTES, Pixels, pixels};

mod answer;
mod calls;
mod pixels;
#[cfg(test)]
mod tests;

const LABELS: &str = "labels";
const FACES: &str = "faces";
const TEXT: &str = "text";
const MODERATION: &str = "moderation";
const CELEBRITIES: &str = "celebrities";

/// Images in S3: 15 MB.
const LIMIT_BYTES: u64 = 15 << 20;
/// Images have at least 80 pixels a side …
const FEWEST_PIXELS: u32 = 80;
/// … and for labels and moderation at most 10,000.
const MOST_PIXELS: u32 = 10_000;
/// Calls at once for one image: the quota is 5 a second for each operation in small regions.
const PARALLEL_CALLS: usize = 3;
/// List price of one image for one feature, us-east-1, first tier: <https://aws.amazon.com/rekognition/pricing/>.
const IMAGE_USD: f64 = 0.001;

const DESCRIPTOR: Descriptor = Descriptor {
    id: "rekognition",
    features: &[
        Feature { name: LABELS, preset: Preset::On, about: "things, scenes and activities" },
        Feature { name: FACES, preset: Preset::On, about: "faces, and how they look" },
        Feature {
            name: TEXT,
            preset: Preset::Off,
            about: "text in the picture, kept as metadata (Textract reads it anyway)",
        },
        Feature { name: MODERATION, preset: Preset::On, about: "content that a moderator would want to see first" },
        Feature { name: CELEBRITIES, preset: Preset::On, about: "known persons" },
    ],
    actions: &[
        "rekognition:DetectLabels",
        "rekognition:DetectFaces",
        "rekognition:DetectText",
        "rekognition:DetectModerationLabels",
        "rekognition:RecognizeCelebrities",
    ],
    polling: &[],
    opens_the_file: true,
};

/// Amazon Rekognition.
#[derive(Debug, Clone, Copy)]
pub struct Rekognition;

impl Service for Rekognition {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn place(&self, subject: &Subject) -> Option<Place> {
        is_read(subject).then_some(Place::Reads("vision"))
    }

    fn list_price_usd(&self, features: &[String], amount: &Amount) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no file has 2^52 features")]
        let calls = (features.len() as u64 * amount.pages) as f64;
        calls * IMAGE_USD
    }

    fn check(&self, subject: &Subject, _: &Task) -> Result<(), Failure> {
        if !is_read(subject) {
            let message = format!(
                "rekognition does not take `{}`: it takes PNG and JPEG, and BMP, GIF and WebP when converted",
                subject.media_type
            );
            return Err(Failure::new(FailureName::UnsupportedMedia, message));
        }
        let limit_bytes = if picture::is_converted(subject) { picture::LIMIT_BYTES } else { LIMIT_BYTES };
        if subject.size_bytes > limit_bytes {
            let message = format!(
                "`{}` has {} bytes, and rekognition takes {limit_bytes} at most",
                subject.object, subject.size_bytes
            );
            return Err(Failure::new(FailureName::ObjectTooLarge, message));
        }
        Ok(())
    }

    fn contribute(&self, findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
        answer::contribute(findings, document)
    }
}

impl Start for Rekognition {
    fn start<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Started, Failure>> {
        Box::pin(call.engines.during(async move { look(call).await.map(Started::Done) }))
    }
}

fn is_read(subject: &Subject) -> bool {
    matches!(subject.media_type.as_str(), "image/png" | "image/jpeg") || picture::is_converted(subject)
}

async fn look(call: &Call<'_>) -> Result<Findings, Failure> {
    let copy = picture::copy(call, LIMIT_BYTES).await?;
    let (object, head) = match copy {
        Some(copy) => (copy.object, copy.bytes),
        None => (call.subject.object.clone(), head(call).await?),
    };
    let pixels = pixels(&head);
    if let Some(Pixels { width, height }) = pixels.filter(|pixels| pixels.shorter() < FEWEST_PIXELS) {
        return Ok(Findings::skipped(format!(
            "the image has {width} by {height} pixels, and rekognition takes {FEWEST_PIXELS} a side at least"
        )));
    }
    let client = call.deployment.client(|sdk| Client::from_conf(Builder::from(sdk).interceptor(TellEngine).build()));
    let asked: Vec<_> =
        call.task.features.iter().map(|feature| ask(&client, feature, image(&object), pixels)).collect();
    let answers: Vec<_> = stream::iter(asked).buffered(PARALLEL_CALLS).try_collect().await?;
    findings(call, answers)
}

async fn head(call: &Call<'_>) -> Result<Bytes, Failure> {
    call.deployment.store.range(&call.subject.object, &call.subject.etag, 0, HEADER_BYTES).await
}

fn image(object: &ObjectRef) -> Image {
    let object =
        S3Object::builder().bucket(&object.bucket).name(&object.key).set_version(object.version_id.clone()).build();
    Image::builder().s3_object(object).build()
}

async fn ask(
    client: &Client,
    feature: &str,
    image: Image,
    pixels: Option<Pixels>,
) -> Result<(Option<Raw>, FeatureOutcome), Failure> {
    if let Some(reason) = too_many_pixels(feature, pixels) {
        return feature_result(feature, Err(CallError::Unavailable(reason)));
    }
    let answer = match feature {
        LABELS => calls::labels(client, image).await,
        FACES => calls::faces(client, image).await,
        TEXT => calls::text(client, image).await,
        MODERATION => calls::moderation(client, image).await,
        CELEBRITIES => calls::celebrities(client, image).await,
        unknown => return Err(Failure::invalid_input(format!("`rekognition` has no feature `{unknown}`"))),
    };
    feature_result(feature, refused_image(answer)?)
}

fn too_many_pixels(feature: &str, pixels: Option<Pixels>) -> Option<String> {
    let longer = pixels?.longer();
    let limited = matches!(feature, LABELS | MODERATION) && longer > MOST_PIXELS;
    limited.then(|| {
        format!("the image has {longer} pixels a side, and rekognition takes {MOST_PIXELS} at most for `{feature}`")
    })
}

/// An image that is refused is refused for every feature: that fails the task, not the feature.
fn refused_image(answer: Result<Raw, CallError>) -> Result<Result<Raw, CallError>, Failure> {
    match answer {
        Err(CallError::Failed(failure)) if failure.name == FailureName::UnsupportedMedia => {
            Err(Failure::rejected(failure.message))
        }
        Err(CallError::Failed(failure))
            if matches!(failure.name, FailureName::ObjectTooLarge | FailureName::ObjectGone) =>
        {
            Err(failure)
        }
        answer => Ok(answer),
    }
}

fn findings(call: &Call<'_>, answers: Vec<(Option<Raw>, FeatureOutcome)>) -> Result<Findings, Failure> {
    let (mut raw, mut features, mut cost_usd) = (Raw::default(), Vec::new(), 0.0);
    for (answer, outcome) in answers {
        if outcome.outcome == Outcome::Succeeded {
            cost_usd += IMAGE_USD;
        }
        raw.absorb(answer.unwrap_or_default());
        features.push(outcome);
    }
    let raw = serde_json::to_value(raw)
        .map_err(|error| Failure::internal(format!("failed to keep the answer of `rekognition`: {error}")))?;
    Ok(Findings { engine: call.engines.engine(), pages: 0, cost_usd, features, skipped: None, raw })
}

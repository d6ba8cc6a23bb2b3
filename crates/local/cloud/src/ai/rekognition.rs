//! Amazon Rekognition over the local face detector and text engine.
//!
//! Faces and text in images. Validation, limits and error names are AWS's own
//! (<https://docs.aws.amazon.com/rekognition/latest/dg/limits.html>). A face has a place and a confidence:
//! age, emotion, pose and landmarks are not in the local detector and are left out. Labels, moderation,
//! celebrities, collections and video are HTTP 501 `NotAvailableLocally`.

mod request;
#[cfg(test)]
mod tests;
mod text;

use engines::faces::{self, Face};
use engines::ocr::OcrError;
use engines::picture::{self, PictureError};
use serde_json::{Value, json};

use super::file::{self, WorkFile};
use super::media::{Media, internal, is_lacking, lacking};
use super::validate::Validation;
use crate::wire::{Outcome, Reply, ServiceError, decode};
use request::{FacesRequest, TextRequest};

const INVALID: Validation = Validation("InvalidParameterException");

/// What a call is refused with when every engine is busy.
const THROTTLED: &str = "ProvisionedThroughputExceededException";

/// What no local engine does, and which engine is lacking.
const LACKING: [(&str, &str); 6] = [
    ("DetectLabels", "no local engine recognises objects and scenes"),
    ("DetectModerationLabels", "no local engine moderates images"),
    ("RecognizeCelebrities", "no local engine knows celebrities"),
    ("DetectProtectiveEquipment", "no local engine recognises protective equipment"),
    ("CompareFaces", "the local face detector finds faces and does not compare them"),
    ("DetectCustomLabels", "there are no custom models locally"),
];

/// Answers one operation with its JSON body.
///
/// # Errors
/// Rekognition's own errors for what it would refuse, `NotAvailableLocally` for what only it can do.
pub async fn handle(media: &Media, operation: &str, body: Value) -> Outcome {
    match operation {
        "DetectFaces" => detect_faces(media, decode(body)?).await,
        "DetectText" => detect_text(media, decode(body)?).await,
        other => {
            let lacking = LACKING.iter().find(|(operation, _)| *operation == other);
            let why = lacking.map_or("collections, streams and video exist on AWS only", |(_, why)| why);
            Err(ServiceError::not_available_locally(format!("`{other}` is not available locally: {why}")))
        }
    }
}

async fn detect_faces(media: &Media, request: FacesRequest) -> Outcome {
    request.check()?;
    let file = file::take(media, request.image, request::MOST_BYTES, request::ERRORS).await?;
    let found = media.call(THROTTLED, move |media| {
        let picture = picture(media, &file)?;
        faces::detect(picture).map_err(|error| internal(&error))
    });
    let details: Vec<Value> = found.await?.iter().map(detail).collect();
    Ok(Reply::from_engine(json!({"FaceDetails": details}), faces::ENGINE))
}

fn detail(face: &Face) -> Value {
    let area = face.bounds;
    json!({
        "BoundingBox": {"Left": area.left, "Top": area.top, "Width": area.width, "Height": area.height},
        "Confidence": face.confidence * 100.0,
    })
}

async fn detect_text(media: &Media, request: TextRequest) -> Outcome {
    request.check()?;
    let file = file::take(media, request.image, request::MOST_BYTES, request::ERRORS).await?;
    let filters = request.filters.unwrap_or_default();
    let read = media.call(THROTTLED, move |media| {
        let ocr = media.ocr()?;
        let page = ocr.read_picture(picture(media, &file)?, 1).map_err(|error| refusal(&error))?;
        Ok((text::detections(&page, &filters), ocr.engine().to_owned()))
    });
    let (detections, engine) = read.await?;
    Ok(Reply::from_engine(json!({"TextDetections": detections, "TextModelVersion": engine}), engine))
}

fn picture(media: &Media, file: &WorkFile) -> Result<picture::Grey, ServiceError> {
    let bytes = std::fs::read(file.path()).map_err(|error| internal(&error))?;
    request::check_picture(&bytes)?;
    picture::decode_grey(&bytes, &media.context().scratch).map_err(|error| refusal(&OcrError::Picture(error)))
}

fn refusal(error: &OcrError) -> ServiceError {
    match error {
        error if is_lacking(error) => lacking("tesseract", error),
        OcrError::Picture(PictureError::TooLarge(_)) => (request::ERRORS.too_large)(),
        OcrError::Picture(PictureError::Damaged(_) | PictureError::UnknownFormat) => request::invalid_format(),
        error => internal(error),
    }
}

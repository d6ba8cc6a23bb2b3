//! The calls of Rekognition, each from an image to what is kept of the answer.

use std::collections::BTreeMap;

use aws::call::{CallError, call_error};
use aws_sdk_rekognition::Client;
use aws_sdk_rekognition::types::{self, Attribute as Asked, Image};
use serde_json::Value;

use super::answer::{
    AgeRange, Attribute, BoundingBox, Boxed, Celebrity, Emotion, FaceDetail, Named, Raw, TextDetection,
};

/// More labels than these say nothing about a picture any more.
const MOST_LABELS: i32 = 100;

/// What the picture shows.
pub(super) async fn labels(client: &Client, image: Image) -> Result<Raw, CallError> {
    let answer = client.detect_labels().image(image).max_labels(MOST_LABELS).send().await;
    let answer = answer.map_err(|error| call_error("rekognition:DetectLabels", &error))?;
    Ok(Raw { labels: answer.labels().iter().map(label).collect(), ..Raw::default() })
}

/// Faces with all that can be said of them.
pub(super) async fn faces(client: &Client, image: Image) -> Result<Raw, CallError> {
    let answer = client.detect_faces().image(image).attributes(Asked::All).send().await;
    let answer = answer.map_err(|error| call_error("rekognition:DetectFaces", &error))?;
    Ok(Raw { face_details: answer.face_details().iter().map(face).collect(), ..Raw::default() })
}

/// Text in the picture.
pub(super) async fn text(client: &Client, image: Image) -> Result<Raw, CallError> {
    let answer = client.detect_text().image(image).send().await;
    let answer = answer.map_err(|error| call_error("rekognition:DetectText", &error))?;
    Ok(Raw { text_detections: answer.text_detections().iter().map(detection).collect(), ..Raw::default() })
}

/// What a moderator would want to see first.
pub(super) async fn moderation(client: &Client, image: Image) -> Result<Raw, CallError> {
    let answer = client.detect_moderation_labels().image(image).send().await;
    let answer = answer.map_err(|error| call_error("rekognition:DetectModerationLabels", &error))?;
    Ok(Raw { moderation_labels: answer.moderation_labels().iter().map(moderation_label).collect(), ..Raw::default() })
}

/// Known persons.
pub(super) async fn celebrities(client: &Client, image: Image) -> Result<Raw, CallError> {
    let answer = client.recognize_celebrities().image(image).send().await;
    let answer = answer.map_err(|error| call_error("rekognition:RecognizeCelebrities", &error))?;
    Ok(Raw { celebrity_faces: answer.celebrity_faces().iter().map(celebrity).collect(), ..Raw::default() })
}

fn label(label: &types::Label) -> Named {
    let instances = label.instances().iter().filter_map(|it| boxed(it.bounding_box())).collect();
    Named { name: word(label.name()), confidence: number(label.confidence()), instances }
}

fn moderation_label(label: &types::ModerationLabel) -> Named {
    Named { name: word(label.name()), confidence: number(label.confidence()), instances: Vec::new() }
}

fn celebrity(celebrity: &types::Celebrity) -> Celebrity {
    let face = celebrity.face().and_then(|face| boxed(face.bounding_box()));
    Celebrity { name: word(celebrity.name()), match_confidence: number(celebrity.match_confidence()), face }
}

fn detection(detection: &types::TextDetection) -> TextDetection {
    let kind = detection.r#type().map(types::TextTypes::as_str);
    TextDetection {
        detected_text: word(detection.detected_text()),
        r#type: word(kind),
        confidence: number(detection.confidence()),
    }
}

fn face(face: &types::FaceDetail) -> FaceDetail {
    FaceDetail {
        bounding_box: face.bounding_box().map_or_else(BoundingBox::default, bounding_box),
        confidence: number(face.confidence()),
        age_range: face
            .age_range()
            .map(|age| AgeRange { low: age.low().unwrap_or_default(), high: age.high().unwrap_or_default() }),
        emotions: face.emotions().iter().map(emotion).collect(),
        attributes: attributes(face),
    }
}

fn emotion(emotion: &types::Emotion) -> Emotion {
    Emotion { r#type: word(emotion.r#type().map(types::EmotionName::as_str)), confidence: number(emotion.confidence()) }
}

/// The attributes that were returned; an engine may leave out what it does not see.
fn attributes(face: &types::FaceDetail) -> BTreeMap<String, Attribute> {
    let gender = face.gender().and_then(|it| Some((it.value()?.as_str(), it.confidence())));
    let attributes = [
        ("Smile", face.smile().map(|it| (Value::from(it.value()), it.confidence()))),
        ("Eyeglasses", face.eyeglasses().map(|it| (it.value().into(), it.confidence()))),
        ("Sunglasses", face.sunglasses().map(|it| (it.value().into(), it.confidence()))),
        ("Gender", gender.map(|(value, confidence)| (value.into(), confidence))),
        ("Beard", face.beard().map(|it| (it.value().into(), it.confidence()))),
        ("Mustache", face.mustache().map(|it| (it.value().into(), it.confidence()))),
        ("EyesOpen", face.eyes_open().map(|it| (it.value().into(), it.confidence()))),
        ("MouthOpen", face.mouth_open().map(|it| (it.value().into(), it.confidence()))),
        ("FaceOccluded", face.face_occluded().map(|it| (it.value().into(), it.confidence()))),
    ];
    let returned = attributes.into_iter().filter_map(|(name, attribute)| attribute.map(|attribute| (name, attribute)));
    returned
        .map(|(name, (value, confidence))| (name.to_owned(), Attribute { value, confidence: number(confidence) }))
        .collect()
}

fn boxed(it: Option<&types::BoundingBox>) -> Option<Boxed> {
    it.map(|it| Boxed { bounding_box: bounding_box(it) })
}

fn bounding_box(it: &types::BoundingBox) -> BoundingBox {
    BoundingBox {
        left: number(it.left()),
        top: number(it.top()),
        width: number(it.width()),
        height: number(it.height()),
    }
}

fn word(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// Six decimals: what single precision holds of a ratio, without its binary tail.
fn number(number: Option<f32>) -> f64 {
    (f64::from(number.unwrap_or_default()) * 1e6).round() / 1e6
}

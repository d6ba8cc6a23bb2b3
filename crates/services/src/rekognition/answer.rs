//! Rekognition's answers as they are kept, and what they add to the document.
//!
//! Confidences are percents there and ratios here; boxes are ratios in both. Lines of `DetectText`
//! stay out of the document's text, which is Textract's: they go to the metadata.

use std::collections::BTreeMap;

use domain::answer::Findings;
use domain::extraction::{Box as Place, Extraction, Face, Label};
use domain::failure::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The metadata member that holds the lines of `DetectText`.
const TEXT_MEMBER: &str = "rekognition_text";

/// All answers for one image.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Raw {
    /// `DetectLabels`.
    pub(super) labels: Vec<Named>,
    /// `DetectFaces`.
    pub(super) face_details: Vec<FaceDetail>,
    /// `DetectText`.
    pub(super) text_detections: Vec<TextDetection>,
    /// `DetectModerationLabels`.
    pub(super) moderation_labels: Vec<Named>,
    /// `RecognizeCelebrities`.
    pub(super) celebrity_faces: Vec<Celebrity>,
}

/// A label, with its places where the service says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) confidence: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) instances: Vec<Boxed>,
}

/// Something with a place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Boxed {
    pub(super) bounding_box: BoundingBox,
}

/// A box in ratios of the image.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BoundingBox {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A face, with the attributes that the engine gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct FaceDetail {
    pub(super) bounding_box: BoundingBox,
    pub(super) confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_range: Option<AgeRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) emotions: Vec<Emotion>,
    /// `Smile`, `Eyeglasses` …, by Rekognition's names.
    #[serde(flatten)]
    pub(super) attributes: BTreeMap<String, Attribute>,
}

/// An attribute of a face: true, false, or a word.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Attribute {
    pub(super) value: Value,
    pub(super) confidence: f64,
}

/// How old a person looks, in years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AgeRange {
    pub(super) low: i32,
    pub(super) high: i32,
}

/// What a face seems to express.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Emotion {
    pub(super) r#type: String,
    pub(super) confidence: f64,
}

/// A line or a word of text in the image.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TextDetection {
    pub(super) detected_text: String,
    pub(super) r#type: String,
    pub(super) confidence: f64,
}

/// A known person.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Celebrity {
    pub(super) name: String,
    pub(super) match_confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) face: Option<Boxed>,
}

impl Raw {
    /// Takes over what the answer of another call holds.
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.labels.append(&mut other.labels);
        self.face_details.append(&mut other.face_details);
        self.text_detections.append(&mut other.text_detections);
        self.moderation_labels.append(&mut other.moderation_labels);
        self.celebrity_faces.append(&mut other.celebrity_faces);
    }
}

/// Adds what was seen to the document.
pub(super) fn contribute(findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
    if findings.raw.is_null() {
        return Ok(());
    }
    let raw = Raw::deserialize(&findings.raw)
        .map_err(|error| Failure::internal(format!("failed to read the answer of `rekognition` back: {error}")))?;
    document.labels.extend(raw.labels.iter().map(label));
    document.moderation.extend(raw.moderation_labels.iter().map(label));
    document.celebrities.extend(raw.celebrity_faces.iter().map(celebrity));
    document.faces.extend(raw.face_details.iter().map(face));
    document.metadata.extend(lines(&raw.text_detections).map(|lines| (TEXT_MEMBER.to_owned(), lines)));
    Ok(())
}

fn label(named: &Named) -> Label {
    let places = named.instances.iter().map(|it| place(it.bounding_box)).collect();
    Label { name: named.name.clone(), confidence: ratio(named.confidence), places }
}

fn celebrity(celebrity: &Celebrity) -> Label {
    let places = celebrity.face.iter().map(|it| place(it.bounding_box)).collect();
    Label { name: celebrity.name.clone(), confidence: ratio(celebrity.match_confidence), places }
}

fn face(detail: &FaceDetail) -> Face {
    Face { place: place(detail.bounding_box), confidence: ratio(detail.confidence), attributes: attributes(detail) }
}

/// What was returned of a face, and of its emotions the strongest.
fn attributes(detail: &FaceDetail) -> BTreeMap<String, String> {
    let said = detail.attributes.iter().map(|(name, attribute)| (name.clone(), word(&attribute.value)));
    let age = detail.age_range.map(|age| ("AgeRange".to_owned(), format!("{}-{}", age.low, age.high)));
    let strongest = detail.emotions.iter().max_by(|left, right| left.confidence.total_cmp(&right.confidence));
    let emotion = strongest.map(|emotion| ("Emotion".to_owned(), emotion.r#type.clone()));
    said.chain(age).chain(emotion).collect()
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn lines(detections: &[TextDetection]) -> Option<String> {
    let lines: Vec<_> =
        detections.iter().filter(|it| it.r#type == "LINE").map(|it| it.detected_text.as_str()).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn place(it: BoundingBox) -> Place {
    Place { left: it.left, top: it.top, width: it.width, height: it.height }
}

/// A percent as a ratio, to six decimals.
fn ratio(percent: f64) -> f64 {
    (percent * 1e4).round() / 1e6
}

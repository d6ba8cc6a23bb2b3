//! The extraction document: what one file says, in one JSON document with a published schema.
//!
//! Offsets count Unicode scalar values of [`Extraction::text`], ends are exclusive; times are
//! seconds; boxes are ratios of the page or image; confidences are 0 to 1.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{FeatureOutcome, Outcome};
use crate::object::ObjectRef;
use crate::plan::Subject;

mod merge;
mod redact;

/// Version of the document's shape; rises when a member changes its meaning or goes.
pub const SCHEMA_VERSION: &str = "1.0";

/// One extraction document.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Extraction {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// What was read.
    pub source: Option<Source>,
    /// Dominant language.
    pub language: Option<Language>,
    /// The whole text.
    pub text: String,
    /// Pages, sheets or slides, in order.
    pub pages: Vec<Page>,
    /// Pieces of text that have a time or a place.
    pub segments: Vec<Segment>,
    /// Named things.
    pub entities: Vec<Entity>,
    /// Phrases that carry the meaning.
    pub key_phrases: Vec<KeyPhrase>,
    /// Sentiment of the whole text.
    pub sentiment: Option<Sentiment>,
    /// Personal data: type and place, never the value.
    pub pii: Vec<PiiSpan>,
    /// What a picture shows.
    pub labels: Vec<Label>,
    /// Content that a moderator would want to see first.
    pub moderation: Vec<Label>,
    /// Known persons.
    pub celebrities: Vec<Label>,
    /// Faces.
    pub faces: Vec<Face>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Labels with their values, as on a form.
    pub forms: Vec<FormField>,
    /// Files within the file, listed, not opened.
    pub attachments: Vec<Attachment>,
    /// EXIF, mail headers, document properties, durations.
    pub metadata: BTreeMap<String, String>,
    /// What was asked of whom.
    pub tasks: Vec<TaskRecord>,
    /// What a reader should know: damage that was passed over, limits that cut something.
    pub warnings: Vec<String>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// What classification found.
    #[serde(flatten)]
    pub subject: Subject,
    /// SHA-256 of the bytes as hex, where a step read them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A language with its confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Language {
    /// ISO 639-1 code, or what the service gave (`zh-TW`).
    pub code: String,
    /// 0 to 1.
    pub confidence: f64,
}

/// A page, sheet or slide, and where its text lies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// Where its text begins.
    pub start: u64,
    /// Where it ends; equal to `start` where the page has no text.
    pub end: u64,
    /// Name of the sheet or title of the slide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A box in ratios of the page or image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Box {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A piece of text that has a time or a place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// Where it begins in the text.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Place on the page.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub place: Option<Box>,
    /// When it begins in the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_seconds: Option<f64>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_seconds: Option<f64>,
    /// Who speaks, as the service numbers the voices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

/// A named thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// Where it begins in the text.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Amazon Comprehend's type: `PERSON`, `LOCATION`, `DATE` …
    pub kind: String,
    /// The words.
    pub text: String,
    /// 0 to 1.
    pub confidence: f64,
}

/// A phrase that carries meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyPhrase {
    /// Where it begins in the text.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The words.
    pub text: String,
    /// 0 to 1.
    pub confidence: f64,
}

/// Sentiment with its four scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sentiment {
    /// `POSITIVE`, `NEGATIVE`, `NEUTRAL` or `MIXED`.
    pub label: String,
    /// 0 to 1; the four add up to 1.
    pub positive: f64,
    /// See `positive`.
    pub negative: f64,
    /// See `positive`.
    pub neutral: f64,
    /// See `positive`.
    pub mixed: f64,
}

/// Where personal data stands: type and place, never the value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PiiSpan {
    /// Where it begins in the text.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Amazon Comprehend's type: `EMAIL`, `SSN` …
    pub kind: String,
    /// 0 to 1.
    pub confidence: f64,
}

/// Something a picture shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Places where it is seen, if the service says.
    #[serde(default, rename = "boxes", skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Box>,
}

/// A face.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Face {
    /// Where it is.
    #[serde(rename = "box")]
    pub place: Box,
    /// 0 to 1.
    pub confidence: f64,
    /// What else the service says of it (`Smile`: `true`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// Page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub columns: u32,
    /// Cells by row, then column; empty ones may be left out.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// From 1.
    pub row: u32,
    /// From 1.
    pub column: u32,
    /// What it says.
    pub text: String,
    /// Rows it covers.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub row_span: u32,
    /// Columns it covers.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub column_span: u32,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_one(span: &u32) -> bool {
    *span == 1
}

/// A label with its value, as on a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FormField {
    /// The label.
    pub key: String,
    /// The value; empty where the form was not filled in.
    pub value: String,
    /// Page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// 0 to 1.
    pub confidence: f64,
}

/// A file within the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// Its file name; empty where it has none.
    pub name: String,
    /// Its media type as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Its size after decoding.
    pub size_bytes: u64,
}

/// What was asked of a service, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRecord {
    /// The track.
    pub track: String,
    /// The service's id.
    pub service: String,
    /// The engine that answered; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The client token, job name or job tag that the call carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_token: Option<String>,
    /// When it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When its answer was complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub finished: Option<Timestamp>,
    /// Pages that the service bills.
    pub pages: u32,
    /// List price of its calls in US dollars.
    pub cost_usd: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How each feature ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureOutcome>,
    /// Where the raw answer lies: JSON lines, one for each task that was done with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ObjectRef>,
}

impl Extraction {
    /// An empty document about `subject`.
    #[must_use]
    pub fn about(subject: Subject) -> Self {
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            source: Some(Source { subject, sha256: None }),
            ..Self::default()
        }
    }

    /// Length of the text in Unicode scalar values.
    #[must_use]
    pub fn text_chars(&self) -> u64 {
        self.text.chars().count() as u64
    }

    /// Appends `text` behind what is there (a line apart) and gives the span where it stands.
    pub fn append_text(&mut self, text: &str) -> std::ops::Range<u64> {
        if !self.text.is_empty() && !self.text.ends_with('\n') && !text.is_empty() {
            self.text.push('\n');
        }
        let start = self.text_chars();
        self.text.push_str(text);
        start..start + text.chars().count() as u64
    }

    /// Whether nothing but metadata was found.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        let pictures = self.labels.is_empty()
            && self.faces.is_empty()
            && self.moderation.is_empty()
            && self.celebrities.is_empty();
        let layout = self.tables.is_empty() && self.forms.is_empty() && self.attachments.is_empty();
        self.text.trim().is_empty() && pictures && layout
    }

    /// The pages (by number) on which no text was found.
    #[must_use]
    pub fn pages_without_text(&self) -> Vec<u32> {
        let empty = |page: &&Page| page.start == page.end;
        self.pages.iter().filter(empty).map(|page| page.number).collect()
    }
}

//! The transcript as Transcribe writes it to S3, and what it adds to the document.
//!
//! <https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html#how-output>. Times and
//! confidences are numbers in strings there. Absent on purpose: alternatives but the first.

use std::collections::BTreeMap;

use domain::answer::Findings;
use domain::extraction::{Extraction, Language, Segment};
use domain::failure::Failure;
use serde::{Deserialize, Serialize};

use super::language::main_part;

/// A silence as long as this ends a segment: engines without punctuation give no other sign.
const PAUSE_SECONDS: f64 = 1.0;
/// How far a word may stand from the one before it: white space, or a word that the text spells
/// otherwise. Further on it would be another word that is spelt alike.
const WINDOW_BYTES: usize = 48;

/// A finished job with its transcript.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Raw {
    /// How sure the identified language is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identified_language_score: Option<f64>,
    /// The language of the job, identified or given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) language_code: Option<String>,
    /// Where subtitles lie.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) subtitle_file_uris: Vec<String>,
    /// How long the recording lasts, where its header says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_seconds: Option<f64>,
    /// Whether the object was replaced while the job ran (Transcribe reads the current version).
    pub(super) replaced: bool,
    /// The file that Transcribe wrote.
    pub(super) transcript: Transcript,
}

/// The file that Transcribe writes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Transcript {
    pub(super) results: Results,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Results {
    pub(super) transcripts: Vec<Words>,
    pub(super) items: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speaker_labels: Option<SpeakerLabels>,
}

/// The whole text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Words {
    pub(super) transcript: String,
}

/// A word or a punctuation mark.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Item {
    pub(super) r#type: String,
    pub(super) alternatives: Vec<Alternative>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speaker_label: Option<String>,
}

/// What an item may be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Alternative {
    pub(super) content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<String>,
}

/// Who speaks when.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SpeakerLabels {
    pub(super) segments: Vec<SpeakerSegment>,
}

/// A turn of one speaker.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SpeakerSegment {
    pub(super) items: Vec<SpeakerItem>,
}

/// The speaker of the word that begins at a time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SpeakerItem {
    pub(super) start_time: String,
    pub(super) speaker_label: String,
}

impl Transcript {
    /// Whether any word was heard.
    pub(super) fn has_words(&self) -> bool {
        self.results.items.iter().any(Item::is_word)
    }

    /// Whether the engine told voices apart.
    pub(super) fn has_speakers(&self) -> bool {
        self.results.speaker_labels.is_some() || self.results.items.iter().any(|item| item.speaker_label.is_some())
    }

    /// When the last word ends.
    pub(super) fn speech_end_seconds(&self) -> Option<f64> {
        self.results.items.iter().filter_map(|item| seconds(item.end_time.as_ref())).reduce(f64::max)
    }

    fn text(&self) -> String {
        let texts = self.results.transcripts.iter().map(|words| words.transcript.trim());
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

impl Item {
    fn is_word(&self) -> bool {
        self.r#type != "punctuation"
    }

    fn content(&self) -> &str {
        self.alternatives.first().map_or("", |best| best.content.as_str())
    }

    fn confidence(&self) -> Option<f64> {
        seconds(self.alternatives.first()?.confidence.as_ref())
    }

    fn ends_sentence(&self) -> bool {
        !self.is_word() && self.content().ends_with(['.', '!', '?', '。', '！', '？', '।'])
    }
}

/// A finite number out of a string.
fn seconds(text: Option<&String>) -> Option<f64> {
    text?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Adds what was heard to the document.
pub(super) fn contribute(findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
    if findings.raw.is_null() {
        return Ok(());
    }
    let raw = Raw::deserialize(&findings.raw)
        .map_err(|error| Failure::internal(format!("failed to read the answer of `transcribe` back: {error}")))?;
    let text = raw.transcript.text();
    let start = document.append_text(&text).start;
    document.segments.extend(segments(&raw.transcript, &text, start));
    if let (Some(code), Some(confidence)) = (&raw.language_code, raw.identified_language_score) {
        document.language = Some(Language { code: main_part(code).to_owned(), confidence });
    }
    document.metadata.extend(metadata(&raw));
    if raw.replaced {
        document.warnings.push(
            "the object was replaced while its recording was transcribed: the transcript may be of the newer version"
                .to_owned(),
        );
    }
    Ok(())
}

fn metadata(raw: &Raw) -> BTreeMap<String, String> {
    let number = |name: &str, value: Option<f64>| value.map(|value| (name.to_owned(), format!("{value:.3}")));
    let duration = number("duration_seconds", raw.media_seconds);
    let speech_end = number("speech_end_seconds", raw.transcript.speech_end_seconds());
    let subtitles =
        (!raw.subtitle_file_uris.is_empty()).then(|| ("subtitles".to_owned(), raw.subtitle_file_uris.join(" ")));
    duration.into_iter().chain(speech_end).chain(subtitles).collect()
}

/// The items by turns and sentences, each with its place in `text` (which stands at `base`).
fn segments(transcript: &Transcript, text: &str, base: u64) -> Vec<Segment> {
    let speakers = speakers(transcript);
    let mut places = Places { rest: text, at: base };
    let mut segments: Vec<Open> = Vec::new();
    let mut ended = true;
    for item in &transcript.results.items {
        let Some((start, end)) = places.find(item.content()) else { continue };
        let speaker = speaker(item, &speakers);
        match segments.last_mut() {
            Some(open) if !item.is_word() || !(ended || open.is_left_by(item, speaker)) => open.add(item, end),
            _ => segments.push(Open::new(item, start, end, speaker)),
        }
        ended = item.ends_sentence();
    }
    segments.into_iter().map(Open::close).collect()
}

/// Speakers by the time at which a word begins, where the items themselves do not name them.
fn speakers(transcript: &Transcript) -> BTreeMap<&str, &str> {
    let segments = transcript.results.speaker_labels.iter().flat_map(|labels| &labels.segments);
    segments
        .flat_map(|segment| &segment.items)
        .map(|item| (item.start_time.as_str(), item.speaker_label.as_str()))
        .collect()
}

fn speaker<'a>(item: &'a Item, speakers: &BTreeMap<&'a str, &'a str>) -> Option<&'a str> {
    item.speaker_label.as_deref().or_else(|| speakers.get(item.start_time.as_deref()?).copied())
}

/// Finds items in the text, one behind the other.
struct Places<'a> {
    rest: &'a str,
    at: u64,
}

impl Places<'_> {
    /// The place of `content`, which stands next or a little further on; nowhere if it does not.
    fn find(&mut self, content: &str) -> Option<(u64, u64)> {
        let window = &self.rest[..self.rest.floor_char_boundary(content.len() + WINDOW_BYTES)];
        let at = window.find(content).filter(|_| !content.is_empty())?;
        let start = self.at + self.rest[..at].chars().count() as u64;
        let end = start + content.chars().count() as u64;
        (self.rest, self.at) = (&self.rest[at + content.len()..], end);
        Some((start, end))
    }
}

/// A segment that still grows.
struct Open {
    segment: Segment,
    confidences: Vec<f64>,
}

impl Open {
    fn new(item: &Item, start: u64, end: u64, speaker: Option<&str>) -> Self {
        let segment = Segment {
            start,
            start_seconds: seconds(item.start_time.as_ref()),
            speaker: speaker.map(str::to_owned),
            ..Segment::default()
        };
        let mut open = Self { segment, confidences: Vec::new() };
        open.add(item, end);
        open
    }

    fn add(&mut self, item: &Item, end: u64) {
        self.segment.end = end;
        if item.is_word() {
            self.segment.end_seconds = seconds(item.end_time.as_ref()).or(self.segment.end_seconds);
            self.confidences.extend(item.confidence());
        }
    }

    /// Whether `item` is another speaker's or comes after a pause.
    fn is_left_by(&self, item: &Item, speaker: Option<&str>) -> bool {
        let pause =
            seconds(item.start_time.as_ref()).zip(self.segment.end_seconds).map_or(0.0, |(start, end)| start - end);
        self.segment.speaker.as_deref() != speaker || pause >= PAUSE_SECONDS
    }

    #[expect(clippy::cast_precision_loss, reason = "a segment has far fewer than 2^52 words")]
    fn close(self) -> Segment {
        let count = self.confidences.len() as f64;
        let mean = (count > 0.0).then(|| self.confidences.iter().sum::<f64>() / count);
        Segment { confidence: mean.map(|mean| (mean * 1e6).round() / 1e6), ..self.segment }
    }
}

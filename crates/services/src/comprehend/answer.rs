//! Comprehend's answers as they are kept, and what they add to the document.
//!
//! Spans are kept by type and place alone: what they say is read from the document's own text,
//! so a raw answer holds no words of the file, and personal data least of all.

use domain::answer::Findings;
use domain::extraction::{Entity, Extraction, KeyPhrase, Language, PiiSpan, Sentiment};
use domain::failure::Failure;
use serde::{Deserialize, Serialize};

use super::TEXT_LIMIT_BYTES;

/// All answers for one text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Raw {
    /// `DetectDominantLanguage`, best first.
    pub(super) languages: Vec<DominantLanguage>,
    /// The language that the other calls were made in.
    pub(super) language_code: Option<String>,
    /// Bytes of the text that stayed unread because of the limit on a whole text.
    pub(super) unread_bytes: u64,
    /// `DetectSentiment`, part by part.
    pub(super) sentiment: Vec<SentimentPart>,
    /// `DetectEntities`, part by part.
    pub(super) entities: Vec<SpanPart>,
    /// `DetectKeyPhrases`, part by part.
    pub(super) key_phrases: Vec<SpanPart>,
    /// `DetectPiiEntities`, part by part.
    pub(super) pii_entities: Vec<SpanPart>,
}

/// One language of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DominantLanguage {
    pub(super) language_code: String,
    pub(super) score: f64,
}

/// The sentiment of one part of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentimentPart {
    /// Length of the part in characters: its weight.
    pub(super) chars: u64,
    pub(super) sentiment: String,
    pub(super) sentiment_score: SentimentScore,
}

/// The four scores of a sentiment.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentimentScore {
    pub(super) positive: f64,
    pub(super) negative: f64,
    pub(super) neutral: f64,
    pub(super) mixed: f64,
}

/// The spans found in one part of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SpanPart {
    /// Where the part begins in the text; the offsets of its spans count from there.
    pub(super) part_offset: u64,
    pub(super) spans: Vec<Span>,
}

/// One span: Comprehend counts Unicode scalar values, as the document does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Span {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<String>,
    pub(super) score: f64,
    pub(super) begin_offset: u64,
    pub(super) end_offset: u64,
}

/// Adds what was found to the document.
pub(super) fn contribute(findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
    if findings.raw.is_null() {
        return Ok(());
    }
    let raw = Raw::deserialize(&findings.raw)
        .map_err(|error| Failure::internal(format!("failed to read the answer of `comprehend` back: {error}")))?;
    let text = Text::new(&document.text);
    let entities = text.spans(&raw.entities).map(|(span, words)| entity(&span, words)).collect::<Vec<_>>();
    let phrases = text.spans(&raw.key_phrases).map(|(span, words)| phrase(&span, words)).collect::<Vec<_>>();
    let pii = text.spans(&raw.pii_entities).map(|(span, _)| pii_span(&span)).collect::<Vec<_>>();
    document.entities.extend(entities);
    document.key_phrases.extend(phrases);
    document.pii.extend(pii);
    document.language = language(&raw, document.language.take());
    document.sentiment = sentiment(&raw.sentiment).or(document.sentiment.take());
    document.warnings.extend(warning(&raw));
    Ok(())
}

/// The document's text, by characters.
struct Text<'a> {
    text: &'a str,
    /// Byte offset of each character, and of the end.
    bytes: Vec<usize>,
}

impl<'a> Text<'a> {
    fn new(text: &'a str) -> Self {
        let ends = std::iter::once(text.len());
        Self { text, bytes: text.char_indices().map(|(at, _)| at).chain(ends).collect() }
    }

    /// Spans at their places in the whole text with the words there; what points outside is dropped.
    fn spans<'s>(&'s self, parts: &'s [SpanPart]) -> impl Iterator<Item = (Span, &'a str)> + use<'a, 's> {
        let moved = parts.iter().flat_map(|part| part.spans.iter().map(|span| shifted(span, part.part_offset)));
        moved.filter_map(|span| self.words(&span).map(|words| (span, words)))
    }

    fn words(&self, span: &Span) -> Option<&'a str> {
        let byte = |at: u64| self.bytes.get(usize::try_from(at).ok()?).copied();
        let (start, end) = (byte(span.begin_offset)?, byte(span.end_offset)?);
        (start < end).then(|| &self.text[start..end])
    }
}

fn shifted(span: &Span, chars: u64) -> Span {
    Span {
        begin_offset: span.begin_offset.saturating_add(chars),
        end_offset: span.end_offset.saturating_add(chars),
        ..span.clone()
    }
}

fn entity(span: &Span, words: &str) -> Entity {
    Entity {
        start: span.begin_offset,
        end: span.end_offset,
        kind: kind(span),
        text: words.to_owned(),
        confidence: span.score,
    }
}

fn phrase(span: &Span, words: &str) -> KeyPhrase {
    KeyPhrase { start: span.begin_offset, end: span.end_offset, text: words.to_owned(), confidence: span.score }
}

fn pii_span(span: &Span) -> PiiSpan {
    PiiSpan { start: span.begin_offset, end: span.end_offset, kind: kind(span), confidence: span.score }
}

fn kind(span: &Span) -> String {
    span.r#type.clone().unwrap_or_else(|| "OTHER".to_owned())
}

/// How sure a text must be of its language to overrule what was found before it was read.
const SURE: f64 = 0.9;

/// What is known of the sound, or declared by the file, stands unless the text is sure of something else: a transcript
/// of three words may look like any language.
fn language(raw: &Raw, earlier: Option<Language>) -> Option<Language> {
    let best = raw.languages.first().map(|best| Language { code: best.language_code.clone(), confidence: best.score });
    match (best, earlier) {
        (Some(best), Some(earlier)) if earlier.confidence > best.confidence || best.confidence < SURE => Some(earlier),
        (best, earlier) => best.or(earlier),
    }
}

/// The sentiment of the whole: the scores of the parts, each weighted by its length.
fn sentiment(parts: &[SentimentPart]) -> Option<Sentiment> {
    let total: f64 = parts.iter().map(weight).sum();
    if total <= 0.0 {
        return None;
    }
    let mean = |score: fn(&SentimentScore) -> f64| {
        parts.iter().map(|part| score(&part.sentiment_score) * weight(part)).sum::<f64>() / total
    };
    let (positive, negative) = (mean(|it| it.positive), mean(|it| it.negative));
    let (neutral, mixed) = (mean(|it| it.neutral), mean(|it| it.mixed));
    let scores = [("POSITIVE", positive), ("NEGATIVE", negative), ("NEUTRAL", neutral), ("MIXED", mixed)];
    let label = match parts {
        [one] => one.sentiment.clone(),
        _ => scores.iter().max_by(|left, right| left.1.total_cmp(&right.1))?.0.to_owned(),
    };
    Some(Sentiment { label, positive, negative, neutral, mixed })
}

#[expect(clippy::cast_precision_loss, reason = "texts are far shorter than 2^52 characters")]
fn weight(part: &SentimentPart) -> f64 {
    part.chars as f64
}

fn warning(raw: &Raw) -> Option<String> {
    let unread = raw.unread_bytes;
    (unread > 0).then(|| format!("comprehend read the first {TEXT_LIMIT_BYTES} bytes of the text at most; {unread} bytes behind them stayed unread"))
}

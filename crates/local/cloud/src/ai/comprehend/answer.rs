//! From what the engines find to Comprehend's JSON.

use std::collections::BTreeMap;

use engines::sentiment::Feeling;
use engines::text::{Span, Unavailable};
use engines::{entities, key_phrases, language, pii, sentiment};
use serde_json::{Map, Value, json};

use crate::wire::{Outcome, Reply, ServiceError};

/// The most UTF-8 bytes of one text (Comprehend counts 1 KB as 1,000 bytes).
const MOST_BYTES: usize = 100_000;

/// The same for sentiment, and for every text of a batch.
pub(super) const MOST_BYTES_SMALL: usize = 5_000;

/// What is asked about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Language,
    Sentiment,
    Entities,
    KeyPhrases,
    Pii,
    PiiLabels,
}

impl Task {
    pub(super) fn of(operation: &str) -> Option<Self> {
        match operation {
            "DetectPiiEntities" => Some(Self::Pii),
            "ContainsPiiEntities" => Some(Self::PiiLabels),
            other => Self::of_batch(other),
        }
    }

    /// The tasks that have a batch form.
    pub(super) fn of_batch(operation: &str) -> Option<Self> {
        match operation {
            "DetectDominantLanguage" => Some(Self::Language),
            "DetectSentiment" => Some(Self::Sentiment),
            "DetectEntities" => Some(Self::Entities),
            "DetectKeyPhrases" => Some(Self::KeyPhrases),
            _ => None,
        }
    }

    pub(super) fn most_bytes(self) -> usize {
        if self == Self::Sentiment { MOST_BYTES_SMALL } else { MOST_BYTES }
    }

    /// The engine behind the task, known also where there is no text to ask it about.
    pub(super) fn engine(self) -> &'static str {
        match self {
            Self::Language => language::ENGINE,
            Self::Sentiment => sentiment::ENGINE,
            Self::Entities => entities::ENGINE,
            Self::KeyPhrases => key_phrases::ENGINE,
            Self::Pii | Self::PiiLabels => pii::ENGINE,
        }
    }
}

pub(super) fn answer(operation: &str, task: Task, text: &str, language: &str) -> Outcome {
    let members = members(task, text, language).map_err(|refusal| unavailable(operation, &refusal))?;
    Ok(Reply::from_engine(Value::Object(members), task.engine()))
}

/// The members of one answer, without the index that a batch puts beside them.
pub(super) fn members(task: Task, text: &str, language: &str) -> Result<Map<String, Value>, Unavailable> {
    Ok(match task {
        Task::Language => one("Languages", languages(text)),
        Task::Sentiment => sentiment_members(&sentiment::detect(text, language)?),
        Task::Entities => one("Entities", entities_of(text, language)?),
        Task::KeyPhrases => one("KeyPhrases", key_phrases_of(text, language)?),
        Task::Pii => one("Entities", pii_entities(text)),
        Task::PiiLabels => one("Labels", pii_labels(text)),
    })
}

fn one(name: &str, items: Vec<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), Value::Array(items))])
}

fn languages(text: &str) -> Vec<Value> {
    let found = language::detect(text).items.into_iter();
    found.map(|item| json!({"LanguageCode": item.code, "Score": score(item.score)})).collect()
}

fn sentiment_members(found: &sentiment::Sentiment) -> Map<String, Value> {
    let label = match found.feeling {
        Feeling::Positive => "POSITIVE",
        Feeling::Negative => "NEGATIVE",
        Feeling::Neutral => "NEUTRAL",
        Feeling::Mixed => "MIXED",
    };
    let scores = json!({
        "Positive": score(found.positive),
        "Negative": score(found.negative),
        "Neutral": score(found.neutral),
        "Mixed": score(found.mixed),
    });
    Map::from_iter([("Sentiment".to_owned(), label.into()), ("SentimentScore".to_owned(), scores)])
}

fn entities_of(text: &str, language: &str) -> Result<Vec<Value>, Unavailable> {
    let found = entities::detect(text, language)?.items;
    let texts = texts(text, found.iter().map(|item| item.span));
    let entity = |(item, text): (&entities::Entity, &str)| {
        json!({
            "Score": score(item.score),
            "Type": item.kind.as_str(),
            "Text": text,
            "BeginOffset": item.span.begin,
            "EndOffset": item.span.end,
        })
    };
    Ok(found.iter().zip(texts).map(entity).collect())
}

fn key_phrases_of(text: &str, language: &str) -> Result<Vec<Value>, Unavailable> {
    let found = key_phrases::detect(text, language)?.items;
    let texts = texts(text, found.iter().map(|item| item.span));
    let phrase = |(item, text): (&key_phrases::KeyPhrase, &str)| json!({"Score": score(item.score), "Text": text, "BeginOffset": item.span.begin, "EndOffset": item.span.end});
    Ok(found.iter().zip(texts).map(phrase).collect())
}

fn pii_entities(text: &str) -> Vec<Value> {
    let found = pii::detect(text).items.into_iter();
    let entity = |item: pii::PiiSpan| {
        json!({
            "Score": score(item.score),
            "Type": item.kind.as_str(),
            "BeginOffset": item.span.begin,
            "EndOffset": item.span.end,
        })
    };
    found.map(entity).collect()
}

/// Each type once, with its best score.
fn pii_labels(text: &str) -> Vec<Value> {
    let mut best: BTreeMap<pii::PiiType, f64> = BTreeMap::new();
    for item in pii::detect(text).items {
        let known = best.entry(item.kind).or_default();
        *known = known.max(item.score);
    }
    best.into_iter().map(|(kind, best)| json!({"Name": kind.as_str(), "Score": score(best)})).collect()
}

/// The pieces of `text` under spans that come in reading order without overlaps.
fn texts(text: &str, spans: impl Iterator<Item = Span>) -> Vec<&str> {
    let (mut rest, mut at) = (text, 0);
    let mut take = |chars: usize| {
        let bytes = rest.char_indices().nth(chars - at).map_or(rest.len(), |(byte, _)| byte);
        let (head, tail) = rest.split_at(bytes);
        (rest, at) = (tail, chars);
        head
    };
    spans
        .map(|span| {
            take(span.begin);
            take(span.end)
        })
        .collect()
}

/// Six decimals say more than any engine knows, and keep answers the same from run to run.
fn score(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

/// A language that Comprehend reads and the local engine does not.
pub(super) fn unavailable(operation: &str, refusal: &Unavailable) -> ServiceError {
    let engine = refusal.engine.split(' ').take_while(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    let engine = engine.collect::<Vec<_>>().join(" ");
    let (language, reads) = (&refusal.language, refusal.reads);
    ServiceError::not_available_locally(format!(
        "`{operation}` in `{language}` is not available locally: `{engine}` reads {reads} only"
    ))
}

//! Amazon Comprehend: language, sentiment, entities, key phrases and personal data of a text.
//!
//! It works on the text that the earlier tasks of a track have found, never on the object. Long
//! text is cut at sentence ends under the byte limits and put together again. What it refuses to
//! do: ask in a language that Comprehend does not read, or keep words of the file in its answers.
//!
//! Limits: <https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html>,
//! languages: <https://docs.aws.amazon.com/comprehend/latest/dg/supported-languages.html>.

use std::future::Future;

use aws::call::CallError;
use aws::engine::TellEngine;
use aws_sdk_comprehend::Client;
use aws_sdk_comprehend::config::Builder;
use aws_sdk_comprehend::types::LanguageCode;
use domain::answer::{FeatureOutcome, Findings, Outcome};
use domain::extraction::Extraction;
use domain::failure::Failure;
use domain::media::Family;
use domain::plan::{Place, Subject, Task};
use domain::settings::Preset;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::service::{Amount, Call, Descriptor, Feature, Service, Start, Started, feature_result};
use answer::{Raw, SentimentPart, Span, SpanPart};

mod answer;
mod calls;
mod split;
#[cfg(test)]
mod tests;

const LANGUAGE: &str = "language";
const SENTIMENT: &str = "sentiment";
const ENTITIES: &str = "entities";
const KEY_PHRASES: &str = "key_phrases";
const PII: &str = "pii";

/// Entities, key phrases and personal data: 100 KB a call, where the service counts 1,000 bytes a KB.
const SPAN_LIMIT_BYTES: usize = 100_000;
/// Sentiment: 5 KB a text. The batch calls of the other features have this limit too, so 25 texts
/// of a batch hold hardly more than one single call: only sentiment saves calls by batches.
const SENTIMENT_LIMIT_BYTES: usize = 5_000;
/// Texts in one batch call.
const BATCH_TEXTS: usize = 25;
/// The language shows in the first 5 KB; reading on would cost more and say the same.
const LANGUAGE_BYTES: usize = 5_000;
/// A long book has a million bytes; analysing it costs some four dollars. Text behind this limit
/// stays unread, and a warning says so.
const TEXT_LIMIT_BYTES: usize = 1_000_000;
/// Fewer letters and digits than these are neither a language nor anything else.
const FEWEST_CHARS: usize = 3;
/// Calls at once for one feature: with four features well below the quota of 20 a second.
const PARALLEL_CALLS: usize = 2;

/// List price of a unit for each feature, us-east-1: <https://aws.amazon.com/comprehend/pricing/>.
const UNIT_USD: f64 = 0.0001;
/// Characters in a unit.
const UNIT_CHARS: u64 = 100;
/// The fewest units that a text is charged for.
const FEWEST_UNITS: u64 = 3;

/// Languages of entities, key phrases and sentiment.
const TEXT_LANGUAGES: &[&str] = &["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "pt", "zh", "zh-TW"];
/// Languages of personal data.
const PII_LANGUAGES: &[&str] = &["en", "es"];

const DESCRIPTOR: Descriptor = Descriptor {
    id: "comprehend",
    features: &[
        Feature { name: LANGUAGE, preset: Preset::On, about: "dominant language of the text" },
        Feature { name: SENTIMENT, preset: Preset::On, about: "sentiment of the whole text" },
        Feature {
            name: ENTITIES,
            preset: Preset::On,
            about: "persons, places, organisations, dates and other named things",
        },
        Feature { name: KEY_PHRASES, preset: Preset::On, about: "phrases that carry the meaning" },
        Feature { name: PII, preset: Preset::On, about: "personal data by type and place (English and Spanish)" },
    ],
    actions: &[
        "comprehend:DetectDominantLanguage",
        "comprehend:DetectSentiment",
        "comprehend:BatchDetectSentiment",
        "comprehend:DetectEntities",
        "comprehend:DetectKeyPhrases",
        "comprehend:DetectPiiEntities",
    ],
    polling: &[],
    opens_the_file: false,
};

/// Amazon Comprehend.
#[derive(Debug, Clone, Copy)]
pub struct Comprehend;

impl Service for Comprehend {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn place(&self, subject: &Subject) -> Option<Place> {
        match subject.family {
            Family::Text | Family::Html | Family::Mail | Family::Office | Family::Pdf | Family::Image => {
                Some(Place::Joins("text"))
            }
            Family::Audio | Family::Video => Some(Place::Joins("speech")),
            Family::Other => None,
        }
    }

    fn list_price_usd(&self, features: &[String], amount: &Amount) -> f64 {
        let price = |feature: &String| {
            let limit = if feature == LANGUAGE { LANGUAGE_BYTES } else { TEXT_LIMIT_BYTES };
            chars_usd([amount.text_chars.min(limit as u64)])
        };
        if amount.text_chars == 0 { 0.0 } else { features.iter().map(price).sum() }
    }

    /// Nothing to refuse: the text is not known yet, and text of any length is cut to fit.
    fn check(&self, _: &Subject, _: &Task) -> Result<(), Failure> {
        Ok(())
    }

    fn contribute(&self, findings: &Findings, document: &mut Extraction) -> Result<(), Failure> {
        answer::contribute(findings, document)
    }
}

impl Start for Comprehend {
    fn start<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Started, Failure>> {
        Box::pin(call.engines.during(async move { analyse(call).await.map(Started::Done) }))
    }
}

/// One text on its way through the features.
struct Request<'a> {
    call: &'a Call<'a>,
    client: Client,
    text: &'a str,
}

/// What one feature gave.
struct Answered<T> {
    parts: Vec<T>,
    outcome: Option<FeatureOutcome>,
    cost_usd: f64,
}

async fn analyse(call: &Call<'_>) -> Result<Findings, Failure> {
    let text = split::head(&call.earlier.text, TEXT_LIMIT_BYTES);
    if !has_words(text) {
        return Ok(Findings::skipped("there is hardly any text"));
    }
    let client = call.deployment.client(|sdk| Client::from_conf(Builder::from(sdk).interceptor(TellEngine).build()));
    let request = Request { call, client, text };
    let languages = languages(&request).await?;
    let code = language_code(call, &languages.parts);
    let (sentiment, entities, key_phrases, pii) = futures::try_join!(
        sentiment(&request, &code),
        spans(&request, ENTITIES, TEXT_LANGUAGES, &code, calls::entities),
        spans(&request, KEY_PHRASES, TEXT_LANGUAGES, &code, calls::key_phrases),
        spans(&request, PII, PII_LANGUAGES, &code, calls::pii),
    )?;
    let costs = [languages.cost_usd, sentiment.cost_usd, entities.cost_usd, key_phrases.cost_usd, pii.cost_usd];
    let outcomes = [languages.outcome, sentiment.outcome, entities.outcome, key_phrases.outcome, pii.outcome];
    let raw = Raw {
        languages: languages.parts,
        language_code: Some(code),
        unread_bytes: (call.earlier.text.len() - text.len()) as u64,
        sentiment: sentiment.parts,
        entities: entities.parts,
        key_phrases: key_phrases.parts,
        pii_entities: pii.parts,
    };
    Ok(Findings {
        engine: call.engines.engine(),
        pages: 0,
        cost_usd: costs.iter().sum(),
        features: outcomes.into_iter().flatten().collect(),
        skipped: None,
        raw: serde_json::to_value(raw)
            .map_err(|error| Failure::internal(format!("failed to keep the answer of `comprehend`: {error}")))?,
    })
}

fn has_words(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphanumeric()).nth(FEWEST_CHARS - 1).is_some()
}

/// The language that the calls are made in: as found, else as found earlier, else the first that
/// the settings expect (personal data in a table of numbers has no language, and is found in any).
fn language_code(call: &Call<'_>, found: &[answer::DominantLanguage]) -> String {
    let found = found.first().map(|language| language.language_code.clone());
    let earlier = || call.earlier.language.as_ref().map(|language| language.code.clone());
    let expected = || call.deployment.settings.languages.first().cloned();
    found.or_else(earlier).or_else(expected).unwrap_or_else(|| "en".to_owned())
}

async fn languages(request: &Request<'_>) -> Result<Answered<answer::DominantLanguage>, Failure> {
    if !request.call.wants(LANGUAGE) {
        return Ok(Answered::nothing(None));
    }
    let text = split::head(request.text, LANGUAGE_BYTES);
    let result = calls::languages(&request.client, text).await;
    answered(LANGUAGE, result, cost_usd([text]))
}

async fn sentiment(request: &Request<'_>, code: &str) -> Result<Answered<SentimentPart>, Failure> {
    let language = match wanted(request, SENTIMENT, TEXT_LANGUAGES, code) {
        Ok(language) => language,
        Err(outcome) => return Ok(Answered::nothing(outcome)),
    };
    let texts = texts(request.text, SENTIMENT_LIMIT_BYTES);
    let cost = cost_usd(texts.iter().map(|(_, text)| text.as_str()));
    let batches: Vec<Vec<String>> =
        texts.chunks(BATCH_TEXTS).map(|batch| batch.iter().map(|(_, text)| text.clone()).collect()).collect();
    let asked = batches.into_iter().map(|batch| calls::sentiments(request.client.clone(), batch, language.clone()));
    let parts: Result<Vec<Vec<_>>, CallError> = stream::iter(asked).buffered(PARALLEL_CALLS).try_collect().await;
    answered(SENTIMENT, parts.map(|parts| parts.into_iter().flatten().collect()), cost)
}

async fn spans<Ask, Asked>(
    request: &Request<'_>,
    feature: &str,
    languages: &[&str],
    code: &str,
    ask: Ask,
) -> Result<Answered<SpanPart>, Failure>
where
    Ask: Fn(Client, String, LanguageCode) -> Asked,
    Asked: Future<Output = Result<Vec<Span>, CallError>>,
{
    let language = match wanted(request, feature, languages, code) {
        Ok(language) => language,
        Err(outcome) => return Ok(Answered::nothing(outcome)),
    };
    let texts = texts(request.text, SPAN_LIMIT_BYTES);
    let cost = cost_usd(texts.iter().map(|(_, text)| text.as_str()));
    let asked = texts.into_iter().map(|(part_offset, text)| {
        let spans = ask(request.client.clone(), text, language.clone());
        async move { Ok(SpanPart { part_offset, spans: spans.await? }) }
    });
    let parts: Result<Vec<SpanPart>, CallError> = stream::iter(asked).buffered(PARALLEL_CALLS).try_collect().await;
    answered(feature, parts, cost)
}

/// The language to ask in; else how the feature ends without a call (`None` where it is not wanted).
fn wanted(
    request: &Request<'_>,
    feature: &str,
    languages: &[&str],
    code: &str,
) -> Result<LanguageCode, Option<FeatureOutcome>> {
    if !request.call.wants(feature) {
        return Err(None);
    }
    match supported(languages, code) {
        Some(code) => Ok(LanguageCode::from(code)),
        None => Err(Some(FeatureOutcome {
            feature: feature.to_owned(),
            outcome: Outcome::Unavailable,
            reason: Some(format!("comprehend does not read the language `{code}` for `{feature}`")),
        })),
    }
}

/// Comprehend's code for the language `code`: itself, or without its region.
fn supported<'a>(languages: &[&'a str], code: &str) -> Option<&'a str> {
    let same = |code: &str| languages.iter().copied().find(|known| known.eq_ignore_ascii_case(code));
    same(code).or_else(|| same(code.split('-').next().unwrap_or(code)))
}

/// The parts of `text` that say anything, each with its place.
fn texts(text: &str, limit_bytes: usize) -> Vec<(u64, String)> {
    let parts = split::split(text, limit_bytes).into_iter();
    parts
        .filter(|part| part.text.chars().any(char::is_alphanumeric))
        .map(|part| (part.start, part.text.to_owned()))
        .collect()
}

fn answered<T>(feature: &str, result: Result<Vec<T>, CallError>, cost_usd: f64) -> Result<Answered<T>, Failure> {
    let (parts, outcome) = feature_result(feature, result)?;
    let cost_usd = if parts.is_some() { cost_usd } else { 0.0 };
    Ok(Answered { parts: parts.unwrap_or_default(), outcome: Some(outcome), cost_usd })
}

impl<T> Answered<T> {
    fn nothing(outcome: Option<FeatureOutcome>) -> Self {
        Self { parts: Vec::new(), outcome, cost_usd: 0.0 }
    }
}

/// What one feature costs for `texts`.
fn cost_usd<'a>(texts: impl IntoIterator<Item = &'a str>) -> f64 {
    chars_usd(texts.into_iter().map(|text| text.chars().count() as u64))
}

/// What one feature costs for texts of these lengths.
fn chars_usd(texts: impl IntoIterator<Item = u64>) -> f64 {
    let units = |chars: u64| chars.div_ceil(UNIT_CHARS).max(FEWEST_UNITS);
    #[expect(clippy::cast_precision_loss, reason = "a text has far fewer than 2^52 units")]
    let units = texts.into_iter().map(units).sum::<u64>() as f64;
    units * UNIT_USD
}

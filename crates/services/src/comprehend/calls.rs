//! The calls of Comprehend, each from a text to what is kept of the answer.

use aws::call::{CallError, call_error};
use aws_sdk_comprehend::Client;
use aws_sdk_comprehend::types::{self, LanguageCode};
use domain::failure::{Failure, FailureName};

use super::answer::{DominantLanguage, SentimentPart, SentimentScore, Span};

/// The languages of `text`, best first.
pub(super) async fn languages(client: &Client, text: &str) -> Result<Vec<DominantLanguage>, CallError> {
    let answer = client.detect_dominant_language().text(text).send().await;
    let answer = answer.map_err(|error| call_error("comprehend:DetectDominantLanguage", &error))?;
    let mut languages: Vec<_> = answer.languages().iter().filter_map(dominant_language).collect();
    languages.sort_by(|left, right| right.score.total_cmp(&left.score));
    Ok(languages)
}

fn dominant_language(language: &types::DominantLanguage) -> Option<DominantLanguage> {
    Some(DominantLanguage { language_code: language.language_code()?.to_owned(), score: score(language.score()) })
}

/// The named things in `text`.
pub(super) async fn entities(client: Client, text: String, language: LanguageCode) -> Result<Vec<Span>, CallError> {
    let answer = client.detect_entities().text(text).language_code(language).send().await;
    let answer = answer.map_err(|error| call_error("comprehend:DetectEntities", &error))?;
    let span = |it: &types::Entity| {
        span(it.r#type().map(types::EntityType::as_str), it.score(), it.begin_offset(), it.end_offset())
    };
    Ok(answer.entities().iter().filter_map(span).collect())
}

/// The phrases that carry the meaning of `text`.
pub(super) async fn key_phrases(client: Client, text: String, language: LanguageCode) -> Result<Vec<Span>, CallError> {
    let answer = client.detect_key_phrases().text(text).language_code(language).send().await;
    let answer = answer.map_err(|error| call_error("comprehend:DetectKeyPhrases", &error))?;
    let span = |it: &types::KeyPhrase| span(None, it.score(), it.begin_offset(), it.end_offset());
    Ok(answer.key_phrases().iter().filter_map(span).collect())
}

/// The personal data in `text`.
pub(super) async fn pii(client: Client, text: String, language: LanguageCode) -> Result<Vec<Span>, CallError> {
    let answer = client.detect_pii_entities().text(text).language_code(language).send().await;
    let answer = answer.map_err(|error| call_error("comprehend:DetectPiiEntities", &error))?;
    let span = |it: &types::PiiEntity| {
        span(it.r#type().map(types::PiiEntityType::as_str), it.score(), it.begin_offset(), it.end_offset())
    };
    Ok(answer.entities().iter().filter_map(span).collect())
}

/// The sentiment of each of `texts`, in their order; one call, however many there are.
pub(super) async fn sentiments(
    client: Client,
    texts: Vec<String>,
    language: LanguageCode,
) -> Result<Vec<SentimentPart>, CallError> {
    match texts.as_slice() {
        [text] => one_sentiment(&client, text, language).await.map(|part| vec![part]),
        _ => batch_sentiments(&client, texts, language).await,
    }
}

async fn one_sentiment(client: &Client, text: &str, language: LanguageCode) -> Result<SentimentPart, CallError> {
    let answer = client.detect_sentiment().text(text).language_code(language).send().await;
    let answer = answer.map_err(|error| call_error("comprehend:DetectSentiment", &error))?;
    let part = sentiment_part(text, answer.sentiment(), answer.sentiment_score());
    part.ok_or_else(|| Failure::rejected("`comprehend:DetectSentiment` gave no sentiment").into())
}

async fn batch_sentiments(
    client: &Client,
    texts: Vec<String>,
    language: LanguageCode,
) -> Result<Vec<SentimentPart>, CallError> {
    let request = client.batch_detect_sentiment().set_text_list(Some(texts.clone())).language_code(language);
    let answer = request.send().await.map_err(|error| call_error("comprehend:BatchDetectSentiment", &error))?;
    if let Some(error) = answer.error_list().first() {
        return Err(item_failure(error).into());
    }
    let parts: Vec<_> = answer.result_list().iter().filter_map(|item| sentiment_item(&texts, item)).collect();
    if parts.len() < texts.len() {
        let message =
            format!("`comprehend:BatchDetectSentiment` gave {} answers for {} texts", parts.len(), texts.len());
        return Err(Failure::new(FailureName::Transient, message).into());
    }
    Ok(parts)
}

fn sentiment_item(texts: &[String], item: &types::BatchDetectSentimentItemResult) -> Option<SentimentPart> {
    let text = texts.get(usize::try_from(item.index()?).ok()?)?;
    sentiment_part(text, item.sentiment(), item.sentiment_score())
}

/// An item of a batch fails by a code of its own; a fault of the service passes by itself.
fn item_failure(error: &types::BatchItemError) -> Failure {
    let code = error.error_code().unwrap_or_default();
    let name = if code.starts_with("INTERNAL") || code.starts_with("Internal") {
        FailureName::Transient
    } else {
        FailureName::ServiceRejected
    };
    let message = error.error_message().unwrap_or_default();
    Failure::new(name, format!("failed to call `comprehend:BatchDetectSentiment` for one part: {message} ({code})"))
}

fn sentiment_part(
    text: &str,
    label: Option<&types::SentimentType>,
    scores: Option<&types::SentimentScore>,
) -> Option<SentimentPart> {
    let (label, scores) = (label?, scores?);
    let sentiment_score = SentimentScore {
        positive: score(scores.positive()),
        negative: score(scores.negative()),
        neutral: score(scores.neutral()),
        mixed: score(scores.mixed()),
    };
    Some(SentimentPart { chars: text.chars().count() as u64, sentiment: label.as_str().to_owned(), sentiment_score })
}

/// Six decimals: more than the service's single precision holds, and none of its binary tail.
fn score(score: Option<f32>) -> f64 {
    (f64::from(score.unwrap_or_default()) * 1e6).round() / 1e6
}

fn span(kind: Option<&str>, confidence: Option<f32>, begin: Option<i32>, end: Option<i32>) -> Option<Span> {
    let offset = |at: Option<i32>| u64::try_from(at?).ok();
    Some(Span {
        r#type: kind.map(str::to_owned),
        score: score(confidence),
        begin_offset: offset(begin)?,
        end_offset: offset(end)?,
    })
}

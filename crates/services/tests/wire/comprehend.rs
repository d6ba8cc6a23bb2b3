//! Long texts, languages, missing engines and throttling.

use domain::answer::Outcome::{Succeeded, Unavailable};
use domain::failure::FailureName;
use serde_json::{Value, json};
use services::comprehend::Comprehend;
use services::{Service, Start};

use crate::server::{Answer, Asked};
use crate::world::{World, done, outcomes};

const ALL: &[&str] = &["language", "sentiment", "entities", "key_phrases", "pii"];
const CITY: &str = "Köln";

/// Spans of every `CITY` in the text that was sent, as Comprehend counts: by characters.
fn cities(text: &str) -> Vec<Value> {
    let span = |(at, _): (usize, &str)| {
        let begin = text[..at].chars().count();
        json!({"Text": CITY, "Type": "LOCATION", "Score": 0.5, "BeginOffset": begin, "EndOffset": begin + CITY.chars().count()})
    };
    text.match_indices(CITY).map(span).collect()
}

fn sentiment(text: &str) -> Value {
    let good = if text.contains("good") { 1.0 } else { 0.0 };
    let label = if good > 0.0 { "POSITIVE" } else { "NEGATIVE" };
    json!({"Sentiment": label, "SentimentScore": {"Positive": good, "Negative": 1.0 - good, "Neutral": 0.0, "Mixed": 0.0}})
}

fn answer(asked: &Asked, language: &str) -> Answer {
    let text = asked.body["Text"].as_str().unwrap_or_default();
    assert!(text.len() <= 100_000);
    let body = match asked.operation.as_str() {
        "DetectDominantLanguage" => {
            json!({"Languages": [{"LanguageCode": "la", "Score": 0.1}, {"LanguageCode": language, "Score": 0.9}]})
        }
        "DetectSentiment" => sentiment(text),
        "BatchDetectSentiment" => batch(asked.body["TextList"].as_array().unwrap()),
        "DetectKeyPhrases" => json!({"KeyPhrases": cities(text)}),
        _ => json!({"Entities": cities(text)}),
    };
    Answer::json(&body).engine("tester 1.0")
}

fn batch(texts: &[Value]) -> Value {
    assert!((2..=25).contains(&texts.len()) && texts.iter().all(|text| text.as_str().unwrap().len() <= 5_000));
    let results = texts.iter().enumerate().rev().map(|(index, text)| {
        let mut item = sentiment(text.as_str().unwrap());
        item["Index"] = index.into();
        item
    });
    json!({"ResultList": results.collect::<Vec<_>>(), "ErrorList": []})
}

#[tokio::test]
async fn long_texts_are_split_and_put_together() {
    let text = format!("{} A good end.", "Straße nach Köln, schlecht. ".repeat(6_000));
    let world = World::new("text/plain", ALL, |asked| answer(asked, "en")).await.with_text(&text);
    let findings = done(Comprehend.start(&world.call()).await.unwrap());
    assert_eq!(outcomes(&findings), ALL.iter().map(|feature| (*feature, Succeeded)).collect::<Vec<_>>());
    assert_eq!((world.server.count("DetectEntities"), world.server.count("BatchDetectSentiment")), (2, 2));
    assert!(!findings.raw.to_string().contains(CITY), "raw answers hold no words of the file");
    assert_eq!(findings.engine, "tester 1.0");
    let mut document = world.earlier.clone();
    Comprehend.contribute(&findings, &mut document).unwrap();
    assert_eq!((document.entities.len(), document.key_phrases.len(), document.pii.len()), (6_000, 6_000, 6_000));
    assert!(document.entities.iter().all(|entity| entity.text == CITY));
    let sentiment = document.sentiment.unwrap();
    assert_eq!(sentiment.label, "NEGATIVE");
    assert!(sentiment.positive > 0.0 && sentiment.positive < 0.05, "{sentiment:?}");
    assert_eq!(document.language.unwrap().code, "en");
}

#[tokio::test]
async fn languages_that_are_not_read_cost_no_call() {
    let world = World::new("text/plain", ALL, |asked| answer(asked, "de")).await.with_text("Der Weg nach Köln.");
    let findings = done(Comprehend.start(&world.call()).await.unwrap());
    let pii = findings.features.last().unwrap();
    assert_eq!((pii.feature.as_str(), pii.outcome), ("pii", Unavailable));
    assert!(pii.reason.as_deref().unwrap().contains("`de`"));
    assert_eq!(world.server.count("DetectPiiEntities"), 0);
    assert_eq!(world.server.body("DetectEntities")["LanguageCode"], "de");
    let unread = World::new("text/plain", ALL, |asked| answer(asked, "la")).await.with_text("Gallia est omnis divisa");
    let findings = done(Comprehend.start(&unread.call()).await.unwrap());
    assert_eq!(findings.features.iter().filter(|it| it.outcome == Unavailable).count(), 4);
    assert_eq!(unread.server.asked().len(), 1);
}

#[tokio::test]
async fn text_without_a_language_is_read_in_the_first_that_is_expected() {
    let none = |asked: &Asked| match asked.operation.as_str() {
        "DetectDominantLanguage" => Answer::json(&json!({"Languages": []})),
        _ => answer(asked, ""),
    };
    let mut world = World::new("text/csv", &["language", "pii"], none).await.with_text("4111 1111 1111 1111");
    world.deployment.settings.languages = vec!["es".into()];
    done(Comprehend.start(&world.call()).await.unwrap());
    assert_eq!(world.server.body("DetectPiiEntities")["LanguageCode"], "es");
}

#[tokio::test]
async fn a_missing_engine_is_one_feature_that_is_unavailable() {
    let script = |asked: &Asked| {
        if asked.operation == "DetectSentiment" { Answer::not_available() } else { answer(asked, "en") }
    };
    let world = World::new("text/plain", ALL, script).await.with_text("The way to Köln.");
    let findings = done(Comprehend.start(&world.call()).await.unwrap());
    let expected = [
        ("language", Succeeded),
        ("sentiment", Unavailable),
        ("entities", Succeeded),
        ("key_phrases", Succeeded),
        ("pii", Succeeded),
    ];
    assert_eq!(outcomes(&findings), expected);
    assert_eq!(findings.raw["Sentiment"], json!([]));
}

#[tokio::test]
async fn what_a_retry_may_cure_goes_up() {
    let cases = [
        ("DetectEntities", 400, "ThrottlingException", FailureName::Throttled),
        ("DetectPiiEntities", 500, "InternalServerException", FailureName::Transient),
    ];
    for (operation, status, code, name) in cases {
        let script = move |asked: &Asked| {
            if asked.operation == operation { Answer::error(status, code) } else { answer(asked, "en") }
        };
        let world = World::new("text/plain", ALL, script).await.with_text("The way to Köln.");
        assert_eq!(Comprehend.start(&world.call()).await.unwrap_err().name, name);
    }
}

#[tokio::test]
async fn a_failed_part_of_a_batch_fails_by_its_code() {
    for (code, name) in [("INTERNAL_SERVER_ERROR", Some(FailureName::Transient)), ("TEXT_SIZE_LIMIT_EXCEEDED", None)] {
        let script = move |asked: &Asked| match asked.operation.as_str() {
            "BatchDetectSentiment" => Answer::json(
                &json!({"ResultList": [], "ErrorList": [{"Index": 0, "ErrorCode": code, "ErrorMessage": "m"}]}),
            ),
            _ => answer(asked, "en"),
        };
        let world =
            World::new("text/plain", &["language", "sentiment"], script).await.with_text(&"A sentence. ".repeat(600));
        let started = Comprehend.start(&world.call()).await;
        assert_eq!(started.as_ref().err().map(|failure| failure.name), name);
        if let Ok(started) = started {
            assert_eq!(outcomes(&done(started))[1], ("sentiment", domain::answer::Outcome::Failed));
        }
    }
}

#[tokio::test]
async fn hardly_any_text_is_skipped_without_a_call() {
    let world = World::new("text/plain", ALL, |asked| answer(asked, "en")).await.with_text(" \n 1.\n");
    let findings = done(Comprehend.start(&world.call()).await.unwrap());
    assert!(findings.skipped.is_some() && world.server.asked().is_empty());
}

//! Splitting and putting together again: the parts are the text, and offsets point at the words.

use domain::answer::Findings;
use domain::extraction::{Extraction, Language};
use serde_json::{Value, json};

use super::*;
use crate::service::Service;

/// Texts in scripts of one to four bytes a character, with and without places to cut.
fn texts() -> Vec<String> {
    vec![
        String::new(),
        "One. Two! Three? Four.\nFive".repeat(40),
        "Straße und Öl. Größe zählt!\n".repeat(50),
        "吾輩は猫である。名前はまだ無い。".repeat(60),
        "नमस्ते दुनिया। यह परीक्षण है। ".repeat(30),
        "😀😃😄".repeat(100),
        "x".repeat(1000),
        "word ".repeat(300),
        " \n\t".repeat(200),
        "e\u{301}".repeat(300),
    ]
}

#[test]
fn parts_fit_and_are_the_text() {
    for text in texts() {
        for limit in [1, 4, 5, 17, 64, 99, 1000, 100_000] {
            let parts = split::split(&text, limit);
            assert!(parts.iter().all(|part| !part.text.is_empty() && part.text.len() <= limit.max(4)), "{limit}");
            assert_eq!(parts.iter().map(|part| part.text).collect::<String>(), text);
            let chars: Vec<char> = text.chars().collect();
            for part in parts {
                let start = usize::try_from(part.start).unwrap();
                let there: String = chars[start..].iter().take(part.text.chars().count()).collect();
                assert_eq!(there, part.text);
            }
        }
    }
}

#[test]
fn cuts_are_made_where_a_reader_would() {
    let cases = [
        ("First one. Second one. Third", 24, "First one. Second one. "),
        ("First one.\nSecond line and no end", 16, "First one.\n"),
        ("v1.2.3 costs 4.50 euro today", 20, "v1.2.3 costs 4.50 "),
        ("no sentence\nends in here at all", 20, "no sentence\n"),
        ("猫である。名前はまだ無い", 18, "猫である。"),
        ("ÄÖÜäöüß", 5, "ÄÖ"),
        ("Short. Then a very long rest without any end", 30, "Short. Then a very long rest "),
    ];
    for (text, limit, head) in cases {
        assert_eq!(split::head(text, limit), head, "{text}");
    }
}

fn findings(raw: Value) -> Findings {
    Findings { engine: "aws".into(), pages: 0, cost_usd: 0.0, features: Vec::new(), skipped: None, raw }
}

fn contributed(text: &str, raw: Value) -> Extraction {
    let mut document = Extraction { text: text.into(), ..Extraction::default() };
    Comprehend.contribute(&findings(raw), &mut document).unwrap();
    document
}

fn slice(text: &str, start: u64, end: u64) -> String {
    let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
    text.chars().skip(start).take(end - start).collect()
}

#[test]
fn spans_of_later_parts_move_to_their_place() {
    let text = "Zoë lives in Köln. 😀 Call Jörg: j@x.de";
    let document = contributed(
        text,
        json!({
            "Languages": [{"LanguageCode": "en", "Score": 0.99}, {"LanguageCode": "de", "Score": 0.01}],
            "LanguageCode": "en",
            "Entities": [
                {"PartOffset": 0, "Spans": [
                    {"Type": "PERSON", "Score": 0.9, "BeginOffset": 0, "EndOffset": 3},
                    {"Type": "LOCATION", "Score": 0.8, "BeginOffset": 13, "EndOffset": 17}]},
                {"PartOffset": 19, "Spans": [{"Type": "PERSON", "Score": 0.7, "BeginOffset": 7, "EndOffset": 11}]}],
            "KeyPhrases": [{"PartOffset": 19, "Spans": [{"Score": 0.6, "BeginOffset": 0, "EndOffset": 6}]}],
            "PiiEntities": [{"PartOffset": 19, "Spans": [{"Type": "EMAIL", "Score": 1.0, "BeginOffset": 13, "EndOffset": 19}]}],
        }),
    );
    let words: Vec<_> = document.entities.iter().map(|it| (it.kind.as_str(), it.text.as_str())).collect();
    assert_eq!(words, [("PERSON", "Zoë"), ("LOCATION", "Köln"), ("PERSON", "Jörg")]);
    assert!(document.entities.iter().all(|it| slice(text, it.start, it.end) == it.text));
    assert_eq!(document.key_phrases[0].text, "😀 Call");
    assert_eq!(slice(text, document.pii[0].start, document.pii[0].end), "j@x.de");
    assert_eq!(document.language, Some(Language { code: "en".into(), confidence: 0.99 }));
}

#[test]
fn spans_outside_the_text_are_dropped() {
    let span = |begin: u64, end: u64| json!({"Type": "OTHER", "Score": 0.5, "BeginOffset": begin, "EndOffset": end});
    let spans = json!([span(0, 2), span(1, 9), span(2, 2), span(3, 1), span(u64::MAX, u64::MAX)]);
    let document = contributed("über", json!({"Entities": [{"PartOffset": 0, "Spans": spans}]}));
    assert_eq!(document.entities.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["üb"]);
}

fn sentiment_of(parts: &Value) -> domain::extraction::Sentiment {
    contributed("text", json!({"Sentiment": parts})).sentiment.unwrap()
}

#[test]
fn sentiment_is_weighted_by_length() {
    let part = |chars: u64, label: &str, positive: f64| json!({"Chars": chars, "Sentiment": label, "SentimentScore": {"Positive": positive, "Negative": 1.0 - positive, "Neutral": 0.0, "Mixed": 0.0}});
    let one = sentiment_of(&json!([part(10, "MIXED", 0.9)]));
    assert_eq!((one.label.as_str(), one.positive), ("MIXED", 0.9));
    let mostly_bad = sentiment_of(&json!([part(100, "POSITIVE", 1.0), part(300, "NEGATIVE", 0.0)]));
    assert_eq!(mostly_bad.label, "NEGATIVE");
    assert!((mostly_bad.positive - 0.25).abs() < 1e-9 && (mostly_bad.negative - 0.75).abs() < 1e-9);
}

#[test]
fn the_text_must_be_sure_to_overrule_what_was_found_before() {
    for (earlier, score, stays) in [(0.97, 0.95, "de"), (0.3, 0.95, "nl"), (0.9, 0.6, "de"), (0.3, 0.6, "de")] {
        let raw = json!({"Languages": [{"LanguageCode": "nl", "Score": score}]});
        let mut document =
            Extraction { language: Some(Language { code: "de".into(), confidence: earlier }), ..Extraction::default() };
        Comprehend.contribute(&findings(raw), &mut document).unwrap();
        assert_eq!(document.language.unwrap().code, stays);
    }
}

#[test]
fn unread_text_and_unreadable_answers_are_named() {
    assert_eq!(contributed("a", json!({"UnreadBytes": 7})).warnings.len(), 1);
    assert!(contributed("a", json!({})).warnings.is_empty());
    assert_eq!(contributed("a", Value::Null), Extraction { text: "a".into(), ..Extraction::default() });
    let wrong = Comprehend.contribute(&findings(json!({"Entities": 1})), &mut Extraction::default());
    assert_eq!(wrong.unwrap_err().name, domain::failure::FailureName::Internal);
}

#[test]
fn languages_are_matched_by_their_main_part() {
    let cases = [
        (TEXT_LANGUAGES, "en-GB", Some("en")),
        (TEXT_LANGUAGES, "zh-tw", Some("zh-TW")),
        (TEXT_LANGUAGES, "nl", None),
        (PII_LANGUAGES, "de", None),
        (PII_LANGUAGES, "es", Some("es")),
    ];
    for (languages, code, known) in cases {
        assert_eq!(supported(languages, code), known, "{code}");
    }
}

#[test]
fn hardly_any_text_is_no_text() {
    for (text, words) in
        [("", false), (" \n..-- ", false), ("1.", false), ("a1 ", false), ("A. B c", true), ("猫犬鳥", true)]
    {
        assert_eq!(has_words(text), words, "{text:?}");
    }
}

#[test]
fn costs_count_units_of_each_part() {
    assert!((cost_usd(["x"]) - 0.0003).abs() < 1e-9, "three units at least");
    assert!((cost_usd(["x".repeat(301).as_str(), "ü".repeat(1000).as_str()]) - 0.0014).abs() < 1e-9);
}

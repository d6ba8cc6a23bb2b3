//! What must come out of a file: statuses, media types, words; never the exact text of an OCR engine.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What must come out of one file. What is not named may be anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Any of these.
    pub media_types: Vec<String>,
    /// Any of these.
    pub status: Vec<String>,
    /// All of these, white space folded and case ignored.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// The dominant language.
    pub language: Option<String>,
    /// The number of pages.
    pub pages: Option<u64>,
    /// Members of the metadata.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// What is said in a recording.
    pub transcript: Option<String>,
    /// The highest word error rate of the transcript.
    pub max_wer: Option<f64>,
    /// For readers.
    #[serde(default)]
    pub note: String,
}

/// Reads a file of expectations.
///
/// # Panics
/// When the text is none.
#[must_use]
pub fn read(text: &str) -> BTreeMap<String, Expectation> {
    serde_json::from_str(text).expect("a file of expectations")
}

/// What is wrong with `row`, as `sluice run --json` prints it, and `shown`, as `sluice show --json` does.
#[must_use]
pub fn problems(expected: &Expectation, row: &Value, shown: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |right: bool, what: String| {
        if !right {
            problems.push(what);
        }
    };
    let status = row["status"].as_str().unwrap_or_default();
    check(expected.status.iter().any(|one| one == status), format!("status {status}, reason {}", row["reason"]));
    let media_type = row["media_type"].as_str().unwrap_or_default();
    check(expected.media_types.iter().any(|one| one == media_type), format!("media type {media_type}"));
    check(
        status == "SUCCEEDED" || row["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
        "no reason".to_owned(),
    );
    if !is_read(status) {
        return problems;
    }
    let text = shown["extraction"]["text"].as_str().unwrap_or_default();
    for phrase in &expected.phrases {
        check(folded(text).contains(&folded(phrase)), format!("`{phrase}` is not in the text"));
    }
    if let Some(language) = &expected.language {
        check(row["language"].as_str() == Some(language), format!("language {}", row["language"]));
    }
    if let Some(pages) = expected.pages {
        check(row["pages"].as_u64() == Some(pages), format!("pages {}", row["pages"]));
    }
    for (name, value) in &expected.metadata {
        check(
            has_metadata(&shown["extraction"]["metadata"], name, value),
            format!("metadata `{name}` is not `{value}`"),
        );
    }
    if let (Some(transcript), Some(most)) = (&expected.transcript, expected.max_wer) {
        let rate = word_error_rate(transcript, text);
        check(rate <= most, format!("word error rate {rate:.2}: {text}"));
    }
    problems
}

fn is_read(status: &str) -> bool {
    matches!(status, "SUCCEEDED" | "PARTIAL")
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Engines may put their own word before a name (`exif:Make`) and quotes around a value.
fn has_metadata(metadata: &Value, name: &str, value: &str) -> bool {
    let members = metadata.as_object().into_iter().flatten();
    let named = |key: &str| key.to_lowercase().ends_with(&name.to_lowercase());
    members.into_iter().any(|(key, found)| named(key) && found.as_str().is_some_and(|found| found.contains(value)))
}

/// Words to change, add and leave out, for each word that was said.
#[expect(clippy::cast_precision_loss, reason = "transcripts have far fewer than 2^52 words")]
fn word_error_rate(said: &str, heard: &str) -> f64 {
    let words = |text: &str| -> Vec<String> {
        let plain = |c: char| c.is_alphanumeric() || c == '\'';
        text.to_lowercase().split(|c| !plain(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (said, heard) = (words(said), words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (index, word) in said.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in heard.iter().enumerate() {
            let changed = diagonal + usize::from(word != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[heard.len()] as f64 / said.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_counted_by_words() {
        assert!(word_error_rate("he was not ill", "He was not ill.").abs() < f64::EPSILON);
        assert!((word_error_rate("a b c d", "a x c") - 0.5).abs() < f64::EPSILON);
        assert!((word_error_rate("a b", "") - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn each_expectation_can_fail() {
        let expected = json!({"media_types": ["text/plain"], "status": ["SUCCEEDED"], "phrases": ["two  words"], "pages": 2, "language": "en"});
        let expected: Expectation = serde_json::from_value(expected).unwrap();
        let row =
            json!({"status": "SUCCEEDED", "media_type": "text/plain", "pages": 2, "language": "en", "reason": null});
        assert_eq!(problems(&expected, &row, &json!({"extraction": {"text": "TWO\nwords"}})), Vec::<String>::new());
        let wrong = json!({"status": "PARTIAL", "media_type": "text/html", "pages": 1, "language": null, "reason": ""});
        assert_eq!(problems(&expected, &wrong, &json!({})).len(), 6);
    }
}

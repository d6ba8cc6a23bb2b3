//! The transcript file, in the form that Transcribe writes.
//!
//! <https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html#how-output>. Times and confidences
//! are numbers in strings. What the engine does not know is left out and named in the additional member
//! `not_available_locally`; `engine` says who gave the words.

use engines::speech::{LANGUAGE, Transcript, Utterance, Word};
use serde_json::{Value, json};

use crate::context::ACCOUNT;

/// What was asked for and shows in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) identifies: bool,
    pub(super) language: Option<&'a str>,
    pub(super) speakers: bool,
}

impl<'a> Asked<'a> {
    /// The language of the words: the one that was given, or else the only one that the engine knows.
    pub(super) fn language(self) -> &'a str {
        self.language.unwrap_or(LANGUAGE)
    }
}

pub(super) fn transcript(job: &str, heard: &Transcript, asked: Asked<'_>) -> Value {
    let mut results = json!({
        "transcripts": [{"transcript": heard.text()}],
        "items": heard.words.iter().enumerate().map(|(id, word)| item(id, word)).collect::<Vec<_>>(),
        "audio_segments": heard.utterances.iter().enumerate().map(|(id, of)| segment(id, of, heard)).collect::<Vec<_>>(),
    });
    super::put(&mut results, "language_code", asked.identifies.then(|| asked.language().into()));
    json!({
        "jobName": job,
        "accountId": ACCOUNT,
        "status": "COMPLETED",
        "results": results,
        "engine": heard.engine,
        "not_available_locally": lacking(heard, asked),
    })
}

fn item(id: usize, word: &Word) -> Value {
    json!({
        "id": id,
        "type": "pronunciation",
        "alternatives": [{"confidence": decimals(word.confidence), "content": word.text}],
        "start_time": decimals(word.start),
        "end_time": decimals(word.end),
    })
}

fn segment(id: usize, utterance: &Utterance, heard: &Transcript) -> Value {
    let words = heard.words_of(utterance).iter().map(|word| word.text.as_str()).collect::<Vec<_>>();
    let items = utterance.first_word..utterance.first_word + utterance.word_count;
    json!({
        "id": id,
        "transcript": words.join(" "),
        "start_time": decimals(utterance.start),
        "end_time": decimals(utterance.end),
        "items": items.collect::<Vec<_>>(),
    })
}

fn lacking(heard: &Transcript, asked: Asked<'_>) -> Vec<String> {
    let engine = &heard.engine;
    let speakers =
        asked.speakers.then(|| format!("speaker_labels: the engine `{engine}` does not tell speakers apart"));
    let language =
        asked.identifies.then(|| format!("language_identification: the engine `{engine}` knows {LANGUAGE} only"));
    let lost = heard
        .lost
        .iter()
        .map(|(start, end)| format!("seconds {start:.1} to {end:.1}: the engine `{engine}` broke off on them"));
    speakers.into_iter().chain(language).chain(lost).collect()
}

/// Three decimals at most, without trailing zeros, as AWS writes them.
fn decimals(number: f64) -> String {
    let text = format!("{number:.3}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
}

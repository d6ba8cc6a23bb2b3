//! From transcripts as Transcribe writes them to segments that point at their words.

use domain::answer::Findings;
use domain::extraction::{Extraction, Segment};
use serde_json::{Value, json};

use super::*;

fn contributed(raw: Value, before: &str) -> Extraction {
    let findings = Findings { engine: "aws".into(), pages: 0, cost_usd: 0.0, features: Vec::new(), skipped: None, raw };
    let mut document = Extraction { text: before.into(), ..Extraction::default() };
    Transcribe.contribute(&findings, &mut document).unwrap();
    document
}

fn word(content: &str, start: &str, end: &str, speaker: Option<&str>) -> Value {
    let mut item = json!({"type": "pronunciation", "start_time": start, "end_time": end, "alternatives": [{"confidence": "0.9", "content": content}]});
    if let Some(speaker) = speaker {
        item["speaker_label"] = speaker.into();
    }
    item
}

fn mark(content: &str) -> Value {
    json!({"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": content}]})
}

fn raw(transcript: &str, items: &[Value]) -> Value {
    json!({"Transcript": {"jobName": "j", "status": "COMPLETED", "results": {"transcripts": [{"transcript": transcript}], "items": items}}})
}

fn words(document: &Extraction, segment: &Segment) -> String {
    let (start, end) = (usize::try_from(segment.start).unwrap(), usize::try_from(segment.end).unwrap());
    document.text.chars().skip(start).take(end - start).collect()
}

fn all_words(document: &Extraction) -> Vec<String> {
    document.segments.iter().map(|segment| words(document, segment)).collect()
}

#[test]
fn turns_and_sentences_become_segments() {
    let (zero, one) = (Some("spk_0"), Some("spk_1"));
    let items = [
        word("Grüß", "0.0", "0.4", zero),
        word("Gott", "0.5", "0.8", zero),
        mark("."),
        word("Wie", "0.9", "1.0", zero),
        word("geht's", "1.0", "1.5", zero),
        word("Gut", "1.6", "2.0", one),
        mark(","),
        word("danke", "2.1", "2.5", one),
        mark("!"),
    ];
    let document = contributed(raw("Grüß Gott. Wie geht's Gut, danke!", &items), "é");
    assert_eq!(all_words(&document), ["Grüß Gott.", "Wie geht's", "Gut, danke!"]);
    let speakers: Vec<_> = document.segments.iter().map(|it| it.speaker.as_deref().unwrap()).collect();
    assert_eq!(speakers, ["spk_0", "spk_0", "spk_1"]);
    let last = &document.segments[2];
    assert_eq!((last.start_seconds, last.end_seconds, last.confidence), (Some(1.6), Some(2.5), Some(0.9)));
}

#[test]
fn speakers_come_from_the_labels_where_items_have_none() {
    let mut raw = raw("Yes no", &[word("Yes", "0.0", "0.4", None), word("no", "0.5", "0.9", None)]);
    raw["Transcript"]["results"]["speaker_labels"] = json!({"speakers": 2, "segments": [
        {"speaker_label": "spk_0", "start_time": "0.0", "end_time": "0.4", "items": [{"speaker_label": "spk_0", "start_time": "0.0", "end_time": "0.4"}]},
        {"speaker_label": "spk_1", "start_time": "0.5", "end_time": "0.9", "items": [{"speaker_label": "spk_1", "start_time": "0.5", "end_time": "0.9"}]}]});
    let document = contributed(raw, "");
    let speakers: Vec<_> = document.segments.iter().map(|it| it.speaker.as_deref().unwrap()).collect();
    assert_eq!(speakers, ["spk_0", "spk_1"]);
}

#[test]
fn without_punctuation_pauses_end_segments() {
    let items = [word("one", "0.0", "0.5", None), word("two", "0.6", "1.0", None), word("three", "2.5", "3.0", None)];
    let document = contributed(raw("one two three", &items), "");
    assert_eq!(all_words(&document), ["one two", "three"]);
    assert_eq!(document.metadata["speech_end_seconds"], "3.000");
}

#[test]
fn scripts_without_spaces_keep_their_offsets() {
    let items =
        [word("猫", "0.0", "0.2", None), word("です", "0.2", "0.5", None), mark("。"), word("犬", "0.6", "0.8", None)];
    let document = contributed(raw("猫です。犬", &items), "");
    assert_eq!(all_words(&document), ["猫です。", "犬"]);
}

#[test]
fn items_that_the_text_spells_otherwise_do_not_derail_the_rest() {
    let items = [
        word("pay", "0.0", "0.2", None),
        word("twenty", "0.3", "0.5", None),
        word("euros", "0.6", "0.8", None),
        mark("?"),
        word("", "1", "1", None),
        word("never", "NaN", "x", None),
    ];
    let document = contributed(raw("pay 20 euros? never", &items), "");
    assert_eq!(all_words(&document), ["pay 20 euros?", "never"]);
    assert_eq!(document.segments[1].start_seconds, None);
}

#[test]
fn music_is_an_empty_text() {
    let document = contributed(raw("", &[]), "");
    assert_eq!((document.text.as_str(), document.segments.len()), ("", 0));
    assert_eq!(contributed(Value::Null, "a").text, "a");
}

#[test]
fn only_identified_languages_count_and_replacement_is_named() {
    let mut raw = raw("", &[]);
    raw["LanguageCode"] = "pt-BR".into();
    raw["MediaSeconds"] = 61.5.into();
    let given = contributed(raw.clone(), "");
    assert_eq!((given.language, given.metadata["duration_seconds"].as_str()), (None, "61.500"));
    raw["IdentifiedLanguageScore"] = 0.87.into();
    raw["Replaced"] = true.into();
    let identified = contributed(raw, "");
    assert_eq!(identified.language.unwrap().code, "pt");
    assert_eq!(identified.warnings.len(), 1);
}

fn subject(media_type: &str, size_bytes: u64) -> Subject {
    Subject {
        object: ObjectRef::new("raw", "a"),
        etag: "e".into(),
        size_bytes,
        media_type: media_type.into(),
        declared_type: None,
        family: Family::of(media_type),
    }
}

#[test]
fn limits_are_checked_before_anything_is_spent() {
    let task = Task { service: "transcribe".into(), features: Vec::new() };
    let cases = [
        ("audio/wav", LIMIT_BYTES, None),
        ("audio/wav", LIMIT_BYTES + 1, Some(FailureName::ObjectTooLarge)),
        ("video/webm", 1, None),
        ("video/x-msvideo", 1, Some(FailureName::UnsupportedMedia)),
        ("audio/midi", 1, Some(FailureName::UnsupportedMedia)),
    ];
    for (media_type, size_bytes, refused) in cases {
        let subject = subject(media_type, size_bytes);
        assert_eq!(Transcribe.check(&subject, &task).err().map(|failure| failure.name), refused, "{media_type}");
        assert_eq!(
            Transcribe.place(&subject).is_some(),
            refused != Some(FailureName::UnsupportedMedia),
            "{media_type}"
        );
    }
    let mut deep = subject("audio/wav", 1);
    deep.object.key = "k".repeat(URI_CHARS);
    assert_eq!(Transcribe.check(&deep, &task).unwrap_err().name, FailureName::InvalidInput);
}

#[test]
fn languages_are_given_in_transcribes_codes_each_once() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["en", "es", "xx"], &["en-US", "es-US"]),
        (&["en-gb", "en", "de"], &["en-GB", "de-DE"]),
        (&["tlh"], &[]),
        (&["zh"], &["zh-CN"]),
    ];
    for (languages, codes) in cases {
        let languages: Vec<String> = languages.iter().map(ToString::to_string).collect();
        let options = language::options(&languages);
        assert_eq!(options.iter().map(aws_sdk_transcribe::types::LanguageCode::as_str).collect::<Vec<_>>(), *codes);
    }
}

fn wav(rate: u32, claimed: u32) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVE".to_vec();
    bytes.extend(b"LIST\x03\0\0\0abc\0");
    bytes.extend(b"fmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0");
    bytes.extend(rate.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(claimed.to_le_bytes());
    bytes
}

#[test]
fn headers_say_how_long_a_recording_lasts() {
    let header = wav(32_000, 0).len() as u64;
    let flac = [b"fLaC\0\0\0\x22".as_slice(), &[0; 10], &((0x3E80_u64 << 44) | 0x1F40).to_be_bytes()].concat();
    let cases = [
        (wav(32_000, 64_000), header + 64_000, Some(2.0)),
        (wav(32_000, u32::MAX), header + 16_000, Some(0.5)),
        (wav(32_000, 0), header + 32_000, Some(1.0)),
        (wav(0, 1), header, None),
        (wav(1, 1)[..30].to_vec(), header, None),
        (flac.clone(), 1, Some(0.5)),
        (flac[..20].to_vec(), 1, None),
        (b"ID3".to_vec(), 1, None),
        (b"RIFF\xff\xff\xff\xffWAVEjunk\xff\xff\xff\xff".to_vec(), 1, None),
    ];
    for (bytes, size, seconds) in cases {
        assert_eq!(media::seconds(&bytes, size), seconds);
    }
}

#[test]
fn documented_reasons_are_told_apart() {
    let cases = [
        ("Unsupported media format.", FailureName::UnsupportedMedia),
        ("The media format provided does not match the detected media format.", FailureName::UnsupportedMedia),
        ("Invalid file size: file size too large.", FailureName::ObjectTooLarge),
        ("Internal failure", FailureName::ServiceRejected),
    ];
    for (reason, name) in cases {
        assert_eq!(job_failure(reason).name, name);
    }
}

#[test]
fn short_recordings_cost_a_quarter_of_a_minute() {
    let raw = |seconds| Raw { media_seconds: seconds, ..Raw::default() };
    assert!((cost_usd(&raw(None)) - 0.006).abs() < 1e-9);
    assert!((cost_usd(&raw(Some(599.2))) - 0.24).abs() < 1e-9);
}

//! Jobs by name: started once, adopted after a conflict, collected from the work prefix.

use domain::answer::Outcome::{Succeeded, Unavailable};
use domain::extraction::Extraction;
use domain::failure::FailureName;
use serde_json::{Value, json};
use services::transcribe::Transcribe;
use services::{Poll, Polled, Service, Start, Started};

use crate::server::{Answer, Asked};
use crate::world::{ETAG, TOKEN, World, done, outcomes};

const ALL: &[&str] = &["transcript", "speaker_labels", "subtitles"];

fn job(status: &str) -> Value {
    json!({"TranscriptionJob": {"TranscriptionJobName": TOKEN, "TranscriptionJobStatus": status, "LanguageCode": "en-US", "IdentifiedLanguageScore": 0.75}})
}

fn transcript() -> Value {
    let word = |content: &str, start: &str, end: &str| json!({"type": "pronunciation", "start_time": start, "end_time": end, "alternatives": [{"confidence": "0.8", "content": content}]});
    json!({"jobName": TOKEN, "status": "COMPLETED", "results": {
        "transcripts": [{"transcript": "hello world"}],
        "items": [word("hello", "0.1", "0.5"), word("world", "0.6", "1.2")]}})
}

fn answer(asked: &Asked) -> Answer {
    match asked.operation.as_str() {
        "HEAD /raw/in/file" => Answer::bytes(Vec::new()).header("etag", &format!("\"{ETAG}\"")),
        "StartTranscriptionJob" => Answer::json(&job("QUEUED")),
        "GetTranscriptionJob" => Answer::json(&job("COMPLETED")).engine("sphinx 5"),
        operation if operation == format!("GET /extracted/work/run/{TOKEN}.json") => Answer::json(&transcript()),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_job_is_named_by_the_token_and_tells_languages_apart() {
    let world = World::new("audio/mpeg", ALL, answer).await;
    let Started::Running { id, expected_seconds } = Transcribe.start(&world.call()).await.unwrap() else {
        panic!("no job")
    };
    assert_eq!((id.as_str(), expected_seconds), (TOKEN, 4));
    let asked = world.server.body("StartTranscriptionJob");
    let expected = json!({
        "TranscriptionJobName": TOKEN,
        "Media": {"MediaFileUri": "s3://raw/in/file"},
        "MediaFormat": "mp3",
        "OutputBucketName": "extracted",
        "OutputKey": format!("work/run/{TOKEN}.json"),
        "Settings": {"ShowSpeakerLabels": true, "MaxSpeakerLabels": 10},
        "Subtitles": {"Formats": ["vtt", "srt"], "OutputStartIndex": 1},
        "IdentifyLanguage": true,
        "LanguageOptions": ["en-US", "es-US", "de-DE", "fr-FR", "it-IT", "pt-BR"],
    });
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn one_language_is_given_and_features_are_asked_for_as_switched() {
    let mut world = World::new("audio/mpeg", &["transcript"], answer).await;
    world.deployment.settings.languages = vec!["de".into()];
    Transcribe.start(&world.call()).await.unwrap();
    let asked = world.server.body("StartTranscriptionJob");
    assert_eq!(
        (&asked["LanguageCode"], &asked["IdentifyLanguage"], &asked["Settings"], &asked["Subtitles"]),
        (&json!("de-DE"), &Value::Null, &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_conflict_adopts_the_job() {
    let script = |asked: &Asked| {
        if asked.operation == "StartTranscriptionJob" { Answer::error(400, "ConflictException") } else { answer(asked) }
    };
    let world = World::new("audio/mpeg", ALL, script).await;
    assert!(matches!(Transcribe.start(&world.call()).await.unwrap(), Started::Running { id, .. } if id == TOKEN));
    assert_eq!((world.server.count("StartTranscriptionJob"), world.server.count("GetTranscriptionJob")), (1, 1));
}

#[tokio::test]
async fn a_job_that_failed_before_a_redrive_is_started_anew() {
    use std::sync::atomic::{AtomicBool, Ordering};
    for (redrives, status, starts) in [(0, "FAILED", 1), (1, "FAILED", 2), (1, "COMPLETED", 1), (1, "IN_PROGRESS", 1)] {
        let is_taken = AtomicBool::new(true);
        let script = move |asked: &Asked| match asked.operation.as_str() {
            "StartTranscriptionJob" if is_taken.load(Ordering::Relaxed) => Answer::error(400, "ConflictException"),
            "GetTranscriptionJob" => Answer::json(&job(status)),
            "DeleteTranscriptionJob" => {
                is_taken.store(false, Ordering::Relaxed);
                Answer::json(&json!({}))
            }
            _ => answer(asked),
        };
        let mut world = World::new("audio/mpeg", ALL, script).await;
        world.redrives = redrives;
        assert!(matches!(Transcribe.start(&world.call()).await.unwrap(), Started::Running { id, .. } if id == TOKEN));
        let counts = ["StartTranscriptionJob", "DeleteTranscriptionJob"].map(|operation| world.server.count(operation));
        assert_eq!(counts, [starts, starts - 1], "{redrives} {status}");
    }
}

#[tokio::test]
async fn refusals_have_names() {
    let cases = [
        (400, "ThrottlingException", FailureName::Throttled),
        (400, "LimitExceededException", FailureName::Throttled),
        (400, "BadRequestException", FailureName::ServiceRejected),
        (500, "InternalFailureException", FailureName::Transient),
        (400, "AccessDeniedException", FailureName::AccessDenied),
    ];
    for (status, code, name) in cases {
        let script = move |asked: &Asked| {
            if asked.operation == "StartTranscriptionJob" { Answer::error(status, code) } else { answer(asked) }
        };
        let world = World::new("audio/mpeg", ALL, script).await;
        assert_eq!(Transcribe.start(&world.call()).await.unwrap_err().name, name, "{code}");
    }
}

#[tokio::test]
async fn without_an_engine_every_feature_is_unavailable() {
    let script = |asked: &Asked| {
        if asked.operation == "StartTranscriptionJob" { Answer::not_available() } else { answer(asked) }
    };
    let world = World::new("audio/mpeg", ALL, script).await;
    let findings = done(Transcribe.start(&world.call()).await.unwrap());
    assert_eq!(outcomes(&findings), ALL.iter().map(|feature| (*feature, Unavailable)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_replaced_object_is_not_transcribed() {
    for current in [Answer::bytes(Vec::new()).header("etag", "\"e2\""), Answer::not_found()] {
        let script =
            move |asked: &Asked| if asked.operation.starts_with("HEAD") { current.clone() } else { answer(asked) };
        let world = World::new("audio/mpeg", ALL, script).await;
        assert_eq!(Transcribe.start(&world.call()).await.unwrap_err().name, FailureName::ObjectGone);
        assert_eq!(world.server.count("StartTranscriptionJob"), 0);
    }
}

#[tokio::test]
async fn a_finished_job_is_collected_and_lacks_what_the_engine_lacks() {
    let script = |asked: &Asked| match (asked.operation.as_str(), asked.before) {
        ("GetTranscriptionJob", 0) => Answer::json(&job("IN_PROGRESS")),
        _ => answer(asked),
    };
    let world = World::new("audio/mpeg", ALL, script).await;
    assert!(matches!(Transcribe.poll(&world.call(), TOKEN).await.unwrap(), Polled::Running));
    let Polled::Done(findings) = Transcribe.poll(&world.call(), TOKEN).await.unwrap() else { panic!("not done") };
    assert_eq!(
        outcomes(&findings),
        [("transcript", Succeeded), ("speaker_labels", Unavailable), ("subtitles", Unavailable)]
    );
    assert_eq!(findings.features[1].reason.as_deref(), Some("the engine `sphinx 5` does not tell speakers apart"));
    assert!((findings.cost_usd - 0.006).abs() < 1e-9);
    let mut document = Extraction::default();
    Transcribe.contribute(&findings, &mut document).unwrap();
    assert_eq!((document.text.as_str(), document.segments.len()), ("hello world", 1));
    assert_eq!(document.language.map(|language| (language.code, language.confidence)), Some(("en".into(), 0.75)));
}

#[tokio::test]
async fn an_object_that_is_gone_by_now_leaves_its_transcript() {
    for (current, warnings) in [(Answer::not_found(), 0), (Answer::bytes(Vec::new()).header("etag", "\"e2\""), 1)] {
        let script =
            move |asked: &Asked| if asked.operation.starts_with("HEAD") { current.clone() } else { answer(asked) };
        let world = World::new("audio/mpeg", ALL, script).await;
        let Polled::Done(findings) = Transcribe.poll(&world.call(), TOKEN).await.unwrap() else { panic!("not done") };
        let mut document = Extraction::default();
        Transcribe.contribute(&findings, &mut document).unwrap();
        assert_eq!((document.text.as_str(), document.warnings.len()), ("hello world", warnings));
    }
}

#[tokio::test]
async fn a_failed_job_says_why() {
    let mut failed = job("FAILED");
    failed["TranscriptionJob"]["FailureReason"] = "Unsupported media format.".into();
    let world = World::new("audio/mpeg", ALL, move |_| Answer::json(&failed)).await;
    let failure = Transcribe.poll(&world.call(), TOKEN).await.unwrap_err();
    assert_eq!(
        (failure.name, failure.message.as_str()),
        (FailureName::UnsupportedMedia, "transcribe failed: Unsupported media format.")
    );
}

fn wav(data_bytes: u32) -> Vec<u8> {
    let format = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data";
    [format.as_slice(), &data_bytes.to_le_bytes()].concat()
}

#[tokio::test]
async fn recordings_that_are_too_short_or_too_long_cost_nothing() {
    let script = |bytes: u32| {
        move |asked: &Asked| {
            if asked.operation.starts_with("GET /raw") { Answer::bytes(wav(bytes)) } else { answer(asked) }
        }
    };
    let mut short = World::new("audio/wav", ALL, script(1_000)).await;
    short.subject.size_bytes = 1_044;
    let findings = done(Transcribe.start(&short.call()).await.unwrap());
    assert!(findings.skipped.unwrap().contains("0.5 s at least"));
    let mut long = World::new("audio/wav", ALL, script(u32::MAX)).await;
    long.subject.size_bytes = 32_000 * 4 * 3600 + 32_044;
    assert_eq!(Transcribe.start(&long.call()).await.unwrap_err().name, FailureName::ObjectTooLarge);
    assert_eq!(short.server.count("StartTranscriptionJob") + long.server.count("StartTranscriptionJob"), 0);
}

#[tokio::test]
async fn without_the_transcript_nothing_is_asked() {
    let world = World::new("audio/mpeg", &["speaker_labels"], answer).await;
    let findings = done(Transcribe.start(&world.call()).await.unwrap());
    assert!(findings.skipped.is_some() && world.server.asked().is_empty());
}

use serde_json::{Value, json};

use super::*;
use crate::ai::fixture::{self, Fixture, tone, until};

const WORDS: &str = r#"[{"text":"hello","start":0.1,"end":0.5,"confidence":0.91},{"text":"anna","start":0.5,"end":0.9,"confidence":1.0}]"#;

fn start_body() -> Value {
    json!({"TranscriptionJobName": "job-1", "LanguageCode": "en-US", "Media": {"MediaFileUri": "s3://raw/a tone.wav"}})
}

fn with(changes: &Value) -> Value {
    let mut body = start_body();
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    body
}

async fn ask(fixture: &Fixture, operation: &str, body: Value) -> Result<Value, ServiceError> {
    handle(&fixture.media, operation, body).await.map(|reply| reply.body)
}

async fn ended(fixture: &Fixture, name: &str) -> Value {
    let is_open = |answer: &Value| {
        ["QUEUED", "IN_PROGRESS"].map(Value::from).contains(&answer["TranscriptionJob"]["TranscriptionJobStatus"])
    };
    until(|| ask(fixture, "GetTranscriptionJob", json!({"TranscriptionJobName": name})), is_open).await["TranscriptionJob"].take()
}

async fn with_tone() -> Fixture {
    let fixture = Fixture::new(WORDS).await;
    fixture.put("a tone.wav", tone(1200)).await;
    fixture
}

#[tokio::test]
async fn a_job_writes_the_transcript_and_subtitles() {
    let fixture = with_tone().await;
    let asked = json!({
        "OutputBucketName": "raw", "OutputKey": "out/", "Subtitles": {"Formats": ["srt", "vtt"], "OutputStartIndex": 1},
        "Settings": {"ShowSpeakerLabels": true, "MaxSpeakerLabels": 4},
    });
    ask(&fixture, "StartTranscriptionJob", with(&asked)).await.unwrap();
    let job = ended(&fixture, "job-1").await;
    assert_eq!(job["TranscriptionJobStatus"], "COMPLETED", "{job}");
    assert_eq!(job["Transcript"]["TranscriptFileUri"], "https://s3.us-east-1.amazonaws.com/raw/out/job-1.json");
    assert_eq!(job["Subtitles"]["SubtitleFileUris"].as_array().unwrap().len(), 2);
    assert_eq!((&job["MediaFormat"], &job["MediaSampleRateHertz"]), (&json!("wav"), &json!(8000)));
    let transcript: Value = serde_json::from_str(&fixture.text("raw", "out/job-1.json").await).unwrap();
    assert_eq!(transcript["results"]["transcripts"], json!([{"transcript": "hello anna"}]));
    let item = json!({"id": 0, "type": "pronunciation", "alternatives": [{"confidence": "0.91", "content": "hello"}], "start_time": "0.1", "end_time": "0.5"});
    assert_eq!(transcript["results"]["items"][0], item);
    assert_eq!(transcript["results"]["audio_segments"][0]["items"], json!([0, 1]));
    // Nobody here tells speakers apart: no label is made up, and the file says so.
    assert!(transcript["results"].get("speaker_labels").is_none());
    assert!(transcript["not_available_locally"][0].as_str().unwrap().starts_with("speaker_labels"), "{transcript}");
    assert!(fixture.text("raw", "out/job-1.srt").await.contains("00:00:00,100 --> 00:00:00,900\nhello anna"));
}

#[tokio::test]
async fn without_an_output_bucket_the_transcript_lies_in_our_own() {
    let fixture = with_tone().await;
    ask(&fixture, "StartTranscriptionJob", with(&json!({"LanguageCode": null, "IdentifyLanguage": true})))
        .await
        .unwrap();
    let job = ended(&fixture, "job-1").await;
    assert_eq!(job["Transcript"]["TranscriptFileUri"], "s3://sluice-service-results/transcribe/job-1.json");
    assert_eq!(job["LanguageCode"], "en-US");
    assert!(job.get("IdentifiedLanguageScore").is_none(), "nothing measured it");
}

#[tokio::test]
async fn a_name_is_used_once_until_the_job_is_deleted() {
    let fixture = with_tone().await;
    ask(&fixture, "StartTranscriptionJob", start_body()).await.unwrap();
    assert_eq!(ask(&fixture, "StartTranscriptionJob", start_body()).await.unwrap_err().code, "ConflictException");
    ended(&fixture, "job-1").await;
    let named = json!({"TranscriptionJobName": "job-1"});
    ask(&fixture, "DeleteTranscriptionJob", named.clone()).await.unwrap();
    for operation in ["GetTranscriptionJob", "DeleteTranscriptionJob"] {
        assert_eq!(ask(&fixture, operation, named.clone()).await.unwrap_err().code, "BadRequestException");
    }
    ask(&fixture, "StartTranscriptionJob", start_body()).await.unwrap();
}

#[tokio::test]
async fn what_aws_would_refuse_is_refused() {
    let fixture = with_tone().await;
    let table = [
        json!({"TranscriptionJobName": "a b"}),
        json!({"TranscriptionJobName": ""}),
        json!({"TranscriptionJobName": "x".repeat(201)}),
        json!({"Media": {"MediaFileUri": "ftp://raw/x.wav"}}),
        json!({"Media": {"MediaFileUri": "s3://raw/missing.wav"}}),
        json!({"LanguageCode": null}),
        json!({"IdentifyLanguage": true}),
        json!({"LanguageCode": "English"}),
        json!({"MediaFormat": "aiff"}),
        json!({"MediaSampleRateHertz": 100}),
        json!({"OutputKey": "x.json"}),
        json!({"OutputBucketName": "raw", "OutputKey": "a=b"}),
        json!({"OutputBucketName": "nowhere"}),
        json!({"Settings": {"ShowSpeakerLabels": true}}),
        json!({"Settings": {"ShowSpeakerLabels": true, "MaxSpeakerLabels": 1}}),
        json!({"Subtitles": {"Formats": ["txt"]}}),
    ];
    for changes in table {
        let error = ask(&fixture, "StartTranscriptionJob", with(&changes)).await.unwrap_err();
        assert_eq!((error.status, error.code.as_ref()), (400, "BadRequestException"), "{changes}");
    }
}

#[tokio::test]
async fn what_no_engine_here_does_is_not_available_locally() {
    let fixture = with_tone().await;
    let table = [
        json!({"LanguageCode": "de-DE"}),
        json!({"Settings": {"ChannelIdentification": true}}),
        json!({"ContentRedaction": {"RedactionType": "PII", "RedactionOutput": "redacted"}}),
    ];
    for changes in table {
        let error = ask(&fixture, "StartTranscriptionJob", with(&changes)).await.unwrap_err();
        assert_eq!((error.status, error.code.as_ref()), (501, "NotAvailableLocally"), "{changes}");
    }
    assert_eq!(ask(&fixture, "StartCallAnalyticsJob", json!({})).await.unwrap_err().status, 501);
}

#[tokio::test]
async fn a_file_that_is_no_recording_fails_its_job_with_the_reason() {
    let fixture = with_tone().await;
    fixture.put("text.wav", b"not a recording".to_vec()).await;
    fixture.put("short.wav", tone(200)).await;
    let table = [
        ("text.wav", None, "Unsupported media format"),
        ("short.wav", None, "Invalid media length"),
        ("a tone.wav", Some("mp3"), "The media format provided does not match"),
    ];
    for (index, (key, format, reason)) in table.into_iter().enumerate() {
        let name = format!("bad-{index}");
        let body = with(
            &json!({"TranscriptionJobName": name, "MediaFormat": format, "Media": {"MediaFileUri": format!("s3://raw/{key}")}}),
        );
        ask(&fixture, "StartTranscriptionJob", body).await.unwrap();
        let job = ended(&fixture, &name).await;
        assert_eq!(job["TranscriptionJobStatus"], "FAILED");
        assert!(job["FailureReason"].as_str().unwrap().starts_with(reason), "{job}");
    }
}

#[tokio::test]
async fn lists_come_in_pages_the_newest_first() {
    let fixture = with_tone().await;
    for name in ["a-1", "a-2", "a-3", "b-1"] {
        ask(&fixture, "StartTranscriptionJob", with(&json!({"TranscriptionJobName": name}))).await.unwrap();
        ended(&fixture, name).await;
    }
    let mut body = json!({"JobNameContains": "a-", "MaxResults": 2, "Status": "COMPLETED"});
    let mut names = Vec::new();
    loop {
        let page = ask(&fixture, "ListTranscriptionJobs", body.clone()).await.unwrap();
        names.extend(
            page["TranscriptionJobSummaries"].as_array().unwrap().iter().map(|job| job["TranscriptionJobName"].clone()),
        );
        let Some(next) = page.get("NextToken") else { break };
        body["NextToken"] = next.clone();
    }
    assert_eq!(names, ["a-3", "a-2", "a-1"]);
    let error = ask(&fixture, "ListTranscriptionJobs", json!({"NextToken": "nonsense"})).await.unwrap_err();
    assert_eq!(error.code, "BadRequestException");
}

#[tokio::test]
async fn a_job_that_was_cut_off_is_run_at_the_next_start() {
    let fixture = with_tone().await;
    let media = fixture.media.clone();
    media.tasks().close();
    // The tasks are closed, so the job is written down and not run, as if the program had died.
    ask(&fixture, "StartTranscriptionJob", start_body()).await.unwrap();
    let reopened = fixture::open(fixture.directory.path());
    assert_eq!(reopened.resume().await.unwrap(), 1);
    let fixture = Fixture { media: reopened, directory: fixture.directory };
    assert_eq!(ended(&fixture, "job-1").await["TranscriptionJobStatus"], "COMPLETED");
    assert_eq!(fixture.media.resume().await.unwrap(), 0);
}

#[test]
fn media_addresses_are_read_in_every_form() {
    let place = |uri: &str| {
        serde_json::from_value::<StartRequest>(with(&json!({"Media": {"MediaFileUri": uri}}))).unwrap().object()
    };
    for uri in [
        "s3://b/a k.wav",
        "https://s3.us-east-1.amazonaws.com/b/a%20k.wav",
        "https://b.s3.us-east-1.amazonaws.com/a%20k.wav",
        "https://s3-eu-west-1.amazonaws.com/b/a%20k.wav",
    ] {
        let object = place(uri).unwrap();
        assert_eq!((object.bucket.as_str(), object.name.as_str()), ("b", "a k.wav"), "{uri}");
    }
    for uri in ["s3://b", "s3:///k", "https://example.org/k", "k"] {
        assert!(place(uri).is_err(), "{uri}");
    }
}

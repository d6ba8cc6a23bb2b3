//! Pages at once, jobs with answers in many parts, and PDFs of which only some pages are sent.

use std::fmt::Write as _;

use domain::answer::Outcome::{Succeeded, Unavailable};
use domain::extraction::{Extraction, Page};
use domain::failure::FailureName;
use serde_json::{Value, json};
use services::textract::Textract;
use services::{Poll, Polled, Service, Start, Started};

use crate::server::{Answer, Asked};
use crate::world::{TOKEN, World, done, outcomes};

const ALL: &[&str] = &["text", "tables", "forms"];

fn line(page: u32, text: &str) -> Value {
    let place = json!({"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}, "Polygon": []});
    json!({"BlockType": "LINE", "Id": format!("l{page}{text}"), "Page": page, "Text": text, "Confidence": 99.5, "Geometry": place})
}

fn answer_of(pages: u32, blocks: &[Value]) -> Value {
    json!({"JobStatus": "SUCCEEDED", "DocumentMetadata": {"Pages": pages}, "Blocks": blocks})
}

fn part_of(answer: &Value, next: &str) -> Answer {
    let mut answer = answer.clone();
    answer["NextToken"] = next.into();
    Answer::json(&answer)
}

#[tokio::test]
async fn an_image_is_read_at_once() {
    let world =
        World::new("image/png", ALL, |_| Answer::json(&answer_of(1, &[line(1, "Größe")])).engine("ocr 5")).await;
    let findings = done(Textract.start(&world.call()).await.unwrap());
    assert_eq!(outcomes(&findings), [("text", Succeeded), ("tables", Succeeded), ("forms", Succeeded)]);
    assert_eq!((findings.pages, findings.engine.as_str()), (1, "ocr 5"));
    assert!((findings.cost_usd - 0.065).abs() < 1e-9);
    let asked = world.server.body("AnalyzeDocument");
    assert_eq!(asked["Document"]["S3Object"], json!({"Bucket": "raw", "Name": "in/file", "Version": "v7"}));
    assert_eq!(asked["FeatureTypes"], json!(["TABLES", "FORMS"]));
    let mut document = Extraction::default();
    Textract.contribute(&findings, &mut document).unwrap();
    assert_eq!((document.text.as_str(), document.segments[0].confidence), ("Größe", Some(0.995)));
}

/// One white pixel.
fn bitmap() -> Vec<u8> {
    let header = [b"BM".as_slice(), &58_u32.to_le_bytes(), &[0; 4], &54_u32.to_le_bytes(), &40_u32.to_le_bytes()];
    let size = [1_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat();
    [header.concat(), size, vec![1, 0, 24, 0], vec![0; 24], vec![255, 255, 255, 0]].concat()
}

#[tokio::test]
async fn a_bitmap_is_read_from_a_copy() {
    let copy = format!("/extracted/work/run/{TOKEN}.png");
    let put = format!("PUT {copy}");
    let script = move |asked: &Asked| match asked.operation.as_str() {
        "GET /raw/in/file" => Answer::bytes(bitmap()),
        operation if operation == put => Answer::bytes(Vec::new()),
        _ => Answer::json(&answer_of(1, &[line(1, "hello")])),
    };
    let world = World::new("image/bmp", ALL, script).await;
    done(Textract.start(&world.call()).await.unwrap());
    let asked = world.server.body("AnalyzeDocument");
    let copied = json!({"Bucket": "extracted", "Name": copy.trim_start_matches("/extracted/")});
    assert_eq!(asked["Document"]["S3Object"], copied);
}

#[tokio::test]
async fn a_job_that_failed_before_a_redrive_is_started_anew() {
    for (redrives, status, starts) in [(0, "FAILED", 1), (1, "FAILED", 2), (1, "SUCCEEDED", 1)] {
        let script = move |asked: &Asked| match asked.operation.as_str() {
            "StartDocumentAnalysis" => Answer::json(&json!({"JobId": "job"})),
            _ => Answer::json(&json!({"JobStatus": status})),
        };
        let mut world = World::new("application/pdf", ALL, script).await;
        world.redrives = redrives;
        assert!(matches!(Textract.start(&world.call()).await.unwrap(), Started::Running { .. }));
        assert_eq!(world.server.count("StartDocumentAnalysis"), starts, "{redrives} {status}");
    }
}

#[tokio::test]
async fn a_document_that_was_found_encrypted_is_refused_for_that() {
    for (is_encrypted, name) in [(true, FailureName::EncryptedObject), (false, FailureName::ServiceRejected)] {
        let mut world =
            World::new("application/pdf", ALL, |_| Answer::error(400, "UnsupportedDocumentException")).await;
        if is_encrypted {
            world.earlier.metadata.insert("Encrypted".into(), "true".into());
        }
        assert_eq!(Textract.start(&world.call()).await.unwrap_err().name, name);
    }
}

#[tokio::test]
async fn text_alone_is_asked_for_alone() {
    let world = World::new("image/jpeg", &["text"], |_| Answer::json(&answer_of(1, &[]))).await;
    let findings = done(Textract.start(&world.call()).await.unwrap());
    assert_eq!(world.server.asked()[0].operation, "DetectDocumentText");
    assert!((findings.cost_usd - 0.0015).abs() < 1e-9);
}

#[tokio::test]
async fn refusals_have_names() {
    let cases = [
        (400, "ThrottlingException", FailureName::Throttled),
        (400, "ProvisionedThroughputExceededException", FailureName::Throttled),
        (400, "LimitExceededException", FailureName::Throttled),
        (400, "UnsupportedDocumentException", FailureName::ServiceRejected),
        (400, "BadDocumentException", FailureName::ServiceRejected),
        (400, "DocumentTooLargeException", FailureName::ObjectTooLarge),
        (500, "InternalServerError", FailureName::Transient),
    ];
    for (media_type, (status, code, name)) in
        cases.into_iter().flat_map(|case| ["image/png", "application/pdf"].map(|it| (it, case)))
    {
        let world = World::new(media_type, ALL, move |_| Answer::error(status, code)).await;
        assert_eq!(Textract.start(&world.call()).await.unwrap_err().name, name, "{code}");
    }
}

#[tokio::test]
async fn without_an_engine_every_feature_is_unavailable() {
    for media_type in ["image/png", "application/pdf"] {
        let world = World::new(media_type, ALL, |_| Answer::not_available()).await;
        let findings = done(Textract.start(&world.call()).await.unwrap());
        assert_eq!(outcomes(&findings), ALL.iter().map(|feature| (*feature, Unavailable)).collect::<Vec<_>>());
        let mut document = Extraction::default();
        Textract.contribute(&findings, &mut document).unwrap();
        assert_eq!(document, Extraction::default());
    }
}

fn tiff(next: u32) -> Vec<u8> {
    [b"II*\0\x08\0\0\0\x01\0".as_slice(), &[0; 12], &next.to_le_bytes()].concat()
}

/// The same bytes for both ranged reads: the directory is cut out as S3 would.
fn tiff_script(next: u32) -> impl Fn(&Asked) -> Answer + Send + Sync + 'static {
    move |asked: &Asked| match (asked.operation.as_str(), asked.before) {
        ("GET /raw/in/file", 0) => Answer::bytes(tiff(next)),
        ("GET /raw/in/file", _) => Answer::bytes(tiff(next)[8..].to_vec()),
        ("StartDocumentAnalysis", _) => Answer::json(&json!({"JobId": "job-1"})),
        _ => Answer::json(&answer_of(1, &[])),
    }
}

#[tokio::test]
async fn tiffs_of_many_pages_are_jobs() {
    for (next, is_job) in [(0, false), (64, true)] {
        let world = World::new("image/tiff", ALL, tiff_script(next)).await;
        let started = Textract.start(&world.call()).await.unwrap();
        assert_eq!(matches!(started, Started::Running { .. }), is_job);
        assert_eq!(world.server.count("StartDocumentAnalysis"), usize::from(is_job));
    }
}

#[tokio::test]
async fn a_job_carries_the_token_and_every_part_is_followed() {
    let script = |asked: &Asked| match (asked.operation.as_str(), asked.body["NextToken"].as_str()) {
        ("StartDocumentAnalysis", _) => Answer::json(&json!({"JobId": "job-1"})),
        ("GetDocumentAnalysis", _) if asked.before == 0 => Answer::json(&json!({"JobStatus": "IN_PROGRESS"})),
        ("GetDocumentAnalysis", None) => part_of(&answer_of(2, &[line(1, "eins")]), "t1"),
        ("GetDocumentAnalysis", Some("t1")) => part_of(&answer_of(2, &[line(1, "zwei")]), "t2"),
        ("GetDocumentAnalysis", Some("t2")) => Answer::json(&answer_of(2, &[line(2, "drei")])),
        other => panic!("{other:?}"),
    };
    let world = World::new("application/pdf", ALL, script).await;
    let Started::Running { id, expected_seconds } = Textract.start(&world.call()).await.unwrap() else {
        panic!("no job")
    };
    assert_eq!((id.as_str(), expected_seconds), ("job-1", 3));
    let asked = world.server.body("StartDocumentAnalysis");
    assert_eq!((asked["ClientRequestToken"].as_str(), asked["JobTag"].as_str()), (Some(TOKEN), Some(TOKEN)));
    assert!(matches!(Textract.poll(&world.call(), &id).await.unwrap(), Polled::Running));
    let Polled::Done(findings) = Textract.poll(&world.call(), &id).await.unwrap() else { panic!("not done") };
    assert_eq!(findings.pages, 2);
    let mut document = Extraction::default();
    Textract.contribute(&findings, &mut document).unwrap();
    assert_eq!(document.text, "eins\nzwei\ndrei");
}

#[tokio::test]
async fn answers_that_never_end_and_failed_jobs_are_rejected() {
    let looping = |_: &Asked| part_of(&answer_of(1, &[]), "again");
    let failed = |_: &Asked| Answer::json(&json!({"JobStatus": "FAILED", "StatusMessage": "INVALID_IMAGE_TYPE"}));
    let world = World::new("application/pdf", ALL, looping).await;
    assert_eq!(Textract.poll(&world.call(), "j").await.unwrap_err().name, FailureName::ServiceRejected);
    let world = World::new("application/pdf", ALL, failed).await;
    let failure = Textract.poll(&world.call(), "j").await.unwrap_err();
    assert_eq!((failure.name, failure.message.contains("INVALID_IMAGE_TYPE")), (FailureName::ServiceRejected, true));
}

/// A PDF of empty pages, as small as they get.
fn pdf(pages: usize) -> Vec<u8> {
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", page + 3)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{}]/Count {pages}>>", kids.join(" ")),
    ];
    objects.extend(kids.iter().map(|_| "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>".to_owned()));
    let (mut file, mut offsets) = ("%PDF-1.4\n".to_owned(), Vec::new());
    for (number, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        write!(file, "{} 0 obj\n{object}\nendobj\n", number + 1).unwrap();
    }
    let start = file.len();
    let count = objects.len() + 1;
    write!(file, "xref\n0 {count}\n0000000000 65535 f \n").unwrap();
    for offset in offsets {
        writeln!(file, "{offset:010} 00000 n ").unwrap();
    }
    write!(file, "trailer\n<</Size {count}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").unwrap();
    file.into_bytes()
}

fn half_read() -> Extraction {
    let page = |number, start, end| Page { number, start, end, name: None };
    Extraction {
        text: "one\nthree".into(),
        pages: vec![page(1, 0, 3), page(2, 4, 4), page(3, 4, 9)],
        ..Extraction::default()
    }
}

fn pdf_script(bytes: Vec<u8>, answer: Value) -> impl Fn(&Asked) -> Answer + Send + Sync + 'static {
    move |asked: &Asked| match asked.operation.as_str() {
        "GET /raw/in/file" => Answer::bytes(bytes.clone()),
        "StartDocumentAnalysis" => Answer::json(&json!({"JobId": "job-1"})),
        "GetDocumentAnalysis" => Answer::json(&answer),
        _ => Answer::bytes(Vec::new()),
    }
}

async fn read_pdf(bytes: Vec<u8>, answer: Value) -> (World, Extraction) {
    let mut world = World::new("application/pdf", ALL, pdf_script(bytes, answer)).await;
    world.earlier = half_read();
    let started = Textract.start(&world.call()).await.unwrap();
    assert!(matches!(started, Started::Running { .. }));
    let Polled::Done(findings) = Textract.poll(&world.call(), "job-1").await.unwrap() else { panic!("not done") };
    let mut document = world.earlier.clone();
    Textract.contribute(&findings, &mut document).unwrap();
    (world, document)
}

#[tokio::test]
async fn only_pages_without_text_are_sent_and_come_back_in_their_place() {
    let (world, document) = read_pdf(pdf(3), answer_of(1, &[line(1, "two")])).await;
    assert_eq!(document.text, "one\ntwo\nthree");
    let work = format!("PUT /extracted/work/run/{TOKEN}.pdf");
    assert!(world.server.body(&work).as_str().unwrap().contains("/Count 1"));
    let location = &world.server.body("StartDocumentAnalysis")["DocumentLocation"]["S3Object"];
    assert_eq!(*location, json!({"Bucket": "extracted", "Name": format!("work/run/{TOKEN}.pdf")}));
}

#[tokio::test]
async fn a_pdf_that_cannot_be_taken_apart_is_sent_whole() {
    let answer = answer_of(3, &[line(1, "scan of one"), line(2, "two"), line(3, "scan of three")]);
    let (world, document) = read_pdf(b"%PDF-1.4 and then nothing".to_vec(), answer).await;
    assert_eq!(document.text, "one\ntwo\nthree");
    assert_eq!(world.server.body("StartDocumentAnalysis")["DocumentLocation"]["S3Object"]["Name"], "in/file");
}

#[tokio::test]
async fn a_pdf_with_text_on_every_page_is_skipped_without_a_call() {
    let mut world = World::new("application/pdf", ALL, |asked| panic!("{asked:?}")).await;
    world.earlier = half_read();
    world.earlier.pages.remove(1);
    let findings = done(Textract.start(&world.call()).await.unwrap());
    assert_eq!((findings.skipped.as_deref(), world.server.asked().len()), (Some("every page has text"), 0));
}

#[tokio::test]
async fn more_pages_than_a_job_takes_are_refused_without_a_call() {
    let mut world = World::new("application/pdf", ALL, |asked| panic!("{asked:?}")).await;
    world.earlier.pages = (1..=3_001).map(|number| Page { number, ..Page::default() }).collect();
    assert_eq!(Textract.start(&world.call()).await.unwrap_err().name, FailureName::ObjectTooLarge);
}

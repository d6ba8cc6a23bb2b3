use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engines::geometry::Bounds;
use engines::ocr::{Line, Page, Word};
use serde_json::{Value, json};

use super::*;
use crate::ai::fixture::Fixture;

/// A white PNG: one deflate block stored without compression for each row's worth of bytes.
fn png(side: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        let body = [kind.as_slice(), data].concat();
        [length.as_slice(), &body, &crc(&body).to_be_bytes()].concat()
    };
    let row: Vec<u8> = std::iter::once(0).chain(std::iter::repeat_n(255, side as usize)).collect();
    let pixels: Vec<u8> = (0..side).flat_map(|_| row.clone()).collect();
    let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &header), &chunk(b"IDAT", &zlib(&pixels)), &chunk(b"IEND", &[])]
        .concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x78, 0x01];
    let parts: Vec<&[u8]> = bytes.chunks(60_000).collect();
    for (index, part) in parts.iter().enumerate() {
        let length = u16::try_from(part.len()).unwrap();
        file.push(u8::from(index + 1 == parts.len()));
        file.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        file.extend_from_slice(part);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    file.extend((b << 16 | a).to_be_bytes());
    file
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

async fn ask(fixture: &Fixture, operation: &str, body: Value) -> Result<Value, ServiceError> {
    handle(&fixture.media, operation, body).await.map(|reply| reply.body)
}

fn image(bytes: &[u8]) -> Value {
    json!({"Image": {"Bytes": STANDARD.encode(bytes)}})
}

#[tokio::test]
async fn an_empty_picture_has_no_faces_and_no_text() {
    let fixture = Fixture::new("[]").await;
    let faces = handle(&fixture.media, "DetectFaces", image(&png(100))).await.unwrap();
    assert_eq!((faces.body, faces.engine.as_deref()), (json!({"FaceDetails": []}), Some(faces::ENGINE)));
    fixture.put("white.png", png(100)).await;
    let body = json!({"Image": {"S3Object": {"Bucket": "raw", "Name": "white.png"}}});
    assert_eq!(ask(&fixture, "DetectText", body).await.unwrap()["TextDetections"], json!([]));
}

#[tokio::test]
async fn what_aws_would_refuse_is_refused() {
    let fixture = Fixture::new("[]").await;
    let mut damaged = png(100);
    damaged.truncate(60);
    let s3 = json!({"Image": {"S3Object": {"Bucket": "raw", "Name": "missing.png"}}});
    let table = [
        (image(b"GIF89a and so on"), "InvalidImageFormatException"),
        (image(b"text"), "InvalidImageFormatException"),
        (image(&damaged), "InvalidImageFormatException"),
        (image(&png(79)), "InvalidParameterException"),
        (image(&vec![0; (5 << 20) + 1]), "ImageTooLargeException"),
        (json!({"Image": {}}), "InvalidParameterException"),
        (json!({"Image": {"Bytes": "%%%"}}), "SerializationException"),
        (s3, "InvalidS3ObjectException"),
    ];
    for (body, code) in table {
        for operation in ["DetectFaces", "DetectText"] {
            assert_eq!(ask(&fixture, operation, body.clone()).await.unwrap_err().code, code, "{operation}");
        }
    }
    let mut body = image(&png(100));
    body["Attributes"] = json!(["EVERYTHING"]);
    assert_eq!(ask(&fixture, "DetectFaces", body).await.unwrap_err().code, "InvalidParameterException");
}

#[tokio::test]
async fn what_no_engine_here_does_is_named() {
    let fixture = Fixture::new("[]").await;
    for operation in ["DetectLabels", "DetectModerationLabels", "RecognizeCelebrities", "StartLabelDetection"] {
        let error = ask(&fixture, operation, image(&png(100))).await.unwrap_err();
        assert_eq!((error.status, error.code.as_ref()), (501, "NotAvailableLocally"));
        assert!(error.message.contains(operation), "{}", error.message);
    }
}

fn page(words: u32) -> Page {
    let word = |index: u32| Word {
        text: format!("w{index}"),
        confidence: if index == 0 { 0.4 } else { 0.9 },
        bounds: Bounds { left: f64::from(index) / f64::from(words), top: 0.0, width: 0.001, height: 0.1 },
    };
    let line = Line { first_word: 0, word_count: words as usize, bounds: Bounds::WHOLE };
    Page {
        number: 1,
        width: 1,
        height: 1,
        words: (0..words).map(word).collect(),
        lines: vec![line],
        tables: vec![],
        fields: vec![],
    }
}

fn filters(filters: Value) -> request::Filters {
    serde_json::from_value(filters).unwrap()
}

#[test]
fn words_name_their_line() {
    let detections = text::detections(&page(2), &request::Filters::default());
    let shown: Vec<Value> =
        detections.iter().map(|it| json!([it["Type"], it["Id"], it["ParentId"], it["DetectedText"]])).collect();
    assert_eq!(shown, [json!(["LINE", 0, null, "w0 w1"]), json!(["WORD", 1, 0, "w0"]), json!(["WORD", 2, 0, "w1"])]);
}

#[test]
fn filters_and_the_limit_of_words_hold() {
    let sure = filters(json!({"WordFilter": {"MinConfidence": 50}}));
    assert_eq!(text::detections(&page(2), &sure)[0]["DetectedText"], "w1");
    let left =
        filters(json!({"RegionsOfInterest": [{"BoundingBox": {"Left": 0, "Top": 0, "Width": 0.3, "Height": 1}}]}));
    assert_eq!(text::detections(&page(2), &left)[0]["DetectedText"], "w0");
    assert_eq!(text::detections(&page(200), &request::Filters::default()).len(), 101);
}

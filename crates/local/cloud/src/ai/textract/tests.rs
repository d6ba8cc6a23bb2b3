use engines::geometry::Bounds;
use engines::ocr::{Cell, Field, Line, Page, Table, Word};
use serde_json::{Value, json};

use super::*;
use crate::ai::fixture::{Fixture, pdf, until};

const NOTHING: &str = "[]";

async fn ask(fixture: &Fixture, operation: &str, body: Value) -> Result<Value, ServiceError> {
    handle(&fixture.media, operation, body).await.map(|reply| reply.body)
}

fn object(key: &str) -> Value {
    json!({"S3Object": {"Bucket": "raw", "Name": key}})
}

async fn ended(fixture: &Fixture, operation: &str, id: &Value) -> Value {
    until(
        || ask(fixture, operation, json!({"JobId": id, "MaxResults": 2})),
        |answer| answer["JobStatus"] == "IN_PROGRESS",
    )
    .await
}

fn texts<'a>(blocks: &'a [Value], kind: &str) -> Vec<&'a str> {
    blocks.iter().filter(|block| block["BlockType"] == kind).filter_map(|block| block["Text"].as_str()).collect()
}

/// Words `w0` … in one line, a table of two rows and columns whose first row spans, and a field.
fn page() -> Page {
    let bounds = |index: u32| Bounds { left: f64::from(index) / 10.0, top: 0.1, width: 0.1, height: 0.1 };
    let words: Vec<Word> =
        (0..5).map(|index| Word { text: format!("w{index}"), confidence: 0.5, bounds: bounds(index) }).collect();
    let cell = |row, column, column_span, word: u32| Cell {
        row,
        column,
        column_span,
        words: vec![word as usize],
        bounds: bounds(word),
    };
    Page {
        number: 3,
        width: 100,
        height: 100,
        lines: vec![Line { first_word: 0, word_count: 5, bounds: Bounds::WHOLE }],
        tables: vec![Table {
            rows: 2,
            columns: 2,
            bounds: Bounds::WHOLE,
            cells: vec![cell(0, 0, 2, 0), cell(1, 0, 1, 1)],
        }],
        fields: vec![Field { label: vec![2], label_bounds: bounds(2), value: vec![3, 4], value_bounds: bounds(3) }],
        words,
    }
}

fn of_type<'a>(blocks: &'a [Value], kind: &'a str) -> Vec<&'a Value> {
    blocks.iter().filter(|block| block["BlockType"] == kind).collect()
}

fn related<'a>(blocks: &'a [Value], block: &Value, kind: &str) -> Vec<&'a Value> {
    let lists = block["Relationships"].as_array().into_iter().flatten().filter(|list| list["Type"] == kind);
    let ids = lists.flat_map(|list| list["Ids"].as_array().unwrap());
    ids.map(|id| blocks.iter().find(|block| block["Id"] == *id).expect("every id has its block")).collect()
}

#[test]
fn blocks_make_a_graph_without_loose_ends() {
    let blocks = blocks::of_page(&page(), Features { tables: true, forms: true });
    for block in &blocks {
        for kind in ["CHILD", "VALUE", "MERGED_CELL"] {
            let _each_is_found = related(&blocks, block, kind);
        }
        assert_eq!(block["Page"], 3);
    }
    assert_eq!(blocks[0]["BlockType"], "PAGE");
    let table = of_type(&blocks, "TABLE")[0];
    let cells = related(&blocks, table, "CHILD");
    let places: Vec<_> =
        cells.iter().map(|cell| (cell["RowIndex"].as_u64().unwrap(), cell["ColumnIndex"].as_u64().unwrap())).collect();
    assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2)]);
    let merged = related(&blocks, table, "MERGED_CELL");
    assert_eq!((merged.len(), &merged[0]["ColumnSpan"]), (1, &json!(2)));
    assert_eq!(related(&blocks, merged[0], "CHILD").len(), 2);
    let key = of_type(&blocks, "KEY_VALUE_SET")[0];
    let value = related(&blocks, key, "VALUE")[0];
    assert_eq!(
        related(&blocks, value, "CHILD").iter().map(|word| word["Text"].clone()).collect::<Vec<_>>(),
        ["w3", "w4"]
    );
    assert_eq!((&key["EntityTypes"], &value["EntityTypes"]), (&json!(["KEY"]), &json!(["VALUE"])));
}

#[test]
fn only_what_was_asked_for_is_there() {
    let blocks = blocks::of_page(&page(), Features::default());
    assert!(of_type(&blocks, "TABLE").is_empty() && of_type(&blocks, "KEY_VALUE_SET").is_empty());
    assert_eq!(texts(&blocks, "LINE"), ["w0 w1 w2 w3 w4"]);
    assert_eq!(of_type(&blocks, "WORD")[0]["Confidence"], 50.0);
}

#[tokio::test]
async fn a_page_is_read_at_once_from_bytes_and_from_s3() {
    use base64::Engine as _;
    let fixture = Fixture::new(NOTHING).await;
    let file = pdf(&["Invoice Number: 4711"]);
    let bytes = json!({"Bytes": base64::engine::general_purpose::STANDARD.encode(&file)});
    fixture.put("invoice.pdf", file).await;
    for document in [bytes, object("invoice.pdf")] {
        let reply = handle(&fixture.media, "AnalyzeDocument", json!({"Document": document, "FeatureTypes": ["FORMS"]}))
            .await
            .unwrap();
        assert!(reply.engine.as_deref().unwrap().starts_with("tesseract "), "{:?}", reply.engine);
        let blocks = reply.body["Blocks"].as_array().unwrap();
        assert_eq!(texts(blocks, "LINE"), ["Invoice Number: 4711"]);
        assert_eq!(of_type(blocks, "KEY_VALUE_SET").len(), 2);
    }
}

#[tokio::test]
async fn a_job_reads_every_page_and_gives_them_in_parts() {
    let fixture = Fixture::new(NOTHING).await;
    fixture.put("two.pdf", pdf(&["First page here", "Second page here"])).await;
    let started =
        ask(&fixture, "StartDocumentTextDetection", json!({"DocumentLocation": object("two.pdf")})).await.unwrap();
    let id = &started["JobId"];
    let mut part = ended(&fixture, "GetDocumentTextDetection", id).await;
    assert_eq!((&part["JobStatus"], &part["DocumentMetadata"]["Pages"]), (&json!("SUCCEEDED"), &json!(2)), "{part}");
    let mut blocks = Vec::new();
    while let Some(next) = part.get("NextToken") {
        assert_eq!(part["Blocks"].as_array().unwrap().len(), 2);
        blocks.extend(part["Blocks"].as_array().unwrap().clone());
        part = ask(&fixture, "GetDocumentTextDetection", json!({"JobId": id, "MaxResults": 2, "NextToken": next}))
            .await
            .unwrap();
    }
    blocks.extend(part["Blocks"].as_array().unwrap().clone());
    assert_eq!(texts(&blocks, "LINE"), ["First page here", "Second page here"]);
    assert_eq!(of_type(&blocks, "PAGE").len(), 2);
    // A job is known to the operation of its own kind only, and tokens are known to their own job.
    assert_eq!(
        ask(&fixture, "GetDocumentAnalysis", json!({"JobId": id})).await.unwrap_err().code,
        "InvalidJobIdException"
    );
    for nonsense in ["x".to_owned(), super::super::token::seal(&("other", 0)), super::super::token::seal(&(id, 5))] {
        let error =
            ask(&fixture, "GetDocumentTextDetection", json!({"JobId": id, "NextToken": nonsense})).await.unwrap_err();
        assert_eq!(error.code, "InvalidParameterException");
    }
}

#[tokio::test]
async fn a_token_starts_one_job_and_never_another() {
    let fixture = Fixture::new(NOTHING).await;
    fixture.put("a.pdf", pdf(&["A page"])).await;
    fixture.put("b.pdf", pdf(&["B page"])).await;
    let body = |key: &str| json!({"DocumentLocation": object(key), "ClientRequestToken": "run-1_x", "FeatureTypes": ["TABLES"]});
    let first = ask(&fixture, "StartDocumentAnalysis", body("a.pdf")).await.unwrap();
    assert_eq!(ask(&fixture, "StartDocumentAnalysis", body("a.pdf")).await.unwrap(), first);
    let error = ask(&fixture, "StartDocumentAnalysis", body("b.pdf")).await.unwrap_err();
    assert_eq!(error.code, "IdempotentParameterMismatchException");
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    let fixture = Fixture::new(NOTHING).await;
    fixture.put("text", b"plain text".to_vec()).await;
    fixture.put("two.pdf", pdf(&["First", "Second"])).await;
    fixture.put("damaged.png", b"\x89PNG\r\n\x1a\n and nothing else".to_vec()).await;
    fixture.put("large.png", vec![0; (10 << 20) + 1]).await;
    let table = [
        ("text", "UnsupportedDocumentException"),
        ("two.pdf", "UnsupportedDocumentException"),
        ("damaged.png", "BadDocumentException"),
        ("large.png", "DocumentTooLargeException"),
        ("missing", "InvalidS3ObjectException"),
    ];
    for (key, code) in table {
        assert_eq!(
            ask(&fixture, "DetectDocumentText", json!({"Document": object(key)})).await.unwrap_err().code,
            code,
            "{key}"
        );
    }
    let started =
        ask(&fixture, "StartDocumentTextDetection", json!({"DocumentLocation": object("damaged.png")})).await.unwrap();
    let job = ended(&fixture, "GetDocumentTextDetection", &started["JobId"]).await;
    assert_eq!(job["JobStatus"], "FAILED", "{job}");
}

#[tokio::test]
async fn requests_are_checked_and_what_is_lacking_is_named() {
    let fixture = Fixture::new(NOTHING).await;
    let document = object("x.png");
    let table = [
        (json!({"Document": document}), 400),
        (json!({"Document": document, "FeatureTypes": []}), 400),
        (json!({"Document": document, "FeatureTypes": ["TABELS"]}), 400),
        (json!({"Document": {}, "FeatureTypes": ["TABLES"]}), 400),
        (json!({"Document": document, "FeatureTypes": ["QUERIES"]}), 501),
        (json!({"Document": document, "FeatureTypes": ["TABLES"], "AdaptersConfig": {}}), 501),
    ];
    for (body, status) in table {
        assert_eq!(ask(&fixture, "AnalyzeDocument", body.clone()).await.unwrap_err().status, status, "{body}");
    }
    assert_eq!(ask(&fixture, "AnalyzeExpense", json!({})).await.unwrap_err().code, "NotAvailableLocally");
    let start = json!({"DocumentLocation": document, "ClientRequestToken": "a b"});
    assert_eq!(ask(&fixture, "StartDocumentTextDetection", start).await.unwrap_err().code, "InvalidParameterException");
    assert_eq!(
        ask(&fixture, "GetDocumentAnalysis", json!({"JobId": "none"})).await.unwrap_err().code,
        "InvalidJobIdException"
    );
}

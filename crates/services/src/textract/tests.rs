//! From blocks to text, tables and forms, and of weaving recognised pages into a document.

use std::collections::BTreeMap;

use aws_sdk_textract::types;
use domain::extraction::{Cell, Entity, Page, Segment};
use domain::media::Family;
use serde_json::{Value, json};

use super::*;

fn findings(raw: Value) -> Findings {
    let features = vec![FeatureOutcome { feature: TEXT.into(), outcome: Outcome::Succeeded, reason: None }];
    Findings { engine: "aws".into(), pages: 1, cost_usd: 0.0, features, skipped: None, raw }
}

fn contribute(raw: Value, document: &mut Extraction) {
    Textract.contribute(&findings(raw), document).unwrap();
    assert_spans(document);
}

/// Every span lies in the text, and pages follow one another.
fn assert_spans(document: &Extraction) {
    let end = document.text_chars();
    let pages = document.pages.iter().map(|it| (it.start, it.end));
    let segments = document.segments.iter().map(|it| (it.start, it.end));
    for (from, to) in pages.chain(segments) {
        assert!(from <= to && to <= end, "{from}..{to} of {end}");
    }
}

fn slice(document: &Extraction, start: u64, end: u64) -> String {
    let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
    document.text.chars().skip(start).take(end - start).collect()
}

fn page_texts(document: &Extraction) -> Vec<(u32, String)> {
    document.pages.iter().map(|page| (page.number, slice(document, page.start, page.end))).collect()
}

fn line(page: u32, text: &str, confidence: f64) -> Value {
    let place = json!({"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.5, "Height": 0.05}});
    json!({"BlockType": "LINE", "Page": page, "Text": text, "Confidence": confidence, "Geometry": place})
}

fn page(number: u32) -> Value {
    json!({"BlockType": "PAGE", "Page": number})
}

#[test]
fn lines_of_an_image_are_its_text() {
    let mut document = Extraction::default();
    contribute(
        json!({"Pages": 1, "Blocks": [page(1), line(1, "Größe: 5 €", 99.5), line(1, "日本語", 80.0)]}),
        &mut document,
    );
    assert_eq!(document.text, "Größe: 5 €\n日本語");
    assert_eq!(page_texts(&document), [(1, "Größe: 5 €\n日本語".to_owned())]);
    let words: Vec<_> = document.segments.iter().map(|it| slice(&document, it.start, it.end)).collect();
    assert_eq!(words, ["Größe: 5 €", "日本語"]);
    let first = &document.segments[0];
    assert_eq!((first.page, first.confidence, first.place.unwrap().width), (Some(1), Some(0.995), 0.5));
    assert!(document.warnings.is_empty());
}

#[test]
fn text_goes_behind_what_an_image_said_before() {
    let mut document = Extraction { text: "QR".into(), ..Extraction::default() };
    contribute(json!({"Pages": 2, "Blocks": [line(1, "one", 90.0), line(2, "two", 90.0)]}), &mut document);
    assert_eq!(document.text, "QR\none\ntwo");
    assert_eq!(page_texts(&document), [(1, "one".to_owned()), (2, "two".to_owned())]);
}

/// Four pages, of which the second and the third have no text.
fn half_read() -> Extraction {
    Extraction {
        text: "first é\n\nlast".into(),
        pages: vec![
            Page { number: 1, start: 0, end: 7, name: None },
            Page { number: 2, start: 8, end: 8, name: None },
            Page { number: 3, start: 8, end: 8, name: Some("blank".into()) },
            Page { number: 4, start: 9, end: 13, name: None },
        ],
        segments: vec![Segment { start: 9, end: 13, page: Some(4), ..Segment::default() }],
        entities: vec![Entity { start: 6, end: 7, kind: "OTHER".into(), text: "é".into(), confidence: 1.0 }],
        ..Extraction::default()
    }
}

#[test]
fn pages_without_text_get_theirs_and_all_spans_stay_right() {
    let mut document = half_read();
    let blocks = json!([page(1), line(1, "zweite Säite", 90.0), line(1, "Ende", 90.0), page(2), line(2, "3️⃣", 90.0)]);
    contribute(json!({"Pages": 2, "PageMap": [2, 3], "Blocks": blocks}), &mut document);
    let expected = [(1, "first é"), (2, "zweite Säite\nEnde"), (3, "3️⃣"), (4, "last")]
        .map(|(number, text)| (number, text.to_owned()));
    assert_eq!(page_texts(&document), expected);
    assert_eq!(document.text, "first é\nzweite Säite\nEnde\n3️⃣\nlast");
    let segments: Vec<_> =
        document.segments.iter().map(|it| (it.page.unwrap(), slice(&document, it.start, it.end))).collect();
    let expected =
        [(2, "zweite Säite"), (2, "Ende"), (3, "3️⃣"), (4, "last")].map(|(number, text)| (number, text.to_owned()));
    assert_eq!(segments, expected);
    assert_eq!(slice(&document, document.entities[0].start, document.entities[0].end), "é");
    assert_eq!(document.pages[2].name.as_deref(), Some("blank"));
}

#[test]
fn pages_with_text_keep_their_own_words() {
    let mut document = half_read();
    let blocks =
        json!([line(1, "scan of first", 90.0), line(2, "second", 90.0), page(3), line(4, "scan of last", 90.0)]);
    contribute(json!({"Pages": 4, "Blocks": blocks}), &mut document);
    let texts: Vec<_> = page_texts(&document).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["first é", "second", "", "last"]);
    assert_eq!(document.segments.len(), 2);
}

/// Weaves into every choice of empty pages and checks that no page's text moves or changes.
#[test]
fn weaving_keeps_every_page_whatever_pages_are_empty() {
    for (mask, separator) in (0_u32..32).flat_map(|mask| ["\n", "\u{c}", " ", ""].map(|separator| (mask, separator))) {
        let mut document = Extraction::default();
        let mut texts = BTreeMap::new();
        for number in 1..=5_u32 {
            let start = document.text_chars();
            if mask & (1 << (number - 1)) == 0 {
                document.text.extend(['P', char::from_digit(number, 10).unwrap(), 'ß']);
            } else {
                texts.insert(number, format!("N{number}ü"));
            }
            document.pages.push(Page { number, start, end: document.text_chars(), name: None });
            document.text.push_str(separator);
        }
        let starts = weave::weave(&mut document, &texts);
        assert_eq!(starts.len(), texts.len());
        assert_spans(&document);
        for (number, text) in page_texts(&document) {
            let expected = texts.get(&number).cloned().unwrap_or_else(|| format!("P{number}ß"));
            assert_eq!(text, expected, "mask {mask}, separator {separator:?}: {:?}", document.text);
        }
        let in_order: Vec<_> = (1..=5).map(|number| document.text.find(&number.to_string()).unwrap()).collect();
        assert!(in_order.is_sorted(), "{:?}", document.text);
    }
}

fn block(id: &str, kind: &str, more: &Value) -> Value {
    let mut block = json!({"Id": id, "BlockType": kind, "Page": 1, "Confidence": 90.0});
    for (name, value) in more.as_object().unwrap() {
        block[name.as_str()] = value.clone();
    }
    block
}

fn related(kind: &str, ids: &[&str]) -> Value {
    json!({"Type": kind, "Ids": ids})
}

fn cell(id: &str, row: u32, column: u32, words: &[&str]) -> Value {
    block(
        id,
        "CELL",
        &json!({"RowIndex": row, "ColumnIndex": column, "RowSpan": 1, "ColumnSpan": 1, "Relationships": [related("CHILD", words)]}),
    )
}

#[test]
fn tables_have_cells_with_spans() {
    let word = |id: &str, text: &str| block(id, "WORD", &json!({"Text": text}));
    let table = block(
        "t",
        "TABLE",
        &json!({"Relationships": [related("CHILD", &["c1", "c2", "c3", "c4", "gone"]), related("MERGED_CELL", &["m"])]}),
    );
    let merged = block(
        "m",
        "MERGED_CELL",
        &json!({"RowIndex": 1, "ColumnIndex": 1, "RowSpan": 1, "ColumnSpan": 2, "Relationships": [related("CHILD", &["c1", "c2"])]}),
    );
    let tick = block("s", "SELECTION_ELEMENT", &json!({"SelectionStatus": "SELECTED"}));
    let cells = [
        cell("c1", 1, 1, &["w1", "w2"]),
        cell("c2", 1, 2, &[]),
        cell("c3", 2, 1, &["s"]),
        cell("c4", 2, 2, &["w3", "gone"]),
    ];
    let mut blocks = vec![table, merged, tick, word("w1", "Sum"), word("w2", "total"), word("w3", "7,5")];
    blocks.extend(cells);
    let mut document = Extraction::default();
    contribute(json!({"Pages": 1, "Blocks": blocks}), &mut document);
    let table = &document.tables[0];
    assert_eq!((table.page, table.rows, table.columns), (Some(1), 2, 2));
    let single = Cell { row_span: 1, column_span: 1, confidence: Some(0.9), ..Cell::default() };
    let expected = [
        Cell { row: 1, column: 1, text: "Sum total".into(), column_span: 2, ..single.clone() },
        Cell { row: 2, column: 1, text: "SELECTED".into(), ..single.clone() },
        Cell { row: 2, column: 2, text: "7,5".into(), ..single },
    ];
    assert_eq!(table.cells, expected);
}

#[test]
fn forms_pair_labels_with_values() {
    let blocks = json!([
        block(
            "k",
            "KEY_VALUE_SET",
            &json!({"EntityTypes": ["KEY"], "Relationships": [related("VALUE", &["v"]), related("CHILD", &["w1", "w2"])]})
        ),
        block("v", "KEY_VALUE_SET", &json!({"EntityTypes": ["VALUE"], "Relationships": [related("CHILD", &["w3"])]})),
        block("e", "KEY_VALUE_SET", &json!({"EntityTypes": ["KEY"], "Relationships": [related("CHILD", &["w2"])]})),
        block("w1", "WORD", &json!({"Text": "Your"})),
        block("w2", "WORD", &json!({"Text": "name:"})),
        block("w3", "WORD", &json!({"Text": "Zoë"})),
    ]);
    let mut document = Extraction::default();
    contribute(json!({"Pages": 1, "PageMap": [9], "Blocks": blocks}), &mut document);
    let fields: Vec<_> =
        document.forms.iter().map(|it| (it.key.as_str(), it.value.as_str(), it.page, it.confidence)).collect();
    assert_eq!(fields, [("Your name:", "Zoë", Some(9), 0.9), ("name:", "", Some(9), 0.9)]);
}

#[test]
fn missing_pages_are_named_by_the_files_numbers() {
    let mut document = half_read();
    let warnings = json!([{"ErrorCode": "INTERNAL_ERROR", "Pages": [1]}]);
    contribute(
        json!({"Pages": 2, "PageMap": [2, 3], "Blocks": [page(1)], "Warnings": warnings, "Truncated": true}),
        &mut document,
    );
    assert_eq!(document.warnings.len(), 3);
    assert_eq!(
        document.warnings[..2],
        ["textract did not read page 2 (INTERNAL_ERROR)", "textract did not read page 3 (no answer)"]
    );
}

#[test]
fn odd_answers_do_no_harm() {
    let cases = [
        json!({"Pages": u32::MAX, "Blocks": []}),
        json!({"Pages": 1, "PageMap": [u32::MAX, 0], "Blocks": [line(1, "x", 50.0), line(0, "y", 50.0), line(2, "z", 50.0)]}),
        json!({"Blocks": [block("t", "TABLE", &json!({"Relationships": [related("CHILD", &["t", "c"])]})), cell("c", u32::MAX, 0, &["c"])]}),
        json!({"Blocks": [{"BlockType": "LINE"}, {}]}),
    ];
    for raw in cases {
        let mut document = half_read();
        document.pages[3].end = 99;
        Textract.contribute(&findings(raw), &mut document).unwrap();
    }
    let mut document = Extraction::default();
    contribute(Value::Null, &mut document);
    assert_eq!(document, Extraction::default());
    let wrong = Textract.contribute(&findings(json!({"Blocks": 7})), &mut document);
    assert_eq!(wrong.unwrap_err().name, FailureName::Internal);
}

fn sdk_block(kind: types::BlockType, page: i32, id: &str, child: &[&str]) -> types::Block {
    let relationship = types::Relationship::builder()
        .r#type(types::RelationshipType::Child)
        .set_ids(Some(child.iter().map(ToString::to_string).collect()));
    types::Block::builder().block_type(kind).page(page).id(id).text(id).relationships(relationship.build()).build()
}

#[test]
fn only_the_words_of_cells_and_fields_are_kept() {
    use types::BlockType::{Cell, KeyValueSet, LayoutText, Line, Page, Table, Word};
    let mut thinner = blocks::Thinner::default();
    let first = [
        sdk_block(Page, 1, "p1", &["l1"]),
        sdk_block(Line, 1, "l1", &["w1", "w2"]),
        sdk_block(Word, 1, "w1", &[]),
        sdk_block(Word, 1, "w2", &[]),
        sdk_block(LayoutText, 1, "x", &["l1"]),
    ];
    let second = [
        sdk_block(Table, 1, "t1", &["c1"]),
        sdk_block(Cell, 1, "c1", &["w2"]),
        sdk_block(Page, 2, "p2", &[]),
        sdk_block(Word, 2, "w3", &[]),
        sdk_block(KeyValueSet, 2, "k1", &["w3"]),
    ];
    thinner.add(&first);
    thinner.add(&second);
    let (kept, truncated) = thinner.finish();
    let texts: Vec<_> = kept.iter().filter_map(|block| block.text.as_deref()).collect();
    assert_eq!(texts, ["p1", "l1", "w2", "t1", "c1", "p2", "w3", "k1"]);
    assert!(!truncated && kept[1].relationships.is_empty());
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
fn only_pages_without_text_are_sent() {
    let pages = |spans: &[(u64, u64)]| {
        let page = |(number, (start, end)): (u32, &(u64, u64))| Page { number, start: *start, end: *end, name: None };
        Extraction { pages: (1..).zip(spans).map(page).collect(), ..Extraction::default() }
    };
    let pdf = subject("application/pdf", 1);
    let cases = [
        (pages(&[]), Scope::Whole { pages: None }),
        (pages(&[(0, 3), (3, 9)]), Scope::Nothing),
        (pages(&[(0, 0), (0, 0)]), Scope::Whole { pages: Some(2) }),
        (pages(&[(0, 3), (3, 3), (3, 3), (3, 9)]), Scope::Pages(vec![2, 3])),
    ];
    for (earlier, expected) in cases {
        assert_eq!(scope(&pdf, &earlier), expected);
    }
    assert_eq!(scope(&subject("image/png", 1), &pages(&[(0, 3)])), Scope::Whole { pages: None });
}

#[test]
fn the_number_of_pages_tells_what_was_sent() {
    let raw = |pages| Raw { pages, ..Raw::default() };
    assert_eq!(scope::page_map(&raw(2), vec![2, 5]), [2, 5]);
    assert!(scope::page_map(&raw(6), vec![2, 5]).is_empty());
}

#[test]
fn limits_are_checked_before_anything_is_spent() {
    let task = Task { service: "textract".into(), features: Vec::new() };
    let cases = [
        ("image/png", NOW_LIMIT_BYTES, None),
        ("image/jpeg", NOW_LIMIT_BYTES + 1, Some(FailureName::ObjectTooLarge)),
        ("image/tiff", NOW_LIMIT_BYTES + 1, None),
        ("application/pdf", JOB_LIMIT_BYTES, None),
        ("application/pdf", JOB_LIMIT_BYTES + 1, Some(FailureName::ObjectTooLarge)),
        ("image/heic", 1, Some(FailureName::UnsupportedMedia)),
    ];
    for (media_type, size_bytes, refused) in cases {
        let subject = subject(media_type, size_bytes);
        assert_eq!(Textract.check(&subject, &task).err().map(|failure| failure.name), refused, "{media_type}");
        assert_eq!(Textract.place(&subject).is_some(), media_type != "image/heic");
    }
}

#[test]
fn tiff_directories_are_followed_by_none_or_more() {
    let directory = |next: u32| [&2_u16.to_le_bytes()[..], &[0; 24], &next.to_le_bytes()].concat();
    let (order, offset) = tiff::header(b"II*\0\x10\0\0\0").unwrap();
    assert_eq!((order, offset), (tiff::ByteOrder::Little, 16));
    assert_eq!(tiff::header(b"MM\0*\0\0\x01\0"), Some((tiff::ByteOrder::Big, 256)));
    for head in [&b"MM\0+\0\x08\0\0"[..], b"II*\0", b""] {
        assert_eq!(tiff::header(head), None);
    }
    assert_eq!(tiff::is_last(order, &directory(0)), Some(true));
    assert_eq!(tiff::is_last(order, &directory(4096)), Some(false));
    assert_eq!(tiff::is_last(order, &directory(0)[..20]), None);
    assert_eq!(tiff::is_last(order, b"\xFF\xFF\0\0"), None);
}

#[test]
fn tables_and_forms_cost_more_than_text() {
    use types::FeatureType::{Forms, Tables};
    let cases = [
        (Kind::Detection, 0.0015),
        (Kind::Analysis(vec![Tables]), 0.015),
        (Kind::Analysis(vec![Tables, Forms]), 0.065),
    ];
    for (kind, usd) in cases {
        assert!((page_usd(&kind) - usd).abs() < 1e-9);
    }
}

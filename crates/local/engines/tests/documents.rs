//! The text engine as a whole: a PDF is drawn by poppler and read by tesseract.

use std::path::{Path, PathBuf};

use engines::ocr::document::{Kind, inspect, read_page};
use engines::ocr::{Ocr, OcrError};
use engines::picture::to_pgm;

/// A PDF of one page with text at places given in points from the lower left corner; its cross
/// references are left for poppler to mend.
fn pdf(texts: &[(u32, u32, &str)]) -> String {
    let drawn: Vec<String> =
        texts.iter().map(|(x, y, text)| format!("BT /F1 18 Tf {x} {y} Td ({text}) Tj ET\n")).collect();
    let drawn = drawn.concat();
    let font = "<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>";
    format!(
        "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
         3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources{font}>>\nendobj\n\
         4 0 obj\n<</Length {}>>\nstream\n{drawn}\nendstream\nendobj\ntrailer<</Root 1 0 R>>\n",
        drawn.len()
    )
}

fn written(directory: &Path, bytes: impl AsRef<[u8]>) -> PathBuf {
    let file = directory.join("document");
    std::fs::write(&file, bytes).expect("a file");
    file
}

#[test]
fn text_fields_and_tables_of_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let texts = [
        (72, 700, "Order Number: 4711"),
        (72, 600, "Item"),
        (250, 600, "Count"),
        (430, 600, "Price"),
        (72, 570, "Pears"),
        (250, 570, "12"),
        (430, 570, "3.40"),
        (72, 540, "Apples"),
        (250, 540, "25"),
        (430, 540, "6.10"),
    ];
    let file = written(directory.path(), pdf(&texts));
    let ocr = Ocr::open(directory.path()).unwrap();
    assert_eq!(inspect(&file, directory.path()).unwrap(), Kind::Pdf(1));
    let page = read_page(&ocr, &file, Kind::Pdf(1), 1).unwrap();
    let fields: Vec<_> =
        page.fields.iter().map(|field| (page.text_of_words(&field.label), page.text_of_words(&field.value))).collect();
    assert_eq!(fields, [("Order Number:".to_owned(), "4711".to_owned())]);
    assert_eq!(page.tables.len(), 1, "{page:?}");
    let table = &page.tables[0];
    assert_eq!((table.rows, table.columns), (3, 3));
    let last = table.cells.iter().find(|cell| (cell.row, cell.column) == (2, 0)).unwrap();
    assert_eq!(page.text_of_words(&last.words), "Apples");
    assert!(ocr.engine().starts_with("tesseract "), "{}", ocr.engine());
}

#[test]
fn a_page_on_its_side_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..12).map(|line| format!("Line {line} speaks of rivers and of mountains")).collect();
    let texts: Vec<(u32, u32, &str)> =
        (0..).zip(&lines).map(|(index, line)| (72, 700 - 40 * index, line.as_str())).collect();
    let turned = pdf(&texts).replace("/Type/Page/Parent", "/Rotate 90/Type/Page/Parent");
    let file = written(directory.path(), turned);
    let ocr = Ocr::open(directory.path()).unwrap();
    let page = read_page(&ocr, &file, Kind::Pdf(1), 1).unwrap();
    let rivers = page.words.iter().filter(|word| word.text == "rivers").count();
    assert!(rivers >= 10, "{rivers}");
}

#[test]
fn what_is_no_document_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let table = [("plain text", true), ("%PDF-1.4\nnothing", false), ("", true)];
    for (bytes, is_unknown) in table {
        let file = written(directory.path(), bytes);
        let error = inspect(&file, directory.path()).unwrap_err();
        assert_eq!((error.is_unknown_format(), error.is_bad_file()), (is_unknown, !is_unknown), "{bytes}: {error:?}");
    }
}

#[test]
fn an_unknown_picture_format_is_told_from_a_picture() {
    let directory = tempfile::tempdir().unwrap();
    let file = written(directory.path(), to_pgm(&image::GrayImage::new(2, 2)));
    assert!(matches!(inspect(&file, directory.path()), Err(OcrError::Picture(_))));
}

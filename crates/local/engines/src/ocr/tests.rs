use super::tsv::{Text, parse};
use super::*;

/// One word row of a page of 1000 × 1000 pixels.
fn word(line: u32, left: u32, top: u32, text: &str) -> String {
    let width = 20 * u32::try_from(text.len()).unwrap();
    format!("5\t1\t1\t1\t{line}\t1\t{left}\t{top}\t{width}\t30\t96\t{text}\n")
}

fn page(rows: &str) -> Page {
    let source = Source {
        file: Path::new("unused"),
        page_of_file: None,
        number: 1,
        width: 1000,
        height: 1000,
        rules: Vec::new(),
    };
    finish(parse(rows, 1000, 1000), &source)
}

fn cells(page: &Page) -> Vec<(usize, usize, usize, String)> {
    let cells = page.tables.iter().flat_map(|table| &table.cells);
    cells.map(|cell| (cell.row, cell.column, cell.column_span, page.text_of_words(&cell.words))).collect()
}

fn fields(page: &Page) -> Vec<(String, String)> {
    page.fields.iter().map(|field| (page.text_of_words(&field.label), page.text_of_words(&field.value))).collect()
}

#[test]
fn words_come_with_lines_boxes_and_confidence() {
    let text =
        parse(&[word(1, 100, 50, "Grand"), word(1, 250, 50, "total"), word(2, 100, 100, "12")].concat(), 1000, 500);
    assert_eq!(text.lines.iter().map(|line| line.word_count).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(text.words[0].text, "Grand");
    assert!((text.words[0].confidence - 0.96).abs() < 1e-9);
    assert_eq!(text.words[0].bounds, Bounds::from_pixels(100.0, 50.0, 200.0, 80.0, 1000.0, 500.0));
}

#[test]
fn noise_and_rules_are_left_out() {
    let doubtful = word(1, 100, 50, "Q@").replace("\t96\t", "\t12\t");
    let text = parse(&doubtful, 1000, 1000);
    assert_eq!((text.words.len(), text.lines.len(), text.doubtful.len()), (0, 0, 1));
    assert_eq!(parse(&word(1, 100, 50, "|"), 1000, 1000), Text::default());
    assert_eq!(parse("level\tpage_num\nnot a row\n5\t1\t1\n", 1000, 1000), Text::default());
}

#[test]
fn a_grid_of_short_words_is_a_table() {
    let page = page(
        &[
            word(1, 100, 100, "Item"),
            word(1, 400, 100, "Count"),
            word(1, 700, 100, "Price"),
            word(2, 100, 150, "Pears"),
            word(2, 400, 150, "4"),
            word(2, 700, 150, "1.20"),
            word(3, 100, 200, "Total"),
            word(3, 700, 200, "1.20"),
        ]
        .concat(),
    );
    let table = &page.tables[0];
    assert_eq!((page.tables.len(), table.rows, table.columns), (1, 3, 3));
    assert_eq!(cells(&page)[7], (2, 2, 1, "1.20".to_owned()));
    assert!((0..3).all(|row| table.cells.iter().any(|cell| cell.row == row)));
}

#[test]
fn what_is_left_of_rules_makes_no_rows_and_columns() {
    let rule = |left: u32, top: u32| word(9, left, top, "J").replace("\t96\t", "\t5\t");
    let mut rows = String::new();
    for (line, (name, count)) in [("Chair", "40"), ("Lamp", "12"), ("Table", "5")].into_iter().enumerate() {
        let line = u32::try_from(line).unwrap();
        let top = 100 + 100 * line;
        // Where rules crossed, above each row, and beside each cell.
        rows += &[rule(60, top - 50), rule(400, top - 50), rule(700, top - 50)].concat();
        rows += &[rule(60, top), word(line, 120, top, name), rule(400, top), word(line, 470, top, count)].concat();
    }
    let page = page(&rows);
    let table = &page.tables[0];
    assert_eq!((page.tables.len(), table.rows, table.columns), (1, 3, 2));
    assert_eq!(cells(&page)[5], (2, 1, 1, "5".to_owned()));
}

#[test]
fn a_heading_over_two_columns_spans_them_and_a_second_line_continues_its_row() {
    let page = page(
        &[
            word(1, 100, 100, "Who"),
            word(1, 420, 100, "Results"),
            word(1, 560, 100, "inside"),
            word(2, 100, 150, "Anna"),
            word(2, 400, 150, "98.3%,"),
            word(2, 660, 150, "1716"),
            word(3, 400, 184, "(n=2)"),
            word(3, 660, 184, "(n=3)"),
            word(4, 100, 250, "Bert"),
            word(4, 400, 250, "95.4%,"),
            word(4, 660, 250, "1416"),
        ]
        .concat(),
    );
    assert_eq!(cells(&page)[1], (0, 1, 2, "Results inside".to_owned()));
    assert_eq!(cells(&page)[3], (1, 1, 1, "98.3%, (n=2)".to_owned()));
    assert_eq!(page.tables[0].rows, 3);
}

#[test]
fn two_columns_of_prose_are_no_table() {
    let prose = |line: u32, left: u32, top: u32| {
        (0..6).map(|index| word(line, left + index * 65, top, "abc")).collect::<String>()
    };
    let page = page(
        &(0..6).map(|line| prose(line, 50, 100 + line * 40) + &prose(line, 550, 100 + line * 40)).collect::<String>(),
    );
    assert_eq!(page.tables, []);
}

#[test]
fn labels_have_their_values() {
    let page = page(
        &[
            word(1, 100, 100, "From:"),
            word(1, 210, 100, "Anna"),
            word(1, 300, 100, "Beispiel"),
            word(2, 100, 200, "Date"),
            word(2, 190, 200, "due:"),
            word(2, 500, 200, "2024-01-02"),
            word(3, 100, 300, "Name:"),
            word(3, 500, 300, "City:"),
            word(3, 620, 300, "Ulm"),
            word(4, 100, 400, "12:30"),
            word(4, 220, 400, "see:"),
        ]
        .concat(),
    );
    let expected = [("From:", "Anna Beispiel"), ("Date due:", "2024-01-02"), ("City:", "Ulm")];
    assert_eq!(fields(&page), expected.map(|(label, value)| (label.to_owned(), value.to_owned())));
}

#[test]
fn a_page_without_words_is_a_page() {
    let page = page("");
    assert!(page.words.is_empty() && page.lines.is_empty() && page.tables.is_empty() && page.fields.is_empty());
}

#[test]
fn a_speck_is_a_page_without_words() {
    let scratch = tempfile::tempdir().unwrap();
    let ocr =
        Ocr { engine: String::new(), languages: String::new(), can_orient: false, scratch: scratch.path().into() };
    let page = ocr.read_picture(GrayImage::new(1, 40), 3).unwrap();
    assert_eq!((page.number, page.words.len(), page.width), (3, 0, 2));
}

#[test]
fn english_comes_first_and_no_language_is_told() {
    assert_eq!(chosen_languages("List of available languages (3):\ndeu\neng\nosd\n").as_deref(), Some("eng+deu"));
    assert_eq!(chosen_languages("List of available languages (1):\nosd\n"), None);
}

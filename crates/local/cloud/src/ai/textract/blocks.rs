//! A page as Textract's graph of blocks: page, lines, words, tables with cells, keys with values.
//!
//! <https://docs.aws.amazon.com/textract/latest/dg/how-it-works-document-layout.html>

use engines::geometry::Bounds;
use engines::ocr::{Cell, Field, Line, Page, Table, Word};
use serde_json::{Value, json};

use crate::identifier;

/// What to look for beside text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) tables: bool,
    pub(super) forms: bool,
}

/// The blocks of one page, the page's own first.
pub(super) fn of_page(page: &Page, features: Features) -> Vec<Value> {
    let graph = Graph { page, words: page.words.iter().map(|_| identifier::random()).collect() };
    let mut children = Vec::new();
    let mut blocks = Vec::new();
    for line in &page.lines {
        take(&mut blocks, &mut children, vec![graph.line(line)]);
    }
    blocks.extend(graph.all_words());
    for table in page.tables.iter().filter(|_| features.tables) {
        take(&mut blocks, &mut children, graph.table(table));
    }
    for field in page.fields.iter().filter(|_| features.forms) {
        let [key, value] = graph.field(field);
        children.push(value["Id"].clone());
        take(&mut blocks, &mut children, vec![key, value]);
    }
    let mut own = json!({"BlockType": "PAGE", "Id": identifier::random(), "Page": page.number, "Geometry": geometry(Bounds::WHOLE)});
    relate(&mut own, "CHILD", &children);
    blocks.insert(0, own);
    blocks
}

/// Adds blocks, the first of which is a child of the page.
fn take(blocks: &mut Vec<Value>, children: &mut Vec<Value>, new: Vec<Value>) {
    children.extend(new.first().map(|block| block["Id"].clone()));
    blocks.extend(new);
}

struct Graph<'a> {
    page: &'a Page,
    /// The id of each word's block.
    words: Vec<String>,
}

impl Graph<'_> {
    fn block(&self, kind: &str, confidence: f64, bounds: Bounds) -> Value {
        json!({
            "BlockType": kind,
            "Id": identifier::random(),
            "Page": self.page.number,
            "Confidence": confidence * 100.0,
            "Geometry": geometry(bounds),
        })
    }

    fn ids(&self, words: &[usize]) -> Vec<Value> {
        words.iter().map(|word| Value::from(self.words[*word].as_str())).collect()
    }

    fn line(&self, line: &Line) -> Value {
        let words: Vec<usize> = (line.first_word..line.first_word + line.word_count).collect();
        let mut block = self.block("LINE", self.page.confidence_of(&words), line.bounds);
        block["Text"] = self.page.text_of(line).into();
        relate(&mut block, "CHILD", &self.ids(&words));
        block
    }

    fn all_words(&self) -> impl Iterator<Item = Value> {
        self.page.words.iter().zip(&self.words).map(|(word, id)| self.word(word, id))
    }

    fn word(&self, word: &Word, id: &str) -> Value {
        let mut block = self.block("WORD", word.confidence, word.bounds);
        block["Id"] = id.into();
        block["Text"] = word.text.as_str().into();
        block["TextType"] = "PRINTED".into();
        block
    }

    /// The table's own block, then each cell of its grid, empty ones too, then cells that span others.
    fn table(&self, table: &Table) -> Vec<Value> {
        let words: Vec<usize> = table.cells.iter().flat_map(|cell| cell.words.iter().copied()).collect();
        let mut own = self.block("TABLE", self.page.confidence_of(&words), table.bounds);
        let places = (0..table.rows).flat_map(|row| (0..table.columns).map(move |column| (row, column)));
        let cells: Vec<Value> = places.map(|(row, column)| self.cell(table, row, column)).collect();
        let spanning = table.cells.iter().filter(|cell| cell.column_span > 1);
        let merged: Vec<Value> = spanning.map(|cell| self.merged(table, cell, &cells)).collect();
        relate(&mut own, "CHILD", &ids_of(&cells));
        relate(&mut own, "MERGED_CELL", &ids_of(&merged));
        own["EntityTypes"] = json!(["STRUCTURED_TABLE"]);
        std::iter::once(own).chain(cells).chain(merged).collect()
    }

    fn cell(&self, table: &Table, row: usize, column: usize) -> Value {
        let held = table.cells.iter().find(|cell| (cell.row, cell.column) == (row, column));
        let words = held.map(|cell| cell.words.as_slice()).unwrap_or_default();
        let bounds = held.map_or_else(|| empty_place(table, row, column), |cell| cell.bounds);
        let mut block = self.block("CELL", self.page.confidence_of(words), bounds);
        place(&mut block, row, column, 1);
        relate(&mut block, "CHILD", &self.ids(words));
        block
    }

    fn merged(&self, table: &Table, cell: &Cell, cells: &[Value]) -> Value {
        let mut block = self.block("MERGED_CELL", self.page.confidence_of(&cell.words), cell.bounds);
        place(&mut block, cell.row, cell.column, cell.column_span);
        let first = cell.row * table.columns + cell.column;
        relate(&mut block, "CHILD", &ids_of(&cells[first..(first + cell.column_span).min(cells.len())]));
        block
    }

    fn field(&self, field: &Field) -> [Value; 2] {
        let set = |words: &[usize], bounds: Bounds, entity: &str| {
            let mut block = self.block("KEY_VALUE_SET", self.page.confidence_of(words), bounds);
            block["EntityTypes"] = json!([entity]);
            relate(&mut block, "CHILD", &self.ids(words));
            block
        };
        let value = set(&field.value, field.value_bounds, "VALUE");
        let mut key = set(&field.label, field.label_bounds, "KEY");
        relate(&mut key, "VALUE", &[value["Id"].clone()]);
        [key, value]
    }
}

/// An empty cell lies where its row and column cross, as far as their other cells show.
fn empty_place(table: &Table, row: usize, column: usize) -> Bounds {
    let around =
        |cells: &dyn Fn(&&Cell) -> bool| Bounds::around(table.cells.iter().filter(cells).map(|cell| cell.bounds));
    let across = around(&|cell| cell.column == column && cell.column_span == 1).unwrap_or(table.bounds);
    let down = around(&|cell| cell.row == row).unwrap_or(table.bounds);
    Bounds { left: across.left, width: across.width, top: down.top, height: down.height }
}

fn place(block: &mut Value, row: usize, column: usize, column_span: usize) {
    block["RowIndex"] = (row + 1).into();
    block["ColumnIndex"] = (column + 1).into();
    block["RowSpan"] = 1.into();
    block["ColumnSpan"] = column_span.into();
}

fn ids_of(blocks: &[Value]) -> Vec<Value> {
    blocks.iter().map(|block| block["Id"].clone()).collect()
}

fn relate(block: &mut Value, kind: &str, ids: &[Value]) {
    if ids.is_empty() {
        return;
    }
    let relationship = json!({"Type": kind, "Ids": ids});
    match block.get_mut("Relationships").and_then(Value::as_array_mut) {
        Some(list) => list.push(relationship),
        None => block["Relationships"] = json!([relationship]),
    }
}

/// A box with its polygon, from the upper left corner clockwise.
pub(in crate::ai) fn geometry(bounds: Bounds) -> Value {
    let corner = |x: f64, y: f64| json!({"X": x, "Y": y});
    let Bounds { left, top, width, height } = bounds;
    let (right, bottom) = (bounds.right(), bounds.bottom());
    json!({
        "BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height},
        "Polygon": [corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)],
    })
}

//! Text fields as values of a declared type.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::DataType;

use super::lines::Line;
use crate::catalog::Column;
use crate::types::ColumnType;

/// A column's texts as its type has them. A text that is none of that type gives null.
pub(super) fn lenient(column: &Column, texts: StringArray) -> ArrayRef {
    let wanted = column.column_type.arrow();
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let texts: ArrayRef = Arc::new(shortened(&column.column_type, texts));
    let length = texts.len();
    match wanted {
        DataType::Utf8 => texts,
        other => cast_with_options(&texts, &other, &options)
            .unwrap_or_else(|_| datafusion::arrow::array::new_null_array(&other, length)),
    }
}

/// A column's texts as its type has them. The first text that is none of that type is named; an empty one is null.
pub(super) fn strict(column: &Column, texts: StringArray, lines: &[Line]) -> Result<ArrayRef, String> {
    if column.column_type.arrow() == DataType::Utf8 {
        return Ok(lenient(column, texts));
    }
    let values = lenient(column, texts.clone());
    for (row, line) in lines.iter().enumerate().take(texts.len()) {
        if texts.is_valid(row) && !texts.value(row).is_empty() && values.is_null(row) {
            let (line, text, of) = (line.number, texts.value(row), &column.column_type);
            return Err(format!("line {line}: `{text}` is no {of}, as the column `{}` is declared", column.name));
        }
    }
    Ok(values)
}

/// `char(n)` and `varchar(n)` hold n characters.
fn shortened(of: &ColumnType, texts: StringArray) -> StringArray {
    let (ColumnType::Char(most) | ColumnType::Varchar(most)) = of else { return texts };
    let most = usize::try_from(*most).unwrap_or(usize::MAX);
    texts.iter().map(|text| text.map(|text| text.chars().take(most).collect::<String>())).collect()
}

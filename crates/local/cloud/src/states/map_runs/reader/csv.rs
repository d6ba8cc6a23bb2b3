//! Delimited text: each row becomes an object of strings.
//!
//! Shorter rows are filled with empty strings, and what a longer one has beyond the headers is dropped, as AWS does.
//! <https://www.rfc-editor.org/rfc/rfc4180>

use std::collections::HashSet;
use std::io::Read;

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::object::Gauged;
use super::{Sink, Stop, failed};

/// Reads rows under the given headers, or under those in the first row.
pub(super) fn read(given: Option<&[String]>, delimiter: u8, bytes: impl Read, sink: &mut Sink) -> Result<(), Stop> {
    let (bytes, gauge) = Gauged::over(bytes);
    let mut rows = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut row = StringRecord::new();
    let headers: Vec<String> = match given {
        Some(given) => given.to_vec(),
        None if next(&mut rows, &mut row)? => without_mark(row.iter().map(str::to_owned).collect()),
        None => return Ok(()),
    };
    check(&headers)?;
    gauge.reset();
    while next(&mut rows, &mut row)? {
        sink.put_blocking(item(&headers, &row))?;
        gauge.reset();
    }
    Ok(())
}

fn next(rows: &mut csv::Reader<impl Read>, row: &mut StringRecord) -> Result<bool, Stop> {
    rows.read_record(row).map_err(|error| failed(format!("The file cannot be read as CSV: {error}")).into())
}

/// The mark that some programs put at the start of a file is no part of the first header.
fn without_mark(mut headers: Vec<String>) -> Vec<String> {
    if let Some(first) = headers.first_mut()
        && let Some(rest) = first.strip_prefix('\u{feff}')
    {
        *first = rest.to_owned();
    }
    headers
}

fn check(headers: &[String]) -> Result<(), Stop> {
    let distinct: HashSet<&String> = headers.iter().collect();
    if distinct.len() == headers.len() { Ok(()) } else { Err(failed("CSV headers cannot contain duplicates.").into()) }
}

fn item(headers: &[String], row: &StringRecord) -> Value {
    let member = |(at, name): (usize, &String)| (name.clone(), Value::from(row.get(at).unwrap_or_default()));
    headers.iter().enumerate().map(member).collect::<Map<_, _>>().into()
}

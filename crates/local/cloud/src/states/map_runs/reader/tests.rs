//! Readers over bytes in memory.

use std::io::{self, Read};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Sink, Stop, csv, json as json_file, lines, most};

/// What a reader puts, and how it ended.
fn read(left: Option<u64>, work: impl FnOnce(&mut Sink) -> Result<(), Stop>) -> (Vec<Value>, Result<(), String>) {
    let (sender, mut items) = mpsc::channel(1000);
    let mut sink = Sink { sender, left, source: "".into() };
    let ended = match work(&mut sink) {
        Ok(()) | Err(Stop::Enough) => Ok(()),
        Err(Stop::Failed(failure)) => Err(failure.cause.unwrap_or_default()),
    };
    drop(sink);
    let mut values = Vec::new();
    while let Ok(item) = items.try_recv() {
        values.push(item.unwrap().value);
    }
    (values, ended)
}

#[test]
fn rows_are_filled_and_cut_to_the_headers() {
    let text = "H1,\nValue4,Value5,Value6\n,,,\ntrue,1,'x'\nNull\n   \n";
    let (rows, ended) = read(None, |sink| csv::read(None, b',', text.as_bytes(), sink));
    let pairs = [("Value4", "Value5"), ("", ""), ("true", "1"), ("Null", ""), ("   ", "")];
    assert_eq!(rows, pairs.map(|(first, second)| json!({ "H1": first, "": second })));
    assert_eq!(ended, Ok(()));
}

#[test]
fn headers_are_given_or_in_the_first_row_and_differ() {
    let given = ["a".to_owned(), "b".to_owned()];
    let (rows, _) = read(Some(1), |sink| csv::read(Some(&given), b'|', "1|2\n3|4\n".as_bytes(), sink));
    assert_eq!(rows, [json!({ "a": "1", "b": "2" })]);
    let twice = ["a".to_owned(), "a".to_owned()];
    let duplicates = Err("CSV headers cannot contain duplicates.".to_owned());
    assert_eq!(read(None, |sink| csv::read(Some(&twice), b',', "1,2".as_bytes(), sink)).1, duplicates);
    assert_eq!(read(None, |sink| csv::read(None, b',', "a,a\n1,2".as_bytes(), sink)).1, duplicates);
    let (rows, _) = read(None, |sink| csv::read(None, b',', "\u{feff}a\n1\n".as_bytes(), sink));
    assert_eq!(rows, [json!({ "a": "1" })]);
    let (rows, ended) = read(None, |sink| csv::read(None, b',', "".as_bytes(), sink));
    assert!(rows.is_empty() && ended.is_ok());
    assert!(read(None, |sink| csv::read(None, b',', &b"a\n\xff\n"[..], sink)).1.is_err());
}

#[test]
fn a_pointer_leads_to_the_array() {
    let text = r#"{"a":{"b":[1,[2,3],{"c~/":[4]}]},"n":5}"#;
    let at = |pointer: &str| read(None, |sink| json_file::read(Some(pointer), text.as_bytes(), sink));
    assert_eq!(at("/a/b").0, [json!(1), json!([2, 3]), json!({ "c~/": [4] })]);
    assert_eq!(at("/a/b/1").0, [json!(2), json!(3)]);
    assert_eq!(at("/a/b/2/c~0~1").0, [json!(4)]);
    for pointer in ["", "/a", "/n", "/a/b/0", "/a/b/7", "/x", "/n/y"] {
        assert_eq!(at(pointer).1, Err("Attempting to map over non-iterable node.".to_owned()), "{pointer}");
    }
}

#[test]
fn no_more_is_read_than_is_asked_for() {
    let (items, ended) = read(Some(2), |sink| json_file::read(None, "[1,2,nonsense".as_bytes(), sink));
    assert_eq!((items, ended), (vec![json!(1), json!(2)], Ok(())));
    let (items, ended) = read(Some(1), |sink| lines::read("1\nnonsense\n".as_bytes(), sink));
    assert_eq!((items, ended), (vec![json!(1)], Ok(())));
    assert_eq!(most(None).unwrap(), None);
    assert_eq!(most(Some(0)).unwrap(), None);
    assert_eq!(most(Some(3)).unwrap(), Some(3));
    assert_eq!(most(Some(-1)).unwrap_err().cause.as_deref(), Some("field MaxItems must be positive"));
}

#[test]
fn broken_files_are_told_of() {
    for text in ["", "[1", "[1]x", "nonsense", "[1,]"] {
        assert!(read(None, |sink| json_file::read(None, text.as_bytes(), sink)).1.is_err(), "{text}");
    }
    let (items, ended) = read(None, |sink| lines::read("1\n{\n".as_bytes(), sink));
    assert_eq!(items, [json!(1)]);
    assert!(ended.unwrap_err().starts_with("Line 2 "));
}

/// Begins well and never ends.
struct Endless<'a>(&'a [u8]);

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            buffer.fill(b'x');
            return Ok(buffer.len());
        }
        self.0.read(buffer)
    }
}

#[test]
fn an_item_without_end_is_given_up() {
    assert!(read(None, |sink| json_file::read(None, Endless(b"[1,\""), sink)).1.is_err());
    assert!(read(None, |sink| csv::read(None, b',', Endless(b"a\n\""), sink)).1.is_err());
    assert!(read(None, |sink| lines::read(Endless(b"1\n\""), sink)).1.is_err());
}

//! Bytes into records as they stream: a file is never held in memory, and a record only up to a bound.
//!
//! A byte order mark before the first record is passed over. Where a record cannot be read, its reason takes its place.

mod csv;
mod lines;

use domain::table::settings::{Csv, Format};
use serde_json::Value;

/// The longest record: far above any row, far below what a function can hold.
pub(crate) const MOST_RECORD_BYTES: usize = 1 << 20;
/// UTF-8's byte order mark, which some programs write.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// One record of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    /// The bytes of the file up to its end.
    pub(crate) end: u64,
    /// The lines of the file up to its end.
    pub(crate) lines: u64,
    /// What it holds, or why it cannot be read.
    pub(crate) content: Result<Content, Unreadable>,
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// Fields of a CSV file.
    Fields(Vec<String>),
    /// An object.
    Object(Value),
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// In words.
    pub(crate) reason: String,
    /// The record as far as it can be shown.
    pub(crate) text: String,
    /// Whether nothing behind it can be read either.
    pub(crate) is_last: bool,
}

/// Reads the records of one file out of pieces of it.
#[derive(Debug)]
pub(crate) struct Records {
    format: Reader,
    /// The first bytes, until it is clear whether they are a mark; nothing once it is.
    head: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Reader {
    Csv(Box<csv::Reader>),
    Lines(lines::Reader),
}

impl Records {
    /// A reader that begins behind `offset` bytes and `lines` lines.
    pub(crate) fn new(format: Format, csv: &Csv, offset: u64, lines: u64) -> Self {
        let format = match format {
            Format::Csv => Reader::Csv(Box::new(csv::Reader::new(csv.delimiter, offset, lines))),
            Format::JsonLines => Reader::Lines(lines::Reader::new(offset, lines)),
        };
        Self { format, head: (offset == 0).then(Vec::new) }
    }

    /// The records that end in `piece`.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Vec<Record> {
        let Some(mut head) = self.head.take() else { return self.read(piece) };
        head.extend_from_slice(piece);
        if head.len() < MARK.len() && MARK.starts_with(&head) {
            self.head = Some(head);
            return Vec::new();
        }
        self.read_first(&head)
    }

    /// The record that the end of the file ends.
    pub(crate) fn finish(&mut self) -> Vec<Record> {
        let head = self.head.take().unwrap_or_default();
        let mut records = self.read_first(&head);
        records.extend(match &mut self.format {
            Reader::Csv(reader) => reader.finish(),
            Reader::Lines(reader) => reader.finish(),
        });
        records
    }

    fn read_first(&mut self, head: &[u8]) -> Vec<Record> {
        match head.strip_prefix(MARK) {
            Some(rest) => {
                match &mut self.format {
                    Reader::Csv(reader) => reader.skip(MARK.len() as u64),
                    Reader::Lines(reader) => reader.skip(MARK.len() as u64),
                }
                self.read(rest)
            }
            None => self.read(head),
        }
    }

    fn read(&mut self, piece: &[u8]) -> Vec<Record> {
        match &mut self.format {
            Reader::Csv(reader) => reader.feed(piece),
            Reader::Lines(reader) => reader.feed(piece),
        }
    }
}

/// `bytes` as text of a bounded length, for whoever looks at what was refused.
fn shown(bytes: &[u8]) -> String {
    const MOST_CHARS: usize = 2_000;
    String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MOST_CHARS)]).chars().take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of `text`, cut into pieces of every length: how a file is cut must not matter.
    fn records(format: Format, text: &[u8]) -> Vec<Record> {
        let read = |size: usize| {
            let mut reader = Records::new(format, &Csv::default(), 0, 0);
            let mut records: Vec<_> = text.chunks(size).flat_map(|piece| reader.feed(piece)).collect();
            records.extend(reader.finish());
            records
        };
        let whole = read(text.len().max(1));
        for size in 1..text.len() {
            assert_eq!(read(size), whole, "pieces of {size}");
        }
        whole
    }

    fn fields(text: &[u8]) -> Vec<(u64, Vec<String>)> {
        let content = |record: Record| match record.content {
            Ok(Content::Fields(fields)) => (record.line, fields),
            other => panic!("{other:?}"),
        };
        records(Format::Csv, text).into_iter().map(content).collect()
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn csv_as_programs_write_it() {
        assert_eq!(fields(b""), []);
        assert_eq!(fields(b"\xef\xbb\xbf"), []);
        assert_eq!(fields(b"a,b"), [row(1, &["a", "b"])]);
        assert_eq!(fields(b"\xef\xbb\xbf\"a\",b\r\nc,d\r\n"), [row(1, &["a", "b"]), row(2, &["c", "d"])]);
        assert_eq!(fields(b"a\n\n\nb\n"), [row(1, &["a"]), row(4, &["b"])]);
        assert_eq!(
            fields(b"1,\"two\nlines, \"\"q\"\"\"\n2,x\n"),
            [row(1, &["1", "two\nlines, \"q\""]), row(3, &["2", "x"])]
        );
        assert_eq!(fields(",\nä,ö\n".as_bytes()), [row(1, &["", ""]), row(2, &["ä", "ö"])]);
    }

    #[test]
    fn a_reader_goes_on_where_a_record_ended() {
        let text = b"a,b\r\n\"1\n\",x\r\n2,y\r\n3,z";
        let all = records(Format::Csv, text);
        for record in &all[..3] {
            let at = usize::try_from(record.end).unwrap();
            let mut reader = Records::new(Format::Csv, &Csv::default(), record.end, record.lines);
            let mut rest = reader.feed(&text[at..]);
            rest.extend(reader.finish());
            let behind: Vec<_> = all.iter().filter(|other| other.end > record.end).cloned().collect();
            assert_eq!(rest, behind);
        }
    }

    #[test]
    fn what_is_no_record_is_told_with_its_line() {
        let lines = records(Format::JsonLines, b"{\"a\":1}\r\n\n[1]\n{\"a\":\n\xff\n{}");
        let told: Vec<_> = lines
            .iter()
            .map(|record| (record.line, record.content.as_ref().map_err(|error| error.reason.as_str()).is_ok()))
            .collect();
        assert_eq!(told, [(1, true), (3, false), (4, false), (5, false), (6, true)]);
        let csv = records(Format::Csv, b"a,\xff\nb,c\n");
        assert!(csv[0].content.as_ref().unwrap_err().reason.contains("UTF-8"));
        assert!(csv[1].content.is_ok());
    }

    #[test]
    fn a_record_without_end_is_given_up() {
        let mut reader = Records::new(Format::Csv, &Csv::default(), 0, 0);
        let mut found = reader.feed(b"a\n\"");
        for _ in 0..3 {
            found.extend(reader.feed(&vec![b'x'; MOST_RECORD_BYTES]));
        }
        assert_eq!(found.len(), 2);
        assert!(found[1].content.as_ref().unwrap_err().is_last);
        let mut reader = Records::new(Format::JsonLines, &Csv::default(), 0, 0);
        let mut found = Vec::new();
        for _ in 0..3 {
            found.extend(reader.feed(&vec![b'x'; MOST_RECORD_BYTES]));
        }
        found.extend(reader.feed(b"\n{}\n"));
        assert_eq!(found.len(), 2);
        assert_eq!((found[1].line, found[1].content.is_ok()), (2, true));
    }
}

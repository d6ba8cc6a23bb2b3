//! CSV by RFC 4180, with what programs make of it: `\n` or `\r\n`, quotes only where needed, empty lines passed over.

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::{Content, MOST_RECORD_BYTES, Record, Unreadable, shown};

/// Fields that a record has room for at first.
const FIELDS: usize = 64;
/// The most fields: a row of a table has a few hundred at most.
const MOST_FIELDS: usize = 10_000;

/// A reader that is fed piece by piece.
#[derive(Debug)]
pub(super) struct Reader {
    core: csv_core::Reader,
    text: Vec<u8>,
    used: usize,
    ends: Vec<usize>,
    fields: usize,
    /// Bytes and lines of the file that were read.
    offset: u64,
    lines: u64,
    /// The line on which the record began that is being read.
    began: Option<u64>,
    given_up: bool,
}

impl Reader {
    pub(super) fn new(delimiter: char, offset: u64, lines: u64) -> Self {
        let delimiter = u8::try_from(delimiter).unwrap_or(b',');
        Self {
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; 4096],
            used: 0,
            ends: vec![0; FIELDS],
            fields: 0,
            offset,
            lines,
            began: None,
            given_up: false,
        }
    }

    pub(super) fn skip(&mut self, bytes: u64) {
        self.offset += bytes;
    }

    pub(super) fn feed(&mut self, mut piece: &[u8]) -> Vec<Record> {
        let mut records = Vec::new();
        while !self.given_up {
            if self.began.is_none() {
                piece = self.pass_over_line_ends(piece);
                if piece.is_empty() {
                    break;
                }
                self.began = Some(self.lines + 1);
            }
            match self.step(&mut piece) {
                Step::Record(record) => records.push(record),
                Step::Room => {}
                Step::Drained => break,
            }
        }
        records
    }

    /// The record that lacks a line end.
    pub(super) fn finish(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        // With nothing to read the core gives the record that it is in the middle of.
        while self.began.is_some() && !self.given_up {
            match self.step(&mut &[][..]) {
                Step::Record(record) => records.push(record),
                Step::Room => {}
                Step::Drained => break,
            }
        }
        records
    }

    /// Between two records line ends mean nothing; passed over here, they are counted before the next one begins.
    fn pass_over_line_ends<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let ends = piece.iter().take_while(|byte| [b'\r', b'\n'].contains(byte)).count();
        self.count(&piece[..ends]);
        &piece[ends..]
    }

    fn count(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        self.lines += bytes.split(|byte| *byte == b'\n').skip(1).count() as u64;
    }

    fn step(&mut self, piece: &mut &[u8]) -> Step {
        let (result, read, written, ended) =
            self.core.read_record(piece, &mut self.text[self.used..], &mut self.ends[self.fields..]);
        self.count(&piece[..read]);
        *piece = &piece[read..];
        self.used += written;
        self.fields += ended;
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::End => Step::Drained,
            ReadRecordResult::OutputFull if self.text.len() < MOST_RECORD_BYTES => {
                self.text.resize(2 * self.text.len(), 0);
                Step::Room
            }
            ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_FIELDS => {
                self.ends.resize(2 * self.ends.len(), 0);
                Step::Room
            }
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => Step::Record(self.give_up()),
            ReadRecordResult::Record => Step::Record(self.take()),
        }
    }

    fn take(&mut self) -> Record {
        let text = &self.text[..self.used];
        let bounds = std::iter::once(0).chain(self.ends[..self.fields].iter().copied());
        let fields = bounds.zip(&self.ends[..self.fields]).map(|(start, end)| &text[start..*end]);
        let fields: Result<Vec<String>, _> = fields.map(|field| String::from_utf8(field.to_vec())).collect();
        let content = fields.map(Content::Fields).map_err(|_| Unreadable {
            reason: "it is no UTF-8".to_owned(),
            text: shown(text),
            is_last: false,
        });
        self.used = 0;
        self.fields = 0;
        self.record(content)
    }

    fn give_up(&mut self) -> Record {
        self.given_up = true;
        let reason = format!(
            "it is longer than {MOST_RECORD_BYTES} bytes or {MOST_FIELDS} fields; a quote may lack its partner, and \
             the rest of the file is not read"
        );
        let unreadable = Unreadable { reason, text: shown(&self.text[..self.used]), is_last: true };
        self.record(Err(unreadable))
    }

    fn record(&mut self, content: Result<Content, Unreadable>) -> Record {
        let line = self.began.take().unwrap_or(self.lines);
        Record { line, end: self.offset, lines: self.lines, content }
    }
}

enum Step {
    /// A record has ended.
    Record(Record),
    /// There was no room, and now there is.
    Room,
    /// All of the piece is read.
    Drained,
}

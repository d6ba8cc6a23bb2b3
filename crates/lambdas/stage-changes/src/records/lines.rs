//! One JSON object a line; empty lines are passed over.

use serde_json::Value;

use super::{Content, MOST_RECORD_BYTES, Record, Unreadable, shown};

/// A reader that is fed piece by piece.
#[derive(Debug)]
pub(super) struct Reader {
    line: Vec<u8>,
    /// Whether the line is over the bound, and the rest of it is passed over.
    is_long: bool,
    offset: u64,
    lines: u64,
}

impl Reader {
    pub(super) fn new(offset: u64, lines: u64) -> Self {
        Self { line: Vec::new(), is_long: false, offset, lines }
    }

    pub(super) fn skip(&mut self, bytes: u64) {
        self.offset += bytes;
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> Vec<Record> {
        let mut records = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.offset += part.len() as u64;
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            self.add(text);
            if text.len() < part.len() {
                self.lines += 1;
                records.extend(self.take(self.lines));
            }
        }
        records
    }

    pub(super) fn finish(&mut self) -> Vec<Record> {
        self.take(self.lines + 1).into_iter().collect()
    }

    fn add(&mut self, text: &[u8]) {
        let room = MOST_RECORD_BYTES.saturating_sub(self.line.len());
        self.is_long |= text.len() > room;
        self.line.extend_from_slice(&text[..text.len().min(room)]);
    }

    fn take(&mut self, number: u64) -> Option<Record> {
        let line = std::mem::take(&mut self.line);
        let is_long = std::mem::take(&mut self.is_long);
        if line.iter().all(u8::is_ascii_whitespace) && !is_long {
            return None;
        }
        let content =
            if is_long { Err(format!("the line is longer than {MOST_RECORD_BYTES} bytes")) } else { object(&line) };
        let content = content.map(Content::Object);
        let content = content.map_err(|reason| Unreadable { reason, text: shown(&line), is_last: false });
        Some(Record { line: number, end: self.offset, lines: self.lines, content })
    }
}

/// The line's object. What is wrong is told by its place alone: a message of the parser may quote the line.
fn object(line: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(line) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(error) => Err(format!("it is no JSON, from column {} on", error.column())),
    }
}

//! Pieces of a log as text: a line of JSON for each entry, and each document once.

use super::LogEntry;
use crate::payload::within_piece;

/// Writes entries until the text is `full_bytes` long or none is left, one at least; gives back how many.
///
/// # Errors
/// When an entry cannot be serialised.
pub fn write_log(entries: &[LogEntry], full_bytes: usize) -> serde_json::Result<(Vec<u8>, usize)> {
    let mut text = Vec::new();
    let mut written = 0;
    within_piece(|| {
        for entry in entries {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
            written += 1;
            if text.len() >= full_bytes {
                break;
            }
        }
        Ok((text, written))
    })
}

/// Reads what [`write_log`] wrote; a document that came several times is one document again.
///
/// # Errors
/// When the text is something else.
pub fn read_log(text: &[u8]) -> serde_json::Result<Vec<LogEntry>> {
    within_piece(|| serde_json::Deserializer::from_slice(text).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{read_log, write_log};
    use crate::log::{Event, LogEntry};
    use crate::payload::Payload;

    fn entries(outputs: &[&Payload]) -> Vec<LogEntry> {
        let entry = |(sequence, output): (u64, &&Payload)| LogEntry {
            sequence,
            frame: 0,
            at: Timestamp::UNIX_EPOCH,
            event_id: None,
            previous_event_id: 0,
            event: Event::ExecutionSucceeded { output: (*output).clone() },
        };
        (0..).zip(outputs).map(entry).collect()
    }

    #[test]
    fn a_document_is_written_once_and_is_one_again() {
        let (large, other) = (Payload::from(Value::from("x".repeat(1000))), Payload::from(json!({"other": 1})));
        let log = entries(&[&large, &other, &large, &large, &other]);
        let (text, written) = write_log(&log, usize::MAX).unwrap();
        assert_eq!((written, text.len() < 2000), (5, true));
        let back = read_log(&text).unwrap();
        assert_eq!(back, log);
        let output = |entry: &LogEntry| match &entry.event {
            Event::ExecutionSucceeded { output } => output.clone(),
            other => panic!("{other:?}"),
        };
        assert!(output(&back[0]).is_same(&output(&back[3])) && output(&back[1]).is_same(&output(&back[4])));
        assert!(!output(&back[0]).is_same(&output(&back[1])));
    }

    #[test]
    fn what_looks_like_a_number_or_an_array_comes_back_as_it_was() {
        let documents = [json!(0), json!([0]), json!([[1]]), json!(null), json!([]), json!("0")].map(Payload::from);
        let log = entries(&documents.iter().collect::<Vec<_>>());
        assert_eq!(read_log(&write_log(&log, usize::MAX).unwrap().0).unwrap(), log);
    }

    #[test]
    fn a_piece_ends_where_it_is_full() {
        let document = Payload::from(Value::from("x".repeat(100)));
        let log = entries(&[&document, &document, &document]);
        let (text, written) = write_log(&log, 150).unwrap();
        assert_eq!((read_log(&text).unwrap(), written), (log[..1].to_vec(), 1));
        assert_eq!(write_log(&log, 1).unwrap().1, 1);
    }

    #[test]
    fn damaged_text_is_refused() {
        for text in [r#"{"n":0"#, "[]", r#"{"n":0,"f":0,"t":0,"p":0,"e":{"ExecutionSucceeded":{"output":7}}}"#] {
            assert!(read_log(text.as_bytes()).is_err(), "{text}");
        }
    }
}

//! JSON lines: an item on each line. <https://jsonlines.org>

use std::io::{BufRead as _, Read};

use serde_json::Value;

use super::object::Gauged;
use super::{MOST_ITEM_BYTES, Sink, Stop, failed};

pub(super) fn read(bytes: impl Read, sink: &mut Sink) -> Result<(), Stop> {
    let (mut bytes, gauge) = Gauged::over(bytes);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        gauge.reset();
        let read = bytes.by_ref().take(MOST_ITEM_BYTES).read_until(b'\n', &mut line);
        if read.map_err(|error| failed(format!("The file cannot be read: {error}")))? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let item: Value = serde_json::from_slice(&line)
            .map_err(|error| failed(format!("Line {number} of the file is not valid JSON: {error}")))?;
        sink.put_blocking(item)?;
    }
    Ok(())
}

//! Results as Athena writes them into files: every value in double quotes, null as nothing at all.
//!
//! The difference between null and an empty text is in the quotes, which is why this is read back by a reader of its
//! own: those of the ecosystem give the same for both.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html>

/// Appends a row.
pub(super) fn write_row<'a>(row: impl Iterator<Item = Option<&'a str>>, out: &mut Vec<u8>) {
    for (at, value) in row.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if let Some(value) = value {
            out.push(b'"');
            out.extend(value.bytes().flat_map(|byte| [byte, byte].into_iter().take(1 + usize::from(byte == b'"'))));
            out.push(b'"');
        }
    }
    out.push(b'\n');
}

/// Where a row ends that begins at the start of `bytes`: behind its line feed. Nothing if it does not end there.
pub(super) fn row_length(bytes: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The values of one row, which ends with its line feed.
pub(super) fn read_row(row: &[u8]) -> Vec<Option<String>> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let mut values = Vec::new();
    let mut rest = row;
    loop {
        let end = value_length(rest);
        values.push(value(&rest[..end]));
        match rest.get(end) {
            Some(_) => rest = &rest[end + 1..],
            None => return values,
        }
    }
}

/// Up to the comma that ends a value, or the end of the row.
fn value_length(bytes: &[u8]) -> usize {
    let mut quoted = false;
    let ends = |byte: &u8| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    };
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

fn value(bytes: &[u8]) -> Option<String> {
    let inner = bytes.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(String::from_utf8_lossy(inner).replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_with_its_nulls() {
        let rows: [&[Option<&str>]; 5] = [
            &[Some("a"), None, Some("")],
            &[Some("say \"hi\", \nthen go"), Some(","), None],
            &[None],
            &[None, None],
            &[Some("\"")],
        ];
        let mut bytes = Vec::new();
        for row in rows {
            write_row(row.iter().copied(), &mut bytes);
        }
        let mut rest = bytes.as_slice();
        for row in rows {
            let length = row_length(rest).unwrap();
            let read = read_row(&rest[..length]);
            assert_eq!(read.iter().map(Option::as_deref).collect::<Vec<_>>(), row);
            rest = &rest[length..];
        }
        assert!(rest.is_empty());
        assert_eq!(row_length(b"\"open\n"), None);
    }

    #[test]
    fn the_file_is_as_athenas() {
        let mut bytes = Vec::new();
        write_row([Some("1"), None, Some("x\"y")].into_iter(), &mut bytes);
        assert_eq!(String::from_utf8(bytes).unwrap(), "\"1\",,\"x\"\"y\"\n");
    }
}

//! Word 6 to 2003 ([MS-DOC]): the text by its piece table, tables as lines, summary information.
//!
//! Left out: older Word than 6, tracked deletions (their marks are in formatting, which is not
//! read), and anything drawn.

use super::ole::{self, Compound, u16_at, u32_at, utf16};
use super::{Input, Outcome};
use crate::draft::Draft;
use crate::encoding;
use crate::error::DocumentError;

/// `wIdent` of a Word file information block.
const MAGIC: u16 = 0xa5ec;
/// The first version with a piece table where it is looked for here (Word 97).
const WORD_97: u16 = 0xc1;

/// Reads a Word document of the old binary kind.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    if !input.bytes.starts_with(ole::MAGIC) {
        return Err(DocumentError::Unsupported("a Word document older than Word 6".to_owned()));
    }
    let mut file = Compound::open(input.bytes)?;
    let Some(stream) = file.stream("WordDocument") else {
        return Err(DocumentError::damaged("it holds no Word document"));
    };
    file.summarise(draft);
    let magic = u16_at(&stream, 0).unwrap_or(0);
    let (version, flags) = (u16_at(&stream, 2).unwrap_or(0), u16_at(&stream, 0x0a).unwrap_or(0));
    if magic != MAGIC && magic != 0xa5dc {
        return Err(DocumentError::damaged("its file information block is broken"));
    }
    if flags & 0x0100 != 0 {
        return Err(DocumentError::Encrypted("the document needs a password"));
    }
    let text = if version >= WORD_97 {
        let table = file.stream(if flags & 0x0200 != 0 { "1Table" } else { "0Table" });
        pieces(&stream, &table.unwrap_or_default())
    } else {
        simple(&stream, flags)
    };
    let text = text.ok_or_else(|| DocumentError::damaged("its text cannot be located"))?;
    push_clean(&text, draft);
    Ok(())
}

/// Word 6 and 95: bytes of the code page in one run, unless saved fast.
fn simple(stream: &[u8], flags: u16) -> Option<String> {
    let (start, end) = (u32_at(stream, 0x18)? as usize, u32_at(stream, 0x1c)? as usize);
    let text = stream.get(start..end.min(stream.len()))?;
    // `fExtChar`: the text is sixteen bits wide.
    Some(if flags & 0x1000 != 0 { utf16(text) } else { encoding::decode_code_page(text, 1252).into_owned() })
}

/// Word 97 and later: the text lies in pieces, in the order of the table stream's piece table.
fn pieces(stream: &[u8], table: &[u8]) -> Option<String> {
    let (start, length) = (u32_at(stream, 0x01a2)? as usize, u32_at(stream, 0x01a6)? as usize);
    let clx = table.get(start..start.checked_add(length)?.min(table.len()))?;
    let plc = piece_table(clx)?;
    // n + 1 positions of 4 bytes, n descriptors of 8.
    let count = plc.len().checked_sub(4)? / 12;
    let mut text = String::new();
    for index in 0..count {
        let (from, to) = (u32_at(plc, index * 4)?, u32_at(plc, index * 4 + 4)?);
        let place = u32_at(plc, (count + 1) * 4 + index * 8 + 2)?;
        if let Some(piece) = piece(stream, place, to.saturating_sub(from) as usize) {
            text.push_str(&piece);
        }
    }
    Some(text)
}

/// The piece table within a `Clx`: behind any number of formatting records.
fn piece_table(mut clx: &[u8]) -> Option<&[u8]> {
    loop {
        match clx.first()? {
            1 => clx = clx.get(3 + usize::from(u16_at(clx, 1)?)..)?,
            2 => return clx.get(5..(5 + u32_at(clx, 1)? as usize).min(clx.len())),
            _ => return None,
        }
    }
}

fn piece(stream: &[u8], place: u32, chars: usize) -> Option<String> {
    let is_narrow = place & 0x4000_0000 != 0;
    let offset = (place & 0x3fff_ffff) as usize;
    let (start, length) = if is_narrow { (offset / 2, chars) } else { (offset, chars.checked_mul(2)?) };
    let bytes = stream.get(start..start.checked_add(length)?.min(stream.len()))?;
    Some(if is_narrow { encoding::decode_code_page(bytes, 1252).into_owned() } else { utf16(bytes) })
}

/// Turns Word's marks into text: cells, paragraphs, breaks; field instructions are dropped.
fn push_clean(text: &str, draft: &mut Draft<'_>) {
    let mut instructions = 0_usize;
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{13}' => instructions += 1,
            '\u{14}' | '\u{15}' => instructions = instructions.saturating_sub(1),
            _ if instructions > 0 => {}
            // A cell mark; two in a row end a table row.
            '\u{7}' if chars.peek() == Some(&'\u{7}') => {
                chars.next();
                clean.push('\n');
            }
            '\u{7}' => clean.push('\t'),
            '\r' | '\u{b}' | '\u{c}' | '\u{e}' => clean.push('\n'),
            '\u{1e}' => clean.push('\u{2011}'),
            '\t' | '\n' => clean.push(c),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    draft.push(clean.trim_matches('\n'));
    draft.end_line();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn marks_become_text() {
        let limits = Limits::default();
        let mut draft = Draft::new(&limits);
        push_clean("One\u{13} HYPERLINK x \u{14}shown\u{15}\rA\u{7}B\u{7}\u{7}C\u{1}\u{8}\r", &mut draft);
        assert_eq!(draft.finish().text, "Oneshown\nA\tB\nC\n");
    }

    #[test]
    fn pieces_are_put_in_order() {
        let mut stream = vec![0; 0x300];
        stream[0x1a2..0x1aa].copy_from_slice(&[0, 0, 0, 0, 45, 0, 0, 0]);
        stream[0x200..0x203].copy_from_slice(b"abc");
        stream[0x210..0x214].copy_from_slice(&[0xe4, 0, 0xac, 0x20]);
        let mut table = vec![1, 2, 0, 9, 9, 2, 28, 0, 0, 0];
        for position in [0_u32, 2, 5] {
            table.extend(position.to_le_bytes());
        }
        for place in [0x210_u32, 0x4000_0400] {
            table.extend([0, 0]);
            table.extend(place.to_le_bytes());
            table.extend([0, 0]);
        }
        assert_eq!(pieces(&stream, &table).as_deref(), Some("ä€abc"));
    }
}

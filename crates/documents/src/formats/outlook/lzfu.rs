//! Outlook's compressed RTF ([MS-OXRTFCP]): a dictionary of 4,096 bytes that begins filled.

const INITIAL: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const SIZE: usize = 4_096;
const COMPRESSED: &[u8] = b"LZFu";
const STORED: &[u8] = b"MELA";

/// The RTF within; `None` where this is no compressed RTF. Expands at most nine times.
pub(super) fn expand(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = bytes.split_at_checked(16)?;
    match &header[8..12] {
        STORED => Some(body.to_vec()),
        COMPRESSED => Some(expand_body(body)),
        _ => None,
    }
}

fn expand_body(body: &[u8]) -> Vec<u8> {
    let mut window = Window { bytes: [0; SIZE], at: INITIAL.len(), out: Vec::with_capacity(body.len() * 3) };
    window.bytes[..INITIAL.len()].copy_from_slice(INITIAL);
    let mut input = body.iter().copied();
    while let Some(flags) = input.next() {
        for bit in 0..8 {
            let Some(first) = input.next() else { return window.out };
            if flags & (1 << bit) == 0 {
                window.put(first);
                continue;
            }
            let Some(second) = input.next() else { return window.out };
            let offset = usize::from(first) << 4 | usize::from(second >> 4);
            // A reference to the place of writing ends the stream.
            if offset == window.at {
                return window.out;
            }
            for step in 0..usize::from(second & 0xf) + 2 {
                window.put(window.bytes[(offset + step) % SIZE]);
            }
        }
    }
    window.out
}

struct Window {
    bytes: [u8; SIZE],
    at: usize,
    out: Vec<u8>,
}

impl Window {
    fn put(&mut self, byte: u8) {
        self.bytes[self.at] = byte;
        self.at = (self.at + 1) % SIZE;
        self.out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_expands() {
        let packed = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72,
            0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62,
            0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        assert_eq!(expand(&packed).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    }

    #[test]
    fn stored_and_foreign_bytes_are_told_apart() {
        assert_eq!(expand(b"12345678MELA9012{\\rtf1}").unwrap(), b"{\\rtf1}");
        assert_eq!(expand(b"12345678XXXX9012{\\rtf1}"), None);
        assert_eq!(expand(b"short"), None);
    }
}

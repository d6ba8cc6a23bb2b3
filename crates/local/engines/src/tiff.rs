//! Walks the pages of a TIFF file without decoding them: how many there are, and how large.
//!
//! It refuses to follow loops and more than [`MAX_PAGES`] pages. Classic TIFF only, 6.0:
//! <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>

use crate::picture::Size;

/// Textract's limit for a multi-page document.
pub const MAX_PAGES: usize = 3000;

/// Whether the bytes begin as a TIFF file does.
#[must_use]
pub fn is_tiff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*")
}

/// The stored size of each page; empty where the file is no TIFF or its first directory is damaged.
#[must_use]
pub fn page_sizes(bytes: &[u8]) -> Vec<Size> {
    let Some(file) = File::open(bytes) else { return Vec::new() };
    let (mut sizes, mut seen) = (Vec::new(), std::collections::HashSet::new());
    let mut next = file.u32(4);
    while let Some(offset) = next.filter(|offset| *offset != 0) {
        let Some(size) = file.size_at(offset as usize) else { break };
        if !seen.insert(offset) || sizes.len() == MAX_PAGES {
            break;
        }
        sizes.push(size);
        next = file.next_directory(offset as usize);
    }
    sizes
}

struct File<'a> {
    bytes: &'a [u8],
    little_endian: bool,
}

/// Bytes of one directory entry: tag, type, count, value.
const ENTRY: usize = 12;

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        is_tiff(bytes).then(|| Self { bytes, little_endian: bytes.starts_with(b"I") })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let field: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little_endian { u16::from_le_bytes(field) } else { u16::from_be_bytes(field) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let field: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little_endian { u32::from_le_bytes(field) } else { u32::from_be_bytes(field) })
    }

    fn size_at(&self, directory: usize) -> Option<Size> {
        const WIDTH: u16 = 256;
        const HEIGHT: u16 = 257;
        let value = |tag| {
            let mut entries = (0..self.u16(directory)? as usize).map(|index| directory + 2 + index * ENTRY);
            let entry = entries.find(|entry| self.u16(*entry) == Some(tag))?;
            self.number(entry)
        };
        Some(Size { width: value(WIDTH)?, height: value(HEIGHT)? })
    }

    fn number(&self, entry: usize) -> Option<u32> {
        const SHORT: u16 = 3;
        match self.u16(entry + 2)? {
            SHORT => self.u16(entry + 8).map(u32::from),
            _ => self.u32(entry + 8),
        }
    }

    fn next_directory(&self, directory: usize) -> Option<u32> {
        let entries = self.u16(directory)? as usize;
        self.u32(directory + 2 + entries * ENTRY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A big-endian file of pages with the given widths, each 7 high; the last points at `last_next`.
    fn file(widths: &[u16], last_next: u32) -> Vec<u8> {
        let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
        for (index, width) in widths.iter().enumerate() {
            bytes.extend(2_u16.to_be_bytes());
            for (tag, value) in [(256_u16, *width), (257, 7)] {
                bytes.extend([tag.to_be_bytes(), 3_u16.to_be_bytes()].concat());
                bytes.extend(1_u32.to_be_bytes());
                bytes.extend([value.to_be_bytes(), [0, 0]].concat());
            }
            let next = if index + 1 == widths.len() { last_next } else { u32::try_from(bytes.len() + 4).unwrap() };
            bytes.extend(next.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn pages_are_counted_in_order() {
        let widths: Vec<u32> = page_sizes(&file(&[10, 20, 30], 0)).iter().map(|size| size.width).collect();
        assert_eq!(widths, [10, 20, 30]);
    }

    #[test]
    fn loops_end() {
        assert_eq!(page_sizes(&file(&[10, 20], 8)).len(), 2);
    }

    #[test]
    fn damage_gives_what_was_read_before_it() {
        let whole = file(&[10, 20], 0);
        assert_eq!(page_sizes(&whole[..50]).len(), 1);
        assert_eq!(page_sizes(&file(&[10], u32::MAX)).len(), 1);
        assert!(page_sizes(b"II*\0").is_empty());
        assert!(page_sizes(b"").is_empty());
    }
}

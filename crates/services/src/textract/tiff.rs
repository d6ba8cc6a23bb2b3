//! Whether a TIFF has one page: by its header and its first directory, read in two small pieces.
//!
//! <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>, section 2. Absent on purpose:
//! `BigTIFF`, and directories so long that no scanner writes them; they count as many pages.

/// Bytes of the header: byte order, mark, offset of the first directory.
pub(super) const HEADER_BYTES: u64 = 8;
/// Bytes that hold a directory of 100 entries; scanners write some twenty.
pub(super) const DIRECTORY_BYTES: u64 = 2 + 100 * ENTRY_BYTES as u64 + 4;
/// Bytes of a directory's entry.
const ENTRY_BYTES: usize = 12;

/// In which order numbers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// Byte order and offset of the first directory, by the header.
pub(super) fn header(bytes: &[u8]) -> Option<(ByteOrder, u64)> {
    let order = match bytes.get(..4)? {
        b"II*\0" => ByteOrder::Little,
        b"MM\0*" => ByteOrder::Big,
        _ => return None,
    };
    Some((order, order.long(bytes, 4)?.into()))
}

/// Whether no directory follows the one that `directory` begins with.
pub(super) fn is_last(order: ByteOrder, directory: &[u8]) -> Option<bool> {
    let entries = usize::from(order.short(directory)?);
    Some(order.long(directory, 2 + entries * ENTRY_BYTES)? == 0)
}

impl ByteOrder {
    fn short(self, bytes: &[u8]) -> Option<u16> {
        let bytes = bytes.get(..2)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn long(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

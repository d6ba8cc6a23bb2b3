//! How many pixels a PNG or JPEG has, by the header in its first bytes.
//!
//! <https://www.w3.org/TR/png-3/#11IHDR>, <https://www.w3.org/Graphics/JPEG/itu-t81.pdf> (B.2.2).
//! Absent on purpose: anything that would decode the picture.

/// Enough for the header of a JPEG behind a thumbnail and a colour profile.
pub(super) const HEADER_BYTES: u64 = 128 * 1024;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Pixels {
    pub(super) fn shorter(self) -> u32 {
        self.width.min(self.height)
    }

    pub(super) fn longer(self) -> u32 {
        self.width.max(self.height)
    }
}

/// The pixels of the picture that begins with `head`; unknown where its header is not in there.
pub(super) fn pixels(head: &[u8]) -> Option<Pixels> {
    if head.starts_with(b"\x89PNG\r\n\x1a\n") { png(head) } else { jpeg(head) }
}

fn png(head: &[u8]) -> Option<Pixels> {
    let number = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    (head.get(12..16)? == b"IHDR").then_some(())?;
    Some(Pixels { width: number(16)?, height: number(20)? })
}

/// Walks the marker segments up to the frame header.
fn jpeg(head: &[u8]) -> Option<Pixels> {
    if !head.starts_with(&[0xFF, 0xD8]) {
        return None;
    }
    let number = |at: usize| head.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes);
    let mut at = 2;
    loop {
        match (*head.get(at)?, *head.get(at + 1)?) {
            (0xFF, 0xFF) => at += 1,
            (0xFF, marker) if is_frame(marker) => {
                return Some(Pixels { width: number(at + 7)?.into(), height: number(at + 5)?.into() });
            }
            (0xFF, 0x01 | 0xD0..=0xD8) => at += 2,
            (0xFF, 0xD9 | 0xDA) => return None,
            (0xFF, _) => at += 2 + usize::from(number(at + 2)?),
            _ => return None,
        }
    }
}

/// Frame headers are C0 to CF, but for tables (C4, CC) and extensions (C8).
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

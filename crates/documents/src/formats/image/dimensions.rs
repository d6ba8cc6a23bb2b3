//! Width and height from a picture's header, without decoding it.

/// Width and height in pixels.
pub(super) fn of(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some((be32(bytes, 16)?, be32(bytes, 20)?)),
        [b'G', b'I', b'F', b'8', ..] => Some((le16(bytes, 6)?, le16(bytes, 8)?)),
        [b'B', b'M', ..] => bmp(bytes),
        [0xff, 0xd8, ..] => jpeg(bytes),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(bytes),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => None,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif(bytes),
        _ => None,
    }
    .filter(|(width, height)| *width > 0 && *height > 0)
}

fn bmp(bytes: &[u8]) -> Option<(u32, u32)> {
    if le32(bytes, 14)? == 12 {
        return Some((le16(bytes, 18)?, le16(bytes, 20)?));
    }
    // A negative height means that the rows run downwards.
    Some((le32(bytes, 18)?, le32(bytes, 22)?.cast_signed().unsigned_abs()))
}

/// The first start-of-frame segment.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    while at + 9 < bytes.len() {
        let (marker, code) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        if marker != 0xff {
            return None;
        }
        match code {
            0xff => at += 1,
            0x01 | 0xd0..=0xd9 => at += 2,
            0xc0..=0xcf if !matches!(code, 0xc4 | 0xc8 | 0xcc) => {
                return Some((be16(bytes, at + 7)?, be16(bytes, at + 5)?));
            }
            _ => at += 2 + be16(bytes, at + 2)? as usize,
        }
    }
    None
}

fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((le24(bytes, 24)? + 1, le24(bytes, 27)? + 1)),
        b"VP8L" => {
            let bits = le32(bytes, 21)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Some((le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff)),
        _ => None,
    }
}

/// The largest `ispe` property: a picture may be put together from smaller tiles.
fn heif(bytes: &[u8]) -> Option<(u32, u32)> {
    const HEADER_BYTES: usize = 64 << 10;
    let head = &bytes[..bytes.len().min(HEADER_BYTES)];
    let places = head.windows(4).enumerate().filter(|(_, four)| *four == b"ispe").map(|(at, _)| at);
    places
        .filter_map(|at| Some((be32(head, at + 8)?, be32(head, at + 12)?)))
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 2)?.try_into().ok().map(|it| u32::from(u16::from_be_bytes(it)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 2)?.try_into().ok().map(|it| u32::from(u16::from_le_bytes(it)))
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    let three = bytes.get(at..at + 3)?;
    Some(u32::from(three[0]) | u32::from(three[1]) << 8 | u32::from(three[2]) << 16)
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_give_the_size() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 2]);
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc2, 0, 11, 8, 0, 3, 0, 7, 0, 0, 0];
        let mut bmp = b"BM".to_vec();
        bmp.resize(14, 0);
        bmp.extend([40, 0, 0, 0, 5, 0, 0, 0, 0xfa, 0xff, 0xff, 0xff]);
        let cases: [(&[u8], u32, u32); 4] =
            [(&png, 256, 2), (&jpeg, 7, 3), (&bmp, 5, 6), (b"GIF89a\x03\0\x04\0", 3, 4)];
        for (bytes, width, height) in cases {
            assert_eq!(of(bytes), Some((width, height)));
        }
        assert_eq!(of(b"RIFF"), None);
    }
}

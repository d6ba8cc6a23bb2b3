//! Bytes of unknown encoding to text: byte order marks, zero patterns, UTF-8, then statistics.
//!
//! A declared encoding is only believed where the bytes do not contradict it.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Statistics settle long before; more would only cost time.
const DETECT_BYTES: usize = 256 << 10;
/// How many bytes the zero patterns of UTF-16 and UTF-32 are looked for in.
const PATTERN_BYTES: usize = 4 << 10;

/// Text with the encoding it was in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) encoding: &'static str,
    /// Some bytes made no sense and became U+FFFD.
    pub(crate) lossy: bool,
}

/// How bytes are to be turned into text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scheme {
    Utf32 { big: bool, skip: usize },
    Known { encoding: &'static Encoding, skip: usize },
}

/// Decodes `bytes`; `declared` (an IANA label, as in a `charset` parameter) is a hint.
pub(crate) fn decode(bytes: &[u8], declared: Option<&str>) -> Decoded {
    match marked(bytes).or_else(|| patterned(bytes)) {
        Some(Scheme::Utf32 { big, skip }) => decode_utf32(&bytes[skip..], big),
        Some(Scheme::Known { encoding, skip }) => decode_as(encoding, &bytes[skip..]),
        None => decode_as(guess(bytes, declared), bytes),
    }
}

/// Decodes the bytes of a legacy 8-bit or multi-byte code page by its Windows number.
pub(crate) fn decode_code_page(bytes: &[u8], code_page: u16) -> Cow<'_, str> {
    by_code_page(code_page).decode_without_bom_handling(bytes).0
}

/// The encoding of a Windows code page; 1252 where the number means nothing here.
pub(crate) fn by_code_page(number: u16) -> &'static Encoding {
    let label: &[u8] = match number {
        65001 => return UTF_8,
        1200 => return UTF_16LE,
        1201 => return UTF_16BE,
        437 | 850 | 852 | 1250 => b"windows-1250",
        866 => b"ibm866",
        874 => b"windows-874",
        932 => b"shift_jis",
        936 => b"gbk",
        949 => b"euc-kr",
        950 => b"big5",
        1251 => b"windows-1251",
        1253 => b"windows-1253",
        1254 => b"windows-1254",
        1255 => b"windows-1255",
        1256 => b"windows-1256",
        1257 => b"windows-1257",
        1258 => b"windows-1258",
        10000 => b"macintosh",
        10007 => b"x-mac-cyrillic",
        20866 => b"koi8-r",
        54936 => b"gb18030",
        _ => return WINDOWS_1252,
    };
    Encoding::for_label(label).unwrap_or(WINDOWS_1252)
}

/// Whether the bytes can only be UTF-16 or UTF-32 text, with or without a byte order mark.
pub(crate) fn is_wide(bytes: &[u8]) -> bool {
    let wide = |scheme| match scheme {
        Scheme::Utf32 { .. } => true,
        Scheme::Known { encoding, .. } => encoding != UTF_8,
    };
    marked(bytes).or_else(|| patterned(bytes)).is_some_and(wide)
}

fn marked(bytes: &[u8]) -> Option<Scheme> {
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) && bytes.len().is_multiple_of(4) {
        return Some(Scheme::Utf32 { big: false, skip: 4 });
    }
    if bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Some(Scheme::Utf32 { big: true, skip: 4 });
    }
    Encoding::for_bom(bytes).map(|(encoding, skip)| Scheme::Known { encoding, skip })
}

/// UTF-16 and UTF-32 of mostly Latin text, told by where the zero bytes stand.
fn patterned(bytes: &[u8]) -> Option<Scheme> {
    let sample = &bytes[..bytes.len().min(PATTERN_BYTES)];
    if sample.len() < 4 || !sample.contains(&0) {
        return None;
    }
    let zeros = |offset: usize, step: usize| {
        let places = sample.iter().skip(offset).step_by(step);
        let all = places.len().max(1);
        places.filter(|byte| **byte == 0).count() * 100 / all
    };
    let quarters = [zeros(0, 4), zeros(1, 4), zeros(2, 4), zeros(3, 4)];
    match quarters {
        [0..=20, 60..=100, 95..=100, 95..=100] => return Some(Scheme::Utf32 { big: false, skip: 0 }),
        [95..=100, 95..=100, 60..=100, 0..=20] => return Some(Scheme::Utf32 { big: true, skip: 0 }),
        _ => {}
    }
    let encoding = match (zeros(0, 2), zeros(1, 2)) {
        (0..=5, 40..) => UTF_16LE,
        (40.., 0..=5) => UTF_16BE,
        _ => return None,
    };
    let (text, _, _) = encoding.decode(sample);
    let strange = text.chars().filter(|c| c.is_control() && !c.is_whitespace() || *c == '\u{fffd}').count();
    (strange * 20 <= text.chars().count()).then_some(Scheme::Known { encoding, skip: 0 })
}

fn guess(bytes: &[u8], declared: Option<&str>) -> &'static Encoding {
    if is_mostly_utf8(bytes) && !has_iso_2022_escape(bytes) {
        return UTF_8;
    }
    let named = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    match named {
        // A wrong `utf-8` or `us-ascii` label is the commonest of all.
        Some(encoding) if encoding != UTF_8 && encoding != WINDOWS_1252 && encoding.is_ascii_compatible() => encoding,
        _ => statistics(bytes),
    }
}

fn statistics(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let sample = &bytes[..bytes.len().min(DETECT_BYTES)];
    detector.feed(sample, sample.len() == bytes.len());
    detector.guess(None, Utf8Detection::Allow)
}

/// UTF-8, or UTF-8 with a few broken places (a cut end, a pasted foreign byte).
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    bad == 0
        || bad == 1 && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
        || bad * 20 < good
}

fn has_iso_2022_escape(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(DETECT_BYTES)];
    sample.windows(3).any(|three| matches!(three, [0x1b, b'$', b'@' | b'B'] | [0x1b, b'(', b'J' | b'I']))
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, lossy) = encoding.decode_without_bom_handling(bytes);
    Decoded { text: text.into_owned(), encoding: encoding.name(), lossy }
}

fn decode_utf32(bytes: &[u8], big: bool) -> Decoded {
    let unit = |four: [u8; 4]| if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
    let (fours, rest) = bytes.as_chunks::<4>();
    let mut lossy = !rest.is_empty();
    let text = fours.iter().map(|four| {
        char::from_u32(unit(*four)).unwrap_or_else(|| {
            lossy = true;
            char::REPLACEMENT_CHARACTER
        })
    });
    let text = text.collect();
    Decoded { text, encoding: if big { "UTF-32BE" } else { "UTF-32LE" }, lossy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    fn utf32(text: &str, big: bool) -> Vec<u8> {
        text.chars().flat_map(|c| if big { u32::from(c).to_be_bytes() } else { u32::from(c).to_le_bytes() }).collect()
    }

    #[test]
    fn every_common_encoding_reads_back() {
        let text = "Grüße aus Köln – naïve café, 10 € and some more words";
        let cases = [
            ("UTF-8", text.as_bytes().to_vec()),
            ("UTF-8", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
            ("UTF-16LE", utf16(text, false)),
            ("UTF-16BE", utf16(text, true)),
            ("UTF-16LE", [vec![0xff, 0xfe], utf16(text, false)].concat()),
            ("UTF-16BE", [vec![0xfe, 0xff], utf16(text, true)].concat()),
            ("UTF-32LE", utf32(text, false)),
            ("UTF-32BE", utf32(text, true)),
            ("UTF-32LE", [vec![0xff, 0xfe, 0, 0], utf32(text, false)].concat()),
            ("UTF-32BE", [vec![0, 0, 0xfe, 0xff], utf32(text, true)].concat()),
            ("windows-1252", WINDOWS_1252.encode(text).0.into_owned()),
        ];
        for (encoding, bytes) in cases {
            let decoded = decode(&bytes, None);
            assert_eq!((decoded.encoding, decoded.text.as_str(), decoded.lossy), (encoding, text, false));
        }
    }

    #[test]
    fn far_scripts_are_told_by_statistics() {
        let cases = [
            ("windows-1251", "Привет, мир. Это обычный русский текст, который написан в старой кодировке."),
            ("Shift_JIS", "これは日本語の文章です。文字コードの判定をテストします。"),
            ("EUC-KR", "안녕하세요. 이것은 한국어 문장입니다. 문자 집합을 시험합니다."),
            ("ISO-2022-JP", "これは日本語のメールです。"),
        ];
        for (label, text) in cases {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let decoded = decode(&encoding.encode(text).0, None);
            assert_eq!((decoded.text.as_str(), decoded.encoding), (text, label));
        }
    }

    #[test]
    fn a_declaration_helps_unless_the_bytes_contradict_it() {
        let greek = Encoding::for_label(b"iso-8859-7").unwrap();
        assert_eq!(decode(&greek.encode("Αθήνα").0, Some("iso-8859-7")).text, "Αθήνα");
        assert_eq!(decode("Αθήνα".as_bytes(), Some("iso-8859-7")).text, "Αθήνα");
        assert_eq!(decode(b"caf\xe9 cr\xe8me", Some("utf-8")).text, "café crème");
    }

    #[test]
    fn a_cut_or_dirty_utf8_stays_utf8() {
        assert_eq!(decode(&"naïve ö".as_bytes()[..8], None).encoding, "UTF-8");
        let dirty = [&"äöü".repeat(30).into_bytes()[..], b"\xff"].concat();
        let decoded = decode(&dirty, None);
        assert_eq!((decoded.encoding, decoded.lossy), ("UTF-8", true));
    }
}

//! Character maps (`CMap`s) of fonts, read leniently and written anew in the little that `pdf-extract` reads.
//!
//! Of an encoding only the lengths of codes are kept and codes stand for themselves, since that crate looks them up in
//! `ToUnicode` by their glyphs' numbers instead. Predefined maps are known by the family of their names. Not done:
//! `usecmap`, and glyphs' widths under maps that are not the identity (they part words, no more).
//!
//! ISO 32000-1, 9.7.5 and 9.10.3.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lopdf::{Dictionary, Stream};

/// Entries of one map: all of the basic plane.
const MAX_ENTRIES: usize = 65_536;
/// Ranges of codes; real maps have a handful.
const MAX_RANGES: usize = 100;
/// Entries of one block: what the specification allows.
const BLOCK: usize = 100;

/// Codes of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Codes {
    low: u32,
    high: u32,
    bytes: usize,
}

/// One byte for Latin letters, two for the others.
const MIXED: [Codes; 2] = [Codes { low: 0, high: 0x80, bytes: 1 }, Codes { low: 0x8140, high: 0xfefe, bytes: 2 }];
/// The same, with narrow katakana in one byte.
const SHIFT_JIS: [Codes; 4] = [
    Codes { low: 0, high: 0x80, bytes: 1 },
    Codes { low: 0xa0, high: 0xdf, bytes: 1 },
    Codes { low: 0x8140, high: 0x9ffc, bytes: 2 },
    Codes { low: 0xe040, high: 0xfcfc, bytes: 2 },
];

/// The encoding that a map describes, codes standing for themselves; `None` where it says nothing of codes.
pub(super) fn encoding(map: &[u8]) -> Option<Stream> {
    let ranges = codespace(map);
    (!ranges.is_empty()).then(|| write_encoding(&ranges))
}

/// The encoding of a predefined map, and whether its codes are UTF-16.
pub(super) fn predefined(name: &[u8]) -> Option<(Stream, bool)> {
    let name = std::str::from_utf8(name).ok()?;
    let has = |part: &str| name.contains(part);
    let two_bytes = [Codes { low: 0, high: 0xffff, bytes: 2 }];
    if has("UCS2") || has("UTF16") {
        return Some((write_encoding(&two_bytes), true));
    }
    // Rows of JIS, GB and KS without shifts have two bytes throughout.
    if matches!(name, "H" | "V" | "GB-H" | "GB-V" | "KSC-H" | "KSC-V") {
        return Some((write_encoding(&two_bytes), false));
    }
    if has("RKSJ") {
        return Some((write_encoding(&SHIFT_JIS), false));
    }
    ["EUC", "GBK", "B5", "KSC"].iter().any(|part| has(part)).then(|| (write_encoding(&MIXED), false))
}

/// A `ToUnicode` map for codes that are UTF-16 themselves.
pub(super) fn utf16() -> Stream {
    let mut map = String::new();
    for row in (0..=0xff_u32).filter(|row| !(0xd8..=0xdf).contains(row)) {
        let _ = writeln!(map, "1 beginbfrange <{row:02x}00> <{row:02x}ff> <{row:02x}00> endbfrange");
    }
    stream(map)
}

/// A `ToUnicode` map without what the crate stumbles over; `None` where nothing of use is in it.
pub(super) fn unicode(map: &[u8]) -> Option<Stream> {
    let entries = unicode_entries(map);
    if entries.is_empty() {
        return None;
    }
    let entries: Vec<(u32, String)> = entries.into_iter().collect();
    let mut text = String::new();
    for block in entries.chunks(BLOCK) {
        let _ = writeln!(text, "{} beginbfchar", block.len());
        for (code, letters) in block {
            let _ = write!(text, "<{code:04x}> <");
            for unit in letters.encode_utf16() {
                let _ = write!(text, "{unit:04x}");
            }
            text.push_str(">\n");
        }
        text.push_str("endbfchar\n");
    }
    Some(stream(text))
}

fn write_encoding(ranges: &[Codes]) -> Stream {
    let mut map = String::new();
    // One range to a block, since the crate miscounts several; each code twice as long, since it halves their length.
    for Codes { low, high, bytes } in ranges {
        let width = bytes * 4;
        let _ = writeln!(map, "1 begincodespacerange <{low:0width$x}> <{high:0width$x}> endcodespacerange");
        let _ = writeln!(map, "1 begincidrange <{low:0width$x}> <{high:0width$x}> 0 endcidrange");
    }
    stream(map)
}

fn stream(text: String) -> Stream {
    Stream::new(Dictionary::new(), text.into_bytes())
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Hex(Vec<u8>),
    Open,
    Close,
    Word(&'a [u8]),
}

/// The tokens of a map, as far as they matter: dictionaries, strings and names are passed over.
fn tokens(map: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = map;
    std::iter::from_fn(move || {
        loop {
            let (first, behind) = rest.split_first()?;
            match first {
                b'%' => {
                    rest = &rest[rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len())..];
                }
                b'[' => {
                    rest = behind;
                    return Some(Token::Open);
                }
                b']' => {
                    rest = behind;
                    return Some(Token::Close);
                }
                b'<' if behind.first() != Some(&b'<') => {
                    let end = behind.iter().position(|byte| *byte == b'>').unwrap_or(behind.len());
                    rest = behind.get(end + 1..).unwrap_or_default();
                    return Some(Token::Hex(hex(&behind[..end])));
                }
                byte if byte.is_ascii_alphanumeric() => {
                    let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
                    let (word, behind) = rest.split_at(end);
                    rest = behind;
                    return Some(Token::Word(word));
                }
                _ => rest = behind,
            }
        }
    })
}

/// An odd last digit counts as if a zero followed.
fn hex(digits: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = digits
        .iter()
        .filter_map(|digit| char::from(*digit).to_digit(16))
        .filter_map(|it| u8::try_from(it).ok())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

/// The operands between `begin` and its `end`, lists in one piece each.
fn sections<'a>(map: &'a [u8], begin: &'a [u8]) -> impl Iterator<Item = Vec<Vec<u8>>> + 'a {
    let mut is_inside = false;
    let mut list: Option<Vec<Vec<u8>>> = None;
    tokens(map).filter_map(move |token| match token {
        Token::Word(word) => {
            is_inside = word == begin || is_inside && !word.starts_with(b"end") && !word.starts_with(b"begin");
            None
        }
        _ if !is_inside => None,
        Token::Open => {
            list = Some(Vec::new());
            None
        }
        Token::Close => list.take(),
        Token::Hex(bytes) => match &mut list {
            Some(list) => {
                list.push(bytes);
                None
            }
            None => Some(vec![bytes]),
        },
    })
}

fn code(bytes: &[u8]) -> Option<u32> {
    (1..=4).contains(&bytes.len()).then(|| bytes.iter().fold(0, |code, byte| code << 8 | u32::from(*byte)))
}

fn codespace(map: &[u8]) -> Vec<Codes> {
    let ends: Vec<Vec<u8>> = sections(map, b"begincodespacerange").flatten().take(2 * MAX_RANGES).collect();
    let range = |pair: &[Vec<u8>]| {
        let (low, high) = (code(&pair[0])?, code(pair.get(1)?)?);
        (low <= high).then_some(Codes { low, high, bytes: pair[0].len() })
    };
    ends.chunks(2).filter_map(range).collect()
}

fn unicode_entries(map: &[u8]) -> BTreeMap<u32, String> {
    let mut entries = BTreeMap::new();
    let chars: Vec<Vec<u8>> = sections(map, b"beginbfchar").flatten().take(2 * MAX_ENTRIES).collect();
    for pair in chars.chunks_exact(2) {
        if let (Some(code), Some(letters)) = (code(&pair[0]), letters(&pair[1], 0)) {
            entries.insert(code, letters);
        }
    }
    let ranges: Vec<Vec<Vec<u8>>> = sections(map, b"beginbfrange").take(3 * MAX_ENTRIES).collect();
    for range in ranges.chunks_exact(3) {
        insert_range(&mut entries, range);
    }
    entries
}

fn insert_range(entries: &mut BTreeMap<u32, String>, range: &[Vec<Vec<u8>>]) -> Option<()> {
    let (low, high) = (code(range[0].first()?)?, code(range[1].first()?)?);
    for code in low..=high {
        if entries.len() >= MAX_ENTRIES {
            return None;
        }
        let step = code - low;
        let letters = match &range[2][..] {
            [first] => letters(first, step),
            list => letters(list.get(usize::try_from(step).ok()?)?, 0),
        };
        if let Some(letters) = letters {
            entries.insert(code, letters);
        }
    }
    Some(())
}

/// UTF-16 of one or more letters, the last of them `step` places further; nothing for what is no text.
fn letters(bytes: &[u8], step: u32) -> Option<String> {
    let units: Vec<u16> = match bytes {
        [one] => vec![u16::from(*one)],
        _ => bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect(),
    };
    let mut text: Vec<char> = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    let last = text.pop()?;
    text.push(char::from_u32(u32::from(last).checked_add(step)?)?);
    Some(text.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &[u8] = b"%!PS\n/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n\
        /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) >> def /XUID [1 10 25404] def 1.000 def\n\
        1 begincodespacerange <00> <FF> endcodespacerange\n\
        2 beginbfchar <01> <0041> <02> <00660066> endbfchar\n\
        3 beginbfrange <03> <05> <0061> <06><07>[<0078> <0079007A>] <08> <08> <D83DDE00> endbfrange\n\
        1 beginbfchar <09> <D800> endbfchar endcmap";

    #[test]
    fn maps_are_read_leniently() {
        let entries = unicode_entries(MAP);
        let expected = [(1, "A"), (2, "ff"), (3, "a"), (4, "b"), (5, "c"), (6, "x"), (7, "yz"), (8, "😀")];
        assert_eq!(entries.into_iter().collect::<Vec<_>>(), expected.map(|(code, text)| (code, text.to_owned())));
        assert_eq!(codespace(MAP), [Codes { low: 0, high: 0xff, bytes: 1 }]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let clean = unicode(MAP).unwrap();
        assert_eq!(unicode_entries(&clean.content), unicode_entries(MAP));
        let expected =
            "1 begincodespacerange <0000> <00ff> endcodespacerange\n1 begincidrange <0000> <00ff> 0 endcidrange\n";
        assert_eq!(String::from_utf8_lossy(&encoding(MAP).unwrap().content), expected);
        assert_eq!(unicode_entries(&utf16().content).len(), 65_536 - 2_048);
    }

    #[test]
    fn broken_maps_are_no_maps() {
        let all = b"1 beginbfrange <00000000> <ffffffff> <0000> endbfrange".as_slice();
        assert!(unicode_entries(all).len() <= MAX_ENTRIES);
        for broken in [&b"<"[..], b"beginbfrange <01", b"beginbfchar <> <>", b"beginbfrange [ ] ] <1> endbfrange", b"%"]
        {
            assert!(unicode(broken).is_none() && encoding(broken).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn predefined_maps_go_by_their_names() {
        let ranges =
            |name: &str| predefined(name.as_bytes()).map(|(map, is_unicode)| (codespace(&map.content), is_unicode));
        let two = Codes { low: 0, high: 0xffff, bytes: 4 };
        assert_eq!(ranges("UniGB-UCS2-H"), Some((vec![two], true)));
        assert_eq!(ranges("GB-H"), Some((vec![two], false)));
        assert_eq!(ranges("90ms-RKSJ-H").unwrap().0.len(), 4);
        assert_eq!(ranges("GBK-EUC-V").unwrap().0.len(), 2);
        assert_eq!(ranges("Unknown"), None);
    }
}

//! EXIF tags of a picture as names and readable values.
//!
//! Knows nothing of the other engines, so that it can be used inside a Lambda. It refuses thumbnails,
//! binary blobs and values longer than [`MAX_VALUE_CHARACTERS`].

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::catch_unwind;

use exif::{Exif, Field, In, Rational, Reader, Tag, Value};

/// The name under which results are reported.
pub const ENGINE: &str = "kamadak-exif 0.6";

/// Longest value that is kept; comments may hold whole documents.
pub const MAX_VALUE_CHARACTERS: usize = 512;

/// Most tags that are kept: cameras write under a hundred.
const MAX_TAGS: usize = 200;

/// The tags of the main picture by their EXIF names (`Make`, `Model`, `DateTimeOriginal`,
/// `Orientation` …). `GPSLatitude` and `GPSLongitude` are signed decimal degrees. Empty where there
/// is no EXIF or it cannot be read: a picture without it is a good picture.
#[must_use]
pub fn read(picture: &[u8]) -> BTreeMap<String, String> {
    catch_unwind(|| parse(picture)).ok().flatten().map(|exif| describe(&exif)).unwrap_or_default()
}

fn parse(picture: &[u8]) -> Option<Exif> {
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let read = reader.read_from_container(&mut Cursor::new(picture));
    read.or_else(|error| error.distill_partial_result(|_| {})).ok()
}

fn describe(exif: &Exif) -> BTreeMap<String, String> {
    let fields = exif.fields().filter(|field| field.ifd_num == In::PRIMARY);
    let mut tags: BTreeMap<String, String> =
        fields.filter_map(|field| Some((name(field)?, text(field, exif)?))).take(MAX_TAGS).collect();
    for (tag, reference) in [(Tag::GPSLatitude, Tag::GPSLatitudeRef), (Tag::GPSLongitude, Tag::GPSLongitudeRef)] {
        if let Some(degrees) = degrees(exif, tag, reference) {
            tags.insert(tag.to_string(), format!("{degrees:.6}"));
        }
    }
    tags
}

/// Tags without a published name are of no use to a reader.
fn name(field: &Field) -> Option<String> {
    field.tag.description().map(|_| field.tag.to_string())
}

fn text(field: &Field, exif: &Exif) -> Option<String> {
    let text = match &field.value {
        Value::Ascii(parts) => parts.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join(" "),
        Value::Undefined(..) | Value::Unknown(..) if !is_readable(field.tag) => return None,
        _ => field.display_value().with_unit(exif).to_string(),
    };
    let text: String =
        text.trim_matches(|c: char| c.is_whitespace() || c == '\0').chars().take(MAX_VALUE_CHARACTERS).collect();
    let text = text.replace(char::is_control, " ");
    (!text.is_empty()).then_some(text)
}

/// Undefined-typed tags that have a readable form all the same.
fn is_readable(tag: Tag) -> bool {
    [Tag::ExifVersion, Tag::FlashpixVersion, Tag::FileSource, Tag::SceneType, Tag::ComponentsConfiguration]
        .contains(&tag)
}

fn degrees(exif: &Exif, tag: Tag, reference: Tag) -> Option<f64> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let part = |index: usize| parts.get(index).map_or(0.0, Rational::to_f64);
    let degrees = part(0) + part(1) / 60.0 + part(2) / 3600.0;
    let Value::Ascii(side) = &exif.get_field(reference, In::PRIMARY)?.value else { return None };
    let side = side.first()?.first()?.to_ascii_uppercase();
    let signed = if matches!(side, b'S' | b'W') { -degrees } else { degrees };
    (degrees.is_finite() && degrees.abs() <= 180.0).then_some(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little-endian TIFF of one directory with a make and a position in the south-west.
    fn with_position() -> Vec<u8> {
        let entry = |tag: u16, kind: u16, count: u32, value: u32| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        let mut file = b"II*\0\x08\0\0\0\x02\0".to_vec();
        file.extend(entry(0x010f, 2, 4, u32::from_le_bytes(*b"ABC\0")));
        file.extend(entry(0x8825, 4, 1, 38));
        file.extend([0; 4]);
        file.extend(4_u16.to_le_bytes());
        file.extend(entry(1, 2, 2, u32::from_le_bytes(*b"S\0\0\0")));
        file.extend(entry(2, 5, 3, 92));
        file.extend(entry(3, 2, 2, u32::from_le_bytes(*b"W\0\0\0")));
        file.extend(entry(4, 5, 3, 92));
        file.extend([0; 4]);
        for part in [10_u32, 30, 36] {
            file.extend([part.to_le_bytes(), 1_u32.to_le_bytes()].concat());
        }
        file
    }

    #[test]
    fn text_and_position_are_readable() {
        let tags = read(&with_position());
        assert_eq!(tags.get("Make").map(String::as_str), Some("ABC"));
        assert_eq!(tags.get("GPSLatitude").map(String::as_str), Some("-10.510000"));
        assert_eq!(tags.get("GPSLongitude").map(String::as_str), Some("-10.510000"));
    }

    #[test]
    fn damage_gives_what_could_be_read() {
        let file = with_position();
        for cut in 0..file.len() {
            let _never_panics = read(&file[..cut]);
        }
        assert!(read(b"").is_empty());
        assert!(read(b"\xff\xd8\xff\xd9").is_empty());
    }
}

//! Pictures: EXIF and dimensions as metadata, no text (others recognise that).

use std::io::Cursor;

use exif::{Exif, In, Reader, Tag, Value};

use super::Input;
use crate::draft::Draft;

mod dimensions;

/// Long binary notes of camera makers are of no use to people.
const LEFT_OUT: &[Tag] = &[
    Tag::MakerNote,
    Tag::JPEGInterchangeFormat,
    Tag::JPEGInterchangeFormatLength,
    Tag::StripOffsets,
    Tag::StripByteCounts,
];
const MAX_VALUE_CHARS: usize = 200;

/// Reads a picture's metadata.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    if let Some((width, height)) = dimensions::of(input.bytes) {
        draft.metadata("Width", &width.to_string());
        draft.metadata("Height", &height.to_string());
    }
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let found = reader.read_from_container(&mut Cursor::new(&input.bytes[..]));
    match found.or_else(|error| error.distill_partial_result(|_| {})) {
        Ok(exif) => put_exif(&exif, draft),
        // Most pictures have none.
        Err(exif::Error::NotFound(_) | exif::Error::InvalidFormat(_)) => {}
        Err(_) => draft.warn("the picture's EXIF data is broken"),
    }
}

fn put_exif(exif: &Exif, draft: &mut Draft<'_>) {
    for field in exif.fields().filter(|field| field.ifd_num == In::PRIMARY && !LEFT_OUT.contains(&field.tag)) {
        let text = match &field.value {
            Value::Ascii(parts) => parts.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join(" "),
            Value::Undefined(bytes, _) if bytes.len() > 16 => continue,
            _ => field.display_value().with_unit(exif).to_string(),
        };
        let text = text.trim_matches(['\0', ' ', '"']);
        if field.tag.description().is_some() && text.chars().count() <= MAX_VALUE_CHARS {
            draft.metadata(&field.tag.to_string(), text);
        }
    }
    if let Some(degrees) = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, b'S') {
        draft.metadata("Latitude", &degrees);
    }
    if let Some(degrees) = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, b'W') {
        draft.metadata("Longitude", &degrees);
    }
}

/// Degrees, minutes and seconds as decimal degrees with six places (a tenth of a metre).
fn degrees(exif: &Exif, tag: Tag, reference: Tag, negative: u8) -> Option<String> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let weights = [1.0, 60.0, 3_600.0];
    let total: f64 = parts.iter().zip(weights).map(|(part, weight)| part.to_f64() / weight).sum();
    let sign = match &exif.get_field(reference, In::PRIMARY)?.value {
        Value::Ascii(text) if text.first().and_then(|text| text.first()) == Some(&negative) => -1.0,
        _ => 1.0,
    };
    (total.is_finite() && total.abs() <= 180.0).then(|| format!("{:.6}", sign * total))
}

//! What a PDF says of itself: the information dictionary and the files attached to it.

use lopdf::{Dictionary, Document, Object};

use super::get;
use crate::draft::Draft;
use crate::encoding;

const KEYS: &[(&[u8], &str)] = &[
    (b"Title", "Title"),
    (b"Author", "Author"),
    (b"Subject", "Subject"),
    (b"Keywords", "Keywords"),
    (b"Creator", "Application"),
    (b"Producer", "Producer"),
    (b"CreationDate", "Created"),
    (b"ModDate", "Modified"),
];

/// Puts the properties and attachments into the draft.
pub(super) fn read(document: &Document, draft: &mut Draft<'_>) {
    draft.metadata("PDF-Version", &document.version);
    if document.was_encrypted() {
        draft.metadata("Encrypted", "opens without a password");
    }
    if let Some(info) = get(document, &document.trailer, b"Info").and_then(|info| info.as_dict().ok()) {
        for (key, name) in KEYS {
            if let Some(value) = get(document, info, key).and_then(|value| value.as_str().ok()) {
                let text = text(value);
                draft.metadata(name, date(&text).as_deref().unwrap_or(&text));
            }
        }
    }
    let dicts = document.objects.values().filter_map(|object| object.as_dict().ok());
    for specification in dicts.filter(|dict| dict.has(b"EF")) {
        list_attachment(document, specification, draft);
    }
}

fn list_attachment(document: &Document, specification: &Dictionary, draft: &mut Draft<'_>) {
    let name =
        [&b"UF"[..], b"F"].into_iter().find_map(|key| get(document, specification, key)?.as_str().ok().map(text));
    let files = get(document, specification, b"EF").and_then(|files| files.as_dict().ok());
    let Some(file) = files.and_then(|files| get(document, files, b"F").or_else(|| get(document, files, b"UF"))) else {
        return;
    };
    let Object::Stream(file) = file else { return };
    let size = get(document, &file.dict, b"Params")
        .and_then(|params| get(document, params.as_dict().ok()?, b"Size")?.as_i64().ok());
    let kind = get(document, &file.dict, b"Subtype").and_then(|kind| kind.as_name().ok()).map(String::from_utf8_lossy);
    let size = size.and_then(|size| u64::try_from(size).ok()).unwrap_or(file.content.len() as u64);
    draft.attachment(&name.unwrap_or_default(), kind.as_deref(), size);
}

/// A text string: UTF-16 or UTF-8 with a mark, else (nearly) Latin-1.
fn text(bytes: &[u8]) -> String {
    if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xef\xbb\xbf") {
        return encoding::decode(bytes, None).text;
    }
    encoding::decode_code_page(bytes, 1252).into_owned()
}

/// `D:20230131120000+01'00'` as ISO 8601.
fn date(text: &str) -> Option<String> {
    let digits = text.strip_prefix("D:")?;
    let (clock, zone) = digits.split_at(digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()));
    let part = |range: std::ops::Range<usize>| clock.get(range);
    let mut date = part(0..4)?.to_owned();
    for (range, before) in [(4..6, "-"), (6..8, "-"), (8..10, "T"), (10..12, ":"), (12..14, ":")] {
        let Some(digits) = part(range) else { break };
        date += before;
        date += digits;
    }
    let zone = zone.trim_end_matches('\'').replace('\'', ":");
    if date.len() > 10 { Some(date + &zone) } else { Some(date) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_iso() {
        let cases = [
            ("D:20230131120000+01'00'", Some("2023-01-31T12:00:00+01:00")),
            ("D:20230131120000Z", Some("2023-01-31T12:00:00Z")),
            ("D:2023", Some("2023")),
            ("yesterday", None),
        ];
        for (given, expected) in cases {
            assert_eq!(date(given).as_deref(), expected);
        }
    }
}

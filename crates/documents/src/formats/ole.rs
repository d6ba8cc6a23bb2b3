//! OLE2 compound files: streams within bounds, and the summary information they share.
//!
//! Formats: [MS-CFB] and [MS-OLEPS].

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use cfb::CompoundFile;

use crate::draft::Draft;
use crate::encoding;
use crate::error::DocumentError;

/// The first bytes of every compound file.
pub(crate) const MAGIC: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// An open compound file.
pub(crate) struct Compound {
    file: CompoundFile<Cursor<Arc<[u8]>>>,
}

impl Compound {
    pub(crate) fn open(bytes: &Arc<[u8]>) -> Result<Self, DocumentError> {
        let file = CompoundFile::open(Cursor::new(Arc::clone(bytes)));
        let file = file.map_err(|_| DocumentError::damaged("the compound file's directory is broken"))?;
        Ok(Self { file })
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.file.exists(path)
    }

    /// The bytes of a stream (never more than the file has); `None` where there is none.
    pub(crate) fn stream(&mut self, path: &str) -> Option<Vec<u8>> {
        if !self.file.is_stream(path) {
            return None;
        }
        let mut stream = self.file.open_stream(path).ok()?;
        let mut bytes = Vec::new();
        // A stream cut short by damage is of use up to there.
        let _ = stream.read_to_end(&mut bytes);
        Some(bytes)
    }

    /// The length of a stream as the directory has it.
    pub(crate) fn length(&self, path: &str) -> Option<u64> {
        self.file.entry(path).ok().map(|entry| entry.len())
    }

    /// Names of what lies directly within a storage.
    pub(crate) fn names(&self, storage: &str) -> Vec<String> {
        let entries = self.file.read_storage(Path::new(storage));
        entries.map(|it| it.map(|entry| entry.name().to_owned()).collect()).unwrap_or_default()
    }

    /// Puts the summary information (title, author, dates …) into the draft.
    pub(crate) fn summarise(&mut self, draft: &mut Draft<'_>) {
        for name in ["\u{5}SummaryInformation", "\u{5}DocumentSummaryInformation"] {
            if let Some(bytes) = self.stream(name) {
                put_properties(&bytes, name.ends_with("tSummaryInformation"), draft);
            }
        }
    }
}

/// Property numbers of the first section of a summary stream.
const SUMMARY: &[(u32, &str)] = &[
    (2, "Title"),
    (3, "Subject"),
    (4, "Author"),
    (5, "Keywords"),
    (6, "Description"),
    (8, "Last-Modified-By"),
    (12, "Created"),
    (13, "Modified"),
    (14, "Pages"),
    (15, "Words"),
    (18, "Application"),
];
const DOCUMENT_SUMMARY: &[(u32, &str)] = &[(2, "Category"), (7, "Slides"), (14, "Manager"), (15, "Company")];
const MAX_PROPERTIES: u32 = 200;

fn put_properties(bytes: &[u8], is_document: bool, draft: &mut Draft<'_>) -> Option<()> {
    let section = usize::try_from(u32_at(bytes, 44)?).ok()?;
    let count = u32_at(bytes, section + 4)?.min(MAX_PROPERTIES) as usize;
    let place = |index: usize| {
        let entry = section + 8 + index * 8;
        Some((u32_at(bytes, entry)?, section + u32_at(bytes, entry + 4)? as usize))
    };
    let places: Vec<(u32, usize)> = (0..count).filter_map(place).collect();
    let code_page = places.iter().find(|(id, _)| *id == 1).and_then(|(_, at)| u16_at(bytes, at + 4)).unwrap_or(1252);
    let table = if is_document { DOCUMENT_SUMMARY } else { SUMMARY };
    for (id, at) in places {
        if let Some((_, key)) = table.iter().find(|(number, _)| *number == id)
            && let Some(value) = property(bytes, at, code_page)
        {
            draft.metadata(key, value.trim_end_matches('\0'));
        }
    }
    Some(())
}

/// A property's value as text, by its type.
fn property(bytes: &[u8], at: usize, code_page: u16) -> Option<String> {
    let length = || u32_at(bytes, at + 4).map(|length| length as usize);
    match u16_at(bytes, at)? {
        2 => u16_at(bytes, at + 4).map(|value| value.to_string()),
        3 => u32_at(bytes, at + 4).map(|value| value.to_string()),
        30 => Some(encoding::decode_code_page(bytes.get(at + 8..at + 8 + length()?)?, code_page).into_owned()),
        31 => Some(utf16(bytes.get(at + 8..at + 8 + length()?.checked_mul(2)?)?)),
        64 => filetime(u64_at(bytes, at + 4)?),
        _ => None,
    }
}

/// Hundreds of nanoseconds since 1601 as an ISO date and time; nothing for "unset" and durations.
pub(crate) fn filetime(ticks: u64) -> Option<String> {
    const SECONDS_1601_TO_1970: i64 = 11_644_473_600;
    let seconds = i64::try_from(ticks / 10_000_000).ok()? - SECONDS_1601_TO_1970;
    // Before 1980 nothing wrote these files: such values are durations or garbage.
    (seconds > 315_532_800).then(|| iso_time(seconds))
}

/// Seconds since 1970 as `YYYY-MM-DDThh:mm:ssZ` (days to civil date after H. Hinnant).
pub(crate) fn iso_time(seconds: i64) -> String {
    let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let era_days = days + 719_468;
    let era = era_days.div_euclid(146_097);
    let day_of_era = era_days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", clock / 3_600, clock / 60 % 60, clock % 60)
}

/// UTF-16LE bytes as text.
pub(crate) fn utf16(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16_lossy(&units)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_civil() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(iso_time(seconds), expected);
        }
        assert_eq!(filetime(0), None);
        assert_eq!(filetime(131_659_776_000_000_000).as_deref(), Some("2018-03-20T00:00:00Z"));
    }
}

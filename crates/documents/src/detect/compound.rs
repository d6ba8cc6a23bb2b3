//! OLE2 compound files ([MS-CFB]) by the streams of their root directory.
//!
//! Only the sample is there, so the directory may lie out of sight; then stream names are looked
//! for in what is there, and the extension decides between the kinds that are found.

use super::{Detection, Problem, Sample, hint};
use crate::formats::ole::{MAGIC, u16_at, u32_at};

const ENTRY_BYTES: usize = 128;
/// Entries that are followed; directories of messages have some hundreds.
const MAX_ENTRIES: usize = 20_000;
const NONE: u32 = 0xffff_fffb;

/// A stream or storage in the root, and what it makes of the file.
const STREAMS: &[(&str, &str)] = &[
    ("EncryptedPackage", ENCRYPTED),
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("PP40", "application/vnd.ms-powerpoint"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("__nameid_version1.0", "application/vnd.ms-outlook"),
    ("VisioDocument", "application/vnd.visio"),
    ("Quill", "application/vnd.ms-publisher"),
    ("\u{5}HwpSummaryInformation", "application/x-hwp"),
    ("HwpSummaryInformation", "application/x-hwp"),
    ("MatOST", "application/vnd.ms-works"),
    ("Props9", "application/vnd.ms-project"),
    ("Props12", "application/vnd.ms-project"),
    ("Props14", "application/vnd.ms-project"),
    ("StarCalcDocument", "application/vnd.stardivision.calc"),
    ("StarWriterDocument", "application/vnd.stardivision.writer"),
];
/// Not a media type: the true one is within what is encrypted.
const ENCRYPTED: &str = "encrypted";

/// The media type of a compound file.
pub(super) fn detect(sample: &Sample<'_>) -> Option<Detection> {
    if !sample.head.starts_with(MAGIC) {
        return None;
    }
    let kind = match root_names(sample.head) {
        Some(names) => STREAMS
            .iter()
            .find(|(stream, _)| names.iter().any(|name| name.eq_ignore_ascii_case(stream)))
            .map(|(_, kind)| *kind),
        None => by_sight(sample),
    };
    Some(match kind {
        Some(ENCRYPTED) => {
            let media_type = hint::office_package(sample).unwrap_or("application/x-ole-storage");
            Detection::with(media_type, Problem::Encrypted("the document needs a password".to_owned()))
        }
        Some(media_type) => Detection::of(media_type),
        None => Detection::of("application/x-ole-storage"),
    })
}

/// Names directly under the root; `None` where the directory is not all in sight.
fn root_names(head: &[u8]) -> Option<Vec<String>> {
    let entries = entries(head)?;
    let entry = |id: u32| entries.get(usize::try_from(id).ok()?).copied();
    let mut names = Vec::new();
    let mut open = vec![u32_at(entry(0)?, 76)?];
    while let Some(id) = open.pop() {
        if id >= NONE || names.len() > MAX_ENTRIES {
            continue;
        }
        let entry = entry(id)?;
        names.push(name(entry)?);
        open.extend([u32_at(entry, 68)?, u32_at(entry, 72)?]);
    }
    Some(names)
}

/// The directory's entries, as far as its chain of sectors is in sight.
fn entries(head: &[u8]) -> Option<Vec<&[u8]>> {
    let shift = u32::from(u16_at(head, 30)?);
    let sector_bytes = 1_usize.checked_shl(shift).filter(|bytes| matches!(bytes, 512 | 4_096))?;
    let place = |sector: u32| usize::try_from(sector).ok()?.checked_add(1)?.checked_mul(sector_bytes);
    let mut sector = u32_at(head, 48)?;
    let mut entries = Vec::new();
    while sector < NONE && entries.len() < MAX_ENTRIES {
        let start = place(sector)?;
        let Some(bytes) = head.get(start..start + sector_bytes) else { break };
        entries.extend(bytes.chunks_exact(ENTRY_BYTES));
        let Some(next) = next_sector(head, sector, sector_bytes) else { break };
        sector = next;
    }
    Some(entries)
}

/// The sector behind `sector` by the allocation table, which the header's first 109 entries name.
fn next_sector(head: &[u8], sector: u32, sector_bytes: usize) -> Option<u32> {
    let per_table = sector_bytes / 4;
    let index = usize::try_from(sector).ok()?;
    let table = u32_at(head, 76 + (index / per_table) * 4).filter(|_| index / per_table < 109)?;
    let start = usize::try_from(table).ok()?.checked_add(1)?.checked_mul(sector_bytes)?;
    u32_at(head, start + (index % per_table) * 4)
}

fn name(entry: &[u8]) -> Option<String> {
    let bytes = usize::from(u16_at(entry, 64)?).clamp(2, 64) - 2;
    let units: Vec<u16> = entry[..bytes].as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Kinds whose stream names stand anywhere in the sample; the extension decides between them.
fn by_sight(sample: &Sample<'_>) -> Option<&'static str> {
    let is_seen = |stream: &str| {
        let name: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [sample.head, sample.tail].iter().any(|part| part.windows(name.len()).any(|window| window == name))
    };
    let seen: Vec<&str> = STREAMS.iter().filter(|(stream, _)| is_seen(stream)).map(|(_, kind)| *kind).collect();
    let hinted = hint::compound(sample);
    // Content has proven a compound file: the name may say which, if nothing speaks against it.
    hinted.filter(|kind| seen.is_empty() || seen.contains(kind)).or_else(|| seen.first().copied())
}

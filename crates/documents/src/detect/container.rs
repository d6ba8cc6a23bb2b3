//! Zip containers by their members: OOXML, ODF, EPUB and others are all zip.
//!
//! Members are seen by their local headers in the head and by the central directory in the tail.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::{Detection, Problem, Sample, hint};
use crate::formats::ole::{u16_at, u32_at};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
/// Members that are looked at; the telling ones come first or have telling names.
const MAX_MEMBERS: usize = 5_000;
/// A list of content types longer than this is cut; its first lines tell.
const MAX_PART_BYTES: u64 = 256 << 10;

/// A content type of a main part, and the media type of the file that has it.
const MAIN_PARTS: &[(&str, &str)] = &[
    ("ms-word.document.macroenabled.main+xml", "application/vnd.ms-word.document.macroenabled.12"),
    ("ms-word.template.macroenabledtemplate.main+xml", "application/vnd.ms-word.template.macroenabled.12"),
    ("wordprocessingml.document.main+xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("wordprocessingml.template.main+xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.template"),
    ("ms-excel.sheet.binary.macroenabled.main", "application/vnd.ms-excel.sheet.binary.macroenabled.12"),
    ("ms-excel.sheet.macroenabled.main+xml", "application/vnd.ms-excel.sheet.macroenabled.12"),
    ("ms-excel.template.macroenabled.main+xml", "application/vnd.ms-excel.template.macroenabled.12"),
    ("ms-excel.addin.macroenabled.main+xml", "application/vnd.ms-excel.addin.macroenabled.12"),
    ("spreadsheetml.sheet.main+xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("spreadsheetml.template.main+xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.template"),
    ("ms-powerpoint.presentation.macroenabled.main+xml", "application/vnd.ms-powerpoint.presentation.macroenabled.12"),
    ("ms-powerpoint.slideshow.macroenabled.main+xml", "application/vnd.ms-powerpoint.slideshow.macroenabled.12"),
    ("ms-powerpoint.template.macroenabled.main+xml", "application/vnd.ms-powerpoint.template.macroenabled.12"),
    ("ms-powerpoint.addin.macroenabled.main+xml", "application/vnd.ms-powerpoint.addin.macroenabled.12"),
    (
        "presentationml.presentation.main+xml",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("presentationml.slideshow.main+xml", "application/vnd.openxmlformats-officedocument.presentationml.slideshow"),
    ("presentationml.template.main+xml", "application/vnd.openxmlformats-officedocument.presentationml.template"),
    ("ms-visio.drawing", "application/vnd.ms-visio.drawing"),
    ("ms-package.xps-fixeddocumentsequence+xml", "application/oxps"),
    ("ms-package.3dmanufacturing-3dmodel+xml", "model/3mf"),
];

/// A member (or the beginning of its name) and what it makes of the container.
const MEMBERS: &[(&str, &str)] = &[
    ("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroenabled.12"),
    ("word/vbaproject.bin", "application/vnd.ms-word.document.macroenabled.12"),
    ("xl/vbaproject.bin", "application/vnd.ms-excel.sheet.macroenabled.12"),
    ("ppt/vbaproject.bin", "application/vnd.ms-powerpoint.presentation.macroenabled.12"),
    ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("visio/", "application/vnd.ms-visio.drawing"),
];

/// Members of other kinds of container.
const OTHERS: &[(&str, &str)] = &[
    ("meta-inf/container.xml", "application/epub+zip"),
    ("androidmanifest.xml", "application/vnd.android.package-archive"),
    ("meta-inf/manifest.mf", "application/java-archive"),
    ("doc.kml", "application/vnd.google-earth.kmz"),
    ("index/document.iwa", "application/vnd.apple.iwork"),
    ("index.zip", "application/vnd.apple.iwork"),
    ("index.apxl", "application/vnd.apple.keynote"),
    ("buildversionhistory.plist", "application/vnd.apple.iwork"),
];

/// The media type of a zip container.
pub(super) fn detect(sample: &Sample<'_>) -> Option<Detection> {
    if !(sample.head.starts_with(LOCAL)
        || sample.head.starts_with(END)
        || sample.head.starts_with(b"PK\x07\x08PK\x03\x04"))
    {
        return None;
    }
    let members = members(sample);
    let media_type = by_mimetype(&members).or_else(|| by_content_types(&members)).or_else(|| by_names(&members));
    if let Some(media_type) = media_type {
        return Some(Detection::of(media_type));
    }
    if let Some(media_type) = hint::old_office(sample).filter(|_| has_open_office_parts(&members)) {
        return Some(Detection::of(media_type));
    }
    let mut files = members.iter().filter(|member| !member.name.ends_with('/')).peekable();
    if files.peek().is_some() && files.all(|member| member.is_encrypted) {
        return Some(Detection::with(
            "application/zip",
            Problem::Encrypted("the archive's members need a password".to_owned()),
        ));
    }
    Some(Detection::of(hint::package(sample).unwrap_or("application/zip")))
}

/// What is known of a member.
struct Member<'a> {
    /// In lower case.
    name: String,
    is_encrypted: bool,
    is_deflated: bool,
    /// Its bytes as stored, where the head has them.
    data: &'a [u8],
}

fn members<'a>(sample: &Sample<'a>) -> Vec<Member<'a>> {
    let mut members = Vec::new();
    let mut rest = sample.head;
    while members.len() < MAX_MEMBERS
        && let Some((member, behind)) = local(rest)
    {
        members.push(member);
        rest = behind;
    }
    let directory = if sample.is_whole() { sample.head } else { sample.tail };
    for at in positions(directory, CENTRAL).take(MAX_MEMBERS) {
        members.extend(central(&directory[at..]));
    }
    members
}

/// The first member by its local header, and what follows it.
fn local(bytes: &[u8]) -> Option<(Member<'_>, &[u8])> {
    let bytes = &bytes[positions(bytes, LOCAL).next()?..];
    let (flags, method) = (u16_at(bytes, 6)?, u16_at(bytes, 8)?);
    let packed = u32_at(bytes, 18)? as usize;
    let (name_bytes, extra_bytes) = (usize::from(u16_at(bytes, 26)?), usize::from(u16_at(bytes, 28)?));
    let name = bytes.get(30..30 + name_bytes)?;
    let body = bytes.get(30 + name_bytes + extra_bytes..).unwrap_or_default();
    // With a data descriptor the size comes behind the data; the search for the next header copes.
    let (data, behind) = if flags & 8 == 0 { body.split_at(packed.min(body.len())) } else { (body, body) };
    let member = Member { name: folded(name), is_encrypted: flags & 1 != 0, is_deflated: method == 8, data };
    Some((member, behind))
}

fn central(bytes: &[u8]) -> Option<Member<'static>> {
    let flags = u16_at(bytes, 8)?;
    let name = bytes.get(46..46 + usize::from(u16_at(bytes, 28)?))?;
    Some(Member { name: folded(name), is_encrypted: flags & 1 != 0, is_deflated: false, data: &[] })
}

fn folded(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}

/// ODF and EPUB name their own type in a member called `mimetype`.
fn by_mimetype(members: &[Member<'_>]) -> Option<String> {
    let content = content(members.iter().find(|member| member.name == "mimetype" && !member.data.is_empty())?);
    let text = content.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "/.+-_".contains(c))).unwrap_or(text.len());
    let media_type = text.get(..end)?;
    (media_type.starts_with("application/") || media_type.starts_with("image/")).then(|| media_type.to_owned())
}

fn by_content_types(members: &[Member<'_>]) -> Option<String> {
    let member = members.iter().find(|member| member.name == "[content_types].xml" && !member.data.is_empty())?;
    let types = content(member).to_ascii_lowercase();
    MAIN_PARTS.iter().find(|(part, _)| types.contains(part)).map(|(_, media_type)| (*media_type).to_owned())
}

fn by_names(members: &[Member<'_>]) -> Option<String> {
    let has = |prefix: &str| members.iter().any(|member| member.name.starts_with(prefix));
    let is_office = has("[content_types].xml") || has("_rels/.rels") || has("docprops/");
    let office = || MEMBERS.iter().find(|(prefix, _)| has(prefix)).filter(|_| is_office);
    let other = || OTHERS.iter().find(|(prefix, _)| has(prefix));
    office().or_else(other).map(|(_, media_type)| (*media_type).to_owned())
}

/// The office packages from before ODF have no member that names their type.
fn has_open_office_parts(members: &[Member<'_>]) -> bool {
    ["content.xml", "styles.xml", "meta.xml"].iter().all(|part| members.iter().any(|member| member.name == *part))
}

/// The text of a member, as far as the head has it.
fn content(member: &Member<'_>) -> String {
    let mut bytes = Vec::new();
    if member.is_deflated {
        // A cut end still gives the lines before it.
        let _ = DeflateDecoder::new(member.data).take(MAX_PART_BYTES).read_to_end(&mut bytes);
    } else {
        bytes.extend(member.data.iter().take(1_000));
    }
    crate::xml::decode(&bytes)
}

fn positions<'a>(bytes: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(word.len()).enumerate().filter(move |(_, window)| *window == word).map(|(at, _)| at)
}

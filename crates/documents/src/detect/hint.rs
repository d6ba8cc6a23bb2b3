//! What names and declarations hint at: kinds that content cannot tell from one another.

use super::Sample;

/// Kinds of plain text by extension; binary kinds are never taken from a name.
const TEXTS: &[(&str, &str)] = &[
    ("txt text asc log lst me nfo", "text/plain"),
    ("md markdown mdown mkd mdx rmd", "text/markdown"),
    ("rst", "text/x-rst"),
    ("org", "text/org"),
    ("adoc asciidoc", "text/asciidoc"),
    ("tex ltx latex sty cls bib", "text/x-tex"),
    ("csv", "text/csv"),
    ("tsv tab", "text/tab-separated-values"),
    ("json geojson ipynb webmanifest", "application/json"),
    ("ndjson jsonl", "application/x-ndjson"),
    ("yaml yml", "application/yaml"),
    ("toml", "application/toml"),
    ("ini cfg conf properties env", "text/plain"),
    ("html htm shtml", "text/html"),
    ("xhtml xht", "application/xhtml+xml"),
    ("xml xsd rng wsdl dita ditamap", "application/xml"),
    ("xsl xslt", "application/xslt+xml"),
    ("svg", "image/svg+xml"),
    ("eml emlx mht mhtml", "message/rfc822"),
    ("mbox", "application/mbox"),
    ("vtt", "text/vtt"),
    ("srt", "application/x-subrip"),
    ("ics ifb", "text/calendar"),
    ("vcf vcard", "text/vcard"),
    ("css", "text/css"),
    ("js mjs cjs jsx", "application/javascript"),
    ("ts tsx", "text/x-typescript"),
    ("py pyw", "text/x-python"),
    ("rb", "text/x-ruby"),
    ("rs", "text/x-rust"),
    ("go", "text/x-go"),
    ("java", "text/x-java-source"),
    ("kt kts", "text/x-kotlin"),
    ("scala", "text/x-scala"),
    ("groovy gradle", "text/x-groovy"),
    ("c h", "text/x-c"),
    ("cc cpp cxx hpp hh hxx", "text/x-c++"),
    ("cs", "text/x-csharp"),
    ("swift", "text/x-swift"),
    ("php", "text/x-php"),
    ("pl pm", "text/x-perl"),
    ("lua", "text/x-lua"),
    ("r", "text/x-r"),
    ("sql", "application/sql"),
    ("sh bash zsh ksh", "application/x-sh"),
    ("bat cmd ps1", "text/plain"),
    ("diff patch", "text/x-diff"),
];

/// Kinds of compound file by extension, once content has shown that it is one.
const COMPOUNDS: &[(&str, &str)] = &[
    ("doc dot", "application/msword"),
    ("xls xlt xla", "application/vnd.ms-excel"),
    ("ppt pps pot", "application/vnd.ms-powerpoint"),
    ("msg oft", "application/vnd.ms-outlook"),
    ("vsd", "application/vnd.visio"),
    ("pub", "application/vnd.ms-publisher"),
];

/// Kinds of office package by extension, for those whose content is encrypted or out of sight.
const PACKAGES: &[(&str, &str)] = &[
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("docm", "application/vnd.ms-word.document.macroenabled.12"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xlsm", "application/vnd.ms-excel.sheet.macroenabled.12"),
    ("xlsb", "application/vnd.ms-excel.sheet.binary.macroenabled.12"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("pptm", "application/vnd.ms-powerpoint.presentation.macroenabled.12"),
];

/// Kinds of the office packages from before ODF, once content has shown that it is one.
const OLD_OFFICE: &[(&str, &str)] = &[
    ("sxw stw", "application/vnd.sun.xml.writer"),
    ("sxc stc", "application/vnd.sun.xml.calc"),
    ("sxi sti", "application/vnd.sun.xml.impress"),
    ("sxd std", "application/vnd.sun.xml.draw"),
];

/// Kinds of camera picture that lie in a TIFF; without their names they cannot be told from scans.
const CAMERA_RAW: &[(&str, &str)] = &[
    ("dng", "image/x-adobe-dng"),
    ("nef nrw", "image/x-nikon-nef"),
    ("arw sr2 srf", "image/x-sony-arw"),
    ("pef", "image/x-pentax-pef"),
    ("cr2", "image/x-canon-cr2"),
    ("3fr fff", "image/x-hasselblad-3fr"),
    ("iiq", "image/x-phaseone-iiq"),
    ("srw", "image/x-samsung-srw"),
];

/// The extension in lower case, without the dot; empty where there is none.
pub(super) fn extension(sample: &Sample<'_>) -> String {
    let name = sample.file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if stem.is_empty() { String::new() } else { extension.to_ascii_lowercase() }
}

/// The kind of text that the name, else the declaration, speaks of.
pub(super) fn text(sample: &Sample<'_>) -> Option<&'static str> {
    let declared = declared(sample);
    let by_declaration =
        || TEXTS.iter().map(|(_, kind)| *kind).find(|kind| Some(*kind) == declared.as_deref() && *kind != "text/plain");
    by_extension(TEXTS, sample).or_else(by_declaration)
}

/// The kind of compound file that the name speaks of.
pub(super) fn compound(sample: &Sample<'_>) -> Option<&'static str> {
    by_extension(COMPOUNDS, sample)
}

/// The kind of office package that the name, else the declaration, speaks of.
pub(super) fn office_package(sample: &Sample<'_>) -> Option<&'static str> {
    let declared = declared(sample);
    by_extension(PACKAGES, sample)
        .or_else(|| PACKAGES.iter().map(|(_, kind)| *kind).find(|kind| Some(*kind) == declared.as_deref()))
}

/// The kind of office package that the name speaks of, for a zip whose members are out of sight.
pub(super) fn package(sample: &Sample<'_>) -> Option<&'static str> {
    // A readable directory that shows no office parts speaks against the name.
    let has_directory = sample.tail.windows(4).any(|four| four == b"PK\x05\x06")
        || sample.is_whole() && sample.head.windows(4).any(|four| four == b"PK\x05\x06");
    if has_directory { None } else { by_extension(PACKAGES, sample) }
}

/// The kind of office package from before ODF that the name speaks of.
pub(super) fn old_office(sample: &Sample<'_>) -> Option<&'static str> {
    by_extension(OLD_OFFICE, sample)
}

/// The kind of camera picture that the name of a TIFF speaks of.
pub(super) fn camera_raw(sample: &Sample<'_>) -> Option<&'static str> {
    by_extension(CAMERA_RAW, sample)
}

fn by_extension(kinds: &[(&'static str, &'static str)], sample: &Sample<'_>) -> Option<&'static str> {
    let extension = extension(sample);
    let has = |(extensions, _): &&(&str, &str)| extensions.split(' ').any(|it| it == extension);
    kinds.iter().find(has).filter(|_| !extension.is_empty()).map(|(_, kind)| *kind)
}

fn declared(sample: &Sample<'_>) -> Option<String> {
    Some(sample.declared?.split(';').next()?.trim().to_ascii_lowercase())
}

//! Signatures: bytes at fixed places. What has more structure than that is judged elsewhere.

use file_format::FileFormat;

/// Offset, bytes, media type; the first that fits wins.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    // Documents.
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (0, b"\xffWPC", "application/vnd.wordperfect"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "application/onenote"),
    (0, b"ITSF\x03\0\0\0", "application/vnd.ms-htmlhelp"),
    (60, b"BOOKMOBI", "application/x-mobipocket-ebook"),
    (0, b"!BDN", "application/vnd.ms-outlook-pst"),
    (0, b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    (0, b"\x09\x00\x04\x00", "application/vnd.ms-excel"),
    (0, b"\x09\x02\x06\x00", "application/vnd.ms-excel"),
    (0, b"\x09\x04\x06\x00", "application/vnd.ms-excel"),
    (0, b"\0\0\x02\0\x06\x04", "application/vnd.lotus-1-2-3"),
    (0, b"\0\0\x1a\0", "application/vnd.lotus-1-2-3"),
    (0, b"\0\0\x02\0\x20\x51", "application/x-quattro-pro"),
    (0, b"\0\0\x02\0\x21\x51", "application/x-quattro-pro"),
    (0, b"\0\0\x02\0\x01\x10", "application/x-quattro-pro"),
    (0, b"\0\0\x02\0\x02\x10", "application/x-quattro-pro"),
    (0, b"\xdb\xa5\x2d\x00", "application/msword"),
    (0, b"\x31\xbe\x00\x00", "application/msword"),
    // Pictures.
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"CR\x02\0", "image/x-canon-cr2"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"II+\0", "image/tiff"),
    (0, b"MM\0+", "image/tiff"),
    (0, b"8BPS\0", "image/vnd.adobe.photoshop"),
    (0, b"\0\0\0\x0cjP  \r\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/x-jp2-codestream"),
    (0, b"\0\0\0\x0cJXL \r\n", "image/jxl"),
    (0, b"II\xbc\x01", "image/vnd.ms-photo"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (0, b"gimp xcf", "image/x-xcf"),
    (0, b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (0, b"\x76\x2f\x31\x01", "image/x-exr"),
    (0, b"qoif\0", "image/x-qoi"),
    (0, b"DDS |\0\0\0", "image/vnd.ms-dds"),
    (128, b"DICM", "application/dicom"),
    // Archives and compressed files.
    (0, b"\x1f\x8b", "application/gzip"),
    (4, b"1AY&SY", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (257, b"ustar", "application/x-tar"),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (0, b"\x04\x22\x4d\x18", "application/x-lz4"),
    (0, b"\x1f\x9d", "application/x-compress"),
    (0, b"LZIP\x01", "application/x-lzip"),
    (0, b"!<arch>\n", "application/x-archive"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    // Programs.
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\xca\xfe\xba\xbe", "application/java-vm"),
    (0, b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (0, b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (0, b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\0asm", "application/wasm"),
    (0, b"dex\n03", "application/vnd.android.dex"),
    (0, b"L\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut"),
    // Fonts.
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"OTTO\0", "font/otf"),
    (0, b"ttcf\0", "font/collection"),
    (0, b"\0\x01\0\0\0", "font/ttf"),
    // Data.
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"PAR1\x15", "application/vnd.apache.parquet"),
    (0, b"Obj\x01", "application/vnd.apache.avro"),
    (4, b"Standard Jet DB", "application/vnd.ms-access"),
    (4, b"Standard ACE DB", "application/vnd.ms-access"),
    (0, b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (0, b"bplist00", "application/x-bplist"),
];

/// The media type of bytes with a signature.
pub(super) fn detect(head: &[u8]) -> Option<&'static str> {
    let fits =
        |(offset, bytes, _): &&(usize, &[u8], &str)| head.get(*offset..).is_some_and(|rest| rest.starts_with(bytes));
    let found = SIGNATURES.iter().find(fits).map(|(_, _, media_type)| *media_type);
    let checks = [bitmap, icon, metafile, portable_executable, drawing, cpio];
    found.or_else(|| checks.iter().find_map(|check| check(head)))
}

/// `BM` alone begins many a text; the header behind it has few possible sizes.
fn bitmap(head: &[u8]) -> Option<&'static str> {
    let is_sized = |size: &u8| matches!(size, 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124);
    let fits = head.starts_with(b"BM") && head.get(14).is_some_and(is_sized) && head.get(15..18) == Some(&[0, 0, 0]);
    fits.then_some("image/bmp")
}

/// Four bytes of zeros and ones begin many a file; the first picture's place must lie behind the list of pictures.
fn icon(head: &[u8]) -> Option<&'static str> {
    let [0, 0, kind @ (1 | 2), 0, count, 0, _, _, _, 0, ..] = head else { return None };
    let place = u32::from_le_bytes(head.get(18..22)?.try_into().ok()?);
    let is_list = *count > 0 && (6 + 16 * u32::from(*count)..1 << 24).contains(&place);
    is_list.then_some(if *kind == 1 { "image/vnd.microsoft.icon" } else { "image/x-win-bitmap" })
}

fn metafile(head: &[u8]) -> Option<&'static str> {
    let is_enhanced = head.starts_with(&[1, 0, 0, 0]) && head.get(40..44) == Some(b" EMF");
    let is_plain = head.starts_with(&[1, 0, 9, 0, 0, 3]) || head.starts_with(&[2, 0, 9, 0, 0, 3]);
    if is_enhanced { Some("image/emf") } else { is_plain.then_some("image/wmf") }
}

fn portable_executable(head: &[u8]) -> Option<&'static str> {
    if !head.starts_with(b"MZ") {
        return None;
    }
    let place = u32::from_le_bytes(head.get(0x3c..0x40)?.try_into().ok()?) as usize;
    let is_program = head
        .get(place..)
        .is_some_and(|rest| rest.starts_with(b"PE\0\0") || rest.starts_with(b"NE") || rest.starts_with(b"LE"));
    is_program.then_some("application/vnd.microsoft.portable-executable")
}

/// `AutoCAD`: a version in letters and digits, then zeros.
fn drawing(head: &[u8]) -> Option<&'static str> {
    let fits = head.starts_with(b"AC10") && head.get(4..6)?.iter().all(u8::is_ascii_digit) && head.get(6) == Some(&0);
    fits.then_some("image/vnd.dwg")
}

/// Archives of digits: a header of nothing else, or it is a text that begins with a number.
fn cpio(head: &[u8]) -> Option<&'static str> {
    let header = match head.get(..6)? {
        b"070701" | b"070702" => head.get(..110)?,
        b"070707" => head.get(..76)?,
        _ => return None,
    };
    header.iter().all(u8::is_ascii_hexdigit).then_some("application/x-cpio")
}

/// Formats that few have heard of, by a larger table; text has been ruled out by now.
pub(super) fn rare(head: &[u8]) -> String {
    match FileFormat::from_bytes(head) {
        // Four bytes tell cursors and icons to the table; whatever has more of them than that was told before.
        FileFormat::ArbitraryBinaryData
        | FileFormat::PlainText
        | FileFormat::Empty
        | FileFormat::WindowsCursor
        | FileFormat::WindowsIcon => "application/octet-stream".to_owned(),
        format => format.media_type().to_ascii_lowercase(),
    }
}

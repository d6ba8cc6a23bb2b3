use super::*;
use crate::package::tests::pack;

fn of(bytes: &[u8], file_name: &str) -> Detection {
    let head = &bytes[..bytes.len().min(256 << 10)];
    let tail = &bytes[bytes.len().saturating_sub(64 << 10)..];
    detect(&Sample { head, tail, size_bytes: bytes.len() as u64, file_name, declared: None })
}

fn media_type(bytes: &[u8], file_name: &str) -> String {
    of(bytes, file_name).media_type
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_cameras_picture_is_no_scan() {
    let tiff = [b"II*\0".as_slice(), &[0; 600]].concat();
    let canon = [b"II*\0\x10\0\0\0CR\x02\0".as_slice(), &[0; 600]].concat();
    let cases = [
        (&tiff, "scan.tif", "image/tiff"),
        (&tiff, "scan", "image/tiff"),
        (&tiff, "photo.NEF", "image/x-nikon-nef"),
        (&tiff, "photo.dng", "image/x-adobe-dng"),
        (&canon, "photo", "image/x-canon-cr2"),
    ];
    for (bytes, name, expected) in cases {
        assert_eq!(media_type(bytes, name), expected, "{name}");
    }
}

#[test]
fn office_packages_from_before_odf_go_by_their_parts_and_name() {
    let parts = [("content.xml", "<a/>"), ("styles.xml", "<a/>"), ("meta.xml", "<a/>")];
    assert_eq!(media_type(&pack(&parts), "table.sxc"), "application/vnd.sun.xml.calc");
    assert_eq!(media_type(&pack(&parts), "table.zip"), "application/zip");
    assert_eq!(media_type(&pack(&parts[..1]), "table.sxc"), "application/zip");
}

#[test]
fn signatures_name_binary_files() {
    let padded = |start: &[u8]| [start, &[0; 600]].concat();
    let at = |offset: usize, bytes: &[u8]| [&vec![0; offset][..], bytes, &[0; 64]].concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (padded(b"\x89PNG\r\n\x1a\n"), "image/png"),
        (padded(b"\xff\xd8\xff\xe0"), "image/jpeg"),
        (padded(b"GIF89a"), "image/gif"),
        (padded(b"II*\0"), "image/tiff"),
        ([b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec(), vec![0; 60]].concat(), "image/bmp"),
        (b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\0\0\0\x16\0\0\0".to_vec(), "image/vnd.microsoft.icon"),
        (padded(b"\0\0\x02\0\x06\x04\x06\0\x08\0"), "application/vnd.lotus-1-2-3"),
        (padded(b"\0\0\x02\0\x01\0\0\0\0\0"), "application/octet-stream"),
        (padded(b"RIFF\x10\0\0\0WEBPVP8 "), "image/webp"),
        (padded(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "image/heic"),
        (padded(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"), "image/heic"),
        (padded(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"), "image/avif"),
        (padded(b"\0\0\0\x0cjP  \r\n\x87\n"), "image/jp2"),
        (padded(b"ID3\x03\0\0\0\0\0\0"), "audio/mpeg"),
        ([&[0xff, 0xfb, 0x90, 0][..], &[0; 413], &[0xff, 0xfb, 0x90, 0], &[0; 413]].concat(), "audio/mpeg"),
        (padded(b"fLaC\0\0\0\x22"), "audio/flac"),
        (padded(b"OggS\0\x02......................OpusHead"), "audio/opus"),
        (padded(b"OggS\0\x02......................\x01vorbis"), "audio/ogg"),
        (padded(b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42"), "audio/mp4"),
        (padded(b"#!AMR\n"), "audio/amr"),
        (padded(b"FORM\0\0\0\0AIFF"), "audio/aiff"),
        (padded(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1"), "video/mp4"),
        (padded(b"\0\0\0\x14ftypqt  \0\0\0\0qt  "), "video/quicktime"),
        (padded(b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x82\x84webm"), "video/webm"),
        (padded(b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x82\x88matroska"), "video/x-matroska"),
        (padded(b"RIFF\x10\0\0\0AVI LIST"), "video/x-msvideo"),
        (padded(b"\0\0\x01\xba\x44"), "video/mpeg"),
        (padded(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9"), "audio/x-ms-wma"),
        (padded(b"\x1f\x8b\x08\0"), "application/gzip"),
        (padded(b"7z\xbc\xaf\x27\x1c"), "application/x-7z-compressed"),
        (padded(b"Rar!\x1a\x07\0"), "application/vnd.rar"),
        (at(257, b"ustar\0"), "application/x-tar"),
        (padded(b"wOFF\0\x01"), "font/woff"),
        (padded(b"\x7fELF\x02"), "application/x-elf"),
        (padded(b"SQLite format 3\0"), "application/vnd.sqlite3"),
        (padded(b"%!PS-Adobe-3.0"), "application/postscript"),
        (vec![0, 1, 2, 3, 250, 251, 0, 7], "application/octet-stream"),
    ];
    for (bytes, expected) in cases {
        for name in ["file", "FILE.TXT", "file.pdf", "file.csv", "file.html"] {
            assert_eq!(media_type(&bytes, name), expected, "{name} {:?}", &bytes[..bytes.len().min(30)]);
        }
    }
}

#[test]
fn content_wins_over_a_wrong_extension() {
    let cases: &[(&[u8], &str, &str)] = &[
        (b"%PDF-1.4\n", "a.txt", "application/pdf"),
        (b"{\\rtf1 x}", "a.doc", "application/rtf"),
        (b"<!DOCTYPE html><p>x", "a.txt", "text/html"),
        (b"just words", "a.PDF", "text/plain"),
        (b"just words", "a.docx", "text/plain"),
        (b"just words", "a.png", "text/plain"),
        (b"just words", "a.json", "text/plain"),
        (b"just words", "a.xml", "text/plain"),
        (b"just words", "a.html", "text/plain"),
        (b"just words", "a.eml", "text/plain"),
        (b"{\"a\": 1}", "a.csv", "application/json"),
        (b"MAC addresses are six bytes", "a", "text/plain"),
        (b"BMW builds cars", "a", "text/plain"),
    ];
    for (bytes, name, expected) in cases {
        assert_eq!(media_type(bytes, name), *expected, "{name}");
    }
}

#[test]
fn text_is_told_apart_by_shape_and_hint() {
    let cases: &[(&str, &str, &str)] = &[
        ("plain words\n", "a.TXT", "text/plain"),
        ("# Title\n\nwords", "README.MD", "text/markdown"),
        ("a,b\n1,2\n", "a.CSV", "text/csv"),
        ("a,b,c\n1,2,3\n4,5,6\n7,8,9\n", "noextension", "text/csv"),
        ("a\tb\n1\t2\n3\t4\n", "noextension", "text/tab-separated-values"),
        ("Dear all, how are you?\nWe are fine, thanks.\nBye, all of you.\n", "noextension", "text/plain"),
        ("{\"a\": [1, 2]}", "a", "application/json"),
        ("[1, 2]", "a.txt", "application/json"),
        ("{\"a\": 1}\n{\"a\": 2}\n", "a.json", "application/x-ndjson"),
        ("{\"a\": 1,\n\"b\": [", "a.json", "text/plain"),
        ("\"a string\"", "a.json", "application/json"),
        ("key: value\n", "a.yml", "application/yaml"),
        ("<?xml version='1.0'?><r/>", "a.txt", "application/xml"),
        ("<?xml version='1.0'?>\n<!-- c -->\n<!DOCTYPE svg PUBLIC 'x'>\n<svg xmlns='s'/>", "a", "image/svg+xml"),
        ("<xsl:stylesheet version='1.0'></xsl:stylesheet>", "a.xsl", "application/xslt+xml"),
        ("<notes><note>x</note></notes>", "a", "application/xml"),
        ("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "a.xhtml", "application/xhtml+xml"),
        ("<?xml version='1.0'?><html/>", "a.html", "text/html"),
        ("<!-- hi --><p>fragment</p>", "a", "text/html"),
        ("words, then <b>bold</b>", "a.html", "text/html"),
        ("<br/>", "a.htm", "text/html"),
        ("From: a@b.c\nTo: d@e.f\nSubject: x\n\nhi", "a.txt", "message/rfc822"),
        ("Subject: only this\n\nhi", "a.eml", "message/rfc822"),
        ("Note: remember\nTodo: milk\n", "a", "text/plain"),
        ("From a@b.c Mon Jan  1 00:00:00 2024\nFrom: a@b.c\nSubject: x\n\nhi\n", "a", "application/mbox"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nhi", "a", "text/vtt"),
        ("1\n00:00:01,000 --> 00:00:02,000\nhi", "a", "application/x-subrip"),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR", "a", "text/calendar"),
        ("#!/usr/bin/env python3\nprint()", "a", "text/x-python"),
        ("fn main() {}", "a.rs", "text/x-rust"),
        ("   \n", "a.txt", "text/plain"),
    ];
    for (text, name, expected) in cases {
        assert_eq!(media_type(text.as_bytes(), name), *expected, "{name}: {text:?}");
        let marked = [&[0xff, 0xfe][..], &utf16(text)].concat();
        assert_eq!(media_type(&marked, name), *expected, "UTF-16 {name}: {text:?}");
    }
}

#[test]
fn legacy_encodings_are_text() {
    assert_eq!(media_type(b"caf\xe9 cr\xe8me br\xfbl\xe9e", "a"), "text/plain");
    assert_eq!(media_type(b"<html><p>sch\xf6n</p></html>", "a"), "text/html");
    assert_eq!(media_type(&utf16("This has no mark at all"), "a.txt"), "text/plain");
    let raw = [b"From: a@b.c\nSubject: x\nContent-Transfer-Encoding: binary\n\n".to_vec(), utf16("words in raw bytes")]
        .concat();
    assert_eq!(media_type(&raw, "a"), "message/rfc822");
}

#[test]
fn containers_are_named_by_their_members() {
    let office = |part: &str, folder: &str| {
        let types = format!("<Types><Override PartName='/x' ContentType='application/vnd.{part}'/></Types>");
        pack(&[("[Content_Types].xml", &types), (&format!("{folder}/main.xml"), "<x/>")])
    };
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (office("openxmlformats-officedocument.wordprocessingml.document.main+xml", "word"), docx),
        (office("ms-word.document.macroEnabled.main+xml", "word"), "application/vnd.ms-word.document.macroenabled.12"),
        (office("ms-excel.sheet.macroEnabled.main+xml", "xl"), "application/vnd.ms-excel.sheet.macroenabled.12"),
        (
            office("ms-excel.sheet.binary.macroEnabled.main", "xl"),
            "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        ),
        (pack(&[("_rels/.rels", ""), ("word/document.xml", "")]), docx),
        (
            pack(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "")]),
            "application/vnd.oasis.opendocument.text",
        ),
        (pack(&[("mimetype", "application/epub+zip")]), "application/epub+zip"),
        (pack(&[("META-INF/MANIFEST.MF", "")]), "application/java-archive"),
        (pack(&[("notes.txt", "words"), ("word/about.txt", "")]), "application/zip"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(of(&bytes, "a.PPTX"), Detection::of(expected));
    }
}

#[test]
fn members_that_are_encrypted_are_a_problem() {
    let mut bytes = pack(&[("secret.txt", "words")]);
    bytes[6] |= 1;
    let central = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    bytes[central + 8] |= 1;
    let detection = of(&bytes, "a.zip");
    assert_eq!(detection.media_type, "application/zip");
    assert!(matches!(detection.problem, Some(Problem::Encrypted(_))));
}

#[test]
fn compound_files_are_named_by_their_streams() {
    let cases = [
        ("WordDocument", "application/msword", "a.xls"),
        ("Workbook", "application/vnd.ms-excel", "a.doc"),
        ("PowerPoint Document", "application/vnd.ms-powerpoint", "a"),
        ("__properties_version1.0", "application/vnd.ms-outlook", "a"),
        ("Nothing", "application/x-ole-storage", "a"),
    ];
    for (stream, expected, name) in cases {
        let bytes = compound(stream);
        assert_eq!(media_type(&bytes, name), expected, "{stream}");
        // The directory out of sight: names seen in the tail must do.
        let sample =
            Sample { head: &bytes[..512], tail: &bytes[512..], size_bytes: 10 << 20, file_name: "a", declared: None };
        assert_eq!(detect(&sample).media_type, expected, "{stream} by sight");
    }
    let locked = of(&compound("EncryptedPackage"), "a.XLSX");
    assert_eq!(locked.media_type, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    assert!(matches!(locked.problem, Some(Problem::Encrypted(_))));
}

fn compound(stream: &str) -> Vec<u8> {
    use std::io::Write;
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    file.create_stream(stream).unwrap().write_all(b"x").unwrap();
    file.flush().unwrap();
    file.into_inner().into_inner()
}

#[test]
fn empty_and_silent_files_are_problems() {
    assert_eq!(of(b"", "a.pdf").problem, Some(Problem::Empty));
    let header = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data";
    let silent = [&header[..], &[0, 0, 0, 0]].concat();
    let sound = [&header[..], &[2, 0, 0, 0, 1, 2]].concat();
    assert!(
        matches!(of(&silent, "a.wav"), Detection { media_type, problem: Some(Problem::Damaged(_)) } if media_type == "audio/wav")
    );
    assert_eq!(of(&sound, "a.mp3"), Detection::of("audio/wav"));
}

#[test]
fn a_pdf_behind_junk_is_a_pdf_and_a_quoted_one_is_not() {
    let pdf = b"%PDF-1.4\n1 0 obj\nendobj\nstartxref\n0\n%%EOF";
    assert_eq!(media_type(&[b"\0\x01junk\n", &pdf[..]].concat(), "a"), "application/pdf");
    assert_eq!(media_type(&[b"From: a@b.c\nSubject: x\n\n", &pdf[..]].concat(), "a"), "message/rfc822");
}

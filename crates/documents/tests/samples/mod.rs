//! Small files of every kind, made here: each says `needle` somewhere in its text.

#![expect(clippy::unwrap_used, reason = "what is made here is known to be well formed")]

use std::io::{Cursor, Write};

use lopdf::content::{Content, Operation};
use lopdf::{Document, Object, Stream, dictionary};

/// A file, its media type, and what its text holds.
pub(crate) struct Made {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) needle: &'static str,
}

pub(crate) fn all() -> Vec<Made> {
    let text = |media_type, text: &str, needle| Made { media_type, bytes: text.as_bytes().to_vec(), needle };
    vec![
        text("text/plain", "Some words with a needle – and more.\n", "needle"),
        text("text/csv", "name,place\n\"needle, thin\",hay\n\"x\",y\n", "needle, thin"),
        text("application/json", r#"{"a": ["needle", {"b": "c\u00e4"}], "d": 1.5}"#, "needle"),
        text("application/xml", "<?xml version='1.0'?><r a='1'><b>needle &amp; thread</b></r>", "needle & thread"),
        text(
            "text/html",
            "<!doctype html><title>t</title><table><tr><td>needle<td>x</table><p hidden>no</p>",
            "needle",
        ),
        text("application/rtf", r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 need\'6ce\par\u228? {\b x}}", "needle"),
        text("text/vtt", "WEBVTT\n\n00:01.000 --> 00:02.500\nneedle\n", "needle"),
        text("message/rfc822", MAIL, "needle"),
        text("application/mbox", MAILBOX, "needle"),
        Made {
            media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            bytes: docx(),
            needle: "needle",
        },
        Made {
            media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            bytes: xlsx(),
            needle: "needle\t7",
        },
        Made {
            media_type: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            bytes: pptx(),
            needle: "needle",
        },
        Made { media_type: "application/vnd.oasis.opendocument.text", bytes: odt(), needle: "needle  wide" },
        Made {
            media_type: "application/vnd.oasis.opendocument.spreadsheet",
            bytes: ods(),
            needle: "needle\tneedle\tx",
        },
        Made { media_type: "application/epub+zip", bytes: epub(), needle: "needle" },
        Made { media_type: "application/msword", bytes: doc(), needle: "needle" },
        Made { media_type: "application/vnd.ms-excel", bytes: xls(), needle: "needle" },
        Made { media_type: "application/vnd.ms-powerpoint", bytes: ppt(), needle: "needle" },
        Made { media_type: "application/vnd.ms-outlook", bytes: msg(), needle: "needle" },
        Made { media_type: "application/pdf", bytes: pdf(), needle: "needle" },
        Made { media_type: "image/tiff", bytes: tiff(), needle: "" },
    ]
}

const MAIL: &str = "From: a@example.com\nTo: b@example.com\nSubject: =?utf-8?b?w6Q=?=\nMIME-Version: 1.0\n\
    Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nneedle\n--x\nContent-Type: image/png; name=a.png\n\
    Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--x--\n";
const MAILBOX: &str = "From a Mon Jan  1 00:00:00 2024\nFrom: a@example.com\nSubject: one\n\nhay\n\n\
    From b Mon Jan  1 00:00:01 2024\nFrom: b@example.com\nSubject: two\n\nneedle\n";

fn pack(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn types(main: &str) -> String {
    format!(
        "<Types><Override PartName='/m' ContentType='application/vnd.openxmlformats-officedocument.{main}.main+xml'/></Types>"
    )
}

fn docx() -> Vec<u8> {
    let body = "<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>hay</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>\
        <w:p><w:r><w:t>needle</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>";
    let core = "<cp:coreProperties xmlns:dc='dc' xmlns:cp='cp'><dc:title>T</dc:title></cp:coreProperties>";
    pack(&[
        ("[Content_Types].xml", &types("wordprocessingml.document")),
        ("word/document.xml", body),
        ("docProps/core.xml", core),
    ])
}

const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";

fn xlsx() -> Vec<u8> {
    let book = format!(
        "<workbook xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' xmlns:r='{RELATIONS}'><sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>"
    );
    let links = format!(
        "<Relationships xmlns='{PACKAGE}'><Relationship Id='r1' Type='{RELATIONS}/worksheet' Target='worksheets/sheet1.xml'/></Relationships>"
    );
    let sheet = "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>needle</t></is></c>\
        <c r='B1'><v>7</v></c></row><row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData></worksheet>";
    let root = format!(
        "<Relationships xmlns='{PACKAGE}'><Relationship Id='r1' Type='{RELATIONS}/officeDocument' Target='xl/workbook.xml'/></Relationships>"
    );
    let members = [
        ("[Content_Types].xml", types("spreadsheetml.sheet")),
        ("_rels/.rels", root),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", links),
        ("xl/worksheets/sheet1.xml", sheet.to_owned()),
    ];
    pack(&members.each_ref().map(|(name, content)| (*name, content.as_str())))
}

fn pptx() -> Vec<u8> {
    let show = "<p:presentation xmlns:p='p' xmlns:r='r'><p:sldIdLst><p:sldId id='256' r:id='r1'/></p:sldIdLst></p:presentation>";
    let links = format!(
        "<Relationships xmlns='{PACKAGE}'><Relationship Id='r1' Type='{RELATIONS}/slide' Target='slides/slide1.xml'/></Relationships>"
    );
    let slide = "<p:sld xmlns:p='p' xmlns:a='a'><p:sp><p:ph type='title'/><a:p><a:r><a:t>Title</a:t></a:r></a:p></p:sp><p:sp><a:p><a:r><a:t>needle</a:t></a:r></a:p></p:sp></p:sld>";
    let parts = types("presentationml.presentation");
    pack(&[
        ("[Content_Types].xml", &parts),
        ("ppt/presentation.xml", show),
        ("ppt/_rels/presentation.xml.rels", &links),
        ("ppt/slides/slide1.xml", slide),
    ])
}

fn odt() -> Vec<u8> {
    let content = "<office:document-content xmlns:office='o' xmlns:text='t'><office:body><office:text><text:h>Head</text:h>\n \
        <text:p>needle<text:s text:c='2'/>wide</text:p></office:text></office:body></office:document-content>";
    pack(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content)])
}

fn ods() -> Vec<u8> {
    let content = "<o:document-content xmlns:o='o' xmlns:t='t' xmlns:x='x'><o:body><o:spreadsheet><t:table t:name='S'><t:table-row>\
        <t:table-cell t:number-columns-repeated='2'><x:p>needle</x:p></t:table-cell><t:table-cell><x:p>x</x:p></t:table-cell></t:table-row>\
        <t:table-row t:number-rows-repeated='1048575'><t:table-cell t:number-columns-repeated='16384'/></t:table-row></t:table></o:spreadsheet></o:body></o:document-content>";
    pack(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", content)])
}

fn epub() -> Vec<u8> {
    let container = "<container><rootfiles><rootfile full-path='OEBPS/content.opf'/></rootfiles></container>";
    let package = "<package xmlns:dc='dc'><metadata><dc:title>Book</dc:title></metadata><manifest><item id='a' href='a%20b.xhtml'/></manifest><spine><itemref idref='a'/></spine></package>";
    pack(&[
        ("mimetype", "application/epub+zip"),
        ("META-INF/container.xml", container),
        ("OEBPS/content.opf", package),
        ("OEBPS/a b.xhtml", "<html><p>needle</p></html>"),
    ])
}

fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, bytes) in streams {
        if let Some((storage, _)) = path.rsplit_once('/').filter(|(storage, _)| !storage.is_empty()) {
            file.create_storage_all(storage).unwrap();
        }
        file.create_stream(path).unwrap().write_all(bytes).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn doc() -> Vec<u8> {
    let mut stream = vec![0; 0x600];
    stream[..4].copy_from_slice(&[0xec, 0xa5, 0xc1, 0]);
    stream[0x0b] = 0x02;
    stream[0x1a6] = 21;
    stream[0x400..0x407].copy_from_slice(b"needle\r");
    let mut table = vec![2, 16, 0, 0, 0];
    table.extend([0_u32, 7].into_iter().flat_map(u32::to_le_bytes));
    table.extend([0, 0]);
    table.extend(0x4000_0800_u32.to_le_bytes());
    table.extend([0, 0]);
    compound(&[("WordDocument", stream), ("1Table", table)])
}

fn xls() -> Vec<u8> {
    let record = |kind: u16, body: &[u8]| {
        [&kind.to_le_bytes()[..], &u16::try_from(body.len()).unwrap().to_le_bytes(), body].concat()
    };
    let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let globals = |at: u32| {
        [begin(5), record(0x0085, &[&at.to_le_bytes()[..], &[0, 0, 1, 0, b'S']].concat()), record(0x000a, &[])].concat()
    };
    let sheet = [begin(0x10), record(0x0204, b"\0\0\0\0\0\0\x06\0\0needle"), record(0x000a, &[])].concat();
    let offset = u32::try_from(globals(0).len()).unwrap();
    compound(&[("Workbook", [globals(offset), sheet].concat())])
}

fn ppt() -> Vec<u8> {
    let record = |version: u16, kind: u16, body: &[u8]| {
        [&version.to_le_bytes()[..], &kind.to_le_bytes(), &u32::try_from(body.len()).unwrap().to_le_bytes(), body]
            .concat()
    };
    let slide = record(0xf, 0x03ee, &[record(0, 0x0f9f, &[0; 4]), record(0, 0x0fa8, b"needle")].concat());
    compound(&[("PowerPoint Document", slide), ("Current User", vec![0; 20])])
}

fn msg() -> Vec<u8> {
    compound(&[
        ("/__properties_version1.0", vec![0; 32]),
        ("/__substg1.0_0037001F", utf16("Subject")),
        ("/__substg1.0_1000001F", utf16("needle")),
        ("/__attach_version1.0_#00000000/__substg1.0_3707001F", utf16("a.txt")),
        ("/__attach_version1.0_#00000000/__substg1.0_37010102", b"12345".to_vec()),
    ])
}

fn pdf() -> Vec<u8> {
    let mut document = Document::with_version("1.4");
    let tree = document.new_object_id();
    let font = document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" });
    let operations = vec![
        Operation::new("BT", vec![]),
        Operation::new("Tf", vec!["F1".into(), 12.into()]),
        Operation::new("Td", vec![72.into(), 700.into()]),
        Operation::new("Tj", vec![Object::string_literal("needle")]),
        Operation::new("ET", vec![]),
    ];
    let content = document.add_object(Stream::new(dictionary! {}, Content { operations }.encode().unwrap()));
    let resources = dictionary! { "Font" => dictionary! { "F1" => font } };
    let bounds: Vec<Object> = vec![0.into(), 0.into(), 595.into(), 842.into()];
    let page = document.add_object(dictionary! { "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources, "MediaBox" => bounds });
    let kids: Vec<Object> = vec![page.into()];
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => 1 }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// One directory: make, and a pointer to the place where it was taken.
fn tiff() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    };
    let place = |offset: u8| [offset, 0, 0, 0];
    let head =
        [&b"II*\0\x08\0\0\0\x02\0"[..], &entry(0x010f, 2, 4, *b"Abc\0"), &entry(0x8825, 4, 1, place(38)), &[0; 4]]
            .concat();
    let gps = [
        &[4, 0][..],
        &entry(1, 2, 2, *b"S\0\0\0"),
        &entry(2, 5, 3, place(92)),
        &entry(3, 2, 2, *b"E\0\0\0"),
        &entry(4, 5, 3, place(116)),
        &[0; 4],
    ]
    .concat();
    let degrees: Vec<u8> =
        [33_u32, 1, 30, 1, 36, 1, 151, 1, 15, 1, 0, 1].into_iter().flat_map(u32::to_le_bytes).collect();
    [head, gps, degrees].concat()
}

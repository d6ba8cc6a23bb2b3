use std::sync::Arc;

use lopdf::content::{Content, Operation};
use lopdf::{EncryptionState, EncryptionVersion, Permissions, Stream, dictionary};

use super::*;
use crate::limits::Limits;

/// A PDF with a page for each text; `change` may spoil it before it is written.
pub(crate) fn make(texts: &[&str], change: impl FnOnce(&mut Document, &[ObjectId])) -> Vec<u8> {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let font = document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" });
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let page = |document: &mut Document, text: &&str| {
        let operations = vec![
            Operation::new("BT", vec![]),
            Operation::new("Tf", vec!["F1".into(), 12.into()]),
            Operation::new("Td", vec![72.into(), 700.into()]),
            Operation::new("Tj", vec![Object::string_literal(*text)]),
            Operation::new("ET", vec![]),
        ];
        let operations = if text.is_empty() { Vec::new() } else { operations };
        let content = document.add_object(Stream::new(dictionary! {}, Content { operations }.encode().unwrap()));
        document.add_object(dictionary! { "Type" => "Page", "Parent" => tree, "Contents" => content })
    };
    let pages: Vec<ObjectId> = texts.iter().map(|text| page(&mut document, text)).collect();
    let kids: Vec<Object> = pages.iter().map(|id| (*id).into()).collect();
    let count = i64::try_from(pages.len()).unwrap();
    let node = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count, "Resources" => resources, "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()] };
    document.objects.insert(tree, node.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    let info = document.add_object(dictionary! { "Title" => Object::string_literal("A title"), "CreationDate" => Object::string_literal("D:20230131120000Z") });
    document.trailer.set("Root", catalog);
    document.trailer.set("Info", info);
    document
        .trailer
        .set("ID", vec![Object::string_literal("0123456789abcdef"), Object::string_literal("0123456789abcdef")]);
    change(&mut document, &pages);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

fn read_pdf(bytes: &[u8]) -> Result<domain::extraction::Extraction, DocumentError> {
    let limits = Limits::default();
    let mut draft = Draft::new(&limits);
    read(&Input { bytes: &Arc::from(bytes), media_type: "application/pdf" }, &mut draft)?;
    Ok(draft.finish())
}

fn encrypt(document: &mut Document, user: &str) {
    let version = EncryptionVersion::V2 {
        document,
        owner_password: "owner",
        user_password: user,
        key_length: 128,
        permissions: Permissions::empty(),
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
}

fn page_text(document: &domain::extraction::Extraction, index: usize) -> String {
    let page = &document.pages[index];
    let (start, end) = (usize::try_from(page.start).unwrap(), usize::try_from(page.end).unwrap());
    document.text.chars().skip(start).take(end - start).collect()
}

#[test]
fn pages_keep_their_texts_and_places() {
    let document = read_pdf(&make(&["First page", "", "Third (page)"], |_, _| {})).unwrap();
    assert_eq!(document.pages.len(), 3);
    assert_eq!(document.pages_without_text(), [2]);
    assert_eq!(page_text(&document, 0).trim(), "First page");
    assert_eq!(page_text(&document, 2).trim(), "Third (page)");
    assert_eq!(document.metadata["Title"], "A title");
    assert_eq!(document.metadata["Created"], "2023-01-31T12:00:00Z");
    assert_eq!(document.warnings, Vec::<String>::new());
}

#[test]
fn the_empty_password_opens_and_any_other_does_not() {
    let open = read_pdf(&make(&["Protected words"], |document, _| encrypt(document, ""))).unwrap();
    assert!(open.text.contains("Protected words"), "{open:?}");
    let closed = read_pdf(&make(&["Secret words"], |document, _| encrypt(document, "user")));
    assert!(matches!(closed, Err(DocumentError::Encrypted(_))), "{closed:?}");
}

#[test]
fn knots_and_odd_fonts_do_not_stop_the_reading() {
    let form_in_itself = make(&["Words"], |document, pages| {
        let form = document.new_object_id();
        let resources = dictionary! { "XObject" => dictionary! { "X" => form } };
        let stream =
            Stream::new(dictionary! { "Subtype" => "Form", "Resources" => resources.clone() }, b"/X Do".to_vec());
        document.objects.insert(form, stream.into());
        let old = document.get_page_contents(pages[0])[0];
        let content = document.add_object(Stream::new(dictionary! {}, b"/X Do".to_vec()));
        let page = document.get_dictionary_mut(pages[0]).unwrap();
        page.set("Contents", vec![content.into(), old.into()]);
        let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" };
        let resources =
            dictionary! { "XObject" => dictionary! { "X" => form }, "Font" => dictionary! { "F1" => font } };
        page.set("Resources", resources);
    });
    let parent_of_itself = make(&["Words"], |document, pages| {
        let tree = document.get_dictionary(pages[0]).unwrap().get(b"Parent").unwrap().as_reference().unwrap();
        document.get_dictionary_mut(tree).unwrap().remove(b"MediaBox");
        document.get_dictionary_mut(tree).unwrap().set("Parent", tree);
    });
    let odd_font = make(&["Words"], |document, _| {
        for object in document.objects.values_mut() {
            if let Ok(font) = object.as_dict_mut()
                && font.has_type(b"Font")
            {
                font.set("Encoding", "NoSuchEncoding");
                font.set("FirstChar", 7);
                font.set("LastChar", 3);
                font.set("Widths", vec![Object::Null, 500.into()]);
            }
        }
    });
    for bytes in [form_in_itself, parent_of_itself, odd_font] {
        let document = read_pdf(&bytes).unwrap();
        assert_eq!(page_text(&document, 0).trim(), "Words", "{:?}", document.warnings);
    }
}

#[test]
fn a_lost_cross_reference_is_rebuilt_and_hopeless_files_are_left_to_others() {
    let bytes = make(&["Words that stay"], |_, _| {});
    let cut = bytes.windows(9).rposition(|nine| nine == b"startxref").unwrap();
    let xref = bytes[..cut].windows(5).rposition(|five| five == b"xref\n").unwrap_or(cut);
    let document = read_pdf(&bytes[..xref]).unwrap();
    assert!(document.text.contains("Words that stay"), "{document:?}");
    let junk_before = [b"junk junk\n".to_vec(), bytes].concat();
    assert!(read_pdf(&junk_before).unwrap().text.contains("Words that stay"));
    let hopeless = read_pdf(b"%PDF-1.4\nnothing else").unwrap();
    assert_eq!(
        (hopeless.pages.len(), hopeless.warnings.as_slice()),
        (0, &["the text layer is unreadable".to_owned()][..])
    );
}

#[test]
fn chosen_pages_make_a_smaller_pdf() {
    let bytes = make(&["One", "Two", "Three"], |document, _| encrypt(document, ""));
    let chosen = read_pdf(&select_pages(&bytes, &[3, 1, 9, 1]).unwrap()).unwrap();
    assert_eq!(chosen.pages.len(), 2);
    assert_eq!((page_text(&chosen, 0).trim(), page_text(&chosen, 1).trim()), ("Three", "One"));
    assert!(!chosen.text.contains("Two"));
    assert!(matches!(select_pages(&bytes, &[9]), Err(DocumentError::Damaged(_))));
    assert!(matches!(select_pages(b"no pdf", &[1]), Err(DocumentError::Damaged(_))));
}

#[test]
fn bombs_are_refused() {
    let bytes = make(&["Words"], |document, pages| {
        let mut bomb = Stream::new(dictionary! {}, vec![b' '; 300 << 10]);
        bomb.compress().unwrap();
        let mut twice = Stream::new(dictionary! {}, bomb.content.clone());
        twice.compress().unwrap();
        let layers: Vec<Object> = vec!["FlateDecode".into(); 9];
        let content = document.add_object(Stream::new(dictionary! { "Filter" => layers }, twice.content));
        document.get_dictionary_mut(pages[0]).unwrap().set("Contents", content);
    });
    assert_eq!(read_pdf(&bytes).unwrap().pages_without_text(), [1]);
}

#[test]
fn glyphs_without_meaning_are_no_text() {
    assert!(is_readable("plain words", 1));
    assert!(is_readable("one bad \u{fffd} glyph", 0));
    assert!(!is_readable("\u{f001}\u{f002}\u{f003} x", 0));
    assert!(!is_readable("half is lost", 6));
}

/// Makes the font of a PDF that [`make`] makes a composite one with this encoding and character map.
fn composite(encoding: Object, to_unicode: Option<&str>) -> impl FnOnce(&mut Document, &[ObjectId]) {
    let to_unicode = to_unicode.map(|map| Stream::new(dictionary! {}, map.as_bytes().to_vec()));
    move |document, _| {
        let is_font = |object: &Object| object.as_dict().is_ok_and(|dict| dict.has_type(b"Font"));
        let id = document.objects.iter().find(|(_, object)| is_font(object)).map(|(id, _)| *id).unwrap();
        let encoding = document.add_object(encoding);
        let descendant = document.add_object(dictionary! {
            "Type" => "Font", "Subtype" => "CIDFontType2", "BaseFont" => "Any", "FontDescriptor" => dictionary! {},
        });
        let mut font = dictionary! {
            "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "Any", "Encoding" => encoding,
            "DescendantFonts" => vec![descendant.into()],
        };
        if let Some(map) = to_unicode {
            font.set("ToUnicode", document.add_object(map));
        }
        document.set_object(id, font);
    }
}

#[test]
fn composite_fonts_are_read_by_the_lengths_of_their_codes() {
    let one_byte = b"/CMapVersion 1.000 def 1 begincodespacerange <00> <FF> endcodespacerange 1 begincidrange <00> <FF> 7 endcidrange";
    let one_byte = Object::Stream(Stream::new(dictionary! {}, one_byte.to_vec()));
    let lower = "1 beginbfrange <41> <5A> <0061> endbfrange";
    let broken = "9 beginbfchar <48> <0068> <49> <D800> endbfchar 1 beginbfrange <49> <49> <0069> endbfrange";
    let cases = [
        (one_byte.clone(), Some(lower), "HELLO", "hello"),
        // A map that miscounts its entries, with half of a letter in it.
        (one_byte, Some(broken), "HI", "hi"),
        (Object::Name(b"UniGB-UCS2-H".to_vec()), None, "\0H\0i", "Hi"),
        (Object::Name(b"GBK-EUC-H".to_vec()), Some(lower), "HELLO", "hello"),
    ];
    for (encoding, map, shown, expected) in cases {
        let document = read_pdf(&make(&[shown], composite(encoding, map))).unwrap();
        assert_eq!(document.text.trim(), expected);
    }
}

#[test]
fn a_page_of_glyphs_that_stand_for_nothing_is_left_to_others() {
    let nothing = composite(Object::Name(b"Identity-H".to_vec()), None);
    let document = read_pdf(&make(&["\0H\0i\0H\0i"], nothing)).unwrap();
    assert_eq!((document.text.trim(), document.pages_without_text()), ("", vec![1]));
    assert_eq!(document.warnings.len(), 1);
}

#[test]
fn an_encryption_that_is_not_understood_is_named() {
    let spoil = |document: &mut Document, _: &[ObjectId]| {
        encrypt(document, "");
        let id = document.trailer.get(b"Encrypt").unwrap().as_reference().unwrap();
        let entry = document.objects.get_mut(&id).unwrap().as_dict_mut().unwrap();
        entry.set("V", 1);
        entry.set("R", 3);
    };
    let document = read_pdf(&make(&["hidden"], spoil)).unwrap();
    assert_eq!(document.metadata.get("Encrypted").map(String::as_str), Some("true"));
}

//! `PowerPoint` 97 to 2003 ([MS-PPT]): the text of each slide in the order of the show, a page each.
//!
//! The order comes from the slide list, the place of each slide from the persist directory of the
//! last edit; where those are broken, slides are taken as they lie in the file. Master slides and
//! drawings are left out.

use std::collections::HashMap;

use super::ole::{Compound, u32_at, utf16};
use super::{Input, Outcome};
use crate::draft::Draft;
use crate::encoding;
use crate::error::DocumentError;

mod records;

use records::{Record, Records};

const SLIDE_LIST: u16 = 0x0ff0;
const SLIDE_PERSIST: u16 = 0x03f3;
const SLIDE: u16 = 0x03ee;
const NOTES: u16 = 0x03f0;
const DOCUMENT: u16 = 0x03e8;
const USER_EDIT: u16 = 0x0ff5;
const PERSIST_DIRECTORY: u16 = 0x1772;
const TEXT_HEADER: u16 = 0x0f9f;
const TEXT_CHARS: u16 = 0x0fa0;
const TEXT_BYTES: u16 = 0x0fa8;
/// `headerToken` of the current user stream of an encrypted presentation.
const ENCRYPTED: u32 = 0xf3d1_c4df;
/// Edits that are followed back; each incremental save is one.
const MAX_EDITS: usize = 1_000;

/// Reads a presentation of the old binary kind.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let mut file = Compound::open(input.bytes)?;
    let user = file.stream("Current User").unwrap_or_default();
    if u32_at(&user, 12) == Some(ENCRYPTED) || file.has("EncryptedSummary") {
        return Err(DocumentError::Encrypted("the presentation needs a password"));
    }
    let Some(stream) = file.stream("PowerPoint Document") else {
        if file.has("PP40") {
            return Err(DocumentError::Unsupported("a presentation older than PowerPoint 97".to_owned()));
        }
        return Err(DocumentError::damaged("it holds no presentation"));
    };
    file.summarise(draft);
    let places = u32_at(&user, 16).map(|edit| persisted(&stream, edit as usize)).unwrap_or_default();
    let mut slides = listed(&stream, &places);
    if slides.iter().all(Vec::is_empty) {
        slides = stored(&stream);
    }
    for slide in slides {
        if draft.is_full() || !put_slide(&slide, draft) {
            break;
        }
    }
    Ok(())
}

/// Texts of one slide: the kind of placeholder (0 and 6 are titles) and the words.
type Texts = Vec<(u32, String)>;

fn put_slide(texts: &Texts, draft: &mut Draft<'_>) -> bool {
    draft.end_block();
    let start = draft.position();
    for (_, text) in texts {
        draft.line(text);
    }
    let title = texts.iter().find(|(kind, _)| matches!(kind & !OUTLINE, 0 | 6)).map(|(_, text)| text.clone());
    draft.page(start, title)
}

/// Slides by the document's slide list: outline text from the list, the rest from the slide.
fn listed(stream: &[u8], places: &HashMap<u32, usize>) -> Vec<Texts> {
    let mut slides: Vec<Texts> = Vec::new();
    let Some(document) = current_document(stream, places) else { return slides };
    let is_slide_list = |record: &Record<'_>| record.kind == SLIDE_LIST && record.instance == 0;
    for list in Records::new(document.body).filter(is_slide_list) {
        let mut kind = u32::MAX;
        for record in Records::new(list.body) {
            match record.kind {
                SLIDE_PERSIST => {
                    let place = u32_at(record.body, 0).and_then(|id| places.get(&id));
                    let slide = place.and_then(|at| stream.get(*at..)).and_then(|rest| Records::new(rest).next());
                    slides.push(slide.map(|slide| texts(slide.body)).unwrap_or_default());
                }
                TEXT_HEADER => kind = u32_at(record.body, 0).unwrap_or(u32::MAX),
                _ => add_outline(&mut slides, kind, &record),
            }
        }
    }
    slides
}

/// Outline text comes before what the slide itself holds, in its own order.
fn add_outline(slides: &mut [Texts], kind: u32, record: &Record<'_>) {
    if let (Some(text), Some(slide)) = (words(record), slides.last_mut()) {
        let outlined = slide.iter().take_while(|(kind, _)| kind & OUTLINE != 0).count();
        slide.insert(outlined, (kind | OUTLINE, text));
    }
}

/// Marks outline text while a slide is put together; no placeholder kind is that high.
const OUTLINE: u32 = 0x8000_0000;

/// The document container that the persist directory names, else the last in the file.
fn current_document<'a>(stream: &'a [u8], places: &HashMap<u32, usize>) -> Option<Record<'a>> {
    let is_document = |record: &Record<'a>| record.kind == DOCUMENT;
    let by_directory = places.values().filter_map(|at| Records::new(stream.get(*at..)?).next()).find(is_document);
    by_directory.or_else(|| Records::new(stream).filter(is_document).last())
}

/// Slides as they lie in the file.
fn stored(stream: &[u8]) -> Vec<Texts> {
    let slides: Vec<Texts> = Records::new(stream).filter(|it| it.kind == SLIDE).map(|it| texts(it.body)).collect();
    if slides.iter().any(|slide| !slide.is_empty()) {
        return slides;
    }
    vec![texts(stream)]
}

/// All text atoms within a container, depth first.
fn texts(body: &[u8]) -> Texts {
    let mut found = Texts::new();
    let mut kind = u32::MAX;
    for record in Records::deep(body) {
        match record.kind {
            TEXT_HEADER => kind = u32_at(record.body, 0).unwrap_or(u32::MAX),
            NOTES => {}
            _ => found.extend(words(&record).map(|text| (kind, text))),
        }
    }
    found
}

fn words(record: &Record<'_>) -> Option<String> {
    let text = match record.kind {
        TEXT_CHARS => utf16(record.body),
        TEXT_BYTES => encoding::decode_code_page(record.body, 1252).into_owned(),
        _ => return None,
    };
    let text = text.replace(['\r', '\u{b}'], "\n").trim().to_owned();
    // A lone star is the placeholder of a slide number.
    (!text.is_empty() && text != "*").then_some(text)
}

/// Where each persistent object lies, the newest edit first.
fn persisted(stream: &[u8], newest_edit: usize) -> HashMap<u32, usize> {
    let mut places = HashMap::new();
    let mut edit = newest_edit;
    for _ in 0..MAX_EDITS {
        let record = stream.get(edit..).and_then(|rest| Records::new(rest).next());
        let Some(record) = record.filter(|record| record.kind == USER_EDIT) else { break };
        let (previous, directory) = (u32_at(record.body, 8), u32_at(record.body, 12));
        let directory = directory.and_then(|at| Records::new(stream.get(at as usize..)?).next());
        if let Some(directory) = directory.filter(|record| record.kind == PERSIST_DIRECTORY) {
            add_places(directory.body, &mut places);
        }
        match previous {
            Some(previous) if previous > 0 && (previous as usize) < edit => edit = previous as usize,
            _ => break,
        }
    }
    places
}

/// Runs of offsets: 20 bits of first id, 12 bits of count.
fn add_places(body: &[u8], places: &mut HashMap<u32, usize>) {
    let mut at = 0;
    while let Some(head) = u32_at(body, at) {
        let (first, count) = (head & 0xf_ffff, head >> 20);
        at += 4;
        for id in first..first + count {
            let Some(offset) = u32_at(body, at) else { return };
            places.entry(id).or_insert(offset as usize);
            at += 4;
        }
    }
}

//! Fonts made fit for `pdf-extract`, which panics on what it does not expect in them.
//!
//! Attempts from faithful to poor: the font with its tables put right, then with its character map
//! written anew, then without its font program, then without its character map, at last a stand-in
//! of a plain encoding.

use lopdf::{Dictionary, Document, Object};

use super::{cmap, get, guard, number, resolve};
use crate::limits::Limits;

/// Base encodings that the crate knows.
const ENCODINGS: &[&[u8]] = &[b"MacRomanEncoding", b"MacExpertEncoding", b"WinAnsiEncoding"];
/// Widths of one range of a composite font.
const MAX_RANGE: i64 = 65_536;

/// The forms of a font to try, the most faithful first.
pub(super) fn attempts(document: &Document, font: &Object) -> Vec<Dictionary> {
    let Some(font) = resolve(document, font).and_then(|it| it.as_dict().ok()) else { return vec![stand_in()] };
    let is_composite =
        get(document, font, b"Subtype").is_some_and(|it| it.as_name().is_ok_and(|kind| kind == b"Type0"));
    let faithful = if is_composite { composite(document, font) } else { simple(document, font) };
    let mut mapped = faithful.clone();
    clean_unicode(document, font, &mut mapped);
    let mut plainer = mapped.clone();
    if is_composite {
        plainer.set("Encoding", Object::Name(b"Identity-H".to_vec()));
    } else {
        plainer.remove(b"FontDescriptor");
    }
    let mut plainest = plainer.clone();
    plainest.remove(b"ToUnicode");
    let mut attempts = vec![faithful, mapped, plainer, plainest];
    if !is_composite {
        attempts.push(stand_in());
    }
    attempts
}

fn stand_in() -> Dictionary {
    let mut font = Dictionary::new();
    font.set("Type", Object::Name(b"Font".to_vec()));
    font.set("Subtype", Object::Name(b"Type1".to_vec()));
    font.set("BaseFont", Object::Name(b"Helvetica".to_vec()));
    font.set("Encoding", Object::Name(b"WinAnsiEncoding".to_vec()));
    font
}

fn simple(document: &Document, font: &Dictionary) -> Dictionary {
    let mut clean = named(document, font);
    match widths(document, font) {
        Some((first, widths)) => {
            let count = i64::try_from(widths.len()).unwrap_or(0);
            clean.set("FirstChar", Object::Integer(first));
            clean.set("LastChar", Object::Integer(first + count - 1));
            clean.set("Widths", Object::Array(widths));
        }
        None => drop_keys(&mut clean, &[b"FirstChar", b"LastChar", b"Widths"]),
    }
    match get(document, font, b"Encoding") {
        Some(Object::Name(name)) if ENCODINGS.contains(&name.as_slice()) => {}
        Some(Object::Dictionary(encoding)) => {
            clean.set("Encoding", Object::Dictionary(self::encoding(document, encoding)));
        }
        _ => drop_keys(&mut clean, &[b"Encoding"]),
    }
    drop_unless_dictionary(document, &mut clean, b"FontDescriptor");
    clean
}

/// The font with the two names that every font must have.
fn named(document: &Document, font: &Dictionary) -> Dictionary {
    let mut clean = font.clone();
    for (key, default) in [("Subtype", &b"Type1"[..]), ("BaseFont", b"Helvetica")] {
        if get(document, font, key.as_bytes()).is_none_or(|it| it.as_name().is_err()) {
            clean.set(key, Object::Name(default.to_vec()));
        }
    }
    if get(document, font, b"ToUnicode").is_none_or(|it| it.as_stream().is_err()) {
        clean.remove(b"ToUnicode");
    }
    clean
}

/// The character map without what is no part of it.
fn clean_unicode(document: &Document, font: &Dictionary, clean: &mut Dictionary) {
    if let Some(Object::Stream(map)) = get(document, font, b"ToUnicode") {
        match guard::content(map, &Limits::default()).and_then(|map| cmap::unicode(&map)) {
            Some(map) => clean.set("ToUnicode", Object::Stream(map)),
            None => drop_keys(clean, &[b"ToUnicode"]),
        }
    }
}

/// Codes of the lengths that the font's own or a predefined map gives them.
fn clean_encoding(document: &Document, font: &Dictionary, clean: &mut Dictionary) {
    match get(document, font, b"Encoding") {
        Some(Object::Stream(map)) => {
            if let Some(map) = guard::content(map, &Limits::default()).and_then(|map| cmap::encoding(&map)) {
                clean.set("Encoding", Object::Stream(map));
            }
        }
        Some(Object::Name(name)) => {
            let Some((map, is_unicode)) = cmap::predefined(name) else { return };
            clean.set("Encoding", Object::Stream(map));
            if is_unicode && !clean.has(b"ToUnicode") {
                clean.set("ToUnicode", Object::Stream(cmap::utf16()));
            }
        }
        _ => {}
    }
}

fn widths(document: &Document, font: &Dictionary) -> Option<(i64, Vec<Object>)> {
    let first = get(document, font, b"FirstChar")?.as_i64().ok()?;
    let widths = get(document, font, b"Widths")?.as_array().ok()?;
    let resolved: Option<Vec<Object>> =
        widths.iter().map(|it| resolve(document, it).filter(|it| number(it).is_some()).cloned()).collect();
    let resolved = resolved.filter(|widths| !widths.is_empty() && widths.len() <= 65_536)?;
    (0..=65_535).contains(&first).then_some((first, resolved))
}

/// An encoding with a base that is known and differences that stay within a byte.
fn encoding(document: &Document, encoding: &Dictionary) -> Dictionary {
    let mut clean = Dictionary::new();
    if let Some(Object::Name(base)) = get(document, encoding, b"BaseEncoding")
        && ENCODINGS.contains(&base.as_slice())
    {
        clean.set("BaseEncoding", Object::Name(base.clone()));
    }
    let differences = get(document, encoding, b"Differences").and_then(|it| it.as_array().ok());
    let mut code = 0;
    let mut kept = Vec::new();
    for difference in differences.into_iter().flatten().filter_map(|it| resolve(document, it)) {
        match difference {
            Object::Integer(number) => {
                code = *number;
                if (0..=255).contains(&code) {
                    kept.push(Object::Integer(code));
                }
            }
            Object::Name(name) => {
                if (0..=255).contains(&code) {
                    kept.push(Object::Name(name.clone()));
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    clean.set("Differences", Object::Array(kept));
    clean
}

/// A composite font: widths by ranges are written out one by one, which the crate reads wrongly.
fn composite(document: &Document, font: &Dictionary) -> Dictionary {
    let mut clean = named(document, font);
    clean_encoding(document, font, &mut clean);
    let descendant = get(document, font, b"DescendantFonts").and_then(|it| it.as_array().ok()?.first());
    let Some(descendant) = descendant.and_then(|it| resolve(document, it)).and_then(|it| it.as_dict().ok()) else {
        return clean;
    };
    let mut descendant = descendant.clone();
    match get(document, &descendant, b"W").and_then(|it| it.as_array().ok()).map(|it| wide(document, it)) {
        Some(widths) => descendant.set("W", Object::Array(widths)),
        None => drop_keys(&mut descendant, &[b"W"]),
    }
    let default = get(document, &descendant, b"DW").and_then(number).unwrap_or(1_000.0);
    #[expect(clippy::cast_possible_truncation, reason = "widths are thousandths of an em")]
    descendant.set("DW", Object::Integer(default as i64));
    if get(document, &descendant, b"FontDescriptor").is_none_or(|it| it.as_dict().is_err()) {
        descendant.set("FontDescriptor", Object::Dictionary(Dictionary::new()));
    }
    clean.set("DescendantFonts", Object::Array(vec![Object::Dictionary(descendant)]));
    clean
}

fn wide(document: &Document, widths: &[Object]) -> Vec<Object> {
    let mut clean = Vec::new();
    let mut rest = widths.iter().filter_map(|it| resolve(document, it));
    while let (Some(Object::Integer(first)), Some(second)) = (rest.next(), rest.next()) {
        let list = match second {
            Object::Array(list) => {
                list.iter().filter_map(|it| resolve(document, it)).filter(|it| number(it).is_some()).cloned().collect()
            }
            Object::Integer(last) => {
                let Some(width) = rest.next().filter(|it| number(it).is_some()) else { break };
                let count = last.saturating_sub(*first).saturating_add(1).clamp(0, MAX_RANGE);
                vec![width.clone(); usize::try_from(count).unwrap_or(0)]
            }
            _ => break,
        };
        clean.extend([Object::Integer(*first), Object::Array(list)]);
    }
    clean
}

fn drop_keys(dict: &mut Dictionary, keys: &[&[u8]]) {
    for key in keys {
        dict.remove(key);
    }
}

fn drop_unless_dictionary(document: &Document, dict: &mut Dictionary, key: &[u8]) {
    if get(document, dict, key).is_none_or(|it| it.as_dict().is_err()) {
        dict.remove(key);
    }
}

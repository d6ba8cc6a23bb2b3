//! A smaller PDF with only some pages, for services that bill by the page.

use std::collections::HashSet;

use lopdf::{Dictionary, Document, Object, ObjectId};

use super::{inherited, open, pages};
use crate::error::DocumentError;
use crate::isolate::{self, Stopped};
use crate::limits::Limits;

/// What a page may inherit and must carry itself once it is taken out of its tree.
const INHERITED: [&str; 4] = ["Resources", "MediaBox", "CropBox", "Rotate"];
/// Keys of a page that lead back to the rest of the document.
const TIES: [&[u8]; 6] = [b"B", b"StructParents", b"PieceInfo", b"AA", b"Thumb", b"Tabs"];

/// Makes a PDF of the given pages (numbers from 1), in the order given; encryption is taken off.
///
/// Numbers that the document does not have are passed over.
///
/// # Errors
/// Where the document cannot be opened, none of the pages is there, or writing takes too long.
pub fn select_pages(bytes: &[u8], wanted: &[u32]) -> Result<Vec<u8>, DocumentError> {
    let limits = Limits::default();
    if bytes.len() as u64 > limits.max_input_bytes {
        return Err(DocumentError::TooLarge(format!("`{}` bytes", limits.max_input_bytes)));
    }
    let (bytes, wanted, max_time) = (bytes.to_vec(), wanted.to_vec(), limits.max_time);
    match isolate::run(max_time, move || select(&bytes, &wanted, &limits)) {
        Ok(result) => result,
        Err(Stopped::TimedOut) => Err(DocumentError::TimedOut(max_time.as_secs())),
        Err(Stopped::Panicked) => Err(DocumentError::damaged("its structure makes no sense to the reader")),
    }
}

fn select(bytes: &[u8], wanted: &[u32], limits: &Limits) -> Result<Vec<u8>, DocumentError> {
    let mut document = open::open(bytes, limits)?;
    let all = pages(&document);
    let index = |number: &u32| usize::try_from(number.checked_sub(1)?).ok();
    let mut taken = HashSet::new();
    let chosen: Vec<ObjectId> =
        wanted.iter().filter_map(|number| all.get(index(number)?).copied()).filter(|id| taken.insert(*id)).collect();
    if chosen.is_empty() {
        return Err(DocumentError::damaged("it has none of the pages that are asked for"));
    }
    let tree = document.add_object(Object::Null);
    for page in &chosen {
        detach(&mut document, *page, tree)?;
    }
    replace_tree(&mut document, tree, &chosen);
    prune(&mut document);
    let mut out = Vec::new();
    document.save_to(&mut out).map_err(|_| DocumentError::damaged("its pages cannot be written"))?;
    Ok(out)
}

/// Makes a page stand alone: inherited attributes copied, ties to other pages cut.
fn detach(document: &mut Document, page: ObjectId, tree: ObjectId) -> Result<(), DocumentError> {
    let broken = |_| DocumentError::damaged("a page is broken");
    let old = document.get_dictionary(page).map_err(broken)?;
    let mut new = old.clone();
    for key in INHERITED {
        if let Some(value) = inherited(document, old, key.as_bytes()) {
            new.set(key, value.clone());
        }
    }
    for tie in TIES {
        new.remove(tie);
    }
    let fields = fields(document, old);
    new.set("Annots", Object::Array(fields));
    new.set("Parent", Object::Reference(tree));
    document.set_object(page, new);
    Ok(())
}

/// Annotations without links, whose targets would drag other pages along.
fn fields(document: &Document, page: &Dictionary) -> Vec<Object> {
    let annotations = super::get(document, page, b"Annots").and_then(|it| it.as_array().ok());
    let is_kept = |annotation: &&Object| {
        let dict = super::resolve(document, annotation).and_then(|it| it.as_dict().ok());
        dict.is_some_and(|dict| {
            super::get(document, dict, b"Subtype").is_some_and(|kind| kind.as_name().is_ok_and(|it| it != b"Link"))
        })
    };
    annotations.into_iter().flatten().filter(is_kept).cloned().collect()
}

fn replace_tree(document: &mut Document, tree: ObjectId, chosen: &[ObjectId]) {
    let mut node = Dictionary::new();
    node.set("Type", Object::Name(b"Pages".to_vec()));
    node.set("Kids", Object::Array(chosen.iter().map(|id| Object::Reference(*id)).collect()));
    node.set("Count", Object::Integer(i64::try_from(chosen.len()).unwrap_or(0)));
    document.set_object(tree, node);
    let mut catalog = Dictionary::new();
    catalog.set("Type", Object::Name(b"Catalog".to_vec()));
    catalog.set("Pages", Object::Reference(tree));
    let catalog = document.add_object(catalog);
    let mut trailer = Dictionary::new();
    trailer.set("Root", Object::Reference(catalog));
    document.trailer = trailer;
}

/// Drops what the chosen pages do not reach; other pages' contents are not followed.
fn prune(document: &mut Document) {
    let mut reached: HashSet<ObjectId> = HashSet::new();
    let mut open: Vec<&Object> = document.trailer.iter().map(|(_, value)| value).collect();
    while let Some(object) = open.pop() {
        match object {
            Object::Reference(id) if reached.insert(*id) => open.extend(document.objects.get(id)),
            Object::Array(items) => open.extend(items),
            Object::Dictionary(dict) => open.extend(dict.iter().map(|(_, value)| value)),
            Object::Stream(stream) => open.extend(stream.dict.iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    document.objects.retain(|id, _| reached.contains(id));
}

//! A page as one flat run of text operators.
//!
//! Forms (and the appearances of form fields) are written out in place with their matrix, colours
//! and drawing are dropped, fonts get names of their own. What is left has the right number and
//! types of operands, refers to nothing but fonts, and cannot recur.

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};

use super::{get, guard, inherited, number, resolve};
use crate::limits::Limits;

/// Forms within forms, so deep; real files have a handful.
const MAX_FORM_DEPTH: usize = 12;
/// Operators of one page, forms written out: a page of text has some thousands.
const MAX_OPERATIONS: usize = 1_000_000;
/// US Letter, for pages that do not say.
const DEFAULT_BOX: [f64; 4] = [0.0, 0.0, 612.0, 792.0];

/// A flat page.
#[derive(Default)]
pub(super) struct Flat {
    pub(super) operations: Vec<Operation>,
    /// Fonts under the names `F0`, `F1` …
    pub(super) fonts: Vec<Object>,
    pub(super) media_box: Vec<Object>,
}

impl Flat {
    /// Whether anything is written on the page.
    pub(super) fn has_text(&self) -> bool {
        self.operations.iter().any(|it| matches!(it.operator.as_str(), "Tj" | "TJ"))
    }
}

/// Flattens a page.
pub(super) fn flatten(document: &Document, page: ObjectId, limits: &Limits) -> Flat {
    let mut flattener =
        Flattener { document, limits, flat: Flat::default(), font_is_set: vec![false], budget: MAX_OPERATIONS };
    let Ok(page) = document.get_dictionary(page) else { return flattener.flat };
    flattener.flat.media_box = media_box(document, page);
    let resources = inherited(document, page, b"Resources").and_then(|it| it.as_dict().ok());
    flattener.stream(&contents(document, page, limits), resources, 0);
    flattener.fields(page);
    flattener.flat
}

fn media_box(document: &Document, page: &Dictionary) -> Vec<Object> {
    let given = inherited(document, page, b"MediaBox").and_then(|it| it.as_array().ok());
    let numbers: Option<Vec<f64>> =
        given.and_then(|array| array.iter().map(|it| number(resolve(document, it)?)).collect());
    let numbers = numbers.filter(|numbers| numbers.len() == 4).unwrap_or_else(|| DEFAULT_BOX.to_vec());
    numbers.into_iter().map(real).collect()
}

/// The page's content: one stream, or several that are read as one.
fn contents(document: &Document, page: &Dictionary, limits: &Limits) -> Vec<u8> {
    let parts = match get(document, page, b"Contents") {
        Some(Object::Array(parts)) => parts.iter().filter_map(|part| resolve(document, part)).collect(),
        Some(part) => vec![part],
        None => Vec::new(),
    };
    let mut bytes = Vec::new();
    for part in parts.into_iter().filter_map(|part| part.as_stream().ok()) {
        bytes.extend(guard::content(part, limits).unwrap_or_default());
        bytes.push(b'\n');
        if bytes.len() as u64 > limits.max_member_bytes {
            break;
        }
    }
    bytes
}

struct Flattener<'a> {
    document: &'a Document,
    limits: &'a Limits,
    flat: Flat,
    /// Whether a font is set, for each saved graphics state.
    font_is_set: Vec<bool>,
    budget: usize,
}

impl<'a> Flattener<'a> {
    fn stream(&mut self, content: &[u8], resources: Option<&'a Dictionary>, depth: usize) {
        let Ok(content) = Content::decode(content) else { return };
        let operations: Vec<Operation> = content.operations;
        let outer = self.font_is_set.len();
        for operation in operations {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            self.operation(operation, resources, depth, outer);
        }
        while self.font_is_set.len() > outer {
            self.restore();
        }
    }

    fn operation(&mut self, operation: Operation, resources: Option<&'a Dictionary>, depth: usize, outer: usize) {
        let Operation { operator, operands } = operation;
        match operator.as_str() {
            "q" => self.save(),
            // A form cannot restore more than it saved.
            "Q" if self.font_is_set.len() > outer => self.restore(),
            "BT" | "ET" | "T*" => self.emit(&operator, Vec::new()),
            "cm" | "Tm" => self.numbers(&operator, &operands, 6),
            "Td" | "TD" => self.numbers(&operator, &operands, 2),
            "Tc" | "Tw" | "Tz" | "TL" | "Ts" => self.numbers(&operator, &operands, 1),
            "Tf" => self.font(&operands, resources),
            "Tj" => self.show(operands.into_iter().next()),
            "TJ" => self.show_array(operands.into_iter().next()),
            "'" => {
                self.emit("T*", Vec::new());
                self.show(operands.into_iter().next());
            }
            "\"" => self.show_spaced(operands),
            "Do" => self.form(&operands, resources, depth),
            _ => {}
        }
    }

    fn emit(&mut self, operator: &str, operands: Vec<Object>) {
        self.flat.operations.push(Operation::new(operator, operands));
    }

    fn save(&mut self) {
        let is_set = self.font_is_set.last().copied().unwrap_or(false);
        self.font_is_set.push(is_set);
        self.emit("q", Vec::new());
    }

    fn restore(&mut self) {
        self.font_is_set.pop();
        self.emit("Q", Vec::new());
    }

    fn numbers(&mut self, operator: &str, operands: &[Object], count: usize) {
        let numbers: Option<Vec<f64>> = operands.iter().map(number).collect();
        if let Some(numbers) =
            numbers.filter(|numbers| numbers.len() == count && numbers.iter().all(|it| it.is_finite()))
        {
            self.emit(operator, numbers.into_iter().map(real).collect());
        }
    }

    fn font(&mut self, operands: &[Object], resources: Option<&'a Dictionary>) {
        let [Object::Name(name), size] = operands else { return };
        let fonts = resources.and_then(|it| get(self.document, it, b"Font")).and_then(|it| it.as_dict().ok());
        let (Some(font), Some(size)) = (fonts.and_then(|fonts| fonts.get(name).ok()), number(size)) else { return };
        let known = self.flat.fonts.iter().position(|it| it == font);
        let index = known.unwrap_or_else(|| {
            self.flat.fonts.push(font.clone());
            self.flat.fonts.len() - 1
        });
        if let Some(is_set) = self.font_is_set.last_mut() {
            *is_set = true;
        }
        self.emit("Tf", vec![Object::Name(format!("F{index}").into_bytes()), real(size)]);
    }

    fn show(&mut self, operand: Option<Object>) {
        if let Some(text @ Object::String(..)) = operand
            && self.font_is_set.last() == Some(&true)
        {
            self.emit("Tj", vec![text]);
        }
    }

    fn show_array(&mut self, operand: Option<Object>) {
        if let Some(Object::Array(mut parts)) = operand
            && self.font_is_set.last() == Some(&true)
        {
            parts.retain(|part| matches!(part, Object::String(..) | Object::Integer(_) | Object::Real(_)));
            self.emit("TJ", vec![Object::Array(parts)]);
        }
    }

    fn show_spaced(&mut self, operands: Vec<Object>) {
        if operands.len() == 3 {
            self.numbers("Tw", &operands[..1], 1);
            self.numbers("Tc", &operands[1..2], 1);
            self.emit("T*", Vec::new());
            self.show(operands.into_iter().nth(2));
        }
    }

    fn form(&mut self, operands: &[Object], resources: Option<&'a Dictionary>, depth: usize) {
        let [Object::Name(name)] = operands else { return };
        let objects = resources.and_then(|it| get(self.document, it, b"XObject")).and_then(|it| it.as_dict().ok());
        let object = objects.and_then(|objects| get(self.document, objects, name));
        if let Some(Object::Stream(form)) = object {
            self.write_out(form, resources, depth, None);
        }
    }

    /// Writes a form out in place, moved to `origin` where it is an appearance.
    fn write_out(&mut self, form: &'a Stream, outer: Option<&'a Dictionary>, depth: usize, origin: Option<(f64, f64)>) {
        let is_form = form.dict.get(b"Subtype").is_ok_and(|kind| kind.as_name().is_ok_and(|kind| kind == b"Form"));
        if !is_form || depth >= MAX_FORM_DEPTH {
            return;
        }
        let Some(content) = guard::content(form, self.limits) else { return };
        self.save();
        if let Some((x, y)) = origin {
            self.emit("cm", [1.0, 0.0, 0.0, 1.0, x, y].into_iter().map(real).collect());
        }
        if let Some(matrix) = get(self.document, &form.dict, b"Matrix").and_then(|it| it.as_array().ok()) {
            self.numbers("cm", matrix, 6);
        }
        let own = get(self.document, &form.dict, b"Resources").and_then(|it| it.as_dict().ok());
        self.stream(&content, own.or(outer), depth + 1);
        self.restore();
    }

    /// What form fields and free text show is text of the page.
    fn fields(&mut self, page: &'a Dictionary) {
        let annotations = get(self.document, page, b"Annots").and_then(|it| it.as_array().ok());
        for annotation in annotations.into_iter().flatten() {
            let annotation = resolve(self.document, annotation).and_then(|it| it.as_dict().ok());
            if let Some(annotation) = annotation {
                self.field(annotation);
            }
        }
    }

    fn field(&mut self, annotation: &'a Dictionary) -> Option<()> {
        let kind = get(self.document, annotation, b"Subtype")?.as_name().ok()?;
        if !matches!(kind, b"Widget" | b"FreeText") {
            return None;
        }
        let appearances = get(self.document, annotation, b"AP")?.as_dict().ok()?;
        let form = match get(self.document, appearances, b"N")? {
            // Check boxes have one appearance for each state.
            Object::Dictionary(states) => {
                get(self.document, states, get(self.document, annotation, b"AS")?.as_name().ok()?)?
            }
            form => form,
        };
        let place = get(self.document, annotation, b"Rect")?.as_array().ok()?;
        let origin = (number(place.first()?)?, number(place.get(1)?)?);
        self.write_out(form.as_stream().ok()?, None, 0, Some(origin));
        Some(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "PDF numbers are single precision here")]
fn real(number: f64) -> Object {
    Object::Real(number as f32)
}

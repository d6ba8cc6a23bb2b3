//! The XML of S3 as JSON, and back. What is read comes from the local S3; its depth is bounded all the same.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html>

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde_json::{Map, Value};

use super::model::{ENTRIES, LISTED, LISTS, NUMBERS, TRUTHS};

/// No answer of S3 is nested deeper.
const MOST_DEPTH: usize = 16;

/// An element that is being read.
struct Element {
    name: String,
    text: String,
    members: Map<String, Value>,
    /// The entries, where the element is a list.
    entries: Vec<Value>,
}

/// The root element's value; null when there is none.
pub(super) fn read(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) if open.len() < MOST_DEPTH => open.push(Element::new(tag.name().as_ref())),
            Ok(Event::Empty(tag)) => {
                let element = Element::new(tag.name().as_ref());
                if let Some(root) = close(element, &mut open) {
                    return root;
                }
            }
            Ok(Event::End(_)) => match open.pop().and_then(|element| close(element, &mut open)) {
                Some(root) => return root,
                None if open.is_empty() => return Value::Null,
                None => {}
            },
            Ok(Event::Eof | Event::Start(_)) | Err(_) => return Value::Null,
            Ok(event) => characters(&event, &mut open),
        }
    }
}

fn characters(event: &Event<'_>, open: &mut [Element]) {
    let Some(element) = open.last_mut() else { return };
    match event {
        Event::Text(text) => element.text.push_str(&text.xml10_content()),
        Event::CData(text) => element.text.push_str(&text.xml10_content()),
        Event::GeneralRef(reference) => match reference.resolve_char_ref() {
            Ok(Some(c)) => element.text.push(c),
            _ => element.text.push_str(entity(&reference.xml10_content())),
        },
        _ => {}
    }
}

fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

/// Puts an element into the one around it; gives its value when it is the root.
fn close(element: Element, open: &mut [Element]) -> Option<Value> {
    let name = element.name.clone();
    let has_members = !element.members.is_empty();
    let value = element.value();
    let Some(around) = open.last_mut() else {
        return Some(value);
    };
    // `DeleteMarker` is an entry of one list and a truth in another answer.
    let list = LISTED.iter().find(|(own, _)| *own == name).filter(|_| has_members).map(|(_, list)| *list);
    if LISTS.contains(&around.name.as_str()) {
        around.entries.push(value);
    } else if let Some(list) = list {
        let entries = around.members.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(entries) = entries.as_array_mut() {
            entries.push(value);
        }
    } else {
        around.members.insert(name, value);
    }
    None
}

impl Element {
    fn new(name: &str) -> Self {
        let name = name.rsplit(':').next().unwrap_or(name).to_owned();
        Self { name, text: String::new(), members: Map::new(), entries: Vec::new() }
    }

    fn value(self) -> Value {
        let name = self.name.as_str();
        if LISTS.contains(&name) {
            // A list of texts has no entries of its own.
            return if self.text.trim().is_empty() { self.entries.into() } else { vec![self.text].into() };
        }
        if !self.members.is_empty() {
            return self.members.into();
        }
        match self.text.parse::<i64>() {
            Ok(number) if NUMBERS.contains(&name) => number.into(),
            _ if TRUTHS.contains(&name) => (self.text == "true").into(),
            _ => shortened(self.text).into(),
        }
    }
}

/// The SDK writes no fraction where there is none.
fn shortened(text: String) -> String {
    let is_time = text.len() == 24 && text.as_bytes()[10] == b'T';
    match text.strip_suffix(".000Z") {
        Some(whole) if is_time => format!("{whole}Z"),
        _ => text,
    }
}

/// A value as an element.
pub(super) fn write(element: &str, value: &Value) -> String {
    let mut text = String::new();
    write_into(&mut text, element, value);
    text
}

fn write_into(text: &mut String, element: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(items) => match ENTRIES.iter().find(|(list, ..)| *list == element) {
            Some((_, entry, true)) => wrapped(text, element, |text| entries(text, entry, items)),
            Some((_, entry, false)) => entries(text, entry, items),
            None => entries(text, element, items),
        },
        Value::Object(members) => wrapped(text, element, |text| {
            members.iter().for_each(|(name, value)| write_into(text, name, value));
        }),
        Value::String(content) => wrapped(text, element, |text| text.push_str(&escape(content.as_str()))),
        other => wrapped(text, element, |text| text.push_str(&other.to_string())),
    }
}

fn entries(text: &mut String, element: &str, items: &[Value]) {
    for item in items {
        write_into(text, element, item);
    }
}

fn wrapped(text: &mut String, element: &str, inner: impl FnOnce(&mut String)) {
    // A member's name is whatever the definition holds; what is no name has no place in XML.
    let name: String = element.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).collect();
    text.extend(["<", &name, ">"]);
    inner(text);
    text.extend(["</", &name, ">"]);
}

//! A walk over XML: events to a sink, namespaces cut off, broken markup tolerated.
//!
//! Only the five predefined entities and character references are resolved; declared entities are
//! never expanded and nothing external is ever read (so neither a "billion laughs" nor an XXE has
//! anything to work on). The walk is a loop, so nesting costs no stack; it is bounded all the same.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use crate::encoding;

/// Takes what a walk meets; names come without their namespace prefix.
pub(crate) trait Sink {
    fn start(&mut self, name: &str, element: &Element<'_>);
    fn end(&mut self, name: &str);
    fn text(&mut self, text: &str);
    /// True when the rest is of no interest (the output is full).
    fn is_done(&self) -> bool {
        false
    }
}

/// A start tag.
pub(crate) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// The value of the attribute with this name, whatever its prefix.
    pub(crate) fn attribute(&self, local_name: &str) -> Option<String> {
        self.find(|name| local(name) == local_name)
    }

    /// The value of the attribute with exactly this name, prefix included.
    pub(crate) fn exact_attribute(&self, name: &str) -> Option<String> {
        self.find(|it| it == name)
    }

    fn find(&self, is_it: impl Fn(&str) -> bool) -> Option<String> {
        let mut attributes = self.0.attributes();
        // Broken attributes hide nothing: those that can be read are read.
        let found = attributes.with_checks(false).filter_map(Result::ok).find(|it| is_it(it.key.as_ref()))?;
        Some(unescape(&found.value).unwrap_or(Cow::Borrowed(&found.value)).into_owned())
    }

    /// The name with its prefix.
    pub(crate) fn full_name(&self) -> String {
        self.0.name().as_ref().to_owned()
    }
}

/// Where a walk ended early: what came before has reached the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    Markup,
    TooDeep,
}

impl Broken {
    /// As a warning about `part` of a file.
    pub(crate) fn warning(self, part: &str) -> String {
        match self {
            Self::Markup => format!("the markup of `{part}` is broken; it was read up to there"),
            Self::TooDeep => format!("`{part}` is nested too deep; it was read up to there"),
        }
    }
}

/// Text of an XML file: its encoding is by mark, by pattern, or as its declaration says.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let declared = head.split_once("encoding=").and_then(|(_, rest)| rest.split(['"', '\'']).nth(1));
    encoding::decode(bytes, declared).text
}

/// Walks over `xml`, nested at most `max_depth` deep.
pub(crate) fn walk(xml: &str, max_depth: usize, sink: &mut dyn Sink) -> Result<(), Broken> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut depth = 0_usize;
    while !sink.is_done() {
        match reader.read_event().map_err(|_| Broken::Markup)? {
            Event::Eof => break,
            Event::Start(tag) => {
                depth += 1;
                if depth > max_depth {
                    return Err(Broken::TooDeep);
                }
                start(tag, sink);
            }
            Event::Empty(tag) => {
                let name = local(tag.name().as_ref()).to_owned();
                start(tag, sink);
                sink.end(&name);
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                sink.end(local(tag.name().as_ref()));
            }
            event => characters(&event, sink),
        }
    }
    Ok(())
}

fn start(tag: BytesStart<'_>, sink: &mut dyn Sink) {
    let element = Element(tag);
    let name = element.full_name();
    sink.start(local(&name), &element);
}

fn characters(event: &Event<'_>, sink: &mut dyn Sink) {
    match event {
        Event::Text(text) => sink.text(&text.xml10_content()),
        Event::CData(text) => sink.text(&text.xml10_content()),
        Event::GeneralRef(reference) => match reference.resolve_char_ref() {
            Ok(Some(c)) => sink.text(c.encode_utf8(&mut [0; 4])),
            _ => sink.text(&entity(&reference.xml10_content())),
        },
        _ => {}
    }
}

fn entity(name: &str) -> Cow<'static, str> {
    match name {
        "amp" => "&".into(),
        "lt" => "<".into(),
        "gt" => ">".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        "nbsp" => " ".into(),
        // Declared elsewhere, so it stays what it is.
        other => format!("&{other};").into(),
    }
}

/// The part of a name behind its prefix.
pub(crate) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Trace(String);

    impl Sink for Trace {
        fn start(&mut self, name: &str, element: &Element<'_>) {
            self.0 += &["<", name, " ", &element.attribute("a").unwrap_or_default(), ">"].concat();
        }
        fn end(&mut self, name: &str) {
            self.0 += &["</", name, ">"].concat();
        }
        fn text(&mut self, text: &str) {
            self.0 += text;
        }
    }

    fn trace(xml: &str) -> (String, Result<(), Broken>) {
        let mut sink = Trace::default();
        let result = walk(xml, 4, &mut sink);
        (sink.0, result)
    }

    #[test]
    fn events_come_with_local_names_and_resolved_characters() {
        let (seen, result) = trace(r#"<?xml version="1.0"?><x:r p:a="1 &amp; 2">&lt;&#228;<![CDATA[<b>]]><e/></x:r>"#);
        assert_eq!(seen, "<r 1 & 2><ä<b><e ></e></r>");
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn declared_entities_are_not_expanded() {
        let (seen, _) =
            trace(r#"<!DOCTYPE r [<!ENTITY a "boom"><!ENTITY x SYSTEM "file:///etc/passwd">]><r>&a;&x;</r>"#);
        assert_eq!(seen, "<r >&a;&x;</r>");
    }

    #[test]
    fn depth_and_damage_end_the_walk_with_what_was_found() {
        assert_eq!(trace("<r><r><r><r><r>deep").1, Err(Broken::TooDeep));
        let (seen, result) = trace("<r>kept<");
        assert!(seen.starts_with("<r >kept"), "{seen}");
        assert_eq!(result, Err(Broken::Markup));
    }
}

//! What a test writes down on the way: the members of `InspectionData`.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_InspectionData.html>.
//! Documents are JSON text; the service writes a space behind each comma and colon of them.

use std::io;

use serde::Serialize as _;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};

use crate::intrinsic::Random;

#[derive(Debug, Default)]
pub(super) struct Inspection(Map<String, Value>);

impl Inspection {
    pub(super) fn document(&mut self, member: &str, document: &Value) {
        self.member(member, spaced(document).into());
    }

    pub(super) fn member(&mut self, member: &str, value: Value) {
        self.0.insert(member.to_owned(), value);
    }

    pub(super) fn take(&mut self) -> Value {
        std::mem::take(&mut self.0).into()
    }
}

/// Random numbers that can be drawn again, so that what is shown and what counts are the same.
pub(super) struct Draws<'r> {
    drawn: Vec<f64>,
    at: usize,
    random: Random<'r>,
}

impl<'r> Draws<'r> {
    pub(super) fn new(random: Random<'r>) -> Self {
        Self { drawn: Vec::new(), at: 0, random }
    }

    pub(super) fn again(&mut self) {
        self.at = 0;
    }

    pub(super) fn draw(&mut self) -> f64 {
        if self.at == self.drawn.len() {
            self.drawn.push((self.random)());
        }
        self.at += 1;
        self.drawn[self.at - 1]
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

fn spaced(document: &Value) -> String {
    let mut text = Vec::new();
    let written = document.serialize(&mut Serializer::with_formatter(&mut text, Spaced));
    written.expect("a value in memory serialises to memory");
    String::from_utf8(text).expect("JSON is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::{Draws, spaced};
    use serde_json::json;

    #[test]
    fn documents_are_written_with_spaces() {
        assert_eq!(spaced(&json!({ "a": [1, "b, c:d"], "e": {} })), r#"{"a": [1, "b, c:d"], "e": {}}"#);
        assert_eq!(spaced(&json!("x")), r#""x""#);
    }

    #[test]
    fn what_was_drawn_is_drawn_again() {
        let mut next = 0.0;
        let mut random = || {
            next += 0.25;
            next
        };
        let mut draws = Draws::new(&mut random);
        let first = [draws.draw(), draws.draw()];
        draws.again();
        assert_eq!(
            [draws.draw(), draws.draw(), draws.draw()].map(f64::to_bits),
            [first[0], first[1], 0.75].map(f64::to_bits)
        );
    }
}

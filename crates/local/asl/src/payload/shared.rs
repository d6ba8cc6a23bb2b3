//! Documents within one piece of a log: each is written once, and where it comes again only its number is.
//!
//! A document goes from state to state as it is, so most of a log would be repetition. Serde hands no context to a
//! value that is nested, so the table of the piece at hand lies beside the thread that writes or reads it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::Payload;

/// The documents of the piece at hand, in the order of their first places.
#[derive(Default)]
struct Table {
    numbers: HashMap<usize, usize>,
    documents: Vec<Payload>,
}

thread_local! {
    static TABLE: RefCell<Option<Table>> = const { RefCell::new(None) };
}

/// How a document is written at one place.
pub(super) enum Place {
    /// As it is: no piece of a log is being written.
    Plain,
    /// In an array of its own, which tells it from a number.
    First,
    /// As the number that it was given at its first place.
    Again(usize),
}

/// Ends the piece, however it ends.
struct Piece;

impl Drop for Piece {
    fn drop(&mut self) {
        TABLE.set(None);
    }
}

/// Does `work`, which writes or reads one piece.
pub(crate) fn within_piece<T>(work: impl FnOnce() -> T) -> T {
    TABLE.set(Some(Table::default()));
    let _piece = Piece;
    work()
}

/// How `document`, which must live as long as the piece is written, is written here.
pub(super) fn place(document: &Payload) -> Place {
    TABLE.with_borrow_mut(|table| {
        let Some(table) = table else { return Place::Plain };
        let address = Arc::as_ptr(&document.0).addr();
        if let Some(number) = table.numbers.get(&address) {
            return Place::Again(*number);
        }
        table.numbers.insert(address, table.numbers.len());
        Place::First
    })
}

/// The document that was written as `value`; none where a piece says what no piece says.
pub(super) fn document(value: Value) -> Option<Payload> {
    TABLE.with_borrow_mut(|table| {
        let Some(table) = table else { return Some(value.into()) };
        match value {
            Value::Number(number) => table.documents.get(usize::try_from(number.as_u64()?).ok()?).cloned(),
            Value::Array(mut one) if one.len() == 1 => {
                let document = Payload::from(one.pop()?);
                table.documents.push(document.clone());
                Some(document)
            }
            _ => None,
        }
    })
}

//! The crate as a whole: statements in, rows out, on a warehouse in a folder.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod columns;
mod faults;
mod inventory;
mod lake;
mod model;
mod statements;
mod writers;

//! Helpers of the tests that start the whole program: nothing here is linked into it.
//!
//! Each test has a data directory of its own, and every wait is bounded and asks for a condition.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

pub mod bucket;
pub mod checkout;
pub mod expectation;
pub mod lake;
pub mod program;
pub mod records;
pub mod schema;

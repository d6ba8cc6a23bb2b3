//! What holds for every input: tests of the crate as a whole.

mod properties;

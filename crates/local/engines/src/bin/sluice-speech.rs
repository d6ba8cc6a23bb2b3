//! The speech worker: recognises utterances from standard input, so that a crash of the C library
//! ends this process and no other.

use std::io::{self, stdin, stdout};

use pocketsphinx::{Model, worker};

fn main() -> io::Result<()> {
    worker::serve(&Model::debian(), stdin().lock(), stdout().lock())
}

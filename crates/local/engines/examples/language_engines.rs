//! Calls every language engine once for each text in a folder, and nothing else: `language_engines FOLDER`.
//!
//! It is what `scripts/bench` holds the throughput of the whole pipeline against.

use std::fs;

use engines::{entities, key_phrases, language, pii, sentiment};

type Error = Box<dyn std::error::Error>;

#[expect(clippy::print_stdout, reason = "a benchmark says what it did")]
fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let mut found = 0;
    for entry in fs::read_dir(folder)? {
        found += findings(&fs::read_to_string(entry?.path())?)?;
    }
    println!("{found} findings");
    Ok(())
}

fn findings(text: &str) -> Result<usize, Error> {
    let languages = language::detect(text);
    let code = languages.items.first().map_or("en", |language| language.code);
    sentiment::detect(text, code)?;
    Ok(entities::detect(text, code)?.items.len()
        + key_phrases::detect(text, code)?.items.len()
        + pii::detect(text).items.len())
}

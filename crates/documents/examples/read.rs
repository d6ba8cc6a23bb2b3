//! Prints what each file given is and what it says: `read FILE…`, `read --text FILE…` for the text.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for a developer's terminal, with its own clock"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs};

use documents::{Limits, Sample, detect, read};

const HEAD_BYTES: usize = 256 << 10;
const TAIL_BYTES: usize = 64 << 10;

fn main() {
    let (flags, files): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|it| it.starts_with("--"));
    let shows_text = flags.iter().any(|flag| flag == "--text");
    for file in files.iter().flat_map(|file| walk(Path::new(file))) {
        match fs::read(&file) {
            Ok(bytes) => show(&file, &bytes, shows_text),
            Err(error) => println!("{}: {error}", file.display()),
        }
    }
}

fn walk(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| walk(path)).collect()
}

fn show(file: &Path, bytes: &[u8], shows_text: bool) {
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let detection = detect(&Sample { head, tail, size_bytes: bytes.len() as u64, file_name: &name, declared: None });
    let start = Instant::now();
    let result = read(bytes, &detection.media_type, &Limits::default());
    let seconds = start.elapsed().as_secs_f64();
    let problem = detection.problem.map(|problem| format!(" {problem:?}")).unwrap_or_default();
    print!("{name}\t{}{problem}\t{seconds:.2}s\t", detection.media_type);
    match result {
        Ok(it) => {
            let (chars, metadata) = (it.text.chars().count(), it.metadata.len());
            let empty = it.pages_without_text().len();
            print!("{chars} chars, {} pages ({empty} empty), {} tables, ", it.pages.len(), it.tables.len());
            println!("{} attachments, {metadata} metadata, {:?}", it.attachments.len(), it.warnings);
            if shows_text {
                println!("{}\n{:#?}\n{:?}", it.text, it.metadata, it.attachments);
            }
        }
        Err(error) => println!("ERROR {error}"),
    }
}

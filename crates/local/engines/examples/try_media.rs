//! Scratch.
#![allow(clippy::all, clippy::pedantic, clippy::print_stdout, clippy::unwrap_used, clippy::allow_attributes, clippy::allow_attributes_without_reason, clippy::disallowed_methods, missing_docs)]
use engines::*;
use std::path::Path;
fn main() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let ocr = ocr::Ocr::open(scratch).unwrap();
    println!("{ocr:?} {:?}", media::engine(scratch));
    let speech = speech::Speech::new(speech::Settings { worker: std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("sluice-speech"), workers: 1 }, scratch);
    for file in std::env::args().skip(1) {
        let t = std::time::Instant::now();
        let path = Path::new(&file);
        let bytes = std::fs::read(path).unwrap();
        println!("=== {file}");
        if picture::format(&bytes).is_none() && !pdf::is_pdf(&bytes) {
            match speech.transcribe(path, &std::sync::atomic::AtomicBool::new(false)) {
                Ok(tr) => println!("  {:.1}s utt {} lost {:?} {}", tr.duration_seconds, tr.utterances.len(), tr.lost, { for w in &tr.words { print!("{}[{:.2} {:.2}] ", w.text, w.end-w.start, w.confidence); } tr.text() }),
                Err(e) => println!("  ERR {e} / {:?}", e),
            }
        } else {
            match ocr::document::inspect(path, scratch) {
                Err(e) => println!("  ERR {e} {e:?} bad={} pw={}", e.is_bad_file(), e.is_password()),
                Ok(kind) => {
                    println!("  {kind:?} exif {:?}", exif::read(&bytes));
                    if picture::format(&bytes).is_some() { if let Ok(p) = picture::decode_grey(&bytes, scratch) {
                        let t = std::time::Instant::now();
                        println!("  faces {:?} {:?}", faces::detect(p.clone()), t.elapsed());
                        let t = std::time::Instant::now();
                        println!("  qr {:?} {:?}", qr::read(p), t.elapsed());
                    } }
                    for n in 1..=kind.pages().min(3) {
                        let t = std::time::Instant::now();
                        match ocr::document::read_page(&ocr, path, kind, n) {
                            Err(e) => println!("  page {n} ERR {e:?}"),
                            Ok(p) => {
                                println!("  page {n} {}x{} words {} conf {:.3} lines {} in {:?}", p.width, p.height, p.words.len(), p.words.iter().map(|w|w.confidence).sum::<f64>(), p.lines.len(), t.elapsed());
                                println!("    {}", p.lines.iter().take(12).map(|l| p.text_of(l)).collect::<Vec<_>>().join(" / "));
                                for tb in &p.tables { println!("    TABLE {}x{}", tb.rows, tb.columns); for c in &tb.cells { print!("[{},{}{} {}]", c.row, c.column, if c.column_span > 1 { format!("+{}", c.column_span) } else { String::new() }, p.text_of_words(&c.words)); } println!(); }
                                for f in &p.fields { println!("    FIELD {} = {}", p.text_of_words(&f.label), p.text_of_words(&f.value)); }
                            }
                        }
                    }
                }
            }
        }
        println!("  total {:?}", t.elapsed());
    }
}

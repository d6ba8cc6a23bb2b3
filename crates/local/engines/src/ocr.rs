//! Text on pictures and scanned pages, by the `tesseract` command.
//!
//! A page has words with boxes and confidence, lines, tables and `label: value` fields. Pages of a
//! PDF or TIFF come one at a time. It refuses to guess handwriting, and leaves out words that the
//! engine itself does not believe in.

use std::path::{Path, PathBuf};

use image::{GrayImage, imageops};
use serde::Serialize;

use crate::command::{self, CommandError, Invocation, Limits, Tool, arguments};
use crate::geometry::Bounds;
use crate::pdf::PdfError;
use crate::picture::{self, PictureError};

pub mod document;
mod fields;
mod rows;
mod rules;
mod tables;
mod tsv;

pub use fields::Field;
pub use tables::{Cell, Table};

const TESSERACT: Tool = Tool { program: "tesseract", package: "tesseract-ocr" };

/// Most languages that are searched at once; each costs its share of the time.
const MAX_LANGUAGES: usize = 4;

/// Longest side in pixels that is handed to the engine.
const LONGEST_SIDE: u32 = 5000;

/// A picture whose longest side is below this is enlarged twice: at the 72 dpi of screen pictures the
/// engine misses half the words, and twice the size finds them.
const ENLARGED_BELOW: u32 = 1200;

/// The engine fails on pictures whose shorter side is not a few pixels; no letter is as small as this.
const SHORTEST_SIDE: u32 = 10;

/// Below this mean confidence a page may lie on its side, and orientation detection is tried.
const DOUBTFUL_CONFIDENCE: f64 = 0.6;

/// One word.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    /// The word.
    pub text: String,
    /// 0 to 1, the engine's own.
    pub confidence: f64,
    /// Where it is.
    pub bounds: Bounds,
}

/// One line: a run of words of the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Index of the first word in [`Page::words`].
    pub first_word: usize,
    /// Number of words, one at least.
    pub word_count: usize,
    /// Where it is.
    pub bounds: Bounds,
}

/// One page or picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// Width in pixels of what was read.
    pub width: u32,
    /// Height in pixels of what was read.
    pub height: u32,
    /// Words in reading order.
    pub words: Vec<Word>,
    /// Lines in reading order.
    pub lines: Vec<Line>,
    /// Tables from top to bottom.
    pub tables: Vec<Table>,
    /// `label: value` pairs from top to bottom.
    pub fields: Vec<Field>,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum OcrError {
    /// The engine is missing, failed, or passed its bounds.
    #[error("failed to read text from the picture")]
    Engine(#[from] CommandError),
    /// The engine has no language data.
    #[error("failed to find language data for `tesseract`: install the Debian package `tesseract-ocr-eng`")]
    NoLanguages,
    /// The picture could not be decoded.
    #[error("failed to prepare the picture")]
    Picture(#[from] PictureError),
    /// The PDF gave no page.
    #[error("failed to prepare the PDF")]
    Pdf(#[from] PdfError),
    /// A file could not be read or written.
    #[error("failed to use a file")]
    Io(#[from] std::io::Error),
}

/// The engine, found and asked for its version and languages once.
#[derive(Debug, Clone)]
pub struct Ocr {
    engine: String,
    languages: String,
    can_orient: bool,
    scratch: PathBuf,
}

impl Ocr {
    /// Finds the engine. Temporary files go below `scratch`.
    ///
    /// # Errors
    /// When the engine or its language data is not installed.
    pub fn open(scratch: &Path) -> Result<Self, OcrError> {
        let engine = command::version_line(TESSERACT, "--version", scratch)?;
        let limits = Limits { output_bytes: 1 << 20, ..Limits::seconds(10) };
        let invocation =
            Invocation { tool: TESSERACT, arguments: arguments(["--list-langs"]), directory: scratch, limits };
        let listed = String::from_utf8_lossy(&command::run(&invocation)?.stdout).into_owned();
        let languages = chosen_languages(&listed).ok_or(OcrError::NoLanguages)?;
        Ok(Self {
            engine,
            languages,
            can_orient: listed.lines().any(|line| line == "osd"),
            scratch: scratch.to_owned(),
        })
    }

    /// Name and version, as in `tesseract 5.3.0`.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// Where temporary files go.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Reads one picture as page `number`.
    ///
    /// # Errors
    /// When the engine fails or passes its bounds.
    pub fn read_picture(&self, picture: GrayImage, number: u32) -> Result<Page, OcrError> {
        let mut picture = fitted(picture);
        if picture.width().min(picture.height()) < SHORTEST_SIDE {
            return Ok(blank(&picture, number));
        }
        let rules = rules::erase(&mut picture);
        let directory = tempfile::tempdir_in(&self.scratch)?;
        let file = directory.path().join("page.pgm");
        std::fs::write(&file, picture::to_pgm(&picture))?;
        let (width, height) = picture.dimensions();
        let source = Source { file: &file, page_of_file: None, number, width, height, rules };
        self.read(&source, directory.path())
    }

    /// Reads a file that only the engine can decode, as one page of it.
    pub(crate) fn read_file(&self, source: &Source<'_>) -> Result<Page, OcrError> {
        let directory = tempfile::tempdir_in(&self.scratch)?;
        self.read(source, directory.path())
    }

    fn read(&self, source: &Source<'_>, directory: &Path) -> Result<Page, OcrError> {
        let upright = self.pass(source, LAYOUT, directory)?;
        if !self.can_orient || !is_doubtful(&upright) {
            return Ok(finish(upright, source));
        }
        // The engine ends with an error where it finds too few letters to tell the orientation.
        let turned = self.pass(source, LAYOUT_WITH_ORIENTATION, directory).unwrap_or_default();
        Ok(finish(if belief(&turned) > belief(&upright) { turned } else { upright }, source))
    }

    fn pass(&self, source: &Source<'_>, layout: &str, directory: &Path) -> Result<tsv::Text, OcrError> {
        let mut list = arguments([source.file.as_os_str(), "stdout".as_ref()]);
        list.extend(arguments(["-l", &self.languages, "--psm", layout]));
        if let Some(page) = source.page_of_file {
            list.extend(arguments(["-c", &format!("tessedit_page_number={page}")]));
        }
        list.extend(arguments(["-c", THRESHOLDING]));
        list.push("tsv".into());
        let invocation = Invocation { tool: TESSERACT, arguments: list, directory, limits: Limits::seconds(180) };
        let finished = command::run(&invocation)?;
        Ok(tsv::parse(&String::from_utf8_lossy(&finished.stdout), source.width, source.height))
    }
}

/// `--psm` 3: full layout analysis. The library's own default reads poorly.
const LAYOUT: &str = "3";

/// `--psm` 1: the same after finding which way is up.
const LAYOUT_WITH_ORIENTATION: &str = "1";

/// Sauvola's local threshold: with one for the whole page a shaded table header turns black, words and all.
const THRESHOLDING: &str = "thresholding_method=2";

/// A file for the engine, and which page it is.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a Path,
    /// Index in a TIFF of several pages.
    pub(crate) page_of_file: Option<usize>,
    pub(crate) number: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    rules: Vec<rules::Vertical>,
}

impl<'a> Source<'a> {
    /// One page of a TIFF, as it is.
    pub(crate) fn tiff(file: &'a Path, index: usize, number: u32, size: picture::Size) -> Self {
        Self { file, page_of_file: Some(index), number, width: size.width, height: size.height, rules: Vec::new() }
    }
}

impl Page {
    /// The words of a line.
    #[must_use]
    pub fn words_of(&self, line: &Line) -> &[Word] {
        &self.words[line.first_word..line.first_word + line.word_count]
    }

    /// The text of a line.
    #[must_use]
    pub fn text_of(&self, line: &Line) -> String {
        joined(self.words_of(line))
    }

    /// Mean confidence of some words, by their indices; 0 of none.
    #[must_use]
    pub fn confidence_of(&self, words: &[usize]) -> f64 {
        mean(words.iter().map(|word| self.words[*word].confidence))
    }

    /// The text of some words, by their indices.
    #[must_use]
    pub fn text_of_words(&self, words: &[usize]) -> String {
        words.iter().map(|word| self.words[*word].text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

fn blank(picture: &GrayImage, number: u32) -> Page {
    let (width, height) = picture.dimensions();
    Page { number, width, height, words: Vec::new(), lines: Vec::new(), tables: Vec::new(), fields: Vec::new() }
}

fn fitted(picture: GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    if width.max(height) >= ENLARGED_BELOW {
        return picture::at_most(picture, LONGEST_SIDE);
    }
    imageops::resize(&picture, 2 * width, 2 * height, imageops::FilterType::CatmullRom)
}

fn finish(text: tsv::Text, source: &Source<'_>) -> Page {
    let tsv::Text { words, lines, doubtful } = text;
    let canvas =
        rows::Canvas { width: f64::from(source.width), height: f64::from(source.height), rules: &source.rules };
    let rows = rows::rows(&words, &doubtful, &canvas);
    let tables = tables::find(&words, &rows);
    let fields = fields::find(&words, &rows);
    Page { number: source.number, width: source.width, height: source.height, words, lines, tables, fields }
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::cast_precision_loss, reason = "a page has far fewer words than 2^52")]
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

fn is_doubtful(text: &tsv::Text) -> bool {
    mean(text.words.iter().map(|word| word.confidence)) < DOUBTFUL_CONFIDENCE
}

/// How much of a text the engine believes in: letters weighted by confidence.
#[expect(clippy::cast_precision_loss, reason = "a word has far fewer letters than 2^52")]
fn belief(text: &tsv::Text) -> f64 {
    text.words.iter().map(|word| word.confidence * word.text.chars().count() as f64).sum()
}

/// English first where it is there, then the others by name; `osd` and `equ` are no languages.
fn chosen_languages(listed: &str) -> Option<String> {
    let mut languages: Vec<&str> = listed.lines().skip(1).map(str::trim).collect();
    languages.retain(|language| !language.is_empty() && !["osd", "equ", "snum"].contains(language));
    languages.sort_by_key(|language| (*language != "eng", *language));
    languages.truncate(MAX_LANGUAGES);
    (!languages.is_empty()).then(|| languages.join("+"))
}

#[cfg(test)]
mod tests;

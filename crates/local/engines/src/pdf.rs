//! PDF pages as pictures, by poppler's commands, one page at a time so that memory is bounded.
//!
//! It refuses files with a password, and never draws a page above `LONGEST_SIDE` pixels.

use std::path::Path;

use image::GrayImage;

use crate::command::{self, CommandError, Finished, Invocation, Limits, Tool, arguments};
use crate::picture::{self, PictureError};

const PDFINFO: Tool = Tool { program: "pdfinfo", package: "poppler-utils" };
const PDFTOPPM: Tool = Tool { program: "pdftoppm", package: "poppler-utils" };

/// Dots per inch that pages are drawn at: tesseract wants capitals of 20 pixels or more, which
/// 10-point type has at 200 dpi; 300 dpi costs twice the time for hardly a better word.
const DOTS_PER_INCH: f64 = 200.0;

/// Longest side of a drawn page in pixels; posters are drawn coarser.
const LONGEST_SIDE: f64 = 5000.0;

/// Points in an inch, PDF's unit.
const POINTS_PER_INCH: f64 = 72.0;

/// What is known about a PDF before a page is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Number of pages.
    pub pages: u32,
}

/// Why a PDF gave no pages.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// It opens only with a password.
    #[error("failed to open the PDF: it needs a password")]
    Password,
    /// Poppler cannot make sense of it.
    #[error("failed to read the PDF: {0}")]
    Damaged(String),
    /// Poppler is missing or passed its bounds.
    #[error("failed to read the PDF")]
    Tool(#[source] CommandError),
    /// The drawn page could not be read back.
    #[error("failed to read the drawn page")]
    Picture(#[from] PictureError),
    /// A temporary directory could not be used.
    #[error("failed to use a temporary directory for the PDF")]
    Io(#[from] std::io::Error),
}

/// Whether the bytes begin as a PDF does: the header may come within the first kilobyte.
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    let start = bytes.get(..1024).unwrap_or(bytes);
    start.windows(5).any(|window| window == b"%PDF-")
}

/// Counts the pages.
///
/// # Errors
/// When the file needs a password or is damaged beyond poppler's repair.
pub fn inspect(file: &Path, scratch: &Path) -> Result<Info, PdfError> {
    let finished = poppler(PDFINFO, &[], file, scratch, Limits::seconds(60))?;
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    let pages = value(&text, "Pages:").and_then(|pages| pages.parse().ok());
    match pages {
        Some(pages) if pages > 0 => Ok(Info { pages }),
        _ => Err(PdfError::Damaged("it has no pages".to_owned())),
    }
}

/// Draws page `number` (from 1) in grey.
///
/// # Errors
/// When poppler cannot draw it within its bounds.
pub fn draw(file: &Path, number: u32, scratch: &Path) -> Result<GrayImage, PdfError> {
    let page = number.to_string();
    let info = poppler(PDFINFO, &["-f", &page, "-l", &page], file, scratch, Limits::seconds(60))?;
    let resolution = resolution(longest_side_points(&String::from_utf8_lossy(&info.stdout)));
    let options = ["-gray", "-singlefile", "-f", &page, "-l", &page, &resolution[0], &resolution[1]];
    let limits = Limits { output_bytes: 128 << 20, ..Limits::seconds(120) };
    let drawn = poppler(PDFTOPPM, &options, file, scratch, limits)?;
    Ok(picture::from_pgm(&drawn.stdout)?)
}

fn poppler(tool: Tool, options: &[&str], file: &Path, scratch: &Path, limits: Limits) -> Result<Finished, PdfError> {
    let directory = tempfile::tempdir_in(scratch)?;
    let mut list = arguments(options);
    list.push(std::path::absolute(file)?.into());
    command::run(&Invocation { tool, arguments: list, directory: directory.path(), limits }).map_err(classify)
}

fn classify(error: CommandError) -> PdfError {
    match error {
        CommandError::Failed { complaint, .. } if complaint.contains("Incorrect password") => PdfError::Password,
        CommandError::Failed { complaint, .. } => PdfError::Damaged(complaint),
        other => PdfError::Tool(other),
    }
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// From the line `Page    1 size:  612 x 792 pts (letter)`.
fn longest_side_points(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with("Page ") && line.contains(" size:"))?;
    let (_, sizes) = line.split_once("size:")?;
    let (width, rest) = sizes.split_once('x')?;
    let width: f64 = width.trim().parse().ok()?;
    let height: f64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(width.max(height))
}

fn resolution(longest_side_points: Option<f64>) -> [String; 2] {
    match longest_side_points {
        Some(points) if points / POINTS_PER_INCH * DOTS_PER_INCH <= LONGEST_SIDE => {
            ["-r".to_owned(), DOTS_PER_INCH.to_string()]
        }
        _ => ["-scale-to".to_owned(), LONGEST_SIDE.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pages_are_drawn_coarser() {
        assert_eq!(resolution(Some(842.0)), ["-r", "200"]);
        assert_eq!(resolution(Some(1_000_000.0)), ["-scale-to", "5000"]);
        assert_eq!(resolution(None), ["-scale-to", "5000"]);
    }

    #[test]
    fn the_page_size_is_read_from_its_line() {
        let text = "Pages:           3\nPage    2 size:  595.276 x 841.89 pts (A4)\nPage    2 rot:   90\n";
        assert_eq!(longest_side_points(text), Some(841.89));
        assert_eq!(longest_side_points("Page size: none"), None);
    }

    #[test]
    fn pdfs_are_told_by_their_header() {
        assert!(is_pdf(b"junk\n%PDF-1.4"));
        assert!(!is_pdf(b"PDF"));
    }

    #[test]
    fn a_password_is_told_from_damage() {
        let failed = |complaint: &str| CommandError::Failed {
            program: "pdfinfo",
            status: String::new(),
            complaint: complaint.to_owned(),
        };
        assert!(matches!(classify(failed("Command Line Error: Incorrect password")), PdfError::Password));
        assert!(matches!(classify(failed("Syntax Error: no trailer")), PdfError::Damaged(_)));
    }
}

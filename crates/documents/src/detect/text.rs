//! Text or not, and which kind of text.

use serde::de::IgnoredAny;

use super::{Sample, hint, mail, markup};
use crate::encoding;
use crate::formats::delimited;

/// How much of the head decides on the kind; whole units of UTF-16 and UTF-32.
const KIND_BYTES: usize = 64 << 10;

/// The media type of a sample that is text.
pub(super) fn detect(sample: &Sample<'_>) -> Option<&'static str> {
    let Some(text) = decode(sample) else { return binary_mail(sample) };
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let hint = hint::text(sample);
    let is_mail_hinted = matches!(hint, Some("message/rfc822" | "application/mbox"));
    if start.starts_with("{\\rtf") {
        return Some("application/rtf");
    }
    if mail::is_mailbox(start, hint == Some("application/mbox")) {
        let has_more = start.contains("\n\nFrom ") || start.contains("\r\nFrom ");
        return Some(if hint == Some("message/rfc822") && !has_more { "message/rfc822" } else { "application/mbox" });
    }
    markup::detect(start, hint)
        .or_else(|| json(start, sample, hint))
        .or_else(|| line_format(start))
        .or_else(|| mail::looks_like(start, is_mail_hinted).then_some("message/rfc822"))
        .or_else(|| delimited(start, hint))
        .or_else(|| script(start))
        .or_else(|| hint.filter(|hint| is_free_form(hint)))
        .or(Some("text/plain"))
}

/// Mail whose parts are raw bytes (`Content-Transfer-Encoding: binary`): its headers are text.
fn binary_mail(sample: &Sample<'_>) -> Option<&'static str> {
    let head = &sample.head[..sample.head.len().min(KIND_BYTES)];
    let is_blank = |window: &[u8]| window.starts_with(b"\n\n") || window.starts_with(b"\n\r\n");
    let headers = &head[..head.windows(3).position(is_blank)?];
    let is_text = headers.iter().all(|byte| *byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r'));
    let is_hinted = hint::text(sample) == Some("message/rfc822");
    (is_text && mail::looks_like(&String::from_utf8_lossy(headers), is_hinted)).then_some("message/rfc822")
}

/// The text of the sample's beginning; `None` where it is not text.
fn decode(sample: &Sample<'_>) -> Option<String> {
    let head = &sample.head[..sample.head.len().min(KIND_BYTES)];
    if encoding::is_wide(head) {
        return Some(encoding::decode(head, None).text);
    }
    let is_strange = |byte: &&u8| matches!(byte, 0..=6 | 14..=25 | 28..=31 | 127);
    let strange = head.iter().filter(is_strange).count();
    // A few control characters are left over from terminals and old word processors.
    if strange > 0 && (head.len() < 100 || strange * 100 > head.len()) {
        return None;
    }
    if is_noise(head) {
        return None;
    }
    Some(encoding::decode(head, None).text)
}

/// Bytes of an 8-bit encoding come in words; noise has as many high as low bytes and few spaces.
fn is_noise(head: &[u8]) -> bool {
    if std::str::from_utf8(head).is_ok() {
        return false;
    }
    let controls = head.iter().filter(|byte| matches!(byte, 0x80..=0x9f)).count();
    let spaces = head.iter().filter(|byte| byte.is_ascii_whitespace()).count();
    let decoded = encoding::decode(head, None);
    let bad = decoded.text.chars().filter(|c| *c == '\u{fffd}' || c.is_control() && !c.is_whitespace()).count();
    bad * 20 > head.len()
        || head.len() > 200 && spaces * 200 < head.len() && controls * 10 > head.len() && decoded.lossy
}

/// Whether any text may be of this kind, so that a name alone can tell it.
fn is_free_form(kind: &str) -> bool {
    !matches!(
        kind,
        "text/html"
            | "application/xhtml+xml"
            | "application/xml"
            | "application/xslt+xml"
            | "image/svg+xml"
            | "application/json"
            | "application/x-ndjson"
            | "message/rfc822"
            | "application/mbox"
            | "text/vtt"
            | "application/x-subrip"
            | "text/calendar"
            | "text/vcard"
            | "text/tab-separated-values"
    )
}

/// One JSON value, or one to a line; a cut sample may end within one.
fn json(text: &str, sample: &Sample<'_>, hint: Option<&str>) -> Option<&'static str> {
    let is_hinted = matches!(hint, Some("application/json" | "application/x-ndjson"));
    let is_scalar = || text.starts_with(|c: char| "\"-0123456789tfn".contains(c));
    if !(text.starts_with(['{', '[']) || is_hinted && is_scalar()) {
        return None;
    }
    let is_cut = !sample.is_whole() || sample.head.len() > KIND_BYTES;
    let mut values = 0;
    for value in serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>() {
        match value {
            Ok(_) => values += 1,
            Err(error) if error.is_eof() && is_cut => {
                values += 1;
                break;
            }
            Err(_) => return None,
        }
    }
    let is_by_line = values > 1 || hint == Some("application/x-ndjson") && values > 0;
    (values > 0).then_some(if is_by_line { "application/x-ndjson" } else { "application/json" })
}

/// Formats whose first line names them.
fn line_format(text: &str) -> Option<&'static str> {
    let first = text.lines().next()?.trim_end();
    Some(match first {
        "BEGIN:VCALENDAR" => "text/calendar",
        "BEGIN:VCARD" => "text/vcard",
        _ if first == "WEBVTT" || first.starts_with("WEBVTT ") || first.starts_with("WEBVTT\t") => "text/vtt",
        _ if is_subrip(text) => "application/x-subrip",
        _ => return None,
    })
}

fn is_subrip(text: &str) -> bool {
    let mut lines = text.lines();
    let is_number = lines
        .next()
        .is_some_and(|line| !line.trim().is_empty() && line.trim().bytes().all(|byte| byte.is_ascii_digit()));
    let is_clock = |clock: &str| {
        clock.matches(':').count() >= 1
            && clock.contains([',', '.'])
            && clock.trim().starts_with(|c: char| c.is_ascii_digit())
    };
    is_number
        && lines
            .next()
            .and_then(|line| line.split_once("-->"))
            .is_some_and(|(start, end)| is_clock(start) && is_clock(end))
}

/// How many rows must be of one width to be a table that nobody hints at.
const EVEN_ROWS: usize = 20;
/// Longer cells are sentences.
const SHORT_CELL_CHARS: usize = 60;

/// Rows of cells: a hint needs no more proof than text; without one the rows must be even.
fn delimited(text: &str, hint: Option<&str>) -> Option<&'static str> {
    match hint {
        Some("text/csv") => return Some("text/csv"),
        Some("text/tab-separated-values") => {
            return Some(if text.contains('\t') { "text/tab-separated-values" } else { "text/plain" });
        }
        // Other names are right about being something else than a table.
        Some(_) => return None,
        None => {}
    }
    let delimiter = delimited::delimiter(text)?;
    let whole = text.rsplit_once('\n').map_or(text, |(whole, _)| whole);
    let (rows, _) = delimited::rows(whole, delimiter, EVEN_ROWS * 50);
    let rows = &rows[..rows.len().min(EVEN_ROWS)];
    let width = rows.first()?.len();
    let is_even = rows.len() >= 3 && width >= 2 && rows.iter().all(|row| row.len() == width);
    let is_cell = |cell: &String| cell.chars().count() <= SHORT_CELL_CHARS && !cell.ends_with(['.', '?', '!']);
    let is_short = rows.iter().flatten().all(is_cell);
    (is_even && is_short).then_some(if delimiter == '\t' { "text/tab-separated-values" } else { "text/csv" })
}

/// Scripts name their interpreter.
fn script(text: &str) -> Option<&'static str> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    let program = line
        .split_whitespace()
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .find(|word| *word != "env" && !word.starts_with('-'))?;
    Some(match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "sh" | "bash" | "zsh" | "ksh" | "dash" => "application/x-sh",
        "python" => "text/x-python",
        "perl" => "text/x-perl",
        "ruby" => "text/x-ruby",
        "node" => "application/javascript",
        _ => "text/plain",
    })
}

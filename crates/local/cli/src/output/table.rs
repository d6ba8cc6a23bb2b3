//! Tables that a person likes to read.

use std::io::{self, IsTerminal as _};

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::{cut, plain};
use crate::bulk::estimate::{Estimate, Kind};
use crate::bulk::size::Size;
use crate::commands::doctor::Tool;
use crate::commands::executions::Listed;
use crate::row::Row;

/// Width of a reason in a table: whoever wants all of it asks for JSON.
const REASON_CHARS: usize = 120;

/// Width where standard output is no terminal: wide enough for names, narrow enough for a page.
const WIDTH: u16 = 140;

/// One line below the header: between rows of one kind there is nothing to keep apart.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// One row a file.
pub(crate) fn files(rows: &[Row]) -> String {
    let mut table = table(["file", "status", "type", "language", "pages", "characters", "found"]);
    for row in rows {
        table.add_row([
            Cell::new(plain(&row.file)),
            Cell::new(&row.status),
            Cell::new(row.media_type.as_deref().map(short_type).unwrap_or_default()),
            Cell::new(row.language.as_deref().unwrap_or_default()),
            number(row.pages.map(u64::from)),
            number(Some(row.text_chars).filter(|chars| *chars > 0)),
            Cell::new(found(row)),
        ]);
    }
    table.to_string()
}

fn found(row: &Row) -> String {
    let found = row.found();
    match row.reason.as_deref().map(|reason| cut(&plain(reason), REASON_CHARS)) {
        Some(reason) if found.is_empty() => reason,
        Some(reason) => format!("{found}; {reason}"),
        None => found,
    }
}

/// The long names of office formats by their last word: `wordprocessingml.document` becomes `docx`.
fn short_type(media_type: &str) -> String {
    let ends = [
        (".wordprocessingml.document", "docx"),
        (".spreadsheetml.sheet", "xlsx"),
        (".presentationml.presentation", "pptx"),
        (".opendocument.text", "odt"),
        (".opendocument.spreadsheet", "ods"),
        (".opendocument.presentation", "odp"),
    ];
    let short = ends.iter().find(|(end, _)| media_type.ends_with(end));
    short.map_or_else(|| plain(media_type), |(_, short)| (*short).to_owned())
}

/// One row an execution.
pub(crate) fn executions(listed: &[Listed]) -> String {
    let mut table = table(["started (UTC)", "status", "seconds", "key", "name", "reason"]);
    for execution in listed {
        table.add_row([
            Cell::new(execution.started.strftime("%Y-%m-%d %H:%M:%S")),
            Cell::new(&execution.status),
            Cell::new(execution.seconds.map(|seconds| format!("{seconds:.1}")).unwrap_or_default())
                .set_alignment(CellAlignment::Right),
            Cell::new(execution.key.as_deref().map(plain).unwrap_or_default()),
            Cell::new(&execution.name),
            Cell::new(execution.error.as_deref().map(|error| cut(&plain(error), REASON_CHARS)).unwrap_or_default()),
        ]);
    }
    table.to_string()
}

/// One row a kind of file.
pub(crate) fn estimate(estimate: &Estimate) -> String {
    let mut table = table(["kind, by suffix", "files", "size", "at least, USD", "at most, USD"]);
    let row = |name: &str, kind: &Kind| {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        [
            Cell::new(name),
            number(Some(kind.files)),
            right(Size(kind.bytes).to_string()),
            right(format!("{:.4}", kind.least_usd)),
            right(format!("{:.4}", kind.most_usd)),
        ]
    };
    for (family, kind) in &estimate.families {
        table.add_row(row(&format!("{family:?}").to_lowercase(), kind));
    }
    table.add_row(row("all", &estimate.total));
    table.to_string()
}

/// One row a tool.
pub(crate) fn tools(tools: &[Tool]) -> String {
    let mut table = table(["tool", "there", "version", "for", "package"]);
    for tool in tools {
        let there = if tool.found { "yes" } else { "NO" };
        table.add_row([tool.name, there, tool.version.as_deref().unwrap_or_default(), tool.purpose, tool.package]);
    }
    table.to_string()
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    of_columns(&header.map(str::to_owned))
}

/// A table without rows.
pub(super) fn of_columns(header: &[String]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    if !io::stdout().is_terminal() {
        table.set_width(WIDTH);
    }
    table
}

fn number(number: Option<u64>) -> Cell {
    Cell::new(number.map(|number| number.to_string()).unwrap_or_default()).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_stands_beside_what_was_found() {
        let mut row = Row::refused("a.pdf", None, "page 2: too large".into());
        row.counts.tables = 1;
        assert_eq!(found(&row), "1 table; page 2: too large");
        assert!(files(&[row]).contains("a.pdf"));
    }

    #[test]
    fn office_types_are_short() {
        assert_eq!(short_type("application/vnd.oasis.opendocument.text"), "odt");
        assert_eq!(short_type("text/plain"), "text/plain");
    }
}

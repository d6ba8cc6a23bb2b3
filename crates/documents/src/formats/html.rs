//! HTML: readable text, title and meta data, tables; scripts and styles are passed over.
//!
//! Works on the token stream of the [HTML standard's tokenizer], without a tree: linear in the
//! input and without recursion, however wild the nesting. What no browser shows (`hidden`,
//! `display:none`) is left out.
//!
//! [HTML standard's tokenizer]: https://html.spec.whatwg.org/multipage/parsing.html#tokenization

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::Input;
use crate::draft::Draft;
use crate::encoding;

/// How far the declared character set is looked for; the standard says 1,024 bytes.
const PRESCAN_BYTES: usize = 4_096;

const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "summary",
    "ul",
    "table",
    "caption",
    "br",
    "legend",
    "title",
    "tr",
    "thead",
    "tbody",
    "tfoot",
];
const SPACED: &[&str] = &["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "table", "pre"];
/// Elements whose characters are not for people.
const SILENT: &[&str] = &["script", "style", "noframes", "noembed", "iframe", "xmp", "template"];
const VOID: &[&str] =
    &["br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"];

/// Reads an HTML file.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    let text = decode(input.bytes);
    read_text(&text, draft);
}

/// Text of an HTML file: by mark, by pattern, else as its `meta` or XML declaration says.
fn decode(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN_BYTES)]).to_ascii_lowercase();
    let after = ["charset=", "encoding="].iter().find_map(|key| head.split_once(key)).map(|(_, rest)| rest);
    let label = after.map(|rest| {
        rest.trim_start_matches(['"', '\'', ' ']).split(['"', '\'', ' ', ';', '>', '/', '?']).next().unwrap_or("")
    });
    encoding::decode(bytes, label).text
}

/// Reads HTML that is already text (a mail's body, a chapter of a book); gives its title.
pub(crate) fn read_text(html: &str, draft: &mut Draft<'_>) -> Option<String> {
    let page = Page {
        draft,
        title: None,
        silent: None,
        hidden: 0,
        pre: 0,
        tables: Vec::new(),
        pending_space: false,
        open: Vec::new(),
    };
    let tokenizer = Tokenizer::new(PageSink(RefCell::new(page)), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    // The sink never asks for a script to be run, so one call takes all of the queue.
    while !queue.is_empty() && !tokenizer.sink.0.borrow().draft.is_full() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    let mut page = tokenizer.sink.0.into_inner();
    page.finish();
    page.title.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|title| !title.is_empty())
}

struct PageSink<'d, 'l>(RefCell<Page<'d, 'l>>);

/// The page while its tokens come in.
struct Page<'d, 'l> {
    draft: &'d mut Draft<'l>,
    title: Option<String>,
    /// The element whose characters are not text.
    silent: Option<String>,
    /// How deep the walk is within an element that is not shown.
    hidden: usize,
    pre: usize,
    tables: Vec<Grid>,
    pending_space: bool,
    /// Open elements within a hidden one, to know where it ends.
    open: Vec<String>,
}

/// A table that is being read; nested ones are read as text of their cell.
#[derive(Default)]
struct Grid {
    rows: Vec<Vec<String>>,
    start: u64,
    in_cell: bool,
}

impl TokenSink for PageSink<'_, '_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => page.characters(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return page.start(&tag),
            Token::TagToken(tag) => page.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page<'_, '_> {
    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if self.hidden > 0 {
            self.track_hidden(name, tag.self_closing);
        } else if is_hidden(tag) && !VOID.contains(&name) {
            self.hidden = 1;
            self.open.clear();
            self.open.push(name.to_owned());
        } else {
            self.show_start(name, tag);
        }
        raw_kind(name)
    }

    /// Counts what opens within a hidden element.
    fn track_hidden(&mut self, name: &str, is_closed: bool) {
        if self.open.last().is_some_and(|open| open == name) && !VOID.contains(&name) && !is_closed {
            self.hidden += 1;
        }
    }

    fn show_start(&mut self, name: &str, tag: &Tag) {
        match name {
            "title" if self.title.is_none() => self.title = Some(String::new()),
            "meta" => self.meta(tag),
            "html" => {
                if let Some(language) = attribute(tag, "lang") {
                    self.draft.metadata("Language", &language);
                }
            }
            "img" => self.image(tag),
            "table" => self.open_table(),
            "tr" => self.open_row(),
            "td" | "th" => self.open_cell(),
            _ => {}
        }
        if SILENT.contains(&name) || name == "title" {
            self.silent = Some(name.to_owned());
        } else if name == "pre" {
            self.pre += 1;
        }
        self.break_line(name);
    }

    fn end(&mut self, name: &str) {
        if self.silent.as_deref() == Some(name) {
            self.silent = None;
        }
        if self.hidden > 0 {
            if self.open.last().is_some_and(|open| open == name) {
                self.hidden -= 1;
            }
            return;
        }
        match name {
            "pre" => self.pre = self.pre.saturating_sub(1),
            "td" | "th" => self.close_cell(),
            "tr" => self.close_row(),
            "table" => self.close_table(),
            _ => {}
        }
        self.break_line(name);
    }

    fn break_line(&mut self, name: &str) {
        // A row's cells stay on one line; only its own ends break it.
        let in_cell = self.tables.last().is_some_and(|table| table.in_cell);
        if !BLOCKS.contains(&name) || matches!(name, "title" | "body") {
            return;
        }
        self.pending_space = false;
        match in_cell {
            true => self.pending_space = true,
            false if SPACED.contains(&name) => self.draft.end_block(),
            false => self.draft.end_line(),
        }
    }

    fn characters(&mut self, text: &str) {
        if let Some(silent) = &self.silent {
            if silent == "title" && self.hidden == 0 {
                self.title.get_or_insert_default().push_str(text);
            }
            return;
        }
        if self.hidden > 0 {
            return;
        }
        if self.pre > 0 {
            self.draft.push(text);
            return;
        }
        for (index, word) in text.split_ascii_whitespace().enumerate() {
            if index > 0 || text.starts_with(|c: char| c.is_ascii_whitespace()) {
                self.pending_space = true;
            }
            self.word(word);
        }
        if text.ends_with(|c: char| c.is_ascii_whitespace()) {
            self.pending_space = true;
        }
    }

    fn word(&mut self, word: &str) {
        if std::mem::take(&mut self.pending_space) && !self.draft.is_at_line_start() && !self.draft.ends_with_tab() {
            self.draft.push(" ");
        }
        self.draft.push(word);
    }

    fn meta(&mut self, tag: &Tag) {
        let name = attribute(tag, "name").or_else(|| attribute(tag, "property"));
        if let (Some(name), Some(content)) = (name, attribute(tag, "content")) {
            self.draft.metadata(&name, &content);
        }
    }

    fn image(&mut self, tag: &Tag) {
        if let Some(text) = attribute(tag, "alt").filter(|text| !text.trim().is_empty()) {
            self.pending_space = true;
            self.word(text.trim());
            self.pending_space = true;
        }
    }

    fn open_table(&mut self) {
        if self.tables.is_empty() {
            self.draft.end_block();
        }
        if self.tables.len() < self.draft.limits.max_depth {
            self.tables.push(Grid::default());
        }
    }

    fn open_row(&mut self) {
        self.close_cell();
        if let Some(table) = self.tables.last_mut() {
            table.rows.push(Vec::new());
        }
        if self.tables.len() == 1 {
            self.draft.end_line();
        }
    }

    fn open_cell(&mut self) {
        self.close_cell();
        let Some(table) = self.tables.last_mut() else { return };
        if table.rows.is_empty() {
            table.rows.push(Vec::new());
        }
        if table.rows.last().is_some_and(|row| !row.is_empty()) {
            self.draft.push("\t");
        }
        self.pending_space = false;
        let start = self.draft.position();
        if let Some(table) = self.tables.last_mut() {
            table.start = start;
            table.in_cell = true;
        }
    }

    fn close_cell(&mut self) {
        let Some(table) = self.tables.last_mut() else { return };
        if !std::mem::take(&mut table.in_cell) {
            return;
        }
        let text = self.draft.text_since(table.start).trim().to_owned();
        if let Some(row) = table.rows.last_mut() {
            row.push(text);
        }
        self.pending_space = false;
    }

    fn close_row(&mut self) {
        self.close_cell();
        if self.tables.len() == 1 {
            self.draft.end_line();
        } else {
            self.pending_space = true;
        }
    }

    fn close_table(&mut self) {
        self.close_cell();
        let Some(table) = self.tables.pop() else { return };
        // Tables of one column are page layout, not data.
        let rows: Vec<Vec<String>> =
            table.rows.into_iter().filter(|row| row.iter().any(|cell| !cell.is_empty())).collect();
        if rows.iter().any(|row| row.len() > 1) {
            self.draft.table_of_rows(None, &rows);
        }
    }

    fn finish(&mut self) {
        while !self.tables.is_empty() {
            self.close_table();
        }
        self.draft.end_line();
        if let Some(title) = &self.title {
            self.draft.metadata("Title", &title.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
}

/// Tells the tokenizer where markup is not markup; the tree builder would do so in a browser.
fn raw_kind(name: &str) -> TokenSinkResult<()> {
    match name {
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        _ => TokenSinkResult::Continue,
    }
}

fn is_hidden(tag: &Tag) -> bool {
    let style = attribute(tag, "style").map(|style| style.to_ascii_lowercase().replace(' ', ""));
    style.is_some_and(|style| style.contains("display:none")) || attribute(tag, "hidden").is_some()
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    tag.attrs.iter().find(|it| &*it.name.local == name).map(|it| it.value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn text(html: &str) -> String {
        let limits = Limits::default();
        let mut draft = Draft::new(&limits);
        read_text(html, &mut draft);
        draft.finish().text
    }

    #[test]
    fn blocks_are_lines_and_space_folds() {
        let cases = [
            ("<p>One\n  <b>bold</b>word</p><p>Two", "One boldword\n\nTwo\n"),
            ("a<br>b &amp; c<script>var x = '<p>no</p>';</script>d", "a\nb & cd\n"),
            ("<div style='display: none'>no<div>no</div>no</div>yes", "yes\n"),
            ("<ul><li>x<li>y</ul>", "x\ny\n\n"),
            ("<pre>a  b\n c</pre>", "a  b\n c\n\n"),
            ("<table><tr><th>A<th>B<tr><td>1<td><p>2</p><p>3</p></table>", "A\tB\n1\t2 3\n\n"),
            ("<style>p{}</style><img alt=' a cat '>end", "a cat end\n"),
            ("<noscript>shown</noscript>", "shown\n"),
            ("no tags at all < 5", "no tags at all < 5\n"),
        ];
        for (html, expected) in cases {
            assert_eq!(text(html), expected, "{html}");
        }
    }

    #[test]
    fn title_meta_and_tables_are_told_apart() {
        let limits = Limits::default();
        let mut draft = Draft::new(&limits);
        let html = "<html lang=de><title>A &amp; B</title><meta name=author content=Ann><table><tr><td>k<td>v</table>";
        assert_eq!(read_text(html, &mut draft).as_deref(), Some("A & B"));
        let document = draft.finish();
        assert_eq!(document.metadata["Title"], "A & B");
        assert_eq!(document.metadata["author"], "Ann");
        assert_eq!(document.metadata["Language"], "de");
        assert_eq!(document.tables[0].cells[1].text, "v");
    }

    #[test]
    fn wild_nesting_costs_no_stack() {
        assert_eq!(text(&("<div><table><tr><td>".repeat(50_000) + "deep")).trim(), "deep");
    }
}

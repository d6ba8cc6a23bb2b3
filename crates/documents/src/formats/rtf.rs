//! Rich Text Format ([RTF 1.9.1]): text, tables, properties; a tokenizer and a stack of groups.
//!
//! Pictures, objects, fonts, styles and every destination that is not text are passed over. Text
//! in code pages goes by the font's character set, else by the document's. HTML wrapped in RTF
//! (Outlook's way) comes out as its text.
//!
//! [RTF 1.9.1]: https://interoperability.blob.core.windows.net/files/Archive_References/[MSFT-RTF].pdf

use std::collections::HashMap;

use super::{Input, Outcome};
use crate::draft::Draft;
use crate::encoding;
use crate::error::DocumentError;

mod tokens;

use tokens::{Token, Tokens};

/// Destinations without text for people.
const SILENT: &[&str] = &[
    "fonttbl",
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "revtbl",
    "rsidtbl",
    "pict",
    "object",
    "objdata",
    "fldinst",
    "themedata",
    "colorschememapping",
    "datastore",
    "latentstyles",
    "generator",
    "xmlnstbl",
    "filetbl",
    "mmathPr",
    "bkmkstart",
    "bkmkend",
    "nonshppict",
    "pnseclvl",
    "listtext",
    "template",
    "private",
    "passwordhash",
    "xe",
    "tc",
    "atnid",
    "atnauthor",
    "header",
    "headerl",
    "headerr",
    "headerf",
];
/// Destinations that are marked as ignorable and hold text all the same.
const SPOKEN: &[&str] = &["shpinst", "shptxt", "shppict", "atnauthor"];
const PROPERTIES: &[(&str, &str)] = &[
    ("title", "Title"),
    ("subject", "Subject"),
    ("author", "Author"),
    ("keywords", "Keywords"),
    ("doccomm", "Description"),
    ("company", "Company"),
    ("category", "Category"),
    ("operator", "Last-Modified-By"),
];

/// Reads an RTF file.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let bytes: &[u8] = input.bytes;
    let start = bytes.iter().position(|byte| *byte == b'{').unwrap_or(0);
    if !bytes[start..].starts_with(b"{\\rtf") && !bytes[start..].starts_with(b"{\\urtf") {
        return Err(DocumentError::damaged("it does not begin as RTF does"));
    }
    read_bytes(&bytes[start..], draft);
    Ok(())
}

/// Reads the bytes of an RTF document (also from within a message).
pub(crate) fn read_bytes(bytes: &[u8], draft: &mut Draft<'_>) {
    let mut reader = Reader::new(draft);
    for token in Tokens::new(bytes) {
        if reader.draft.is_full() {
            break;
        }
        reader.take(&token);
    }
    reader.flush_bytes();
    reader.finish();
}

/// What a group inherits from the one around it.
#[derive(Debug, Clone, Copy)]
struct Group {
    place: Place,
    /// Characters that stand in for a `\u` where Unicode is not known.
    fallback: usize,
    font: i32,
    hidden: bool,
}

/// Where the text of a group goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Body,
    Nowhere,
    Fonts,
    Property(&'static str),
}

struct Reader<'d, 'l> {
    draft: &'d mut Draft<'l>,
    groups: Vec<Group>,
    group: Group,
    /// `\*` was read: an unknown destination is to be passed over.
    ignorable: bool,
    code_page: u16,
    fonts: HashMap<i32, u16>,
    default_font: i32,
    /// Bytes in the code page that wait for their fellows (double-byte characters).
    bytes: Vec<u8>,
    /// Characters still to be passed over after a `\u`.
    skip: usize,
    surrogate: Option<u16>,
    property: String,
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cell_start: Option<u64>,
}

impl<'d, 'l> Reader<'d, 'l> {
    fn new(draft: &'d mut Draft<'l>) -> Self {
        let group = Group { place: Place::Body, fallback: 1, font: -1, hidden: false };
        Self {
            draft,
            groups: Vec::new(),
            group,
            ignorable: false,
            code_page: 1252,
            fonts: HashMap::new(),
            default_font: 0,
            bytes: Vec::new(),
            skip: 0,
            surrogate: None,
            property: String::new(),
            rows: Vec::new(),
            row: Vec::new(),
            cell_start: None,
        }
    }

    fn take(&mut self, token: &Token<'_>) {
        match *token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Byte(_) if self.skip > 0 => self.skip -= 1,
            Token::Byte(byte) => self.bytes.push(byte),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Word(word, number) => {
                self.flush_bytes();
                self.word(word, number);
            }
        }
    }

    fn open(&mut self) {
        self.flush_bytes();
        self.skip = 0;
        if self.groups.len() < self.draft.limits.max_depth * 8 {
            self.groups.push(self.group);
        }
        self.ignorable = false;
    }

    fn close(&mut self) {
        self.flush_bytes();
        self.skip = 0;
        let Some(outer) = self.groups.pop() else { return };
        if let Place::Property(key) = self.group.place
            && outer.place != self.group.place
        {
            let value = std::mem::take(&mut self.property);
            self.draft.metadata(key, &value);
        }
        self.group = outer;
    }

    fn symbol(&mut self, symbol: u8) {
        if symbol == b'*' {
            self.ignorable = true;
            return;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.flush_bytes();
        match symbol {
            b'~' => self.say("\u{a0}"),
            b'_' => self.say("\u{2011}"),
            b'\n' | b'\r' => self.say("\n"),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        if std::mem::take(&mut self.ignorable)
            && !SPOKEN.contains(&word)
            && PROPERTIES.iter().all(|(name, _)| *name != word)
        {
            self.group.place = Place::Nowhere;
            return;
        }
        if SILENT.contains(&word) {
            self.group.place = if word == "fonttbl" { Place::Fonts } else { Place::Nowhere };
            return;
        }
        if let Some((_, key)) = PROPERTIES.iter().find(|(name, _)| *name == word) {
            if matches!(self.group.place, Place::Property(_)) {
                self.group.place = Place::Property(key);
                self.property.clear();
            }
            return;
        }
        if !self.setting(word, number) {
            self.text_word(word, number);
        }
    }

    /// Control words that change how text is read.
    fn setting(&mut self, word: &str, number: Option<i32>) -> bool {
        let value = number.unwrap_or(0);
        match word {
            "ansicpg" => self.code_page = u16::try_from(value).unwrap_or(1252),
            "mac" => self.code_page = 10000,
            "pc" | "pca" => self.code_page = 850,
            "deff" => self.default_font = value,
            "f" => self.group.font = value,
            "fcharset" if self.group.place == Place::Fonts => {
                if let Some(code_page) = code_page_of_charset(value) {
                    self.fonts.insert(self.group.font, code_page);
                }
            }
            "plain" => {
                self.group.font = self.default_font;
                self.group.hidden = false;
            }
            "uc" => self.group.fallback = usize::try_from(value).unwrap_or(1).min(16),
            "v" | "htmlrtf" => self.group.hidden = number != Some(0),
            // The group's own characters go nowhere: its properties have groups of their own.
            "info" if self.group.place == Place::Body => self.group.place = Place::Property(""),
            _ => return false,
        }
        true
    }

    /// Control words that are text.
    fn text_word(&mut self, word: &str, number: Option<i32>) {
        match word {
            "u" => return self.unicode(number.unwrap_or(0)),
            "trowd" => return self.start_row(),
            "cell" | "nestcell" => return self.end_cell(),
            "row" | "nestrow" => return self.end_row(),
            "par" | "sect" | "page" => self.end_table_unless_in_it(),
            _ => {}
        }
        let text = match word {
            "par" | "sect" | "page" | "line" | "column" | "softline" => "\n",
            "tab" => "\t",
            "emdash" => "—",
            "endash" => "–",
            "emspace" | "enspace" | "qmspace" => " ",
            "bullet" => "•",
            "lquote" => "‘",
            "rquote" => "’",
            "ldblquote" => "“",
            "rdblquote" => "”",
            _ => return,
        };
        self.say(text);
    }

    fn unicode(&mut self, number: i32) {
        self.skip = self.group.fallback;
        // Negative numbers are the upper half of sixteen bits.
        let Ok(unit) = u16::try_from(number.rem_euclid(65_536)) else { return };
        let units = [self.surrogate.take().unwrap_or(0), unit];
        let decoded = match unit {
            0xd800..=0xdbff => {
                self.surrogate = Some(unit);
                return;
            }
            0xdc00..=0xdfff => String::from_utf16_lossy(&units),
            _ => String::from_utf16_lossy(&units[1..]),
        };
        self.say(&decoded);
    }

    fn flush_bytes(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let font = if self.group.font < 0 { self.default_font } else { self.group.font };
        let code_page = self.fonts.get(&font).copied().unwrap_or(self.code_page);
        let text = if bytes.is_ascii() {
            String::from_utf8_lossy(&bytes)
        } else {
            encoding::decode_code_page(&bytes, code_page)
        };
        self.say(&text);
    }

    fn say(&mut self, text: &str) {
        match self.group.place {
            Place::Body if !self.group.hidden => self.draft.push(text),
            Place::Property(_) if self.property.len() < 4_000 => self.property.push_str(text),
            _ => {}
        }
    }

    fn start_row(&mut self) {
        if self.cell_start.is_none() {
            self.draft.end_line();
            self.cell_start = Some(self.draft.position());
        }
    }

    fn end_cell(&mut self) {
        if self.group.place != Place::Body {
            return;
        }
        let start = self.cell_start.unwrap_or_else(|| self.draft.position());
        let text = self.draft.text_since(start.min(self.draft.position())).trim().to_owned();
        self.row.push(text);
        self.draft.push("\t");
        self.cell_start = Some(self.draft.position());
    }

    fn end_row(&mut self) {
        self.draft.end_line();
        if !self.row.is_empty() {
            self.rows.push(std::mem::take(&mut self.row));
        }
        self.cell_start = None;
    }

    fn end_table_unless_in_it(&mut self) {
        if self.cell_start.is_none() {
            self.end_table();
        }
    }

    fn end_table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            self.draft.table_of_rows(None, &rows);
        }
    }

    fn finish(&mut self) {
        if !self.row.is_empty() {
            self.end_row();
        }
        self.end_table();
        self.draft.end_line();
    }
}

/// The code page of a font's character set.
fn code_page_of_charset(charset: i32) -> Option<u16> {
    Some(match charset {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

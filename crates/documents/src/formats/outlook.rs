//! Outlook messages ([MS-OXMSG]): headers as metadata, the body as text, attachments listed.
//!
//! The body is taken as plain text, else as HTML, else from its compressed RTF ([MS-OXRTFCP]).

use super::ole::{Compound, filetime, u32_at, u64_at, utf16};
use super::{Input, Outcome, html, rtf};
use crate::draft::Draft;
use crate::encoding;
use crate::error::DocumentError;

mod lzfu;

/// Messages within messages, so deep.
const MAX_NESTING: usize = 4;
/// Property tags that become metadata.
const HEADERS: &[(&str, &str)] =
    &[("0037", "Subject"), ("0E04", "To"), ("0E03", "Cc"), ("0E02", "Bcc"), ("1035", "Message-ID")];
const SENDER_NAME: &str = "0C1A";
const SENDER_ADDRESSES: [&str; 3] = ["5D01", "0C1F", "0065"];

/// Reads an Outlook message.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let mut file = Compound::open(input.bytes)?;
    if !file.names("/").iter().any(|name| name.starts_with("__substg1.0_") || name.starts_with("__properties_version"))
    {
        return Err(DocumentError::damaged("it holds no message"));
    }
    let mut message = Storage { file: &mut file, path: String::new(), code_page: 1252 };
    message.code_page = message.code_page();
    let class = message.text("001A").unwrap_or_default().to_ascii_uppercase();
    put_headers(&mut message, draft);
    if class.contains("SMIME") && !class.contains("MULTIPARTSIGNED") {
        return Err(DocumentError::Encrypted("the mail's body needs a key"));
    }
    read_content(&mut message, draft, 0);
    Ok(())
}

/// One message or attachment within the file.
struct Storage<'f> {
    file: &'f mut Compound,
    path: String,
    code_page: u16,
}

impl Storage<'_> {
    fn binary(&mut self, tag: &str) -> Option<Vec<u8>> {
        self.file.stream(&format!("{}/__substg1.0_{tag}0102", self.path))
    }

    fn text(&mut self, tag: &str) -> Option<String> {
        let wide = self.file.stream(&format!("{}/__substg1.0_{tag}001F", self.path)).map(|bytes| utf16(&bytes));
        let narrow = |storage: &mut Self| {
            let bytes = storage.file.stream(&format!("{}/__substg1.0_{tag}001E", storage.path))?;
            Some(encoding::decode_code_page(&bytes, storage.code_page).into_owned())
        };
        let text = wide.or_else(|| narrow(self))?;
        Some(text.trim_end_matches('\0').to_owned()).filter(|text| !text.trim().is_empty())
    }

    /// A property of fixed size: eight bytes in the property stream.
    fn fixed(&mut self, tag: u32) -> Option<u64> {
        let bytes = self.file.stream(&format!("{}/__properties_version1.0", self.path))?;
        // The header is 32 bytes at the top, 24 in an embedded message, 8 in an attachment.
        [32, 24, 8].into_iter().find_map(|header| {
            let entries = bytes.get(header..)?.chunks_exact(16);
            entries.into_iter().find(|entry| u32_at(entry, 0) == Some(tag)).and_then(|entry| u64_at(entry, 8))
        })
    }

    fn code_page(&mut self) -> u16 {
        let number = self.fixed(0x3FFD_0003).or_else(|| self.fixed(0x3FDE_0003));
        number.and_then(|number| u16::try_from(number & 0xffff_ffff).ok()).unwrap_or(1252)
    }

    fn children(&self, prefix: &str) -> Vec<String> {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        let names = self.file.names(path).into_iter().filter(|name| name.starts_with(prefix));
        names.map(|name| format!("{}/{name}", self.path)).collect()
    }
}

fn sender(message: &mut Storage<'_>) -> Option<String> {
    let name = message.text(SENDER_NAME).or_else(|| message.text("0042"));
    let address = SENDER_ADDRESSES.into_iter().find_map(|tag| message.text(tag).filter(|text| text.contains('@')));
    match (name, address) {
        (Some(name), Some(address)) if name != address => Some(format!("{name} <{address}>")),
        (name, address) => address.or(name),
    }
}

fn put_headers(message: &mut Storage<'_>, draft: &mut Draft<'_>) {
    if let Some(from) = sender(message) {
        draft.metadata("From", &from);
    }
    for (tag, key) in HEADERS {
        if let Some(value) = message.text(tag) {
            draft.metadata(key, &value);
        }
    }
    let date = message.fixed(0x0039_0040).or_else(|| message.fixed(0x0E06_0040)).and_then(filetime);
    let sent = message.text("007D").and_then(|headers| transport_date(&headers));
    if let Some(date) = sent.or(date) {
        draft.metadata("Date", &date);
    }
}

fn transport_date(headers: &str) -> Option<String> {
    headers.lines().find_map(|line| line.strip_prefix("Date:")).map(|date| date.trim().to_owned())
}

fn read_content(message: &mut Storage<'_>, draft: &mut Draft<'_>, nesting: usize) {
    read_body(message, draft);
    for path in message.children("__attach_version1.0_") {
        let mut attachment = Storage { file: &mut *message.file, path, code_page: message.code_page };
        take_attachment(&mut attachment, draft, nesting);
    }
}

fn read_body(message: &mut Storage<'_>, draft: &mut Draft<'_>) {
    if let Some(text) = message.text("1000") {
        draft.push(&text);
    } else if let Some(bytes) = message.binary("1013") {
        html::read_text(&encoding::decode(&bytes, None).text, draft);
    } else if let Some(text) = message.text("1013") {
        html::read_text(&text, draft);
    } else if let Some(rtf) = message.binary("1009").and_then(|bytes| lzfu::expand(&bytes)) {
        rtf::read_bytes(&rtf, draft);
    }
    draft.end_line();
}

fn take_attachment(attachment: &mut Storage<'_>, draft: &mut Draft<'_>, nesting: usize) {
    let name = attachment
        .text("3707")
        .or_else(|| attachment.text("3704"))
        .or_else(|| attachment.text("3001"))
        .unwrap_or_default();
    let media_type = attachment.text("370E");
    let size = attachment.file.length(&format!("{}/__substg1.0_37010102", attachment.path)).unwrap_or(0);
    let inner = format!("{}/__substg1.0_3701000D", attachment.path);
    let is_message = attachment.file.has(&format!("{inner}/__properties_version1.0"));
    let media_type = if is_message { Some("application/vnd.ms-outlook".to_owned()) } else { media_type };
    draft.attachment(&name, media_type.as_deref(), size);
    if is_message && nesting < MAX_NESTING {
        let mut message = Storage { file: &mut *attachment.file, path: inner, code_page: attachment.code_page };
        put_caption(&mut message, draft);
        read_content(&mut message, draft, nesting + 1);
    }
}

/// Headers of an embedded message, as lines of text.
fn put_caption(message: &mut Storage<'_>, draft: &mut Draft<'_>) {
    draft.end_block();
    let from = sender(message);
    let subject = message.text("0037");
    for (name, value) in [("From", from), ("Subject", subject)] {
        if let Some(value) = value {
            draft.line(&format!("{name}: {value}"));
        }
    }
    draft.end_block();
}

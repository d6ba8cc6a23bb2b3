//! Mail (RFC 5322 and MIME) and mailboxes: headers as metadata, the body as text, attachments
//! listed by name, type and size.
//!
//! Where a body comes as text and as HTML, the text is taken. A message within a message is read
//! as text behind the one that carries it. Wrong encodings are tolerated. An encrypted body
//! (S/MIME, PGP/MIME) is an error that says so.

use std::borrow::Cow;

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Input, Outcome, html};
use crate::draft::Draft;
use crate::encoding;
use crate::error::DocumentError;

/// Messages within messages, so deep.
const MAX_NESTING: usize = 8;
/// Headers that become metadata, in the spelling of the document.
const HEADERS: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "List-Id",
    "X-Mailer",
    "User-Agent",
];

/// Reads one message, or a mailbox of many.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) -> Outcome {
    let bytes = as_bytes(input.bytes);
    let messages =
        if input.media_type == "application/mbox" { split_mailbox(&bytes) } else { vec![strip_envelope(&bytes)] };
    if let [message] = messages[..] {
        let message = parse(message)?;
        put_headers(&message, draft);
        return read_body(&message, draft, 0);
    }
    draft.metadata("Messages", &messages.len().to_string());
    for message in messages {
        if draft.is_full() || !read_one_of_many(message, draft) {
            break;
        }
    }
    Ok(())
}

/// Each message of a mailbox is a page named by its subject; false when there are enough.
fn read_one_of_many(bytes: &[u8], draft: &mut Draft<'_>) -> bool {
    draft.end_block();
    let start = draft.position();
    let Ok(message) = parse(bytes) else {
        draft.push(&encoding::decode(bytes, None).text);
        return draft.page(start, None);
    };
    put_caption(&message, draft);
    if let Err(error) = read_body(&message, draft, 0) {
        draft.warn(format!("a message was left out: {error}"));
    }
    draft.page(start, message.subject().map(str::to_owned))
}

/// Mail saved as UTF-16 becomes UTF-8; the parser knows bytes only.
fn as_bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    if encoding::is_wide(bytes) {
        return Cow::Owned(encoding::decode(bytes, None).text.into_bytes());
    }
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Cow::Borrowed(unmarked.trim_ascii_start())
}

/// Cuts off what stands before the headers: mbox's `From ` line, or Apple Mail's byte count.
fn strip_envelope(bytes: &[u8]) -> &[u8] {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or(b"");
    let is_count = !first.is_empty() && first.trim_ascii().iter().all(u8::is_ascii_digit);
    if is_count || first.starts_with(b"From ") || first.starts_with(b">From ") {
        return &bytes[(first.len() + 1).min(bytes.len())..];
    }
    bytes
}

fn split_mailbox(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts = vec![0];
    let mut previous_blank = true;
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if at > 0 && previous_blank && line.starts_with(b"From ") {
            starts.push(at);
        }
        previous_blank = line.trim_ascii().is_empty();
        at += line.len();
    }
    starts.push(bytes.len());
    starts.windows(2).map(|pair| strip_envelope(&bytes[pair[0]..pair[1]])).collect()
}

fn parse(bytes: &[u8]) -> Result<Message<'_>, DocumentError> {
    let message = MessageParser::default().parse(bytes);
    message.ok_or_else(|| DocumentError::damaged("it has no mail headers"))
}

fn put_headers(message: &Message<'_>, draft: &mut Draft<'_>) {
    for name in HEADERS {
        if let Some(value) = header(message, name) {
            draft.metadata(name, &value);
        }
    }
}

/// Headers as lines of text, for messages that share their document with others.
fn put_caption(message: &Message<'_>, draft: &mut Draft<'_>) {
    for name in ["From", "To", "Date", "Subject"] {
        if let Some(value) = header(message, name) {
            draft.line(&format!("{name}: {value}"));
        }
    }
    draft.end_block();
}

/// A header as people read it: encoded words decoded, folds undone, all of its repeats.
fn header(message: &Message<'_>, name: &'static str) -> Option<String> {
    let parsed = match name {
        "From" => addresses(message.from()),
        "To" => addresses(message.to()),
        "Cc" => addresses(message.cc()),
        "Bcc" => addresses(message.bcc()),
        "Reply-To" => addresses(message.reply_to()),
        "Sender" => addresses(message.sender()),
        "Subject" => message.subject().map(str::to_owned),
        _ => None,
    };
    let raw = || message.header_raw(name).map(|raw| raw.split_whitespace().collect::<Vec<_>>().join(" "));
    parsed.filter(|value| !value.is_empty()).or_else(raw).filter(|value| !value.is_empty())
}

fn addresses(addresses: Option<&mail_parser::Address<'_>>) -> Option<String> {
    let one = |it: &mail_parser::Addr<'_>| match (it.name.as_deref(), it.address.as_deref()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (None, Some(text)) | (Some(text), None) => text.to_owned(),
        (None, None) => String::new(),
    };
    Some(addresses?.iter().map(one).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", "))
}

fn read_body(message: &Message<'_>, draft: &mut Draft<'_>, nesting: usize) -> Outcome {
    if is_encrypted(message) {
        return Err(DocumentError::Encrypted("the mail's body needs a key"));
    }
    for part in message.text_body.iter().filter_map(|id| message.part(*id)) {
        if part.is_encoding_problem {
            draft.warn("a part of the mail is wrongly encoded; it was read as far as it goes");
        }
        read_part(part, draft);
    }
    for (id, part) in message.parts.iter().enumerate() {
        let is_body = message.text_body.iter().chain(&message.html_body).any(|body| *body as usize == id);
        match part.body {
            PartType::Multipart(_) => {}
            PartType::Text(_) | PartType::Html(_) if is_body => {}
            _ => take_attachment(part, draft, nesting),
        }
    }
    Ok(())
}

fn read_part(part: &MessagePart<'_>, draft: &mut Draft<'_>) {
    draft.end_line();
    match &part.body {
        PartType::Text(text) if part.is_content_type("text", "html") => {
            html::read_text(text, draft);
        }
        PartType::Text(text) => draft.push(text),
        PartType::Html(text) => {
            html::read_text(text, draft);
        }
        _ => {}
    }
    draft.end_line();
}

fn take_attachment(part: &MessagePart<'_>, draft: &mut Draft<'_>, nesting: usize) {
    let inner = part.message();
    let name = part.attachment_name().or_else(|| inner.and_then(Message::subject)).unwrap_or_default();
    let declared = part
        .content_type()
        .map(|it| it.subtype().map_or_else(|| it.ctype().to_owned(), |sub| format!("{}/{sub}", it.ctype())));
    let size = inner.map_or(part.len(), |message| message.raw_message.len());
    draft.attachment(name, declared.as_deref(), size as u64);
    if let Some(message) = inner
        && nesting < MAX_NESTING
    {
        draft.end_block();
        put_caption(message, draft);
        if let Err(error) = read_body(message, draft, nesting + 1) {
            draft.warn(format!("a message within the mail was left out: {error}"));
        }
    }
}

fn is_encrypted(message: &Message<'_>) -> bool {
    let Some(kind) = message.content_type() else { return false };
    let subtype = kind.subtype().unwrap_or_default().to_ascii_lowercase();
    let is_enveloped = || kind.attribute("smime-type").is_some_and(|it| it.eq_ignore_ascii_case("enveloped-data"));
    match kind.ctype().to_ascii_lowercase().as_str() {
        "multipart" => subtype == "encrypted",
        "application" => matches!(subtype.as_str(), "pkcs7-mime" | "x-pkcs7-mime") && is_enveloped(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::limits::Limits;

    fn read_mail(mail: &[u8], media_type: &str) -> Result<domain::extraction::Extraction, DocumentError> {
        let limits = Limits::default();
        let mut draft = Draft::new(&limits);
        read(&Input { bytes: &Arc::from(mail), media_type }, &mut draft)?;
        Ok(draft.finish())
    }

    const MIXED: &str = "From: =?utf-8?q?J=C3=B6rg?= <j@example.com>\r\nTo: a@example.com, B <b@example.com>\r\nCc: c@example.com\r\n\
        Subject: Hi\r\n there\r\nDate: Fri, 16 Dec 2022 17:04:16 -0500\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n\
        --b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@example.com\r\nSubject: Inner\r\n\r\nInner words\r\n--b--\r\n";

    #[test]
    fn headers_body_and_attachments_are_told_apart() {
        let document = read_mail(MIXED.as_bytes(), "message/rfc822").unwrap();
        assert_eq!(document.metadata["From"], "Jörg <j@example.com>");
        assert_eq!(document.metadata["To"], "a@example.com, B <b@example.com>");
        assert_eq!(document.metadata["Cc"], "c@example.com");
        assert_eq!(document.metadata["Subject"], "Hi there");
        assert_eq!(document.metadata["Date"], "Fri, 16 Dec 2022 17:04:16 -0500");
        assert!(document.text.starts_with("Grüße\n"), "{:?}", document.text);
        assert!(document.text.contains("Inner words"), "{:?}", document.text);
        let pdf = &document.attachments[0];
        assert_eq!(
            (pdf.name.as_str(), pdf.media_type.as_deref(), pdf.size_bytes),
            ("a.pdf", Some("application/pdf"), 5)
        );
        assert_eq!(document.attachments[1].name, "Inner");
    }

    #[test]
    fn utf16_mail_and_html_bodies_are_read() {
        let mail = "From: a@example.com\nSubject: s\nContent-Type: text/html\n\n<p>Roses &amp; violets</p>";
        let wide: Vec<u8> = [0xfeff].into_iter().chain(mail.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let document = read_mail(&wide, "message/rfc822").unwrap();
        assert_eq!(document.text.trim(), "Roses & violets");
        assert!(document.attachments.is_empty(), "{:?}", document.attachments);
    }

    #[test]
    fn a_mailbox_gives_a_page_for_each_message() {
        let one =
            |n: u8| format!("From x Mon Jan  1 00:00:00 2024\nFrom: a@example.com\nSubject: No {n}\n\nBody {n}\n\n");
        let document = read_mail((one(1) + &one(2)).as_bytes(), "application/mbox").unwrap();
        let names: Vec<_> = document.pages.iter().filter_map(|page| page.name.as_deref()).collect();
        assert_eq!(names, ["No 1", "No 2"]);
        assert!(document.text.contains("Body 2"));
    }

    #[test]
    fn an_encrypted_body_is_said_to_be() {
        let mail = "From: a@example.com\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIAG";
        assert!(matches!(read_mail(mail.as_bytes(), "message/rfc822"), Err(DocumentError::Encrypted(_))));
    }
}

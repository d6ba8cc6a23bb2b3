//! Mail and mailboxes by the shape of their first lines (RFC 5322, 2.2).

/// Headers that only mail has, in lower case.
const TELLING: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "reply-to",
    "mime-version",
    "delivered-to",
    "sender",
    "x-mailer",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "in-reply-to",
    "references",
    "list-id",
    "envelope-to",
    "x-original-to",
    "newsgroups",
    "path",
    "x-gmail-labels",
    "arc-seal",
    "authentication-results",
    "received-spf",
    "x-received",
    "thread-topic",
    "content-class",
    "disposition-notification-to",
];
/// Headers of which mail has at least one; HTTP shares `Date` and `Content-Type` with mail.
const CORE: &[&str] =
    &["from", "to", "subject", "message-id", "received", "return-path", "delivered-to", "mime-version"];
/// Lines of headers that are looked at.
const MAX_LINES: usize = 300;

/// Whether `text` begins with a block of mail headers; a hint makes one telling header enough.
pub(super) fn looks_like(text: &str, is_hinted: bool) -> bool {
    let (mut telling, mut core, mut headers) = (0, 0, 0);
    for (index, line) in body_start(text).lines().take(MAX_LINES).enumerate() {
        if line.trim().is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) && index > 0 {
            continue;
        }
        match header_name(line) {
            Some(name) => {
                headers += 1;
                telling += usize::from(TELLING.contains(&name.as_str()));
                core += usize::from(CORE.contains(&name.as_str()));
            }
            // The last line of a sample, or of a broken mail, may be anything.
            None if headers >= 3 && telling >= 2 => break,
            None => return false,
        }
    }
    if is_hinted { telling >= 1 } else { telling >= 2 && core >= 1 && telling * 3 >= headers }
}

/// Whether `text` is a mailbox: an envelope line, headers (unless a name says so), and so on.
pub(super) fn is_mailbox(text: &str, is_hinted: bool) -> bool {
    let mut lines = text.trim_start().lines();
    let is_envelope = lines.next().is_some_and(|line| {
        line.starts_with("From ") && line.contains(':') && line.contains(|c: char| c.is_ascii_digit())
    });
    is_envelope && (is_hinted || looks_like(text, true))
}

/// Behind mbox's envelope line or Apple Mail's byte count.
fn body_start(text: &str) -> &str {
    let text = text.trim_start();
    let first = text.lines().next().unwrap_or_default();
    let is_count = !first.trim().is_empty() && first.trim().bytes().all(|byte| byte.is_ascii_digit());
    if is_count || first.starts_with("From ") || first.starts_with(">From ") {
        text.get(first.len()..).unwrap_or_default().trim_start_matches(['\r', '\n'])
    } else {
        text
    }
}

fn header_name(line: &str) -> Option<String> {
    let (name, _) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.len() <= 76 && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| name.to_ascii_lowercase())
}

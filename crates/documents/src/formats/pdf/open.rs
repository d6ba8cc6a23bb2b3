//! Opening a PDF: the whole file, else from its header on, else with a rebuilt cross-reference.

use lopdf::encryption::DecryptionError;
use lopdf::{Document, Error};

use super::guard;
use crate::error::DocumentError;
use crate::isolate;
use crate::limits::Limits;

/// Viewers accept a header within the first 1,024 bytes.
const HEADER_BYTES: usize = 1_024;

/// Why a PDF is damaged that is encrypted in a way which is not understood here; others may understand it.
pub(super) const UNDECRYPTABLE: &str = "it cannot be decrypted";

/// Opens a PDF, with the empty password where it is encrypted.
pub(super) fn open(bytes: &[u8], limits: &Limits) -> Result<Document, DocumentError> {
    guard::check_expansion(bytes, limits)?;
    let header = header(bytes);
    let mut attempt = load(bytes);
    if attempt.as_ref().is_none_or(|document| super::pages(document).is_empty())
        && let Some(at) = header.filter(|at| *at > 0)
    {
        attempt = load(&bytes[at..]).or(attempt);
    }
    if attempt.as_ref().is_none_or(|document| !document.is_encrypted() && super::pages(document).is_empty()) {
        attempt = guard::rebuilt(&bytes[header.unwrap_or(0)..]).and_then(|rebuilt| load(&rebuilt)).or(attempt);
    }
    let mut document = attempt.ok_or_else(|| DocumentError::damaged("its structure cannot be parsed"))?;
    decrypt(&mut document)?;
    Ok(document)
}

fn header(bytes: &[u8]) -> Option<usize> {
    bytes[..bytes.len().min(HEADER_BYTES)].windows(5).position(|five| five == b"%PDF-")
}

fn load(bytes: &[u8]) -> Option<Document> {
    isolate::contain(|| Document::load_mem(bytes).ok()).flatten()
}

fn decrypt(document: &mut Document) -> Result<(), DocumentError> {
    if !document.is_encrypted() {
        return Ok(());
    }
    match isolate::contain(|| document.decrypt("")) {
        Some(Ok(())) => Ok(()),
        Some(Err(Error::InvalidPassword | Error::Decryption(DecryptionError::IncorrectPassword))) => {
            Err(DocumentError::Encrypted("it needs a password"))
        }
        Some(Err(Error::Decryption(DecryptionError::UnsupportedEncryption))) => {
            Err(DocumentError::Encrypted("it needs a certificate or a security handler that is not known here"))
        }
        _ => Err(DocumentError::damaged(UNDECRYPTABLE)),
    }
}

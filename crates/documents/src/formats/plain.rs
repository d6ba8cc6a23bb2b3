//! Plain text of any encoding, and source code, logs, Markdown: the text as it is.

use super::Input;
use crate::draft::Draft;
use crate::encoding;

/// Reads plain text.
pub(crate) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    let text = decode(input, draft);
    draft.push(&text);
}

/// The text of the file, its encoding noted.
pub(crate) fn decode(input: &Input<'_>, draft: &mut Draft<'_>) -> String {
    let decoded = encoding::decode(input.bytes, None);
    draft.metadata("Encoding", decoded.encoding);
    if decoded.lossy {
        draft.warn(format!("some bytes are not `{}` and were replaced", decoded.encoding));
    }
    decoded.text
}

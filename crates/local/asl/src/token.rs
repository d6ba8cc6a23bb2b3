//! Task tokens: what a callback proves that it was handed out by this execution's own task.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token>.
//! A token says which task of which execution it is for, under a keyed hash, so it can be neither
//! guessed nor altered, and needs no table. Whether the task still waits is not in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use crate::execution::TaskId;

/// The length of the hash, and of a key.
const HASH_BYTES: usize = 32;

/// Task and start time, before the execution's ARN.
const NUMBERS_BYTES: usize = 16;

/// The secret that tokens are made with. It is never shown. Without one, tokens are made that nobody accepts.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenKey(Option<[u8; HASH_BYTES]>);

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskToken {
    /// The execution.
    pub execution_arn: String,
    /// When it was started: a name may come again.
    pub start_time: Timestamp,
    /// The task.
    pub task_id: TaskId,
}

impl TokenKey {
    /// A key of bytes that nobody can guess.
    #[must_use]
    pub fn new(bytes: [u8; HASH_BYTES]) -> Self {
        Self(Some(bytes))
    }

    /// The token's text.
    #[must_use]
    pub fn write(&self, token: &TaskToken) -> String {
        let mut bytes = token.task_id.0.to_be_bytes().to_vec();
        bytes.extend(token.start_time.as_microsecond().to_be_bytes());
        bytes.extend(token.execution_arn.as_bytes());
        let hash = self.hash(&bytes).finalize().into_bytes();
        bytes.splice(0..0, hash);
        STANDARD.encode(bytes)
    }

    /// What a text is the token of; `None` when it was not written with this key.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<TaskToken> {
        self.0?;
        let bytes = STANDARD.decode(text).ok()?;
        let (hash, said) = bytes.split_at_checked(HASH_BYTES)?;
        self.hash(said).verify_slice(hash).ok()?;
        let (numbers, arn) = said.split_at_checked(NUMBERS_BYTES)?;
        let (task, start) = numbers.split_first_chunk::<8>()?;
        let start = i64::from_be_bytes(start.try_into().ok()?);
        Some(TaskToken {
            execution_arn: String::from_utf8(arn.to_vec()).ok()?,
            start_time: Timestamp::from_microsecond(start).ok()?,
            task_id: TaskId(u64::from_be_bytes(*task)),
        })
    }

    fn hash(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut hash = Hmac::<Sha256>::new_from_slice(&self.0.unwrap_or_default())
            .expect("a keyed hash takes a key of any length");
        hash.update(bytes);
        hash
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{TaskToken, TokenKey};
    use crate::execution::TaskId;

    fn token() -> TaskToken {
        TaskToken {
            execution_arn: "arn:aws:states:eu-west-1:1:execution:m:run".to_owned(),
            start_time: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            task_id: TaskId(7),
        }
    }

    #[test]
    fn a_token_is_read_with_the_key_that_wrote_it_only() {
        let (key, other) = (TokenKey::new([1; 32]), TokenKey::new([2; 32]));
        let text = key.write(&token());
        assert_eq!(key.read(&text), Some(token()));
        assert_eq!(other.read(&text), None);
        assert_eq!(text, key.write(&token()));
    }

    #[test]
    fn an_altered_or_foreign_text_is_no_token() {
        let key = TokenKey::new([1; 32]);
        let text = key.write(&token());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.read(&String::from_utf8(bytes).unwrap()), None, "{at}");
        }
        for text in ["", "NoSuchTaskToken", "AAAA", "é", &text[4..], &text[..text.len() - 4]] {
            assert_eq!(key.read(text), None, "{text}");
        }
    }

    #[test]
    fn without_a_key_no_token_is_good() {
        let key = TokenKey::default();
        assert_eq!(key.read(&key.write(&token())), None);
    }

    #[test]
    fn tokens_of_different_tasks_differ() {
        let key = TokenKey::new([1; 32]);
        let next = TaskToken { task_id: TaskId(8), ..token() };
        assert_ne!(key.write(&token()), key.write(&next));
    }
}

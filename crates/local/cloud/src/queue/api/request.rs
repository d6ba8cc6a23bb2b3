//! Requests to the queue as SQS has them, and what of them is refused: pure.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use crate::wire::ServiceError;

/// The largest body, and the largest sum of the bodies of a batch: ten of them still fit into one call of a function.
pub(super) const MOST_BODY_BYTES: usize = 256 * 1024;

/// Entries of one batch.
const MOST_ENTRIES: usize = 10;

/// Characters in the id of an entry.
const MOST_ID_CHARS: usize = 80;

/// The longest delay of a message, in seconds.
const MOST_DELAY_SECONDS: i64 = 900;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NameRequest {
    pub(super) queue_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListRequest {
    pub(super) queue_name_prefix: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributesRequest {
    pub(super) queue_url: String,
    pub(super) attribute_names: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendRequest {
    pub(super) queue_url: String,
    #[serde(flatten)]
    pub(super) message: Message,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchRequest {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) entries: Vec<BatchEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchEntry {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) message: Message,
}

/// One message to be sent. A group says nothing on a queue without order, so it is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Message {
    #[serde(default)]
    pub(super) message_body: String,
    delay_seconds: Option<i64>,
    message_attributes: Option<Value>,
    message_system_attributes: Option<Value>,
    message_deduplication_id: Option<String>,
}

impl Message {
    /// Whether the message can be sent, and after how many seconds it may be delivered.
    pub(super) fn check(&self) -> Result<i64, ServiceError> {
        let there = |attributes: &Option<Value>| {
            attributes.as_ref().and_then(Value::as_object).is_some_and(|members| !members.is_empty())
        };
        if there(&self.message_attributes) || there(&self.message_system_attributes) {
            return Err(invalid("attributes of messages are not available locally: the function reads bodies only"));
        }
        if self.message_deduplication_id.is_some() {
            return Err(invalid("MessageDeduplicationId is for FIFO queues, and this is none"));
        }
        check_body(&self.message_body)?;
        let delay = self.delay_seconds.unwrap_or(0);
        if !(0..=MOST_DELAY_SECONDS).contains(&delay) {
            return Err(invalid(format!("DelaySeconds is {delay}, and lies between 0 and {MOST_DELAY_SECONDS}")));
        }
        Ok(delay)
    }
}

fn check_body(body: &str) -> Result<(), ServiceError> {
    if body.is_empty() {
        let message = "The request must contain the parameter MessageBody.";
        return Err(ServiceError::client("MissingParameter", message));
    }
    if body.len() > MOST_BODY_BYTES {
        return Err(invalid(format!("MessageBody has {} bytes, and may have {MOST_BODY_BYTES}", body.len())));
    }
    if !body.chars().all(is_allowed) {
        let message = "MessageBody holds characters that SQS does not take: see the characters of XML 1.0";
        return Err(ServiceError::client("InvalidMessageContents", message));
    }
    Ok(())
}

/// <https://www.w3.org/TR/REC-xml/#charsets>
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What fails a batch as a whole.
pub(super) fn check_batch(entries: &[BatchEntry]) -> Result<(), ServiceError> {
    let refused = |code: &'static str, message: &str| Err(ServiceError::client(code, message));
    let is_plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if entries.is_empty() {
        return refused("EmptyBatchRequest", "The batch request doesn't contain any entries.");
    }
    if entries.len() > MOST_ENTRIES {
        return refused("TooManyEntriesInBatchRequest", "The batch request contains more entries than 10.");
    }
    if entries.iter().any(|entry| !(1..=MOST_ID_CHARS).contains(&entry.id.len()) || !is_plain(&entry.id)) {
        return refused("InvalidBatchEntryId", "The id of an entry is not 1 to 80 letters, digits, `-` or `_`.");
    }
    if entries.iter().map(|entry| &entry.id).collect::<HashSet<_>>().len() < entries.len() {
        return refused("BatchEntryIdsNotDistinct", "Two or more entries have the same id.");
    }
    if entries.iter().map(|entry| entry.message.message_body.len()).sum::<usize>() > MOST_BODY_BYTES {
        return refused("BatchRequestTooLong", "The messages together are longer than 262144 bytes.");
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::client("InvalidParameterValue", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bad_messages_are_refused_by_name() {
        let cases = [
            (json!({"MessageBody": "x"}), None),
            (json!({"MessageBody": "ü\n😀", "DelaySeconds": 900, "MessageAttributes": {}}), None),
            (json!({}), Some("MissingParameter")),
            (json!({"MessageBody": "a\u{0}b"}), Some("InvalidMessageContents")),
            (json!({"MessageBody": "x".repeat(MOST_BODY_BYTES + 1)}), Some("InvalidParameterValue")),
            (json!({"MessageBody": "x", "DelaySeconds": 901}), Some("InvalidParameterValue")),
            (json!({"MessageBody": "x", "DelaySeconds": -1}), Some("InvalidParameterValue")),
            (json!({"MessageBody": "x", "MessageAttributes": {"a": {}}}), Some("InvalidParameterValue")),
            (json!({"MessageBody": "x", "MessageDeduplicationId": "1"}), Some("InvalidParameterValue")),
        ];
        for (message, code) in cases {
            let read: Message = serde_json::from_value(message.clone()).unwrap();
            let refused = read.check().err().map(|error| error.code.into_owned());
            assert_eq!(refused.as_deref(), code, "{:.80}", message.to_string());
        }
    }

    #[test]
    fn bad_batches_are_refused_as_a_whole() {
        let batch = |ids: &[&str], body: &str| {
            let entries = ids.iter().map(|id| json!({"Id": id, "MessageBody": body}));
            let entries: Vec<BatchEntry> = serde_json::from_value(entries.collect()).unwrap();
            check_batch(&entries).err().map(|error| error.code.into_owned())
        };
        let eleven = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
        assert_eq!(batch(&eleven[..10], "x"), None);
        assert_eq!(batch(&[], "x").as_deref(), Some("EmptyBatchRequest"));
        assert_eq!(batch(&eleven, "x").as_deref(), Some("TooManyEntriesInBatchRequest"));
        assert_eq!(batch(&["a b"], "x").as_deref(), Some("InvalidBatchEntryId"));
        assert_eq!(batch(&["a", "a"], "x").as_deref(), Some("BatchEntryIdsNotDistinct"));
        let half = "x".repeat(MOST_BODY_BYTES / 2 + 1);
        assert_eq!(batch(&["a", "b"], &half).as_deref(), Some("BatchRequestTooLong"));
    }
}

//! As much of SQS as a sender needs: find the queue, see how deep it is, put messages into it.
//!
//! The queue has one reader, the function behind it, so receiving, deleting and making queues are not here. The
//! dead-letter queue can be looked at; its name is the queue's with `-dead` behind it.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>

mod request;

use md5::Md5;
use serde_json::{Map, Value, json};
use sha2::Digest as _;

use super::inbox::{Depth, NewMessage};
use super::message::message_id_of;
use super::{Mapping, Queue};
use crate::context::ACCOUNT;
use crate::store::hex;
use crate::wire::{Outcome, Reply, ServiceError, decode};
use request::{AttributesRequest, BatchEntry, BatchRequest, ListRequest, NameRequest, SendRequest};

/// What a dead-letter queue's name has behind the name of its queue.
const DEAD: &str = "-dead";

/// SQS keeps messages for fourteen days at most, and this queue does.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;

/// Errors that the query protocol, which clients still go by, names without a prefix.
const PLAIN_CODES: [&str; 5] = [
    "InvalidMessageContents",
    "InvalidAttributeName",
    "MissingParameter",
    "InvalidParameterValue",
    "ThrottlingException",
];

/// A queue that a request may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Events,
    Dead,
}

/// What stands in the header `x-amzn-query-error`, by which clients of the older protocol know an error.
pub(crate) fn query_error(error: &ServiceError) -> String {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    match error.code.as_ref() {
        "QueueDoesNotExist" => format!("AWS.SimpleQueueService.NonExistentQueue;{fault}"),
        code if PLAIN_CODES.contains(&code) || error.status >= 500 => format!("{code};{fault}"),
        code => format!("AWS.SimpleQueueService.{code};{fault}"),
    }
}

impl Queue {
    /// Does an operation of the API; `host` is what the caller called this machine.
    pub(crate) async fn handle(&self, operation: &str, body: Value, host: &str) -> Outcome {
        let answered = match operation {
            "GetQueueUrl" => self.url(&decode::<NameRequest>(body)?, host),
            "ListQueues" => Ok(self.list(&decode::<ListRequest>(body)?, host)),
            "GetQueueAttributes" => self.attributes(decode(body)?).await,
            "SendMessage" => self.send(decode(body)?).await,
            "SendMessageBatch" => self.send_batch(decode(body)?).await,
            _ => {
                let message = format!(
                    "`{operation}` of SQS is not available locally: the one reader of the queue is the function behind it"
                );
                Err(ServiceError::client("UnsupportedOperation", message))
            }
        };
        answered.map(Reply::plain)
    }

    /// Name and mapping of each queue that has a function behind it.
    fn queues(&self) -> impl Iterator<Item = (&str, &Mapping)> {
        let queues = self.settings.mappings.iter().filter(|mapping| mapping.target.starts_with("arn:aws:sqs:"));
        queues.map(|mapping| (mapping.target.rsplit(':').next().unwrap_or_default(), mapping))
    }

    /// The queue at the end of a URL, or of that name.
    fn find(&self, url: &str) -> Result<(&Mapping, Kind), ServiceError> {
        let wanted = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let found = self.queues().find_map(|(name, mapping)| match wanted.strip_prefix(name)? {
            "" => Some((mapping, Kind::Events)),
            DEAD => Some((mapping, Kind::Dead)),
            _ => None,
        });
        found.ok_or_else(|| ServiceError::client("QueueDoesNotExist", "The specified queue does not exist."))
    }

    fn url(&self, request: &NameRequest, host: &str) -> Result<Value, ServiceError> {
        self.find(&request.queue_name)?;
        Ok(json!({ "QueueUrl": url(host, &request.queue_name) }))
    }

    fn list(&self, request: &ListRequest, host: &str) -> Value {
        let names = self.queues().flat_map(|(name, _)| [name.to_owned(), format!("{name}{DEAD}")]);
        let prefix = request.queue_name_prefix.as_deref().unwrap_or_default();
        let urls: Vec<_> = names.filter(|name| name.starts_with(prefix)).map(|name| url(host, &name)).collect();
        json!({ "QueueUrls": urls })
    }

    async fn attributes(&self, request: AttributesRequest) -> Result<Value, ServiceError> {
        let (mapping, kind) = self.find(&request.queue_url)?;
        let now_ms = self.clock.now().as_millisecond();
        let depth = self.inbox.depth_of(mapping.target.clone(), now_ms).await.map_err(|error| broken(&error))?;
        let all = match kind {
            Kind::Events => self.described(mapping, depth),
            Kind::Dead => dead(mapping, depth),
        };
        let wanted = request.attribute_names.unwrap_or_default();
        if let Some(unknown) = wanted.iter().find(|name| *name != "All" && !all.contains_key(*name)) {
            return Err(ServiceError::client("InvalidAttributeName", format!("Unknown Attribute {unknown}.")));
        }
        let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted == "All" || wanted == name);
        let given: Map<_, _> = all.into_iter().filter(|(name, _)| is_wanted(name)).collect();
        Ok(json!({ "Attributes": given }))
    }

    fn described(&self, mapping: &Mapping, depth: Depth) -> Map<String, Value> {
        let redrive = json!({
            "deadLetterTargetArn": format!("{}{DEAD}", mapping.target),
            "maxReceiveCount": self.settings.most_receives,
        });
        strings([
            ("QueueArn", mapping.target.clone()),
            ("ApproximateNumberOfMessages", depth.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", depth.not_visible.to_string()),
            ("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string()),
            ("VisibilityTimeout", self.settings.visibility.as_secs().to_string()),
            ("MaximumMessageSize", request::MOST_BODY_BYTES.to_string()),
            ("MessageRetentionPeriod", RETENTION_SECONDS.to_string()),
            ("DelaySeconds", "0".to_owned()),
            ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
            ("RedrivePolicy", redrive.to_string()),
            ("SqsManagedSseEnabled", "false".to_owned()),
        ])
    }

    async fn send(&self, request: SendRequest) -> Result<Value, ServiceError> {
        let target = self.sent_to(&request.queue_url)?;
        let message = self.checked(&request.message, target)?;
        let md5 = md5(&message.body);
        let ids = self.keep(vec![message]).await?;
        Ok(json!({ "MessageId": ids[0], "MD5OfMessageBody": md5 }))
    }

    async fn send_batch(&self, request: BatchRequest) -> Result<Value, ServiceError> {
        let target = self.sent_to(&request.queue_url)?;
        request::check_batch(&request.entries)?;
        let (mut good, mut sent, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for BatchEntry { id, message } in request.entries {
            match self.checked(&message, target.clone()) {
                Ok(message) => {
                    sent.push((id, md5(&message.body)));
                    good.push(message);
                }
                Err(error) => {
                    failed.push(json!({ "Id": id, "SenderFault": true, "Code": error.code, "Message": error.message }));
                }
            }
        }
        let ids = self.keep(good).await?;
        let sent: Vec<_> = sent
            .into_iter()
            .zip(ids)
            .map(|((id, md5), message)| json!({ "Id": id, "MessageId": message, "MD5OfMessageBody": md5 }))
            .collect();
        Ok(json!({ "Successful": sent, "Failed": failed }))
    }

    /// The target of what is sent to the queue at `url`.
    fn sent_to(&self, url: &str) -> Result<String, ServiceError> {
        match self.find(url)? {
            (mapping, Kind::Events) => Ok(mapping.target.clone()),
            (_, Kind::Dead) => {
                let message = "nothing can be sent to the dead-letter queue: it holds what the function refused";
                Err(ServiceError::client("UnsupportedOperation", message))
            }
        }
    }

    fn checked(&self, message: &request::Message, target: String) -> Result<NewMessage, ServiceError> {
        let delay_ms = message.check()? * 1000;
        let now_ms = self.clock.now().as_millisecond();
        let visible_ms = if delay_ms == 0 { 0 } else { now_ms + delay_ms };
        Ok(NewMessage { target, body: message.message_body.clone(), time_ms: now_ms, visible_ms })
    }

    /// Writes messages down; the ids that the function will see.
    async fn keep(&self, messages: Vec<NewMessage>) -> Result<Vec<String>, ServiceError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.inbox.put(messages).await.map_err(|error| broken(&error))?;
        self.waiting.notify_one();
        Ok(ids.into_iter().map(|id| message_id_of(id, 0)).collect())
    }
}

fn dead(mapping: &Mapping, depth: Depth) -> Map<String, Value> {
    strings([
        ("QueueArn", format!("{}{DEAD}", mapping.target)),
        ("ApproximateNumberOfMessages", depth.dead.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", "0".to_owned()),
        ("ApproximateNumberOfMessagesDelayed", "0".to_owned()),
        ("MessageRetentionPeriod", RETENTION_SECONDS.to_string()),
    ])
}

fn strings<const N: usize>(members: [(&str, String); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

fn url(host: &str, name: &str) -> String {
    format!("http://{host}/{ACCOUNT}/{name}")
}

fn md5(body: &str) -> String {
    hex(&Md5::digest(body))
}

fn broken(error: &crate::database::DatabaseError) -> ServiceError {
    tracing::error!(%error, "failed to use the queue");
    ServiceError::internal("InternalError", "the queue cannot be written or read; the log says why")
}

//! Puts messages into the queue: no faster than asked, and no more than may be under way at once.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::{BatchResultErrorEntry, QueueAttributeName, SendMessageBatchRequestEntry};
use tokio::time::{Instant, sleep};

use super::pacer::Pacer;
use crate::deployment::Deployment;
use crate::executions;

/// Messages in one call. <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
pub(crate) const BATCH: usize = 10;

/// Bytes in one call: below the limit of every queue. A key has 1,024 bytes at most, three times that when encoded.
const MOST_BYTES: usize = 200 * 1024;

/// How often a message that the service failed to take is sent again, and the first pause before that.
const ATTEMPTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(100);

/// How often is looked whether there is room again.
const LOOK: Duration = Duration::from_secs(1);

/// What is counted of a queue: what waits, what is being taken, what was put off.
const DEPTH: [QueueAttributeName; 3] = [
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    QueueAttributeName::ApproximateNumberOfMessagesDelayed,
];

/// A sender; one for each command.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    deployment: &'a Deployment,
    queue_url: String,
    pacer: Pacer,
    began: Instant,
    most_in_flight: u64,
    /// What was under way at the last look, and all that was sent since.
    in_flight: Option<u64>,
}

impl<'a> Sender<'a> {
    /// Sends at most `rate` messages a second, and none while `most_in_flight` files are under way.
    pub(crate) fn new(deployment: &'a Deployment, queue_url: &str, rate: u32, most_in_flight: u32) -> Self {
        Self {
            deployment,
            queue_url: queue_url.to_owned(),
            pacer: Pacer::new(rate),
            began: Instant::now(),
            most_in_flight: most_in_flight.into(),
            in_flight: None,
        }
    }

    /// Sends these, in order. When it comes back, the queue has them all.
    ///
    /// # Errors
    /// When the queue refuses one; those before it may have been taken.
    pub(crate) async fn send(&mut self, messages: Vec<String>) -> anyhow::Result<()> {
        let most = usize::try_from(self.most_in_flight).unwrap_or(BATCH).min(BATCH);
        for batch in batches(messages, most) {
            self.wait_for_room(batch.len() as u64).await?;
            sleep(self.pacer.reserve(self.began.elapsed(), batch.len())).await;
            put(self.deployment, &self.queue_url, batch).await?;
        }
        Ok(())
    }

    /// Waits until `files` more may be under way. A look costs calls, so there is one only where the bound may be near.
    async fn wait_for_room(&mut self, files: u64) -> anyhow::Result<()> {
        let fits = |in_flight: u64, most: u64| in_flight == 0 || in_flight + files <= most;
        let mut in_flight = match self.in_flight {
            Some(in_flight) if fits(in_flight, self.most_in_flight) => in_flight,
            _ => self.look().await?,
        };
        while !fits(in_flight, self.most_in_flight) {
            sleep(LOOK).await;
            in_flight = self.look().await?;
        }
        self.in_flight = Some(in_flight + files);
        Ok(())
    }

    /// How many files wait in the queue or run.
    async fn look(&self) -> anyhow::Result<u64> {
        let request = self.deployment.sqs.get_queue_attributes().queue_url(&self.queue_url);
        let found = request.set_attribute_names(Some(DEPTH.to_vec())).send().await;
        let found = found.with_context(|| format!("failed to look at the queue `{}`", self.queue_url))?;
        let attributes = found.attributes.unwrap_or_default();
        let waiting: u64 = DEPTH.iter().filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum();
        let most = usize::try_from(self.most_in_flight).unwrap_or(usize::MAX);
        let (client, machine) = (&self.deployment.sfn, &self.deployment.state_machine_arn);
        let running = executions::list(client, machine, Some(ExecutionStatus::Running), |_| true, most).await?;
        Ok(waiting + running.len() as u64)
    }
}

/// At most `most` messages in each, and no more bytes than one call takes.
fn batches(messages: Vec<String>, most: usize) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        match batches.last_mut() {
            Some(batch) if batch.len() < most && bytes + message.len() <= MOST_BYTES => {
                bytes += message.len();
                batch.push(message);
            }
            _ => {
                bytes = message.len();
                batches.push(vec![message]);
            }
        }
    }
    batches
}

/// Puts a batch into the queue; what the service failed to take is sent again.
async fn put(deployment: &Deployment, queue_url: &str, batch: Vec<String>) -> anyhow::Result<()> {
    let mut left: Vec<(String, String)> =
        batch.into_iter().enumerate().map(|(place, body)| (place.to_string(), body)).collect();
    for attempt in 0..ATTEMPTS {
        let entries = left.iter().map(|(id, body)| entry(id, body)).collect::<Result<Vec<_>, _>>()?;
        let request = deployment.sqs.send_message_batch().queue_url(queue_url).set_entries(Some(entries));
        let sent = request.send().await.with_context(|| format!("failed to send to the queue `{queue_url}`"))?;
        left = again(left, &sent.failed)?;
        if left.is_empty() {
            return Ok(());
        }
        sleep(PAUSE * 2_u32.pow(attempt)).await;
    }
    bail!("failed to send to the queue `{queue_url}`: it did not take {} messages in {ATTEMPTS} attempts", left.len())
}

fn entry(id: &str, body: &str) -> anyhow::Result<SendMessageBatchRequestEntry> {
    let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(body).build();
    entry.context("failed to make a message")
}

/// What of `sent` failed by no fault of ours.
///
/// # Errors
/// When one failed by ours.
fn again(sent: Vec<(String, String)>, failed: &[BatchResultErrorEntry]) -> anyhow::Result<Vec<(String, String)>> {
    if let Some(refused) = failed.iter().find(|failed| failed.sender_fault()) {
        bail!("failed to send a message: the queue says {}: {}", refused.code(), refused.message().unwrap_or_default());
    }
    Ok(sent.into_iter().filter(|(id, _)| failed.iter().any(|failed| failed.id() == id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_ten_messages_and_no_more_bytes_than_a_call() {
        let sizes = |lengths: &[usize]| {
            let batches = batches(lengths.iter().map(|length| "x".repeat(*length)).collect(), BATCH);
            batches.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1; 25]), [10, 10, 5]);
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[MOST_BYTES / 2, MOST_BYTES / 2, 1, 1]), [2, 2]);
    }

    #[test]
    fn only_what_failed_by_no_fault_of_ours_is_sent_again() {
        let sent = || vec![("0".to_owned(), "a".to_owned()), ("1".to_owned(), "b".to_owned())];
        let failed = |id: &str, ours: bool| {
            BatchResultErrorEntry::builder().id(id).code("InternalError").sender_fault(ours).build().unwrap()
        };
        assert_eq!(again(sent(), &[]).unwrap(), []);
        assert_eq!(again(sent(), &[failed("1", false)]).unwrap(), [("1".to_owned(), "b".to_owned())]);
        assert!(again(sent(), &[failed("1", false), failed("0", true)]).is_err());
    }
}

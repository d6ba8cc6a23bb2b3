//! `start`: one execution of the state machine for each object version that an event names.
//!
//! Three envelopes, one handler: S3 notifications wrapped in SQS, bare S3 notifications, and
//! `EventBridge` events. A second event for the same version starts nothing, unless a replay asks for a run anew:
//! then it starts one for each version and name of a replay.

mod envelope;
mod launch;

use aws::Deployment;
use aws_lambda_events::sqs::SqsBatchResponse;
use domain::failure::Failure;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::envelope::{Envelope, Message};

/// Starts what the event asks for.
///
/// For SQS the answer lists the messages to deliver again; the others fail as a whole.
///
/// # Errors
/// `InvalidInput` for an envelope of no known kind; what Step Functions says.
pub async fn handle(deployment: Deployment, event: Value) -> Result<Value, Failure> {
    let launcher = launch::Launcher::new(&deployment);
    match envelope::open(event)? {
        Envelope::Queue(messages) => Ok(json!(from_queue(&launcher, messages).await)),
        Envelope::Direct(events) => {
            for event in &events {
                launcher.launch(event).await?;
            }
            Ok(json!({ "events": events.len() }))
        }
    }
}

/// A message is done when every event in it is; what failed is delivered again.
async fn from_queue(launcher: &launch::Launcher, messages: Vec<Message>) -> SqsBatchResponse {
    let results = join_all(messages.iter().map(|message| from_message(launcher, message))).await;
    let mut response = SqsBatchResponse::default();
    for (message, _) in messages.iter().zip(results).filter(|(_, result)| result.is_err()) {
        response.add_failure(&message.id);
    }
    response
}

async fn from_message(launcher: &launch::Launcher, message: &Message) -> Result<(), ()> {
    let events = message.events.as_ref().map_err(|failure| log(&message.id, failure))?;
    for event in events {
        launcher.launch(event).await.map_err(|failure| log(&message.id, &failure))?;
    }
    Ok(())
}

fn log(message_id: &str, failure: &Failure) {
    tracing::warn!(message_id, error = failure.name.as_str(), "message is to be delivered again");
}

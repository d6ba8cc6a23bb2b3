//! The context object, `$$`.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>. It is
//! made only when an expression asks for it.

use std::cell::{Cell, OnceCell};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::payload::Payload;
use crate::token::TokenKey;

/// What an execution is started with; none of it changes afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartContext {
    /// The ARN of the execution.
    pub execution_arn: String,
    /// The name of the execution.
    pub name: String,
    /// The ARN of the state machine; its region is the region of the execution.
    pub state_machine_arn: String,
    /// The name of the state machine.
    pub state_machine_name: String,
    /// The role that the state machine acts as.
    pub role_arn: String,
    /// The input of the execution.
    pub input: Payload,
    /// When the execution was started.
    pub start_time: Timestamp,
    /// What the tokens of its tasks are made with.
    #[serde(skip)]
    pub token_key: TokenKey,
}

impl StartContext {
    /// The region in the state machine's ARN.
    pub(crate) fn region(&self) -> &str {
        self.state_machine_arn.split(':').nth(3).unwrap_or_default()
    }
}

/// The facts of one moment that the context object tells of.
#[derive(Debug)]
pub(crate) struct ContextObject<'a> {
    pub(crate) start: &'a StartContext,
    pub(crate) redrive: Option<(u32, Timestamp)>,
    pub(crate) state: StateFacts<'a>,
    pub(crate) item: Option<(usize, &'a Value)>,
    /// Where a distributed Map read the item.
    pub(crate) item_source: Option<&'a str>,
    pub(crate) now: Timestamp,
    /// Only a task that waits for an answer to its token has one.
    pub(crate) task_token: Option<String>,
    pub(crate) made: OnceCell<Value>,
    /// How much the expressions of this moment took out of documents: see `Scope::taken`.
    pub(crate) taken: Cell<usize>,
}

/// What the context object says of the state that is executing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateFacts<'a> {
    pub(crate) name: &'a str,
    pub(crate) entered_at: Timestamp,
    /// Only states that can be retried have a count.
    pub(crate) retry_count: Option<u32>,
}

impl<'a> ContextObject<'a> {
    /// One that says nothing but what it is given, except for the execution's input.
    pub(crate) fn that_says(says: Value, start: &'a StartContext, state: &'a str, now: Timestamp) -> Self {
        let state = StateFacts { name: state, entered_at: now, retry_count: None };
        Self {
            start,
            redrive: None,
            state,
            item: None,
            item_source: None,
            now,
            task_token: None,
            made: OnceCell::from(says),
            taken: Cell::new(0),
        }
    }

    pub(crate) fn execution_input(&self) -> &Value {
        self.start.input.value()
    }

    pub(crate) fn value(&self) -> &Value {
        self.made.get_or_init(|| self.make())
    }

    fn make(&self) -> Value {
        let start = self.start;
        let mut context = json!({
            "Execution": {
                "Id": start.execution_arn,
                "Input": start.input.value(),
                "StartTime": clock_text(start.start_time),
                "Name": start.name,
                "RoleArn": start.role_arn,
                "RedriveCount": self.redrive.map_or(0, |(count, _)| count),
            },
            "StateMachine": { "Id": start.state_machine_arn, "Name": start.state_machine_name },
            "State": { "Name": self.state.name, "EnteredTime": clock_text(self.state.entered_at) },
        });
        if let Some((_, at)) = self.redrive {
            context["Execution"]["RedriveTime"] = clock_text(at).into();
        }
        if let Some(count) = self.state.retry_count {
            context["State"]["RetryCount"] = count.into();
        }
        if let Some(token) = &self.task_token {
            context["Task"] = json!({ "Token": token });
        }
        if let Some((index, item)) = &self.item {
            context["Map"] = json!({ "Item": { "Index": index, "Value": item } });
            if let Some(source) = self.item_source {
                context["Map"]["Item"]["Source"] = source.into();
            }
        }
        context
    }
}

/// A moment as the context object writes it: UTC with milliseconds.
pub(crate) fn clock_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

//! Task: asks somebody else to do work.
//!
//! Spec: <https://states-language.net/#task-state>. The engine only says what is to be done; the
//! caller does it and brings the answer.

use serde_json::Value;

use super::Moment;
use crate::definition::{Language, Reader};
use crate::failure::Fault;
use crate::field::Number;
use crate::integration::{Resource, parameters};
use crate::log::Event;
use crate::payload::Payload;
use crate::template::Template;

/// The longest timeout that the language allows, in seconds.
const MAX_SECONDS: u64 = 99_999_999;

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    timeout: Option<Number>,
    heartbeat: Option<Number>,
    credentials: Option<Template>,
}

/// A task to be scheduled.
pub(crate) struct Order {
    pub(crate) resource: Resource,
    pub(crate) input: Payload,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) heartbeat_seconds: Option<u64>,
    pub(crate) role_arn: Option<String>,
}

impl Order {
    /// An activity is looked for first; everything else is scheduled at once.
    pub(crate) fn event(self, region: &str) -> Event {
        let Self { resource, input: parameters, timeout_seconds, heartbeat_seconds, role_arn } = self;
        if let Resource::Activity { .. } = resource {
            return Event::ActivityRequested { resource, parameters, timeout_seconds, heartbeat_seconds, role_arn };
        }
        let region = region.to_owned();
        Event::TaskScheduled { resource, region, parameters, timeout_seconds, heartbeat_seconds, role_arn }
    }
}

impl Task {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let timeout = read_seconds(reader, "TimeoutSeconds");
        let heartbeat = read_seconds(reader, "HeartbeatSeconds");
        if let (Some(Number::Fixed(timeout)), Some(Number::Fixed(heartbeat))) = (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            reader.problem("HeartbeatSeconds", "the heartbeat must be smaller than the timeout");
        }
        let credentials = reader.template("Credentials");
        let resource = Resource::read(reader)?;
        Some(Self { resource, timeout, heartbeat, credentials })
    }

    pub(crate) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Order, Fault> {
        let filtered = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        let over = scope.over(filtered.value());
        let timeout_seconds = self.timeout.as_ref().map(|timeout| timeout.value(&over, moment.random, seconds));
        let heartbeat_seconds = self.heartbeat.as_ref().map(|heartbeat| heartbeat.value(&over, moment.random, seconds));
        let (timeout_seconds, heartbeat_seconds) = (timeout_seconds.transpose()?, heartbeat_seconds.transpose()?);
        let role = self.credentials.as_ref().map(|template| template.evaluate(&over, moment.random)).transpose()?;
        let role_arn = role.and_then(|role| role.get("RoleArn")?.as_str().map(str::to_owned));
        let input = moment.effective_input()?;
        let field = if moment.state.language == Language::JsonPath { "Parameters" } else { "Arguments" };
        parameters::check(&self.resource, input.value(), field)?;
        Ok(Order { resource: self.resource.clone(), input, timeout_seconds, heartbeat_seconds, role_arn })
    }
}

fn read_seconds(reader: &mut Reader<'_, '_>, field: &str) -> Option<Number> {
    let number = Number::read(reader, field)?;
    match number {
        Number::Fixed(0) => reader.problem(field, "the value must be a positive integer"),
        Number::Fixed(seconds) if seconds > MAX_SECONDS => {
            reader.problem(field, format!("the value must be at most {MAX_SECONDS}"));
        }
        _ => {}
    }
    Some(number)
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
}

//! Task: asks somebody else to do work.
//!
//! Spec: <https://states-language.net/#task-state>. The engine only says what is to be done; the
//! caller does it and brings the answer.

use serde_json::Value;

use super::Moment;
use crate::data_flow::value_at;
use crate::definition::Reader;
use crate::failure::Failure;
use crate::integration::Resource;
use crate::path::Path;
use crate::payload::Payload;
use crate::template::Template;

/// The longest timeout that the language allows, in seconds.
const MAX_SECONDS: u64 = 99_999_999;

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    timeout: Option<Seconds>,
    heartbeat: Option<Seconds>,
    credentials: Option<Template>,
}

/// A number of seconds, written in the definition or found in the input.
#[derive(Debug)]
enum Seconds {
    Fixed(u64),
    Path(Path),
}

/// A task to be scheduled.
pub(crate) struct Order {
    pub(crate) resource: Resource,
    pub(crate) input: Payload,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) heartbeat_seconds: Option<u64>,
    pub(crate) role_arn: Option<String>,
}

impl Task {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let timeout = Seconds::read(reader, "TimeoutSeconds");
        let heartbeat = Seconds::read(reader, "HeartbeatSeconds");
        if let (Some(Seconds::Fixed(timeout)), Some(Seconds::Fixed(heartbeat))) = (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            reader.problem("HeartbeatSeconds", "the heartbeat must be smaller than the timeout");
        }
        let credentials = reader.template("Credentials");
        let resource = Resource::read(reader)?;
        Some(Self { resource, timeout, heartbeat, credentials })
    }

    pub(super) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Order, Failure> {
        let filtered = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        let over = scope.over(filtered.value());
        let seconds = |seconds: &Option<Seconds>, field: &str| match seconds {
            Some(seconds) => seconds.value(field, &over).map(Some),
            None => Ok(None),
        };
        let timeout_seconds = seconds(&self.timeout, "TimeoutSecondsPath")?;
        let heartbeat_seconds = seconds(&self.heartbeat, "HeartbeatSecondsPath")?;
        let role = self.credentials.as_ref().map(|template| template.evaluate(&over, moment.random)).transpose()?;
        let role_arn = role.and_then(|role| role.get("RoleArn")?.as_str().map(str::to_owned));
        let input = moment.effective_input()?;
        Ok(Order { resource: self.resource.clone(), input, timeout_seconds, heartbeat_seconds, role_arn })
    }
}

impl Seconds {
    fn read(reader: &mut Reader<'_, '_>, field: &str) -> Option<Self> {
        let path_field = format!("{field}Path");
        if reader.has(field) && reader.has(&path_field) {
            reader.problem(&path_field, format!("a state has either `{field}` or `{path_field}`"));
        }
        let path = reader.path(&path_field).map(Self::Path);
        let fixed = reader.positive(field);
        if fixed.is_some_and(|seconds| seconds > MAX_SECONDS) {
            reader.problem(field, format!("the value must be at most {MAX_SECONDS}"));
        }
        path.or(fixed.map(Self::Fixed))
    }

    fn value(&self, field: &str, scope: &crate::scope::Scope<'_>) -> Result<u64, Failure> {
        match self {
            Self::Fixed(seconds) => Ok(*seconds),
            Self::Path(path) => {
                let value = value_at(path, scope)?;
                let seconds = value.as_u64().filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
                seconds.ok_or_else(|| not_an_integer(field, &value, path))
            }
        }
    }
}

pub(super) fn not_an_integer(field: &str, value: &Value, path: &Path) -> Failure {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Failure::runtime(format!(
        "The {field} field refers to value \"{shown}\" which is not a valid integer: {}",
        path.text()
    ))
}

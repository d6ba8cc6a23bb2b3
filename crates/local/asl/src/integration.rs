//! What a Task's `Resource` names, and how its end is known.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-service-integrations.html>. The
//! engine sorts resources; it calls none of them. Which actions a service has is not known here.

pub(crate) mod parameters;

use serde::{Deserialize, Serialize};

use crate::definition::Reader;

/// Who does a task's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// A Lambda function, named by its ARN.
    Function {
        /// The ARN, perhaps with a version or an alias.
        arn: String,
    },
    /// An activity: workers ask for its tasks and answer them.
    Activity {
        /// The ARN.
        arn: String,
    },
    /// An action of a service, such as `arn:aws:states:::lambda:invoke`.
    Service {
        /// The service, such as `lambda` or `aws-sdk:s3`.
        service: String,
        /// The action, such as `invoke`.
        action: String,
        /// When the task has ended.
        #[serde(default, skip_serializing_if = "Pattern::is_request_response")]
        pattern: Pattern,
    },
}

/// When a service's task has ended.
///
/// <https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pattern {
    /// When the service has answered.
    #[default]
    RequestResponse,
    /// When the job that the call started has ended.
    Sync,
    /// The same, with the job's output as JSON rather than as text.
    Sync2,
    /// When somebody answers with the task's token.
    WaitForTaskToken,
}

/// The patterns by what stands behind the action.
const SUFFIXES: [(&str, Pattern); 4] = [
    ("", Pattern::RequestResponse),
    (".sync", Pattern::Sync),
    (".sync:2", Pattern::Sync2),
    (".waitForTaskToken", Pattern::WaitForTaskToken),
];

impl Pattern {
    /// What stands behind the action: nothing, `.sync`, `.sync:2`, `.waitForTaskToken`.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        SUFFIXES.iter().find(|(_, pattern)| *pattern == self).map_or("", |(suffix, _)| suffix)
    }

    /// Whether the service's answer already ends the task.
    #[must_use]
    pub fn is_request_response(&self) -> bool {
        matches!(self, Self::RequestResponse)
    }

    /// Whether the task's end is that of a job which the call started.
    #[must_use]
    pub fn is_sync(self) -> bool {
        matches!(self, Self::Sync | Self::Sync2)
    }
}

impl Resource {
    pub(crate) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let text = reader.required_string("Resource")?;
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let found = match parts[..] {
            ["arn", _, "lambda", _, _, function] if is_named(function, "function:") => {
                Some(Self::Function { arn: text.to_owned() })
            }
            ["arn", _, "states", _, _, activity] if is_named(activity, "activity:") => {
                Some(Self::Activity { arn: text.to_owned() })
            }
            ["arn", _, "states", "", "", action] => Self::read_service(action),
            _ => None,
        };
        if found.is_none() {
            let message = format!("`{text}` is not the ARN of a function, of an activity or of a service integration");
            reader.problem("Resource", message);
        }
        found
    }

    /// `SERVICE:ACTION` or `aws-sdk:SERVICE:ACTION`, with the pattern's suffix.
    fn read_service(text: &str) -> Option<Self> {
        let (call, suffix) = text.split_at(text.find('.').unwrap_or(text.len()));
        let (_, pattern) = SUFFIXES.iter().find(|(own, _)| *own == suffix)?;
        let (service, action) = call.rsplit_once(':')?;
        let whole = !service.is_empty() && !action.is_empty() && !service.ends_with(':') && service != "aws-sdk";
        whole.then(|| Self::Service { service: service.to_owned(), action: action.to_owned(), pattern: *pattern })
    }

    /// When the task has ended; a function's or an activity's answer ends it.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        match self {
            Self::Service { pattern, .. } => *pattern,
            Self::Function { .. } | Self::Activity { .. } => Pattern::RequestResponse,
        }
    }

    /// How the service's own errors name the resource.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Function { arn } | Self::Activity { arn } => arn,
            Self::Service { service, .. } => service,
        }
    }
}

fn is_named(part: &str, prefix: &str) -> bool {
    part.strip_prefix(prefix).is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Resource};

    fn service(text: &str) -> Option<(String, String, Pattern)> {
        match Resource::read_service(text)? {
            Resource::Service { service, action, pattern } => Some((service, action, pattern)),
            _ => None,
        }
    }

    #[test]
    fn a_service_has_an_action_and_a_pattern() {
        let of = |service: &str, action: &str, pattern| Some((service.to_owned(), action.to_owned(), pattern));
        let table = [
            ("lambda:invoke", of("lambda", "invoke", Pattern::RequestResponse)),
            ("lambda:invoke.waitForTaskToken", of("lambda", "invoke", Pattern::WaitForTaskToken)),
            ("states:startExecution.sync", of("states", "startExecution", Pattern::Sync)),
            ("states:startExecution.sync:2", of("states", "startExecution", Pattern::Sync2)),
            ("aws-sdk:s3:putObject", of("aws-sdk:s3", "putObject", Pattern::RequestResponse)),
            (
                "aws-sdk:sfn:startExecution.waitForTaskToken",
                of("aws-sdk:sfn", "startExecution", Pattern::WaitForTaskToken),
            ),
            ("lambda:invoke.sync:3", None),
            ("lambda:invoke.", None),
            ("lambda", None),
            ("lambda:", None),
            (":invoke", None),
            ("aws-sdk::putObject", None),
            ("aws-sdk:putObject", None),
        ];
        for (text, expected) in table {
            assert_eq!(service(text), expected, "{text}");
        }
    }

    #[test]
    fn each_pattern_is_written_as_it_is_read() {
        for (suffix, pattern) in super::SUFFIXES {
            assert_eq!(pattern.suffix(), suffix);
        }
    }
}

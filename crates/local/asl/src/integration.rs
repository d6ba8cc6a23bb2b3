//! What a Task's `Resource` names.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-service-integrations.html>. The
//! engine sorts resources; it calls none of them. The `.sync` and `.waitForTaskToken` patterns
//! and activities are refused when the definition is read.

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
    /// An action of a service, such as `arn:aws:states:::lambda:invoke`.
    Service {
        /// The service, such as `lambda` or `aws-sdk:s3`.
        service: String,
        /// The action, such as `invoke`.
        action: String,
    },
}

impl Resource {
    pub(crate) fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let text = reader.required_string("Resource")?;
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts[..] {
            ["arn", _, "lambda", _, _, function] if function.starts_with("function:") => {
                Some(Self::Function { arn: text.to_owned() })
            }
            ["arn", _, "states", "", "", action] => Self::read_service(action, reader),
            ["arn", _, "states", _, _, activity] if activity.starts_with("activity:") => {
                reader.not_supported_yet("Resource", "an activity");
                None
            }
            _ => {
                reader
                    .problem("Resource", format!("`{text}` is not the ARN of a function or of a service integration"));
                None
            }
        }
    }

    fn read_service(text: &str, reader: &mut Reader<'_, '_>) -> Option<Self> {
        if let Some((_, pattern)) = text.split_once('.') {
            reader.not_supported_yet("Resource", &format!("the `.{pattern}` pattern"));
            return None;
        }
        let Some((service, action)) = text.rsplit_once(':') else {
            reader.problem("Resource", format!("`{text}` is not a service and its action"));
            return None;
        };
        Some(Self::Service { service: service.to_owned(), action: action.to_owned() })
    }

    /// How the service's own errors name the resource.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Function { arn } => arn,
            Self::Service { service, .. } => service,
        }
    }
}

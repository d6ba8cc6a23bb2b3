//! What a state machine is set to beside its definition: logging, tracing, encryption.
//!
//! The settings are checked and shown again. The local cloud writes no `CloudWatch` logs, sends no traces and holds no
//! keys, so nothing follows from them.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_LoggingConfiguration.html>,
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_EncryptionConfiguration.html>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::states::request::{self, Rule};
use crate::wire::ServiceError;

/// Logging goes to one place at most.
const MOST_DESTINATIONS: usize = 1;

/// How long a data key may be used again, in seconds.
const KEY_REUSE: Rule = Rule::Range("kmsDataKeyReusePeriodSeconds", 60, 900);

/// The settings of a request, as they came.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    logging_configuration: Option<Logging>,
    tracing_configuration: Option<Tracing>,
    encryption_configuration: Option<Value>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Logging {
    level: Option<String>,
    include_execution_data: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destinations: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct Tracing {
    enabled: Option<bool>,
}

impl Settings {
    /// The settings that were given, whole, by the names of their members.
    ///
    /// # Errors
    /// `InvalidLoggingConfiguration`, `InvalidTracingConfiguration`, `InvalidEncryptionConfiguration`.
    pub(super) fn checked(self) -> Result<Value, ServiceError> {
        let mut settings = Map::new();
        if let Some(logging) = self.logging_configuration {
            settings.insert("loggingConfiguration".to_owned(), logging.checked()?);
        }
        if let Some(tracing) = self.tracing_configuration {
            let Some(enabled) = tracing.enabled else {
                let message = "Invalid Tracing Configuration: enabled has not been set to true or false.";
                return Err(ServiceError::client("InvalidTracingConfiguration", message));
            };
            settings.insert("tracingConfiguration".to_owned(), json!({ "enabled": enabled }));
        }
        if let Some(encryption) = self.encryption_configuration {
            settings.insert("encryptionConfiguration".to_owned(), checked_encryption(encryption)?);
        }
        Ok(settings.into())
    }
}

impl Logging {
    fn checked(mut self) -> Result<Value, ServiceError> {
        let rule = Rule::OneOf("level", &["ALL", "ERROR", "FATAL", "OFF"]);
        request::check(&json!({ "level": self.level }), &[rule])?;
        let level = self.level.get_or_insert_with(|| "OFF".to_owned()).clone();
        self.include_execution_data.get_or_insert(false);
        let destinations = self.destinations.as_deref().unwrap_or_default();
        if destinations.len() > MOST_DESTINATIONS || (level != "OFF" && destinations.is_empty()) {
            return Err(invalid_logging("Must specify exactly one Log Destination."));
        }
        destinations.iter().try_for_each(check_destination)?;
        Ok(serde_json::to_value(self).unwrap_or_default())
    }
}

/// A destination is a log group, named by the ARN of all its streams.
fn check_destination(destination: &Value) -> Result<(), ServiceError> {
    let arn = destination["cloudWatchLogsLogGroup"]["logGroupArn"].as_str().unwrap_or_default();
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "logs", _, _, "log-group", name, "*"] if !name.is_empty() => Ok(()),
        _ => Err(invalid_logging(&format!("Log Destination '{arn}' is not the ARN of a log group that ends with :*"))),
    }
}

fn invalid_logging(why: &str) -> ServiceError {
    ServiceError::client("InvalidLoggingConfiguration", format!("Invalid Logging Configuration: {why}"))
}

fn checked_encryption(encryption: Value) -> Result<Value, ServiceError> {
    let kind = Rule::OneOf("type", &["AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY"]);
    request::check(&encryption, &[Rule::Required("type"), kind, Rule::Length("kmsKeyId", 1, 2048), KEY_REUSE])?;
    let owned = encryption["type"] == "AWS_OWNED_KEY";
    let has = |member: &str| !encryption[member].is_null();
    let why = match () {
        () if owned && (has("kmsKeyId") || has("kmsDataKeyReusePeriodSeconds")) => {
            "kmsKeyId and kmsDataKeyReusePeriodSeconds can only be set for type CUSTOMER_MANAGED_KMS_KEY"
        }
        () if !owned && !has("kmsKeyId") => "kmsKeyId must be set for type CUSTOMER_MANAGED_KMS_KEY",
        () => return Ok(encryption),
    };
    let message = format!("Invalid Encryption Configuration: {why}");
    Err(ServiceError::client("InvalidEncryptionConfiguration", message))
}

/// Puts the settings into a description, with the service's own values for those that nobody set.
pub(crate) fn describe(answer: &mut Value, settings: &Value) {
    answer["loggingConfiguration"] = json!({"level": "OFF", "includeExecutionData": false});
    answer["tracingConfiguration"] = json!({"enabled": false});
    if let (Value::Object(answer), Value::Object(settings)) = (answer, settings) {
        answer.extend(settings.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/states/one:*";

    fn checked(request: Value) -> Result<Value, ServiceError> {
        serde_json::from_value::<Settings>(request).unwrap().checked()
    }

    #[test]
    fn what_is_given_is_shown_whole() {
        let destination = json!({"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}});
        let cases = [
            (json!({}), json!({})),
            (
                json!({"loggingConfiguration": {}}),
                json!({"loggingConfiguration": {"level": "OFF", "includeExecutionData": false}}),
            ),
            (
                json!({"loggingConfiguration": {"level": "ALL", "destinations": [destination]}}),
                json!({"loggingConfiguration": {"level": "ALL", "includeExecutionData": false, "destinations": [destination]}}),
            ),
            (json!({"tracingConfiguration": {"enabled": true}}), json!({"tracingConfiguration": {"enabled": true}})),
            (
                json!({"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "key"}}),
                json!({"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "key"}}),
            ),
        ];
        for (given, shown) in cases {
            assert_eq!(checked(given.clone()).unwrap(), shown, "{given}");
        }
    }

    #[test]
    fn each_setting_has_its_own_error() {
        let no_group = json!([{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:s3:::logs"}}]);
        let cases = [
            (json!({"loggingConfiguration": {"level": "ALL"}}), "InvalidLoggingConfiguration"),
            (
                json!({"loggingConfiguration": {"level": "ALL", "destinations": no_group}}),
                "InvalidLoggingConfiguration",
            ),
            (json!({"loggingConfiguration": {"level": "LOUD"}}), "ValidationException"),
            (json!({"tracingConfiguration": {}}), "InvalidTracingConfiguration"),
            (json!({"encryptionConfiguration": {}}), "ValidationException"),
            (
                json!({"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY"}}),
                "InvalidEncryptionConfiguration",
            ),
            (
                json!({"encryptionConfiguration": {"type": "AWS_OWNED_KEY", "kmsKeyId": "k"}}),
                "InvalidEncryptionConfiguration",
            ),
            (
                json!({"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k", "kmsDataKeyReusePeriodSeconds": 30}}),
                "ValidationException",
            ),
        ];
        for (given, code) in cases {
            assert_eq!(checked(given.clone()).unwrap_err().code, code, "{given}");
        }
    }
}

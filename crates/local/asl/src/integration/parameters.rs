//! The parameters without which Step Functions does not start a service's task.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html>. A call that lacks
//! one fails the state before anything is scheduled. Only what is certain stands here; the service
//! itself checks the rest.

use serde_json::Value;

use super::Resource;
use crate::failure::Failure;

/// Service, action, required members.
const REQUIRED: &[(&str, &str, &[&str])] = &[
    ("lambda", "invoke", &["FunctionName"]),
    ("states", "startExecution", &["StateMachineArn"]),
    ("sqs", "sendMessage", &["QueueUrl", "MessageBody"]),
    ("sns", "publish", &["Message"]),
    ("dynamodb", "getItem", &["TableName", "Key"]),
    ("dynamodb", "putItem", &["TableName", "Item"]),
    ("dynamodb", "updateItem", &["TableName", "Key"]),
    ("dynamodb", "deleteItem", &["TableName", "Key"]),
    ("events", "putEvents", &["Entries"]),
    ("glue", "startJobRun", &["JobName"]),
    ("athena", "startQueryExecution", &["QueryString"]),
    ("athena", "stopQueryExecution", &["QueryExecutionId"]),
    ("athena", "getQueryExecution", &["QueryExecutionId"]),
    ("athena", "getQueryResults", &["QueryExecutionId"]),
    ("batch", "submitJob", &["JobDefinition", "JobName", "JobQueue"]),
    ("ecs", "runTask", &["TaskDefinition"]),
    ("aws-sdk:lambda", "invoke", &["FunctionName"]),
    ("aws-sdk:s3", "getObject", &["Bucket", "Key"]),
    ("aws-sdk:s3", "headObject", &["Bucket", "Key"]),
    ("aws-sdk:s3", "putObject", &["Bucket", "Key"]),
    ("aws-sdk:s3", "deleteObject", &["Bucket", "Key"]),
    ("aws-sdk:s3", "deleteObjects", &["Bucket", "Delete"]),
    ("aws-sdk:s3", "copyObject", &["Bucket", "CopySource", "Key"]),
    ("aws-sdk:s3", "listObjects", &["Bucket"]),
    ("aws-sdk:s3", "listObjectsV2", &["Bucket"]),
    ("aws-sdk:s3", "createBucket", &["Bucket"]),
    ("aws-sdk:s3", "headBucket", &["Bucket"]),
    ("aws-sdk:s3", "deleteBucket", &["Bucket"]),
    ("aws-sdk:sfn", "startExecution", &["StateMachineArn"]),
    ("aws-sdk:sfn", "startSyncExecution", &["StateMachineArn"]),
    ("aws-sdk:sfn", "describeExecution", &["ExecutionArn"]),
    ("aws-sdk:sfn", "stopExecution", &["ExecutionArn"]),
    ("aws-sdk:sfn", "getExecutionHistory", &["ExecutionArn"]),
    ("aws-sdk:sfn", "sendTaskSuccess", &["TaskToken", "Output"]),
    ("aws-sdk:sfn", "sendTaskFailure", &["TaskToken"]),
    ("aws-sdk:sfn", "sendTaskHeartbeat", &["TaskToken"]),
];

/// The members that the action cannot do without.
pub(crate) fn required(service: &str, action: &str) -> &'static [&'static str] {
    let found = REQUIRED.iter().find(|(own, call, _)| *own == service && *call == action);
    found.map_or(&[], |(.., members)| members)
}

/// Refuses parameters that lack what the resource's action needs; `field` is what the state calls them.
pub(crate) fn check(resource: &Resource, parameters: &Value, field: &str) -> Result<(), Failure> {
    let Resource::Service { service, action, .. } = resource else {
        return Ok(());
    };
    let missing = required(service, action).iter().filter(|member| parameters.get(**member).is_none());
    let problems: Vec<String> =
        missing.map(|member| format!("The field '{member}' is required but was missing")).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let cause = format!("The {field} '{parameters}' could not be used to start the Task: [{}]", problems.join(", "));
    Err(Failure::runtime(cause))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;
    use crate::integration::{Pattern, Resource};

    #[test]
    fn what_is_missing_is_named_and_a_null_is_there() {
        let invoke = Resource::Service {
            service: "lambda".to_owned(),
            action: "invoke".to_owned(),
            pattern: Pattern::RequestResponse,
        };
        assert_eq!(check(&invoke, &json!({"FunctionName": null}), "Parameters"), Ok(()));
        let failure = check(&invoke, &json!({"Payload": 1}), "Parameters").unwrap_err();
        assert_eq!(failure.error.as_deref(), Some("States.Runtime"));
        let cause = "The Parameters '{\"Payload\":1}' could not be used to start the Task: [The field 'FunctionName' is required but was missing]";
        assert_eq!(failure.cause.as_deref(), Some(cause));
        let function = Resource::Function { arn: "arn:aws:lambda:::function:f".to_owned() };
        assert_eq!(check(&function, &json!(1), "Parameters"), Ok(()));
    }
}

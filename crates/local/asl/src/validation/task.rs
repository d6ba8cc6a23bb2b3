//! What a Task adds: the resource that does its work, whose role it is done in, and how long it may
//! take.
//!
//! Which integrations there are, and by which patterns each can be used:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html>. That a service
//! of the SDK, or an action of a service with many, exists is not checked.

use super::json::{Node, Value};
use super::template;
use super::walk::{Check, Language, Place, Walk};

/// The bounds of `TimeoutSeconds` and `HeartbeatSeconds`.
pub(super) const SECONDS: Check = Check::DynamicInteger { least: 1, most: 99_999_999 };

/// A service with an integration of its own.
struct Integration {
    service: &'static str,
    /// Empty where there are many.
    actions: &'static [&'static str],
    /// Whether `.sync` and `.waitForTaskToken` can be used with some of the actions.
    sync: bool,
    token: bool,
}

const fn integration(service: &'static str, actions: &'static [&'static str], sync: bool, token: bool) -> Integration {
    Integration { service, actions, sync, token }
}

static INTEGRATIONS: [Integration; 25] = [
    integration("apigateway", &["invoke"], false, true),
    integration("athena", &[], true, false),
    integration("aws-sdk", &[], false, true),
    integration("batch", &["submitJob"], true, false),
    integration("bedrock", &[], true, true),
    integration("bedrock-agentcore", &[], false, false),
    integration("codebuild", &[], true, false),
    integration("databrew", &["startJobRun"], true, false),
    integration("dynamodb", &["getItem", "putItem", "updateItem", "deleteItem"], false, false),
    integration("ecs", &["runTask"], true, true),
    integration("eks", &[], true, true),
    integration("elasticmapreduce", &[], true, false),
    integration("emr-containers", &[], true, false),
    integration("emr-serverless", &[], true, false),
    integration("events", &["putEvents"], false, true),
    integration("fargate", &["runTask"], true, true),
    integration("glue", &["startJobRun"], true, false),
    integration("http", &["invoke"], false, false),
    integration("lambda", &["invoke"], false, true),
    integration("mediaconvert", &["createJob"], true, false),
    integration("sagemaker", &[], true, false),
    integration("sns", &["publish"], false, true),
    integration("sqs", &["sendMessage"], false, true),
    integration("states", &["startExecution"], true, true),
    integration("ssm", &[], false, false),
];

/// How a task waits for its work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pattern {
    Response,
    Sync,
    Token,
}

pub(super) fn resource(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    let Some(text) = node.text() else {
        return walk.check(Check::Text, node, place);
    };
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "lambda", _, _, function] if function.starts_with("function:") => {}
        ["arn", _, "states", _, _, activity] if activity.starts_with("activity:") => {
            if place.express {
                walk.schema("Express state machine does not support Activity ARN", node, place);
            }
        }
        ["arn", _, "states", "", "", action] => service(walk, text, action, node, place),
        ["arn", _, _, _, _, _] => unrecognized(walk, text, node, place),
        _ => walk.schema("Value is not a valid resource ARN", node, place),
    }
}

fn service(walk: &mut Walk, text: &str, named: &str, node: &Node, place: &Place<'_>) {
    match pattern(named) {
        None => unrecognized(walk, text, node, place),
        Some(pattern) if place.express && pattern != Pattern::Response => {
            let suffix = if pattern == Pattern::Sync { ".sync" } else { ".waitForTaskToken" };
            // The service's own words end in a space.
            walk.schema(format!("Express state machine does not support '{suffix}' service integration "), node, place);
        }
        Some(_) => {}
    }
}

/// The pattern of `service:action.pattern`, if there is such an integration.
fn pattern(named: &str) -> Option<Pattern> {
    let (action, pattern) = match named.split_once('.') {
        None => (named, Pattern::Response),
        Some((action, "sync") | (action @ "states:startExecution", "sync:2")) => (action, Pattern::Sync),
        Some((action, "waitForTaskToken")) => (action, Pattern::Token),
        Some(_) => return None,
    };
    let (service, action) = action.split_once(':')?;
    let known = INTEGRATIONS.iter().find(|known| known.service == service)?;
    let has_action = if known.actions.is_empty() { !action.is_empty() } else { known.actions.contains(&action) };
    let has_pattern = match pattern {
        Pattern::Response => true,
        Pattern::Sync => known.sync,
        Pattern::Token => known.token,
    };
    (has_action && has_pattern).then_some(pattern)
}

fn unrecognized(walk: &mut Walk, text: &str, node: &Node, place: &Place<'_>) {
    let why = "The value is not a valid resource ARN, or the resource is not available in this region.";
    walk.schema(format!("The resource provided {text} is not recognized. {why}"), node, place);
}

/// `Credentials` names a role, at once or by an expression.
pub(super) fn credentials(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    if template::is_expression(node, place) {
        return template::check(walk, node, place);
    }
    if !matches!(node.value, Value::Object(_)) {
        return walk.schema("Expected value of type [OBJECT]", node, place);
    }
    let by_path = place.language == Language::JsonPath && node.get("RoleArn.$").is_some();
    if node.get("RoleArn").is_none() && !by_path {
        walk.schema("The field 'RoleArn' is required but was missing", node, place);
    }
    template::check(walk, node, place);
}

/// What needs several fields of the state.
pub(super) fn check(walk: &mut Walk, node: &Node, place: &Place<'_>) {
    let seconds = |field| match node.get(field).map(|node| &node.value) {
        Some(Value::Number(number)) => number.as_i64(),
        _ => None,
    };
    if let (Some(timeout), Some(heartbeat), Some(field)) =
        (seconds("TimeoutSeconds"), seconds("HeartbeatSeconds"), node.get("HeartbeatSeconds"))
        && heartbeat >= timeout
    {
        let message = "The value of 'HeartbeatSeconds' must be smaller than that of 'TimeoutSeconds'";
        walk.schema(message, field, &place.field("HeartbeatSeconds"));
    }
    let is_activity = node.get("Resource").and_then(Node::text).is_some_and(|text| text.contains(":activity:"));
    if let Some(credentials) = node.get("Credentials").filter(|_| is_activity) {
        let message = "The field 'Credentials' is not supported for activities";
        walk.schema(message, credentials, &place.field("Credentials"));
    }
}

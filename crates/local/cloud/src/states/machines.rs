//! State machines: create, update, describe, list, delete, tag.
//!
//! Creating twice with the same name and content is one creation, as on AWS.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html>

mod rows;

use asl::{Definition, MachineType};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) use rows::{Machine, by_arn, revision_of};

use super::{States, name, page, refusal, seconds, validate};
use crate::identifier;
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// A tag list holds at most this many.
const MOST_TAGS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: String,
    definition: String,
    role_arn: String,
    r#type: Option<String>,
    logging_configuration: Option<Value>,
    tracing_configuration: Option<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    publish: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    state_machine_arn: String,
    definition: Option<String>,
    role_arn: Option<String>,
    logging_configuration: Option<Value>,
    tracing_configuration: Option<Value>,
    #[serde(default)]
    publish: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    state_machine_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tagging {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) async fn create(states: &States, body: Value) -> Outcome {
    let asked: Create = decode(body)?;
    name::check(&asked.name)?;
    refuse_unsupported(asked.r#type.as_deref(), asked.publish)?;
    validate::parse(&asked.definition, MachineType::Standard)?;
    let tags = merged(Map::new(), asked.tags)?;
    let machine = Machine {
        arn: name::machine_arn(states.context(), &asked.name),
        name: asked.name,
        definition: asked.definition,
        role_arn: asked.role_arn,
        revision_id: None,
        created: states.now(),
        updated: states.now(),
        settings: settings(asked.logging_configuration, asked.tracing_configuration),
        tags: Value::Object(tags),
    };
    let stored = states.write(move |database| rows::insert_or_find(database, machine)).await??;
    Ok(Reply::plain(json!({"stateMachineArn": stored.arn, "creationDate": seconds(stored.created)})))
}

pub(super) async fn update(states: &States, body: Value) -> Outcome {
    let asked: Update = decode(body)?;
    name::check_arn(&asked.state_machine_arn, "stateMachine")?;
    refuse_unsupported(None, asked.publish)?;
    let settings = settings(asked.logging_configuration, asked.tracing_configuration);
    let empty = settings.as_object().is_some_and(Map::is_empty);
    if asked.definition.is_none() && asked.role_arn.is_none() && empty {
        let message = "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified";
        return Err(ServiceError::client("MissingRequiredParameter", message));
    }
    asked.definition.as_deref().map(|text| validate::parse(text, MachineType::Standard)).transpose()?;
    let change = rows::Change {
        arn: asked.state_machine_arn,
        definition: asked.definition,
        role_arn: asked.role_arn,
        settings,
        updated: states.now(),
        revision_id: identifier::random(),
    };
    let (updated, revision) = (change.updated, change.revision_id.clone());
    states.write(move |database| rows::change(database, change)).await??;
    Ok(Reply::plain(json!({"updateDate": seconds(updated), "revisionId": revision})))
}

pub(super) async fn describe(states: &States, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    name::check_arn(&asked.state_machine_arn, "stateMachine")?;
    let machine = find(states, asked.state_machine_arn).await?;
    let mut answer = json!({
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "status": "ACTIVE",
        "definition": machine.definition,
        "roleArn": machine.role_arn,
        "type": "STANDARD",
        "creationDate": seconds(machine.created),
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": false},
        "tracingConfiguration": {"enabled": false},
    });
    insert_settings(&mut answer, machine.settings, machine.revision_id);
    Ok(Reply::plain(answer))
}

/// Puts what the owner set, and the revision if the machine was ever updated, into a description.
pub(super) fn insert_settings(answer: &mut Value, settings: Value, revision_id: Option<String>) {
    if let (Value::Object(answer), Value::Object(settings)) = (answer, settings) {
        answer.extend(settings);
        answer.extend(revision_id.map(|id| ("revisionId".to_owned(), Value::from(id))));
    }
}

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let asked: List = decode(body)?;
    let size = page::size(asked.max_results)?;
    let after = page::place("machines", asked.next_token.as_deref())?.unwrap_or_default();
    let mut found = states.read(move |database| rows::after(database, &after, size + 1)).await?;
    let next = page::cut(&mut found, size, "machines", |machine| machine.arn.clone());
    let machines: Vec<Value> = found.iter().map(item).collect();
    let mut answer = json!({"stateMachines": machines});
    super::insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

fn item(machine: &rows::Item) -> Value {
    json!({
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "type": "STANDARD",
        "creationDate": seconds(machine.created),
    })
}

pub(super) async fn delete(states: &States, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    name::check_arn(&asked.state_machine_arn, "stateMachine")?;
    let arn = asked.state_machine_arn;
    let open = states.write(move |database| rows::delete(database, &arn)).await?;
    for execution in open {
        states.stop_quietly(execution);
    }
    Ok(Reply::plain(json!({})))
}

pub(super) async fn list_tags(states: &States, body: Value) -> Outcome {
    let asked: Tagging = decode(body)?;
    let machine = tagged(states, asked.resource_arn).await?;
    let tags: Vec<Value> = machine
        .tags
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    Ok(Reply::plain(json!({"tags": tags})))
}

pub(super) async fn tag(states: &States, body: Value) -> Outcome {
    let asked: Tagging = decode(body)?;
    retag(states, asked.resource_arn, |tags| merged(tags, asked.tags)).await
}

pub(super) async fn untag(states: &States, body: Value) -> Outcome {
    let asked: Tagging = decode(body)?;
    let keep = |mut tags: Map<String, Value>| {
        tags.retain(|key, _| !asked.tag_keys.contains(key));
        Ok(tags)
    };
    retag(states, asked.resource_arn, keep).await
}

async fn retag<F>(states: &States, arn: String, edit: F) -> Outcome
where
    F: FnOnce(Map<String, Value>) -> Result<Map<String, Value>, ServiceError>,
{
    let machine = tagged(states, arn).await?;
    let tags = match machine.tags {
        Value::Object(tags) => edit(tags)?,
        _ => edit(Map::new())?,
    };
    states.write(move |database| rows::set_tags(database, &machine.arn, &Value::Object(tags))).await?;
    Ok(Reply::plain(json!({})))
}

fn merged(mut tags: Map<String, Value>, new: Vec<Tag>) -> Result<Map<String, Value>, ServiceError> {
    tags.extend(new.into_iter().map(|tag| (tag.key, Value::from(tag.value))));
    if tags.len() > MOST_TAGS {
        return Err(ServiceError::client("TooManyTags", format!("a resource has at most {MOST_TAGS} tags")));
    }
    Ok(tags)
}

async fn tagged(states: &States, arn: String) -> Result<Machine, ServiceError> {
    name::check_arn(&arn, "stateMachine")?;
    find(states, arn.clone()).await.map_err(|_| refusal::no_such_resource(&arn))
}

/// The machine at `arn`, or `StateMachineDoesNotExist`.
pub(super) async fn find(states: &States, arn: String) -> Result<Machine, ServiceError> {
    let wanted = arn.clone();
    let found = states.read(move |database| by_arn(database, &wanted)).await?;
    found.ok_or_else(|| refusal::no_such_machine(&arn))
}

fn settings(logging: Option<Value>, tracing: Option<Value>) -> Value {
    let pairs = [("loggingConfiguration", logging), ("tracingConfiguration", tracing)];
    pairs
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)))
        .collect::<Map<_, _>>()
        .into()
}

fn refuse_unsupported(kind: Option<&str>, publish: bool) -> Result<(), ServiceError> {
    match kind {
        None | Some("STANDARD") if !publish => Ok(()),
        None | Some("STANDARD") => {
            Err(ServiceError::not_available_locally("versions of state machines are not available locally"))
        }
        Some("EXPRESS") => {
            Err(ServiceError::not_available_locally("state machines of type EXPRESS are not available locally"))
        }
        Some(other) => Err(refusal::out_of_bounds("type", other, "satisfy enum value set: [STANDARD, EXPRESS]")),
    }
}

pub(super) fn parse(definition: &str) -> Result<Definition, ServiceError> {
    Definition::parse(definition).map_err(|error| refusal::invalid_definition(&error.to_string()))
}

//! State machines: create, update, describe, list, delete.
//!
//! Creating twice with the same name and content is one creation, as on AWS. A machine that is deleted goes when its
//! last open execution has ended; each of them is aborted where it would go on to its next state.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html>,
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html>

mod rows;
mod settings;

use asl::Definition;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) use rows::{Machine, Revision, by_arn, finish_deletions, revision_of};
pub(super) use settings::describe as describe_settings;

use super::name::{self, MachineArn, Qualifier};
use super::request::{self, INCLUDED_DATA, Rule};
use super::tags::{self, Tag};
use super::versions::{self, Publication, Version};
use super::{Decided, States, page, refusal, seconds, validate};
use crate::identifier;
use crate::wire::{Outcome, Reply, ServiceError};
use settings::Settings;

/// The most characters of a definition.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const MOST_DEFINITION_CHARS: usize = 1_048_576;

const DEFINITION: Rule = Rule::Length("definition", 1, MOST_DEFINITION_CHARS);
const ROLE: Rule = Rule::Length("roleArn", 1, 256);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: String,
    definition: String,
    role_arn: String,
    r#type: Option<String>,
    #[serde(flatten)]
    settings: Settings,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    publish: bool,
    version_description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    state_machine_arn: String,
    definition: Option<String>,
    role_arn: Option<String>,
    #[serde(flatten)]
    settings: Settings,
    #[serde(default)]
    publish: bool,
    version_description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    state_machine_arn: String,
    included_data: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) async fn create(states: &States, body: Value) -> Outcome {
    let rules = [
        Rule::Required("name"),
        Rule::Length("name", 1, 80),
        Rule::Required("definition"),
        DEFINITION,
        Rule::Required("roleArn"),
        ROLE,
        Rule::OneOf("type", &["STANDARD", "EXPRESS"]),
        versions::DESCRIPTION,
    ];
    let asked: Create = request::read(body, &rules)?;
    name::check(&asked.name)?;
    name::check_role(&asked.role_arn)?;
    tags::check(&asked.tags)?;
    let publish = publication(states, asked.publish, asked.version_description)?;
    let kind = asked.r#type.unwrap_or_else(|| "STANDARD".to_owned());
    validate::parse(&asked.definition, validate::machine_type(Some(&kind))?)?;
    let machine = Machine {
        arn: name::machine_arn(states, &asked.name),
        name: asked.name,
        status: "ACTIVE".to_owned(),
        created: states.now(),
        creation: creation(publish.as_ref()),
        revision: Revision {
            number: 0,
            id: None,
            definition: asked.definition,
            role_arn: asked.role_arn,
            updated: states.now(),
            kind,
            settings: asked.settings.checked()?,
        },
    };
    let tags = asked.tags;
    let stored =
        states.write(move |database| rows::insert_or_find(database, machine, &tags, publish.as_ref())).await??;
    let (machine, version) = stored;
    let mut answer = json!({"stateMachineArn": machine.arn, "creationDate": seconds(machine.created)});
    insert_version(&mut answer, &machine.arn, version);
    Ok(Reply::plain(answer))
}

/// What the idempotency of a creation depends on beside the content.
fn creation(publish: Option<&Publication>) -> Value {
    match publish {
        Some(publish) => json!({"publish": true, "versionDescription": publish.description}),
        None => json!({}),
    }
}

fn publication(
    states: &States,
    publish: bool,
    description: Option<String>,
) -> Result<Option<Publication>, ServiceError> {
    match (publish, description) {
        (true, description) => Ok(Some(Publication { description, at: states.now() })),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(request::invalid("Version description can only be set when publish is true")),
    }
}

fn insert_version(answer: &mut Value, machine_arn: &str, version: Option<i64>) {
    if let Some(version) = version {
        answer["stateMachineVersionArn"] = name::version_arn(machine_arn, version).into();
    }
}

pub(super) async fn update(states: &States, body: Value) -> Outcome {
    let asked: Update = request::read(body, &[Rule::Arn("stateMachineArn"), DEFINITION, ROLE, versions::DESCRIPTION])?;
    let arn = MachineArn::unqualified(&asked.state_machine_arn)?;
    let settings = asked.settings.checked()?;
    let empty = settings.as_object().is_some_and(Map::is_empty);
    if asked.definition.is_none() && asked.role_arn.is_none() && empty {
        let message = "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified";
        return Err(ServiceError::client("MissingRequiredParameter", message));
    }
    asked.role_arn.as_deref().map(name::check_role).transpose()?;
    let publish = publication(states, asked.publish, asked.version_description)?;
    if let Some(definition) = &asked.definition {
        let kind = find(states, arn.clone()).await?.revision.kind;
        validate::parse(definition, validate::machine_type(Some(&kind))?)?;
    }
    let change = rows::Change {
        arn,
        definition: asked.definition,
        role_arn: asked.role_arn,
        settings,
        updated: states.now(),
        revision_id: identifier::random(),
        publish,
    };
    let (machine, version) = states.write(move |database| rows::change(database, change)).await??;
    let mut answer = json!({"updateDate": seconds(machine.revision.updated)});
    insert_revision_id(&mut answer, machine.revision.id);
    insert_version(&mut answer, &machine.arn, version);
    Ok(Reply::plain(answer))
}

fn insert_revision_id(answer: &mut Value, id: Option<String>) {
    if let Some(id) = id {
        answer["revisionId"] = id.into();
    }
}

pub(super) async fn describe(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[Rule::Arn("stateMachineArn"), INCLUDED_DATA])?;
    let arn = asked.state_machine_arn;
    let parsed = MachineArn::unlabelled(&arn)?;
    let work = move |database: &rusqlite::Connection| described(database, &arn, &parsed);
    let (machine, version) = states.read(work).await??;
    let mut answer = json!({
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "status": machine.status,
        "type": machine.revision.kind,
        "creationDate": seconds(machine.created),
    });
    if let Some(version) = version {
        answer["stateMachineArn"] = name::version_arn(&machine.arn, version.number).into();
        answer["creationDate"] = seconds(version.created);
        versions::insert_description(&mut answer, version.description);
    }
    describe_revision(&mut answer, machine.revision, asked.included_data.as_deref());
    Ok(Reply::plain(answer))
}

fn described(database: &rusqlite::Connection, arn: &str, parsed: &MachineArn) -> Decided<(Machine, Option<Version>)> {
    let Some(mut machine) = by_arn(database, &parsed.machine)? else {
        return Ok(Err(refusal::no_such_machine(arn)));
    };
    match &parsed.qualifier {
        None => Ok(Ok((machine, None))),
        // An alias has its own operation.
        Some(Qualifier::Alias(_)) => Ok(Err(refusal::no_such_machine(arn))),
        Some(Qualifier::Version(number)) => {
            let Some(version) = versions::by_number(database, &machine.arn, *number)? else {
                return Ok(Err(refusal::no_such_machine(arn)));
            };
            machine.revision = revision_of(database, version.revision)?;
            Ok(Ok((machine, Some(version))))
        }
    }
}

/// What descriptions of a machine, a version and an execution's machine all say.
pub(super) fn describe_revision(answer: &mut Value, revision: Revision, included_data: Option<&str>) {
    let with_data = included_data != Some("METADATA_ONLY");
    if with_data {
        let references = asl::variable_references(&revision.definition);
        if !references.is_empty() {
            answer["variableReferences"] = json!(references);
        }
    }
    answer["definition"] = if with_data { revision.definition } else { "{}".to_owned() }.into();
    answer["roleArn"] = revision.role_arn.into();
    describe_settings(answer, &revision.settings);
    insert_revision_id(answer, revision.id);
}

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let asked: List = request::read_page(body, &[])?;
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
        "type": machine.kind,
        "creationDate": seconds(machine.created),
    })
}

pub(super) async fn delete(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[Rule::Arn("stateMachineArn")])?;
    let arn = MachineArn::unqualified(&asked.state_machine_arn)?;
    // Its executions are to hear of it before anybody can see that it is being deleted.
    states.inner.deletions.insert(arn.clone());
    let owned = arn.clone();
    let deleting = states.write(move |database| rows::delete(database, &owned)).await;
    if !matches!(deleting, Ok(true)) {
        states.inner.deletions.remove(&arn);
    }
    deleting.map(|_| Reply::plain(json!({})))
}

/// The machine at `arn`, or `StateMachineDoesNotExist`.
pub(super) async fn find(states: &States, arn: String) -> Result<Machine, ServiceError> {
    let wanted = arn.clone();
    let found = states.read(move |database| by_arn(database, &wanted)).await?;
    found.ok_or_else(|| refusal::no_such_machine(&arn))
}

pub(super) fn parse(definition: &str) -> Result<Definition, ServiceError> {
    Definition::parse(definition).map_err(|error| refusal::invalid_definition(&error.to_string()))
}

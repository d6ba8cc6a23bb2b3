//! Aliases of state machines: names that lead to one version, or to two by weight.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-alias.html>

mod rows;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::name::{self, MachineArn, Qualifier};
use super::request::{self, Rule, fault};
use super::{States, page, refusal, seconds};
use crate::wire::{Outcome, Reply, ServiceError};
use rows::Alias;

pub(super) use rows::{by_arn, names_to};

/// The weights of an alias are percents.
const WHOLE: i64 = 100;

/// An alias leads to at most this many versions.
const MOST_ROUTES: usize = 2;

const DESCRIPTION: Rule = Rule::Length("description", 0, 256);
const NAMED: Rule = Rule::Arn("stateMachineAliasArn");

/// One version that an alias leads to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Route {
    state_machine_version_arn: String,
    weight: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: String,
    description: Option<String>,
    routing_configuration: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    state_machine_alias_arn: String,
    description: Option<String>,
    routing_configuration: Option<Vec<Route>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    state_machine_alias_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    state_machine_arn: String,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) async fn create(states: &States, body: Value) -> Outcome {
    let rules =
        [Rule::Required("name"), Rule::Length("name", 1, 80), DESCRIPTION, Rule::Required("routingConfiguration")];
    let asked: Create = request::read(body, &rules)?;
    if !name::is_alias_name(&asked.name) {
        let pattern = "satisfy regular expression pattern: ^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$";
        return request::refuse(&[fault(format!("'{}'", asked.name), "name", pattern)])
            .map(|()| Reply::plain(json!({})));
    }
    let machine_arn = checked_routes(&asked.routing_configuration)?;
    let alias = Alias {
        number: 0,
        arn: format!("{machine_arn}:{}", asked.name),
        machine_arn,
        name: asked.name,
        description: asked.description,
        routes: asked.routing_configuration,
        created: states.now(),
        updated: states.now(),
    };
    let alias = states.write(move |database| rows::insert_or_find(database, alias)).await??;
    Ok(Reply::plain(json!({"stateMachineAliasArn": alias.arn, "creationDate": seconds(alias.created)})))
}

/// The machine whose versions the routes lead to; refuses routes that lead elsewhere, or that do not add up.
fn checked_routes(routes: &[Route]) -> Result<String, ServiceError> {
    check_count(routes)?;
    let mut machines = routes.iter().map(|route| version_of(&route.state_machine_version_arn));
    let machine = machines.next().unwrap_or_else(|| Err(request::invalid("Routing configuration is empty")))?;
    if machines.collect::<Result<Vec<_>, _>>()?.iter().any(|other| *other != machine) {
        return Err(request::invalid("Routing configuration must contain versions of one state machine"));
    }
    match routes {
        [one, other] if one.state_machine_version_arn == other.state_machine_version_arn => {
            Err(request::invalid(format!(
                "Routing configuration must contain distinct state machine version ARNs. Received: [{0}, {0}]",
                one.state_machine_version_arn
            )))
        }
        _ => Ok(machine),
    }
}

fn check_count(routes: &[Route]) -> Result<(), ServiceError> {
    let member = "routingConfiguration";
    let mut faults = Vec::new();
    if routes.is_empty() {
        faults.push(fault("'[]'", member, "have length greater than or equal to 1"));
    }
    if routes.len() > MOST_ROUTES {
        let shown = serde_json::to_string(routes).unwrap_or_default();
        faults.push(fault(format!("'{shown}'"), member, format!("have length less than or equal to {MOST_ROUTES}")));
    }
    for (number, route) in routes.iter().enumerate().filter(|(_, route)| !(0..=WHOLE).contains(&route.weight)) {
        let bound = if route.weight < 0 { "greater than or equal to 0" } else { "less than or equal to 100" };
        let member = format!("{member}.{}.member.weight", number + 1);
        faults.push(fault(format!("'{}'", route.weight), &member, format!("have value {bound}")));
    }
    request::refuse(&faults)?;
    let weights: Vec<i64> = routes.iter().map(|route| route.weight).collect();
    if weights.iter().sum::<i64>() == WHOLE {
        return Ok(());
    }
    Err(request::invalid(format!("Sum of routing configuration weights must equal {WHOLE}. Received: {weights:?}")))
}

/// The machine of a version's ARN.
fn version_of(arn: &str) -> Result<String, ServiceError> {
    match MachineArn::parse(arn)? {
        MachineArn { machine, label: None, qualifier: Some(Qualifier::Version(_)) } => Ok(machine),
        _ => Err(request::invalid(format!(
            "Routing configuration must contain state machine version ARNs. Received: {arn}"
        ))),
    }
}

/// The version that an execution takes, when chance drew `draw` from 0 up to 1.
pub(super) fn choose(alias: &Alias, draw: f64) -> Option<i64> {
    let mut left = draw * 100.0;
    let chosen = alias.routes.iter().find(|route| {
        // Weights are percents, which a double holds exactly.
        let weight = u8::try_from(route.weight).map_or(0.0, f64::from);
        left -= weight;
        left < 0.0
    });
    let arn = &chosen.or(alias.routes.last())?.state_machine_version_arn;
    name::last_part(arn).parse().ok()
}

pub(super) async fn update(states: &States, body: Value) -> Outcome {
    let asked: Update = request::read(body, &[NAMED, DESCRIPTION])?;
    let (arn, now) = (alias_arn(asked.state_machine_alias_arn)?, states.now());
    if asked.description.is_none() && asked.routing_configuration.is_none() {
        return Err(request::invalid("Either the description or the routingConfiguration must be specified"));
    }
    if let Some(routes) = &asked.routing_configuration {
        let machine = checked_routes(routes)?;
        if !arn.starts_with(&format!("{machine}:")) {
            return Err(request::invalid("Routing configuration must contain versions of the alias's state machine"));
        }
    }
    let (description, routes) = (asked.description, asked.routing_configuration);
    let updated = states.write(move |database| rows::change(database, &arn, description, routes, now)).await??;
    Ok(Reply::plain(json!({"updateDate": seconds(updated)})))
}

pub(super) async fn describe(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[NAMED])?;
    let arn = alias_arn(asked.state_machine_alias_arn)?;
    let wanted = arn.clone();
    let found = states.read(move |database| by_arn(database, &wanted)).await?;
    let alias = found.ok_or_else(|| refusal::no_such_resource(&arn))?;
    let mut answer = json!({
        "stateMachineAliasArn": alias.arn,
        "name": alias.name,
        "routingConfiguration": alias.routes,
        "creationDate": seconds(alias.created),
        "updateDate": seconds(alias.updated),
    });
    super::versions::insert_description(&mut answer, alias.description);
    Ok(Reply::plain(answer))
}

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let asked: List = request::read_page(body, &[Rule::Arn("stateMachineArn")])?;
    let arn = asked.state_machine_arn;
    let MachineArn { machine, qualifier, .. } = MachineArn::unlabelled(&arn)?;
    let version = match qualifier {
        None => None,
        Some(Qualifier::Version(_)) => Some(arn.clone()),
        Some(Qualifier::Alias(_)) => return Err(refusal::invalid_arn(&arn)),
    };
    super::machines::find(states, machine.clone()).await?;
    let size = page::size(asked.max_results)?;
    let list = format!("aliases {arn}");
    let before = page::number(&list, asked.next_token.as_deref())?.unwrap_or(i64::MAX);
    let work =
        move |database: &rusqlite::Connection| rows::newest(database, &machine, version.as_deref(), before, size + 1);
    let mut found = states.read(work).await?;
    let next = page::cut(&mut found, size, &list, |alias| alias.number.to_string());
    let item = |alias: &Alias| json!({"stateMachineAliasArn": alias.arn, "creationDate": seconds(alias.created)});
    let mut answer = json!({"stateMachineAliases": found.iter().map(item).collect::<Vec<Value>>()});
    super::insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

pub(super) async fn delete(states: &States, body: Value) -> Outcome {
    let asked: Named = request::read(body, &[NAMED])?;
    let arn = alias_arn(asked.state_machine_alias_arn)?;
    let wanted = arn.clone();
    let gone = states.write(move |database| rows::delete(database, &wanted)).await?;
    if gone { Ok(Reply::plain(json!({}))) } else { Err(refusal::no_such_resource(&arn)) }
}

/// The ARN again, if it is one of an alias.
fn alias_arn(arn: String) -> Result<String, ServiceError> {
    match MachineArn::parse(&arn)? {
        MachineArn { label: None, qualifier: Some(Qualifier::Alias(_)), .. } => Ok(arn),
        _ => Err(refusal::invalid_arn(&arn)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:one";

    fn routes(weights: &[(&str, i64)]) -> Vec<Route> {
        let route = |(rest, weight): &(&str, i64)| Route {
            state_machine_version_arn: format!("{MACHINE}{rest}"),
            weight: *weight,
        };
        weights.iter().map(route).collect()
    }

    #[test]
    fn routes_lead_to_one_machine_and_add_up() {
        for good in [&[(":1", 100)][..], &[(":1", 0), (":2", 100)], &[(":2", 30), (":1", 70)]] {
            assert_eq!(checked_routes(&routes(good)).unwrap(), MACHINE, "{good:?}");
        }
        let bad: [&[(&str, i64)]; 8] = [
            &[],
            &[(":1", 99)],
            &[(":1", 101)],
            &[(":1", -1), (":2", 101)],
            &[(":1", 50), (":1", 50)],
            &[(":1", 50), ("x:1", 50)],
            &[("", 100)],
            &[(":1", 40), (":2", 30), (":3", 30)],
        ];
        for bad in bad {
            assert_eq!(checked_routes(&routes(bad)).unwrap_err().code, "ValidationException", "{bad:?}");
        }
    }

    #[test]
    fn chance_follows_the_weights() {
        let alias = |routes| Alias {
            number: 1,
            arn: String::new(),
            machine_arn: String::new(),
            name: String::new(),
            description: None,
            routes,
            created: 0,
            updated: 0,
        };
        let two = alias(routes(&[(":1", 30), (":2", 70)]));
        let drawn = [0.0, 0.299, 0.3, 0.999].map(|draw| choose(&two, draw));
        assert_eq!(drawn, [Some(1), Some(1), Some(2), Some(2)]);
        let never_first = alias(routes(&[(":1", 0), (":2", 100)]));
        assert_eq!(choose(&never_first, 0.0), Some(2));
    }
}

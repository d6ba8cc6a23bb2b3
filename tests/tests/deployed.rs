//! The deployment's policies against what the services say that they need: `infra/expanded.json`, which
//! `make check-infra` holds to the template that people write.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use services::SERVICES;
use tests::checkout::root;

/// The roles that call services, each with the actions that it needs for that.
fn needed() -> [(&'static str, BTreeSet<&'static str>); 2] {
    let all = |list: fn(&services::Descriptor) -> &'static [&'static str]| {
        SERVICES.iter().flat_map(|service| list(service.descriptor())).copied().collect()
    };
    [("StartJobRole", all(|descriptor| descriptor.actions)), ("PollStatusRole", all(|descriptor| descriptor.polling))]
}

/// The services of AWS that only those roles may speak to. S3 is everybody's.
fn prefixes() -> BTreeSet<&'static str> {
    let actions = SERVICES.iter().flat_map(|service| service.descriptor().actions);
    actions.filter_map(|action| action.split(':').next()).filter(|prefix| *prefix != "s3").collect()
}

fn template() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("infra/expanded.json")).unwrap()).unwrap()
}

/// What the policies of a role allow.
fn allowed(role: &Value) -> BTreeSet<String> {
    let policies = role["Properties"]["Policies"].as_array().into_iter().flatten();
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten());
    statements.flat_map(|statement| strings(&statement["Action"])).collect()
}

fn strings(value: &Value) -> Vec<String> {
    let one = value.as_str().into_iter();
    let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.chain(many).map(str::to_owned).collect()
}

/// What is wrong with the roles of a template.
fn problems(template: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let resources = template["Resources"].as_object().unwrap();
    for (name, resource) in resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role") {
        let allowed = allowed(resource);
        let needed =
            needed().into_iter().find(|(role, _)| role == name).map(|(_, actions)| actions).unwrap_or_default();
        let missing = needed.iter().filter(|action| !allowed.contains(**action));
        problems.extend(missing.map(|action| format!("{name} lacks {action}")));
        let services =
            allowed.iter().filter(|action| prefixes().contains(action.split(':').next().unwrap_or_default()));
        let idle = services.filter(|action| !needed.contains(action.as_str()));
        problems.extend(idle.map(|action| format!("{name} may {action}, which no service asks for there")));
    }
    problems
}

#[test]
fn roles_allow_what_the_services_need_and_no_more() {
    assert_eq!(problems(&template()), Vec::<String>::new());
}

#[test]
fn asking_about_a_job_needs_no_more_than_starting_it() {
    let [(_, start), (_, poll)] = needed();
    assert!(poll.is_subset(&start) && !poll.is_empty(), "{poll:?}");
}

#[test]
fn a_policy_that_was_forgotten_or_copied_is_found() {
    let mut template = template();
    let statements =
        &mut template["Resources"]["StartJobRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    statements.as_array_mut().unwrap().retain(|statement| statement["Sid"] != "Comprehend");
    let copied = json!({"Sid": "Copied", "Effect": "Allow", "Action": "textract:AnalyzeDocument", "Resource": "*"});
    let statements =
        &mut template["Resources"]["CatalogRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    statements.as_array_mut().unwrap().push(copied);
    let found = problems(&template);
    assert!(found.contains(&"StartJobRole lacks comprehend:DetectPiiEntities".to_owned()), "{found:?}");
    assert!(found.contains(&"CatalogRole may textract:AnalyzeDocument, which no service asks for there".to_owned()));
}

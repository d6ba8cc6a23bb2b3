//! Names and ARNs of state machines, their versions and aliases, and executions.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>

use super::{States, refusal, request};
use crate::identifier;
use crate::wire::ServiceError;

/// Characters that no name may hold, beside white space and controls.
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

/// Refuses a name that the service would refuse; its length is a bound of the request.
pub(super) fn check(name: &str) -> Result<(), ServiceError> {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || FORBIDDEN.contains(c) || is_nonchar(c);
    if name.is_empty() || name.chars().any(forbidden) { Err(refusal::invalid_name(name)) } else { Ok(()) }
}

fn is_nonchar(c: char) -> bool {
    matches!(c, '\u{fffe}' | '\u{ffff}')
}

pub(super) fn machine_arn(states: &States, name: &str) -> String {
    format!("arn:aws:states:{}:{}:stateMachine:{name}", states.context().region, states.account)
}

pub(super) fn activity_arn(states: &States, name: &str) -> String {
    format!("arn:aws:states:{}:{}:activity:{name}", states.context().region, states.account)
}

/// The ARN of the execution `name` of the machine at `machine_arn`.
pub(super) fn execution_arn(machine_arn: &str, name: &str) -> String {
    format!("{}:{name}", machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

/// The ARN of a child execution; its state machine's ARN ends in the label of its Map.
pub(super) fn child_arn(machine_arn: &str, name: &str, express: bool) -> String {
    if express {
        let of = machine_arn.replacen(":stateMachine:", ":express:", 1);
        return format!("{of}:{name}:{}", identifier::random());
    }
    execution_arn(machine_arn, name)
}

/// Whether an ARN is that of a child of a Map Run whose children are EXPRESS executions.
pub(super) fn is_express_child(arn: &str) -> bool {
    arn.split(':').nth(5) == Some("express") && arn.contains('/')
}

/// The ARN of an execution of an Express machine, whose name many may bear.
pub(super) fn express_arn(machine_arn: &str, name: &str, unique: &str) -> String {
    format!("{}:{name}:{unique}", machine_arn.replacen(":stateMachine:", ":express:", 1))
}

pub(super) fn version_arn(machine_arn: &str, version: i64) -> String {
    format!("{machine_arn}:{version}")
}

/// The name of a state machine, without the label of one of its Maps.
pub(super) fn machine_name(machine_arn: &str) -> &str {
    last_part(machine_arn).split('/').next().unwrap_or_default()
}

/// The name at the end of an ARN.
pub(super) fn last_part(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// The ARN of a state machine, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MachineArn {
    /// The ARN without what qualifies it.
    pub(super) machine: String,
    /// The distributed Map that it leads to.
    pub(super) label: Option<String>,
    /// The version or alias that it leads to.
    pub(super) qualifier: Option<Qualifier>,
}

/// What of a state machine an ARN leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Qualifier {
    Version(i64),
    Alias(String),
}

impl MachineArn {
    /// Takes an ARN apart.
    ///
    /// # Errors
    /// `InvalidArn` when it is none of a state machine.
    pub(super) fn parse(arn: &str) -> Result<Self, ServiceError> {
        check_arn(arn, "stateMachine")?;
        let colon = arn.match_indices(':').nth(6).map(|(at, _)| at);
        let (machine, qualifier) = colon.map_or((arn, None), |at| (&arn[..at], Some(&arn[at + 1..])));
        let qualifier = qualifier.map(|text| Qualifier::parse(text).ok_or_else(|| refusal::invalid_arn(arn)));
        let (machine, label) = match machine.split_once('/') {
            Some((machine, label)) => (machine, Some(label.to_owned())),
            None => (machine, None),
        };
        Ok(Self { machine: machine.to_owned(), label, qualifier: qualifier.transpose()? })
    }

    /// The ARN of a machine, where the operation takes no label.
    pub(super) fn unlabelled(arn: &str) -> Result<Self, ServiceError> {
        match Self::parse(arn)? {
            Self { label: Some(_), .. } => Err(request::invalid(format!(
                "State machine ARN '{arn}' refers to a Distributed Map state, which this operation does not take"
            ))),
            whole => Ok(whole),
        }
    }

    /// The ARN of a machine, where the operation takes nothing else.
    pub(super) fn unqualified(arn: &str) -> Result<String, ServiceError> {
        match Self::unlabelled(arn)? {
            Self { qualifier: Some(_), .. } => Err(request::invalid(format!(
                "State machine ARN '{arn}' is qualified, and this operation takes an unqualified one"
            ))),
            Self { machine, .. } => Ok(machine),
        }
    }
}

impl Qualifier {
    fn parse(text: &str) -> Option<Self> {
        if is_alias_name(text) {
            return Some(Self::Alias(text.to_owned()));
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).map(Self::Version)
    }
}

/// Letters, digits and `_-.`, and not digits alone: that would be a version.
pub(super) fn is_alias_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    name.bytes().all(allowed) && name.bytes().any(|byte| !byte.is_ascii_digit())
}

/// Refuses what is no ARN of Step Functions of the kind (`stateMachine`, `execution`) that the operation takes.
pub(super) fn check_arn(arn: &str, kind: &str) -> Result<(), ServiceError> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    match parts[..] {
        ["arn", _, "states", _, _, found, rest] if found == kind && !rest.is_empty() => Ok(()),
        ["arn", _, "states", _, _, found, _] => {
            let message = format!("Invalid Arn: 'Resource type not valid in this context: {found}'");
            Err(ServiceError::client("InvalidArn", message))
        }
        _ => Err(refusal::invalid_arn(arn)),
    }
}

/// Refuses what is no ARN of a role. Nothing is asked of the role itself: the local cloud has no access rules.
pub(super) fn check_role(arn: &str) -> Result<(), ServiceError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "iam", _, _, resource] if resource.strip_prefix("role/").is_some_and(|name| !name.is_empty()) => {
            Ok(())
        }
        _ => Err(ServiceError::client("InvalidArn", format!("Invalid Role Arn: '{arn}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:extract";

    #[test]
    fn names_follow_the_services_rules() {
        let long = "x".repeat(80);
        for good in ["a", "a.b-c_d", "Prüfung-(2)@home+1=é!", long.as_str()] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a:b", "a\u{7}", "a\"b", "50%", "a\u{a0}b"] {
            assert_eq!(check(bad).unwrap_err().code, "InvalidName", "{bad}");
        }
    }

    #[test]
    fn an_arn_of_another_kind_is_refused() {
        assert!(check_arn(MACHINE, "stateMachine").is_ok());
        assert_eq!(check_arn(MACHINE, "execution").unwrap_err().code, "InvalidArn");
        assert_eq!(check_arn("extract", "stateMachine").unwrap_err().code, "InvalidArn");
        assert!(check_arn(&execution_arn(MACHINE, "one"), "execution").is_ok());
        let express = check_arn(&express_arn(MACHINE, "one", "id"), "execution").unwrap_err();
        assert_eq!(express.message, "Invalid Arn: 'Resource type not valid in this context: express'");
    }

    #[test]
    fn qualified_arns_come_apart() {
        let whole = |label: Option<&str>, qualifier| MachineArn {
            machine: MACHINE.to_owned(),
            label: label.map(str::to_owned),
            qualifier,
        };
        let parse = |rest: &str| MachineArn::parse(&format!("{MACHINE}{rest}"));
        assert_eq!(parse("").unwrap(), whole(None, None));
        assert_eq!(parse(":12").unwrap(), whole(None, Some(Qualifier::Version(12))));
        assert_eq!(parse(":PROD").unwrap(), whole(None, Some(Qualifier::Alias("PROD".to_owned()))));
        assert_eq!(parse("/label").unwrap(), whole(Some("label"), None));
        for bad in [":", ":a:b", ":a b", ":99999999999999999999"] {
            assert_eq!(parse(bad).unwrap_err().code, "InvalidArn", "{bad}");
        }
        assert_eq!(MachineArn::unlabelled(&format!("{MACHINE}/l")).unwrap_err().code, "ValidationException");
        assert_eq!(MachineArn::unqualified(&format!("{MACHINE}:1")).unwrap_err().code, "ValidationException");
    }

    #[test]
    fn a_role_is_named_by_its_arn() {
        assert!(check_role("arn:aws:iam::0:role/service/r").is_ok());
        for bad in ["r", "arn:aws:iam::0:role/", "arn:aws:iam::0:user/r", "arn:aws:s3:::role/r"] {
            assert_eq!(check_role(bad).unwrap_err().code, "InvalidArn", "{bad}");
        }
    }
}

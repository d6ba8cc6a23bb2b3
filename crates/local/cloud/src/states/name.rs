//! Names and ARNs of state machines and executions.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>

use super::refusal;
use crate::context::{ACCOUNT, Context};
use crate::identifier;
use crate::wire::ServiceError;

/// The most characters of a name.
const MOST_NAME_CHARS: usize = 80;

/// Characters that no name may hold, beside white space and controls.
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

/// Refuses a name that the service would refuse.
pub(super) fn check(name: &str) -> Result<(), ServiceError> {
    let length = name.chars().count();
    if length > MOST_NAME_CHARS {
        return Err(refusal::out_of_bounds("name", name, "have length less than or equal to 80"));
    }
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || FORBIDDEN.contains(c) || is_nonchar(c);
    if length == 0 || name.chars().any(forbidden) { Err(refusal::invalid_name(name)) } else { Ok(()) }
}

fn is_nonchar(c: char) -> bool {
    matches!(c, '\u{fffe}' | '\u{ffff}')
}

pub(super) fn machine_arn(context: &Context, name: &str) -> String {
    format!("arn:aws:states:{}:{ACCOUNT}:stateMachine:{name}", context.region)
}

pub(super) fn activity_arn(context: &Context, name: &str) -> String {
    format!("arn:aws:states:{}:{ACCOUNT}:activity:{name}", context.region)
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
    arn.splitn(7, ':').nth(5) == Some("express") && arn.contains('/')
}

/// The name at the end of an ARN.
pub(super) fn last_part(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
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

#[cfg(test)]
mod tests {
    use super::{check, check_arn, execution_arn};

    #[test]
    fn names_follow_the_services_rules() {
        let long = "x".repeat(80);
        for good in ["a", "a.b-c_d", "Prüfung-(2)@home+1=é!", long.as_str()] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a:b", "a\u{7}", "a\"b", "50%", "a\u{a0}b"] {
            assert_eq!(check(bad).unwrap_err().code, "InvalidName", "{bad}");
        }
        assert_eq!(check(&"x".repeat(81)).unwrap_err().code, "ValidationException");
    }

    #[test]
    fn an_arn_of_another_kind_is_refused() {
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:extract";
        assert!(check_arn(machine, "stateMachine").is_ok());
        assert_eq!(check_arn(machine, "execution").unwrap_err().code, "InvalidArn");
        assert_eq!(check_arn("extract", "stateMachine").unwrap_err().code, "InvalidArn");
        assert!(check_arn(&execution_arn(machine, "one"), "execution").is_ok());
    }
}

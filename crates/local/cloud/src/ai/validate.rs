//! Constraints on members, with the messages that AWS gives when one does not hold.

use crate::wire::ServiceError;

/// A service's error type for a member that breaks a constraint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validation(pub(crate) &'static str);

impl Validation {
    /// An error of this type.
    pub(crate) fn error(self, message: impl Into<String>) -> ServiceError {
        ServiceError::client(self.0, message)
    }

    /// `1 validation error detected: …`
    pub(crate) fn failed(self, value: &str, member: &str, constraint: &str) -> ServiceError {
        self.error(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }

    /// Length in characters.
    pub(crate) fn length(self, value: &str, member: &str, least: usize, most: usize) -> Result<(), ServiceError> {
        let length = value.chars().count();
        if length < least {
            return Err(self.failed(
                value,
                member,
                &format!("Member must have length greater than or equal to {least}"),
            ));
        }
        if length > most {
            return Err(self.failed(value, member, &format!("Member must have length less than or equal to {most}")));
        }
        Ok(())
    }

    /// Letters and digits of ASCII, and the characters of `others`.
    pub(crate) fn characters(self, value: &str, member: &str, others: &str, pattern: &str) -> Result<(), ServiceError> {
        if value.chars().all(|character| character.is_ascii_alphanumeric() || others.contains(character)) {
            return Ok(());
        }
        Err(self.failed(value, member, &format!("Member must satisfy regular expression pattern: {pattern}")))
    }

    /// One of a list.
    pub(crate) fn one_of(self, value: &str, member: &str, list: &[&str]) -> Result<(), ServiceError> {
        if list.contains(&value) {
            return Ok(());
        }
        Err(self.failed(value, member, &format!("Member must satisfy enum value set: [{}]", list.join(", "))))
    }

    /// A number in a range.
    pub(crate) fn range(self, value: i64, member: &str, least: i64, most: i64) -> Result<(), ServiceError> {
        if value < least {
            return Err(self.failed(
                &value.to_string(),
                member,
                &format!("Member must have value greater than or equal to {least}"),
            ));
        }
        if value > most {
            return Err(self.failed(
                &value.to_string(),
                member,
                &format!("Member must have value less than or equal to {most}"),
            ));
        }
        Ok(())
    }

    /// A member that must be there.
    pub(crate) fn required<'a, T>(self, value: Option<&'a T>, member: &str) -> Result<&'a T, ServiceError> {
        value.ok_or_else(|| self.failed("null", member, "Member must not be null"))
    }
}

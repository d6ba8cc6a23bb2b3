//! Names of buckets: a new one follows today's rules, but a request may name one that only the older rules allowed, and
//! then it is told that there is no such bucket.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use s3s::validation::{AwsNameValidation, NameValidation};

/// The longest name of the older rules.
const MOST_OLD_BYTES: usize = 255;

/// The rules for a bucket that may have been made long ago in `us-east-1`.
#[derive(Debug)]
pub(super) struct Old;

impl NameValidation for Old {
    fn validate_bucket_name(&self, name: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        is_new(name) || (3..=MOST_OLD_BYTES).contains(&name.len()) && name.bytes().all(allowed)
    }
}

/// Whether a bucket of that name may be made today.
pub(super) fn is_new(name: &str) -> bool {
    AwsNameValidation::new().validate_bucket_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_name_is_a_name_but_not_a_new_one() {
        for name in ["raw", "raw.data-1"] {
            assert!(is_new(name) && Old.validate_bucket_name(name), "{name}");
        }
        for name in ["RawData", "raw_data", &"x".repeat(64)] {
            assert!(!is_new(name) && Old.validate_bucket_name(name), "{name}");
        }
        for name in ["", "ab", "raw data", "raw/data", &"x".repeat(256)] {
            assert!(!is_new(name) && !Old.validate_bucket_name(name), "{name}");
        }
    }
}

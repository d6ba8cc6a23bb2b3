//! Tags of an object, with S3's rules.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>

use std::collections::HashSet;

use super::error::StoreError;
use super::object::Tag;
use super::rows;
use super::{Found, Store, read};

/// Tags of one object.
const MOST_TAGS: usize = 10;
/// Characters of a tag's key.
const MOST_KEY_CHARS: usize = 128;
/// Characters of a tag's value.
const MOST_VALUE_CHARS: usize = 256;

impl Store {
    /// Replaces the tags of the current version, or of the one named; gives back its version id.
    ///
    /// # Errors
    /// When the object does not exist or the tags break S3's rules.
    pub async fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
        tags: Vec<Tag>,
    ) -> Result<Option<String>, StoreError> {
        check(&tags)?;
        let (bucket, key, version_id) = (bucket.to_owned(), key.to_owned(), version_id.map(str::to_owned));
        let set = self.database.write(move |transaction| {
            let object = match read::find(transaction, &bucket, &key, version_id.as_deref())? {
                Ok(Found::Object(object)) => object,
                Ok(Found::DeleteMarker { .. }) => return Ok(Err(StoreError::NoSuchKey(key))),
                Err(refusal) => return Ok(Err(refusal)),
            };
            let named = object.version_id.as_deref().unwrap_or(rows::NULL_VERSION);
            let sql = "UPDATE versions SET tags = ?1 WHERE bucket = ?2 AND key = ?3 AND version_id = ?4";
            transaction.execute(sql, (rows::to_json(&tags)?, &bucket, &key, named))?;
            Ok(Ok(object.version_id))
        });
        set.await?
    }
}

/// Holds tags against S3's rules.
pub(super) fn check(tags: &[Tag]) -> Result<(), StoreError> {
    if tags.len() > MOST_TAGS {
        return Err(StoreError::InvalidTag("an object has at most 10 tags"));
    }
    let mut keys = HashSet::new();
    for tag in tags {
        if !keys.insert(&tag.key) {
            return Err(StoreError::InvalidTag("two tags have the same key"));
        }
        check_one(tag)?;
    }
    Ok(())
}

fn check_one(tag: &Tag) -> Result<(), StoreError> {
    if !(1..=MOST_KEY_CHARS).contains(&tag.key.chars().count()) {
        return Err(StoreError::InvalidTag("a tag's key has 1 to 128 characters"));
    }
    if tag.key.starts_with("aws:") {
        return Err(StoreError::InvalidTag("a tag's key must not begin with `aws:`"));
    }
    if tag.value.chars().count() > MOST_VALUE_CHARS {
        return Err(StoreError::InvalidTag("a tag's value has at most 256 characters"));
    }
    let allowed = |character: char| character.is_alphanumeric() || character == ' ' || "+-=._:/@".contains(character);
    if !tag.key.chars().chain(tag.value.chars()).all(allowed) {
        return Err(StoreError::InvalidTag("a tag holds letters, digits, spaces and `+ - = . _ : / @` only"));
    }
    Ok(())
}

//! Tags of state machines and activities.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TagResource.html>

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{self, Rule, fault};
use super::{Decided, States, refusal};
use crate::wire::{Outcome, Reply, ServiceError};

/// A resource has at most this many.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const MOST_TAGS: usize = 50;

/// The most characters of a key, and of a value.
const MOST_KEY_CHARS: usize = 128;
const MOST_VALUE_CHARS: usize = 256;

/// What may stand in a tag beside letters, digits and white space.
const SYMBOLS: &str = "_.:/=+-@";

/// Tables whose rows have tags, by the kind in their ARNs.
const TAGGED: [(&str, &str); 2] = [
    ("stateMachine", "SELECT EXISTS (SELECT 1 FROM state_machine WHERE arn = ?1)"),
    ("activity", "SELECT EXISTS (SELECT 1 FROM activity WHERE arn = ?1)"),
];

/// One tag.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tag {
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

pub(super) async fn list(states: &States, body: Value) -> Outcome {
    let asked: Tagging = request::read(body, &[Rule::Arn("resourceArn")])?;
    let work = move |database: &Connection| if_there(database, &asked.resource_arn, of);
    let tags = states.read(work).await??;
    let tags: Vec<Value> = tags.into_iter().map(|tag| json!({"key": tag.key, "value": tag.value})).collect();
    Ok(Reply::plain(json!({ "tags": tags })))
}

pub(super) async fn tag(states: &States, body: Value) -> Outcome {
    let asked: Tagging = request::read(body, &[Rule::Arn("resourceArn"), Rule::Required("tags")])?;
    check(&asked.tags)?;
    let tagged = states.write(move |database| {
        if_there(database, &asked.resource_arn, |database, arn| add(database, arn, &asked.tags))
    });
    tagged.await???;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn untag(states: &States, body: Value) -> Outcome {
    let asked: Tagging = request::read(body, &[Rule::Arn("resourceArn"), Rule::Required("tagKeys")])?;
    let untagged = states.write(move |database| {
        if_there(database, &asked.resource_arn, |database, arn| {
            let mut remove = database.prepare_cached("DELETE FROM resource_tag WHERE arn = ?1 AND key = ?2")?;
            asked.tag_keys.iter().try_for_each(|key| remove.execute([arn, key]).map(drop))
        })
    });
    untagged.await??;
    Ok(Reply::plain(json!({})))
}

/// Refuses tags that the service would refuse.
pub(super) fn check(tags: &[Tag]) -> Result<(), ServiceError> {
    let mut keys = BTreeSet::new();
    if let Some(twice) = tags.iter().find(|tag| !keys.insert(&tag.key)) {
        return Err(request::invalid(format!("Duplicate tag keys found: {}", twice.key)));
    }
    request::refuse(&tags.iter().flat_map(Tag::faults).collect::<Vec<_>>())?;
    if tags.len() > MOST_TAGS { Err(too_many()) } else { Ok(()) }
}

impl Tag {
    fn faults(&self) -> Vec<String> {
        let text = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || SYMBOLS.contains(c));
        let (key, value) = (format!("'{}'", self.key), format!("'{}'", self.value));
        let faults = [
            (self.key.is_empty()).then(|| fault(&key, "tags.key", "have length greater than or equal to 1")),
            (self.key.chars().count() > MOST_KEY_CHARS)
                .then(|| fault(&key, "tags.key", format!("have length less than or equal to {MOST_KEY_CHARS}"))),
            (self.value.chars().count() > MOST_VALUE_CHARS)
                .then(|| fault(&value, "tags.value", format!("have length less than or equal to {MOST_VALUE_CHARS}"))),
            (!text(&self.key) || self.key.starts_with("aws:")).then(|| {
                fault(&key, "tags.key", "be letters, digits, white space or _.:/=+-@, and not begin with aws:")
            }),
            (!text(&self.value)).then(|| fault(&value, "tags.value", "be letters, digits, white space or _.:/=+-@")),
        ];
        faults.into_iter().flatten().collect()
    }
}

fn too_many() -> ServiceError {
    ServiceError::client("TooManyTags", format!("Too many tags: a resource has at most {MOST_TAGS} tags"))
}

/// Does `work` on the tags of a resource that exists.
fn if_there<T>(
    database: &Connection,
    arn: &str,
    work: impl FnOnce(&Connection, &str) -> rusqlite::Result<T>,
) -> Decided<T> {
    let kind = arn.split(':').nth(5).unwrap_or_default();
    let Some((_, exists)) = TAGGED.iter().find(|(tagged, _)| *tagged == kind) else {
        return Ok(Err(refusal::invalid_arn(arn)));
    };
    if !database.prepare_cached(exists)?.query_row([arn], |row| row.get(0))? {
        return Ok(Err(refusal::no_such_resource(arn)));
    }
    work(database, arn).map(Ok)
}

fn add(database: &Connection, arn: &str, tags: &[Tag]) -> Decided<()> {
    let mut keys: BTreeSet<String> = of(database, arn)?.into_iter().map(|tag| tag.key).collect();
    keys.extend(tags.iter().map(|tag| tag.key.clone()));
    if keys.len() > MOST_TAGS {
        return Ok(Err(too_many()));
    }
    set(database, arn, tags).map(Ok)
}

/// Gives a resource these tags beside those that it has.
pub(super) fn set(database: &Connection, arn: &str, tags: &[Tag]) -> rusqlite::Result<()> {
    let mut insert =
        database.prepare_cached("INSERT OR REPLACE INTO resource_tag (arn, key, value) VALUES (?1, ?2, ?3)")?;
    tags.iter().try_for_each(|tag| insert.execute(params![arn, tag.key, tag.value]).map(drop))
}

fn of(database: &Connection, arn: &str) -> rusqlite::Result<Vec<Tag>> {
    let sql = "SELECT key, value FROM resource_tag WHERE arn = ?1 ORDER BY key";
    let tag = |row: &rusqlite::Row<'_>| Ok(Tag { key: row.get(0)?, value: row.get(1)? });
    database.prepare_cached(sql)?.query_map([arn], tag)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_the_services_rules() {
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        for good in [tag("a", ""), tag("Küche 1", "a_b.c:d/e=f+g-h@i"), tag(&"k".repeat(128), &"v".repeat(256))] {
            assert!(check(std::slice::from_ref(&good)).is_ok(), "{good:?}");
        }
        for bad in [tag("", "x"), tag("a;b", ""), tag("aws:a", ""), tag("a", "<"), tag(&"k".repeat(129), "")] {
            assert_eq!(check(std::slice::from_ref(&bad)).unwrap_err().code, "ValidationException", "{bad:?}");
        }
        let many: Vec<Tag> = (0..=MOST_TAGS).map(|number| tag(&number.to_string(), "")).collect();
        assert_eq!(check(&many).unwrap_err().code, "TooManyTags");
        assert_eq!(check(&[tag("a", "1"), tag("a", "2")]).unwrap_err().code, "ValidationException");
    }
}

//! Tags of workgroups.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_TagResource.html>

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{self, VALIDATION};
use super::{Athena, groups};
use crate::context::ACCOUNT;
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// The most tags of a resource.
const MOST_TAGS: usize = 50;

/// One tag.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<String>,
    tags: Vec<Tag>,
    tag_keys: Vec<String>,
}

/// The ARN of a workgroup.
pub(super) fn group_arn(region: &str, name: &str) -> String {
    format!("arn:aws:athena:{region}:{ACCOUNT}:workgroup/{name}")
}

pub(super) fn check(tags: &[Tag]) -> Result<(), ServiceError> {
    if tags.len() > MOST_TAGS {
        return Err(too_many());
    }
    for tag in tags {
        VALIDATION.length(&tag.key, "tags.key", 1, 128)?;
        VALIDATION.length(&tag.value, "tags.value", 0, 256)?;
    }
    Ok(())
}

fn too_many() -> ServiceError {
    refusal::invalid(format!("a resource has at most {MOST_TAGS} tags"))
}

pub(super) fn set(database: &Connection, arn: &str, tags: &[Tag]) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO resource_tag (arn, key, value) VALUES (?1, ?2, ?3)";
    let mut insert = database.prepare_cached(sql)?;
    tags.iter().try_for_each(|tag| insert.execute(params![arn, tag.key, tag.value]).map(drop))
}

pub(super) fn remove_all(database: &Connection, arn: &str) -> rusqlite::Result<()> {
    database.execute("DELETE FROM resource_tag WHERE arn = ?1", [arn]).map(drop)
}

/// The ARN of a resource that is there. Only workgroups have tags here.
async fn resource(athena: &Athena, asked: &Asked) -> Result<String, ServiceError> {
    let arn = VALIDATION.required(asked.resource_arn.as_ref(), "resourceARN")?;
    let missing = || refusal::no_such_resource(arn);
    let name = arn.rsplit_once(":workgroup/").map(|(_, name)| name).ok_or_else(missing)?;
    groups::must_exist(athena, name).await.map_err(|_| missing())?;
    Ok(group_arn(&athena.inner.context.region, name))
}

pub(super) async fn list(athena: &Athena, body: Value) -> Outcome {
    let arn = resource(athena, &decode(body)?).await?;
    let tags = athena.read(move |database| {
        let sql = "SELECT key, value FROM resource_tag WHERE arn = ?1 ORDER BY key";
        let tag = |row: &rusqlite::Row<'_>| Ok(Tag { key: row.get(0)?, value: row.get(1)? });
        database.prepare_cached(sql)?.query_map([arn], tag)?.collect::<rusqlite::Result<Vec<Tag>>>()
    });
    Ok(Reply::plain(json!({ "Tags": tags.await? })))
}

pub(super) async fn tag(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let arn = resource(athena, &asked).await?;
    check(&asked.tags)?;
    let tagged = athena.write(move |database| {
        let others =
            "SELECT count(*) FROM resource_tag WHERE arn = ?1 AND key NOT IN (SELECT value FROM json_each(?2))";
        let keys: Vec<&str> = asked.tags.iter().map(|tag| tag.key.as_str()).collect();
        let others: i64 = database.query_row(others, params![arn, json!(keys).to_string()], |row| row.get(0))?;
        if usize::try_from(others).unwrap_or(usize::MAX).saturating_add(asked.tags.len()) > MOST_TAGS {
            return Ok(Err(too_many()));
        }
        set(database, &arn, &asked.tags).map(Ok)
    });
    tagged.await??;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn untag(athena: &Athena, body: Value) -> Outcome {
    let asked: Asked = decode(body)?;
    let arn = resource(athena, &asked).await?;
    let untagged = athena.write(move |database| {
        let mut remove = database.prepare_cached("DELETE FROM resource_tag WHERE arn = ?1 AND key = ?2")?;
        asked.tag_keys.iter().try_for_each(|key| remove.execute([&arn, key]).map(drop))
    });
    untagged.await?;
    Ok(Reply::plain(json!({})))
}

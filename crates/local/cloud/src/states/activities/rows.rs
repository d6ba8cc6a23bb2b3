//! Activities in the database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

/// Times are milliseconds since 1970; tags are one JSON object.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS activity (
    arn TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    tags TEXT NOT NULL
) WITHOUT ROWID;
";

#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) tags: Value,
}

const SELECT: &str = "SELECT arn, name, created, tags FROM activity";

pub(crate) fn by_arn(database: &Connection, arn: &str) -> rusqlite::Result<Option<Activity>> {
    database.prepare_cached(&format!("{SELECT} WHERE arn = ?1"))?.query_row([arn], activity).optional()
}

/// Makes an activity; one that is there already stands, as on AWS, where creating twice is one creation.
pub(crate) fn insert_or_find(database: &Connection, new: Activity) -> rusqlite::Result<Activity> {
    if let Some(there) = by_arn(database, &new.arn)? {
        return Ok(there);
    }
    let sql = "INSERT INTO activity (arn, name, created, tags) VALUES (?1, ?2, ?3, ?4)";
    database.execute(sql, params![new.arn, new.name, new.created, new.tags.to_string()])?;
    Ok(new)
}

pub(crate) fn after(database: &Connection, arn: &str, most: usize) -> rusqlite::Result<Vec<Activity>> {
    let sql = format!("{SELECT} WHERE arn > ?1 ORDER BY arn LIMIT ?2");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.prepare_cached(&sql)?.query_map(params![arn, most], activity)?.collect()
}

pub(crate) fn delete(database: &Connection, arn: &str) -> rusqlite::Result<()> {
    database.execute("DELETE FROM activity WHERE arn = ?1", [arn])?;
    Ok(())
}

fn activity(row: &Row<'_>) -> rusqlite::Result<Activity> {
    let tags: String = row.get(3)?;
    Ok(Activity {
        arn: row.get(0)?,
        name: row.get(1)?,
        created: row.get(2)?,
        tags: serde_json::from_str(&tags).unwrap_or_default(),
    })
}

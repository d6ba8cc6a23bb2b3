//! Activities in the database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::states::tags::{self, Tag};

/// Times are milliseconds since 1970.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS activity (
    arn TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID;
";

#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) created: i64,
}

const SELECT: &str = "SELECT arn, name, created FROM activity";

pub(crate) fn by_arn(database: &Connection, arn: &str) -> rusqlite::Result<Option<Activity>> {
    database.prepare_cached(&format!("{SELECT} WHERE arn = ?1"))?.query_row([arn], activity).optional()
}

/// Makes an activity; one that is there already stands, as on AWS, where creating twice is one creation.
pub(crate) fn insert_or_find(database: &Connection, new: Activity, tags: &[Tag]) -> rusqlite::Result<Activity> {
    if let Some(there) = by_arn(database, &new.arn)? {
        return Ok(there);
    }
    let sql = "INSERT INTO activity (arn, name, created) VALUES (?1, ?2, ?3)";
    database.execute(sql, params![new.arn, new.name, new.created])?;
    tags::set(database, &new.arn, tags)?;
    Ok(new)
}

pub(crate) fn after(database: &Connection, arn: &str, most: usize) -> rusqlite::Result<Vec<Activity>> {
    let sql = format!("{SELECT} WHERE arn > ?1 ORDER BY arn LIMIT ?2");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    database.prepare_cached(&sql)?.query_map(params![arn, most], activity)?.collect()
}

pub(crate) fn delete(database: &Connection, arn: &str) -> rusqlite::Result<()> {
    database.execute("DELETE FROM activity WHERE arn = ?1", [arn])?;
    database.execute("DELETE FROM resource_tag WHERE arn = ?1", [arn])?;
    Ok(())
}

fn activity(row: &Row<'_>) -> rusqlite::Result<Activity> {
    Ok(Activity { arn: row.get(0)?, name: row.get(1)?, created: row.get(2)? })
}

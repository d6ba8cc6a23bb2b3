//! Buckets: made, listed, removed when empty; their versioning and notification rules.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row};

use super::error::StoreError;
use super::events::NotificationRules;
use super::{Store, rows};

/// Whether a bucket keeps old versions. A bucket that was never versioned has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Each write makes a version.
    Enabled,
    /// Old versions stay, new writes replace the `null` version.
    Suspended,
}

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its versioning, if it was ever set.
    pub versioning: Option<Versioning>,
    /// Who is told about changes.
    pub notifications: NotificationRules,
}

const COLUMNS: &str = "SELECT name, created_ms, versioning, notifications FROM buckets";

impl Versioning {
    /// Its name in S3.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Suspended].into_iter().find(|versioning| versioning.name() == name)
    }
}

impl Store {
    /// Makes a bucket.
    ///
    /// # Errors
    /// [`StoreError::BucketExists`].
    pub async fn create_bucket(&self, name: &str) -> Result<(), StoreError> {
        let (owned, now) = (name.to_owned(), self.clock.now().as_millisecond());
        let sql = "INSERT OR IGNORE INTO buckets (name, created_ms) VALUES (?1, ?2)";
        let made = self.database.write(move |transaction| transaction.execute(sql, (owned, now))).await?;
        if made == 0 { Err(StoreError::BucketExists(name.to_owned())) } else { Ok(()) }
    }

    /// Removes a bucket that holds nothing.
    ///
    /// # Errors
    /// When it does not exist or holds objects, versions, delete markers or uploads.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        let deleted = self.database.write(move |transaction| {
            let sql = "SELECT EXISTS (SELECT 1 FROM versions WHERE bucket = ?1) \
                       OR EXISTS (SELECT 1 FROM uploads WHERE bucket = ?1)";
            if transaction.query_row(sql, [&name], |row| row.get(0))? {
                return Ok(Err(StoreError::BucketNotEmpty(name)));
            }
            let removed = transaction.execute("DELETE FROM buckets WHERE name = ?1", [&name])?;
            Ok(if removed == 0 { Err(StoreError::NoSuchBucket(name)) } else { Ok(()) })
        });
        deleted.await?
    }

    /// One bucket.
    ///
    /// # Errors
    /// When it does not exist.
    pub async fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        let owned = name.to_owned();
        let sql = format!("{COLUMNS} WHERE name = ?1");
        let found = self
            .database
            .read(move |connection| connection.prepare_cached(&sql)?.query_row([owned], bucket).optional());
        found.await?.ok_or_else(|| StoreError::NoSuchBucket(name.to_owned()))
    }

    /// All buckets, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY name");
        let all =
            self.database.read(move |connection| connection.prepare_cached(&sql)?.query_map([], bucket)?.collect());
        Ok(all.await?)
    }

    /// Switches versioning on or off.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn set_versioning(&self, name: &str, versioning: Versioning) -> Result<(), StoreError> {
        self.update(name, "UPDATE buckets SET versioning = ?2 WHERE name = ?1", versioning.name().to_owned()).await
    }

    /// Replaces the notification rules. Events that already wait keep their targets.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn set_notifications(&self, name: &str, rules: &NotificationRules) -> Result<(), StoreError> {
        let rules = rows::to_json(rules).map_err(crate::database::DatabaseError::from)?;
        self.update(name, "UPDATE buckets SET notifications = ?2 WHERE name = ?1", rules).await
    }

    async fn update(&self, name: &str, sql: &'static str, value: String) -> Result<(), StoreError> {
        let owned = name.to_owned();
        let updated = self.database.write(move |transaction| transaction.execute(sql, (owned, value))).await?;
        if updated == 0 { Err(StoreError::NoSuchBucket(name.to_owned())) } else { Ok(()) }
    }
}

fn bucket(row: &Row<'_>) -> rusqlite::Result<Bucket> {
    Ok(Bucket {
        name: row.get(0)?,
        created: rows::timestamp(row.get(1)?),
        versioning: rows::versioning(row, 2)?,
        notifications: rows::rules(row, 3)?,
    })
}

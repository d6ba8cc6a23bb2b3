//! Paged listings of objects and versions, with prefixes folded at a delimiter.
//!
//! A folded prefix costs one step in the index, however many keys lie under it.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Store;
use super::digest::{Algorithm, Checksums};
use super::error::StoreError;
use super::rows;

/// No character sorts after it: a folded prefix is skipped by going to the prefix and this.
const LAST_CHARACTER: char = '\u{10FFFF}';

/// Where a page of objects begins and ends.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that hold this after the prefix are folded into one common prefix.
    pub delimiter: Option<String>,
    /// Only keys after this one.
    pub after: Option<String>,
    /// Not even keys that begin with this: it was folded on the page before.
    pub after_prefix: Option<String>,
    /// Keys and common prefixes together.
    pub most: usize,
}

/// Where a page of versions begins and ends.
#[derive(Debug, Clone, Default)]
pub struct VersionPage {
    /// As for objects.
    pub page: Page,
    /// With `page.after`: also the versions of that key that are older than this one.
    pub after_version: Option<String>,
}

/// One object of a listing.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Key.
    pub key: String,
    /// Entity tag without quotes.
    pub etag: String,
    /// Size.
    pub size_bytes: u64,
    /// When it was stored.
    pub modified: Timestamp,
    /// The checksum that was taken.
    pub algorithm: Option<Algorithm>,
}

/// One version of a listing, or a delete marker.
#[derive(Debug, Clone)]
pub struct VersionEntry {
    /// Version id, `null` for what was written while the bucket was not versioned.
    pub version_id: String,
    /// It is the current one.
    pub latest: bool,
    /// It is a delete marker.
    pub delete_marker: bool,
    /// The rest, empty for a delete marker.
    pub entry: Entry,
}

/// A page of objects.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// In order of their keys' bytes.
    pub entries: Vec<Entry>,
    /// In the same order.
    pub common_prefixes: Vec<String>,
    /// There is more: the last key or common prefix of this page.
    pub next: Option<Next>,
}

/// A page of versions.
#[derive(Debug, Clone, Default)]
pub struct VersionListing {
    /// By key, the newest first within a key.
    pub entries: Vec<VersionEntry>,
    /// In the same order.
    pub common_prefixes: Vec<String>,
    /// There is more: the last key, and its version unless it is a common prefix.
    pub next: Option<(String, Option<String>)>,
}

/// How a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// With this key.
    Key(String),
    /// With this common prefix.
    Prefix(String),
}

impl Store {
    /// A page of the current objects of a bucket.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn list(&self, bucket: &str, page: Page) -> Result<Listing, StoreError> {
        let walked = self.walk(bucket, VersionPage { page, after_version: None }, true).await?;
        Ok(Listing {
            entries: walked.entries.into_iter().map(|version| version.entry).collect(),
            common_prefixes: walked.common_prefixes,
            next: walked
                .next
                .map(|(last, version)| if version.is_some() { Next::Key(last) } else { Next::Prefix(last) }),
        })
    }

    /// A page of all versions and delete markers of a bucket.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn list_versions(&self, bucket: &str, page: VersionPage) -> Result<VersionListing, StoreError> {
        self.walk(bucket, page, false).await
    }

    async fn walk(&self, bucket: &str, page: VersionPage, current: bool) -> Result<VersionListing, StoreError> {
        let bucket = bucket.to_owned();
        let walked = self.database.read(move |connection| {
            let sql = "SELECT 1 FROM buckets WHERE name = ?1";
            if !connection.prepare_cached(sql)?.exists([&bucket])? {
                return Ok(Err(StoreError::NoSuchBucket(bucket)));
            }
            Walk::start(connection, &bucket, &page, current)?.run().map(Ok)
        });
        walked.await?
    }
}

/// Walks along the index until the page is full.
struct Walk<'a> {
    connection: &'a Connection,
    bucket: &'a str,
    page: &'a Page,
    current: bool,
    /// Next to be read: keys from this one on, and of this very key only what is older than `before_id`.
    from: String,
    before_id: i64,
    /// The prefix that was folded last.
    skipped: Option<String>,
    found: VersionListing,
}

impl<'a> Walk<'a> {
    fn start(
        connection: &'a Connection,
        bucket: &'a str,
        version_page: &'a VersionPage,
        current: bool,
    ) -> rusqlite::Result<Self> {
        let page = &version_page.page;
        let mut walk = Self {
            connection,
            bucket,
            page,
            current,
            from: page.prefix.clone(),
            before_id: i64::MAX,
            skipped: None,
            found: VersionListing::default(),
        };
        if let Some(after) = page.after.as_ref().filter(|after| **after >= walk.from) {
            walk.from.clone_from(after);
            walk.before_id = match &version_page.after_version {
                Some(version_id) => walk.id_of(after, version_id)?,
                None => i64::MIN,
            };
        }
        if let Some(folded) = page.after_prefix.as_ref().filter(|folded| **folded >= walk.from) {
            walk.skip_prefix(folded);
        }
        Ok(walk)
    }

    fn run(mut self) -> rusqlite::Result<VersionListing> {
        if self.page.most == 0 {
            return Ok(self.found);
        }
        while self.read_run()? {}
        Ok(self.found)
    }

    /// Reads until a prefix is folded; false at the end of the page or the bucket.
    fn read_run(&mut self) -> rusqlite::Result<bool> {
        let which = if self.current { "AND latest = 1 AND delete_marker = 0" } else { "" };
        let sql = format!(
            "SELECT key, version_id, latest, delete_marker, etag, size_bytes, modified_ms, checksums FROM versions \
             WHERE bucket = ?1 AND key >= ?2 AND NOT (key = ?2 AND id >= ?3) {which} ORDER BY key, id DESC"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((self.bucket, self.from.clone(), self.before_id))?;
        while let Some(row) = rows.next()? {
            let version = version(row)?;
            if !version.entry.key.starts_with(&self.page.prefix) {
                return Ok(false);
            }
            // Only a key of nothing but last characters comes after the place where its prefix was skipped to.
            if self.skipped.as_ref().is_some_and(|skipped| version.entry.key.starts_with(skipped)) {
                continue;
            }
            if self.is_full() {
                self.found.next = self.last();
                return Ok(false);
            }
            if let Some(folded) = self.fold(&version.entry.key) {
                self.skip_prefix(&folded);
                self.found.common_prefixes.push(folded);
                return Ok(true);
            }
            self.found.entries.push(version);
        }
        Ok(false)
    }

    fn is_full(&self) -> bool {
        self.found.entries.len() + self.found.common_prefixes.len() >= self.page.most
    }

    /// The greater of the last key and the last common prefix.
    fn last(&self) -> Option<(String, Option<String>)> {
        let key = self.found.entries.last().map(|last| (last.entry.key.clone(), Some(last.version_id.clone())));
        let folded = self.found.common_prefixes.last().map(|last| (last.clone(), None));
        key.into_iter().chain(folded).max_by(|one, other| one.0.cmp(&other.0))
    }

    fn fold(&self, key: &str) -> Option<String> {
        let delimiter = self.page.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.get(self.page.prefix.len()..)?;
        let end = self.page.prefix.len() + rest.find(delimiter)? + delimiter.len();
        key.get(..end).map(str::to_owned)
    }

    fn skip_prefix(&mut self, folded: &str) {
        self.from = format!("{folded}{LAST_CHARACTER}");
        self.before_id = i64::MAX;
        self.skipped = Some(folded.to_owned());
    }

    /// The row of a version; one that is gone meanwhile counts as the oldest, as on AWS the listing goes on after it.
    fn id_of(&self, key: &str, version_id: &str) -> rusqlite::Result<i64> {
        let sql = "SELECT id FROM versions WHERE bucket = ?1 AND key = ?2 AND version_id = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let id = statement.query_row((self.bucket, key, version_id), |row| row.get(0)).optional()?;
        Ok(id.unwrap_or(i64::MIN))
    }
}

fn version(row: &Row<'_>) -> rusqlite::Result<VersionEntry> {
    let checksums: Checksums = rows::json(row, 7)?;
    Ok(VersionEntry {
        version_id: row.get(1)?,
        latest: row.get(2)?,
        delete_marker: row.get(3)?,
        entry: Entry {
            key: row.get(0)?,
            etag: row.get(4)?,
            size_bytes: row.get::<_, i64>(5)?.cast_unsigned(),
            modified: rows::timestamp(row.get(6)?),
            algorithm: checksums.value.map(|(algorithm, _)| algorithm),
        },
    })
}

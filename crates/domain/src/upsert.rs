//! `upsert`: changes out of files, merged into a table in batches, each file exactly once.
//!
//! | module | what |
//! | --- | --- |
//! | [`bookmark`] | what was merged, what is about to be, and by whom: one object for each table |
//! | [`stage`] | the payloads between the steps |
//!
//! Exactly once: a batch is staged, written into the bookmark as pending by a conditional write, merged, and taken out
//! of the bookmark by another conditional write. Whoever finds a pending batch merges that one, whatever came
//! meanwhile, and merging it a second time changes nothing. Its table is dropped before it is taken out, so that a
//! MERGE that was left behind finds no rows.

pub mod bookmark;
pub mod stage;

use jiff::Timestamp;

use crate::table::TableName;

/// Changes of the catalog are gathered for this long before they are merged.
pub const GATHER_SECONDS: i64 = 30;

/// The key of the catalog's settings file in the lake's bucket.
#[must_use]
pub fn catalog_settings() -> String {
    format!("{}catalog.toml", place::SETTINGS)
}

/// The name of the execution that merges what comes into the catalog about `now`: one for each [`GATHER_SECONDS`].
///
/// It waits that long before it looks, so whatever came in its time is there.
#[must_use]
pub fn catalog_run(now: Timestamp) -> String {
    format!("catalog-{}", now.as_second().div_euclid(GATHER_SECONDS))
}

/// Keys of the lake's bucket: tables, bookmarks, staged rows, refused rows.
pub mod place {
    use super::TableName;

    /// Where change records lie that are not merged yet.
    pub const WAITING: &str = "waiting/";
    /// Where the settings files of tables lie that the deployment itself keeps.
    pub const SETTINGS: &str = "settings/";
    /// The waiting copy of a change record: what it says makes its key, so that none is ever written anew.
    #[must_use]
    pub fn waiting(run: &str, record: &str) -> String {
        format!("{WAITING}{run}-{}.json", crate::run::request_token(run, record, 0, "waiting"))
    }

    /// Where queries leave their results.
    pub const RESULTS: &str = "results/";

    /// The bookmark of a table.
    #[must_use]
    pub fn bookmark(name: &TableName) -> String {
        format!("bookmarks/{}/{}.json", name.database, name.table)
    }

    /// The data of a table for which its owner names no place.
    #[must_use]
    pub fn data(name: &TableName) -> String {
        format!("tables/{}/{}/", name.database, name.table)
    }

    /// All staged rows of a batch, whoever staged them.
    #[must_use]
    pub fn staged(name: &TableName, batch: u64) -> String {
        format!("staging/{}/{}/{batch:08}/", name.database, name.table)
    }

    /// The rows of a batch that were refused, in one attempt.
    #[must_use]
    pub fn rejects(name: &TableName, batch: u64, attempt: &str) -> String {
        format!("rejects/{}/{}/{batch:08}-{attempt}/", name.database, name.table)
    }
}

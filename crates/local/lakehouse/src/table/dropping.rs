//! `DROP TABLE`: the name goes first, in one step; then the files, as Athena removes them for Iceberg tables.
//! A table whose files could not all be removed is gone all the same.

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

use super::Tables;
use crate::error::{Result, store};

/// Removes everything below a location.
pub(crate) async fn remove_files(tables: &Tables, location: &str) -> Result<usize> {
    let folder = tables.warehouse.path(location)?;
    let files = tables.warehouse.store();
    let listed: Vec<_> = files.list(Some(&folder)).try_collect().await.map_err(store(format!("list `{location}`")))?;
    for meta in &listed {
        match files.delete(&meta.location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(store(format!("delete `{}`", meta.location))(error)),
        }
    }
    Ok(listed.len())
}

//! Where tables lie: one object store, and the URIs by which tables name the objects in it.
//! A folder on disk and a bucket are the same thing here; the local S3 store goes under it through the same trait.
//! It refuses a URI that is not below its root: no table reaches outside of the warehouse.

mod file_io;
mod keys;
mod metered;

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;

pub use keys::{key_of_path, path_of_key};

use crate::error::{Error, Result, store};

/// An object store and the URIs of what is in it.
#[derive(Debug, Clone)]
pub struct Warehouse {
    store: Arc<dyn ObjectStore>,
    /// `file:///data/warehouse` or `s3://`: what stands before an object's path in its URI; no slash at the end.
    root: String,
    /// Where tables without a `LOCATION` go, below the root.
    home: String,
}

/// The scheme whose buckets are the top folders of the store.
const S3: &str = "s3:/";

impl Warehouse {
    /// A warehouse in a folder, which is made if it is not there. Buckets of `s3://` locations are folders in it.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn folder(folder: &FilePath) -> Result<Self> {
        let cannot = |source| Error::damaged(format!("the folder `{}`", folder.display()), source);
        std::fs::create_dir_all(folder).map_err(cannot)?;
        let folder = folder.canonicalize().map_err(cannot)?;
        let files = LocalFileSystem::new_with_prefix(&folder).map_err(store("open the warehouse folder"))?;
        let root = format!("file://{}", folder.display());
        Ok(Self { store: Arc::new(files), root, home: "warehouse".to_owned() })
    }

    /// A warehouse over a store whose top folders are buckets; tables without a location go below `home`, which is a
    /// bucket or a bucket and a prefix.
    #[must_use]
    pub fn buckets(store: Arc<dyn ObjectStore>, home: &str) -> Self {
        Self { store, root: S3.to_owned(), home: home.trim_matches('/').to_owned() }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The object that a URI names.
    ///
    /// # Errors
    /// If the URI is not below the warehouse, or holds `..` or empty segments.
    pub fn path(&self, uri: &str) -> Result<Path> {
        let outside = || Error::Invalid(format!("the location `{uri}` is not below `{}/`", self.root));
        let below = self.below(uri).ok_or_else(outside)?;
        Path::parse(below.trim_matches('/')).map_err(|_| {
            Error::Invalid(format!("the location `{uri}` holds an empty segment or a character that no key may hold"))
        })
    }

    fn below<'a>(&self, uri: &'a str) -> Option<&'a str> {
        let rest = uri.strip_prefix(self.root.as_str()).or_else(|| uri.strip_prefix("s3:/"))?;
        rest.strip_prefix('/').filter(|rest| !rest.split('/').any(|part| part == ".."))
    }

    /// The URI of an object.
    #[must_use]
    pub fn uri(&self, path: &Path) -> String {
        if self.root == S3 {
            return format!("{}/{}", self.root, key_of_path(path));
        }
        format!("{}/{path}", self.root)
    }

    /// The URI as tables keep it: in a folder, `s3://bucket/key` becomes the file that it stands for.
    pub(crate) fn normal(&self, uri: &str) -> Result<String> {
        Ok(self.uri(&self.path(uri)?))
    }

    /// Where a table goes that names no location. The suffix keeps a table made anew apart from a dropped one.
    pub(crate) fn default_location(&self, database: &str, table: &str, suffix: &str) -> String {
        format!("{}/{}/{database}/{table}-{suffix}", self.root, self.home)
    }

    /// Where the catalog keeps its entries.
    pub(crate) fn catalog_root(&self) -> Path {
        Path::from(format!("{}/.catalog", self.home))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_stays_below_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let warehouse = Warehouse::folder(folder.path()).unwrap();
        let uri = warehouse.normal("s3://bucket/a/b=c/").unwrap();
        assert_eq!(uri, format!("file://{}/bucket/a/b=c", folder.path().canonicalize().unwrap().display()));
        assert_eq!(warehouse.path(&uri).unwrap().as_ref(), "bucket/a/b=c");
        for outside in ["file:///etc/passwd", "s3://bucket/../x", "https://example.com/", "s3://b//c", "bucket/a"] {
            assert!(warehouse.path(outside).is_err(), "{outside}");
        }
    }

    #[test]
    fn buckets_are_the_top_folders() {
        let store = Arc::new(object_store::memory::InMemory::new());
        let warehouse = Warehouse::buckets(store, "lake/tables/");
        assert_eq!(warehouse.path("s3://bucket/a").unwrap().as_ref(), "bucket/a");
        assert_eq!(warehouse.uri(&Path::from("bucket/a")), "s3://bucket/a");
        assert_eq!(warehouse.default_location("db", "t", "1"), "s3://lake/tables/db/t-1");
    }
}

//! The store as the lakehouse sees it: the first part of a path is a bucket, the rest is a key.
//!
//! Versions, tags and headers of objects stay unseen; a key that the lakehouse's own paths cannot hold is written in
//! another way there and comes back as it was. Conditional writes are the store's own, so a compare-and-swap is one
//! transaction of its database.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use lakehouse::{key_of_path, path_of_key};
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::upload::Streamed;
use crate::store::{Bucket, Condition, Entry, Listing, NewObject, Next, ObjectVersion, Page, Store, StoreError};

/// Keys in one look at the store.
const PAGE_KEYS: usize = 1000;

/// Objects that are deleted at once.
const DELETED_AT_ONCE: usize = 10;

/// Buckets and objects for the lakehouse.
#[derive(Debug)]
pub(super) struct Objects {
    store: Store,
}

impl Objects {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the local buckets")
    }
}

/// Bucket and key of a path.
pub(super) fn place(path: &Path) -> (String, String) {
    let whole = key_of_path(path);
    let (bucket, key) = whole.split_once('/').unwrap_or((&whole, ""));
    (bucket.to_owned(), key.to_owned())
}

/// The path of a key.
fn path(bucket: &str, key: &str) -> Result<Path> {
    path_of_key(&format!("{bucket}/{key}")).map_err(|source| Error::InvalidPath { source })
}

/// A refusal of the store in the words that the lakehouse knows.
pub(super) fn refused(error: StoreError, path: &Path) -> Error {
    let path = path.to_string();
    match error {
        StoreError::NoSuchBucket(_) | StoreError::NoSuchKey(_) => Error::NotFound { path, source: Box::new(error) },
        StoreError::PreconditionFailed("If-None-Match") => Error::AlreadyExists { path, source: Box::new(error) },
        StoreError::PreconditionFailed(_) => Error::Precondition { path, source: Box::new(error) },
        other => Error::Generic { store: "local S3", source: Box::new(other) },
    }
}

pub(super) fn etag(object: &ObjectVersion) -> PutResult {
    PutResult { e_tag: Some(object.etag.clone()), version: None }
}

fn condition(mode: PutMode) -> Condition {
    match mode {
        PutMode::Overwrite => Condition::None,
        PutMode::Create => Condition::Absent,
        PutMode::Update(version) => Condition::Matches(version.e_tag.unwrap_or_default()),
    }
}

/// What is to be stored at a path.
pub(super) fn new_object(path: &Path) -> NewObject {
    let (bucket, key) = place(path);
    NewObject::new(&bucket, &key)
}

fn meta(location: Path, object: &ObjectVersion) -> ObjectMeta {
    let last_modified = SystemTime::from(object.modified).into();
    ObjectMeta { location, last_modified, size: object.size_bytes, e_tag: Some(object.etag.clone()), version: None }
}

fn listed(bucket: &str, entry: &Entry) -> Result<ObjectMeta> {
    let last_modified = SystemTime::from(entry.modified).into();
    let location = path(bucket, &entry.key)?;
    Ok(ObjectMeta { location, last_modified, size: entry.size_bytes, e_tag: Some(entry.etag.clone()), version: None })
}

/// A walk through the keys of a bucket, page by page.
struct Walk {
    store: Store,
    bucket: String,
    page: Option<Page>,
}

impl Walk {
    /// Through what lies below a folder.
    fn below(store: &Store, folder: &Path, delimiter: Option<&str>) -> Self {
        let (bucket, key) = place(folder);
        let prefix = if key.is_empty() { key } else { format!("{key}/") };
        let delimiter = delimiter.map(str::to_owned);
        let page = Page { prefix, delimiter, most: PAGE_KEYS, ..Page::default() };
        Self { store: store.clone(), bucket, page: Some(page) }
    }

    /// The next page; nothing at the end.
    async fn next(&mut self) -> Result<Option<Listing>> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let listing = self.store.list(&self.bucket, page.clone()).await;
        let listing = listing.map_err(|error| refused(error, &Path::from(self.bucket.as_str())))?;
        self.page = listing.next.clone().map(|next| match next {
            Next::Key(key) => Page { after: Some(key), after_prefix: None, ..page },
            Next::Prefix(prefix) => Page { after: None, after_prefix: Some(prefix), ..page },
        });
        Ok(Some(listing))
    }

    fn objects(self) -> BoxStream<'static, Result<ObjectMeta>> {
        let pages = futures::stream::try_unfold(self, |mut walk| async move {
            let Some(listing) = walk.next().await? else { return Ok::<_, Error>(None) };
            let entries: Vec<_> = listing.entries.iter().map(|entry| listed(&walk.bucket, entry)).collect();
            Ok(Some((futures::stream::iter(entries), walk)))
        });
        pages.try_flatten().boxed()
    }
}

#[async_trait]
impl ObjectStore for Objects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let new = NewObject { condition: condition(options.mode), ..new_object(location) };
        let body: Vec<_> = payload.into_iter().map(Ok).collect();
        let stored = self.store.put(new, futures::stream::iter(body)).await;
        stored.map(|object| etag(&object)).map_err(|error| refused(error, location))
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Streamed::begin(self.store.clone(), location.clone())))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (bucket, key) = place(location);
        let gone = |error| refused(error, location);
        let object = self.store.head(&bucket, &key, None).await.map_err(gone)?;
        let meta = meta(location.clone(), &object);
        options.check_preconditions(&meta)?;
        let wrong = |source| Error::Generic { store: "local S3", source: Box::new(source) };
        let range = match &options.range {
            Some(range) => range.as_range(meta.size).map_err(wrong)?,
            None => 0..meta.size,
        };
        let bytes: BoxStream<'static, Result<Bytes>> = if options.head {
            futures::stream::empty().boxed()
        } else {
            let bytes = self.store.open_bytes(&object).await.map_err(gone)?;
            let failed = |error| Error::Generic { store: "local S3", source: Box::new(error) };
            bytes.stream(range.clone()).map_err(failed).boxed()
        };
        Ok(GetResult { payload: GetResultPayload::Stream(bytes), meta, range, attributes: Attributes::default() })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.store.clone();
        let deleted = locations.map(move |location| {
            let store = store.clone();
            async move {
                let location = location?;
                let (bucket, key) = place(&location);
                store.delete(&bucket, &key, None).await.map_err(|error| refused(error, &location))?;
                Ok(location)
            }
        });
        deleted.buffered(DELETED_AT_ONCE).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Some(folder) = prefix {
            return Walk::below(&self.store, folder, None).objects();
        }
        let store = self.store.clone();
        let all = async move {
            let buckets = store.buckets().await.map_err(|error| refused(error, &Path::default()))?;
            let walk = |bucket: &Bucket| Walk::below(&store, &Path::from(bucket.name.as_str()), None).objects();
            let walks: Vec<_> = buckets.iter().map(|bucket| Ok::<_, Error>(walk(bucket))).collect();
            Ok::<_, Error>(futures::stream::iter(walks).try_flatten())
        };
        futures::stream::once(all).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let Some(folder) = prefix else {
            let buckets = self.store.buckets().await.map_err(|error| refused(error, &Path::default()))?;
            let common_prefixes = buckets.iter().map(|bucket| Path::from(bucket.name.as_str())).collect();
            return Ok(ListResult { common_prefixes, objects: Vec::new() });
        };
        let mut walk = Walk::below(&self.store, folder, Some("/"));
        let (mut objects, mut common_prefixes) = (Vec::new(), Vec::new());
        while let Some(listing) = walk.next().await? {
            for entry in &listing.entries {
                objects.push(listed(&walk.bucket, entry)?);
            }
            for folded in &listing.common_prefixes {
                common_prefixes.push(path(&walk.bucket, folded.strip_suffix('/').unwrap_or(folded))?);
            }
        }
        Ok(ListResult { common_prefixes, objects })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (bucket, key) = place(from);
        let source = self.store.head(&bucket, &key, None).await.map_err(|error| refused(error, from))?;
        let condition = match options.mode {
            CopyMode::Create => Condition::Absent,
            CopyMode::Overwrite => Condition::None,
        };
        let new = NewObject { condition, ..new_object(to) };
        self.store.copy(source, new).await.map(drop).map_err(|error| refused(error, to))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::{GetRange, ObjectStoreExt as _, UpdateVersion};
    use tempfile::TempDir;

    use super::*;
    use crate::clock::Clock;
    use crate::database::Database;
    use crate::schema::SCHEMA;

    async fn objects() -> (TempDir, Store, Arc<dyn ObjectStore>) {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(&directory.path().join("d"), &SCHEMA).unwrap();
        let store = Store::open(database, directory.path(), Clock::default()).unwrap();
        store.create_bucket("b").await.unwrap();
        (directory, store.clone(), Arc::new(Objects::new(store)))
    }

    #[tokio::test]
    async fn objects_come_back_in_ranges_and_listings() {
        let (_directory, store, objects) = objects().await;
        for key in ["b/a/1", "b/a/2", "b/a/x/3", "b/other"] {
            objects.put(&Path::from(key), key.to_owned().into()).await.unwrap();
        }
        store.put_bytes("b", "a//4", None, Bytes::from("odd")).await.unwrap();
        let get = async |range| objects.get_opts(&Path::from("b/a/1"), GetOptions::new().with_range(Some(range))).await;
        for (range, bytes) in [(GetRange::Bounded(1..3), "/a"), (GetRange::Offset(4), "1"), (GetRange::Suffix(2), "/1")]
        {
            assert_eq!(get(range).await.unwrap().bytes().await.unwrap(), bytes);
        }
        let all: Vec<ObjectMeta> = objects.list(Some(&Path::from("b/a"))).try_collect().await.unwrap();
        let names: Vec<String> = all.iter().map(|meta| key_of_path(&meta.location)).collect();
        assert_eq!(names, ["b/a//4", "b/a/1", "b/a/2", "b/a/x/3"]);
        assert_eq!(objects.get(&all[0].location).await.unwrap().bytes().await.unwrap(), "odd");
        let folder = objects.list_with_delimiter(Some(&Path::from("b"))).await.unwrap();
        assert_eq!((folder.objects.len(), folder.common_prefixes), (1, vec![Path::from("b/a")]));
        assert!(matches!(objects.head(&Path::from("b/none")).await, Err(Error::NotFound { .. })));
        assert!(matches!(objects.head(&Path::from("none/x")).await, Err(Error::NotFound { .. })));
    }

    #[tokio::test]
    async fn only_one_writer_wins() {
        let (_directory, _, objects) = objects().await;
        let (path, create) = (Path::from("b/entry"), || PutOptions::from(PutMode::Create));
        let first = objects.put_opts(&path, "1".into(), create()).await.unwrap();
        let second = objects.put_opts(&path, "2".into(), create()).await;
        assert!(matches!(second, Err(Error::AlreadyExists { .. })), "{second:?}");
        let update = |e_tag: Option<String>| PutOptions::from(PutMode::Update(UpdateVersion { e_tag, version: None }));
        objects.put_opts(&path, "3".into(), update(first.e_tag.clone())).await.unwrap();
        let stale = objects.put_opts(&path, "4".into(), update(first.e_tag)).await;
        assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
        assert_eq!(objects.get(&path).await.unwrap().bytes().await.unwrap(), "3");
    }

    #[tokio::test]
    async fn an_upload_is_there_once_it_is_complete() {
        let (_directory, _, objects) = objects().await;
        let path = Path::from("b/large");
        let mut upload = objects.put_multipart(&path).await.unwrap();
        // The second part may be ready before the first.
        let (first, second) = (upload.put_part("one".into()), upload.put_part("two".into()));
        second.await.unwrap();
        first.await.unwrap();
        assert!(objects.head(&path).await.is_err());
        upload.complete().await.unwrap();
        assert_eq!(objects.get(&path).await.unwrap().bytes().await.unwrap(), "onetwo");
        let gone = Path::from("b/gone");
        let mut upload = objects.put_multipart(&gone).await.unwrap();
        upload.put_part("one".into()).await.unwrap();
        upload.abort().await.unwrap();
        drop(objects.put_multipart(&gone).await.unwrap());
        assert!(objects.head(&gone).await.is_err());
        let mut nowhere = objects.put_multipart(&Path::from("none/x")).await.unwrap();
        // The writer may have ended by then.
        let _ = nowhere.put_part("one".into()).await;
        assert!(matches!(nowhere.complete().await, Err(Error::NotFound { .. })));
    }
}

//! The object store as the Iceberg library wants it.
//! An object appears whole or not at all: it is visible only once its writer is closed.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use iceberg::io::{
    FileIO, FileIOBuilder, FileMetadata, FileRead, FileWrite, InputFile, OutputFile, Storage, StorageConfig,
    StorageFactory,
};
use iceberg::{Error, ErrorKind, Result};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use super::Warehouse;

/// Bytes that a writer holds before it starts a multipart upload: above S3's least part size.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;

impl Warehouse {
    /// The warehouse for the Iceberg library.
    pub(crate) fn file_io(&self) -> FileIO {
        FileIOBuilder::new(Arc::new(Opened { warehouse: Some(self.clone()) })).build()
    }
}

/// A warehouse that the library may ask to be written down; what it reads back is closed, and says so.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Opened {
    #[serde(skip)]
    warehouse: Option<Warehouse>,
}

impl Opened {
    fn at(&self, uri: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        let closed = || Error::new(ErrorKind::Unexpected, "the warehouse of this table is not open");
        let warehouse = self.warehouse.as_ref().ok_or_else(closed)?;
        let path = warehouse.path(uri).map_err(|error| Error::new(ErrorKind::DataInvalid, error.to_string()))?;
        Ok((Arc::clone(&warehouse.store), path))
    }
}

fn failed(doing: &'static str, uri: &str) -> impl FnOnce(object_store::Error) -> Error {
    let uri = uri.to_owned();
    move |source| Error::new(ErrorKind::Unexpected, format!("failed to {doing} `{uri}`")).with_source(source)
}

#[typetag::serde(name = "sluice-warehouse-factory")]
impl StorageFactory for Opened {
    fn build(&self, _config: &StorageConfig) -> Result<Arc<dyn Storage>> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
#[typetag::serde(name = "sluice-warehouse")]
impl Storage for Opened {
    async fn exists(&self, path: &str) -> Result<bool> {
        let (store, at) = self.at(path)?;
        match store.head(&at).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed("look for", path)(error)),
        }
    }

    async fn metadata(&self, path: &str) -> Result<FileMetadata> {
        let (store, at) = self.at(path)?;
        let meta = store.head(&at).await.map_err(failed("look at", path))?;
        Ok(FileMetadata { size: meta.size })
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        let (store, at) = self.at(path)?;
        let got = store.get(&at).await.map_err(failed("read", path))?;
        got.bytes().await.map_err(failed("read", path))
    }

    async fn reader(&self, path: &str) -> Result<Box<dyn FileRead>> {
        let (store, at) = self.at(path)?;
        Ok(Box::new(Reader { store, at }))
    }

    async fn write(&self, path: &str, bytes: Bytes) -> Result<()> {
        let (store, at) = self.at(path)?;
        store.put(&at, bytes.into()).await.map_err(failed("write", path))?;
        Ok(())
    }

    async fn writer(&self, path: &str) -> Result<Box<dyn FileWrite>> {
        let (store, at) = self.at(path)?;
        let inner = BufWriter::with_capacity(store, at, BUFFER_BYTES);
        Ok(Box::new(Writer { inner, uri: path.to_owned() }))
    }

    async fn delete(&self, path: &str) -> Result<()> {
        let (store, at) = self.at(path)?;
        match store.delete(&at).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("delete", path)(error)),
        }
    }

    async fn delete_prefix(&self, path: &str) -> Result<()> {
        let (store, at) = self.at(path)?;
        let mut listed = store.list(Some(&at));
        while let Some(meta) = listed.next().await {
            let meta = meta.map_err(failed("list", path))?;
            store.delete(&meta.location).await.map_err(failed("delete", path))?;
        }
        Ok(())
    }

    async fn delete_stream(&self, mut paths: BoxStream<'static, String>) -> Result<()> {
        while let Some(path) = paths.next().await {
            self.delete(&path).await?;
        }
        Ok(())
    }

    fn new_input(&self, path: &str) -> Result<InputFile> {
        Ok(InputFile::new(Arc::new(self.clone()), path.to_owned()))
    }

    fn new_output(&self, path: &str) -> Result<OutputFile> {
        Ok(OutputFile::new(Arc::new(self.clone()), path.to_owned()))
    }
}

struct Reader {
    store: Arc<dyn ObjectStore>,
    at: Path,
}

#[async_trait]
impl FileRead for Reader {
    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        self.store.get_range(&self.at, range).await.map_err(failed("read", self.at.as_ref()))
    }
}

struct Writer {
    inner: BufWriter,
    uri: String,
}

#[async_trait]
impl FileWrite for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.inner.put(bytes).await.map_err(failed("write", &self.uri))
    }

    async fn close(&mut self) -> Result<()> {
        let error =
            |source| Error::new(ErrorKind::Unexpected, format!("failed to write `{}`", self.uri)).with_source(source);
        self.inner.shutdown().await.map_err(error)
    }
}

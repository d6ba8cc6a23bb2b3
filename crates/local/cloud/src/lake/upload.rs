//! An object that is written as its parts come, in one stream into the store: nothing of it is there before it is whole,
//! and no part is written twice. Parts that come before their turn wait for it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::Stream;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::objects::{etag, new_object, refused};
use crate::store::{BoxError, Store};

/// Parts that wait to be written; whoever brings more waits.
const MOST_WAITING: usize = 4;

/// What comes to the writer.
#[derive(Debug)]
enum Piece {
    Part(usize, PutPayload),
    /// So many parts were all.
    End(usize),
}

/// An upload under way.
#[derive(Debug)]
pub(super) struct Streamed {
    path: Path,
    pieces: Option<mpsc::Sender<Piece>>,
    parts: usize,
    writer: Option<JoinHandle<Result<PutResult>>>,
}

impl Streamed {
    pub(super) fn begin(store: Store, path: Path) -> Self {
        let (pieces, incoming) = mpsc::channel(MOST_WAITING);
        let (new, at) = (new_object(&path), path.clone());
        let writer = tokio::spawn(async move {
            let stored = store.put(new, in_turn(incoming)).await;
            stored.map(|object| etag(&object)).map_err(|error| refused(error, &at))
        });
        Self { path, pieces: Some(pieces), parts: 0, writer: Some(writer) }
    }

    fn ended(&self) -> Error {
        let path = self.path.to_string();
        Error::Generic { store: "local S3", source: format!("the upload of `{path}` has ended").into() }
    }
}

/// The bytes in the order of the parts. An end that never comes is an error, so that nothing is stored.
fn in_turn(incoming: mpsc::Receiver<Piece>) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let state = (incoming, BTreeMap::new(), 0_usize, None);
    let parts = futures::stream::try_unfold(state, |(mut incoming, mut waiting, next, mut end)| async move {
        loop {
            if let Some(payload) = waiting.remove(&next) {
                return Ok(Some((payload, (incoming, waiting, next + 1, end))));
            }
            if end == Some(next) {
                return Ok(None);
            }
            match incoming.recv().await {
                Some(Piece::Part(number, payload)) => drop(waiting.insert(number, payload)),
                Some(Piece::End(parts)) => end = Some(parts),
                None => return Err::<_, BoxError>("the upload was broken off".into()),
            }
        }
    });
    futures::TryStreamExt::try_flatten(futures::TryStreamExt::map_ok(parts, |payload: PutPayload| {
        futures::stream::iter(payload.into_iter().map(Ok).collect::<Vec<_>>())
    }))
}

#[async_trait]
impl MultipartUpload for Streamed {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let Some(pieces) = self.pieces.clone() else { return futures::future::ready(Err(self.ended())).boxed() };
        let (piece, ended) = (Piece::Part(self.parts, data), self.ended());
        self.parts += 1;
        // Where the writer has ended, its error is told by `complete`.
        async move { pieces.send(piece).await.map_err(|_| ended) }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        if let Some(pieces) = self.pieces.take() {
            // The writer tells why it does not listen.
            let _ = pieces.send(Piece::End(self.parts)).await;
        }
        let writer = self.writer.take().ok_or_else(|| self.ended())?;
        writer.await.unwrap_or_else(|error| Err(Error::Generic { store: "local S3", source: Box::new(error) }))
    }

    async fn abort(&mut self) -> Result<()> {
        self.pieces = None;
        if let Some(writer) = self.writer.take() {
            // It ends with the error that it was broken off, which is what was wanted.
            let _ = writer.await;
        }
        Ok(())
    }
}

//! Takes the `aws-chunked` encoding off a body: chunk sizes, chunk signatures (not checked), trailing checksums.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _};
use http_body::Frame;
use http_body_util::StreamBody;
use s3s::Body;

use crate::store::{BoxError, Trailer};

/// A chunk's header line, with its signature, is under 200 bytes; trailers are few.
const MOST_LINE_BYTES: usize = 4096;

/// Trailing lines: a checksum and a signature, with room for more.
const MOST_TRAILERS: usize = 16;

/// Why a body is not what its encoding says.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChunkError {
    #[error("failed to read the chunked body: it ends too early")]
    Incomplete,
    #[error("failed to read the chunked body: a line is malformed or too long")]
    Malformed,
}

struct Decoder {
    body: Body,
    buffer: BytesMut,
    left_in_chunk: u64,
    /// A chunk's data is followed by an empty line.
    after_data: bool,
    ended: bool,
    trailer: Option<Arc<Trailer>>,
}

/// The body without its encoding; the trailing checksum goes to `trailer` before the end.
pub(super) fn join(body: Body, trailer: Option<Arc<Trailer>>) -> Body {
    let decoder = Decoder { body, buffer: BytesMut::new(), left_in_chunk: 0, after_data: false, ended: false, trailer };
    let chunks = futures::stream::try_unfold(decoder, |mut decoder| async move {
        Ok::<_, BoxError>(decoder.next().await?.map(|bytes| (bytes, decoder)))
    });
    Body::http_body_unsync(StreamBody::new(chunks.map_ok(Frame::data)))
}

impl Decoder {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        while !self.ended && self.left_in_chunk == 0 {
            self.next_chunk().await?;
        }
        if self.ended {
            return Ok(None);
        }
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        let length = usize::try_from(self.left_in_chunk).unwrap_or(usize::MAX).min(self.buffer.len());
        self.left_in_chunk -= length as u64;
        self.after_data = self.left_in_chunk == 0;
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    async fn next_chunk(&mut self) -> Result<(), BoxError> {
        if std::mem::take(&mut self.after_data) && !self.line().await?.is_empty() {
            return Err(ChunkError::Malformed.into());
        }
        let line = self.line().await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        self.left_in_chunk = u64::from_str_radix(size, 16).map_err(|_| ChunkError::Malformed)?;
        if self.left_in_chunk == 0 {
            self.ended = true;
            self.read_trailers().await?;
        }
        Ok(())
    }

    /// Trailers end with an empty line, or with the body, as some clients have it.
    async fn read_trailers(&mut self) -> Result<(), BoxError> {
        for _ in 0..MOST_TRAILERS {
            match self.line().await {
                Ok(line) if line.is_empty() => return Ok(()),
                Ok(line) => self.take_trailer(&line),
                Err(error) if error.downcast_ref::<ChunkError>().is_some_and(ChunkError::is_end) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(ChunkError::Malformed.into())
    }

    fn take_trailer(&self, line: &str) {
        let (Some(trailer), Some((name, value))) = (&self.trailer, line.split_once(':')) else { return };
        if name.trim().eq_ignore_ascii_case(trailer.algorithm().header()) {
            trailer.set(value.trim());
        }
    }

    async fn line(&mut self) -> Result<String, BoxError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end);
                self.buffer.advance(1);
                let line = std::str::from_utf8(&line).map_err(|_| ChunkError::Malformed)?;
                return Ok(line.trim_end_matches('\r').to_owned());
            }
            if self.buffer.len() > MOST_LINE_BYTES {
                return Err(ChunkError::Malformed.into());
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), BoxError> {
        let bytes = self.body.next().await.ok_or(ChunkError::Incomplete)??;
        // What is left of the last piece is at most a line: copying it is cheap, and a whole piece is not copied twice.
        self.buffer.extend_from_slice(&bytes);
        Ok(())
    }
}

impl ChunkError {
    fn is_end(&self) -> bool {
        matches!(self, Self::Incomplete)
    }
}

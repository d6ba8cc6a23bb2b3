//! What the tests of the media services share: a cloud's insides in a temporary directory, a speech
//! worker that hears what it is told, and small documents.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::jobs;
use super::media::{Media, MediaConfig};
use crate::clock::Clock;
use crate::context::Context;
use crate::database::{Database, Schema};
use crate::store::{self, Store};
use crate::tasks::Tasks;
use crate::wire::ServiceError;

/// A cloud's insides; the directory goes with it.
pub(super) struct Fixture {
    pub(super) media: Media,
    pub(super) directory: tempfile::TempDir,
}

impl Fixture {
    /// With a bucket `raw`, and a worker that hears `words` (a JSON list) in any sound.
    pub(super) async fn new(words: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        write_worker(&directory.path().join("worker"), words);
        let media = open(directory.path());
        media.context().store.create_bucket("raw").await.unwrap();
        Self { media, directory }
    }

    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.media.context().store.put_bytes("raw", key, None, Bytes::from(bytes)).await.unwrap();
    }

    pub(super) async fn text(&self, bucket: &str, key: &str) -> String {
        let store = &self.media.context().store;
        let object = store.head(bucket, key, None).await.unwrap();
        std::io::read_to_string(store.open_bytes(&object).await.unwrap()).unwrap()
    }
}

/// Opens the insides again, as a restart does.
pub(super) fn open(directory: &Path) -> Media {
    let scratch = directory.join("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    let database =
        Database::open(&directory.join("cloud.sqlite"), &Schema::of(&[store::SCHEMA, jobs::SCHEMA])).unwrap();
    let store = Store::open(database.clone(), directory, Clock::default()).unwrap();
    let context =
        Context { database, store, clock: Clock::default(), scratch: Arc::new(scratch), region: "us-east-1".into() };
    Media::new(context, Tasks::new(None), MediaConfig { speech_worker: directory.join("worker"), concurrency: 2 })
}

fn write_worker(path: &Path, words: &str) {
    // It answers before it reads: the caller waits for both, and one utterance is all there is.
    let script = format!("#!/bin/sh\necho '{{\"ready\":\"x\"}}'\necho '{{\"words\":{words}}}'\nexec cat > /dev/null\n");
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Asks until the answer is not the one that says "not yet".
pub(super) async fn until<F, A>(mut ask: A, is_open: impl Fn(&Value) -> bool) -> Value
where
    A: FnMut() -> F,
    F: Future<Output = Result<Value, ServiceError>>,
{
    let waiting = async {
        loop {
            let answer = ask().await.unwrap();
            if !is_open(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), waiting).await.expect("the job ends")
}

/// A WAV file of a 440 Hz tone, 8 kHz, one channel.
pub(super) fn tone(milliseconds: u32) -> Vec<u8> {
    let sample = |index: u32| if (index / 9).is_multiple_of(2) { 6000_i16 } else { -6000 };
    let samples: Vec<u8> = (0..8 * milliseconds).flat_map(|index| sample(index).to_le_bytes()).collect();
    let length = u32::try_from(samples.len()).unwrap();
    let mut file = [b"RIFF".as_slice(), &(36 + length).to_le_bytes(), b"WAVEfmt ", &16_u32.to_le_bytes()].concat();
    file.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    file.extend([8000_u32, 16_000].map(u32::to_le_bytes).concat());
    file.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    file.extend([b"data".as_slice(), &length.to_le_bytes(), &samples].concat());
    file
}

/// A PDF with one line of text on each page; its cross references are left for poppler to mend.
pub(super) fn pdf(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|index| format!("{} 0 R", 3 + 2 * index)).collect();
    let mut text = format!(
        "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[{}]/Count {}>>\nendobj\n",
        kids.join(" "),
        pages.len()
    );
    for (index, line) in pages.iter().enumerate() {
        let (own, content) = (3 + 2 * index, 4 + 2 * index);
        let drawn = format!("BT /F1 24 Tf 72 700 Td ({line}) Tj ET");
        let font = "<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>";
        write!(text, "{own} 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {content} 0 R/Resources{font}>>\nendobj\n").unwrap();
        write!(text, "{content} 0 obj\n<</Length {}>>\nstream\n{drawn}\nendstream\nendobj\n", drawn.len()).unwrap();
    }
    text.push_str("trailer<</Root 1 0 R>>\n");
    text.into_bytes()
}

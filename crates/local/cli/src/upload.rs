//! Puts a file into the raw bucket, streaming: small ones in one call, large ones in parts.

use std::path::Path;

use anyhow::{Context as _, bail};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::files::SourceFile;

/// Files above this go up in parts; the AWS CLI waits no longer either, and S3 takes 5 GiB in one call at most.
const PART_BYTES: u64 = 64 << 20;

/// Files up to this are read before they are sent: S3 gets one signature for the whole instead of one for each piece of a
/// stream, which costs both sides more than the file.
const READ_BYTES: u64 = 1 << 20;

/// S3 takes no more parts than this. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_PARTS: u64 = 10_000;

/// Uploads `file` and gives back the version that the bucket made of it.
///
/// # Errors
/// When the file cannot be read, the service refuses it, or the bucket keeps no versions.
pub(crate) async fn upload(client: &Client, bucket: &str, file: &SourceFile) -> anyhow::Result<String> {
    // A stream that fails to open would surface as a connection error and be tried again.
    let opened = File::open(&file.path).await.context("failed to read the file")?;
    let version = if file.size_bytes > PART_BYTES {
        in_parts(client, bucket, file).await
    } else {
        in_one(client, bucket, file, opened).await
    }?;
    match version {
        Some(version) if version != "null" => Ok(version),
        _ => bail!("the bucket `{bucket}` keeps no versions: switch versioning on, since each version is one run"),
    }
}

async fn in_one(client: &Client, bucket: &str, file: &SourceFile, opened: File) -> anyhow::Result<Option<String>> {
    let mut first = Vec::new();
    opened.take(READ_BYTES + 1).read_to_end(&mut first).await.context("failed to read the file")?;
    let body = if first.len() as u64 > READ_BYTES {
        ByteStream::from_path(&file.path).await.context("failed to read the file")?
    } else {
        first.into()
    };
    let request = client.put_object().bucket(bucket).key(&file.key).body(body);
    let output = request.set_content_type(declared_type(&file.path)).send().await;
    Ok(output.context("failed to upload the file")?.version_id)
}

async fn in_parts(client: &Client, bucket: &str, file: &SourceFile) -> anyhow::Result<Option<String>> {
    let request = client.create_multipart_upload().bucket(bucket).key(&file.key);
    let created =
        request.set_content_type(declared_type(&file.path)).send().await.context("failed to begin the upload")?;
    let id = created.upload_id().context("failed to begin the upload: no id came back")?;
    let uploaded = parts(client, bucket, file, id).await;
    if uploaded.is_err() {
        // Parts that nobody completes would cost storage for ever; the upload's own error is the one to tell.
        let _ = client.abort_multipart_upload().bucket(bucket).key(&file.key).upload_id(id).send().await;
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(uploaded?)).build();
    let request = client.complete_multipart_upload().bucket(bucket).key(&file.key).upload_id(id);
    let output = request.multipart_upload(parts).send().await.context("failed to complete the upload")?;
    Ok(output.version_id)
}

async fn parts(client: &Client, bucket: &str, file: &SourceFile, id: &str) -> anyhow::Result<Vec<CompletedPart>> {
    let mut parts = Vec::new();
    for (number, (start, length)) in (1..).zip(spans(file.size_bytes)) {
        let body = ByteStream::read_from().path(&file.path).offset(start).length(Length::Exact(length)).build().await;
        let request = client.upload_part().bucket(bucket).key(&file.key).upload_id(id).part_number(number);
        let output = request.body(body.context("failed to read the file")?).send().await;
        let output = output.with_context(|| format!("failed to upload part {number}"))?;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(output.e_tag).build());
    }
    Ok(parts)
}

/// Where each part begins and how long it is.
fn spans(size_bytes: u64) -> impl Iterator<Item = (u64, u64)> {
    let part_bytes = PART_BYTES.max(size_bytes.div_ceil(MOST_PARTS));
    (0..size_bytes.div_ceil(part_bytes)).map(move |part| {
        let start = part * part_bytes;
        (start, part_bytes.min(size_bytes - start))
    })
}

/// What the uploader declares, by the file's extension alone: a hint, which classification checks against the content.
pub(crate) fn declared_type(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let found = TYPES.iter().find(|(extensions, _)| extensions.split(' ').any(|one| one == extension));
    found.map(|(_, media_type)| (*media_type).to_owned())
}

/// Extensions of one media type, separated by spaces. <https://www.iana.org/assignments/media-types>
const TYPES: &[(&str, &str)] = &[
    ("txt text log", "text/plain"),
    ("md markdown", "text/markdown"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("htm html", "text/html"),
    ("xhtml", "application/xhtml+xml"),
    ("json", "application/json"),
    ("ndjson jsonl", "application/x-ndjson"),
    ("xml xsl xslt", "application/xml"),
    ("yaml yml", "application/yaml"),
    ("rtf", "application/rtf"),
    ("eml", "message/rfc822"),
    ("msg", "application/vnd.ms-outlook"),
    ("pdf", "application/pdf"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("epub", "application/epub+zip"),
    ("zip", "application/zip"),
    ("png", "image/png"),
    ("jpg jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("tif tiff", "image/tiff"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("svg", "image/svg+xml"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("avi", "video/x-msvideo"),
    ("mkv", "video/x-matroska"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_without_case() {
        assert_eq!(declared_type(Path::new("a/B.JPG")).as_deref(), Some("image/jpeg"));
        assert_eq!(declared_type(Path::new("a/jpg")), None);
        assert_eq!(declared_type(Path::new("a.tar.gz")), None);
    }

    #[test]
    fn parts_cover_the_file() {
        let size = 3 * PART_BYTES + 5;
        let spans: Vec<_> = spans(size).collect();
        assert_eq!(spans.len(), 4);
        assert_eq!(spans[3], (3 * PART_BYTES, 5));
        assert_eq!(super::spans(MOST_PARTS * PART_BYTES + 1).count() as u64, MOST_PARTS);
    }
}

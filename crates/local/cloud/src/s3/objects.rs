//! Writing objects: put, copy, delete.

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, MetadataDirective,
    PutObjectInput, PutObjectOutput, StreamingBlob, TaggingDirective,
};
use s3s::{Body, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::convert::{self, attributes, sent_checksum, set_checksums};
use super::errors::refuse;
use super::gateway::Announced;
use super::{Surface, reads};
use crate::store::{Algorithm, BoxError, Checksums, Deletion, EventKind, Expected, NewObject};

/// Keys of one `DeleteObjects`.
const MOST_DELETIONS: usize = 1000;

pub(super) async fn put_object(
    surface: &Surface,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let announced = request.extensions.get::<Announced>().cloned().unwrap_or_default();
    let input = request.input;
    // A form upload arrives here too; what it announces is the form, not the object in it.
    let form = request.method == http::Method::POST;
    let announced = if form { Announced::default() } else { announced };
    let checksum = sent_checksum!(input);
    let new = NewObject {
        attributes: attributes!(input),
        tags: convert::tags_from_header(input.tagging.as_deref())?,
        algorithm: algorithm(checksum.as_ref(), &announced, input.checksum_algorithm.as_ref()),
        expected: expected(announced, checksum, input.content_md5),
        condition: convert::write_condition(input.if_match, input.if_none_match)?,
        event: if form { EventKind::Post } else { EventKind::Put },
        ..NewObject::new(&input.bucket, &input.key)
    };
    let object = surface.store.put(new, body(input.body)).await.map_err(refuse)?;
    let mut output = PutObjectOutput {
        e_tag: Some(convert::etag(&object.etag)),
        checksum_type: checksum_type(&object.checksums),
        server_side_encryption: Some(convert::encryption()),
        version_id: object.version_id,
        ..Default::default()
    };
    set_checksums!(output, object.checksums);
    Ok(S3Response::new(output))
}

pub(super) async fn copy_object(
    surface: &Surface,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = request.input;
    let (bucket, key, version_id) = source(&input.copy_source)?;
    let source = surface.store.find(bucket, key, version_id).await.map_err(refuse)?;
    let source = reads::object(source, key, version_id)?;
    reads::check_source(
        &source,
        input.copy_source_if_match.as_ref(),
        input.copy_source_if_none_match.as_ref(),
        input.copy_source_if_modified_since.as_ref(),
        input.copy_source_if_unmodified_since.as_ref(),
    )?;
    let replace = input.metadata_directive.as_ref().is_some_and(|word| word.as_str() == MetadataDirective::REPLACE);
    let same = bucket == input.bucket && key == input.key && version_id.is_none();
    if same && !replace && input.storage_class.is_none() {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let retag = input.tagging_directive.as_ref().is_some_and(|word| word.as_str() == TaggingDirective::REPLACE);
    let new = NewObject {
        attributes: if replace { attributes!(input) } else { source.attributes.clone() },
        tags: if retag { convert::tags_from_header(input.tagging.as_deref())? } else { source.tags.clone() },
        event: EventKind::Copy,
        ..NewObject::new(&input.bucket, &input.key)
    };
    let copy_source_version_id = source.version_id.clone();
    let object = surface.store.copy(*source, new).await.map_err(refuse)?;
    let mut result = CopyObjectResult {
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::timestamp(object.modified)),
        checksum_type: checksum_type(&object.checksums),
        ..Default::default()
    };
    set_checksums!(result, object.checksums);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id,
        version_id: object.version_id,
        ..Default::default()
    }))
}

pub(super) async fn delete_object(
    surface: &Surface,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    if input.if_match.is_some() {
        return Err(s3_error!(NotImplemented, "a conditional delete is not available locally"));
    }
    let deletion =
        surface.store.delete(&input.bucket, &input.key, input.version_id.as_deref()).await.map_err(refuse)?;
    let output = DeleteObjectOutput {
        delete_marker: deletion.delete_marker.then_some(true),
        version_id: deletion.version_id,
        ..Default::default()
    };
    Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
}

pub(super) async fn delete_objects(
    surface: &Surface,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let input = request.input;
    let quiet = input.delete.quiet.unwrap_or(false);
    let objects: Vec<_> = input.delete.objects.into_iter().map(|object| (object.key, object.version_id)).collect();
    if objects.is_empty() || objects.len() > MOST_DELETIONS {
        return Err(s3_error!(MalformedXML));
    }
    let deletions = surface.store.delete_all(&input.bucket, objects.clone()).await.map_err(refuse)?;
    let deleted =
        objects.into_iter().zip(deletions).map(|((key, version_id), deletion)| deleted(key, version_id, deletion));
    let deleted = if quiet { None } else { Some(deleted.collect()) };
    Ok(S3Response::new(DeleteObjectsOutput { deleted, ..Default::default() }))
}

fn deleted(key: String, version_id: Option<String>, deletion: Deletion) -> DeletedObject {
    DeletedObject {
        delete_marker: deletion.delete_marker.then_some(true),
        delete_marker_version_id: deletion.version_id.filter(|_| deletion.delete_marker),
        key: Some(key),
        version_id,
    }
}

/// Bucket, key and version of a copy's source.
pub(super) fn source(source: &CopySource) -> S3Result<(&str, &str, Option<&str>)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => Ok((bucket, key, version_id.as_deref())),
        _ => Err(s3_error!(NotImplemented, "access points are not available locally")),
    }
}

/// The checksum to take: of what was sent, else what was asked for, else S3's default.
pub(super) fn algorithm(
    sent: Option<&(Algorithm, String)>,
    announced: &Announced,
    asked: Option<&ChecksumAlgorithm>,
) -> Algorithm {
    let trailing = announced.trailer.as_ref().map(|trailer| trailer.algorithm());
    let sent = sent.map(|(algorithm, _)| *algorithm).or(trailing);
    sent.or_else(|| asked.and_then(|asked| Algorithm::named(asked.as_str()))).unwrap_or(Algorithm::Crc64Nvme)
}

pub(super) fn expected(announced: Announced, checksum: Option<(Algorithm, String)>, md5: Option<String>) -> Expected {
    Expected { md5, sha256: announced.sha256, checksum, size_bytes: announced.size_bytes, trailer: announced.trailer }
}

pub(super) fn body(body: Option<StreamingBlob>) -> impl futures::Stream<Item = Result<bytes::Bytes, BoxError>> + Send {
    body.map_or_else(Body::empty, |body| Body::from(s3s::stream::DynByteStream::from(body)))
}

pub(super) fn checksum_type(checksums: &Checksums) -> Option<ChecksumType> {
    checksums.value.as_ref()?;
    let name = if checksums.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    Some(ChecksumType::from_static(name))
}

/// A number that S3 gives as 64 signed bits.
pub(super) fn signed(bytes: u64) -> S3Result<i64> {
    i64::try_from(bytes).map_err(S3Error::internal_error)
}

//! Tags of objects.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::errors::refuse;
use super::{Surface, reads};
use crate::store;

pub(super) async fn get_object_tagging(
    surface: &Surface,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let version_id = input.version_id.as_deref();
    let found = surface.store.find(&input.bucket, &input.key, version_id).await.map_err(refuse)?;
    let object = reads::object(found, &input.key, version_id)?;
    let tags = object.tags.into_iter().map(|tag| Tag { key: Some(tag.key), value: Some(tag.value) });
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: tags.collect(), version_id: object.version_id }))
}

pub(super) async fn put_object_tagging(
    surface: &Surface,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let tags = input.tagging.tag_set.into_iter().map(|tag| match (tag.key, tag.value) {
        (Some(key), Some(value)) => Ok(store::Tag { key, value }),
        _ => Err(s3_error!(MalformedXML)),
    });
    let tags = tags.collect::<S3Result<Vec<_>>>()?;
    let set = surface.store.set_tags(&input.bucket, &input.key, input.version_id.as_deref(), tags).await;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: set.map_err(refuse)? }))
}

pub(super) async fn delete_object_tagging(
    surface: &Surface,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let set = surface.store.set_tags(&input.bucket, &input.key, input.version_id.as_deref(), Vec::new()).await;
    let output = DeleteObjectTaggingOutput { version_id: set.map_err(refuse)? };
    Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
}

//! Buckets: made, found, listed, removed, versioned.

use s3s::dto::{
    Bucket, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
    PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::errors::refuse;
use super::{Surface, convert, names};
use crate::context::ACCOUNT;
use crate::store::{StoreError, Versioning};

/// S3 names no region for this one.
const DEFAULT_REGION: &str = "us-east-1";

/// Making one's own bucket again is an error everywhere but in `us-east-1`.
pub(super) async fn create_bucket(
    surface: &Surface,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let bucket = request.input.bucket;
    if !names::is_new(&bucket) {
        return Err(s3_error!(InvalidBucketName, "The specified bucket is not valid."));
    }
    match surface.store.create_bucket(&bucket).await {
        Err(StoreError::BucketExists(_)) if &*surface.region == DEFAULT_REGION => {}
        made => made.map_err(refuse)?,
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{bucket}")) }))
}

pub(super) async fn head_bucket(
    surface: &Surface,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    surface.store.bucket(&request.input.bucket).await.map_err(refuse)?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(surface.region.to_string()), ..Default::default() }))
}

pub(super) async fn delete_bucket(
    surface: &Surface,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    surface.store.delete_bucket(&request.input.bucket).await.map_err(refuse)?;
    Ok(S3Response::with_status(DeleteBucketOutput {}, http::StatusCode::NO_CONTENT))
}

pub(super) async fn list_buckets(
    surface: &Surface,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let prefix = request.input.prefix.clone().unwrap_or_default();
    let all = surface.store.buckets().await.map_err(refuse)?;
    let buckets = all.into_iter().filter(|bucket| bucket.name.starts_with(&prefix)).map(|bucket| Bucket {
        name: Some(bucket.name),
        creation_date: Some(convert::timestamp(bucket.created)),
        bucket_region: Some(surface.region.to_string()),
    });
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(Owner { display_name: None, id: Some(ACCOUNT.to_owned()) }),
        prefix: request.input.prefix,
        ..Default::default()
    }))
}

pub(super) async fn get_bucket_location(
    surface: &Surface,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    surface.store.bucket(&request.input.bucket).await.map_err(refuse)?;
    let region = Some(surface.region.to_string()).filter(|region| region != DEFAULT_REGION);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: region.map(BucketLocationConstraint::from) }))
}

pub(super) async fn get_bucket_versioning(
    surface: &Surface,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let bucket = surface.store.bucket(&request.input.bucket).await.map_err(refuse)?;
    let status = bucket.versioning.map(|versioning| BucketVersioningStatus::from(versioning.name().to_owned()));
    Ok(S3Response::new(GetBucketVersioningOutput { mfa_delete: None, status }))
}

pub(super) async fn put_bucket_versioning(
    surface: &Surface,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let status = request.input.versioning_configuration.status;
    let versioning = status.and_then(|status| Versioning::named(status.as_str()));
    let versioning = versioning.ok_or_else(|| s3_error!(MalformedXML, "Status is Enabled or Suspended"))?;
    surface.store.set_versioning(&request.input.bucket, versioning).await.map_err(refuse)?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

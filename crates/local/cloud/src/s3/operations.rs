//! The list of operations: each is one line here and one function in the file for its kind.

use s3s::dto;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::{Surface, buckets, listings, notifications, objects, reads, tagging, uploads};

/// Answers an operation with the function that does it.
macro_rules! operations {
    ($($name:ident => $module:ident, $input:ty, $output:ty;)*) => {
        #[async_trait::async_trait]
        impl S3 for Surface {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                $module::$name(self, request).await
            })*
        }
    };
}

operations! {
    create_bucket => buckets, dto::CreateBucketInput, dto::CreateBucketOutput;
    head_bucket => buckets, dto::HeadBucketInput, dto::HeadBucketOutput;
    delete_bucket => buckets, dto::DeleteBucketInput, dto::DeleteBucketOutput;
    list_buckets => buckets, dto::ListBucketsInput, dto::ListBucketsOutput;
    get_bucket_location => buckets, dto::GetBucketLocationInput, dto::GetBucketLocationOutput;
    get_bucket_versioning => buckets, dto::GetBucketVersioningInput, dto::GetBucketVersioningOutput;
    put_bucket_versioning => buckets, dto::PutBucketVersioningInput, dto::PutBucketVersioningOutput;
    get_bucket_notification_configuration => notifications,
        dto::GetBucketNotificationConfigurationInput, dto::GetBucketNotificationConfigurationOutput;
    put_bucket_notification_configuration => notifications,
        dto::PutBucketNotificationConfigurationInput, dto::PutBucketNotificationConfigurationOutput;
    put_object => objects, dto::PutObjectInput, dto::PutObjectOutput;
    copy_object => objects, dto::CopyObjectInput, dto::CopyObjectOutput;
    delete_object => objects, dto::DeleteObjectInput, dto::DeleteObjectOutput;
    delete_objects => objects, dto::DeleteObjectsInput, dto::DeleteObjectsOutput;
    get_object => reads, dto::GetObjectInput, dto::GetObjectOutput;
    head_object => reads, dto::HeadObjectInput, dto::HeadObjectOutput;
    get_object_attributes => reads, dto::GetObjectAttributesInput, dto::GetObjectAttributesOutput;
    list_objects => listings, dto::ListObjectsInput, dto::ListObjectsOutput;
    list_objects_v2 => listings, dto::ListObjectsV2Input, dto::ListObjectsV2Output;
    list_object_versions => listings, dto::ListObjectVersionsInput, dto::ListObjectVersionsOutput;
    create_multipart_upload => uploads, dto::CreateMultipartUploadInput, dto::CreateMultipartUploadOutput;
    upload_part => uploads, dto::UploadPartInput, dto::UploadPartOutput;
    upload_part_copy => uploads, dto::UploadPartCopyInput, dto::UploadPartCopyOutput;
    complete_multipart_upload => uploads, dto::CompleteMultipartUploadInput, dto::CompleteMultipartUploadOutput;
    abort_multipart_upload => uploads, dto::AbortMultipartUploadInput, dto::AbortMultipartUploadOutput;
    list_parts => uploads, dto::ListPartsInput, dto::ListPartsOutput;
    list_multipart_uploads => uploads, dto::ListMultipartUploadsInput, dto::ListMultipartUploadsOutput;
    get_object_tagging => tagging, dto::GetObjectTaggingInput, dto::GetObjectTaggingOutput;
    put_object_tagging => tagging, dto::PutObjectTaggingInput, dto::PutObjectTaggingOutput;
    delete_object_tagging => tagging, dto::DeleteObjectTaggingInput, dto::DeleteObjectTaggingOutput;
}

//! Where the members of S3's actions stand on the wire.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

/// An action.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) action: &'static str,
    pub(super) method: &'static str,
    pub(super) target: Target,
    /// What the query holds always.
    pub(super) query: &'static str,
    pub(super) input: Input,
    pub(super) output: Output,
}

/// What the path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Service,
    Bucket,
    Object,
}

/// What a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    Nothing,
    /// The member `Body`.
    Body,
    /// A member, as XML under an element.
    Xml {
        member: &'static str,
        element: &'static str,
    },
}

/// What a response's body is; every response has headers beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Nothing,
    /// No body, but the headers that would be its.
    Head,
    /// The member `Body`.
    Body,
    /// Members of the root element.
    Members,
    /// A member of this name.
    Member(&'static str),
}

const fn of(
    action: &'static str,
    method: &'static str,
    target: Target,
    query: &'static str,
    input: Input,
    output: Output,
) -> Operation {
    Operation { action, method, target, query, input, output }
}

const fn xml(member: &'static str, element: &'static str) -> Input {
    Input::Xml { member, element }
}

use Input::{Body as Sent, Nothing as Empty};
use Output::{Body as Content, Head, Member, Members, Nothing};
use Target::{Bucket, Object, Service};

/// The actions that the local S3 has.
pub(super) const OPERATIONS: &[Operation] = &[
    of("listBuckets", "GET", Service, "", Empty, Members),
    of("createBucket", "PUT", Bucket, "", xml("CreateBucketConfiguration", "CreateBucketConfiguration"), Nothing),
    of("headBucket", "HEAD", Bucket, "", Empty, Nothing),
    of("deleteBucket", "DELETE", Bucket, "", Empty, Nothing),
    of("getBucketLocation", "GET", Bucket, "location", Empty, Member("LocationConstraint")),
    of("getBucketVersioning", "GET", Bucket, "versioning", Empty, Members),
    of(
        "putBucketVersioning",
        "PUT",
        Bucket,
        "versioning",
        xml("VersioningConfiguration", "VersioningConfiguration"),
        Nothing,
    ),
    of("listObjects", "GET", Bucket, "", Empty, Members),
    of("listObjectsV2", "GET", Bucket, "list-type=2", Empty, Members),
    of("listObjectVersions", "GET", Bucket, "versions", Empty, Members),
    of("deleteObjects", "POST", Bucket, "delete", xml("Delete", "Delete"), Members),
    of("listMultipartUploads", "GET", Bucket, "uploads", Empty, Members),
    of("putObject", "PUT", Object, "", Sent, Nothing),
    of("getObject", "GET", Object, "", Empty, Content),
    of("headObject", "HEAD", Object, "", Empty, Head),
    of("deleteObject", "DELETE", Object, "", Empty, Nothing),
    of("copyObject", "PUT", Object, "", Empty, Member("CopyObjectResult")),
    of("getObjectAttributes", "GET", Object, "attributes", Empty, Members),
    of("getObjectTagging", "GET", Object, "tagging", Empty, Members),
    of("putObjectTagging", "PUT", Object, "tagging", xml("Tagging", "Tagging"), Nothing),
    of("deleteObjectTagging", "DELETE", Object, "tagging", Empty, Nothing),
    of("createMultipartUpload", "POST", Object, "uploads", Empty, Members),
    of("uploadPart", "PUT", Object, "", Sent, Nothing),
    of("uploadPartCopy", "PUT", Object, "", Empty, Member("CopyPartResult")),
    of("completeMultipartUpload", "POST", Object, "", xml("MultipartUpload", "CompleteMultipartUpload"), Members),
    of("abortMultipartUpload", "DELETE", Object, "", Empty, Nothing),
    of("listParts", "GET", Object, "", Empty, Members),
];

/// Members that are headers of a request.
pub(super) const REQUEST_HEADERS: &[(&str, &str)] = &[
    ("ACL", "x-amz-acl"),
    ("BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled"),
    ("BypassGovernanceRetention", "x-amz-bypass-governance-retention"),
    ("CacheControl", "cache-control"),
    ("ChecksumAlgorithm", "x-amz-sdk-checksum-algorithm"),
    ("ChecksumCRC32", "x-amz-checksum-crc32"),
    ("ChecksumCRC32C", "x-amz-checksum-crc32c"),
    ("ChecksumCRC64NVME", "x-amz-checksum-crc64nvme"),
    ("ChecksumMode", "x-amz-checksum-mode"),
    ("ChecksumSHA1", "x-amz-checksum-sha1"),
    ("ChecksumSHA256", "x-amz-checksum-sha256"),
    ("ContentDisposition", "content-disposition"),
    ("ContentEncoding", "content-encoding"),
    ("ContentLanguage", "content-language"),
    ("ContentMD5", "content-md5"),
    ("ContentType", "content-type"),
    ("CopySource", "x-amz-copy-source"),
    ("CopySourceIfMatch", "x-amz-copy-source-if-match"),
    ("CopySourceIfNoneMatch", "x-amz-copy-source-if-none-match"),
    ("CopySourceRange", "x-amz-copy-source-range"),
    ("ExpectedBucketOwner", "x-amz-expected-bucket-owner"),
    ("IfMatch", "if-match"),
    ("IfNoneMatch", "if-none-match"),
    ("MFA", "x-amz-mfa"),
    ("MetadataDirective", "x-amz-metadata-directive"),
    ("ObjectAttributes", "x-amz-object-attributes"),
    ("ObjectOwnership", "x-amz-object-ownership"),
    ("Range", "range"),
    ("RequestPayer", "x-amz-request-payer"),
    ("ServerSideEncryption", "x-amz-server-side-encryption"),
    ("StorageClass", "x-amz-storage-class"),
    ("Tagging", "x-amz-tagging"),
    ("TaggingDirective", "x-amz-tagging-directive"),
    ("WebsiteRedirectLocation", "x-amz-website-redirect-location"),
];

/// Members that are times in the headers of a request.
pub(super) const REQUEST_TIMES: &[(&str, &str)] = &[
    ("CopySourceIfModifiedSince", "x-amz-copy-source-if-modified-since"),
    ("CopySourceIfUnmodifiedSince", "x-amz-copy-source-if-unmodified-since"),
    ("Expires", "expires"),
    ("IfModifiedSince", "if-modified-since"),
    ("IfUnmodifiedSince", "if-unmodified-since"),
];

/// Members that stand in the query of a request.
pub(super) const QUERY: &[(&str, &str)] = &[
    ("BucketRegion", "bucket-region"),
    ("ContinuationToken", "continuation-token"),
    ("Delimiter", "delimiter"),
    ("EncodingType", "encoding-type"),
    ("FetchOwner", "fetch-owner"),
    ("KeyMarker", "key-marker"),
    ("Marker", "marker"),
    ("MaxBuckets", "max-buckets"),
    ("MaxKeys", "max-keys"),
    ("MaxParts", "max-parts"),
    ("MaxUploads", "max-uploads"),
    ("PartNumber", "partNumber"),
    ("PartNumberMarker", "part-number-marker"),
    ("Prefix", "prefix"),
    ("ResponseCacheControl", "response-cache-control"),
    ("ResponseContentDisposition", "response-content-disposition"),
    ("ResponseContentEncoding", "response-content-encoding"),
    ("ResponseContentLanguage", "response-content-language"),
    ("ResponseContentType", "response-content-type"),
    ("ResponseExpires", "response-expires"),
    ("StartAfter", "start-after"),
    ("UploadId", "uploadId"),
    ("UploadIdMarker", "upload-id-marker"),
    ("VersionId", "versionId"),
    ("VersionIdMarker", "version-id-marker"),
];

/// How a value is written where a task sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Number,
    Boolean,
    /// A time, as HTTP writes it.
    Date,
}

/// Headers of a response that are members of whatever answered.
pub(super) const RESPONSE_HEADERS: &[(&str, &str, Form)] = &[
    ("etag", "ETag", Form::Text),
    ("location", "Location", Form::Text),
    ("x-amz-abort-date", "AbortDate", Form::Date),
    ("x-amz-bucket-region", "BucketRegion", Form::Text),
    ("x-amz-checksum-crc32", "ChecksumCRC32", Form::Text),
    ("x-amz-checksum-crc32c", "ChecksumCRC32C", Form::Text),
    ("x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", Form::Text),
    ("x-amz-checksum-sha1", "ChecksumSHA1", Form::Text),
    ("x-amz-checksum-sha256", "ChecksumSHA256", Form::Text),
    ("x-amz-checksum-type", "ChecksumType", Form::Text),
    ("x-amz-copy-source-version-id", "CopySourceVersionId", Form::Text),
    ("x-amz-delete-marker", "DeleteMarker", Form::Boolean),
    ("x-amz-expiration", "Expiration", Form::Text),
    ("x-amz-server-side-encryption", "ServerSideEncryption", Form::Text),
    ("x-amz-version-id", "VersionId", Form::Text),
];

/// Headers of a response that are members where an object is read.
pub(super) const OBJECT_HEADERS: &[(&str, &str, Form)] = &[
    ("accept-ranges", "AcceptRanges", Form::Text),
    ("cache-control", "CacheControl", Form::Text),
    ("content-disposition", "ContentDisposition", Form::Text),
    ("content-encoding", "ContentEncoding", Form::Text),
    ("content-language", "ContentLanguage", Form::Text),
    ("content-length", "ContentLength", Form::Number),
    ("content-range", "ContentRange", Form::Text),
    ("content-type", "ContentType", Form::Text),
    ("expires", "ExpiresString", Form::Text),
    ("last-modified", "LastModified", Form::Date),
    ("x-amz-mp-parts-count", "PartsCount", Form::Number),
    ("x-amz-storage-class", "StorageClass", Form::Text),
    ("x-amz-tagging-count", "TagCount", Form::Number),
    ("x-amz-website-redirect-location", "WebsiteRedirectLocation", Form::Text),
];

/// Elements that stand in a list of their own name or of another one.
pub(super) const LISTED: &[(&str, &str)] = &[
    ("CommonPrefixes", "CommonPrefixes"),
    ("Contents", "Contents"),
    ("DeleteMarker", "DeleteMarkers"),
    ("Deleted", "Deleted"),
    ("Error", "Errors"),
    ("Part", "Parts"),
    ("Upload", "Uploads"),
    ("Version", "Versions"),
];

/// Elements that hold nothing but the entries of a list.
pub(super) const LISTS: [&str; 3] = ["Buckets", "TagSet", "ChecksumAlgorithm"];

/// Elements whose text is a number or a truth.
pub(super) const NUMBERS: &[&str] = &[
    "KeyCount",
    "MaxKeys",
    "MaxParts",
    "MaxUploads",
    "NextPartNumberMarker",
    "ObjectSize",
    "PartNumber",
    "PartNumberMarker",
    "PartsCount",
    "Size",
    "TotalPartsCount",
];
pub(super) const TRUTHS: [&str; 3] = ["IsLatest", "IsTruncated", "DeleteMarker"];

/// Members of a request that are lists, by the elements of their entries.
pub(super) const ENTRIES: &[(&str, &str, bool)] = &[
    // The list has an element of its own.
    ("TagSet", "Tag", true),
    ("Objects", "Object", false),
    ("Parts", "Part", false),
];

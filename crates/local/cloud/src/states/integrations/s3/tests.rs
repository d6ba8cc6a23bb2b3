//! Every action through the real S3 surface, in this process.

use std::sync::Arc;

use asl::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::Checksum as _;
use serde_json::{Value, json};

use super::xml;
use crate::clock::Clock;
use crate::context::Context;
use crate::database::{Database, Schema};
use crate::s3::{Service, service};
use crate::store::{self, Store};

struct World {
    service: Service,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(&directory.path().join("cloud.db"), &Schema::of(&[store::SCHEMA])).unwrap();
        let store = Store::open(database.clone(), directory.path(), Clock::default()).unwrap();
        let scratch = Arc::new(directory.path().to_owned());
        let service =
            service(&Context { database, store, clock: Clock::default(), scratch, region: "us-east-1".into() });
        let world = Self { service, _directory: directory };
        world.done("createBucket", json!({ "Bucket": "raw" })).await;
        world
    }

    async fn call(&self, action: &str, parameters: Value) -> Result<Value, Failure> {
        super::call(&self.service, action, &parameters).await.unwrap()
    }

    async fn done(&self, action: &str, parameters: Value) -> Value {
        self.call(action, parameters).await.unwrap_or_else(|failure| panic!("{action}: {failure:?}"))
    }

    async fn refused(&self, action: &str, parameters: Value) -> String {
        self.call(action, parameters).await.unwrap_err().error.unwrap()
    }
}

#[tokio::test]
async fn an_object_is_put_and_read_as_the_sdk_has_it() {
    let world = World::new().await;
    for (body, text, etag) in [
        (json!("text"), "\"text\"", "\"20cd815523e5806aec29a57282b0d49f\""),
        (json!({ "Dict": "Value" }), "{\"Dict\":\"Value\"}", "\"49e31cee5aec8faf3345893addb14346\""),
        (json!(["a", "b"]), "[\"a\",\"b\"]", "\"e53f04d1bcc1428d9e8db9a93578c5eb\""),
        (json!(false), "false", "\"68934a3e9455fa72420237eb05902327\""),
    ] {
        let put = world.done("putObject", json!({ "Bucket": "raw", "Key": "a b/ü&?.json", "Body": body })).await;
        assert_eq!(put["ETag"], etag);
        assert_eq!(put["ChecksumType"], "FULL_OBJECT");
        let sum = s3s::crypto::Crc32::checksum(text.as_bytes());
        assert_eq!(put["ChecksumCRC32"], STANDARD.encode(sum));
        let got = world.done("getObject", json!({ "Bucket": "raw", "Key": "a b/ü&?.json" })).await;
        assert_eq!((&got["Body"], &got["Metadata"]), (&json!(text), &json!({})));
        assert_eq!(got["ContentLength"], text.len());
        assert_eq!(got["ETag"], put["ETag"]);
        assert!(got["LastModified"].as_str().unwrap().ends_with('Z'), "{got}");
    }
}

#[tokio::test]
async fn members_find_their_place_in_headers_and_query() {
    let world = World::new().await;
    let put = json!({
        "Bucket": "raw", "Key": "k", "Body": "0123456789", "ContentType": "text/x", "CacheControl": "no-store",
        "Metadata": { "Colour": "red" }, "Tagging": "a=1&b=2", "StorageClass": null,
    });
    world.done("putObject", put).await;
    let head = world.done("headObject", json!({ "Bucket": "raw", "Key": "k" })).await;
    assert_eq!((&head["ContentType"], &head["CacheControl"]), (&json!("text/x"), &json!("no-store")));
    assert_eq!((&head["Metadata"], &head["ContentLength"]), (&json!({ "colour": "red" }), &json!(12)));
    assert!(head.get("Body").is_none());
    let part = world.done("getObject", json!({ "Bucket": "raw", "Key": "k", "Range": "bytes=2-4" })).await;
    assert_eq!((&part["Body"], &part["ContentRange"]), (&json!("123"), &json!("bytes 2-4/12")));
    let chosen = json!({ "Bucket": "raw", "Key": "sum", "Body": "x", "ChecksumAlgorithm": "SHA256" });
    let sum = STANDARD.encode(s3s::crypto::Sha256::checksum(b"\"x\""));
    assert_eq!(world.done("putObject", chosen).await["ChecksumSHA256"], sum);
    let wrong = json!({ "Bucket": "raw", "Key": "sum", "Body": "x", "ChecksumCRC32": "AAAAAA==" });
    assert_eq!(world.refused("putObject", wrong).await, "S3.S3Exception");
    let tags = world.done("getObjectTagging", json!({ "Bucket": "raw", "Key": "k" })).await;
    assert_eq!(tags["TagSet"], json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]));
    let tagging = json!({ "TagSet": [{ "Key": "a+b@c", "Value": "x y" }] });
    world.done("putObjectTagging", json!({ "Bucket": "raw", "Key": "k", "Tagging": tagging })).await;
    let tags = world.done("getObjectTagging", json!({ "Bucket": "raw", "Key": "k" })).await;
    assert_eq!(tags["TagSet"], json!([{ "Key": "a+b@c", "Value": "x y" }]));
    let copied = world.done("copyObject", json!({ "Bucket": "raw", "Key": "copy", "CopySource": "raw/k" })).await;
    assert_eq!(copied["CopyObjectResult"]["ETag"], head["ETag"]);
}

#[tokio::test]
async fn listings_are_lists() {
    let world = World::new().await;
    for key in ["a/1", "a/2", "b", "c"] {
        world.done("putObject", json!({ "Bucket": "raw", "Key": key, "Body": key })).await;
    }
    let all = world.done("listObjectsV2", json!({ "Bucket": "raw", "Delimiter": "/", "MaxKeys": 10 })).await;
    let keys: Vec<&Value> = all["Contents"].as_array().unwrap().iter().map(|entry| &entry["Key"]).collect();
    assert_eq!(keys, ["b", "c"]);
    assert_eq!(all["CommonPrefixes"], json!([{ "Prefix": "a/" }]));
    assert_eq!((&all["KeyCount"], &all["IsTruncated"], &all["MaxKeys"]), (&json!(3), &json!(false), &json!(10)));
    assert_eq!(all["Contents"][0]["Size"], 3, "a letter in quotes");
    let page = world.done("listObjects", json!({ "Bucket": "raw", "MaxKeys": 1, "Marker": "a/2" })).await;
    assert_eq!((&page["Contents"][0]["Key"], &page["IsTruncated"]), (&json!("b"), &json!(true)));
    let none = world.done("listObjectsV2", json!({ "Bucket": "raw", "Prefix": "z" })).await;
    assert!(none.get("Contents").is_none() && none["KeyCount"] == 0, "{none}");
    let buckets = world.done("listBuckets", json!({})).await;
    assert_eq!(buckets["Buckets"].as_array().unwrap().len(), 1);
    assert_eq!(buckets["Buckets"][0]["Name"], "raw");
    let delete = json!({ "Objects": [{ "Key": "a/1" }, { "Key": "b" }] });
    let deleted = world.done("deleteObjects", json!({ "Bucket": "raw", "Delete": delete })).await;
    assert_eq!(deleted["Deleted"].as_array().unwrap().len(), 2);
    let left = world.done("listObjectsV2", json!({ "Bucket": "raw" })).await;
    assert_eq!(left["KeyCount"], 2);
}

#[tokio::test]
async fn versions_and_uploads() {
    let world = World::new().await;
    let on = json!({ "Status": "Enabled" });
    world.done("putBucketVersioning", json!({ "Bucket": "raw", "VersioningConfiguration": on })).await;
    assert_eq!(world.done("getBucketVersioning", json!({ "Bucket": "raw" })).await, on);
    let first = world.done("putObject", json!({ "Bucket": "raw", "Key": "k", "Body": "1" })).await;
    let deleted = world.done("deleteObject", json!({ "Bucket": "raw", "Key": "k" })).await;
    assert_eq!(deleted["DeleteMarker"], true);
    let versions = world.done("listObjectVersions", json!({ "Bucket": "raw" })).await;
    assert_eq!(versions["Versions"][0]["VersionId"], first["VersionId"]);
    assert_eq!(versions["DeleteMarkers"][0]["IsLatest"], true);
    let old = json!({ "Bucket": "raw", "Key": "k", "VersionId": first["VersionId"] });
    assert_eq!(world.done("getObject", old).await["Body"], "\"1\"");
    let upload = world.done("createMultipartUpload", json!({ "Bucket": "raw", "Key": "m" })).await;
    let id = &upload["UploadId"];
    let part = json!({ "Bucket": "raw", "Key": "m", "UploadId": id, "PartNumber": 1, "Body": "part" });
    let etag = world.done("uploadPart", part).await["ETag"].clone();
    let parts = json!({ "Parts": [{ "PartNumber": 1, "ETag": etag }] });
    let complete = json!({ "Bucket": "raw", "Key": "m", "UploadId": id, "MultipartUpload": parts });
    world.done("completeMultipartUpload", complete).await;
    assert_eq!(world.done("getObject", json!({ "Bucket": "raw", "Key": "m" })).await["Body"], "\"part\"");
}

#[tokio::test]
async fn refusals_bear_the_names_of_the_sdk() {
    let world = World::new().await;
    assert_eq!(world.refused("getObject", json!({ "Bucket": "raw", "Key": "none" })).await, "S3.NoSuchKeyException");
    assert_eq!(world.refused("headObject", json!({ "Bucket": "raw", "Key": "none" })).await, "S3.NoSuchKeyException");
    assert_eq!(world.refused("listObjects", json!({ "Bucket": "none" })).await, "S3.NoSuchBucketException");
    assert_eq!(world.refused("headBucket", json!({ "Bucket": "none" })).await, "S3.NoSuchBucketException");
    world.done("putObject", json!({ "Bucket": "raw", "Key": "k", "Body": "" })).await;
    assert_eq!(world.refused("deleteBucket", json!({ "Bucket": "raw" })).await, "S3.S3Exception");
    assert_eq!(world.refused("putObject", json!({ "Bucket": "raw", "Key": "k", "Colour": 1 })).await, "States.Runtime");
    assert_eq!(world.refused("putObject", json!({ "Bucket": "raw", "Key": ["k"] })).await, "States.Runtime");
    assert_eq!(
        world.refused("putObject", json!({ "Bucket": "raw", "Key": "k", "ContentType": "a\nb" })).await,
        "States.Runtime"
    );
    assert!(super::call(&world.service, "putBucketPolicy", &json!({})).await.is_none());
}

#[tokio::test]
async fn an_object_that_no_task_may_give_is_not_read_whole() {
    let world = World::new().await;
    let body = "x".repeat(3 * 1024 * 1024);
    world.done("putObject", json!({ "Bucket": "raw", "Key": "large", "Body": body })).await;
    let large = json!({ "Bucket": "raw", "Key": "large" });
    assert_eq!(world.refused("getObject", large).await, "States.DataLimitExceeded");
}

#[test]
fn xml_that_is_none_is_nothing() {
    for text in ["", "text", "<a>", "<a><b></a>", "</a>", "<a/><b/>"] {
        let read = xml::read(text.as_bytes());
        assert!(read.is_null() || read.as_str() == Some("") || read.is_object(), "{text}: {read}");
    }
    assert!(xml::read("<a>".repeat(1000).as_bytes()).is_null());
    assert_eq!(xml::read(b"<a><Name>x &amp; &#233;<![CDATA[<]]></Name></a>"), json!({ "Name": "x & é<" }));
}

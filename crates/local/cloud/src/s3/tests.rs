//! The protocol, spoken by the real SDK against a server in this process.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete,
    MetadataDirective, ObjectIdentifier, Tag, Tagging, VersioningConfiguration,
};
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;
use crate::database::{Database, Schema};
use crate::store;

const KEY: &str = "a b+c%20&ü/日本.txt";

/// A server that lives as long as its directory.
struct Server {
    client: Client,
    service: Service,
    _directory: tempfile::TempDir,
}

async fn server() -> Server {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("cloud.db"), &Schema::of(&[store::SCHEMA])).unwrap();
    let store = Store::open(database.clone(), directory.path(), Clock::default()).unwrap();
    let scratch = Arc::new(directory.path().to_owned());
    let service = service(&Context { database, store, clock: Clock::default(), scratch, region: "us-east-1".into() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, service.clone()));
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("any", "thing", None, None, "test"))
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true)
        .build();
    let client = Client::from_conf(config);
    client.create_bucket().bucket("raw").send().await.unwrap();
    Server { client, service, _directory: directory }
}

async fn serve(listener: TcpListener, service: Service) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = service.clone();
        let handler = hyper::service::service_fn(move |request: Request<Incoming>| {
            let service = service.clone();
            async move { service.call(request).await }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), handler));
    }
}

impl Server {
    async fn enable_versions(&self) {
        let configuration = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        self.client.put_bucket_versioning().bucket("raw").versioning_configuration(configuration).send().await.unwrap();
    }

    async fn put(&self, key: &str, text: &'static str) -> String {
        let put = self.client.put_object().bucket("raw").key(key).body(ByteStream::from_static(text.as_bytes()));
        put.send().await.unwrap().e_tag.unwrap()
    }

    async fn text(&self, key: &str) -> String {
        let got = self.client.get_object().bucket("raw").key(key).send().await.unwrap();
        String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap()
    }

    /// Sends a request as it is, past the SDK.
    async fn send(&self, request: Request<&'static str>) -> (u16, String) {
        use http_body_util::BodyExt as _;
        let request = request.map(|text| Body::from(text.to_owned()));
        let response = self.service.call(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn code<T, E: ProvideErrorMetadata, R>(outcome: Result<T, aws_sdk_s3::error::SdkError<E, R>>) -> String {
    let Err(aws_sdk_s3::error::SdkError::ServiceError(error)) = outcome else { panic!("it was not refused") };
    error.err().code().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn objects_come_back_with_their_headers() {
    let server = server().await;
    let put = server.client.put_object().bucket("raw").key(KEY).content_type("text/x").metadata("who", "me");
    put.tagging("a=b%20c").body(ByteStream::from_static(b"hello")).send().await.unwrap();
    let got = server.client.get_object().bucket("raw").key(KEY).send().await.unwrap();
    assert_eq!(got.content_type(), Some("text/x"));
    assert_eq!(got.metadata().unwrap()["who"], "me");
    assert_eq!(got.tag_count(), Some(1));
    assert_eq!(got.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");
    let range = server.client.get_object().bucket("raw").key(KEY).range("bytes=1-2").send().await.unwrap();
    assert_eq!(range.content_range(), Some("bytes 1-2/5"));
    assert_eq!(range.body.collect().await.unwrap().to_vec(), b"el");
}

#[tokio::test]
async fn refusals_have_the_codes_of_aws() {
    let server = server().await;
    let etag = server.put("key", "text").await;
    let get = || server.client.get_object().bucket("raw");
    let put = || server.client.put_object().bucket("raw").key("key");
    assert_eq!(code(get().key("none").send().await), "NoSuchKey");
    assert_eq!(code(get().key("key").version_id("none").send().await), "NoSuchVersion");
    assert_eq!(code(get().key("key").range("bytes=9-").send().await), "InvalidRange");
    assert_eq!(code(get().key("key").if_match("\"other\"").send().await), "PreconditionFailed");
    assert!(
        get().key("key").if_none_match(etag).send().await.unwrap_err().raw_response().unwrap().status().as_u16() == 304
    );
    assert_eq!(code(server.client.get_object().bucket("other").key("key").send().await), "NoSuchBucket");
    assert_eq!(code(put().if_none_match("*").send().await), "PreconditionFailed");
    assert_eq!(code(put().if_match("\"other\"").send().await), "PreconditionFailed");
    assert_eq!(code(put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await), "BadDigest");
    assert_eq!(code(server.client.delete_bucket().bucket("raw").send().await), "BucketNotEmpty");
    assert_eq!(server.text("key").await, "text");
}

#[tokio::test]
async fn checksums_behind_the_bytes_are_verified_and_kept() {
    let server = server().await;
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"].map(ChecksumAlgorithm::from) {
        let put = server.client.put_object().bucket("raw").key("key").checksum_algorithm(algorithm.clone());
        let put = put.body(ByteStream::from(vec![7; 300_000])).send().await.unwrap();
        let get = server.client.get_object().bucket("raw").key("key").checksum_mode(ChecksumMode::Enabled);
        let got = get.send().await.unwrap();
        let sums = [
            put.checksum_crc32(),
            put.checksum_crc32_c(),
            put.checksum_crc64_nvme(),
            put.checksum_sha1(),
            put.checksum_sha256(),
        ];
        assert_eq!(sums.iter().flatten().count(), 1, "{algorithm}");
        // The SDK holds the bytes against the checksum that came with them.
        assert_eq!(got.body.collect().await.unwrap().to_vec().len(), 300_000, "{algorithm}");
    }
}

/// What no client would send of itself.
#[tokio::test]
async fn a_chunked_body_must_be_whole_and_true() {
    let server = server().await;
    let chunked = |body| {
        Request::put("/raw/chunked")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-decoded-content-length", "5")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .header("content-encoding", "aws-chunked")
            .body(body)
            .unwrap()
    };
    for (body, status) in [
        ("3\r\nhel\r\n2\r\nlo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 200),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 400),
        ("5\r\nhello\r\n0\r\n\r\n", 400),
        ("5\r\nhel", 400),
        ("5\r\nhello\r\n", 400),
        ("x\r\nhello\r\n0\r\n\r\n", 400),
        ("4\r\nhell\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 400),
        ("5\r\nhelloXX\r\n0\r\n\r\n", 400),
    ] {
        assert_eq!(server.send(chunked(body)).await.0, status, "{body:?}");
    }
    assert_eq!(server.text("chunked").await, "hello");
    let got = server.client.head_object().bucket("raw").key("chunked").send().await.unwrap();
    assert_eq!(got.content_encoding(), None);
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_is_refused() {
    let server = server().await;
    let request = Request::put("/raw/key").header("x-amz-content-sha256", "0".repeat(64)).body("hello").unwrap();
    let (status, text) = server.send(request).await;
    assert!(status == 400 && text.contains("XAmzContentSHA256Mismatch"), "{text}");
}

#[tokio::test]
async fn versions_and_delete_markers() {
    let server = server().await;
    server.enable_versions().await;
    server.put("key", "one").await;
    server.put("key", "two").await;
    let deleted = server.client.delete_object().bucket("raw").key("key").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    assert_eq!(code(server.client.get_object().bucket("raw").key("key").send().await), "NoSuchKey");
    let marker = deleted.version_id().unwrap();
    let named = server.client.get_object().bucket("raw").key("key").version_id(marker).send().await;
    assert_eq!(code(named), "MethodNotAllowed");
    let listed = server.client.list_object_versions().bucket("raw").send().await.unwrap();
    assert_eq!((listed.versions().len(), listed.delete_markers().len()), (2, 1));
    let object = ObjectIdentifier::builder().key("key").version_id(marker).build().unwrap();
    let delete = Delete::builder().objects(object).build().unwrap();
    server.client.delete_objects().bucket("raw").delete(delete).send().await.unwrap();
    assert_eq!(server.text("key").await, "two");
}

#[tokio::test]
async fn listings_page_through_keys_of_any_name() {
    let server = server().await;
    for key in [KEY, "p/1", "p/q/2", "p/q/3", "z"] {
        server.put(key, "x").await;
    }
    let pages = server.client.list_objects_v2().bucket("raw").max_keys(2).into_paginator().send();
    let pages: Vec<_> = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    let keys: Vec<_> = pages.iter().flat_map(ListObjectsV2Output::contents).filter_map(|object| object.key()).collect();
    assert_eq!(keys, [KEY, "p/1", "p/q/2", "p/q/3", "z"]);
    let folded = server.client.list_objects_v2().bucket("raw").prefix("p/").delimiter("/").send().await.unwrap();
    assert_eq!(folded.common_prefixes()[0].prefix(), Some("p/q/"));
    assert_eq!(folded.contents().len(), 1);
    let after = server.client.list_objects_v2().bucket("raw").start_after("p/q/2").send().await.unwrap();
    assert_eq!(after.key_count(), Some(2));
    assert_eq!(
        code(server.client.list_objects_v2().bucket("raw").continuation_token("?").send().await),
        "InvalidArgument"
    );
}

#[tokio::test]
async fn parts_and_copies() {
    let server = server().await;
    server.put(KEY, "hello").await;
    let upload = server.client.create_multipart_upload().bucket("raw").key("big").send().await.unwrap();
    let upload_id = upload.upload_id().unwrap();
    let part = server.client.upload_part().bucket("raw").key("big").upload_id(upload_id).part_number(1);
    let first = part.body(ByteStream::from(vec![b'a'; 5 * 1024 * 1024])).send().await.unwrap();
    let source = format!("raw/{}", percent_encoding::utf8_percent_encode(KEY, percent_encoding::NON_ALPHANUMERIC));
    let copy = server.client.upload_part_copy().bucket("raw").key("big").upload_id(upload_id).part_number(2);
    let second = copy.copy_source(&source).copy_source_range("bytes=0-3").send().await.unwrap();
    let parts = [first.e_tag().unwrap(), second.copy_part_result().unwrap().e_tag().unwrap()];
    let parts = (1..).zip(parts).map(|(number, etag)| CompletedPart::builder().part_number(number).e_tag(etag).build());
    let chosen = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    let complete = server.client.complete_multipart_upload().bucket("raw").key("big").upload_id(upload_id);
    let done = complete.multipart_upload(chosen.clone()).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    let last = server.client.get_object().bucket("raw").key("big").part_number(2).send().await.unwrap();
    assert_eq!(last.parts_count(), Some(2));
    assert_eq!(last.body.collect().await.unwrap().to_vec(), b"hell");
    let again = server.client.complete_multipart_upload().bucket("raw").key("big").upload_id(upload_id);
    assert_eq!(code(again.multipart_upload(chosen).send().await), "NoSuchUpload");
    let itself = || server.client.copy_object().bucket("raw").key(KEY).copy_source(&source);
    assert_eq!(code(itself().send().await), "InvalidRequest");
    itself().metadata_directive(MetadataDirective::Replace).metadata("new", "1").send().await.unwrap();
    assert_eq!(server.text(KEY).await, "hello");
}

#[tokio::test]
async fn tags_are_kept_and_checked() {
    let server = server().await;
    server.put("key", "x").await;
    let tags = |count: usize| {
        let tags = (0..count).map(|number| Tag::builder().key(number.to_string()).value("v").build().unwrap());
        Tagging::builder().set_tag_set(Some(tags.collect())).build().unwrap()
    };
    let put = |count| server.client.put_object_tagging().bucket("raw").key("key").tagging(tags(count)).send();
    assert_eq!(code(put(11).await), "InvalidTag");
    put(10).await.unwrap();
    let got = server.client.get_object_tagging().bucket("raw").key("key").send().await.unwrap();
    assert_eq!(got.tag_set().len(), 10);
}

#[tokio::test]
async fn presigned_urls_work_until_they_expire() {
    let server = server().await;
    server.put(KEY, "hello").await;
    let get = server.client.get_object().bucket("raw").key(KEY);
    let signed = get.presigned(PresigningConfig::expires_in(std::time::Duration::from_mins(1)).unwrap()).await.unwrap();
    let request = Request::get(signed.uri()).header("host", "127.0.0.1").body("").unwrap();
    assert_eq!(server.send(request).await, (200, "hello".to_owned()));
    let expired = "/raw/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60\
                   &X-Amz-SignedHeaders=host&X-Amz-Signature=0";
    let (status, text) = server.send(Request::get(expired).header("host", "127.0.0.1").body("").unwrap()).await;
    assert!(status == 403 && text.contains("Request has expired"), "{text}");
}

#[tokio::test]
async fn the_host_may_name_the_bucket() {
    let server = server().await;
    server.put("key", "hello").await;
    for host in ["raw.localhost:4566", "raw.s3.localhost"] {
        let request = Request::get("/key").header("host", host).body("").unwrap();
        assert_eq!(server.send(request).await, (200, "hello".to_owned()));
    }
    let (status, _) = server.send(Request::get("/raw/key").header("host", "s3.localhost:4566").body("").unwrap()).await;
    assert_eq!(status, 200);
}

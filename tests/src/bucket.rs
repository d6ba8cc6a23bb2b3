//! Clients of a running cloud, as a program of somebody's own would make them, and a bucket of old files.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

/// Runs `work` to its end.
///
/// # Panics
/// When the system gives no runtime.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// From which a client of any service of the cloud at `endpoint` is made.
pub async fn sdk(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("sluice", "sluice", None, None, "tests"))
        .load()
        .await
}

/// S3 of the cloud at `endpoint`.
pub async fn s3(endpoint: &str) -> Client {
    let sdk = sdk(endpoint).await;
    Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build())
}

/// Makes a bucket that keeps versions and tells nobody of anything, with these objects, each under its key.
///
/// # Panics
/// When the cloud refuses.
pub fn fill(endpoint: &str, bucket: &str, objects: &[(String, String)]) {
    block_on(async {
        let client = s3(endpoint).await;
        client.create_bucket().bucket(bucket).send().await.expect("the bucket is made");
        let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request = client.put_bucket_versioning().bucket(bucket).versioning_configuration(versions);
        request.send().await.expect("it keeps versions");
        for (key, text) in objects {
            let body = ByteStream::from(text.clone().into_bytes());
            client.put_object().bucket(bucket).key(key).body(body).send().await.expect("the object is put");
        }
    });
}

//! S3 as the steps use it: ranged reads of one version, whole JSON objects, bounded.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use bytes::Bytes;
use domain::failure::{Failure, FailureName};
use domain::object::ObjectRef;
use domain::plan::Subject;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::failure;

/// The largest JSON object that a step reads back: raw answers for 3,000 pages stay below it.
const JSON_LIMIT_BYTES: u64 = 512 << 20;

/// S3; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Size of the object.
    pub size_bytes: u64,
    /// Entity tag without quotes.
    pub etag: String,
    /// `Content-Type` as declared.
    pub declared_type: Option<String>,
}

impl Store {
    /// S3 by `sdk`; `by_path` where the endpoint has no virtual hosts.
    #[must_use]
    pub fn new(sdk: &SdkConfig, by_path: bool) -> Self {
        let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(by_path).build();
        Self { client: Client::from_conf(config) }
    }

    /// The client, for what this type does not wrap.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Looks at an object and reads its first bytes, `most_bytes` of them where there are as many.
    ///
    /// # Errors
    /// `ObjectGone` where it does not exist.
    pub async fn first(&self, object: &ObjectRef, most_bytes: u64) -> Result<(Head, Bytes), Failure> {
        let request = self.client.get_object().bucket(&object.bucket).key(&object.key);
        let request = request.set_version_id(object.version_id.clone()).range(range(0, most_bytes));
        let output = match request.send().await {
            // S3 refuses every range of an object without bytes.
            Err(error) if error.code() == Some("InvalidRange") => return Ok((self.head(object).await?, Bytes::new())),
            output => output.map_err(|error| explain(failure("s3:GetObject", &error), object))?,
        };
        let size_bytes = output.content_range().and_then(whole_size);
        let head = Head {
            size_bytes: size_bytes
                .ok_or_else(|| Failure::internal("`s3:GetObject` answered a range without saying of how many bytes"))?,
            etag: plain_etag(output.e_tag()),
            declared_type: output.content_type().map(str::to_owned),
        };
        Ok((head, collect(output, object).await?))
    }

    /// Looks at an object without reading it.
    ///
    /// # Errors
    /// `ObjectGone` where it does not exist.
    pub async fn head(&self, object: &ObjectRef) -> Result<Head, Failure> {
        let request = self.client.head_object().bucket(&object.bucket).key(&object.key);
        let output = request.set_version_id(object.version_id.clone()).send().await;
        let output = output.map_err(|error| explain(failure("s3:HeadObject", &error), object))?;
        Ok(Head {
            size_bytes: output.content_length().and_then(|size| size.try_into().ok()).unwrap_or(0),
            etag: plain_etag(output.e_tag()),
            declared_type: output.content_type().map(str::to_owned),
        })
    }

    /// Reads `size_bytes` bytes from `start`, of the very bytes that carry `etag`.
    ///
    /// # Errors
    /// `ObjectGone` where the object was removed or replaced meanwhile.
    pub async fn range(&self, object: &ObjectRef, etag: &str, start: u64, size_bytes: u64) -> Result<Bytes, Failure> {
        let request = self.client.get_object().bucket(&object.bucket).key(&object.key).if_match(format!("\"{etag}\""));
        let output = request.set_version_id(object.version_id.clone()).range(range(start, size_bytes)).send().await;
        collect(output.map_err(|error| explain(failure("s3:GetObject", &error), object))?, object).await
    }

    /// Reads the whole of `subject`'s object, up to `limit_bytes`.
    ///
    /// # Errors
    /// `ObjectTooLarge` over the limit, `ObjectGone` where it was removed or replaced meanwhile.
    pub async fn read(&self, subject: &Subject, limit_bytes: u64) -> Result<Bytes, Failure> {
        if subject.size_bytes > limit_bytes {
            let message = format!(
                "`{}` has {} bytes, and this step reads {limit_bytes} at most",
                subject.object, subject.size_bytes
            );
            return Err(Failure::new(FailureName::ObjectTooLarge, message));
        }
        let object = &subject.object;
        let request =
            self.client.get_object().bucket(&object.bucket).key(&object.key).if_match(format!("\"{}\"", subject.etag));
        let output = request.set_version_id(object.version_id.clone()).send().await;
        collect(output.map_err(|error| explain(failure("s3:GetObject", &error), object))?, object).await
    }

    /// Reads a JSON object, or nothing where there is none.
    ///
    /// # Errors
    /// When S3 fails or the object is not what `T` looks like.
    pub async fn read_json<T: DeserializeOwned>(&self, object: &ObjectRef) -> Result<Option<T>, Failure> {
        Ok(self.read_tagged_json(object).await?.map(|(value, _)| value))
    }

    /// Reads a JSON object with its entity tag, for [`Store::replace_json`].
    ///
    /// # Errors
    /// As [`Store::read_json`].
    pub async fn read_tagged_json<T: DeserializeOwned>(
        &self,
        object: &ObjectRef,
    ) -> Result<Option<(T, String)>, Failure> {
        let Some((bytes, etag)) = self.find_tagged(object).await? else { return Ok(None) };
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::internal(format!("failed to read `{object}` back: {error}")))?;
        Ok(Some((value, etag)))
    }

    /// Reads an object that a step wrote, or nothing where there is none.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn find(&self, object: &ObjectRef) -> Result<Option<Bytes>, Failure> {
        Ok(self.find_tagged(object).await?.map(|(bytes, _)| bytes))
    }

    async fn find_tagged(&self, object: &ObjectRef) -> Result<Option<(Bytes, String)>, Failure> {
        let request = self.client.get_object().bucket(&object.bucket).key(&object.key).send().await;
        let output = match request.map_err(|error| failure("s3:GetObject", &error)) {
            Err(failure) if failure.name == FailureName::ObjectGone => return Ok(None),
            output => output?,
        };
        let etag = output.e_tag().unwrap_or_default().to_owned();
        Ok(Some((collect(output, object).await?, etag)))
    }

    /// Writes `value` as a JSON object; writing the same again changes nothing.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn write_json<T: Serialize>(&self, object: &ObjectRef, value: &T) -> Result<(), Failure> {
        self.write(object, "application/json", json(object, value)?).await
    }

    /// Writes `value` over the object that carries `etag`, or where there is none yet; says whether it did.
    ///
    /// # Errors
    /// When S3 fails; that somebody else wrote meanwhile is no error.
    pub async fn replace_json<T: Serialize>(
        &self,
        object: &ObjectRef,
        etag: Option<String>,
        value: &T,
    ) -> Result<bool, Failure> {
        let request = self.put(object, "application/json", json(object, value)?);
        written(match etag {
            Some(etag) => request.if_match(etag).send().await,
            None => request.if_none_match("*").send().await,
        })
    }

    /// Writes an object where there is none yet; says whether it did.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn create(&self, object: &ObjectRef, content_type: &str, bytes: Bytes) -> Result<bool, Failure> {
        written(self.put(object, content_type, bytes).if_none_match("*").send().await)
    }

    /// Writes an object.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn write(&self, object: &ObjectRef, content_type: &str, bytes: Bytes) -> Result<(), Failure> {
        let written = self.put(object, content_type, bytes).send().await;
        written.map(drop).map_err(|error| failure("s3:PutObject", &error))
    }

    fn put(&self, object: &ObjectRef, content_type: &str, bytes: Bytes) -> PutObjectFluentBuilder {
        let request = self.client.put_object().bucket(&object.bucket).key(&object.key).content_type(content_type);
        request.body(ByteStream::from(bytes))
    }

    /// Copies an object within S3, with `tags` on the copy.
    ///
    /// # Errors
    /// When S3 fails; objects over 5 GB need a multipart copy, which this is not.
    pub async fn copy(&self, from: &ObjectRef, to: &ObjectRef, tags: &[(String, String)]) -> Result<(), Failure> {
        let version = from.version_id.as_ref().map(|id| format!("?versionId={id}")).unwrap_or_default();
        let source = format!("{}/{}{version}", from.bucket, percent_encode(&from.key));
        let tags: Vec<String> =
            tags.iter().map(|(key, value)| format!("{}={}", percent_encode(key), percent_encode(value))).collect();
        let request = self.client.copy_object().bucket(&to.bucket).key(&to.key).copy_source(source);
        let copied = request
            .tagging_directive(aws_sdk_s3::types::TaggingDirective::Replace)
            .tagging(tags.join("&"))
            .send()
            .await;
        copied.map(drop).map_err(|error| explain(failure("s3:CopyObject", &error), from))
    }
}

/// Whether a conditional write did write.
fn written(result: Result<PutObjectOutput, SdkError<PutObjectError, HttpResponse>>) -> Result<bool, Failure> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("PreconditionFailed") => Ok(false),
        Err(error) => Err(failure("s3:PutObject", &error)),
    }
}

fn range(start: u64, size_bytes: u64) -> String {
    format!("bytes={start}-{}", start + size_bytes.saturating_sub(1))
}

/// The size of the whole object, from the `Content-Range` of a part: `bytes 0-99/1234`.
fn whole_size(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

fn plain_etag(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

fn json<T: Serialize>(object: &ObjectRef, value: &T) -> Result<Bytes, Failure> {
    let bytes = serde_json::to_vec(value);
    bytes.map(Bytes::from).map_err(|error| Failure::internal(format!("failed to serialise `{object}`: {error}")))
}

/// Everything but what RFC 3986 calls unreserved, and `/`.
fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

async fn collect(output: GetObjectOutput, object: &ObjectRef) -> Result<Bytes, Failure> {
    let size = output.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
    if size > JSON_LIMIT_BYTES {
        return Err(Failure::new(FailureName::ObjectTooLarge, format!("`{object}` is too large to hold in memory")));
    }
    let body = output.body.collect().await;
    body.map(aws_sdk_s3::primitives::AggregatedBytes::into_bytes)
        .map_err(|error| Failure::new(FailureName::Transient, format!("failed to read `{object}`: {error}")))
}

fn explain(failure: Failure, object: &ObjectRef) -> Failure {
    match failure.name {
        FailureName::ObjectGone => {
            Failure::new(failure.name, format!("`{object}` was removed or replaced before it could be read"))
        }
        _ => failure,
    }
}

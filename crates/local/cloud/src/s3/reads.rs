//! Reading objects: whole, in ranges, by part, on conditions; and what is known about them.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::dto::{
    self, Checksum, ChecksumMode, ETagCondition, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectAttributesParts, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectAttributes,
    StorageClass, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::Surface;
use super::convert::{self, set_checksums};
use super::errors::refuse;
use super::objects::{checksum_type, signed};
use crate::store::{Found, ObjectVersion};

/// What of an object is asked for.
struct Slice {
    range: Range<u64>,
    /// Given where the answer is a part of the object.
    content_range: Option<String>,
    parts_count: Option<i32>,
}

pub(super) async fn get_object(
    surface: &Surface,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let input = request.input;
    let version_id = input.version_id.as_deref();
    let found = surface.store.find(&input.bucket, &input.key, version_id).await.map_err(refuse)?;
    let object = object(found, &input.key, version_id)?;
    check_read(
        &object,
        input.if_match.as_ref(),
        input.if_none_match.as_ref(),
        input.if_modified_since.as_ref(),
        input.if_unmodified_since.as_ref(),
    )?;
    let slice = slice(&object, input.range.as_ref(), input.part_number)?;
    let bytes = surface.store.open_bytes(&object).await.map_err(refuse)?;
    let head = head(&object, &slice, input.checksum_mode.as_ref())?;
    let tag_count = i32::try_from(object.tags.len()).ok().filter(|count| *count > 0);
    let partial = head.content_range.is_some();
    let output = GetObjectOutput {
        accept_ranges: head.accept_ranges,
        body: Some(StreamingBlob::wrap(bytes.stream(slice.range))),
        cache_control: head.cache_control,
        checksum_crc32: head.checksum_crc32,
        checksum_crc32c: head.checksum_crc32c,
        checksum_crc64nvme: head.checksum_crc64nvme,
        checksum_sha1: head.checksum_sha1,
        checksum_sha256: head.checksum_sha256,
        checksum_type: head.checksum_type,
        content_disposition: head.content_disposition,
        content_encoding: head.content_encoding,
        content_language: head.content_language,
        content_length: head.content_length,
        content_range: head.content_range,
        content_type: head.content_type,
        e_tag: head.e_tag,
        expires: head.expires,
        last_modified: head.last_modified,
        metadata: head.metadata,
        parts_count: head.parts_count,
        storage_class: head.storage_class,
        tag_count,
        version_id: head.version_id,
        website_redirect_location: head.website_redirect_location,
        ..Default::default()
    };
    Ok(respond(output, partial))
}

pub(super) async fn head_object(
    surface: &Surface,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = request.input;
    let version_id = input.version_id.as_deref();
    let found = surface.store.find(&input.bucket, &input.key, version_id).await.map_err(refuse)?;
    let object = object(found, &input.key, version_id)?;
    check_read(
        &object,
        input.if_match.as_ref(),
        input.if_none_match.as_ref(),
        input.if_modified_since.as_ref(),
        input.if_unmodified_since.as_ref(),
    )?;
    let slice = slice(&object, input.range.as_ref(), input.part_number)?;
    let output = head(&object, &slice, input.checksum_mode.as_ref())?;
    let partial = output.content_range.is_some();
    Ok(respond(output, partial))
}

pub(super) async fn get_object_attributes(
    surface: &Surface,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let input = request.input;
    let version_id = input.version_id.as_deref();
    let found = surface.store.find(&input.bucket, &input.key, version_id).await.map_err(refuse)?;
    let object = object(found, &input.key, version_id)?;
    // Some clients send one header line for each attribute, some one line for all.
    let wants = |name: &str| {
        let lines = input.object_attributes.iter();
        lines.flat_map(|line| line.as_str().split(',')).any(|attribute| attribute.trim() == name)
    };
    let mut checksum = Checksum { checksum_type: checksum_type(&object.checksums), ..Default::default() };
    set_checksums!(checksum, object.checksums);
    let parts = parts(&object, input.part_number_marker.unwrap_or(0), input.max_parts.unwrap_or(1000))?;
    Ok(S3Response::new(GetObjectAttributesOutput {
        checksum: wants(ObjectAttributes::CHECKSUM).then_some(checksum),
        e_tag: wants(ObjectAttributes::ETAG).then(|| convert::etag(&object.etag)),
        last_modified: Some(convert::timestamp(object.modified)),
        object_parts: parts.filter(|_| wants(ObjectAttributes::OBJECT_PARTS)),
        object_size: wants(ObjectAttributes::OBJECT_SIZE).then_some(signed(object.size_bytes)?),
        storage_class: wants(ObjectAttributes::STORAGE_CLASS).then(|| storage_class(&object)),
        version_id: object.version_id.clone(),
        ..Default::default()
    }))
}

fn respond<T>(output: T, partial: bool) -> S3Response<T> {
    if partial { S3Response::with_status(output, StatusCode::PARTIAL_CONTENT) } else { S3Response::new(output) }
}

/// The object that was found; a delete marker is 404, or 405 where it was named.
pub(super) fn object(found: Found, key: &str, version_id: Option<&str>) -> S3Result<Box<ObjectVersion>> {
    let (marker, modified) = match found {
        Found::Object(object) => return Ok(object),
        Found::DeleteMarker { version_id, modified } => (version_id, modified),
    };
    let mut error = match version_id {
        Some(_) => s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource."),
        None => S3Error::with_message(S3ErrorCode::NoSuchKey, format!("the object `{key}` is deleted")),
    };
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    insert(&mut headers, "x-amz-version-id", &marker);
    if version_id.is_some() {
        let modified = modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        insert(&mut headers, "last-modified", &modified);
    }
    error.set_headers(headers);
    Err(error)
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The conditions of a read, in the order that HTTP gives them.
fn check_read(
    object: &ObjectVersion,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    if_modified_since: Option<&dto::Timestamp>,
    if_unmodified_since: Option<&dto::Timestamp>,
) -> S3Result<()> {
    let modified = whole_second(object);
    let fails = match if_match {
        Some(condition) => !is_met(condition, object),
        None => if_unmodified_since.is_some_and(|since| modified > *since),
    };
    if fails {
        return Err(s3_error!(PreconditionFailed));
    }
    let unchanged = match if_none_match {
        Some(condition) => is_met(condition, object),
        None => if_modified_since.is_some_and(|since| modified <= *since),
    };
    if unchanged { Err(not_modified(object)) } else { Ok(()) }
}

/// As for a read, but what is unchanged is refused in the same way.
pub(super) fn check_source(
    object: &ObjectVersion,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    if_modified_since: Option<&dto::Timestamp>,
    if_unmodified_since: Option<&dto::Timestamp>,
) -> S3Result<()> {
    let checked = check_read(object, if_match, if_none_match, if_modified_since, if_unmodified_since);
    checked.map_err(|_| s3_error!(PreconditionFailed))
}

fn is_met(condition: &ETagCondition, object: &ObjectVersion) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == object.etag)
}

fn not_modified(object: &ObjectVersion) -> S3Error {
    let mut error = s3_error!(NotModified);
    let mut headers = HeaderMap::new();
    insert(&mut headers, "etag", &format!("\"{}\"", object.etag));
    error.set_headers(headers);
    error
}

/// HTTP dates carry seconds.
fn whole_second(object: &ObjectVersion) -> dto::Timestamp {
    let seconds = jiff::Timestamp::from_second(object.modified.as_second()).unwrap_or(object.modified);
    convert::timestamp(seconds)
}

fn slice(object: &ObjectVersion, range: Option<&dto::Range>, part_number: Option<i32>) -> S3Result<Slice> {
    match (range, part_number) {
        (Some(_), Some(_)) => {
            Err(s3_error!(InvalidRequest, "Cannot specify both Range header and partNumber query parameter"))
        }
        (None, None) => Ok(Slice { range: 0..object.size_bytes, content_range: None, parts_count: None }),
        (Some(range), None) => {
            let range = range.check(object.size_bytes).map_err(|_| not_satisfiable(object))?;
            Ok(Slice { content_range: Some(content_range(&range, object)), range, parts_count: None })
        }
        (None, Some(number)) => part(object, number),
    }
}

fn part(object: &ObjectVersion, number: i32) -> S3Result<Slice> {
    let parts_count = i32::try_from(object.parts.len()).ok().filter(|count| *count > 0);
    let before = object.parts.iter().take_while(|part| part.number != number);
    let start = before.map(|part| part.size_bytes).sum();
    let size_bytes = match object.parts.iter().find(|part| part.number == number) {
        Some(part) => part.size_bytes,
        None if object.parts.is_empty() && number == 1 => object.size_bytes,
        None => return Err(invalid_part_number()),
    };
    let range = if object.parts.is_empty() { 0..object.size_bytes } else { start..start + size_bytes };
    let content_range = (object.size_bytes > 0).then(|| content_range(&range, object));
    Ok(Slice { range, content_range, parts_count })
}

fn content_range(range: &Range<u64>, object: &ObjectVersion) -> String {
    format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), object.size_bytes)
}

fn not_satisfiable(object: &ObjectVersion) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    let mut headers = HeaderMap::new();
    insert(&mut headers, "content-range", &format!("bytes */{}", object.size_bytes));
    error.set_headers(headers);
    error
}

fn invalid_part_number() -> S3Error {
    let code = S3ErrorCode::Custom("InvalidPartNumber".into());
    let mut error = S3Error::with_message(code, "The requested partnumber is not satisfiable");
    error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
    error
}

fn head(object: &ObjectVersion, slice: &Slice, mode: Option<&ChecksumMode>) -> S3Result<HeadObjectOutput> {
    let attributes = object.attributes.clone();
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: attributes.cache_control,
        content_disposition: attributes.content_disposition,
        content_encoding: attributes.content_encoding,
        content_language: attributes.content_language,
        content_length: Some(signed(slice.range.end - slice.range.start)?),
        content_range: slice.content_range.clone(),
        content_type: Some(attributes.content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
        e_tag: Some(convert::etag(&object.etag)),
        expires: attributes.expires.as_deref().and_then(convert::timestamp_from_text),
        last_modified: Some(convert::timestamp(object.modified)),
        metadata: Some(attributes.metadata.into_iter().collect()),
        parts_count: slice.parts_count,
        storage_class: Some(storage_class(object)).filter(|class| class.as_str() != StorageClass::STANDARD),
        version_id: object.version_id.clone(),
        website_redirect_location: attributes.website_redirect,
        ..Default::default()
    };
    // A checksum of the whole object says nothing about a part of it.
    let whole = slice.range.end - slice.range.start == object.size_bytes;
    if whole && mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED) {
        output.checksum_type = checksum_type(&object.checksums);
        set_checksums!(output, object.checksums);
    }
    Ok(output)
}

fn storage_class(object: &ObjectVersion) -> StorageClass {
    StorageClass::from(object.attributes.storage_class.clone().unwrap_or_else(|| StorageClass::STANDARD.to_owned()))
}

fn parts(object: &ObjectVersion, after: i32, most: i32) -> S3Result<Option<GetObjectAttributesParts>> {
    if object.parts.is_empty() {
        return Ok(None);
    }
    let wanted = object.parts.iter().filter(|part| part.number > after);
    let most_parts = usize::try_from(most).map_err(|_| s3_error!(InvalidArgument, "max-parts is negative"))?;
    let mut shown = Vec::new();
    for part in wanted.clone().take(most_parts) {
        let mut entry = dto::ObjectPart {
            part_number: Some(part.number),
            size: Some(signed(part.size_bytes)?),
            ..Default::default()
        };
        set_checksums!(entry, part.checksums);
        shown.push(entry);
    }
    Ok(Some(GetObjectAttributesParts {
        is_truncated: Some(wanted.count() > shown.len()),
        max_parts: Some(most),
        next_part_number_marker: shown.last().and_then(|part| part.part_number),
        part_number_marker: Some(after),
        parts: Some(shown),
        total_parts_count: i32::try_from(object.parts.len()).ok(),
    }))
}

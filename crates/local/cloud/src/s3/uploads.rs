//! Multipart uploads.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part, Range, StorageClass,
    StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::convert::{self, attributes, listed, sent_checksum, set_checksums};
use super::errors::refuse;
use super::gateway::Announced;
use super::listings::most;
use super::objects::{self, checksum_type, signed};
use super::{Surface, reads};
use crate::store::{Algorithm, ChosenPart, Completion, Expected, NewPart, NewUpload, PartEntry};

/// Part numbers that S3 allows.
const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

pub(super) async fn create_multipart_upload(
    surface: &Surface,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = request.input;
    let algorithm = input.checksum_algorithm.as_ref().and_then(|asked| Algorithm::named(asked.as_str()));
    let asked_whole = input.checksum_type.as_ref().map(|word| word.as_str() == ChecksumType::FULL_OBJECT);
    let full_object = asked_whole.unwrap_or(matches!(algorithm, None | Some(Algorithm::Crc64Nvme)));
    let new = NewUpload {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        attributes: attributes!(input),
        tags: convert::tags_from_header(input.tagging.as_deref())?,
        algorithm,
        full_object,
    };
    let upload_id = surface.store.create_upload(new).await.map_err(refuse)?;
    let kind = if full_object { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE };
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| ChecksumType::from_static(kind)),
        ..Default::default()
    }))
}

pub(super) async fn upload_part(
    surface: &Surface,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let announced = request.extensions.get::<Announced>().cloned().unwrap_or_default();
    let input = request.input;
    let checksum = sent_checksum!(input);
    let part = NewPart {
        bucket: input.bucket,
        key: input.key,
        upload_id: input.upload_id,
        number: part_number(input.part_number)?,
        algorithm: Some(objects::algorithm(checksum.as_ref(), &announced, input.checksum_algorithm.as_ref())),
        expected: objects::expected(announced, checksum, input.content_md5),
    };
    let entry = surface.store.put_part(part, objects::body(input.body)).await.map_err(refuse)?;
    let mut output = UploadPartOutput { e_tag: Some(convert::etag(&entry.etag)), ..Default::default() };
    set_checksums!(output, entry.checksums);
    Ok(S3Response::new(output))
}

pub(super) async fn upload_part_copy(
    surface: &Surface,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    let (bucket, key, version_id) = objects::source(&input.copy_source)?;
    let source = surface.store.find(bucket, key, version_id).await.map_err(refuse)?;
    let source = reads::object(source, key, version_id)?;
    reads::check_source(
        &source,
        input.copy_source_if_match.as_ref(),
        input.copy_source_if_none_match.as_ref(),
        input.copy_source_if_modified_since.as_ref(),
        input.copy_source_if_unmodified_since.as_ref(),
    )?;
    let range = match &input.copy_source_range {
        None => 0..source.size_bytes,
        Some(range) => {
            Range::parse(range).ok().and_then(|range| range.check(source.size_bytes).ok()).ok_or_else(|| {
                s3_error!(InvalidArgument, "The x-amz-copy-source-range value must be of the form bytes=first-last")
            })?
        }
    };
    let part = NewPart {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        upload_id: input.upload_id.clone(),
        number: part_number(input.part_number)?,
        algorithm: None,
        expected: Expected::default(),
    };
    let bytes = surface.store.open_bytes(&source).await.map_err(refuse)?;
    let body = objects::body(Some(StreamingBlob::wrap(bytes.stream(range))));
    let entry = surface.store.put_part(part, body).await.map_err(refuse)?;
    let mut result = CopyPartResult {
        e_tag: Some(convert::etag(&entry.etag)),
        last_modified: Some(convert::timestamp(entry.modified)),
        ..Default::default()
    };
    set_checksums!(result, entry.checksums);
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source.version_id.clone(),
        ..Default::default()
    }))
}

pub(super) async fn complete_multipart_upload(
    surface: &Surface,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    let parts = input.multipart_upload.clone().and_then(|upload| upload.parts).unwrap_or_default();
    let size_bytes = input.mpu_object_size.map(u64::try_from).transpose();
    let expected = Expected {
        checksum: sent_checksum!(input),
        size_bytes: size_bytes.map_err(|_| s3_error!(InvalidArgument, "the size is negative"))?,
        ..Expected::default()
    };
    let completion = Completion {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        upload_id: input.upload_id,
        parts: parts.into_iter().map(chosen).collect::<S3Result<_>>()?,
        condition: convert::write_condition(input.if_match, input.if_none_match)?,
        expected,
    };
    let object = surface.store.complete_upload(completion).await.map_err(refuse)?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(convert::etag(&object.etag)),
        checksum_type: checksum_type(&object.checksums),
        version_id: object.version_id,
        ..Default::default()
    };
    set_checksums!(output, object.checksums);
    Ok(S3Response::new(output))
}

pub(super) async fn abort_multipart_upload(
    surface: &Surface,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    surface.store.abort_upload(&input.bucket, &input.key, &input.upload_id).await.map_err(refuse)?;
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn list_parts(
    surface: &Surface,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let upload = surface.store.upload(&input.bucket, &input.key, &input.upload_id).await.map_err(refuse)?;
    let (after, most) = (input.part_number_marker.unwrap_or(0), most(input.max_parts)?);
    let wanted = usize::try_from(most).unwrap_or(0);
    let mut entries = surface.store.parts(&input.upload_id, after, wanted + 1).await.map_err(refuse)?;
    let is_truncated = entries.len() > wanted;
    entries.truncate(wanted);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: upload.new.algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
        max_parts: Some(most),
        part_number_marker: Some(after),
        next_part_number_marker: entries.last().map(|part| part.number),
        is_truncated: Some(is_truncated),
        parts: Some(entries.iter().map(part).collect::<S3Result<_>>()?),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..Default::default()
    }))
}

/// Uploads are listed one by one: the delimiter, which S3 folds by, is refused rather than ignored.
pub(super) async fn list_multipart_uploads(
    surface: &Surface,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    if input.delimiter.is_some() {
        return Err(s3_error!(NotImplemented, "a delimiter for uploads is not available locally"));
    }
    let (encoding, most) = (input.encoding_type.as_ref(), most(input.max_uploads)?);
    let wanted = usize::try_from(most).unwrap_or(0);
    let prefix = input.prefix.clone().unwrap_or_default();
    let key_marker = input.key_marker.clone().unwrap_or_default();
    // Without an upload to go on after, all uploads of the marker's key are passed by.
    let all = if key_marker.is_empty() { String::new() } else { char::MAX.to_string() };
    let after = (key_marker, input.upload_id_marker.clone().unwrap_or(all));
    let mut found = surface.store.uploads(&input.bucket, &prefix, after, wanted + 1).await.map_err(refuse)?;
    let is_truncated = found.len() > wanted;
    found.truncate(wanted);
    let last = found.last().filter(|_| is_truncated).map(|upload| (upload.new.key.clone(), upload.upload_id.clone()));
    let (next_key, next_upload) = last.unzip();
    let uploads = found.into_iter().map(|upload| MultipartUpload {
        initiated: Some(convert::timestamp(upload.initiated)),
        key: Some(listed(&upload.new.key, encoding)),
        upload_id: Some(upload.upload_id),
        ..Default::default()
    });
    Ok(S3Response::new(ListMultipartUploadsOutput {
        uploads: Some(uploads.collect()),
        bucket: Some(input.bucket),
        is_truncated: Some(is_truncated),
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        max_uploads: Some(most),
        next_key_marker: next_key.map(|key| listed(&key, encoding)),
        next_upload_id_marker: next_upload,
        prefix: Some(listed(&prefix, encoding)),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    }))
}

fn part_number(number: i32) -> S3Result<i32> {
    let error = || s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive");
    PART_NUMBERS.contains(&number).then_some(number).ok_or_else(error)
}

fn chosen(part: CompletedPart) -> S3Result<ChosenPart> {
    let number = part.part_number.ok_or_else(|| s3_error!(MalformedXML))?;
    let checksum = sent_checksum!(part);
    Ok(ChosenPart { number, etag: part.e_tag.map(ETag::into_value), checksum })
}

fn part(entry: &PartEntry) -> S3Result<Part> {
    let mut part = Part {
        e_tag: Some(convert::etag(&entry.etag)),
        last_modified: Some(convert::timestamp(entry.modified)),
        part_number: Some(entry.number),
        size: Some(signed(entry.size_bytes)?),
        ..Default::default()
    };
    set_checksums!(part, entry.checksums);
    Ok(part)
}
